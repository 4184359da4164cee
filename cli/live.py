"""Showing a run while it is worked: a moving view on a terminal, plain lines elsewhere; always on stderr.

The view never touches the run: it listens, and reads the run's page in its own refresh thread at most twice a second.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from autonomy.core.errors import AutonomyError
from autonomy.core.events import Event
from cli.output import CYAN, DIM, Output, squeezed
from cli.watch import Watch
from cli.wording import event_line

QUIET = frozenset({"node.started", "node.finished", "call.started", "call.finished", "memory.stored"})
"""Events that the plain lines leave out: their decisions say the same with a reason."""
PAGE_SECONDS = 0.5
READING_SECONDS = 3.0
FRAMES_PER_SECOND = 8
SHOW_CURSOR = "\x1b[?25h"


class View(Protocol):
    """What the foreground worker tells about the run."""

    def event(self, event: Event) -> None: ...

    def token(self, text: str) -> None: ...

    def progress(self, done: int, total: int, name: str) -> None: ...

    def notice(self, text: str) -> None:
        """Show a line. Called from a signal handler: takes no lock and touches no buffered stream."""
        ...

    def abandon(self) -> None:
        """Give the cursor back, from a signal handler, because the process ends now."""
        ...

    def close(self) -> None: ...


class PlainView:
    """One line per thing that happened; of trouble that stays the same the first one, and how often it came again."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._told: float | None = None
        self._telling = False
        self._troubles: set[tuple[str, ...]] = set()
        self._again = 0

    def event(self, event: Event) -> None:
        """Tell it, unless it only moves a screen or says again what is known."""
        if event.type == "call.finished" and event.content.get("kind") == "chat" and not event.content.get("error"):
            self._troubles.clear()  # somebody answered: what fails from now on is news
        if event.type in QUIET or "/sources/" in str(event.content.get("path", "")) or self._known(event):
            return
        if self._again:
            self._out.say(f"{'':8} {'':>4} {'':<9} {'':<16} {self._again} more of the same")
            self._again = 0
        self._out.say(event_line(event.as_json(), self._out.glyphs_err))

    def _known(self, event: Event) -> bool:
        """Whether the event is trouble that was told before; the attempt that a told retry announced is none."""
        if event.type == "run.resumed":
            return bool(event.content.get("retry"))
        told = event.content.get("fallback") if event.type == "decision" else event.content
        if not told or event.type not in ("retry", "breaker.opened", "decision"):
            return False
        trouble = (event.type, str(told.get("scope")), str(told.get("provider")), str(told.get("reason")))
        known = trouble in self._troubles
        self._troubles.add(trouble)
        self._again += known and event.type == "retry"
        return known

    def token(self, text: str) -> None:
        """Nothing: pieces of an answer are no lines."""

    def progress(self, done: int, total: int, name: str) -> None:
        """A line every few seconds and at the end; nothing for what is done in no time. Most were read by an earlier run."""
        now = time.monotonic()
        self._told = now if self._told is None else self._told
        if now - self._told >= READING_SECONDS or (self._telling and done >= total):
            self._told, self._telling = now, done < total
            self._out.say(f"checked {done:,} of {total:,} documents: {squeezed(name)}")

    def notice(self, text: str) -> None:
        """Tell it."""
        write_raw(f"{text}\n")

    def abandon(self) -> None:
        """Nothing is open."""

    def close(self) -> None:
        """Nothing is open."""


class LiveView:
    """The moving view. Callbacks may come from any thread; drawing happens in rich's refresh thread."""

    def __init__(self, out: Output, watch: Watch, page: Callable[[], Mapping[str, Any]]) -> None:
        from rich.console import Console
        from rich.live import Live

        self._watch = watch
        self._page = page
        self._glyphs = out.glyphs_err
        self._guard = threading.Lock()
        self._dirty = True
        self._read_at = 0.0
        self._console = Console(stderr=True, no_color=not out.colour_err, highlight=False, emoji=False, markup=False)
        self._live = Live(
            console=self._console, get_renderable=self._draw, refresh_per_second=FRAMES_PER_SECOND, transient=True,
            redirect_stdout=False, redirect_stderr=False,
        )  # fmt: skip
        self._live.start()

    def _draw(self) -> Any:
        from cli.screen import draw

        self._refresh()
        with self._guard:
            return draw(self._watch, self._console.width, self._console.height - 1, self._glyphs)

    def _refresh(self) -> None:
        """Read the run's page when something happened and the last reading is old enough."""
        now = time.monotonic()
        if not self._dirty or now - self._read_at < PAGE_SECONDS:
            return
        self._dirty, self._read_at = False, now
        try:
            page = self._page()
        except AutonomyError:
            return  # the view is a courtesy; the worker meets the same trouble and reports it
        with self._guard:
            self._watch.refresh(page)

    def event(self, event: Event) -> None:
        """Take it in; the next frame shows it."""
        with self._guard:
            self._watch.take(event)
            self._dirty = True

    def token(self, text: str) -> None:
        """Show the end of what is being written."""
        with self._guard:
            self._watch.token(text)

    def progress(self, done: int, total: int, name: str) -> None:
        """Show how far the reading has come."""
        with self._guard:
            self._watch.progress(done, total, name)

    def notice(self, text: str) -> None:
        """Show a line at the foot."""
        self._watch.notice = text

    def abandon(self) -> None:
        """Leave the last frame where it is, under it a line of its own, and the cursor."""
        write_raw(f"{SHOW_CURSOR}\n")

    def close(self) -> None:
        """Take the view away and give the cursor back; safe to call twice."""
        self._live.stop()


def open_view(out: Output, run_id: str, page: Callable[[], Mapping[str, Any]]) -> View:
    """The view that fits this terminal."""
    if not out.moving:
        return PlainView(out)
    first = page()
    task = first.get("task") or {}
    watch = Watch(run_id, str(first.get("journey", "")), str(task.get("goal", "")))
    watch.refresh(first)
    return LiveView(out, watch, page)


def write_raw(text: str, descriptor: int = 2) -> None:
    """Write to stderr (or stdout, 1) past every buffer and lock: what a signal handler may do."""
    data = text.encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(descriptor, data) :]


def resume_hint(out: Output, run_id: str) -> str:
    """The command that goes on with the run."""
    return f"{out.paint_err('continue with', DIM)} {out.paint_err(f'autonomy run resume {run_id}', CYAN)}"
