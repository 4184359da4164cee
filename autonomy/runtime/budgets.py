"""The run's limits: tokens, time, US dollars. Reserved before a call, settled after it, on the run's own row.

The invariant: used + reserved never passes a limit, whoever asks at the same time, because one guarded UPDATE both
compares and reserves. Time cannot be reserved; it is booked as it passes, and what is left bounds each request. Tokens
are counts, time is milliseconds, money is integer micro-dollars; None is an unknown price or no limit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any, TypedDict

from autonomy.core.errors import BudgetExceeded, Killed, LeaseLost, NotFound, UnknownPrice
from autonomy.core.types import Budget
from autonomy.runtime import events
from autonomy.storage.database import Tx

MICRO = 1_000_000
_COLUMNS = "epoch, control, limit_tokens, limit_ms, limit_usd, used_tokens, used_ms, used_usd, reserved_tokens, reserved_usd"


@dataclass(frozen=True, slots=True)
class Left:
    """What may still be asked for: tokens, milliseconds, micro-dollars; None is unlimited, never below zero."""

    tokens: int | None
    ms: int | None
    usd: int | None


class Meter:
    """The working time of one execution, handed out once: what `take` gave is somebody's to book in the database.

    The journal and the execution share one meter, so that a second is booked by one of them, whoever comes first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._guard = threading.Lock()

    def take(self) -> int:
        """Milliseconds since the last taking; the fraction stays for the next."""
        with self._guard:
            ms = max(0, int((self._clock() - self._since) * 1000))
            self._since += ms / 1000
            return ms

    def peek(self) -> int:
        """Milliseconds since the last taking, left where they are."""
        with self._guard:
            return max(0, int((self._clock() - self._since) * 1000))

    def give_back(self, ms: int) -> None:
        """Undo a `take` that could not be booked."""
        with self._guard:
            self._since -= ms / 1000


class Limits(TypedDict):
    """The limits as the run row holds them."""

    limit_tokens: int | None
    limit_ms: int | None
    limit_usd: int | None


def columns(budget: Budget) -> Limits:
    """A budget as columns; a fraction of a micro-dollar or millisecond is dropped, never granted."""
    return Limits(
        limit_tokens=budget.tokens,
        limit_ms=None if budget.seconds is None else _floor(budget.seconds, 1000),
        limit_usd=None if budget.usd is None else _floor(budget.usd, MICRO),
    )


def reserve(tx: Tx, run_id: str, epoch: int, tokens: int, usd: int | None, *, ms: int = 0, provider: str = "") -> None:
    """Set the worst case of the next call aside and book `ms` of passed time, or change nothing.

    `usd` None is an unknown price: allowed only where no dollar limit stands. Raises BudgetExceeded (Killed,
    UnknownPrice) naming the limit that does not cover it, LeaseLost if the epoch is not the run's any more.
    """
    reserved = tx.run(
        "UPDATE run SET reserved_tokens = reserved_tokens + :tokens, reserved_usd = reserved_usd + :usd, "
        "used_ms = used_ms + :ms WHERE id = :run AND epoch = :epoch AND (control IS NULL OR control <> 'abort') "
        "AND (limit_tokens IS NULL OR used_tokens + reserved_tokens + :tokens <= limit_tokens) "
        "AND (limit_usd IS NULL OR (:priced = 1 AND used_usd + reserved_usd + :usd <= limit_usd)) "
        "AND (limit_ms IS NULL OR used_ms + :ms < limit_ms)",
        run=run_id,
        epoch=epoch,
        tokens=tokens,
        usd=usd or 0,
        priced=0 if usd is None else 1,
        ms=ms,
    )
    if not reserved:
        raise _refusal(_row(tx, run_id), run_id, epoch, tokens, usd, ms, provider)


def settle(
    tx: Tx,
    run_id: str,
    epoch: int,
    *,
    reserved_tokens: int,
    reserved_usd: int,
    tokens: int,
    usd: int,
    unpriced: bool = False,
    ms: int = 0,
) -> None:
    """Give the reservation back and count what the call really took. `unpriced` counts a call of unknown price.

    Raises LeaseLost.
    """
    _fenced(
        tx.run(
            "UPDATE run SET reserved_tokens = reserved_tokens - :reserved_tokens, reserved_usd = reserved_usd - :reserved_usd, "
            "used_tokens = used_tokens + :tokens, used_usd = used_usd + :usd, unpriced_calls = unpriced_calls + :unpriced, "
            "used_ms = used_ms + :ms WHERE id = :run AND epoch = :epoch",
            run=run_id,
            epoch=epoch,
            reserved_tokens=reserved_tokens,
            reserved_usd=reserved_usd,
            tokens=tokens,
            usd=usd,
            unpriced=1 if unpriced else 0,
            ms=ms,
        ),
        run_id,
    )


def spend_time(tx: Tx, run_id: str, epoch: int, ms: int) -> None:
    """Book milliseconds of work (see `Meter`). Passing the limit is not refused: time has passed. Raises LeaseLost."""
    _fenced(
        tx.run("UPDATE run SET used_ms = used_ms + :ms WHERE id = :run AND epoch = :epoch", run=run_id, epoch=epoch, ms=ms),
        run_id,
    )


def left(tx: Tx, run_id: str) -> Left:
    """What no call has used or reserved yet. Raises NotFound."""
    return _left(_row(tx, run_id))


def ensure(tx: Tx, run_id: str, epoch: int, ms: int = 0) -> Left:
    """Whether a call that costs nothing may be made now, with `ms` of passed time not yet booked; what is left then.

    Reads only. Raises BudgetExceeded, Killed, LeaseLost like `reserve`.
    """
    row = _row(tx, run_id)
    if row["epoch"] != epoch:
        raise _lost(run_id)
    if row["control"] == "abort":
        raise Killed
    over = _uncovered(row, 0, 0, ms)
    if over is not None:
        raise over
    found = _left(row)
    return Left(found.tokens, None if found.ms is None else max(0, found.ms - ms), found.usd)


def hold(tx: Tx, run_id: str, epoch: int) -> None:
    """Look once more, right before a request leaves: a worker that was frozen after its reservation must not ask.

    Reads only. Raises LeaseLost.
    """
    if tx.value("SELECT epoch FROM run WHERE id = :run", run=run_id) != epoch:
        raise _lost(run_id)


def change(tx: Tx, run_id: str, budget: Budget) -> Budget:
    """The operator's override: sets the limits that `budget` names (None lifts one), leaves the others; event budget.changed.

    A limit below what is used stops the run before its next call. Returns the limits as they stand. Raises NotFound.
    """
    _row(tx, run_id)
    named = {{"tokens": "limit_tokens", "seconds": "limit_ms", "usd": "limit_usd"}[field] for field in budget.model_fields_set}
    values = {name: value for name, value in columns(budget).items() if name in named}
    if values:
        tx.run(
            f"UPDATE run SET {', '.join(f'{name} = :{name}' for name in sorted(values))} WHERE id = :run", run=run_id, **values
        )
    row = _row(tx, run_id)
    now = {
        "tokens": row["limit_tokens"],
        "seconds": None if row["limit_ms"] is None else row["limit_ms"] / 1000,
        "usd": dollars(row["limit_usd"]),
    }
    changed = [field for field in ("tokens", "seconds", "usd") if field in budget.model_fields_set]
    events.append(tx, run_id, [("budget.changed", None, {"limits": now, "changed": changed})], epoch=None)
    return Budget.model_construct(**now)


def dollars(micro: int | None) -> float | None:
    """Micro-dollars as dollars, for people."""
    return None if micro is None else micro / MICRO


def _floor(value: float, factor: int) -> int:
    return int((Decimal(str(value)) * factor).to_integral_value(rounding=ROUND_FLOOR))


def _row(tx: Tx, run_id: str) -> dict[str, Any]:
    row = tx.row(f"SELECT {_COLUMNS} FROM run WHERE id = :run", run=run_id)
    if row is None:
        raise NotFound(f"no run {run_id}", "See 'autonomy run list'.")
    return row


def _left(row: dict[str, Any]) -> Left:
    def rest(limit: str, taken: int) -> int | None:
        return None if row[limit] is None else max(0, row[limit] - taken)

    return Left(
        rest("limit_tokens", row["used_tokens"] + row["reserved_tokens"]),
        rest("limit_ms", row["used_ms"]),
        rest("limit_usd", row["used_usd"] + row["reserved_usd"]),
    )


def _uncovered(row: dict[str, Any], tokens: int, usd: int, ms: int) -> BudgetExceeded | None:
    """The limit that does not cover the next call, time first (it is never unknown)."""
    if row["limit_ms"] is not None and row["used_ms"] + ms >= row["limit_ms"]:
        return BudgetExceeded("seconds", row["limit_ms"] / 1000, (row["used_ms"] + ms) / 1000, 0)
    taken = row["used_tokens"] + row["reserved_tokens"]
    if row["limit_tokens"] is not None and taken + tokens > row["limit_tokens"]:
        return BudgetExceeded("tokens", row["limit_tokens"], taken, tokens)
    taken = row["used_usd"] + row["reserved_usd"]
    if row["limit_usd"] is not None and taken + usd > row["limit_usd"]:
        return BudgetExceeded("usd", row["limit_usd"] / MICRO, taken / MICRO, usd / MICRO)
    return None


def _refusal(
    row: dict[str, Any], run_id: str, epoch: int, tokens: int, usd: int | None, ms: int, provider: str
) -> BudgetExceeded | LeaseLost:
    if row["epoch"] != epoch:
        return _lost(run_id)
    if row["control"] == "abort":
        return Killed()
    over = _uncovered(row, tokens, usd or 0, ms)
    if over is not None:
        return over
    return UnknownPrice(provider or "this provider", row["limit_usd"] / MICRO, (row["used_usd"] + row["reserved_usd"]) / MICRO)


def _fenced(changed: int, run_id: str) -> None:
    if not changed:
        raise _lost(run_id)


def _lost(run_id: str) -> LeaseLost:
    return LeaseLost(f"another worker holds run {run_id} now", "Nothing was written; it goes on there.")
