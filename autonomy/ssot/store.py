"""The folder of task files. A change is compare-and-set under the task's file lock, and atomic: a reader sees the old bytes
or the new ones. A file that cannot be read as a task is reported by name, left as it is, and hides no other.

Listing costs one look at the folder while nothing has changed. Every change of ours replaces a file, which moves the
folder's modification time; a file edited in place does not, so everything is looked over once a second besides. A time that
is not clearly in the past says nothing (a second change may fall into the same tick of the clock): then more is looked at.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from autonomy.core.clock import ID_PATTERN, iso, now_us
from autonomy.core.errors import ChangedMeanwhile, ConfigurationError, CorruptState, InvalidInput, NotFound, StorageUnavailable
from autonomy.ssot import status as engine
from autonomy.ssot.canonical import file_bytes
from autonomy.ssot.reading import MOST_BYTES, Damaged, Stamp, Stored, parse, read_file, stamp_of, well_named
from autonomy.ssot.task import Task, moment
from autonomy.storage.artifacts import write_atomic

TICK_NS: Final = 40_000_000
"""The coarsest clock of a local file system ticks every 10 ms; four times that."""
COARSE_NS: Final = 2_100_000_000
"""Where times are whole seconds the clock ticks every one or two seconds."""
LOOK_SECONDS: Final = 1.0
"""How long an edit in place may go unseen."""
LOCK_SECONDS: Final = 30.0
STALE_SECONDS: Final = 3600.0
"""A temporary file this old belongs to nobody any more."""


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is no task: its name, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Listing:
    """All tasks, the newest first, and the files that are none, by name. The same object while nothing has changed."""

    tasks: tuple[Stored, ...]
    damaged: tuple[Damage, ...]


@dataclass(frozen=True, slots=True)
class Updated:
    """A change: the file before (None where it was made) and after. Without a change both are the same."""

    before: Stored | None
    after: Stored
    changed: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of one file. `sure` says that its stamp was clearly past: a later change shows in it."""

    stamp: Stamp
    sure: bool
    content: Stored | Damage


After = Callable[[Updated], None]


class TaskStore:
    """Task files below one folder. All of it may be called from any thread, and from any process of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guard = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._listing: Listing | None = None
        self._stamp: int | None = None
        self._looked = 0.0

    # -- one task -----------------------------------------------------------------------------------

    def create(self, task: Task, after: After | None = None) -> tuple[Task, bool]:
        """Write a new task at revision 1; False: it was there already, and is handed back as it is.

        `after` runs under the lock, once the file is durable. Raises CorruptState where a damaged file has that name.
        """
        with self._locked(task.task_id, new=True) as path:
            with contextlib.suppress(FileNotFoundError):
                return _content(path).task, False
            stored = self._write(path, task.evolve(revision=1, status=engine.status(task), updated_at=task.created_at))
            if after is not None:
                after(Updated(None, stored, changed=True))
            return stored.task, True

    def read(self, task_id: str) -> Stored:
        """The task as its file has it now. Raises NotFound, CorruptState, InvalidInput for what is no id."""
        path = self._path(task_id)
        try:
            return _content(path)
        except FileNotFoundError:
            raise _missing(task_id) from None

    def update(
        self, task_id: str, change: Callable[[Task], Task | None], *, expect_revision: int | None = None,
        after: After | None = None,
    ) -> Updated:  # fmt: skip
        """Apply a change to the task as it stands, under its lock; None, or an equal task, changes nothing.

        A change raises the revision by one. `after` runs under the lock once the new file is durable, and only for a
        change. Raises NotFound, CorruptState, ChangedMeanwhile, and whatever `change` raises (then nothing was written).
        """
        with self._locked(task_id) as path:
            try:
                before = _content(path)
            except FileNotFoundError:
                raise _missing(task_id) from None
            task = before.task
            if expect_revision is not None and task.revision != expect_revision:
                raise ChangedMeanwhile(f"task {task_id} is at revision {task.revision} now", "Look at it again, then decide.")
            wanted = change(task)
            if wanted is None or wanted == task:
                return Updated(before, before, changed=False)
            if wanted.task_id != task_id:
                raise InvalidInput(f"a change of task {task_id} may not rename it", "Add a new task instead.")
            stored = self._write(
                path,
                wanted.evolve(revision=task.revision + 1, status=engine.status(wanted), updated_at=_later(task)),
            )
            done = Updated(before, stored, changed=True)
            if after is not None:
                after(done)
            return done

    # -- all tasks ----------------------------------------------------------------------------------

    def list(self) -> Listing:
        """Every task and every damaged file. Never raises for a damaged file."""
        with self._guard:
            try:
                stamp = os.stat(self.folder).st_mtime_ns
            except FileNotFoundError:
                self._known, self._listing, self._stamp = {}, Listing((), ()), None
                return self._listing
            now = time.monotonic()
            if self._listing is not None and stamp == self._stamp and now - self._looked < LOOK_SECONDS:
                return self._listing
            sure = _past(stamp)
            found = self._look()
            if self._listing is None or found is not self._known:
                self._known = found
                self._listing = _listing(found)
            self._stamp = stamp if sure else None
            self._looked = now
            return self._listing

    def _look(self) -> dict[str, _Known]:
        """Every file as it stands; the very dict of the last look where nothing has changed."""
        found: dict[str, _Known] = {}
        changed = False
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.endswith(".json") or entry.name.startswith("."):
                    continue
                known = self._known.get(entry.name)
                with contextlib.suppress(FileNotFoundError):  # gone between two looks
                    seen = self._seen(entry, known)
                    found[entry.name] = seen
                    changed = changed or (seen is not known and (known is None or seen.content != known.content))
        if changed or len(found) != len(self._known):
            return found
        self._known.update(found)
        return self._known

    def _seen(self, entry: os.DirEntry[str], known: _Known | None) -> _Known:
        stamp = stamp_of(entry.stat(follow_symlinks=False))
        if known is not None and known.sure and known.stamp == stamp:
            return known
        if not well_named(entry.name):
            return _Known(stamp, True, Damage(entry.name, "is not named after a task id"))
        sure = _past(stamp[0])
        try:
            content, read = read_file(Path(entry.path))
            sure, stamp = sure and read == stamp, read  # a stamp that moved just now is not past
            if known is not None and isinstance(known.content, Stored) and known.content.raw == content.raw:
                return _Known(stamp, sure, known.content)
            return _Known(stamp, sure, content)
        except Damaged as damage:
            return _Known(stamp, sure, Damage(entry.name, str(damage)))

    def sweep(self) -> int:
        """Remove temporary files of writers that were killed long ago; returns how many."""
        removed = 0
        with contextlib.suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
                    continue
                with contextlib.suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE_SECONDS:
                        os.unlink(entry.path)
                        removed += 1
        return removed

    # -- places -------------------------------------------------------------------------------------

    def _path(self, task_id: str) -> Path:
        if ID_PATTERN.fullmatch(task_id) is None:
            raise InvalidInput(f"not a task id: {task_id[:80]!r}", "Ids are 1 to 64 letters, digits, '-' and '_'.")
        return self.folder / f"{task_id}.json"

    @contextlib.contextmanager
    def _locked(self, task_id: str, *, new: bool = False) -> Iterator[Path]:
        """The task's file, locked. Without `new` a task that is not there raises NotFound, and leaves no lock file behind."""
        path, locks = self._path(task_id), self.folder / ".locks"
        try:
            if not new and not _there(path):
                raise _missing(task_id)
            locks.mkdir(parents=True, exist_ok=True)
            lock = FileLock(locks / f"{task_id}.lock", timeout=LOCK_SECONDS, poll_interval=0.005, preserve_lock_file=True)
            lock.acquire()
        except Timeout:
            raise StorageUnavailable(f"task {task_id} stayed locked for {LOCK_SECONDS:g} s", "Try again.") from None
        except OSError as error:
            reason = (error.strerror or "refused").lower()
            raise ConfigurationError(f"cannot write below {self.folder}: {reason}", "Make it writable.") from error
        try:
            yield path
        finally:
            lock.release()

    def _write(self, path: Path, task: Task) -> Stored:
        raw = file_bytes(task.as_json())
        if len(raw) > MOST_BYTES:
            raise InvalidInput(f"task {task.task_id} would take more than {MOST_BYTES >> 20} MiB", "Shorten it.")
        stored = parse(raw, task.task_id)  # what could not be read back is not written
        write_atomic(path, raw)
        return stored


def _there(path: Path) -> bool:
    """Whether the name is taken, by whatever. Raises OSError where nobody may look."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _content(path: Path) -> Stored:
    """Raises FileNotFoundError, CorruptState."""
    try:
        return read_file(path)[0]
    except Damaged as damage:
        raise damaged(path.name, str(damage)) from None


def damaged(name: str, why: str) -> CorruptState:
    """The error of whoever needs a file that is damaged."""
    return CorruptState(f"the task file {name} {why}", "It was left as it is: repair it, or move it away.")


def _missing(task_id: str) -> NotFound:
    return NotFound(f"no task {task_id}", "List tasks with 'autonomy tasks list'.")


def _past(stamp: int) -> bool:
    """Whether a file time is so clearly past that another change cannot have the same."""
    tick = COARSE_NS if stamp % 1_000_000_000 == 0 else TICK_NS
    return stamp + tick < time.time_ns()


def _later(task: Task) -> str:
    """Now, and never before the last change: the clock may have been set back."""
    now = str(iso(now_us()))
    last = task.updated_at or task.created_at
    return now if moment(now) >= moment(last) else last


def _listing(known: dict[str, _Known]) -> Listing:
    tasks = [each.content for each in known.values() if isinstance(each.content, Stored)]
    tasks.sort(key=order, reverse=True)
    damage = sorted((each.content for each in known.values() if isinstance(each.content, Damage)), key=lambda each: each.name)
    return Listing(tuple(tasks), tuple(damage))


def order(stored: Stored) -> tuple[int, str]:
    """By time of creation, then by id: the newest is the greatest."""
    return stored.created, stored.task.task_id
