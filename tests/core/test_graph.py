"""The shape of the loop: which route leads where, and that nothing else does."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from autonomy.core import graph
from autonomy.core.graph import END, ROUTES
from autonomy.core.state import GraphState, initial_state
from autonomy.core.types import Route, TaskSpec


def nodes(routes: dict[str, list[str]]) -> dict[str, graph.Node]:
    """Nodes that take the named routes in turn, then END; each visit is noted in the state's notes."""

    def made(name: str) -> graph.Node:
        async def node(state: GraphState, context: Any) -> graph.Update:
            left = routes.get(name, [])
            return {"route": left.pop(0) if left else END, "notes": [*state["notes"], f"{name}:{context}"]}

        return node

    return {name: made(name) for name in ROUTES}


async def drive(routes: dict[str, list[str]]) -> dict[str, Any]:
    compiled = graph.build(nodes(routes), checkpointer=InMemorySaver(), context_schema=str)
    state = dict(initial_state("r", TaskSpec(goal="g")))
    found: dict[str, Any] = await compiled.ainvoke(state, {"configurable": {"thread_id": "r"}}, context="ctx")
    return found


def test_the_routes_are_those_that_are_promised() -> None:
    assert set(ROUTES["reflect"]) == {"plan", "act", "expand", "repair", "turnitin_pause", END}
    assert (ROUTES["interpret"][0], ROUTES["plan"][0], ROUTES["act"][0]) == ("plan", "act", "reflect")
    targets = {target for each in ROUTES.values() for target in each}
    assert targets <= {*ROUTES, END}
    assert targets | {"interpret"} == set(get_args(Route))


async def test_the_loop_goes_where_its_nodes_say_and_hands_them_the_context() -> None:
    end = await drive({"interpret": ["plan"], "plan": ["act", "act"], "act": ["reflect", "reflect"], "reflect": ["expand", END],
                       "expand": ["plan"]})  # fmt: skip
    assert end["notes"] == [
        f"{name}:ctx" for name in ("interpret", "plan", "act", "reflect", "expand", "plan", "act", "reflect")
    ]


@pytest.mark.parametrize(
    ("node", "route"), [("interpret", "act"), ("plan", "reflect"), ("act", "plan"), ("reflect", "interpret")]
)
async def test_a_route_that_a_node_may_not_take_fails_the_step(node: str, route: str) -> None:
    way = {"interpret": ["plan"], "plan": ["act"], "act": ["reflect"], node: [route]}
    with pytest.raises(ValueError, match=f"node {node} may not route to '{route}'"):
        await drive(way)


def test_a_graph_is_made_of_exactly_its_nodes() -> None:
    some = nodes({})
    del some["repair"]
    with pytest.raises(ValueError, match="repair"):
        graph.build(some, checkpointer=None, context_schema=str)


def test_the_fingerprint_changes_with_the_routes_and_with_the_states_version(monkeypatch: pytest.MonkeyPatch) -> None:
    before = graph.fingerprint()
    assert (len(before), graph.fingerprint()) == (16, before)
    monkeypatch.setattr(graph, "STATE_VERSION", 99)
    other = graph.fingerprint()
    monkeypatch.setitem(graph.ROUTES, "plan", ("act",))
    assert len({before, other, graph.fingerprint()}) == 3


def test_the_first_state_names_every_field() -> None:
    assert set(initial_state("r", TaskSpec(goal="g"))) == set(GraphState.__annotations__)
