"""A run under one lease after another: one commit a superstep, nothing lost or doubled by a crash, nobody writes late."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import pytest

from autonomy.core.errors import Killed, LeaseLost, ProviderUnavailable, Unresumable
from autonomy.core.graph import END, Update
from autonomy.core.llm import ChatMessage, ChatRequest
from autonomy.core.state import GraphState
from autonomy.core.types import Budget
from autonomy.runtime import budgets, runs
from autonomy.runtime.execution import Ended
from autonomy.runtime.scripted import ScriptedPort
from autonomy.storage.database import Database, Tx
from tests.runtime.driven import RUN, Doorway, Driven, count, last_state, onward, row, start, story, take_over, told

ASK = ChatRequest("draft", (ChatMessage("user", "say"),), 100)
TABLES = ("event", "record", "artifact", "checkpoint")


def stands(database: Database) -> tuple[Any, ...]:
    """Everything a superstep writes."""
    run, job = row(database), row(database, "job")
    kept = [run[name] for name in ("route", "used_ms", "next_seq")] + [job["attempts"], job["lease_until"]]
    return (*(count(database, table) for table in TABLES), *kept)


async def test_a_run_is_driven_to_its_end_and_every_node_leaves_its_traces_once(database: Database, tmp_path: Path) -> None:
    job = start(database)
    driven = Driven(database, tmp_path)
    assert await driven.work(job.epoch) == Ended("delivered", None)
    assert told(database) == [
        ("node.started", "interpret"),
        *[
            each
            for here, after in (("interpret", "plan"), ("plan", "act"), ("act", "reflect"))
            for each in (("decision", here), ("artifact.created", None), ("node.finished", here), ("node.started", after))
        ],
        ("decision", "reflect"),
        ("artifact.created", None),
        ("node.finished", "reflect"),
    ]
    assert [r["body"] for r in database.read(lambda tx: tx.rows("SELECT body FROM record ORDER BY number"))] == [
        '"interpret"',
        '"plan"',
        '"act"',
        '"reflect"',
    ]
    assert (count(database, "artifact"), row(database)["route"], driven.closed) == (4, END, 1)


@pytest.mark.parametrize("behind", [0, 1])
async def test_a_superstep_is_one_commit_with_everything_in_it(database: Database, tmp_path: Path, behind: int) -> None:
    job = start(database)
    seen: list[int] = []

    async def counted(state: GraphState, context: Doorway) -> Update:
        await driven.saver.barrier(RUN)
        seen.append(database.commits)
        return await onward(state, context)

    driven = Driven(database, tmp_path, dict.fromkeys(("plan", "act", "reflect"), counted), behind=behind)
    await driven.work(job.epoch)
    seen.append(database.commits)
    assert [after - before for before, after in pairwise(seen)] == [1, 1, 1]


async def test_the_start_of_the_next_node_is_in_the_transaction_of_the_checkpoint(database: Database, tmp_path: Path) -> None:
    job = start(database)
    seen: list[tuple[Any, ...]] = []

    async def looks(state: GraphState, context: Doorway) -> Update:
        last = story(database)[-1]
        seen.append((last.type, last.node, last.content["step"], row(database)["route"], last_state(database)["step"]))
        return await onward(state, context)

    await Driven(database, tmp_path, {"act": looks}).work(job.epoch)
    assert seen == [("node.started", "act", 2, "act", 2)]


async def test_a_write_that_fails_in_the_superstep_leaves_none_of_it(database: Database, tmp_path: Path) -> None:
    job = start(database)
    before: list[tuple[Any, ...]] = []
    calm = False

    async def breaks(state: GraphState, context: Doorway) -> Update:
        def broken(tx: Tx) -> NoReturn:
            raise RuntimeError("the disk says no")

        update = await onward(state, context)
        if not calm:
            before.append(stands(database))
            context.unit.add(broken)
        return update

    driven = Driven(database, tmp_path, {"act": breaks})
    with pytest.raises(RuntimeError, match="the disk says no"):
        await driven.work(job.epoch)
    assert [stands(database)] == before
    assert (tmp_path / "artifacts" / RUN / "act.txt").exists()
    calm = True
    assert (await driven.work(job.epoch)).outcome == "delivered"
    assert [r["key"] for r in database.read(lambda tx: tx.rows("SELECT key FROM record ORDER BY key"))] == [
        "000", "001", "002", "003",
    ]  # fmt: skip


async def test_a_node_that_raises_leaves_nothing_and_is_done_again(database: Database, tmp_path: Path) -> None:
    job = start(database)
    before: list[tuple[Any, ...]] = []

    async def raises(state: GraphState, context: Doorway) -> Update:
        await onward(state, context)
        if not before:
            before.append(stands(database)[1:3])
            raise ProviderUnavailable("down")
        return {"route": "reflect"}

    driven = Driven(database, tmp_path, {"act": raises})
    with pytest.raises(ProviderUnavailable):
        await driven.work(job.epoch)
    assert [stands(database)[1:3]] == before
    assert last_state(database)["step"] == 2
    assert (await driven.work(job.epoch)).outcome == "delivered"


async def test_a_lease_lost_in_the_middle_writes_nothing_more(database: Database, tmp_path: Path) -> None:
    job = start(database)
    before: list[tuple[Any, ...]] = []

    async def overtaken(state: GraphState, context: Doorway) -> Update:
        update = await onward(state, context)
        take_over(database)
        before.append(stands(database))
        return update

    driven = Driven(database, tmp_path, {"act": overtaken})
    with pytest.raises(LeaseLost):
        await driven.work(job.epoch)
    assert [stands(database)] == before
    assert driven.closed == 1


async def test_after_a_crash_the_run_goes_on_from_its_last_superstep_and_answered_calls_are_read(
    database_url: str, tmp_path: Path
) -> None:
    """The first worker is left standing in a node, its call answered; it wakes when the run is over."""
    called, wake = asyncio.Event(), asyncio.Event()
    visits: list[str] = []

    async def calls(state: GraphState, context: Doorway) -> Update:
        visits.append(f"epoch {context.unit.epoch}")
        answer = await context.calls.chat(ASK)
        context.records.put("answer", "a", answer.text)
        if context.unit.epoch == 1:
            called.set()
            await wake.wait()
        return await onward(state, context)

    with Database(database_url, grow_wal=False) as one, Database(database_url, grow_wal=False) as two:
        job = start(one)
        first, second = ScriptedPort(script=["the answer"]), ScriptedPort(script=["another answer"])
        frozen = asyncio.ensure_future(Driven(one, tmp_path, {"act": calls}, first).work(job.epoch))
        await called.wait()
        epoch = take_over(two)
        assert await Driven(two, tmp_path, {"act": calls}, second).work(epoch) == Ended("delivered", None)
        after = stands(two)
        wake.set()
        with pytest.raises(LeaseLost):
            await frozen
        assert stands(two) == after
        assert (len(first.received), len(second.received)) == (1, 0)
        assert visits == ["epoch 1", "epoch 2"]
        answers = two.read(lambda tx: tx.rows("SELECT body FROM record WHERE kind = 'answer'"))
        assert answers == [{"body": '"the answer"'}]
        nodes = [event.node for event in story(two) if event.type == "node.finished"]
        assert nodes == ["interpret", "plan", "act", "reflect"]


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
async def test_a_stop_takes_effect_between_supersteps_and_names_what_comes_next(
    database: Database, tmp_path: Path, steps: int
) -> None:
    job = start(database)

    def enough() -> bool:
        return sum(event.type == "node.finished" for event in story(database)) >= steps

    driven = Driven(database, tmp_path)
    ended = await driven.work(job.epoch, enough)
    following = ["plan", "act", "reflect", None][steps - 1]
    assert ended == (Ended(None, following) if following else Ended("delivered", None))
    assert len([e for e in story(database) if e.type == "node.finished"]) == steps
    assert (await driven.work(job.epoch)).outcome == "delivered"
    assert count(database, "record") == 4


async def test_a_run_that_is_stopped_before_it_begins_begins_nothing(database: Database, tmp_path: Path) -> None:
    job = start(database)
    assert await Driven(database, tmp_path).work(job.epoch, lambda: True) == Ended(None, "interpret")
    assert told(database) == []


async def test_a_run_of_another_graph_is_refused_before_anything_is_opened(database: Database, tmp_path: Path) -> None:
    job = start(database)
    driven = Driven(database, tmp_path, fingerprint="0" * 16)
    before = stands(database)
    with pytest.raises(Unresumable, match="graph"):
        await driven.work(job.epoch)
    assert (driven.opened, stands(database)) == ([], before)


async def test_a_graph_that_ends_without_an_outcome_has_failed(database: Database, tmp_path: Path) -> None:
    async def nothing(state: GraphState, context: Doorway) -> Update:
        return {"route": END}

    async def failed(state: GraphState, context: Doorway) -> Update:
        return {"route": END, "outcome": "failed", "error": "no document was handed over"}

    job = start(database)
    assert (await Driven(database, tmp_path, {"interpret": nothing}).work(job.epoch)).outcome == "failed"
    assert (await Driven(database, tmp_path).work(job.epoch)).error == "the run ended without a document"
    database.write(lambda tx: [tx.run(f"DELETE FROM {table}") for table in ("run", "job", "event", "checkpoint", "lane")])
    job = start(database)
    ended = await Driven(database, tmp_path, {"interpret": failed}).work(job.epoch)
    assert ended == Ended("failed", None, "no document was handed over")


# -- budgets ----------------------------------------------------------------------------------------


async def test_time_that_is_spent_ends_the_run_between_nodes_with_a_document(database: Database, tmp_path: Path) -> None:
    async def long(state: GraphState, context: Doorway) -> Update:
        await database.awrite(lambda tx: budgets.spend_time(tx, RUN, context.unit.epoch, 60_000))
        return await onward(state, context)

    job = start(database, Budget(seconds=30))
    assert await Driven(database, tmp_path, {"plan": long}).work(job.epoch) == Ended("budget_exceeded", None)
    exceeded = next(event for event in story(database) if event.type == "budget.exceeded")
    assert (exceeded.node, exceeded.content["which"], exceeded.content["budget_exceeded"]) == ("act", "seconds", True)
    assert [event.node for event in story(database) if event.type == "node.finished"] == ["interpret", "plan", "act"]
    assert (tmp_path / "artifacts" / RUN / "deliverable.md").exists()
    assert count(database, "artifact") == 3


async def test_working_time_is_booked_once_over_all_nodes(database: Database, tmp_path: Path) -> None:
    job = start(database)
    await Driven(database, tmp_path).work(job.epoch)
    durations = sum(e.content["duration_ms"] for e in story(database) if e.type == "node.finished")
    assert 0 <= row(database)["used_ms"] <= durations + 60_000


async def test_an_aborted_run_is_not_worked_around_into_a_document(database: Database, tmp_path: Path) -> None:
    async def aborted(state: GraphState, context: Doorway) -> Update:
        await database.awrite(lambda tx: runs.request_control(tx, RUN, "abort"))
        return await onward(state, context)

    job = start(database)
    with pytest.raises(Killed):
        await Driven(database, tmp_path, {"plan": aborted}).work(job.epoch)
    kinds = {kind for kind, _ in told(database)}
    assert "budget.exceeded" not in kinds
    assert not (tmp_path / "artifacts" / RUN / "deliverable.md").exists()


# -- in one process ---------------------------------------------------------------------------------


async def test_a_lease_won_again_by_the_same_process_waits_until_the_old_execution_is_out(
    database: Database, tmp_path: Path
) -> None:
    reached, go = asyncio.Event(), asyncio.Event()

    async def waits(state: GraphState, context: Doorway) -> Update:
        if context.unit.epoch == 1:
            reached.set()
            await go.wait()
        return await onward(state, context)

    job = start(database)
    driven = Driven(database, tmp_path, {"plan": waits})
    old = asyncio.ensure_future(driven.work(job.epoch))
    await reached.wait()
    new = asyncio.ensure_future(driven.work(take_over(database)))
    done, _ = await asyncio.wait({new}, timeout=0.05)
    assert (done, len(driven.opened)) == (set(), 1)
    go.set()
    with pytest.raises(LeaseLost):
        await old
    assert (await new).outcome == "delivered"
    assert count(database, "record") == 4


async def test_the_log_line_of_a_node_counts_the_tokens_of_its_calls(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def calls(state: GraphState, context: Doorway) -> Update:
        await context.calls.chat(ASK)
        await context.calls.chat(ASK)
        return await onward(state, context)

    job = start(database)
    with caplog.at_level(logging.INFO, "autonomy.node"):
        await Driven(database, tmp_path, {"act": calls}).work(job.epoch)
    lines = {record.__dict__["node"]: record.__dict__ for record in caplog.records if record.name == "autonomy.node"}
    figures = ("attempts", "tokens_in", "tokens_out", "provider")
    assert [lines["act"][name] for name in figures] == [2, 20, 10, "scripted"]
    assert [lines["plan"][name] for name in figures] == [0, 0, 0, None]
    assert {line["correlation_id"] for line in lines.values()} == {"corr"}
