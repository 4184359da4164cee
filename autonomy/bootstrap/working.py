"""What one job means: drive its run, and say how that ended."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from autonomy.core.errors import AutonomyError, LeaseLost, ProviderUnavailable, StorageError
from autonomy.runtime.execution import Executor
from autonomy.runtime.queue import Job
from autonomy.runtime.worker import Execute, Failed, Finished, JobEnd, JobHandle, Paused, Released

Trouble = Callable[[AutonomyError], None]
"""Hears the error itself; the run row keeps only its words."""


def executing(executor: Executor, *, drained_runs_pause: bool = False, trouble: Trouble | None = None) -> Execute:
    """The worker's `execute`. `drained_runs_pause`: an operator's Ctrl-C leaves the run with the operator, paused,
    where a worker's drain hands it back to the queue."""

    async def execute(job: Job, handle: JobHandle) -> JobEnd:
        work = asyncio.create_task(executor.work(job.run_id, job.epoch, handle.stop))
        try:
            await _until_done_or_aborted(work, handle)
            ended = work.result() if work.done() and not work.cancelled() else None
        except LeaseLost:
            raise
        except AutonomyError as error:
            if trouble is not None:
                trouble(error)
            return Failed(f"{error.code}: {error}", retryable=isinstance(error, (ProviderUnavailable, StorageError)))
        finally:
            work.cancel()
            await asyncio.wait({work})
        if ended is not None and ended.outcome is not None:
            return Finished(ended.outcome, "failed" if ended.outcome == "failed" else "done")
        if handle.control == "abort":
            return Finished("aborted", "aborted", {"by": "operator"})
        if handle.control == "pause":
            return Paused({"next": ended.next if ended is not None else None})
        if handle.draining and drained_runs_pause:
            return Paused({"reason": "interrupted"})
        return Released()

    return execute


async def _until_done_or_aborted(work: asyncio.Task[object], handle: JobHandle) -> None:
    """Wait for the work; an abort or a lost lease cuts whatever call is under way. Raises what the work raises."""
    while not work.done():
        told = asyncio.create_task(handle.told.wait())
        await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if work.done():
            break
        if handle.control == "abort" or handle.lost.is_set():
            work.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await asyncio.shield(work)
    if not work.cancelled():
        work.result()
