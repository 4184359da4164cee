"""Hold the sources against each other, claim by claim, by rule."""

from __future__ import annotations

from autonomy.agents import gathered
from autonomy.agents.context import Context
from autonomy.agents.roles import Brief
from autonomy.core.counting import several
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep


async def matrix(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: rows, shared (rows that two or more sources speak to)."""
    brief = Brief.model_validate(state["brief"])
    rows = context.journey.matrix(brief, gathered.cards(context), gathered.sources(context))
    for number, row in enumerate(rows, 1):
        context.records.put("matrix", row.id, row.model_dump(mode="json"), number)
    shared = sum(sum(cell.stance != "silent" for cell in row.cells) >= 2 for row in rows)
    return Observation(
        step=step.id,
        output=f"{several(len(rows), 'row')}, {shared} of them with two sources or more",
        figures={"rows": len(rows), "shared": shared},
        progress=len(rows),
    )
