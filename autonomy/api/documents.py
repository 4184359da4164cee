"""What the routes take and answer, as checked types; OpenAPI is made from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

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
    length: Annotated[Count | None, Field(ge=50, le=1_000_000)] = None
    style: Literal["apa", "harvard", "mla", "chicago", "ieee", "vancouver"] = "apa"
    min_citations: Annotated[Count | None, Field(ge=0, le=100_000)] = None
    target_similarity: Annotated[Finite | None, Field(ge=0, le=100)] = None
    due_date: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] | None = None
    language: Text | None = Field(default=None, max_length=16)
    seed: Annotated[Count, Field(ge=0, le=2**53)] = 0
    provider: Text | Annotated[tuple[Text, ...], Field(max_length=100)] | None = None
    budget_tokens: Annotated[Count | None, Field(ge=1, le=10**15)] = None
    budget_seconds: Annotated[Finite | None, Field(gt=0, le=10**9)] = None
    budget_usd: Annotated[Finite | None, Field(ge=0, le=10**9)] = None


class RunRequest(Frozen):
    """POST /api/v2/runs. `priority` 1 (high) to 10 (low)."""

    user_id: Id | None = None
    journey: Journey = "write"
    task_spec: TaskSpecIn
    priority: Annotated[Count | None, Field(ge=1, le=10)] = None


class RunAccepted(Open):
    """The run is durable and queued."""

    run_id: str
    job_id: int


class BudgetRequest(Frozen):
    """The limits that are named are set; null lifts one. `budget_tokens` and so on are taken as well."""

    tokens: Annotated[Count | None, Field(ge=1, le=10**15)] = None
    seconds: Annotated[Finite | None, Field(gt=0, le=10**9)] = None
    usd: Annotated[Finite | None, Field(ge=0, le=10**9)] = None
    budget_tokens: Annotated[Count | None, Field(ge=1, le=10**15)] = None
    budget_seconds: Annotated[Finite | None, Field(gt=0, le=10**9)] = None
    budget_usd: Annotated[Finite | None, Field(ge=0, le=10**9)] = None

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


class Health(Open):
    """Whether the server and its database answer."""

    status: Literal["ok", "failing"]
    version: str
