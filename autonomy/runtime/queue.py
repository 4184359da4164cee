"""The queue: jobs wait in their user's lane, are claimed in turn under a lease, and end in exactly one way.

Invariants: a run has at most one open job; a job is held by one worker, under an epoch that no earlier holder shares;
lane counters equal the jobs in those states; attempts are counted in the claim, so that a job which kills its worker runs
out of them; run status, job state, lane and event change in one transaction. Each claim raises the run's epoch, and so does
every end of a hold: whoever held it before, or goes on after its own end, writes nothing.

Everything here is a function of the caller's transaction. The claim itself takes over what expired, what is due again and
what dead workers held; there is no sweeper whose death would matter. Its cost does not grow with the backlog: each decision
is the first entry of an index.
"""

from __future__ import annotations

import dataclasses
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from autonomy.core.errors import HeldByAnother, InvalidInput
from autonomy.core.types import RunStatus
from autonomy.runtime import events, lanes, mending, runs
from autonomy.runtime.lease import Held, Watch
from autonomy.storage.database import Tx

PRIORITY: Final = 5
RESUME_PRIORITY: Final = 4
MAX_ATTEMPTS: Final = 5
BACKOFF_US: Final = 2_000_000
BACKOFF_MOST_US: Final = 300_000_000
TROUBLE_US: Final = 15_000_000
SWEEP: Final = 32
"""The most jobs one claim takes over before it serves its own."""

Reason = Literal["start", "report", "deadline", "operator", "takeover", "drain", "retry"]
_RESUMABLE: Final[Mapping[str, tuple[RunStatus, ...]]] = {
    "report": ("waiting_human",),
    "deadline": ("waiting_human",),
    "operator": ("waiting_human", "paused", "queued"),
}
_HELD: Final[tuple[RunStatus, ...]] = ("running",)
_random = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `epoch` is the fence of everything its holder writes; `control` what an operator asked meanwhile."""

    id: int
    run_id: str
    user_id: str
    journey: str
    reason: str
    priority: int
    attempts: int
    max_attempts: int
    epoch: int
    lease_us: int
    worker: str
    correlation_id: str
    payload: dict[str, Any]


# -- coming in --------------------------------------------------------------------------------------


def enqueue_start(
    tx: Tx,
    run_id: str,
    *,
    priority: int = PRIORITY,
    payload: Mapping[str, Any] | None = None,
    max_attempts: int = MAX_ATTEMPTS,
) -> int:
    """Queue a new run's first job; returns its id. Raises InvalidInput for a priority outside 1 to 10, NotFound."""
    return _insert(tx, run_id, "start", priority, payload, max_attempts)


def enqueue_resume(
    tx: Tx,
    run_id: str,
    reason: Literal["report", "deadline", "operator"],
    *,
    priority: int = RESUME_PRIORITY,
    payload: Mapping[str, Any] | None = None,
    max_attempts: int = MAX_ATTEMPTS,
) -> int | None:
    """Queue a run that stands still; returns the job's id, or None when there was nothing to resume.

    The change of status decides: of any number of callers one gets a job, the others None. A report, or the end of the
    wait for it, resumes only a run that waits for a person; an operator also a paused one, and hurries one that waits for its
    retry. Raises NotFound.
    """
    lanes.lock(tx, runs.get(tx, run_id).user_id)
    run = runs.get(tx, run_id)  # only now: whoever held the lane may have queued it meanwhile
    if reason == "operator" and run.status == "queued":
        return _hurry(tx, run_id)
    if not runs.mark(tx, run_id, _RESUMABLE[reason], "queued", ("run.queued", None, {"reason": reason})):
        return None
    tx.run("UPDATE job SET state = 'done', finished_at = now_us() WHERE run_id = :id AND state = 'waiting_human'", id=run_id)
    return _insert(tx, run_id, reason, priority, payload, max_attempts)


def fail_waiting(tx: Tx, run_id: str, cause: str) -> bool:
    """End a run that waits for a person, as failed; whether this call did. Raises NotFound."""
    lanes.lock(tx, runs.get(tx, run_id).user_id)
    item = ("run.failed", None, {"outcome": "failed", "error": cause})
    if not runs.mark(tx, run_id, ("waiting_human", "paused"), "failed", item, outcome="failed", error=cause):
        return False
    tx.run(
        "UPDATE job SET state = 'failed', error = :cause, finished_at = now_us() "
        "WHERE run_id = :id AND state = 'waiting_human'",
        id=run_id,
        cause=cause,
    )
    return True


def resume(tx: Tx, run_id: str, *, watch: Watch | None = None) -> int:
    """An operator's `enqueue_resume`: also frees the run from a dead worker, and takes a pause back that was not yet obeyed.

    Returns the job's id. Raises NotFound, InvalidInput when the run has ended, HeldByAnother (naming the holder) when a
    live worker has it.
    """
    take_over_if_gone(tx, run_id, watch=watch, by_operator=True)
    job_id = enqueue_resume(tx, run_id, "operator")
    if job_id is not None:
        return job_id
    run = runs.get(tx, run_id)
    if run.ended:
        hint = f"Start a new run, or see 'autonomy run inspect {run_id[:8]}'."
        raise InvalidInput(f"run {run_id} has ended already ({run.status})", hint)
    withdrawn = tx.run("UPDATE run SET control = NULL WHERE id = :id AND status = 'running' AND control = 'pause'", id=run_id)
    held = tx.tuples("SELECT id, locked_by FROM job WHERE run_id = :id AND state = 'running'", id=run_id)
    if withdrawn and held:
        return int(held[0][0])
    holder = held[0][1] if held else "another"
    raise HeldByAnother(f"run {run_id} is being worked by {holder}", "Follow it with 'autonomy run tail', or wait for it.")


def _insert(tx: Tx, run_id: str, reason: str, priority: int, payload: Mapping[str, Any] | None, max_attempts: int) -> int:
    if not 1 <= priority <= 10 or max_attempts < 1:
        raise InvalidInput(f"a priority is 1 (high) to 10 (low), not {priority}", "Choose one of them; 5 is the usual.")
    inserted = tx.tuples(
        "INSERT INTO job (run_id, user_id, journey, reason, state, priority, scheduled_at, max_attempts, payload, created_at) "
        "SELECT id, user_id, journey, :reason, 'queued', :priority, now_us(), :max_attempts, :payload, now_us() "
        "FROM run WHERE id = :run_id AND status = 'queued' ON CONFLICT DO NOTHING RETURNING id, user_id",
        run_id=run_id,
        reason=reason,
        priority=priority,
        max_attempts=max_attempts,
        payload=events.encode(payload or {}, "the job"),
    )
    if not inserted:
        raise InvalidInput(f"run {runs.get(tx, run_id).id} cannot be queued: it has a job or has ended", "Resume it instead.")
    job_id, user_id = inserted[0]
    lanes.enter(tx, user_id)
    tx.notify("jobs")
    return int(job_id)


def _hurry(tx: Tx, run_id: str) -> int | None:
    """The open job of a queued run; one that waits for its retry is due at once."""
    found = tx.tuples(
        "SELECT id, user_id, state FROM job WHERE run_id = :run_id AND state IN ('queued', 'retry')", run_id=run_id
    )
    if not found:
        return None
    job_id, user_id, state = found[0]
    if state == "retry":
        _due(tx, job_id, user_id)
        tx.notify("jobs")
    return int(job_id)


def _due(tx: Tx, job_id: int, user_id: str) -> None:
    if tx.run("UPDATE job SET state = 'queued', scheduled_at = now_us() WHERE id = :id AND state = 'retry'", id=job_id):
        lanes.enter(tx, user_id)


# -- claiming ---------------------------------------------------------------------------------------


def claim(
    tx: Tx, worker: str, lease_us: int, run_id: str | None = None, *, watch: Watch | None = None, wait: bool = True
) -> Job | None:
    """Take the next job under a lease of `lease_us`; None when nobody is waiting and under their limit.

    With `run_id` that run's job, out of turn and before its retry is due (the foreground): None when another holds it or
    its user is at the limit; see `standing`. Without `watch` only leases decide who is gone. A transaction that
    has touched the queue before says wait=False, so that it never waits for a lane while it holds one.
    """
    if run_id is not None:
        return _claim_one(tx, run_id, worker, lease_us, watch)
    swept = _sweep(tx, lease_us, watch)
    while (user_id := lanes.serve_next(tx, wait=wait and not swept)) is not None:
        swept = True  # locks are held from here on
        head = tx.value(
            "SELECT run_id FROM job WHERE user_id = :user_id AND state = 'queued' ORDER BY priority, scheduled_at, id LIMIT 1",
            user_id=user_id,
        )
        if head is None:
            lanes.recount(tx, user_id)
            continue
        job = _start(tx, str(head), worker, lease_us)
        if job is not None:
            return job
        lanes.recount(tx, user_id)
    return None


def _claim_one(tx: Tx, run_id: str, worker: str, lease_us: int, watch: Watch | None) -> Job | None:
    take_over_if_gone(tx, run_id, watch=watch, by_operator=True)
    found = tx.tuples("SELECT id, user_id FROM job WHERE run_id = :run_id AND state IN ('queued', 'retry')", run_id=run_id)
    if not found:
        return None
    job_id, user_id = found[0]
    lanes.lock(tx, user_id)
    _due(tx, job_id, user_id)
    waiting = tx.value("SELECT id FROM job WHERE id = :id AND state = 'queued'", id=job_id)
    if waiting is None or not lanes.serve(tx, user_id):
        return None
    job = _start(tx, run_id, worker, lease_us)
    if job is None:
        lanes.recount(tx, user_id)
    return job


def _start(tx: Tx, run_id: str, worker: str, lease_us: int) -> Job | None:
    """Hand the run's queued job, whose lane is locked and counted already, to the worker; None for one that contradicts its
    run or cannot be read: it has been set aside, and its lane is to be counted anew."""
    raised = tx.tuples(
        "UPDATE run SET status = 'running', epoch = epoch + 1, next_seq = next_seq + 1, updated_at = now_us() "
        "WHERE id = :id AND status = 'queued' RETURNING epoch, next_seq, correlation_id, updated_at",
        id=run_id,
    )
    if not raised:
        return _start(tx, run_id, worker, lease_us) if mending.set_right(tx, run_id) else None
    epoch, seq, correlation_id, now = raised[0]
    found = tx.tuples(
        "UPDATE job SET state = 'running', locked_by = :worker, locked_at = :now, lease_until = :until, lease_us = :lease_us, "
        "attempts = attempts + 1, epoch = :epoch WHERE run_id = :run_id AND state = 'queued' "
        "RETURNING id, user_id, journey, reason, priority, attempts, max_attempts, payload",
        worker=worker,
        now=now,
        until=now + lease_us,
        lease_us=lease_us,
        epoch=epoch,
        run_id=run_id,
    )
    job_id, user_id, journey, reason, priority, attempts, max_attempts, payload = found[0]
    events.insert(tx, run_id, seq, [_beginning(reason, epoch, worker, attempts)], correlation_id=correlation_id, now=now)
    job = Job(
        job_id,
        run_id,
        user_id,
        journey,
        reason,
        priority,
        attempts,
        max_attempts,
        epoch,
        lease_us,
        worker,
        correlation_id,
        {},
    )
    try:
        return dataclasses.replace(job, payload=json.loads(payload))
    except ValueError:
        fail(tx, job, "the payload of its job cannot be read", retryable=False)
        return None


def _beginning(reason: str, epoch: int, worker: str, attempt: int) -> events.Item:
    """The event of a claim. A retry is a takeover from the attempt that failed, and says that it is one: no worker is gone."""
    content: dict[str, Any] = {"worker": worker, "attempt": attempt}
    if epoch == 1:
        return "run.started", None, content
    if reason == "retry":
        return "run.resumed", None, content | {"reason": "takeover", "retry": True}
    return "run.resumed", None, content | {"reason": "operator" if reason == "start" else reason}


# -- taking over ------------------------------------------------------------------------------------


def _sweep(tx: Tx, lease_us: int, watch: Watch | None) -> bool:
    """Put back what expired, what is due again and what dead workers held; returns whether there was anything."""
    # The clock is read inside the statement, in a subquery: once, so that the indexes serve, and without a statement for it.
    found = tx.tuples(
        "SELECT id FROM (SELECT id FROM job WHERE state = 'running' AND lease_until < (SELECT now_us()) + :ahead "
        "ORDER BY lease_until LIMIT :most) AS late UNION ALL "
        "SELECT id FROM (SELECT id FROM job WHERE state = 'retry' AND scheduled_at <= (SELECT now_us()) "
        "ORDER BY scheduled_at LIMIT :most) AS due",
        ahead=0 if watch is None else lease_us // 2,
        most=SWEEP,
    )
    ids = [row[0] for row in found] + _held_by_the_dead(tx, watch)
    if not ids:
        return False
    now, moved = tx.now(), False
    for job_id in dict.fromkeys(ids):
        moved = _put_back(tx, job_id, now, watch) or moved
    return moved


def _put_back(tx: Tx, job_id: int, now: int, watch: Watch | None) -> bool:
    held = _look(tx, "job.id = :id", id=job_id)
    if held is None:
        return False
    if held["state"] == "retry":
        if held["scheduled_at"] <= now:
            _due(tx, job_id, held["user_id"])
        return True
    if _over(held, now, watch, patient=True):
        _requeue(tx, held, by_operator=False)
    return True


def _look(tx: Tx, condition: str, **values: Any) -> dict[str, Any] | None:
    """A running or retrying job with its lane and run locked, or None when someone is just now working on one of them."""
    return tx.row(
        "SELECT job.id, job.run_id, job.user_id, job.state, job.scheduled_at, job.locked_by, job.lease_until, job.lease_us, "
        "job.attempts, job.max_attempts, job.epoch, run.control, run.status FROM lane JOIN job ON job.user_id = lane.user_id "
        f"JOIN run ON run.id = job.run_id WHERE {condition} AND job.state IN ('running', 'retry') {tx.dialect.skip_locked}",
        **values,
    )


def _over(held: Mapping[str, Any], now: int, watch: Watch | None, *, patient: bool) -> bool:
    if held["locked_by"] is None or held["lease_until"] is None:
        return True  # no claim leaves a running job without both
    if watch is None:
        return bool(held["lease_until"] < now)
    seen = Held(held["id"], held["epoch"], held["locked_by"], held["lease_until"], held["lease_us"])
    return watch.over(seen, now, patient=patient)


def take_over_if_gone(tx: Tx, run_id: str, *, watch: Watch | None = None, by_operator: bool = False) -> bool:
    """Free the run's job when its holder is dead on this host or its lease is over; returns whether it was freed.

    A pause or abort that the dead holder no longer heard is applied here. `by_operator`: a person wants it to go on, so
    its attempts start again.
    """
    held = _look(tx, "job.run_id = :run_id", run_id=run_id)
    if held is None or held["state"] != "running" or not _over(held, tx.now(), watch, patient=False):
        return False
    _requeue(tx, held, by_operator=by_operator)
    tx.notify("jobs")
    return True


def _requeue(tx: Tx, held: Mapping[str, Any], *, by_operator: bool) -> None:
    """What a lost worker held goes back to its lane, obeys the control request, or has run out of attempts."""
    lost = {"reason": "takeover", "lost": held["locked_by"], "attempt": held["attempts"]}
    if held["status"] != "running":
        mending.set_right(tx, held["run_id"])
        lanes.recount(tx, held["user_id"])
    elif held["control"] is not None:
        _close(tx, held["id"], held["user_id"], "done" if held["control"] == "abort" else "waiting_human")
        runs.stop(tx, held["run_id"], _HELD, held["control"], held=True)
    elif held["attempts"] >= held["max_attempts"] and not by_operator:
        cause = f"it killed its worker {held['attempts']} times"
        _close(tx, held["id"], held["user_id"], "failed", error=cause)
        _fail_run(tx, held["run_id"], cause, held["attempts"], epoch=None)
    else:
        tx.run(
            "UPDATE job SET state = 'queued', reason = 'takeover', scheduled_at = now_us(), locked_by = NULL, "
            "lease_until = NULL, attempts = :attempts WHERE id = :id",
            id=held["id"],
            attempts=0 if by_operator else held["attempts"],
        )
        lanes.enter(tx, held["user_id"], stopped=1)
        runs.mark(tx, held["run_id"], _HELD, "queued", ("run.queued", None, lost), fence=True)


def _held_by_the_dead(tx: Tx, watch: Watch | None) -> list[int]:
    """Running jobs whose holder died on this host, whatever their leases say; none between two looks (`Watch.due`)."""
    if watch is None or not watch.due():
        return []
    running = tx.tuples("SELECT id, locked_by FROM job WHERE state = 'running'")
    holders = {holder for _, holder in running if holder}
    gone = {holder for holder in holders if watch.life(holder) == "gone"}
    return [job_id for job_id, holder in running if holder in gone]


# -- holding ----------------------------------------------------------------------------------------


def heartbeat(tx: Tx, job: Job) -> runs.Control | None:
    """Renew the lease; returns a pause or abort that was asked for. Raises LeaseLost."""
    renewed = tx.run(
        "UPDATE job SET lease_until = now_us() + :lease_us WHERE id = :id AND state = 'running' AND epoch = :epoch",
        lease_us=job.lease_us,
        id=job.id,
        epoch=job.epoch,
    )
    if not renewed:
        raise events.gone(job.run_id, job.epoch)
    control: runs.Control | None = tx.value("SELECT control FROM run WHERE id = :id", id=job.run_id)
    return control


def progressed(tx: Tx, job: Job) -> None:
    """The attempt got something done that stays done (a superstep): it is the first again. Raises LeaseLost.

    Without it a long run that outlives five crashes of its machines would be taken for one that causes them.
    """
    if not tx.run(
        "UPDATE job SET attempts = 1 WHERE id = :id AND state = 'running' AND epoch = :epoch", id=job.id, epoch=job.epoch
    ):
        raise events.gone(job.run_id, job.epoch)


# -- ending -----------------------------------------------------------------------------------------


def finish(
    tx: Tx,
    job: Job,
    status: Literal["done", "failed", "aborted"] = "done",
    *,
    outcome: str | None = None,
    content: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> None:
    """The run has ended: its one terminal event is written here. Raises LeaseLost."""
    _end(tx, job, "failed" if status == "failed" else "done", error=error)
    outcome = outcome or {"done": "delivered"}.get(status, status)
    item = (f"run.{status}", None, {"outcome": outcome, **({"error": error} if error else {}), **(content or {})})
    _mark(tx, job, status, item, outcome=outcome, error=error)


def fail(tx: Tx, job: Job, error: str, *, retryable: bool = True, counted: bool = True, delay_us: int | None = None) -> bool:
    """The attempt failed; returns whether another will be made, after a delay that doubles, with jitter.

    Out of attempts, or not retryable: job and run end as failed, with the cause. One that is not counted never was: what
    gave out was not the run's, so it goes on however long that takes. Raises LeaseLost.
    """
    if not retryable or (counted and job.attempts >= job.max_attempts):
        _end(tx, job, "failed", error=error)
        _fail_run(tx, job.run_id, error, job.attempts, epoch=job.epoch)
        return False
    delay = (backoff_us(job.attempts) if counted else TROUBLE_US) if delay_us is None else delay_us
    _end(tx, job, "retry", error=error)
    tx.run(
        "UPDATE job SET scheduled_at = now_us() + :delay, reason = 'retry', attempts = attempts - :uncounted WHERE id = :id",
        delay=delay,
        uncounted=0 if counted else 1,
        id=job.id,
    )
    content = {"scope": "job", "provider": None, "attempt": job.attempts, "reason": error, "delay_ms": delay // 1000}
    _mark(tx, job, "queued", ("retry", None, content))
    return True


def backoff_us(attempt: int) -> int:
    """The wait after that attempt: 2 s, 4 s, 8 s ... up to 5 minutes, of which a random half is taken off."""
    whole = min(BACKOFF_MOST_US, BACKOFF_US << min(attempt - 1, 20))
    return int(whole * _random.uniform(0.5, 1.0))


Begin = Callable[[Tx], Mapping[str, Any] | None]
"""Adds what is waited for, and says what the event tells; None: it has come meanwhile, and there is nothing to wait for."""


def wait_human(tx: Tx, job: Job, begin: Begin | None = None) -> None:
    """The run waits for a person: nothing is held meanwhile. Whoever brings what it waits for finds it waiting, or has brought
    it before; then the job is queued again at once. Raises LeaseLost."""
    lanes.lock(tx, job.user_id)
    content = {} if begin is None else begin(tx)
    if content is None:
        release(tx, job, "report")
        return
    _end(tx, job, "waiting_human")
    _mark(tx, job, "waiting_human", ("run.waiting_human", None, dict(content)))


def pause(tx: Tx, job: Job, *, content: Mapping[str, Any] | None = None) -> None:
    """The holder obeys a pause request. Raises LeaseLost."""
    _end(tx, job, "waiting_human")
    _mark(tx, job, "paused", ("run.paused", None, {"by": "operator", **(content or {})}))


def release(tx: Tx, job: Job, reason: Literal["drain", "report"] = "drain") -> None:
    """Hand the job back: it waits again at once, and this attempt never was. Raises LeaseLost."""
    _end(tx, job, "queued")
    tx.run(
        "UPDATE job SET reason = :reason, attempts = attempts - 1, scheduled_at = now_us() WHERE id = :id",
        id=job.id,
        reason=reason,
    )
    _mark(tx, job, "queued", ("run.queued", None, {"reason": reason}))
    tx.notify("jobs")


def _end(tx: Tx, job: Job, state: str, *, error: str | None = None) -> None:
    if not _close(tx, job.id, job.user_id, state, epoch=job.epoch, error=error):
        raise events.gone(job.run_id, job.epoch)


def _close(tx: Tx, job_id: int, user_id: str, state: str, *, epoch: int | None = None, error: str | None = None) -> bool:
    """A running job leaves that state, and its lane gets the place back; False when it was not running under the epoch."""
    moved = tx.run(
        "UPDATE job SET state = :state, locked_by = NULL, lease_until = NULL, error = :error"
        f"{', finished_at = now_us()' if state in ('done', 'failed') else ''} "
        f"WHERE id = :id AND state = 'running'{'' if epoch is None else ' AND epoch = :epoch'}",
        state=state,
        error=error,
        id=job_id,
        **({} if epoch is None else {"epoch": epoch}),
    )
    if not moved:
        return False
    if state == "queued":
        lanes.enter(tx, user_id, stopped=1)
    else:
        lanes.leave(tx, user_id, running=1)
    return True


def _mark(
    tx: Tx, job: Job, status: RunStatus, item: events.Item, *, outcome: str | None = None, error: str | None = None
) -> None:
    if not runs.mark(tx, job.run_id, _HELD, status, item, epoch=job.epoch, fence=True, outcome=outcome, error=error):
        raise events.gone(job.run_id, job.epoch)


def _fail_run(tx: Tx, run_id: str, cause: str, attempts: int, *, epoch: int | None) -> None:
    item = ("run.failed", None, {"outcome": "failed", "error": cause, "attempts": attempts})
    if not runs.mark(tx, run_id, _HELD, "failed", item, epoch=epoch, fence=True, outcome="failed", error=cause):
        raise events.gone(run_id, epoch)
