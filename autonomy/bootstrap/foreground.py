"""Working one run in this process, while somebody watches."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from autonomy.bootstrap.app import App
from autonomy.bootstrap.corpora import Progress
from autonomy.bootstrap.engine import Listeners, engine
from autonomy.bootstrap.reporting import report
from autonomy.bootstrap.working import executing
from autonomy.core.errors import AutonomyError, HeldByAnother, ProviderUnavailable
from autonomy.core.events import TERMINAL_EVENTS, Event
from autonomy.runtime.journal import any_answer
from autonomy.runtime.queue import Job
from autonomy.runtime.worker import Failed, JobEnd, JobHandle, Paused, Worker

LOOK_SECONDS = 0.1
WAIT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the run stands now; `error` is what made it fail, as far as this process saw it."""

    status: str
    outcome: str | None
    error: AutonomyError | str | None


def work_run(
    app: App,
    run_id: str,
    *,
    on_event: Callable[[Event], None],
    on_token: Callable[[str], None],
    on_progress: Progress,
    stop: threading.Event,
    wait: bool,
) -> Ended:
    """Work the run until it ends, waits or is stopped; with `wait` a live holder is waited for instead of refused.

    The events are told from the first on, once the run is this process's own: a refusal is told alone. `stop` asks for a
    stop at the next safe point: the run is then paused, for `run resume`. Raises HeldByAnother, and FlawedPolicy for a run
    that was paused because of the policy file.
    """
    seen: list[AutonomyError] = []
    ours = threading.Event()

    async def work() -> None:
        async with engine(app, Listeners(token=on_token, progress=on_progress)) as executor:
            execute = executing(
                executor,
                acknowledge=app.tasks.acknowledge,
                drained_runs_pause=True,
                trouble=seen.append,
                hopeless=partial(_nobody_there, app),
            )

            async def begun(job: Job, handle: JobHandle) -> JobEnd:
                ours.set()
                return await execute(job, handle)

            while True:
                lease, wake = app.settings.queue.lease_seconds, app.wake
                worker = Worker(app.database, begun, concurrency=1, lease_seconds=lease, wake=wake, signals=False)
                stopping = asyncio.create_task(_drain_when(stop, worker))
                try:
                    end = await worker.work_one(run_id)
                except HeldByAnother:
                    if not wait or stop.is_set():
                        raise
                    ours.set()  # what the holder does is watched meanwhile
                    await asyncio.sleep(WAIT_SECONDS)
                    continue
                finally:
                    stopping.cancel()
                if isinstance(end, Paused) and seen:
                    raise seen[-1]  # it waits for its operator to put something right, who sits here
                if not isinstance(end, Failed):
                    seen.clear()
                return

    with _feeding(app, run_id, on_event, ours):
        asyncio.run(work())
        ours.set()
    report(app)
    page = app.runs.inspect(run_id)
    error: AutonomyError | str | None = seen[-1] if seen else page["error"]
    return Ended(page["status"], page["outcome"], error)


async def _nobody_there(app: App, job: Job, error: AutonomyError) -> bool:
    """Whether the run's first calls met nobody: the connection was refused, or no host has that name.

    The call itself was put as often as the retry policy has it. The job is not tried again on top of that: nothing is there
    to be lost, an address or a server is to be put right, and whoever can do it sits and waits. Runs of a worker, and runs
    that a model has answered before, outlast an outage.
    """
    if job.reason != "start" or not isinstance(error, ProviderUnavailable) or error.reached:
        return False
    return not await app.database.aread(lambda tx: any_answer(tx, job.run_id))


async def _drain_when(stop: threading.Event, worker: Worker) -> None:
    """Pass the wish to stop on; looked at, because a signal handler may do no more than set it."""
    while not await asyncio.to_thread(stop.wait, LOOK_SECONDS):
        pass
    worker.drain()


@contextmanager
def _feeding(app: App, run_id: str, on_event: Callable[[Event], None], ours: threading.Event) -> Iterator[None]:
    """Hand the run's events to the watcher from a thread, from the first on and to the last, as soon as the run is ours."""
    ended = threading.Event()

    def feed() -> None:
        after, held = 0, list[Event]()
        while True:
            last = ended.is_set()
            found = app.runs.wait_events(run_id, after, 0.0 if last else LOOK_SECONDS * 5)
            after = found[-1].seq if found else after
            held += found
            if ours.is_set():
                for event in held:
                    on_event(event)
                    if event.type in TERMINAL_EVENTS:
                        return
                held = []
            if last and not found:
                return

    thread = threading.Thread(target=feed, name="autonomy-feed", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
