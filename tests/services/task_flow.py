"""The life of a task from its door to its last review, cut off at any of its steps, and picked up again.

As a program (`python -m tests.services.task_flow HOME URL`) it dies for real: one child a step, killed right there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

from autonomy.audit.log import AuditLog
from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import ProviderEntry, Settings, TasksSettings
from autonomy.runtime import queue
from autonomy.services.runs import Runs
from autonomy.services.tasks import NewTask, Tasks
from autonomy.ssot import store
from autonomy.ssot.store import TaskStore
from autonomy.storage.artifacts import write_atomic
from autonomy.storage.database import Database, Tx

T = TypeVar("T")
LEASE_US = 30_000_000


class Died(BaseException):
    """The process ends here, as far as this test is concerned."""


def opened(home: Path, url: str) -> App:
    """A workspace with one corpus and a model (which is never asked): with one, a run that misses is tried again."""
    (home / "docs").mkdir(parents=True, exist_ok=True)
    model = ProviderEntry("model", "local", model="m", base_url="http://127.0.0.1:9/v1")
    settings = Settings(
        home=home, database_url=url, corpora={"docs": home / "docs"}, tasks=TasksSettings(corpus="docs"), providers=(model,)
    )
    return App(settings, Database(url, grow_wal=False))


@contextlib.contextmanager
def dying(at: int, die: Callable[[], None]) -> Iterator[list[str]]:
    """Die at the n-th step: after a file, after a line of the audit log, after a transaction, after a start."""
    steps: list[str] = []

    def step(name: str) -> None:
        steps.append(name)
        if len(steps) == at:
            die()

    def around(name: str, real: Callable[..., T]) -> Callable[..., T]:
        def call(*args: Any, **more: Any) -> T:
            value = real(*args, **more)
            step(name)
            return value

        return call

    with (
        mock.patch.object(store, "write_atomic", around("file", write_atomic)),
        mock.patch.object(AuditLog, "append", around("line", AuditLog.append)),
        mock.patch.object(Database, "write", around("row", Database.write)),
        mock.patch.object(Runs, "start", around("start", Runs.start)),
    ):
        yield steps


def look(app: App, task_id: str) -> dict[str, Any]:
    """The task as its file has it now; nothing is told of this."""
    return TaskStore(app.home / "ssot").read(task_id).task.as_json()


MISSED, DELIVERED = "target_not_reached", "delivered"
"""How the runs of a task end: one that misses is tried again, one that delivers leaves a criterion in free words open."""


def live(app: App, tasks: Tasks, task_id: str, outcome: str = MISSED) -> None:
    """Whatever is next, until a person has accepted what the last run brought."""
    criteria = [{"id": "c1", "text": "In Spanish."}] if outcome == DELIVERED else []
    new = NewTask(source="http", request_text="Why?", journey="research", task_id=task_id, acceptance_criteria=criteria)
    created = tasks.create(new)
    if created.task["status"] == "pending":
        tasks.approve(task_id, "ada")
    for _ in range(3):
        work(app, tasks, task_id, outcome)
        tasks.report_pending()
        now = look(app, task_id)
    if now["status"] == "needs_review":
        tasks.approve(task_id, "ada")


def work(app: App, tasks: Tasks, task_id: str, outcome: str) -> None:
    """Take on the run that is queued for the task, and end it without a document."""
    mine = "SELECT id FROM run WHERE task_id = :task AND status = 'queued'"
    queued = app.database.read(lambda tx: tx.value(mine, task=task_id))
    if queued is None:
        return
    tasks.acknowledge(queued)

    def end(tx: Tx) -> None:
        job = queue.claim(tx, "host:1:t", LEASE_US, queued)
        assert job is not None
        queue.finish(tx, job, "done", outcome=outcome)

    app.database.submit(end).result()


def told(app: App, tasks: Tasks) -> bool:
    """Whether the last event of every task is that of its file as it stands."""
    last = {event.task_id: event.sha256 for event in tasks.events(limit=10_000)}
    return last == {each.task.task_id: each.sha256 for each in TaskStore(app.home / "ssot").list().tasks}


def check(app: App, tasks: Tasks, task_id: str, outcome: str = MISSED) -> None:
    """One run a dispatch, one event a revision, and the file as if nothing had happened."""
    task = look(app, task_id)
    assert (task["status"], task["outcome"]) == ("approved", outcome)
    given = task["dispatches"]
    verdicts = [
        (each["verdict"]["decision"], [issue["criterion_ref"] for issue in each["verdict"]["issues"]]) for each in given
    ]
    if outcome == DELIVERED:
        assert verdicts == [("needs_review", ["c1"])]
    else:
        assert verdicts == [("reject", ["delivered"])] * 2
        assert given[0]["verdict"]["issues"] == given[1]["issues"]
    sql = "SELECT id, idempotency_key, reported, correlation_id FROM run WHERE task_id = :task ORDER BY created_at, id"
    runs = app.database.read(lambda tx: tx.rows(sql, task=task_id))
    assert {row["idempotency_key"]: row["id"] for row in runs} == {
        f"task:{task_id}:{each['n']}": each["run_id"] for each in given
    }
    assert len(runs) == len(given)
    assert {(row["reported"], row["correlation_id"]) for row in runs} == {(2, task_id)}
    events = [event for event in tasks.events(limit=10_000) if event.task_id == task_id]
    assert [event.revision for event in events] == list(range(1, task["revision"] + 1))
    types = [event.type for event in events]
    assert (types[0], types.count("task.needs_review"), types.count("task.approved")) == ("task.created", 1, 2)
    assert events[-1].sha256 == hashlib.sha256((app.home / "ssot" / f"{task_id}.json").read_bytes()).hexdigest()


def main(home: str, url: str) -> None:
    """Fork one child for every fourth step; each lives a task of its own until it is killed at that step."""
    at = -3
    while True:
        at += 4
        child = os.fork()
        if child == 0:
            with opened(Path(home), url) as app, dying(at, lambda: os.kill(os.getpid(), signal.SIGKILL)):
                live(app, app.tasks, f"k{at}")
            os._exit(0)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"task": f"k{at}", "killed": os.WIFSIGNALED(status)}) + "\n")
        sys.stdout.flush()
        if not os.WIFSIGNALED(status):
            sys.exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main(*sys.argv[1:])
