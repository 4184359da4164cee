"""Say of one source what it holds, how, and where it stops."""

from __future__ import annotations

from autonomy.agents import gathered
from autonomy.agents.context import Context
from autonomy.agents.material import Annotation
from autonomy.agents.roles import Brief, DraftRequest
from autonomy.core.counting import several
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec

WORDS = 80
"""An annotation has 40 to 120 words."""


async def annotate(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: words. The annotation is kept under its source's id."""
    source_id = str(step.arguments["source"])
    sources = gathered.sources(context)
    source = next(s for s in sources if s.id == source_id)
    layout = context.sources.layout(source_id)
    brief = Brief.model_validate(state["brief"])
    request = DraftRequest(
        task=TaskSpec.model_validate(state["task"]),
        brief=brief,
        part="annotation",
        heading=source.title,
        claim="",
        cards=tuple(card for card in gathered.cards(context) if card.source == source_id),
        sources=(source,),
        words=WORDS,
        before=tuple(text for _, level, text in layout["headings"] if level <= 2)[:12],
        figures=(
            f"pages={len(layout['pages'])}",
            f"words={len(context.sources.snapshot(source_id).split())}",
            *_standing(source_id, context, brief),
        ),
    )
    answer = await context.player.draft(request)
    gathered.keep_notes(context, step.id, answer.notes)
    made = Annotation(source=source_id, paragraphs=answer.paragraphs)
    number = next(i for i, s in enumerate(sources) if s.id == source_id)
    context.records.put("annotation", source_id, made.model_dump(mode="json"), number)
    words = sum(len(sentence.text.split()) for sentence in made.sentences)
    return Observation(
        step=step.id,
        output=f"{several(words, 'word')} on {source.title}",
        sources=(source_id,),
        figures={"words": words},
        progress=1,
    )


def _standing(source_id: str, context: Context, brief: Brief) -> tuple[str, ...]:
    """Where the source stands in the pack: its place, the claims that quote it, the questions it answers."""
    cards, sources = gathered.cards(context), gathered.sources(context)
    own = {card.id: card for card in cards if card.source == source_id}
    rows = context.journey.matrix(brief, cards, sources)
    asked = gathered.searched(context)
    return (
        f"place={[source.id for source in sources].index(source_id)}",
        *(f"C{number}={name}" for number, row in enumerate(rows, 1) for name in row.cards if name in own),
        *(f"answered={row.question}" for row in asked if own.keys() & set(row.cards)),
    )
