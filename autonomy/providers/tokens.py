"""How many tokens a text may come to, estimated from above and without a tokenizer (those download vocabularies)."""

from __future__ import annotations

from math import ceil

_MARGIN = 1.25
_PER_MESSAGE = 8


def estimate(text: str) -> int:
    """An upper estimate: ASCII at 4 characters a token, other alphabets at 2, CJK and the rest at 1.5 tokens a character.

    With a quarter on top, and never above the UTF-8 length, which no byte-level tokenizer exceeds.
    """
    beyond = [] if text.isascii() else [c for c in text if c >= "\x80"]
    alphabet = sum(1 for c in beyond if c < "\u0900")
    other = len(beyond) - alphabet
    ascii_count = len(text) - len(beyond)
    tokens = ceil(_MARGIN * (ascii_count / 4 + alphabet / 2 + other * 1.5))
    return min(tokens, len(text.encode("utf-8", "replace")))


def estimate_messages(texts: list[str]) -> int:
    """The same for a list of messages, with what their frame costs."""
    return sum(estimate(text) + _PER_MESSAGE for text in texts) + _PER_MESSAGE
