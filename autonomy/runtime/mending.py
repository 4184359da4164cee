"""Rows that contradict one another (a restored backup, an edit by hand): each is set right alone, and stops nobody else.

A job that waits belongs to a run that waits. Where the run has another status the run is believed, because its events are
its story; what cannot be told from them ends as failed, with the cause. The caller holds the lane and recounts it.
"""

from __future__ import annotations

from typing import Final

from autonomy.core.types import RunStatus
from autonomy.runtime import runs
from autonomy.storage.database import Tx

_RUNNING: Final[tuple[RunStatus, ...]] = ("running",)


def set_right(tx: Tx, run_id: str) -> bool:
    """Bring the waiting or lost job of a run that is not queued level with it; whether the job may be started now.

    A run that counts as running has no holder, or its job would not be here: it is queued again, as after a crash. One that
    stands still for a person keeps its job for `run resume`. One that has ended (or is missing) has its job closed.
    """
    status: RunStatus | None = tx.value("SELECT status FROM run WHERE id = :id", id=run_id)
    cause = f"its job was waiting while the run was {status or 'missing'}"
    if status == "queued":
        _move(tx, run_id, "queued", cause)
        return True
    if status == "running":
        item = ("run.queued", None, {"reason": "takeover", "lost": None, "cause": cause})
        _move(tx, run_id, "queued", cause)
        return runs.mark(tx, run_id, _RUNNING, "queued", item, fence=True)
    if status in ("paused", "waiting_human"):
        _move(tx, run_id, "waiting_human", cause)
        item = (f"run.{status}", None, {"by": "queue", "cause": cause})
        runs.mark(tx, run_id, runs.STANDING, status, item, fence=True)
        return False
    _move(tx, run_id, "failed", cause)
    return False


def _move(tx: Tx, run_id: str, state: str, cause: str) -> None:
    ended = ", finished_at = now_us()" if state == "failed" else ""
    tx.run(
        f"UPDATE job SET state = :state, error = :cause, locked_by = NULL, lease_until = NULL{ended} "
        "WHERE run_id = :run AND state IN ('queued', 'running', 'retry')",
        state=state,
        cause=cause,
        run=run_id,
    )
