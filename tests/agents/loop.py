"""The loop without a database: the real nodes and actions, small fakes for every door, and a driver that follows routes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autonomy.agents.context import Context, Reading, RunInfo
from autonomy.agents.contract import Composition, Failure, File
from autonomy.agents.material import Material, MatrixRow
from autonomy.agents.nodes import NODES
from autonomy.agents.planning import handoff_step, search_step
from autonomy.agents.roles import (
    Asked,
    Brief,
    DraftRequest,
    Judgement,
    JudgeRequest,
    Outline,
    OutlineRequest,
    Overview,
    Pair,
    Paragraphs,
    ReviseRequest,
    SectionPlan,
    SelectRequest,
    Sentence,
)
from autonomy.core.errors import NotFound
from autonomy.core.graph import END, ROUTES, Update
from autonomy.core.llm import ChatRequest, ChatResponse
from autonomy.core.state import GraphState, initial_state
from autonomy.core.types import Anchor, Card, Gate, Layout, PlanStep, Source, StepLimits, TaskSpec
from autonomy.turnitin.cycles import Cycle, Decision

TEXT = "A lease ends. A fence holds. A queue is fair. " * 40
BRIEF = Brief(title="Leases", language="en", subject="leases", terms=("lease",), questions=("What is a lease?", "Why fences?"))
MOST_NODES = 400
"""A loop that has not ended by then does not end."""


class Rows:
    """Records in memory."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, tuple[int, str]]] = {}

    def put(self, kind: str, key: str, body: Any, number: int = 0) -> None:
        self.kinds.setdefault(kind, {})[key] = (number, json.dumps(body, allow_nan=False))

    def drop(self, kind: str, key: str) -> None:
        self.kinds.get(kind, {}).pop(key, None)

    def get(self, kind: str, key: str) -> Any | None:
        found = self.kinds.get(kind, {}).get(key)
        return None if found is None else json.loads(found[1])

    def number(self, kind: str, key: str) -> int:
        return self.kinds.get(kind, {}).get(key, (0, ""))[0]

    def keys(self, kind: str) -> list[str]:
        rows = self.kinds.get(kind, {})
        return sorted(rows, key=lambda key: (rows[key][0], key))

    def all(self, kind: str) -> list[Any]:
        return [self.get(kind, key) for key in self.keys(kind)]


class Files:
    """Artifacts in memory."""

    def __init__(self) -> None:
        self.put_: dict[str, bytes] = {}

    @property
    def folder(self) -> Path:
        return Path("/nowhere")

    def put(self, name: str, data: bytes, *, role: str, media_type: str) -> str:
        self.put_[name] = data
        return "0" * 64


class Sources:
    """Sources s1, s2 ... with one text; every other name is missing."""

    def source(self, source_id: str) -> Source:
        if not source_id.startswith("s"):
            raise NotFound(f"no source {source_id}")
        return Source(
            id=source_id, title=source_id.upper(), location=f"{source_id}.md", media_type="text/markdown", sha256="0" * 64,
            snapshot=f"sources/{source_id}.txt", retrieved_at="2025-01-02T03:04:05Z",
        )  # fmt: skip

    def snapshot(self, source_id: str) -> str:
        self.source(source_id)
        return TEXT

    def anchor(self, source_id: str, start: int, end: int) -> Anchor:
        self.source(source_id)
        return Anchor(section="Leases", start=start, end=end)

    def layout(self, source_id: str) -> Layout:
        return Layout(pages=(), headings=((0, 1, "Leases"),))

    def many(self, source_ids: Sequence[str]) -> list[Source]:
        return [self.source(source_id) for source_id in source_ids]


@dataclass
class Folders:
    """A corpus of so many documents, of which `failed` cannot be read."""

    documents: int = 5
    failed: tuple[tuple[str, str], ...] = ()
    unused: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()

    async def read(self, folders: Sequence[str]) -> Reading:
        return Reading((1,), self.documents, self.failed, 0, self.unused, self.unread)

    def overview(self, ids: Sequence[int]) -> Overview:
        return Overview(documents=self.documents, words=1000, languages=("en",), titles=(), headings=())


@dataclass
class Tools:
    """`corpus.search`: `passages` of each question, spread over sources; keeps what it was asked."""

    passages: int = 6
    coverage: float = 1.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    limits: StepLimits | None = None
    raises: Callable[[], Exception] | None = None

    def at(self, node: str, step: int) -> Tools:
        return self

    def within(self, limits: StepLimits) -> Tools:
        self.limits = limits
        return self

    async def chat(self, request: ChatRequest, **more: Any) -> ChatResponse:
        raise AssertionError("the fake player does not chat")

    async def tool(self, name: str, arguments: Mapping[str, Any]) -> Any:
        assert name == "corpus.search"
        self.asked.append(dict(arguments))
        if self.raises is not None:
            raise self.raises()
        offset = len(self.asked) * 100
        found = [
            {"id": f"p{offset + n}", "source": f"s{n % 3 + 1}", "title": "T", "text": TEXT[offset + n : offset + n + 13],
             "start": offset + n, "end": offset + n + 13}
            for n in range(self.passages)
        ]  # fmt: skip
        return {"passages": found, "coverage": self.coverage}


@dataclass
class Reports:
    """What comes back for each hand-off: a similarity (None: nothing came) and the flagged passages. Keeps the decisions."""

    came: list[tuple[float | None, tuple[str, ...]]] = field(default_factory=list)
    decided: list[tuple[int, Decision]] = field(default_factory=list)

    def of(self, n: int) -> Cycle:
        observed, passages = self.came[n - 1]
        flagged = [{"text": text, "source": "example.org"} for text in passages]
        return Cycle(
            id=f"c{n}", run_id="run1", n=n, status="rejected" if observed is None else "report_ready", target=15.0,
            document=f"artifacts/run1/drafts/draft-{n}.md", document_sha256="0" * 64, opened_at=1, deadline_at=None,
            on_expiry="remind", reminded=0, observed=observed, report=json.dumps({"flagged": flagged}), report_sha256="a",
            report_path=None, report_url=None, uploader=None, reported_at=None, resume_job_id=None,
            why="over" if observed is None else None, decided_at=None, told=0,
        )  # fmt: skip

    def history(self) -> list[Cycle]:
        done = [n for n, _ in self.decided] or ([1] if self.came and self.came[0][0] is None else [])
        words: dict[int, Decision] = dict(self.decided)
        return [dataclasses.replace(self.of(n), status=words.get(n, "rejected")) for n in done]

    def decide(self, cycle: Cycle, decision: Decision, why: str) -> None:
        self.decided.append((cycle.n, decision))


class Good:
    """A player that does its work plainly. `calls` counts by role; `before` may raise, by role and count."""

    asked = Asked("extractive", "good")

    def __init__(self, before: Callable[[str, int], None] = lambda role, count: None) -> None:
        self.calls: dict[str, int] = {}
        self._before = before

    def _count(self, role: str) -> None:
        self.calls[role] = self.calls.get(role, 0) + 1
        self._before(role, self.calls[role])

    async def interpret(self, task: TaskSpec, overview: Overview) -> Brief:
        self._count("interpret")
        return BRIEF

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        self._count("select")
        return tuple(
            Card(id="", source=p.source, quote=p.text, anchor=Anchor(start=p.start, end=p.end)) for p in request.passages
        )

    async def outline(self, request: OutlineRequest) -> Outline:
        self._count("outline")
        halves = [request.cards[::2], request.cards[1::2]]
        sections = tuple(
            SectionPlan(heading=f"Part {n}", claim="So.", cards=tuple(card.id for card in half), words=100)
            for n, half in enumerate(halves, 1)
        )
        return Outline(title="Leases", sections=sections)

    async def draft(self, request: DraftRequest) -> Paragraphs:
        self._count("draft")
        said = tuple(Sentence(text=f"It says {card.quote}.", cites=(card.id,)) for card in request.cards[:3])
        return Paragraphs(paragraphs=(said,), notes=(f"note on {request.heading}",))

    async def judge(self, request: JudgeRequest) -> Judgement:
        self._count("judge")
        return Judgement(answers=tuple((pair.id, "yes", "") for pair in request.pairs))

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        self._count("revise")
        return Paragraphs(paragraphs=request.draft.paragraphs, notes=(f"mended {request.heading}",))

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        self._count("widen")
        return (f"Other {self.calls['widen']}?", "What is a lease?")


class Silent(Good):
    """A player that answers every role with nothing."""

    async def select(self, request: SelectRequest) -> tuple[Card, ...]:
        self._count("select")
        return ()

    async def outline(self, request: OutlineRequest) -> Outline:
        self._count("outline")
        return Outline(title="", sections=())

    async def draft(self, request: DraftRequest) -> Paragraphs:
        self._count("draft")
        return Paragraphs(paragraphs=())

    async def judge(self, request: JudgeRequest) -> Judgement:
        self._count("judge")
        return Judgement(answers=())

    async def revise(self, request: ReviseRequest) -> Paragraphs:
        self._count("revise")
        return Paragraphs(paragraphs=())

    async def widen(self, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
        self._count("widen")
        return ()


@dataclass
class Paper:
    """A small journey with a drafting plan. `measures` gives the gates of each measuring in turn, the last one for good;
    `failing` the sentences behind them."""

    measures: list[tuple[Gate, ...]] = field(default_factory=lambda: [(gate("quote_found"),)])
    failing: tuple[Failure, ...] = ()
    pairs: tuple[Pair, ...] = ()
    length: int = 90
    compose_raises: Exception | None = None
    name: str = "paper"
    judgements: list[dict[str, str]] = field(default_factory=list)

    def words(self, task: TaskSpec) -> int:
        return self.length

    def steps(self, task: TaskSpec, brief: Brief) -> tuple[PlanStep, ...]:
        survey = PlanStep(id="survey", kind="research", action="survey", description="Survey")
        searches = tuple(search_step(n, question) for n, question in enumerate(brief.questions, 1))
        names = tuple(step.id for step in searches)
        rest = (("outline", names), ("frame", ("outline",)), ("audit", ("frame",)), ("deliver", ("audit",)))
        steps = [PlanStep(id=n, kind="write", action=n, description=n.title(), depends_on=after) for n, after in rest]
        if task.target_similarity is not None:
            terms = {"most": 3, "days": 14.0, "on_expiry": "remind"}
            steps.insert(3, handoff_step(1, terms, after=("audit",)))
            steps[4] = steps[4].model_copy(update={"depends_on": ("audit", "handoff-1")})
        return (survey, *searches, *steps)

    def after_search(self, task: TaskSpec, brief: Brief, sources: Sequence[str]) -> tuple[PlanStep, ...]:
        return ()

    def after_outline(self, task: TaskSpec, brief: Brief, outline: Outline) -> tuple[PlanStep, ...]:
        return tuple(
            PlanStep(id=f"draft-{n}", kind="write", action="draft", description=f"Write {section.heading}",
                     depends_on=("outline",), arguments={"heading": section.heading})
            for n, section in enumerate(outline.sections, 1)
        )  # fmt: skip

    def matrix(self, brief: Brief, cards: Sequence[Card], sources: Sequence[Source]) -> tuple[MatrixRow, ...]:
        return ()

    def doubtful(self, material: Material, snapshot: Callable[[str], str]) -> tuple[Pair, ...]:
        return self.pairs

    def gates(self, material: Material, snapshot: Any, judgements: Mapping[str, str]) -> tuple[Gate, ...]:
        self.judgements.append(dict(judgements))
        return self.measures.pop(0) if len(self.measures) > 1 else self.measures[0]

    def failures(self, material: Material, snapshot: Any, judgements: Mapping[str, str]) -> tuple[Failure, ...]:
        return self.failing

    def compose(self, material: Material, snapshot: Any, gates: Sequence[Gate]) -> Composition:
        if self.compose_raises is not None:
            raise self.compose_raises
        manifest = {"outcome": material.outcome, "notes": list(material.notes), "claims": [], "sources": [],
                    "gates": [each.name for each in gates]}  # fmt: skip
        files = (File("deliverable.md", b"# Leases\n", "deliverable", "text/markdown"),
                 File("deliverable.docx", b"PK", "deliverable", "application/vnd.word"),
                 File("manifest.json", json.dumps(manifest).encode(), "manifest", "application/json"))  # fmt: skip
        return Composition(files, manifest)


def gate(name: str, passed: bool = True, figure: float = 1.0) -> Gate:
    """A measured gate."""
    return Gate(name=name, figure=figure if passed else 0.5, threshold=1.0, passed=passed)


@dataclass
class Loop:
    """One run: its doors, its state, and every event it told."""

    context: Context
    state: GraphState
    rows: Rows
    files: Files
    events: list[tuple[str, str | None, dict[str, Any]]]
    visited: list[str] = field(default_factory=list)

    async def step(self) -> Update:
        """The next node, as the graph runs it; checks the route, counts the step."""
        name = self.state["route"]
        number = self.state["step"]
        before = len(self.events)
        update = await NODES[name](self.state, self.context.at(name, number))
        assert update["route"] in ROUTES[name]
        json.dumps(update, allow_nan=False)
        for kind, _, content in self.events[before:]:
            if kind == "decision":
                assert content["why"].strip()
                assert isinstance(content["figures"], dict)
                assert content["route"] in (*NODES, END)
        if name != "act":
            assert self.events[-1][0] == "decision"
            assert self.events[-1][2]["route"] == update["route"]
        self.state = GraphState(**{**self.state, **update, "step": number + 1})  # type: ignore[typeddict-item]
        self.visited.append(name)
        return update

    async def to_end(self) -> GraphState:
        """Until END; an endless loop fails."""
        while self.state["route"] != END:
            await self.step()
            assert len(self.visited) < MOST_NODES, self.visited[-20:]
        return self.state

    async def until(self, action: str) -> PlanStep:
        """Until the next node is `act` on such a step; returns the step."""
        while True:
            if self.state["route"] == "act":
                step = next(PlanStep.model_validate(s) for s in self.state["plan"] if s["id"] == self.state["current"])
                if step.action == action:
                    return step
            assert self.state["route"] != END
            await self.step()

    def decisions(self, node: str) -> list[dict[str, Any]]:
        """What a node decided, in order."""
        return [content for kind, at, content in self.events if kind == "decision" and at == node]

    def manifest(self) -> dict[str, Any]:
        """What was handed over."""
        found: dict[str, Any] = json.loads(self.files.put_["manifest.json"])
        return found


def loop(player: Good | None = None, journey: Paper | None = None, tools: Tools | None = None, **more: Any) -> Loop:
    """A run at its beginning. `folders`, `task` and other keyword arguments replace the defaults."""
    rows, files, told = Rows(), Files(), list[tuple[str, str | None, dict[str, Any]]]()
    task = more.pop("task", TaskSpec(goal="What is a lease?", corpus=("/docs",)))
    used = player or Good()

    def emit(type: Any, content: Mapping[str, Any], *, node: str | None = None) -> None:
        told.append((type, node, json.loads(json.dumps(content, allow_nan=False))))

    context = Context(
        run=RunInfo("run1", "u", "write", "corr", 0, "good", 1_700_000_000_000_000),
        calls=tools or Tools(),
        records=rows,
        artifacts=files,
        emit=emit,
        sources=Sources(),
        corpora=more.pop("folders", Folders()),
        cycles=more.pop("reports", Reports()),
        player=used,
        seat=lambda calls, step: used,
        journey=journey or Paper(),
    )
    assert not more
    return Loop(context, initial_state("run1", task), rows, files, told)


def with_plan(made: Loop, *steps: PlanStep, current: str, **state: Any) -> Loop:
    """The run in the middle of this plan."""
    plan = [step.model_dump(mode="json") for step in steps]
    made.state = GraphState(**{**made.state, "brief": BRIEF.model_dump(mode="json"), "plan": plan, "current": current, **state})  # type: ignore[typeddict-item]
    return made


def changed(step: PlanStep, **update: Any) -> PlanStep:
    """The step with fields replaced."""
    return step.model_copy(update=update)


__all__ = [
    "BRIEF", "TEXT", "Files", "Folders", "Good", "Loop", "Paper", "Reports", "Rows", "Silent", "Sources", "Tools", "changed",
    "dataclasses", "gate", "loop", "with_plan",
]  # fmt: skip
