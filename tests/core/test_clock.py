"""Time as text, and ids."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.core import clock
from autonomy.core.clock import is_id, iso, new_id, now_us


@given(st.integers(0, 253_402_300_799_999_999))
def test_a_moment_reads_back_to_the_millisecond(us: int) -> None:
    text = iso(us)
    assert text is not None
    assert text.endswith("Z")
    moment = datetime.datetime.fromisoformat(text)
    assert moment == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(milliseconds=us // 1000)


def test_no_moment_stays_none() -> None:
    assert iso(None) is None


def test_now_is_in_microseconds() -> None:
    assert datetime.datetime.fromtimestamp(now_us() / 1e6, tz=datetime.UTC).year >= 2025


def test_ids_are_short_distinct_and_fit_everywhere() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == len({each[:10] for each in ids}) == 1000
    assert all(is_id(each) and len(each) == 26 and each == each.lower() for each in ids)


@pytest.mark.parametrize("text", ["", "a" * 65, "a/b", "..", "a\n", "a\x00", "ä", "a b", "a.b"])
def test_what_is_no_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize(
    ("moment", "day", "over"),
    [
        ("2030-03-01T11:59:59", "2030-02-28", False),  # it is still the last of February, an hour west of Samoa
        ("2030-03-01T12:00:00", "2030-02-28", True),
        ("2030-03-01T12:00:00", "2030-03-01", False),
        ("2028-03-01T00:00:00", "2028-02-29", False),
    ],
)
def test_a_day_is_over_when_it_has_ended_everywhere(moment: str, day: str, over: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.datetime.fromisoformat(f"{moment}+00:00").timestamp()
    monkeypatch.setattr(clock, "now_us", lambda: int(now * 1_000_000))
    assert clock.is_over(datetime.date.fromisoformat(day)) is over
