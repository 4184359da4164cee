"""The shape of the loop, built from the nodes it is handed; it knows no agent.

Every node is `async (state, context) -> update` and names the next one in `update["route"]`; `ROUTES` says which names
each may give. The fingerprint of this table and of the state's version stands in every checkpoint: a run made by another
shape is refused, never continued silently.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from autonomy.core.state import STATE_VERSION, GraphState

END = "END"
ROUTES: dict[str, tuple[str, ...]] = {
    "interpret": ("plan", END),
    "plan": ("act", END),
    "act": ("reflect", END),
    "reflect": ("plan", "act", "expand", "repair", "turnitin_pause", END),
    "expand": ("plan", "act", END),
    "repair": ("plan", "act", END),
    "turnitin_pause": ("plan", END),
}

Update = dict[str, Any]
Node = Callable[[GraphState, Any], Awaitable[Update]]


def fingerprint() -> str:
    """Sixteen hex digits that change with the routes or the state's version."""
    shape = json.dumps({"routes": ROUTES, "state": STATE_VERSION}, sort_keys=True)
    return hashlib.sha256(shape.encode()).hexdigest()[:16]


def build(nodes: Mapping[str, Node], *, checkpointer: Any, context_schema: type) -> Any:
    """The compiled LangGraph state machine; imports LangGraph, which takes about a second.

    `nodes` must name exactly the nodes of ROUTES. A node that answers with a route it may not take fails the step.
    """
    from langgraph.graph import END as LANGGRAPH_END
    from langgraph.graph import START, StateGraph

    if set(nodes) != set(ROUTES):
        raise ValueError(f"nodes {sorted(nodes)} are not the graph's {sorted(ROUTES)}")
    graph: Any = StateGraph(GraphState, context_schema=context_schema)
    for name, node in nodes.items():
        graph.add_node(name, _with_runtime(name, node))
    graph.add_edge(START, "interpret")
    for name, targets in ROUTES.items():
        graph.add_conditional_edges(name, _next_route, {t: (LANGGRAPH_END if t == END else t) for t in targets})
    return graph.compile(checkpointer=checkpointer)


def _next_route(state: GraphState) -> str:
    return state["route"]


def _with_runtime(name: str, node: Node) -> Any:
    from langgraph.runtime import Runtime

    async def run(state: GraphState, runtime: Runtime[Any]) -> Update:
        update = await node(state, runtime.context)
        if update.get("route") not in ROUTES[name]:
            raise ValueError(f"node {name} may not route to {update.get('route')!r}")
        return update

    run.__annotations__ = {"state": GraphState, "runtime": Runtime[Any], "return": dict}
    return run
