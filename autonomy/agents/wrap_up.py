"""A spent budget ends in a document: the best draft there is, with an honest note, and no further outside call."""

from __future__ import annotations

from autonomy.agents import critic, planning
from autonomy.agents.actions.deliver import hand_over
from autonomy.agents.context import Context
from autonomy.agents.notes import notes
from autonomy.core.errors import BudgetExceeded
from autonomy.core.gates import told
from autonomy.core.graph import END, Update
from autonomy.core.state import GraphState
from autonomy.core.types import Observation


def wrap_up(state: GraphState, context: Context, error: BudgetExceeded, node: str) -> Update:
    """Write what has been gathered and route to END. A document that stands already is left as it was delivered.

    Raises CorruptState when a quote does not stand in its stored source.
    """
    figures = {"which": error.which, "limit": error.limit, "used": error.used, "asked": error.asked}
    standing = _standing(state)
    if standing is not None:
        why = f"{error.message}: the document stands already"
        context.emit("decision", {"route": END, "why": why, "figures": figures}, node=node)
        steps = planning.set_state(planning.load(state), standing.step, "done")
        return {"plan": planning.dump(steps), "outcome": standing.figures["outcome"], "route": END}
    why = f"{error.message}: delivers the best there is"
    note = notes(critic.language_of(state)).ended(error.which, error.message)
    observation = hand_over(state["current"] or "deliver", state, context, outcome="budget_exceeded", notes=(note,))
    gates = told(critic.measured(context))
    context.emit("decision", {"route": END, "why": why, "figures": figures, "gates": gates}, node=node)
    return {
        "observation": observation.model_dump(mode="json"),
        "notes": [*state["notes"], note],
        "outcome": "budget_exceeded",
        "route": END,
    }


def _standing(state: GraphState) -> Observation | None:
    """What came of the delivery, when that was the last thing done."""
    if state["observation"] is None:
        return None
    observation = Observation.model_validate(state["observation"])
    step = planning.find(planning.load(state), observation.step)
    return observation if step.action == "deliver" and observation.error is None else None
