"""The chat port against a real HTTP server: one request per call, every kind of bad answer, and no secret in any error."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from autonomy.core.errors import BadAnswer, ConfigurationError, ProviderError, ProviderRefused, ProviderUnavailable
from autonomy.core.llm import ChatRequest, ChatResponse
from autonomy.providers.openai_compat import OpenAICompatPort
from autonomy.providers.profiles import make_port, provider_settings
from autonomy.providers.script import Asked, Behaviour
from autonomy.providers.scripted import ScriptedServer
from autonomy.providers.settings import Secret
from autonomy.providers.tokens import estimate

KEY = "sk-test-0123456789abcdef"
Serve = Callable[..., ScriptedServer]
Connect = Callable[..., OpenAICompatPort]
Build = Callable[..., ChatRequest]


async def ask(port: OpenAICompatPort, request: ChatRequest, *, stream: bool = False, within: float = 10.0) -> ChatResponse:
    return await port.chat(request, idempotency_key="run.1", timeout=within, on_token=(lambda piece: None) if stream else None)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_good_answer_is_one_request_with_its_key_and_its_usage(
    serve: Serve, connect: Connect, request_for: Build, stream: bool
) -> None:
    server = serve("text:tides rise and fall")
    answer = await ask(connect(server), request_for(), stream=stream)
    assert (answer.text, answer.finish, answer.provider, answer.model) == ("tides rise and fall", "stop", "tested", "scripted")
    assert answer.usage.tokens_in > 0
    assert answer.usage.tokens_out > 0
    assert not answer.usage.estimated
    assert await asyncio.to_thread(server.settled)
    (recorded,) = server.requests
    assert recorded.idempotency_key == "run.1"
    assert recorded.outcome == "answered"
    assert recorded.body["max_tokens"] == 400
    assert recorded.body["seed"] == 7
    assert recorded.body["stream"] is stream
    assert "usage" not in recorded.body


async def test_tokens_arrive_in_pieces_and_in_order(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve("text:" + "one two three four five six seven eight nine ten " * 4)
    pieces: list[str] = []
    answer = await connect(server).chat(request_for(), idempotency_key="run.2", timeout=10, on_token=pieces.append)
    assert len(pieces) > 3
    assert "".join(pieces) == answer.text


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", ["empty-choices", "usage-only"])
async def test_an_answer_without_choices_is_a_bad_answer_that_tells_its_bill(
    serve: Serve, connect: Connect, request_for: Build, stream: bool, script: str
) -> None:
    server = serve(script + "*")
    with pytest.raises(BadAnswer) as caught:
        await ask(connect(server), request_for(), stream=stream)
    assert len(server.requests) == 1
    assert (caught.value.usage is not None) == (script == "usage-only")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_length_finish_is_reported_as_such(serve: Serve, connect: Connect, request_for: Build, stream: bool) -> None:
    answer = await ask(connect(serve("length")), request_for(schema=True), stream=stream)
    assert answer.finish == "length"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refusal_is_reported_as_a_content_filter(
    serve: Serve, connect: Connect, request_for: Build, stream: bool
) -> None:
    assert (await ask(connect(serve("refusal")), request_for(), stream=stream)).finish == "content_filter"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cut_answer_is_unavailable_and_asked_once(
    serve: Serve, connect: Connect, request_for: Build, stream: bool
) -> None:
    server = serve("cut*")
    with pytest.raises(ProviderUnavailable):
        await ask(connect(server), request_for(), stream=stream)
    assert len(server.requests) == 1


async def test_a_stream_that_ends_without_a_finish_is_cut(serve: Serve, connect: Connect, request_for: Build) -> None:
    with pytest.raises(ProviderUnavailable, match="broke off"):
        await ask(connect(serve("unfinished")), request_for(), stream=True)


async def test_a_finished_answer_is_kept_when_its_usage_never_comes(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve(lambda asked: Behaviour("cut-late", text="all of it"))
    answer = await ask(connect(server), request_for(), stream=True)
    assert answer.text == "all of it"
    assert answer.usage.estimated
    assert answer.usage.tokens_out > 0


@pytest.mark.parametrize("midway", [False, True])
async def test_a_stalled_stream_is_cut_by_the_stall_limit(
    serve: Serve, connect: Connect, request_for: Build, midway: bool
) -> None:
    server = serve(lambda asked: Behaviour("stall", seconds=60, midway=midway))
    with pytest.raises(ProviderUnavailable, match=r"within 0\.2 s"):
        await ask(connect(server, stall_seconds=0.2), request_for(), stream=True, within=30)
    assert len(server.requests) == 1


async def test_the_callers_time_bounds_even_an_answer_that_keeps_trickling(
    serve: Serve, connect: Connect, request_for: Build
) -> None:
    server = serve(lambda asked: Behaviour("stall", seconds=60))
    with pytest.raises(ProviderUnavailable, match=r"within 0\.3 s"):
        await ask(connect(server), request_for(), within=0.3)


@pytest.mark.parametrize(
    ("behaviour", "kind", "wait"),
    [
        (Behaviour("status", status=429, retry_after="7"), ProviderUnavailable, 7.0),
        (Behaviour("status", status=429), ProviderUnavailable, None),
        (Behaviour("status", status=429, retry_after="soon"), ProviderUnavailable, None),
        (Behaviour("status", status=429, retry_after="nan"), ProviderUnavailable, None),
        (Behaviour("status", status=500), ProviderUnavailable, None),
        (Behaviour("status", status=503, retry_after="1.5"), ProviderUnavailable, 1.5),
        (Behaviour("status", status=408), ProviderUnavailable, None),
        (Behaviour("status", status=401), ProviderRefused, None),
        (Behaviour("status", status=403), ProviderRefused, None),
        (Behaviour("status", status=404), ProviderRefused, None),
        (Behaviour("status", status=400), ProviderRefused, None),
        (Behaviour("status", status=307), ProviderRefused, None),
        (Behaviour("status", status=402), ProviderRefused, None),
        (Behaviour("status", status=429, code="insufficient_quota"), ProviderRefused, None),
    ],
)
async def test_a_status_becomes_one_error_after_one_request(
    serve: Serve, connect: Connect, request_for: Build, behaviour: Behaviour, kind: type[ProviderError], wait: float | None
) -> None:
    server = serve(lambda asked: behaviour)
    with pytest.raises(kind) as caught:
        await ask(connect(server), request_for())
    assert len(server.requests) == 1
    assert caught.value.hint
    assert getattr(caught.value, "retry_after", None) == wait


@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_inside_a_200_is_unavailable(serve: Serve, connect: Connect, request_for: Build, stream: bool) -> None:
    with pytest.raises(ProviderUnavailable, match="overloaded"):
        await ask(connect(serve("gateway-error")), request_for(), stream=stream)


async def test_a_body_that_is_no_json_is_a_bad_answer(serve: Serve, connect: Connect, request_for: Build) -> None:
    with pytest.raises(BadAnswer, match="no chat completion"):
        await ask(connect(serve("not-json")), request_for())


async def test_nobody_listening_is_unavailable(request_for: Build) -> None:
    with ScriptedServer() as server:
        address = server.base_url
    port = make_port(provider_settings("gone", "compatible", model="m", base_url=address))
    with pytest.raises(ProviderUnavailable, match=r"cannot be reached \(connection refused\)") as caught:
        await ask(port, request_for())
    await port.aclose()
    assert not caught.value.reached
    assert "--provider extractive" in caught.value.hint


async def test_a_host_that_nobody_knows_is_told_apart(request_for: Build) -> None:
    port = make_port(provider_settings("typo", "compatible", model="m", base_url="http://no-such-host.invalid/v1"))
    with pytest.raises(ProviderUnavailable, match="no host of that name was found") as caught:
        await ask(port, request_for())
    await port.aclose()
    assert not caught.value.reached


async def test_a_host_of_two_addresses_where_nobody_listens_is_not_reached(
    request_for: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer() as server:
        address = server.base_url.replace("127.0.0.1", "localhost")
    looked_up = socket.getaddrinfo

    def twice(host: Any, *rest: Any, **options: Any) -> Any:  # as where localhost is ::1 and 127.0.0.1
        return [found for each in ("127.0.0.1", "127.0.0.2") for found in looked_up(each, *rest, **options)]

    monkeypatch.setattr(socket, "getaddrinfo", twice)
    port = make_port(provider_settings("gone", "compatible", model="m", base_url=address))
    with pytest.raises(ProviderUnavailable, match=r"cannot be reached \(connection refused\)") as caught:
        await ask(port, request_for())
    await port.aclose()
    assert not caught.value.reached


async def test_a_service_that_hangs_up_was_reached(serve: Serve, connect: Connect, request_for: Build) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        await ask(connect(serve("cut")), request_for())
    assert caught.value.reached


@pytest.mark.parametrize(
    ("behaviour", "stream"),
    [
        (Behaviour("status", status=500), False),
        (Behaviour("stall", seconds=60), False),
        (Behaviour("stall", seconds=60, midway=True), True),
        (Behaviour("cut"), True),
        (Behaviour("unfinished"), True),
        (Behaviour("gateway-error"), True),
    ],
)
async def test_a_request_that_was_sent_and_not_served_tells_the_prompt_and_what_was_heard(
    serve: Serve, connect: Connect, request_for: Build, behaviour: Behaviour, stream: bool
) -> None:
    port, request, heard = connect(serve(lambda asked: behaviour)), request_for(), list[str]()
    with pytest.raises(ProviderUnavailable) as caught:
        await port.chat(request, idempotency_key="k", timeout=0.5, on_token=heard.append if stream else None)
    usage = caught.value.usage
    assert usage is not None
    assert usage.estimated
    assert (usage.tokens_in, usage.tokens_out) == (port.worst_case(request).tokens_in, estimate("".join(heard)))


async def test_a_request_that_nobody_worked_on_tells_no_usage(serve: Serve, connect: Connect, request_for: Build) -> None:
    with ScriptedServer() as server:
        address = server.base_url
    gone = make_port(provider_settings("gone", "compatible", model="m", base_url=address))
    limited = connect(serve(lambda asked: Behaviour("status", status=429)))
    for port in (gone, limited):
        with pytest.raises(ProviderUnavailable) as caught:
            await ask(port, request_for())
        assert caught.value.usage is None
    await gone.aclose()


async def test_an_address_that_is_none_is_a_configuration_error(request_for: Build) -> None:
    port = make_port(provider_settings("odd", "compatible", model="m", base_url="file:///etc/passwd"))
    with pytest.raises(ConfigurationError):
        await ask(port, request_for())


async def test_a_service_without_json_schema_is_asked_in_simpler_modes_until_it_answers(
    serve: Serve, connect: Connect, request_for: Build
) -> None:
    def script(asked: Asked) -> Behaviour:
        if "response_format" in asked.body:
            return Behaviour("status", status=400, message="Unknown parameter: response_format")
        return Behaviour("good")

    server = serve(script)
    port = connect(server)
    for _ in range(2):
        with pytest.raises(ProviderUnavailable) as caught:
            await ask(port, request_for(schema=True))
        assert caught.value.retry_after == 0
    answer = await ask(port, request_for(schema=True))
    assert "questions" in json.loads(answer.text)
    assert [r.body.get("response_format", {}).get("type") for r in server.requests] == ["json_schema", "json_object", None]
    assert [r.schema for r in server.requests] == ["questions"] * 3
    await ask(port, request_for(schema=True))
    assert "response_format" not in server.requests[-1].body


async def test_learning_ends_with_a_refusal(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve(lambda asked: Behaviour("status", status=400, message="response_format and temperature are unsupported"))
    port = connect(server)
    errors = []
    for _ in range(8):
        try:
            await ask(port, request_for(schema=True))
        except ProviderError as error:
            errors.append(type(error))
    assert errors[-1] is ProviderRefused
    assert errors.count(ProviderUnavailable) <= 4


@pytest.mark.parametrize("field", ["temperature", "seed", "stream_options"])
async def test_a_field_the_service_does_not_take_is_left_out(
    serve: Serve, connect: Connect, request_for: Build, field: str
) -> None:
    def script(asked: Asked) -> Behaviour:
        if field in asked.body:
            return Behaviour("status", status=400, message=f"Unsupported value: '{field}' is not supported with this model")
        return Behaviour("good")

    port = connect(serve(script))
    with pytest.raises(ProviderUnavailable, match=field):
        await ask(port, request_for(), stream=True)
    assert (await ask(port, request_for(), stream=True)).text


async def test_the_cap_goes_by_the_name_the_service_wants(serve: Serve, connect: Connect, request_for: Build) -> None:
    def script(asked: Asked) -> Behaviour:
        if "max_tokens" in asked.body:
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return Behaviour("status", status=400, message=message)
        return Behaviour("good")

    server = serve(script)
    port = connect(server)
    with pytest.raises(ProviderUnavailable):
        await ask(port, request_for())
    await ask(port, request_for())
    assert server.requests[-1].body["max_completion_tokens"] == 400


async def test_only_openrouter_is_asked_for_its_price_and_it_wins(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve()
    answer = await ask(connect(server, kind="openrouter"), request_for())
    assert answer.usage.cost_source == "provider"
    assert answer.usage.cost_micro_usd is not None
    assert answer.usage.cost_micro_usd > 0
    for kind in ("openai", "gemini", "kimi", "compatible", "local"):
        await ask(connect(server, kind=kind), request_for())
    assert [("usage" in r.body) for r in server.requests] == [True, False, False, False, False, False]


async def test_a_secret_is_in_no_error_log_or_repr(
    serve: Serve, connect: Connect, request_for: Build, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"bad key {KEY} in Bearer {KEY} at https://user:{KEY}@host/path (also sk-other-999999)"
    seen: list[str] = []
    for status in (400, 401, 404, 429, 500):
        server = serve(lambda asked, status=status: Behaviour("status", status=status, message=echo))
        port = connect(server)
        with pytest.raises(ProviderError) as caught:
            await ask(port, request_for())
        seen.append("".join(traceback.format_exception(caught.value)))
        seen.append(repr(caught.value) + str(caught.value) + caught.value.hint + repr(port._settings))
        assert server.requests[0].headers.get("authorization") is None
    everything = "\n".join(seen) + caplog.text
    assert KEY not in everything
    assert "sk-other-999999" not in everything
    assert "user:" not in everything
    assert not [record for record in caplog.records if record.name.startswith(("httpx", "httpcore", "openai"))]


async def test_the_key_is_sent_as_a_bearer(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve("good", api_key=KEY)
    assert (await ask(connect(server), request_for())).text
    with pytest.raises(ProviderRefused):
        await ask(connect(server, api_key=Secret("another")), request_for())
    assert [record.authorised for record in server.requests] == [True, False]


async def test_inherited_openai_headers_do_not_reach_other_services(
    serve: Serve, connect: Connect, request_for: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-private")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-private")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Private: yes")
    server = serve()
    await ask(connect(server), request_for())
    assert "private" not in json.dumps(server.requests[0].headers)


async def test_a_cancelled_call_leaves_and_the_server_sees_it_cut(serve: Serve, connect: Connect, request_for: Build) -> None:
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    def script(asked: Asked) -> Behaviour:
        loop.call_soon_threadsafe(arrived.set)
        return Behaviour("stall", seconds=60)

    server = serve(script)
    call = asyncio.create_task(ask(connect(server), request_for(), stream=True, within=60))
    await arrived.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(server.settled)
    assert server.requests[0].outcome == "cut"


async def test_an_endless_answer_is_not_read_to_its_end(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve(lambda asked: Behaviour("text", text="x" * 200_000))
    with pytest.raises(BadAnswer):
        await ask(connect(server), request_for(cap=10), stream=True)


def test_the_worst_case_counts_prompt_schema_and_cap(request_for: Build) -> None:
    port = make_port(provider_settings("p", "compatible", model="m", base_url="http://127.0.0.1:1/v1"))
    plain, shaped = port.worst_case(request_for()), port.worst_case(request_for(schema=True))
    assert plain.tokens_out == 400
    assert shaped.tokens_in > plain.tokens_in > 0
    assert plain.cost_micro_usd is None
    assert plain.cost_source == "unknown"


async def test_the_worst_case_is_never_below_what_the_server_counts(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve()
    port = connect(server)
    for text in ("plain words " * 50, "潮汐是海水的周期性涨落。" * 20, "Größe über alles " * 30):
        request = request_for(text)
        answer = await ask(port, request)
        assert port.worst_case(request).tokens_in >= answer.usage.tokens_in


def test_building_a_port_imports_no_sdk() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from autonomy.providers.profiles import make_port, provider_settings;"
        "make_port(provider_settings('a', 'openai')); print([m for m in ('openai', 'httpx', 'httpx2') if m in sys.modules])"
    )
    shown: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.strip() == "[]"
