"""What a run waits for, as people and programs see it: read with the run, by whoever looks at one."""

from __future__ import annotations

import json
from typing import Any, Final

from autonomy.core.clock import iso, now_us
from autonomy.core.errors import NotFound, WaitingForPerson
from autonomy.runtime import runs
from autonomy.storage.database import Tx
from autonomy.turnitin import cycles
from autonomy.turnitin.cycles import Cycle

PASSAGES: Final = 200
"""Flagged passages that a status shows; all of them are kept."""


def current(tx: Tx, run_id: str, *, whole: bool = False) -> dict[str, Any] | None:
    """The newest cycle of a run as `run inspect` shows it; None for a run that never waited."""
    found = cycles.history(tx, run_id)
    return shown(tx, found[-1], whole=whole) if found else None


def check_not_awaited(tx: Tx, run_id: str) -> None:
    """Raises WaitingForPerson for a run that stands and waits for a report."""
    found = cycles.history(tx, run_id)
    if found and found[-1].status == "awaiting_report" and runs.get(tx, run_id).status == "waiting_human":
        hint = f"Bring it with 'autonomy turnitin report {run_id[:8]} FILE'."
        raise WaitingForPerson(f"run {run_id} waits for the similarity report of draft {found[-1].n}", hint)


def nothing_awaited(run: runs.Run) -> NotFound:
    """The error for a run without cycles."""
    if run.task.get("target_similarity") is None:
        hint = "A run waits for a report when it is started with --target-similarity N."
    else:
        hint = f"Its draft is not ready yet: see 'autonomy run inspect {run.id[:8]}'."
    return NotFound(f"run {run.id} has handed over no draft for a report", hint)


def shown(tx: Tx, cycle: Cycle, *, whole: bool = True) -> dict[str, Any]:
    """A cycle as people and programs see it; with `whole` the flagged passages of its report stand in it."""
    report = json.loads(cycle.report) if cycle.report else None
    waiting = cycle.status == "awaiting_report"
    return {
        "cycle_id": cycle.id,
        "n": cycle.n,
        "status": cycle.status,
        "target_similarity": cycle.target,
        "observed_similarity": cycle.observed,
        "document": cycle.document,
        "sha256": cycle.document_sha256,
        "copies": copies(tx, cycle),
        "waiting_since": iso(cycle.opened_at),
        "waited_seconds": round(
            ((now_us() if waiting else cycle.reported_at or cycle.decided_at or now_us()) - cycle.opened_at) / 1e6, 1
        ),
        "deadline": iso(cycle.deadline_at),
        "reminded": cycle.reminded,
        "reported_at": iso(cycle.reported_at),
        "report_url": cycle.report_url,
        "uploader": cycle.uploader,
        "resume_job_id": cycle.resume_job_id,
        "decided_at": iso(cycle.decided_at),
        "why": cycle.why,
        "report": None if report is None else _report(report, whole=whole),
    }


def _report(report: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    """What the contract shows of a report, with what its reader was warned of and what speaks against its being the draft's."""
    shown = ("overall", "approx", "categories", "top_sources", "layout", "warnings", "doubts")
    flagged = report.get("flagged") or []
    passages = {"flagged": flagged[:PASSAGES]} if whole else {}
    return {**{key: report.get(key) for key in shown}, **passages, "passages": len(flagged)}


def copies(tx: Tx, cycle: Cycle) -> list[str]:
    """The same draft in other formats: files of its name with another ending."""
    stem = cycle.document.rpartition(".")[0]
    sql = "SELECT path FROM artifact WHERE run_id = :run AND role = 'draft' ORDER BY path"
    paths = [str(row["path"]) for row in tx.rows(sql, run=cycle.run_id)]
    return [path for path in paths if path != cycle.document and path.rpartition(".")[0] == stem]
