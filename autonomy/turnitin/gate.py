"""Where a run waits for its report: the gate before the node, and the door through which the node sees the cycle.

A hand-off is a record of the run (kind "handoff", key its number), written by the step that hands the draft over. The cycle
is opened later, in the transaction that lets the run stand, so that a report never finds a cycle whose run is still at work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from autonomy.core.errors import CorruptState
from autonomy.runtime import events
from autonomy.runtime.unit import Unit
from autonomy.storage.database import Database, Tx
from autonomy.turnitin import cycles
from autonomy.turnitin.cycles import Cycle, Decision, Handoff

RECORD: Final = "handoff"


class ReportGate:
    """Implements `runtime.execution.Gate`: shut while the last hand-off has no report and was not given up."""

    node: str = "turnitin_pause"

    def shut(self, tx: Tx, run_id: str, /) -> bool:
        """Whether the run has to wait."""
        cycle = _cycle_of(tx, run_id, last_handoff(tx, run_id).n)
        return cycle is None or cycle.status == "awaiting_report"

    def begin(self, tx: Tx, run_id: str, epoch: int, /) -> Mapping[str, Any] | None:
        """Open the cycle of the last hand-off and tell it; what `run.waiting_human` tells. None where its report has come, or
        was given up, while the run was still at work: whoever did that found nobody to wake. Raises LeaseLost."""
        cycle, new = cycles.open_cycle(tx, run_id, last_handoff(tx, run_id))
        if cycle.status != "awaiting_report":
            cycles.note_resume(tx, cycle.id)
            return None
        told = {
            "cycle_id": cycle.id,
            "n": cycle.n,
            "target_similarity": cycle.target,
            "document": cycle.document,
            "sha256": cycle.document_sha256,
        }
        if new:
            events.append(tx, run_id, [("turnitin.awaiting_report", self.node, told)], epoch=epoch)
        return {"why": f"the similarity report of draft {cycle.n}, wanted at most {cycle.target:g} %", "cycle_id": cycle.id}


class RunCycles:
    """Implements `agents.context.Cycles`: what came back for a hand-off, and the run's word on it, with the superstep."""

    def __init__(self, database: Database, unit: Unit) -> None:
        self._database = database
        self._unit = unit

    def of(self, n: int) -> Cycle:
        """The cycle of the run's n-th hand-off. Raises CorruptState: the gate lets nobody through without one."""
        run_id = self._unit.run_id
        cycle = self._database.read(lambda tx: _cycle_of(tx, run_id, n))
        if cycle is None:
            raise CorruptState(f"hand-off {n} of run {run_id} has no cycle", "Start the run anew.")
        return cycle

    def history(self) -> list[Cycle]:
        """All cycles of the run, oldest first."""
        run_id = self._unit.run_id
        return self._database.read(lambda tx: cycles.history(tx, run_id))

    def decide(self, cycle: Cycle, decision: Decision, why: str) -> None:
        """Close the cycle as accepted or rejected, and tell it."""

        def write(tx: Tx) -> None:
            if not cycles.decide(tx, cycle.id, decision, why):
                raise CorruptState(f"cycle {cycle.id} had no report to decide on", "Start the run anew.")

        self._unit.add(write)
        told = {
            "cycle_id": cycle.id,
            "n": cycle.n,
            "observed_similarity": cycle.observed,
            "target_similarity": cycle.target,
            "why": why,
        }
        self._unit.emit("turnitin.accepted" if decision == "accepted" else "turnitin.rejected", told, node=ReportGate.node)


def last_handoff(tx: Tx, run_id: str) -> Handoff:
    """The run's newest hand-off. Raises CorruptState for a run that waits without having handed anything over."""
    sql = "SELECT body FROM record WHERE run_id = :run AND kind = :kind ORDER BY number DESC LIMIT 1"
    body = tx.value(sql, run=run_id, kind=RECORD)
    if body is None:
        raise CorruptState(f"run {run_id} waits for a report and has handed over no draft", "Start the run anew.")
    return Handoff(**json.loads(body))


def _cycle_of(tx: Tx, run_id: str, n: int) -> Cycle | None:
    return next((cycle for cycle in cycles.history(tx, run_id) if cycle.n == n), None)
