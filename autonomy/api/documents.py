"""What the routes take and answer, as checked types; OpenAPI is made from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from autonomy.core.types import Budget, Count, Finite, Frozen, Journey, RunStatus, Text

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class Open(BaseModel):
    """An answer; more may stand in it than is promised."""

    model_config = ConfigDict(extra="allow")


class Problem(Open):
    """An error (RFC 9457): `code` is its stable name, `hint` what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str


class TaskSpecIn(Frozen):
    """What is asked of a run. `corpus` names folders of [corpora]; limits that are not given come from [budget]."""

    goal: Text = Field(min_length=1, max_length=100_000)
    constraints: tuple[Text, ...] = Field(default=(), max_length=1000)
    deliverables: tuple[Text, ...] = Field(default=(), max_length=1000)
    corpus: Text | Annotated[tuple[Text, ...], Field(max_length=100)] | None = None
    source: Text | None = None
    length: Annotated[Count, Field(ge=50, le=1_000_000)] | None = None
    style: Literal["apa", "harvard", "mla", "chicago", "ieee", "vancouver"] = "apa"
    min_citations: Annotated[Count, Field(ge=0, le=100_000)] | None = None
    target_similarity: Annotated[Finite, Field(ge=0, le=100)] | None = None
    due_date: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    language: Text | None = Field(default=None, max_length=16)
    seed: Annotated[Count, Field(ge=0, le=2**53)] = 0
    provider: Text | Annotated[tuple[Text, ...], Field(max_length=100)] | None = None
    budget_tokens: Annotated[Count, Field(ge=1, le=10**15)] | None = None
    budget_seconds: Annotated[Finite, Field(gt=0, le=10**9)] | None = None
    budget_usd: Annotated[Finite, Field(ge=0, le=10**9)] | None = None


class RunRequest(Frozen):
    """POST /api/v2/runs. `priority` 1 (high) to 10 (low)."""

    user_id: Id | None = None
    journey: Journey = "write"
    task_spec: TaskSpecIn
    priority: Annotated[Count, Field(ge=1, le=10)] | None = None


class RunAccepted(Open):
    """The run is durable and queued."""

    run_id: str
    job_id: int


class BudgetRequest(Frozen):
    """The limits that are named are set; null lifts one. `budget_tokens` and so on are taken as well."""

    tokens: Annotated[Count, Field(ge=1, le=10**15)] | None = None
    seconds: Annotated[Finite, Field(gt=0, le=10**9)] | None = None
    usd: Annotated[Finite, Field(ge=0, le=10**9)] | None = None
    budget_tokens: Annotated[Count, Field(ge=1, le=10**15)] | None = None
    budget_seconds: Annotated[Finite, Field(gt=0, le=10**9)] | None = None
    budget_usd: Annotated[Finite, Field(ge=0, le=10**9)] | None = None

    def limits(self) -> Budget:
        """Only what was named."""
        named = {name: getattr(self, name) for name in self.model_fields_set}
        return Budget(**{name.removeprefix("budget_"): value for name, value in named.items()})


class Limit(Open):
    """One budget: limit None is unlimited."""

    limit: float | None
    used: float
    reserved: float


class Budgets(Open):
    """Tokens as counts, seconds and US dollars as numbers."""

    tokens: Limit
    seconds: Limit
    usd: Limit


class RunBrief(Open):
    """A run as lists show it."""

    run_id: str
    user_id: str
    journey: str
    goal: str
    status: RunStatus
    outcome: str | None
    route: str
    budgets: Budgets
    correlation_id: str
    created_at: str
    updated_at: str


class RunDetail(RunBrief):
    """Everything about one run as of its last checkpoint."""

    task: dict[str, Any]
    plan: list[dict[str, Any]]
    last_observation: dict[str, Any] | None
    last_verdict: dict[str, Any] | None
    turnitin: dict[str, Any] | None
    artifacts: list[dict[str, Any]]


class RunPage(Open):
    """One page, newest first; `next_cursor` null is the last."""

    items: list[RunBrief]
    next_cursor: str | None


class RunControlled(RunBrief):
    """What came of the request: applied, requested (of the worker that has the run) or unchanged."""

    control: Literal["applied", "requested", "unchanged"]


class RunResumed(RunBrief):
    """The job that goes on with the run."""

    job_id: int


class RunBudgets(Open):
    """The run's limits as they stand."""

    run_id: str
    budgets: Budgets


class ReportRequest(Frozen):
    """What is said of a similarity report. Without a file `observed_similarity` says it all; `report_url` is kept, not read."""

    cycle_id: Id | None = None
    report_url: Annotated[Text, Field(max_length=2000)] | None = None
    observed_similarity: Annotated[Finite, Field(ge=0, le=100)] | None = None
    human_uploader_id: Id | None = None


class ReportTaken(Open):
    """`resume_job_id` goes on with the run, null where an operator has paused it; `duplicate`: it had been taken before."""

    cycle_id: str
    status: Literal["awaiting_report", "report_ready", "accepted", "rejected"]
    observed_similarity: float
    target_similarity: float
    resume_job_id: int | None
    duplicate: bool


class CycleStatus(Open):
    """A wait for a report. `report` once there is one; `cycles` are all waits of the run, oldest first."""

    run_id: str
    cycle_id: str
    status: Literal["awaiting_report", "report_ready", "accepted", "rejected"]
    target_similarity: float
    observed_similarity: float | None
    document: str
    copies: list[str]
    waiting_since: str
    report: dict[str, Any] | None
    cycles: list[dict[str, Any]]


class Handoff(Open):
    """The draft to have checked (a path in the workspace, with its sha256), the same draft in other formats, and how to bring
    the report."""

    run_id: str
    cycle_id: str
    document: str
    sha256: str
    copies: list[str]
    how: str


class GraphNode(Open):
    """A step of the plan."""

    id: str
    kind: str
    action: str
    description: str
    state: str
    current: bool


class GraphEdge(Open):
    """`target` waits for `source`."""

    source: str
    target: str


class Graph(Open):
    """The plan as a graph, with the state of each step."""

    run_id: str
    status: str
    route: str
    nodes: list[GraphNode]
    edges: list[GraphEdge]


class Items(Open):
    """A list."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class TaskItem(Frozen):
    """One criterion, or one item of the scope."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    text: Annotated[Text, Field(min_length=1, max_length=10_000)]


class TaskGit(Frozen):
    """The repository, branch and commit that a task speaks of."""

    repo: Annotated[Text, Field(max_length=200)] | None = None
    branch: Annotated[Text, Field(max_length=255)] | None = None
    commit: Annotated[Text, Field(max_length=64)] | None = None


class TaskSpecPart(TaskSpecIn):
    """As in POST /api/v2/runs; the goal is the request's text where none is given."""

    goal: Annotated[Text, Field(min_length=1, max_length=100_000)] | None = None  # type: ignore[assignment]


class TaskRequest(Frozen):
    """POST /api/tasks. `correlation_id` comes from an earlier door where there was one."""

    request_text: Text = Field(min_length=1, max_length=100_000)
    user_id: Id | None = None
    journey: Journey | None = None
    task_spec: TaskSpecPart | None = None
    task_id: Id | None = None
    correlation_id: Id | None = None
    git: TaskGit | None = None
    acceptance_criteria: tuple[TaskItem, ...] = Field(default=(), max_length=1000)
    declared_scope: tuple[TaskItem, ...] = Field(default=(), max_length=1000)


class CorpusRequest(Frozen):
    """What a task is to read: names of [corpora]."""

    corpus: Annotated[Text, Field(min_length=1)] | Annotated[tuple[Text, ...], Field(min_length=1, max_length=100)]

    def names(self) -> tuple[str, ...]:
        """As a list, however it was given."""
        return (self.corpus,) if isinstance(self.corpus, str) else self.corpus


class Decision(Frozen):
    """Why; may be left out."""

    reason: Annotated[Text, Field(max_length=10_000)] | None = None


class Task(Open):
    """A task as its file has it. Once its run has ended: `outcome`, `finished_at`, and `deliverables`, the document first.

    `error` says what keeps it from being started. `notes`, in the answer to whoever adds it, name criteria that nothing will
    measure.
    """

    task_id: str
    status: Literal["pending", "needs_review", "approved", "rejected"]
    source: str
    correlation_id: str
    created_at: str
    request_text: str
    run_id: str | None = None
    outcome: str | None = None
    finished_at: str | None = None
    deliverables: list[dict[str, Any]] | None = None
    error: str | None = None


class TaskPage(Open):
    """One page of tasks in brief, newest first."""

    items: list[Task]
    next_cursor: str | None


class TaskQuery(Frozen):
    """Which tasks a list shows."""

    status: Literal["pending", "needs_review", "approved", "rejected"] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str | None, Field(max_length=200)] = None

    @classmethod
    def of(cls, given: Mapping[str, str]) -> TaskQuery:
        """From the query's words; others are no concern of ours. Raises RequestValidationError."""
        known = {name: value for name, value in given.items() if name in cls.model_fields}
        try:
            return cls.model_validate(known)
        except ValidationError as error:
            raise RequestValidationError([{**each, "loc": ("query", *each["loc"])} for each in error.errors()]) from None


class Health(Open):
    """Whether the server and its database answer."""

    status: Literal["ok", "failing"]
    version: str
