"""The lines of an audit log: how one is made, read back and held against its own hash; which files they stand in.

A line is the RFC 8785 form of {seq, time, action, correlation_id, actor, ..., prev, hash}: `prev` is the hash of the line
before (64 zeros for the first), `hash` the SHA-256 of the line without it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rfc8785

CURRENT = "events.jsonl"
QUARANTINE = "quarantine"
LOCK = ".lock"
"""Held by who appends, shared by who checks; made before the first line, and kept."""
NOTHING = "0" * 64
"""The hash before the first line."""
LONGEST = 1 << 20
"""Bytes; no line of ours comes near it, so a longer one is not read to its end."""
OWN = frozenset(("seq", "time", "action", "correlation_id", "actor", "prev", "hash"))
_ROTATED = re.compile(r"events-(\d{6,})\.jsonl")
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its bytes without the line end, and what they say."""

    data: bytes
    seq: int
    prev: str
    hash: str
    body: Mapping[str, Any]


BEFORE = Line(b"", 0, "", NOTHING, {})
"""What the first line follows."""


def make(body: Mapping[str, Any], seq: int, prev: str) -> Line:
    """The line of a body that has all fields but seq, prev and hash."""
    told = {**body, "seq": seq, "prev": prev}
    digest = hashlib.sha256(rfc8785.dumps(told)).hexdigest()
    whole = {**told, "hash": digest}
    return Line(rfc8785.dumps(whole), seq, prev, digest, whole)


def parse(data: bytes) -> Line:
    """Read a line's bytes. Raises ValueError saying what is wrong: not a line at all, or not as its hash says."""
    try:
        body = json.loads(data)
        if not isinstance(body, dict):
            raise ValueError("it is no object")
        seq, prev, digest = body["seq"], body["prev"], body["hash"]
        whole = rfc8785.dumps(body)
        rest = rfc8785.dumps({key: value for key, value in body.items() if key != "hash"})
    except (ValueError, KeyError, RecursionError, TypeError) as error:
        raise ValueError("it is no line of an audit log") from error
    if type(seq) is not int or not isinstance(prev, str) or not isinstance(digest, str):
        raise ValueError("it is no line of an audit log")
    if whole != data or hashlib.sha256(rest).hexdigest() != digest:
        raise ValueError("its hash is another")
    return Line(data, seq, prev, digest, body)


def rotated_name(number: int) -> str:
    """The name of the number-th file that was rotated away, counted from 1."""
    return f"events-{number:06d}.jsonl"


def rotated(folder: Path) -> dict[int, Path]:
    """The files rotated away, by number, the oldest first. A folder that is not there has none."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return {}
    found = {int(match.group(1)): folder / name for name in names if (match := _ROTATED.fullmatch(name))}
    return dict(sorted(found.items()))


def open_file(path: Path, flags: int) -> int:
    """A descriptor of a log file; never through a symbolic link. Raises OSError."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def open_to_read(path: Path) -> int:
    """A descriptor of a log file to read. Raises OSError that names the path, also for a folder in its place."""
    descriptor = open_file(path, os.O_RDONLY)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return descriptor


@dataclass(frozen=True, slots=True)
class Ending:
    """How a file ends: its size, where its last whole line begins and ends, and the line's bytes without the line end.

    What stands behind `end` is torn. `last` is None in a file without a whole line.
    """

    size: int
    start: int
    end: int
    last: bytes | None


def ending(descriptor: int) -> Ending:
    """Look at the end of an open file."""
    size = os.fstat(descriptor).st_size
    held = b""
    at = size
    while at > 0 and held.count(b"\n") < 2:
        step = min(max(len(held), _BLOCK), at)
        at -= step
        held = os.pread(descriptor, step, at) + held
    whole, newline, _ = held.rpartition(b"\n")
    if not newline:
        return Ending(size, 0, 0, None)
    last = whole.rpartition(b"\n")[2]
    end = at + len(whole) + 1
    return Ending(size, end - len(last) - 1, end, last)
