"""Executor: performs the current step and reports what came of it; it does not judge."""

from __future__ import annotations

from autonomy.agents import planning
from autonomy.agents.actions import ACTIONS
from autonomy.agents.context import Context
from autonomy.core.errors import ProviderError
from autonomy.core.graph import Update
from autonomy.core.state import GraphState
from autonomy.core.types import Action, Observation


async def act(state: GraphState, context: Context) -> Update:
    """Routes to reflect. A provider's failure becomes an observation; budget and lease errors go up."""
    steps = planning.load(state)
    assert state["current"] is not None
    step = planning.find(steps, state["current"])
    action = Action(step=step.id, name=step.action, arguments=step.arguments)
    number = state["step"]
    context.records.put("episode", f"{number:06d}-action", action.model_dump(mode="json"), number * 10)
    try:
        observation = await ACTIONS[step.action](step, state, context)
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
