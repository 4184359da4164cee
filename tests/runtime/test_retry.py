"""The retry policy: what is tried again, after how long, and when not to wait."""

from __future__ import annotations

import asyncio
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.core.errors import BadAnswer, LeaseLost, ProviderRefused, ProviderUnavailable
from autonomy.runtime.retry import RetryPolicy

POLICY = RetryPolicy()


def told(seconds: float) -> ProviderUnavailable:
    return ProviderUnavailable("429", retry_after=seconds)


def test_only_unavailability_is_tried_again() -> None:
    assert POLICY.retries(ProviderUnavailable("503"))
    others = [ProviderRefused("401"), BadAnswer("?"), LeaseLost("gone"), ValueError("bug"), asyncio.CancelledError()]
    assert not any(POLICY.retries(error) for error in others)


def test_waits_double_and_stay_below_the_cap() -> None:
    assert [POLICY.wait(attempt, None, 1.0) for attempt in (1, 2, 3, 4, 5, 6, 60)] == [1, 2, 4, 8, 16, 30, 30]
    assert [POLICY.wait(attempt, None, 0.0) for attempt in (1, 2, 6)] == [0.5, 1, 15]


def test_retry_after_is_a_lower_bound() -> None:
    assert POLICY.wait(1, told(7), 0.0) == 7
    assert 7 <= POLICY.wait(1, told(7), 0.99) < 7.7
    assert POLICY.wait(5, told(1), 1.0) == 16
    assert POLICY.wait(1, told(0), 0.0) == 0.5


def test_a_retry_after_beyond_the_cap_is_not_waited_for_and_not_cut_short() -> None:
    seconds = POLICY.wait(1, told(120), 0.5)
    assert seconds == 120
    assert not POLICY.waits(1, seconds, math.inf)
    assert POLICY.waits(1, POLICY.wait(1, told(30), 0.9), math.inf)


@pytest.mark.parametrize("nonsense", [math.nan, math.inf, -1.0, -math.inf])
def test_a_retry_after_that_makes_no_sense_is_ignored(nonsense: float) -> None:
    assert POLICY.wait(1, told(nonsense), 0.0) == 0.5


def test_no_wait_outlasts_the_time_budget_and_the_last_attempt_is_the_last() -> None:
    assert not POLICY.waits(1, 5.0, 5.0)
    assert POLICY.waits(1, 5.0, 5.1)
    assert POLICY.waits(3, 1.0, math.inf)
    assert not POLICY.waits(4, 1.0, math.inf)


@given(st.integers(1, 10**6), st.one_of(st.none(), st.floats()), st.floats(0, 1, exclude_max=True))
def test_every_wait_is_finite_and_not_negative(attempt: int, after: float | None, chance: float) -> None:
    seconds = POLICY.wait(attempt, ProviderUnavailable("x", retry_after=after), chance)
    assert math.isfinite(seconds)
    assert seconds >= 0
