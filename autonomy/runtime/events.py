"""The story of every run: append in the fact's own transaction, read back without a hole.

Invariant: within a run `seq` counts 1, 2, 3 ... in commit order, because a number is only given out by an UPDATE of the
run's row, which the same transaction holds until it ends. The same UPDATE is the fence: a worker whose epoch is no longer
the run's changes zero rows, and is told so by LeaseLost before anything was written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from autonomy.core.errors import InvalidInput, LeaseLost, NotFound, Unserializable
from autonomy.core.events import EVENT_TYPES, Event
from autonomy.storage.database import Database, Tx

T = TypeVar("T")
Item = tuple[str, str | None, Mapping[str, Any]]
"""(type, node, content) of one event."""

_COLUMNS = "position, run_id, seq, type, node, content, correlation_id, created_at"
_NUMBER = "UPDATE run SET next_seq = next_seq + :k, updated_at = now_us() WHERE id = :id"
_RETURNING = " RETURNING next_seq, correlation_id, updated_at"
_INSERT = (
    "INSERT INTO event (run_id, seq, type, node, content, correlation_id, created_at) "
    "VALUES (:run_id, :seq, :type, :node, :content, :correlation_id, :created_at)"
)


def append(tx: Tx, run_id: str, items: Sequence[Item], *, epoch: int | None) -> list[int]:
    """Write events and return their numbers. `epoch` is the worker's fence, None for a writer that is no worker.

    Raises LeaseLost when the run's epoch has moved on, NotFound for an unknown run, InvalidInput for an unknown type.
    """
    if not items:
        return []
    sql = _NUMBER + (_RETURNING if epoch is None else " AND epoch = :epoch" + _RETURNING)
    fence = {} if epoch is None else {"epoch": epoch}
    found = tx.tuples(sql, k=len(items), id=run_id, **fence)
    if not found:
        raise gone(run_id, epoch)
    last, correlation_id, now = found[0]
    return insert(tx, run_id, last - len(items) + 1, items, correlation_id=correlation_id, now=now)


def insert(tx: Tx, run_id: str, first: int, items: Sequence[Item], *, correlation_id: str, now: int) -> list[int]:
    """Insert events whose numbers, from `first` on, an UPDATE of the run in this transaction has given out."""
    rows = [
        {
            "run_id": run_id,
            "seq": first + offset,
            "type": _known(type_),
            "node": node,
            "content": encode(content, type_),
            "correlation_id": correlation_id,
            "created_at": now,
        }
        for offset, (type_, node, content) in enumerate(items)
    ]
    if len(rows) == 1:
        tx.run(_INSERT, **rows[0])
    else:
        tx.many(_INSERT, rows)
    return list(range(first, first + len(rows)))


def gone(run_id: str, epoch: int | None) -> LeaseLost | NotFound:
    """What zero changed rows mean: the fence has moved for a worker, else there is no such run."""
    if epoch is None:
        return NotFound(f"no run {run_id}", "List runs with 'autonomy run list'.")
    return LeaseLost(f"run {run_id} is no longer held under epoch {epoch}", "Another worker has it, or it has ended; stop.")


def encode(content: Mapping[str, Any], what: str) -> str:
    """Canonical JSON of an event's content. Raises Unserializable for anything but plain, finite, encodable data."""
    try:
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        if not text.isascii():
            text.encode()
    except (TypeError, ValueError) as error:
        raise Unserializable(
            f"the content of {what} is not plain JSON: {error}", "Hand in strings, finite numbers, lists and dicts."
        ) from error
    return text


def read(tx: Tx, run_id: str, *, after: int = 0, limit: int = 500) -> list[Event]:
    """Events of one run with seq > after, in order."""
    sql = f"SELECT {_COLUMNS} FROM event WHERE run_id = :run_id AND seq > :after ORDER BY seq LIMIT :limit"
    return [event_of(row) for row in tx.tuples(sql, run_id=run_id, after=after, limit=limit)]


def latest(
    tx: Tx, run_id: str, *, types: Sequence[str] | None = None, before: int | None = None, limit: int = 100
) -> list[Event]:
    """The newest events of one run, newest first: of those types, and with seq < before, where these are given."""
    values: dict[str, Any] = {f"type{number}": type_ for number, type_ in enumerate(types or ())}
    sql = f"SELECT {_COLUMNS} FROM event WHERE run_id = :run_id"
    if types is not None:
        sql += f" AND type IN ({', '.join(f':{name}' for name in values)})"
    if before is not None:
        sql += " AND seq < :before"
        values["before"] = before
    return [event_of(row) for row in tx.tuples(f"{sql} ORDER BY seq DESC LIMIT :limit", run_id=run_id, limit=limit, **values)]


class Following(Generic[T]):
    """Follows the rows of an append-only table by position. One reader, one thread; `after` is where the next read goes on.

    PostgreSQL gives positions out before the commit, so a later one may be seen first. On a gap the reader stands still
    until every transaction that was in flight when it saw the gap has ended; what is missing then was rolled back. This
    holds for writers that have a transaction id before they take positions, as `append` has by its update of the run, and
    others by `number_transaction`.
    """

    def __init__(self, database: Database, sql: str, make: Callable[[tuple[Any, ...]], T], after: int = 0) -> None:
        """`sql` takes :after and :limit and answers rows in order, with the position first."""
        self.after = after
        self._database = database
        self._sql = sql
        self._make = make
        self._barrier: tuple[int, int] | None = None

    @property
    def blocked(self) -> bool:
        """Whether later rows are there that may not be shown yet."""
        return self._barrier is not None

    def read(self, limit: int = 500) -> list[T]:
        """The next rows; empty when there are none yet, or none that may be shown yet."""
        found = self._database.read(lambda tx: self._look(tx, limit))
        if found:
            self.after = int(found[-1][0])
        return [self._make(row) for row in found]

    def _look(self, tx: Tx, limit: int) -> list[tuple[Any, ...]]:
        settled = self.after
        if self._barrier is not None:
            seen, horizon = self._barrier
            if _oldest_in_flight(tx) >= horizon:
                self._barrier, settled = None, seen
        rows = tx.tuples(self._sql, after=self.after, limit=limit)
        if tx.dialect.name == "sqlite":
            return rows
        expected, shown = self.after + 1, 0
        for row in rows:
            if row[0] != expected and row[0] > settled:
                break
            expected, shown = row[0] + 1, shown + 1
        if shown < len(rows) and self._barrier is None:
            self._barrier = (rows[-1][0], _next_transaction(tx))
        return rows[:shown]

    def read_patiently(self, limit: int = 500, patience: float = 5.0) -> list[T]:
        """The next rows; a gap is waited out for up to `patience` seconds."""
        deadline = time.monotonic() + patience
        while not (found := self.read(limit)) and self.blocked and time.monotonic() < deadline:
            time.sleep(0.005)
        return found


class AllEvents(Following[Event]):
    """Follows the events of all runs."""

    def __init__(self, database: Database, after: int = 0) -> None:
        sql = f"SELECT {_COLUMNS} FROM event WHERE position > :after ORDER BY position LIMIT :limit"
        super().__init__(database, sql, event_of, after)


def read_all(database: Database, *, after: int = 0, limit: int = 500, patience: float = 5.0) -> list[Event]:
    """Events of all runs with position > after, in order; a gap is waited out for up to `patience` seconds."""
    return AllEvents(database, after).read_patiently(limit, patience)


def number_transaction(tx: Tx) -> None:
    """Give the transaction its id now, before it takes a position (PostgreSQL alone gives positions out before the commit)."""
    if tx.dialect.name == "postgresql":
        _next_transaction(tx)


def _oldest_in_flight(tx: Tx) -> int:
    """Every transaction with a lower id has ended."""
    return int(tx.value("SELECT CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text)"))


def _next_transaction(tx: Tx) -> int:
    """An id above that of every transaction in flight. A snapshot's xmax is not: it is one past the newest that has ended,
    and an older gap may belong to a younger transaction."""
    return int(tx.value("SELECT CAST(pg_current_xact_id() AS text)"))


def _known(type_: str) -> str:
    if type_ not in EVENT_TYPES:
        raise InvalidInput(f"unknown event type {type_!r}", "Use a type of core.events.")
    return type_


def event_of(row: tuple[Any, ...]) -> Event:
    """An event from its row: position, run_id, seq, type, node, content, correlation_id, created_at."""
    position, run_id, seq, type_, node, content, correlation_id, created_at = row
    return Event(position, run_id, seq, type_, node, json.loads(content), correlation_id, created_at)
