"""The queue as others see it: where a run's job stands, what is waiting, and whether the tables agree with one another."""

from __future__ import annotations

from dataclasses import dataclass

from autonomy.storage.database import Tx

_OPEN = "state IN ('queued', 'running', 'retry', 'waiting_human')"
_JOB_OF = {
    "queued": ("queued", "retry"),
    "running": ("running",),
    "paused": ("waiting_human",),
    "waiting_human": ("waiting_human",),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A run's open job as others see it; `running` of `allowed` jobs of its user are at work. Times in microseconds."""

    job_id: int
    state: str
    reason: str
    attempts: int
    holder: str | None
    lease_until: int | None
    scheduled_at: int
    running: int
    allowed: int


def standing(tx: Tx, run_id: str) -> Standing | None:
    """The run's open job, None when it has none."""
    row = tx.row(
        "SELECT job.id AS job_id, state, reason, attempts, locked_by AS holder, lease_until, scheduled_at, "
        f"lane.running, lane.allowed FROM job JOIN lane ON lane.user_id = job.user_id WHERE run_id = :run_id AND {_OPEN}",
        run_id=run_id,
    )
    return None if row is None else Standing(**row)


def idle(tx: Tx) -> bool:
    """Whether no job waits: neither for its turn, nor for its retry, nor, its lease being over, to be taken over."""
    found = tx.value(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM job WHERE state = 'queued') OR EXISTS (SELECT 1 FROM job WHERE state = 'retry') "
        "OR EXISTS (SELECT 1 FROM job WHERE state = 'running' AND lease_until < (SELECT now_us()))"
    )
    return found is None


def next_due(tx: Tx) -> int | None:
    """When the next retry is due, None when none waits."""
    found: int | None = tx.value("SELECT scheduled_at FROM job WHERE state = 'retry' ORDER BY scheduled_at LIMIT 1")
    return found


def counts(tx: Tx) -> dict[str, int]:
    """Open jobs by state. Counts every one of them: for people and metrics, not for the queue's own decisions."""
    return dict(tx.tuples(f"SELECT state, count(*) FROM job WHERE {_OPEN} GROUP BY state"))


def check(tx: Tx) -> list[str]:
    """Where the tables contradict each other; empty when all is well. For `doctor` and tests, while nobody writes."""
    lanes = tx.tuples(
        "SELECT lane.user_id, lane.queued, lane.running FROM lane LEFT JOIN job ON job.user_id = lane.user_id "
        "GROUP BY lane.user_id, lane.queued, lane.running HAVING lane.queued <> count(CASE WHEN state = 'queued' THEN 1 END) "
        "OR lane.running <> count(CASE WHEN state = 'running' THEN 1 END) ORDER BY lane.user_id"
    )
    pairs = tx.tuples(
        f"SELECT run.id, run.status, job.state FROM run LEFT JOIN job ON job.run_id = run.id AND job.{_OPEN} "
        "WHERE run.status NOT IN ('done', 'failed', 'aborted') OR job.state IS NOT NULL ORDER BY run.id"
    )
    wrong = [
        f"lane {user} counts {queued} queued and {running} running jobs, which is not so" for user, queued, running in lanes
    ]
    orphans = tx.tuples(f"SELECT id, run_id FROM job WHERE {_OPEN} AND run_id NOT IN (SELECT id FROM run) ORDER BY id")
    wrong += [f"job {job_id} is for run {run_id}, which is missing" for job_id, run_id in orphans]
    return wrong + [
        f"run {run_id} is {status}, its job is {state or 'missing'}"
        for run_id, status, state in pairs
        if state not in _JOB_OF.get(status, ())
    ]
