"""The chat port: what the toolkit asks of a language model, and what it gets back. Adapters live in `providers`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

CostSource = Literal["provider", "configured", "catalogue", "free", "unknown"]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn. `role` is system, user or assistant."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request. `schema` is a JSON schema the answer must satisfy; None asks for plain text.

    `max_output_tokens` is the cap sent to the provider and the output part of the budget reservation.
    """

    role: str
    messages: tuple[ChatMessage, ...]
    max_output_tokens: int
    schema: dict[str, Any] | None = None
    schema_name: str = "answer"
    temperature: float = 0.0
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call cost. Micro-dollars; `cost_micro_usd` is None where `cost_source` is "unknown", never a silent zero."""

    tokens_in: int = 0
    tokens_out: int = 0
    cost_micro_usd: int | None = None
    cost_source: CostSource = "unknown"
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class ChatResponse:
    """One answer as the provider gave it. `finish` is stop, length, content_filter or unknown."""

    text: str
    provider: str
    model: str
    finish: str
    usage: Usage = field(default_factory=Usage)


class ChatPort(Protocol):
    """One provider. Makes exactly one HTTP request per call; retries and fallback are the journal's business."""

    name: str
    model: str

    async def chat(
        self,
        request: ChatRequest,
        *,
        idempotency_key: str,
        timeout: float,  # noqa: ASYNC109 -- the adapter hands it to the HTTP client, which also cuts a stall between chunks
        on_token: Callable[[str], None] | None = None,
    ) -> ChatResponse:
        """Raises ProviderUnavailable (try again or elsewhere), ProviderRefused (do not), BadAnswer."""
        ...

    def worst_case(self, request: ChatRequest) -> Usage:
        """Upper estimate of tokens and price before the call; `cost_micro_usd` None if the price is unknown."""
        ...
