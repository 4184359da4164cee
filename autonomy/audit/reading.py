"""Reads lines of an audit log for people, from its end backwards; `verify` is who checks them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from autonomy.audit import lines
from autonomy.audit.log import refused

_BLOCK = 1 << 16


def newest(folder: Path, count: int) -> list[dict[str, Any]]:
    """The last `count` lines, oldest first; what is no line is left out. Raises StorageError."""
    return _until(folder, lambda found: len(found) >= count)[-count:] if count else []


def since(folder: Path, seq: int) -> list[dict[str, Any]]:
    """The lines with a number above `seq`, oldest first. Raises StorageError."""
    return [body for body in _until(folder, lambda found: found[-1]["seq"] <= seq) if body["seq"] > seq]


def _until(folder: Path, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Lines from the newest backwards until there are enough, handed out oldest first."""
    found: list[dict[str, Any]] = []
    try:
        for path in [folder / lines.CURRENT, *reversed(lines.rotated(folder).values())]:
            with contextlib.suppress(FileNotFoundError):
                for data in _backwards(path):
                    with contextlib.suppress(ValueError):
                        found.append(dict(lines.parse(data).body))
                        if enough(found):
                            return found[::-1]
    except OSError as error:
        raise refused(folder, error) from error
    return found[::-1]


def _backwards(path: Path) -> Iterator[bytes]:
    """The whole lines of a file without their ends, the last one first."""
    descriptor = lines.open_to_read(path)
    try:
        at = os.fstat(descriptor).st_size
        rest: bytes | None = None  # the end of a line whose beginning is not read yet; None behind the last line end
        while at > 0:
            step = min(_BLOCK, at)
            at -= step
            first, *others = os.pread(descriptor, step, at).split(b"\n")
            if others:
                if rest is not None:
                    yield others.pop() + rest
                else:
                    others.pop()  # nothing, or a torn end
                yield from reversed(others)
                rest = first
            elif rest is not None:
                rest = first + rest
        if rest is not None:
            yield rest
    finally:
        os.close(descriptor)
