"""Deaths between a task's file, its audit line, its row and its run: what was cut short is finished, and nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autonomy.audit.verify import verify
from autonomy.core.errors import AlreadyDecided
from autonomy.services.tasks import NewTask
from autonomy.storage.database import Database
from tests.services.task_flow import DELIVERED, MISSED, Died, check, dying, live, look, opened, told, work

ROOT = Path(__file__).parents[2]


def die() -> None:
    raise Died


@pytest.mark.parametrize("outcome", [MISSED, DELIVERED])
def test_a_task_lives_on_after_a_death_at_any_step(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    at, ended = 0, False
    while not ended:
        at += 1
        with opened(tmp_path / "home", database.url) as app, dying(at, die) as steps:
            try:
                live(app, app.tasks, f"t{at}", outcome)
                ended = True
            except Died:
                assert len(steps) == at
        with opened(tmp_path / "home", database.url) as app:
            app.tasks.reconcile()
            assert told(app, app.tasks)
            live(app, app.tasks, f"t{at}", outcome)
            check(app, app.tasks, f"t{at}", outcome)
            assert app.tasks.reconcile() == 0
    assert at > (30 if outcome == MISSED else 20)


def test_nobody_has_accepted_a_result_whose_report_was_cut_short(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    new = NewTask(
        source="http",
        request_text="Why?",
        journey="research",
        task_id="t1",
        acceptance_criteria=[{"id": "c1", "text": "In Spanish."}],
    )
    with opened(tmp_path / "home", database.url) as app:
        app.tasks.create(new)
        app.tasks.approve("t1", "ada")
        work(app, app.tasks, "t1", DELIVERED)
        with dying(1, die), pytest.raises(Died):
            app.tasks.report_pending()  # the result stands in the file, and nothing has told it
    with opened(tmp_path / "home", database.url) as app:
        with pytest.raises(AlreadyDecided):
            app.tasks.approve("t1", "ada")  # the yes to the work was whole: this is no repetition of it
        app.tasks.report_pending()
        assert look(app, "t1")["status"] == "needs_review"
        assert app.tasks.approve("t1", "ada")["status"] == "approved"


def test_a_task_lives_on_after_a_kill_at_this_step_or_that(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = tmp_path / "home"
    argv = [sys.executable, "-W", "error", "-m", "tests.services.task_flow", str(home), database.url]
    process = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert process.returncode == 0, process.stderr[-2000:]
    rows = [json.loads(line) for line in process.stdout.splitlines()]
    assert [row["killed"] for row in rows] == [True] * (len(rows) - 1) + [False]
    assert len(rows) > 7
    with opened(home, database.url) as app:
        app.tasks.reconcile()
        assert told(app, app.tasks)
        for row in rows:
            live(app, app.tasks, row["task"])
            check(app, app.tasks, row["task"])
        assert app.tasks.reconcile() == 0
        assert verify(home / "audit", app.database).ok
