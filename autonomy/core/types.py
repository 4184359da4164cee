"""The shared types of a run: what is asked, planned, done, seen and judged.

All are frozen pydantic models, checked at the door; in the graph state they travel as plain dicts
(`model_dump(mode="json")`), so that a checkpoint holds nothing but plain data.
"""

from __future__ import annotations

import datetime
import math
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Journey = Literal["write", "rewrite", "research", "slides", "assignment"]
Style = Literal["apa", "harvard", "mla", "chicago", "ieee", "vancouver"]
StepKind = Literal["research", "write", "code", "evaluate", "tool"]
StepState = Literal["pending", "running", "done", "failed", "skipped"]
Route = Literal["interpret", "plan", "act", "reflect", "expand", "repair", "turnitin_pause", "END"]
Decision = Literal["pass", "retry", "patch", "branch", "fail"]
RunStatus = Literal["queued", "running", "waiting_human", "paused", "done", "failed", "aborted"]
Outcome = Literal["delivered", "budget_exceeded", "target_not_reached", "failed", "aborted"]
RunState = Literal[RunStatus, Outcome]
"""What runs are looked for by: how one stands, or how it ended."""


def _clean(text: str) -> str:
    """Refuse what PostgreSQL text cannot hold and what UTF-8 cannot encode; both are never meant."""
    if "\x00" in text:
        raise ValueError("must not contain a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("must be valid Unicode (lone surrogate found)") from None
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _worded(text: str) -> str:
    """Refuse what asks for nothing: no letter and no digit. Control characters are cleaned where a text is shown."""
    if not any(letter.isalnum() for letter in text):
        raise ValueError("must contain a word")
    return text


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a finite number")
    return value


Text = Annotated[str, AfterValidator(_clean)]
FilledText = Annotated[str, AfterValidator(_clean), AfterValidator(_not_blank)]
GoalText = Annotated[str, AfterValidator(_clean), AfterValidator(_not_blank), AfterValidator(_worded)]
"""What is to be made, in somebody's words."""
Finite = Annotated[float, AfterValidator(_finite), Field(strict=True)]
Count = Annotated[int, Field(strict=True)]
"""A whole number and nothing that only passes for one: not true, not 5.0, not "5"."""


class Frozen(BaseModel):
    """Immutable, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Budget(Frozen):
    """Limits of a run; None means unlimited. `usd` is US dollars, stored as integer micro-dollars in the database."""

    tokens: Annotated[Count | None, Field(ge=1, le=10**15)] = None
    seconds: Annotated[Finite | None, Field(gt=0, le=10**9)] = None
    usd: Annotated[Finite | None, Field(ge=0, le=10**9)] = None


class TaskSpec(Frozen):
    """What is asked. `length` in words, `target_similarity` in percent, `corpus` folder paths (absolute)."""

    goal: GoalText = Field(max_length=100_000)
    journey: Journey = "write"
    constraints: tuple[Text, ...] = ()
    deliverables: tuple[Text, ...] = ()
    corpus: tuple[Text, ...] = ()
    source: Text | None = None
    length: Annotated[Count | None, Field(ge=50, le=1_000_000)] = None
    style: Style = "apa"
    min_citations: Annotated[Count | None, Field(ge=0, le=100_000)] = None
    target_similarity: Annotated[Finite | None, Field(ge=0, le=100)] = None
    due_date: datetime.date | None = None
    language: Text | None = Field(default=None, max_length=16)
    budget: Budget = Budget()
    seed: Annotated[Count, Field(ge=0, le=2**53)] = 0
    provider: tuple[Text, ...] = ()


class PlanStep(Frozen):
    """One step of the task graph. `action` names what the executor does; `arguments` are its plain data.

    `test` and `alternatives` belong to steps the planner is unsure of. `max_cost` (US dollars) and
    `max_seconds` bound the outside calls of all its tries together; None leaves them to the run's own budget.
    """

    id: str
    kind: StepKind
    action: str
    description: str
    depends_on: tuple[str, ...] = ()
    arguments: dict[str, Any] = Field(default_factory=dict)
    state: StepState = "pending"
    uncertainty: Annotated[Finite, Field(ge=0, le=1)] = 0.0
    test: str | None = None
    alternatives: tuple[str, ...] = ()
    max_retries: int = Field(default=1, ge=0)
    max_cost: Annotated[Finite | None, Field(ge=0)] = None
    max_seconds: Annotated[Finite | None, Field(gt=0)] = None
    attempts: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left to do for this step."""
        return self.state in ("done", "skipped")

    @property
    def ended(self) -> bool:
        """Done, skipped or given up: whatever waits for it may go on."""
        return self.state in ("done", "skipped", "failed")


class StepLimits(NamedTuple):
    """What the outside calls of one plan step may take: US dollars and seconds, None for no limit. `since` is the number of
    the node execution in which its first try began."""

    step: str
    usd: float | None
    seconds: float | None
    since: int


class Action(Frozen):
    """What the executor is about to do for a step."""

    step: str
    name: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Observation(Frozen):
    """What came of an action: a short output, figures, the sources touched, or an error.

    `final` says of an error that another try would meet it again.
    """

    step: str
    output: str = ""
    error: str | None = None
    final: bool = False
    sources: tuple[str, ...] = ()
    figures: dict[str, Any] = Field(default_factory=dict)
    progress: int = Field(default=0, ge=0)


class Gate(Frozen):
    """One measured figure held against its threshold."""

    name: str
    figure: Any
    threshold: Any
    passed: bool
    evidence: tuple[str, ...] = ()
    decides: bool | None = None
    """Whether a miss decides about the document; None where nobody said so, then the gate's name does (`core.gates`)."""


class Verdict(Frozen):
    """The critic's decision about a step, with its gates and its reason."""

    step: str
    decision: Decision
    notes: str = ""
    gates: tuple[Gate, ...] = ()


class Anchor(Frozen):
    """Where a quote stands: page counts from 1, section is the nearest heading, offsets into the snapshot."""

    page: int | None = None
    section: str | None = None
    start: int
    end: int


class Layout(TypedDict):
    """Where pages and headings begin in a snapshot: (page, start) and (start, level, text), by start."""

    pages: tuple[tuple[int, int], ...]
    headings: tuple[tuple[int, int, str], ...]


class Source(Frozen):
    """A document of a corpus as it was read. `location` is relative to its corpus folder."""

    id: str
    title: str
    location: str
    media_type: str
    sha256: str
    snapshot: str
    retrieved_at: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    language: str = ""


def called(title: str, file: str) -> str:
    """A document's title and, in a line of its own, its file's name, folders and all, less the ending."""
    return f"{title}\n{PurePosixPath(file).with_suffix('')}" if file else title


class Passage(Frozen):
    """A stretch of a source found by retrieval. `text` equals snapshot[start:end]; score is higher-is-better. `file` is the
    document's place in its corpus."""

    id: str
    source: str
    title: str
    text: str
    start: int
    end: int
    file: str = ""
    section: str | None = None
    page: int | None = None
    language: str = ""
    position: float = 0.0
    score: float = 0.0

    @property
    def called(self) -> str:
        """All that the document is called: its title and the name of its file."""
        return called(self.title, self.file)


class Card(Frozen):
    """One quotable piece of evidence: `quote` equals snapshot[start:end], white space apart.

    `id` is short ("c7") and is the only name a model may use for it; `gist` says what the quote says.
    """

    id: str
    source: str
    quote: str
    anchor: Anchor
    gist: str = ""
    relevance: float = 0.0
    question: str = ""
