"""A saved page as words with places: lines below each other, cells of a table beside each other.

Without a browser nobody knows where a page puts its blocks, but its elements tell what belongs together: the more of them
begin or end between two lines, the farther the lines are apart. Scripts are not run, and they and what is hidden are no text.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Limits, clean, lexicon
from autonomy.memory.readers.html import BREAKING, is_hidden
from autonomy.turnitin.placed import Box

_SILENT = lexicon(
    """
    script style noscript template head title svg math iframe object embed canvas audio video map select input textarea
    """
)
_LINES = BREAKING | lexicon("h1 h2 h3 h4 h5 h6 nav aside footer form button option")
_HEIGHT, _BOUNDARY, _LETTER, _SPACE, _COLUMN = 10.0, 2.0, 5.0, 3.0, 4_000.0
_EDGE = "\x00"
"""Where an element begins or ends inside a line: what stands on its two sides are two things, whatever the space between."""
_WORD = re.compile(rf"{_EDGE}|[^\s{_EDGE}]+")


class _Row:
    """A row of a table while it is read: where it begins, which cell is next, how far down its longest cell goes."""

    def __init__(self, left: float, top: float) -> None:
        self.left, self.top, self.column, self.lowest = left, top, 0, top


class _Page:
    def __init__(self, limit: int) -> None:
        self.words: list[Box] = []
        self._limit = limit
        self._line: list[str] = []
        self._left = 0.0
        self._top = 0.0
        self._rows: list[_Row] = []
        self._counts: list[int] = []

    def say(self, text: str | None) -> None:
        """More of the line."""
        if text:
            self._limit -= len(text)
            if self._limit < 0:
                raise InvalidInput("holds too much text for a report", "Save the report alone.")
            self._line.append(clean(text))

    def boundary(self) -> None:
        """A block begins or ends: so does the line."""
        at, said = self._left, False
        for word in _WORD.findall("".join(self._line)):
            if word != _EDGE:
                end = at + _LETTER * len(word)
                self.words.append(Box(word, 0, at, end, self._top, self._top + _HEIGHT))
                at, said = end + _SPACE, True
            elif said:
                at = self.words[-1].right + _HEIGHT
        self._line = []
        self._top += _HEIGHT + _BOUNDARY if said else _BOUNDARY

    def start(self, element: Any) -> None:
        """An element begins."""
        tag = element.tag
        if tag in _LINES or tag == "br":
            self.boundary()
        else:
            self._line.append(_EDGE)
        if tag == "tr":
            self._rows.append(_Row(self._left, self._top))
        elif tag in ("td", "th") and self._rows:
            row = self._rows[-1]
            self._left, self._top = row.left + _COLUMN / len(self._rows) ** 2 * row.column, row.top
        elif tag in ("ol", "ul"):
            self._counts.append(0)
        elif tag == "li" and self._counts:
            self._counts[-1] += 1
            self._mark(element)
        self.say(element.text)

    def end(self, element: Any) -> None:
        """An element ends."""
        tag = element.tag
        if tag in _LINES:
            self.boundary()
        else:
            self._line.append(_EDGE)
        if tag in ("td", "th") and self._rows:
            row = self._rows[-1]
            row.column += _span(element)
            row.lowest = max(row.lowest, self._top)
            self._left = row.left
        elif tag == "tr" and self._rows:
            self._top = self._rows.pop().lowest
        elif tag in ("ol", "ul") and self._counts:
            self._counts.pop()

    def _mark(self, element: Any) -> None:
        """The number that a browser puts before an item of a numbered list."""
        parent = element.getparent()
        if parent is not None and parent.tag == "ol":
            text = str(self._counts[-1])
            left = self._left - 40
            self.words.append(Box(text, 0, left, left + _LETTER * len(text), self._top, self._top + _HEIGHT))


def _span(element: Any) -> int:
    """How many columns a cell takes."""
    text = element.get("colspan", "1").strip()
    return min(int(text), 50) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def words(root: Any, limits: Limits) -> list[Box]:
    """The words of a page in one column of lines. Raises InvalidInput for more text than the limits allow."""
    page = _Page(limits.characters)
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    skipped: Any = None
    for event, element in walk:
        if event == "start" and (element.tag in _SILENT or is_hidden(element)):
            walk.skip_subtree()
            skipped = element
        elif event == "start":
            page.start(element)
        elif event == "end":
            if element is not skipped:
                page.end(element)
            skipped = None if element is skipped else skipped
            page.say(element.tail)
        else:
            page.say(element.tail)
    page.boundary()
    return page.words
