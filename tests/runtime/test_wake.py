"""The bell: nobody who looked first sleeps through a ring, and a free place is filled in the commit that queues work."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from autonomy.core.errors import InvalidInput, StorageUnavailable
from autonomy.runtime import queue, runs
from autonomy.runtime.queue import Job
from autonomy.runtime.wake import Beyond, Topic, Wake
from autonomy.runtime.worker import Finished, JobEnd, JobHandle, Worker
from autonomy.storage.database import Database, Tx


def test_a_ring_between_the_look_and_the_wait_is_not_slept_through() -> None:
    wake = Wake()
    seen = wake.mark()
    wake.ring()
    assert wake.wait(seen, 60)
    assert not wake.wait(wake.mark(), 0.001)


def test_a_ring_reaches_a_thread_that_waits_and_listeners_hear_its_topic() -> None:
    wake, heard = Wake(), list[Topic]()
    woken = threading.Thread(target=lambda: wake.wait(0, 60))
    woken.start()
    with wake.listening(heard.append):
        wake.ring("events")
        wake.ring()
    wake.ring()
    woken.join(60)
    assert not woken.is_alive()
    assert heard == ["events", "jobs"]


def test_another_processs_write_rings(database: Database) -> None:
    wake = Wake()
    with Beyond(database, wake, poll_seconds=0.01), Database(database.url, grow_wal=False) as other:
        assert wake.wait(0, 60)  # it rings once when it begins to listen
        seen = wake.mark()

        def write(tx: Tx) -> None:
            tx.run("INSERT INTO lane (user_id) VALUES ('u')")
            tx.notify("jobs")

        other.write(write)
        assert wake.wait(seen, 60)


def start(tx: Tx, name: str) -> str:
    runs.create(tx, runs.NewRun("u", "write", "goal", {}, "", "c", id=name))
    queue.enqueue_start(tx, name)
    return name


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


async def test_a_free_place_is_filled_in_the_very_commit_that_queues_the_work(database: Database) -> None:
    wake, begun, gate = Wake(), asyncio.Queue[str](), asyncio.Event()

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        begun.put_nowait(job.run_id)
        await gate.wait()
        return Finished()

    worker = Worker(database, execute, wake=wake, signals=False, concurrency=2)
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(60):
        await asyncio.to_thread(wake.write, database, lambda tx: start(tx, "first"))
        assert await begun.get() == "first"
        await asyncio.wrap_future(wake.submit(database, lambda tx: start(tx, "second")))
        assert await database.aread(lambda tx: runs.get(tx, "second").status) == "running"
        assert await begun.get() == "second"
        await asyncio.wrap_future(wake.submit(database, lambda tx: start(tx, "third")))
        assert await database.aread(lambda tx: runs.get(tx, "third").status) == "queued"
        gate.set()
        assert await begun.get() == "third"
        worker.drain()
        assert await task == 3


async def test_a_write_that_fails_gives_the_place_back(database: Database) -> None:
    wake, begun = Wake(), asyncio.Queue[str]()

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        begun.put_nowait(job.run_id)
        return Finished()

    def refuse(tx: Tx) -> None:
        raise InvalidInput("no")

    worker = Worker(database, execute, wake=wake, signals=False, concurrency=1)
    task = asyncio.create_task(worker.run())
    async with asyncio.timeout(60):
        for name in ("first", "second"):
            with pytest.raises(InvalidInput):
                await asyncio.wrap_future(wake.submit(database, refuse))
            await asyncio.wrap_future(wake.submit(database, lambda tx, name=name: start(tx, name)))  # type: ignore[misc]
            assert await begun.get() == name
        worker.drain()
        await task


def test_a_closed_database_refuses_also_through_the_bell(database: Database) -> None:
    database.close()
    with pytest.raises(StorageUnavailable):
        Wake().write(database, lambda tx: None)
