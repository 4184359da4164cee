"""Put one question to the corpus and keep what is worth quoting."""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.agents import critic, gathered
from autonomy.agents.context import Context
from autonomy.agents.material import Searched
from autonomy.agents.roles import Brief, SelectRequest, served
from autonomy.core.state import GraphState
from autonomy.core.types import Card, Observation, Passage, PlanStep, TaskSpec
from autonomy.text.relevance import ENOUGH, Relevance, relevance

FEWEST = 8
MOST = 20
LONGEST = 10_000
"""Characters of a question that are searched; a goal may be a hundred thousand."""
"""Passages and cards of one question: as many as the length asked for needs, within these bounds."""


async def search(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: passages, cards, sources, coverage (share of the question's terms, by weight, that the best passage holds, 0
    to 1), and held: quotations taken for earlier questions that answer this one too."""
    task = TaskSpec.model_validate(state["task"])
    brief = Brief.model_validate(state["brief"])
    question = str(step.arguments["question"])[:LONGEST]
    limit = min(MOST, max(FEWEST, 2 * critic.cards_wanted(task, context) // max(1, len(brief.questions))))
    answer = await context.calls.tool(
        "corpus.search",
        {"query": question, "corpora": context.records.get("corpus", "ids") or [], "language": brief.language, "limit": limit},
    )
    passages = tuple(Passage.model_validate(passage) for passage in answer["passages"])
    held = gathered.cards(context)
    weights = {**gathered.weights(context), **answer.get("weights", {})}
    spans = {(card.source, card.anchor.start, card.anchor.end) for card in held}
    taken = tuple(card.quote for card in held)
    request = SelectRequest(
        task=task, brief=brief, question=question, passages=passages, limit=limit, taken=taken, weights=weights
    )  # fmt: skip
    chosen = await context.player.select(request) if passages else ()
    offered = {passage.source for passage in passages}
    aims = relevance(brief.questions, brief.terms, brief.language, weights, (question,))
    # What a reader rated low must speak by its words; what nobody rated is left to the gate.
    chosen = tuple(c for c in chosen if not c.relevance or c.relevance >= ENOUGH or _names(c, passages, aims))
    fresh = {(card.source, card.anchor.start, card.anchor.end): card for card in chosen[:limit] if card.source in offered}
    kept = [card for span, card in fresh.items() if span not in spans]
    serving = served(question, brief)
    named = _named(kept, len(held), serving, context)
    coverage = round(float(answer["coverage"]), 3)
    asked = relevance((question,), brief.terms, brief.language, weights)
    answering = [card.id for card in (*named, *held) if card in named or _answers(card, passages, asked)]
    row = Searched(
        question=question,
        found=len(passages),
        kept=len(kept),
        coverage=min(1.0, max(0.0, coverage)),
        cards=tuple(answering),
        weights=answer.get("weights", {}),
    )
    own = relevance((serving,), brief.terms, brief.language, weights)
    rated = context.player.asked.player == "model"
    _credit(serving, [c.id for c in named if (rated and c.relevance >= ENOUGH) or _answers(c, passages, own)], context)
    context.records.put("question", step.id, row.model_dump(mode="json"), len(context.records.keys("question")))
    touched = tuple(dict.fromkeys(card.source for card in kept))
    return Observation(
        step=step.id,
        output=critic.found_in(len(kept), len(touched)),
        sources=touched,
        figures={
            "passages": len(passages),
            "cards": len(kept),
            "sources": len(touched),
            "coverage": coverage,
            "held": len(answering) - len(named),
        },
        progress=len(kept),
    )


def _named(kept: Sequence[Card], held: int, question: str, context: Context) -> list[Card]:
    """The new cards with their ids and their places, stored."""
    named: list[Card] = []
    for number, card in enumerate(kept, held + 1):
        anchor = context.sources.anchor(card.source, card.anchor.start, card.anchor.end)
        named.append(card.model_copy(update={"id": f"c{number}", "question": question, "anchor": anchor}))
        context.records.put("card", named[-1].id, named[-1].model_dump(mode="json"), number)
    return named


def _credit(question: str, cards: Sequence[str], context: Context) -> None:
    """A question that was asked before is answered by what other words for it found, if that speaks to it."""
    for key in context.records.keys("question"):
        row = Searched.model_validate(context.records.get("question", key))
        if row.question == question:
            row = row.model_copy(update={"cards": (*row.cards, *cards), "kept": row.kept + len(cards)})
            context.records.put("question", key, row.model_dump(mode="json"), context.records.number("question", key))


def _answers(card: Card, passages: Sequence[Passage], asked: Relevance) -> bool:
    """Whether a quotation taken for an earlier question speaks to this one: it stands in what was found, and names it."""
    return any(
        card.source == each.source
        and each.start <= card.anchor.start < each.end
        and asked.of(card.quote, (card.anchor.section or "",), each.called, each.language, within=each.text) >= ENOUGH
        for each in passages
    )


def _names(card: Card, passages: Sequence[Passage], aims: Relevance) -> bool:
    """Whether a quotation that its reader rated low speaks to the goal by its words, so that it is worth keeping."""
    named, language = next(((p.called, p.language) for p in passages if p.source == card.source), ("", ""))
    return aims.of(card.quote, (card.anchor.section or "",), named, language) >= ENOUGH
