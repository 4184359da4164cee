"""A worker that was overtaken writes nothing beside its supersteps either: no task writes, no files."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph

from autonomy.core.errors import LeaseLost
from autonomy.runtime import runs
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.runtime.execution import Companions
from autonomy.runtime.records import RunArtifacts
from autonomy.runtime.unit import Unit
from autonomy.storage.database import Database

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
    late.put("deliverable.md", b"draft", role="deliverable", media_type="text/markdown")
    take_over(database)
    holder = RunArtifacts(tmp_path, Unit(RUN, epoch=1, lease_us=1), database)
    holder.put("deliverable.md", b"delivered", role="deliverable", media_type="text/markdown")
    with pytest.raises(LeaseLost):
        late.put("deliverable.md", b"too late", role="deliverable", media_type="text/markdown")
    assert (tmp_path / "artifacts" / RUN / "deliverable.md").read_bytes() == b"delivered"
