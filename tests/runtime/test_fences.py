"""A worker that was overtaken writes nothing beside its supersteps either: no task writes, no files."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, TypedDict

import psycopg
import pytest
from langgraph.graph import END, START, StateGraph

from autonomy.core.errors import LeaseLost, StorageError, StorageUnavailable
from autonomy.runtime import runs
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.runtime.execution import Companions
from autonomy.runtime.records import RunArtifacts
from autonomy.runtime.unit import Unit, Write
from autonomy.storage.artifacts import Staged
from autonomy.storage.database import Database
from tests.databases import Databases

RUN = "run1"


class Count(TypedDict):
    n: int


class Worker:
    """One process's saver and graph of two nodes under an epoch; the second node waits for `gate`, then may fail."""

    def __init__(self, database: Database, epoch: int, *, fails: bool = False) -> None:
        self.gate = asyncio.Event()
        self.entered = asyncio.Event()
        self._fails = fails
        companions = Companions()
        companions.add(Unit(RUN, epoch=epoch, lease_us=30_000_000))
        graph: Any = StateGraph(Count)
        graph.add_node("one", self._one)
        graph.add_node("two", self._two)
        graph.add_edge(START, "one")
        graph.add_edge("one", "two")
        graph.add_edge("two", END)
        self._graph = graph.compile(checkpointer=SqlSaver(database, companion=companions, fence=companions.fence))

    async def _one(self, state: Count) -> Count:
        return {"n": state["n"] + 1}

    async def _two(self, state: Count) -> Count:
        self.entered.set()
        await self.gate.wait()
        if self._fails:
            raise RuntimeError("too late")
        return {"n": state["n"] + 1}

    async def work(self, start: Count | None) -> Count:
        found: Count = await self._graph.ainvoke(start, {"configurable": {"thread_id": RUN}}, durability="sync")
        return found


def start(database: Database) -> None:
    database.write(lambda tx: runs.create(tx, runs.NewRun("u", "write", "goal", {}, "extractive", "corr", id=RUN)))


def take_over(database: Database) -> None:
    database.write(lambda tx: tx.run("UPDATE run SET epoch = epoch + 1"))


def checkpoints(database: Database) -> int:
    return int(database.read(lambda tx: tx.value("SELECT count(*) FROM checkpoint")))


async def test_an_overtaken_workers_error_is_not_stored_and_does_not_throw_the_holder_out(database: Database) -> None:
    start(database)
    late, holder = Worker(database, 0, fails=True), Worker(database, 1)
    first = asyncio.create_task(late.work({"n": 0}))
    await late.entered.wait()
    take_over(database)
    second = asyncio.create_task(holder.work(None))
    await holder.entered.wait()
    stored = checkpoints(database)
    late.gate.set()
    with pytest.raises((RuntimeError, LeaseLost)):
        await first
    assert checkpoints(database) == stored
    holder.gate.set()
    assert await second == {"n": 2}


async def test_the_holders_own_error_is_stored(database: Database) -> None:
    start(database)
    holder = Worker(database, 0, fails=True)
    holder.gate.set()
    with pytest.raises(RuntimeError, match="too late"):
        await holder.work({"n": 0})
    kinds = database.read(lambda tx: tx.tuples("SELECT kind FROM checkpoint ORDER BY id"))
    assert kinds[-1] == (2,)


def test_an_overtaken_worker_replaces_no_file(database: Database, tmp_path: Path) -> None:
    start(database)
    late = RunArtifacts(tmp_path, Unit(RUN, epoch=0, lease_us=1), database)
    take_over(database)
    deliver(database, tmp_path, epoch=1)
    with pytest.raises(LeaseLost):
        late.put("deliverable.md", b"too late", role="deliverable", media_type="text/markdown")
    assert delivered(tmp_path) == {"deliverable.md": b"delivered"}


def deliver(database: Database, home: Path, *, epoch: int) -> None:
    """What a worker does that holds the run under this epoch."""
    unit = Unit(RUN, epoch=epoch, lease_us=1)
    artifacts = RunArtifacts(home, unit, database)
    artifacts.sweep()
    artifacts.put("deliverable.md", b"delivered", role="deliverable", media_type="text/markdown")
    database.write(drained(unit))


def drained(unit: Unit) -> Write:
    write = unit.drain()
    assert write is not None
    return write


def delivered(home: Path) -> dict[str, bytes]:
    """All files of the run, hidden ones as well."""
    return {path.name: path.read_bytes() for path in (home / "artifacts" / RUN).iterdir()}


def test_a_worker_frozen_between_its_files_bytes_and_their_name_gives_them_none(database: Database, tmp_path: Path) -> None:
    start(database)
    unit = Unit(RUN, epoch=0, lease_us=1)
    late = RunArtifacts(tmp_path, unit, database)
    late.put("deliverable.md", b"too late", role="deliverable", media_type="text/markdown")
    take_over(database)
    deliver(database, tmp_path, epoch=1)
    with pytest.raises(LeaseLost):
        database.write(drained(unit))
    late.close()
    assert delivered(tmp_path) == {"deliverable.md": b"delivered"}


def test_what_was_staged_in_vain_goes_and_what_a_later_holder_has_staged_stays(database: Database, tmp_path: Path) -> None:
    start(database)
    first = RunArtifacts(tmp_path, Unit(RUN, epoch=0, lease_us=1), database)
    first.put("a", b"a", role="draft", media_type="text/plain")
    first.close()
    assert delivered(tmp_path) == {}
    take_over(database)
    RunArtifacts(tmp_path, Unit(RUN, epoch=1, lease_us=1), database).put("a", b"b", role="draft", media_type="text/plain")
    first.sweep()
    assert list(delivered(tmp_path).values()) == [b"b"]


def test_a_worker_frozen_right_before_the_rename_until_the_server_gives_it_up_renames_nothing(
    postgres_databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_databases.new()
    reached, woken = threading.Event(), threading.Event()
    publish = Staged.publish

    def frozen(staged: Staged) -> bool:
        reached.set()
        assert woken.wait(60)
        return publish(staged)

    with Database(url) as theirs, Database(url) as database:
        start(database)
        unit = Unit(RUN, epoch=0, lease_us=1)
        late = RunArtifacts(tmp_path, unit, theirs)
        late.put("deliverable.md", b"too late", role="deliverable", media_type="text/markdown")
        monkeypatch.setattr(Staged, "publish", frozen)
        writing = theirs.submit(drained(unit))
        assert reached.wait(60)
        monkeypatch.undo()
        with psycopg.connect(url, autocommit=True) as server:  # as its own patience with an idle transaction would
            given_up = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE state = 'idle in transaction'"
            assert server.execute(given_up + " AND datname = current_database()").fetchall() == [(True,)]
        take_over(database)
        deliver(database, tmp_path, epoch=1)
        woken.set()
        with pytest.raises((LeaseLost, StorageUnavailable)):
            writing.result()
        late.close()
    assert delivered(tmp_path) == {"deliverable.md": b"delivered"}


def test_a_staged_file_that_somebody_took_away_is_told_and_nothing_is_written(database: Database, tmp_path: Path) -> None:
    start(database)
    unit = Unit(RUN, epoch=0, lease_us=1)
    artifacts = RunArtifacts(tmp_path, unit, database)
    artifacts.put("deliverable.md", b"text", role="deliverable", media_type="text/markdown")
    artifacts.close()
    with pytest.raises(StorageError, match="was taken away"):
        database.write(drained(unit))
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM artifact")) == 0
