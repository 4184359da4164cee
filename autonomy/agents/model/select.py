"""Select: the model names spans, code finds them again in the passage and puts the source's own words in their place.

A span that is not found again dies: fuzzy likeness locates, it proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autonomy.agents.model.ask import Asker, Prompt
from autonomy.agents.model.prompting import NOT_IN_EVIDENCE, frame, joined, system
from autonomy.agents.model.shape import Answer
from autonomy.agents.roles import SelectRequest
from autonomy.core.prompts import Exhibit, fence, one_line
from autonomy.core.types import Anchor, Card, Passage
from autonomy.providers.tokens import estimate
from autonomy.text.language import is_cjk
from autonomy.text.normal import locate, locate_near
from autonomy.text.sentences import split

_BATCH_TOKENS = 6_000
_BATCH = 8
_LEAST_RELEVANCE = 3
_LEAST_WORDS, _LEAST_LETTERS = 4, 8
_MOST_WORDS, _MOST_LETTERS = 90, 260
_NEAR = 0.85
_EDGE = 16
_TOKENS_PER_CARD = 170
_ELLIPSIS = re.compile(r"\s*(?:\[?…\]?|\[?\.\.\.\]?)\s*")

_SYSTEM = system(
    "You choose quotable evidence for one question.",
    "A span is copied letter by letter from one passage: one to three whole sentences that are understood on their own.",
    "`says` is one sentence in your own words on what the span says about the question; `relevance` is 0 to 10.",
    "Headings, lists of contents, navigation, code and bibliography entries are no evidence.",
    f"{NOT_IN_EVIDENCE} Then `cards` is empty.",
)


class Chosen(Answer):
    """One span of one passage."""

    passage: str
    span: str
    says: str = ""
    relevance: int = 5


class CardsAnswer(Answer):
    """What select answers."""

    notes: str = ""
    cards: list[Chosen]


async def select(asker: Asker, request: SelectRequest) -> tuple[tuple[Card, ...], int]:
    """Cards, best first, at most `limit`, and how many spans died because they are not in their passage."""
    found: list[Card] = []
    died = 0
    for batch in _batches(request.passages):
        named = {f"p{place}": passage for place, passage in batch}
        for chosen in await _asked(asker, request, named):
            passage = named.get(chosen.passage.strip().strip("[]"))
            card = _card(chosen, passage, request) if passage else None
            died += card is None
            if card is not None and chosen.relevance >= _LEAST_RELEVANCE:
                found.append(card)
    return _distinct(found, request), died


async def _asked(asker: Asker, request: SelectRequest, named: dict[str, Passage]) -> list[Chosen]:
    """The chosen spans of one batch; an answer that was cut off is asked for again in halves, never dropped."""
    prompt = _prompt(request, named)
    first = await asker.once(prompt, CardsAnswer)
    if first.finish == "length" and len(named) > 1:
        names = list(named)
        middle = len(names) // 2
        halves = [{name: named[name] for name in part} for part in (names[:middle], names[middle:])]
        return [chosen for half in halves for chosen in await _asked(asker, request, half)]
    return (await asker.repaired(prompt, first, CardsAnswer)).cards


def _prompt(request: SelectRequest, named: dict[str, Passage]) -> Prompt:
    exhibits = [Exhibit(name, _where(passage), passage.text) for name, passage in named.items()]
    user = joined(
        frame(request.task, request.brief),
        fence("passages", exhibits),
        f"At most {request.limit} cards, the best first.",
        f"Question: {one_line(request.question, 500)}",
    )
    return Prompt("select", "cards", _SYSTEM, user, 300 + _TOKENS_PER_CARD * min(request.limit, 3 * len(named)))


def _where(passage: Passage) -> str:
    parts = [one_line(passage.title, 120)]
    if passage.section:
        parts.append(f'section "{one_line(passage.section, 80)}"')
    if passage.page is not None:
        parts.append(f"page {passage.page}")
    return ", ".join(parts)


def _batches(passages: Sequence[Passage]) -> list[list[tuple[int, Passage]]]:
    batches: list[list[tuple[int, Passage]]] = []
    room = 0
    for place, passage in enumerate(passages, 1):
        size = estimate(passage.text)
        if not batches or size > room or len(batches[-1]) == _BATCH:
            batches.append([])
            room = _BATCH_TOKENS
        batches[-1].append((place, passage))
        room -= size
    return batches


def _card(chosen: Chosen, passage: Passage, request: SelectRequest) -> Card | None:
    place = relocated(chosen.span, passage.text)
    if place is None or not _right_size(passage.text[place[0] : place[1]], passage.language or request.brief.language):
        return None
    start, end = place
    return Card(
        id="",
        source=passage.source,
        quote=passage.text[start:end],
        anchor=Anchor(page=passage.page, section=passage.section, start=passage.start + start, end=passage.start + end),
        gist=one_line(chosen.says, 300),
        relevance=min(10, max(0, chosen.relevance)) / 10,
        question=request.question,
    )


def relocated(span: str, text: str) -> tuple[int, int] | None:
    """Where a span stands in a text: exactly, else near by, else None. A span with gaps counts by its longest piece."""
    piece = max(_ELLIPSIS.split(span.strip().strip('"“”«»„')), key=len, default="").strip()
    if not piece:
        return None
    exact = locate(piece, text)
    if exact is not None:
        return exact
    near = locate_near(piece, text, _NEAR)
    if near is None:
        return None
    return _to_sentence(near.start, near.end, text)


def _to_sentence(start: int, end: int, text: str) -> tuple[int, int]:
    """The stretch with its edges moved to where its sentences begin and end, if that is only a few letters away."""
    bounds = split(text)
    first = max((begin for begin, _ in bounds if begin <= start), default=start)
    last = min((stop for _, stop in bounds if stop >= end), default=end)
    return (first if start - first <= _EDGE else start), (last if last - end <= _EDGE else end)


def _right_size(quote: str, language: str) -> bool:
    if is_cjk(language):
        return _LEAST_LETTERS <= len(quote) <= _MOST_LETTERS
    return _LEAST_WORDS <= len(quote.split()) <= _MOST_WORDS


def _distinct(cards: list[Card], request: SelectRequest) -> tuple[Card, ...]:
    """Best first, without quotes that are taken or overlap a better one."""
    taken = set(request.taken)
    kept: list[Card] = []
    for card in sorted(cards, key=lambda card: -card.relevance):
        overlaps = any(
            other.source == card.source and other.anchor.start < card.anchor.end and card.anchor.start < other.anchor.end
            for other in kept
        )
        if card.quote not in taken and not overlaps:
            kept.append(card)
    return tuple(kept[: request.limit])
