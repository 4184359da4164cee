"""The plan: it grows once for each finding, hands out only steps that wait for nothing, and always ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.agents import planning
from autonomy.core.errors import CorruptState
from autonomy.core.state import initial_state
from autonomy.core.types import PlanStep, StepState, TaskSpec

STATES: list[StepState] = ["pending", "running", "done", "failed", "skipped"]


def step(name: str, *after: str, state: StepState = "pending") -> PlanStep:
    return PlanStep(id=name, kind="write", action="draft", description=name, depends_on=after, state=state)


@st.composite
def plans(draw: st.DrawFn, prefix: str = "s", size: int = 8) -> planning.Plan:
    """A plan without cycles: each step waits for some of those before it."""
    count = draw(st.integers(0, size))
    names = [f"{prefix}{n}" for n in range(count)]
    return tuple(
        step(
            name,
            *draw(st.lists(st.sampled_from(names[:n]), unique=True) if n else st.just([])),
            state=draw(st.sampled_from(STATES)),
        )
        for n, name in enumerate(names)
    )


@given(plans(), plans("n", 4), st.lists(st.sampled_from([f"s{n}" for n in range(8)])))
def test_growing_twice_adds_nothing_twice(plan: planning.Plan, more: planning.Plan, after: list[str]) -> None:
    once = planning.grow(plan, more, after=after)
    assert planning.grow(once, more, after=after) == once
    ids = [each.id for each in once]
    assert len(ids) == len(set(ids))
    assert set(ids) == {each.id for each in (*plan, *more)}


@given(plans(), plans("n", 4), st.lists(st.sampled_from([f"s{n}" for n in range(8)])))
def test_growing_changes_no_step_that_has_ended_and_loses_no_need(
    plan: planning.Plan, more: planning.Plan, after: list[str]
) -> None:
    grown = planning.grow(plan, more, after=after)
    for before in plan:
        now = planning.find(grown, before.id)
        assert set(before.depends_on) <= set(now.depends_on)
        if before.ended:
            assert now == before
        elif set(before.depends_on) & set(after):
            assert {each.id for each in more} <= set(now.depends_on)


@given(plans())
def test_a_ready_step_is_pending_and_all_it_needs_has_ended(plan: planning.Plan) -> None:
    found = planning.ready(plan)
    ended = {each.id for each in plan if each.ended}
    if found is not None:
        assert found.state == "pending"
        assert set(found.depends_on) <= ended
    else:
        assert all(each.state != "pending" or set(each.depends_on) - ended for each in plan)


@given(plans(), plans("n", 4), st.data())
def test_a_plan_without_cycles_is_worked_to_its_end_whatever_becomes_of_its_steps(
    plan: planning.Plan, more: planning.Plan, data: st.DataObject
) -> None:
    plan = tuple(each.model_copy(update={"state": "pending"}) for each in plan)
    plan = planning.grow(plan, more, after=[each.id for each in plan[:2]])
    plan = tuple(each.model_copy(update={"state": "pending"}) for each in plan)
    for _ in range(len(plan)):
        following = planning.ready(plan)
        assert following is not None
        plan = planning.set_state(plan, following.id, data.draw(st.sampled_from(["done", "failed", "skipped"])), tried=True)
    assert planning.ready(plan) is None
    assert all(each.ended and each.attempts == 1 for each in plan)


def test_a_step_that_waits_for_one_that_does_not_exist_is_never_ready() -> None:
    assert planning.ready((step("a", "nobody"),)) is None


def test_new_steps_stand_before_the_first_that_waits_for_them() -> None:
    plan = (step("survey", state="done"), step("search", state="done"), step("outline", "search"), step("end", "outline"))
    grown = planning.grow(plan, (step("more"), step("other")), after=["search"])
    assert [each.id for each in grown] == ["survey", "search", "more", "other", "outline", "end"]
    assert planning.find(grown, "outline").depends_on == ("search", "more", "other")
    assert planning.find(grown, "end").depends_on == ("outline",)


def test_a_step_in_a_state_survives_the_state() -> None:
    plan = (step("a", state="failed"), step("b", "a"))
    state = {**initial_state("r", TaskSpec(goal="g")), "plan": planning.dump(plan)}
    assert planning.load(state) == plan  # type: ignore[arg-type]


def test_a_search_step_names_its_test_and_its_alternative() -> None:
    made = planning.search_step(3, "Why?")
    assert (made.id, made.test, made.alternatives, made.uncertainty) == ("search-3", "coverage >= 0.5", ("widen",), 0.5)


def test_a_missing_step_is_a_broken_plan() -> None:
    with pytest.raises(CorruptState, match="no step 'b'"):
        planning.find((step("a"),), "b")


def test_the_summary_shows_state_and_needs() -> None:
    shown = planning.summary((step("a", state="skipped"), step("b", "a")))
    assert [(row["id"], row["state"], row["done"], row["depends_on"]) for row in shown] == [
        ("a", "skipped", True, []),
        ("b", "pending", False, ["a"]),
    ]
