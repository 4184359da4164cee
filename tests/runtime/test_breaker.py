"""The breaker: opens after failures in a row, lets one try after the rest, closes on an answer."""

from __future__ import annotations

from autonomy.runtime.breaker import Breakers


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened(threshold: int = 3) -> tuple[Breakers, Clock]:
    clock = Clock()
    breakers = Breakers(threshold=threshold, rest=30.0, clock=clock)
    assert [breakers.failed("a") for _ in range(threshold)] == [False] * (threshold - 1) + [True]
    return breakers, clock


def test_failures_in_a_row_open_it_and_an_answer_in_between_starts_over() -> None:
    breakers = Breakers(threshold=2, clock=Clock())
    assert not breakers.failed("a")
    assert not breakers.answered("a")
    assert not breakers.failed("a")
    assert breakers.admit("a")
    assert breakers.failed("a")
    assert not breakers.admit("a")


def test_an_open_circuit_says_how_long_it_rests_and_others_are_untouched() -> None:
    breakers, clock = opened()
    clock.now = 10.0
    assert breakers.wait("a") == 20.0
    assert breakers.wait("b") == 0.0
    assert breakers.admit("b")


def test_looking_uses_up_no_trial() -> None:
    breakers, clock = opened()
    clock.now = 30.0
    assert breakers.wait("a") == breakers.wait("a") == 0.0
    assert breakers.admit("a")


def test_after_the_rest_exactly_one_request_tries() -> None:
    breakers, clock = opened()
    clock.now = 30.0
    assert [breakers.admit("a") for _ in range(5)] == [True, False, False, False, False]


def test_a_trial_that_succeeds_closes_it_once() -> None:
    breakers, clock = opened()
    clock.now = 30.0
    assert breakers.admit("a")
    assert breakers.answered("a")
    assert not breakers.answered("a")
    assert breakers.admit("a")


def test_a_trial_that_fails_keeps_it_open_without_opening_it_again() -> None:
    breakers, clock = opened()
    clock.now = 30.0
    assert breakers.admit("a")
    assert not breakers.failed("a")
    assert breakers.wait("a") == 30.0


def test_a_trial_that_never_reports_is_replaced_after_another_rest() -> None:
    breakers, clock = opened()
    clock.now = 30.0
    assert breakers.admit("a")
    clock.now = 60.0
    assert breakers.admit("a")
