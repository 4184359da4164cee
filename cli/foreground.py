"""Working a run in this process: the view, the two stages of Ctrl-C, and the summary at the end.

The first Ctrl-C asks the run to stop at its next safe point; the second leaves at once, as a crash would, which the run
survives like any other. Either way the last line says how to go on.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from autonomy.core.errors import AutonomyError
from cli import errors
from cli.live import View, open_view, resume_hint, write_raw
from cli.output import RED, Output, plain
from cli.summary import summary
from cli.wording import several

if TYPE_CHECKING:
    from autonomy.bootstrap.app import App
    from autonomy.core.events import Event

STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stopper:
    """Counts the requests to stop; `asked` is what the worker looks at.

    It is a signal handler: it may interrupt any line of this process, itself included, so it takes no lock that somebody
    may hold, asks no database, and writes past the buffers. What it prints under --json is what the events have told.
    """

    def __init__(self, out: Output, run_id: str, view: View, job_id: int | None) -> None:
        self.asked = threading.Event()
        self._out = out
        self._hint = f"Stopped at once.\n{resume_hint(out, run_id)}\n"
        self._view = view
        self._times = 0
        self._page: dict[str, Any] = {"run_id": run_id, "status": "queued", "outcome": None, "artifacts": []}
        self._job_id = job_id

    def hear(self, event: Event) -> None:
        """Learn how the run stands; called from the thread that shows the events."""
        told, files = event.type.removeprefix("run."), self._page["artifacts"]
        if event.type == "artifact.created":
            kept = [row for row in files if row["path"] != event.content["path"]]
            self._page = {**self._page, "artifacts": [*kept, event.content]}
        elif told != event.type:
            status = "running" if told in ("started", "resumed") else told
            self._page = {**self._page, "status": status, "outcome": event.content.get("outcome")}

    def __call__(self, number: int, frame: Any) -> None:
        """The first time asks, the second time leaves."""
        self._times += 1
        if self._times == 1:
            self.asked.set()
            self._view.notice("Stopping at the next safe point; Ctrl-C again stops at once.")
            return
        self._view.abandon()
        if self._out.json:
            write_raw(f"{self._out.dump(document(self._page, self._job_id))}\n", 1)
        write_raw(self._hint)
        os._exit(errors.INTERRUPTED)


@contextmanager
def stopping(out: Output, run_id: str, view: View, job_id: int | None) -> Iterator[Stopper]:
    """The two-stage stop while the block runs; the handlers as they were afterwards. What whoever started us had ignored
    (`nohup` does so with a hang-up) stays ignored."""
    stopper = Stopper(out, run_id, view, job_id)
    if threading.current_thread() is not threading.main_thread():
        yield stopper  # only the main thread may set handlers
        return
    heard = [number for number in STOP_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stopper) for number in heard}
    try:
        yield stopper
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def work(app: App, out: Output, run_id: str, *, job_id: int | None, wait: bool = False) -> int:
    """Work the run until it ends, waits for a person or is stopped; returns the exit code."""
    view = open_view(out, run_id, lambda: app.runs.inspect(run_id))
    try:
        with stopping(out, run_id, view, job_id) as stopper:
            # Takes a second or two: imported once the view is there and Ctrl-C is ours.
            from autonomy.bootstrap.foreground import work_run

            def heard(event: Event) -> None:
                stopper.hear(event)
                view.event(event)

            ended = work_run(
                app, run_id, on_event=heard, on_token=view.token, on_progress=view.progress, stop=stopper.asked, wait=wait
            )
    finally:
        view.close()
    page = app.runs.inspect(run_id)
    code = errors.ended_code(ended.status, ended.outcome, ended.error)
    stopped = stopper.asked.is_set() and ended.status in ("queued", "running", "paused")
    if out.json:
        out.document(document(page, job_id))
    if stopped:
        out.say(f"Stopped at a safe point{how_far(page)}.")
        out.say(resume_hint(out, run_id))
        return errors.INTERRUPTED
    if ended.status == "failed":
        _say_failure(out, run_id, ended.error)
    elif not out.json:
        out.data(summary(page, app.settings.home, out))
    return code


def how_far(page: dict[str, Any]) -> str:
    """The steps done of those planned so far."""
    steps = page.get("plan") or []
    return (
        f", {sum(bool(step['done']) for step in steps)} of {several(len(steps), 'step')} done"
        if steps
        else ", before there was a plan"
    )


def _say_failure(out: Output, run_id: str, error: AutonomyError | str | None) -> None:
    text = plain(error) if error else "the run failed"
    out.say(f"{out.paint_err('error:', RED, 1)} {text.rstrip('.')}. See 'autonomy run explain {run_id[:8]}'.")


def document(page: dict[str, Any], job_id: int | None) -> dict[str, Any]:
    """What `run start --json` prints."""
    return {
        "run_id": page["run_id"],
        "job_id": job_id,
        "status": page["status"],
        "outcome": page["outcome"],
        "deliverables": deliverables(page),
    }


def deliverables(page: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of a run: path (relative to the workspace), role, media type, sha256."""
    return [{key: row.get(key) for key in ("path", "role", "media_type", "sha256")} for row in page.get("artifacts") or []]
