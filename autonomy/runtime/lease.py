"""Who holds a job, whether that holder still lives, and the heartbeat that says so.

A worker is named host:pid:token and keeps an operating-system file lock while its process lives: kill -9 frees the lock,
freezing does not. So a holder on this host whose lock can be taken is gone, and its job is free at once, without asking
what a pid means. Any other holder is judged by its lease, on the database's clock; a holder whose lock is held, but whose
lease looks over, is first watched for half a lease by the watcher's own clock, so that a clock that jumps (or a laptop that
slept) takes no job from a healthy worker. Safety never rests on any of this: the epoch does (see `queue`).
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import secrets
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

from filelock import FileLock, Timeout

from autonomy.core.errors import AutonomyError, ConfigurationError, InvalidInput, LeaseLost
from autonomy.storage.database import Database, Tx

BEATS: Final = 4
"""Heartbeats per lease: three may fail before the lease is over."""
SHORTEST: Final = 1.0
"""Seconds; below it four beats do not fit beside a disk's worst moments."""
LOOK_SECONDS: Final = 0.5
"""The least time between two looks for dead holders: each costs a query and a file lock for each holder of this host."""
STALE_SECONDS: Final = 86_400
"""After a day a dead worker's lock file is of use to nobody."""
_TOKEN = re.compile(r"[0-9a-f]{16}")
Life = Literal["alive", "gone", "unknown"]


def lease_us(seconds: float) -> int:
    """A lease length in microseconds. Raises InvalidInput where four beats do not fit."""
    if not SHORTEST <= seconds <= 86_400:
        raise InvalidInput(
            f"a lease of {seconds} s cannot hold {BEATS} heartbeats", f"Set AUTONOMY_LEASE_SECONDS to {SHORTEST:g} to 86400."
        )
    return int(seconds * 1_000_000)


def lock_folder() -> Path:
    """This user's folder of worker locks, made private. Raises ConfigurationError when it is somebody else's."""
    user = str(os.getuid()) if hasattr(os, "getuid") else re.sub(r"\W", "_", getpass.getuser())
    top = Path(tempfile.gettempdir()) / f"autonomy-{user}"
    for folder in (top, top / "workers"):
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            found = folder.lstat()
        except OSError as error:
            raise ConfigurationError(f"cannot use {folder}: {error.strerror}", "Set TMPDIR to a folder of yours.") from error
        mine = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o022)
        if not stat.S_ISDIR(found.st_mode) or not mine:
            raise ConfigurationError(
                f"{folder} is not a private folder of yours", "Remove it, or set TMPDIR to another folder."
            )
    return top / "workers"


class Presence:
    """The sign of life of one worker, from `with` to its end. `identity` goes into the jobs it holds."""

    def __init__(self) -> None:
        token = secrets.token_hex(8)
        self.identity = f"{socket.gethostname()[:180]}:{os.getpid()}:{token}"
        self._path = lock_folder() / f"{token}.lock"
        self._new = self._path.with_suffix(".new")
        self._lock = FileLock(self._new, thread_local=False, fallback_to_soft=False, preserve_lock_file=True)

    def __enter__(self) -> Presence:
        _clear(self._path.parent)
        self._lock.acquire(blocking=False)
        os.rename(self._new, self._path)  # others see the file only once it is locked
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave; after an error the file stays, so that others see at once that what was held is free."""
        self._lock.release()
        if kind is None:
            with contextlib.suppress(OSError):
                self._path.unlink()


class Watch:
    """Judges other workers. Keep one per process: what it has seen of late heartbeats is its memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._folder = lock_folder()
        self._host = socket.gethostname()[:180]
        self._seen: dict[tuple[int, int], tuple[int, float]] = {}
        self._looked: float | None = None

    def life(self, holder: str) -> Life:
        """What its lock says; "unknown" for other hosts, other users, and where the file was cleaned away."""
        host, _, token = [*holder.rsplit(":", 2), "", ""][:3]
        if host != self._host or _TOKEN.fullmatch(token) is None:
            return "unknown"
        return _try(self._folder / f"{token}.lock")

    def due(self) -> bool:
        """Whether it is time again to look for holders that died; says so at most every LOOK_SECONDS."""
        now = self._clock()
        due = self._looked is None or now - self._looked >= LOOK_SECONDS
        if due:
            self._looked = now
        return due

    def over(self, held: Held, now: int, *, patient: bool) -> bool:
        """Whether the job may be taken from its holder. `now` is the database's clock.

        `patient`: a lease that looks over while its holder's lock is held must also have stood still for half its length
        under this watch. One that is late is remembered, so a frozen worker's job is free when its lease ends.
        """
        life = self.life(held.holder)
        if life == "gone":
            return True
        expired = held.lease_until < now
        if life == "unknown" or not patient:
            return expired
        key, moment = (held.job_id, held.epoch), self._clock()
        before = self._seen.get(key)
        if before is None or before[0] != held.lease_until:
            if len(self._seen) > 10_000:
                self._seen.clear()
            self._seen[key] = (held.lease_until, moment)
            return False
        return expired and (moment - before[1]) * 1_000_000 >= held.lease_us / 2


def _try(path: Path) -> Life:
    if not path.is_file():
        return "unknown"
    try:
        with FileLock(path, blocking=False, fallback_to_soft=False, preserve_lock_file=True):
            return "gone"
    except Timeout:
        return "alive"
    except OSError:
        return "unknown"


def _clear(folder: Path) -> None:
    """Remove what workers that died long ago have left."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(FileNotFoundError):  # another worker clears, too
            if time.time() - path.stat().st_mtime > STALE_SECONDS and _try(path) == "gone":
                path.unlink()


@dataclass(frozen=True, slots=True)
class Held:
    """A running job as a watcher sees it."""

    job_id: int
    epoch: int
    holder: str
    lease_until: int
    lease_us: int


@dataclass(slots=True)
class _Beating:
    beat: Callable[[Tx], str | None]
    on_lost: Callable[[], None]
    on_control: Callable[[str], None]
    good: float
    told: str | None = None


class Heartbeat:
    """Keeps the leases of one worker's jobs, from a thread of its own: no event loop and no long step can stop it.

    On PostgreSQL it also has its own connection, because the writer's may wait up to its lock time-out for another
    process's row. On SQLite it goes through the writer's queue: there is one write lock for all, and queueing in order
    for it is fairer than a second connection's polling. A worker that could not beat for nearly a whole lease gives its
    jobs up by its own clock, before anyone else may take them. One that was frozen for so long asks first: what nobody has
    taken over is still its own, and until the answer is there the epoch lets it write nothing that is not.
    """

    def __init__(self, database: Database, lease_seconds: float) -> None:
        lease_us(lease_seconds)
        self._lease = lease_seconds
        self._database = database
        self._own = Database(database.url, idle_seconds=database.idle_seconds) if database.path is None else None
        self._jobs: dict[int, _Beating] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="autonomy-heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()
        if self._own is not None:
            self._own.close()

    def add(
        self, job_id: int, beat: Callable[[Tx], str | None], on_lost: Callable[[], None], on_control: Callable[[str], None]
    ) -> None:
        """Beat for a job just claimed. The callbacks run in the heartbeat's thread, each control at most once."""
        with self._changed:
            self._jobs[job_id] = _Beating(beat, on_lost, on_control, time.monotonic())
            self._changed.notify()

    def drop(self, job_id: int) -> None:
        """The job has ended or was handed back."""
        with self._changed:
            self._jobs.pop(job_id, None)

    def _work(self) -> None:
        next_beat = time.monotonic()
        while True:
            with self._changed:
                while not self._stopped and not self._jobs:
                    self._changed.wait()
                    next_beat = time.monotonic() + self._lease / BEATS
                self._changed.wait_for(lambda: self._stopped, timeout=max(0.0, next_beat - time.monotonic()))
                if self._stopped:
                    return
                jobs = dict(self._jobs)
            next_beat = time.monotonic() + self._lease / BEATS
            self._beat(jobs)

    def _beat(self, jobs: dict[int, _Beating]) -> None:
        begun = time.monotonic()
        database = self._own or self._database
        futures = {job_id: database.submit(job.beat) for job_id, job in jobs.items()}
        for job_id, future in futures.items():
            job = jobs[job_id]
            last = max(job.good + self._lease * 7 / 8, begun + self._lease / BEATS)
            try:
                control = future.result(timeout=max(0.0, last - time.monotonic()))
            except LeaseLost:
                self._lose(job_id, job)
            except (AutonomyError, TimeoutError):
                if time.monotonic() - job.good >= self._lease * 7 / 8:
                    self._lose(job_id, job)
            else:
                job.good = begun
                if control is not None and control != job.told:
                    job.told = control
                    job.on_control(control)

    def _lose(self, job_id: int, job: _Beating) -> None:
        with self._changed:
            known = self._jobs.pop(job_id, None) is not None
        if known:
            job.on_lost()
