"""The run row: how a run is going. Every change of status is one guarded UPDATE, with its event in the same transaction.

Invariants: done, failed and aborted never change again; a run has exactly one terminal event; `mark` says whether the
caller won. The caller owns the transaction, so that the job, the cycle or the deliverable can change together with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from autonomy.core.clock import ID_PATTERN, new_id
from autonomy.core.errors import InvalidInput, NotFound
from autonomy.core.types import RunState, RunStatus
from autonomy.runtime import events, journal, lanes
from autonomy.storage.database import Tx

TERMINAL: Final[frozenset[RunStatus]] = frozenset({"done", "failed", "aborted"})
STANDING: Final[tuple[RunStatus, ...]] = ("queued", "waiting_human", "paused")
"""Statuses of a run that is alive while nobody works on it."""
STATUSES: Final[frozenset[str]] = frozenset(get_args(RunStatus))
STATES: Final[tuple[str, ...]] = get_args(RunState)
CANDIDATES = 10
"""The most ids an error lists."""
PAGE_MAX = 200
_CURSOR = re.compile(r"([0-9]{1,19})\.([A-Za-z0-9_-]{1,64})")
_OBEYED: Final[Mapping[str, RunStatus]] = {"pause": "paused", "abort": "aborted"}

Control = Literal["pause", "abort"]
Controlled = Literal["applied", "requested", "unchanged", "ended"]


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is made from. `task` is the TaskSpec as plain data; limits are tokens, milliseconds, micro-dollars."""

    user_id: str
    journey: str
    goal: str
    task: Mapping[str, Any]
    provider: str
    correlation_id: str
    id: str = field(default_factory=new_id)
    route: str = "interpret"
    task_id: str | None = None
    limit_tokens: int | None = None
    limit_ms: int | None = None
    limit_usd: int | None = None
    idempotency_key: str | None = None
    request_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Created:
    """The run's id; `repeated` when the idempotency key had made it before, and nothing was written."""

    run_id: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A run as stored. Times in microseconds, `*_ms` in milliseconds, `*_usd` in micro-dollars."""

    id: str
    user_id: str
    journey: str
    goal: str
    status: RunStatus
    outcome: str | None
    route: str
    control: Control | None
    task: dict[str, Any]
    task_id: str | None
    correlation_id: str
    provider: str
    error: str | None
    epoch: int
    next_seq: int
    next_call: int
    limit_tokens: int | None
    limit_ms: int | None
    limit_usd: int | None
    used_tokens: int
    used_ms: int
    used_usd: int
    reserved_tokens: int
    reserved_usd: int
    unpriced_calls: int
    created_at: int
    updated_at: int
    finished_at: int | None

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return self.status in TERMINAL


@dataclass(frozen=True, slots=True)
class Page:
    """Runs, newest first; `next_cursor` goes on where the page ended, None at the end."""

    items: list[Run]
    next_cursor: str | None


_COLUMNS = ", ".join(Run.__slots__)
_NEW = tuple(name for name in NewRun.__slots__ if name != "task")
_INSERT = (
    f"INSERT INTO run ({', '.join(_NEW)}, task, status, created_at, updated_at) "
    f"VALUES ({', '.join(f':{name}' for name in _NEW)}, :task, 'queued', now_us(), now_us()) "
    "ON CONFLICT (user_id, idempotency_key) DO NOTHING"
)

_NOTHING_AWAITED = (
    "UPDATE cycle SET status = 'rejected', why = :why, decided_at = now_us() "
    "WHERE run_id = :id AND status IN ('awaiting_report', 'report_ready')"
)


def create(tx: Tx, new: NewRun) -> Created:
    """Insert the run with its limits and its first event. The same key with the same request finds the old run.

    Raises InvalidInput for a malformed id, and for a key that was used with another request.
    """
    _wellformed(new.id)
    key = new.idempotency_key
    if key is not None and (not 1 <= len(key) <= 256 or not key.isprintable()):
        raise InvalidInput("an idempotency key is 1 to 256 printable characters", "Choose another key.")
    values = {name: getattr(new, name) for name in _NEW}
    if tx.run(_INSERT, **values, task=events.encode(new.task, "task")) == 1:
        events.append(tx, new.id, [("run.queued", None, {"reason": "start", "journey": new.journey})], epoch=None)
        return Created(new.id, repeated=False)
    old = tx.row(
        "SELECT id, request_hash FROM run WHERE user_id = :user_id AND idempotency_key = :key",
        user_id=new.user_id,
        key=key,
    )
    if old is None or old["request_hash"] != new.request_hash:
        raise InvalidInput("this idempotency key was used for another request", "Choose a new key, or repeat it unchanged.")
    return Created(str(old["id"]), repeated=True)


def get(tx: Tx, run_id: str) -> Run:
    """The run. Raises NotFound."""
    found = tx.tuples(f"SELECT {_COLUMNS} FROM run WHERE id = :id", id=run_id)
    if not found:
        raise events.gone(run_id, None)
    return _run(found[0])


def resolve(tx: Tx, prefix: str, user: str | None = None) -> str:
    """The id that the text, or a unique beginning of an id, names; of that user's runs where a user is given.

    Raises InvalidInput for text that is no id, NotFound (with candidates) when none or several begin so.
    """
    _wellformed(prefix)
    mine = "" if user is None else " AND user_id = :user"
    who = {} if user is None else {"user": user}
    if tx.value(f"SELECT id FROM run WHERE id = :id{mine}", id=prefix, **who) is not None:
        return prefix
    # No LIKE: an id may hold "_", and SQLite's LIKE does not tell case.
    found = tx.tuples(
        f"SELECT id FROM run WHERE substr(id, 1, :size) = :prefix{mine} ORDER BY id LIMIT :limit",
        size=len(prefix),
        prefix=prefix,
        limit=CANDIDATES + 1,
        **who,
    )
    if len(found) == 1:
        return str(found[0][0])
    ids = tuple(str(row[0]) for row in found[:CANDIDATES])
    if not ids:
        raise NotFound(f"no run begins with {prefix}", "List runs with 'autonomy run list'.")
    more = " ..." if len(found) > CANDIDATES else ""
    raise NotFound(f"several runs begin with {prefix}: {', '.join(ids)}{more}", "Give more of the id.", candidates=ids)


def page(tx: Tx, user: str | None = None, status: str | None = None, limit: int = 50, cursor: str | None = None) -> Page:
    """Runs, newest first, at most 200 a page; `status` is how they stand, or the outcome with which they ended.

    Raises InvalidInput for an unknown status, limit or cursor.
    """
    if status is not None and status not in STATES:
        raise InvalidInput(f"unknown status {status!r}", f"One of: {', '.join(STATES)}.")
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidInput(f"a page holds 1 to {PAGE_MAX} runs", "Correct the limit.")
    conditions, values = ["1 = 1"], dict[str, Any](limit=limit + 1)
    if user is not None:
        conditions.append("user_id = :user")
        values["user"] = user
    if status is not None:
        conditions.append(f"{'status' if status in STATUSES else 'outcome'} = :status")
        values["status"] = status
    if cursor is not None:
        matched = _CURSOR.fullmatch(cursor)
        if matched is None or int(matched[1]) >= 1 << 63:
            raise InvalidInput("not a cursor of this list", "Use next_cursor of the page before, unchanged.")
        conditions.append("(created_at, id) < (:created_at, :id)")
        values.update(created_at=int(matched[1]), id=matched[2])
    found = tx.tuples(
        f"SELECT {_COLUMNS} FROM run WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id DESC LIMIT :limit", **values
    )
    items = [_run(row) for row in found[:limit]]
    more = len(found) > limit
    return Page(items, f"{items[-1].created_at}.{items[-1].id}" if more else None)


def mark(
    tx: Tx,
    run_id: str,
    from_statuses: Collection[RunStatus],
    to: RunStatus,
    event: events.Item,
    *,
    epoch: int | None = None,
    fence: bool = False,
    outcome: str | None = None,
    error: str | None = None,
) -> bool:
    """Change the status if it is one of `from_statuses` (and the epoch still the caller's); returns whether it was.

    The event is written only by the winner. `fence` raises the epoch, so that whoever held the run writes no more. A
    pending control request is cleared. Ended runs are never changed, whatever `from_statuses` says. An end settles the
    calls that are still open, so that an ended run has nothing reserved, and closes the wait for a report.
    """
    allowed = sorted(set(from_statuses) - TERMINAL)
    if not STATUSES.issuperset(allowed) or to not in STATUSES:
        raise InvalidInput(f"unknown run status among {[*allowed, to]}", "Use a status of core.types.")
    quoted = ", ".join(f"'{status}'" for status in allowed) or "NULL"
    found = tx.tuples(
        "UPDATE run SET status = :to, outcome = :outcome, error = :error, control = NULL, next_seq = next_seq + 1, "
        f"epoch = epoch + :fence, updated_at = now_us(){', finished_at = now_us()' if to in TERMINAL else ''} "
        f"WHERE id = :id AND status IN ({quoted}){'' if epoch is None else ' AND epoch = :epoch'} "
        "RETURNING next_seq, correlation_id, updated_at",
        to=to,
        outcome=outcome,
        error=error,
        fence=int(fence),
        id=run_id,
        **({} if epoch is None else {"epoch": epoch}),
    )
    if not found:
        return False
    seq, correlation_id, now = found[0]
    events.insert(tx, run_id, seq, [event], correlation_id=correlation_id, now=now)
    if to in TERMINAL:
        journal.close_open(tx, run_id)
        tx.run(_NOTHING_AWAITED, id=run_id, why=f"the run ended ({to})")
    return True


def request_control(tx: Tx, run_id: str, control: Control) -> Controlled:
    """Pause or abort. A run nobody is working on obeys at once ("applied"); a worker is asked ("requested") and obeys at
    its next step; "unchanged" means it stands still or was asked already, "ended" that it is too late.

    Where the worker may be gone, call `queue.take_over_if_gone` afterwards: it applies the request. Raises NotFound.
    """
    for _ in range(3):  # the run may change hands between the two looks; on the third it has certainly moved
        asked = tx.run(
            "UPDATE run SET control = :control, updated_at = now_us() "
            "WHERE id = :id AND status = 'running' AND (control IS NULL OR (control = 'pause' AND :control = 'abort'))",
            control=control,
            id=run_id,
        )
        if asked:
            tx.notify("control")
            return "requested"
        run = get(tx, run_id)
        if run.ended:
            return "ended"
        if run.status == "running" or (control == "pause" and run.status == "paused"):
            return "unchanged"
        if obey(tx, run, control):
            return "applied"
    return "unchanged"


def withdraw_pause(tx: Tx, run_id: str) -> bool:
    """Take a pause back that no worker has obeyed yet; returns whether there was one."""
    return bool(tx.run("UPDATE run SET control = NULL WHERE id = :id AND status = 'running' AND control = 'pause'", id=run_id))


def obey(tx: Tx, run: Run, control: Control) -> bool:
    """Apply the request to a run without a worker, its waiting job included; False when it has just changed hands."""
    lanes.lock(tx, run.user_id)
    job = "done" if control == "abort" else "waiting_human"
    closed = tx.tuples(
        "SELECT id, state FROM job WHERE run_id = :run_id AND state IN ('queued', 'running', 'retry', 'waiting_human') "
        f"{tx.dialect.lock}",
        run_id=run.id,
    )
    if closed and closed[0][1] == "running":
        return False
    if closed:
        tx.run(
            f"UPDATE job SET state = :state{', finished_at = now_us()' if job == 'done' else ''} WHERE id = :id",
            state=job,
            id=closed[0][0],
        )
        if closed[0][1] == "queued":
            lanes.leave(tx, run.user_id, queued=1)
    return stop(tx, run.id, STANDING, control, held=False)


def stop(tx: Tx, run_id: str, from_statuses: Collection[RunStatus], control: Control, *, held: bool) -> bool:
    """`mark` as paused or aborted on an operator's word; `held` closes the door behind whoever held the run.

    A run that nobody held keeps its epoch, so that its first claim still is its start.
    """
    status = _OBEYED[control]
    outcome = "aborted" if control == "abort" else None
    return mark(tx, run_id, from_statuses, status, (f"run.{status}", None, {"by": "operator"}), fence=held, outcome=outcome)


def _wellformed(text: str) -> None:
    if ID_PATTERN.fullmatch(text) is None:
        raise InvalidInput(f"not a run id: {text[:80]!r}", "Ids are 1 to 64 letters, digits, '-' and '_'.")


def _run(row: tuple[Any, ...]) -> Run:
    values = dict(zip(Run.__slots__, row, strict=True))
    values["task"] = json.loads(values["task"])
    return Run(**values)
