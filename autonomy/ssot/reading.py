"""Reading one task file without trusting it: a link, a fifo, half a file or another task's file is damage, never a task."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from autonomy.core.clock import is_id
from autonomy.ssot import status as engine
from autonomy.ssot.canonical import canonical
from autonomy.ssot.task import Task, moment

MOST_BYTES: Final = 8 << 20
MOST_EXACT: Final = 2**53 - 1
DEEPEST: Final = 100
Stamp = tuple[int, int, int]
"""Of a file: modification time in nanoseconds, size, inode."""


class Damaged(ValueError):
    """The file holds no task; the text says why, in a few words, and nothing of its content."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A task as its file has it. `sha256` is that of the file's bytes; the task's `status` is the engine's.

    `created` is its time of creation in microseconds since the epoch.
    """

    task: Task
    raw: bytes
    sha256: str
    created: int


def read_file(path: Path) -> tuple[Stored, Stamp]:
    """The task in a file, and the stamp of what was read. Raises FileNotFoundError, Damaged."""
    raw, stamp = _bytes(path)
    return parse(raw, path.stem), stamp


def parse(raw: bytes, task_id: str) -> Stored:
    """The task in these bytes. Raises Damaged."""
    if not raw.strip():
        raise Damaged("is empty")
    if b"\x00" in raw:
        raise Damaged("holds NUL bytes")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_object, parse_constant=_constant, parse_int=_whole)
        _check(value, 0)
    except UnicodeDecodeError:
        raise Damaged("is not UTF-8 text") from None
    except RecursionError:
        raise Damaged("is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise Damaged(f"is not JSON, or cut: {error.msg} at byte {error.pos}") from None
    except ValueError as error:
        raise Damaged(str(error) if isinstance(error, Damaged) else "holds a number nobody can read") from None
    task = _task(value, task_id)
    created = round(moment(task.created_at).timestamp() * 1_000_000)
    return Stored(task, raw, hashlib.sha256(raw).hexdigest(), created)


def _task(value: Any, task_id: str) -> Task:
    if not isinstance(value, dict):
        raise Damaged("is not a JSON object")
    version = value.get("schema_version", 1)
    if type(version) is int and version > 1:
        raise Damaged(f"has schema version {version}, which a newer release has written")
    try:
        task = Task.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the task"
        raise Damaged(f"breaks the schema: {where}: {first['msg'].removeprefix('Value error, ')}"[:200]) from None
    if task.task_id != task_id:
        raise Damaged("holds another task's id")
    known = engine.status(task)
    return task if task.status == known else task.model_copy(update={"status": known})


def _bytes(path: Path) -> tuple[bytes, Stamp]:
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):  # no link is followed, no fifo waited for
        flags |= getattr(os, name, 0)
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(_refusal(error)) from None
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise Damaged("is not a regular file")
        if found.st_size > MOST_BYTES:
            raise Damaged(f"is larger than {MOST_BYTES >> 20} MiB")
        raw = _all(descriptor)
    except OSError as error:
        raise Damaged(_refusal(error)) from None
    finally:
        os.close(descriptor)
    return raw, stamp_of(found)


def _all(descriptor: int) -> bytes:
    pieces, total = [], 0
    while piece := os.read(descriptor, 1 << 20):
        pieces.append(piece)
        total += len(piece)
        if total > MOST_BYTES:
            raise Damaged(f"is larger than {MOST_BYTES >> 20} MiB")
    return b"".join(pieces)


def stamp_of(found: os.stat_result) -> Stamp:
    """What changes when a file does."""
    return found.st_mtime_ns, found.st_size, found.st_ino


def well_named(name: str) -> bool:
    """Whether a file name is that of a task."""
    return name.endswith(".json") and is_id(name.removesuffix(".json"))


def _refusal(error: OSError) -> str:
    if error.errno in (errno.ELOOP, getattr(errno, "EMLINK", -1)):
        return "is a symbolic link"
    return f"cannot be read: {(error.strerror or 'refused').lower()}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Damaged("names a key twice")
    return found


def _whole(text: str) -> int | float:
    """A whole number; beyond 2^53 it is the double that it stands for, since RFC 8785 writes doubles without a fraction so."""
    value = int(text)
    if abs(value) <= MOST_EXACT:
        return value
    with contextlib.suppress(OverflowError):
        double = float(value)
        if int(double) == value or canonical(double) == text.encode():
            return double
    raise Damaged("holds a whole number that JSON cannot carry exactly; write it as text")


def _constant(name: str) -> Any:
    raise Damaged(f"holds {name}, which is not JSON")


def _check(value: Any, depth: int) -> None:
    """Refuse what has no canonical form, or what a database cannot keep."""
    if depth > DEEPEST:
        raise Damaged("is nested too deeply")
    check: Callable[[Any, int], None] | None = _CHECKS.get(type(value))
    if check is not None:
        check(value, depth)


def _text(value: str, depth: int) -> None:
    if "\x00" in value:
        raise Damaged("holds a NUL character")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Damaged("holds half a character (a lone surrogate)") from None


def _list(value: list[Any], depth: int) -> None:
    for each in value:
        _check(each, depth + 1)


def _dict(value: dict[str, Any], depth: int) -> None:
    for key, each in value.items():
        _text(key, depth)
        _check(each, depth + 1)


def _float(value: float, depth: int) -> None:
    if not math.isfinite(value):
        raise Damaged("holds a number that is too large")


_CHECKS: dict[type, Callable[[Any, int], None]] = {str: _text, list: _list, dict: _dict, float: _float}
