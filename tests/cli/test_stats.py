"""`autonomy stats`: what it tells, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from autonomy.storage.database import Database
from tests.cli.conftest import Answer, Place
from tests.services.test_figures import ended

Call = Callable[..., Answer]
DAY = 86_400


@pytest.fixture
def database(migrated: Place) -> Iterator[Database]:
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as opened:
        yield opened


def test_without_runs_it_says_so(autonomy: Call) -> None:
    done = autonomy("stats")
    assert (done.code, done.out) == (0, "")
    assert "No run has ended yet." in done.err
    assert json.loads(autonomy("stats", "--json").out)["success_rate"] is None


def test_what_runs_did_is_told_a_line_each(autonomy: Call, database: Database) -> None:
    ended(database, "a", "delivered", at=DAY, took=4, last=9, usd=0.5, similar=(34.0, 11.0), attempts=(1, 3))
    ended(database, "b", "target_not_reached", at=DAY, took=8, last=19)
    told = {line[:13].strip(): line[13:] for line in autonomy("stats").out.splitlines()}
    assert told["runs"] == "2 ended: delivered 1, below target 1"
    assert told["success"] == "50.0 %"
    assert told["report 1"] == "mean 34.0 %, median 34.0 % (1 report)"
    assert "report 3" not in told
    assert told["iterations"] == "mean 15, median 15"
    assert told["worked"] == "mean 1.5 s, median 1.5 s"
    assert told["to the end"] == "mean 6.0 s, median 6.0 s"
    assert told["retries"] == "2 in 2 calls"
    assert told["cost"] == "$0.50 for each delivered document"
    assert autonomy("stats", "--since", "1970-01-03").out == ""
    assert json.loads(autonomy("stats", "--since", "1970-01-02", "--journey", "write", "--json").out)["runs"] == 2


def test_a_cost_without_a_price_is_unknown(autonomy: Call, database: Database) -> None:
    ended(database, "a", "delivered", usd=0.5)
    ended(database, "b", "failed", unpriced=1)
    assert "cost         unknown: 1 run made calls without a known price; $0.50 is known" in autonomy("stats").out


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--since", "soon"), 2), (("--since", "2026-02-30"), 5), (("--journey", "poem"), 2)],
    ids=["no date", "no such day", "no journey"],
)
def test_what_makes_no_sense_is_refused(autonomy: Call, words: tuple[str, ...], code: int) -> None:
    done = autonomy("stats", *words)
    assert (done.code, done.out) == (code, "")
    assert words[1] in done.err
    assert words[0] in done.err
