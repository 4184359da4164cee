"""What the nodes ask of a journey: its plan, its gates, and the finished files. The journeys themselves stand above.

Invariant: a journey is a value without state; every method is a pure function of its arguments, so that a repeated
node plans, measures and composes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from autonomy.agents.material import Material, MatrixRow, Part
from autonomy.agents.roles import Brief, Outline, Pair
from autonomy.core.types import Card, Gate, PlanStep, Source, TaskSpec

Snapshot = Callable[[str], str]
"""Source id -> the stored text that offsets count in."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A sentence that fails a gate. `heading` is the section's heading (an annotation's source id), `index` counts the
    sentences of that part from 0; a player's `revise` gets (index, gate, why)."""

    part: Part
    heading: str
    index: int
    gate: str
    why: str


class File(NamedTuple):
    """One file of the deliverable; `name` is relative to the run's artifact folder, with forward slashes."""

    name: str
    data: bytes
    role: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Composition:
    """The finished document: every file, `manifest.json` last, and the manifest as data."""

    files: tuple[File, ...]
    manifest: dict[str, Any]


class Journey(Protocol):
    """One kind of document. `snapshot` arguments read the stored text of a source; judgements go by pair id."""

    @property
    def name(self) -> str: ...

    def words(self, task: TaskSpec) -> int:
        """The length aimed at: what was asked, else the journey's own default."""
        ...

    def steps(self, task: TaskSpec, brief: Brief) -> tuple[PlanStep, ...]:
        """The plan as far as it is known once the goal is understood."""
        ...

    def after_search(self, task: TaskSpec, brief: Brief, sources: Sequence[str]) -> tuple[PlanStep, ...]:
        """Steps that the kept sources (ids) call for: in research one annotation each."""
        ...

    def after_outline(self, task: TaskSpec, brief: Brief, outline: Outline) -> tuple[PlanStep, ...]:
        """Steps that the outline calls for: in write one draft per section."""
        ...

    def matrix(self, brief: Brief, cards: Sequence[Card], sources: Sequence[Source]) -> tuple[MatrixRow, ...]:
        """The claims matrix by rule; empty for a journey that has none."""
        ...

    def doubtful(self, material: Material, snapshot: Snapshot) -> tuple[Pair, ...]:
        """Claims whose support no rule can settle, for the role `judge`; a pair's id depends on its content alone."""
        ...

    def gates(self, material: Material, snapshot: Snapshot, judgements: Mapping[str, str]) -> tuple[Gate, ...]:
        """Every gate of the journey, measured; `judgements` maps a pair's id to yes, partly or no."""
        ...

    def failures(self, material: Material, snapshot: Snapshot, judgements: Mapping[str, str]) -> tuple[Failure, ...]:
        """The sentences behind failed gates, in document order, so that they can be written anew or dropped."""
        ...

    def compose(self, material: Material, snapshot: Snapshot, gates: Sequence[Gate]) -> Composition:
        """The deliverable and its manifest; the same arguments give the same bytes.

        Raises CorruptState when a card's quote, page or section is not found in its source: nothing unproved leaves.
        """
        ...
