"""Runs as people ask for them: start, look, steer, export, on both databases."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import json
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import QueueSettings, Settings
from autonomy.core.clock import new_id
from autonomy.core.errors import AlreadyEnded, HeldByAnother, InvalidInput, NotFound, NotYetBuilt, StorageUnavailable
from autonomy.core.types import Budget, TaskSpec
from autonomy.runtime import events, queue, runs
from autonomy.runtime.lease import Presence
from autonomy.runtime.queue import Job
from autonomy.runtime.records import RunArtifacts
from autonomy.runtime.unit import Unit
from autonomy.services.runs import Started, StartRun
from autonomy.storage import sqlite
from autonomy.storage.database import Database
from tests import ordinary

LEASE_US = 30_000_000


@pytest.fixture
def app(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = tmp_path / "home"
    (home / "docs").mkdir(parents=True)
    with App(Settings(home=home, database_url=database.url, queue=QueueSettings(max_attempts=3)), database) as opened:
        yield opened


def spec(app: App, **more: Any) -> TaskSpec:
    return TaskSpec(**{"goal": "Why?", "corpus": (str(app.home / "docs"),), **more})


def start(app: App, **more: Any) -> Started:
    request = {name: more.pop(name) for name in ("user_id", "priority", "idempotency_key", "task_id") if name in more}
    return app.runs.start(StartRun(spec(app, **more), **request))


def claim(app: App, run_id: str, worker: str = "host:1:token") -> Job:
    job = app.database.write(lambda tx: queue.claim(tx, worker, LEASE_US, run_id))
    assert job is not None
    return job


def counts(app: App) -> dict[str, int]:
    tables = ("run", "checkpoint", "job", "event")
    return app.database.read(lambda tx: {name: int(tx.value(f"SELECT count(*) FROM {name}")) for name in tables})


# -- start ------------------------------------------------------------------------------------------


def test_a_start_is_one_transaction_of_run_checkpoint_job_and_first_event(app: App) -> None:
    app.runs.page()
    before = app.database.commits
    started = start(app)
    assert app.database.commits - before == 1
    assert counts(app) == {"run": 1, "checkpoint": 1, "job": 1, "event": 1}
    (first,) = app.runs.events(started.run_id)
    assert (first.seq, first.type, first.content["reason"]) == (1, "run.queued", "start")
    assert (started.status, started.duplicate) == ("queued", False)


def test_a_start_that_fails_halfway_leaves_nothing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(queue, "enqueue_start", broken)
    with pytest.raises(RuntimeError):
        start(app)
    assert counts(app) == {"run": 0, "checkpoint": 0, "job": 0, "event": 0}


def test_the_same_key_with_the_same_request_finds_the_run_and_writes_nothing(app: App) -> None:
    first = start(app, idempotency_key="k1")
    again = start(app, idempotency_key="k1")
    assert (again.run_id, again.job_id, again.duplicate) == (first.run_id, first.job_id, True)
    assert counts(app)["run"] == counts(app)["event"] == 1


@pytest.mark.parametrize(
    "other", [{"goal": "How?"}, {"priority": 1}, {"seed": 1}, {"task_id": "t1"}, {"budget": Budget(tokens=5)}]
)
def test_the_same_key_with_another_request_is_refused(app: App, other: dict[str, Any]) -> None:
    start(app, idempotency_key="k1")
    with pytest.raises(InvalidInput, match="key"):
        start(app, **{"idempotency_key": "k1", **other})
    assert counts(app)["run"] == 1


def test_another_users_same_key_is_another_run(app: App) -> None:
    assert start(app, idempotency_key="k", user_id="a").run_id != start(app, idempotency_key="k", user_id="b").run_id


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"journey": "slides"}, NotYetBuilt),
        ({"target_similarity": 10, "journey": "research"}, InvalidInput),
        ({"corpus": ()}, InvalidInput),
        ({"corpus": ("/nowhere/at/all",)}, InvalidInput),
        ({"corpus": ("/" + "x" * 5000,)}, InvalidInput),
        ({"corpus": (__file__,)}, InvalidInput),
        ({"priority": 11}, InvalidInput),
        ({"priority": 0}, InvalidInput),
        ({"user_id": "a b"}, InvalidInput),
        ({"user_id": "../x"}, InvalidInput),
        ({"task_id": "a\n"}, InvalidInput),
        ({"task_id": "../t"}, InvalidInput),
        ({"task_id": ""}, InvalidInput),
        ({"source": "/etc/hostname"}, InvalidInput),
        ({"due_date": datetime.date(2001, 2, 3)}, InvalidInput),
        ({"idempotency_key": ""}, InvalidInput),
        ({"idempotency_key": "x" * 300}, InvalidInput),
    ],
)
def test_what_cannot_be_done_is_refused_at_the_door_and_leaves_nothing(
    app: App, more: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        start(app, **more)
    assert getattr(caught.value, "hint", "")
    assert counts(app) == {"run": 0, "checkpoint": 0, "job": 0, "event": 0}


# -- look -------------------------------------------------------------------------------------------


def test_the_id_of_a_task_travels_with_its_run(app: App) -> None:
    run_id = start(app, task_id="t-1").run_id
    page = app.runs.inspect(run_id)
    assert (page["task_id"], page["correlation_id"]) == ("t-1", "t-1")
    assert {event.correlation_id for event in app.runs.events(run_id)} == {"t-1"}
    other = app.runs.inspect(start(app).run_id)
    assert other["task_id"] is None
    assert other["correlation_id"] not in ("", "t-1")


def test_inspect_has_the_promised_shape(app: App) -> None:
    started = start(app, budget=Budget(tokens=1000, seconds=90, usd=0.5), length=500)
    page = app.runs.inspect(started.run_id)
    wanted = {
        "run_id", "user_id", "journey", "status", "outcome", "route", "task", "plan", "budgets", "last_observation",
        "last_verdict", "turnitin", "artifacts", "correlation_id", "created_at", "updated_at",
    }  # fmt: skip
    assert wanted <= set(page)
    assert json.loads(json.dumps(page)) == page
    assert (page["status"], page["outcome"], page["route"], page["plan"]) == ("queued", None, "interpret", [])
    assert page["task"]["length"] == 500
    for name, limit in (("tokens", 1000), ("seconds", 90.0), ("usd", 0.5)):
        assert {key: page["budgets"][name][key] for key in ("limit", "used", "reserved")} == {
            "limit": limit, "used": 0, "reserved": 0,
        }  # fmt: skip
    assert page["created_at"].endswith("Z")


def test_an_unknown_run_is_not_found_by_any_verb(app: App) -> None:
    runs_ = app.runs
    for verb in (runs_.inspect, runs_.pause, runs_.abort, runs_.resume, runs_.budget, runs_.explain):
        with pytest.raises(NotFound):
            verb("nobody")
    with pytest.raises(NotFound):
        runs_.export("nobody", app.home / "out")


@pytest.mark.parametrize("user", ["a\0b", "..", "a\nb", ""])
def test_a_list_of_nobodys_runs_is_refused(app: App, user: str) -> None:
    with pytest.raises(InvalidInput, match="user id"):
        app.runs.page(user=user)


def test_pages_go_on_where_the_last_one_ended(app: App) -> None:
    made = [start(app, user_id=f"u{n % 2}").run_id for n in range(7)]
    seen, cursor = [], None
    while True:
        page = app.runs.page(limit=3, cursor=cursor)
        seen += [item["run_id"] for item in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert sorted(seen) == sorted(made)
    assert len(seen) == 7
    assert {item["user_id"] for item in app.runs.page(user="u1").items} == {"u1"}
    assert app.runs.page(status="done").items == []
    for bad in ("x", "1.", "1.a/b", "9" * 30 + ".a"):
        with pytest.raises(InvalidInput):
            app.runs.page(cursor=bad)


def test_events_are_waited_for_and_come_at_once_when_they_come(app: App) -> None:
    started = start(app)
    assert [event.seq for event in app.runs.wait_events(started.run_id, 0, 5.0)] == [1]
    assert app.runs.wait_events(started.run_id, 1, 0.0) == []
    app.runs.pause(started.run_id)
    assert [event.type for event in app.runs.wait_events(started.run_id, 1, 60.0)] == ["run.paused"]


def test_events_of_all_runs_are_followed_by_position(app: App) -> None:
    ids = [start(app).run_id, start(app).run_id]
    found = app.runs.all_events()
    assert [event.run_id for event in found] == ids
    assert [event.run_id for event in app.runs.all_events(after=found[0].position)] == ids[1:]


# -- steer ------------------------------------------------------------------------------------------


def test_a_queued_run_obeys_at_once(app: App) -> None:
    run_id = start(app).run_id
    paused = app.runs.pause(run_id)
    assert (paused["status"], paused["control"]) == ("paused", "applied")
    resumed = app.runs.resume(run_id)
    assert (resumed["status"], resumed["run_id"]) == ("queued", run_id)
    assert isinstance(resumed["job_id"], int)
    assert (app.runs.abort(run_id)["status"], app.runs.inspect(run_id)["outcome"]) == ("aborted", "aborted")
    for verb in (app.runs.pause, app.runs.abort, app.runs.resume):
        with pytest.raises(AlreadyEnded, match="ended"):
            verb(run_id)


def test_a_running_run_is_asked_and_a_pause_it_has_not_obeyed_is_taken_back(app: App) -> None:
    run_id = start(app).run_id
    with Presence() as presence:
        job = claim(app, run_id, presence.identity)
        asked = app.runs.pause(run_id)
        assert (asked["status"], asked["control"]) == ("running", "requested")
        assert app.runs.resume(run_id)["job_id"] == job.id
        assert app.database.read(lambda tx: tx.value("SELECT control FROM run")) is None
        with pytest.raises(HeldByAnother, match=presence.identity.split(":", maxsplit=1)[0]):
            app.runs.resume(run_id)


def test_an_abort_is_not_taken_back(app: App) -> None:
    run_id = start(app).run_id
    with Presence() as presence:
        claim(app, run_id, presence.identity)
        app.runs.abort(run_id)
        with pytest.raises(HeldByAnother):
            app.runs.resume(run_id)
    assert app.database.read(lambda tx: tx.value("SELECT control FROM run")) == "abort"


@pytest.mark.parametrize("steer", ["resume", "pause", "abort", "budget"])
def test_who_holds_the_run_is_named_where_a_frozen_writer_keeps_the_database_locked(
    steer: str, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "docs").mkdir()
    path = shutil.copy(sqlite_template, tmp_path / "autonomy.db")
    url = f"sqlite:///{path}"
    with Database(url, grow_wal=False) as database, App(Settings(home=tmp_path, database_url=url), database) as app:
        held, free = start(app).run_id, start(app).run_id
        change = {"change": Budget(usd=1.0)} if steer == "budget" else {}
        with Presence() as presence:
            claim(app, held, presence.identity)
            host, pid, _ = presence.identity.rsplit(":", 2)
            writer = sqlite.library().connect(str(path), isolation_level=None)
            writer.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match="stayed locked") as caught:
                getattr(app.runs, steer)(held, **change)
            assert f"the run is held by process {pid} on {host}" in caught.value.message
            assert "frozen" in caught.value.hint
            with pytest.raises(StorageUnavailable, match="stayed locked") as unheld:
                getattr(app.runs, steer)(free, **change)
            assert "held by" not in unheld.value.message
            writer.execute("ROLLBACK")
            writer.close()


def test_a_run_whose_holder_is_gone_is_taken_over(app: App) -> None:
    run_id = start(app).run_id
    with contextlib.suppress(KeyError), Presence() as presence:
        claim(app, run_id, presence.identity)
        raise KeyError
    assert app.runs.resume(run_id)["status"] == "queued"


def test_a_run_that_waits_for_its_retry_is_due_at_once(app: App) -> None:
    run_id = start(app).run_id
    job = claim(app, run_id)
    assert app.database.write(lambda tx: queue.fail(tx, job, "down", retryable=True))
    assert app.runs.resume(run_id)["job_id"] == job.id
    assert app.database.read(lambda tx: tx.value("SELECT state FROM job")) == "queued"


def test_a_budget_is_changed_by_name_and_told(app: App) -> None:
    run_id = start(app, budget=Budget(tokens=10, usd=1)).run_id
    answer = app.runs.budget(run_id, Budget(usd=None, seconds=5))
    assert {name: row["limit"] for name, row in answer["budgets"].items()} == {"tokens": 10, "seconds": 5.0, "usd": None}
    assert app.runs.events(run_id)[-1].type == "budget.changed"
    assert app.runs.budget(run_id) == answer


def test_the_budget_of_an_ended_run_is_not_changed_any_more(app: App) -> None:
    run_id = start(app).run_id
    app.runs.abort(run_id)
    told = app.runs.events(run_id)
    with pytest.raises(AlreadyEnded, match="ended already"):
        app.runs.budget(run_id, Budget(tokens=5))
    assert app.runs.events(run_id) == told


# -- tell -------------------------------------------------------------------------------------------


def test_the_story_has_each_decision_with_figures_and_reason(app: App) -> None:
    run_id = start(app).run_id
    job = claim(app, run_id)
    items: list[events.Item] = [
        ("plan.updated", "plan", {"steps": [{"id": "s1", "description": "Search: one"}], "why": "laid out"}),
        ("decision", "plan", {"route": "act", "why": "next: Search", "figures": {"steps": 1}, "step": "s1"}),
        ("decision", "reflect", {"route": "plan", "why": "three found", "figures": {"cards": 3}, "step": "s1"}),
        ("run.resumed", None, {"reason": "takeover", "retry": True}),
    ]
    app.database.write(lambda tx: events.append(tx, run_id, items, epoch=job.epoch))
    story = app.runs.explain(run_id)
    assert [section.title for section in story.sections] == ["The run", "Planning", "Judging", "The run"]
    assert story.sections[-1].lines[0].text == "Run resumed: another attempt"
    last = story.sections[-2].lines[0]
    assert (last.text, last.figures, last.subject) == ("three found -> plan", {"cards": 3}, "Search: one")
    assert (story.totals["decisions"], story.totals["calls"]) == (2, 0)
    assert story.headline == "write: Why? (running)"


# -- export -----------------------------------------------------------------------------------------


def with_files(app: App, *names: str) -> str:
    run_id = start(app).run_id
    unit = Unit(run_id, epoch=claim(app, run_id).epoch, lease_us=LEASE_US)
    for name in names or ("deliverable.md", "sources/s1.txt"):
        RunArtifacts(app.home, unit).put(name, name.encode(), role="deliverable", media_type="text/plain")
    write = unit.drain()
    assert write is not None
    app.database.write(write)
    return run_id


@pytest.mark.parametrize("made", [False, True])
def test_an_export_is_every_file_as_it_was_delivered(app: App, tmp_path: Path, made: bool) -> None:
    run_id, target = with_files(app), tmp_path / "a" / "out"
    if made:
        target.mkdir(parents=True)
    written = app.runs.export(run_id, target)
    assert {path.relative_to(target).as_posix(): path.read_text() for path in written} == {
        "deliverable.md": "deliverable.md",
        "sources/s1.txt": "sources/s1.txt",
    }
    assert sorted(path.name for path in target.iterdir()) == ["deliverable.md", "sources"]
    assert [path.name for path in target.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_file_that_is_not_as_delivered_stops_the_whole_export(app: App, tmp_path: Path, damage: str) -> None:
    run_id = with_files(app)
    file = app.home / "artifacts" / run_id / "sources" / "s1.txt"
    file.write_text("other") if damage == "changed" else file.unlink()
    with pytest.raises((InvalidInput, NotFound), match=r"s1\.txt"):
        app.runs.export(run_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


READ_AS_ANOTHER = """
import os, sys
from pathlib import Path
from autonomy.core.errors import ConfigurationError
from autonomy.services.export import export_files
try:
    print(len(export_files(Path(sys.argv[1]), dict([sys.argv[3:]]), Path(sys.argv[2]))))
except ConfigurationError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs permission bits")
def test_whoever_may_read_the_workspace_may_export_and_who_may_not_is_told_what_to_do(app: App, tmp_path: Path) -> None:
    run_id = with_files(app, "deliverable.md")
    folder = app.home / "artifacts" / run_id
    file = folder / "deliverable.md"
    (tmp_path / "any").touch()
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE((tmp_path / "any").stat().st_mode)
    sha256 = hashlib.sha256(b"deliverable.md").hexdigest()
    assert ordinary.run(READ_AS_ANOTHER, str(folder), str(tmp_path / "one"), file.name, sha256) == "1\n"
    file.chmod(0o000)
    told = ordinary.run(READ_AS_ANOTHER, str(folder), str(tmp_path / "two"), file.name, sha256)
    assert told.startswith(f"{file} may not be read. Have its owner make it readable")


def test_a_folder_in_use_and_a_file_are_no_place_for_an_export(app: App, tmp_path: Path) -> None:
    run_id = with_files(app)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("full", "file", "link"):
        with pytest.raises(InvalidInput, match="not an empty folder"):
            app.runs.export(run_id, tmp_path / name)
    assert (tmp_path / "full" / "mine.txt").read_text() == (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("path", ["artifacts/other/deliverable.md", "artifacts/{run}/../other/x", "/etc/passwd", "autonomy.db"])
def test_a_path_of_another_run_or_of_none_is_not_followed(app: App, tmp_path: Path, path: str) -> None:
    run_id = with_files(app)
    app.database.write(lambda tx: tx.run("UPDATE artifact SET path = :p WHERE path LIKE '%s1.txt'", p=path.format(run=run_id)))
    with pytest.raises(InvalidInput):
        app.runs.export(run_id, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_without_files_says_so(app: App, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no files yet"):
        app.runs.export(start(app).run_id, tmp_path / "out")


def test_deliverables_leave_the_stored_sources_out(app: App) -> None:
    run_id = with_files(app)
    app.database.write(lambda tx: tx.run("UPDATE artifact SET role = 'source' WHERE path LIKE '%s1.txt'"))
    (only,) = app.runs.deliverables(run_id)
    assert set(only) == {"path", "role", "media_type", "sha256", "artifact_id"}
    assert only["path"] == f"artifacts/{run_id}/deliverable.md"
    listed = app.runs.inspect(run_id)["artifacts"]
    assert len({row["artifact_id"] for row in listed} - {only["artifact_id"]}) == 1


def test_a_word_document_stands_behind_the_text_of_the_same_name(app: App) -> None:
    run_id = with_files(app, "deliverable.docx", "drafts/draft-1.docx", "drafts/draft-1.md", "deliverable.md", "report.docx")
    wanted = ["deliverable.md", "deliverable.docx", "drafts/draft-1.md", "drafts/draft-1.docx", "report.docx"]
    for rows in (app.runs.deliverables(run_id), app.runs.inspect(run_id)["artifacts"]):
        assert [row["path"].removeprefix(f"artifacts/{run_id}/") for row in rows] == wanted


def test_ids_are_found_by_a_unique_beginning(app: App) -> None:
    run_id = start(app).run_id
    assert app.runs.resolve(run_id[:6]) == run_id
    for bad in ("..", "a\n", "a\x00", ""):
        with pytest.raises(InvalidInput):
            app.runs.resolve(bad)
    with pytest.raises(NotFound):
        app.runs.resolve(new_id())
    assert app.database.read(lambda tx: runs.get(tx, run_id)).id == run_id
