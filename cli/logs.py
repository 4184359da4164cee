"""Structured logs on stderr: one JSON object a line, with the fields their writers gave, and never a credential.

A worker logs; a command that a person watches does not, unless --debug asks for it: its view tells the same.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from autonomy.core.clock import iso
from cli.output import plain

if TYPE_CHECKING:
    from autonomy.bootstrap.settings import Settings

ROOT = "autonomy"
MASK = "****"
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """at, level, logger, message, then whatever stands in `extra`."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        body: dict[str, Any] = {
            "at": iso(int(record.created * 1_000_000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": plain(record.getMessage()),
        }
        body |= {name: value for name, value in vars(record).items() if name not in _OWN and value is not None}
        if record.exc_info:
            body["traceback"] = self.formatException(record.exc_info)
        line = json.dumps(body, ensure_ascii=True, default=str)
        for secret in self._secrets:
            line = line.replace(json.dumps(secret)[1:-1], MASK)
        return line


class _Stderr(logging.Handler):
    """Writes to the stderr of the moment, which is safe for any reader."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stderr.write(f"{self.format(record)}\n")
        sys.stderr.flush()


@contextmanager
def logging_to_stderr(settings: Settings, *, aloud: bool) -> Iterator[None]:
    """Send the library's logs to stderr while the block runs, or nowhere. Nothing stays behind."""
    logger = logging.getLogger(ROOT)
    handler: logging.Handler = _Stderr() if aloud else logging.NullHandler()
    handler.setFormatter(JsonLines(settings.secrets()))
    before = logger.level
    logger.addHandler(handler)
    if aloud:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        if aloud:
            logger.setLevel(before)
