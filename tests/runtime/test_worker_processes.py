"""Real worker processes: killed, frozen, drained, and many at once."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.core.events import Event
from autonomy.runtime import backlog, events, queue, runs
from autonomy.storage.database import Database, Tx

SCRIPT = Path(__file__).with_name("worker_process.py")
PATIENCE = 90.0
_names = itertools.count(1)


class Process:
    """A worker process; `told(action)` waits for that transition."""

    def __init__(self, url: str, folder: Path, *, lease: float = 3600, concurrency: int = 4, mode: str = "serve") -> None:
        command = [sys.executable, str(SCRIPT), url, str(lease), str(concurrency), mode]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(folder)})

    @property
    def pid(self) -> int:
        return self.child.pid

    def told(self, action: str) -> dict[str, Any]:
        assert self.child.stdout is not None
        for line in self.child.stdout:
            record: dict[str, Any] = json.loads(line)
            if record["action"] == action:
                return record
        raise AssertionError(f"the worker ended without {action}")

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def freeze(self, _: Tx) -> None:
        """Stop it. While this transaction is open it is inside none: on SQLite a frozen one's lock would stay."""
        self.send(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()

    def end(self) -> int:
        """Wait for its exit, reading what it says meanwhile."""
        self.child.communicate(timeout=PATIENCE)
        return self.child.returncode


@pytest.fixture
def start(database: Database, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts workers on the test's database; none outlives the test."""
    begun: list[Process] = []

    def begin(**options: Any) -> Process:
        begun.append(Process(database.url, tmp_path, **options))
        return begun[-1]

    yield begin
    for process in begun:
        process.child.kill()
        process.child.communicate()


def enqueue(database: Database, goal: str, user: str = "u", *, max_attempts: int = 5) -> str:
    name = f"p{next(_names)}"

    def write(tx: Tx) -> None:
        runs.create(tx, runs.NewRun(user, "write", goal, {}, "", "c", id=name))
        queue.enqueue_start(tx, name, max_attempts=max_attempts)

    database.write(write)
    return name


def story(database: Database, run_id: str) -> list[Event]:
    return database.read(lambda tx: events.read(tx, run_id, limit=100_000))


def until(database: Database, question: Callable[[Tx], Any]) -> Any:
    """The first true answer."""
    limit = time.monotonic() + PATIENCE
    while not (answer := database.read(question)):
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.02)
    return answer


def test_a_killed_workers_job_is_taken_over_at_once_with_one_more_attempt(
    database: Database, start: Callable[..., Process]
) -> None:
    name = enqueue(database, "write")
    victim = start()
    victim.told("job.claimed")
    heir = start()
    heir.told("worker.started")
    until(database, lambda tx: len(events.read(tx, name)) > 5)
    victim.kill()
    claimed = heir.told("job.claimed")
    assert (claimed["run_id"], claimed["attempts"]) == (name, 2)
    resumed = [event for event in story(database, name) if event.type == "run.resumed"]
    assert [event.content["reason"] for event in resumed] == ["takeover"]
    written = [event.content for event in story(database, name) if event.type == "decision"]
    assert {content["epoch"] for content in written if content["pid"] == victim.pid} == {1}
    assert {content["epoch"] for content in written if content["pid"] == heir.pid} <= {claimed["epoch"]}


def test_a_frozen_worker_writes_nothing_after_the_takeover(database: Database, start: Callable[..., Process]) -> None:
    name = enqueue(database, "stubborn")
    frozen = start(lease=1)
    frozen.told("job.claimed")
    until(database, lambda tx: len(events.read(tx, name)) > 5)
    database.write(frozen.freeze)
    heir = start(lease=1)
    claimed = heir.told("job.claimed")
    taken_at = next(event.seq for event in story(database, name) if event.type == "run.resumed")
    frozen.send(signal.SIGCONT)
    frozen.told("job.lost")
    until(database, lambda tx: len(events.read(tx, name, after=taken_at)) > 20)
    after = [event for event in story(database, name) if event.seq > taken_at]
    assert {event.content.get("pid") for event in after} == {heir.pid}
    assert claimed["run_id"] == name


def test_a_job_that_kills_every_worker_ends_as_failed_after_its_attempts(
    database: Database, start: Callable[..., Process]
) -> None:
    name = enqueue(database, "die", max_attempts=3)
    sound = enqueue(database, "quick")
    for _ in range(3):
        assert start(concurrency=1).end() == -signal.SIGKILL
    assert start(concurrency=1, mode="until-idle").end() == 0
    run = database.read(lambda tx: runs.get(tx, name))
    assert (run.status, run.error) == ("failed", "it killed its worker 3 times")
    assert [event.type for event in story(database, name)].count("run.failed") == 1
    assert database.read(lambda tx: runs.get(tx, sound)).status == "done"


def test_sigterm_hands_work_back_without_costing_an_attempt_and_a_second_one_does_not_wait(
    database: Database, start: Callable[..., Process]
) -> None:
    polite = enqueue(database, "write")
    one = start()
    one.told("job.claimed")
    one.send(signal.SIGTERM)
    assert one.end() == 0
    row = database.read(lambda tx: tx.row("SELECT state, attempts, reason FROM job"))
    assert row == {"state": "queued", "attempts": 0, "reason": "drain"}
    database.write(lambda tx: runs.request_control(tx, polite, "abort"))

    rude = enqueue(database, "stubborn")
    two = start()
    two.told("job.claimed")
    two.send(signal.SIGTERM)
    two.told("worker.draining")
    two.send(signal.SIGTERM)
    assert two.end() == 130
    assert database.read(lambda tx: runs.get(tx, rude)).status == "running"
    assert start().told("job.claimed")["attempts"] == 2


def test_eight_workers_do_four_hundred_jobs_once_each_and_no_user_exceeds_the_limit(
    database: Database, start: Callable[..., Process]
) -> None:
    names = [enqueue(database, "quick", user=f"user-{number % 20 if number < 200 else 0}") for number in range(400)]
    workers = [start(mode="until-idle") for _ in range(8)]
    assert [process.end() for process in workers] == [0] * 8
    told = database.read(lambda tx: tx.tuples("SELECT run_id, type, created_at FROM event ORDER BY created_at, position"))
    users = dict(database.read(lambda tx: tx.tuples("SELECT id, user_id FROM run")))
    running: dict[str, int] = {}
    begun, ended = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for run_id, type_, _ in told:
        user = users[run_id]
        if type_ in ("run.started", "run.resumed"):
            begun[run_id] += 1
            running[user] = running.get(user, 0) + 1
            assert running[user] <= 2
        if type_ == "run.done":
            ended[run_id] += 1
            running[user] -= 1
    assert set(begun.values()) == set(ended.values()) == {1}
    assert database.read(backlog.check) == []
    if database.path is None:
        sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert database.read(lambda tx: tx.value(sql)) == 0
