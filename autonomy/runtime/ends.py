"""How an execution ends, and what it is told while it works: all that passes between a worker and what it works on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from autonomy.core.errors import AutonomyError
from autonomy.runtime.queue import Begin, Job


@dataclass(frozen=True, slots=True)
class Finished:
    """The run has ended; `status` done, failed or aborted, `outcome` as in the contract."""

    outcome: str = "delivered"
    status: Literal["done", "failed", "aborted"] = "done"
    content: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits for a person. `begin` joins the transaction that lets the run stand."""

    begin: Begin | None = None


@dataclass(frozen=True, slots=True)
class Paused:
    """The run obeys a pause request."""

    content: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed; `retryable` makes another after a delay, as long as attempts are left.

    `trouble` is what gave out around the run (a full disk, a database that cannot be reached): it costs no attempt, so
    that no run is lost to it, and `work_one` raises it.
    """

    error: str
    retryable: bool = False
    trouble: AutonomyError | None = None


@dataclass(frozen=True, slots=True)
class Released:
    """Stopped for a drain: the job waits again, and this attempt never was."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Another worker holds the job now, or the run ended under it: nothing was written."""


JobEnd = Finished | Waiting | Paused | Failed | Released | Lost


class JobHandle:
    """What an execution is told while it works. Belongs to the worker's event loop."""

    def __init__(self, job: Job) -> None:
        self.run_id = job.run_id
        self.epoch = job.epoch
        self.lost = asyncio.Event()
        """Set when the lease is gone: the execution is being cancelled, and whatever it writes is refused."""
        self.control: str | None = None
        """"pause" or "abort", once an operator has asked."""
        self.draining = False
        self.told = asyncio.Event()
        """Set as soon as any of the three is."""

    def stop(self) -> bool:
        """Whether to stop at the next step."""
        return self.told.is_set()

    def tell(self, *, control: str | None = None, draining: bool = False, lost: bool = False) -> None:
        """Say one of the three; an abort overrides a pause."""
        if control is not None and self.control != "abort":
            self.control = control
        self.draining = self.draining or draining
        if lost:
            self.lost.set()
        self.told.set()


Execute = Callable[[Job, JobHandle], Coroutine[Any, Any, JobEnd]]
