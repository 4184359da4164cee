"""Reports as services take them: the task that asks for one, figures that contradict each other, waits that are over."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.audit.verify import verify
from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import Settings
from autonomy.core.errors import AlreadyDecided, InvalidInput, NotFound
from autonomy.runtime import events, queue, runs
from autonomy.services.turnitin import Brought, bytes_of
from autonomy.storage.database import Database, Tx
from autonomy.turnitin import cycles

LONG = 10**12
DRAFT = "# Leases\n\nA lease is a lock with an expiry date that the worker must renew before it has come.\n"


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    home = tmp_path / "home"
    home.mkdir()
    with App(Settings(home=home, database_url=database_url), Database(database_url, grow_wal=False)) as opened:
        yield opened


def waits(app: App, *, name: str = "r1", on_expiry: str = "remind", wait_us: int | None = None) -> str:
    """A run that waits for the report of its first draft; its cycle's id."""
    path = f"artifacts/{name}/drafts/draft-1.md"
    (app.home / path).parent.mkdir(parents=True)
    (app.home / path).write_text(DRAFT, encoding="utf-8")
    handoff = cycles.Handoff(1, 15.0, path, "0" * 64, wait_us, on_expiry)  # type: ignore[arg-type]

    def write(tx: Tx) -> str:
        runs.create(tx, runs.NewRun("ada", "write", "Why leases?", {"target_similarity": 15}, "", "corr", id=name))
        queue.enqueue_start(tx, name)
        job = queue.claim(tx, "w", LONG, name)
        assert job is not None
        opened: list[str] = []

        def begin(tx: Tx) -> dict[str, Any]:
            opened.append(cycles.open_cycle(tx, name, handoff)[0].id)
            return {}

        queue.wait_human(tx, job, begin)
        return opened[0]

    return app.database.write(write)


def file_of(app: App, cycle: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((app.home / "ssot" / f"report-{cycle}.json").read_text())
    return found


def status(app: App, run: str = "r1") -> str:
    return app.database.read(lambda tx: runs.get(tx, run)).status


def over(app: App, cycle: str) -> None:
    app.database.write(lambda tx: tx.run("UPDATE cycle SET deadline_at = 1 WHERE id = :id", id=cycle))


# -- the task that asks ------------------------------------------------------------------------------


def test_a_wait_becomes_a_task_file_that_says_how_to_bring_the_report(app: App) -> None:
    cycle = waits(app)
    assert app.turnitin.tell() == 1
    task = file_of(app, cycle)
    assert (task["status"], task["source"], task["user_id"], task["correlation_id"]) == ("pending", "run", "ada", "corr")
    assert task["report"]["document"] in task["report"]["how"]
    assert "autonomy turnitin report r1" in task["report"]["how"]
    assert app.turnitin.tell() == 0
    app.turnitin.report("r1", Brought(similarity=11.0), "ada")
    task = file_of(app, cycle)
    assert (task["status"], task["report"]["observed_similarity"]) == ("approved", 11)
    assert app.turnitin.tell() == 0
    assert verify(app.home / "audit", app.database).ok


def test_the_same_draft_in_another_format_is_named_wherever_the_draft_is(app: App) -> None:
    cycle = waits(app)

    def artifact(name: str, role: str) -> None:
        path = f"artifacts/r1/{name}"
        values = {"id": f"a{len(name)}{role}", "path": path, "role": role}
        sql = (
            "INSERT INTO artifact (id, run_id, role, path, media_type, sha256, size, created_at) "
            "VALUES (:id, 'r1', :role, :path, 'x/y', '0', 1, 1)"
        )
        app.database.write(lambda tx: tx.run(sql, **values))

    for name in ("drafts/draft-1.md", "drafts/draft-1.docx", "drafts/draft-10.docx"):
        artifact(name, "draft")
    artifact("deliverable.docx", "deliverable")
    copies = ["artifacts/r1/drafts/draft-1.docx"]
    assert app.turnitin.status("r1")["copies"] == app.turnitin.status("r1")["cycles"][0]["copies"] == copies
    handed = app.turnitin.handoff("r1")
    assert (handed["document"], handed["copies"]) == ("artifacts/r1/drafts/draft-1.md", copies)
    assert handed["how"].startswith("Have artifacts/r1/drafts/draft-1.md or artifacts/r1/drafts/draft-1.docx checked, then:")
    app.turnitin.tell()
    asked = file_of(app, cycle)["report"]
    assert (asked["copies"], asked["how"]) == (copies, handed["how"])
    assert app.runs.inspect("r1")["turnitin"]["copies"] == copies


def test_nobody_decides_about_a_task_that_asks_for_a_report(app: App) -> None:
    cycle = waits(app)
    app.turnitin.tell()
    for decide in (app.tasks.approve, app.tasks.reject):
        with pytest.raises(AlreadyDecided, match="asks for a similarity report") as caught:
            decide(f"report-{cycle}", "ada")
        assert "turnitin report" in caught.value.hint
    assert app.tasks.reconcile() == 0
    assert (status(app), file_of(app, cycle)["status"]) == ("waiting_human", "pending")


def test_a_teller_that_died_between_file_and_row_is_made_up_for(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle = waits(app)

    def die(tx: Tx, cycle: cycles.Cycle) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(cycles, "mark_told", die)
        with pytest.raises(KeyboardInterrupt):
            app.turnitin.tell()
    assert file_of(app, cycle)["status"] == "pending"
    assert (app.turnitin.tell(), app.turnitin.tell()) == (1, 0)
    assert file_of(app, cycle)["revision"] == 1


# -- reports -----------------------------------------------------------------------------------------


def plain(overall: Any, *passages: str) -> bytes:
    return json.dumps({"overall": overall, "flagged": [{"text": each} for each in passages]}).encode()


def test_a_report_file_is_kept_read_and_held_against_the_draft(app: App) -> None:
    cycle = waits(app)
    passage = "a lock with an expiry date that the worker must renew"
    taken = app.turnitin.report("r1", Brought(plain(34, passage), "report.json"), "ada")
    assert (taken["observed_similarity"], taken["duplicate"], taken["status"]) == (34, False, "report_ready")
    found = app.turnitin.status("r1")
    (flagged,) = found["report"]["flagged"]
    assert DRAFT[flagged["start"] : flagged["end"]] == passage
    kept = app.database.read(lambda tx: cycles.get(tx, cycle)).report_path
    assert kept is not None
    assert (app.home / kept).read_bytes() == plain(34, passage)
    again = app.turnitin.report("r1", Brought(plain(34, passage), "another-name.json"), "bob")
    assert (again["duplicate"], again["resume_job_id"]) == (True, taken["resume_job_id"])


@pytest.mark.parametrize(
    ("brought", "error", "words"),
    [
        (Brought(), InvalidInput, "no file and no similarity"),
        (Brought(plain(34), "report.json", similarity=12.0), InvalidInput, "says 34 %, not 12 %"),
        (Brought(plain(None), "report.json"), InvalidInput, "no overall similarity|report.json"),
        (Brought(b"", "report.pdf"), InvalidInput, "report.pdf"),
        (Brought(b"%PDF-1.7 nothing more", "report.pdf"), InvalidInput, "report.pdf"),
        (Brought(b'{"status": "PENDING", "overall_match_percentage": 12}', "report.json"), InvalidInput, "report.json"),
        (Brought(similarity=12.0, cycle_id="another"), NotFound, "no cycle"),
    ],
    ids=["nothing", "contradiction", "no figure", "empty", "broken", "not ready", "foreign"],
)
def test_what_is_refused_is_audited_and_the_run_waits_on(
    app: App, brought: Brought, error: type[Exception], words: str
) -> None:
    cycle = waits(app)
    with pytest.raises(error, match=words):
        app.turnitin.report("r1", brought, "ada")
    lines = [json.loads(line) for line in (app.home / "audit" / "events.jsonl").read_text().splitlines()]
    assert [line["action"] for line in lines] == ["turnitin_report_refused"]
    assert lines[0]["reason"]
    assert not list((app.home / "reports").rglob("*.*"))
    assert app.database.read(lambda tx: cycles.get(tx, cycle)).status == "awaiting_report"
    assert status(app) == "waiting_human"


def test_a_report_that_is_known_is_no_report_for_a_cycle_of_another_run(app: App) -> None:
    waits(app)
    foreign = waits(app, name="r2")
    app.turnitin.report("r1", Brought(plain(34), "report.json"), "ada")
    with pytest.raises(NotFound, match="no cycle"):
        app.turnitin.report("r1", Brought(plain(34), "report.json", cycle_id=foreign), "ada")


def test_a_name_with_an_endless_ending_is_no_hindrance(app: App) -> None:
    waits(app)
    assert app.turnitin.report("r1", Brought(plain(34), "a." + "x" * 300), "ada")["duplicate"] is False


def test_only_an_ordinary_file_is_read_and_nothing_is_waited_for(tmp_path: Path) -> None:
    fifo, there = tmp_path / "fifo", tmp_path / "there.json"
    os.mkfifo(fifo)
    there.write_bytes(plain(34))
    (tmp_path / "link.json").symlink_to(there)
    assert bytes_of(tmp_path / "link.json") == plain(34)
    for path in (fifo, tmp_path, Path("/dev/zero"), tmp_path / "nothing"):
        with pytest.raises(InvalidInput, match=path.name):
            bytes_of(path)


def test_an_accepted_report_is_audited_though_whoever_brought_it_died_then(app: App) -> None:
    cycle = waits(app)
    app.database.write(lambda tx: cycles.accept_report(tx, "r1", cycle, cycles.Arrived(11.0, "s", uploader="ada")))
    assert app.turnitin.status("r1")["status"] == "report_ready"
    app.tasks.audit_runs(5.0)
    lines = [json.loads(line) for line in (app.home / "audit" / "events.jsonl").read_text().splitlines()]
    (found,) = [line for line in lines if line["action"] == "turnitin_report_accepted"]
    assert (found["actor"], found["observed_similarity"], found["cycle_id"]) == ("ada", 11, cycle)


def test_a_figure_beside_a_report_that_has_none_is_taken(app: App) -> None:
    waits(app)
    taken = app.turnitin.report("r1", Brought(plain(34), "report.json", similarity=34.4), "ada")
    assert taken["observed_similarity"] == 34


# -- waits that are over -----------------------------------------------------------------------------


def story(app: App) -> list[str]:
    return [event.type for event in app.database.read(lambda tx: events.read(tx, "r1"))]


def test_an_overdue_report_is_reminded_of_once_a_day(app: App) -> None:
    cycle = waits(app, wait_us=1)
    over(app, cycle)
    assert (app.turnitin.tend(), app.turnitin.tend()) == (1, 0)
    told = app.database.read(lambda tx: events.read(tx, "r1"))[-1]
    assert (told.type, told.content["reminder"]) == ("turnitin.awaiting_report", 1)
    assert status(app) == "waiting_human"


def test_a_wait_that_is_over_fails_the_run_where_the_policy_says_so(app: App) -> None:
    cycle = waits(app, on_expiry="fail", wait_us=1)
    over(app, cycle)
    assert (app.turnitin.tend(), app.turnitin.tend()) == (1, 0)
    run = app.database.read(lambda tx: runs.get(tx, "r1"))
    assert (run.status, run.outcome) == ("failed", "failed")
    assert "no report came" in (run.error or "")
    assert story(app)[-2:] == ["turnitin.rejected", "run.failed"]
    app.turnitin.tell()
    assert file_of(app, cycle)["status"] == "rejected"


def test_a_wait_that_is_over_goes_on_without_its_report_where_the_policy_says_so(app: App) -> None:
    cycle = waits(app, on_expiry="deliver_as_is", wait_us=1)
    over(app, cycle)
    assert app.turnitin.tend() == 1
    assert status(app) == "queued"
    with pytest.raises(AlreadyDecided, match="without a report"):
        app.turnitin.report("r1", Brought(similarity=3.0), "ada")
    assert app.database.read(lambda tx: cycles.get(tx, cycle)).status == "rejected"


def test_an_aborted_run_waits_for_nothing(app: App) -> None:
    cycle = waits(app)
    app.runs.abort("r1")
    assert app.database.read(lambda tx: cycles.get(tx, cycle)).status == "rejected"
    with pytest.raises(AlreadyDecided):
        app.turnitin.report("r1", Brought(similarity=3.0), "ada")
