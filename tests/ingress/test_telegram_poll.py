"""`telegram poll`: every message once, wherever it is interrupted; each answer of Telegram's understood; no token anywhere."""

from __future__ import annotations

import dataclasses
import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from autonomy.audit.verify import verify
from autonomy.bootstrap.app import App
from autonomy.core.errors import AutonomyError, ConfigurationError, ProviderUnavailable, StorageUnavailable
from autonomy.ingress.deliveries import cursor, keep_cursor
from autonomy.ingress.telegram_poll import LONG_POLL, Bot, Poller, Received, endpoint, library, poll
from tests.cli.conftest import Place
from tests.ingress.bot_server import Answer, Heard, inbox, serving
from tests.ingress.conftest import BOT_TOKEN
from tests.ingress.test_telegram import message, task_id

NAME = "telegram:123456789"


def update(number: int, text: Any = "Write about leases", **more: Any) -> dict[str, Any]:
    return {**message(text, number=number, **more), "update_id": 1000 + number}


class Stop(BaseException):
    """Ends a poller that has no end."""


def script(*answers: Answer | BaseException) -> Callable[[httpx.Request], httpx.Response]:
    """A transport that gives these answers one after the other."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        answer = left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        status, body = answer
        return httpx.Response(status, content=body if isinstance(body, bytes) else json.dumps(body).encode())

    return handle


def scripted(app: App, *answers: Answer | BaseException, once: bool = True, deliver: Any = None) -> tuple[int, list[float]]:
    """Run a poller over a script; returns (updates, the waits)."""
    waits: list[float] = []
    with Bot(BOT_TOKEN, "https://bot.example", transport=httpx.MockTransport(script(*answers))) as bot:
        count = Poller(app, bot, deliver or library(app), sleep=waits.append).run(once=once)
    return count, waits


def some(*updates: dict[str, Any]) -> Answer:
    return 200, {"ok": True, "result": list(updates)}


def set_up(app: App, url: str, **more: Any) -> None:
    """Point the settings to a Bot API."""
    settings = dataclasses.replace(app.settings.telegram, api_url=url, **more)
    app.settings = dataclasses.replace(app.settings, telegram=settings)


# -- every message once -------------------------------------------------------------------------------


def test_messages_become_tasks_and_the_offset_is_kept(app: App) -> None:
    updates = [update(7), update(8, None), update(9, "Write about queues")]
    heard: list[Received] = []
    with serving(inbox(updates)) as server:
        set_up(app, server.url)
        assert poll(app, once=True, heard=heard.append) == 3
        assert [each.effect for each in heard] == ["created", "ignored", "created"]
        assert cursor(app.database, NAME) == 1010
        assert poll(app, once=True, heard=heard.append) == 0
    assert {each["task_id"] for each in app.tasks.list().items} == {task_id(number=7), task_id(number=9)}
    first = server.heard[0].json
    assert (first["offset"], first["timeout"]) == (0, 0)
    assert first["allowed_updates"] == ["message", "edited_message", "channel_post", "edited_channel_post"]
    assert server.heard[-1].json["offset"] == 1010
    lines = [each["action"] for each in audit(app)]
    assert lines.count("telegram_received") == 3
    assert verify(app.home / "audit", app.database).ok


def audit(app: App) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (app.home / "audit" / "events.jsonl").read_bytes().splitlines()]


def test_a_bot_that_gives_the_same_updates_for_ever_is_read_once(app: App) -> None:
    with serving(lambda heard: some(update(7), update(8))) as server:
        set_up(app, server.url)
        assert poll(app, once=True) == 2
        assert poll(app, once=True) == 0
    assert len(server.heard) == 3
    assert "telegram_dedup_hit" not in [each["action"] for each in audit(app)]


def test_a_death_between_the_task_and_its_offset_makes_no_second_task(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def dies(*_: object) -> None:
            raise Stop

        patch.setattr("autonomy.ingress.telegram_poll.keep_cursor", dies)
        with pytest.raises(Stop):
            scripted(app, some(update(7)))
    assert len(app.tasks.list().items) == 1
    assert scripted(app, some(update(7)), some()) == (1, [])
    assert len(app.tasks.list().items) == 1
    assert [each["action"] for each in audit(app) if each["action"].startswith("telegram")] == [
        "telegram_received", "telegram_dedup_hit",
    ]  # fmt: skip


def test_an_update_that_could_not_be_kept_stays_unread(app: App) -> None:
    def away(told: Any) -> Any:
        if told["update_id"] == 1008:
            raise StorageUnavailable("the database is away")
        return library(app)(told)

    with pytest.raises(StorageUnavailable):
        scripted(app, some(update(7), update(8), update(9)), deliver=away)
    assert cursor(app.database, NAME) == 1008


def test_an_offset_never_goes_back(app: App) -> None:
    keep_cursor(app.database, NAME, 5)
    keep_cursor(app.database, NAME, 3)
    assert cursor(app.database, NAME) == 5


def test_updates_that_are_none_are_passed_over(app: App) -> None:
    answer: Answer = (200, {"ok": True, "result": [None, 5, {}, {"update_id": "x"}, {"update_id": True}, update(7)]})
    assert scripted(app, answer, some()) == (1, [])


# -- what Telegram answers ----------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "words"), [(401, "BOT_TOKEN"), (404, "BOT_TOKEN"), (409, "webhook")])
@pytest.mark.parametrize("once", [True, False])
def test_what_only_a_person_can_mend_stops_it_with_one_line(app: App, status: int, words: str, once: bool) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        scripted(app, (status, {"ok": False, "description": "no"}), once=once)
    assert "\n" not in str(caught.value)


def test_a_pause_that_telegram_asks_for_is_kept(app: App) -> None:
    busy: Answer = (429, {"ok": False, "parameters": {"retry_after": 17}})
    assert scripted(app, busy, busy, some(update(7)), some()) == (1, [17.0, 17.0])


@pytest.mark.parametrize("after", [None, "5", -3, 0, True, float("inf"), 10**400, [], 1e308])
def test_a_pause_of_no_sense_is_a_short_one(app: App, after: Any) -> None:
    assert scripted(app, (429, {"ok": False, "parameters": {"retry_after": after}}), some()) == (0, [1.0])


def test_once_waits_for_no_long_pause(app: App) -> None:
    with pytest.raises(ProviderUnavailable, match="pause"):
        scripted(app, (429, {"ok": False, "parameters": {"retry_after": 3600}}))


ODD: list[Answer | BaseException] = [
    (500, b""), (502, b"<html>"), (200, b"x"), (200, {"ok": False}), (200, {"ok": True}), (200, {"ok": True, "result": 5}),
    (200, b"[" * 100_000), (302, b""), (200, b"\xff"), httpx.ConnectError("x"), httpx.ReadTimeout("x"), httpx.InvalidURL("x"),
    httpx.RemoteProtocolError("x"),
]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_trouble_is_tried_again_longer_each_time_and_once_gives_up(app: App, odd: Any) -> None:
    assert scripted(app, odd, odd, odd, some(update(7)), some()) == (1, [1.0, 2.0, 4.0])
    with pytest.raises(ProviderUnavailable):
        scripted(app, odd, odd, odd, odd)


def test_without_once_it_polls_long_and_never_gives_up(app: App) -> None:
    waits: list[float] = []
    asked: list[Any] = []
    answers = script(*[(500, b"")] * 9, some(update(7)), some(), Stop())

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return answers(request)

    with Bot(BOT_TOKEN, "https://bot.example", transport=httpx.MockTransport(handle)) as bot, pytest.raises(Stop):
        Poller(app, bot, library(app), sleep=waits.append).run(once=False)
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert {each["timeout"] for each in asked} == {LONG_POLL}
    assert [each["offset"] for each in asked][-2:] == [1008, 1008]
    read = bot._client.timeout.read
    assert read is not None
    assert read > LONG_POLL


# -- by the server's endpoint -------------------------------------------------------------------------


def test_a_server_is_handed_the_update_as_it_came(app: App) -> None:
    with serving(lambda heard: (200, {"status": "created", "task_id": "abc"})) as server, httpx.Client() as client:
        deliver = endpoint(app, server.url + "/", client)
        assert scripted(app, some(update(7)), some(), deliver=deliver) == (1, [])
    (heard,) = server.heard
    assert (heard.path, heard.json) == ("/webhooks/telegram", update(7))
    assert heard.headers["x-telegram-bot-api-secret-token"] == "telegram-secret"
    assert not app.tasks.list().items


def test_where_no_server_answers_the_library_does_it(app: App) -> None:
    with serving(lambda heard: (200, {})) as server:
        url = server.url
    with httpx.Client() as client:
        assert scripted(app, some(update(7)), some(), deliver=endpoint(app, url, client)) == (1, [])
    assert len(app.tasks.list().items) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, ConfigurationError), (404, ConfigurationError), (500, ProviderUnavailable), (302, ProviderUnavailable)],
)
def test_an_update_that_the_server_did_not_take_stays_unread(app: App, status: int, error: type[AutonomyError]) -> None:
    with serving(lambda heard: (status, {})) as server, httpx.Client() as client, pytest.raises(error):
        scripted(app, some(update(7)), deliver=endpoint(app, server.url, client))
    assert cursor(app.database, NAME) == 0


def test_a_server_without_its_secret_is_an_error_before_anything_is_asked(app: App) -> None:
    app.settings = dataclasses.replace(app.settings, telegram_secret=None)
    with httpx.Client() as client, pytest.raises(ConfigurationError, match="TELEGRAM_SECRET"):
        endpoint(app, "http://127.0.0.1:1", client)


# -- the token ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [(401, b""), (409, b""), (500, b""), httpx.ConnectError("x"), httpx.InvalidURL(BOT_TOKEN)])
def test_the_token_stands_in_no_log_line_and_in_no_error(app: App, odd: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    with pytest.raises(AutonomyError) as caught:
        scripted(app, odd, odd, odd, odd)
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert "canary" not in shown
    assert "canary" not in repr(app.settings)


def test_a_real_client_tells_no_log_the_token(app: App, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    with serving(inbox([update(7)])) as server:
        set_up(app, server.url)
        poll(app, once=True)
    assert BOT_TOKEN in server.heard[0].path
    assert "canary" not in caplog.text
    assert "canary" not in (app.home / "audit" / "events.jsonl").read_text()


# -- the command --------------------------------------------------------------------------------------


def test_the_command_reads_the_bot_and_prints_each_task(migrated: Place) -> None:
    with serving(inbox([update(7, f"the token is {BOT_TOKEN}"), update(8, None)])) as server:
        environ = {"BOT_TOKEN": BOT_TOKEN, "AUTONOMY_TELEGRAM__API_URL": server.url}
        first = migrated.run("telegram", "poll", "--once", "--json", "--debug", **environ)
        again = migrated.run("telegram", "poll", "--once", **environ)
    assert first.returncode == 0, first.stderr
    rows = [json.loads(line) for line in first.stdout.splitlines()]
    assert [(row["update_id"], row["effect"], row["task_id"]) for row in rows] == [
        (1007, "created", task_id(number=7)), (1008, "ignored", None),
    ]  # fmt: skip
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "No message is waiting.\n")
    assert "canary" not in first.stdout + first.stderr + (migrated.home / "audit" / "events.jsonl").read_text()


@pytest.mark.parametrize(("status", "code"), [(401, 4), (409, 4), (429, 8)])
def test_the_command_says_in_one_line_what_is_wrong(migrated: Place, status: int, code: int) -> None:
    def answer(heard: Heard) -> Answer:
        return status, {"ok": False, "parameters": {"retry_after": 7200}}

    with serving(answer) as server:
        ended = migrated.run(
            "telegram", "poll", "--once", "--debug", BOT_TOKEN=BOT_TOKEN, AUTONOMY_TELEGRAM__API_URL=server.url
        )
    assert ended.returncode == code
    assert ended.stderr.splitlines()[-1].startswith("error: ")
    assert "canary" not in ended.stderr


def test_the_command_without_a_token_says_where_to_get_one(migrated: Place) -> None:
    ended = migrated.run("telegram", "poll", "--once")
    assert (ended.returncode, ended.stderr.count("\n")) == (4, 1)
    assert "BOT_TOKEN" in ended.stderr
