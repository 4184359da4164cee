"""Researcher: where evidence is thin it asks other questions of the corpus instead of failing; then it says so."""

from __future__ import annotations

from autonomy.agents import critic, gathered, planning
from autonomy.agents.context import Context
from autonomy.agents.planning import grow, search_step
from autonomy.agents.roles import Brief
from autonomy.core.counting import several
from autonomy.core.errors import ProviderError
from autonomy.core.graph import Update
from autonomy.core.state import GraphState
from autonomy.core.types import TaskSpec

MOST_QUESTIONS = 3
"""New questions a widening; each costs a search and, with a model, a call."""


async def expand(state: GraphState, context: Context) -> Update:
    """Routes to plan with new search steps, or with none and a note when nothing else can be asked, or nobody says what."""
    task = TaskSpec.model_validate(state["task"])
    brief = Brief.model_validate(state["brief"])
    rows = gathered.searched(context)
    asked = [row.question for row in rows]
    thin = [row.question for row in rows if row.thin]
    notes, gave_up = list(state["notes"]), ""
    try:
        offered = await context.player.widen(task, brief, thin or brief.questions)
    except ProviderError as error:
        offered, gave_up = (), f" ({error.message})"
    fresh = [q for q in dict.fromkeys(offered) if q.strip() and q not in asked][:MOST_QUESTIONS]
    steps = planning.load(state)
    searches = [step.id for step in steps if step.action == "search"]
    added = tuple(search_step(len(searches) + i, question) for i, question in enumerate(fresh, 1))
    grown = grow(steps, added, after=searches)
    figures = {"thin": len(thin), "new_questions": len(fresh), "widened": state["widened"] + 1}
    if fresh:
        why = f"evidence is thin; asks {several(len(fresh), 'other question')}"
        context.emit("plan.updated", {"steps": planning.summary(grown), "why": why}, node="expand")
    else:
        why = f"evidence is thin and no other question is left to ask{gave_up}"
        notes.append(critic.thin_note(state, context))
    context.emit("decision", {"route": "plan", "why": why, "figures": figures, "questions": fresh}, node="expand")
    return {"plan": planning.dump(grown), "widened": state["widened"] + 1, "notes": notes, "route": "plan"}
