"""An outline of the length that was asked for: with as many cards, best first, as bring the whole text nearest to it, and no
fewer than the quotations asked for.

The words around a quotation depend on what stands beside it, so they are not estimated: the text is written and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from autonomy.agents.extractive import outline as plain
from autonomy.agents.extractive.draft import draft
from autonomy.agents.extractive.frame import NOT_FOUND
from autonomy.agents.extractive.section import cost
from autonomy.agents.roles import DraftRequest, Outline, OutlineRequest, Paragraphs, frame_words
from autonomy.text.chars import count_words

ROUNDS = 12
"""Outlines that are tried at most; each comes nearer by the words that are missing or too many."""


def outline(request: OutlineRequest) -> Outline:
    """The outline; where a length was asked for, the one whose text misses it by the fewest words."""
    if request.task.length is None or not request.cards:
        made = plain.outline(request)
        return _roomy(made, request) if request.task.min_citations else made
    ranked = plain.ranked(request.cards)
    tried: dict[int, tuple[int, Outline]] = {}
    least = min(len(ranked), request.task.min_citations or 1)
    number = max(least, min(len(ranked), round(request.words / plain.WORDS_PER_CARD)))
    for _ in range(ROUNDS):
        if number in tried:
            # More cards may make fewer words, where one finds no place: the numbers beside the best are looked at as well.
            best = min(tried, key=lambda n: tried[n][0])
            near = [n for n in (best - 1, best + 1, best - 2, best + 2) if least <= n <= len(ranked) and n not in tried]
            if not near:
                break
            number = near[0]
        made = _roomy(plain.laid_out(request, plain.in_order(request.cards, ranked[:number])), request)
        words = _words(made, request)
        tried[number] = (abs(words - request.words), made)
        step = round((request.words - words) * number / max(1, words))
        number = max(least, min(len(ranked), number + (step or (1 if words < request.words else -1))))
    return min(tried.values(), key=lambda pair: pair[0])[1]


def _roomy(made: Outline, request: OutlineRequest) -> Outline:
    """The outline with room in each section for every card of it."""
    costs = {card.id: cost(card) for card in request.cards}
    sections = [section.model_copy(update={"words": sum(costs[name] for name in section.cards)}) for section in made.sections]
    return made.model_copy(update={"sections": tuple(sections)})


def _words(made: Outline, request: OutlineRequest) -> int:
    """The words of the document that the outline leads to."""
    sections = [
        _draft(request, "section", section.cards, section.heading, section.claim, section.words,
               [f"{before.heading}: {before.claim}" for before in made.sections[:number]])
        for number, section in enumerate(made.sections)
    ]  # fmt: skip
    firsts = [
        f"{plan.heading}: {next((sentence.text for part in text.paragraphs for sentence in part), '')}"
        for plan, text in zip(made.sections, sections, strict=True)
    ]
    placed = [name for section in made.sections for name in section.cards]
    room = frame_words(request.words)
    frame = [_draft(request, part, placed, "", "", room, firsts) for part in ("introduction", "conclusion")]
    return sum(count_words(sentence.text) for text in (*sections, *frame) for part in text.paragraphs for sentence in part)


def _draft(
    request: OutlineRequest,
    part: Literal["section", "introduction", "conclusion"],
    placed: Sequence[str],
    heading: str,
    claim: str,
    words: int,
    before: Sequence[str],
) -> Paragraphs:
    asked = {card.question for card in request.cards}
    return draft(
        DraftRequest(
            task=request.task,
            brief=request.brief,
            part=part,
            heading=heading,
            claim=claim,
            cards=tuple(card for card in request.cards if card.id in set(placed)),
            sources=request.sources,
            words=words,
            before=tuple(before),
            figures=tuple(f"{NOT_FOUND}{question}" for question in request.brief.questions if question not in asked),
        )
    )
