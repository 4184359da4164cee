"""The parts that all prompts share: the hard rules, the task's frame, and evidence fenced and named as data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from autonomy.agents.roles import Brief
from autonomy.core.prompts import DATA_RULE, Exhibit, fence, one_line
from autonomy.core.types import Card, Source, TaskSpec
from autonomy.providers.tokens import estimate
from autonomy.text.language import is_cjk

EVIDENCE_TOKENS = 6_000
_GOAL_CHARS = 4_000
_FRAME_TOKENS = 300

IDS_ONLY = (
    "Point at evidence only by its id (such as c7), and only in the field meant for it. Never write an id, a web address, "
    "a page number or a list of references into a text."
)
NOT_IN_EVIDENCE = "What the evidence does not say, you do not know. Saying that it is not there is a good answer."


def system(role: str, *rules: str) -> str:
    """Who the model is, in a line, and the hard rules."""
    lines = "\n".join(f"- {rule}" for rule in (DATA_RULE, *rules))
    return f"{role}\nRules:\n{lines}"


def frame(task: TaskSpec, brief: Brief | None = None) -> str:
    """The task in a few lines: goal, kind, language, constraints."""
    lines = [f"Goal: {one_line(task.goal, _GOAL_CHARS)}", f"Kind of document: {task.journey}"]
    lines.extend(f"Constraint: {one_line(constraint, 400)}" for constraint in task.constraints)
    if brief is not None:
        lines.append(f"Subject: {one_line(brief.subject, 300)}")
        lines.append(f"Language of every text you write (code): {brief.language}")
    return "\n".join(lines)


def listed(label: str, items: Iterable[str]) -> str:
    """Items as a fenced list, for texts that stem from documents; empty when there are none."""
    exhibits = [Exhibit(str(number), "", item) for number, item in enumerate(items, 1)]
    return fence(label, exhibits) if exhibits else ""


def where(card: Card, sources: Mapping[str, Source]) -> str:
    """Title, section and page of a card: shown to the model, never asked back."""
    source = sources.get(card.source)
    parts = [one_line(source.title, 120) if source else "untitled"]
    if card.anchor.section:
        parts.append(f'section "{one_line(card.anchor.section, 80)}"')
    if card.anchor.page is not None:
        parts.append(f"page {card.anchor.page}")
    return ", ".join(parts)


def evidence(cards: Sequence[Card], sources: Sequence[Source], budget: int = EVIDENCE_TOKENS) -> str:
    """The cards as a fenced block: best first, second best last, whole cards dropped by score, never to none."""
    known = {source.id: source for source in sources}
    kept = within(cards, budget)
    return fence("evidence", [Exhibit(card.id, where(card, known), card.quote) for card in best_outside(kept)])


def within(cards: Sequence[Card], budget: int) -> list[Card]:
    """As many of the best cards as fit, at least one, in their given order."""
    ranked = sorted(range(len(cards)), key=lambda place: (-cards[place].relevance, place))
    kept: set[int] = set()
    left = budget
    for place in ranked:
        left -= estimate(cards[place].quote) + 40
        if left < 0 and kept:
            break
        kept.add(place)
    return [cards[place] for place in sorted(kept)]


def best_outside(cards: Sequence[Card]) -> list[Card]:
    """The best card first and the second best last, because the middle of a prompt is read worst."""
    if len(cards) < 3:
        return list(cards)
    ranked = sorted(range(len(cards)), key=lambda place: (-cards[place].relevance, place))
    first, last = ranked[0], ranked[1]
    middle = [card for place, card in enumerate(cards) if place not in (first, last)]
    return [cards[first], *middle, cards[last]]


def cap(words: int, language: str = "en") -> int:
    """Output tokens for so many words: two for each word, one for its share of the JSON around it, and a floor."""
    return _FRAME_TOKENS + words * (4 if is_cjk(language) else 3)


def joined(*parts: str) -> str:
    """The parts of a prompt with blank lines between; empty parts are left out."""
    return "\n\n".join(part for part in parts if part)
