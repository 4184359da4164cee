"""Runs report into their tasks, and into the audit log, while something works them: at the start, as they end, and once
more at the end. Decisions that a failed write cut short are finished besides. No work waits for the log: a process frozen in
the middle of a line of it keeps no other from its runs.

What goes wrong here goes wrong for the report alone, never for the run: it is logged, and made up for by whoever looks next.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final

from autonomy.bootstrap.app import App
from autonomy.core.errors import AutonomyError

log = logging.getLogger("autonomy.tasks")
NET_SECONDS: Final = 2.0
"""How often it is looked without having been rung."""
REST_SECONDS: Final = 0.5
"""The least time between two looks: what works the runs has the database first."""
PATIENCE_SECONDS: Final = 2.0
"""How long the last report waits for another process that is at the audit log."""


def report(app: App, patience: float = PATIENCE_SECONDS) -> int:
    """Have ended runs report now, and audit what runs did; returns how many runs reported. Trouble is logged."""
    reported = _tried(app.tasks.report_pending)
    _tried(app.turnitin.tell)
    _tried(lambda: app.tasks.audit_runs(patience))
    return reported


class Reporter:
    """Has runs report from `with` to its end; works in a thread of its own."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autonomy-reports", daemon=True)

    def __enter__(self) -> Reporter:
        _tried(self._app.tasks.reconcile)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._app.wake.ring("events")
        self._thread.join()
        if kind is None:  # after a hard stop nothing more is written
            report(self._app)

    def _run(self) -> None:
        looked = time.monotonic()
        while not self._stopped.is_set():
            seen = self._app.wake.mark()
            report(self._app, 0.0)
            if time.monotonic() - looked >= NET_SECONDS:  # between two looks a writer has time to finish
                _tried(self._app.tasks.catch_up)
                _tried(self._app.turnitin.tend)
                looked = time.monotonic()
            self._app.wake.wait(seen, NET_SECONDS)
            self._stopped.wait(REST_SECONDS)


def _tried(work: Callable[[], int]) -> int:
    try:
        return work()
    except AutonomyError as error:
        log.warning("runs cannot report now: %s", error, extra={"action": "tasks.blocked"})
        return 0
