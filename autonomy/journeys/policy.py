"""The thresholds of the gates, in one value. Nothing measured (n = 0) fails wherever a share is asked for.

An operator changes them in a file (`journeys.policies`); a run keeps the ones that it began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from autonomy.core.gates import OFF, decides
from autonomy.turnitin.cycles import OnExpiry

Miss = Literal["decides", "tells", "off"]
"""What a miss does: it decides about the document, it is only told, or the gate is not measured at all."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Shares are 0 to 1, sizes in words (two letters count as a word where words have no spaces); `overclaim`, `bias` and
    `tone` are words in 1,000.

    A draft is handed over for a similarity report at most `most_cycles` times; each is waited for `report_days` days, and
    `on_expiry` says what happens then.
    The figures are starting points measured on public texts; `coverage` is 1.0 because here every claim is traced.
    """

    quote_found: float = 1.0
    coverage: float = 1.0
    support: float = 0.9
    excess: float = 0.2
    relevance: float = 0.9
    relevant: float = 0.5
    least_sources: int = 2
    largest_share: float = 0.5
    overlap: float = 0.10
    run: int = 8
    longest_run: int = 20
    pack: float = 1.0
    annotation_least: int = 40
    annotation_most: int = 120
    length_low: float = 0.9
    length_high: float = 1.1
    section_least: float = 0.1
    section_most: float = 0.45
    repeat: float = 0.8
    flesch_low: float = 0.0
    flesch_high: float = 100.0
    letters_low: float = 10.0
    letters_high: float = 90.0
    source_age: float = 0.5
    source_years: int = 10
    overclaim: float = 3.0
    bias: float = 4.0
    tone: float = 5.0
    argument: float = 0.8
    most_cycles: int = 3
    report_days: float = 14.0
    on_expiry: OnExpiry = "remind"
    miss: Mapping[str, Miss] = field(default_factory=dict)
    """What a miss of a gate does, by its name, where that is not what its name says (`core.gates.MUST_PASS`)."""

    def missing(self, name: str) -> Miss:
        """What a miss of the gate does."""
        return self.miss.get(name, "decides" if decides(name) else "off" if name in OFF else "tells")

    def plain(self) -> dict[str, Any]:
        """As plain data, to be kept with a run; `Policy(**data)` is the same policy."""
        return asdict(self)
