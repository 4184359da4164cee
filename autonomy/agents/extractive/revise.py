"""Failing sentences become quotations of the card they cite, or of a better one; what no card carries is dropped.

The invariant: sentences that did not fail stay byte for byte as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.agents.extractive import quoting
from autonomy.agents.extractive.quoting import Desk
from autonomy.agents.extractive.turns import Turns
from autonomy.agents.extractive.wording import wording
from autonomy.agents.roles import Paragraphs, ReviseRequest, Sentence
from autonomy.core.types import Card
from autonomy.text import ranking
from autonomy.text.normal import locate
from autonomy.text.words import terms

CARRIES = 0.5
_LEAD_ENDS = (":", "：")


def revise(request: ReviseRequest) -> Paragraphs:
    """The draft with its failing sentences quoted anew, or left out with a note."""
    failing = {index for index, _, _ in request.failures}
    desk = _desk(request)
    used = {cite for i, s in enumerate(_flat(request.draft)) if i not in failing for cite in s.cites}
    number = 0
    dropped = False
    paragraphs: list[tuple[Sentence, ...]] = []
    for paragraph in request.draft.paragraphs:
        kept: list[Sentence] = []
        for sentence in paragraph:
            if number not in failing:
                kept.append(sentence)
            else:
                made = _mended(sentence, request, desk, used)
                dropped = dropped or not made
                kept = _without_lead(kept, sentence) if not made or made[0].kind == "scaffold" else kept
                kept += made
            number += 1
        if any(s.kind == "claim" for s in kept) or (kept and not any(s.kind == "claim" for s in paragraph)):
            paragraphs.append(tuple(kept))
    notes = (*request.draft.notes, desk.words.dropped) if dropped else request.draft.notes
    return Paragraphs(paragraphs=tuple(paragraphs), notes=tuple(dict.fromkeys(notes)))


def _desk(request: ReviseRequest) -> Desk:
    language = request.brief.language
    turns = Turns(request.task.seed, f"revise\x1f{request.heading}")
    return Desk(language, wording(language), turns, {source.id: source for source in request.sources})


def _flat(draft: Paragraphs) -> list[Sentence]:
    return [sentence for paragraph in draft.paragraphs for sentence in paragraph]


def _without_lead(kept: list[Sentence], gone: Sentence) -> list[Sentence]:
    """A lead-in that stands before a block falls with it."""
    if kept and gone.block and kept[-1].kind == "scaffold" and kept[-1].text.endswith(_LEAD_ENDS):
        return kept[:-1]
    return kept


def _mended(sentence: Sentence, request: ReviseRequest, desk: Desk, used: set[str]) -> list[Sentence]:
    """The sentence as a quotation, or nothing."""
    if sentence.kind != "claim":
        return []
    by_id = {card.id: card for card in request.cards}
    cited = [by_id[cite] for cite in sentence.cites if cite in by_id]
    already = sentence.quoted and any(locate(card.quote, sentence.text) for card in cited)
    choice = cited if not already else []
    card = _best(sentence.text, [c for c in choice if c.id not in used], desk.language, least=0.0)
    if card is None:
        others = [c for c in request.cards if c.id not in used and c not in cited]
        card = _best(sentence.text, others, desk.language, least=CARRIES)
    if card is None:
        return []
    used.add(card.id)
    return quoting.quotation(card, quoting.lead_in(card, None, desk), desk)


def _best(text: str, cards: Sequence[Card], language: str, least: float) -> Card | None:
    """The card that holds most of the text's content words; the first of equals."""
    wanted = terms(text, language)
    scored = [(ranking.recall(wanted, terms(card.quote, language), lambda term: 1.0), card) for card in cards]
    share, card = max(scored, key=lambda pair: pair[0], default=(0.0, None))
    return card if share >= least else None
