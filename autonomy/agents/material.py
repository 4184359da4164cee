"""What a run has gathered when it writes its document: plain values, joined only by ids.

Invariant: evidence is pointed at by card ids and cards by source ids; titles, pages and reference lists are made from
these values by code, never by a player.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from autonomy.agents.roles import Brief, Sentence
from autonomy.core.types import Card, Finite, Frozen, Outcome, Source, TaskSpec

COVERED = 0.5
"""Below this share of a question's terms the corpus does not speak to it."""
FRAMED = 2
"""Quotations; one alone stands without introduction, conclusion, synthesis and table, which would say more than it."""
Part = Literal["section", "introduction", "conclusion", "synthesis", "annotation"]
Stance = Literal["supports", "opposes", "differs", "silent"]
Paragraph = tuple[Sentence, ...]


class SectionDraft(Frozen):
    """One drafted part under its heading; `level` 2 is a section, 3 a part of one. Headings are unique in a document."""

    heading: str
    level: int = Field(default=2, ge=2, le=4)
    part: Literal["section", "introduction", "conclusion", "synthesis"] = "section"
    paragraphs: tuple[Paragraph, ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in order; a failure's index counts in these."""
        return tuple(sentence for paragraph in self.paragraphs for sentence in paragraph)


class Annotation(Frozen):
    """What one source holds, how, and where it stops (research)."""

    source: str
    paragraphs: tuple[Paragraph, ...] = ()

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """All sentences in order; a failure's index counts in these."""
        return tuple(sentence for paragraph in self.paragraphs for sentence in paragraph)


class Cell(Frozen):
    """What one source says to one claim. `card` carries the quote; only a silent cell has none."""

    source: str
    stance: Stance
    card: str | None = None


class MatrixRow(Frozen):
    """One distinct claim; `cards` are all cards that were merged into it, `cells` stand in the order of the sources."""

    id: str
    claim: str
    question: str
    cells: tuple[Cell, ...]
    cards: tuple[str, ...] = ()


class SourceMap(Frozen):
    """Where pages and headings begin in a source's snapshot: (page, start) and (start, level, text), by start.

    From it a quote's page and section are worked out anew, so that an anchor is proved and not believed.
    """

    source: str
    pages: tuple[tuple[int, int], ...] = ()
    headings: tuple[tuple[int, int, str], ...] = ()


class Searched(Frozen):
    """One question that was searched: passages found, cards kept, and the share of its terms, by weight, that the best passage
    holds (0 to 1).

    `kept` counts the quotations that it, or other words for it, were the first to find; `cards` are the quotations that
    answer it, those taken for an earlier question among them; `weights` its terms with their inverse document frequency in
    the corpus, and "" with that of a term that stands nowhere in it.
    """

    question: str
    found: int = Field(default=0, ge=0)
    kept: int = Field(default=0, ge=0)
    coverage: Annotated[Finite, Field(ge=0, le=1)] = 0.0
    cards: tuple[str, ...] = ()
    weights: dict[str, Annotated[Finite, Field(ge=0)]] = Field(default_factory=dict)

    @property
    def answered(self) -> bool:
        """Whether a quotation answers it, be it one that an earlier question found."""
        return bool(self.kept or self.cards)

    @property
    def thin(self) -> bool:
        """Whether nothing answers it, or no passage covers half of it."""
        return not self.answered or self.coverage < COVERED


class ReportSeen(Frozen):
    """What a similarity report said of the run's n-th draft, in percent; `observed` None where none came."""

    n: int
    observed: Finite | None
    target: Finite
    decision: Literal["accepted", "rejected"]


class Material(Frozen):
    """Everything a document is made from. `sources` are those read for it, `maps` one per source that cards stand in.

    `player` and `provider` say who wrote (the extractive player is named on the document); `unanswered` that `provider` is a
    model that was asked and never gave an answer, so that the extractive player wrote; `created_at`, in microseconds, dates
    the document; `thin` are questions or
    sections without enough evidence, `notes` the honest remarks for the reader, in the document's language; `reports` the
    similarity reports of its drafts, oldest first.
    """

    task: TaskSpec
    brief: Brief
    run_id: str
    player: Literal["extractive", "model"]
    provider: str
    seed: int
    created_at: int = 0
    outcome: Outcome = "delivered"
    unanswered: bool = False
    sections: tuple[SectionDraft, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    matrix: tuple[MatrixRow, ...] = ()
    cards: tuple[Card, ...] = ()
    sources: tuple[Source, ...] = ()
    maps: tuple[SourceMap, ...] = ()
    searched: tuple[Searched, ...] = ()
    thin: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reports: tuple[ReportSeen, ...] = ()
