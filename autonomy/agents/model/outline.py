"""Outline: evidence before prose. Every section stands on card ids, and every must-cover point is placed or named thin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from pydantic import Field

from autonomy.agents.model.ask import Asker, Prompt
from autonomy.agents.model.prompting import IDS_ONLY, NOT_IN_EVIDENCE, evidence, frame, joined, system
from autonomy.agents.model.shape import Answer
from autonomy.agents.roles import Outline, OutlineRequest, SectionPlan
from autonomy.core.errors import BadAnswer
from autonomy.core.prompts import Exhibit, fence, one_line

_LEAST_CARDS = 2
_LEAST_WORDS = 60
_WORDS_PER_SECTION = 180
_MOST_SECTIONS = 14
_EVIDENCE_TOKENS = 10_000

_SYSTEM = system(
    "You arrange evidence into the outline of a document.",
    IDS_ONLY,
    NOT_IN_EVIDENCE,
    "Each section has a short heading, one sentence on the point it makes, and the ids of the cards that carry it: at "
    "least two cards, each card in one section only. Evidence that fits no section is left out.",
    "Order: what it is, how it works, use, limits, comparison. No introduction, conclusion or list of references: those "
    "are made elsewhere.",
    "Each must-cover point (M1, M2 ...) stands in `covers` of the section that treats it, or in `missing` if no card does.",
)


class Section(Answer):
    """One section as the model sees it."""

    heading: str
    claim: str = ""
    cards: list[str] = Field(default_factory=list)
    covers: list[str] = Field(default_factory=list)


class OutlineAnswer(Answer):
    """What outline answers."""

    notes: str = ""
    title: str = ""
    sections: list[Section]
    missing: list[str] = Field(default_factory=list)


async def outline(asker: Asker, request: OutlineRequest) -> tuple[Outline, int]:
    """The outline and how many unknown ids were removed. Raises BadAnswer when no section has evidence."""
    most = min(_MOST_SECTIONS, max(2, request.words // _WORDS_PER_SECTION + 1))
    points = request.brief.must_cover
    user = joined(
        frame(request.task, request.brief),
        fence("points", [Exhibit(f"M{number}", "must cover", point) for number, point in enumerate(points, 1)])
        if points
        else "",
        evidence(request.cards, request.sources, _EVIDENCE_TOKENS),
        f"At most {most} sections, about {request.words} words in all.",
        f"Arrange this evidence so that the document reaches its goal: {one_line(request.task.goal, 500)}",
    )
    prompt = Prompt("outline", "outline", _SYSTEM, user, 500 + 160 * most)
    known = frozenset(card.id for card in request.cards)
    answer = await asker.ask(prompt, OutlineAnswer, partial(_check, known=known, points=len(points)))
    sections, unknown = _sections(answer, known)
    if not sections:
        raise BadAnswer("the model's outline has no section with evidence", "Try again, or name another model or provider.")
    unplaced = _unplaced(answer, len(points))
    thin = [points[number - 1] for number in unplaced]
    thin.extend(heading for heading, cards, _ in sections if len(cards) < _LEAST_CARDS)
    thin.extend(one_line(section.heading, 120) for section in answer.sections if not _ids(section.cards) & known)
    made = Outline(
        title=one_line(answer.title, 160) or request.brief.title,
        sections=_measured(sections[:most], request.words),
        thin=tuple(dict.fromkeys(line for line in thin if line)),
    )
    return made, unknown


def _ids(names: Iterable[str]) -> set[str]:
    return {name.strip().strip("[]") for name in names}


def _check(answer: OutlineAnswer, known: frozenset[str], points: int) -> tuple[str, ...]:
    problems = [f"{point} is neither in `covers` nor in `missing`" for point in _forgotten(answer, points)]
    unknown = sorted({name for section in answer.sections for name in _ids(section.cards)} - known)
    if unknown:
        problems.append(f"unknown card ids: {', '.join(one_line(name, 20) for name in unknown[:5])}")
    if not any(_ids(section.cards) & known for section in answer.sections):
        problems.append("no section has a known card id")
    return tuple(problems)


def _forgotten(answer: OutlineAnswer, points: int) -> list[str]:
    named = _ids(name for section in answer.sections for name in section.covers) | _ids(answer.missing)
    return [f"M{number}" for number in range(1, points + 1) if f"M{number}" not in named]


def _unplaced(answer: OutlineAnswer, points: int) -> list[int]:
    placed = _ids(name for section in answer.sections for name in section.covers)
    return [number for number in range(1, points + 1) if f"M{number}" not in placed]


def _sections(answer: OutlineAnswer, known: frozenset[str]) -> tuple[list[tuple[str, list[str], str]], int]:
    """(heading, cards, claim) with known cards only, each card once, sections of one heading merged; and the removed ids."""
    sections: dict[str, tuple[str, list[str], str]] = {}
    used: set[str] = set()
    unknown = 0
    for section in answer.sections:
        heading = one_line(section.heading.strip().lstrip("#0123456789. "), 120) or one_line(section.heading, 120)
        names = list(dict.fromkeys(name.strip().strip("[]") for name in section.cards))
        unknown += sum(name not in known for name in names)
        cards = [name for name in names if name in known and name not in used]
        if not cards or not heading:
            continue
        used.update(cards)
        held = sections.setdefault(heading.casefold(), (heading, [], one_line(section.claim, 300)))
        held[1].extend(cards)
    return list(sections.values()), unknown


def _measured(sections: Sequence[tuple[str, list[str], str]], words: int) -> tuple[SectionPlan, ...]:
    """Words shared out by the evidence behind each section."""
    total = sum(len(cards) for _, cards, _ in sections)
    return tuple(
        SectionPlan(
            heading=heading, claim=claim, cards=tuple(cards), words=max(_LEAST_WORDS, round(words * len(cards) / total))
        )
        for heading, cards, claim in sections
    )
