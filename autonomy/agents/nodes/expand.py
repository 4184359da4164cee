"""Researcher: where evidence is thin it asks other questions of the corpus instead of failing; then it says so."""

from __future__ import annotations

from autonomy.agents import critic, gathered, planning
from autonomy.agents.context import Context
from autonomy.agents.planning import grow, search_step
from autonomy.agents.roles import Brief
from autonomy.core.graph import Update
from autonomy.core.state import GraphState
from autonomy.core.types import TaskSpec

MOST_QUESTIONS = 3
"""New questions a widening; each costs a search and, with a model, a call."""


async def expand(state: GraphState, context: Context) -> Update:
    """Routes to plan with new search steps, or with none when nothing else can be asked."""
    task = TaskSpec.model_validate(state["task"])
    brief = Brief.model_validate(state["brief"])
    asked = [row.question for row in gathered.searched(context)]
    rows = gathered.searched(context)
    thin = [row.question for row in rows if row.coverage < critic.COVERED or row.kept == 0]
    offered = await context.player.widen(task, brief, thin or brief.questions)
    fresh = [q for q in dict.fromkeys(offered) if q not in asked][:MOST_QUESTIONS]
    steps = planning.load(state)
    searches = [step.id for step in steps if step.action == "search"]
    added = tuple(search_step(len(searches) + i, question) for i, question in enumerate(fresh, 1))
    grown = grow(steps, added, after=searches)
    figures = {"thin": len(thin), "new_questions": len(fresh), "widened": state["widened"] + 1}
    why = "evidence is thin and no other question is left to ask"
    if fresh:
        why = f"evidence is thin; asks {len(fresh)} other questions"
    context.emit("plan.updated", {"steps": planning.summary(grown), "why": why}, node="expand")
    context.emit("decision", {"route": "plan", "why": why, "figures": figures, "questions": fresh}, node="expand")
    return {"plan": planning.dump(grown), "widened": state["widened"] + 1, "route": "plan"}
