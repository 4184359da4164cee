"""Proof of one citation: the quote stands at its offsets, on the page and under the heading that its anchor names.

Invariant: nothing here searches for a better place. A quote that is not exactly where its anchor says (white space
apart) is not found.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping

from autonomy.agents.material import SourceMap
from autonomy.core.types import Anchor

_MAP = SourceMap(source="")


def page_at(places: SourceMap, offset: int) -> int | None:
    """The page on which an offset of the snapshot lies; None for a source without pages."""
    at = bisect.bisect_right([start for _, start in places.pages], offset)
    return places.pages[at - 1][0] if at else None


def section_at(places: SourceMap, offset: int) -> str | None:
    """The nearest heading at or before an offset; None before the first."""
    at = bisect.bisect_right([start for start, _, _ in places.headings], offset)
    return places.headings[at - 1][2] if at else None


def headings_at(places: SourceMap, offset: int) -> tuple[str, ...]:
    """The headings that an offset stands under, the nearest first: each one of a lower level than the one before."""
    at = bisect.bisect_right([start for start, _, _ in places.headings], offset)
    path: list[str] = []
    least = 100
    for _, level, text in reversed(places.headings[:at]):
        if level < least:
            path.append(text)
            least = level
    return tuple(path)


def flaw(quote: str, anchor: Anchor, text: str, places: SourceMap | None) -> str:
    """Why the quote is not proved, in a line; "" when it is."""
    if not 0 <= anchor.start < anchor.end <= len(text):
        return f"offsets {anchor.start} to {anchor.end} lie outside the source"
    if not quote.strip() or text[anchor.start : anchor.end].split() != quote.split():
        return f"the source does not say this at {anchor.start}"
    known = places or _MAP
    page, section = page_at(known, anchor.start), section_at(known, anchor.start)
    if anchor.page != page:
        return f"page {anchor.page} is named, but it is page {page}"
    if anchor.section is not None and _line(anchor.section) != _line(section or ""):
        return f"section '{anchor.section}' is named, but it is '{section}'"
    if anchor.page is None and anchor.section is None and known.headings and section is not None:
        return "neither page nor section is named"
    return ""


def maps_by_source(maps: tuple[SourceMap, ...]) -> Mapping[str, SourceMap]:
    """The maps by source id."""
    return {each.source: each for each in maps}


def _line(text: str) -> str:
    return " ".join(text.split())
