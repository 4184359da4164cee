"""Around every node: time is booked, limits are looked at, the step's story is told, and a spent budget ends in a document.

`node.started` of the next node is written with the checkpoint that makes it next, so that nothing is announced which a
crash could take back, and a step still costs one commit.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypedDict

from autonomy.core.errors import AutonomyError, BudgetExceeded, Killed
from autonomy.core.graph import END, Node, Update
from autonomy.core.state import GraphState
from autonomy.runtime.budgets import Meter
from autonomy.runtime.unit import Unit

log = logging.getLogger("autonomy.node")

WrapUp = Callable[[GraphState, Any, BudgetExceeded, str], Update]
"""Delivers what there is when a budget is spent in the named node, and says why; makes no outside call."""


class NodeContext(Protocol):
    """What the agents' context must offer here: itself, booked under a node and step."""

    def at(self, node: str, step: int) -> Any: ...


class Called(TypedDict):
    """What one execution of a node asked of the outside: requests made, tokens, and who answered (None for nobody)."""

    attempts: int
    tokens_in: int
    tokens_out: int
    provider: str | None


@dataclass(frozen=True, slots=True)
class Doors:
    """What the graph hands to a node: the agents' context, and beside it what only this module touches."""

    context: NodeContext
    unit: Unit
    meter: Meter
    ensure_budget: Callable[[], None]
    called: Callable[[str, int], Called]
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
        except Killed:
            raise  # an operator's word is obeyed, not worked around: nothing more is written
        except BudgetExceeded as error:
            figures = {"which": error.which, "limit": error.limit, "used": error.used, "asked": error.asked}
            doors.unit.emit("budget.exceeded", {"budget_exceeded": True, **figures}, node=name)
            update = wrap_up(state, context, error, name)
        except AutonomyError as error:
            _say(logging.WARNING, name, None, step, began, doors, error=error.code)
            raise
        route = update["route"]
        told = {"route_in": name, "route_out": route, "step": step, "duration_ms": _since(began)}
        doors.unit.emit("node.finished", told, node=name)
        if route != END:
            doors.unit.emit("node.started", {"step": step + 1}, node=route)
        doors.unit.progress(route=route, spent_ms=doors.meter.take())
        _say(logging.INFO, name, route, step, began, doors)
        return {**update, "step": step + 1}

    return run


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _say(level: int, name: str, route: str | None, step: int, began: float, doors: Doors, **more: str) -> None:
    """One structured line per node: ids and figures, never what the run is about. The journal is asked only if heard."""
    if not log.isEnabledFor(level):
        return
    fields = {
        "action": "node",
        "run_id": doors.unit.run_id,
        "node": name,
        "step": step,
        "route_in": name,
        "route_out": route,
        "duration_ms": _since(began),
        "correlation_id": doors.correlation_id,
        **doors.called(name, step),
        **more,
    }
    log.log(level, "%s -> %s", name, route or more.get("error"), extra=fields)
