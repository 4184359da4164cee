"""Numbers of things in words: one is singular, everything else plural; files that are not read; and what a manifest holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


def several(number: int, noun: str) -> str:
    """1 call, 2 calls, 3 retries, 1,200 words."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun}"


NAMED = 5
"""Names of files that are told; the rest is counted."""


def of_another_kind(names: Sequence[str]) -> str:
    """Which files no reader is for: 3 files are of a kind that is not read: GPL-3, foo.doc, t.csv."""
    rest = len(names) - NAMED
    more = f" and {rest:,} more" if rest > 0 else ""
    be = "is" if len(names) == 1 else "are"
    return f"{several(len(names), 'file')} {be} of a kind that is not read: {', '.join(names[:NAMED])}{more}"


@dataclass(frozen=True, slots=True)
class Tally:
    """What a manifest holds: `claims` that say different things, the `places` where they stand in the document (the entries
    under "claims"), `citations` in all, different `quotations`, and `sources`."""

    claims: int
    places: int
    citations: int
    quotations: int
    sources: int

    @classmethod
    def of(cls, manifest: Mapping[str, Any]) -> Tally:
        """A claim that stands in two parts is one, be it between quotation marks or as a block without them."""
        claims = manifest.get("claims") or []
        cited = [row for claim in claims for row in claim.get("citations") or []]
        return cls(
            claims=len({re.sub(r"\W+", " ", str(claim.get("text", ""))).strip() for claim in claims}),
            places=len(claims),
            citations=len(cited),
            quotations=len({(row.get("source"), *sorted((row.get("anchor") or {}).items())) for row in cited}),
            sources=len(manifest.get("sources") or []),
        )

    @property
    def told(self) -> str:
        """36 claims on 36 quotations from 6 sources, in 45 places; the places only where a claim stands in more than one."""
        where = f", in {several(self.places, 'place')}" if self.places > self.claims else ""
        return (
            f"{several(self.claims, 'claim')} on {several(self.quotations, 'quotation')} from {several(self.sources, 'source')}"
            f"{where}"
        )
