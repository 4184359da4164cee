"""The chat port over any OpenAI-compatible service. The invariant: one `chat` is exactly one HTTP request.

What a service does not understand (a response format, a temperature) is learned from its 400: the port changes its
way of asking and raises ProviderUnavailable with `retry_after` 0, so that the one retry layer asks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autonomy.core.errors import ProviderError, ProviderUnavailable
from autonomy.core.llm import ChatRequest, ChatResponse, Usage
from autonomy.core.prompts import schema_note
from autonomy.providers import openai_errors as errors
from autonomy.providers.openai_client import async_client, connect_seconds
from autonomy.providers.pricing import cost
from autonomy.providers.settings import STRUCTURED_MODES, ProviderSettings, StructuredMode
from autonomy.providers.tokens import estimate, estimate_messages

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

_FINISH = {"stop": "stop", "length": "length", "content_filter": "content_filter"}
_CHARS_PER_TOKEN = 16
_SPARE_CHARS = 65_536


class OpenAICompatPort:
    """One provider behind the chat port. Belongs to one event loop; close it with `aclose`."""

    def __init__(self, settings: ProviderSettings) -> None:
        self.name = settings.name
        self.model = settings.model
        self._settings = settings
        self._client: AsyncOpenAI | None = None
        self._dialect = _Dialect(settings)

    async def chat(
        self,
        request: ChatRequest,
        *,
        idempotency_key: str,
        timeout: float,  # noqa: ASYNC109  the port's own word; it is kept with asyncio.timeout
        on_token: Callable[[str], None] | None = None,
    ) -> ChatResponse:
        """One request, streamed when `on_token` is given. Raises ProviderUnavailable, ProviderRefused or BadAnswer.

        `timeout` bounds the whole call in seconds; a streamed answer may moreover not be silent for longer than the
        provider's `stall_seconds`.
        """
        import openai

        body = self._dialect.body(request, stream=on_token is not None)
        silence = min(self._settings.stall_seconds, timeout) if on_token is not None else timeout
        body["extra_headers"] = {"Idempotency-Key": idempotency_key}
        body["timeout"] = openai.Timeout(silence, connect=connect_seconds(timeout))
        answer = _Answer(request.max_output_tokens * _CHARS_PER_TOKEN + _SPARE_CHARS)
        try:
            async with asyncio.timeout(timeout):
                reply: Any = await self._open().chat.completions.create(**body)
                if on_token is None:
                    answer.whole(reply)
                else:
                    await self._stream(reply, answer, on_token)
        except openai.APIStatusError as error:
            raise self._refused(error, self._usage(request, answer)) from None
        except (openai.APIConnectionError, TimeoutError) as error:
            if answer.finish is None:  # a finished answer is kept even if its usage never came
                late = isinstance(error, openai.APITimeoutError | TimeoutError)
                seconds = silence if isinstance(error, openai.APITimeoutError) else timeout
                usage = self._usage(request, answer) if errors.sent(error) else None
                raise self._broken(answer, seconds, late, usage, error) from None
        except openai.APIError as error:
            raise errors.told(error.code or "", error.message, self._settings, self._usage(request, answer)) from None
        except _Told as error:
            raise errors.told(error.code, error.message, self._settings, self._usage(request, answer)) from None
        except (ValueError, _Malformed):
            raise errors.malformed(self._settings) from None
        return self._response(request, answer)

    def worst_case(self, request: ChatRequest) -> Usage:
        """Upper estimate of the call: the prompt's characters (the schema counted too) and the whole output cap."""
        tokens_in = estimate_messages([message.content for message in request.messages])
        if request.schema is not None:
            tokens_in += estimate(schema_note(request.schema_name, request.schema))
        price = cost(self._settings, tokens_in, request.max_output_tokens)
        return Usage(tokens_in, request.max_output_tokens, price.micro_usd, price.source, estimated=True)

    async def aclose(self) -> None:
        """Close the connections; the port may be used again and then opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _open(self) -> AsyncOpenAI:
        if self._client is None:
            self._client = async_client(self._settings)
        return self._client

    async def _stream(self, stream: AsyncStream[ChatCompletionChunk], answer: _Answer, on_token: Callable[[str], None]) -> None:
        async with stream:
            async for chunk in stream:
                piece = answer.chunk(chunk)
                if piece:
                    on_token(piece)

    def _refused(self, error: APIStatusError, usage: Usage) -> ProviderError:
        learned = self._dialect.learn(error)
        if learned is None:
            return errors.status_error(error, self._settings, usage)
        return ProviderUnavailable(
            f"{errors.who(self._settings)} does not take {learned}", "It is asked again without.", retry_after=0.0
        )

    def _broken(self, answer: _Answer, seconds: float, late: bool, usage: Usage | None, error: Exception) -> ProviderError:
        if late:
            return errors.stalled(self._settings, seconds, usage)
        return errors.cut(self._settings, usage) if answer.began else errors.unreachable(self._settings, error, usage)

    def _response(self, request: ChatRequest, answer: _Answer) -> ChatResponse:
        usage = self._usage(request, answer)
        if not answer.began:
            raise errors.empty(self._settings, usage if answer.usage else None)
        if answer.finish is None and answer.usage is None:
            raise errors.cut(self._settings, usage)
        finish = "content_filter" if answer.refused else _FINISH.get(answer.finish or "", "unknown")
        return ChatResponse("".join(answer.text), self.name, answer.model or self.model, finish, usage)

    def _usage(self, request: ChatRequest, answer: _Answer) -> Usage:
        told = answer.usage or {}
        tokens_in, tokens_out = _count(told.get("prompt_tokens")), _count(told.get("completion_tokens"))
        estimated = tokens_in is None or tokens_out is None
        if tokens_in is None:
            tokens_in = self.worst_case(request).tokens_in
        if tokens_out is None:
            tokens_out = min(estimate("".join(answer.text)), request.max_output_tokens)
        price = cost(self._settings, tokens_in, tokens_out, told.get("cost"))
        return Usage(tokens_in, tokens_out, price.micro_usd, price.source, estimated)


class _Malformed(Exception):
    """Inside this module only: a body that is no chat completion, or one without end."""


class _Told(Exception):
    """Inside this module only: an error object in a 200 answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


class _Answer:
    """What has come so far, whether whole or in pieces. Nothing in it is trusted to have the right type."""

    def __init__(self, longest: int) -> None:
        self.text: list[str] = []
        self.finish: str | None = None
        self.usage: dict[str, Any] | None = None
        self.model: str | None = None
        self.began = False
        self.refused = False
        self._left = longest

    def whole(self, completion: object) -> None:
        """Take a complete answer."""
        data = _plain(completion)
        if data.get("error"):
            error = data["error"] if isinstance(data["error"], dict) else {"message": data["error"]}
            raise _Told(str(error.get("code") or ""), str(error.get("message") or ""))
        if "choices" not in data:
            raise _Malformed
        self._take(data, "message")
        if self.began and self.finish is None:
            self.finish = "unknown"

    def chunk(self, chunk: object) -> str:
        """Take one piece of a stream; returns its text. A piece without choices may still carry the usage."""
        return self._take(_plain(chunk), "delta")

    def _take(self, data: dict[str, Any], field: str) -> str:
        if isinstance(data.get("usage"), dict):
            self.usage = data["usage"]
        if isinstance(data.get("model"), str):
            self.model = data["model"] or None
        choices = data.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(first, dict):
            return ""
        self.began = True
        if isinstance(first.get("finish_reason"), str):
            self.finish = first["finish_reason"]
        said = first.get(field)
        said = said if isinstance(said, dict) else {}
        self.refused = self.refused or bool(said.get("refusal"))
        piece = said.get("content")
        if not isinstance(piece, str) or not piece:
            return ""
        self._left -= len(piece)
        if self._left < 0:
            raise _Malformed
        self.text.append(piece)
        return piece


class _Dialect:
    """How this service wants to be asked; it narrows with each 400 and never widens again, so learning ends."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        self._mode: StructuredMode = settings.structured or settings.profile.structured
        self._cap_field = settings.profile.cap_field
        self._dropped: set[str] = set() if settings.profile.sends_seed else {"seed"}

    def body(self, request: ChatRequest, *, stream: bool) -> dict[str, Any]:
        """The request's fields."""
        messages = [{"role": message.role, "content": message.content} for message in request.messages]
        body: dict[str, Any] = {"model": self._settings.model, self._cap_field: request.max_output_tokens, "stream": stream}
        optional: dict[str, Any] = {"temperature": request.temperature, "seed": request.seed}
        if stream:
            optional["stream_options"] = {"include_usage": True}
        if request.schema is not None and self._mode == "json_schema":
            schema = {"name": request.schema_name, "schema": request.schema, "strict": True}
            optional["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif request.schema is not None:
            messages.append({"role": "system", "content": schema_note(request.schema_name, request.schema)})
            if self._mode == "json_object":
                optional["response_format"] = {"type": "json_object"}
        body["messages"] = messages
        body.update({key: value for key, value in optional.items() if value is not None and key not in self._dropped})
        if self._settings.profile.reports_cost:
            body["extra_body"] = {"usage": {"include": True}}
        return body

    def learn(self, error: APIStatusError) -> str | None:
        """What the service turned out not to take, if this 400 or 422 says so and there is another way to ask."""
        if error.status_code not in (400, 422):
            return None
        said = f"{error.param or ''} {error.message}".lower()
        if any(
            word in said for word in ("response_format", "json_schema", "json_object", "structured output", "response format")
        ):
            return self._simpler_structure()
        if self._cap_field in said and any(
            word in said for word in ("max_completion_tokens", "unsupported", "unknown", "unrecognized")
        ):
            return self._other_cap()
        for field in ("temperature", "stream_options", "seed"):
            if field in said and field not in self._dropped:
                self._dropped.add(field)
                return field
        return None

    def _simpler_structure(self) -> str | None:
        place = STRUCTURED_MODES.index(self._mode)
        if place + 1 == len(STRUCTURED_MODES):
            return None
        given_up, self._mode = self._mode, STRUCTURED_MODES[place + 1]
        return given_up

    def _other_cap(self) -> str | None:
        if "cap" in self._dropped:
            return None
        self._dropped.add("cap")
        given_up = self._cap_field
        self._cap_field = "max_tokens" if given_up == "max_completion_tokens" else "max_completion_tokens"
        return given_up


def _plain(value: object) -> dict[str, Any]:
    """The SDK's object as it came over the wire; a body that is not JSON arrives as text."""
    from pydantic import BaseModel

    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", warnings=False)
    raise _Malformed


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**12 else None
