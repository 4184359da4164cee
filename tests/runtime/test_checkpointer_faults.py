"""No crash, second process, failed write or damaged row leaves anything that could pass for a sound state."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple
from langgraph.graph import START, StateGraph

from autonomy.core.errors import CorruptState, LeaseLost, StorageError
from autonomy.runtime import checkpoint_codec as codec
from autonomy.runtime import checkpoint_rows, serializer
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.storage.database import Database, Tx
from tests.runtime.graphs import State, looping, rows_of, story, thread

# -- damage -------------------------------------------------------------------------------------------------


async def test_a_thousand_flipped_bytes_are_all_found(database: Database) -> None:
    saver = SqlSaver(database)
    graph: Any = looping("alpha", "beta").compile(checkpointer=saver)
    await graph.ainvoke({"goal": 10, "plan": ["a", "b"]}, thread(), durability="sync")
    newest = rows_of(database)[-1]
    good = bytes(newest["data"])
    chance = random.Random(11)
    names: set[str] = set()

    def set_data(data: bytes) -> Callable[[Tx], int]:
        return lambda tx: tx.run("UPDATE checkpoint SET data = :data WHERE id = :id", data=data, id=newest["id"])

    def look(tx: Tx) -> None:
        checkpoint_rows.latest_state(tx, "t")

    for _ in range(1000):
        place = chance.randrange(len(good))
        bad = bytearray(good)
        bad[place] ^= 1 << chance.randrange(8)

        def attempt(tx: Tx, bad: bytes = bytes(bad)) -> None:
            set_data(bad)(tx)
            checkpoint_rows.latest_state(tx, "t")

        with pytest.raises(CorruptState) as caught:  # what raises is rolled back
            database.write(attempt)
        names.add(caught.value.message.split(" cannot")[0])
    assert names == {f"thread t, checkpoint {newest['checkpoint_id']}"}
    assert (await graph.aget_state(thread())).values["step"] == 10
    database.write(set_data(good[:-1]))
    with pytest.raises(CorruptState):
        await graph.aget_state(thread())
    with pytest.raises(CorruptState):
        database.read(look)


async def test_a_missing_row_in_the_chain_is_found(database: Database) -> None:
    saver = SqlSaver(database)
    graph: Any = looping("alpha").compile(checkpointer=saver)
    await graph.ainvoke({"goal": 6, "plan": ["a"]}, thread(), durability="sync")
    middle = rows_of(database)[4]["id"]
    database.write(lambda tx: tx.run("DELETE FROM checkpoint WHERE id = :id", id=middle))
    with pytest.raises(CorruptState, match="missing"):
        await graph.aget_state(thread())


def read_or_refuse(database: Database) -> str | dict[str, Any]:
    try:
        state = database.read(lambda tx: checkpoint_rows.latest_state(tx, "t"))
    except CorruptState as error:
        return error.message
    assert state is not None
    return state


def test_a_crafted_row_that_names_a_callable_runs_nothing(database: Database, tmp_path: Path) -> None:
    database.write(lambda tx: checkpoint_rows.seed(tx, "t", {"x": 1}, fingerprint="", state_version=0))
    row = rows_of(database)[0]
    name = row["checkpoint_id"].encode()
    canary = tmp_path / "canary"
    harmless = (int, tuple, bytearray, dict, set, frozenset, bytes)
    for code in range(128):
        call = ormsgpack.packb(["os", "mkdir", [str(canary)], {}])
        value = ormsgpack.packb(ormsgpack.Ext(code, call))
        body = ormsgpack.unpackb(serializer.unseal(bytes(row["data"]), name))
        body[7] = [["x", 1, 1, value]]
        data = serializer.seal(ormsgpack.packb(body), name)
        database.write(lambda tx, data=data: tx.run("UPDATE checkpoint SET data = :data", data=data))  # type: ignore[misc]
        outcome = read_or_refuse(database)
        assert "channel x" in outcome if isinstance(outcome, str) else type(outcome["x"]) in harmless
        assert not canary.exists()


# -- writes that fail, and two writers ------------------------------------------------------------------------


async def test_a_second_process_on_the_same_thread_is_told_so_and_breaks_nothing(database_url: str) -> None:
    builder = looping("alpha")
    with Database(database_url, grow_wal=False) as mine, Database(database_url, grow_wal=False) as theirs:
        first, second = SqlSaver(mine), SqlSaver(theirs)
        old, new = builder.compile(checkpointer=first), builder.compile(checkpointer=second)
        await old.ainvoke({"goal": 5, "plan": ["a"]}, thread(), durability="sync", interrupt_after=["alpha"])
        await new.ainvoke(None, thread(), durability="sync")
        frozen = await first.aget_tuple(thread())
        assert frozen is not None
        await new.aupdate_state(thread(), {"goal": 9})
        before = rows_of(mine)
        with pytest.raises(LeaseLost, match="another process"):
            await first.aput(frozen.config, {**frozen.checkpoint, "id": checkpoint_rows.checkpoint_name(9)}, {"step": 9}, {})
        assert rows_of(mine) == before
        assert (await old.aget_state(thread())).values["goal"] == 9
        await old.ainvoke(None, thread(), durability="sync")
        assert (await new.aget_state(thread())).values["step"] == 9


class Together(SqlSaver):
    """Has loaded its checkpoint only once the others have loaded theirs."""

    met: asyncio.Barrier | None = None

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        found = await super().aget_tuple(config)
        barrier, self.met = self.met, None
        if barrier is not None:
            await barrier.wait()
        return found


async def test_two_writers_racing_from_the_same_checkpoint_have_one_winner(database_url: str) -> None:
    with Database(database_url, grow_wal=False) as mine, Database(database_url, grow_wal=False) as theirs:
        mine.write(lambda tx: checkpoint_rows.seed(tx, "t", {"goal": 20, "plan": ["a"]}, fingerprint="", state_version=0))
        savers = [Together(each) for each in (mine, theirs)]
        graphs = [looping("alpha").compile(checkpointer=saver) for saver in savers]
        savers[0].met = savers[1].met = asyncio.Barrier(2)
        outcomes = await asyncio.gather(
            *(graph.ainvoke(None, thread(), durability="sync") for graph in graphs), return_exceptions=True
        )
        assert sum(isinstance(each, LeaseLost) for each in outcomes) == 1
        stored = [row for row in rows_of(mine) if row["kind"] < 2]
        assert [row["parent"] for row in stored[1:]] == [row["id"] for row in stored[:-1]]
        assert (await graphs[0].aget_state(thread())).values["step"] == 20


class Flaky:
    """A companion that refuses the nth put."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, thread_id: str) -> Callable[[Tx], None]:
        self.left -= 1
        bad = self.left == 0

        def write(tx: Tx) -> None:
            if bad:
                raise StorageError("the disk said no", "")

        return write


@pytest.mark.parametrize("behind", [0, 1])
@pytest.mark.parametrize("at", [1, 2, 5])
async def test_a_failed_put_surfaces_and_the_run_goes_on_from_the_last_stored_step(
    database: Database, at: int, behind: int
) -> None:
    saver = SqlSaver(database, companion=Flaky(at), behind=behind)
    graph: Any = looping("alpha").compile(checkpointer=saver)

    async def play() -> None:
        await graph.ainvoke({"goal": 8, "plan": ["a"]}, thread(), durability="sync")
        await saver.barrier("t")

    with pytest.raises(StorageError, match="the disk said no"):
        await play()
    stored = [row for row in rows_of(database) if row["kind"] < 2]
    assert len(stored) == at - 1, "nothing is stored behind a failed step"
    state = await graph.aget_state(thread())
    if not stored:
        assert state.values == {}
        return
    assert state.values.get("step", 0) == max(at - 3, 0)
    await graph.ainvoke(None, thread(), durability="sync")
    await saver.barrier("t")
    assert (await graph.aget_state(thread())).values["notes"] == [f"alpha {n} {'x' * 40}" for n in range(1, 9)]


async def test_one_behind_leaves_at_most_one_superstep_open_and_the_barrier_closes_it(database: Database) -> None:
    saver = SqlSaver(database, behind=1)
    graph: Any = looping("alpha").compile(checkpointer=saver)
    async for _ in graph.astream({"goal": 12, "plan": ["a"]}, thread(), stream_mode="updates", durability="sync"):
        state = database.read(lambda tx: checkpoint_rows.latest_meta(tx, "t"))
        if state is not None:
            head = saver._heads["t", ""]
            assert head.number - len(rows_of(database)) <= 1
    await saver.barrier("t")
    assert len([row for row in rows_of(database) if row["kind"] < 2]) == 14


async def test_writes_of_a_finished_parallel_task_become_durable_while_its_sibling_works(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncio.Event()

    async def quick(state: State) -> State:
        return {"notes": ["quick"]}

    async def slow(state: State) -> State:
        await release.wait()
        return {"notes": ["slow"]}

    builder = StateGraph(State)
    builder.add_node("quick", quick)
    builder.add_node("slow", slow)
    builder.add_edge(START, "quick")
    builder.add_edge(START, "slow")
    config = thread()
    saver = SqlSaver(database)
    stored, loop = asyncio.Event(), asyncio.get_running_loop()
    encode_writes = codec.encode_writes

    def encode_and_tell(*arguments: Any) -> bytes:
        loop.call_soon_threadsafe(stored.set)
        return encode_writes(*arguments)

    monkeypatch.setattr(codec, "encode_writes", encode_and_tell)
    running = asyncio.create_task(builder.compile(checkpointer=saver).ainvoke({"notes": []}, config, durability="sync"))
    async with asyncio.timeout(20):
        await stored.wait()
    await saver.barrier("t")
    other = SqlSaver(database)
    seen = await other.aget_tuple(config)
    assert seen is not None
    assert [write[1:] for write in seen.pending_writes or []] == [("notes", ["quick"])]
    release.set()
    assert (await running)["notes"] == ["quick", "slow"]
    final = await other.aget_tuple(config)
    assert final is not None
    assert final.checkpoint["channel_values"]["notes"] == ["quick", "slow"]
    consumed = await other.aget_tuple(seen.config)
    assert consumed is not None
    assert sorted(write[2][0] for write in consumed.pending_writes or [] if write[1] == "notes") == ["quick", "slow"]


async def test_a_cancelled_put_does_not_take_its_write_back(database: Database) -> None:
    saver = SqlSaver(database)
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    blocked, release = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def hold(tx: Tx) -> None:
        loop.call_soon_threadsafe(blocked.set)
        release.wait(20)

    holding = database.submit(hold)
    await blocked.wait()
    checkpoint: Any = {
        "v": 4,
        "ts": "",
        "id": "1",
        "channel_values": {"a": 1},
        "channel_versions": {"a": 1},
        "versions_seen": {},
    }
    putting = asyncio.create_task(saver.aput(config, checkpoint, {"step": 0}, {"a": 1}))
    await asyncio.sleep(0)
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    release.set()
    await asyncio.wrap_future(holding)
    found = await saver.aget_tuple(config)
    assert found is not None
    assert found.checkpoint["channel_values"] == {"a": 1}


# -- upkeep ---------------------------------------------------------------------------------------------------


async def test_a_pruned_thread_goes_on_and_a_thread_without_its_middle_stays_readable(database: Database) -> None:
    saver = SqlSaver(database)
    graph: Any = looping("alpha").compile(checkpointer=saver)
    await graph.ainvoke({"goal": 6, "plan": ["a"]}, thread(), durability="sync")
    whole = await story(graph, thread())
    await saver.aprune(["t"])
    assert (await story(graph, thread()))[0][:3] == whole[0][:3]
    await graph.ainvoke({"goal": 9}, thread(), durability="sync")
    assert (await graph.aget_state(thread())).values["step"] == 9

    other = thread("u")
    await graph.ainvoke({"goal": 3, "plan": ["a"]}, {**other, "metadata": {"run_id": "one"}}, durability="sync")
    await graph.ainvoke({"goal": 6}, {**other, "metadata": {"run_id": "two"}}, durability="sync")
    kept = [each for each in await story(graph, other) if each[2]["run_id"] == "two"]
    await saver.adelete_for_runs(["one"])
    left = await story(graph, other)
    assert [each[:3] for each in left] == [each[:3] for each in kept]
    await graph.ainvoke({"goal": 8}, {**other, "metadata": {"run_id": "three"}}, durability="sync")
    assert (await graph.aget_state(other)).values["notes"][-1].startswith("alpha 8")


async def test_a_writer_that_was_not_told_of_a_pruning_writes_nothing_false(database_url: str) -> None:
    with Database(database_url, grow_wal=False) as mine, Database(database_url, grow_wal=False) as theirs:
        graph: Any = looping("alpha").compile(checkpointer=SqlSaver(mine))
        stream = graph.astream({"goal": 10, "plan": ["a"]}, thread(), stream_mode="updates", durability="sync")
        await anext(stream)
        await SqlSaver(theirs).aprune(["t"])
        async for _ in stream:
            pass
        assert (await graph.aget_state(thread())).values["step"] == 10
        assert len(rows_of(mine)) < 12


# -- a killed process -----------------------------------------------------------------------------------------

CHILD = """
import asyncio
from tests.runtime.graphs import looping, thread
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.storage.database import Database

async def main():
    with Database({url!r}, grow_wal=False) as database:
        graph: Any = looping("alpha", "beta").compile(checkpointer=SqlSaver(database, behind={behind}))
        async for update in graph.astream(
            {start}, {{**thread(), "recursion_limit": 100000}}, stream_mode="updates", durability="sync"
        ):
            print(next(iter(update.values()))["step"], flush=True)

asyncio.run(main())
"""


def told(process: subprocess.Popen[str]) -> Iterator[int]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.endswith("\n"):
            yield int(line)


@pytest.mark.parametrize("behind", [0, 1])
def test_a_killed_process_leaves_a_consistent_prefix_and_the_run_goes_on(database_url: str, behind: int) -> None:
    chance = random.Random(behind)
    reached = 0
    for attempt in range(2):
        start = '{"goal": 100000, "plan": ["a", "b"]}' if attempt == 0 else "None"
        script = CHILD.format(url=database_url, behind=behind, start=start)
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
        steps = told(process)
        before = list(itertools.islice(steps, chance.randint(10, 60)))
        os.kill(process.pid, signal.SIGKILL)
        last = [*before, *steps][-1]
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()
        with Database(database_url, grow_wal=False) as database:
            state = database.read(lambda tx: checkpoint_rows.latest_state(tx, "t"))
            assert state is not None
            # An update is streamed before its checkpoint is put: the one that was told last may be missing, with one
            # behind the one before it too.
            assert state["step"] >= last - 1 - behind
            assert state["step"] >= reached
            reached = state["step"]
            assert [int(note.split()[1]) for note in state["notes"]] == list(range(1, reached + 1))
            assert state["last"]["at"] == [reached, {reached}]
    assert reached > 10
