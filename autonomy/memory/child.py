"""The inside of a child that parses: requests come in on standard input, answers go out on standard output.

It never opens anything but the file it is told to, holds no secret, and may be killed at any moment. A request and an answer
are each eight bytes of length (big-endian) and that many bytes of JSON. The end of its input is its end.
"""

from __future__ import annotations

import json
import os
import stat
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Limits

_HEADER = struct.Struct(">Q")


def read_message(stream: BinaryIO, most: int) -> Any | None:
    """The next message, None at the end of the stream. Raises ValueError for a longer one than `most` bytes."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack(header)
    if length > most:
        raise ValueError(f"a message of {length} bytes")
    body = stream.read(length)
    return json.loads(body) if len(body) == length else None


def write_message(stream: BinaryIO, message: Any) -> None:
    """Send one message whole."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    stream.write(_HEADER.pack(len(body)) + body)
    stream.flush()


def file_bytes(path: str, limits: Limits) -> bytes:
    """The file's bytes; only of a regular file, never through a link, never waiting. Raises InvalidInput with the reason."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InvalidInput("is not an ordinary file")
            data = stream.read(limits.file_bytes + 1)
    except OSError as error:
        raise InvalidInput(f"cannot be opened ({error.strerror or type(error).__name__})") from error
    if len(data) > limits.file_bytes:
        raise InvalidInput(f"is larger than {limits.file_bytes >> 20} MiB")
    return data


def confine(limits: Limits) -> None:
    """Bound this process before the first byte of a file is seen; does nothing where the system has no such limits."""
    if os.name != "posix":
        return
    import resource

    for what, soft in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        bound = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(what, (bound, bound))


def allow_seconds(seconds: float) -> None:
    """Let this process use that much more processor time, then the system kills it."""
    if os.name != "posix":
        return
    import resource

    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    wanted = int(used + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def serve(answer: Callable[[dict[str, Any], Limits], dict[str, Any]]) -> None:
    """Answer requests until the parent closes its end. Whatever a parser prints goes nowhere.

    A file that cannot be read is {status: failed, why, hint}; any other answer is what `answer` returns.
    """
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    confined = False
    while (request := read_message(sys.stdin.buffer, 1 << 20)) is not None:
        limits = Limits(**request["limits"])
        if not confined:
            confine(limits)
            confined = True
        allow_seconds(limits.seconds)
        try:
            said = answer(request, limits)
        except InvalidInput as error:
            said = {"status": "failed", "why": error.message, "hint": error.hint}
        except MemoryError:
            said = {"status": "failed", "why": f"needs more than {limits.memory_bytes >> 20} MiB to be read", "hint": ""}
        write_message(out, said)
