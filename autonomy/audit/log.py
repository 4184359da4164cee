"""The audit log: `audit/events.jsonl`, append-only and hash-chained, by any number of threads and processes.

What is to be written is announced in the database first (the new head of the chain, and the lines themselves), then
written to the file, one write a line, under one lock. So the two can differ in one way only that is nobody's doing: the
last lines announced are not all in the file, whole. Whoever appends next puts them there, moves what a crash left torn to
`audit/quarantine/`, and says so in a line (`log_repaired`). Every other difference was made by somebody (`log_damaged`):
the log then goes on from where the database says it was, so that the break stays for `verify` to find, for ever.

What this shows and what it does not. Who can write the files but not the database cannot change, remove, swap, insert, cut
or re-chain a line without being found: the chain binds every line to the next, and the head binds the last. Who owns the
database as well can write another history and a head that fits it; nothing kept in one place can prevent that. What can:
note the sequence number and head that `autonomy audit verify` prints somewhere else, and hand it back with `--known`; a
history that was written anew does not contain it. Deleting both the log and its row shows as an empty log, by the same means.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autonomy.audit import lines
from autonomy.audit.heads import Head, announce, read_head
from autonomy.audit.lines import Line
from autonomy.audit.redact import Redactor
from autonomy.core.clock import iso, now_us
from autonomy.core.errors import AutonomyError, DiskFull, StorageError, StorageUnavailable, StorageUnusable
from autonomy.storage.database import Database

ROTATE_BYTES = 64 << 20
BATCH = 100
"""The most lines that are announced together."""
UNSYNCED = 16_384
"""Characters of lines that the database keeps before the file itself is made durable: one wait for the disk a line, not two."""
PATIENCE = 30.0
"""Seconds to wait for the lock; it is held for a few milliseconds at a time."""
Entry = Mapping[str, Any]
"""action, correlation_id, actor and any further fields of one line."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the log ends as this process last left or saw it: the file's identity and size, and the head."""

    inode: int
    size: int
    head: Head


class _Ticket:
    """What one thread wants written, and what came of it."""

    def __init__(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        self.bodies = bodies
        self.numbers: list[int] = []
        self.error: BaseException | None = None
        self.settled = False

    def settle(self, numbers: list[int], error: BaseException | None) -> None:
        """Hand out the numbers, or the error where not all lines were written."""
        self.numbers, self.settled = numbers, True
        self.error = error if len(numbers) < len(self.bodies) else None


class AuditLog:
    """The log in `folder`, whose head stands in `database`. Nothing is touched before the first append.

    Not to be called inside a transaction: it waits for one of its own. `secrets` are never written, in no spelling.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        secrets: Iterable[str] = (),
        rotate_bytes: int = ROTATE_BYTES,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self.folder = folder
        self._database = database
        self._redactor = Redactor(secrets)
        self._rotate = rotate_bytes
        self._clock = clock
        self._guard = threading.Lock()
        self._lock = FileLock(
            folder / lines.LOCK,
            mode=0o600,
            thread_local=False,
            fallback_to_soft=False,
            preserve_lock_file=True,
            poll_interval=0.002,
        )
        self._waiting: collections.deque[_Ticket] = collections.deque()
        self._known: _Place | None = None
        self._untold: list[dict[str, Any]] = []

    def append(self, action: str, *, correlation_id: str, actor: str, **fields: Any) -> int:
        """Write one line and return its number. It is durable then. Raises StorageError, ValueError for a reserved field."""
        return self.append_many([{"action": action, "correlation_id": correlation_id, "actor": actor, **fields}])[0]

    def append_many(self, entries: Iterable[Entry]) -> list[int]:
        """Write lines in order; returns their numbers. Threads that wait together share one commit."""
        ticket = _Ticket([self._body(entry) for entry in entries])
        if not ticket.bodies:
            return []
        self._waiting.append(ticket)
        with self._guard:
            if not ticket.settled:
                taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
                self._serve(taken)
        if ticket.error is not None:
            raise ticket.error
        return ticket.numbers

    def _serve(self, tickets: Sequence[_Ticket]) -> None:
        """Write what these threads wait for, and let each know."""
        bodies = [body for ticket in tickets for body in ticket.bodies]
        numbers: list[int] = []
        error: BaseException | None = None
        try:
            with self._held():
                for first in range(0, len(bodies), BATCH):
                    numbers += self._write(bodies[first : first + BATCH])
        except BaseException as problem:
            error = problem
        for ticket in tickets:
            ticket.settle(numbers[: len(ticket.bodies)], error)
            numbers = numbers[len(ticket.bodies) :]
        if error is not None and not isinstance(error, Exception):
            raise error

    def repair(self) -> bool:
        """Put right what a crash left, and say so in the log; True if there was anything. `append` does it as well."""
        if not self.folder.is_dir():
            return False
        with self._guard, self._held():
            self._mend()
            found = bool(self._untold)
            if found:
                self._write([])
        return found

    def _body(self, entry: Entry) -> dict[str, Any]:
        reserved = (lines.OWN - {"action", "correlation_id", "actor"}) & entry.keys()
        if reserved:
            raise ValueError(f"an audit line's own fields cannot be given: {', '.join(sorted(reserved))}")
        told: dict[str, Any] = self._redactor.plain(entry)
        return {"time": iso(self._clock()), **{name: str(told.get(name)) for name in ("action", "correlation_id", "actor")}} | {
            name: value for name, value in told.items() if name not in lines.OWN
        }

    # -- the lock ---------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Exclude the other processes. What the system refuses becomes a StorageError."""
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            with self._lock.acquire(timeout=PATIENCE):
                yield
        except BaseException as error:
            self._known = None
            if isinstance(error, Timeout):
                raise held_by_another(self.folder) from None
            if isinstance(error, OSError):
                raise refused(self.folder, error) from error
            raise

    # -- writing ----------------------------------------------------------------------------------

    def _write(self, bodies: Sequence[Mapping[str, Any]]) -> list[int]:
        """Announce the lines, then write them; the lock is held. What there is to tell of the log itself goes before them."""
        for _ in range(2):
            place = self._turned(self._mend(), sum(map(_size, bodies)))
            chain: list[Line] = []
            seq, prev = place.head.seq, place.head.head
            for body in [*self._untold, *bodies]:
                chain.append(lines.make(body, seq + 1, prev))
                seq, prev = chain[-1].seq, chain[-1].hash
            data = b"".join(line.data + b"\n" for line in chain)
            pending = self._unsynced(place) + data.decode("utf-8")
            head = Head(seq, prev, place.size + len(data), pending, place.head.stored)
            if announce(self._database, head):
                self._known = self._put(chain, replace(head, stored=head.head))
                self._untold = []
                return [line.seq for line in chain[len(chain) - len(bodies) :]]
            self._known = None  # somebody announced lines, and died before the first was in the file
        raise StorageError(
            "the head of the audit log moves while its lock is held",
            "One database serves one workspace: check AUTONOMY_HOME and AUTONOMY_DATABASE_URL.",
        )

    def _put(self, chain: Sequence[Line], head: Head) -> _Place:
        """Write announced lines to the file, each by one write. The database holds them until the disk surely does."""
        path = self.folder / lines.CURRENT
        new = not path.exists()
        descriptor = lines.open_file(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            for line in chain:
                _write_all(descriptor, line.data + b"\n")
            found = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        if new:
            _sync(self.folder, os.O_RDONLY)
        return _Place(found.st_ino, found.st_size, head)

    def _unsynced(self, place: _Place) -> str:
        """What the next announcement has to hold besides its own lines: those that only the system's memory may have yet.
        When they become many, the file is made durable, and they are let go."""
        if len(place.head.pending) <= UNSYNCED or place.size == 0:
            return place.head.pending if place.size else ""
        _sync(self.folder / lines.CURRENT, os.O_WRONLY)
        return ""

    def _turned(self, place: _Place, coming: int) -> _Place:
        """Rotate a full file away; the line that says so is the first of the next one."""
        if place.size == 0 or place.size + coming <= self._rotate:
            return place
        _sync(self.folder / lines.CURRENT, os.O_WRONLY)
        number = max(lines.rotated(self.folder), default=0) + 1
        os.rename(self.folder / lines.CURRENT, self.folder / lines.rotated_name(number))
        _sync(self.folder, os.O_RDONLY)
        self._untold.insert(0, self._about("log_rotated", to=lines.rotated_name(number)))
        self._known = _Place(0, 0, place.head)
        return self._known

    def _about(self, action: str, **fields: Any) -> dict[str, Any]:
        """A line of the log about itself."""
        return self._body({"action": action, "correlation_id": "audit", "actor": "audit", **fields})

    # -- what a crash, or somebody, left ----------------------------------------------------------

    def _mend(self) -> _Place:
        """Where the log ends. What was announced is completed first; what there is to tell of that goes to `_untold`."""
        here = _identity(self.folder / lines.CURRENT)
        if self._known is not None and here == (self._known.inode, self._known.size):
            return self._known
        head = read_head(self._database)
        pending = head.announced()
        moved: list[str] = []
        last = self._last(moved)
        while last is None and len(moved) <= len(pending):
            self._quarantine_last(moved)
            last = self._last(moved)
        self._known = self._settled(head, last, pending, moved)
        return self._known

    def _settled(self, head: Head, last: Line | None, pending: Sequence[Line], moved: list[str]) -> _Place:
        """Hold the file's last line against the head: they agree, or the announced lines follow, or there is damage."""
        named = {"quarantined": moved} if moved else {}
        at = last.hash if last is not None else "unreadable"
        if at == head.head:
            if moved:
                self._untold.append(self._about("log_repaired", about="a torn end was moved away", **named))
            return self._here(head)
        behind = [number for number, line in enumerate(pending) if line.prev == at]
        if behind:
            missing = pending[behind[0] :]
            place = self._put(missing, head)
            about = "lines that were announced and not in the file were written again"
            told = self._about("log_repaired", about=about, first=missing[0].seq, last=missing[-1].seq, **named)
            self._untold.append(told)
            return place
        seq = last.seq if last is not None else 0
        unknown = head.stored is None
        about = "the database knows nothing of this log" if unknown else "the log does not end where the database says"
        told = self._about(
            "log_damaged", about=about, expected_seq=head.seq, expected=head.head, found_seq=seq, found=at, **named
        )
        self._untold.append(told)
        return self._here(replace(head, seq=max(head.seq, seq), head=at if unknown else head.head, pending=""))

    def _here(self, head: Head) -> _Place:
        return _Place(*_identity(self.folder / lines.CURRENT), head)

    def _last(self, moved: list[str]) -> Line | None:
        """The log's last line, None where it cannot be read; one before the first where there is none yet. A torn end is
        moved away first."""
        for path in [self.folder / lines.CURRENT, *reversed(lines.rotated(self.folder).values())]:
            try:
                descriptor = lines.open_file(path, os.O_RDWR if path.name == lines.CURRENT else os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                end = lines.ending(descriptor)
                if end.end < end.size and path.name == lines.CURRENT:
                    moved.append(self._quarantine(descriptor, end.end, end.size))
            finally:
                os.close(descriptor)
            if end.last is not None:
                return _readable(end.last)
        return lines.BEFORE

    def _quarantine_last(self, moved: list[str]) -> None:
        """Move an unreadable last line away."""
        descriptor = lines.open_file(self.folder / lines.CURRENT, os.O_RDWR)
        try:
            end = lines.ending(descriptor)
            moved.append(self._quarantine(descriptor, end.start, end.size))
        finally:
            os.close(descriptor)

    def _quarantine(self, descriptor: int, start: int, end: int) -> str:
        """Copy the bytes into a file of their own, durably, then cut them off; returns the file's name."""
        folder = self.folder / lines.QUARANTINE
        os.makedirs(folder, mode=0o700, exist_ok=True)
        name = f"{self._clock()}-{start}.bin"
        copy = lines.open_file(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            at = start
            while at < end:
                part = os.pread(descriptor, min(1 << 20, end - at), at)
                _write_all(copy, part)
                at += len(part)
            os.fsync(copy)
        finally:
            os.close(copy)
        _sync(folder, os.O_RDONLY)
        os.ftruncate(descriptor, start)
        os.fsync(descriptor)
        return f"{lines.QUARANTINE}/{name}"


class Unwritten:
    """The log of a workspace that this process can only read: what is looked at there leaves no line."""

    def append(self, action: str, *, correlation_id: str, actor: str, **fields: Any) -> int:
        """Write nothing."""
        return 0

    def append_many(self, entries: Iterable[Entry]) -> list[int]:
        """Write nothing."""
        return []


def held_by_another(folder: Path) -> StorageUnavailable:
    """The error of whoever has waited for the log long enough."""
    return StorageUnavailable(
        f"the audit log {folder} is held by another process", "Find out which one stands still, and end it."
    )  # fmt: skip


def refused(folder: Path, error: OSError) -> AutonomyError:
    """What the system's refusal means to a person."""
    reason = (error.strerror or type(error).__name__).lower()
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(f"the audit log in {folder} cannot be written: {reason}", "Free some space.")
    place = error.filename if isinstance(error.filename, str) else folder
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "Get the right to read and write it from its owner, or work as that user."
    else:
        hint = "Move what stands there aside, and put the log back from a backup."
    return StorageUnusable(f"the audit log {place} cannot be used: {reason}", hint)


def _identity(path: Path) -> tuple[int, int]:
    """(inode, size) of a file; zeros where there is none."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return 0, 0
    return found.st_ino, found.st_size


def _readable(data: bytes) -> Line | None:
    try:
        return lines.parse(data)
    except ValueError:
        return None


def _size(body: Mapping[str, Any]) -> int:
    """About how many bytes the line of a body takes."""
    return len(str(body)) + 200


def _write_all(descriptor: int, data: bytes) -> None:
    """One write; the rest of one that a full disk cut short is tried again, and then refused."""
    while data:
        data = data[os.write(descriptor, data) :]


def _sync(path: Path, flags: int) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = lines.open_file(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
