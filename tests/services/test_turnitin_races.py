"""Reports beside what else happens at that moment: a resume, a deadline, a broken file of another run, a repetition."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable

import pytest

from autonomy.bootstrap.app import App
from autonomy.core.errors import AlreadyDecided, InvalidInput
from autonomy.runtime import events, queue
from autonomy.runtime.queue import Job
from autonomy.services.tasks import NewTask
from autonomy.services.turnitin import Brought
from autonomy.storage.database import Tx
from autonomy.turnitin import cycles
from autonomy.turnitin.gate import ReportGate
from tests.commands import CORPUS
from tests.services.test_turnitin import LONG, app, file_of, over, plain, status, waits

__all__ = ["app"]


def looked(app: App, on_expiry: str = "remind") -> tuple[str, Callable[[], None]]:
    """An operator has resumed a run that waits, and its worker has found the gate shut; (cycle, how the worker goes on)."""
    cycle = waits(app, on_expiry=on_expiry, wait_us=1)
    draft = {"n": 1, "target": 15.0, "document": "d.md", "document_sha256": "0" * 64, "wait_us": 1, "on_expiry": on_expiry}

    def resumed(tx: Tx) -> Job:
        sql = "INSERT INTO record (run_id, kind, key, number, body, created_at) VALUES ('r1', 'handoff', '1', 1, :body, 1)"
        tx.run(sql, body=json.dumps(draft))
        queue.enqueue_resume(tx, "r1", "operator")
        job = queue.claim(tx, "w", LONG, "r1")
        assert job is not None
        return job

    job = app.database.write(resumed)
    gate = ReportGate()
    assert app.database.read(lambda tx: gate.shut(tx, "r1"))

    def stand(tx: Tx) -> None:
        queue.wait_human(tx, job, lambda tx: gate.begin(tx, "r1", job.epoch))

    return cycle, lambda: app.database.write(stand)


def test_a_report_that_comes_while_a_resumed_run_stops_again_is_acted_on(app: App) -> None:
    _, stand = looked(app)
    app.turnitin.report("r1", Brought(similarity=11.0), "ada")
    stand()
    app.turnitin.tend()
    assert status(app) == "queued"


def test_a_run_that_stops_again_without_its_report_waits_on_and_does_not_ask_again(app: App) -> None:
    _, stand = looked(app)
    stand()
    assert status(app) == "waiting_human"
    told = [event.type for event in app.database.read(lambda tx: events.read(tx, "r1"))]
    assert told[-1] == "run.waiting_human"
    assert "turnitin.awaiting_report" not in told  # the first wait was opened without it: only a new one is told


def test_a_deadline_that_ends_while_a_resumed_run_stops_again_is_acted_on(app: App) -> None:
    cycle, stand = looked(app, "fail")
    over(app, cycle)
    app.turnitin.tend()
    stand()
    assert status(app) == "queued"  # it goes on, to end as the policy says: see what the node decides


def test_a_task_whose_report_came_is_given_to_nobody(app: App) -> None:
    cycle = waits(app)
    app.turnitin.report("r1", Brought(similarity=11.0), "ada")
    app.tasks.reconcile()
    task = file_of(app, cycle)
    assert "dispatches" not in task or task["dispatches"] == []
    assert task.get("error") is None
    assert len(app.runs.page().items) == 1


@pytest.mark.parametrize("broken", ["taken", "empty", "gone"])
def test_the_broken_task_file_of_one_run_keeps_no_other_report_from_being_taken(app: App, broken: str) -> None:
    cycle = waits(app)
    name = f"report-{cycle}"
    if broken == "taken":
        new = NewTask(source="cli", request_text="mine", task_id=name, task_spec={"corpus": str(CORPUS)})
        with pytest.raises(InvalidInput, match="belong to runs"):
            app.tasks.create(new)
        path = app.home / "ssot" / f"{name}.json"
        path.parent.mkdir(exist_ok=True)
        about = {"source": "cli", "correlation_id": "c", "created_at": "2026-01-01T00:00:00Z", "request_text": "by hand"}
        path.write_text(json.dumps({"task_id": name, "status": "pending", "revision": 1, **about}))
    else:
        app.turnitin.tell()
        path = app.home / "ssot" / f"{name}.json"
        if broken == "empty":
            path.write_text("")
        else:
            path.unlink()
        app.database.write(lambda tx: cycles.give_up(tx, cycle, "over"))
    waits(app, name="r2")
    assert app.turnitin.report("r2", Brought(similarity=11.0), "ada")["duplicate"] is False
    app.tasks.audit_runs(5.0)
    lines = [json.loads(line)["action"] for line in (app.home / "audit" / "events.jsonl").read_text().splitlines()]
    assert lines.count("turnitin_report_accepted") == 1
    assert file_of(app, app.turnitin.status("r2")["cycle_id"])["status"] == "approved"


def test_a_report_file_that_comes_again_is_not_the_report_of_the_next_draft(app: App) -> None:
    first = waits(app)
    app.turnitin.report("r1", Brought(plain(34), "report.json"), "ada")

    def next_draft(tx: Tx) -> None:
        cycles.decide(tx, first, "rejected", "above")
        job = queue.claim(tx, "w", LONG, "r1")
        assert job is not None
        handed = cycles.Handoff(2, 15.0, cycles.get(tx, first).document, "0" * 64)

        def begin(tx: Tx) -> dict[str, str]:
            return {"cycle_id": cycles.open_cycle(tx, "r1", handed)[0].id}

        queue.wait_human(tx, job, begin)

    app.database.write(next_draft)
    with contextlib.suppress(AlreadyDecided):
        assert app.turnitin.report("r1", Brought(plain(34), "report.json"), "ada")["duplicate"] is True
    assert app.turnitin.status("r1")["status"] == "awaiting_report"
