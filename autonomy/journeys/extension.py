"""Gates of an operator's own: functions that installed packages offer as entry points of the group `autonomy.gates`.

A function takes a `Document` and returns a mapping: `figure` (a number, or a text of at most 60 characters), `threshold`
(the same, two numbers, or None), `pass` (a bool) and, if it likes, `evidence` (texts). It is called once for each audit of a
draft, only where the policy file says what its miss does, and should give the same for the same document.

Invariant: what such a gate does wrong is its own miss. One that cannot be found or imported, raises, or answers with something
else fails with the reason in its evidence, and the run goes on.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from autonomy.agents.material import Material
from autonomy.core.gates import GATES
from autonomy.core.types import Gate
from autonomy.journeys.policy import Policy
from autonomy.journeys.references import title_of
from autonomy.journeys.render import render

GROUP = "autonomy.gates"
LONGEST = 300
"""Characters of one item of evidence."""
MOST_ITEMS = 20
MOST_FIGURE = 60


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation of a claim: its words, the id of its source, the page it stands on (None: not known)."""

    text: str
    source: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim as it stands in the document, under its heading, with its quotations."""

    text: str
    section: str
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A cited source: id, title, path or address, authors, year (None: not known)."""

    id: str
    title: str
    location: str
    authors: tuple[str, ...]
    year: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """What a gate measures: the Markdown as it would be delivered, its claims and its cited sources."""

    text: str
    language: str
    journey: str
    goal: str
    claims: tuple[Claim, ...]
    sources: tuple[Source, ...]


def offered() -> dict[str, EntryPoint]:
    """The gates of installed packages by name; a name of ours is not theirs to take, and of two the first found counts."""
    found: dict[str, EntryPoint] = {}
    for each in entry_points(group=GROUP):
        if each.name.isidentifier() and each.name not in GATES:
            found.setdefault(each.name, each)
    return found


def measure(material: Material, policy: Policy) -> Iterator[Gate]:
    """The operator's gates that the policy asks for, in the order of their names."""
    asked = sorted(name for name, miss in policy.miss.items() if name not in GATES and miss != "off")
    if not asked:
        return
    known, document = offered(), _document(material)
    for name in asked:
        yield _measured(name, known.get(name), document).model_copy(update={"decides": policy.miss[name] == "decides"})


def _measured(name: str, entry: EntryPoint | None, document: Document) -> Gate:
    if entry is None:
        return _failed(name, "no installed package offers this gate")
    try:
        answer = entry.load()(document)
    except (Exception, SystemExit) as error:  # foreign code: whatever it raises is its own miss, and no other gate's
        return _failed(name, f"{type(error).__name__}: {error}")
    flaw = _flaw(answer)
    if flaw:
        return _failed(name, f"its answer cannot be used: {flaw}")
    threshold = answer["threshold"]
    evidence = [each[:LONGEST] for each in answer.get("evidence") or ()]
    more = (f"and {len(evidence) - MOST_ITEMS} more",) if len(evidence) > MOST_ITEMS else ()
    return Gate(
        name=name,
        figure=answer["figure"],
        threshold=list(threshold) if isinstance(threshold, list | tuple) else threshold,
        passed=answer["pass"],
        evidence=(*evidence[:MOST_ITEMS], *more),
    )


def _failed(name: str, why: str) -> Gate:
    return Gate(name=name, figure=None, threshold=None, passed=False, evidence=(why[:LONGEST],))


def _flaw(answer: Any) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if not isinstance(answer, Mapping):
        return f"it is a {type(answer).__name__}, not a mapping"
    missing = [key for key in ("figure", "threshold", "pass") if key not in answer]
    if missing:
        return f"it has no '{missing[0]}'"
    if not _is_figure(answer["figure"]):
        return "'figure' is no finite number and no short text"
    bound = answer["threshold"]
    band = isinstance(bound, list | tuple) and len(bound) == 2 and all(_is_number(each) for each in bound)
    if bound is not None and not band and not _is_figure(bound):
        return "'threshold' is no number, no two numbers, no short text and not None"
    if not isinstance(answer["pass"], bool):
        return "'pass' is neither True nor False"
    evidence = answer.get("evidence")
    if evidence is not None and not (isinstance(evidence, list | tuple) and all(isinstance(each, str) for each in evidence)):
        return "'evidence' is no list of texts"
    return ""


def _is_figure(value: Any) -> bool:
    return _is_number(value) or (isinstance(value, str) and len(value) <= MOST_FIGURE)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _document(material: Material) -> Document:
    rendered = render(material)
    cited = {card.source for placed in rendered.claims for card in placed.claim.cards}
    return Document(
        text=rendered.text,
        language=material.brief.language,
        journey=material.task.journey,
        goal=material.task.goal,
        claims=tuple(
            Claim(
                placed.text,
                placed.section,
                tuple(Quote(card.quote, card.source, card.anchor.page) for card in placed.claim.cards),
            )
            for placed in rendered.claims
        ),
        sources=tuple(
            Source(source.id, title_of(source), source.location, source.authors, source.year)
            for source in material.sources
            if source.id in cited
        ),
    )
