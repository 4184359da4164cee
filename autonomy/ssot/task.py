"""What stands in a task file. Every level keeps the fields it does not know, so that a change loses nothing of theirs.

`status` is a view on the other fields (see `ssot.status`); it is written so that people and other programs can read it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from autonomy.core.clock import is_id
from autonomy.core.types import Count, FilledText, Finite, Text

SCHEMA_VERSION: Final = 1
Source = Literal["cli", "http", "telegram", "github", "run"]
Status = Literal["pending", "needs_review", "approved", "rejected"]
Ruling = Literal["approved", "rejected"]
ASKING: Final = "report-"
"""How the ids of tasks begin that runs ask for similarity reports with; no other task may be called so."""
MOST_CHARACTERS: Final = 100_000
"""Of a request: what a goal may have."""


def _id(text: str) -> str:
    if not is_id(text):
        raise ValueError("must be 1 to 64 letters, digits, '-' or '_'")
    return text


def _moment(text: str) -> str:
    moment(text)
    return text


def moment(text: str) -> datetime.datetime:
    """An RFC 3339 text as a moment; without an offset it is taken for UTC. Raises ValueError."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date and time such as 2026-01-31T12:00:00Z") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)


Id = Annotated[str, AfterValidator(_id)]
Moment = Annotated[str, AfterValidator(_moment)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Kept(BaseModel):
    """Immutable; unknown fields are kept as they are."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Item(Kept):
    """One acceptance criterion, or one item of the declared scope."""

    id: Id
    text: FilledText


class Decision(Kept):
    """What a person has decided. `dispatches` is how many there were: with none it was the request that was decided on, else
    the result of the last; a later one may need another decision."""

    verdict: Ruling
    by: FilledText
    at: Moment
    reason: Text | None = None
    dispatches: Annotated[Count, Field(ge=0)] = 0


class Ack(Kept):
    """The executor's echo, given before it works: criteria and scope item by item, in order, byte for byte."""

    at: Moment
    acceptance_criteria: tuple[Item, ...]
    declared_scope: tuple[Item, ...]


class LogEntry(Kept):
    """One thing the executor did and why; `id` is unique within its result."""

    id: Id
    at: Moment
    what: Text
    figures: dict[str, Any] = Field(default_factory=dict)


class Change(Kept):
    """One file that the work left behind; `path` is relative to the workspace, `size` in bytes."""

    path: FilledText
    sha256: Sha256
    size: Annotated[Count, Field(ge=0)]
    role: Text = ""


class Measured(Kept):
    """What the executor says of one criterion; `met` None: nothing measured it. `evidence` names entries of its work log."""

    criterion_ref: Id
    met: Annotated[bool, Field(strict=True)] | None
    evidence: tuple[Id, ...] = ()


class Result(Kept):
    """What an executor hands in: what it did, what it left behind, how it stands to each criterion."""

    work_log: tuple[LogEntry, ...]
    diff_snapshot: tuple[Change, ...] = ()
    criteria: tuple[Measured, ...] = ()


class Issue(Kept):
    """Why a result is not accepted: the criterion it misses, and the entries of the work log that show it."""

    id: Id
    criterion_ref: Id
    text: FilledText
    trace: Annotated[tuple[Id, ...], Field(min_length=1)]


class Verdict(Kept):
    """What a reviewer says of a result. needs_review: it found nothing amiss, yet cannot say all; a person must look.

    `note` says why a result that was not accepted is not worked on again, where there is more to say than that no dispatch
    is left.
    """

    decision: Literal["approve", "reject", "needs_review"]
    by: FilledText
    at: Moment
    issues: tuple[Issue, ...] = ()
    note: Text | None = None


class Deliverable(Kept):
    """One file that was handed over, stored sources aside; `path` is relative to the workspace, the id that of the run's."""

    path: FilledText
    role: Text
    media_type: Text
    sha256: Sha256
    artifact_id: Id


class Dispatch(Kept):
    """One time that the task was given to an executor; `issues` are those of the verdict before, unchanged.

    Once its work has ended: `outcome`, `finished_at`, and the `deliverables`, the document before its manifest.
    """

    n: Annotated[Count, Field(ge=1)]
    at: Moment
    run_id: Id | None = None
    issues: tuple[Issue, ...] = ()
    ack: Ack | None = None
    result: Result | None = None
    verdict: Verdict | None = None
    outcome: Text | None = None
    finished_at: Moment | None = None
    deliverables: tuple[Deliverable, ...] | None = None


class Git(Kept):
    """What a task speaks of in a repository."""

    repo: Text | None = None
    branch: Text | None = None
    commit: Text | None = None


class Wanted(Kept):
    """What a run asks of a person: the similarity report of a draft (a path in the workspace), and how to bring it; `copies`
    are paths of the same draft in other formats. Percentages are 0 to 100; `status` and `observed_similarity` tell what came
    of it."""

    run_id: Id
    cycle_id: Id
    n: Annotated[Count, Field(ge=1)]
    document: FilledText
    sha256: Sha256
    copies: tuple[FilledText, ...] | None = None
    target_similarity: Annotated[Finite, Field(ge=0, le=100)]
    how: Text
    deadline: Moment | None = None
    status: Literal["awaiting_report", "report_ready", "accepted", "rejected"] = "awaiting_report"
    observed_similarity: Annotated[Finite | None, Field(ge=0, le=100)] = None


class Task(Kept):
    """One task. What it shares with a dispatch, from `ack` to `deliverables`, is that of the last, once it has it.

    `decision` is the last one, `earlier_decisions` are those before it, the first one first. `corpus` is what an operator
    has named for the task, and comes before that of `task_spec`: names of [corpora], or folders. `error` says what keeps
    the task from being started. A task with a `report` comes from a run: it asks for no work but for a similarity report, and
    nobody decides about it.
    """

    task_id: Id
    schema_version: Literal[1] = 1
    revision: Annotated[Count, Field(ge=1, le=2**53 - 1)] = 1
    source: Source
    status: Status = "pending"
    correlation_id: Id
    created_at: Moment
    updated_at: Moment | None = None
    request_text: FilledText = Field(max_length=MOST_CHARACTERS)
    user_id: Id = "local"
    journey: Text | None = None
    task_spec: dict[str, Any] | None = None
    chat_id: Count | Text | None = None
    message_id: Count | Text | None = None
    git: Git | None = None
    ci_status: Text | None = None
    acceptance_criteria: tuple[Item, ...] = ()
    declared_scope: tuple[Item, ...] = ()
    corpus: Annotated[tuple[FilledText, ...], Field(min_length=1)] | None = None
    decision: Decision | None = None
    earlier_decisions: tuple[Decision, ...] = ()
    ack: Ack | None = None
    result: Result | None = None
    verdict: Verdict | None = None
    dispatches: tuple[Dispatch, ...] = ()
    run_id: Id | None = None
    outcome: Text | None = None
    finished_at: Moment | None = None
    deliverables: tuple[Deliverable, ...] | None = None
    error: Text | None = None
    report: Wanted | None = None

    @model_validator(mode="after")
    def _named_apart(self) -> Self:
        for what, ids in (
            ("criteria", [each.id for each in self.acceptance_criteria]),
            ("items of the scope", [each.id for each in self.declared_scope]),
            ("dispatches", [each.n for each in self.dispatches]),
        ):
            if (twice := _twice(ids)) is not None:
                raise ValueError(f"two {what} are named {twice}")
        return self

    def as_json(self) -> dict[str, Any]:
        """The task as plain data: what was set, and what was kept."""
        return self.model_dump(mode="json", exclude_unset=True)

    def evolve(self, **changes: Any) -> Task:
        """The task with some fields changed, checked again. Models may be handed in as they are."""
        plain = {name: _plain(value) for name, value in changes.items()}
        return Task.model_validate({**self.as_json(), **plain})

    @property
    def last(self) -> Dispatch | None:
        """The dispatch that counts."""
        return self.dispatches[-1] if self.dispatches else None


def _twice(ids: Iterable[Any]) -> Any | None:
    seen: set[Any] = set()
    for each in ids:
        if each in seen:
            return each
        seen.add(each)
    return None


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
