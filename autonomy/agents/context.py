"""What a graph node is handed besides the state: the run's own doors to the outside, and nothing global.

A node is (state, context) -> update. Everything it says through `emit`, `records` and `artifacts` is written in the
transaction of the superstep's checkpoint; calls are journaled at once, each in its own transactions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from autonomy.core.events import EventType
from autonomy.core.llm import ChatRequest, ChatResponse


class Calls(Protocol):
    """Outside calls, journaled: reserve, call, settle. A repeated node reads answered calls instead of paying again."""

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

    def drop(self, kind: str, key: str) -> None: ...


class Artifacts(Protocol):
    """Files of the run. `put` writes the file (atomically) and joins its row to the superstep's transaction."""

    def put(self, name: str, data: bytes, *, role: str, media_type: str) -> str:
        """Returns the sha256 in hex. `name` is a plain relative path below the run's artifact folder."""
        ...


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Who the run is."""

    run_id: str
    user_id: str
    journey: str
    correlation_id: str
    seed: int
    provider: str


class Emit(Protocol):
    """Adds an event to the superstep's transaction."""

    def __call__(self, type: EventType, content: Mapping[str, Any], *, node: str | None = None) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """The doors of one run. `sources` reads the documents behind source ids; see `SourceReader`."""

    run: RunInfo
    calls: Calls
    records: Records
    artifacts: Artifacts
    emit: Emit
    sources: SourceReader
    player: Any
    journey: Any


class SourceReader(Protocol):
    """Reads a stored source snapshot by id: for cards, for re-finding quotes and for the reference list."""

    def source(self, source_id: str) -> Any:
        """The `core.types.Source`; NotFound when there is none."""
        ...

    def snapshot(self, source_id: str) -> str:
        """The stored text that offsets count in."""
        ...

    def anchor(self, source_id: str, start: int, end: int) -> Any:
        """The `core.types.Anchor` (page and nearest heading) of an offset range."""
        ...

    def many(self, source_ids: Sequence[str]) -> list[Any]:
        """Sources in the order asked."""
        ...
