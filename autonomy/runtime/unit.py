"""What one superstep will write besides its checkpoint: events, records, artifact rows, the run row and the lease.

The checkpointer drains the unit at the moment it stores the step's checkpoint and runs the drained writes in the same
transaction, so a step's facts and its story stand or fall together. A node that fails leaves nothing: its unit is
cleared before the next try.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autonomy.core.errors import LeaseLost
from autonomy.core.events import EventType
from autonomy.runtime import events
from autonomy.storage.database import Tx

Write = Callable[[Tx], None]


class Unit:
    """The buffer of one run under one lease. Not thread-safe: it belongs to the event loop that runs the graph."""

    def __init__(self, run_id: str, *, epoch: int, lease_us: int) -> None:
        self.run_id = run_id
        self.epoch = epoch
        self._lease_us = lease_us
        self._items: list[tuple[str, str | None, dict[str, Any]]] = []
        self._writes: list[Write] = []
        self._route: str | None = None
        self._spent_ms = 0
        self.after_commit: Callable[[], None] | None = None

    def emit(self, type: EventType, content: Mapping[str, Any], *, node: str | None = None) -> None:
        """Add an event."""
        self._items.append((type, node, dict(content)))

    def add(self, write: Write) -> None:
        """Add any other write; it runs inside the step's transaction, after the events."""
        self._writes.append(write)

    def progress(self, *, route: str, spent_ms: int) -> None:
        """Where the run goes next, and the working time to count against its budget."""
        self._route = route
        self._spent_ms += spent_ms

    def fence(self, tx: Tx) -> None:
        """For what is written outside the superstep's own write. Raises LeaseLost when another worker holds the run now."""
        held = tx.value(f"SELECT epoch FROM run WHERE id = :run {tx.dialect.lock}", run=self.run_id)
        if held != self.epoch:
            raise self._lost()

    def clear(self) -> None:
        """Forget what a failed try has gathered."""
        self._items, self._writes, self._route, self._spent_ms = [], [], None, 0

    def drain(self) -> Write | None:
        """Hand everything over as one write, fenced by the epoch; None when there is nothing."""
        if not self._items and not self._writes and self._route is None:
            return None
        items, writes, route, spent = self._items, self._writes, self._route, self._spent_ms
        self.clear()

        def write(tx: Tx) -> None:
            self._renew(tx, route, spent)
            if items:
                events.append(tx, self.run_id, items, epoch=self.epoch)
            for each in writes:
                each(tx)

        return write

    def _renew(self, tx: Tx, route: str | None, spent_ms: int) -> None:
        """Fence, run row and lease: zero rows mean that another worker holds the run now."""
        mine = tx.run(
            "UPDATE run SET used_ms = used_ms + :spent, route = coalesce(:route, route), updated_at = now_us() "
            "WHERE id = :run AND epoch = :epoch",
            spent=spent_ms,
            route=route,
            run=self.run_id,
            epoch=self.epoch,
        )
        if mine == 0:
            raise self._lost()
        # A step that stays done makes the attempt the first again: only crashes without progress in between run out.
        tx.run(
            "UPDATE job SET lease_until = now_us() + :lease, attempts = 1 "
            "WHERE run_id = :run AND epoch = :epoch AND state = 'running'",
            lease=self._lease_us,
            run=self.run_id,
            epoch=self.epoch,
        )

    def _lost(self) -> LeaseLost:
        return LeaseLost(f"run {self.run_id} is held by another worker now", "Nothing to do: the other worker goes on.")
