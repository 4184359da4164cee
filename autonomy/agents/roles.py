"""What the nodes ask of a role, and what they get: typed requests and typed answers.

A role has two players: the extractive one works by rule, the model one by prompt. Nodes never know which one answers.
Only ids of cards may point at evidence: titles, pages and reference lists are rendered by code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from autonomy.core.types import Card, Frozen, Passage, Source, TaskSpec
from autonomy.text.words import terms


class Overview(Frozen):
    """What the corpus holds, for interpret: counts, languages, a sample of titles and headings."""

    documents: int
    words: int
    languages: tuple[str, ...]
    titles: tuple[str, ...]
    headings: tuple[str, ...]


class Brief(Frozen):
    """What interpret found in the goal. `questions` are searched; `terms` are the goal's content words, normalised."""

    title: str
    language: str
    subject: str
    terms: tuple[str, ...]
    questions: tuple[str, ...]
    must_cover: tuple[str, ...] = ()


class SectionPlan(Frozen):
    """One section of the outline: its heading, the point it makes, and the cards that carry it (ids)."""

    heading: str
    claim: str
    cards: tuple[str, ...]
    words: int


class Outline(Frozen):
    """The document's shape. `thin` names the questions or sections without enough evidence."""

    title: str
    sections: tuple[SectionPlan, ...]
    thin: tuple[str, ...] = ()


class Sentence(Frozen):
    """One sentence (or block quotation) of a draft.

    `kind` is claim (must carry cites), scaffold (counts, titles, headings only: needs none) or heading.
    `quoted` says that the text between quotation marks is the card's own words.
    """

    text: str
    cites: tuple[str, ...] = ()
    kind: Literal["claim", "scaffold", "heading"] = "claim"
    quoted: bool = False
    block: bool = False


class Paragraphs(Frozen):
    """The drafted text: paragraphs of sentences, and notes for the reader (what was not found, what was dropped)."""

    paragraphs: tuple[tuple[Sentence, ...], ...]
    notes: tuple[str, ...] = ()


class SelectRequest(Frozen):
    """Choose quotable evidence for one question from retrieved passages, at most `limit` cards, best first.

    `weights` are the inverse document frequencies of the terms asked for so far, by term; "" has that of a term that stands
    nowhere in the corpus.
    """

    task: TaskSpec
    brief: Brief
    question: str
    passages: tuple[Passage, ...]
    limit: int
    taken: tuple[str, ...] = ()
    weights: dict[str, float] = Field(default_factory=dict)


class OutlineRequest(Frozen):
    """Arrange the cards into sections that answer the goal in about `words` words."""

    task: TaskSpec
    brief: Brief
    cards: tuple[Card, ...]
    sources: tuple[Source, ...]
    words: int


def served(question: str, brief: Brief) -> str:
    """The question of the brief that a search serves: itself, or the one that other words for it share most words with.

    A reader is shown questions as they were asked, never the words that were tried for them.
    """
    if question in brief.questions or not brief.questions:
        return question
    words = set(terms(question, brief.language))
    shared = [len(words.intersection(terms(asked, brief.language))) for asked in brief.questions]
    return brief.questions[shared.index(max(shared))]


def frame_words(length: int) -> int:
    """The words of an introduction or a conclusion: a tenth of the document's length each, and never below 40."""
    return max(40, length // 10)


class DraftRequest(Frozen):
    """Write one part from its cards only.

    `part` says which: a section of the outline, a source's annotation (research), the synthesis (research), or the
    frame (introduction and conclusion, no new claims). `before` are headings with a line on each finished section.
    """

    task: TaskSpec
    brief: Brief
    part: Literal["section", "annotation", "synthesis", "introduction", "conclusion"]
    heading: str
    claim: str
    cards: tuple[Card, ...]
    sources: tuple[Source, ...]
    words: int
    before: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


class Pair(Frozen):
    """A claim sentence and the quotes it cites, to be judged."""

    id: str
    text: str
    quotes: tuple[str, ...]


class JudgeRequest(Frozen):
    """Does each quote carry its sentence?"""

    task: TaskSpec
    pairs: tuple[Pair, ...]


class Judgement(Frozen):
    """One answer per pair id: yes, partly or no, with the reason in a line."""

    answers: tuple[tuple[str, Literal["yes", "partly", "no"], str], ...]


class ReviseRequest(Frozen):
    """Write failing sentences anew from their cards, or drop them. `failures` are (sentence index, gate, why)."""

    task: TaskSpec
    brief: Brief
    heading: str
    draft: Paragraphs
    failures: tuple[tuple[int, str, str], ...]
    cards: tuple[Card, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which player answered, for the manifest and the decision events."""

    player: Literal["extractive", "model"]
    name: str


class Player(Protocol):
    """One player of all roles. Eight verbs; every answer is checked by the caller, whoever gave it."""

    asked: Asked

    async def interpret(self, task: TaskSpec, overview: Overview) -> Brief: ...

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        """Cards without ids (the caller numbers them); quotes are passage text, word for word."""
        ...

    async def outline(self, request: OutlineRequest) -> Outline: ...

    async def draft(self, request: DraftRequest) -> Paragraphs: ...

    async def judge(self, request: JudgeRequest) -> Judgement: ...

    async def revise(self, request: ReviseRequest) -> Paragraphs: ...

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        """Other questions to search where evidence is thin."""
        ...
