"""One section: what is quoted here and from whom, then the quotations in order, then where sources differ."""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.agents.extractive import quoting
from autonomy.agents.extractive.outline import asked
from autonomy.agents.extractive.quoting import Desk
from autonomy.agents.roles import DraftRequest, Paragraphs, Sentence
from autonomy.core.types import Card
from autonomy.text import claims, ranking
from autonomy.text.words import terms

PER_PARAGRAPH = 4
RUNNING = 2
"""Quotations from one source before another is heard, where there is another."""
SAME_MATTER = 0.6


def section(request: DraftRequest, desk: Desk) -> Paragraphs:
    """Paragraphs of at most four quotations."""
    cards = fitting(request.cards, request.words)
    if not cards:
        return Paragraphs(paragraphs=(), notes=(desk.words.dropped,) if request.cards else ())
    ordered = arranged(cards, desk.language, best_first=asked(request.brief))
    single = len({card.source for card in ordered}) == 1
    paragraphs: list[tuple[Sentence, ...]] = []
    for number, chunk in enumerate(in_paragraphs(ordered)):
        sentences = [_opening(ordered, desk)] if number == 0 and len(ordered) > 1 else []
        before: Card | None = None
        for card in chunk:
            lead = quoting.next_lead(card, before, desk, named=single and len(ordered) > 1, heading=request.heading)
            sentences += quoting.quotation(card, lead, desk)
            before = card
        paragraphs.append(tuple(sentences))
    differing = disagreement(ordered, desk.language)
    if differing:
        titles = desk.titles(differing)
        paragraphs.append((desk.say("differ", desk.words.differ, titles=titles),))
    return Paragraphs(paragraphs=tuple(paragraphs))


def fitting(cards: Sequence[Card], words: int) -> list[Card]:
    """The best cards that the section's length holds, two at least."""
    ranked = sorted(cards, key=lambda c: (-c.relevance, c.source, c.anchor.start))
    kept: list[Card] = []
    used = 0
    for card in ranked:
        if len(kept) >= 2 and used + cost(card) > words * 1.15:
            continue
        kept.append(card)
        used += cost(card)
    return kept


def cost(card: Card) -> int:
    """About how many words a quotation takes with what stands before it."""
    return max(len(card.quote.split()), len(card.quote) // 12) + 12


def arranged(cards: Sequence[Card], language: str, *, best_first: bool = False) -> list[Card]:
    """Sources with a definition first, each source in its own order, and never long from one where others wait.

    With `best_first` the most relevant quotation opens, and the sources follow by their own best.
    """
    best = max(cards, key=lambda c: c.relevance, default=None) if best_first else None
    by_source: dict[str, list[Card]] = {}
    for card in sorted(cards, key=lambda c: (c is not best, c.anchor.start)):
        by_source.setdefault(card.source, []).append(card)

    def rank(source: str) -> tuple[bool, float, str]:
        mine = by_source[source]
        described = any(claims.defines(c.quote, language) for c in mine)
        return not described and not best_first, -max(c.relevance for c in mine), source

    queues = [by_source[source] for source in sorted(by_source, key=rank)]
    ordered: list[Card] = []
    while queues:
        ordered += queues[0][:RUNNING]
        rest = queues[0][RUNNING:]
        queues = queues[1:] + ([rest] if rest else [])
    return ordered


def in_paragraphs(cards: Sequence[Card]) -> list[list[Card]]:
    """Paragraphs of at most four that end, where they can, with the last quotation from a source."""
    runs: list[list[Card]] = []
    for card in cards:
        if runs and runs[-1][-1].source == card.source and len(runs[-1]) < PER_PARAGRAPH:
            runs[-1].append(card)
        else:
            runs.append([card])
    chunks: list[list[Card]] = []
    for run in runs:
        if chunks and len(chunks[-1]) + len(run) <= PER_PARAGRAPH:
            chunks[-1] += run
        else:
            chunks.append(run)
    if len(chunks) > 1 and len(chunks[-1]) == 1 and len(chunks[-2]) > 2:
        chunks[-1].insert(0, chunks[-2].pop())
    return chunks


def _opening(cards: Sequence[Card], desk: Desk) -> Sentence:
    sources = list(dict.fromkeys(card.source for card in cards))
    if len(sources) == 1:
        return desk.say("one", desk.words.opens_one, title=desk.title(sources[0]))
    return desk.say("many", desk.words.opens_many, count=len(sources), titles=desk.titles(sources))


def disagreement(cards: Sequence[Card], language: str) -> list[str]:
    """Two sources that say nearly the same with another number or one negation more; [] when there are none."""
    for i, one in enumerate(cards):
        for other in cards[i + 1 :]:
            if one.source != other.source and differ(one.quote, other.quote, language):
                return [one.source, other.source]
    return []


def differ(one: str, other: str, language: str) -> bool:
    """Whether two statements treat the same matter and disagree in something that can be counted."""
    a, b = terms(one, language), terms(other, language)
    shared = min(ranking.recall(a, b, lambda term: 1.0), ranking.recall(b, a, lambda term: 1.0))
    if shared < SAME_MATTER:
        return False
    figures, others = claims.numbers(one, language), claims.numbers(other, language)
    denied = claims.negations(one, language) % 2 != claims.negations(other, language) % 2
    return denied or bool(figures and others and figures != others)
