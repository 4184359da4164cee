"""A child process that parses for this one, under limits; this process only asks and waits.

A child that dies, hangs or grows too large costs the one file it was reading and is replaced. What comes back is plain data
that the asker checks before use: a parser taken over by a file can spoil that file's answer, nothing else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from autonomy.core.errors import InvalidInput
from autonomy.memory.child import read_message, write_message
from autonomy.memory.readers.document import Limits

_INHERITED = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "LANG", "LC_ALL", "LC_CTYPE")


class Confined:
    """One process that runs a module built on `memory.child.serve`, started when first asked and again after each death."""

    def __init__(self, module: str, limits: Limits) -> None:
        self._module = module
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while one is running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ask(self, request: dict[str, Any]) -> Any:
        """The child's answer, unchecked. Raises InvalidInput, with the reason, when it did not live to give one."""
        process = self._running()
        overdue = threading.Event()

        def stop() -> None:
            overdue.set()
            kill(process)

        timer = threading.Timer(self._limits.seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            write_message(_pipe(process.stdin), request | {"limits": asdict(self._limits)})
            message = read_message(_pipe(process.stdout), 8 * self._limits.characters + (64 << 20))
        except (OSError, ValueError):
            message = None
        finally:
            timer.cancel()
        if message is None or overdue.is_set():
            raise InvalidInput(self._epitaph(process, late=overdue.is_set()))
        return message

    def close(self) -> None:
        """End the process, at once."""
        if self._process is not None:
            kill(self._process)
            self._bury(self._process)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            library = str(Path(__file__).resolve().parents[2])
            environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=library,
                env=environment | {"PYTHONPATH": library, "PYTHONUTF8": "1"},
                start_new_session=True,
            )
        return self._process

    def _epitaph(self, process: subprocess.Popen[bytes], *, late: bool) -> str:
        """Bury the child and say what it died of."""
        kill(process)
        code = self._bury(process)
        if late or code == -getattr(signal, "SIGXCPU", 0):
            return f"took longer than {self._limits.seconds:g} s to read"
        return f"broke its reader (damaged, or needs more than {self._limits.memory_bytes >> 20} MiB)"

    def _bury(self, process: subprocess.Popen[bytes]) -> int:
        code = process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._process = None
        return code


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a child whatever it is doing; harmless when it is gone."""
    with contextlib.suppress(OSError):
        process.kill()


def _pipe(stream: IO[bytes] | None) -> Any:
    assert stream is not None
    return stream
