"""One change of a task: the file, then the audit line, then the row that streams read, all under the file's lock.

The file is the truth, so it comes first; the row is the mark that a change has been told everywhere. Whoever dies in
between leaves a file that is ahead of its row: `heal` tells it then. An audit line may so be written twice, never not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from autonomy.core.clock import iso, now_us
from autonomy.runtime.wake import Wake
from autonomy.services import task_events
from autonomy.ssot.reading import Stored
from autonomy.ssot.store import TaskStore, Updated
from autonomy.ssot.task import Task
from autonomy.storage.database import Database, Tx


class Audit(Protocol):
    """Where everything that happens is written down (`autonomy.audit.log.AuditLog`)."""

    def append(self, action: str, *, correlation_id: str, actor: str, **fields: Any) -> int:
        """One line; returns its number."""
        ...

    def append_many(self, entries: Sequence[Mapping[str, Any]]) -> list[int]:
        """Several lines under one lock; each entry holds action, correlation_id, actor and its fields."""
        ...


@dataclass(frozen=True, slots=True)
class Telling:
    """How a change is told: the audit action, who acts, further fields; `also` shares the transaction of its row."""

    action: str
    actor: str
    fields: dict[str, Any] = field(default_factory=dict)
    also: Callable[[Tx], None] | None = None


class Ledger:
    """The only writer of task files."""

    def __init__(self, store: TaskStore, database: Database, audit: Audit, wake: Wake) -> None:
        self.store = store
        self.database = database
        self.audit = audit
        self._wake = wake

    def create(self, task: Task, telling: Telling) -> tuple[Task, bool]:
        """Write a new task; False: it was there already (its telling is made up for where it is missing)."""
        made, new = self.store.create(task, after=lambda done: self.tell(done, telling))
        if not new:
            self.heal(made.task_id)
        return made, new

    def change(self, task_id: str, change: Callable[[Task], Task | None], telling: Telling) -> Updated:
        """Change a task and tell it. A change that was made before is told where it is not yet, with its `also`."""
        done = self.store.update(task_id, change, after=lambda done: self.tell(done, telling))
        if not done.changed and telling.also is not None:
            self._write(done, telling.also)
        return done

    def heal(self, task_id: str) -> bool:
        """Tell the file's revision where a writer died before it could; returns whether that was so."""
        if not self.database.read(lambda tx: task_events.missing(tx, self.store.read(task_id))):
            return False
        healed: list[bool] = []

        def look(task: Task) -> None:  # under the lock: whoever was only slow has told it by now
            stored = self.store.read(task_id)
            if self.database.read(lambda tx: task_events.missing(tx, stored)):
                self._say(stored, _recovered(stored))
                self._write(Updated(stored, stored, changed=False), None)
                healed.append(True)

        self.store.update(task_id, look)
        return bool(healed)

    def tell(self, done: Updated, telling: Telling) -> None:
        """Audit a change of a file and write its row; the file's lock is held."""
        before = done.before
        if before is not None and self.database.read(lambda tx: task_events.missing(tx, before)):
            self._say(before, _recovered(before))
        self._say(done.after, telling)
        self._write(done, telling.also)

    def _say(self, stored: Stored, telling: Telling) -> None:
        task = stored.task
        self.audit.append(
            telling.action,
            correlation_id=task.correlation_id,
            actor=telling.actor,
            task_id=task.task_id,
            status=task.status,
            revision=task.revision,
            sha256=stored.sha256,
            **telling.fields,
        )

    def _write(self, done: Updated, also: Callable[[Tx], None] | None) -> None:
        def write(tx: Tx) -> None:
            task_events.tell(tx, done)
            if also is not None:
                also(tx)

        self.database.write(write)
        self._wake.ring("events")


def _recovered(stored: Stored) -> Telling:
    """How a change is told whose writer died before it could."""
    return Telling("task_created" if stored.task.revision == 1 else "task_updated", "recovery", {"recovered": True})


def now() -> str:
    """This moment, RFC 3339."""
    return str(iso(now_us()))
