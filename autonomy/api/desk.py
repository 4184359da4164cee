"""Work that takes long and much, a few pieces at a time, in threads of its own: it takes none from the other requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from autonomy.api.problems import Refusal

T = TypeVar("T")


class Desk:
    """At most `at_once` pieces are worked and `waiting` more wait; who comes beyond them is told to come again."""

    def __init__(self, at_once: int = 2, waiting: int = 256) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="autonomy-desk")
        self._most = at_once + waiting
        self._here = 0

    async def run(self, work: Callable[[], T]) -> T:
        """What the work brings. Raises Refusal (429), and what the work raises."""
        if self._here >= self._most:
            raise Refusal(429, "busy", "too many reports are being read", "Send it again.", {"retry-after": "10"})
        self._here += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._here -= 1
