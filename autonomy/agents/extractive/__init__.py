"""The player that needs no model: it selects, arranges and quotes, and never states anything in words of its own.

What it writes itself counts, names titles and headings, and says what was looked for; everything else is quoted.
"""
