"""What stands around every node: time booked, limits looked at, its story told, one log line with figures and no words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from autonomy.core.errors import AutonomyError, BadAnswer, BudgetExceeded, Killed, LeaseLost
from autonomy.core.graph import END, Update
from autonomy.core.state import GraphState, initial_state
from autonomy.core.types import TaskSpec
from autonomy.runtime.budgets import Meter
from autonomy.runtime.steps import Called, Doors, supervised
from autonomy.runtime.unit import Unit

SECRET = "the goal in the person's own words"


class Door:
    """Knows where it was put."""

    def __init__(self, node: str = "", step: int = 0) -> None:
        self.node, self.step = node, step

    def at(self, node: str, step: int) -> Door:
        return Door(node, step)


def fine() -> None:
    """Enough is left."""


def doors(ensure: Callable[[], None] = fine, called: Callable[[str, int], Called] | None = None) -> Doors:
    figures = Called(attempts=3, tokens_in=100, tokens_out=20, provider="openai, extractive")
    clock = iter(range(1000)).__next__
    meter = Meter(lambda: float(clock()))
    return Doors(Door(), Unit("run1", epoch=1, lease_us=1), meter, ensure, called or (lambda node, step: figures), "corr")


def state(**more: Any) -> GraphState:
    return GraphState(**{**initial_state("run1", TaskSpec(goal=SECRET)), "step": 7, **more})  # type: ignore[typeddict-item]


def wrap_up(state: GraphState, context: Any, error: BudgetExceeded, node: str) -> Update:
    return {"route": END, "outcome": "budget_exceeded", "by": f"{context.node} {node}"}


def node(route: str = "reflect", error: AutonomyError | None = None) -> Any:
    async def run(state: GraphState, context: Door) -> Update:
        if error is not None:
            raise error
        return {"route": route, "at": (context.node, context.step)}

    return supervised("act", run, wrap_up)


def events_of(made: Doors) -> list[tuple[str, str | None, dict[str, Any]]]:
    return made.unit._items


async def test_the_story_of_a_node_ends_with_the_start_of_the_next() -> None:
    made = doors()
    update = await node()(state(), made)
    assert (update["step"], update["at"]) == (8, ("act", 7))
    finished, started = events_of(made)
    assert finished[:2] == ("node.finished", "act")
    assert (finished[2]["route_in"], finished[2]["route_out"], finished[2]["step"]) == ("act", "reflect", 7)
    assert started == ("node.started", "reflect", {"step": 8})
    assert (made.unit._route, made.unit._spent_ms) == ("reflect", 1000)


async def test_after_the_end_nothing_starts() -> None:
    made = doors()
    await node(END)(state(), made)
    assert [kind for kind, _, _ in events_of(made)] == ["node.finished"]


@pytest.mark.parametrize("where", ["before", "inside"])
async def test_a_spent_budget_is_told_with_its_figures_and_ends_in_what_there_is(where: str) -> None:
    error = BudgetExceeded("tokens", 100, 90, 20)

    def spent() -> None:
        raise error

    made = doors(spent) if where == "before" else doors()
    update = await node(error=error)(state(), made)
    assert (update["route"], update["outcome"], update["by"]) == (END, "budget_exceeded", "act act")
    kind, at, content = events_of(made)[0]
    assert (kind, at) == ("budget.exceeded", "act")
    assert content == {"budget_exceeded": True, "which": "tokens", "limit": 100, "used": 90, "asked": 20}


@pytest.mark.parametrize("error", [Killed(), LeaseLost("gone"), BadAnswer("no")])
async def test_an_abort_a_lost_lease_and_every_other_error_go_up_untouched(error: AutonomyError) -> None:
    made = doors()
    with pytest.raises(type(error)):
        await node(error=error)(state(), made)
    assert events_of(made) == []


async def test_a_node_that_is_over_budget_is_not_begun() -> None:
    begun = []

    async def run(state: GraphState, context: Any) -> Update:
        begun.append(1)
        return {"route": END}

    def spent() -> None:
        raise BudgetExceeded("seconds", 1, 2, 0)

    await supervised("act", run, wrap_up)(state(), doors(spent))
    assert begun == []


async def test_a_log_line_carries_ids_and_figures_and_nothing_of_the_content(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "autonomy.node"):
        await node()(state(notes=[SECRET]), doors())
    (record,) = caplog.records
    said = record.__dict__
    wanted = {
        "action": "node", "run_id": "run1", "node": "act", "step": 7, "route_in": "act", "route_out": "reflect",
        "correlation_id": "corr", "attempts": 3, "tokens_in": 100, "tokens_out": 20, "provider": "openai, extractive",
    }  # fmt: skip
    assert {key: said[key] for key in wanted} == wanted
    assert isinstance(said["duration_ms"], int)
    assert SECRET not in repr(said)


async def test_a_node_that_fails_is_logged_by_the_code_of_its_error(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "autonomy.node"), pytest.raises(BadAnswer):
        await node(error=BadAnswer(SECRET))(state(), doors())
    (record,) = caplog.records
    assert (record.levelname, record.__dict__["error"], record.__dict__["route_out"]) == ("WARNING", "bad-answer", None)
    assert SECRET not in repr(record.__dict__)


async def test_the_journal_is_not_asked_for_a_line_that_nobody_reads(caplog: pytest.LogCaptureFixture) -> None:
    def unwanted(node: str, step: int) -> Called:
        raise AssertionError("asked")

    with caplog.at_level(logging.ERROR, "autonomy.node"):
        await node()(state(), doors(called=unwanted))
