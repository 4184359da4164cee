"""The claims matrix by rule: distinct claims as rows, sources as columns, a quotation in each cell that speaks.

Likeness is counted in neighbouring content words. A cell supports or differs (another number, a "not"); nobody is
declared right, and what one rule cannot tell apart from support stays a quotation for the reader to judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from autonomy.agents.material import Cell, MatrixRow, Stance
from autonomy.core.types import Card, Source
from autonomy.text.claims import negations, numbers
from autonomy.text.ranking import containment, pairs
from autonomy.text.support import support
from autonomy.text.words import terms

MERGED = 0.6
"""Likeness (containment of word pairs) from which two cards make one claim."""
FEWEST_PAIRS = 3
"""Shorter fingerprints fit nearly anywhere; such a card is a claim of its own."""
SHARED_TERMS = 0.6


@dataclass(slots=True)
class _Row:
    """A claim while cards are being gathered."""

    lead: Card
    print_: frozenset[tuple[str, str]]
    words: frozenset[str]
    cards: list[Card] = field(default_factory=list)


def matrix(cards: Sequence[Card], sources: Sequence[Source], language: str) -> tuple[MatrixRow, ...]:
    """Rows in the order of the cards, ids r1, r2 …; a row's cells stand in the order of the sources."""
    rows: list[_Row] = []
    for card in cards:
        words = terms(card.quote, language)
        made = _Row(card, pairs(words), frozenset(words), [card])
        like = next((row for row in rows if _alike(row, made, card, language)), None)
        if like is None:
            rows.append(made)
        else:
            like.cards.append(card)
    return tuple(_finished(number, row, sources, language) for number, row in enumerate(rows, 1))


def stance(claim: str, quote: str, language: str) -> Stance:
    """What a quotation on the same matter says to the claim: differs in a number or a denial, else supports."""
    said, held = numbers(claim, language), numbers(quote, language)
    if said and held and not (set(said) & set(held)):
        return "differs"
    if negations(claim, language) % 2 != negations(quote, language) % 2:
        return "differs"
    return "supports"


def _alike(row: _Row, made: _Row, card: Card, language: str) -> bool:
    """Whether a card speaks to a row: word pairs shared, or (another source on the same terms) nearly all words."""
    if " ".join(card.quote.split()) == " ".join(row.lead.quote.split()):
        return True
    if min(len(row.print_), len(made.print_)) < FEWEST_PAIRS:
        return False
    if containment(row.print_, made.print_) >= MERGED:
        return True
    smaller = min(len(row.words), len(made.words))
    shared = len(row.words & made.words) / smaller if smaller else 0.0
    differs = stance(row.lead.quote, card.quote, language) == "differs"
    return differs and smaller >= FEWEST_PAIRS + 1 and shared >= SHARED_TERMS + 0.15 and card.source != row.lead.source


def _finished(number: int, row: _Row, sources: Sequence[Source], language: str) -> MatrixRow:
    cells = []
    for source in sources:
        own = [card for card in row.cards if card.source == source.id]
        if not own:
            cells.append(Cell(source=source.id, stance="silent"))
            continue
        stances = [stance(row.lead.quote, card.quote, language) for card in own]
        shown = next((i for i, each in enumerate(stances) if each != "supports"), 0)
        if own[0] is row.lead:
            shown = 0
        cells.append(Cell(source=source.id, stance=stances[shown], card=own[shown].id))
    return MatrixRow(
        id=f"r{number}",
        claim=_said(row.lead, language),
        question=row.lead.question,
        cells=tuple(cells),
        cards=tuple(card.id for card in row.cards),
    )


def _said(card: Card, language: str) -> str:
    """The card's gist if it is a sentence that its quote carries (a heading is none), else the quote itself."""
    quote = " ".join(card.quote.split())
    gist = " ".join(card.gist.split())
    if gist.endswith((".", "。")) and gist != quote and support(gist, [card.quote], language).carried:
        return gist
    return quote
