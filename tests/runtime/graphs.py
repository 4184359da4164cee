"""Graphs and questions that the checkpointer's tests share."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph

from autonomy.storage.database import Database, Tx


class State(TypedDict, total=False):
    step: int
    goal: int
    notes: Annotated[list[str], operator.add]
    records: Annotated[list[dict[str, Any]], operator.add]
    plan: list[str]
    last: dict[str, Any]


def looping(*names: str) -> StateGraph[Any, Any, Any, Any]:
    """Nodes in a circle until `step` reaches `goal`: a growing list, a list replaced by a longer one, dicts."""

    def node(name: str) -> Any:
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

    graph: StateGraph[Any, Any, Any, Any] = StateGraph(State)
    for name in names:
        graph.add_node(name, node(name))
    graph.add_edge(START, names[0])
    for here, there in itertools.pairwise(names):
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


def used(database: Database) -> int:
    """Bytes in use."""

    def look(tx: Tx) -> int:
        if tx.dialect.name == "postgresql":
            return int(tx.value("SELECT pg_total_relation_size('checkpoint')"))
        pages, free = tx.value("PRAGMA page_count"), tx.value("PRAGMA freelist_count")
        return int((pages - free) * tx.value("PRAGMA page_size"))

    return database.read(look)
