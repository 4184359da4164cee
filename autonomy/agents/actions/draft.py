"""Write one section of the outline from its own evidence."""

from __future__ import annotations

from autonomy.agents import gathered
from autonomy.agents.context import Context
from autonomy.agents.material import SectionDraft
from autonomy.agents.roles import Brief, DraftRequest
from autonomy.core.errors import CorruptState
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec


async def draft(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: words, claims, cited. The section is kept under its place in the outline."""
    laid_out = gathered.outline(context)
    heading = str(step.arguments["heading"])
    if laid_out is None:
        raise CorruptState(f"step {step.id} has no outline to draft from", "Start the run anew.")
    number, section = next((i, s) for i, s in enumerate(laid_out.sections, 1) if s.heading == heading)
    wanted = set(section.cards)
    cards = tuple(card for card in gathered.cards(context) if card.id in wanted)
    request = DraftRequest(
        task=TaskSpec.model_validate(state["task"]),
        brief=Brief.model_validate(state["brief"]),
        part="section",
        heading=section.heading,
        claim=section.claim,
        cards=cards,
        sources=gathered.sources(context),
        words=section.words,
        before=tuple(f"{s.heading}: {s.claim}" for s in laid_out.sections[: number - 1]),
    )
    answer = await context.player.draft(request)
    gathered.keep_notes(context, step.id, answer.notes)
    made = SectionDraft(heading=section.heading, part="section", paragraphs=answer.paragraphs)
    context.records.put("section", f"section-{number:03d}", made.model_dump(mode="json"), number)
    return drafted(step, made)


def drafted(step: PlanStep, made: SectionDraft) -> Observation:
    """The figures of a drafted part."""
    claims = [sentence for sentence in made.sentences if sentence.kind == "claim"]
    words = sum(len(sentence.text.split()) for sentence in made.sentences)
    return Observation(
        step=step.id,
        output=f"{words} words under '{made.heading}'",
        figures={"words": words, "claims": len(claims), "cited": sum(bool(s.cites) for s in claims)},
        progress=len(claims),
    )
