"""What a job comes to: how each end of an execution is told to the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from autonomy.bootstrap.working import executing
from autonomy.core.errors import (
    AutonomyError,
    CorruptState,
    DiskFull,
    Killed,
    LeaseLost,
    NotYetBuilt,
    ProviderRefused,
    ProviderUnavailable,
    StorageUnavailable,
    Unresumable,
)
from autonomy.runtime.execution import Ended
from autonomy.runtime.queue import Job
from autonomy.runtime.worker import Failed, Finished, JobEnd, JobHandle, Paused, Released

Work = Callable[[str, int, Callable[[], bool]], Coroutine[Any, Any, Ended]]
JOB = Job(1, "run1", "u", "write", "start", 5, 1, 5, 3, 30_000_000, "host:1:t", "corr", {})


class Works:
    """An executor that does what it is told, and notes whether it was cut."""

    def __init__(self, does: Work) -> None:
        self._does = does
        self.reached = asyncio.Event()
        self.cut = False

    async def work(self, run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
        assert (run_id, epoch) == ("run1", 3)
        self.reached.set()
        try:
            return await self._does(run_id, epoch, stop)
        except asyncio.CancelledError:
            self.cut = True
            raise


def gives(end: Ended) -> Work:
    async def does(run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
        return end

    return does


def raises(error: Exception) -> Work:
    async def does(run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
        raise error

    return does


async def for_ever(run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
    await asyncio.Event().wait()
    raise AssertionError


async def until_stopped(run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
    while not stop():  # noqa: ASYNC110 - this is how the executor asks, too
        await asyncio.sleep(0)
    return Ended(None, "act")


async def outcome(does: Work, handle: JobHandle | None = None, **more: Any) -> JobEnd:
    return await executing(Works(does), **more)(JOB, handle or JobHandle(JOB))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["delivered", "budget_exceeded", "target_not_reached"])
async def test_a_document_that_was_handed_over_ends_the_run_as_done(name: str) -> None:
    assert await outcome(gives(Ended(name, None))) == Finished(name, "done")


async def test_a_run_without_a_document_ends_as_failed_with_its_cause() -> None:
    end = await outcome(gives(Ended("failed", None, "no document was handed over")))
    assert end == Finished("failed", "failed", error="no document was handed over")


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ProviderUnavailable("down"), True),
        (StorageUnavailable("gone"), True),
        (DiskFull("full"), True),
        (CorruptState("citation c1 of source s1 is not proved"), False),
        (ProviderRefused("401"), False),
        (Unresumable("old"), False),
        (NotYetBuilt("later"), False),
    ],
)
async def test_only_trouble_that_may_pass_is_tried_again(error: AutonomyError, again: bool) -> None:
    heard: list[AutonomyError] = []
    end = await outcome(raises(error), trouble=heard.append)
    assert isinstance(end, Failed)
    assert (end.error, end.retryable) == (f"{error.code}: {error}", again)
    assert heard == [error]


@pytest.mark.parametrize("hopeless", [True, False])
async def test_whoever_sits_there_may_end_what_would_be_tried_again(hopeless: bool) -> None:
    asked: list[tuple[Job, AutonomyError]] = []

    async def judge(job: Job, error: AutonomyError) -> bool:
        asked.append((job, error))
        return hopeless

    end = await outcome(raises(down := ProviderUnavailable("down")), hopeless=judge)
    assert isinstance(end, Failed)
    assert (end.retryable, asked) == (not hopeless, [(JOB, down)])
    await outcome(raises(ProviderRefused("401")), hopeless=judge)
    assert len(asked) == 1, "what is not tried again anyway is not asked about"


async def test_a_lost_lease_goes_up_and_so_does_what_nobody_expected() -> None:
    with pytest.raises(LeaseLost):
        await outcome(raises(LeaseLost("gone")))
    with pytest.raises(ZeroDivisionError):
        await outcome(raises(ZeroDivisionError()))


async def test_a_run_that_meets_its_abort_in_a_call_is_aborted_not_out_of_budget() -> None:
    assert await outcome(raises(Killed())) == Finished("aborted", "aborted", {"by": "operator"})


@pytest.mark.parametrize("before", [None, "pause"])
async def test_an_abort_cuts_a_call_that_is_under_way(before: str | None) -> None:
    works, handle = Works(for_ever), JobHandle(JOB)
    job = asyncio.ensure_future(executing(works)(JOB, handle))  # type: ignore[arg-type]
    await works.reached.wait()
    if before is not None:
        handle.tell(control=before)
        await asyncio.sleep(0)
        assert not works.cut
    handle.tell(control="abort")
    assert await job == Finished("aborted", "aborted", {"by": "operator"})
    assert works.cut


async def test_a_pause_waits_for_the_next_safe_point() -> None:
    handle = JobHandle(JOB)
    handle.tell(control="pause")
    assert await outcome(until_stopped, handle) == Paused({"next": "act"})


@pytest.mark.parametrize(("pauses", "end"), [(False, Released()), (True, Paused({"reason": "interrupted"}))])
async def test_a_drain_hands_the_run_back_or_leaves_it_with_its_operator(pauses: bool, end: JobEnd) -> None:
    handle = JobHandle(JOB)
    handle.tell(draining=True)
    assert await outcome(until_stopped, handle, drained_runs_pause=pauses) == end


async def test_a_run_that_ended_while_it_was_told_to_stop_has_ended() -> None:
    handle = JobHandle(JOB)
    handle.tell(control="pause")
    assert await outcome(gives(Ended("delivered", None)), handle) == Finished("delivered", "done")


async def test_an_execution_that_is_cancelled_takes_its_work_along() -> None:
    works = Works(for_ever)
    job = asyncio.ensure_future(executing(works)(JOB, JobHandle(JOB)))  # type: ignore[arg-type]
    await works.reached.wait()
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    assert works.cut
