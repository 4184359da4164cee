"""Executor: performs the current step within the step's own limits and reports what came of it; it does not judge."""

from __future__ import annotations

from autonomy.agents import planning
from autonomy.agents.actions import ACTIONS
from autonomy.agents.context import Context
from autonomy.core.errors import CorruptState, ProviderError, StepLimitReached
from autonomy.core.graph import Update
from autonomy.core.state import GraphState
from autonomy.core.types import Action, Observation, PlanStep, StepLimits


async def act(state: GraphState, context: Context) -> Update:
    """Routes to reflect. A provider's failure and a step's own limit become an observation; budget and lease errors go up.

    Raises CorruptState for a plan that names no step, or an action that does not exist.
    """
    steps = planning.load(state)
    step = planning.find(steps, state["current"] or "")
    if step.action not in ACTIONS:
        raise CorruptState(f"step {step.id} names an unknown action {step.action!r}", "Start the run anew.")
    action = Action(step=step.id, name=step.action, arguments=step.arguments)
    number = state["step"]
    context.records.put("episode", f"{number:06d}-action", action.model_dump(mode="json"), number * 10)
    try:
        observation = await ACTIONS[step.action](step, state, _within_limits(step, number, context))
    except StepLimitReached as error:
        observation = Observation(step=step.id, error=error.message, final=True)
    except ProviderError as error:
        observation = Observation(step=step.id, error=str(error))
    context.records.put("episode", f"{number:06d}-observation", observation.model_dump(mode="json"), number * 10 + 1)
    steps = planning.set_state(steps, step.id, "running", tried=True)
    return {
        "plan": planning.dump(steps),
        "observation": observation.model_dump(mode="json"),
        "stale": 0 if observation.progress else state["stale"] + 1,
        "route": "reflect",
    }


def _within_limits(step: PlanStep, number: int, context: Context) -> Context:
    """The doors of a step that names limits. Its tries stand two apart (the critic is between them), so the first began at
    a number that can be told; what they took is counted from the journal, and so outlives a crash."""
    if step.max_cost is None and step.max_seconds is None:
        return context
    return context.within(StepLimits(step.id, step.max_cost, step.max_seconds, since=number - 2 * step.attempts))
