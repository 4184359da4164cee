"""What a call can be put to: a chat provider or a tool. A target makes an offer that fits the budget, and asks once.

Answers come from outside: they are turned into plain bytes here, and what cannot be read or does not fit its schema is
an answer all the same, recorded and paid, with its problem beside it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autonomy.core.errors import AutonomyError, BadAnswer, InvalidInput
from autonomy.core.llm import ChatPort, ChatRequest, ChatResponse, Usage
from autonomy.core.tools import Effect, complaint
from autonomy.runtime.budgets import Left
from autonomy.runtime.journal import Entry, Offer

Check = Callable[[ChatResponse], None]
_MOST_TOKENS = 10**12
_MOST_MICRO = 10**15


class ToolFacts(Protocol):
    """What a call must know of a tool. `cost_usd_micro` per call, None if unknown; the schemas are JSON schemas."""

    @property
    def effect(self) -> Effect: ...
    @property
    def cost_usd_micro(self) -> int | None: ...
    @property
    def input_schema(self) -> Mapping[str, Any]: ...
    @property
    def output_schema(self) -> Mapping[str, Any]: ...


class ToolBox(Protocol):
    """The tools of a run."""

    def describe(self, name: str) -> ToolFacts:
        """Raises NotFound for a tool that is not there."""
        ...

    def call(self, name: str, arguments: Mapping[str, Any], *, key: str) -> Awaitable[Any]:
        """The tool's raw answer. `key` is the same when an idempotent call is repeated. Raises errors of ours only."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the bytes to keep, what it cost, and what is wrong with it."""

    result: bytes
    provider: str
    model: str | None
    usage: Usage
    problem: AutonomyError | None = None


class Target(Protocol):
    """One provider or tool, for one call."""

    @property
    def name(self) -> str: ...

    def offer(self, left: Left, before: Entry | None) -> Offer:
        """What would be sent within what is left; `before` is the same call from before a crash."""
        ...

    async def ask(self, offer: Offer, *, key: str, seconds: float) -> Answer:
        """One request of at most `seconds`. Raises ProviderUnavailable, ProviderRefused, BadAnswer or the like."""
        ...


class ChatTarget:
    """One chat provider for one request. The output cap is lowered to what is left, not below `minimum` tokens."""

    def __init__(
        self,
        port: ChatPort,
        request: ChatRequest,
        *,
        minimum: int,
        check: Check | None = None,
        on_token: Callable[[str], None] | None = None,
    ) -> None:
        self.name = port.name
        self._port = port
        self._request = request
        self._minimum = min(minimum, request.max_output_tokens)
        self._check = check
        self._on_token = on_token
        # Estimated here once: price tables load slowly, and an offer is made in the one thread that writes.
        self._worst = port.worst_case(request)
        self._asked = dataclasses.replace(port.worst_case(dataclasses.replace(request, max_output_tokens=0)), estimated=True)

    def offer(self, left: Left, before: Entry | None) -> Offer:
        """See Target. A repeat keeps the cap it was first sent with, so that the same key never names two bodies."""
        cap = self._request.max_output_tokens
        if before is not None:
            cap = min(cap, int(json.loads(before.body)["max_output_tokens"]))
        request, worst = self._capped(cap)
        if not _fits(worst, left):
            request, worst = self._capped(self._largest(cap, left))
        return Offer(self.name, self._port.model, canonical(dataclasses.asdict(request)), worst, request, self._asked)

    async def ask(self, offer: Offer, *, key: str, seconds: float) -> Answer:
        """See Target."""
        response = await self._port.chat(offer.payload, idempotency_key=key, timeout=seconds, on_token=self._on_token)
        response = dataclasses.replace(response, usage=_sound(response.usage, offer.worst))
        readable = dataclasses.replace(response, text=response.text.encode("utf-8", "replace").decode("utf-8"))
        problem = _problem(self._check, readable)
        if readable.text != response.text:
            problem = BadAnswer(f"{self.name} answered with invalid Unicode", "Try again, or name another provider.")
        result = canonical(dataclasses.asdict(readable)).encode("utf-8")
        return Answer(result, response.provider, response.model, response.usage, problem)

    def _capped(self, cap: int) -> tuple[ChatRequest, Usage]:
        if cap == self._request.max_output_tokens:
            return self._request, self._worst
        request = dataclasses.replace(self._request, max_output_tokens=cap)
        return request, self._port.worst_case(request)

    def _largest(self, cap: int, left: Left) -> int:
        """The largest cap that fits; the minimum if none does (the reservation then says which limit refuses it)."""
        low, high = min(self._minimum, cap), cap
        while low < high:
            middle = (low + high + 1) // 2
            if _fits(self._capped(middle)[1], left):
                low = middle
            else:
                high = middle - 1
        return low


class ToolTarget:
    """One tool with checked arguments."""

    def __init__(self, tools: ToolBox, name: str, facts: ToolFacts, arguments: Mapping[str, Any]) -> None:
        self.name = name
        self._tools = tools
        self._facts = facts
        self._arguments = arguments

    def offer(self, left: Left, before: Entry | None) -> Offer:
        """See Target. A tool costs what its description says."""
        body = before.body if before is not None else canonical(self._arguments)
        usage = self._usage()
        return Offer(self.name, None, body, usage, self._arguments, dataclasses.replace(usage, estimated=True))

    async def ask(self, offer: Offer, *, key: str, seconds: float) -> Answer:
        """See Target."""
        value = await self._tools.call(self.name, offer.payload, key=key)
        try:
            result = canonical(value).encode("utf-8")
        except InvalidInput:
            raise BadAnswer(f"the tool {self.name} answered with something that is not JSON", "Repair the tool.") from None
        wrong = complaint(self._facts.output_schema, json.loads(result))
        problem = None if wrong is None else BadAnswer(f"the answer of tool {self.name} breaks its schema at {wrong}")
        return Answer(result, self.name, None, self._usage(), problem)

    def _usage(self) -> Usage:
        cost = self._facts.cost_usd_micro
        if cost is None:
            return Usage()
        return Usage(cost_micro_usd=cost, cost_source="configured" if cost else "free")


def chat_response(result: bytes) -> ChatResponse:
    """The answer that a row holds."""
    kept = json.loads(result)
    return ChatResponse(**{**kept, "usage": Usage(**kept["usage"])})


def chat_body(request: ChatRequest) -> str:
    """The request as its slot and its row name it."""
    return canonical(dataclasses.asdict(request))


def canonical(value: Any) -> str:
    """JSON with one spelling per value. Raises InvalidInput for what JSON or UTF-8 cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
        text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            f"not plain JSON data: {str(error)[:120]}", "Hand over text, finite numbers, lists and mappings."
        ) from None
    return text


def _fits(worst: Usage, left: Left) -> bool:
    if left.tokens is not None and worst.tokens_in + worst.tokens_out > left.tokens:
        return False
    return left.usd is None or worst.cost_micro_usd is None or worst.cost_micro_usd <= left.usd


def _problem(check: Check | None, response: ChatResponse) -> BadAnswer | None:
    """What the caller has against the answer. An answer that breaks the reader is a bad answer, not a crash."""
    if check is None:
        return None
    try:
        check(response)
    except BadAnswer as error:
        return error
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        return BadAnswer(f"the answer cannot be read ({type(error).__name__})", "Try again, or name another provider.")
    return None


def _sound(usage: Usage, worst: Usage) -> Usage:
    """The provider's figures where they are possible; where one is not, the worst case stands for it."""
    tokens_in, tokens_out, cost = usage.tokens_in, usage.tokens_out, usage.cost_micro_usd
    good = 0 <= tokens_in <= _MOST_TOKENS and 0 <= tokens_out <= _MOST_TOKENS
    if good and (cost is None or 0 <= cost <= _MOST_MICRO):
        return usage
    return dataclasses.replace(worst, estimated=True)
