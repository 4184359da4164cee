"""What the sources carry together, and where only one speaks: by question, each row of the matrix with its quotations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autonomy.agents.extractive import quoting
from autonomy.agents.extractive.quoting import Desk
from autonomy.agents.material import FRAMED
from autonomy.agents.roles import DraftRequest, Paragraphs, Sentence
from autonomy.core.types import Card
from autonomy.text import claims
from autonomy.text.chars import count_words
from autonomy.text.fitting import asks

LEAST_ROOM = 45
"""Words: one quotation with its lead-in, so that no question is left out for want of room."""
PER_QUESTION = 3
_CELL = re.compile(r"(\S+) (supports|opposes|differs)")


@dataclass(frozen=True, slots=True)
class Row:
    """A distinct claim: its cards, one per source, and whether one of them differs."""

    cards: tuple[Card, ...]
    differs: bool


def synthesis(request: DraftRequest, desk: Desk) -> Paragraphs:
    """A paragraph a question, rows that more sources carry first, within the words asked for.

    None of a lone quotation, unless a length was asked for: it stands in full below.
    """
    rows = _rows(request)
    if request.task.length is not None:
        return Paragraphs(paragraphs=_sized(request, rows, desk))
    if len(request.cards) < FRAMED:
        return Paragraphs(paragraphs=())
    questions = [*request.brief.questions, *(card.question for card in request.cards)]
    paragraphs: list[tuple[Sentence, ...]] = []
    room = request.words
    for question in dict.fromkeys(questions):
        mine = [row for row in rows if row.cards[0].question == question]
        mine.sort(key=lambda row: _order(row, desk))
        share = request.words / max(1, len(set(questions)))
        made = _paragraph(question, _fitting(mine, min(room, max(LEAST_ROOM, share))), desk)
        if made:
            paragraphs.append(tuple(made))
            room -= count_words(" ".join(sentence.text for sentence in made))
        if room <= 0:
            break
    return Paragraphs(paragraphs=tuple(paragraphs))


def _sized(request: DraftRequest, rows: Sequence[Row], desk: Desk) -> tuple[tuple[Sentence, ...], ...]:
    """The paragraphs of as many rows as come nearest to the length asked for, each question heard before a second row."""
    questions = dict.fromkeys([*request.brief.questions, *(card.question for card in request.cards)])
    mine = {q: sorted((r for r in rows if r.cards[0].question == q), key=lambda row: _order(row, desk)) for q in questions}
    order = [(at, q) for at in range(len(rows)) for q in questions if at < len(mine[q])]
    best: tuple[int, tuple[tuple[Sentence, ...], ...]] | None = None
    for number in range(1, len(order) + 1):
        again = replace(desk, turns=desk.turns.anew())
        taken = {q: mine[q][: sum(q == other for _, other in order[:number])] for q in questions}
        made = tuple(tuple(part) for q in questions if (part := _paragraph(q, taken[q], again)))
        words = sum(count_words(sentence.text) for part in made for sentence in part)
        missed = abs(words - request.words)
        if best is None or missed < best[0]:
            best = (missed, made)
        if words > request.words:
            break
    return best[1] if best else ()


def _rows(request: DraftRequest) -> list[Row]:
    """The matrix from its lines ("r1: c3 supports, c7 differs"); cards that no line names are rows of their own."""
    cards = {card.id: card for card in request.cards}
    rows: list[Row] = []
    used: set[str] = set()
    for line in request.figures:
        cells = [(name, stance) for name, stance in _CELL.findall(line) if name in cards and name not in used]
        if cells:
            used.update(name for name, _ in cells)
            rows.append(Row(tuple(cards[name] for name, _ in cells), any(stance != "supports" for _, stance in cells)))
    rows.extend(Row((card,), False) for card in request.cards if card.id not in used and not request.figures)
    return rows


def _order(row: Row, desk: Desk) -> tuple[int, bool, float]:
    """What more sources carry first, then, unless it is asked why, when or how much, what says what something is (a source
    does so early), then the most relevant."""
    if claims.defines(row.cards[0].quote, desk.language) and not asks(row.cards[0].question, desk.language):
        return -len(row.cards), False, row.cards[0].anchor.start
    return -len(row.cards), True, -max(card.relevance for card in row.cards)


def _fitting(rows: Sequence[Row], room: float) -> list[Row]:
    kept: list[Row] = []
    for row in rows[: PER_QUESTION * 2]:
        cost = sum(count_words(card.quote) + 10 for card in row.cards)
        if kept and (cost > room or len(kept) >= PER_QUESTION):
            continue
        kept.append(row)
        room -= cost
    return kept


def _opening(question: str, heard: Sequence[str], desk: Desk) -> Sentence:
    """Which question, and who speaks to it; the quotations behind it name a lone source no more."""
    topic = quoting.topic(question, desk)
    if len(heard) == 1:
        return desk.say("one", desk.words.synthesis_one, topic=topic, title=desk.title(heard[0]))
    return desk.say("many", desk.words.synthesis_many, topic=topic, count=len(heard), titles=desk.titles(heard))


def _paragraph(question: str, rows: Sequence[Row], desk: Desk) -> list[Sentence]:
    if not rows:
        return []
    heard = list(dict.fromkeys(card.source for row in rows for card in row.cards))
    said = len(heard) == 1
    sentences = [_opening(question, heard, desk)]
    before: Card | None = None
    for row in rows:
        titles = desk.titles([card.source for card in row.cards])
        if row.differs and len(row.cards) > 1:
            sentences.append(desk.say("against", desk.words.shared_differ, titles=titles))
        elif len(row.cards) > 1:
            sentences.append(desk.say("shared", desk.words.shared, count=len(row.cards), titles=titles))
        for card in row.cards:
            lead = quoting.next_lead(card, before, desk, named=said)
            sentences += quoting.quotation(card, lead, desk)
            before = card
    return sentences
