"""Limits hold: one guarded UPDATE decides, whoever asks at the same time, on both databases."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest
from pydantic import ValidationError

from autonomy.core.errors import BudgetExceeded, Killed, LeaseLost, NotFound, UnknownPrice
from autonomy.core.types import Budget
from autonomy.runtime import budgets, events, runs
from autonomy.runtime.budgets import Left, Meter
from autonomy.storage.database import Database

RUN = "run1"
EPOCH = 3


def make(database: Database, budget: Budget | None = None) -> None:
    new = runs.NewRun("u", "write", "goal", {}, "scripted", "corr", id=RUN, **budgets.columns(budget or Budget()))
    database.write(lambda tx: runs.create(tx, new))
    database.write(lambda tx: tx.run("UPDATE run SET epoch = :epoch", epoch=EPOCH))


def reserve(database: Database, tokens: int = 0, usd: int | None = 0, **more: Any) -> None:
    database.write(lambda tx: budgets.reserve(tx, RUN, more.pop("epoch", EPOCH), tokens, usd, **more))


def refused(database: Database, tokens: int = 0, usd: int | None = 0, **more: Any) -> BudgetExceeded:
    with pytest.raises(BudgetExceeded) as caught:
        reserve(database, tokens, usd, **more)
    return caught.value


def row(database: Database) -> dict[str, Any]:
    found = database.read(lambda tx: tx.row("SELECT * FROM run WHERE id = :run", run=RUN))
    assert found is not None
    return found


def test_a_reservation_up_to_the_limit_is_granted_and_one_token_more_is_not(database: Database) -> None:
    make(database, Budget(tokens=100))
    reserve(database, 60)
    assert refused(database, 41).which == "tokens"
    reserve(database, 40)
    assert row(database)["reserved_tokens"] == 100


def test_a_refusal_names_the_limit_what_is_taken_and_what_was_asked(database: Database) -> None:
    make(database, Budget(usd=0.5))
    reserve(database, usd=300_000)
    error = refused(database, usd=200_001)
    assert (error.which, error.limit, error.used, error.asked) == ("usd", 0.5, 0.3, 0.200001)


def test_settling_gives_the_reservation_back_and_counts_the_truth(database: Database) -> None:
    make(database, Budget(tokens=100, usd=1))
    reserve(database, 90, 900_000)
    database.write(
        lambda tx: budgets.settle(
            tx, RUN, EPOCH, reserved_tokens=90, reserved_usd=900_000, tokens=12, usd=34, unpriced=True, ms=5
        )
    )
    assert database.read(lambda tx: budgets.left(tx, RUN)) == Left(88, None, 999_966)
    now = row(database)
    assert (now["used_tokens"], now["reserved_tokens"], now["used_usd"], now["reserved_usd"]) == (12, 0, 34, 0)
    assert (now["unpriced_calls"], now["used_ms"]) == (1, 5)


async def test_twenty_at_once_never_overshoot_a_limit(database: Database) -> None:
    make(database, Budget(tokens=75, usd=0.000075))

    async def one() -> bool:
        try:
            await database.awrite(lambda tx: budgets.reserve(tx, RUN, EPOCH, 10, 10))
        except BudgetExceeded:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(20)))) == 7
    assert row(database)["reserved_tokens"] == 70


async def test_two_processes_worth_of_connections_never_overshoot_together(database: Database) -> None:
    make(database, Budget(tokens=100))

    def one(place: Database) -> bool:
        try:
            place.write(lambda tx: budgets.reserve(tx, RUN, EPOCH, 10, 0))
        except BudgetExceeded:
            return False
        return True

    with Database(database.url, grow_wal=False) as other:
        places = [database, other] * 10
        granted = await asyncio.gather(*(asyncio.to_thread(one, place) for place in places))
    assert sum(granted) == 10
    assert row(database)["reserved_tokens"] == 100


def test_time_is_booked_and_once_used_up_no_call_is_made(database: Database) -> None:
    make(database, Budget(seconds=1))
    reserve(database, ms=999)
    assert refused(database, ms=1).which == "seconds"
    database.write(lambda tx: budgets.spend_time(tx, RUN, EPOCH, 500))
    error = refused(database)
    assert (error.which, error.used) == ("seconds", 1.499)
    assert database.read(lambda tx: budgets.left(tx, RUN)).ms == 0


def test_an_unknown_price_is_refused_under_a_dollar_limit_and_taken_without_one(database: Database) -> None:
    make(database, Budget(usd=5))
    error = refused(database, 1, None, provider="gemini")
    assert isinstance(error, UnknownPrice)
    assert error.which == "usd"
    assert "gemini" in str(error)
    assert row(database)["reserved_tokens"] == 0
    database.write(lambda tx: budgets.change(tx, RUN, Budget(usd=None)))
    reserve(database, 1, None)


def test_a_price_of_zero_is_known_and_allowed_under_a_limit_of_zero(database: Database) -> None:
    make(database, Budget(usd=0))
    reserve(database, 5, 0)
    assert refused(database, 5, 1).which == "usd"


def test_an_aborted_run_makes_no_call_any_more(database: Database) -> None:
    make(database)
    database.write(lambda tx: tx.run("UPDATE run SET control = 'abort'"))
    assert isinstance(refused(database), Killed)
    with pytest.raises(Killed):
        database.read(lambda tx: budgets.ensure(tx, RUN, EPOCH))
    database.write(lambda tx: tx.run("UPDATE run SET control = 'pause'"))
    reserve(database)


def test_a_limit_lowered_below_what_is_used_stops_the_next_call_even_a_free_one(database: Database) -> None:
    make(database, Budget(tokens=1000))
    reserve(database, 500)
    database.write(lambda tx: budgets.settle(tx, RUN, EPOCH, reserved_tokens=500, reserved_usd=0, tokens=500, usd=0))
    reserve(database)
    database.write(lambda tx: budgets.change(tx, RUN, Budget(tokens=499)))
    assert refused(database).which == "tokens"
    with pytest.raises(BudgetExceeded):
        database.read(lambda tx: budgets.ensure(tx, RUN, EPOCH))


def test_an_override_sets_what_it_names_leaves_the_rest_and_is_told(database: Database) -> None:
    make(database, Budget(tokens=10, seconds=20, usd=1))
    now = database.write(lambda tx: budgets.change(tx, RUN, Budget(tokens=99, usd=None)))
    assert (now.tokens, now.seconds, now.usd) == (99, 20.0, None)
    last = database.read(lambda tx: events.read(tx, RUN))[-1]
    assert last.type == "budget.changed"
    assert last.content == {"limits": {"tokens": 99, "seconds": 20.0, "usd": None}, "changed": ["tokens", "usd"]}


def test_an_override_of_an_unknown_run_is_not_found_and_writes_nothing(database: Database) -> None:
    with pytest.raises(NotFound):
        database.write(lambda tx: budgets.change(tx, "nobody", Budget(tokens=1)))


def test_a_stale_epoch_changes_nothing(database: Database) -> None:
    make(database, Budget(tokens=100))
    before = row(database)
    writes: list[Any] = [
        lambda tx: budgets.reserve(tx, RUN, EPOCH - 1, 1, 0),
        lambda tx: budgets.settle(tx, RUN, EPOCH - 1, reserved_tokens=0, reserved_usd=0, tokens=1, usd=1),
        lambda tx: budgets.spend_time(tx, RUN, EPOCH - 1, 1),
        lambda tx: budgets.ensure(tx, RUN, EPOCH - 1),
    ]
    for write in writes:
        with pytest.raises(LeaseLost):
            database.write(write)
    assert row(database) == before


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1, 1e400])
@pytest.mark.parametrize("field", ["tokens", "seconds", "usd"])
def test_a_limit_that_is_no_sensible_number_is_refused_at_the_type(field: str, value: float) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate({field: value})


def test_fractions_of_the_smallest_unit_are_dropped_never_granted() -> None:
    assert budgets.columns(Budget(usd=0.0000019, seconds=0.0019)) == {"limit_tokens": None, "limit_ms": 1, "limit_usd": 1}
    assert budgets.columns(Budget(usd=0.29))["limit_usd"] == 290_000


def test_the_meter_hands_out_each_millisecond_once_and_keeps_fractions() -> None:
    now = [0.0]
    meter = Meter(lambda: now[0])
    now[0] = 0.0015
    assert meter.peek() == 1
    assert meter.take() == 1
    assert meter.take() == 0
    now[0] = 0.0021
    assert meter.take() == 1
    meter.give_back(1)
    assert meter.take() == 1


def test_the_last_look_before_a_request_stops_a_worker_that_was_overtaken(database: Database) -> None:
    make(database)
    database.read(lambda tx: budgets.hold(tx, RUN, EPOCH))
    database.write(lambda tx: tx.run("UPDATE run SET epoch = epoch + 1"))
    with pytest.raises(LeaseLost):
        database.read(lambda tx: budgets.hold(tx, RUN, EPOCH))
