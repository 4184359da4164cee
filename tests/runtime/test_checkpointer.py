"""The checkpointer under real graphs: the same history as LangGraph's own saver, one commit per superstep, and no crash,
second process, damaged row or bad value that could pass for a sound state."""

from __future__ import annotations

import asyncio
import operator
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import ormsgpack
import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from autonomy.core.errors import (
    CorruptState,
    InvalidInput,
    LeaseLost,
    StorageError,
    Unresumable,
    Unserializable,
)
from autonomy.runtime import checkpoint_rows, serializer
from autonomy.runtime.checkpointer_sql import LINGER_S, SqlSaver
from autonomy.storage.database import Database, Tx

# -- graphs -------------------------------------------------------------------------------------------


class State(TypedDict, total=False):
    step: int
    goal: int
    notes: Annotated[list[str], operator.add]
    records: Annotated[list[dict[str, Any]], operator.add]
    plan: list[str]
    last: dict[str, Any]


def looping(*names: str) -> StateGraph[Any, Any, Any, Any]:
    """Nodes in a circle until `step` reaches `goal`: a growing list, a list replaced by a longer one, dicts."""

    def node(name: str) -> Callable[[State], Any]:
        async def work(state: State) -> State:
            step = state.get("step", 0) + 1
            update: State = {"step": step, "notes": [f"{name} {step} {'x' * 40}"], "last": {"by": name, "at": [step, {step}]}}
            if step % 3 == 0:
                update["plan"] = [*state["plan"], f"line {step}"]
            if step % 4 == 0:
                update["records"] = [{"step": step}]
            if step % 7 == 0:
                update["plan"] = state["plan"][1:]
            return update

        return work

    graph = StateGraph(State)
    for name in names:
        graph.add_node(name, node(name))
    graph.add_edge(START, names[0])
    for here, there in zip(names, names[1:], strict=False):
        graph.add_edge(here, there)
    graph.add_conditional_edges(names[-1], lambda state: names[0] if state["step"] < state["goal"] else END)
    return graph


def thread(name: str = "t", **more: Any) -> Any:
    return {"configurable": {"thread_id": name, **more}, "recursion_limit": 1000}


async def story(graph: Any, config: Any) -> list[Any]:
    """The whole history, without what differs by nature (ids and times)."""
    return [
        (
            each.values,
            each.next,
            each.metadata,
            [(task.name, task.path, task.error, task.result, [one.value for one in task.interrupts]) for task in each.tasks],
            each.parent_config is None,
        )
        async for each in graph.aget_state_history(config)
    ]


async def same_story(
    builder: StateGraph[Any, Any, Any, Any], play: Callable[[Any], Any], savers: list[BaseCheckpointSaver[Any]], config: Any
) -> list[Any]:
    """Play the same on each saver; every history must equal the first one's. Returns it."""
    stories = []
    for saver in savers:
        graph = builder.compile(checkpointer=saver)
        await play(graph)
        stories.append(await story(graph, config))
    for other in stories[1:]:
        assert len(other) == len(stories[0])
        for mine, reference in zip(other, stories[0], strict=True):
            assert mine == reference
    return list(stories[0])


def rows_of(database: Database) -> list[dict[str, Any]]:
    return database.read(lambda tx: tx.rows("SELECT * FROM checkpoint ORDER BY id"))


# -- the same history as LangGraph's own saver ----------------------------------------------------------


@pytest.mark.parametrize("behind", [0, 1])
async def test_a_long_run_reopened_updated_and_forked_has_the_history_of_the_memory_saver(
    database_url: str, behind: int
) -> None:
    config = thread()

    async def first(graph: Any) -> None:
        await graph.ainvoke({"goal": 110, "plan": ["a", "b"]}, config, durability="sync")

    async def later(graph: Any) -> None:
        await graph.aupdate_state(config, {"notes": ["by hand"], "goal": 120})
        await graph.ainvoke({"goal": 140}, config, durability="async")
        old = [each async for each in graph.aget_state_history(config)][50]
        fork = await graph.aupdate_state(old.config, {"notes": ["another way"], "goal": 105})
        await graph.ainvoke(None, fork, durability="sync")
        await graph.ainvoke(None, old.config, durability="sync")
        await graph.ainvoke({"goal": 150}, config, durability="exit")

    builder = looping("alpha", "beta", "gamma")
    memory = InMemorySaver()
    with Database(database_url, grow_wal=False) as database:
        await same_story(builder, first, [memory, SqlSaver(database, behind=behind)], config)
    with Database(database_url, grow_wal=False) as database:
        found = await same_story(builder, later, [memory, SqlSaver(database, behind=behind)], config)
    assert len(found) > 150


async def test_snapshots_between_the_deltas_change_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autonomy.runtime.checkpoint_heads.SNAPSHOT_SLACK", 1000)
    monkeypatch.setattr("autonomy.runtime.checkpoint_heads.SNAPSHOT_FACTOR", 1)
    config = thread()

    async def play(graph: Any) -> None:
        await graph.ainvoke({"goal": 40, "plan": ["a", "b"]}, config, durability="sync")

    await same_story(looping("alpha", "beta"), play, [InMemorySaver(), SqlSaver(database)], config)
    assert len([row for row in rows_of(database) if row["kind"] == 1]) > 3


async def test_values_changed_in_place_are_stored_as_the_memory_saver_stores_them(database: Database) -> None:
    async def work(state: State) -> State:
        step = state.get("step", 0) + 1
        state["records"].append({"slipped in": step})
        state["records"][0]["touched"] = step
        state["notes"].append(f"slipped in {step}")
        state["plan"][0] = f"changed {step}"
        if step % 2:
            return {"step": step, "notes": [f"note {step}"], "records": [{"step": step}]}
        return {"step": step, "plan": state["plan"], "notes": []}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda state: "work" if state["step"] < 12 else END)
    config = thread()

    async def play(graph: Any) -> None:
        await graph.ainvoke({"plan": ["a"], "notes": ["n"], "records": [{"r": 1}]}, config, durability="sync")

    await same_story(builder, play, [InMemorySaver(), SqlSaver(database)], config)


async def test_parallel_tasks_of_which_one_fails_and_is_tried_again(database: Database) -> None:
    ran: list[str] = []

    def builder() -> StateGraph[Any, Any, Any, Any]:
        failing = {"left": 1}

        async def quick(state: State) -> State:
            ran.append("quick")
            return {"notes": ["quick"]}

        async def bad(state: State) -> State:
            await asyncio.sleep(0)
            if failing["left"]:
                failing["left"] -= 1
                raise RuntimeError("not this time \ud800")
            return {"notes": ["bad, at last"]}

        async def join(state: State) -> State:
            return {"step": 1}

        graph = StateGraph(State)
        graph.add_node("quick", quick)
        graph.add_node("bad", bad)
        graph.add_node("join", join)
        graph.add_edge(START, "quick")
        graph.add_edge(START, "bad")
        graph.add_edge(["quick", "bad"], "join")
        return graph

    config = thread()

    stories = []
    for saver in (InMemorySaver(), SqlSaver(database)):
        ran.clear()
        graph = builder().compile(checkpointer=saver)
        with pytest.raises(RuntimeError):
            await graph.ainvoke({"notes": ["start"]}, config, durability="sync")
        after_failure = await story(graph, config)
        await graph.ainvoke(None, config, durability="sync")
        assert ran == ["quick"], "the task that had finished ran again"
        stories.append((after_failure, await story(graph, config)))

    def without_surrogates(value: Any) -> str:
        return repr(value).encode("utf-8", "backslashreplace").decode().replace("\\\\", "\\")

    assert without_surrogates(stories[0]) == without_surrogates(stories[1])


async def test_an_interrupted_run_waits_for_its_answer_also_after_a_restart(database_url: str) -> None:
    async def ask(state: State) -> State:
        return {"notes": [str(interrupt({"question": "go on?"}))]}

    async def end(state: State) -> State:
        return {"step": 1}

    builder = StateGraph(State)
    builder.add_node("ask", ask)
    builder.add_node("end", end)
    builder.add_edge(START, "ask")
    builder.add_edge("ask", "end")
    config = thread()
    memory = InMemorySaver()

    async def pause(graph: Any) -> None:
        await graph.ainvoke({"notes": ["start"]}, config, durability="sync")

    async def answer(graph: Any) -> None:
        assert (await graph.aget_state(config)).interrupts[0].value == {"question": "go on?"}
        await graph.ainvoke(Command(resume="yes"), config, durability="sync")

    with Database(database_url, grow_wal=False) as database:
        await same_story(builder, pause, [memory, SqlSaver(database)], config)
    with Database(database_url, grow_wal=False) as database:
        found = await same_story(builder, answer, [memory, SqlSaver(database)], config)
    assert found[0][0]["notes"] == ["start", "yes"]


async def test_a_subgraph_keeps_its_own_namespace(database: Database) -> None:
    async def ask(state: State) -> State:
        return {"notes": [str(interrupt("inside?"))]}

    async def before(state: State) -> State:
        return {"notes": ["before"]}

    inner = StateGraph(State)
    inner.add_node("before", before)
    inner.add_node("ask", ask)
    inner.add_edge(START, "before")
    inner.add_edge("before", "ask")
    builder = StateGraph(State)
    builder.add_node("inner", inner.compile())
    builder.add_edge(START, "inner")
    config = thread()

    async def play(graph: Any) -> None:
        await graph.ainvoke({"notes": ["start"]}, config, durability="sync")
        nested = (await graph.aget_state(config, subgraphs=True)).tasks[0].state
        assert nested.values["notes"] == ["start", "before"]
        assert nested.next == ("ask",)
        await graph.ainvoke(Command(resume="deep"), config, durability="sync")

    found = await same_story(builder, play, [InMemorySaver(), SqlSaver(database)], config)
    assert found[0][0]["notes"] == ["start", "start", "before", "deep"]
    spaces = database.read(lambda tx: [row["ns"] for row in tx.rows("SELECT ns FROM thread ORDER BY ns")])
    assert spaces[0] == ""
    assert spaces[1].startswith("inner:")


async def test_sends_are_stored_and_come_back(database: Database) -> None:
    async def one(state: Any) -> State:
        return {"notes": [f"sent {state['n']}"]}

    async def begin(state: State) -> State:
        return {"step": 1}

    builder = StateGraph(State)
    builder.add_node("begin", begin)
    builder.add_node("one", one)
    builder.add_edge(START, "begin")
    builder.add_conditional_edges("begin", lambda _: [Send("one", {"n": n}) for n in range(5)], ["one"])
    config = thread()

    async def play(graph: Any) -> None:
        await graph.ainvoke({"notes": []}, config, durability="sync", interrupt_before=["one"])
        await graph.ainvoke(None, config, durability="sync")

    await same_story(builder, play, [InMemorySaver(), SqlSaver(database)], config)


def test_the_synchronous_methods_do_the_same(database: Database) -> None:
    def work(state: State) -> State:
        step = state.get("step", 0) + 1
        return {"step": step, "notes": [f"note {step}"]}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda state: "work" if state["step"] < 20 else END)
    stories = []
    saver = SqlSaver(database)
    for each in (InMemorySaver(), saver):
        graph = builder.compile(checkpointer=each)
        graph.invoke({"notes": []}, thread(), durability="sync")
        stories.append([(s.values, s.next, s.metadata) for s in graph.get_state_history(thread())])
    assert stories[0] == stories[1]
    saver.copy_thread("t", "copy")
    assert len(list(saver.list(thread("copy")))) == 22
    saver.prune(["copy"])
    (kept,) = saver.list(thread("copy"))
    newest = saver.get_tuple(thread())
    assert newest is not None
    assert kept.checkpoint == newest.checkpoint
    saver.delete_thread("t")
    assert saver.get_tuple(thread()) is None
    saver.delete_for_runs(["nobody"])
    assert saver.get_tuple(thread("copy")) is not None


# -- one commit per superstep, few bytes ------------------------------------------------------------------


async def test_each_superstep_costs_exactly_one_commit_with_everything_in_it(database: Database) -> None:
    told: list[str] = []

    def companion(thread_id: str) -> Callable[[Tx], None]:
        told.append(thread_id)
        user = f"step-{len(told)}"
        return lambda tx: tx.run("INSERT INTO lane (user_id) VALUES (:user)", user=user) and None

    graph = looping("alpha", "beta").compile(checkpointer=SqlSaver(database, companion=companion))
    before = database.commits
    await graph.ainvoke({"goal": 30, "plan": ["a"]}, thread(), durability="sync")
    supersteps = 32  # the input, START, and thirty steps
    assert database.commits - before == supersteps
    assert told == ["t"] * supersteps
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM lane")) == supersteps
    assert len(rows_of(database)) == supersteps


async def test_a_companion_that_refuses_takes_the_checkpoint_with_it(database: Database) -> None:
    def companion(thread_id: str) -> Callable[[Tx], None]:
        def refuse(tx: Tx) -> None:
            tx.run("INSERT INTO lane (user_id) VALUES ('half')")
            raise LeaseLost("held by another", "")

        return refuse

    graph = looping("alpha").compile(checkpointer=SqlSaver(database, companion=companion))
    with pytest.raises(LeaseLost, match="held by another"):
        await graph.ainvoke({"goal": 3, "plan": ["a"]}, thread(), durability="sync")
    assert rows_of(database) == []
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM lane")) == 0


def used(database: Database) -> int:
    """Bytes in use."""

    def look(tx: Tx) -> int:
        if tx.dialect.name == "postgresql":
            return int(tx.value("SELECT pg_total_relation_size('checkpoint')"))
        pages, free = tx.value("PRAGMA page_count"), tx.value("PRAGMA freelist_count")
        return int((pages - free) * tx.value("PRAGMA page_size"))

    return database.read(look)


@pytest.mark.parametrize("durability", ["sync", "async"])
async def test_a_step_of_a_thousand_costs_at_most_one_and_a_half_kilobytes(database: Database, durability: Any) -> None:
    words = [f"w{n:x}" for n in range(5000)]
    chance = random.Random(7)

    async def work(state: State) -> State:
        return {"step": state.get("step", 0) + 1, "notes": [" ".join(chance.choices(words, k=110))[:500]]}

    builder = StateGraph(State)
    names = ["read", "weigh", "draft", "check", "decide"]
    for name in names:
        builder.add_node(name, work)
    builder.add_edge(START, "read")
    for here, there in zip(names, names[1:], strict=False):
        builder.add_edge(here, there)
    builder.add_conditional_edges("decide", lambda state: "read" if state["step"] < 1000 else END)
    graph = builder.compile(checkpointer=SqlSaver(database, fingerprint="f" * 16, state_version=1))
    before = used(database)
    plan = [f"line {n}: read, weigh and write" for n in range(20)]
    await graph.ainvoke({"plan": plan}, {**thread(), "recursion_limit": 2000}, durability=durability)
    state = database.read(lambda tx: checkpoint_rows.latest_state(tx, "t"))
    assert state is not None
    assert len(state["notes"]) == 1000
    assert (used(database) - before) / 1000 <= 1500


# -- the seed ---------------------------------------------------------------------------------------------


async def test_a_seeded_run_begins_at_start_with_the_history_of_one_that_was_given_its_input(database: Database) -> None:
    values = {"goal": 12, "plan": ["a", "b"], "step": 0}
    builder = looping("alpha", "beta")
    assert database.write(lambda tx: checkpoint_rows.seed(tx, "t", values, fingerprint="fp", state_version=3)) is True
    assert database.write(lambda tx: checkpoint_rows.seed(tx, "t", {"goal": 1}, fingerprint="x", state_version=9)) is False
    assert database.read(lambda tx: checkpoint_rows.latest_state(tx, "t")) == values
    meta = database.read(lambda tx: checkpoint_rows.latest_meta(tx, "t"))
    assert meta is not None
    assert (meta.fingerprint, meta.state_version, meta.step) == ("fp", 3, -1)

    memory = builder.compile(checkpointer=InMemorySaver())
    await memory.ainvoke(values, thread(), durability="sync")
    seeded = builder.compile(checkpointer=SqlSaver(database, fingerprint="fp", state_version=3))
    given = (await seeded.aget_state(thread())).next
    assert given == ("__start__",)
    await seeded.ainvoke(None, thread(), durability="sync")
    assert await story(seeded, thread()) == await story(memory, thread())
    state = database.read(lambda tx: checkpoint_rows.latest_state(tx, "t"))
    assert state == (await seeded.aget_state(thread())).values
    assert database.write(lambda tx: checkpoint_rows.seed(tx, "t", values, fingerprint="fp", state_version=3)) is False


async def test_the_seeded_checkpoint_is_field_by_field_the_one_that_langgraph_writes(database: Database) -> None:
    values = {"goal": 1, "plan": ["a"]}
    saver = SqlSaver(database)
    database.write(lambda tx: checkpoint_rows.seed(tx, "seeded", values, fingerprint="", state_version=0))
    await looping("alpha").compile(checkpointer=saver).ainvoke(values, thread("given"), durability="sync")
    seeded = await saver.aget_tuple(thread("seeded"))
    assert seeded is not None
    *_, given = [each async for each in saver.alist(thread("given"))]
    varying = ("id", "ts")
    assert {k: v for k, v in seeded.checkpoint.items() if k not in varying} == {
        k: v for k, v in given.checkpoint.items() if k not in varying
    }
    assert seeded.metadata == given.metadata
    assert seeded.parent_config is None
    assert sorted([seeded.checkpoint["id"], given.checkpoint["id"]])[0] == seeded.checkpoint["id"]


def test_an_unknown_thread_has_no_state_and_no_meta(database: Database) -> None:
    assert database.read(lambda tx: checkpoint_rows.latest_state(tx, "nobody")) is None
    assert database.read(lambda tx: checkpoint_rows.latest_meta(tx, "nobody")) is None


# -- refusals -----------------------------------------------------------------------------------------------


def test_a_run_of_another_graph_or_state_version_is_refused_with_the_reason(database: Database) -> None:
    database.write(lambda tx: checkpoint_rows.seed(tx, "t", {}, fingerprint="mine", state_version=2))
    SqlSaver(database, fingerprint="mine", state_version=2).check("t")
    SqlSaver(database, fingerprint="other", state_version=9).check("nobody")
    with pytest.raises(Unresumable, match="graph mine, this release other"):
        SqlSaver(database, fingerprint="other", state_version=2).check("t")
    with pytest.raises(Unresumable, match="state version 2, this release 3"):
        SqlSaver(database, fingerprint="mine", state_version=3).check("t")


async def test_a_value_outside_the_allowlist_is_refused_naming_its_path_and_nothing_is_stored(database: Database) -> None:
    async def work(state: State) -> State:
        return {"last": {"plan": [1, {"cost": object()}]}}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    graph = builder.compile(checkpointer=SqlSaver(database))
    with pytest.raises(Unserializable, match=r"last\.plan\[1\]\.cost is of type builtins\.object"):
        await graph.ainvoke({"step": 0}, thread(), durability="sync")
    state = await graph.aget_state(thread())
    assert state.next == ("work",)
    assert state.values == {"step": 0, "notes": [], "records": []}


async def test_hostile_filter_keys_find_nothing_and_harm_nothing(database: Database) -> None:
    saver = SqlSaver(database)
    await looping("alpha").compile(checkpointer=saver).ainvoke({"goal": 2, "plan": ["a"]}, thread(), durability="sync")
    chance = random.Random(3)
    pieces = [
        "'",
        '"',
        ";",
        "--",
        ")",
        "(",
        "%",
        ":",
        "\\",
        "source",
        "$.step",
        "OR 1=1",
        "DROP TABLE checkpoint",
        "\x00",
        "{}",
        "\ud800",
    ]
    for _ in range(200):
        key = "".join(chance.choices(pieces, k=chance.randint(1, 6)))
        assert [each async for each in saver.alist(thread(), filter={key: "loop"})] == [] or key == "source"
        assert [each async for each in saver.alist(None, filter={"source": key})] == []
    assert len([each async for each in saver.alist(thread(), filter={"source": "loop"})]) == 3


def test_pruning_and_copying_refuse_what_makes_no_sense(database: Database) -> None:
    saver = SqlSaver(database)
    database.write(lambda tx: checkpoint_rows.seed(tx, "a", {}, fingerprint="", state_version=0))
    database.write(lambda tx: checkpoint_rows.seed(tx, "b", {}, fingerprint="", state_version=0))
    with pytest.raises(InvalidInput):
        saver.copy_thread("a", "b")
    with pytest.raises(InvalidInput):
        saver.prune(["a"], strategy="some of it")
    with pytest.raises(ValueError, match="behind"):
        SqlSaver(database, behind=7)


# -- damage -------------------------------------------------------------------------------------------------


async def test_a_thousand_flipped_bytes_are_all_found(database: Database) -> None:
    saver = SqlSaver(database)
    graph = looping("alpha", "beta").compile(checkpointer=saver)
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
    graph = looping("alpha").compile(checkpointer=saver)
    await graph.ainvoke({"goal": 6, "plan": ["a"]}, thread(), durability="sync")
    middle = rows_of(database)[4]["id"]
    database.write(lambda tx: tx.run("DELETE FROM checkpoint WHERE id = :id", id=middle))
    with pytest.raises(CorruptState, match="missing"):
        await graph.aget_state(thread())


def test_a_crafted_row_that_names_a_callable_runs_nothing(database: Database, tmp_path: Path) -> None:
    database.write(lambda tx: checkpoint_rows.seed(tx, "t", {"x": 1}, fingerprint="", state_version=0))
    row = rows_of(database)[0]
    name = row["checkpoint_id"].encode()
    canary = tmp_path / "canary"
    for code in range(128):
        call = ormsgpack.packb(["os", "mkdir", [str(canary)], {}])
        value = ormsgpack.packb(ormsgpack.Ext(code, call))
        body = ormsgpack.unpackb(serializer.unseal(bytes(row["data"]), name))
        body[7] = [["x", 1, 1, value]]
        data = serializer.seal(ormsgpack.packb(body), name)
        database.write(lambda tx, data=data: tx.run("UPDATE checkpoint SET data = :data", data=data))  # type: ignore[misc]
        try:
            state = database.read(lambda tx: checkpoint_rows.latest_state(tx, "t"))
        except CorruptState as error:
            assert "channel x" in error.message
        else:
            assert state is not None
            assert type(state["x"]) in (int, tuple, bytearray, dict, set, frozenset, bytes)
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


async def test_two_writers_racing_from_the_same_checkpoint_have_one_winner(database_url: str) -> None:
    with Database(database_url, grow_wal=False) as mine, Database(database_url, grow_wal=False) as theirs:
        mine.write(lambda tx: checkpoint_rows.seed(tx, "t", {"goal": 20, "plan": ["a"]}, fingerprint="", state_version=0))
        graphs = [looping("alpha").compile(checkpointer=SqlSaver(each)) for each in (mine, theirs)]
        outcomes = await asyncio.gather(
            *(graph.ainvoke(None, thread(), durability="sync") for graph in graphs), return_exceptions=True
        )
        assert sum(isinstance(each, LeaseLost) for each in outcomes) == 1
        stored = rows_of(mine)
        assert [row["id"] & 0xFFFFFFFF for row in stored] == list(range(1, len(stored) + 1))
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
    graph = looping("alpha").compile(checkpointer=saver)
    with pytest.raises(StorageError, match="the disk said no"):
        await graph.ainvoke({"goal": 8, "plan": ["a"]}, thread(), durability="sync")
        await saver.barrier("t")
    stored = rows_of(database)
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
    graph = looping("alpha").compile(checkpointer=saver)
    async for _ in graph.astream({"goal": 12, "plan": ["a"]}, thread(), stream_mode="updates", durability="sync"):
        state = database.read(lambda tx: checkpoint_rows.latest_meta(tx, "t"))
        if state is not None:
            head = saver._heads["t", ""]
            stored = len(rows_of(database))
            assert head.number - stored <= 1
    await saver.barrier("t")
    assert len(rows_of(database)) == 14


async def test_writes_of_a_finished_parallel_task_become_durable_while_its_sibling_works(database: Database) -> None:
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
    running = asyncio.create_task(builder.compile(checkpointer=saver).ainvoke({"notes": []}, config, durability="sync"))
    async with asyncio.timeout(20):
        while not any(row["kind"] == 2 for row in rows_of(database)):
            await asyncio.sleep(LINGER_S)
    other = SqlSaver(database)
    seen = await other.aget_tuple(config)
    assert seen is not None
    assert [write[1:] for write in seen.pending_writes or []] == [("notes", ["quick"])]
    release.set()
    assert (await running)["notes"] == ["quick", "slow"]
    final = await other.aget_tuple(config)
    assert final is not None
    assert final.checkpoint["channel_values"]["notes"] == ["quick", "slow"]


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
    graph = looping("alpha").compile(checkpointer=saver)
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
        graph = looping("alpha").compile(checkpointer=SqlSaver(mine))
        stream = graph.astream({"goal": 10, "plan": ["a"]}, thread(), stream_mode="updates", durability="sync")
        await anext(stream)
        await SqlSaver(theirs).aprune(["t"])
        async for _ in stream:
            pass
        assert (await graph.aget_state(thread())).values["step"] == 10
        assert len(rows_of(mine)) < 12


# -- a killed process -----------------------------------------------------------------------------------------

CHILD = """
import asyncio, sys
sys.path.insert(0, {here!r})
from test_checkpointer import looping, thread
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.storage.database import Database

async def main():
    with Database({url!r}, grow_wal=False) as database:
        graph = looping("alpha", "beta").compile(checkpointer=SqlSaver(database, behind={behind}))
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
async def test_a_killed_process_leaves_a_consistent_prefix_and_the_run_goes_on(database_url: str, behind: int) -> None:
    chance = random.Random(behind)
    reached = 0
    for attempt in range(3):
        start = '{"goal": 100000, "plan": ["a", "b"]}' if attempt == 0 else "None"
        script = CHILD.format(here=str(Path(__file__).parent), url=database_url, behind=behind, start=start)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
        steps = told(process)
        wanted = chance.randint(5, 40)
        last = 0
        for last in steps:
            wanted -= 1
            if wanted == 0:
                break
        os.kill(process.pid, signal.SIGKILL)
        for last in steps:
            pass
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
