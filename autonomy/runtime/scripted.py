"""A chat port and a clock that do as they are told: for tests, demonstrations and rehearsals without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autonomy.core.errors import AutonomyError
from autonomy.core.llm import ChatRequest, ChatResponse, CostSource, Usage
from autonomy.runtime.desk import Timing


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived at a scripted port."""

    request: ChatRequest
    key: str
    timeout: float


class ScriptedPort:
    """Answers in order with what it was given: text, a whole response, or an error to raise; then repeats the last.

    `price` is micro-dollars per token, in and out alike, None for unknown. `tokens_in` is what every prompt counts.
    `hold`, once set to an unset event, keeps requests waiting.
    """

    def __init__(
        self,
        name: str = "scripted",
        script: Sequence[str | ChatResponse | AutonomyError] = ("answer",),
        *,
        price: int | None = 0,
        tokens_in: int = 10,
        tokens_out: int = 5,
    ) -> None:
        self.name = name
        self.model = f"{name}-1"
        self.received: list[Received] = []
        self.hold: asyncio.Event | None = None
        self._came = asyncio.Semaphore(0)
        self._script = list(script)
        self._price = price
        self._tokens_in = tokens_in
        self._tokens_out = tokens_out

    async def chat(
        self,
        request: ChatRequest,
        *,
        idempotency_key: str,
        timeout: float,  # noqa: ASYNC109 - the chat port's own signature
        on_token: Callable[[str], None] | None = None,
    ) -> ChatResponse:
        """The next line of the script."""
        self.received.append(Received(request, idempotency_key, timeout))
        self._came.release()
        if self.hold is not None:
            await self.hold.wait()
        line = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(line, AutonomyError):
            raise line
        if isinstance(line, ChatResponse):
            return line
        if on_token is not None:
            for word in line.split():
                on_token(word)
        usage = self._usage(self._tokens_in, min(self._tokens_out, request.max_output_tokens))
        return ChatResponse(line, self.name, self.model, "stop", usage)

    async def reached(self, requests: int = 1) -> None:
        """Wait until that many more requests have come in."""
        for _ in range(requests):
            await self._came.acquire()

    def worst_case(self, request: ChatRequest) -> Usage:
        """The prompt and the whole output cap."""
        return self._usage(self._tokens_in, request.max_output_tokens)

    def _usage(self, tokens_in: int, tokens_out: int) -> Usage:
        if self._price is None:
            return Usage(tokens_in, tokens_out)
        source: CostSource = "configured" if self._price else "free"
        return Usage(tokens_in, tokens_out, (tokens_in + tokens_out) * self._price, source)


class StillTime:
    """Time that passes only when somebody sleeps in it or moves it; `slept` keeps every wait in seconds."""

    def __init__(self, chance: float = 0.5) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self._chance = chance

    @property
    def timing(self) -> Timing:
        """This time, as the desk takes it."""
        return Timing(clock=lambda: self.now, sleep=self.sleep, chance=lambda: self._chance)

    async def sleep(self, seconds: float) -> None:
        """Pass at once."""
        self.slept.append(seconds)
        self.now += seconds
