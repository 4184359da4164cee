"""A user's place in the queue: how many jobs wait and run, and how far along the user's virtual clock is.

Invariant: `queued` and `running` equal the number of the user's jobs in those states at every commit; each move of a job is
paired with one of these functions in the same transaction. So who is next is one look into an index, whatever waits.

Fairness is start-time fair queueing: each job served moves its lane's clock by STRIDE / weight; a lane that had nothing
waiting goes on from the present of the others, so that idle time is not saved up.

Whoever changes a queued job on PostgreSQL takes its lane first (`lock`), then the job, then the run. Claims pass over
locked lanes, so they never wait for one another.
"""

from __future__ import annotations

from typing import Any

from autonomy.core.errors import InvalidInput
from autonomy.storage.database import Tx

STRIDE = 1 << 20
"""How far one job moves the clock of a lane of weight 1: large, so that weights divide it finely."""
LIMIT = 2
"""Jobs of one user that run at once, unless configured."""

_PRESENT = (
    "COALESCE((SELECT vt FROM lane WHERE queued > 0 AND running < allowed ORDER BY vt, user_id LIMIT 1), "
    "(SELECT vt FROM lane ORDER BY vt DESC LIMIT 1), 0)"
)
_ENTER = f"""
INSERT INTO lane (user_id, vt, queued) VALUES (:user_id, {_PRESENT}, 1)
ON CONFLICT (user_id) DO UPDATE SET queued = lane.queued + 1, running = lane.running - :stopped,
vt = CASE WHEN lane.queued = 0 AND lane.vt < excluded.vt THEN excluded.vt ELSE lane.vt END
"""  # a lane that already waits keeps its clock: it is behind because others were served
_SERVE = f"UPDATE lane SET vt = vt + {STRIDE} / weight, queued = queued - 1, running = running + 1 WHERE user_id = "
_ELIGIBLE = "SELECT user_id FROM lane WHERE queued > 0 AND running < allowed ORDER BY vt, user_id LIMIT 1"


def lock(tx: Tx, user_id: str) -> None:
    """Keep others from moving this user's jobs until the transaction ends."""
    if tx.dialect.lock:
        tx.tuples(f"SELECT user_id FROM lane WHERE user_id = :user_id {tx.dialect.lock}", user_id=user_id)


def enter(tx: Tx, user_id: str, *, stopped: int = 0) -> None:
    """One more job waits; `stopped` is 1 when it was running until now."""
    tx.run(_ENTER, user_id=user_id, stopped=stopped)


def leave(tx: Tx, user_id: str, *, queued: int = 0, running: int = 0) -> None:
    """So many jobs no longer wait, or no longer run."""
    tx.run(
        "UPDATE lane SET queued = queued - :queued, running = running - :running WHERE user_id = :user_id",
        queued=queued,
        running=running,
        user_id=user_id,
    )


def serve_next(tx: Tx, *, wait: bool = True) -> str | None:
    """Take a place for the waiting user who is furthest behind and under their limit; None when nobody is.

    Where every such lane is locked by another transaction (PostgreSQL), `wait` waits for one instead of leaving its job
    to chance; a caller that holds locks already passes False.
    """
    found = tx.value(f"{_SERVE}({_ELIGIBLE} {tx.dialect.skip_locked}) RETURNING user_id")
    if found is None and wait and tx.dialect.lock:
        tries = 3
        while found is None and tries and tx.value(_ELIGIBLE) is not None:
            found = tx.value(f"{_SERVE}({_ELIGIBLE} {tx.dialect.lock}) RETURNING user_id")
            tries -= 1
    return None if found is None else str(found)


def serve(tx: Tx, user_id: str) -> bool:
    """Take a place for this user out of turn; False when the user is at the limit."""
    return tx.run(f"{_SERVE} :user_id AND queued > 0 AND running < allowed", user_id=user_id) == 1


def recount(tx: Tx, user_id: str) -> None:
    """Set the counters to the truth (only ever needed for rows that something else has edited)."""
    tx.run(
        "UPDATE lane SET queued = (SELECT count(*) FROM job WHERE user_id = :user_id AND state = 'queued'), "
        "running = (SELECT count(*) FROM job WHERE user_id = :user_id AND state = 'running') WHERE user_id = :user_id",
        user_id=user_id,
    )


def configure(tx: Tx, user_id: str, *, weight: int = 1, allowed: int = LIMIT) -> None:
    """Set a user's share (weight 2 gets twice the jobs of weight 1) and how many of their jobs may run at once."""
    if not 1 <= weight <= 1000 or not 1 <= allowed <= 10_000:
        raise InvalidInput("a lane's weight is 1 to 1000 and its limit 1 to 10000", "Correct [queue] in autonomy.toml.")
    tx.run(
        "INSERT INTO lane (user_id, weight, allowed) VALUES (:user_id, :weight, :allowed) "
        "ON CONFLICT (user_id) DO UPDATE SET weight = excluded.weight, allowed = excluded.allowed",
        user_id=user_id,
        weight=weight,
        allowed=allowed,
    )


def get(tx: Tx, user_id: str) -> dict[str, Any] | None:
    """The lane's row, None for a user who never queued anything."""
    return tx.row("SELECT user_id, vt, weight, queued, running, allowed FROM lane WHERE user_id = :user_id", user_id=user_id)
