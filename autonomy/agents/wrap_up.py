"""A spent budget ends in a document: the best draft there is, with an honest note, and no further outside call."""

from __future__ import annotations

from autonomy.agents.actions.deliver import hand_over
from autonomy.agents.context import Context
from autonomy.core.errors import BudgetExceeded
from autonomy.core.graph import END, Update
from autonomy.core.state import GraphState


def wrap_up(state: GraphState, context: Context, error: BudgetExceeded) -> Update:
    """Write what has been gathered and route to END."""
    note = f"The run was cut short: {error.message}."
    observation = hand_over(state["current"] or "deliver", state, context, outcome="budget_exceeded", notes=(note,))
    return {
        "observation": observation.model_dump(mode="json"),
        "notes": [*state["notes"], note],
        "outcome": "budget_exceeded",
        "route": END,
    }
