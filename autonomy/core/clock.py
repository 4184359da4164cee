"""Time and ids. Times are integer microseconds since the Unix epoch, UTC, everywhere inside."""

from __future__ import annotations

import base64
import datetime
import re
import secrets
import time

ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")

DAY_US = 86_400_000_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def now_us() -> int:
    """The wall clock in microseconds since the epoch."""
    return time.time_ns() // 1000


def iso(us: int | None) -> str | None:
    """Microseconds as RFC 3339 in UTC, with milliseconds; None stays None."""
    if us is None:
        return None
    moment = _EPOCH + datetime.timedelta(microseconds=us)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def is_over(day: datetime.date) -> bool:
    """Whether the day has ended everywhere: it does last at UTC-12."""
    return day < (_EPOCH + datetime.timedelta(microseconds=now_us(), hours=-12)).date()


def new_id() -> str:
    """A random id of 26 lower-case base32 characters (130 bits cut to 128), short prefixes of which are unique."""
    return base64.b32encode(secrets.token_bytes(16)).decode("ascii").rstrip("=").lower()


def is_id(text: str) -> bool:
    """Whether the text may be an id (or a prefix of one) at all."""
    return ID_PATTERN.fullmatch(text) is not None
