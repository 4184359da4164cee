"""What a node calls: chat and tools, each call named so that a repeated node finds it again in the journal."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from autonomy.core.errors import ConfigurationError, InvalidInput
from autonomy.core.llm import ChatRequest, ChatResponse
from autonomy.core.tools import Effect, complaint
from autonomy.core.types import StepLimits
from autonomy.runtime.desk import CallDesk, Settled
from autonomy.runtime.journal import Intent
from autonomy.runtime.targets import ChatTarget, ToolTarget, canonical, chat_body, chat_response


class RunCalls:
    """The calls of one execution of a node. Implements the agents' `Calls`."""

    def __init__(self, desk: CallDesk, node: str = "", step: int = 0, limits: StepLimits | None = None) -> None:
        self._desk = desk
        self._node = node
        self._step = step
        self._limits = limits
        self._asked: Counter[str] = Counter()

    def at(self, node: str, step: int) -> RunCalls:
        """The calls of another execution of a node, at the same desk."""
        return RunCalls(self._desk, node, step)

    def within(self, limits: StepLimits) -> RunCalls:
        """The same calls under the limits of a plan step; a call that would pass them raises StepLimitReached."""
        narrowed = RunCalls(self._desk, self._node, self._step, limits)
        narrowed._asked = self._asked
        return narrowed

    async def chat(
        self,
        request: ChatRequest,
        *,
        check: Callable[[ChatResponse], None] | None = None,
        on_token: Callable[[str], None] | None = None,
    ) -> ChatResponse:
        """The answer of the first provider that gives one, or the recorded one. `on_token` hears fresh answers only.

        Raises BudgetExceeded (before the call), ProviderUnavailable, ProviderRefused, BadAnswer, LeaseLost.
        """
        if not self._desk.ports:
            raise ConfigurationError("no model provider is configured for this run", "Name one with --provider.")
        minimum = self._desk.options.minimum_output
        intent = self._intent("chat", request.role, chat_body(request), "idempotent")
        targets = [ChatTarget(port, request, minimum=minimum, check=check, on_token=on_token) for port in self._desk.ports]
        return chat_response(_result(await self._desk.put(intent, targets)))

    async def tool(self, name: str, arguments: Mapping[str, Any]) -> Any:
        """The tool's answer as plain JSON data, fresh or recorded.

        Raises InvalidInput (arguments that break the schema: nothing is called), BadAnswer (an answer that does),
        NotFound, PolicyRefused (an unsafe call whose end nobody saw), BudgetExceeded, LeaseLost, and the tool's own errors.
        """
        if self._desk.tools is None:
            raise ConfigurationError("this run has no tools", "Hand it a registry.")
        facts = self._desk.tools.describe(name)
        body = canonical(arguments)
        wrong = complaint(facts.input_schema, json.loads(body))
        if wrong is not None:
            raise InvalidInput(f"the arguments of tool {name} break its schema at {wrong}", "See 'autonomy tools show'.")
        intent = self._intent("tool", name, body, facts.effect)
        target = ToolTarget(self._desk.tools, name, facts, json.loads(body))
        if facts.effect == "pure" and facts.cost_usd_micro == 0:
            return json.loads(_result(await self._desk.put_free(intent, target)))
        return json.loads(_result(await self._desk.put(intent, [target])))

    def _intent(self, kind: str, name: str, body: str, effect: Effect) -> Intent:
        """The slot counts equal requests of one node execution, in the order in which they are asked."""
        digest = hashlib.sha256(f"{name}\n{body}".encode()).hexdigest()[:40]
        occurrence = self._asked[f"{kind}:{digest}"]
        self._asked[f"{kind}:{digest}"] += 1
        slot = f"{self._step}:{self._node}:{kind}:{digest}:{occurrence}"
        holder = self._desk.holder
        return Intent(holder.run_id, holder.epoch, slot, kind, name, self._node, self._step, effect, self._limits)


def _result(settled: Settled) -> bytes:
    if settled.problem is not None:
        raise settled.problem
    assert settled.result is not None
    return settled.result
