"""Reads an audit log from its first line and holds it against itself and against the head in the database.

Found are: a changed byte, a removed, inserted, repeated or swapped line, a torn or cut end, an end that was chained anew,
lines that were never announced, a missing file. Nothing is written, and no right to write is needed; other processes may go
on appending. What an attacker who also owns the database can do, and what `known` is for, stands in `audit.log`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from autonomy.audit import lines
from autonomy.audit.heads import Head, read_head
from autonomy.audit.log import PATIENCE, held_by_another, refused
from autonomy.storage.database import Database

POLL_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `line` counts from 1 in `file`; 0 where no single line is meant."""

    kind: str
    file: str
    line: int
    about: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was read: how many lines in how many files, the last line's number and hash, and what is wrong."""

    lines: int
    files: int
    seq: int
    head: str
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


@dataclass
class _Reading:
    """How far the reading has come. `seq` is None behind an unreadable line: the next one is taken as it is."""

    known: tuple[int, str] | None
    seq: int | None = 0
    hash: str = lines.NOTHING
    count: int = 0
    last: int = 0
    seen_known: bool = False
    findings: list[Finding] = field(default_factory=list)

    def tell(self, kind: str, file: str, line: int, about: str) -> None:
        self.findings.append(Finding(kind, file, line, about))

    def take(self, data: bytes, file: str, number: int) -> None:
        """Check one line, without its line end, against itself and the one before."""
        self.count += 1
        try:
            line = lines.parse(data)
        except ValueError as error:
            self.tell("changed", file, number, str(error))
            self.seq = None
            return
        if self.seq is not None:
            self._follow(line, file, number)
        self.seen_known = self.seen_known or (line.seq, line.hash) == self.known
        self.seq, self.hash, self.last = line.seq, line.hash, line.seq

    def _follow(self, line: lines.Line, file: str, number: int) -> None:
        expected = (self.seq or 0) + 1
        if line.seq > expected:
            self.tell("missing", file, number, f"lines {expected} to {line.seq - 1} are missing before line {line.seq}")
        elif line.seq < expected:
            self.tell("order", file, number, f"line {line.seq} stands where line {expected} belongs")
        elif line.prev != self.hash:
            self.tell("chain", file, number, f"line {line.seq} does not follow the line before it")


def verify(folder: Path, database: Database, *, known: tuple[int, str] | None = None) -> Report:
    """Check the whole log. `known` is a number and hash that an earlier report gave, kept elsewhere.

    Raises StorageError where the files cannot be read, StorageUnavailable where the lock is held too long.
    """
    reading = _Reading(known)
    try:
        with contextlib.ExitStack() as stack:
            head, found, current, size = _moment(folder, database, stack)
            files = _in_order(found, reading)
            for path in files:
                with open(lines.open_to_read(path), "rb") as stream:
                    _read(stream, os.fstat(stream.fileno()).st_size, path.name, reading)
            if current is not None:
                _read(current, size, lines.CURRENT, reading)
    except OSError as error:
        raise refused(folder, error) from error
    _hold_against(head, current is not None, reading)
    if known is not None and not reading.seen_known:
        reading.tell("known", lines.CURRENT, 0, f"no line {known[0]} with the hash that was noted elsewhere: another history")
    count = len(files) + (current is not None)
    return Report(reading.count, count, reading.last, reading.hash, tuple(reading.findings))


def _moment(
    folder: Path, database: Database, stack: contextlib.ExitStack
) -> tuple[Head, dict[int, Path], BinaryIO | None, int]:
    """The head, the files rotated away, and the newest file with its size, as they were at one moment: nobody appends while
    the lock is held, and nobody has before there is one."""
    while True:
        with contextlib.ExitStack() as held:
            locked = _shared(folder, held)
            head, found = read_head(database), lines.rotated(folder)
            current, size = _newest(folder, stack)
        if locked or not (folder / lines.LOCK).exists():
            return head, found, current, size


def _shared(folder: Path, held: contextlib.ExitStack) -> bool:
    """Keep the writers out (their lock is a `flock` of the same file), by a descriptor that only reads; False: there is no
    lock yet, and nothing was ever appended."""
    try:
        descriptor = lines.open_file(folder / lines.LOCK, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    held.callback(os.close, descriptor)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise held_by_another(folder) from None
            time.sleep(POLL_SECONDS)


def _newest(folder: Path, stack: contextlib.ExitStack) -> tuple[BinaryIO | None, int]:
    """The newest file and its size now; None where there is none."""
    try:
        descriptor = lines.open_to_read(folder / lines.CURRENT)
    except (FileNotFoundError, NotADirectoryError):
        return None, 0
    return stack.enter_context(os.fdopen(descriptor, "rb")), os.fstat(descriptor).st_size


def _in_order(found: dict[int, Path], reading: _Reading) -> list[Path]:
    """The files rotated away; a number that is not there is told."""
    for number in range(1, max(found, default=0) + 1):
        if number not in found:
            reading.tell("missing file", lines.rotated_name(number), 0, "the file is gone")
    return list(found.values())


def _read(stream: BinaryIO, size: int, name: str, reading: _Reading) -> None:
    for number, data in enumerate(_split(stream, size), 1):
        if data.endswith(b"\n"):
            reading.take(data[:-1], name, number)
        else:
            reading.tell("torn", name, number, f"the last {len(data)} bytes are no whole line")


def _split(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Lines with their ends, up to `size` bytes; one that is too long comes in pieces, of which only the last has an end."""
    while size > 0 and (data := stream.readline(min(size, lines.LONGEST))):
        size -= len(data)
        yield data


def _hold_against(head: Head, exists: bool, reading: _Reading) -> None:
    """Whether the files end where the database says."""
    if head.stored is None:
        if reading.count:
            reading.tell("unknown", lines.CURRENT, 0, "the database knows nothing of this log")
        return
    if reading.last == head.seq and reading.hash == head.head:
        return
    if not exists:
        reading.tell("missing file", lines.CURRENT, 0, f"the file is gone; the log goes on to line {head.seq}")
    elif reading.last < head.seq:
        missing = f"the log ends with line {reading.last}, and went on to line {head.seq}"
        restorable = any(line.prev == reading.hash for line in head.announced())
        more = "; the database holds them, and the next line written brings them back" if restorable else ""
        reading.tell("cut", lines.CURRENT, 0, missing + more)
    elif reading.last == head.seq:
        reading.tell("rewritten", lines.CURRENT, 0, f"line {head.seq} is not the one that was announced")
    else:
        reading.tell("unannounced", lines.CURRENT, 0, f"lines after {head.seq} were never announced")
