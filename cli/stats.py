"""`autonomy stats`: how the runs that have ended did."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from cli import options, values
from cli.command import command, verb
from cli.output import DIM, Output
from cli.session import Session
from cli.wording import count, duration, money, several, status_word

app = verb()
MARGIN = 13
"""Columns before the figures."""


@command(app, "stats", examples=("autonomy stats", "autonomy stats --journey write --since 2026-11-01 --json"))
def stats(
    session: Session,
    journey: Annotated[options.Journey | None, typer.Option(metavar="KIND", help="Only runs of this journey.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only runs that ended on this day (UTC) or later, YYYY-MM-DD.")
    ] = None,
) -> None:
    """Show success, similarity after each report, iterations, time, retries and cost of the runs that have ended."""
    from autonomy.services.figures import stats as measured

    day = values.date(since, "--since")
    begins = None if day is None else int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp()) * 1_000_000
    with session.app(writes=False) as application:
        found = measured(application.database, journey=journey, since_us=begins)
    if session.out.json:
        session.out.document(found)
    elif not found["runs"]:
        session.out.say("No run has ended like that yet." if journey or since else "No run has ended yet.")
    else:
        session.out.data("\n".join(_lines(found, session.out)))


def _lines(found: Mapping[str, Any], out: Output) -> list[str]:
    ended = [f"{status_word('done', outcome)} {many:,}" for outcome, many in found["outcomes"].items()]
    reports = [each for each in found["similarity"] if each["reports"]]
    rows = [
        ("runs", f"{found['runs']:,} ended: {', '.join(ended)}"),
        ("success", f"{100 * found['success_rate']:.1f} %"),
        *((f"report {each['cycle']}", f"{_spread(each, _percent)} ({several(each['reports'], 'report')})") for each in reports),
        ("iterations", _spread(found["iterations"], count)),
        ("worked", _spread(found["seconds"]["worked"], duration)),
        ("to the end", _spread(found["seconds"]["from_request_to_end"], duration)),
        ("retries", f"{found['retries']:,} in {several(found['calls'], 'call')}"),
        ("cost", _cost(found)),
    ]
    return [out.folded(text, lead=out.paint(name.ljust(MARGIN), DIM), under=MARGIN) for name, text in rows]


def _spread(found: Mapping[str, Any], said: Callable[[float], str]) -> str:
    if found["mean"] is None:
        return "not measured"
    return f"mean {said(found['mean'])}, median {said(found['median'])}"


def _percent(value: float) -> str:
    return f"{value:.1f} %"


def _cost(found: Mapping[str, Any]) -> str:
    if found["unpriced_runs"]:
        runs = several(found["unpriced_runs"], "run")
        return f"unknown: {runs} made calls without a known price; {money(found['known_cost_usd'])} is known"
    if found["cost_per_delivered_usd"] is None:
        return f"{money(found['known_cost_usd'])}, and nothing was delivered"
    return f"{money(found['cost_per_delivered_usd'])} for each delivered document"
