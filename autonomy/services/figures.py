"""Figures over all runs: success, similarity, iterations, time, retries, cost. Counted from the tables, never kept.

What was not measured is None, never 0: no runs have no success rate, and a run with a call of unknown price has no known cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from autonomy.core.clock import iso
from autonomy.storage.database import Database, Tx

MICRO = 1_000_000
CYCLES = (1, 2, 3)
"""The reports of a run whose similarity is told."""
_ENDED = "run.outcome IS NOT NULL AND run.finished_at IS NOT NULL"
_JUDGED = "SELECT max(number) FROM record WHERE record.run_id = run.id AND record.kind = 'episode'"
"""Ten times the number of the last step that was judged, and a digit for what of it; steps are numbered from 0."""


def stats(database: Database, *, journey: str | None = None, since_us: int | None = None) -> dict[str, Any]:
    """How the runs that have ended did, those of one journey, those that ended at `since_us` (microseconds) or later.

    `success_rate` is the share that delivered. `similarity` has an entry for each of the first three reports that came, in
    percent. `iterations` are steps of the graph up to the last that was judged. `seconds` are of work and from request to
    end. `cost_per_delivered_usd` is all that these runs cost by the number delivered; None where none was, or where a call
    has no known price (`unpriced_runs`). Lists have mean and median; what has no value is None.
    """
    asked = _ENDED
    values: dict[str, Any] = {}
    if journey is not None:
        asked += " AND run.journey = :journey"
        values["journey"] = journey
    if since_us is not None:
        asked += " AND run.finished_at >= :since"
        values["since"] = since_us

    def look(tx: Tx) -> dict[str, Any]:
        return {"journey": journey, "since": iso(since_us), **_stats(tx, asked, values)}

    return database.read(look)


def _stats(tx: Tx, asked: str, values: dict[str, Any]) -> dict[str, Any]:
    ended = tx.tuples(
        f"SELECT outcome, finished_at - created_at, used_ms, used_usd, unpriced_calls, next_call, ({_JUDGED}) "
        f"FROM run WHERE {asked}",
        **values,
    )
    outcomes = Counter(str(row[0]) for row in ended)
    delivered, unpriced = outcomes["delivered"], sum(row[4] > 0 for row in ended)
    known = sum(int(row[3]) for row in ended) / MICRO
    retries = tx.value(
        f"SELECT sum(attempts - 1) FROM run JOIN call ON call.run_id = run.id AND call.attempts > 1 WHERE {asked}", **values
    )
    return {
        "runs": len(ended),
        "outcomes": dict(sorted(outcomes.items())),
        "success_rate": delivered / len(ended) if ended else None,
        "similarity": _similarity(tx, asked, values),
        "iterations": _spread([row[6] // 10 + 1 for row in ended if row[6] is not None]),
        "seconds": {
            "worked": _spread([row[2] / 1000 for row in ended]),
            "from_request_to_end": _spread([row[1] / MICRO for row in ended]),
        },
        "calls": sum(row[5] for row in ended),
        "retries": int(retries or 0),
        "known_cost_usd": known,
        "unpriced_runs": unpriced,
        "cost_per_delivered_usd": known / delivered if delivered and not unpriced else None,
    }


def _similarity(tx: Tx, asked: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    found = tx.tuples(
        "SELECT cycle.n, cycle.observed FROM cycle JOIN run ON run.id = cycle.run_id "
        f"WHERE cycle.observed IS NOT NULL AND cycle.n <= :most AND {asked}",
        most=CYCLES[-1],
        **values,
    )
    by_cycle = {cycle: [float(observed) for n, observed in found if n == cycle] for cycle in CYCLES}
    return [{"cycle": cycle, "reports": len(seen), **_spread(seen)} for cycle, seen in by_cycle.items()]


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    return {"mean": fmean(values), "median": float(median(values))} if values else {"mean": None, "median": None}


def figures(database: Database) -> dict[str, Any]:
    """Runs by status, ended runs by journey and outcome (with their sums), reports by cycle, open jobs by state, events, calls.

    Money is what is known: `unpriced` counts the runs whose cost is not.
    """
    return database.read(_count)


def _count(tx: Tx) -> dict[str, Any]:
    ended = (
        "SELECT journey, outcome, count(*) AS runs, sum(finished_at - created_at) AS us, sum(used_ms) AS ms, "
        "sum(used_usd) AS micro, sum(CASE WHEN unpriced_calls > 0 THEN 1 ELSE 0 END) AS unpriced, "
        f"sum(({_JUDGED}) / 10 + 1) AS iterations FROM run WHERE {_ENDED} GROUP BY journey, outcome ORDER BY journey, outcome"
    )
    reports = "SELECT n, count(*), sum(observed) FROM cycle WHERE observed IS NOT NULL AND n <= :most GROUP BY n ORDER BY n"
    calls = (
        "SELECT kind, state, count(*) AS calls, sum(attempts) AS attempts, sum(tokens_in) AS tokens_in, "
        "sum(tokens_out) AS tokens_out, sum(cost_usd) AS micro FROM call GROUP BY kind, state ORDER BY kind, state"
    )
    jobs = "SELECT state, count(*) FROM job WHERE state IN ('queued', 'running', 'retry', 'waiting_human') GROUP BY state"
    found = tx.rows(calls)
    attempts = Counter[str]()
    for row in found:
        attempts[row["kind"]] += int(row["attempts"] or 0)
    return {
        "runs": _pairs(tx, "SELECT status, count(*) FROM run GROUP BY status"),
        "ended": [
            {
                "journey": row["journey"],
                "outcome": row["outcome"],
                "runs": int(row["runs"]),
                "seconds": int(row["us"]) / MICRO,
                "worked_seconds": int(row["ms"]) / 1000,
                "usd": int(row["micro"]) / MICRO,
                "unpriced": int(row["unpriced"]),
                "iterations": int(row["iterations"] or 0),
            }
            for row in tx.rows(ended)
        ],
        "reports": [(str(n), int(came), float(total)) for n, came, total in tx.tuples(reports, most=CYCLES[-1])],
        "jobs": _pairs(tx, jobs),
        "events": int(tx.value("SELECT coalesce(sum(next_seq), 0) FROM run")),
        "calls": [{"kind": row["kind"], "state": row["state"], "calls": int(row["calls"])} for row in found],
        "attempts": dict(attempts),
        "retries": _pairs(tx, "SELECT kind, sum(attempts - 1) FROM call WHERE attempts > 1 GROUP BY kind"),
        "tokens": {
            "in": sum(int(row["tokens_in"] or 0) for row in found),
            "out": sum(int(row["tokens_out"] or 0) for row in found),
        },
        "usd": sum(int(row["micro"] or 0) for row in found) / MICRO,
    }


def _pairs(tx: Tx, sql: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in tx.tuples(sql)}
