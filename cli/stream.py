"""Following events: the backlog, then what comes, until the run ends, the reader leaves or Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autonomy.core.events import TERMINAL_EVENTS, Event
from cli import errors
from cli.output import BLUE, CYAN, DIM, GREEN, RED, YELLOW, Output
from cli.wording import event_line

if TYPE_CHECKING:
    from autonomy.services.runs import Runs
    from autonomy.storage.database import Database

BATCH = 500
PATIENCE = 1.0
"""Seconds between two looks at whether the reader is still there."""
COLOURS = {
    "decision": CYAN,
    "plan.updated": BLUE,
    "retry": YELLOW,
    "budget.exceeded": RED,
    "run.failed": RED,
    "run.done": GREEN,
}


@dataclass
class Leaving:
    """How a follower went: with 0 at the end of the stream, with 130 by Ctrl-C."""

    code: int = errors.OK


@contextmanager
def until_left() -> Iterator[Leaving]:
    """Ctrl-C inside the block ends it quietly: leaving is what it is for."""
    leaving = Leaving()
    try:
        yield leaving
    except KeyboardInterrupt:
        leaving.code = errors.INTERRUPTED


def follow_run(runs: Runs, run_id: str, out: Output, *, after: int, follow: bool) -> None:
    """Print a run's events from `after` on; Ctrl-C is the way to leave."""
    while True:
        batch = runs.events(run_id, after=after, limit=BATCH)
        if not batch and follow:
            batch = runs.wait_events(run_id, after, PATIENCE)
        for event in batch:
            _print(event, out, run=False)
            after = event.seq
        if out.gone or (batch and batch[-1].type in TERMINAL_EVENTS):
            return
        if not batch and (not follow or runs.inspect(run_id)["status"] in ("done", "failed", "aborted")):
            return


def last_position(database: Database, back: int = 10) -> int:
    """Where to begin so that a few of the newest events are shown first."""
    newest = database.read(lambda tx: tx.value("SELECT coalesce(max(position), 0) FROM event"))
    return max(int(newest) - back, 0)


def follow_all(runs: Runs, out: Output, *, after: int, follow: bool) -> None:
    """Print the events of every run by their place in the common order."""
    while not out.gone:
        batch = runs.all_events(after, BATCH)
        for event in batch:
            _print(event, out, run=True)
            after = event.position
        if not batch:
            if not follow:
                return
            time.sleep(PATIENCE / 2)


def _print(event: Event, out: Output, *, run: bool) -> None:
    body = event.as_json()
    if out.json:
        out.line({**body, "position": event.position} if run else body)
        return
    line = event_line(body, out.glyphs, run=run)
    quiet = event.type.startswith(("node.", "call."))
    out.data(out.paint(line, DIM if quiet else COLOURS.get(event.type, 0)))
