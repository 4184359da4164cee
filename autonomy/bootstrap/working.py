"""What one job means: drive its run, and say how that ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from autonomy.core.errors import (
    AutonomyError,
    CorruptState,
    DiskFull,
    FlawedPolicy,
    Killed,
    LeaseLost,
    ProviderUnavailable,
    StorageError,
    StorageUnavailable,
)
from autonomy.runtime.execution import Ended, Executor
from autonomy.runtime.queue import Job
from autonomy.runtime.worker import Execute, Failed, Finished, JobEnd, JobHandle, Paused, Released, Waiting

Acknowledge = Callable[[str], object]
"""Echoes the task of a run, given its id, before the run is worked on; called in a thread."""
Trouble = Callable[[AutonomyError], None]
"""Hears the error itself; the run row keeps only its words."""
Hopeless = Callable[[Job, AutonomyError], Awaitable[bool]]
"""Whether the run ends with this error though another try of the job might do better."""
LOOK_SECONDS = 0.2
"""How often an execution that was told to stop is looked at again."""


def executing(
    executor: Executor,
    *,
    acknowledge: Acknowledge | None = None,
    drained_runs_pause: bool = False,
    trouble: Trouble | None = None,
    hopeless: Hopeless | None = None,
) -> Execute:
    """The worker's `execute`. `drained_runs_pause`: an operator's Ctrl-C leaves the run with the operator, paused,
    where a worker's drain hands it back to the queue. `hopeless` is asked of errors that would be tried again. A run that
    finds a flawed policy file is paused with the reason: it goes on once the file is put right and somebody resumes it."""

    async def work_on(job: Job, handle: JobHandle) -> Ended:
        if acknowledge is not None:
            await asyncio.to_thread(acknowledge, job.run_id)
        return await executor.work(job.run_id, job.epoch, handle.stop)

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        work = asyncio.create_task(work_on(job, handle))
        try:
            await _until_done_or_cut(work, handle)
            ended = None if work.cancelled() else work.result()
        except LeaseLost:
            raise
        except Killed:
            return _aborted()
        except FlawedPolicy as error:
            if trouble is not None:
                trouble(error)
            return Paused({"by": "policy", "reason": str(error)})
        except AutonomyError as error:
            if trouble is not None:
                trouble(error)
            around = error if isinstance(error, (DiskFull, StorageUnavailable)) else None
            again = _may_pass(error) and not (hopeless is not None and await hopeless(job, error))
            return Failed(f"{error.code}: {error}", retryable=again, trouble=around)
        finally:
            work.cancel()
            await asyncio.wait({work})
        if ended is not None and ended.outcome is not None:
            return Finished(ended.outcome, "failed" if ended.outcome == "failed" else "done", error=ended.error)
        if handle.control == "abort":
            return _aborted()
        if handle.control == "pause":
            return Paused({"next": ended.next if ended is not None else None})
        if ended is not None and ended.wait is not None:
            return Waiting(ended.wait)
        if handle.draining and drained_runs_pause:
            return Paused({"reason": "interrupted"})
        return Released()

    return execute


def _aborted() -> Finished:
    return Finished("aborted", "aborted", {"by": "operator"})


def _may_pass(error: AutonomyError) -> bool:
    """Whether another try may do better: outside trouble passes, a stored value that cannot be read does not."""
    return isinstance(error, (ProviderUnavailable, StorageError)) and not isinstance(error, CorruptState)


async def _until_done_or_cut(work: asyncio.Task[Ended], handle: JobHandle) -> None:
    """Wait for the work; an abort or a lost lease cuts whatever call is under way.

    Whoever is told of a pause or a drain is told no louder of an abort that follows, hence the looks in between.
    """
    told = asyncio.create_task(handle.told.wait())
    try:
        await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
        while not work.done():
            if handle.control == "abort" or handle.lost.is_set():
                work.cancel()
            await asyncio.wait({work}, timeout=LOOK_SECONDS)
    finally:
        told.cancel()
