"""Introduction and conclusion, written last and without a claim of their own."""

from __future__ import annotations

from typing import Literal

from autonomy.agents import gathered
from autonomy.agents.context import Context
from autonomy.agents.material import SectionDraft
from autonomy.agents.roles import Brief, DraftRequest, frame_words
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec


async def frame(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: words of both parts."""
    words = 0
    parts: tuple[Literal["introduction", "conclusion"], ...] = ("introduction", "conclusion")
    for part in parts:
        made = await _part(part, step, state, context)
        number = 0 if part == "introduction" else gathered.FRAME_LAST
        context.records.put("section", part, made.model_dump(mode="json"), number)
        words += sum(len(sentence.text.split()) for sentence in made.sentences)
    return Observation(step=step.id, output=f"introduction and conclusion, {words} words", figures={"words": words}, progress=1)


async def _part(
    part: Literal["introduction", "conclusion"], step: PlanStep, state: GraphState, context: Context
) -> SectionDraft:
    task = TaskSpec.model_validate(state["task"])
    brief = Brief.model_validate(state["brief"])
    body = [section for section in gathered.sections(context) if section.part not in ("introduction", "conclusion")]
    cited = {name for section in body for sentence in section.sentences for name in sentence.cites}
    cards = tuple(card for card in gathered.cards(context) if card.id in cited)
    names = {card.source for card in cards}
    asked = gathered.searched(context)
    heading = str(step.arguments.get(part, part.capitalize()))
    request = DraftRequest(
        task=task,
        brief=brief,
        part=part,
        heading=heading,
        claim="",
        cards=cards,
        sources=tuple(source for source in gathered.sources(context) if source.id in names),
        words=frame_words(context.journey.words(task)),
        before=tuple(f"{section.heading}: {section.sentences[0].text if section.sentences else ''}" for section in body),
        figures=tuple(
            f"{'little' if row.answered else 'not found'}: {row.question}"
            for row in asked
            if row.thin and row.question in (brief.questions or (row.question,))
        ),
    )
    answer = await context.player.draft(request)
    gathered.keep_notes(context, f"{step.id}-{part}", answer.notes)
    return SectionDraft(heading=heading, part=part, paragraphs=answer.paragraphs)
