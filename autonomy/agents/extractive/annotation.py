"""One source in 40 to 120 words: what it covers, how, its most central passage, and where it brought nothing."""

from __future__ import annotations

from autonomy.agents.extractive import quoting
from autonomy.agents.extractive.headings import clean_heading, telling
from autonomy.agents.extractive.quoting import Desk, in_italics
from autonomy.agents.roles import DraftRequest, Paragraphs, Sentence
from autonomy.core.types import Card
from autonomy.text.chars import count_words
from autonomy.text.language import is_cjk

MOST = 120
SHORT = 16


def annotation(request: DraftRequest, desk: Desk) -> Paragraphs:
    """One paragraph. `before` are the source's headings, `figures` hold "words=N"."""
    source = request.sources[0]
    figures = dict(figure.partition("=")[::2] for figure in request.figures if "=" in figure)
    size = _rounded(int(figures["words"]), desk.words.thousands) if figures.get("words", "").isdigit() else "?"
    kind = desk.words.kinds.get(source.media_type, desk.words.kinds[""])
    central = _central(request.cards)
    quote = quoting.quotation(central, desk.fill("lead", desk.words.annotation_quote), desk) if central else []
    quote += _second(request.cards, central, desk) if central else []
    for shown in (4, 3, 2, 1):
        headings = _headings(request, desk, shown)
        opening = _opening(desk, source.id, kind, size, headings)
        closing = _closing(request, desk)
        sentences = [opening, *quote, *closing]
        while count_words(" ".join(s.text for s in sentences)) > MOST and closing:
            closing = closing[:-1]
            sentences = [opening, *quote, *closing]
        if count_words(" ".join(s.text for s in sentences)) <= MOST:
            break
    return Paragraphs(paragraphs=(tuple(sentences),))


def _rounded(words: int, separator: str) -> str:
    """A size as one says it: two figures, the rest noughts."""
    step = 10 ** max(0, len(str(words)) - 2)
    return f"{round(words / step) * step:,}".replace(",", separator)


def _central(cards: tuple[Card, ...]) -> Card | None:
    """The most relevant card whose quote leaves room for the rest; the first of equals."""
    short = [card for card in cards if count_words(card.quote) <= MOST // 2]
    return max(short, key=lambda card: card.relevance, default=None)


def _second(cards: tuple[Card, ...], first: Card, desk: Desk) -> list[Sentence]:
    """Another passage where the first is so short that the annotation would say little."""
    if count_words(first.quote) >= SHORT:
        return []
    others = [card for card in cards if card.id != first.id and count_words(card.quote) <= MOST // 3]
    card = max(others, key=lambda card: card.relevance, default=None)
    return quoting.quotation(card, quoting.next_lead(card, first, desk, named=True), desk) if card else []


def _headings(request: DraftRequest, desk: Desk, most: int) -> str:
    found = [clean_heading(text) for text in request.before]
    own = [
        h
        for h in dict.fromkeys(found)
        if telling(h, desk.language) and not quoting.same(h, clean_heading(request.heading), desk.language)
    ]
    return desk.words.several([in_italics(text) for text in own], most)


def _closed(question: str, desk: Desk) -> str:
    """A question in italics that ends a sentence."""
    stop = "。" if is_cjk(desk.language) else "."
    return in_italics(question) + ("" if question.rstrip().endswith(("?", "？")) else stop)


def _opening(desk: Desk, source: str, kind: str, size: str, headings: str) -> Sentence:
    values = {"title": desk.title(source), "kind": kind, "words": size, "headings": headings}
    forms = desk.words.annotation if headings else desk.words.annotation_bare
    return desk.say("annotation", forms, **values)


def _closing(request: DraftRequest, desk: Desk) -> list[Sentence]:
    """How much was taken, and what it says nothing on, most telling first: the last is left out first."""
    answered = {card.question for card in request.cards}
    open_questions = [question for question in request.brief.questions if question not in answered]
    places = list(dict.fromkeys(quoting.section_of(card) for card in request.cards if quoting.section_of(card)))
    closing: list[Sentence] = []
    if request.brief.questions:
        asked = len(request.brief.questions)
        counted = asked - len(open_questions)
        closing.append(desk.say("answers", desk.words.annotation_answers, count=counted, asked=desk.words.number(asked)))
    if open_questions:
        closing.append(desk.say("limit", desk.words.annotation_limit, question=_closed(open_questions[0], desk)))
    elif request.brief.questions:
        closing.append(desk.say("full", desk.words.annotation_full))
    if places:
        headings = desk.words.several([in_italics(text) for text in places], 3)
        closing.append(desk.say("more", desk.words.annotation_more, count=len(request.cards), headings=headings))
    return closing
