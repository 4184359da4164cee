"""Around every node: time is booked, limits are looked at, the step's story is told, and a spent budget ends in a document.

`node.started` of the next node is written with the checkpoint that makes it next, so that nothing is announced which a
crash could take back, and a step still costs one commit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from autonomy.core.errors import BudgetExceeded
from autonomy.core.graph import END, Node, Update
from autonomy.core.state import GraphState
from autonomy.runtime.budgets import Meter
from autonomy.runtime.unit import Unit

log = logging.getLogger("autonomy.node")

WrapUp = Callable[[GraphState, Any, BudgetExceeded], Update]
"""Delivers what there is when a budget is spent; makes no outside call."""


class NodeContext(Protocol):
    """What the agents' context must offer here: itself, booked under a node and step."""

    def at(self, node: str, step: int) -> Any: ...


@dataclass(frozen=True, slots=True)
class Doors:
    """What the graph hands to a node: the agents' context, and beside it what only this module touches."""

    context: NodeContext
    unit: Unit
    meter: Meter
    ensure_budget: Callable[[], None]
    correlation_id: str


def supervised(name: str, node: Node, wrap_up: WrapUp) -> Node:
    """The node as the graph runs it: (state, Doors) -> update."""

    async def run(state: GraphState, doors: Doors) -> Update:
        began = time.monotonic()
        step = state["step"]
        context = doors.context.at(name, step)
        try:
            doors.ensure_budget()
            update = await node(state, context)
        except BudgetExceeded as error:
            figures = {"which": error.which, "limit": error.limit, "used": error.used, "asked": error.asked}
            doors.unit.emit("budget.exceeded", {"budget_exceeded": True, **figures}, node=name)
            why = f"{error.message}: delivers the best there is"
            doors.unit.emit("decision", {"route": END, "why": why, "figures": figures}, node=name)
            update = wrap_up(state, context, error)
        route = update["route"]
        duration = round((time.monotonic() - began) * 1000)
        doors.unit.emit("node.finished", {"route_in": name, "route_out": route, "step": step, "duration_ms": duration}, node=name)
        if route != END:
            doors.unit.emit("node.started", {"step": step + 1}, node=route)
        doors.unit.progress(route=route, spent_ms=doors.meter.take())
        fields = {"action": "node", "run_id": doors.unit.run_id, "node": name, "route_in": name, "route_out": route}
        log.info("%s -> %s", name, route, extra={**fields, "duration_ms": duration, "correlation_id": doors.correlation_id})
        return {**update, "step": step + 1}

    return run
