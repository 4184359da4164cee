"""Say in short what the sources carry together, and where only one speaks."""

from __future__ import annotations

from autonomy.agents import gathered
from autonomy.agents.actions.draft import drafted
from autonomy.agents.context import Context
from autonomy.agents.material import MatrixRow, SectionDraft
from autonomy.agents.roles import Brief, DraftRequest
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec


async def synthesise(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures as of a draft. Cards that more sources carry come first."""
    task = TaskSpec.model_validate(state["task"])
    cards = {card.id: card for card in gathered.cards(context)}
    rows = sorted(gathered.matrix(context), key=lambda row: -sum(cell.stance != "silent" for cell in row.cells))
    ordered = dict.fromkeys(name for row in rows for name in row.cards)
    heading = str(step.arguments.get("heading", "Synthesis"))
    request = DraftRequest(
        task=task,
        brief=Brief.model_validate(state["brief"]),
        part="synthesis",
        heading=heading,
        claim="",
        cards=tuple(cards[name] for name in ordered if name in cards),
        sources=gathered.sources(context),
        words=context.journey.words(task),
        figures=tuple(_stances(row) for row in rows),
    )
    answer = await context.player.draft(request)
    gathered.keep_notes(context, step.id, answer.notes)
    made = SectionDraft(heading=heading, part="synthesis", paragraphs=answer.paragraphs)
    context.records.put("section", "synthesis", made.model_dump(mode="json"), 0)
    return drafted(step, made)


def _stances(row: MatrixRow) -> str:
    """A matrix row in a line: which card takes which stance."""
    return f"{row.id}: " + ", ".join(f"{cell.card} {cell.stance}" for cell in row.cells if cell.card is not None)
