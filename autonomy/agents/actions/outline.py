"""Arrange the evidence into sections before a word is written."""

from __future__ import annotations

from autonomy.agents import gathered
from autonomy.agents.context import Context
from autonomy.agents.roles import Brief, OutlineRequest
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec


async def outline(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: sections, cards, placed, sources, thin."""
    task = TaskSpec.model_validate(state["task"])
    cards = gathered.cards(context)
    sources = gathered.sources(context)
    if not cards:
        figures = {"sections": 0, "cards": 0, "placed": 0, "sources": 0, "thin": 0}
        return Observation(step=step.id, output="no evidence to arrange", figures=figures)
    request = OutlineRequest(
        task=task,
        brief=Brief.model_validate(state["brief"]),
        cards=cards,
        sources=sources,
        words=context.journey.words(task),
    )
    made = await context.player.outline(request)
    context.records.put("outline", "outline", made.model_dump(mode="json"))
    placed = {card for section in made.sections for card in section.cards}
    return Observation(
        step=step.id,
        output="; ".join(section.heading for section in made.sections),
        sources=tuple(source.id for source in sources),
        figures={
            "sections": len(made.sections),
            "cards": len(cards),
            "placed": len(placed),
            "sources": len(sources),
            "thin": len(made.thin),
        },
        progress=len(made.sections),
    )
