"""Answers kept as ready bytes: encoded once for as long as nothing was written.

On SQLite a change counter says whether anybody, in this process or another, has written since; asking it takes microseconds.
PostgreSQL has no such counter: there every answer is made anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Response

from autonomy.storage.database import Database

KEPT = 1024


def encode(value: Any) -> bytes:
    """JSON as it is sent: compact, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")


@dataclass(frozen=True, slots=True)
class Bytes:
    """A body, its ETag, and whose it is."""

    body: bytes
    etag: str
    user_id: str

    @classmethod
    def of(cls, body: bytes, user_id: str) -> Bytes:
        """With the tag that its content has."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', user_id)

    def answer(self, headers: dict[bytes, bytes]) -> Response:
        """The body, or 304 where the client has it already."""
        tags = {"etag": self.etag, "cache-control": "private, no-cache"}
        if headers.get(b"if-none-match", b"").decode("latin-1") == self.etag:
            return Response(status_code=304, headers=tags)
        return Response(self.body, headers=tags, media_type="application/json")


class Ready:
    """Encoded answers by key. Used in one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: dict[str, tuple[int, Bytes]] = {}

    async def get(self, key: str, make: Callable[[], Bytes]) -> Bytes:
        """The answer of that key; `make` runs beside the event loop when it is not held or no longer true."""
        version = self._database.version() if self._database.path is not None else None
        held = self._held.get(key)
        if version is not None and held is not None and held[0] == version:
            return held[1]
        made = await asyncio.to_thread(make)
        if version is not None:
            if len(self._held) >= KEPT:
                self._held.clear()
            self._held[key] = (version, made)
        return made
