"""The plan as the nodes handle it: read from the state, find what is ready, change a step, show it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from autonomy.core.errors import CorruptState
from autonomy.core.state import GraphState
from autonomy.core.types import PlanStep, StepState

Plan = tuple[PlanStep, ...]


def load(state: GraphState) -> Plan:
    """The plan's steps, in order."""
    return tuple(PlanStep.model_validate(step) for step in state["plan"])


def dump(plan: Iterable[PlanStep]) -> list[dict[str, Any]]:
    """The plan as plain data for the state."""
    return [step.model_dump(mode="json") for step in plan]


def find(plan: Plan, step_id: str) -> PlanStep:
    """The step of this id. Raises CorruptState: a missing one is a broken plan, not an operator's mistake."""
    for step in plan:
        if step.id == step_id:
            return step
    raise CorruptState(f"the plan has no step {step_id!r}", "Start the run anew.")


def set_state(plan: Plan, step_id: str, state: StepState, *, tried: bool = False) -> Plan:
    """The plan with one step's state changed; `tried` counts an attempt."""
    return tuple(
        step.model_copy(update={"state": state, "attempts": step.attempts + int(tried)}) if step.id == step_id else step
        for step in plan
    )


def ready(plan: Plan) -> PlanStep | None:
    """The first step that waits for nothing; a failed or skipped step holds nobody up."""
    ended = {step.id for step in plan if step.ended}
    for step in plan:
        if step.state == "pending" and all(needed in ended for needed in step.depends_on):
            return step
    return None


def search_step(number: int, question: str, *, after: Collection[str] = ("survey",)) -> PlanStep:
    """The step that searches one question. Its test is a figure of the observation: what the best passage covers."""
    return PlanStep(
        id=f"search-{number}",
        kind="research",
        action="search",
        description=f"Search: {question}",
        depends_on=tuple(after),
        arguments={"question": question},
        uncertainty=0.5,
        test="coverage >= 0.5",
        alternatives=("widen",),
    )


def handoff_step(n: int, terms: Mapping[str, Any], *, after: Collection[str]) -> PlanStep:
    """The step that hands the draft to a person for its n-th similarity report. `terms`: `most` hand-offs, `days` to wait,
    `on_expiry`."""
    return PlanStep(
        id=f"handoff-{n}",
        kind="evaluate",
        action="handoff",
        description=f"Hand the draft over for a similarity report ({n} of at most {terms['most']})",
        depends_on=tuple(after),
        arguments={"n": n, "most": terms["most"], "days": terms["days"], "on_expiry": terms["on_expiry"]},
    )


def grow(plan: Plan, steps: Sequence[PlanStep], *, after: Collection[str]) -> Plan:
    """The plan with new steps in it: whatever waits for one of `after` and is not done waits for the new ones too.

    The new steps stand before the first step that waits for them; ids that the plan already has are not added twice.
    """
    known = {step.id for step in plan}
    fresh = tuple(step for step in steps if step.id not in known)
    if not fresh:
        return plan
    ids = tuple(step.id for step in fresh)
    waiting = {step.id for step in plan if not step.ended and set(step.depends_on) & set(after)}
    grown: list[PlanStep] = []
    for step in plan:
        if step.id in waiting:
            if ids[0] not in {placed.id for placed in grown}:
                grown.extend(fresh)
            step = step.model_copy(update={"depends_on": (*step.depends_on, *ids)})
        grown.append(step)
    return tuple(grown) if waiting else (*grown, *fresh)


def summary(plan: Iterable[PlanStep]) -> list[dict[str, Any]]:
    """What `plan.updated` shows of each step."""
    return [
        {
            "id": step.id,
            "kind": step.kind,
            "action": step.action,
            "description": step.description,
            "depends_on": list(step.depends_on),
            "state": step.state,
            "done": step.done,
        }
        for step in plan
    ]
