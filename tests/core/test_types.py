"""What is refused at the door, and that what was accepted comes back unchanged."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from autonomy.core.types import Budget, Observation, PlanStep, TaskSpec


@pytest.mark.parametrize("field", ["tokens", "seconds", "usd"])
@pytest.mark.parametrize("value", [True, False, math.nan, math.inf, -math.inf, -1, "5", [], 1e400])
def test_a_budget_takes_finite_numbers_only(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        Budget(**{field: value})


@pytest.mark.parametrize(
    "values", [{"tokens": 0}, {"tokens": 5.0}, {"tokens": 10**16}, {"seconds": 0}, {"usd": 1e10}, {"eur": 1}]
)
def test_a_budget_has_bounds(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Budget(**values)


def test_a_budget_of_whole_seconds_and_dollars_is_one() -> None:
    assert Budget(tokens=1, seconds=60, usd=0) == Budget(tokens=1, seconds=60.0, usd=0.0)


@pytest.mark.parametrize(
    "values",
    [
        {"goal": ""}, {"goal": "  \n"}, {"goal": "???"}, {"goal": "\u200b"},
        {"goal": "a\x00b"}, {"goal": "\ud800"}, {"goal": "x" * 100_001}, {"goal": 5},
        {"journey": "poem"}, {"style": "none"}, {"length": 49}, {"length": True}, {"length": 500.0}, {"min_citations": -1},
        {"min_citations": True}, {"seed": -1}, {"seed": True}, {"seed": 2**53 + 1}, {"target_similarity": 101},
        {"target_similarity": math.nan}, {"due_date": "2026-02-30"}, {"corpus": ["a\x00"]}, {"goall": "x"},
    ],
)  # fmt: skip
def test_a_task_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TaskSpec(**{"goal": "Why?", **values})


@pytest.mark.parametrize("values", [{"max_cost": -1}, {"max_cost": math.inf}, {"max_seconds": 0}, {"max_seconds": True},
                                    {"max_retries": -1}, {"uncertainty": 2}, {"state": "lost"}])  # fmt: skip
def test_a_steps_limits_are_finite_and_positive(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PlanStep(**{"id": "a", "kind": "write", "action": "draft", "description": "d", **values})


tasks = st.builds(
    TaskSpec,
    goal=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1).filter(
        lambda text: any(map(str.isalnum, text))
    ),
    length=st.none() | st.integers(50, 10**6),
    seed=st.integers(0, 2**53),
    min_citations=st.none() | st.integers(0, 10**5),
    due_date=st.none() | st.dates(),
    budget=st.builds(Budget, tokens=st.none() | st.integers(1, 10**15), usd=st.none() | st.floats(0, 10**9)),
)


@given(tasks)
def test_a_task_survives_the_database(task: TaskSpec) -> None:
    assert TaskSpec.model_validate(json.loads(json.dumps(task.model_dump(mode="json")))) == task


@pytest.mark.parametrize(
    ("state", "done", "ended"),
    [
        ("pending", False, False),
        ("running", False, False),
        ("done", True, True),
        ("skipped", True, True),
        ("failed", False, True),
    ],
)
def test_a_failed_step_is_over_but_not_done(state: Any, done: bool, ended: bool) -> None:
    step = PlanStep(id="a", kind="write", action="draft", description="d", state=state)
    assert (step.done, step.ended) == (done, ended)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Observation(step="a").output = "b"
