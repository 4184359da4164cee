"""A reader of server-sent events, as small as the format, with the moment at which each event arrived."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Seen:
    """One event as it arrived; `at` is this process's clock in seconds (`time.monotonic`)."""

    id: str | None
    type: str
    data: Any
    at: float


@dataclass
class Reader:
    """One client of a stream. It reads until it is closed and counts each time that the stream ended under it."""

    client: httpx.AsyncClient
    path: str
    seen: list[Seen] = field(default_factory=list)
    disconnects: int = 0
    last_id: str | None = None
    _open: asyncio.Event = field(default_factory=asyncio.Event)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    _task: asyncio.Task[None] | None = None
    problem: str | None = None
    ended: bool = False
    """Whether the stream is over; `problem` says what was wrong with its end."""

    async def open(self, patience: float = 30.0) -> None:
        """Connect; returns when the server has answered. Raises TimeoutError, or what the server answered instead."""
        self._task = asyncio.create_task(self._read())
        await asyncio.wait_for(self._open.wait(), patience)
        if self.problem is not None:
            raise ConnectionError(self.problem)

    async def _read(self) -> None:
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": self.last_id} if self.last_id else {})}
        try:
            async with self.client.stream("GET", self.path, headers=headers, timeout=httpx.Timeout(30, read=None)) as answer:
                if answer.status_code != 200:
                    self.problem = f"{self.path} answered {answer.status_code}"
                    self._open.set()
                    return
                self._open.set()
                await self._take(answer)
            self.disconnects += 1
        except (httpx.HTTPError, ValueError) as error:
            self.disconnects += 1
            self.problem = f"{type(error).__name__}: {error}"
            self._open.set()
        finally:
            self.ended = True
            async with self._arrived:
                self._arrived.notify_all()

    async def _take(self, answer: httpx.Response) -> None:
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if name:
                    fields[name] = f"{fields[name]}\n{value}" if name == "data" and "data" in fields else value
                continue
            if "data" in fields:
                self.last_id = fields.get("id", self.last_id)
                event = Seen(fields.get("id"), fields.get("event", "message"), json.loads(fields["data"]), time.monotonic())
                async with self._arrived:
                    self.seen.append(event)
                    self._arrived.notify_all()
            fields = {}

    async def until(self, holds: Callable[[], bool], patience: float) -> bool:
        """Wait until the condition, asked anew after each event, holds; whether it does at the end of the stream, or after
        `patience` seconds."""
        try:
            async with self._arrived:
                await asyncio.wait_for(self._arrived.wait_for(lambda: holds() or self.ended), patience)
        except TimeoutError:
            return holds()
        return holds()

    @property
    def connected(self) -> bool:
        """Whether the stream is open now."""
        return self._task is not None and not self.ended

    async def close(self) -> None:
        """Leave; leaving is no disconnect."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def readers(client: httpx.AsyncClient, path: str, count: int) -> list[Reader]:
    """That many readers of one stream, all connected. Raises ConnectionError or TimeoutError."""
    made = [Reader(client, path) for _ in range(count)]
    try:
        await asyncio.gather(*(reader.open() for reader in made))
    except (ConnectionError, TimeoutError):
        await close_all(made)
        raise
    return made


async def close_all(made: list[Reader]) -> None:
    """Close every reader."""
    await asyncio.gather(*(reader.close() for reader in made))
