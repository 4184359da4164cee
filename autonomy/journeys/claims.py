"""The claims of a document in the order in which they stand there: one walk that rendering, gates and manifest share.

Invariant: a claim's number, its sentence and its cards are the same for all three; an id that nobody gave out is kept
apart and never becomes a citation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from autonomy.agents.material import Cell, Material, MatrixRow, Part
from autonomy.agents.roles import Sentence
from autonomy.core.types import Card
from autonomy.journeys.phrases import Phrases, phrases
from autonomy.text.language import is_cjk
from autonomy.text.words import tokens

Place = Part | Literal["matrix"]
LEAST_WORDS = 6
LEAST_LETTERS = 12
"""Shorter claims (in words, or in letters where words have no spaces) are not counted by gates."""


@dataclass(frozen=True)
class Claim:
    """One cited or to-be-cited sentence. `heading` is the section's heading, an annotation's source id or a row's id."""

    id: str
    part: Place
    heading: str
    index: int
    sentence: Sentence
    cards: tuple[Card, ...]
    unknown: tuple[str, ...]
    language: str

    @property
    def measured(self) -> bool:
        """Whether gates count it: long enough to say something, and not a question."""
        text = self.sentence.text.rstrip("\"'”’»“」』) ")
        if text.endswith(("?", "？")):
            return False
        return len(tokens(text)) >= LEAST_WORDS or (is_cjk(self.language) and len(text) >= LEAST_LETTERS)

    @cached_property
    def pair(self) -> str:
        """A short name that depends on the text and the quotes alone, so that a judgement outlives renumbering."""
        content = json.dumps([self.sentence.text, [card.quote for card in self.cards]], ensure_ascii=False)
        return "p" + hashlib.sha256(content.encode()).hexdigest()[:10]


def claims(material: Material) -> tuple[Claim, ...]:
    """Every claim: sections, then matrix rows, then annotations; ids k1, k2 … in this order."""
    cards = evidence(material)
    language = material.brief.language
    found = []
    for number, (part, heading, index, sentence) in enumerate(_walk(material, cards), 1):
        known = tuple(cards[name] for name in dict.fromkeys(sentence.cites) if name in cards)
        unknown = tuple(name for name in dict.fromkeys(sentence.cites) if name not in cards)
        found.append(Claim(f"k{number}", part, heading, index, sentence, known, unknown, language))
    return tuple(found)


def evidence(material: Material) -> Mapping[str, Card]:
    """The cards by id; one whose source is not in the material leads nowhere and is left out."""
    sources = {source.id for source in material.sources}
    return {card.id: card for card in material.cards if card.source in sources}


def cited_sources(found: Iterable[Claim]) -> tuple[str, ...]:
    """Source ids in order of first citation."""
    return tuple(dict.fromkeys(card.source for claim in found for card in claim.cards))


def row_sentences(row: MatrixRow, cards: Mapping[str, Card], say: Phrases) -> tuple[tuple[Cell | None, Sentence], ...]:
    """A row in full: the claim with the cards that support it, then the quotation of each further cell that speaks."""
    spoken = [cell for cell in row.cells if cell.card is not None and cell.card in cards]
    supporting = [cell for cell in spoken if cell.stance == "supports"] or spoken[:1]
    if not supporting:
        return ()
    first = supporting[0]
    own_words = _same(row.claim, cards[first.card or ""].quote)
    text = say.quoted(row.claim) if own_words else row.claim
    claim = Sentence(text=text, cites=tuple(cell.card or "" for cell in supporting), quoted=own_words)
    shown: list[tuple[Cell | None, Sentence]] = [(None, claim)]
    for cell in spoken:
        quote = " ".join(cards[cell.card or ""].quote.split())
        if not (own_words and cell is first):
            shown.append((cell, Sentence(text=say.quoted(quote), cites=(cell.card or "",), quoted=True)))
    return tuple(shown)


def _walk(material: Material, cards: Mapping[str, Card]) -> Iterator[tuple[Place, str, int, Sentence]]:
    for section in material.sections:
        for index, sentence in enumerate(section.sentences):
            if sentence.kind == "claim":
                yield section.part, section.heading, index, sentence
    say = phrases(material.brief.language)
    for row in material.matrix:
        for index, (_, sentence) in enumerate(row_sentences(row, cards, say)):
            yield "matrix", row.id, index, sentence
    for annotation in material.annotations:
        for index, sentence in enumerate(annotation.sentences):
            if sentence.kind == "claim":
                yield "annotation", annotation.source, index, sentence


def _same(claim: str, quote: str) -> bool:
    return " ".join(claim.split()) == " ".join(quote.split())
