"""The one retry layer, the order of providers, the breaker, and tools by their effect, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from autonomy.core.errors import (
    AutonomyError,
    BadAnswer,
    BudgetExceeded,
    ConfigurationError,
    InvalidInput,
    LeaseLost,
    NotFound,
    PolicyRefused,
    ProviderRefused,
    ProviderUnavailable,
    StorageUnavailable,
)
from autonomy.core.llm import ChatMessage, ChatRequest, Usage
from autonomy.core.tools import Effect
from autonomy.core.types import Budget
from autonomy.runtime import budgets, events, journal, runs
from autonomy.runtime.breaker import Breakers
from autonomy.runtime.calls import RunCalls
from autonomy.runtime.desk import CallDesk, CallOptions, Holder
from autonomy.runtime.retry import RetryPolicy
from autonomy.runtime.scripted import ScriptedPort, StillTime
from autonomy.storage.database import Database

RUN = "run1"
DOWN = ProviderUnavailable("provider has trouble (503)", "Try again later.")


def make(database: Database, budget: Budget | None = None) -> None:
    new = runs.NewRun("u", "write", "goal", {}, "scripted", "corr", id=RUN, **budgets.columns(budget or Budget()))
    database.write(lambda tx: runs.create(tx, new))
    claim(database)


def claim(database: Database) -> int:
    epoch: int = database.write(lambda tx: tx.value("UPDATE run SET epoch = epoch + 1 RETURNING epoch"))
    return epoch


def desk(database: Database, *ports: ScriptedPort, epoch: int = 1, **more: Any) -> RunCalls:
    more.setdefault("timing", StillTime().timing)
    return RunCalls(CallDesk(database, Holder(RUN, epoch, "corr"), ports=ports, **more)).at("act", 7)


def ask(words: str = "hello") -> ChatRequest:
    return ChatRequest("draft", (ChatMessage("user", words),), 100)


def run_row(database: Database) -> dict[str, Any]:
    found = database.read(lambda tx: tx.row("SELECT * FROM run"))
    assert found is not None
    return found


def call_rows(database: Database) -> list[dict[str, Any]]:
    return database.read(lambda tx: tx.rows("SELECT * FROM call ORDER BY n"))


def story(database: Database) -> list[tuple[str, dict[str, Any]]]:
    found = database.read(lambda tx: events.read(tx, RUN))
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    return [(event.type, event.content) for event in found if event.type != "run.queued"]


# -- retries ------------------------------------------------------------------------------------------


async def test_trouble_is_tried_again_with_growing_gaps_under_one_key_and_each_retry_is_told(database: Database) -> None:
    make(database)
    still, port = StillTime(chance=0.0), ScriptedPort(script=[DOWN, DOWN, "fine"])
    assert (await desk(database, port, timing=still.timing).chat(ask())).text == "fine"
    assert still.slept == [0.5, 1.0]
    assert {received.key for received in port.received} == {f"{RUN}.1"}
    assert [kind for kind, _ in story(database)] == ["call.started", "retry", "retry", "call.finished"]
    retries = [content for kind, content in story(database) if kind == "retry"]
    assert [(one["provider"], one["attempt"]) for one in retries] == [("scripted", 1), ("scripted", 2)]
    assert "503" in retries[0]["reason"]
    assert retries[0]["hint"] == DOWN.hint != ""
    assert database.read(lambda tx: journal.any_answer(tx, RUN))
    assert call_rows(database)[0]["attempts"] == story(database)[-1][1]["attempts"] == 3


async def test_one_call_puts_at_most_four_requests_to_a_provider(database: Database) -> None:
    make(database)
    still, port = StillTime(), ScriptedPort(script=[DOWN])
    with pytest.raises(ProviderUnavailable):
        await desk(database, port, timing=still.timing).chat(ask())
    assert len(port.received) == 4
    assert len(still.slept) == 3
    row = call_rows(database)[0]
    assert (row["state"], row["attempts"], run_row(database)["reserved_tokens"]) == ("failed", 4, 0)
    assert not database.read(lambda tx: journal.any_answer(tx, RUN))


async def test_retry_after_is_waited_for(database: Database) -> None:
    make(database)
    still = StillTime(chance=0.0)
    port = ScriptedPort(script=[ProviderUnavailable("429", retry_after=9.0), "fine"])
    await desk(database, port, timing=still.timing).chat(ask())
    assert still.slept == [9.0]


async def test_a_retry_after_too_long_to_wait_for_goes_to_the_next_provider_at_once(database: Database) -> None:
    make(database)
    still, spare = StillTime(), ScriptedPort("spare")
    port = ScriptedPort(script=[ProviderUnavailable("429", retry_after=120.0)])
    assert (await desk(database, port, spare, timing=still.timing).chat(ask())).provider == "spare"
    assert (still.slept, len(port.received)) == ([], 1)


async def test_alone_it_tells_the_caller_how_long_to_wait(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=[ProviderUnavailable("429", retry_after=120.0)])
    with pytest.raises(ProviderUnavailable) as caught:
        await desk(database, port).chat(ask())
    assert caught.value.retry_after == 120.0


async def test_no_wait_is_begun_that_the_time_budget_does_not_cover(database: Database) -> None:
    make(database, Budget(seconds=8))
    still = StillTime()
    port = ScriptedPort(script=[ProviderUnavailable("429", retry_after=9.0)])
    with pytest.raises(ProviderUnavailable):
        await desk(database, port, timing=still.timing).chat(ask())
    assert still.slept == []


async def test_unavailability_is_asked_again_by_a_repeated_node_under_a_new_number(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=[DOWN, DOWN, DOWN, DOWN, "up again"])
    with pytest.raises(ProviderUnavailable):
        await desk(database, port).chat(ask())
    assert (await desk(database, port, epoch=claim(database)).chat(ask())).text == "up again"
    assert [row["state"] for row in call_rows(database)] == ["failed", "answered"]
    assert port.received[-1].key == f"{RUN}.2"


async def test_a_port_that_never_answers_is_cut_off(database: Database) -> None:
    make(database)
    port = ScriptedPort()
    port.hold = asyncio.Event()
    with pytest.raises(ProviderUnavailable, match="no answer within"):
        await desk(database, port, options=CallOptions(request_seconds=0.01)).chat(ask())
    assert len(port.received) == 4


async def test_every_request_that_may_be_billed_is_charged_whatever_came_after_it(database: Database) -> None:
    make(database)
    cut = ProviderUnavailable("broke off", usage=Usage(10, 3, 26, "configured", estimated=True))
    first, spare = ScriptedPort(script=[cut, DOWN, cut, cut], price=2), ScriptedPort("spare", [cut, "fine"], price=2)
    await desk(database, first, spare).chat(ask())
    now, row = run_row(database), call_rows(database)[0]
    assert (now["used_tokens"], now["used_usd"]) == (4 * 13 + 15, 4 * 26 + 30)
    assert (row["tokens_in"], row["tokens_out"], row["cost_usd"]) == (50, 17, 134)
    assert (now["reserved_tokens"], now["reserved_usd"]) == (0, 0)
    assert story(database)[-1][1]["estimated"]


async def test_a_request_is_not_repeated_when_what_the_last_one_took_leaves_no_room_for_it(database: Database) -> None:
    make(database, Budget(tokens=130))
    port = ScriptedPort(script=[ProviderUnavailable("stalled", usage=Usage(10, 40, 0, "free", estimated=True))])
    with pytest.raises(BudgetExceeded, match="tokens"):
        await desk(database, port).chat(ask())
    assert len(port.received) == 1
    assert (run_row(database)["used_tokens"], run_row(database)["reserved_tokens"]) == (50, 0)


async def test_a_port_that_had_to_be_cut_off_is_charged_its_prompt(database: Database) -> None:
    make(database)
    port = ScriptedPort(price=2)
    port.hold = asyncio.Event()
    with pytest.raises(ProviderUnavailable):
        await desk(database, port, options=CallOptions(request_seconds=0.05, policy=RetryPolicy(attempts=1))).chat(ask())
    assert (run_row(database)["used_tokens"], run_row(database)["used_usd"]) == (10, 20)


async def test_a_broken_database_is_not_taken_for_an_answer(database: Database) -> None:
    make(database)
    with pytest.raises(StorageUnavailable):
        await desk(database, ScriptedPort(script=[StorageUnavailable("gone")])).chat(ask())
    assert call_rows(database)[0]["state"] == "reserved"


# -- the order of providers ---------------------------------------------------------------------------


async def test_the_next_provider_is_asked_when_one_is_exhausted_or_refuses(database: Database) -> None:
    make(database)
    first, second, third = (
        ScriptedPort("first", [DOWN]),
        ScriptedPort("second", [ProviderRefused("401")]),
        ScriptedPort("third"),
    )
    response = await desk(database, first, second, third).chat(ask())
    assert response.provider == "third"
    assert [len(port.received) for port in (first, second, third)] == [4, 1, 1]
    retries = [content for kind, content in story(database) if kind == "retry"]
    assert [(one["provider"], one["attempt"], one.get("next")) for one in retries] == [
        ("first", 1, None),
        ("first", 2, None),
        ("first", 3, None),
        ("first", 4, "second"),
        ("second", 1, "third"),
    ]
    row = call_rows(database)[0]
    assert (row["provider"], row["attempts"]) == ("third", 6)


async def test_turning_to_a_dearer_provider_reserves_its_price_and_leaves_it_out_if_that_does_not_fit(
    database: Database,
) -> None:
    make(database, Budget(usd=0.001))
    cheap, dear, fair = ScriptedPort("cheap", [DOWN], price=1), ScriptedPort("dear", price=100), ScriptedPort("fair", price=5)
    fair.hold = asyncio.Event()
    waiting = asyncio.ensure_future(desk(database, cheap, dear, fair).chat(ask()))
    await fair.reached()
    assert run_row(database)["reserved_usd"] == call_rows(database)[0]["reserved_usd"] == 550
    fair.hold.set()
    assert (await waiting).provider == "fair"
    assert dear.received == []
    assert (run_row(database)["used_usd"], run_row(database)["reserved_usd"]) == (75, 0)


async def test_what_a_bad_answer_cost_is_kept_when_the_next_provider_answers(database: Database) -> None:
    make(database)
    first, second = ScriptedPort("first", [BadAnswer("garbage")], price=1), ScriptedPort("second", price=2)
    await desk(database, first, second).chat(ask())
    row = call_rows(database)[0]
    assert (row["tokens_in"] + row["tokens_out"], row["cost_usd"]) == (110 + 15, 110 + 30)
    assert (run_row(database)["used_tokens"], run_row(database)["used_usd"]) == (125, 140)


# -- the breaker --------------------------------------------------------------------------------------


async def test_an_outage_opens_the_breaker_and_nobody_is_asked_until_the_trial(database: Database) -> None:
    make(database)
    still, port = StillTime(chance=0.0), ScriptedPort(script=[DOWN] * 5 + ["back"])
    breakers = Breakers(threshold=5, rest=30.0, clock=still.timing.clock)
    calls = desk(database, port, breakers=breakers, timing=still.timing)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await calls.chat(ask())
    assert len(port.received) == 5
    with pytest.raises(
        ProviderUnavailable, match=r"resting after repeated failures; last: provider has trouble \(503\)"
    ) as caught:
        await calls.chat(ask())
    assert caught.value.retry_after == 30.0
    assert len(port.received) == 5
    still.now += 30.0
    assert (await calls.chat(ask())).text == "back"
    kinds = [kind for kind, _ in story(database)]
    assert kinds.count("breaker.opened") == kinds.count("breaker.closed") == 1
    assert kinds[-2:] == ["breaker.closed", "call.finished"]


async def test_fifty_calls_in_an_outage_make_no_more_requests_than_the_breaker_allows(database: Database) -> None:
    make(database)
    still, port = StillTime(), ScriptedPort(script=[DOWN])
    calls = desk(database, port, timing=still.timing)
    outcomes = await asyncio.gather(*(calls.chat(ask(f"q{n}")) for n in range(50)), return_exceptions=True)
    assert all(isinstance(outcome, ProviderUnavailable) for outcome in outcomes)
    assert len(port.received) <= 20


async def test_an_open_breaker_is_passed_over_without_a_request(database: Database) -> None:
    make(database)
    still = StillTime()
    breakers = Breakers(threshold=1, clock=still.timing.clock)
    breakers.failed("first")
    first, second = ScriptedPort("first"), ScriptedPort("second")
    calls = desk(database, first, second, breakers=breakers, timing=still.timing)
    assert (await calls.chat(ask())).provider == "second"
    assert first.received == []


# -- tools --------------------------------------------------------------------------------------------

TEXT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"], "additionalProperties": False}


@dataclass(frozen=True)
class Facts:
    effect: Effect = "pure"
    cost_usd_micro: int | None = 0
    input_schema: Mapping[str, Any] = field(default_factory=lambda: TEXT)
    output_schema: Mapping[str, Any] = field(default_factory=lambda: TEXT)


class Box:
    """One tool called echo; it answers what `does` says and keeps what it was called with."""

    def __init__(self, facts: Facts, does: Callable[[], Any] | None = None) -> None:
        self.facts = facts
        self.called: list[tuple[dict[str, Any], str]] = []
        self._does = does

    def describe(self, name: str) -> Facts:
        if name != "echo":
            raise NotFound(f"no tool {name}")
        return self.facts

    async def call(self, name: str, arguments: Mapping[str, Any], *, key: str) -> Any:
        self.called.append((dict(arguments), key))
        found = self._does() if self._does is not None else {"text": f"{arguments['text']}!"}
        if isinstance(found, AutonomyError):
            raise found
        return await found if isinstance(found, Awaitable) else found


async def test_a_free_pure_tool_is_written_down_in_one_transaction_with_row_and_events(database: Database) -> None:
    make(database)
    box = Box(Facts())
    calls = desk(database, tools=box)
    before = database.commits
    assert await calls.tool("echo", {"text": "a"}) == {"text": "a!"}
    assert database.commits - before == 1
    row = call_rows(database)[0]
    assert (row["kind"], row["name"], row["effect"], row["state"], row["cost_usd"]) == ("tool", "echo", "pure", "answered", 0)
    assert [kind for kind, _ in story(database)] == ["call.started", "call.finished"]


@pytest.mark.parametrize("facts", [Facts(), Facts("idempotent", 5), Facts("unsafe", 5), Facts("pure", None)])
async def test_an_answered_tool_call_is_read_whatever_its_effect(database: Database, facts: Facts) -> None:
    make(database)
    box = Box(facts)
    fresh = await desk(database, tools=box).tool("echo", {"text": "a"})
    told, paid = len(story(database)), run_row(database)["used_usd"]
    assert await desk(database, tools=box, epoch=claim(database)).tool("echo", {"text": "a"}) == fresh
    assert (len(box.called), len(story(database)), run_row(database)["used_usd"]) == (1, told, paid)
    assert paid == (facts.cost_usd_micro or 0)


async def interrupted(database: Database, facts: Facts) -> None:
    """A worker dies in the middle of the call."""
    reached, never = asyncio.Event(), asyncio.Event()

    async def stuck() -> None:
        reached.set()
        await never.wait()

    waiting = asyncio.ensure_future(desk(database, tools=Box(facts, stuck)).tool("echo", {"text": "a"}))
    await reached.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("facts", [Facts("pure", 5), Facts("idempotent", 0)])
async def test_an_unfinished_call_that_may_be_repeated_is_repeated_under_its_key(database: Database, facts: Facts) -> None:
    make(database)
    await interrupted(database, facts)
    box = Box(facts)
    assert await desk(database, tools=box, epoch=claim(database)).tool("echo", {"text": "a"}) == {"text": "a!"}
    assert box.called == [({"text": "a"}, f"{RUN}.1")]
    assert (run_row(database)["used_usd"], run_row(database)["reserved_usd"]) == (facts.cost_usd_micro, 0)


async def test_an_unfinished_unsafe_call_is_not_repeated_but_put_before_a_person(database: Database) -> None:
    make(database)
    await interrupted(database, Facts("unsafe"))
    box, epoch = Box(Facts("unsafe")), claim(database)
    for _ in range(2):
        with pytest.raises(PolicyRefused, match="nobody saw its end"):
            await desk(database, tools=box, epoch=epoch).tool("echo", {"text": "a"})
    assert box.called == []
    assert call_rows(database)[0]["state"] == "reserved"


async def test_an_unsafe_tool_is_never_asked_twice_even_when_it_was_unavailable(database: Database) -> None:
    make(database)
    box = Box(Facts("unsafe"), lambda: DOWN)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable):
            await desk(database, tools=box, epoch=run_row(database)["epoch"]).tool("echo", {"text": "a"})
        claim(database)
    assert len(box.called) == 1


async def test_a_paid_tool_is_retried_like_a_provider(database: Database) -> None:
    make(database)
    answers = [DOWN, {"text": "fine"}]
    box = Box(Facts("idempotent", 5), lambda: answers.pop(0))
    assert await desk(database, tools=box).tool("echo", {"text": "a"}) == {"text": "fine"}
    assert {key for _, key in box.called} == {f"{RUN}.1"}
    assert run_row(database)["used_usd"] == 5


async def test_a_tool_that_costs_more_than_is_left_is_not_called(database: Database) -> None:
    make(database, Budget(usd=0.000004))
    box = Box(Facts("pure", 5))
    with pytest.raises(BudgetExceeded):
        await desk(database, tools=box).tool("echo", {"text": "a"})
    assert box.called == []


async def test_a_free_tool_is_not_called_once_time_is_up_or_the_lease_is_lost(database: Database) -> None:
    make(database, Budget(seconds=1))
    box, still = Box(Facts()), StillTime()
    calls = desk(database, tools=box, timing=still.timing)
    still.now += 1.0
    with pytest.raises(BudgetExceeded) as caught:
        await calls.tool("echo", {"text": "a"})
    assert caught.value.which == "seconds"
    claim(database)
    with pytest.raises(LeaseLost):
        await calls.tool("echo", {"text": "b"})
    assert (box.called, call_rows(database)) == ([], [])


async def test_a_free_tool_whose_lease_is_lost_while_it_works_leaves_no_row(database: Database) -> None:
    make(database)

    async def taken() -> dict[str, str]:
        await database.awrite(lambda tx: tx.run("UPDATE run SET epoch = epoch + 1"))
        return {"text": "late"}

    with pytest.raises(LeaseLost):
        await desk(database, tools=Box(Facts(), taken)).tool("echo", {"text": "a"})
    assert (call_rows(database), story(database)) == ([], [])


@pytest.mark.parametrize("arguments", [{}, {"text": 5}, {"text": "a", "more": 1}, {"text": float("nan")}, {"text": "\ud800"}])
async def test_arguments_that_break_the_schema_reach_neither_tool_nor_journal(
    database: Database, arguments: dict[str, Any]
) -> None:
    make(database)
    box = Box(Facts("pure", 5))
    with pytest.raises(InvalidInput):
        await desk(database, tools=box).tool("echo", arguments)
    assert (box.called, call_rows(database)) == ([], [])


@pytest.mark.parametrize("answer", [{"txt": "renamed"}, "text", None, {"text": float("inf")}, {"text": object()}])
@pytest.mark.parametrize("cost", [0, 5])
async def test_an_answer_that_breaks_the_schema_is_recorded_paid_and_refused_for_good(
    database: Database, answer: Any, cost: int
) -> None:
    make(database)
    box = Box(Facts("pure", cost), lambda: answer)
    for _ in range(2):
        with pytest.raises(BadAnswer, match="echo"):
            await desk(database, tools=box, epoch=run_row(database)["epoch"]).tool("echo", {"text": "a"})
        claim(database)
    assert len(box.called) == 1
    assert run_row(database)["used_usd"] == cost
    assert story(database)[-1][1]["error"]["code"] == "bad-answer"


async def test_a_failure_of_a_free_tool_is_told_and_asked_again_by_a_later_lease(database: Database) -> None:
    make(database)
    answers: list[Any] = [NotFound("no such corpus"), {"text": "found"}]
    box = Box(Facts(), lambda: answers.pop(0))
    for _ in range(2):
        with pytest.raises(NotFound, match="no such corpus"):
            await desk(database, tools=box).tool("echo", {"text": "a"})
    assert await desk(database, tools=box, epoch=claim(database)).tool("echo", {"text": "a"}) == {"text": "found"}
    assert [row["state"] for row in call_rows(database)] == ["failed", "answered"]


async def test_an_unknown_tool_and_a_run_without_tools_say_so(database: Database) -> None:
    make(database)
    with pytest.raises(NotFound):
        await desk(database, tools=Box(Facts())).tool("other", {})
    with pytest.raises(ConfigurationError):
        await desk(database).tool("echo", {})
