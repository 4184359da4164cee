"""A scripted server and a port to it, both real, for the tests of this room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from autonomy.core.llm import ChatMessage, ChatRequest
from autonomy.providers.openai_compat import OpenAICompatPort
from autonomy.providers.profiles import make_port, provider_settings
from autonomy.providers.scripted import ScriptedServer
from autonomy.providers.settings import Secret

KEY = "sk-test-0123456789abcdef"
SCHEMA = {
    "type": "object",
    "properties": {"questions": {"type": "array", "items": {"type": "string"}}},
    "required": ["questions"],
    "additionalProperties": False,
}


@pytest.fixture
def serve() -> Iterator[Callable[..., ScriptedServer]]:
    """Starts scripted servers; they stop with the test."""
    with ExitStack() as stack:
        yield lambda script="good", **options: stack.enter_context(ScriptedServer(script, **options))


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., OpenAICompatPort]]:
    """Makes ports to a server; they are closed with the test."""
    ports: list[OpenAICompatPort] = []

    def make(server: ScriptedServer, kind: str = "compatible", **options: Any) -> OpenAICompatPort:
        given = {"model": "scripted", "base_url": server.base_url, "api_key": Secret(KEY), **options}
        ports.append(make_port(provider_settings("tested", kind, **given)))
        return ports[-1]

    yield make
    for port in ports:
        await port.aclose()


@pytest.fixture
def request_for() -> Callable[..., ChatRequest]:
    """Builds requests."""

    def build(text: str = "Goal: what is a tide", *, schema: bool = False, cap: int = 400) -> ChatRequest:
        messages = (ChatMessage("system", "You plan."), ChatMessage("user", text))
        if schema:
            return ChatRequest("widen", messages, cap, schema=SCHEMA, schema_name="questions", seed=7)
        return ChatRequest("widen", messages, cap, seed=7)

    return build
