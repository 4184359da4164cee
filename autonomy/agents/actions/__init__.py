"""What a plan step can do, one action a file: (step, state, context) -> observation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from autonomy.agents.actions.amend import amend
from autonomy.agents.actions.annotate import annotate
from autonomy.agents.actions.audit import audit
from autonomy.agents.actions.deliver import deliver
from autonomy.agents.actions.draft import draft
from autonomy.agents.actions.frame import frame
from autonomy.agents.actions.handoff import handoff
from autonomy.agents.actions.matrix import matrix
from autonomy.agents.actions.outline import outline
from autonomy.agents.actions.revise import revise
from autonomy.agents.actions.search import search
from autonomy.agents.actions.survey import survey
from autonomy.agents.actions.synthesise import synthesise
from autonomy.agents.context import Context
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep

Action = Callable[[PlanStep, GraphState, Context], Awaitable[Observation]]

ACTIONS: dict[str, Action] = {
    "survey": survey,
    "search": search,
    "outline": outline,
    "draft": draft,
    "annotate": annotate,
    "matrix": matrix,
    "synthesise": synthesise,
    "frame": frame,
    "audit": audit,
    "revise": revise,
    "handoff": handoff,
    "amend": amend,
    "deliver": deliver,
}

__all__ = ["ACTIONS", "Action"]
