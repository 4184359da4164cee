"""Figures over all runs, for monitoring: success, time, iterations, retries, cost. Counted from the tables, never kept."""

from __future__ import annotations

from typing import Any

from autonomy.storage.database import Database, Tx

MICRO = 1_000_000


def figures(database: Database) -> dict[str, Any]:
    """Runs by status, ended runs by journey and outcome (with seconds and US dollars), open jobs by state, events, calls."""
    return database.read(_count)


def _count(tx: Tx) -> dict[str, Any]:
    ended = (
        "SELECT journey, outcome, count(*) AS runs, sum(finished_at - created_at) AS us, sum(used_usd) AS micro FROM run "
        "WHERE outcome IS NOT NULL AND finished_at IS NOT NULL GROUP BY journey, outcome ORDER BY journey, outcome"
    )
    calls = (
        "SELECT kind, state, count(*) AS calls, sum(attempts) AS attempts, sum(tokens_in) AS tokens_in, "
        "sum(tokens_out) AS tokens_out, sum(cost_usd) AS micro FROM call GROUP BY kind, state ORDER BY kind, state"
    )
    jobs = "SELECT state, count(*) FROM job WHERE state IN ('queued', 'running', 'retry', 'waiting_human') GROUP BY state"
    found = tx.rows(calls)
    attempts: dict[str, int] = {}
    for row in found:
        attempts[row["kind"]] = attempts.get(row["kind"], 0) + int(row["attempts"] or 0)
    return {
        "runs": _pairs(tx, "SELECT status, count(*) FROM run GROUP BY status"),
        "ended": [
            {
                "journey": row["journey"],
                "outcome": row["outcome"],
                "runs": int(row["runs"]),
                "seconds": int(row["us"]) / MICRO,
                "usd": int(row["micro"]) / MICRO,
            }
            for row in tx.rows(ended)
        ],
        "jobs": _pairs(tx, jobs),
        "events": int(tx.value("SELECT coalesce(sum(next_seq), 0) FROM run")),
        "calls": [{"kind": row["kind"], "state": row["state"], "calls": int(row["calls"])} for row in found],
        "attempts": attempts,
        "tokens": {
            "in": sum(int(row["tokens_in"] or 0) for row in found),
            "out": sum(int(row["tokens_out"] or 0) for row in found),
        },
        "usd": sum(int(row["micro"] or 0) for row in found) / MICRO,
    }


def _pairs(tx: Tx, sql: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in tx.tuples(sql)}
