"""The desk through which every outside call of a run goes. Reserve, ask, settle; or read what was answered.

The invariant: an answered call is never paid again. Its row is found by its slot, which names it within the run: step,
node, kind, hash of the request, and how often the node asked the same. A call whose end nobody saw is repeated under
its old number, and so under its old Idempotency-Key, unless repeating could do harm; then a person is asked.

One retry layer stands here, and none elsewhere: each provider gets at most `policy.attempts` requests, then the next
one is asked. All writes carry the run's epoch; LeaseLost stops everything without a further write.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from autonomy.core.errors import (
    AutonomyError,
    BadAnswer,
    BudgetExceeded,
    Killed,
    PolicyRefused,
    ProviderUnavailable,
)
from autonomy.core.llm import ChatPort, Usage
from autonomy.runtime import budgets, journal, step_limits
from autonomy.runtime.breaker import Breakers
from autonomy.runtime.budgets import Meter
from autonomy.runtime.journal import KEPT_ERRORS, NOTHING, Entry, Intent, Item, Offer, Outcome
from autonomy.runtime.retry import RetryPolicy
from autonomy.runtime.targets import Answer, Target, ToolBox
from autonomy.storage.database import Database, Tx

T = TypeVar("T")
log = logging.getLogger("autonomy.calls")
_GRACE = 0.2


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose calls these are, and under which lease."""

    run_id: str
    epoch: int
    correlation_id: str


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How a run calls. Seconds bound one request; `minimum_output` tokens is the least worth asking for."""

    parallel_calls: int = 1
    request_seconds: float = 120.0
    minimum_output: int = 16
    policy: RetryPolicy = field(default_factory=RetryPolicy)


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock, sleep and chance, to be replaced together where time must stand still."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


@dataclass(slots=True)
class _Call:
    """One call under way. `items` and `due`, what failed requests took, wait for the next transaction; `spent` is booked.

    `attempts` counts all requests, `tries` the target's.
    """

    intent: Intent
    n: int
    offer: Offer
    deadline: float
    spent: Usage
    attempts: int
    began: float
    tries: int = 0
    due: Usage = NOTHING
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a call came to, fresh or read: bytes, a problem, or both."""

    result: bytes | None
    problem: AutonomyError | None


class CallDesk:
    """All outside calls of one execution of a run (one lease). Belongs to one event loop."""

    def __init__(
        self,
        database: Database,
        holder: Holder,
        *,
        ports: Sequence[ChatPort] = (),
        tools: ToolBox | None = None,
        breakers: Breakers | None = None,
        meter: Meter | None = None,
        options: CallOptions | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.holder = holder
        self.ports = tuple(ports)
        self.tools = tools
        self.options = options or CallOptions()
        self._timing = timing or Timing()
        self.meter = meter or Meter(self._timing.clock)
        self._database = database
        self._breakers = breakers or Breakers(clock=self._timing.clock)
        self._gate = asyncio.Semaphore(self.options.parallel_calls)

    async def put(self, intent: Intent, targets: Sequence[Target]) -> Settled:
        """One journaled call, to the first target that serves it."""
        async with self._gate:
            call, target = await self._open(intent, targets)
            if target is None:
                assert isinstance(call, Entry)
                return Settled(call.result, call.problem)
            assert isinstance(call, _Call)
            return await self._work(call, targets, target)

    async def put_free(self, intent: Intent, target: Target) -> Settled:
        """A call that costs nothing and changes nothing: made first, then written down in one transaction."""
        holder = self.holder

        def look(tx: Tx) -> tuple[Entry | None, budgets.Left | None]:
            entry = journal.find(tx, holder.run_id, intent.slot)
            final = entry is not None and not _asks_again(entry, intent)
            return entry, None if final else self._left(tx, intent, self.meter.peek())

        entry, left = await self._database.aread(look)
        if left is None:
            assert entry is not None
            return Settled(entry.result, entry.problem)
        if entry is not None and entry.state == "reserved":
            return await self.put(intent, [target])
        began = self._timing.clock()
        offer = target.offer(left, None)
        outcome = await self._ask_free(target, offer, math.inf if left.ms is None else left.ms / 1000)
        duration = self._since(began)

        def write(tx: Tx) -> int:
            if entry is not None:
                journal.set_aside(tx, intent, entry)
            return journal.once(tx, intent, offer.body, outcome, duration)

        n = await self._database.awrite(write)
        self._log(intent, n, outcome, 1, duration)
        return Settled(outcome.result, outcome.problem)

    async def _ask_free(self, target: Target, offer: Offer, seconds: float) -> Outcome:
        try:
            answer = await self._request(target, offer, "", seconds)
        except KEPT_ERRORS as error:
            return Outcome(target.name, None, None, error, NOTHING)
        return Outcome(target.name, None, answer.result, answer.problem, NOTHING)

    # -- opening ----------------------------------------------------------------------------------

    async def _open(self, intent: Intent, targets: Sequence[Target]) -> tuple[_Call | Entry, Target | None]:
        """Find the call settled, or reserve it with the first target that can be asked and paid."""
        began = self._timing.clock()
        ready = [target for target in targets if not self._breakers.wait(target.name)]

        def transaction(tx: Tx) -> tuple[_Call | Entry, Target | None]:
            entry = journal.find(tx, intent.run_id, intent.slot)
            if entry is not None and not _asks_again(entry, intent):
                return entry, None
            if entry is not None and entry.state != "reserved":
                journal.set_aside(tx, intent, entry)
                entry = None
            if entry is not None:
                _refuse_unsafe(entry, intent)
                journal.release(tx, intent, entry)
            if not ready:
                raise self._resting(targets)
            return self._reserve(tx, intent, entry, ready, ms, began)

        ms = self.meter.take()
        return await self._booked(ms, transaction)

    def _reserve(
        self, tx: Tx, intent: Intent, entry: Entry | None, ready: Sequence[Target], ms: int, began: float
    ) -> tuple[_Call, Target]:
        refusal: BudgetExceeded | None = None
        left, own = self._left(tx, intent, ms), step_limits.look(tx, intent)
        for target in ready:
            offer = target.offer(left, entry)
            try:
                if own is not None:
                    own.cover(offer)
                if entry is None:
                    n = journal.begin(tx, intent, offer, ms)
                else:
                    n = entry.n
                    journal.take_up(tx, intent, entry, offer, ms)
            except Killed:
                raise
            except BudgetExceeded as error:
                refusal = refusal or error
                continue
            deadline = math.inf if left.ms is None else began + left.ms / 1000
            spent, attempts = (NOTHING, 0) if entry is None else (entry.spent, entry.attempts)
            return _Call(intent, n, offer, deadline, spent, attempts, began), target
        assert refusal is not None
        raise refusal

    # -- asking -----------------------------------------------------------------------------------

    async def _work(self, call: _Call, targets: Sequence[Target], target: Target) -> Settled:
        """Ask one target after the other until one answers, and settle."""
        following = list(targets[targets.index(target) + 1 :])
        while True:
            try:
                answer = await self._insist(call, target)
            except BudgetExceeded as stop:
                await self._settle(call, target, call.due, None, ProviderUnavailable(f"stopped: {stop.message}"))
                await self._database.aread(self._ensure)  # tells the limit and its figures
                raise step_limits.late(call.intent, stop) from stop
            except KEPT_ERRORS as error:
                charge, problem = _plus(call.due, _charge(error, call.offer)), error
            else:
                await self._settle(call, target, answer.usage, answer, answer.problem)
                return Settled(answer.result, answer.problem)
            other = await self._turn(call, target, following, charge, problem)
            if other is None:
                await self._settle(call, target, charge, None, problem)
                return Settled(None, problem)
            target = other

    async def _insist(self, call: _Call, target: Target) -> Answer:
        """Ask one target, again where that may help. Raises its last error, or BudgetExceeded when time runs out."""
        policy = self.options.policy
        if call.intent.effect == "unsafe":
            policy = RetryPolicy(attempts=1)

        def wait(state: RetryCallState) -> float:
            return policy.wait(state.attempt_number, _error(state), self._timing.chance())

        def stop(state: RetryCallState) -> bool:
            time_left = call.deadline - self._timing.clock()
            closed = self._breakers.wait(target.name) > 0
            return closed or not policy.waits(state.attempt_number, state.upcoming_sleep, time_left)

        async def note(state: RetryCallState) -> None:
            await self._note(call, _retry_item(call, target, _error(state), {"wait_seconds": round(state.upcoming_sleep, 3)}))

        retrying = AsyncRetrying(
            sleep=self._timing.sleep,
            stop=stop,
            wait=wait,
            retry=retry_if_exception(policy.retries),
            before_sleep=note,
            reraise=True,
        )
        answer: Answer = await retrying(self._attempt, call, target)
        return answer

    async def _attempt(self, call: _Call, target: Target) -> Answer:
        """One request, counted and reported to the breaker."""
        seconds = call.deadline - self._timing.clock()
        if seconds <= 0:
            raise _out_of_time()
        if not self._breakers.admit(target.name):
            raise self._resting([target])
        await self._database.aread(lambda tx: budgets.hold(tx, self.holder.run_id, self.holder.epoch))
        call.attempts += 1
        call.tries += 1
        key = f"{call.intent.run_id}.{call.n}"
        try:
            answer = await self._request(target, call.offer, key, seconds)
        except ProviderUnavailable as error:
            call.due = _plus(call.due, error.usage or NOTHING)
            if self._timing.clock() >= call.deadline:
                raise _out_of_time() from error
            if self._breakers.failed(target.name, _line(error)):
                content = {"provider": target.name, "reason": _line(error)}
                call.items.append(("breaker.opened", call.intent.node, content))
            raise
        except KEPT_ERRORS:
            self._reachable(call, target)
            raise
        self._reachable(call, target)
        return answer

    def _reachable(self, call: _Call, target: Target) -> None:
        if self._breakers.answered(target.name):
            call.items.append(("breaker.closed", call.intent.node, {"provider": target.name}))

    async def _request(self, target: Target, offer: Offer, key: str, seconds: float) -> Answer:
        limit = min(self.options.request_seconds, seconds)
        try:
            # A port keeps the time itself and tells what it heard until then; this is for one that does not.
            async with asyncio.timeout(limit + _GRACE):
                return await target.ask(offer, key=key, seconds=limit)
        except TimeoutError:
            raise ProviderUnavailable(
                f"{target.name} gave no answer within {limit:g} s", "Try again later.", usage=offer.asked
            ) from None

    # -- writing ----------------------------------------------------------------------------------

    async def _note(self, call: _Call, item: Item) -> None:
        ms = self.meter.take()
        spent = _plus(call.spent, call.due)

        def transaction(tx: Tx) -> None:
            journal.charge(tx, call.intent, call.offer, call.due)
            self._again(tx, call, call.offer, spent, ms, item)

        await self._booked(ms, transaction)
        call.spent, call.due, call.items = spent, NOTHING, []
        fields = {"action": "retry", "provider": item[2]["provider"], "attempt": item[2]["attempt"]}
        log.warning("request failed, another follows", extra=self._fields(call.intent, call.n) | fields)

    async def _turn(
        self, call: _Call, target: Target, following: list[Target], charge: Usage, problem: AutonomyError
    ) -> Target | None:
        """Turn to the next target that is ready and affordable; None if there is none."""
        spent = _plus(call.spent, charge)
        while following:
            other = following.pop(0)
            if self._breakers.wait(other.name):
                continue
            item = _retry_item(call, target, problem, {"next": other.name})
            ms = self.meter.take()

            def transaction(tx: Tx, other: Target = other, ms: int = ms, item: Item = item) -> Offer:
                journal.charge(tx, call.intent, call.offer, charge)
                offer = other.offer(self._left(tx, call.intent, ms), None)
                self._again(tx, call, offer, spent, ms, item)
                return offer

            try:
                offer = await self._booked(ms, transaction)
            except Killed:
                return None
            except BudgetExceeded:
                continue
            call.offer, call.spent, call.due, call.items, call.tries = offer, spent, NOTHING, [], 0
            return other
        return None

    @staticmethod
    def _again(tx: Tx, call: _Call, offer: Offer, spent: Usage, ms: int, item: Item) -> None:
        """Set aside what another request may take, if run and step still cover it. Raises BudgetExceeded."""
        own = step_limits.look(tx, call.intent, call.n, spent)
        if own is not None:
            own.cover(offer)
        journal.put_again(tx, call.intent, call.n, offer, spent, call.attempts, ms, [*call.items, item])

    async def _settle(
        self, call: _Call, target: Target, charge: Usage, answer: Answer | None, problem: AutonomyError | None
    ) -> None:
        total = _plus(call.spent, charge)
        if answer is None:
            outcome = Outcome(target.name, call.offer.model, None, problem, total)
        else:
            outcome = Outcome(answer.provider, answer.model, answer.result, problem, total)
        duration = self._since(call.began)
        ms = self.meter.take()
        await self._booked(
            ms,
            lambda tx: journal.settle(
                tx, call.intent, call.n, call.offer, charge, outcome, call.attempts, ms, duration, call.items
            ),
        )
        self._log(call.intent, call.n, outcome, call.attempts, duration)

    async def _booked(self, ms: int, transaction: Callable[[Tx], T]) -> T:
        """Write; the time that the transaction books is the meter's again if it was not written."""
        try:
            return await self._database.awrite(transaction)
        except AutonomyError:
            self.meter.give_back(ms)
            raise

    @staticmethod
    def _left(tx: Tx, intent: Intent, ms: int) -> budgets.Left:
        """What the run, and the plan step that the call belongs to, still allow. Raises BudgetExceeded."""
        left = budgets.ensure(tx, intent.run_id, intent.epoch, ms)
        own = step_limits.look(tx, intent)
        return left if own is None else own.narrow(left)

    def _ensure(self, tx: Tx) -> budgets.Left:
        return budgets.ensure(tx, self.holder.run_id, self.holder.epoch, self.meter.peek())

    def _resting(self, targets: Sequence[Target]) -> ProviderUnavailable:
        wait = min((self._breakers.wait(target.name) for target in targets), default=0.0)
        said = (f"{target.name}: resting after repeated failures{self._last(target.name)}" for target in targets)
        return ProviderUnavailable(", ".join(said), "Try again later, or name another provider.", wait)

    def _last(self, name: str) -> str:
        reason = self._breakers.reason(name)
        return f"; last: {reason}" if reason else ""

    def _since(self, began: float) -> int:
        return max(0, round((self._timing.clock() - began) * 1000))

    def _fields(self, intent: Intent, n: int) -> dict[str, Any]:
        return {"run_id": intent.run_id, "node": intent.node, "call": n, "correlation_id": self.holder.correlation_id}

    def _log(self, intent: Intent, n: int, outcome: Outcome, attempts: int, duration_ms: int) -> None:
        fields = {
            "action": "call",
            "kind": intent.kind,
            "provider": outcome.provider,
            "state": outcome.state,
            "attempts": attempts,
            "duration_ms": duration_ms,
            "tokens_in": outcome.usage.tokens_in,
            "tokens_out": outcome.usage.tokens_out,
        }
        log.info("call %d %s", n, outcome.state, extra=self._fields(intent, n) | fields)


def _asks_again(entry: Entry, intent: Intent) -> bool:
    """Whether a call on record is to be made (again): not if it was answered, nor if a failure is there to stay.

    A failure stays for the lease under which it happened, so that a repeated node sees what it saw; a later lease asks
    again, for an operator may have mended what was refused. Unavailability never stays. What may have had an effect, or
    was paid for, always does.
    """
    if entry.state == "reserved":
        return True
    if entry.state == "answered" or entry.effect == "unsafe":
        return False
    if isinstance(entry.problem, ProviderUnavailable):
        return True
    return entry.epoch < intent.epoch and not isinstance(entry.problem, BadAnswer)


def _refuse_unsafe(entry: Entry, intent: Intent) -> None:
    if "unsafe" in (entry.effect, intent.effect):
        raise PolicyRefused(
            f"{intent.name} was called (call {entry.n}) and nobody saw its end: doing it again could do it twice",
            "Look what it did, and decide whether the run may go on.",
        )


def _charge(error: AutonomyError, offer: Offer) -> Usage:
    """What a failed call took beside its `due`. A bad answer was served: it cost what it says, or else the worst case."""
    if isinstance(error, BadAnswer):
        return error.usage or offer.worst
    return NOTHING


def _plus(one: Usage, other: Usage) -> Usage:
    """The sum of two charges; unknown stays unknown."""
    if one == NOTHING:
        return other
    if other == NOTHING:
        return one
    unknown = one.cost_micro_usd is None or other.cost_micro_usd is None
    return Usage(
        one.tokens_in + other.tokens_in,
        one.tokens_out + other.tokens_out,
        None if unknown else (one.cost_micro_usd or 0) + (other.cost_micro_usd or 0),
        "unknown" if unknown else other.cost_source,
        one.estimated or other.estimated,
    )


def _error(state: RetryCallState) -> BaseException | None:
    return None if state.outcome is None else state.outcome.exception()


def _retry_item(call: _Call, target: Target, error: BaseException | None, more: Mapping[str, Any]) -> Item:
    """The event of a request that failed and is followed by another, here (`wait_seconds`) or elsewhere (`next`)."""
    content = {"provider": target.name, "attempt": call.tries, "reason": _line(error), "call": call.n, **more}
    if isinstance(error, AutonomyError) and error.hint:
        content["hint"] = error.hint
    return ("retry", call.intent.node, content)


def _line(error: BaseException | None) -> str:
    text = error.message if isinstance(error, AutonomyError) else type(error).__name__
    return text[:200].encode("utf-8", "replace").decode("utf-8")


def _out_of_time() -> BudgetExceeded:
    return BudgetExceeded("seconds", None, 0, 0)
