"""The numbered list of sources: name, kind and percent of each, told by its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from autonomy.memory.readers.document import fold
from autonomy.turnitin.labels import AFTER_SOURCES, KINDS, LABELS, RUNNING, squash
from autonomy.turnitin.placed import APART, Box, Figure, Sheet
from autonomy.turnitin.report import LESS_THAN_ONE, Kind, Source

_RANK = re.compile(r"(\d{1,3})[.)]?")
_RANKED = re.compile(r"(\d{1,3}[.)]?)\s+(\S.*)")
_URL = re.compile(r"https?://\S+")
_LONGEST = 400
_MOST = 500
_MOST_LISTS = 20
"""Lists that begin with a 1, of which the first with sources in it is taken."""


def after(box: Box, start: Box) -> bool:
    """Whether a piece stands below another, or on a later page."""
    return (box.page, box.middle) > (start.page, start.middle)


def source_list(page: Sheet, start: Box, last_page: int) -> list[Source]:
    """The sources below a heading, up to a page (inclusive); empty where there is no list.

    An entry begins at its number and goes on to the next one; the numbers run from 1 and stand below each other. What has
    neither a kind nor a percent is no source.
    """
    end = next((cell for cell in page.cells if after(cell, start) and squash(cell.text).startswith(AFTER_SOURCES)), None)
    cells = [
        piece
        for cell in page.cells
        for piece in _apart(cell)
        if after(cell, start) and cell.page <= last_page and not RUNNING.search(cell.text)
        if end is None or not (after(cell, end) or cell is end)
    ]
    figures = [each for each in page.figures if after(each, start) and each.page <= last_page]
    for first in [cell for cell in cells if _rank(cell) == 1][:_MOST_LISTS]:
        found = _entries(cells, figures, _ranks(cells, first))
        if found:
            return found
    return []


def _apart(cell: Box) -> list[Box]:
    """A cell that begins with a number, as that number and the rest: a number may stand close to its name."""
    found = _RANKED.fullmatch(cell.text)
    if not found:
        return [cell]
    cut = cell.left + (cell.right - cell.left) * len(found.group(1)) / len(cell.text)
    return [
        replace(cell, text=found.group(1), right=cut),
        replace(cell, text=found.group(2), left=cut + 0.2 * cell.height),
    ]


def _rank(cell: Box) -> int | None:
    found = _RANK.fullmatch(cell.text)
    return int(found.group(1)) if found else None


def _ranks(cells: Sequence[Box], first: Box) -> list[Box]:
    """1, 2, 3 below each other."""
    ranks = [first]
    for cell in cells:
        aligned = min(abs(cell.left - first.left), abs(cell.right - first.right)) <= 2 * first.height
        if len(ranks) < _MOST and _rank(cell) == len(ranks) + 1 and after(cell, ranks[-1]) and aligned:
            ranks.append(cell)
    return ranks


def _entries(cells: Sequence[Box], figures: Sequence[Figure], ranks: Sequence[Box]) -> list[Source]:
    numbers = {id(rank) for rank in ranks}
    texts = [cell for cell in cells if id(cell) not in numbers]
    starts = [_begin(rank, texts) for rank in ranks]
    if any((each.page, each.middle) < starts[0] for each in figures):
        figures = []  # the figures stand before their numbers: which is whose cannot be told
    sources = []
    for rank, start, end in zip(ranks, starts, [*starts[1:], (ranks[-1].page, float("inf"))], strict=True):
        inside = [cell for cell in texts if start <= (cell.page, cell.middle) < end]
        percents = [each for each in figures if start <= (each.page, each.middle) < end]
        source = _source(_run(inside, rank) if rank is ranks[-1] else inside, percents)
        if source is None:
            break
        sources.append(source)
    return sources


def _begin(rank: Box, texts: Sequence[Box]) -> tuple[int, float]:
    """Where an entry begins: at its number's row, or a line above a number that stands left of the middle of two lines."""
    level = any(rank.beside(text) for text in texts)
    above = rank.middle - 2.0 * rank.height
    right = [text for text in texts if text.page == rank.page and above <= text.middle < rank.middle]
    centred = not level and bool(right) and all(text.left >= rank.right for text in right)
    return rank.page, above if centred else rank.middle - 0.6 * rank.height


def _run(cells: Sequence[Box], rank: Box) -> list[Box]:
    """The last entry goes on as long as its lines follow each other."""
    lowest = rank.bottom
    run: list[Box] = []
    for cell in sorted(cells, key=lambda each: each.middle):
        if cell.top - lowest > 2 * cell.height:
            break
        run.append(cell)
        lowest = max(lowest, cell.bottom)
    return run


def _source(cells: Sequence[Box], figures: Sequence[Figure]) -> Source | None:
    kind: Kind | None = None
    names: list[Box] = []
    for cell in cells:
        found = KINDS.get(squash(cell.text))
        if found is not None and kind is None:
            kind = found
        elif squash(cell.text) in LABELS:
            return None
        elif squash(cell.text):
            names.append(cell)
    figure = _own(figures, names)
    name = _name(names, [each for each in figures if each is not figure])
    if not name or (kind is None and figure is None):
        return None
    return Source(
        name=name,
        percent=figure.value if figure is not None else None,
        approx=LESS_THAN_ONE if figure is not None and figure.less else None,
        kind=kind,
        url=name if _URL.fullmatch(name) else None,
    )


def _own(figures: Sequence[Figure], names: Sequence[Box]) -> Figure | None:
    """The percentage of a source stands apart; one that stands between words is part of a name."""
    apart = [
        each for each in figures if all(each.gap_across(cell) > APART * each.height for cell in names if each.beside(cell))
    ]
    return apart[0] if len(apart) == 1 else None


def _name(cells: Sequence[Box], figures: Sequence[Box]) -> str:
    """The words of an entry, line by line. A piece that stands in one line with the one before it comes behind it."""
    lines: list[list[Box]] = []
    for cell in sorted([*cells, *figures], key=lambda each: (each.page, each.middle)):
        if lines and lines[-1][0].beside(cell):
            lines[-1].append(cell)
        else:
            lines.append([cell])
    return fold(" ".join(cell.text for line in lines for cell in sorted(line, key=lambda each: each.left)))[:_LONGEST]
