"""The scripted server itself: its small language, its record, its log, and its life as a program."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autonomy.core.errors import InvalidInput, ProviderUnavailable
from autonomy.core.llm import ChatRequest
from autonomy.providers.openai_compat import OpenAICompatPort
from autonomy.providers.profiles import make_port, provider_settings
from autonomy.providers.script import Asked, Behaviour, in_order, parse
from autonomy.providers.scripted import ScriptedServer, answered_keys, read_log
from tests.commands import until

Serve = Callable[..., ScriptedServer]
Connect = Callable[..., OpenAICompatPort]
Build = Callable[..., ChatRequest]


def kinds(text: str, count: int = 6) -> list[str]:
    script = parse(text)
    return [script(Asked(number, "/v1/chat/completions", None, {})).kind for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good", ["good"] * 6),
        ("malformed", ["malformed"] + ["good"] * 5),
        ("malformedx2,cut", ["malformed", "malformed", "cut", "good", "good", "good"]),
        ("good,empty-choices*", ["good"] + ["empty-choices"] * 5),
        ("cycle:good,good,malformed", ["good", "good", "malformed"] * 2),
        ("429,500,401", ["status"] * 3 + ["good"] * 3),
    ],
)
def test_a_script_is_read_as_it_is_written(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_arguments_of_a_script_are_read() -> None:
    script = parse("stall:2.5,429:7,status:503,text:hello there")
    given = [script(Asked(number, "", None, {})) for number in range(1, 5)]
    assert given[0] == Behaviour("stall", seconds=2.5)
    assert (given[1].status, given[1].retry_after) == (429, "7")
    assert given[2].status == 503
    assert given[3].text == "hello there"


@pytest.mark.parametrize("text", ["", "nonsense", "stall:nan", "stall:-1", "99", "status:abc", "good,,good"])
def test_a_script_with_an_unknown_item_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


def test_an_order_goes_on_with_what_it_is_told() -> None:
    script = in_order([Behaviour("cut")], then=Behaviour("malformed"))
    assert [script(Asked(n, "", None, {})).kind for n in (1, 2, 3)] == ["cut", "malformed", "malformed"]


async def test_the_log_lets_another_process_count_what_was_answered(
    connect: Connect, request_for: Build, tmp_path: Path
) -> None:
    log = tmp_path / "requests.jsonl"
    with ScriptedServer("good,good,cut,500", log=log) as server:
        port = connect(server)
        for key in ("run.1", "run.1", "run.2", "run.3"):
            with contextlib.suppress(ProviderUnavailable):
                await port.chat(request_for(), idempotency_key=key, timeout=10)
        assert await asyncio.to_thread(server.settled)
    assert answered_keys(log) == {"run.1": 2}
    entries = list(read_log(log))
    assert [entry["event"] for entry in entries] == ["received", "ended"] * 4
    assert [entry["outcome"] for entry in entries if entry["event"] == "ended"] == ["answered", "answered", "cut", "error"]
    assert "authorization" not in log.read_text().lower()


def test_a_torn_last_line_of_a_log_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b'{"event": "received"}\n{"event": "en')
    assert len(list(read_log(log))) == 1


async def test_a_client_that_leaves_is_recorded_as_cut(serve: Serve, connect: Connect, request_for: Build) -> None:
    server = serve("stall:60")
    asking = asyncio.create_task(connect(server).chat(request_for(), idempotency_key="k", timeout=60))
    await asyncio.to_thread(until, lambda: len(server.requests) == 1, "the request arrives")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await asyncio.to_thread(server.settled)
    assert server.requests[0].outcome == "cut"


async def test_a_client_whose_time_is_up_names_the_time(serve: Serve, connect: Connect, request_for: Build) -> None:
    with pytest.raises(ProviderUnavailable, match=r"no answer within 0\.2 s"):
        await connect(serve("stall:60")).chat(request_for(), idempotency_key="k", timeout=0.2)


async def test_the_same_prompt_gets_the_same_answer(serve: Serve, connect: Connect, request_for: Build) -> None:
    port = connect(serve())
    answers = [await port.chat(request_for(schema=True), idempotency_key=str(n), timeout=10) for n in range(2)]
    assert answers[0].text == answers[1].text


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cap_on_tokens_cuts_an_answer_and_is_never_passed(
    serve: Serve, connect: Connect, request_for: Build, stream: bool
) -> None:
    request = replace(request_for(), max_output_tokens=4)
    answer = await connect(serve()).chat(
        request, idempotency_key="k", timeout=10, on_token=(lambda _: None) if stream else None
    )
    assert answer.finish == "length"
    assert 0 < answer.usage.tokens_out <= 4


def test_it_runs_as_a_program_and_stops_on_sigterm(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "autonomy.providers.scripted", "--port", "0", "--log", str(log), "--script", "good"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().strip()
        assert base_url.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(f"{base_url}/models", timeout=20) as answer:
            assert json.load(answer)["data"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


def test_a_bad_script_is_told_in_a_line() -> None:
    command = [sys.executable, "-m", "autonomy.providers.scripted", "--script", "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_what_is_no_request_is_answered_and_not_counted(serve: Serve) -> None:
    server = serve()
    for path, data in (("/v1/chat/completions", b"not json"), ("/v1/chat/completions", b"[1]")):
        request = urllib.request.Request(server.base_url.removesuffix("/v1") + path, data=data, method="POST")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=20)
        caught.value.close()
        assert caught.value.code == 400
    assert server.requests == ()


async def test_other_pages_are_not_found(serve: Serve, request_for: Build) -> None:
    server = serve()
    port = make_port(provider_settings("p", "compatible", model="m", base_url=server.base_url + "/elsewhere"))
    answer = await port.chat(request_for(), idempotency_key="k", timeout=10)
    assert answer.text  # any folder before the page will do, as behind a gateway
    await port.aclose()
