"""Waits for similarity reports: one row per hand-off, moved along a fixed set of transitions.

    awaiting_report ──► report_ready ──► accepted | rejected
           └────────────────────────────────────► rejected       expired, or the run has ended

A run has at most one open cycle (awaiting_report, report_ready); the database enforces that and the four names. Every move
is one guarded UPDATE, so of any number of callers one wins. The winner of a report changes the cycle, tells it and queues
the run's next job in one transaction: there is no moment at which a report is known and nobody will act on it.

The caller owns the transaction. On PostgreSQL locks are taken in this order: lane, then cycle, then run; a worker that
settles a cycle holds its run first, and touches only a cycle that has its report already.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from autonomy.core.clock import new_id
from autonomy.core.errors import AlreadyDecided, InvalidInput, NotFound
from autonomy.runtime import events, lanes, queue, runs
from autonomy.storage.database import Tx

Status = Literal["awaiting_report", "report_ready", "accepted", "rejected"]
Decision = Literal["accepted", "rejected"]
OnExpiry = Literal["remind", "fail", "deliver_as_is"]

TRANSITIONS: Final[Mapping[Status, tuple[Status, ...]]] = {
    "awaiting_report": ("report_ready", "rejected"),
    "report_ready": ("accepted", "rejected"),
    "accepted": (),
    "rejected": (),
}


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle as stored. Percentages 0 to 100, times in microseconds; `document` is the artifact's path in the workspace."""

    id: str
    run_id: str
    n: int
    status: Status
    target: float
    document: str
    document_sha256: str
    opened_at: int
    deadline_at: int | None
    on_expiry: OnExpiry
    reminded: int
    observed: float | None
    report: str | None
    report_sha256: str | None
    report_path: str | None
    report_url: str | None
    uploader: str | None
    reported_at: int | None
    resume_job_id: int | None
    why: str | None
    decided_at: int | None
    told: int

    @property
    def open(self) -> bool:
        """Whether something is still to come."""
        return bool(TRANSITIONS[self.status])


@dataclass(frozen=True, slots=True)
class Handoff:
    """What a person is handed: the draft, the similarity it may have, and how long may be waited for its report.

    `n` counts the run's hand-offs from 1; `wait_us` is None for no deadline.
    """

    n: int
    target: float
    document: str
    document_sha256: str
    wait_us: int | None = None
    on_expiry: OnExpiry = "remind"


@dataclass(frozen=True, slots=True)
class Arrived:
    """A report that has come. `sha256` is its identity: of the file, or of what was said where there is none. `doubts` speak
    against its being the report of this draft."""

    observed: float
    sha256: str
    report: str | None = None
    path: str | None = None
    url: str | None = None
    uploader: str | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`duplicate` when the same report had been taken before, and nothing was written."""

    cycle: Cycle
    duplicate: bool


_COLUMNS = ", ".join(Cycle.__slots__)


def open_cycle(tx: Tx, run_id: str, handoff: Handoff) -> tuple[Cycle, bool]:
    """Begin to wait, in the transaction that lets the run stand; (cycle, whether it is new): the same hand-off opens one cycle.

    Raises InvalidInput for a target outside 0 to 100.
    """
    _percent(handoff.target, "target similarity")
    made = tx.run(
        "INSERT INTO cycle (id, run_id, n, status, target, document, document_sha256, opened_at, deadline_at, on_expiry) "
        "VALUES (:id, :run_id, :n, 'awaiting_report', :target, :document, :sha256, now_us(), now_us() + :wait, :on_expiry) "
        "ON CONFLICT (run_id, n) DO NOTHING",
        id=new_id(),
        run_id=run_id,
        n=handoff.n,
        target=handoff.target,
        document=handoff.document,
        sha256=handoff.document_sha256,
        wait=handoff.wait_us,
        on_expiry=handoff.on_expiry,
    )
    cycle = history(tx, run_id)[-1]
    return cycle, bool(made)


def accept_report(tx: Tx, run_id: str, cycle_id: str | None, arrived: Arrived) -> Acceptance:
    """Take a report for a run's cycle, the open one where none is named, and queue the run: once, whoever else brings it.

    The same report again is a duplicate and changes nothing, also when the run has gone on long since and waits for the next:
    a file is one draft's report, and a figure alone is another's only where its cycle is named. Raises InvalidInput for a
    similarity outside 0 to 100, NotFound for a run without cycles and for a cycle that is not this run's, AlreadyDecided for
    another report where one has been taken, and for one that comes too late.
    """
    _percent(arrived.observed, "similarity")
    lanes.lock(tx, runs.get(tx, run_id).user_id)
    cycle = meant(tx, run_id, cycle_id)
    again = [cycle] if arrived.report is None and cycle_id is not None else history(tx, run_id)
    for each in again:
        if each.report_sha256 == arrived.sha256:
            return Acceptance(each, duplicate=True)
    if cycle.status != "awaiting_report":
        raise AlreadyDecided(_late(cycle), f"See 'autonomy turnitin status {run_id[:8]}'.")
    run = runs.get(tx, run_id)
    if run.ended:
        raise AlreadyDecided(f"run {run_id} has ended already ({run.status})", "Start a new run.")
    won = tx.run(
        "UPDATE cycle SET status = 'report_ready', observed = :observed, report = :report, report_sha256 = :sha256, "
        "report_path = :path, report_url = :url, uploader = :uploader, reported_at = now_us() "
        "WHERE id = :id AND status = 'awaiting_report'",
        id=cycle.id,
        observed=arrived.observed,
        report=arrived.report,
        sha256=arrived.sha256,
        path=arrived.path,
        url=arrived.url,
        uploader=arrived.uploader,
    )
    if not won:  # somebody else's report came in between: look again at what is there now
        return accept_report(tx, run_id, cycle.id, arrived)
    told = {
        "cycle_id": cycle.id,
        "n": cycle.n,
        "observed_similarity": arrived.observed,
        "target_similarity": cycle.target,
        "sha256": arrived.sha256,
        "by": arrived.uploader or "unknown",
        **({"doubts": list(arrived.doubts)} if arrived.doubts else {}),
    }
    events.append(tx, run_id, [("turnitin.report_ready", None, told)], epoch=None)
    job = queue.enqueue_resume(tx, run_id, "report")
    tx.run("UPDATE cycle SET resume_job_id = :job WHERE id = :id", job=job, id=cycle.id)
    return Acceptance(get(tx, cycle.id), duplicate=False)


def note_resume(tx: Tx, cycle_id: str) -> None:
    """Note the run's open job as the one that goes on with a report which came while the run was at work."""
    tx.run(
        "UPDATE cycle SET resume_job_id = (SELECT max(id) FROM job WHERE job.run_id = cycle.run_id) "
        "WHERE id = :id AND resume_job_id IS NULL AND report_sha256 IS NOT NULL",
        id=cycle_id,
    )


def decide(tx: Tx, cycle_id: str, decision: Decision, why: str) -> bool:
    """Close a cycle that has its report; whether this call did. The caller tells it: a worker's event joins its superstep."""
    return _close(tx, cycle_id, "report_ready", decision, why)


def give_up(tx: Tx, cycle_id: str, why: str) -> bool:
    """Close a cycle whose report never came; whether this call did, and not a report that came at the same moment."""
    return _close(tx, cycle_id, "awaiting_report", "rejected", why)


def get(tx: Tx, cycle_id: str) -> Cycle:
    """One cycle. Raises NotFound."""
    found = tx.tuples(f"SELECT {_COLUMNS} FROM cycle WHERE id = :id", id=cycle_id)
    if not found:
        raise NotFound(f"no cycle {cycle_id[:80]}", "See 'autonomy turnitin status RUN'.")
    return Cycle(*found[0])


def history(tx: Tx, run_id: str) -> list[Cycle]:
    """A run's cycles, oldest first."""
    return [Cycle(*row) for row in tx.tuples(f"SELECT {_COLUMNS} FROM cycle WHERE run_id = :run ORDER BY n", run=run_id)]


def untold(tx: Tx, limit: int = 100) -> list[Cycle]:
    """Cycles whose task file does not know yet how they stand, the oldest first."""
    sql = f"SELECT {_COLUMNS} FROM cycle WHERE told = 0 OR (told = 1 AND status <> 'awaiting_report') ORDER BY opened_at"
    return [Cycle(*row) for row in tx.tuples(f"{sql} LIMIT :limit", limit=limit)]


def mark_told(tx: Tx, cycle: Cycle) -> None:
    """Note that the task file says how the cycle stood."""
    stage = 1 if cycle.status == "awaiting_report" else 2
    tx.run("UPDATE cycle SET told = :stage WHERE id = :id AND told < :stage", id=cycle.id, stage=stage)


def overdue(tx: Tx, limit: int = 100) -> list[Cycle]:
    """Cycles whose deadline is over and whose report has not come, the longest overdue first."""
    sql = f"SELECT {_COLUMNS} FROM cycle WHERE status = 'awaiting_report' AND deadline_at <= now_us() ORDER BY deadline_at"
    return [Cycle(*row) for row in tx.tuples(f"{sql} LIMIT :limit", limit=limit)]


def remind(tx: Tx, cycle: Cycle, again_us: int) -> bool:
    """Count a reminder and put the deadline off; whether this call did. Two that look at once remind once."""
    return bool(
        tx.run(
            "UPDATE cycle SET reminded = reminded + 1, deadline_at = now_us() + :again "
            "WHERE id = :id AND status = 'awaiting_report' AND reminded = :reminded AND deadline_at <= now_us()",
            id=cycle.id,
            again=again_us,
            reminded=cycle.reminded,
        )
    )


def _close(tx: Tx, cycle_id: str, at: Status, to: Status, why: str) -> bool:
    return bool(
        tx.run(
            "UPDATE cycle SET status = :to, why = :why, decided_at = now_us() WHERE id = :id AND status = :at",
            id=cycle_id,
            at=at,
            to=to,
            why=why,
        )
    )


def meant(tx: Tx, run_id: str, cycle_id: str | None) -> Cycle:
    """The cycle that a report is for: the named one, else the last. Raises NotFound."""
    cycles = history(tx, run_id)
    if not cycles:
        raise NotFound(f"run {run_id} waits for no report", "A run waits for one after 'run start --target-similarity N'.")
    if cycle_id is None:
        return cycles[-1]
    for cycle in cycles:
        if cycle.id == cycle_id:
            return cycle
    raise NotFound(f"no cycle {cycle_id[:80]} in run {run_id}", f"See 'autonomy turnitin status {run_id[:8]}'.")


def _late(cycle: Cycle) -> str:
    if cycle.report_sha256 is None:
        return f"cycle {cycle.n} of run {cycle.run_id} was closed without a report ({cycle.why})"
    return f"cycle {cycle.n} of run {cycle.run_id} has another report already ({cycle.observed:g} %)"


def _percent(value: Any, name: str) -> None:
    if not isinstance(value, (int, float)) or not math.isfinite(value) or not 0 <= value <= 100:
        raise InvalidInput(f"{name} {value} is not a percentage", "Give a number from 0 to 100.")
