"""Numbers of things in words: one is singular, everything else plural."""

from __future__ import annotations


def several(number: int, noun: str) -> str:
    """1 call, 2 calls, 3 retries, 1,200 words."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun}"
