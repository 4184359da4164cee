"""The checkpointer under real graphs: the same history as LangGraph's own saver, one commit per superstep, few bytes."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt

from autonomy.core.errors import InvalidInput, LeaseLost, Unresumable, Unserializable
from autonomy.runtime import checkpoint_rows
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.storage.database import Database, Tx
from tests.runtime.graphs import State, looping, rows_of, same_story, story, thread, used


def _alpha(saver: SqlSaver) -> Any:
    return looping("alpha").compile(checkpointer=saver)


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


async def test_a_list_that_is_emptied_and_filled_again(database: Database) -> None:
    async def work(state: State) -> State:
        step = state.get("step", 0) + 1
        return {"step": step, "plan": [] if step % 2 else [f"line {step}", "more"]}

    builder = StateGraph(State)
    builder.add_node("work", work)
    builder.add_edge(START, "work")
    builder.add_conditional_edges("work", lambda state: "work" if state["step"] < 6 else END)

    async def play(graph: Any) -> None:
        await graph.ainvoke({"plan": []}, thread(), durability="sync")

    await same_story(builder, play, [InMemorySaver(), SqlSaver(database)], thread())


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
        if isinstance(graph.checkpointer, SqlSaver):
            stored = await SqlSaver(database).aget_tuple(config)
            assert stored is not None
            assert [write[1] for write in stored.pending_writes or []] == ["__interrupt__"], "durable on return"

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
        graph: Any = builder.compile(checkpointer=each)
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


async def test_each_superstep_costs_exactly_one_commit_with_everything_in_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autonomy.runtime.checkpointer_sql.LINGER_S", 60)  # a busy machine is no matter here
    told: list[str] = []

    def companion(thread_id: str) -> Callable[[Tx], None]:
        told.append(thread_id)
        user = f"step-{len(told)}"

        def write(tx: Tx) -> None:
            tx.run("INSERT INTO lane (user_id) VALUES (:user)", user=user)

        return write

    graph: Any = looping("alpha", "beta").compile(checkpointer=SqlSaver(database, companion=companion))
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

    graph: Any = looping("alpha").compile(checkpointer=SqlSaver(database, companion=companion))
    with pytest.raises(LeaseLost, match="held by another"):
        await graph.ainvoke({"goal": 3, "plan": ["a"]}, thread(), durability="sync")
    assert rows_of(database) == []
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM lane")) == 0


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
    for here, there in itertools.pairwise(names):
        builder.add_edge(here, there)
    builder.add_conditional_edges("decide", lambda state: "read" if state["step"] < 1000 else END)
    graph: Any = builder.compile(checkpointer=SqlSaver(database, fingerprint="f" * 16, state_version=1))
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

    memory: Any = builder.compile(checkpointer=InMemorySaver())
    await memory.ainvoke(values, thread(), durability="sync")
    seeded: Any = builder.compile(checkpointer=SqlSaver(database, fingerprint="fp", state_version=3))
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
    await _alpha(saver).ainvoke(values, thread("given"), durability="sync")
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
    graph: Any = builder.compile(checkpointer=SqlSaver(database))
    with pytest.raises(Unserializable, match=r"last\.plan\[1\]\.cost is of type builtins\.object"):
        await graph.ainvoke({"step": 0}, thread(), durability="sync")
    state = await graph.aget_state(thread())
    assert state.next == ("work",)
    assert state.values == {"step": 0, "notes": [], "records": []}


async def test_hostile_filter_keys_find_nothing_and_harm_nothing(database: Database) -> None:
    saver = SqlSaver(database)
    await _alpha(saver).ainvoke({"goal": 2, "plan": ["a"]}, thread(), durability="sync")
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
