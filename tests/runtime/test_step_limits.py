"""A plan step's own limits: counted over all its tries from the journal, held before the call, and never the run's end."""

from __future__ import annotations

from typing import Any

import pytest

from autonomy.core.errors import BudgetExceeded, ProviderUnavailable, StepLimitReached
from autonomy.core.llm import ChatMessage, ChatRequest
from autonomy.core.types import Budget, StepLimits
from autonomy.runtime.calls import RunCalls
from autonomy.runtime.desk import CallDesk, CallOptions, Holder
from autonomy.runtime.scripted import ScriptedPort, StillTime
from autonomy.storage.database import Database
from tests.runtime.driven import RUN, row, start


def ask(words: str = "hello") -> ChatRequest:
    return ChatRequest("draft", (ChatMessage("user", words),), 100)


def calls(
    database: Database, *ports: ScriptedPort, usd: float | None = None, seconds: float | None = None, since: int = 4,
    at: int = 4, **more: Any,
) -> RunCalls:  # fmt: skip
    more.setdefault("timing", StillTime().timing)
    desk = CallDesk(database, Holder(RUN, 1, "corr"), ports=ports, **more)
    return RunCalls(desk).at("act", at).within(StepLimits("draft-1", usd, seconds, since))


async def test_a_call_that_the_steps_cost_does_not_cover_is_not_made(database: Database) -> None:
    start(database)
    port = ScriptedPort(price=10)
    with pytest.raises(StepLimitReached, match="usd limit of step draft-1") as caught:
        await calls(database, port, usd=0.0002).chat(ask())
    assert caught.value.which == "usd"
    assert port.received == []
    assert (row(database)["reserved_usd"], row(database)["next_call"]) == (0, 0)


async def test_the_answers_length_is_lowered_to_what_the_step_has_left(database: Database) -> None:
    start(database)
    port = ScriptedPort(price=10)
    await calls(database, port, usd=0.0005).chat(ask())
    assert port.received[0].request.max_output_tokens == 40


async def test_what_earlier_tries_took_counts_and_what_stood_before_the_step_does_not(database: Database) -> None:
    start(database)
    port = ScriptedPort(price=10)
    for at in (1, 2):
        await calls(database, port, at=at).chat(ask(f"before {at}"))
    for at in (4, 6):
        await calls(database, port, usd=0.0005, at=at).chat(ask())
    caps = [received.request.max_output_tokens for received in port.received[2:]]
    assert caps == [40, 25]
    with pytest.raises(StepLimitReached):
        await calls(database, port, usd=0.0005, at=8).chat(ask())
    await calls(database, port, usd=0.0005, since=9, at=9).chat(ask())


async def test_an_answered_call_is_read_even_when_the_limit_is_reached(database: Database) -> None:
    start(database)
    port = ScriptedPort(price=10)
    await calls(database, port, usd=0.0005).chat(ask())
    assert (await calls(database, port, usd=0.0001).chat(ask())).text == "answer"
    assert len(port.received) == 1


async def test_an_unknown_price_is_never_taken_for_free(database: Database) -> None:
    start(database)
    port = ScriptedPort(price=None)
    with pytest.raises(StepLimitReached, match="unknown price"):
        await calls(database, port, usd=1.0).chat(ask())
    assert port.received == []


async def test_a_cheaper_provider_is_asked_where_the_first_is_too_dear_for_the_step(database: Database) -> None:
    start(database)
    dear, cheap = ScriptedPort("dear", price=1000), ScriptedPort("cheap", price=1)
    assert (await calls(database, dear, cheap, usd=0.0005).chat(ask())).provider == "cheap"
    assert dear.received == []


async def test_turning_to_the_next_provider_keeps_to_the_steps_limit(database: Database) -> None:
    start(database)
    down, dear = ScriptedPort("down", [ProviderUnavailable("503")], price=1), ScriptedPort("dear", price=1000)
    with pytest.raises(ProviderUnavailable):
        await calls(database, down, dear, usd=0.0005).chat(ask())
    assert dear.received == []
    assert row(database)["reserved_usd"] == 0


async def test_a_step_whose_time_is_spent_makes_no_call(database: Database) -> None:
    start(database)
    port = ScriptedPort()
    await calls(database, port).chat(ask("first"))
    database.write(lambda tx: tx.run("UPDATE call SET finished_at = started_at + 3000000"))
    await calls(database, port, seconds=3.5, at=6).chat(ask())
    assert port.received[1].timeout == pytest.approx(0.5, abs=0.05)
    with pytest.raises(StepLimitReached, match="seconds limit of step draft-1"):
        await calls(database, port, seconds=3.0, at=6).chat(ask("more"))


async def test_a_call_is_cut_when_the_steps_time_is_up_and_only_the_step_is_told(database: Database) -> None:
    start(database, Budget(seconds=3600))
    still = StillTime()

    class Passing(ScriptedPort):
        async def chat(self, request: ChatRequest, **more: Any) -> Any:
            self.received.append(request)  # type: ignore[arg-type]
            still.now += 10.0
            raise ProviderUnavailable("slow")

    with pytest.raises(StepLimitReached, match="seconds limit of step draft-1"):
        await calls(database, Passing(), seconds=5.0, timing=still.timing).chat(ask())
    assert row(database)["reserved_tokens"] == 0
    assert row(database, "call")["state"] == "failed"


async def test_the_runs_own_budget_still_ends_the_run(database: Database) -> None:
    start(database, Budget(usd=0.0001))
    with pytest.raises(BudgetExceeded) as caught:
        await calls(database, ScriptedPort(price=10), usd=1.0, options=CallOptions()).chat(ask())
    assert not isinstance(caught.value, StepLimitReached)


async def test_without_limits_nothing_is_counted(database: Database) -> None:
    start(database)
    port = ScriptedPort(price=1000)
    assert (await calls(database, port).chat(ask())).text == "answer"
