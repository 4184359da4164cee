"""The worker: each job to exactly one end, whatever the execution, the operator or the machine does."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from autonomy.core.errors import (
    HeldByAnother,
    Interrupted,
    InvalidInput,
    LeaseLost,
    NotFound,
    ProviderRefused,
    ProviderUnavailable,
    WaitingForPerson,
)
from autonomy.runtime import backlog, events, queue, runs, worker
from autonomy.runtime.lease import Presence
from autonomy.runtime.queue import Job
from autonomy.runtime.wake import Wake
from autonomy.runtime.worker import Failed, Finished, JobEnd, JobHandle, Lost, Paused, Released, Waiting, Worker
from autonomy.storage.database import Database, Tx

_names = itertools.count(1)


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def enqueue(database: Database, user: str = "u", *, max_attempts: int = 5) -> str:
    name = f"w{next(_names)}"

    def write(tx: Tx) -> None:
        runs.create(tx, runs.NewRun(user, "write", "goal", {}, "", "c", id=name))
        queue.enqueue_start(tx, name, max_attempts=max_attempts)

    database.write(write)
    return name


def run_of(database: Database, run_id: str) -> runs.Run:
    return database.read(lambda tx: runs.get(tx, run_id))


def story(database: Database, run_id: str) -> list[str]:
    return [event.type for event in database.read(lambda tx: events.read(tx, run_id))]


def always(end: JobEnd) -> worker.Execute:
    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        return end

    return execute


def raising(error: BaseException) -> worker.Execute:
    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        raise error

    return execute


async def until_told(job: Job, handle: JobHandle) -> JobEnd:
    """What a well-behaved execution does when it is asked to stop."""
    await handle.told.wait()
    if handle.control == "pause":
        return Paused()
    return Finished("aborted", "aborted") if handle.control == "abort" else Released()


def make(database: Database, execute: worker.Execute, **options: Any) -> Worker:
    return Worker(database, execute, **{"signals": False, "lease_seconds": 30.0, **options})


@asynccontextmanager
async def at_work(one: Worker) -> AsyncIterator[asyncio.Task[int]]:
    """The worker's own task, drained at the end."""
    task = asyncio.create_task(one.run())
    try:
        yield task
        one.drain()
        await task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(database: Database, question: Callable[[Tx], Any]) -> Any:
    """The first true answer."""
    async with asyncio.timeout(60):
        while not (answer := await database.aread(question)):  # noqa: ASYNC110 - the answer comes from a database
            await asyncio.sleep(0.01)
        return answer


async def until_status(database: Database, run_id: str, status: str) -> None:
    await until(database, lambda tx: runs.get(tx, run_id).status == status)


# -- ends ---------------------------------------------------------------------------------------------

ENDS: list[tuple[JobEnd, str, str]] = [
    (Finished(), "done", "run.done"),
    (Finished("budget_exceeded", "done"), "done", "run.done"),
    (Finished("failed", "failed", error="no"), "failed", "run.failed"),
    (Finished("aborted", "aborted"), "aborted", "run.aborted"),
    (Waiting(lambda tx: {"cycle_id": "c1"}), "waiting_human", "run.waiting_human"),
    (Paused(), "paused", "run.paused"),
    (Failed("no", retryable=False), "failed", "run.failed"),
    (Released(), "queued", "run.queued"),
]


@pytest.mark.parametrize(("end", "status", "last"), ENDS, ids=lambda value: str(value)[:40])
async def test_each_end_becomes_the_runs_status_and_its_last_event(
    database: Database, end: JobEnd, status: str, last: str
) -> None:
    name = enqueue(database)
    one = make(database, always(end))
    assert await one.work_one(name) == end
    assert run_of(database, name).status == status
    assert story(database, name)[-1] == last
    assert database.read(backlog.check) == []


FAILURES: list[tuple[BaseException, str]] = [
    (ProviderUnavailable("the model is away"), "retry"),
    (ProviderRefused("no such model"), "failed"),
    (ZeroDivisionError("a fault of ours"), "retry"),
]


@pytest.mark.parametrize(("error", "state"), FAILURES, ids=lambda value: type(value).__name__)
async def test_an_execution_that_raises_fails_its_job_with_the_cause_and_not_the_worker(
    database: Database, error: BaseException, state: str
) -> None:
    broken, sound = enqueue(database), enqueue(database)

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        if job.run_id == broken:
            raise error
        return Finished()

    async with at_work(make(database, execute)):
        await until_status(database, sound, "done")
        found = await until(database, lambda tx: tx.row("SELECT state, error FROM job WHERE error IS NOT NULL"))
    assert found["state"] == state
    assert str(error) in found["error"]


async def test_an_execution_that_finds_its_lease_lost_writes_no_end(database: Database) -> None:
    name = enqueue(database)
    with pytest.raises(LeaseLost, match="given up"):
        await make(database, raising(LeaseLost("gone"))).work_one(name)
    assert story(database, name) == ["run.queued", "run.started"]


# -- many ---------------------------------------------------------------------------------------------


async def test_a_worker_does_so_many_at_once_and_never_more_of_one_user_than_allowed(database: Database) -> None:
    names = [enqueue(database, user) for user in ("ann", "ann", "ann", "bob")]
    running, most, most_ann = list[str](), 0, 0
    full = asyncio.Event()

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        nonlocal most, most_ann
        running.append(job.user_id)
        most, most_ann = max(most, len(running)), max(most_ann, running.count("ann"))
        if len(running) == 3:
            full.set()
        await full.wait()
        await asyncio.sleep(0)
        running.remove(job.user_id)
        return Finished()

    worked = await make(database, execute, concurrency=3, until_idle=True).run()
    assert (worked, most, most_ann) == (4, 3, 2)
    assert {run_of(database, name).status for name in names} == {"done"}


async def test_an_end_and_the_next_claim_are_one_commit(database: Database) -> None:
    for _ in range(20):
        enqueue(database)
    before = database.commits
    assert await make(database, always(Finished()), concurrency=1, until_idle=True).run() == 20
    assert database.commits - before <= 24


async def test_work_that_another_process_queued_is_heard_of_without_looking_again_and_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "NET_SECONDS", 3600.0)
    first = enqueue(database)
    async with at_work(make(database, always(Finished()))):
        await until_status(database, first, "done")
        with Database(database.url, grow_wal=False) as elsewhere:
            second = await asyncio.to_thread(enqueue, elsewhere)
        await until_status(database, second, "done")
    assert [story(database, name)[-1] for name in (first, second)] == ["run.done"] * 2


async def test_work_queued_in_the_same_process_is_heard_of_by_the_bell(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "NET_SECONDS", 3600.0)
    monkeypatch.setattr("autonomy.runtime.worker.Beyond", lambda *_: _Deaf())
    wake = Wake()
    first = enqueue(database)
    async with at_work(make(database, always(Finished()), wake=wake)):
        await until_status(database, first, "done")
        second = await asyncio.to_thread(enqueue, database)
        wake.ring()
        await until_status(database, second, "done")
    assert [story(database, name)[-1] for name in (first, second)] == ["run.done"] * 2


class _Deaf:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


# -- requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("control", "status"), [("pause", "paused"), ("abort", "aborted")])
async def test_a_request_reaches_the_execution_and_is_obeyed(database: Database, control: Any, status: str) -> None:
    name = enqueue(database)
    wake = Wake()
    async with at_work(make(database, until_told, wake=wake)):
        await until_status(database, name, "running")
        await database.awrite(lambda tx: runs.request_control(tx, name, control))
        wake.ring()
        await until_status(database, name, status)
    assert story(database, name)[-1] == f"run.{status}"


async def test_a_request_that_was_not_rung_comes_with_the_heartbeat(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autonomy.runtime.worker.Beyond", lambda *_: _Deaf())
    name = enqueue(database)
    async with at_work(make(database, until_told, lease_seconds=1.0)):
        await until_status(database, name, "running")
        await database.awrite(lambda tx: runs.request_control(tx, name, "pause"))
        await until_status(database, name, "paused")
    assert story(database, name)[-1] == "run.paused"


async def test_an_execution_whose_lease_is_lost_is_cut_off_and_writes_nothing(database: Database) -> None:
    name = enqueue(database)
    cut = asyncio.Event()

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        try:
            await asyncio.Event().wait()
        finally:
            assert handle.lost.is_set()
            cut.set()
        return Finished()

    async with at_work(make(database, execute, lease_seconds=1.0, concurrency=1)):
        await until_status(database, name, "running")

        def steal(tx: Tx) -> Job | None:
            tx.run("UPDATE job SET lease_until = 1")
            return queue.claim(tx, "thief", 10**12)

        assert await database.awrite(steal) is not None
        before = story(database, name)
        async with asyncio.timeout(30):
            await cut.wait()
    assert story(database, name) == before
    assert run_of(database, name).status == "running"


# -- stopping -----------------------------------------------------------------------------------------


async def test_a_drain_hands_work_back_without_costing_an_attempt(database: Database) -> None:
    name = enqueue(database)
    for _ in range(3):
        async with at_work(make(database, until_told)):
            await until_status(database, name, "running")
    row = database.read(lambda tx: tx.row("SELECT state, attempts, reason FROM job"))
    assert row == {"state": "queued", "attempts": 0, "reason": "drain"}


async def test_a_drain_waits_only_so_long_for_an_execution_that_does_not_stop(database: Database) -> None:
    name = enqueue(database)

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        await asyncio.Event().wait()
        return Finished()

    async with at_work(make(database, execute, drain_seconds=0.05)):
        await until_status(database, name, "running")
    assert run_of(database, name).status == "queued"
    assert database.read(lambda tx: tx.value("SELECT attempts FROM job")) == 0


async def test_a_drain_keeps_the_lease_until_the_last_step_has_ended(database: Database) -> None:
    name = enqueue(database)
    gate = asyncio.Event()

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        await gate.wait()
        return Finished()

    one = make(database, execute, lease_seconds=1.0)
    async with at_work(one):
        await until_status(database, name, "running")
        one.drain()
        until_ = database.read(lambda tx: tx.value("SELECT lease_until FROM job"))
        await until(database, lambda tx: tx.value("SELECT lease_until FROM job") > until_ + 600_000)
        gate.set()
    assert run_of(database, name).status == "done"


async def test_a_hard_stop_leaves_the_job_and_the_next_worker_takes_it_at_once(database: Database) -> None:
    name, begun = enqueue(database), asyncio.Event()

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        begun.set()
        return await until_told(job, handle)

    one = make(database, execute)
    task = asyncio.create_task(one.run())
    await begun.wait()  # a job that is claimed and not yet begun is handed back, not left
    one.stop()
    with pytest.raises(Interrupted):
        await task
    assert run_of(database, name).status == "running"
    await make(database, always(Finished()), until_idle=True).run()
    told = database.read(lambda tx: events.read(tx, name))
    assert [event.content.get("reason") for event in told if event.type == "run.resumed"] == ["takeover"]
    assert run_of(database, name).status == "done"


# -- one run in the foreground ------------------------------------------------------------------------


async def test_the_foreground_works_its_own_run_and_no_other(database: Database) -> None:
    other, mine = enqueue(database), enqueue(database)
    assert await make(database, always(Finished())).work_one(mine) == Finished()
    assert (run_of(database, mine).status, run_of(database, other).status) == ("done", "queued")


async def test_the_foreground_sees_retries_through(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "BACKOFF_US", 1000)
    name = enqueue(database)
    tries = 0

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        nonlocal tries
        tries += 1
        return Finished() if tries == 3 else Failed("not yet", retryable=True)

    assert await make(database, execute).work_one(name) == Finished()
    assert story(database, name).count("retry") == 2


async def test_the_foreground_says_why_it_cannot_have_the_run(database: Database) -> None:
    names = [enqueue(database) for _ in range(4)]
    foreground: Callable[[str], Coroutine[Any, Any, JobEnd]] = lambda name: make(database, always(Finished())).work_one(name)  # noqa: E731
    database.write(lambda tx: runs.request_control(tx, names[0], "pause"))
    with pytest.raises(WaitingForPerson):
        await foreground(names[0])
    database.write(lambda tx: runs.request_control(tx, names[0], "abort"))
    with pytest.raises(InvalidInput, match="ended"):
        await foreground(names[0])
    for _ in range(2):
        database.write(lambda tx: queue.claim(tx, "someone", 10**12))
    with pytest.raises(HeldByAnother, match="someone"):
        await foreground(names[1])
    with pytest.raises(HeldByAnother, match="as many as allowed"):
        await foreground(names[3])
    with pytest.raises(NotFound):
        await foreground("nobody")


async def test_a_foreground_that_lost_its_run_takes_it_again_or_says_who_has_it(database: Database) -> None:
    tries = list[int]()

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        tries.append(job.epoch)
        if len(tries) == 1:
            database.write(lambda tx: tx.run("UPDATE job SET lease_until = 0, locked_by = 'elsewhere:1:x'"))
            raise LeaseLost("too late")
        return Finished()

    assert await make(database, execute).work_one(enqueue(database)) == Finished()
    assert tries == [1, 3]  # one for the takeover, one for the claim

    async def robbed(job: Job, handle: JobHandle) -> JobEnd:
        database.write(
            lambda tx: tx.run("UPDATE job SET lease_until = 0, locked_by = 'elsewhere:1:x' WHERE id = :id", id=job.id)
        )
        stolen = database.write(lambda tx: queue.claim(tx, "someone", 10**12, job.run_id))
        assert stolen is not None
        if ends:
            database.write(lambda tx: queue.finish(tx, stolen, "done", outcome="delivered"))
        raise LeaseLost("too late")

    ends = False
    with pytest.raises(HeldByAnother, match="someone"):
        await make(database, robbed).work_one(enqueue(database))
    ends = True
    assert await make(database, robbed).work_one(enqueue(database)) == Lost()


async def test_until_idle_waits_for_what_a_silent_worker_holds_beyond_its_lease(database: Database) -> None:
    name = enqueue(database)
    with Presence() as frozen:
        database.write(lambda tx: queue.claim(tx, frozen.identity, 1_000_000))
        database.write(lambda tx: tx.run("UPDATE job SET lease_until = 0"))
        assert await make(database, always(Finished()), until_idle=True).run() == 1
    assert run_of(database, name).status == "done"


# -- telling ------------------------------------------------------------------------------------------


async def test_every_transition_is_a_structured_line(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "autonomy.worker")
    name = enqueue(database)
    await make(database, always(Finished()), until_idle=True).run()
    told = [record for record in caplog.records if record.name == "autonomy.worker"]
    assert [getattr(record, "action", "") for record in told] == [
        "worker.started",
        "job.claimed",
        "job.finished",
        "worker.stopped",
    ]
    ended = told[2].__dict__
    assert (ended["run_id"], ended["attempts"], ended["correlation_id"], ended["outcome"]) == (name, 1, "c", "delivered")
    assert ended["duration_ms"] >= 0


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"concurrency": 1001}, {"lease_seconds": 0.1}], ids=str)
def test_a_worker_that_cannot_be_is_refused(database: Database, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        make(database, always(Finished()), **options)
