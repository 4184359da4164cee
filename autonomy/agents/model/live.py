"""Reads the text out of a JSON answer while it is still arriving, so that a live view shows prose and not braces."""

from __future__ import annotations

import re
from collections.abc import Callable

_KEY = re.compile(r'"text"\s*:\s*"$')
_ESCAPES = {"n": " ", "t": " ", "r": " ", "b": "", "f": ""}
_TAIL = 40


class TextTap:
    """Feed it the pieces of a streamed answer; `show` hears what stands in values named "text", in order."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._tail = ""
        self._inside = False
        self._escape: str | None = None

    def __call__(self, piece: str) -> None:
        """Take the next piece."""
        shown: list[str] = []
        for char in piece:
            if self._inside:
                shown.append(self._within(char))
            else:
                self._tail = (self._tail + char)[-_TAIL:]
                self._inside = char == '"' and _KEY.search(self._tail) is not None
        text = "".join(shown)
        if text:
            self._show(text)

    def _within(self, char: str) -> str:
        if self._escape is not None:
            return self._escaped(char)
        if char == "\\":
            self._escape = ""
            return ""
        if char == '"':
            self._inside, self._tail = False, ""
            return " "
        return char

    def _escaped(self, char: str) -> str:
        sequence = (self._escape or "") + char
        if sequence[0] != "u":
            self._escape = None
            return _ESCAPES.get(sequence, sequence)
        if len(sequence) < 5:
            self._escape = sequence
            return ""
        self._escape = None
        try:
            point = int(sequence[1:], 16)
        except ValueError:
            return ""
        return "" if 0xD800 <= point <= 0xDFFF else chr(point)
