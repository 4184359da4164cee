"""Tasks as people ask for them, and their runs: added, decided, started once, reported, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import Settings, TasksSettings
from autonomy.core.errors import AlreadyDecided
from autonomy.services.tasks import NewTask, Tasks
from autonomy.storage.database import Database


class Lines:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def append(self, action: str, *, correlation_id: str, actor: str, **fields: Any) -> int:
        return self.append_many([{"action": action, "correlation_id": correlation_id, "actor": actor, **fields}])[0]

    def append_many(self, entries: Sequence[Mapping[str, Any]]) -> list[int]:
        first = len(self.lines) + 1
        self.lines += [dict(entry) for entry in entries]
        return list(range(first, len(self.lines) + 1))

    def actions(self, task_id: str | None = None) -> list[str]:
        return [line["action"] for line in self.lines if task_id is None or line.get("task_id") == task_id]


@pytest.fixture
def audit() -> Lines:
    return Lines()


@pytest.fixture
def app(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: Lines) -> Iterator[App]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = tmp_path / "home"
    (home / "docs").mkdir(parents=True)
    settings = Settings(
        home=home, database_url=database.url, corpora={"docs": home / "docs"}, tasks=TasksSettings(corpus="docs")
    )
    with App(settings, database) as opened:
        opened.__dict__["audit"] = audit
        yield opened


@pytest.fixture
def tasks(app: App) -> Tasks:
    return app.tasks


def add(tasks: Tasks, text: str = "Why?", **more: Any) -> str:
    created = tasks.create(NewTask(**{"source": "cli", "request_text": text, "journey": "research", **more}))
    assert not created.duplicate
    task_id: str = created.task["task_id"]
    return task_id


def told(tasks: Tasks, task_id: str) -> list[tuple[int, str]]:
    return [(event.revision, event.type) for event in tasks.events() if event.task_id == task_id]


# -- add, look --------------------------------------------------------------------------------------


def test_a_new_task_is_pending_in_its_file_in_its_event_and_in_the_audit_log(app: App, tasks: Tasks, audit: Lines) -> None:
    task_id = add(tasks)
    body = json.loads((app.home / "ssot" / f"{task_id}.json").read_bytes())
    assert (body["status"], body["revision"], body["correlation_id"]) == ("pending", 1, task_id)
    assert told(tasks, task_id) == [(1, "task.created")]
    assert audit.actions(task_id) == ["task_created"]
    assert tasks.show(task_id) == body
    assert [item["task_id"] for item in tasks.list().items] == [task_id]


def test_the_same_id_again_makes_no_second_task(tasks: Tasks) -> None:
    first = tasks.create(NewTask(source="telegram", request_text="Why?", task_id="abc", chat_id=1, message_id=2))
    again = tasks.create(NewTask(source="telegram", request_text="How?", task_id="abc", chat_id=1, message_id=2))
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.task == first.task
    assert told(tasks, "abc") == [(1, "task.created")]


def test_an_approved_task_has_its_run_once_under_the_correlation_id_of_the_task(app: App, tasks: Tasks) -> None:
    task_id = add(tasks, correlation_id="door-1")
    page = tasks.approve(task_id, "ada")
    assert page["status"] == "approved"
    (run,) = app.runs.page().items
    assert (run["run_id"], run["correlation_id"], run["status"]) == (page["run_id"], "door-1", "queued")
    assert {event.correlation_id for event in app.runs.events(run["run_id"])} == {"door-1"}
    with pytest.raises(AlreadyDecided):
        tasks.approve(task_id, "bob")
    with pytest.raises(AlreadyDecided):
        tasks.reject(task_id, "bob", "no")
    assert len(app.runs.page().items) == 1
    assert told(tasks, task_id) == [(1, "task.created"), (2, "task.approved"), (3, "task.updated")]


def test_a_rejected_task_keeps_its_reason_and_starts_nothing(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    page = tasks.reject(task_id, "ada", "out of scope")
    assert (page["status"], page["decision"]["reason"]) == ("rejected", "out of scope")
    assert app.runs.page().items == []
    with pytest.raises(AlreadyDecided):
        tasks.approve(task_id, "ada")
