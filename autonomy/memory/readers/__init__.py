"""One reader per format: bytes in, normalised text with pages, headings and blocks out.

Readers run in a child process only (see `memory.reading`): what they are handed is hostile.
"""
