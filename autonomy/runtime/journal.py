"""The rows of outside calls: what was intended, what was set aside for it, what came of it.

Every function is a step of one call and belongs into one transaction: the row, the run's budget and the event move
together, under the run's epoch, or not at all. A call's number `n` and its slot never change hands: `n` names the call
towards providers (Idempotency-Key), the slot lets a repeated node find it again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autonomy.core.errors import (
    AutonomyError,
    BadAnswer,
    InvalidInput,
    LeaseLost,
    NotFound,
    PolicyRefused,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
)
from autonomy.core.llm import Usage
from autonomy.core.tools import Effect
from autonomy.core.types import StepLimits
from autonomy.runtime import budgets, events
from autonomy.storage.database import Tx

Item = events.Item
NOTHING = Usage(cost_micro_usd=0, cost_source="free")
"""What a request took that was not served."""
KEPT_ERRORS = (ProviderError, InvalidInput, NotFound, PolicyRefused)
"""What a call can end in. Everything else (lost lease, broken disk, spent budget) is trouble of ours, not its answer."""
_CLASSES: dict[str, type[AutonomyError]] = {
    error.code: error
    for error in (BadAnswer, InvalidInput, NotFound, PolicyRefused, ProviderError, ProviderRefused, ProviderUnavailable)
}


@dataclass(frozen=True, slots=True)
class Intent:
    """One call as its node means it, before anybody is asked."""

    run_id: str
    epoch: int
    slot: str
    kind: str
    name: str
    node: str
    step: int
    effect: Effect
    limits: StepLimits | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """One call as it would be put to one provider or tool: the body as recorded, its worst case, what to send.

    `asked` is the least that a request takes once it was sent, whether or not an answer came.
    """

    provider: str
    model: str | None
    body: str
    worst: Usage
    payload: Any
    asked: Usage = NOTHING

    @property
    def tokens(self) -> int:
        """Tokens to set aside, in and out."""
        return self.worst.tokens_in + self.worst.tokens_out


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: an answer, an answer that was no use (both paid), or none."""

    provider: str
    model: str | None
    result: bytes | None
    problem: AutonomyError | None
    usage: Usage

    @property
    def state(self) -> str:
        """answered as soon as there is something to read again."""
        return "failed" if self.result is None else "answered"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as it stands. `body` is the request as it was sent; a repeat under the same number sends it unchanged."""

    n: int
    state: str
    effect: str
    epoch: int
    body: str
    result: bytes | None
    problem: AutonomyError | None
    reserved_tokens: int
    reserved_usd: int
    spent: Usage
    attempts: int


def find(tx: Tx, run_id: str, slot: str) -> Entry | None:
    """The row of a slot, if the node asked this before."""
    row = tx.row(
        "SELECT n, state, effect, epoch, request, result, error, reserved_tokens, reserved_usd, tokens_in, tokens_out, "
        "cost_usd, cost_source, attempts FROM call WHERE run_id = :run AND slot = :slot",
        run=run_id,
        slot=slot,
    )
    if row is None:
        return None
    return Entry(
        n=row["n"],
        state=row["state"],
        effect=row["effect"],
        epoch=row["epoch"],
        body=row["request"],
        result=None if row["result"] is None else bytes(row["result"]),
        problem=None if row["error"] is None else decode_error(row["error"]),
        reserved_tokens=row["reserved_tokens"],
        reserved_usd=row["reserved_usd"],
        spent=_spent(row),
        attempts=row["attempts"],
    )


def begin(tx: Tx, intent: Intent, offer: Offer, ms: int) -> int:
    """Reserve, number and write down a call that is about to be made. Returns n. Raises BudgetExceeded, LeaseLost."""
    _reserve(tx, intent, offer, ms)
    n = _number(tx, intent)
    _insert(tx, intent, n, offer.provider, offer.model, offer.body, offer)
    _say(tx, intent, [_started(intent, n, offer)])
    return n


def release(tx: Tx, intent: Intent, entry: Entry) -> None:
    """Give back what a call whose end nobody saw had set aside, before it is taken up again in the same transaction."""
    budgets.settle(
        tx, intent.run_id, intent.epoch, reserved_tokens=entry.reserved_tokens, reserved_usd=entry.reserved_usd, tokens=0, usd=0
    )


def take_up(tx: Tx, intent: Intent, entry: Entry, offer: Offer, ms: int) -> None:
    """Repeat a call whose end nobody saw, under its old number; `release` came before."""
    _reserve(tx, intent, offer, ms)
    _point(tx, intent, entry.n, offer, entry.spent, entry.attempts)
    item = _started(intent, entry.n, offer)
    _say(tx, intent, [(item[0], item[1], {**item[2], "repeated": True})])


def set_aside(tx: Tx, intent: Intent, entry: Entry) -> None:
    """Keep a call that failed for now as history, and free its slot for another try under a new number."""
    tx.run(
        "UPDATE call SET slot = slot || :mark WHERE run_id = :run AND n = :n", mark=f"~{entry.n}", run=intent.run_id, n=entry.n
    )


def put_again(
    tx: Tx, intent: Intent, n: int, offer: Offer, spent: Usage, attempts: int, ms: int, items: Sequence[Item]
) -> None:
    """A request failed and another follows, to the same provider or the next: reserve what it may take.

    `charge` for the last one came before. Also the kill switch between two requests.
    """
    _reserve(tx, intent, offer, ms)
    _point(tx, intent, n, offer, spent, attempts)
    _say(tx, intent, items)


def settle(
    tx: Tx, intent: Intent, n: int, offer: Offer, took: Usage, outcome: Outcome, attempts: int, ms: int, duration_ms: int,
    items: Sequence[Item],
) -> None:  # fmt: skip
    """Write down how a call ended. `took` is what the last provider took, `outcome.usage` all that the call took."""
    charge(tx, intent, offer, took, ms)
    usage = outcome.usage
    tx.run(
        "UPDATE call SET state = :state, provider = :provider, model = :model, result = :result, error = :error, "
        "attempts = :attempts, reserved_tokens = 0, reserved_usd = 0, tokens_in = :tokens_in, tokens_out = :tokens_out, "
        "cost_usd = :cost, cost_source = :source, epoch = :epoch, finished_at = now_us() WHERE run_id = :run AND n = :n",
        state=outcome.state,
        provider=_short(outcome.provider, 64),
        model=_short(outcome.model, 128),
        result=outcome.result,
        error=None if outcome.problem is None else encode_error(outcome.problem),
        attempts=attempts,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        cost=usage.cost_micro_usd,
        source=usage.cost_source,
        epoch=intent.epoch,
        run=intent.run_id,
        n=n,
    )
    _say(tx, intent, [*items, _finished(intent, n, outcome, attempts, duration_ms)])


def close_open(tx: Tx, run_id: str) -> None:
    """Settle the calls of a run that has ended whose own end nobody saw: nobody will take them up any more.

    Each may have been sent, so its prompt is counted; what it costs is unknown, and counted as such. The caller has ended
    the run in this transaction.
    """
    found = tx.rows(
        "SELECT n, kind, request, reserved_tokens, reserved_usd FROM call WHERE run_id = :run AND state = 'reserved'",
        run=run_id,
    )
    for row in found:
        output = json.loads(row["request"])["max_output_tokens"] if row["kind"] == "chat" else 0
        prompt = max(0, row["reserved_tokens"] - output)
        tx.run(
            "UPDATE call SET state = 'failed', error = :error, reserved_tokens = 0, reserved_usd = 0, "
            "tokens_in = tokens_in + :prompt, cost_usd = NULL, cost_source = 'unknown', finished_at = now_us() "
            "WHERE run_id = :run AND n = :n",
            error=encode_error(ProviderUnavailable("cut", "The run ended before the call did.")),
            prompt=prompt,
            run=run_id,
            n=row["n"],
        )
        tx.run(
            "UPDATE run SET reserved_tokens = reserved_tokens - :tokens, reserved_usd = reserved_usd - :usd, "
            "used_tokens = used_tokens + :prompt, unpriced_calls = unpriced_calls + 1 WHERE id = :run",
            tokens=row["reserved_tokens"],
            usd=row["reserved_usd"],
            prompt=prompt,
            run=run_id,
        )


def once(tx: Tx, intent: Intent, body: str, outcome: Outcome, duration_ms: int) -> int:
    """A call that is free to repeat, written down whole after it was made: one transaction instead of two. Returns n."""
    n = _number(tx, intent)
    offer = Offer(outcome.provider, outcome.model, body, NOTHING, None)
    _insert(tx, intent, n, outcome.provider, outcome.model, body, offer)
    tx.run(
        "UPDATE call SET state = :state, result = :result, error = :error, attempts = 1, cost_usd = 0, cost_source = 'free', "
        "started_at = started_at - :taken, finished_at = now_us() WHERE run_id = :run AND n = :n",
        state=outcome.state,
        result=outcome.result,
        error=None if outcome.problem is None else encode_error(outcome.problem),
        taken=duration_ms * 1000,
        run=intent.run_id,
        n=n,
    )
    _say(tx, intent, [_started(intent, n, offer), _finished(intent, n, outcome, 1, duration_ms)])
    return n


def any_answer(tx: Tx, run_id: str) -> bool:
    """Whether a model has answered the run yet."""
    sql = "SELECT 1 FROM call WHERE run_id = :run AND kind = 'chat' AND state = 'answered' LIMIT 1"
    return tx.value(sql, run=run_id) is not None


def encode_error(error: AutonomyError) -> str:
    """An error as it stands in a row: its code and its two lines."""
    kept = {"code": error.code, "message": error.message, "hint": error.hint}
    if isinstance(error, ProviderUnavailable) and error.retry_after is not None:
        kept["retry_after"] = repr(error.retry_after)
    return json.dumps(kept, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def decode_error(text: str) -> AutonomyError:
    """The error that a row tells of."""
    kept = json.loads(text)
    if kept["code"] == ProviderUnavailable.code:
        after = kept.get("retry_after")
        return ProviderUnavailable(kept["message"], kept["hint"], None if after is None else float(after))
    return _CLASSES.get(kept["code"], ProviderError)(kept["message"], kept["hint"])


def _spent(row: dict[str, Any]) -> Usage:
    if not row["tokens_in"] and not row["tokens_out"] and not row["cost_usd"]:
        return NOTHING
    return Usage(row["tokens_in"], row["tokens_out"], row["cost_usd"], row["cost_source"])


def _reserve(tx: Tx, intent: Intent, offer: Offer, ms: int) -> None:
    budgets.reserve(tx, intent.run_id, intent.epoch, offer.tokens, offer.worst.cost_micro_usd, ms=ms, provider=offer.provider)


def charge(tx: Tx, intent: Intent, offer: Offer, took: Usage, ms: int = 0) -> None:
    """Give an offer's reservation back and count what its provider took."""
    reserved = offer.worst.cost_micro_usd or 0
    unknown = took.cost_micro_usd is None
    budgets.settle(
        tx,
        intent.run_id,
        intent.epoch,
        reserved_tokens=offer.tokens,
        reserved_usd=reserved,
        tokens=took.tokens_in + took.tokens_out,
        # An answer of unknown price counts what was set aside for it: unknown is never zero.
        usd=reserved if took.cost_micro_usd is None else took.cost_micro_usd,
        unpriced=unknown,
        ms=ms,
    )


def _number(tx: Tx, intent: Intent) -> int:
    n = tx.value(
        "UPDATE run SET next_call = next_call + 1 WHERE id = :run AND epoch = :epoch RETURNING next_call",
        run=intent.run_id,
        epoch=intent.epoch,
    )
    if n is None:
        raise LeaseLost(f"another worker holds run {intent.run_id} now", "Nothing was written; it goes on there.")
    return int(n)


def _insert(tx: Tx, intent: Intent, n: int, provider: str, model: str | None, body: str, offer: Offer) -> None:
    tx.run(
        "INSERT INTO call (run_id, n, slot, kind, name, node, step, effect, state, provider, model, request, "
        "reserved_tokens, reserved_usd, epoch, started_at) VALUES (:run, :n, :slot, :kind, :name, :node, :step, :effect, "
        "'reserved', :provider, :model, :body, :tokens, :usd, :epoch, now_us())",
        run=intent.run_id,
        n=n,
        slot=intent.slot,
        kind=intent.kind,
        name=intent.name,
        node=intent.node,
        step=intent.step,
        effect=intent.effect,
        provider=_short(provider, 64),
        model=_short(model, 128),
        body=body,
        tokens=offer.tokens,
        usd=offer.worst.cost_micro_usd or 0,
        epoch=intent.epoch,
    )


def _point(tx: Tx, intent: Intent, n: int, offer: Offer, spent: Usage, attempts: int) -> None:
    tx.run(
        "UPDATE call SET provider = :provider, model = :model, request = :body, reserved_tokens = :tokens, "
        "reserved_usd = :usd, tokens_in = :tokens_in, tokens_out = :tokens_out, cost_usd = :cost, cost_source = :source, "
        "attempts = :attempts, epoch = :epoch WHERE run_id = :run AND n = :n",
        provider=_short(offer.provider, 64),
        model=_short(offer.model, 128),
        body=offer.body,
        tokens=offer.tokens,
        usd=offer.worst.cost_micro_usd or 0,
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        cost=spent.cost_micro_usd,
        source=spent.cost_source,
        attempts=attempts,
        epoch=intent.epoch,
        run=intent.run_id,
        n=n,
    )


def _say(tx: Tx, intent: Intent, items: Sequence[Item]) -> None:
    if items:
        events.append(tx, intent.run_id, items, epoch=intent.epoch)


def _started(intent: Intent, n: int, offer: Offer) -> Item:
    return (
        "call.started",
        intent.node,
        {
            "call": n,
            "kind": intent.kind,
            "name": intent.name,
            "provider": offer.provider,
            "model": offer.model,
            "reserved": {"tokens": offer.tokens, "usd": budgets.dollars(offer.worst.cost_micro_usd)},
        },
    )


def _finished(intent: Intent, n: int, outcome: Outcome, attempts: int, duration_ms: int) -> Item:
    content: dict[str, Any] = {
        "call": n,
        "kind": intent.kind,
        "name": intent.name,
        "provider": outcome.provider,
        "model": outcome.model,
        "state": outcome.state,
        "attempts": attempts,
        "duration_ms": duration_ms,
        "tokens_in": outcome.usage.tokens_in,
        "tokens_out": outcome.usage.tokens_out,
        "usd": budgets.dollars(outcome.usage.cost_micro_usd),
        "cost_source": outcome.usage.cost_source,
        "estimated": outcome.usage.estimated,
    }
    if outcome.problem is not None:
        content["error"] = {
            "code": outcome.problem.code,
            "message": outcome.problem.message[:200].encode("utf-8", "replace").decode("utf-8"),
        }
    return ("call.finished", intent.node, content)


def _short(text: str | None, length: int) -> str | None:
    """Names come from configuration and from providers' answers; the columns are bounded."""
    return None if text is None else text[:length]
