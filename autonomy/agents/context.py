"""What a graph node is handed besides the state: the run's own doors to the outside, and nothing global.

A node is (state, context) -> update. Everything it says through `emit`, `records` and `artifacts` is written in the
transaction of the superstep's checkpoint; calls are journaled at once, each in its own transactions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from autonomy.agents.contract import Journey
from autonomy.agents.roles import Overview, Player
from autonomy.core.events import EventType
from autonomy.core.llm import ChatRequest, ChatResponse
from autonomy.core.types import Anchor, Layout, Source, StepLimits
from autonomy.turnitin.cycles import Cycle, Decision


class Calls(Protocol):
    """Outside calls, journaled: reserve, call, settle. A repeated node reads answered calls instead of paying again."""

    def at(self, node: str, step: int) -> Calls:
        """The same door for one execution of a node: its calls are found again under (step, node)."""
        ...

    def within(self, limits: StepLimits) -> Calls:
        """The same door under the limits of a plan step: a call that would pass them raises StepLimitReached instead."""
        ...

    async def chat(
        self,
        request: ChatRequest,
        *,
        check: Callable[[ChatResponse], None] | None = None,
        on_token: Callable[[str], None] | None = None,
    ) -> ChatResponse:
        """Raises BudgetExceeded before the call that would exceed, ProviderUnavailable after the last try.

        `check` may raise BadAnswer: the answer is then recorded and paid, and the error is raised each time it is read.
        """
        ...

    async def tool(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """The tool's answer (plain JSON data). Arguments and answer are checked against the tool's schemas."""
        ...


class Records(Protocol):
    """The run's rows. Writes join the superstep's transaction; reads see them at once."""

    def put(self, kind: str, key: str, body: Any, number: int = 0) -> None: ...

    def get(self, kind: str, key: str) -> Any | None: ...

    def all(self, kind: str) -> list[Any]:
        """Bodies of one kind, by number, then key."""
        ...

    def keys(self, kind: str) -> list[str]:
        """Keys of one kind in the same order as `all`."""
        ...

    def number(self, kind: str, key: str) -> int:
        """The place given when the row was put; 0 where there is none."""
        ...

    def drop(self, kind: str, key: str) -> None: ...


class Artifacts(Protocol):
    """Files of the run. `put` brings the bytes to the disk; name and row join the superstep's transaction."""

    @property
    def folder(self) -> Path:
        """Where they stand."""
        ...

    def put(self, name: str, data: bytes, *, role: str, media_type: str) -> str:
        """Returns the sha256 in hex. `name` is a plain relative path below the run's artifact folder."""
        ...


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who the run is. `created_at` in microseconds; it dates the deliverable, so that a resumed run makes the same one."""

    run_id: str
    user_id: str
    journey: str
    correlation_id: str
    seed: int
    provider: str
    created_at: int


class Emit(Protocol):
    """Adds an event to the superstep's transaction."""

    def __call__(self, type: EventType, content: Mapping[str, Any], *, node: str | None = None) -> None: ...


class SourceReader(Protocol):
    """Reads a stored source snapshot by id: for cards, for re-finding quotes and for the reference list."""

    def source(self, source_id: str) -> Source:
        """NotFound when there is none."""
        ...

    def snapshot(self, source_id: str) -> str:
        """The stored text that offsets count in."""
        ...

    def anchor(self, source_id: str, start: int, end: int) -> Anchor:
        """Page and nearest heading of an offset range."""
        ...

    def layout(self, source_id: str) -> Layout:
        """Where its pages and headings begin."""
        ...

    def many(self, source_ids: Sequence[str]) -> list[Source]:
        """Sources in the order asked."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the corpus came to. `failed` and `unused` (read, but in vain) list (location, why), `unread` names files
    of a kind that is not read; `ids` name the corpora in the database."""

    ids: tuple[int, ...]
    documents: int
    failed: tuple[tuple[str, str], ...]
    duplicates: int
    unused: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()


class Corpora(Protocol):
    """The run's document folders."""

    async def read(self, folders: Sequence[str]) -> Reading:
        """Read what is new or changed; InvalidInput when there is nothing readable at all."""
        ...

    def overview(self, ids: Sequence[int]) -> Overview:
        """What the corpora hold, bounded."""
        ...


class Cycles(Protocol):
    """The run's waits for similarity reports."""

    def of(self, n: int) -> Cycle:
        """The cycle of the n-th hand-off, counted from 1."""
        ...

    def history(self) -> list[Cycle]:
        """All of them as they stand before this superstep, oldest first."""
        ...

    def decide(self, cycle: Cycle, decision: Decision, why: str) -> None:
        """Close it, and tell it, with the superstep."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The doors of one run. `seat` puts the run's player at a door of its own, so that its calls are booked there."""

    run: RunInfo
    calls: Calls
    records: Records
    artifacts: Artifacts
    emit: Emit
    sources: SourceReader
    corpora: Corpora
    cycles: Cycles
    player: Player
    seat: Callable[[Calls, int], Player]
    journey: Journey
    step: int = 0

    def at(self, node: str, step: int) -> Context:
        """The same doors, with the calls of node and player booked under this node and step."""
        calls = self.calls.at(node, step)
        return dataclasses.replace(self, step=step, calls=calls, player=self.seat(calls, step))

    def within(self, limits: StepLimits) -> Context:
        """The same doors under the limits of a plan step."""
        calls = self.calls.within(limits)
        return dataclasses.replace(self, calls=calls, player=self.seat(calls, self.step))
