"""Waits for reports: the state machine walked at random against a plain model, and its promises under concurrency."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomy.core.errors import AlreadyDecided, AutonomyError, InvalidInput, NotFound, StorageError
from autonomy.runtime import backlog, events, queue, runs
from autonomy.storage.database import Database, Tx
from autonomy.turnitin import cycles
from autonomy.turnitin.cycles import TRANSITIONS, Acceptance, Arrived, Cycle, Handoff

LONG = 10**12
_names = itertools.count(1)


def handed(n: int = 1, **more: Any) -> Handoff:
    return Handoff(n, 15.0, f"artifacts/r/drafts/draft-{n}.md", "0" * 64, **more)


def waiting(database: Database, user: str = "u") -> tuple[str, Cycle]:
    """A run that waits for its first report."""
    name = f"r{next(_names)}"

    def write(tx: Tx) -> Cycle:
        runs.create(tx, runs.NewRun(user, "write", "goal", {}, "", "c", id=name))
        queue.enqueue_start(tx, name)
        job = queue.claim(tx, "w", LONG, name)
        assert job is not None
        opened: list[Cycle] = []

        def begin(tx: Tx) -> dict[str, Any]:
            opened.append(cycles.open_cycle(tx, name, handed())[0])
            return {"cycle_id": opened[0].id}

        queue.wait_human(tx, job, begin)
        return opened[0]

    return name, database.write(write)


def bring(database: Database, run: str, observed: float = 34.0, sha256: str = "a", cycle: str | None = None) -> Acceptance:
    return database.write(lambda tx: cycles.accept_report(tx, run, cycle, Arrived(observed, sha256)))


def now(database: Database, cycle: Cycle) -> Cycle:
    return database.read(lambda tx: cycles.get(tx, cycle.id))


def jobs(database: Database, run: str) -> list[tuple[Any, ...]]:
    sql = "SELECT id, reason FROM job WHERE run_id = :run AND reason = 'report' ORDER BY id"
    return database.read(lambda tx: tx.tuples(sql, run=run))


def story(database: Database, run: str) -> list[str]:
    return [event.type for event in database.read(lambda tx: events.read(tx, run))]


# -- the machine -------------------------------------------------------------------------------------

MOVES = ("open", "report", "same report", "other report", "accept", "reject", "give up", "abort")


@given(st.lists(st.sampled_from(MOVES), max_size=14))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_walk_leaves_the_machine(database: Database, moves: list[str]) -> None:
    run, cycle = waiting(database)
    status, ended, taken = "awaiting_report", False, None
    for move in moves:
        before = status
        match move:
            case "open":
                again, new = database.write(lambda tx: cycles.open_cycle(tx, run, handed()))
                assert (again.id, new) == (cycle.id, False)
            case "report" | "same report" | "other report":
                sha = {"report": "a", "same report": taken or "a", "other report": "b"}[move]
                try:
                    answer = bring(database, run, sha256=sha)
                except AlreadyDecided:
                    assert status != "awaiting_report"
                    assert sha != taken
                else:
                    assert answer.duplicate == (sha == taken)
                    if not answer.duplicate:
                        assert (status, ended) == ("awaiting_report", False)
                        status, taken = "report_ready", sha
            case "accept" | "reject":
                word = "accepted" if move == "accept" else "rejected"
                if database.write(lambda tx, word=word: cycles.decide(tx, cycle.id, word, "why")):  # type: ignore[misc]
                    status = word
            case "give up":
                if database.write(lambda tx: cycles.give_up(tx, cycle.id, "over")):
                    status = "rejected"
            case "abort":
                database.write(lambda tx: runs.request_control(tx, run, "abort"))
                ended = True
                if status in ("awaiting_report", "report_ready"):
                    status = "rejected"
        found = now(database, cycle)
        assert found.status == status
        assert status == before or status in TRANSITIONS[before]  # type: ignore[index]
        assert len(jobs(database, run)) == (taken is not None) == (found.resume_job_id is not None)
        assert found.open == (status in ("awaiting_report", "report_ready"))
    assert database.read(backlog.check) == []


@pytest.mark.parametrize("status", ["waiting", "", "ACCEPTED"])
def test_the_database_knows_four_statuses(database: Database, status: str) -> None:
    _, cycle = waiting(database)
    with pytest.raises(StorageError):
        database.write(lambda tx: tx.run("UPDATE cycle SET status = :status WHERE id = :id", status=status, id=cycle.id))
    assert now(database, cycle).status == "awaiting_report"


def test_the_database_lets_no_run_wait_twice(database: Database) -> None:
    run, cycle = waiting(database)
    with pytest.raises(StorageError):
        database.write(lambda tx: cycles.open_cycle(tx, run, handed(2)))
    assert [each.id for each in database.read(lambda tx: cycles.history(tx, run))] == [cycle.id]


# -- reports -----------------------------------------------------------------------------------------


def test_a_report_its_word_and_the_next_job_are_one_transaction(database: Database) -> None:
    run, cycle = waiting(database)

    def cut_short(tx: Tx) -> None:
        cycles.accept_report(tx, run, None, Arrived(34.0, "a"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write(cut_short)
    assert (now(database, cycle).status, jobs(database, run)) == ("awaiting_report", [])
    assert "turnitin.report_ready" not in story(database, run)
    answer = bring(database, run)
    assert [(answer.cycle.resume_job_id, "report")] == jobs(database, run)
    assert story(database, run)[-2:] == ["turnitin.report_ready", "run.queued"]


def test_any_number_of_identical_reports_at_once_resume_once(database: Database) -> None:
    run, cycle = waiting(database)
    ready = threading.Barrier(20)

    def at_once(_: int) -> Acceptance:
        ready.wait(timeout=60)
        return bring(database, run)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(at_once, range(20)))
    assert sum(not answer.duplicate for answer in answers) == 1
    (job,) = jobs(database, run)
    assert {answer.cycle.resume_job_id for answer in answers} == {job[0]}
    assert now(database, cycle).status == "report_ready"


def test_of_different_reports_at_once_one_is_taken(database: Database) -> None:
    run, _ = waiting(database)
    ready = threading.Barrier(8)

    def at_once(n: int) -> str:
        ready.wait(timeout=60)
        try:
            return f"taken {bring(database, run, sha256=f's{n}').duplicate}"
        except AlreadyDecided as error:
            return error.message

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(at_once, range(8)))
    assert answers.count("taken False") == 1
    assert sum("has another report already" in answer for answer in answers) == 7
    assert len(jobs(database, run)) == 1


def test_a_report_for_a_paused_run_is_kept_for_its_resume(database: Database) -> None:
    run, cycle = waiting(database)
    database.write(lambda tx: tx.run("UPDATE run SET status = 'paused' WHERE id = :id", id=run))
    answer = bring(database, run)
    assert (answer.cycle.status, answer.cycle.resume_job_id, answer.duplicate) == ("report_ready", None, False)
    assert database.write(lambda tx: queue.enqueue_resume(tx, run, "operator")) is not None
    assert now(database, cycle).status == "report_ready"


@pytest.mark.parametrize(
    ("case", "error", "words"),
    [
        ("foreign cycle", NotFound, "no cycle"),
        ("unknown run", NotFound, "no such run|no run"),
        ("no cycle", NotFound, "waits for no report"),
        ("ended run", AlreadyDecided, "closed without a report"),
        ("given up", AlreadyDecided, "closed without a report"),
        ("101", InvalidInput, "not a percentage"),
        ("-1", InvalidInput, "not a percentage"),
        ("nan", InvalidInput, "not a percentage"),
        ("inf", InvalidInput, "not a percentage"),
    ],
)
def test_what_is_refused_changes_nothing(database: Database, case: str, error: type[AutonomyError], words: str) -> None:
    run, cycle = waiting(database)
    _, foreign = waiting(database)
    named, observed, whose = None, 34.0, run
    if case == "foreign cycle":
        named = foreign.id
    elif case == "unknown run":
        whose = "nobody"
    elif case == "no cycle":
        whose = "bare"
        database.write(lambda tx: runs.create(tx, runs.NewRun("u", "write", "g", {}, "", "c", id="bare")))
    elif case == "ended run":
        database.write(lambda tx: runs.request_control(tx, run, "abort"))
    elif case == "given up":
        database.write(lambda tx: cycles.give_up(tx, cycle.id, "over"))
    else:
        observed = float(case)
    before = (now(database, cycle), now(database, foreign), story(database, run))
    with pytest.raises(error, match=words):
        bring(database, whose, observed, cycle=named)
    assert (now(database, cycle), now(database, foreign), story(database, run)) == before
    assert jobs(database, run) == []


def test_the_same_report_is_a_duplicate_long_after(database: Database) -> None:
    run, cycle = waiting(database)
    first = bring(database, run)
    database.write(lambda tx: cycles.decide(tx, cycle.id, "accepted", "enough"))
    database.write(lambda tx: runs.request_control(tx, run, "abort"))
    again = bring(database, run)
    assert (again.duplicate, again.cycle.status, again.cycle.resume_job_id) == (True, "accepted", first.cycle.resume_job_id)


def test_a_deadline_is_reminded_of_once_by_whoever_sees_it_first(database: Database) -> None:
    _, cycle = waiting(database)
    database.write(lambda tx: tx.run("UPDATE cycle SET deadline_at = 1 WHERE id = :id", id=cycle.id))
    (due,) = database.read(lambda tx: cycles.overdue(tx))
    assert [database.write(lambda tx: cycles.remind(tx, due, LONG)) for _ in range(2)] == [True, False]
    assert (now(database, cycle).reminded, database.read(lambda tx: cycles.overdue(tx))) == (1, [])
