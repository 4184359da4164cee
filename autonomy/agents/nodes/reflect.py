"""Critic: holds the observation against its tests, decides pass, retry, patch, branch or fail, and says why."""

from __future__ import annotations

from autonomy.agents import critic, planning
from autonomy.agents.context import Context
from autonomy.core.gates import told
from autonomy.core.graph import END, Update
from autonomy.core.state import GraphState
from autonomy.core.types import Observation


async def reflect(state: GraphState, context: Context) -> Update:
    """Routes to act (next step or a retry), plan (the plan must grow), expand (thin evidence) or END."""
    observation = Observation.model_validate(state["observation"])
    steps = planning.load(state)
    step = planning.find(steps, observation.step)
    judged = critic.judge(step, observation, state, context)
    steps = planning.set_state(steps, step.id, judged.state)
    route, current = judged.route, state["current"]
    if route == "act" and judged.state != "pending":
        following = planning.ready(steps)
        route, current = ("act", following.id) if following else ("plan", None)
    figures = dict(observation.figures)
    context.emit(
        "decision",
        {
            "route": route,
            "why": judged.why,
            "figures": figures,
            "step": step.id,
            "verdict": judged.verdict.decision,
            "gates": told(judged.verdict.gates),
        },
        node="reflect",
    )
    number = state["step"]
    context.records.put("episode", f"{number:06d}-verdict", judged.verdict.model_dump(mode="json"), number * 10 + 2)
    update: Update = {
        "plan": planning.dump(steps),
        "verdict": judged.verdict.model_dump(mode="json"),
        "current": current,
        "notes": [*state["notes"], *judged.notes],
        "route": route,
    }
    if judged.replan:
        update |= {"replans": state["replans"] + 1, "stale": 0}
    if judged.outcome is not None or route == END:
        update["outcome"] = judged.outcome
    return update
