"""What streams are made of: rows of the event tables as server-sent events, ready for the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from autonomy.api.hub import Frame
from autonomy.core.events import TERMINAL_EVENTS, Event
from autonomy.runtime.events import AllEvents
from autonomy.storage.database import Database, Tx

BATCH = 500
BACK_US = 60_000_000
"""How far back a follower begins on PostgreSQL: a transaction that was in flight when it began is younger than that."""


def sse(id_: int, type_: str, body: dict[str, Any]) -> bytes:
    """One server-sent event. JSON has no bare line break, so its data is one line."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return f"id: {id_}\nevent: {type_}\ndata: {data}\n\n".encode()


def of_run_event(event: Event) -> Frame:
    """A run's event; its id is its number in the run."""
    return Frame(event.seq, sse(event.seq, event.type, event.as_json()), event.type in TERMINAL_EVENTS)


def run_key(run_id: str) -> str:
    """The channel of a run."""
    return f"run:{run_id}"


class RunFeed:
    """The events of all runs, of which those are encoded that somebody reads. Implements `hub.Feed`."""

    def __init__(self, database: Database) -> None:
        self._events = AllEvents(database, database.read(_begin))

    def read(self, wanted: Callable[[str], bool]) -> list[tuple[str, Frame]]:
        """The next events, as frames of their runs' channels."""
        found = self._events.read(BATCH)
        return [(key, of_run_event(event)) for event in found if wanted(key := run_key(event.run_id))]

    @property
    def blocked(self) -> bool:
        """Whether a gap is being waited out."""
        return self._events.blocked

    @property
    def after(self) -> int:
        """The position read last."""
        return self._events.after


def _begin(tx: Tx) -> int:
    """Where to begin: at the end, on PostgreSQL a minute before it, for what is being committed right now."""
    if tx.dialect.name == "sqlite":
        return int(tx.value("SELECT coalesce(max(position), 0) FROM event"))
    last = "SELECT position FROM event WHERE created_at < now_us() - :back ORDER BY position DESC LIMIT 1"
    return int(tx.value(last, back=BACK_US) or 0)
