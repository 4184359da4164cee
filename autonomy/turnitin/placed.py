"""Words with their places, and what they make together: cells, percentages, labels.

Places are boxes on a page, `top` above `bottom`, in any unit: every distance is told in heights of letters. The same rules
then read a PDF (places from its geometry) and a web page (places from its rows and cells).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autonomy.memory.readers.document import fold
from autonomy.turnitin.labels import BEGINNINGS, KINDS, LABELS, Meaning, squash

_PERCENT = re.compile(
    r"\(?(<|＜|‹|less than|menos del?|weniger als|unter)?\s*(\d{1,3}(?:[.,]\d{1,2})?)\s*[%％]\)?", re.IGNORECASE
)
_NUMBER = re.compile(r"[<＜‹]?\s*\d{1,3}(?:[.,]\d{1,2})?")
_STAR = re.compile(r"\*\s*[%％]")
_BARE = re.compile(r"[\W\d]*")
_MINUS = frozenset("-–−+±~≈")
_SIGN = re.compile(r"[%％]")

_MOST_PARTS = 24
APART = 0.9
"""Heights of a letter between words that do not belong to one run of words."""


@dataclass(frozen=True, slots=True)
class Box:
    """A piece of a page and the text in it."""

    text: str
    page: int
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        """Never nought, so that distances can be told in it."""
        return max(self.bottom - self.top, 0.1)

    @property
    def middle(self) -> float:
        """Half way down."""
        return (self.top + self.bottom) / 2

    def overlap_down(self, other: Box) -> float:
        """How much of the lower of the two stands beside the other: 0 to 1."""
        shared = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, shared) / min(self.height, other.height)

    def overlap_across(self, other: Box) -> float:
        """How much of the narrower of the two stands above or below the other: 0 to 1."""
        shared = min(self.right, other.right) - max(self.left, other.left)
        return max(0.0, shared) / max(min(self.right - self.left, other.right - other.left), 0.1)

    def beside(self, other: Box) -> bool:
        """Whether both stand in one row."""
        return self.page == other.page and self.overlap_down(other) >= 0.5

    def over(self, other: Box) -> bool:
        """Whether this one stands above the other, in one column."""
        return self.page == other.page and self.middle < other.middle and self.overlap_across(other) >= 0.5

    def gap_across(self, other: Box) -> float:
        """The room between two that stand in one row."""
        return max(other.left - self.right, self.left - other.right, 0.0)

    def gap_down(self, other: Box) -> float:
        """The room between two that stand in one column."""
        return max(other.top - self.bottom, self.top - other.bottom, 0.0)


@dataclass(frozen=True, slots=True)
class Figure(Box):
    """A percentage. `value` is None for one that is no percentage at all (101 %) or is not told (*%)."""

    value: float | None
    less: bool


@dataclass(frozen=True, slots=True)
class Label(Box):
    """What a cell, or several, name; `cells` are what it was put together from."""

    meaning: Meaning
    cells: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything on a report's pages, in reading order of rows: cells of text, percentages and labels."""

    cells: tuple[Box, ...]
    figures: tuple[Figure, ...]
    labels: tuple[Label, ...]


def sheet(words: Iterable[Box]) -> Sheet:
    """Words as cells, percentages and labels."""
    cells: list[Box] = []
    figures: list[Figure] = []
    for row in _rows(words):
        for cell in _split(row):
            figure = _figure(cell)
            if figure is None:
                cells.append(cell)
            else:
                figures.append(figure)
    cells, joined = _with_signs(_without_running(cells))
    return Sheet(tuple(cells), tuple(sorted([*figures, *joined], key=_order)), tuple(_labels(cells)))


def together(text: str, boxes: Sequence[Box]) -> Box:
    """One box around several of one page."""
    return Box(
        text,
        boxes[0].page,
        min(box.left for box in boxes),
        max(box.right for box in boxes),
        min(box.top for box in boxes),
        max(box.bottom for box in boxes),
    )


def _order(box: Box) -> tuple[int, float, float]:
    return box.page, box.top, box.left


def _rows(words: Iterable[Box]) -> list[list[Box]]:
    """Words of one size on one line, left to right; lines from top to bottom."""
    rows: list[list[Box]] = []
    for word in sorted(words, key=lambda box: (box.page, box.middle, box.left)):
        row = next((row for row in reversed(rows[-8:]) if _in_row(row[0], word)), None)
        if row is None:
            rows.append([word])
        else:
            row.append(word)
    for row in rows:
        row.sort(key=lambda box: box.left)
    return rows


def _in_row(first: Box, word: Box) -> bool:
    low = min(first.height, word.height)
    return (
        first.page == word.page and abs(first.middle - word.middle) <= 0.4 * low and low * 1.8 > max(first.height, word.height)
    )


def _without_running(cells: list[Box]) -> list[Box]:
    """Cells without what comes back, word for word and at one height, as the first or last lines of several pages."""
    edges: dict[int, tuple[float, float]] = {}
    for cell in cells:
        top, bottom = edges.get(cell.page, (cell.top, cell.bottom))
        edges[cell.page] = (min(top, cell.top), max(bottom, cell.bottom))
    seen: dict[tuple[str, int], set[int]] = {}
    for cell in cells:
        top, bottom = edges[cell.page]
        at_edge = min(cell.top - top, bottom - cell.bottom) <= 2 * cell.height
        if at_edge and squash(cell.text) not in KINDS and squash(cell.text) not in LABELS and not _BARE.fullmatch(cell.text):
            seen.setdefault((cell.text, round(cell.top)), set()).add(cell.page)
    return [cell for cell in cells if len(seen.get((cell.text, round(cell.top)), ())) < 2]


def _split(row: list[Box]) -> list[Box]:
    """A row as cells: cut at wide gaps, and before and behind each percentage."""
    cells: list[list[Box]] = []
    for word in row:
        if cells and cells[-1][-1].gap_across(word) <= APART * word.height:
            cells[-1].append(word)
        else:
            cells.append([word])
    return [piece for cell in cells for piece in _cut(cell)]


def _cut(cell: list[Box]) -> list[Box]:
    """A run of words, cut before and behind each percentage, and between labels where it is made of nothing else."""
    if len(named := _tiled(cell)) > 1:
        return named
    pieces: list[Box] = []
    text: list[Box] = []
    at = 0
    while at < len(cell):
        length = next((n for n in (4, 3, 2, 1) if _is_figure(" ".join(word.text for word in cell[at : at + n]))), 0)
        length = 0 if text and text[-1].text in _MINUS else length
        if not length:
            text.append(cell[at])
            at += 1
            continue
        if text:
            pieces.append(_joined(text))
        text = []
        pieces.append(_joined(cell[at : at + length]))
        at += length
    return [*pieces, _joined(text)] if text else pieces


def _tiled(cell: list[Box]) -> list[Box]:
    """The labels that a run of words consists of, without a word between them; [] when it holds anything else."""
    found: list[Box] = []
    at = 0
    while at < len(cell):
        squashed = [squash("".join(word.text for word in cell[at:end])) for end in range(at + 1, min(len(cell), at + 8) + 1)]
        lengths = [length for length, text in enumerate(squashed, 1) if text in LABELS]
        if not lengths:
            return []
        found.append(_joined(cell[at : at + lengths[-1]]))
        at += lengths[-1]
    return found


def _joined(words: list[Box]) -> Box:
    return together(fold(" ".join(word.text for word in words)), words)


def _is_figure(text: str) -> bool:
    return bool(_PERCENT.fullmatch(text) or _STAR.fullmatch(text))


def _figure(cell: Box) -> Figure | None:
    """The percentage that a cell is, None when it is something else."""
    place = (cell.text, cell.page, cell.left, cell.right, cell.top, cell.bottom)
    if _STAR.fullmatch(cell.text):
        return Figure(*place, value=None, less=False)
    found = _PERCENT.fullmatch(cell.text)
    if not found:
        return None
    value = float(found.group(2).replace(",", "."))
    less = bool(found.group(1))
    if value > 100 or (less and value != 1):
        return Figure(*place, value=None, less=False)
    return Figure(*place, value=0.5 if less else value, less=less)


def _with_signs(cells: list[Box]) -> tuple[list[Box], list[Figure]]:
    """Cells without the numbers whose percent sign stands apart, beside or below; those numbers as percentages."""
    signs = [cell for cell in cells if _SIGN.fullmatch(cell.text)]
    numbers = [cell for cell in cells if signs and _NUMBER.fullmatch(cell.text)]
    pairs = sorted(
        (
            (distance, at, number, sign)
            for at, (number, sign) in enumerate((number, sign) for number in numbers for sign in signs)
            if (distance := _to_sign(number, sign)) is not None
        ),
        key=lambda pair: pair[:2],
    )
    used: set[int] = set()
    figures = []
    for _, _, number, sign in pairs:
        if id(number) in used or id(sign) in used:
            continue
        figure = _figure(together(f"{number.text}%", (number, sign)))
        if figure is not None:
            used |= {id(number), id(sign)}
            figures.append(figure)
    return [cell for cell in cells if id(cell) not in used], figures


def _to_sign(number: Box, sign: Box) -> float | None:
    """The distance from a number to a sign that may be its own."""
    if number.beside(sign) and number.right <= sign.left + 0.3 * number.height:
        gap = number.gap_across(sign)
        return gap if gap <= 1.2 * max(number.height, sign.height) else None
    below = number.page == sign.page and number.middle < sign.middle and number.overlap_across(sign) >= 0.3
    gap = number.gap_down(sign)
    return gap if below and gap <= 0.8 * max(number.height, sign.height) else None


def _labels(cells: list[Box]) -> list[Label]:
    """Every label that is a whole cell, several in a row, or several one below the other; each cell in one, the longest."""
    found = []
    for index, cell in enumerate(cells):
        begun = squash(cell.text)
        if begun in BEGINNINGS:
            near = [other for other in cells[max(0, index - 40) : index + 40] if other.page == cell.page]
            found.extend(_grown([cell], begun, near))
    labels: list[Label] = []
    used: set[int] = set()
    for meaning, parts in sorted(found, key=lambda each: (-sum(len(part.text) for part in each[1]), _order(each[1][0]))):
        if used.isdisjoint(map(id, parts)):
            used.update(map(id, parts))
            box = together(fold(" ".join(part.text for part in parts)), parts)
            place = (box.text, box.page, box.left, box.right, box.top, box.bottom)
            labels.append(Label(*place, meaning=meaning, cells=tuple(parts)))
    return sorted(labels, key=_order)


def _grown(parts: list[Box], begun: str, near: list[Box]) -> list[tuple[Meaning, list[Box]]]:
    """The labels that begin with these cells: each goes on in the nearest fitting cell of its row, or of the next line."""
    found = [(LABELS[begun], parts)] if begun in LABELS else []
    if len(parts) == _MOST_PARTS:
        return found
    last = parts[-1]
    fitting = [
        cell
        for cell in near
        if (letters := squash(cell.text)) and begun + letters in BEGINNINGS and cell not in parts and _follows(parts, cell)
    ]
    right = min((cell for cell in fitting if last.beside(cell)), key=last.gap_across, default=None)
    below = min((cell for cell in fitting if not last.beside(cell)), key=last.gap_down, default=None)
    for cell in (right, below):
        if cell is not None:
            found.extend(_grown([*parts, cell], begun + squash(cell.text), near))
    return found


def _follows(parts: list[Box], cell: Box) -> bool:
    """Whether a cell goes on where the label so far breaks off: right of its last cell, or in the line below."""
    last = parts[-1]
    if not 0.6 < last.height / cell.height < 1.7:
        return False
    if last.beside(cell):
        return 0 <= cell.left - last.right + 0.3 * last.height <= 6 * last.height
    block = together("", parts)
    gap = cell.top - last.bottom
    return last.middle < cell.middle and gap <= 1.6 * last.height and block.overlap_across(cell) > 0.3
