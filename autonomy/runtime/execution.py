"""Works one run under one lease: drives the graph from its last checkpoint until it ends, waits, or is asked to stop.

Only the lease holder comes here, so the graph of a run is never driven twice at once. A stop (pause, abort, drain, lost
lease) takes effect between supersteps, where everything so far is durable; an abort or a lost lease also cuts a call that
is under way.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autonomy.core.events import EventType
from autonomy.runtime import budgets, events, runs
from autonomy.runtime.budgets import Meter
from autonomy.runtime.queue import Begin
from autonomy.runtime.steps import Called, Doors, NodeContext
from autonomy.runtime.unit import Unit, Write
from autonomy.storage.database import Database, Tx

log = logging.getLogger("autonomy.execution")

MOST_SUPERSTEPS = 10_000
"""The plan is what bounds a run; this only keeps LangGraph's own default of 25 out of the way."""


class OpenContext(Protocol):
    """Builds the agents' context of one execution; `close` gives back what it opened (HTTP clients)."""

    async def open(self, run: runs.Run, unit: Unit, meter: Meter) -> NodeContext: ...

    async def close(self, context: NodeContext) -> None: ...


class Gate(Protocol):
    """The node at which a run may have to wait for a person, and whether it has to."""

    node: str

    def shut(self, tx: Tx, run_id: str, /) -> bool:
        """Whether the node has nothing to go on with."""
        ...

    def begin(self, tx: Tx, run_id: str, epoch: int, /) -> Mapping[str, Any] | None:
        """Begin the wait, in the transaction that lets the run stand; what its event tells, or None where what is waited for
        has come since. Raises LeaseLost."""
        ...


class Saver(Protocol):
    """What is asked of the checkpointer besides what LangGraph asks."""

    def check(self, thread_id: str, /) -> None:
        """Raises Unresumable."""
        ...

    async def barrier(self, thread_id: str | None, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Ended:
    """How far the run came: `outcome` is set when the graph has ended, `next` names the node that waits otherwise.

    `error` says why the outcome is "failed"; `wait` begins the wait where a person has to act before the next node.
    """

    outcome: str | None
    next: str | None
    error: str | None = None
    wait: Begin | None = None


class Companions:
    """The units of the runs that this process works, by thread: what the checkpointer asks for at each put."""

    def __init__(self) -> None:
        self._units: dict[str, Unit] = {}

    def __call__(self, thread_id: str) -> Write | None:
        """The superstep's writes, drained now; None for threads that are nobody's run."""
        unit = self._units.get(thread_id)
        return None if unit is None else unit.drain()

    def fence(self, thread_id: str) -> Write | None:
        """The check before rows that are stored outside a superstep: the run must still be held by its unit's worker."""
        unit = self._units.get(thread_id)
        return None if unit is None else unit.fence

    def add(self, unit: Unit) -> None:
        """Follow this run."""
        self._units[unit.run_id] = unit

    def drop(self, unit: Unit) -> None:
        """Follow it no longer; another unit of the same run is left alone."""
        if self._units.get(unit.run_id) is unit:
            del self._units[unit.run_id]


class Executor:
    """Works runs one after another or side by side in one event loop; one compiled graph and one saver serve them all."""

    def __init__(
        self,
        database: Database,
        graph: Any,
        saver: Saver,
        companions: Companions,
        opener: OpenContext,
        lease_us: int,
        gate: Gate | None = None,
    ) -> None:
        self._database = database
        self._graph = graph
        self._saver = saver
        self._companions = companions
        self._opener = opener
        self._lease_us = lease_us
        self._gate = gate
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()

    async def work(self, run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
        """Go on from the last checkpoint; `stop` is asked between supersteps. Errors of the run go up as they are.

        A lease that was lost and won again by this very process waits until the first execution is out of the graph.
        """
        turn = self._turns.setdefault(run_id, asyncio.Lock())
        async with turn:
            return await self._work(run_id, epoch, stop)

    async def _work(self, run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
        await asyncio.to_thread(self._saver.check, run_id)
        run = await self._database.aread(lambda tx: runs.get(tx, run_id))
        meter = Meter()
        unit = Unit(run_id, epoch=epoch, lease_us=self._lease_us)
        context = await self._opener.open(run, unit, meter)
        doors = Doors(
            context,
            unit,
            meter,
            ensure_budget=lambda: self._ensure(run_id, epoch, meter),
            called=lambda node, step: self._database.read(lambda tx: _called(tx, run_id, node, step)),
            correlation_id=run.correlation_id,
        )
        self._companions.add(unit)
        try:
            return await self._drive(run, doors, stop)
        finally:
            self._companions.drop(unit)
            await self._opener.close(context)

    def _ensure(self, run_id: str, epoch: int, meter: Meter) -> None:
        """Look at the limits before a node begins; raises BudgetExceeded, LeaseLost."""
        self._database.read(lambda tx: budgets.ensure(tx, run_id, epoch, meter.peek()))

    async def _drive(self, run: runs.Run, doors: Doors, stop: Callable[[], bool]) -> Ended:
        config = {"configurable": {"thread_id": run.id}, "recursion_limit": MOST_SUPERSTEPS}
        before = await self._graph.aget_state(config)
        following = _next(before.next, run.route)
        wait = await self._wait(run.id, doors.unit.epoch, following)
        if wait is not None:
            return Ended(None, following, wait=wait)
        if following is not None and not stop():
            await self._announce(run.id, doors.unit.epoch, "node.started", {"step": before.values.get("step", 0)}, following)
            stream = self._graph.astream(None, config, context=doors, stream_mode="updates", durability="sync")
            try:
                async for update in stream:
                    if stop() or self._at_gate(update):
                        break
            finally:
                await stream.aclose()
        await self._saver.barrier(run.id)
        after = await self._graph.aget_state(config)
        if after.next:
            following = _next(after.next, run.route)
            return Ended(None, following, wait=await self._wait(run.id, doors.unit.epoch, following))
        outcome = after.values.get("outcome") or "failed"
        error = after.values.get("error") or "the run ended without a document"
        return Ended(outcome, None, error if outcome == "failed" else None)

    def _at_gate(self, update: dict[str, Any]) -> bool:
        return self._gate is not None and any(each.get("route") == self._gate.node for each in update.values())

    async def _wait(self, run_id: str, epoch: int, following: str | None) -> Begin | None:
        """How the run begins to wait before its next node; None where it can go on."""
        gate = self._gate
        if gate is None or following != gate.node or not await self._database.aread(lambda tx: gate.shut(tx, run_id)):
            return None
        return lambda tx: gate.begin(tx, run_id, epoch)

    async def _announce(self, run_id: str, epoch: int, type: EventType, content: dict[str, Any], node: str) -> None:
        def write(tx: Tx) -> None:
            events.append(tx, run_id, [(type, node, content)], epoch=epoch)

        await self._database.awrite(write)


def _next(waiting: tuple[str, ...], route: str) -> str | None:
    """The node that goes on; before the first superstep LangGraph names its own start."""
    if not waiting:
        return None
    return "interpret" if waiting[0].startswith("__") else waiting[0]


def _called(tx: Tx, run_id: str, node: str, step: int) -> Called:
    sql = "SELECT attempts, tokens_in, tokens_out, provider FROM call WHERE run_id = :run AND node = :node AND step = :step"
    rows = tx.rows(sql, run=run_id, node=node, step=step)
    providers = dict.fromkeys(row["provider"] for row in rows if row["provider"])
    return Called(
        attempts=sum(row["attempts"] for row in rows),
        tokens_in=sum(row["tokens_in"] for row in rows),
        tokens_out=sum(row["tokens_out"] for row in rows),
        provider=", ".join(providers) or None,
    )
