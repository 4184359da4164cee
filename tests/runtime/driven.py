"""A run driven through the real graph, checkpointer and executor, with nodes and doors that a test writes itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autonomy.core import graph
from autonomy.core.errors import BudgetExceeded
from autonomy.core.events import Event
from autonomy.core.graph import END, ROUTES, Update
from autonomy.core.state import STATE_VERSION, GraphState, initial_state
from autonomy.core.types import Budget, TaskSpec
from autonomy.runtime import budgets, checkpoint_rows, events, queue, runs
from autonomy.runtime.budgets import Meter
from autonomy.runtime.calls import RunCalls
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.runtime.desk import CallDesk, Holder
from autonomy.runtime.execution import Companions, Ended, Executor
from autonomy.runtime.queue import Job
from autonomy.runtime.records import RunArtifacts, RunRecords
from autonomy.runtime.scripted import ScriptedPort
from autonomy.runtime.steps import Doors, supervised
from autonomy.runtime.unit import Unit
from autonomy.storage.database import Database, Tx

RUN = "run1"
LEASE_US = 30_000_000
WAY = {"interpret": "plan", "plan": "act", "act": "reflect", "reflect": END}


@dataclass(frozen=True)
class Doorway:
    """What a node of these tests is handed."""

    unit: Unit
    records: RunRecords
    artifacts: RunArtifacts
    calls: RunCalls
    node: str = ""
    step: int = 0

    def at(self, node: str, step: int) -> Doorway:
        return dataclasses.replace(self, node=node, step=step, calls=self.calls.at(node, step))


Node = Callable[[GraphState, Doorway], Awaitable[Update]]


async def onward(state: GraphState, context: Doorway) -> Update:
    """Leaves a record, an event and a file, and goes the usual way."""
    context.unit.emit("decision", {"route": WAY[context.node], "why": "so", "figures": {}}, node=context.node)
    context.records.put("visit", f"{context.step:03d}", context.node, context.step)
    context.artifacts.put(f"{context.node}.txt", context.node.encode(), role="draft", media_type="text/plain")
    return {"route": WAY[context.node], **({"outcome": "delivered"} if context.node == "reflect" else {})}


def wrap_up(state: GraphState, context: Doorway, error: BudgetExceeded, node: str) -> Update:
    """Leaves a file."""
    context.unit.emit("decision", {"route": END, "why": error.message, "figures": {"which": error.which}}, node=node)
    context.artifacts.put("deliverable.md", b"# short\n", role="deliverable", media_type="text/markdown")
    return {"route": END, "outcome": "budget_exceeded"}


@dataclass
class Driven:
    """One process's worth of parts over a database; several of them over one database are several workers."""

    database: Database
    home: Path
    nodes: Mapping[str, Node] = field(default_factory=dict)
    port: ScriptedPort = field(default_factory=ScriptedPort)
    behind: int = 0
    fingerprint: str = field(default_factory=graph.fingerprint)
    opened: list[Unit] = field(default_factory=list)
    closed: int = 0

    def __post_init__(self) -> None:
        self.companions = Companions()
        self.saver = SqlSaver(
            self.database,
            fingerprint=self.fingerprint,
            state_version=STATE_VERSION,
            companion=self.companions,
            behind=self.behind,
        )
        nodes = {name: supervised(name, self.nodes.get(name, onward), wrap_up) for name in ROUTES}
        compiled = graph.build(nodes, checkpointer=self.saver, context_schema=Doors)
        self.executor = Executor(self.database, compiled, self.saver, self.companions, self, LEASE_US)

    async def open(self, run: runs.Run, unit: Unit, meter: Meter) -> Doorway:
        self.opened.append(unit)
        desk = CallDesk(self.database, Holder(run.id, unit.epoch, run.correlation_id), ports=[self.port], meter=meter)
        return Doorway(unit, RunRecords(self.database, unit), RunArtifacts(self.home, unit), RunCalls(desk))

    async def close(self, context: Any) -> None:
        self.closed += 1

    async def work(self, epoch: int, stop: Callable[[], bool] = lambda: False) -> Ended:
        return await self.executor.work(RUN, epoch, stop)


def start(database: Database, budget: Budget | None = None) -> Job:
    """A seeded run, claimed by its first worker."""

    def write(tx: Tx) -> None:
        limits = budgets.columns(budget or Budget())
        runs.create(tx, runs.NewRun("u", "write", "goal", {}, "scripted", "corr", id=RUN, **limits))
        state = dict(initial_state(RUN, TaskSpec(goal="goal")))
        checkpoint_rows.seed(tx, RUN, state, fingerprint=graph.fingerprint(), state_version=STATE_VERSION)
        queue.enqueue_start(tx, RUN)

    database.write(write)
    job = database.write(lambda tx: queue.claim(tx, "one", LEASE_US, RUN))
    assert job is not None
    return job


def take_over(database: Database) -> int:
    """Another worker has it now; returns its epoch."""

    def write(tx: Tx) -> int:
        tx.run("UPDATE run SET epoch = epoch + 1")
        tx.run("UPDATE job SET epoch = epoch + 1, locked_by = 'two'")
        return int(tx.value("SELECT epoch FROM run"))

    return database.write(write)


def story(database: Database) -> list[Event]:
    """All events, whose numbers have no hole."""
    found = database.read(lambda tx: events.read(tx, RUN, limit=5000))
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    return found


def told(database: Database) -> list[tuple[str, str | None]]:
    """Types and nodes of the events since the claim."""
    return [(event.type, event.node) for event in story(database)][2:]


def count(database: Database, table: str) -> int:
    """Rows of a table."""
    return int(database.read(lambda tx: tx.value(f"SELECT count(*) FROM {table}")))


def row(database: Database, table: str = "run") -> dict[str, Any]:
    """The only row of a table."""
    (found,) = database.read(lambda tx: tx.rows(f"SELECT * FROM {table}"))
    return found


def last_state(database: Database) -> dict[str, Any]:
    """The state of the newest checkpoint."""
    found = database.read(lambda tx: checkpoint_rows.latest_state(tx, RUN))
    assert found is not None
    return found
