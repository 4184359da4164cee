"""The two printed layouts of a similarity report, and the papers that are none.

Classic: a box ORIGINALITY REPORT behind the paper, its figures above their labels, then PRIMARY SOURCES. Newer: a page
Integrity Overview before the paper, `21% Overall Similarity`, the databases under Top Sources, and the list on a later page.
The overview of AI writing has another figure, and a digital receipt has none: neither is read as a similarity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import fold
from autonomy.turnitin.labels import COUNTED_WORDS, KINDS, LABELS, RUNNING, Meaning, squash
from autonomy.turnitin.pairing import Paired, pair
from autonomy.turnitin.placed import Box, Figure, Label, Sheet
from autonomy.turnitin.report import LESS_THAN_ONE, Categories, Report, Source
from autonomy.turnitin.source_list import after, source_list

_DATABASES: tuple[Meaning, ...] = ("internet", "publications", "submitted_works")
STATE_IT = "Give the similarity report, or state the similarity by hand."
_ROUNDED = 1.0
"""Printed figures are rounded: so much may a part seem larger than the whole."""
_FRONT = 3
"""Title and number of words stand on the first pages, or on the report's own."""


@dataclass(frozen=True, slots=True)
class Found:
    """A report without its passages. `own_pages` are its own, not the paper's; the classic box begins at `start` on the
    first of them, and the paper may end above it."""

    report: Report
    start: Box
    own_pages: frozenset[int]


def read(page: Sheet) -> Found:
    """The similarity on some pages. Raises InvalidInput for what is no similarity report."""
    start = _start(page)
    if start is None:
        raise _no_report(page)
    newer = start.meaning == "overview"
    begin = _list_start(page, start, newer=newer)
    own = _own_pages(page, start, begin, newer=newer)
    paired = _totals(page, start, begin)
    sources = source_list(page, begin or next(reversed(_databases(page, start)), start), max(own))
    if (
        not sources
        and _NAMES.keys().isdisjoint({*paired.figures, *paired.doubtful})
        and _says(page, "ai", "ai_page", "receipt")
    ):
        raise _no_report(page)
    return Found(_report(page, newer, paired, sources, own), start, own)


def _says(page: Sheet, *meanings: Meaning) -> bool:
    return any(label.meaning in meanings for label in page.labels) or any(
        meaning in meanings for cell in page.cells if RUNNING.search(cell.text) for meaning in _run_meanings(cell)
    )


def _run_meanings(cell: Box) -> list[Meaning]:
    """What a running head names: `Page 2 of 9 - Integrity Overview`."""
    words = squash(re.split(r"\s[-–—]\s", cell.text)[-1])
    return [LABELS[words]] if words in LABELS else []


def _no_report(page: Sheet) -> InvalidInput:
    if _says(page, "ai", "ai_page"):
        return InvalidInput("is an overview of AI writing: there is no similarity in it", STATE_IT)
    if _says(page, "receipt"):
        return InvalidInput("is a digital receipt: there is no similarity in it", STATE_IT)
    return InvalidInput("is not a similarity report that is known here: no similarity was found in it", STATE_IT)


def _overviews(page: Sheet) -> set[int]:
    """The pages that call themselves the overview of the newer report."""
    heads = {cell.page for cell in page.cells if RUNNING.search(cell.text) and "integrity" in _run_meanings(cell)}
    return heads | {label.page for label in page.labels if label.meaning == "integrity"}


def _start(page: Sheet) -> Label | None:
    """Where the report's figures are.

    A page that calls itself the overview, then the last box: it stands behind the paper, so what looks like one before it
    is the paper's own text. Without either, the label itself.
    """
    overviews = _overviews(page)
    found: dict[Meaning, list[Label]] = {}
    for label in page.labels:
        found.setdefault(label.meaning, []).append(label)
    newer = found.get("overview", [])
    told = [label for label in newer if label.page in overviews]
    older = found.get("classic") or found.get("overall") or []
    return next(iter(told[:1] or older[-1:] or newer[:1]), None)


def _own_pages(page: Sheet, start: Box, begin: Box | None, *, newer: bool) -> frozenset[int]:
    """The pages of the report itself, without those of the paper."""
    if not newer:
        return frozenset(range(start.page, max(box.page for box in (*page.cells, *page.figures, start)) + 1))
    return frozenset({start.page, *_overviews(page), *([begin.page] if begin is not None else [])})


def _totals(page: Sheet, start: Label, end: Label | None) -> Paired:
    """The figures of the box, or of the overview: what stands before the list of sources."""
    heights = {
        "classic": 0,
        "overall": 6,
        "overview": 60,
    }  # a box's heading stands above it; a label may stand below its figure
    top = start.top - heights[start.meaning] * start.height

    def inside(box: Box) -> bool:
        return box.page == start.page and box.middle > top and not (end is not None and (box is end or after(box, end)))

    return pair(
        [figure for figure in page.figures if inside(figure)],
        [label for label in page.labels if inside(label)],
        [cell for cell in page.cells if inside(cell) and not RUNNING.search(cell.text)],
    )


def _list_start(page: Sheet, start: Box, *, newer: bool) -> Label | None:
    """The heading of the list. The newer report's first one stands over the databases: the list is under a second one."""
    headings = [label for label in page.labels if label.meaning == "sources" and after(label, start)]
    if not newer:
        return headings[0] if headings else None
    databases = _databases(page, start)
    for heading, following in zip(headings, [*headings[1:], None], strict=False):
        if not any(after(label, heading) and (following is None or after(following, label)) for label in databases):
            return heading
    return None


def _databases(page: Sheet, start: Box) -> list[Label]:
    """The labels of the databases' figures; in the list of sources a kind may have the same name."""
    named = [label for label in page.labels if label.meaning in _DATABASES and after(label, start)]
    return [label for label in named if squash(label.text) not in KINDS]


def _report(
    page: Sheet,
    newer: bool,
    paired: Paired,
    sources: Sequence[Source],
    own: frozenset[int],
) -> Report:
    warnings = [
        f"it is not clear which figure is that of the {_NAMES[each]}: none was taken"
        for each in sorted(paired.doubtful & {*_NAMES})
    ]
    meaning: Meaning = "overview" if newer else "overall"
    overall = paired.figures.get(meaning)
    if overall is None and meaning not in paired.doubtful:
        warnings.append("the overall similarity was not found in the report: state it by hand")
    elif overall is not None and overall.value is None:
        warnings.append(f"the overall similarity reads {overall.text!r}, which is no percentage: state it by hand")
    parts = {name: _value(paired.figures.get(name)) for name in _DATABASES}
    value = _value(overall)
    larger = _larger(value, parts, sources)
    if larger:
        warnings.append(f"{larger} is larger than the overall similarity of {value:g}%: one was misread; state it by hand")
        value = None
    return Report(
        overall=value,
        approx=LESS_THAN_ONE if value is not None and overall is not None and overall.less else None,
        categories=Categories(
            internet=parts["internet"], publications=parts["publications"], submitted_works=parts["submitted_works"]
        ),
        top_sources=tuple(sources),
        layout="integrity" if newer else "classic",
        title=_beside(page, "title"),
        word_count=_word_count(page, own),
        warnings=tuple(warnings),
    )


_NAMES: dict[Meaning, str] = {
    "overall": "overall similarity",
    "overview": "overall similarity",
    "internet": "internet sources",
    "publications": "publications",
    "submitted_works": "submitted works",
}


def _value(figure: Figure | None) -> float | None:
    return None if figure is None else figure.value


def _larger(overall: float | None, parts: Mapping[Meaning, float | None], sources: Sequence[Source]) -> str:
    """A part that is larger than the whole, in words; "" when there is none."""
    if overall is None:
        return ""
    for name, value in parts.items():
        if value is not None and value > overall + _ROUNDED:
            return f"the figure of the {_NAMES[name]}, {value:g}%,"
    for source in sources:
        if source.percent is not None and source.percent > overall + _ROUNDED:
            return f"the figure of the source {source.name[:60]!r}, {source.percent:g}%,"
    return ""


def _beside(page: Sheet, meaning: Meaning) -> str | None:
    """What stands behind a label of the front pages: in the same cell after a colon, or in the next cell of its row."""
    for cell in page.cells:
        label, colon, value = cell.text.partition(":")
        if cell.page < _FRONT and colon and LABELS.get(squash(label)) == meaning and value.strip():
            return fold(value)
    for label_box in page.labels:
        if label_box.meaning != meaning or label_box.page >= _FRONT:
            continue
        row = [cell for cell in page.cells if label_box.beside(cell) and cell.left >= label_box.right]
        nearest = min(row, key=label_box.gap_across, default=None)
        if nearest is not None:
            return nearest.text
    return None


def _word_count(page: Sheet, own: frozenset[int]) -> int | None:
    said = _beside(page, "words")
    counts = {_whole(said)} if said else set()
    for cell in page.cells:
        found = COUNTED_WORDS.fullmatch(cell.text) if cell.page < _FRONT or cell.page in own else None
        if found:
            counts.add(_whole(found.group(1)))
    counts.discard(None)
    return counts.pop() if len(counts) == 1 else None


def _whole(text: str) -> int | None:
    """3,251 or 3.251 or 3 251 as a number; None for anything else."""
    text = text.strip()
    if not re.fullmatch(r"\d{1,9}|\d{1,3}(?:[.,\s]\d{3}){1,2}", text):
        return None
    return int(re.sub(r"\D", "", text))
