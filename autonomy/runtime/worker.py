"""Claims jobs and sees each to exactly one end: done, waiting, paused, another try, handed back, or lost to someone else.

What a job means is the caller's: `execute(job, handle)` runs it and says how it ended. The worker keeps its lease, tells it
when to stop, and writes the end, together with the claim of the next job, in one transaction. A drain (first signal) stops
claiming, asks the executions to stop at their next step, keeps their leases until the last has, and hands jobs back without
costing an attempt; a second signal leaves everything as it lies, for others to take over.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from autonomy.core.errors import (
    AutonomyError,
    HeldByAnother,
    Interrupted,
    InvalidInput,
    LeaseLost,
    ProviderUnavailable,
    StorageError,
    WaitingForPerson,
)
from autonomy.runtime import backlog, lease, queue, runs
from autonomy.runtime.ends import Execute, Failed, Finished, JobEnd, JobHandle, Lost, Paused, Released, Waiting
from autonomy.runtime.queue import Job
from autonomy.runtime.wake import Beyond, Topic, Wake
from autonomy.storage.database import Database, Tx

log = logging.getLogger("autonomy.worker")

NET_SECONDS: Final = 1.0
"""How often a worker looks without having been rung: for retries that fall due, leases that end, workers that died."""
REQUESTS_SECONDS: Final = 0.1
"""The least time between two looks for pause and abort requests."""
DRAIN_SECONDS: Final = 25.0
"""How long a drain waits for executions to reach their next step before it cuts them off (their jobs are handed back)."""


@dataclass(frozen=True, slots=True)
class _Tools:
    """What is open while the worker is."""

    identity: str
    watch: lease.Watch
    heartbeat: lease.Heartbeat


class Worker:
    """One worker: up to `concurrency` jobs at once in one event loop. Use `run` or `work_one`, once."""

    def __init__(
        self,
        database: Database,
        execute: Execute,
        *,
        concurrency: int = 4,
        lease_seconds: float = 30.0,
        wake: Wake | None = None,
        until_idle: bool = False,
        signals: bool = True,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        """Raises InvalidInput for a concurrency outside 1 to 1000 and for a lease too short for its heartbeats."""
        if not 1 <= concurrency <= 1000:
            raise InvalidInput(f"a worker does 1 to 1000 jobs at once, not {concurrency}", "Correct --concurrency.")
        self._database = database
        self._execute = execute
        self._concurrency = concurrency
        self._lease_seconds = lease_seconds
        self._lease_us = lease.lease_us(lease_seconds)
        self._wake = wake or Wake()
        self._until_idle = until_idle
        self._signals = signals
        self._drain_seconds = drain_seconds
        self._serving = False
        self._hard = False
        self._handles: dict[int, JobHandle] = {}
        self._works: dict[int, asyncio.Task[JobEnd]] = {}
        self._tasks: set[asyncio.Task[JobEnd]] = set()
        self._promised = 0
        self._guard = threading.Lock()
        self._bell = asyncio.Event()
        self._requests = asyncio.Event()
        self._draining = asyncio.Event()
        # Two writes that touch lanes must not share a commit on PostgreSQL: their order could cross another worker's.
        self._turn: contextlib.AbstractAsyncContextManager[Any] = (
            contextlib.nullcontext() if database.path is not None else asyncio.Lock()
        )

    # -- from outside -----------------------------------------------------------------------------

    async def run(self) -> int:
        """Work until drained (or, with `until_idle`, until no job waits); returns how many jobs it saw to an end.

        Raises Interrupted after a hard stop.
        """
        worked = 0
        async with self._open() as tools:
            with self._wake.taking(_Places(self, tools)):
                self._serving = True
                while not self._draining.is_set():
                    self._bell.clear()
                    worked += self._reap()
                    free = self._free()
                    if free and (job := await self._claim(tools)) is not None:
                        self._begin(tools, job)
                    elif free and self._until_idle and not self._tasks and await self._database.aread(backlog.idle):
                        break
                    else:
                        await _rung(self._bell, NET_SECONDS)
                self._close()
            while self._tasks or self._promised:
                self._bell.clear()
                await _rung(self._bell, NET_SECONDS)
                worked += self._reap()
        return worked

    async def work_one(self, run_id: str) -> JobEnd:
        """Work this run's job here and now, its retries included, and say how it ended.

        A run lost on the way (the process was frozen, the database away for a lease) is claimed anew; `Lost` is returned
        only when others saw it to its end. Raises HeldByAnother when a live worker has it or its user's places are taken,
        LeaseLost when it was given up and still bears this worker's name, WaitingForPerson, InvalidInput when the run has
        ended, NotFound, Interrupted after a hard stop, and what gave out around the run (`Failed.trouble`).
        """
        async with self._open() as tools:
            while True:
                job = await self._claim(tools, run_id)
                if job is None:
                    raise await self._database.aread(lambda tx: _obstacle(tx, run_id, tools.identity))
                task = self._begin(tools, job)
                await asyncio.wait({task})
                self._stop_if_hard()
                self._reap()
                end = task.result()
                if isinstance(end, Failed) and end.trouble is not None:
                    raise end.trouble
                if isinstance(end, Lost) and not (await self._database.aread(lambda tx: runs.get(tx, run_id))).ended:
                    continue
                if not isinstance(end, Failed) or not await self._wait_for_retry(run_id):
                    return end

    @property
    def drained(self) -> bool:
        """Whether it was told to stop."""
        return self._draining.is_set()

    def drain(self) -> None:
        """Stop politely; from the event loop's thread."""
        if not self._draining.is_set():
            self._draining.set()
            asyncio.get_running_loop().call_later(self._drain_seconds, self._cut_off)
        for handle in self._handles.values():
            handle.tell(draining=True)
        self._bell.set()

    def stop(self) -> None:
        """Stop at once: executions are cancelled, jobs stay as they are, for others to take over."""
        self._hard = True
        self.drain()
        for task in self._tasks:
            task.cancel()

    # -- places, also for writers of this process that queue work -----------------------------------

    def _free(self) -> bool:
        return len(self._tasks) + self._promised < self._concurrency

    def _close(self) -> None:
        with self._guard:
            self._serving = False

    def _reserve(self) -> bool:
        with self._guard:
            promised = self._serving and not self._draining.is_set() and self._free()
            self._promised += promised
            return promised

    def _taken(self, tools: _Tools, job: Job | None) -> None:
        with self._guard:
            self._promised -= 1
        if job is not None:
            self._begin(tools, job)
        self._bell.set()

    # -- opening and closing ----------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[_Tools]:
        loop = asyncio.get_running_loop()
        with contextlib.ExitStack() as stack:
            presence = stack.enter_context(lease.Presence())
            heartbeat = stack.enter_context(lease.Heartbeat(self._database, self._lease_seconds))
            stack.enter_context(self._wake.listening(lambda topic: loop.call_soon_threadsafe(self._heard, topic)))
            stack.enter_context(Beyond(self._database, self._wake))
            if self._signals:
                stack.enter_context(_signals(loop, self._signalled))
            _say("worker.started", worker=presence.identity, concurrency=self._concurrency)
            attending = asyncio.create_task(self._attend())
            try:
                yield _Tools(presence.identity, lease.Watch(), heartbeat)
                self._stop_if_hard()
            finally:
                for task in (attending, *self._tasks):
                    task.cancel()
                await asyncio.wait({attending, *self._tasks})
                _say("worker.stopped", worker=presence.identity)

    def _stop_if_hard(self) -> None:
        if self._hard:
            raise Interrupted(
                "stopped before the work was handed back", "Another worker takes it over; or 'autonomy run resume'."
            )

    def _signalled(self) -> None:
        if self._draining.is_set():
            _say("worker.stopping", jobs=len(self._tasks))
            self.stop()
        else:
            _say("worker.draining", jobs=len(self._tasks))
            self.drain()

    def _cut_off(self) -> None:
        """The drain has waited long enough: what the current step has not committed is done again elsewhere."""
        for job_id, work in self._works.items():
            _say("job.cut_off", job_id=job_id)
            work.cancel()

    def _heard(self, topic: Topic) -> None:
        if topic == "jobs":
            self._bell.set()
            self._requests.set()

    async def _attend(self) -> None:
        """Pass pause and abort requests on as they come in; the heartbeat passes on what is missed here."""
        while True:
            await _rung(self._requests, None)
            self._requests.clear()
            for handle in list(self._handles.values()):
                with contextlib.suppress(StorageError):
                    control = await self._database.aread(functools.partial(_control, handle=handle))
                    if control is not None:
                        handle.tell(control=control)
            await asyncio.sleep(REQUESTS_SECONDS)

    async def _wait_for_retry(self, run_id: str) -> bool:
        """Wait until the run's retry is due; False when there is none, or when told to stop."""
        standing = await self._database.aread(lambda tx: backlog.standing(tx, run_id))
        if standing is None or standing.state != "retry":
            return False
        now = await self._database.aread(Tx.now)
        await _rung(self._draining, max(0.0, (standing.scheduled_at - now) / 1_000_000))
        return not self._draining.is_set()

    # -- one job ----------------------------------------------------------------------------------

    async def _claim(self, tools: _Tools, run_id: str | None = None) -> Job | None:
        """The next job; None also while the database cannot be reached (the net below tries again)."""
        try:
            async with self._turn:
                return await self._database.awrite(functools.partial(self._take, tools, run_id))
        except StorageError as error:
            if run_id is not None:
                raise
            log.warning("cannot claim: %s", error, extra={"action": "worker.blocked", "worker": tools.identity})
            return None

    def _take(self, tools: _Tools, run_id: str | None, tx: Tx, wait: bool = True) -> Job | None:
        return queue.claim(tx, tools.identity, self._lease_us, run_id, watch=tools.watch, wait=wait)

    def _begin(self, tools: _Tools, job: Job) -> asyncio.Task[JobEnd]:
        handle = JobHandle(job)
        if self._draining.is_set():
            handle.tell(draining=True)
        self._handles[job.id] = handle
        work = self._works[job.id] = asyncio.create_task(self._execute(job, handle))
        task = asyncio.create_task(self._see_through(tools, job, handle, work), name=f"job {job.id}")
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._bell.set())
        return task

    def _keep_lease(self, tools: _Tools, job: Job, handle: JobHandle) -> None:
        call = asyncio.get_running_loop().call_soon_threadsafe

        def lost() -> None:
            call(functools.partial(handle.tell, lost=True))

        def asked(control: str) -> None:
            call(functools.partial(handle.tell, control=control))

        tools.heartbeat.add(job.id, functools.partial(queue.heartbeat, job=job), lost, asked)

    def _reap(self) -> int:
        """Forget ended jobs; returns how many were seen to an end. Raises what should never have been raised."""
        ended = {task for task in self._tasks if task.done()}
        self._tasks -= ended
        return sum(not isinstance(task.result(), Lost) for task in ended if not task.cancelled())

    async def _see_through(self, tools: _Tools, job: Job, handle: JobHandle, work: asyncio.Task[JobEnd]) -> JobEnd:
        """Run the job and write its end. Cancelling this is what a hard stop does: then nothing is written."""
        begun = time.monotonic()
        self._keep_lease(tools, job, handle)
        _say("job.claimed", job, reason=job.reason)
        try:
            end = await _outcome(work, handle)
            end, following = await self._settle(tools, job, handle, end)
        finally:
            work.cancel()
            tools.heartbeat.drop(job.id)
            del self._handles[job.id], self._works[job.id]
        told = {"outcome": getattr(end, "outcome", None), "error": getattr(end, "error", None)}
        _say(f"job.{type(end).__name__.lower()}", job, duration_ms=int((time.monotonic() - begun) * 1000), **told)
        if following is not None:
            self._begin(tools, following)
        return end

    async def _settle(self, tools: _Tools, job: Job, handle: JobHandle, end: JobEnd) -> tuple[JobEnd, Job | None]:
        """Write the end, and claim the next job in the same commit; goes on trying while the lease lasts."""
        ahead = self._serving
        while not isinstance(end, Lost) and not handle.lost.is_set():
            another = ahead and not self._draining.is_set()

            def write(tx: Tx, end: JobEnd = end, another: bool = another) -> Job | None:
                _write_end(tx, job, end)
                return self._take(tools, None, tx, wait=False) if another else None

            try:
                async with self._turn:
                    return end, await self._database.awrite(write)
            except LeaseLost:
                break
            except AutonomyError as error:
                log.warning("cannot write the end of a job: %s", error, extra=_fields(job) | {"action": "job.blocked"})
                if not self._serving and isinstance(end, Failed) and end.trouble is not None:
                    return end, None  # not even that can be written: the job lies as after a crash, free to be resumed
                ahead = False
                await _rung(handle.lost, NET_SECONDS)
        return Lost(), None


class _Places:
    """What the bell offers to a writer that queues work: a free place of this worker, claimed in the writer's commit."""

    def __init__(self, worker: Worker, tools: _Tools) -> None:
        self._worker = worker
        self._tools = tools
        self._call = asyncio.get_running_loop().call_soon_threadsafe

    def reserve(self) -> bool:
        return self._worker._reserve()

    def take(self, tx: Tx) -> Job | None:
        return self._worker._take(self._tools, None, tx, wait=False)

    def begin(self, taken: Job | None) -> None:
        self._call(self._worker._taken, self._tools, taken)


async def _outcome(work: asyncio.Task[JobEnd], handle: JobHandle) -> JobEnd:
    """Wait for the execution, or cut it off when the lease is lost."""
    lost = asyncio.create_task(handle.lost.wait())
    try:
        await asyncio.wait({work, lost}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
    finally:
        lost.cancel()
    if handle.lost.is_set():
        return Lost()
    if work.cancelled():
        return Released() if handle.draining else Failed("the execution was cancelled", retryable=True)
    error = work.exception()
    if error is None:
        return work.result()
    if isinstance(error, LeaseLost):
        return Lost()
    if isinstance(error, AutonomyError):
        return Failed(str(error), retryable=isinstance(error, (ProviderUnavailable, StorageError)))
    if not isinstance(error, Exception):
        raise error
    log.error("an execution raised %r", error, exc_info=error, extra={"action": "job.raised", "run_id": handle.run_id})
    return Failed(f"{type(error).__name__}: {error}", retryable=True)


def _write_end(tx: Tx, job: Job, end: JobEnd) -> None:
    match end:
        case Finished():
            queue.finish(tx, job, end.status, outcome=end.outcome, content=end.content, error=end.error)
        case Waiting():
            queue.wait_human(tx, job, end.begin)
        case Paused():
            queue.pause(tx, job, content=end.content)
        case Failed():
            queue.fail(tx, job, end.error, retryable=end.retryable, counted=end.trouble is None)
        case Released():
            queue.release(tx, job)
        case Lost():
            raise LeaseLost(f"run {job.run_id} was lost", "Nothing may be written.")


def _control(tx: Tx, handle: JobHandle) -> str | None:
    sql = "SELECT control FROM run WHERE id = :id AND epoch = :epoch"
    found: str | None = tx.value(sql, id=handle.run_id, epoch=handle.epoch)
    return found


def _obstacle(tx: Tx, run_id: str, claimer: str) -> AutonomyError:
    """Why the run's job could not be claimed."""
    run, standing = runs.get(tx, run_id), backlog.standing(tx, run_id)
    if run.ended:
        return InvalidInput(f"run {run_id} has ended already ({run.status})", "Start a new run, or see 'autonomy run inspect'.")
    if standing is None or standing.state == "waiting_human":
        return WaitingForPerson(f"run {run_id} stands still ({run.status})", "Go on with 'autonomy run resume'.")
    if standing.state == "running" and standing.holder == claimer:
        return LeaseLost(
            f"run {run_id} was given up: nothing could be written for a lease", "Go on with 'autonomy run resume'."
        )
    if standing.state == "running":
        return HeldByAnother(f"run {run_id} is being worked by {standing.holder}", "Follow it with 'autonomy run tail'.")
    return HeldByAnother(
        f"{run.user_id} has {standing.running} runs at work, as many as allowed",
        "Wait until one ends, or start it with --detach.",
    )


async def _rung(event: asyncio.Event, seconds: float | None) -> None:
    """Wait for the event, at most so many seconds."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, handler: Callable[[], None]) -> Iterator[None]:
    """Hear SIGTERM and SIGINT; where the loop cannot (Windows), by the interpreter's own means."""

    def pass_on(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(handler)

    heard = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.getsignal(number) for number in heard}
    for number in heard:
        try:
            loop.add_signal_handler(number, handler)
        except NotImplementedError:
            signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number in heard:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, before[number])


def _fields(job: Job) -> dict[str, Any]:
    return {
        "run_id": job.run_id,
        "job_id": job.id,
        "user_id": job.user_id,
        "journey": job.journey,
        "epoch": job.epoch,
        "attempts": job.attempts,
        "worker": job.worker,
        "correlation_id": job.correlation_id,
    }


def _say(action: str, job: Job | None = None, **more: Any) -> None:
    """One structured line per transition."""
    log.info(action, extra={"action": action, **(_fields(job) if job is not None else {}), **more})


__all__ = [
    "Execute",
    "Failed",
    "Finished",
    "JobEnd",
    "JobHandle",
    "Lost",
    "Paused",
    "Released",
    "Waiting",
    "Worker",
]
