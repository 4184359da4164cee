"""The journal: an answered call is read and never paid twice; limits hold before the call; a stale lease writes nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest

from autonomy.core.errors import (
    BadAnswer,
    BudgetExceeded,
    ConfigurationError,
    InvalidInput,
    Killed,
    LeaseLost,
    ProviderRefused,
    ProviderUnavailable,
    UnknownPrice,
)
from autonomy.core.events import Event
from autonomy.core.llm import ChatMessage, ChatRequest, ChatResponse, Usage
from autonomy.core.types import Budget
from autonomy.runtime import budgets, events, runs
from autonomy.runtime.calls import RunCalls
from autonomy.runtime.desk import CallDesk, CallOptions, Holder
from autonomy.runtime.scripted import ScriptedPort, StillTime
from autonomy.storage.database import Database

RUN = "run1"


def make(database: Database, budget: Budget | None = None) -> None:
    new = runs.NewRun("u", "write", "goal", {}, "scripted", "corr", id=RUN, **budgets.columns(budget or Budget()))
    database.write(lambda tx: runs.create(tx, new))
    claim(database)


def claim(database: Database) -> int:
    """Another worker takes the run over; returns its epoch."""
    epoch: int = database.write(lambda tx: tx.value("UPDATE run SET epoch = epoch + 1 RETURNING epoch"))
    return epoch


def desk(database: Database, *ports: ScriptedPort, epoch: int = 1, **more: Any) -> RunCalls:
    more.setdefault("timing", StillTime().timing)
    return RunCalls(CallDesk(database, Holder(RUN, epoch, "corr"), ports=ports, **more)).at("act", 7)


def ask(words: str = "hello", cap: int = 100) -> ChatRequest:
    return ChatRequest("draft", (ChatMessage("user", words),), cap)


def run_row(database: Database) -> dict[str, Any]:
    found = database.read(lambda tx: tx.row("SELECT * FROM run"))
    assert found is not None
    return found


def call_rows(database: Database) -> list[dict[str, Any]]:
    return database.read(lambda tx: tx.rows("SELECT * FROM call ORDER BY n"))


def story(database: Database) -> list[Event]:
    found = database.read(lambda tx: events.read(tx, RUN))
    assert [event.seq for event in found] == list(range(1, len(found) + 1))
    return [event for event in found if event.type != "run.queued"]


def types(database: Database) -> list[str]:
    return [event.type for event in story(database)]


# -- one call -----------------------------------------------------------------------------------------


async def test_a_call_is_numbered_paid_and_told(database: Database) -> None:
    make(database, Budget(tokens=1000, usd=1))
    port = ScriptedPort(price=3)
    response = await desk(database, port).chat(ask())
    assert response.text == "answer"
    assert port.received[0].key == f"{RUN}.1"
    row = call_rows(database)[0]
    assert (row["n"], row["state"], row["attempts"], row["cost_usd"], row["cost_source"]) == (
        1,
        "answered",
        1,
        45,
        "configured",
    )
    assert (row["kind"], row["name"], row["node"], row["step"], row["effect"]) == ("chat", "draft", "act", 7, "idempotent")
    now = run_row(database)
    assert (now["used_tokens"], now["used_usd"], now["reserved_tokens"], now["reserved_usd"]) == (15, 45, 0, 0)
    assert types(database) == ["call.started", "call.finished"]
    finished = story(database)[1].content
    assert (finished["call"], finished["tokens_in"], finished["tokens_out"], finished["usd"]) == (1, 10, 5, 0.000045)


async def test_while_a_call_is_out_its_worst_case_is_reserved_and_its_row_stands(database: Database) -> None:
    make(database)
    port = ScriptedPort(price=2)
    port.hold = asyncio.Event()
    waiting = asyncio.ensure_future(desk(database, port).chat(ask(cap=100)))
    await port.reached()
    now, row = run_row(database), call_rows(database)[0]
    assert (now["reserved_tokens"], now["reserved_usd"]) == (110, 220)
    assert (row["state"], row["reserved_tokens"], row["reserved_usd"]) == ("reserved", 110, 220)
    assert types(database) == ["call.started"]
    port.hold.set()
    await waiting


async def test_tokens_stream_through(database: Database) -> None:
    make(database)
    heard: list[str] = []
    await desk(database, ScriptedPort(script=["one two three"])).chat(ask(), on_token=heard.append)
    assert heard == ["one", "two", "three"]


async def test_without_a_provider_the_call_is_refused(database: Database) -> None:
    make(database)
    with pytest.raises(ConfigurationError):
        await desk(database).chat(ask())


async def test_a_log_line_carries_ids_and_figures_and_never_content(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    make(database)
    with caplog.at_level(logging.INFO, logger="autonomy.calls"):
        await desk(database, ScriptedPort(script=[ProviderUnavailable("503"), "s3cret answer"])).chat(ask("s3cret prompt"))
    lines = [vars(record) for record in caplog.records if record.name == "autonomy.calls"]
    assert [line["action"] for line in lines] == ["retry", "call"]
    last = lines[-1]
    wanted = {"run_id": RUN, "node": "act", "provider": "scripted", "attempts": 2, "tokens_in": 10, "tokens_out": 5}
    assert {key: last[key] for key in wanted} == wanted
    assert last["correlation_id"] == "corr"
    assert last["duration_ms"] > 0
    assert "s3cret" not in repr(lines)


# -- replay -------------------------------------------------------------------------------------------


async def test_an_answer_is_read_after_a_crash_before_the_checkpoint(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=["first", "second"], price=3)
    first = await desk(database, port).chat(ask())
    before, told = run_row(database), len(story(database))
    again = await desk(database, port, epoch=claim(database)).chat(ask())
    assert again == first
    assert len(port.received) == 1
    assert len(story(database)) == told
    after = run_row(database)
    assert {**after, "epoch": 0} == {**before, "epoch": 0}


async def test_the_same_request_twice_in_a_node_is_two_calls_and_both_are_read_again_in_order(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=["first", "second", "third"])
    calls = desk(database, port)
    fresh = [(await calls.chat(ask())).text for _ in range(2)]
    calls = desk(database, port, epoch=claim(database))
    assert [(await calls.chat(ask())).text for _ in range(2)] == fresh == ["first", "second"]
    assert len(port.received) == 2


async def test_another_step_node_or_request_is_another_call(database: Database) -> None:
    make(database)
    port = ScriptedPort()
    calls = desk(database, port)
    await calls.chat(ask())
    await calls.at("act", 8).chat(ask())
    await calls.at("plan", 7).chat(ask())
    await calls.chat(ask("other"))
    assert [received.key for received in port.received] == [f"{RUN}.{n}" for n in (1, 2, 3, 4)]


async def test_a_call_whose_end_nobody_saw_is_repeated_unchanged_under_its_key(database: Database) -> None:
    make(database, Budget(tokens=90))
    port = ScriptedPort()
    port.hold = asyncio.Event()
    waiting = asyncio.ensure_future(desk(database, port).chat(ask(cap=100)))
    await port.reached()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    port.hold = None
    # More room now must not change the body: one key never names two requests.
    database.write(lambda tx: budgets.change(tx, RUN, Budget(tokens=5000)))
    await desk(database, port, epoch=claim(database)).chat(ask(cap=100))
    killed, repeated = port.received
    assert killed.key == repeated.key == f"{RUN}.1"
    assert killed.request == repeated.request
    assert repeated.request.max_output_tokens == 80
    now = run_row(database)
    assert (now["used_tokens"], now["reserved_tokens"], now["next_call"]) == (15, 0, 1)
    told = [event for event in story(database) if event.type.startswith("call.")]
    assert [event.content.get("repeated") for event in told] == [None, True, None]
    assert call_rows(database)[0]["attempts"] == 1


async def test_an_answer_that_fails_its_check_is_recorded_paid_and_raised_whenever_it_is_read(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=["nonsense", "better"])

    def check(response: ChatResponse) -> None:
        raise BadAnswer("not what was asked for", "Ask again.")

    with pytest.raises(BadAnswer):
        await desk(database, port).chat(ask(), check=check)
    assert run_row(database)["used_tokens"] == 15
    assert story(database)[-1].content["error"]["code"] == "bad-answer"
    with pytest.raises(BadAnswer) as caught:
        await desk(database, port, epoch=claim(database)).chat(ask())
    assert (caught.value.message, caught.value.hint) == ("not what was asked for", "Ask again.")
    assert len(port.received) == 1


async def test_a_check_that_breaks_on_hostile_text_makes_a_bad_answer_not_a_crash(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=["[" * 200_000])
    with pytest.raises(BadAnswer):
        await desk(database, port).chat(ask(), check=lambda response: json.loads(response.text))
    assert call_rows(database)[0]["state"] == "answered"


async def test_an_answer_that_is_no_unicode_is_kept_repaired_and_refused(database: Database) -> None:
    make(database)
    with pytest.raises(BadAnswer):
        await desk(database, ScriptedPort(script=["a\ud800b"])).chat(ask())
    assert json.loads(call_rows(database)[0]["result"])["text"] == "a?b"
    with pytest.raises(InvalidInput):
        await desk(database, ScriptedPort()).chat(ask("a\ud800b"))


async def test_a_nul_character_in_an_answer_comes_back_as_it_was(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=["a\x00b"])
    assert (await desk(database, port).chat(ask("q\x00"))).text == "a\x00b"
    assert (await desk(database, port).chat(ask("q\x00"))).text == "a\x00b"
    assert len(port.received) == 1


async def test_a_refusal_stays_for_its_lease_and_a_later_one_asks_again_under_a_new_number(database: Database) -> None:
    make(database)
    port = ScriptedPort(script=[ProviderRefused("401", "Check the key."), "fine"])
    for _ in range(2):
        with pytest.raises(ProviderRefused, match="Check the key"):
            await desk(database, port).chat(ask())
    assert len(port.received) == 1
    assert (await desk(database, port, epoch=claim(database)).chat(ask())).text == "fine"
    assert [received.key for received in port.received] == [f"{RUN}.1", f"{RUN}.2"]
    assert [row["state"] for row in call_rows(database)] == ["failed", "answered"]


async def test_a_bad_answer_of_the_provider_is_paid_as_it_says_or_else_at_its_worst_and_stays(database: Database) -> None:
    make(database)
    billed = BadAnswer("empty", usage=Usage(10, 1, 33, "provider"))
    port = ScriptedPort(script=[billed, BadAnswer("garbage")], price=3)
    for words, used in (("one", 11), ("two", 11 + 110)):
        with pytest.raises(BadAnswer):
            await desk(database, port).chat(ask(words))
        assert run_row(database)["used_tokens"] == used
    with pytest.raises(BadAnswer, match="garbage"):
        await desk(database, port, epoch=claim(database)).chat(ask("two"))
    assert len(port.received) == 2
    assert run_row(database)["reserved_tokens"] == 0


# -- limits -------------------------------------------------------------------------------------------


async def test_the_output_cap_is_lowered_to_what_is_left(database: Database) -> None:
    make(database, Budget(tokens=60))
    port = ScriptedPort()
    await desk(database, port).chat(ask(cap=1000))
    assert port.received[0].request.max_output_tokens == 50


async def test_the_output_cap_is_lowered_to_what_the_dollars_buy(database: Database) -> None:
    make(database, Budget(usd=0.0001))
    port = ScriptedPort(price=3)
    await desk(database, port).chat(ask(cap=1000))
    assert port.received[0].request.max_output_tokens == 100 // 3 - 10


@pytest.mark.parametrize(("budget", "which"), [(Budget(tokens=25), "tokens"), (Budget(usd=0.000077), "usd")])
async def test_below_a_sensible_answer_nothing_is_asked_and_the_limit_is_named(
    database: Database, budget: Budget, which: str
) -> None:
    make(database, budget)
    port = ScriptedPort(price=3)
    with pytest.raises(BudgetExceeded) as caught:
        await desk(database, port).chat(ask())
    assert caught.value.which == which
    assert (port.received, call_rows(database), story(database)) == ([], [], [])


async def test_calls_made_stay_within_limit_over_cost_however_many_ask_at_once(database: Database) -> None:
    make(database, Budget(tokens=100))
    port = ScriptedPort(tokens_in=10, tokens_out=16)
    calls = desk(database, port, options=CallOptions(parallel_calls=20))
    outcomes = await asyncio.gather(*(calls.chat(ask(f"q{n}", 16)) for n in range(20)), return_exceptions=True)
    served = [outcome for outcome in outcomes if isinstance(outcome, ChatResponse)]
    assert len(served) == len(port.received) == 100 // 26
    assert all(isinstance(outcome, BudgetExceeded) for outcome in outcomes if outcome not in served)
    now = run_row(database)
    assert now["used_tokens"] == 26 * len(served) <= 100
    assert now["reserved_tokens"] == 0


@pytest.mark.parametrize(("parallel", "at_once"), [(1, 1), (3, 3)])
async def test_as_many_calls_are_out_at_once_as_the_options_say(database: Database, parallel: int, at_once: int) -> None:
    make(database)
    port = ScriptedPort()
    port.hold = asyncio.Event()
    calls = desk(database, port, options=CallOptions(parallel_calls=parallel))
    asked = [asyncio.ensure_future(calls.chat(ask(f"q{n}"))) for n in range(5)]
    await port.reached(at_once)
    await database.awrite(lambda tx: None)
    assert len(port.received) == at_once
    port.hold.set()
    await asyncio.gather(*asked)
    assert len(port.received) == 5


async def test_an_unknown_price_is_refused_under_a_dollar_limit_or_goes_to_a_provider_with_one(database: Database) -> None:
    make(database, Budget(usd=1))
    secret, known = ScriptedPort("secret", price=None), ScriptedPort("known", price=1)
    with pytest.raises(UnknownPrice):
        await desk(database, secret).chat(ask())
    assert (await desk(database, secret, known).chat(ask())).provider == "known"
    assert secret.received == []


async def test_an_unknown_price_without_a_dollar_limit_is_counted_as_unknown(database: Database) -> None:
    make(database)
    await desk(database, ScriptedPort(price=None)).chat(ask())
    row = call_rows(database)[0]
    assert (row["cost_usd"], row["cost_source"], run_row(database)["unpriced_calls"]) == (None, "unknown", 1)


async def test_an_answer_that_forgets_its_price_costs_what_was_reserved(database: Database) -> None:
    make(database, Budget(usd=1))
    forgetful = ChatResponse("x", "scripted", "other-model", "stop", Usage(10, 5))
    await desk(database, ScriptedPort(script=[forgetful], price=3)).chat(ask())
    assert run_row(database)["used_usd"] == 330


@pytest.mark.parametrize("usage", [Usage(-5, 5, 1, "provider"), Usage(5, 10**30, 1, "provider"), Usage(5, 5, -1, "provider")])
async def test_impossible_figures_of_a_provider_count_as_the_worst_case(database: Database, usage: Usage) -> None:
    make(database)
    await desk(database, ScriptedPort(script=[ChatResponse("x", "p", "m", "stop", usage)], price=3)).chat(ask())
    assert (run_row(database)["used_tokens"], run_row(database)["used_usd"]) == (110, 330)


async def test_the_time_left_bounds_each_request(database: Database) -> None:
    make(database, Budget(seconds=50))
    still = StillTime()
    port = ScriptedPort(script=[ProviderUnavailable("503"), "fine"])
    await desk(database, port, timing=still.timing).chat(ask())
    assert [received.timeout for received in port.received] == [50.0, 50.0 - still.slept[0]]
    assert run_row(database)["used_ms"] == round(still.slept[0] * 1000)


async def test_time_before_a_refused_call_is_booked_by_whoever_writes_next(database: Database) -> None:
    make(database, Budget(tokens=25))
    still, port = StillTime(), ScriptedPort()
    calls = desk(database, port, timing=still.timing)
    still.now += 2.0
    with pytest.raises(BudgetExceeded):
        await calls.chat(ask())
    assert run_row(database)["used_ms"] == 0
    database.write(lambda tx: budgets.change(tx, RUN, Budget(tokens=500)))
    await calls.chat(ask())
    assert run_row(database)["used_ms"] == 2000


async def test_when_time_runs_out_in_a_call_the_limit_is_named_and_nothing_stays_reserved(database: Database) -> None:
    make(database, Budget(seconds=50))
    still = StillTime()

    class Slow(ScriptedPort):
        async def chat(self, *args: Any, **more: Any) -> ChatResponse:
            still.now += 50
            raise ProviderUnavailable("no answer within 50 s")

    with pytest.raises(BudgetExceeded) as caught:
        await desk(database, Slow(), timing=still.timing).chat(ask())
    assert (caught.value.which, caught.value.limit, caught.value.used) == ("seconds", 50, 50)
    now = run_row(database)
    assert (now["reserved_tokens"], now["used_ms"]) == (0, 50_000)


async def test_an_abort_stops_before_the_next_call_and_between_two_requests(database: Database) -> None:
    make(database)

    class Aborting(ScriptedPort):
        async def chat(self, *args: Any, **more: Any) -> ChatResponse:
            await database.awrite(lambda tx: tx.run("UPDATE run SET control = 'abort'"))
            return await super().chat(*args, **more)

    port = Aborting(script=[ProviderUnavailable("503"), "never"])
    with pytest.raises(Killed):
        await desk(database, port).chat(ask())
    with pytest.raises(Killed):
        await desk(database, port).chat(ask("another"))
    assert len(port.received) == 1
    assert run_row(database)["reserved_tokens"] == 0


# -- the fence ----------------------------------------------------------------------------------------


async def test_a_lost_lease_stops_before_the_call(database: Database) -> None:
    make(database)
    claim(database)
    before, port = run_row(database), ScriptedPort()
    with pytest.raises(LeaseLost):
        await desk(database, port).chat(ask())
    assert (port.received, call_rows(database), run_row(database)) == ([], [], before)


@pytest.mark.parametrize("script", [["late"], [ProviderUnavailable("503"), "late"], [ProviderRefused("400")]])
async def test_a_lease_lost_during_a_call_stops_without_a_write_and_without_another_request(
    database: Database, script: list[Any]
) -> None:
    make(database)
    seen: list[Any] = []

    class Taken(ScriptedPort):
        async def chat(self, *args: Any, **more: Any) -> ChatResponse:
            await database.awrite(lambda tx: tx.run("UPDATE run SET epoch = epoch + 1"))
            seen.append((run_row(database), call_rows(database), len(story(database))))
            return await super().chat(*args, **more)

    port, spare = Taken(script=script), ScriptedPort("spare")
    with pytest.raises(LeaseLost):
        await desk(database, port, spare).chat(ask())
    assert len(port.received) == 1
    assert spare.received == []
    assert (run_row(database), call_rows(database), len(story(database))) == seen[0]
