"""Where a thread stands in this process: its row numbers, what the next delta is taken against, and the order of writes.

Row numbers are given out in memory and claimed by insert, so a second process on the same thread collides with the first
on the very next row and is told so; that is the checkpointer's own fence. A row is only stored on top of its parent: when
an earlier write of a thread has failed, the later ones that were queued behind it fail too, and nothing is ever skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ClassVar

from autonomy.core.errors import LeaseLost, StorageError
from autonomy.runtime import checkpoint_codec as codec
from autonomy.runtime import checkpoint_rows as rows
from autonomy.storage.database import Tx
from autonomy.storage.gather import Insert, Row

Key = tuple[str, str]
"""(thread id, namespace)."""
Work = Callable[[Tx], None]

SNAPSHOT_FACTOR = 4
SNAPSHOT_SLACK = 64 << 10
"""A snapshot is due when the rows since the last weigh more than factor x snapshot + slack bytes. Geometric, so the bytes of
a step stay level however long the run is; a snapshot every n steps would make them grow with the state."""

_INSERT_DELTA = (
    "INSERT INTO checkpoint (id, thread, checkpoint_id, parent, root, kind, run_id, data) "
    "SELECT :id, p.thread, :name, p.id, p.root, 0, :run_id, :data FROM checkpoint p "
    "WHERE p.id = :parent AND p.checkpoint_id = :parent_id AND p.kind < 2 ON CONFLICT DO NOTHING"
)
# Fails where a row number is taken already, or a parent is missing: a root is never NULL.
_INSERT_DELTAS = Insert(
    "INSERT INTO checkpoint (id, thread, checkpoint_id, parent, root, kind, run_id, data)",
    "(?, ?, ?, ?, (SELECT root FROM checkpoint WHERE id = ? AND checkpoint_id = ? AND kind < 2), 0, ?, ?)",
)


@dataclass(slots=True, eq=False)
class Pending:
    """Task writes of one checkpoint that are not stored yet, by (task id, index). `fence` runs before them when they get a
    row of their own. `seen_at` is the head's number when they were last looked at."""

    fence: Work | None = None
    writes: dict[tuple[str, int], codec.Write] = field(default_factory=dict)
    seen_at: int | None = None


@dataclass(slots=True, eq=False)
class Head:
    """A thread's namespace in this process. `number` counts the rows given out beyond `start`, the last row that stood in
    the database. `opens` says that the first write has to find the thread, or make it; `empty` that it was seen to have
    no rows. `pending` are task writes not stored yet, by checkpoint."""

    key: Key
    thread: int = 0
    start: int = 0
    opens: bool = True
    empty: bool = False
    number: int = 0
    known: codec.Known | None = None
    known_number: int = 0
    size: int = 0
    snapshot_size: int = 0
    last: Future[None] | None = None
    broken: int | None = None
    failed: bool = False
    pending: dict[str, Pending] = field(default_factory=dict)

    @classmethod
    def at(cls, key: Key, state: codec.Replay, last: int, values: Mapping[str, Any]) -> Head:
        """The head of a thread whose newest checkpoint was just read; `last` is its last row number."""
        assert state.row is not None
        head = cls(key, thread=state.row.id >> 32, start=last, opens=False)
        head.known_number = (state.row.id & 0xFFFFFFFF) - last
        head.size, head.snapshot_size = state.size, state.snapshot_size
        lists = {channel: codec.remember(value) for channel, value in values.items()}
        seen = {node: dict(each) for node, each in state.seen.items()}
        head.known = codec.Known(state.row.name, dict(state.versions), seen, lists)
        return head

    def stands_at(self, state: codec.Replay, last: int) -> bool:
        """Whether the database holds just what this head knows."""
        known = self.known
        return known is not None and state.row is not None and known.name == state.row.name and self.start + self.number == last

    def due(self) -> bool:
        """Whether the next checkpoint should be a snapshot."""
        return self.size > SNAPSHOT_FACTOR * self.snapshot_size + SNAPSHOT_SLACK

    def base(self, parent: str | None) -> codec.Known | None:
        """What a checkpoint on top of `parent` can be a delta of; None calls for a snapshot."""
        known = self.known
        return known if known is not None and known.name == parent and not self.due() else None

    def idle(self) -> bool:
        """Whether nothing is waiting or under way."""
        return not self.pending and (self.last is None or self.last.done())

    def checkpoint(self, encoded: codec.Encoded, parent: str | None, run_id: str | None, extra: Work | None) -> Work:
        """Count a checkpoint that is about to be stored. Returns the write that stores it after `extra`; where there is
        nothing else to write, it is a `Row`."""
        self.number += 1
        number, before = self.number, self.known_number
        self.known, self.known_number = encoded.known, number
        name, data = encoded.known.name, encoded.data
        if encoded.kind == codec.SNAPSHOT:
            self.size, self.snapshot_size = 0, len(data)

            def snapshot(tx: Tx) -> None:
                self._begin(tx, number)
                if extra is not None:
                    extra(tx)
                below = None if parent is None else rows.find(tx, self.thread, parent)
                self._end(
                    tx.run(
                        rows.INSERT_SNAPSHOT,
                        id=self._row(number),
                        thread=self.thread,
                        name=name,
                        parent=None if below is None else below.id,
                        parent_id=parent if below is None else None,
                        kind=codec.SNAPSHOT,
                        run_id=run_id,
                        data=data,
                    )
                )

            return snapshot
        self.size += len(data)

        row = Delta(self, number, before, name, parent, run_id, data)
        if extra is None and not (self.opens and number == 1):
            return row

        def delta(tx: Tx) -> None:
            self._begin(tx, number)
            if extra is not None:
                extra(tx)
            row.insert(tx)

        return delta

    def writes(self, name: str, data: bytes, fence: Work | None) -> Work:
        """Count a row of task writes of the checkpoint `name`; returns the write that stores it, behind its fence."""
        self.number += 1
        number = self.number

        def write(tx: Tx) -> None:
            self._begin(tx, number)
            if fence is not None:
                fence(tx)
            row = self._row(number)
            self._end(
                tx.run(
                    rows.INSERT_SNAPSHOT,
                    id=row,
                    thread=self.thread,
                    name=name,
                    parent=None,
                    parent_id=None,
                    kind=codec.WRITES,
                    run_id=None,
                    data=data,
                )
            )

        return write

    # What follows runs in the writer thread, in the order of the numbers. A write may run again after a deadlock.

    def _enter(self, number: int) -> None:
        if self.broken is not None and self.broken < number:
            raise StorageError(
                "the checkpoint before this one was not stored", "Resume the run: it goes on from its last stored step."
            )
        self.broken = number

    def _begin(self, tx: Tx, number: int) -> None:
        self._enter(number)
        if self.opens and number == 1:
            self.thread = rows.open_thread(tx, *self.key)
            self.start = rows.last_number(tx, self.thread)
            if self.empty and self.start:
                raise self._overtaken()

    def _end(self, stored: int) -> None:
        if not stored:
            raise self._overtaken()
        self.broken = None

    def _row(self, number: int) -> int:
        return (self.thread << 32) + self.start + number

    def _overtaken(self) -> LeaseLost:
        return LeaseLost(
            f"another process has written to thread {self.key[0]} since it was read here",
            "Only one worker may drive a run: stop here.",
        )


@dataclass(slots=True, eq=False)
class Delta(Row):
    """The row of a delta on its way: those of many threads share a statement."""

    together: ClassVar[Insert] = _INSERT_DELTAS
    owner: Head
    number: int
    parent_number: int
    name: str
    parent: str | None
    run_id: str | None
    data: bytes

    def __call__(self, tx: Tx) -> None:
        self.owner._begin(tx, self.number)
        self.insert(tx)

    def insert(self, tx: Tx) -> None:
        """Store it, where its write has begun already. Raises LeaseLost."""
        row, below = self.owner._row(self.number), self.owner._row(self.parent_number)
        stored = tx.run(
            _INSERT_DELTA, id=row, name=self.name, parent=below, parent_id=self.parent, run_id=self.run_id, data=self.data
        )
        self.owner._end(stored)

    def values(self) -> tuple[Any, ...]:
        """Its row number, thread, name, parents, run and bytes, in the statement's order."""
        head = self.owner
        head._enter(self.number)
        row, below = head._row(self.number), head._row(self.parent_number)
        return row, head.thread, self.name, below, below, self.parent, self.run_id, self.data

    def stored(self) -> None:
        """The head moves to it."""
        self.owner._end(1)
