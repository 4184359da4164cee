"""Plain text by rule: languages, sentences, words, typography, stand-alone sentences, ranking, claims.

Nothing here reads a file or knows a run; the only data are strings and offsets into them.
"""
