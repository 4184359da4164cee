"""From placed lines to paragraphs: what belongs together is told by spacing, indents, sizes and line ends.

Pages stay exact: each page's start is the offset of its first kept letter, also in the middle of a paragraph.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from autonomy.memory.readers.document import Composer, Kind, fold, zone
from autonomy.memory.readers.hyphens import Hyphens

_DIGITS = re.compile(r"\d+")
_LEADERS = re.compile(r"(?:\.\s?){4,}\s*[\divxlc]*$|(?:…\s?){2,}\s*[\divxlc]*$")
_BULLET = re.compile(r"[•‣▪◦·●○■□–—*➢►✓-]\s+\S|\(?(?:\d{1,3}|[a-z])[.)]\s+\S")
_ENDED = re.compile(r"[.!?:;。！？：][\"'”’»」』)\]]*$")
_SENTENCE_END = re.compile(r"[.!?。！？][\"'”’»」』)\]]*$")
_NUMBERED = re.compile(r"(?:\d+|[A-Z])(?:\.\d+)*\.?\s+\S|(?:chapter|appendix|part|kapitel|anhang|teil)\s+\S", re.IGNORECASE)
_BARE = re.compile(
    r"^(?:(?:chapter|appendix|section|part|kapitel|anhang)\s+)?[\dA-Z]{0,3}(?:\.\d+)*[.:)]?\s+(?=\S)", re.IGNORECASE
)
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
_END_NUMBER = re.compile(r"^\d{1,5}(?=\s|$)|(?<=\s)\d{1,5}$")
_NOT_WORD = re.compile(r"[\W_]+")
_EDGE = 3
"""So many lines at the top and at the bottom of a page may be running heads."""


@dataclass(slots=True)
class Line:
    """A line of a page; points from the lower left corner. `hyphen`: the line broke inside its last word."""

    text: str
    page: int
    x0: float
    x1: float
    y: float
    size: float
    mono: bool
    bold: bool
    hyphen: bool
    from_top: int = 99
    from_bottom: int = 99

    @property
    def key(self) -> tuple[bool, str]:
        """The same for a running head on every page, whatever its number."""
        at_edge = self.from_top < _EDGE or self.from_bottom < _EDGE
        return at_edge, _DIGITS.sub("#", self.text)

    @property
    def outermost(self) -> bool:
        """Whether it is the first or the last line of its page."""
        return self.from_top == 0 or self.from_bottom == 0


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the document's outline: title, page from 1, level from 1."""

    title: str
    page: int
    level: int


def without_running(lines: list[Line]) -> list[Line]:
    """The lines without running heads and feet.

    One is told by coming back: on 3 pages and 3 % of them or, outermost, all through a chapter. Where most pages begin
    with one at the same height, or with their own number, whatever else does so is one too (a short chapter's).
    """
    pages: dict[tuple[bool, str], set[int]] = {}
    outer: set[tuple[bool, str]] = set()
    for line in lines:
        if line.key[0]:
            pages.setdefault(line.key, set()).add(line.page)
            if line.outermost:
                outer.add(line.key)
    total = len({line.page for line in lines})
    often = {key for key, seen in pages.items() if len(seen) >= 3 and len(seen) >= 0.03 * total}
    chapters = {key for key in outer if len(pages[key]) >= 3 and max(pages[key]) - min(pages[key]) < 3 * len(pages[key])}
    running = often | chapters
    heights = Counter(round(line.y) for line in lines if line.outermost and line.key in running)
    fixed = {height for height, count in heights.items() if count > 0.4 * total}
    shift = _numbering(lines, total)
    return [
        line
        for line in lines
        if line.key not in running and not (line.outermost and (round(line.y) in fixed or shift in _shifts(line)))
    ]


def _shifts(line: Line) -> set[int]:
    """How far the numbers at the line's ends are from its page."""
    return {line.page - int(number) for number in _END_NUMBER.findall(line.text)}


def _numbering(lines: list[Line], total: int) -> int | None:
    """The distance between printed and counted page numbers, when most pages bear one in their outermost lines."""
    counts = Counter(shift for line in lines if line.outermost for shift in _shifts(line))
    shift, count = counts.most_common(1)[0] if counts else (0, 0)
    return shift if count >= 5 and count > 0.5 * total else None


def body_size(lines: list[Line]) -> float:
    """The font size that most letters have."""
    weight: Counter[float] = Counter()
    for line in lines:
        weight[line.size] += len(line.text)
    return max(weight, key=lambda size: (weight[size], -size))


def compose(lines: list[Line], bookmarks: list[Bookmark], composer: Composer) -> None:
    """Write the document's blocks and headings, in reading order, into the composer."""
    kept = [line for line in lines if not _LEADERS.search(line.text) and not _lone_number(line)]
    if kept:
        _Layout(kept, bookmarks, composer).run()


def _lone_number(line: Line) -> bool:
    """A page number that stands alone at a page's edge."""
    return line.key[0] and re.fullmatch(r"[-–—\s]*(?:\d{1,4}|[ivxlcdm]{1,7})[-–—\s]*", line.text) is not None


def _bare(text: str) -> str:
    """A heading without its number, its case, its spaces and signs: for comparing outline and page."""
    return _NOT_WORD.sub("", _BARE.sub("", fold(text), count=1)).casefold() or _NOT_WORD.sub("", text).casefold()


class _Layout:
    def __init__(self, lines: list[Line], bookmarks: list[Bookmark], composer: Composer) -> None:
        self._lines = lines
        self._out = composer
        self._body = body_size(lines)
        self._hyphens = Hyphens([line.text for line in lines])
        self._leading = self._usual_leading()
        self._right = self._right_edges()
        self._marks: dict[int, list[Bookmark]] = {}
        for mark in bookmarks:
            self._marks.setdefault(mark.page, []).append(mark)
        self._rich = len(bookmarks) >= 10
        sizes = sorted({line.size for line in lines if line.size >= self._body * 1.12}, reverse=True)
        self._levels = {size: min(6, rank + 1) for rank, size in enumerate(sizes)}
        self._zone: tuple[int, Kind] | None = None
        self._page = 0

    def _usual_leading(self) -> float:
        gaps: Counter[float] = Counter()
        for above, line in zip(self._lines, self._lines[1:], strict=False):
            gap = above.y - line.y
            if above.page == line.page and above.size == line.size == self._body and 0 < gap < 4 * line.size:
                gaps[round(gap * 2) / 2] += 1
        return max(gaps, key=lambda gap: (gaps[gap], -gap)) if gaps else self._body * 1.2

    def _right_edges(self) -> dict[tuple[int, int], float]:
        """(page, column) -> where its lines end; a column is known by where its lines begin."""
        edges: dict[tuple[int, int], float] = {}
        for line in self._lines:
            key = (line.page, self._column(line))
            edges[key] = max(edges.get(key, 0.0), line.x1)
        return edges

    def _column(self, line: Line) -> int:
        return int(line.x0 // (self._body * 12))

    def _full(self, line: Line) -> bool:
        """Whether the line runs to the edge, so that its paragraph may go on."""
        return line.x1 > self._right[line.page, self._column(line)] - 5 * line.size

    def run(self) -> None:
        index = 0
        while index < len(self._lines):
            heading = self._heading(index)
            if heading:
                count, level = heading
                group = self._lines[index : index + count]
                self._start_pages(group[0], 0)
                text = self._join(group)
                self._enter(level, text)
                self._out.heading(level, text)
            else:
                count = self._paragraph(index)
                self._emit(self._lines[index : index + count])
            index += count

    # -- headings ---------------------------------------------------------------------------------

    def _heading(self, index: int) -> tuple[int, int] | None:
        """(lines, level) of the heading that begins here, or None."""
        line = self._lines[index]
        marked = self._marked(index)
        if marked:
            return marked
        if named := self._named(index):
            return named
        if len(line.text) > 160 or line.mono or not any(char.isalpha() for char in line.text):
            return None
        if line.size in self._levels:
            return self._by_size(index)
        if line.bold and self._stands_alone(index) and (_NUMBERED.match(line.text) or not self._rich):
            return 1, 6 if self._levels else 2
        return None

    def _marked(self, index: int) -> tuple[int, int] | None:
        """A heading that the document's outline names on this page."""
        marks = self._marks.get(self._lines[index].page)
        if not marks:
            return None
        text = ""
        for count in range(1, 4):
            if index + count > len(self._lines) or self._lines[index + count - 1].page != self._lines[index].page:
                return None
            text = f"{text} {self._lines[index + count - 1].text}".strip()
            bare = _bare(text)
            for mark in marks:
                if _bare(mark.title) == bare and len(text) < 400:
                    marks.remove(mark)
                    return count, mark.level
        return None

    def _named(self, index: int) -> tuple[int, int] | None:
        """A line apart that begins with a name from the outline and goes on with what it names ("rle Run Length Encoding")."""
        text = self._lines[index].text
        for mark in self._marks.get(self._lines[index].page, ()):
            if text.startswith(f"{mark.title} ") and len(text) < 120 and self._room_above(index):
                self._marks[self._lines[index].page].remove(mark)
                return 1, mark.level
        return None

    def _by_size(self, index: int) -> tuple[int, int] | None:
        line = self._lines[index]
        count = 1
        while index + count < len(self._lines) and count < 4:
            following = self._lines[index + count]
            if (
                following.page != line.page
                or following.size != line.size
                or not 0 < self._lines[index + count - 1].y - following.y < 1.6 * line.size
            ):
                break
            count += 1
        text = " ".join(piece.text for piece in self._lines[index : index + count])
        if len(text.split()) > 20 or len(text) > 200 or re.search(r"[.,;]$", text) or count == 4:
            return None
        return count, self._levels[line.size]

    def _room_above(self, index: int) -> bool:
        line, above = self._lines[index], self._lines[index - 1] if index else None
        return above is None or above.page != line.page or above.y - line.y > 1.25 * self._leading

    def _stands_alone(self, index: int) -> bool:
        """A short bold line with room above it and no sentence in it."""
        line = self._lines[index]
        below = self._lines[index + 1] if index + 1 < len(self._lines) else None
        ends = below is None or below.page != line.page or not below.bold
        return self._room_above(index) and ends and len(line.text.split()) <= 12 and not re.search(r"[.,;:]$", line.text)

    def _enter(self, level: int, text: str) -> None:
        if self._zone and level <= self._zone[0]:
            self._zone = None
        kind = zone(text)
        if kind and self._zone is None:
            self._zone = (level, kind)

    # -- paragraphs -------------------------------------------------------------------------------

    def _paragraph(self, index: int) -> int:
        """How many lines from here on make one paragraph."""
        count = 1
        while index + count < len(self._lines) and count < 400:
            above, line = self._lines[index + count - 1], self._lines[index + count]
            if self._breaks(above, line, self._lines[index]) or self._heading(index + count):
                break
            count += 1
        return count

    def _breaks(self, above: Line, line: Line, first: Line) -> bool:
        if above.hyphen:
            return False
        if above.mono != line.mono:
            return True
        if abs(above.size - line.size) > 0.08 * max(above.size, line.size) and not line.text[:1].islower():
            return True
        if _BULLET.match(line.text) and (_BULLET.match(first.text) or _ENDED.search(above.text) or not self._full(above)):
            return True
        gap = above.y - line.y
        if above.page != line.page or gap < -0.5 * line.size:
            return self._breaks_over_gap(above, line)
        if gap > 1.3 * max(self._leading * line.size / self._body, line.size):
            return True
        if above.mono:
            return False
        return self._indented(above, line, first) or (not self._full(above) and _ENDED.search(above.text) is not None)

    def _breaks_over_gap(self, above: Line, line: Line) -> bool:
        """Over a page or column break a paragraph goes on when its sentence does."""
        if above.mono or _SENTENCE_END.search(above.text) or above.text.endswith(":"):
            return True
        return not (line.text[:1].islower() or (self._full(above) and not _BULLET.match(line.text)))

    def _indented(self, above: Line, line: Line, first: Line) -> bool:
        """A first-line indent after a finished sentence; a hanging one (list items) begins nothing."""
        shift = line.x0 - above.x0
        if above is first and _BULLET.match(first.text):
            return False
        if 0.7 * line.size < shift < 6 * line.size:
            return _ENDED.search(above.text) is not None
        return shift < -0.7 * line.size and above is not first and _ENDED.search(above.text) is not None

    def _emit(self, group: list[Line]) -> None:
        kind = self._kind(group)
        if kind == "code":
            self._start_pages(group[0], 0)
            text = "\n".join(
                " " * max(0, round((line.x0 - min(g.x0 for g in group)) / (0.6 * line.size))) + line.text for line in group
            )
            self._mark_inside(group, [0, *(m.end() for m in re.finditer("\n", text))])
            self._out.block(kind, text)
            return
        offsets: list[int] = []
        text = self._join(group, offsets)
        self._start_pages(group[0], 0)
        self._mark_inside(group, offsets)
        self._out.block(kind, text)

    def _mark_inside(self, group: list[Line], offsets: list[int]) -> None:
        for line, offset in zip(group, offsets, strict=False):
            self._start_pages(line, offset)

    def _start_pages(self, line: Line, inside: int) -> None:
        if line.page != self._page:
            self._page = line.page
            self._out.page(line.page, inside)

    def _kind(self, group: list[Line]) -> Kind:
        text = " ".join(line.text for line in group)
        if self._zone and self._zone[1] == "contents" and _SENTENCE_END.search(text) and len(text) > 150:
            self._zone = None  # prose: the list of contents ended without a heading that could be told
        if self._zone:
            return self._zone[1]
        if all(line.mono for line in group):
            return "code"
        letters = sum(char.isalpha() for char in text)
        if letters < 0.55 * len(text.replace(" ", "")):
            return "code"
        short = sum(not self._full(line) for line in group)
        if len(group) >= 4 and short > 0.7 * len(group):
            return "table"
        if all(line.size < 0.86 * self._body for line in group) and group[-1].from_bottom <= len(group) + _EDGE:
            return "reference"
        return "li" if _BULLET.match(group[0].text) else "p"

    def _join(self, group: list[Line], offsets: list[int] | None = None) -> str:
        """Lines as running text; broken words are made whole. `offsets` receives where each line begins."""
        text = ""
        for number, line in enumerate(group):
            above = group[number - 1] if number else None
            if above is not None:
                text = self._glue(text, line.text, above.hyphen)
            if offsets is not None:
                offsets.append(len(text))
            text += line.text
        return text

    def _glue(self, text: str, following: str, broken: bool) -> str:
        """The text so far, made ready for the next line: a space, nothing, or a hyphen less."""
        text, gap = self._hyphens.before(text, following, broken=broken)
        if gap and text and _CJK.match(text[-1]) and _CJK.match(following):
            return text
        return f"{text}{gap}"
