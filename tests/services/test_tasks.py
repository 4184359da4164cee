"""Tasks as people ask for them, and their runs: added, decided, started once, reported, on both databases."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import Settings, TasksSettings
from autonomy.core.errors import AlreadyDecided, CorruptState, InvalidInput, NotFound, NotYetBuilt, StorageUnavailable
from autonomy.core.types import TaskSpec
from autonomy.services.ledger import Telling, now
from autonomy.services.runs import Runs, StartRun
from autonomy.services.tasks import Delivery, NewTask, Tasks
from autonomy.ssot.canonical import sha256
from autonomy.ssot.standins import ScriptedExecutor, ScriptedReviewer
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


def test_damage_leaves_one_line_however_often_it_is_looked_at_and_another_when_it_comes_back(
    app: App, tasks: Tasks, audit: Lines
) -> None:
    add(tasks)
    path = app.home / "ssot" / "broken1.json"

    def lines() -> list[tuple[str, str]]:
        tasks.list()
        tasks.raw_list()
        return [(line["file"], line["correlation_id"]) for line in audit.lines if line["action"] == "task_damaged"]

    assert lines() == []
    path.write_bytes(b"{")
    assert lines() == [("broken1.json", "broken1")]
    path.unlink()
    assert lines() == [("broken1.json", "broken1")]
    path.write_bytes(b"")
    assert lines() == [("broken1.json", "broken1")] * 2


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


def test_an_approval_keeps_its_reason_in_the_task_and_in_the_audit_log(tasks: Tasks, audit: Lines) -> None:
    task_id = add(tasks)
    assert tasks.approve(task_id, "ada", "Worth the money.")["decision"]["reason"] == "Worth the money."
    (line,) = [line for line in audit.lines if line["action"] == "task_approved"]
    assert (line["actor"], line["reason"]) == ("ada", "Worth the money.")
    other = add(tasks)
    with pytest.raises(InvalidInput):
        tasks.approve(other, "ada", "\ud800")
    assert tasks.show(other)["status"] == "pending"
    assert "reason" not in tasks.approve(other, "ada")["decision"]


def test_a_rejected_task_keeps_its_reason_and_starts_nothing(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    page = tasks.reject(task_id, "ada", "out of scope")
    assert (page["status"], page["decision"]["reason"]) == ("rejected", "out of scope")
    assert app.runs.page().items == []
    with pytest.raises(AlreadyDecided):
        tasks.approve(task_id, "ada")


@pytest.mark.parametrize(
    "more",
    [
        {"request_text": " "},
        {"request_text": "???"},
        {"request_text": "\u200b"},
        {"request_text": "a\x00b"},
        {"request_text": "\ud800"},
        {"request_text": "x" * 100_001},
        {"source": "fax"},
        {"user_id": "../x"},
        {"task_id": "a/b"},
        {"correlation_id": "a b"},
        {"journey": "poem"},
        {"task_spec": {"lenght": 100}},
        {"task_spec": {"length": -1}},
        {"task_spec": {"budget_usd": float("nan")}},
        {"task_spec": {"corpus": [1]}},
        {"task_spec": {"corpus": "unknown"}},
        {"task_spec": {"corpus": ["docs", "unknown"]}},
        {"task_spec": {"corpus": "/nowhere/at/all"}, "source": "cli"},
        {"task_spec": {"due_date": "2026-02-30"}},
        {"acceptance_criteria": [{"id": "c1", "text": "a"}, {"id": "c1", "text": "b"}]},
        {"acceptance_criteria": [{"id": "c 1", "text": "a"}]},
        {"declared_scope": [{"id": "s1"}]},
    ],
)
def test_a_request_that_makes_no_sense_is_refused_and_leaves_nothing(app: App, tasks: Tasks, audit: Lines, more: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        tasks.create(NewTask(**{"source": "http", "request_text": "Why?", "journey": "research", **more}))
    assert caught.value.hint
    assert not (app.home / "ssot").exists()
    assert (audit.lines, list(tasks.events())) == ([], [])


def test_nobody_sees_the_tasks_of_another_user(tasks: Tasks) -> None:
    mine, theirs = add(tasks, user_id="ada"), add(tasks, user_id="bob")
    assert [item["task_id"] for item in tasks.list(user="ada").items] == [mine]
    assert json.loads(tasks.raw_list("ada"))["items"] == tasks.list(user="ada").items
    assert json.loads(tasks.raw_list("carol")) == {"items": [], "next_cursor": None}
    for look in (lambda: tasks.show(theirs, user="ada"), lambda: tasks.resolve(theirs[:8], user="ada")):
        with pytest.raises(NotFound):
            look()
    assert tasks.show(theirs, user="bob", by="bob")["user_id"] == "bob"


def test_each_reading_of_a_task_is_audited_with_who_reads(tasks: Tasks, audit: Lines) -> None:
    task_id = add(tasks, correlation_id="door-1")
    tasks.show(task_id, by="ada")
    line = audit.lines[-1]
    assert (line["action"], line["actor"], line["correlation_id"]) == ("task_read", "ada", "door-1")


def test_pages_go_on_where_the_last_one_ended(tasks: Tasks) -> None:
    made = [add(tasks, f"Question {n}?", user_id=f"u{n % 2}") for n in range(7)]
    tasks.reject(made[3], "ada")
    seen, cursor = list[str](), None
    while True:
        page = tasks.list(limit=3, cursor=cursor)
        seen += [item["task_id"] for item in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert sorted(seen) == sorted(made)
    assert len(seen) == 7
    assert [item["task_id"] for item in tasks.list(status="rejected").items] == [made[3]]
    for bad in ("x", "1.", "1.a/b", "9" * 30 + ".a"):
        with pytest.raises(InvalidInput):
            tasks.list(cursor=bad)
    for limit in (0, -1, 201, 2**70):
        with pytest.raises(InvalidInput):
            tasks.list(limit=limit)
    with pytest.raises(InvalidInput):
        tasks.list(status="done")


def test_the_ready_list_is_made_once_and_made_again_for_a_change(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    for path in [*(app.home / "ssot").glob("*.json"), app.home / "ssot"]:
        os.utime(path, ns=(10**18, 10**18 + 1))  # clearly past
    first = tasks.raw_list()
    assert tasks.raw_list() is first
    tasks.approve(task_id, "ada")
    (item,) = json.loads(tasks.raw_list())["items"]
    assert (item["status"], item["run_id"]) == ("approved", app.runs.page().items[0]["run_id"])


def test_a_decision_of_another_workspace_process_stands_in_the_very_next_list(app: App, tasks: Tasks) -> None:
    with App(app.settings, Database(app.settings.database_url, grow_wal=False)) as other:
        other.__dict__["audit"] = Lines()
        for n in range(10):
            task_id = add(tasks, f"Question {n}?")
            assert json.loads(tasks.raw_list())["items"][0]["status"] == "pending"
            other.tasks.approve(task_id, "ada") if n % 2 else other.tasks.reject(task_id, "ada", "no")
            assert json.loads(tasks.raw_list())["items"][0]["status"] == ("approved" if n % 2 else "rejected")


def test_ids_are_found_by_a_unique_beginning_and_damage_is_named(app: App, tasks: Tasks) -> None:
    for name in ("abc1", "abc2", "xyz"):
        add(tasks, task_id=name)
    (app.home / "ssot" / "torn.json").write_text("{")
    assert tasks.resolve("x") == "xyz"
    assert tasks.resolve("abc1") == "abc1"
    with pytest.raises(NotFound) as caught:
        tasks.resolve("abc")
    assert caught.value.candidates == ("abc1", "abc2")
    with pytest.raises(CorruptState, match=r"torn\.json"):
        tasks.resolve("to")
    with pytest.raises(NotFound):
        tasks.resolve("q")
    for bad in ("..", "a\n", "a\x00", ""):
        with pytest.raises(InvalidInput):
            tasks.resolve(bad)
    assert [each.name for each in tasks.damaged()] == ["torn.json"]


# -- what is missing --------------------------------------------------------------------------------


@pytest.fixture
def bare(app: App, audit: Lines) -> Iterator[App]:
    """The same workspace where no task has a corpus by default."""
    settings = dataclasses.replace(app.settings, tasks=TasksSettings())
    with App(settings, Database(settings.database_url, grow_wal=False)) as opened:
        opened.__dict__["audit"] = audit
        yield opened


@pytest.mark.parametrize(("source", "hint"), [("cli", "--corpus"), ("http", "task_spec.corpus (docs)")])
def test_who_can_name_a_corpus_and_names_none_is_refused_and_leaves_nothing(
    bare: App, audit: Lines, source: str, hint: str
) -> None:
    with pytest.raises(InvalidInput, match="no corpus to work from") as caught:
        add(bare.tasks, source=source)
    assert hint in caught.value.hint
    assert not (bare.home / "ssot").exists()
    assert audit.lines == []


@pytest.mark.parametrize("source", ["telegram", "github"])
def test_who_cannot_know_is_heard_and_the_task_says_what_is_missing(app: App, bare: App, source: str) -> None:
    task_id = add(bare.tasks, source=source)
    task = bare.tasks.show(task_id)
    assert (task["status"], task["revision"]) == ("pending", 1)
    assert f"'autonomy tasks corpus {task_id[:12]} DIR'" in task["error"]
    assert bare.tasks.list().items[0]["error"] == task["error"]
    assert bare.tasks.reconcile() == 0
    assert app.tasks.reconcile() == 1  # its settings name one for all
    assert app.tasks.show(task_id)["error"] is None
    assert app.tasks.reconcile() == 0


@pytest.mark.parametrize(
    "more",
    [
        {"journey": "rewrite"},
        {"journey": "research", "task_spec": {"target_similarity": 10}},
        {"task_spec": {"provider": "nobody"}},
        {"task_spec": {"provider": "extractive,nobody"}},
        {"task_spec": {"style": "graffiti"}},
        {"task_spec": {"due_date": "2001-01-01"}},
    ],
    ids=str,
)
def test_what_no_run_could_be_is_no_task_either(app: App, tasks: Tasks, more: dict[str, Any]) -> None:
    with pytest.raises((InvalidInput, NotYetBuilt)) as caught:
        tasks.create(NewTask(source="http", request_text="Why?", **more))
    assert caught.value.hint
    assert not (app.home / "ssot").exists()


def test_the_file_says_what_its_run_reads_though_another_corpus_was_named_while_it_was_started(bare: App) -> None:
    other = bare.home / "other"
    other.mkdir()
    task_id = add(bare.tasks, source="telegram")
    bare.tasks.approve(task_id, "ada")
    start, late = bare.tasks._work._runs.start, list[object]()

    def started(*given: Any, **more: Any) -> Any:
        if not late:  # somebody names another one just now: the task has no run yet
            late.append(bare.tasks._ledger.change(task_id, lambda now: now.evolve(corpus=(str(other),)), Telling("t", "bob")))
        return start(*given, **more)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bare.tasks._work._runs, "start", started)
        page = bare.tasks.name_corpus(task_id, ["docs"], "ada", folders=True)
    assert late
    assert page["corpus"] == bare.runs.inspect(page["run_id"])["task"]["corpus"] == [str(bare.home / "docs")]


def test_a_corpus_that_an_operator_names_is_read_whatever_door_the_task_came_through(bare: App, audit: Lines) -> None:
    """A message names no folder; the operator of this machine may name one for it, the web only names of [corpora]."""
    other = bare.home / "other"
    other.mkdir()
    task_id = add(bare.tasks, source="telegram", task_spec={"corpus": "docs"})
    for names, folders in (([str(other)], False), (["nowhere"], True), ([], True), ([str(other / "x")], True)):
        with pytest.raises(InvalidInput):
            bare.tasks.name_corpus(task_id, names, "ada", folders=folders)
    assert bare.tasks.show(task_id)["revision"] == 1
    page = bare.tasks.name_corpus(task_id, [str(other)], "ada", folders=True)
    assert (page["corpus"], page["status"], page.get("error")) == ([str(other)], "pending", None)
    line = audit.lines[-1]
    assert (line["action"], line["actor"], line["corpus"]) == ("task_updated", "ada", [str(other)])
    run_id = bare.tasks.approve(task_id, "ada")["run_id"]
    assert bare.runs.inspect(run_id)["task"]["corpus"] == [str(other)]
    with pytest.raises(AlreadyDecided, match="has its run"):
        bare.tasks.name_corpus(task_id, ["docs"], "ada", folders=True)
    refused = add(bare.tasks, source="telegram")
    bare.tasks.reject(refused, "ada", "no")
    with pytest.raises(AlreadyDecided, match="rejected already"):
        bare.tasks.name_corpus(refused, ["docs"], "ada", folders=True)


def test_naming_a_corpus_starts_what_was_approved_without_one_and_once(bare: App) -> None:
    task_id = add(bare.tasks, source="github")
    assert "no corpus" in bare.tasks.approve(task_id, "ada")["error"]
    page = bare.tasks.name_corpus(task_id, ["docs"], "bob", folders=False)
    assert (page["error"], page["decision"]["by"]) == (None, "ada")
    assert [run["run_id"] for run in bare.runs.page().items] == [page["run_id"]]
    with pytest.raises(AlreadyDecided):
        bare.tasks.name_corpus(task_id, ["docs"], "bob", folders=False)
    assert len(bare.runs.page().items) == 1


def test_criteria_that_nothing_will_measure_are_named_when_the_task_is_made(tasks: Tasks) -> None:
    def notes(text: str, **more: Any) -> list[str]:
        criteria = [{"id": "c1", "text": text}]
        made = tasks.create(NewTask(source="http", request_text="Why?", acceptance_criteria=criteria, **more))
        return [note.split(": ")[0] for note in made.notes]

    not_measured = "criterion c1 names {}, which is not measured"
    assert notes("length, min_citations") == [not_measured.format(name) for name in ("length", "min_citations")]
    assert notes("length", task_spec={"length": 500}) == []
    assert notes("min_citations", task_spec={"min_citations": 0}) == [not_measured.format("min_citations")]
    assert notes("pack_complete") == [not_measured.format("pack_complete")]
    assert notes("pack_complete", journey="research") == []
    assert notes("source_share", journey="research") == [not_measured.format("source_share")]
    assert notes("length at least 500") == [not_measured.format("length")]
    assert notes("quote_found") == notes("min_citations >= 3") == notes("source_spread at least 3") == []
    for_a_person = ["criterion c1 says more than a gate measures"]
    assert notes("Written for children.") == notes("relevance to lawyers") == for_a_person
    assert tasks.create(NewTask(source="http", request_text="Why?")).notes == ()


# -- starting ---------------------------------------------------------------------------------------


def test_an_approved_task_that_no_corpus_serves_says_so_and_is_started_once_one_does(app: App, audit: Lines) -> None:
    bare = dataclasses.replace(app.settings, tasks=TasksSettings())
    with App(bare, Database(app.settings.database_url, grow_wal=False)) as other:
        other.__dict__["audit"] = audit
        task_id = add(other.tasks, source="telegram")
        page = other.tasks.approve(task_id, "ada")
        assert page["status"] == "approved"
        assert "[tasks]" in page["error"]
        assert other.tasks.reconcile() == 0
        assert other.runs.page().items == []
    assert app.tasks.reconcile() == 1
    page = app.tasks.show(task_id)
    assert page["error"] is None
    assert [run["run_id"] for run in app.runs.page().items] == [page["run_id"]]
    assert app.tasks.reconcile() == 0


@pytest.mark.parametrize("source", ["http", "telegram", "github"])
def test_only_the_command_line_names_folders(app: App, tasks: Tasks, source: Any) -> None:
    folder = str(app.home / "docs")
    with pytest.raises(InvalidInput, match="no corpus named"):
        add(tasks, source=source, task_spec={"corpus": folder})
    assert tasks.list().items == []
    assert tasks.approve(add(tasks, source=source, task_spec={"corpus": ["docs"]}), "ada")["run_id"]
    assert tasks.approve(add(tasks, source="cli", task_spec={"corpus": [folder]}), "ada")["run_id"]


def test_criteria_and_scope_of_a_task_reach_its_run_as_constraints(app: App, tasks: Tasks) -> None:
    task_id = add(
        tasks,
        acceptance_criteria=[{"id": "c1", "text": "Ten sources."}],
        declared_scope=[{"id": "s1", "text": "One file."}],
        task_spec={"constraints": ["Be brief."], "seed": 7, "length": 300, "budget_tokens": 500},
    )
    task = app.runs.inspect(tasks.approve(task_id, "ada")["run_id"])["task"]
    assert task["constraints"] == ["Be brief.", "Acceptance criterion c1: Ten sources.", "Declared scope s1: One file."]
    assert (task["seed"], task["length"], task["budget"]["tokens"]) == (7, 300, 500)
    assert task["budget"]["seconds"] == app.settings.budget.seconds
    assert task["corpus"] == [str(app.home / "docs")]


def test_forty_racing_decisions_start_one_run(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    won: list[str] = []

    def decide(n: int) -> None:
        with contextlib.suppress(AlreadyDecided):
            tasks.approve(task_id, f"a{n}") if n % 2 else tasks.reject(task_id, f"r{n}", "no")
            won.append("approved" if n % 2 else "rejected")

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    page = tasks.show(task_id)
    assert won == [page["status"]]
    assert len(app.runs.page().items) == (page["status"] == "approved")


def test_a_foreign_run_under_the_key_of_a_task_is_not_taken_for_its_run(app: App, tasks: Tasks) -> None:
    """As a workspace may hold it from before such keys were reserved."""
    task_id = add(tasks, "Why do leases expire?")
    goal = TaskSpec(goal="Something else", corpus=(str(app.home / "docs"),))
    foreign = app.runs.start(StartRun(goal, idempotency_key=f"task:{task_id}:1"), reserved=True).run_id
    page = tasks.approve(task_id, "ada")
    assert page.get("error") is None
    assert page["run_id"] != foreign
    assert app.runs.inspect(page["run_id"])["task"]["goal"] == "Why do leases expire?"
    dispatches = [{**page["dispatches"][0], "run_id": None}]  # as if the start had been cut short here
    path = app.home / "ssot" / f"{task_id}.json"
    path.write_text(json.dumps({**page, "dispatches": dispatches, "run_id": None}))
    tasks.reconcile()
    assert tasks.show(task_id)["run_id"] == page["run_id"]
    assert len(app.runs.page().items) == 2


@contextlib.contextmanager
def refusing(step: str) -> Iterator[None]:
    """The database refuses once: the row of the approval, the start of the run, or the row of its id in the task."""
    names = {"approval": (Database, "write", 1), "start": (Runs, "start", 1), "run": (Database, "write", 2)}
    owner, name, at = names[step]
    real = getattr(owner, name)
    calls: list[int] = []

    def call(*args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == at:
            raise StorageUnavailable("the database stayed locked")
        return real(*args, **more)

    with mock.patch.object(owner, name, call):
        yield
        assert len(calls) >= at


@pytest.mark.parametrize("step", ["approval", "start", "run"])
def test_an_approval_that_the_database_refused_is_finished_without_a_restart(app: App, tasks: Tasks, step: str) -> None:
    task_id = add(tasks)
    assert tasks.reconcile() == 0
    with refusing(step), pytest.raises(StorageUnavailable):
        tasks.approve(task_id, "ada")
    assert tasks.catch_up() == 0  # whoever is at it may still be
    assert tasks.catch_up() >= 1
    (run,) = app.runs.page().items
    assert tasks.show(task_id)["run_id"] == run["run_id"]
    types = [type_ for _, type_ in told(tasks, task_id)]
    assert (types[0], types[1], types.count("task.approved")) == ("task.created", "task.approved", 1)
    assert [tasks.catch_up() for _ in range(3)] == [0, 0, 0]
    with mock.patch.object(Database, "read", side_effect=AssertionError("nothing has changed")):
        assert tasks.catch_up() == 0


def test_what_cannot_be_finished_yet_is_looked_at_again(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    tasks.reconcile()
    with refusing("approval"), pytest.raises(StorageUnavailable):
        tasks.approve(task_id, "ada")
    tasks.catch_up()
    with refusing("approval"), pytest.raises(StorageUnavailable):
        tasks.catch_up()
    assert tasks.catch_up() >= 1
    assert tasks.show(task_id)["run_id"]


@pytest.mark.parametrize("step", ["approval", "start", "run"])
def test_an_approval_that_the_database_refused_is_finished_by_repeating_it(app: App, tasks: Tasks, step: str) -> None:
    task_id = add(tasks)
    with refusing(step), pytest.raises(StorageUnavailable):
        tasks.approve(task_id, "ada")
    if step != "start":  # the file is ahead of what was told
        assert tasks.approve(task_id, "ada")["run_id"]
    else:
        with pytest.raises(AlreadyDecided):
            tasks.approve(task_id, "ada")
    (run,) = app.runs.page().items
    assert tasks.show(task_id)["run_id"] == run["run_id"]
    with pytest.raises(AlreadyDecided):
        tasks.approve(task_id, "ada")
    assert len(app.runs.page().items) == 1


# -- webhooks ---------------------------------------------------------------------------------------


def test_a_build_is_noted_in_the_tasks_that_name_its_commit_or_branch_once_per_delivery(app: App, tasks: Tasks) -> None:
    sha = "0123456789abcdef0123456789abcdef01234567"
    by_commit = add(tasks, git={"repo": "a/b", "commit": sha[:10]})
    by_branch = add(tasks, git={"repo": "A/B", "branch": "fix"})
    by_words = add(tasks, f"Why does {sha[:7]} fail?")
    elsewhere = add(tasks, git={"repo": "a/c", "commit": sha, "branch": "fix"})
    silent = add(tasks)
    first = tasks.set_ci_status("a/b", [sha], ["fix"], "failure", Delivery("github", "d1"))
    assert (set(first.tasks), first.duplicate) == ({by_commit, by_branch, by_words}, False)
    assert tasks.set_ci_status("a/b", [sha], ["fix"], "success", Delivery("github", "d1")).duplicate
    assert {tasks.show(each)["ci_status"] for each in first.tasks} == {"failure"}
    for each in (elsewhere, silent):
        assert "ci_status" not in tasks.show(each)
    again = tasks.set_ci_status("a/b", [sha], ["fix"], "success", Delivery("github", "d2"))
    assert set(again.tasks) == set(first.tasks)
    assert told(tasks, by_commit) == [(1, "task.created"), (2, "task.updated"), (3, "task.updated")]
    assert tasks.set_ci_status("x/y", ["f" * 40], [], "success", Delivery("github", "d3")).tasks == ()
    assert tasks.delivered(Delivery("github", "d3"))


def test_a_hundred_deliveries_at_once_have_one_effect(tasks: Tasks) -> None:
    task_id = add(tasks, git={"branch": "main"})
    found: list[bool] = []

    def deliver() -> None:
        found.append(tasks.set_ci_status("a/b", [], ["main"], "success", Delivery("github", "d1")).duplicate)

    threads = [threading.Thread(target=deliver) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found.count(False), found.count(True)) == (1, 99)
    assert told(tasks, task_id) == [(1, "task.created"), (2, "task.updated")]


# -- protocol, events -------------------------------------------------------------------------------


def test_scripted_parties_are_written_and_told_step_by_step(tasks: Tasks, audit: Lines) -> None:
    criteria = [{"id": "c1", "text": "It is cited."}, {"id": "c2", "text": "It is short."}]
    task_id = add(tasks, acceptance_criteria=criteria)
    executor = ScriptedExecutor(now, misses=[("c2",)])
    with pytest.raises(InvalidInput, match="pending"):
        tasks.play(task_id, executor, ScriptedReviewer())
    tasks.approve(task_id, "ada", start=False)
    task = tasks.play(task_id, executor, ScriptedReviewer())
    assert task == tasks.show(task_id)
    first, second = task["dispatches"]
    assert sha256(first["verdict"]["issues"]) == sha256(second["issues"])
    assert (task["status"], task["verdict"]["decision"]) == ("approved", "approve")
    steps = ["protocol_ack", "protocol_result", "protocol_verdict"]
    assert [action for action in audit.actions(task_id) if action.startswith("protocol")] == steps * 2
    assert [revision for revision, _ in told(tasks, task_id)] == list(range(1, task["revision"] + 1))
    assert tasks.reconcile() == 0  # nobody starts a run for what somebody else has done


def test_a_run_whose_task_is_not_there_reports_to_nobody_and_once(app: App, tasks: Tasks) -> None:
    started = app.runs.start(StartRun(TaskSpec(goal="Why?", corpus=(str(app.home / "docs"),)), task_id="nobody"))
    app.runs.abort(started.run_id)
    assert tasks.report_pending() == 0
    assert app.database.read(lambda tx: tx.value("SELECT reported FROM run")) == 2


def test_a_run_waits_with_its_report_until_the_damaged_file_is_repaired(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    run_id = tasks.approve(task_id, "ada")["run_id"]
    path = app.home / "ssot" / f"{task_id}.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    assert tasks.acknowledge(run_id) is False
    app.runs.abort(run_id)
    assert tasks.report_pending() == 0
    assert path.read_bytes() == whole[:100]
    path.write_bytes(whole)
    assert tasks.report_pending() == 1
    assert tasks.show(task_id)["outcome"] == "aborted"


def test_what_a_person_aborted_is_not_tried_again_but_waits_for_review(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    run_id = tasks.approve(task_id, "ada")["run_id"]
    app.runs.abort(run_id)
    assert (tasks.report_pending(), tasks.report_pending()) == (1, 0)
    task = tasks.show(task_id)
    assert (task["status"], task["outcome"], len(task["dispatches"])) == ("needs_review", "aborted", 1)
    assert [issue["criterion_ref"] for issue in task["verdict"]["issues"]] == ["delivered"]
    assert set(task["verdict"]["issues"][0]["trace"]) <= {entry["id"] for entry in task["result"]["work_log"]}
    assert tasks.reject(task_id, "ada", "enough")["status"] == "rejected"


def test_a_run_started_by_hand_is_a_dispatch_of_its_task(app: App, tasks: Tasks) -> None:
    task_id = add(tasks)
    spec = TaskSpec(goal="Why?", corpus=(str(app.home / "docs"),))
    run_id = app.runs.start(StartRun(spec, task_id=task_id, correlation_id=task_id)).run_id
    app.runs.abort(run_id)
    assert tasks.report_pending() == 1
    task = tasks.show(task_id)
    assert (task["status"], task["run_id"], task["outcome"]) == ("pending", run_id, "aborted")
    assert [each["run_id"] for each in task["dispatches"]] == [run_id]


def test_a_reader_of_events_goes_on_where_it_stopped(tasks: Tasks) -> None:
    reader = tasks.follow()
    first = add(tasks)
    assert [event.task_id for event in reader.read()] == [first]
    assert reader.read() == []
    second = add(tasks)
    (event,) = reader.read()
    assert (event.task_id, event.position) == (second, tasks.last_position())
    assert event.as_json()["content"]["status"] == "pending"
    assert [each.task_id for each in tasks.events(after=event.position - 1)] == [second]
