"""One source in 40 to 120 words: what it covers, how, which claims quote it, and where it brought nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autonomy.agents.extractive import quoting
from autonomy.agents.extractive.headings import clean_heading, telling
from autonomy.agents.extractive.quoting import Desk, in_italics
from autonomy.agents.roles import DraftRequest, Paragraphs, Sentence
from autonomy.text.chars import count_words
from autonomy.text.language import is_cjk

LEAST, MOST = 40, 120
ANSWERED, PLACE = "answered=", "place="
_CLAIM = re.compile(r"^C(\d+)=(\S+)$", re.MULTILINE)


def annotation(request: DraftRequest, desk: Desk) -> Paragraphs:
    """One paragraph, without a quotation: what is quoted of the source stands in the claims, to which it points by number.

    `before` are the source's headings; `figures` hold "words=N", "place=N" (annotations before this one), "C3=c7" (a claim's
    number and a card of its row) and "answered=question".
    """
    source = request.sources[0]
    figures = dict(figure.partition("=")[::2] for figure in request.figures if "=" in figure)
    size = _rounded(int(figures["words"]), desk.words.thousands) if figures.get("words", "").isdigit() else "?"
    kind = desk.words.kinds.get(source.media_type, desk.words.kinds[""])
    quoted = _quoted(request, desk)
    sentences: list[Sentence] = []
    for shown in (4, 3, 2, 1):
        opening = _opening(desk, source.id, kind, size, _headings(request, desk, shown))
        closing = _closing(request, desk)
        sentences = [opening, *quoted, *closing]
        while _size(sentences) > MOST and closing:
            closing = closing[:-1]
            sentences = [opening, *quoted, *closing]
        if _size(sentences) <= MOST:
            break
    if _size(sentences) < LEAST:
        sentences.append(Sentence(text=desk.words.annotation_only, kind="scaffold"))
    return Paragraphs(paragraphs=(tuple(sentences),))


def _size(sentences: Sequence[Sentence]) -> int:
    return count_words(" ".join(sentence.text for sentence in sentences))


def _rounded(words: int, separator: str) -> str:
    """A size as one says it: two figures, the rest noughts."""
    step = 10 ** max(0, len(str(words)) - 2)
    return f"{round(words / step) * step:,}".replace(",", separator)


def _quoted(request: DraftRequest, desk: Desk) -> list[Sentence]:
    """Which claim comes closest to what was asked, and which others quote the source."""
    rows = {card: int(number) for number, card in _CLAIM.findall("\n".join(request.figures))}
    held = [card for card in request.cards if card.id in rows]
    if not held:
        return []
    central = max(held, key=lambda card: card.relevance)
    place = quoting.section_of(central)
    nearest = f"C{rows[central.id]}" + (f" ({in_italics(place)})" if place else "")
    sentences = [desk.say("nearest", desk.words.annotation_nearest, claim=nearest)]
    numbers = sorted({rows[card.id] for card in held})
    if len(numbers) > 1:
        claims = desk.words.several(_ranges(numbers), MOST)
        sentences.append(desk.say("more", desk.words.annotation_more, count=len(numbers), claims=claims))
    return sentences


def _ranges(numbers: Sequence[int]) -> list[str]:
    """C3, C5–C8: neighbours from three on as a range."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [text for run in runs for text in ([f"C{run[0]}–C{run[-1]}"] if len(run) > 2 else [f"C{number}" for number in run])]


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
    """What it answers and what it says nothing on, most telling first: the last is left out first."""
    questions = request.brief.questions
    answered = {figure.removeprefix(ANSWERED) for figure in request.figures if figure.startswith(ANSWERED)}
    missing = [question for question in questions if question not in answered]
    if len(questions) < 2 or len(missing) == len(questions):
        return []
    counted = len(questions) - len(missing)
    return [
        desk.say("answers", desk.words.annotation_answers, count=counted, asked=len(questions)),
        *(desk.say("limit", desk.words.annotation_limit, question=_closed(question, desk)) for question in missing[:1]),
    ]
