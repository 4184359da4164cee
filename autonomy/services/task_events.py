"""What happened to task files, as rows: one a revision, written under the file's lock right after the file.

A process that dies between the two leaves a file that is ahead of its row. Whoever changes that task next, or looks all
over at its start, writes the missing row first: every revision is told once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autonomy.core.clock import iso
from autonomy.runtime import events
from autonomy.ssot.reading import Stored
from autonomy.ssot.store import Updated
from autonomy.storage.database import Database, Tx

_COLUMNS = "position, task_id, revision, type, status, user_id, content, sha256, correlation_id, created_at"
_READ = f"SELECT {_COLUMNS} FROM task_event WHERE position > :after ORDER BY position LIMIT :limit"
_INSERT = (
    "INSERT INTO task_event (task_id, revision, type, status, user_id, content, sha256, correlation_id, created_at) "
    "VALUES (:task_id, :revision, :type, :status, :user_id, :content, :sha256, :correlation_id, now_us()) "
    "ON CONFLICT (task_id, revision) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """One change of a task. `position` rises over all tasks; `sha256` is that of the file at this revision."""

    position: int
    task_id: str
    revision: int
    type: str
    status: str
    user_id: str
    content: dict[str, Any]
    sha256: str
    correlation_id: str
    created_at: int

    def as_json(self) -> dict[str, Any]:
        """The public shape; `seq` is the position, `created_at` RFC 3339."""
        return {
            "seq": self.position,
            "task_id": self.task_id,
            "type": self.type,
            "content": self.content,
            "correlation_id": self.correlation_id,
            "created_at": iso(self.created_at),
        }


def tell(tx: Tx, done: Updated) -> None:
    """Write the row of a change, and the one of the revision before where it is missing. Repeating it changes nothing."""
    events.number_transaction(tx)
    before, after = done.before, done.after
    told = _last(tx, after.task.task_id)
    if before is not None and (told is None or told[0] < before.task.revision):
        _insert(tx, before, None if told is None else told[1])
        told = (before.task.revision, before.task.status)
    if done.changed:
        _insert(tx, after, None if told is None else told[1])
    tx.notify("tasks")


def missing(tx: Tx, stored: Stored) -> bool:
    """Whether the file is ahead of its last row."""
    told = _last(tx, stored.task.task_id)
    return told is None or told[0] < stored.task.revision


def revisions(tx: Tx) -> dict[str, int]:
    """The last revision told of each task."""
    return {str(row[0]): int(row[1]) for row in tx.tuples("SELECT task_id, max(revision) FROM task_event GROUP BY task_id")}


def follow(database: Database, after: int = 0) -> events.Following[TaskEvent]:
    """A reader of all changes, in order and without a hole, from a position on."""
    return events.Following(database, _READ, _row, after)


def between(database: Database, after: int, upto: int, *, user: str | None, limit: int = 500) -> list[TaskEvent]:
    """Changes with a position above `after` and up to `upto`, in order; of one user where one is given. There is no hole
    where a follower has come as far as `upto`."""
    mine = "" if user is None else " AND user_id = :user"
    sql = (
        f"SELECT {_COLUMNS} FROM task_event WHERE position > :after AND position <= :upto{mine} ORDER BY position LIMIT :limit"
    )
    who = {} if user is None else {"user": user}
    return [_row(row) for row in database.read(lambda tx: tx.tuples(sql, after=after, upto=upto, limit=limit, **who))]


def last_position(database: Database) -> int:
    """The position of the newest change; 0 before the first."""
    return int(database.read(lambda tx: tx.value("SELECT max(position) FROM task_event")) or 0)


def _last(tx: Tx, task_id: str) -> tuple[int, str] | None:
    sql = "SELECT revision, status FROM task_event WHERE task_id = :id ORDER BY revision DESC LIMIT 1"
    found = tx.tuples(sql, id=task_id)
    return (int(found[0][0]), str(found[0][1])) if found else None


def _insert(tx: Tx, stored: Stored, status_before: str | None) -> None:
    task = stored.task
    tx.run(
        _INSERT,
        task_id=task.task_id,
        revision=task.revision,
        type=kind(status_before, task.status, task.revision),
        status=task.status,
        user_id=task.user_id,
        content=events.encode(_content(stored), "a task event"),
        sha256=stored.sha256,
        correlation_id=task.correlation_id,
    )


def kind(before: str | None, now: str, revision: int) -> str:
    """The type of an event: what became of the status, or just that something changed."""
    if before is None and revision == 1:
        return "task.created"
    decided = now in ("approved", "rejected", "needs_review")
    return f"task.{now}" if decided and before != now else "task.updated"


def _content(stored: Stored) -> Mapping[str, Any]:
    task = stored.task
    told: dict[str, Any] = {
        "task_id": task.task_id,
        "status": task.status,
        "revision": task.revision,
        "source": task.source,
        "updated_at": task.updated_at or task.created_at,
    }
    more = {"run_id": task.run_id, "outcome": task.outcome, "error": task.error, "ci_status": task.ci_status}
    told |= {name: value for name, value in more.items() if value is not None}
    if task.decision is not None:
        told["by"] = task.decision.by
    if task.dispatches:
        told["dispatch"] = task.dispatches[-1].n
    return told


def _row(row: tuple[Any, ...]) -> TaskEvent:
    position, task_id, revision, type_, status, user_id, content, sha256, correlation_id, created_at = row
    return TaskEvent(
        position, task_id, revision, type_, status, user_id, json.loads(content), sha256, correlation_id, created_at
    )
