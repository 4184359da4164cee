"""Waking an event loop from the writer thread: once for all that a commit has finished, not once for each."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from concurrent.futures import Future
from typing import Any


class Bell:
    """Waits for thread futures in one event loop. A wake-up costs a system call and a turn of the interpreter lock, so
    those that are done together ring once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._done: deque[asyncio.Future[None]] = deque()
        self._rung = False

    async def wait(self, future: Future[Any]) -> None:
        """Until the future is done, however it ended. A cancelled wait leaves it alone."""
        waiter = self.loop.create_future()
        future.add_done_callback(lambda _: self._ring(waiter))
        await waiter

    def _ring(self, waiter: asyncio.Future[None]) -> None:
        self._done.append(waiter)
        if not self._rung:
            self._rung = True
            with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits any more
                self.loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        # Down first: who rings from now on is heard again, and is answered here or there, never nowhere.
        self._rung = False
        while self._done:
            waiter = self._done.popleft()
            if not waiter.done():
                waiter.set_result(None)
