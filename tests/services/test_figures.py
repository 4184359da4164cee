"""Figures over runs: what is counted, and what is not known and therefore not told."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from autonomy.runtime import runs
from autonomy.services.figures import _ENDED, _stats, figures, stats
from autonomy.storage.database import Database, Tx

SECOND = 1_000_000


def ended(
    database: Database, name: str, outcome: str, *, journey: str = "write", at: int = 0, took: int = 4, last: int | None = None,
    usd: float = 0.0, unpriced: int = 0, similar: tuple[float | None, ...] = (), attempts: tuple[int, ...] = (),
) -> None:  # fmt: skip
    """A run that ended `at` seconds, after `took`; `last` is the number of its last judged step."""

    def write(tx: Tx) -> None:
        runs.create(tx, runs.NewRun("ada", journey, "Why leases?", {}, "", "corr", id=name))
        tx.run(
            "UPDATE run SET status = 'done', outcome = :outcome, created_at = :begun, finished_at = :at, used_ms = 1500, "
            "used_usd = :usd, unpriced_calls = :unpriced, next_call = :calls WHERE id = :id",
            outcome=outcome, begun=(at - took) * SECOND, at=at * SECOND, usd=int(usd * 1e6), unpriced=unpriced,
            calls=len(attempts), id=name,
        )  # fmt: skip
        if last is not None:
            tx.run(
                "INSERT INTO record (run_id, kind, key, number, body, created_at) VALUES (:id, 'episode', 'k', :n, '{}', 0)",
                id=name, n=last * 10 + 2,
            )  # fmt: skip
        for n, observed in enumerate(similar, 1):
            tx.run(
                "INSERT INTO cycle (id, run_id, n, status, target, document, document_sha256, opened_at, on_expiry, observed) "
                "VALUES (:cycle, :id, :n, 'rejected', 15, 'd', 'x', 0, 'remind', :observed)",
                cycle=f"{name}{n}", id=name, n=n, observed=observed,
            )  # fmt: skip
        for n, tries in enumerate(attempts, 1):
            tx.run(
                "INSERT INTO call (run_id, n, slot, kind, name, effect, state, request, attempts, started_at) "
                "VALUES (:id, :n, :slot, 'model', 'm', 'pure', 'answered', '{}', :tries, 0)",
                id=name, n=n, slot=f"s{n}", tries=tries,
            )  # fmt: skip

    database.write(write)


def test_without_runs_nothing_is_told_but_that_there_are_none(database: Database) -> None:
    found = stats(database)
    assert (found["runs"], found["success_rate"], found["cost_per_delivered_usd"]) == (0, None, None)
    assert found["iterations"] == {"mean": None, "median": None}
    assert found["similarity"] == [{"cycle": n, "reports": 0, "mean": None, "median": None} for n in (1, 2, 3)]


def test_what_ended_runs_did_is_counted_from_the_tables(database: Database) -> None:
    ended(database, "a", "delivered", took=4, last=9, usd=0.5, similar=(34.0, 11.0), attempts=(1, 3))
    ended(database, "b", "delivered", took=10, last=19, usd=0.25, similar=(20.0,), attempts=(0,))
    ended(database, "c", "failed", took=1, usd=0.25, similar=(None,))
    database.write(lambda tx: runs.create(tx, runs.NewRun("ada", "write", "Still going", {}, "", "corr", id="open")))
    found = stats(database)
    assert (found["runs"], found["outcomes"]) == (3, {"delivered": 2, "failed": 1})
    assert found["success_rate"] == pytest.approx(2 / 3)
    assert found["similarity"][0] == {"cycle": 1, "reports": 2, "mean": 27.0, "median": 27.0}
    assert found["similarity"][1] == {"cycle": 2, "reports": 1, "mean": 11.0, "median": 11.0}
    assert found["iterations"] == {"mean": 15.0, "median": 15.0}
    assert found["seconds"] == {
        "worked": {"mean": 1.5, "median": 1.5},
        "from_request_to_end": {"mean": 5.0, "median": 4.0},
    }
    assert (found["calls"], found["retries"]) == (3, 2)
    assert found["cost_per_delivered_usd"] == pytest.approx(0.5)


def test_a_cost_that_is_not_wholly_known_is_unknown_and_never_a_sum_without_it(database: Database) -> None:
    ended(database, "a", "delivered", usd=0.5)
    ended(database, "b", "delivered", unpriced=1)
    found = stats(database)
    assert (found["cost_per_delivered_usd"], found["unpriced_runs"], found["known_cost_usd"]) == (None, 1, 0.5)


def test_a_cost_of_nothing_delivered_is_not_divided(database: Database) -> None:
    ended(database, "a", "failed", usd=0.5)
    assert (stats(database)["cost_per_delivered_usd"], stats(database)["success_rate"]) == (None, 0.0)


def test_only_the_asked_journey_and_time_are_counted(database: Database) -> None:
    ended(database, "a", "delivered", at=100, similar=(30.0,), attempts=(2,))
    ended(database, "b", "failed", at=200, similar=(20.0,), attempts=(5,))
    ended(database, "c", "delivered", at=200, journey="research")

    def seen(**asked: Any) -> tuple[int, float | None, float | None, int]:
        found = stats(database, **asked)
        return found["runs"], found["success_rate"], found["similarity"][0]["mean"], found["retries"]

    assert seen(journey="write") == (2, 0.5, 25.0, 5)
    assert seen(journey="write", since_us=200 * SECOND) == (1, 0.0, 20.0, 4)
    assert seen(since_us=201 * SECOND) == (0, None, None, 0)
    assert seen(journey="research") == (1, 1.0, None, 0)


def test_the_sums_for_monitoring_say_what_has_no_price(database: Database) -> None:
    ended(database, "a", "delivered", last=9, usd=0.5, similar=(34.0, 11.0, 9.0, 8.0), attempts=(3,))
    ended(database, "b", "delivered", last=4, unpriced=2)
    found = figures(database)
    (row,) = found["ended"]
    assert row == {
        "journey": "write", "outcome": "delivered", "runs": 2, "seconds": 8.0, "worked_seconds": 3.0, "usd": 0.5, "unpriced": 1,
        "iterations": 15,
    }  # fmt: skip
    assert found["reports"] == [("1", 1, 34.0), ("2", 1, 11.0), ("3", 1, 9.0)]
    assert (found["attempts"], found["retries"]) == ({"model": 3}, {"model": 2})


def test_the_figures_are_read_from_indexes_alone(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "autonomy.db"
    shutil.copy(sqlite_template, path)
    seen: list[str] = []
    with Database(f"sqlite:///{path}", grow_wal=False) as database:

        def look(tx: Tx) -> None:
            asked: list[tuple[str, dict[str, Any]]] = []

            class Listening(Tx):
                def tuples(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
                    asked.append((sql, parameters))
                    return super().tuples(sql, **parameters)

                def value(self, sql: str, **parameters: Any) -> Any:
                    asked.append((sql, parameters))
                    return super().value(sql, **parameters)

            listening = Listening(tx.connection, tx.dialect)
            _stats(listening, f"{_ENDED} AND run.finished_at >= :since", {"since": 1})
            for sql, values in asked:
                seen.extend(row[3] for row in tx.tuples(f"EXPLAIN QUERY PLAN {sql}", **values))

        database.read(look)
    read = [line for line in seen if line.startswith(("SCAN", "SEARCH"))]
    assert len(read) == 6
    assert [line for line in read if "COVERING INDEX" not in line] == ["SEARCH run USING INDEX sqlite_autoindex_run_1 (id=?)"]
    assert "SEARCH run USING COVERING INDEX ix_run_ended (finished_at>?)" in read
