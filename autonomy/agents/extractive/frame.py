"""Introduction and conclusion: what was asked, what it was made from, what was looked for and not found. No claims."""

from __future__ import annotations

from collections import Counter

from autonomy.agents.extractive.headings import plain_title
from autonomy.agents.extractive.quoting import Desk, in_italics
from autonomy.agents.material import FRAMED
from autonomy.agents.roles import DraftRequest, Paragraphs, Sentence
from autonomy.text.chars import count_words

NOT_FOUND, LITTLE = "not found: ", "little: "


def introduction(request: DraftRequest, desk: Desk) -> Paragraphs:
    """`before` are the finished sections ("heading: first sentence"). A lone quotation speaks for itself."""
    if len(request.cards) < FRAMED:
        return Paragraphs(paragraphs=())
    sources = {card.source for card in request.cards}
    goal = in_italics(_asked(request))
    forms = desk.words.introduction if len(sources) != 1 else desk.words.introduction_one
    sentences = [desk.say("introduction", forms, count=len(sources), goal=goal)]
    if request.brief.must_cover:
        points = desk.words.several([_shown(point) for point in request.brief.must_cover], 8)
        sentences.append(desk.say("points", desk.words.introduction_points, points=points))
    headings = headings_of(request)
    if len(headings) > 1:
        listed = desk.words.several([f"*{heading}*" for heading in headings], 9)
        sentences.append(desk.say("sections", desk.words.introduction_sections, count=len(headings), headings=listed))
    return Paragraphs(paragraphs=(tuple(_within(sentences, request)),))


def conclusion(request: DraftRequest, desk: Desk) -> Paragraphs:
    """`figures` hold "not found: question" for each question without a passage, "little: question" where no passage
    covers half of it.

    From a lone quotation nothing is concluded: what was looked for stands in a part of its own.
    """
    if len(request.cards) < FRAMED:
        return Paragraphs(paragraphs=())
    counts = Counter(card.source for card in request.cards)
    leading = _leading(counts, desk)
    values = {
        "goal": in_italics(_asked(request)),
        "sources": desk.words.number(len(counts)),
        "titles": desk.titles(leading),
    }
    forms = desk.words.conclusion if len(counts) > 1 else desk.words.conclusion_one
    sentences = [desk.say("conclusion", forms, count=len(request.cards), **values)]
    gaps = [figure.removeprefix(NOT_FOUND) for figure in request.figures if figure.startswith(NOT_FOUND)]
    little = [figure.removeprefix(LITTLE) for figure in request.figures if figure.startswith(LITTLE)]
    if gaps:
        sentences.append(desk.say("gaps", desk.words.conclusion_gaps, gaps=_listed(gaps)))
    if little:
        forms = desk.words.conclusion_little if len(little) > 1 else desk.words.conclusion_little_one
        sentences.append(desk.say("little", forms, gaps=_listed(little)))
    # What was not found is said however short the text is to be.
    sentences = _within(sentences, request, least=1 + bool(gaps))
    return Paragraphs(paragraphs=(tuple(sentences),))


def _asked(request: DraftRequest) -> str:
    """What is quoted on: the goal, or, where nothing was found for it as it was asked, what the best quotation answers."""
    title = request.brief.title
    answered = {card.question for card in request.cards}
    if title in answered or title not in request.brief.questions:
        return title
    return max(request.cards, key=lambda card: card.relevance).question


def _within(sentences: list[Sentence], request: DraftRequest, least: int = 1) -> list[Sentence]:
    """The first `least` sentences and, where a length was asked for, of the others those for which there is room."""
    if request.task.length is None:
        return sentences
    kept = sentences[:least]
    for sentence in sentences[least:]:
        if sum(count_words(each.text) for each in (*kept, sentence)) <= request.words:
            kept.append(sentence)
    return kept


def _leading(counts: Counter[str], desk: Desk) -> list[str]:
    """The fewest sources that more than half of the passages come from."""
    order = sorted(counts, key=lambda source: (-counts[source], desk.title(source)))
    enough = next(n for n in range(len(order) + 1) if sum(counts[s] for s in order[:n]) * 2 > counts.total() or n == len(order))
    return order[:enough]


def _shown(point: str) -> str:
    """A point as it stands in a sentence; a question in italics."""
    return in_italics(point) if point.rstrip().endswith(("?", "？")) else point


def _listed(questions: list[str]) -> str:
    return "; ".join(in_italics(question.rstrip(".")) for question in questions)


def headings_of(request: DraftRequest) -> list[str]:
    """The headings of the finished sections. A heading may hold ": " itself, so the known first sentence decides."""
    return [plain_title(line.partition(": ")[0]) for line in request.before]
