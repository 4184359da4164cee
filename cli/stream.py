"""Following events: the backlog, then what comes, until the run ends, the reader leaves or Ctrl-C."""

from __future__ import annotations

import signal
import threading
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
PATIENCE = 0.25
"""Seconds between two looks at whether the reader is still there, or has asked to leave."""
MARGIN = 14
"""Columns under which an event goes on that is wider than the terminal."""
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

    def ask(self) -> None:
        """Leave at the next look; asked again, at once."""
        if self.code:
            raise KeyboardInterrupt
        self.code = errors.INTERRUPTED


@contextmanager
def until_left() -> Iterator[Leaving]:
    """Ctrl-C inside the block ends it quietly: leaving is what it is for. It is looked for between two reads, so that it
    cannot fall into the opening or closing of something."""
    leaving = Leaving()
    if threading.current_thread() is not threading.main_thread():
        yield leaving  # only the main thread may set handlers
        return
    before = signal.signal(signal.SIGINT, lambda *_: leaving.ask())
    try:
        yield leaving
    finally:
        signal.signal(signal.SIGINT, before)


def follow_run(runs: Runs, run_id: str, out: Output, leaving: Leaving, *, after: int, follow: bool) -> None:
    """Print a run's events from `after` on; Ctrl-C is the way to leave."""
    while not leaving.code:
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


def follow_all(runs: Runs, out: Output, leaving: Leaving, *, after: int, follow: bool) -> None:
    """Print the events of every run by their place in the common order."""
    pause = threading.Event()
    while not out.gone and not leaving.code:
        batch = runs.all_events(after, BATCH)
        for event in batch:
            _print(event, out, run=True)
            after = event.position
        if not batch:
            if not follow:
                return
            pause.wait(PATIENCE)


def below(event_type: str, outcome: object) -> bool:
    """Whether a run ended with something to hand over that is less than what was asked for."""
    return event_type == "run.done" and outcome != "delivered"


def _print(event: Event, out: Output, *, run: bool) -> None:
    body = event.as_json()
    if out.json:
        out.line({**body, "position": event.position} if run else body)
        return
    line = event_line(body, out.glyphs, run=run)
    colour = YELLOW if below(event.type, event.content.get("outcome")) else COLOURS.get(event.type, 0)
    quiet = event.type.startswith(("node.", "call."))
    rows = out.folded(line, under=MARGIN).splitlines()
    out.data("\n".join(out.paint(row, DIM if quiet else colour) for row in rows))
