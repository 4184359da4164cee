"""Telegram's door: a message becomes one task, whichever way and however often it comes."""

from __future__ import annotations

import hashlib
import json
import threading
from typing import Any

import pytest

from autonomy.bootstrap.app import App
from autonomy.ingress import telegram
from autonomy.ingress.reply import Reply
from autonomy.ingress.telegram import Ignored, Options, check_secret, parse
from autonomy.services.tasks import NewTask

SECRET = b"telegram-secret"


def message(text: Any = "Write about leases", *, kind: str = "message", chat: Any = 42, number: Any = 7, **more: Any) -> Any:
    body = {"message_id": number, "chat": {"id": chat, "type": "private"}, "date": 1, **more}
    return {"update_id": 1000, kind: body if text is None else {**body, "text": text}}


def send(
    app: App, update: Any, *, options: Options | None = None, given: bytes | None = SECRET, raw: bytes | None = None
) -> Reply:
    headers = [] if given is None else [(b"X-Telegram-Bot-Api-Secret-Token", given)]
    body = json.dumps(update).encode() if raw is None else raw
    reply = telegram.receive(body, headers, secret=SECRET, options=options or Options(), tasks=app.tasks)
    app.audit.append_many(reply.audit)
    return reply


def task_id(chat: int = 42, number: int = 7) -> str:
    return hashlib.sha256(f"{chat}:{number}".encode()).hexdigest()[:12]


def test_a_message_becomes_a_task_whose_id_is_made_of_chat_and_message(app: App) -> None:
    reply = send(app, message())
    assert (reply.status, reply.body) == (200, {"status": "created", "task_id": task_id()})
    task = app.tasks.show(task_id())
    told = [task[name] for name in ("source", "chat_id", "message_id", "request_text", "correlation_id", "status")]
    assert told == ["telegram", 42, 7, "Write about leases", task_id(), "pending"]
    (line,) = reply.audit
    assert (line["action"], line["correlation_id"], line["chat_id"]) == ("telegram_received", task_id(), 42)
    assert "Write about leases" not in str(line)


@pytest.mark.parametrize("kind", telegram.KINDS)
def test_a_repeat_or_an_edit_makes_no_new_task_and_is_told(app: App, kind: str) -> None:
    send(app, message())
    reply = send(app, message("Write about queues", kind=kind))
    assert reply.body == {"status": "duplicate", "task_id": task_id()}
    assert [line["action"] for line in reply.audit] == ["telegram_dedup_hit"]
    assert app.tasks.show(task_id())["request_text"] == "Write about leases"
    assert len(app.tasks.list().items) == 1


def test_an_edit_whose_message_never_came_makes_the_task(app: App) -> None:
    assert send(app, message(kind="edited_message")).body["status"] == "created"


def test_a_hundred_identical_messages_at_once_make_one_task(app: App) -> None:
    tasks, body = app.tasks, json.dumps(message()).encode()
    replies: list[Reply] = []

    def work() -> None:
        given = [(telegram.SECRET_HEADER, SECRET)]
        for _ in range(10):
            reply = telegram.receive(body, given, secret=SECRET, options=Options(), tasks=tasks)
            replies.append(reply)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.body["status"] for reply in replies) == ["created"] + ["duplicate"] * 99
    assert app.database.read(lambda tx: tx.value("SELECT count(*) FROM task_event")) == 1


def test_a_caption_is_the_text_of_a_picture(app: App) -> None:
    assert send(app, message(None, caption="Describe it", photo=[])).body["status"] == "created"
    assert app.tasks.show(task_id())["request_text"] == "Describe it"


@pytest.mark.parametrize(
    "update",
    [message(None), message(""), message("  \n"), message(5), message(None, sticker={}), {"update_id": 1}, {}, [], None, "x",
     {"update_id": 1, "callback_query": {}}, {"message": []}, {"message": "x"}, message(chat=None), message(chat="42"),
     message(chat=True), message(number=None), message(number=-1), message(chat=2**53), message("x" * 200_000),
     {"message": {"chat": [], "message_id": 1, "text": "x"}}],
)  # fmt: skip
def test_what_is_no_message_with_words_is_acknowledged_and_makes_nothing(app: App, update: Any) -> None:
    reply = send(app, update)
    assert (reply.status, reply.body["status"], reply.body["task_id"]) == (200, "ignored", None)
    assert reply.body["reason"]
    assert not app.tasks.list().items


def test_a_chat_that_is_not_named_is_answered_and_has_no_effect(app: App) -> None:
    options = Options(chats=("41", "-100200"))
    assert send(app, message(), options=options).body["status"] == "ignored"
    assert send(app, message(chat=-100200, kind="channel_post"), options=options).body["status"] == "created"
    assert [each["task_id"] for each in app.tasks.list().items] == [task_id(-100200)]


@pytest.mark.parametrize("given", [None, b"", b"wrong", b"\xff\xfe", b"telegram-secre", b"telegram-secret ", b"x" * 10**6])
def test_another_secret_is_refused_before_anything_is_read(app: App, given: bytes | None) -> None:
    reply = send(app, message(), given=given)
    assert (reply.status, reply.audit[0]["action"]) == (401, "auth_failed")
    assert send(app, None, given=given, raw=b"[" * 100_000).status == 401
    assert not app.tasks.list().items


def test_without_a_secret_there_is_no_endpoint(app: App) -> None:
    body = json.dumps(message()).encode()
    for secret in (None, b""):
        reply = telegram.receive(body, [(telegram.SECRET_HEADER, b"")], secret=secret, options=Options(), tasks=app.tasks)
        assert (reply.status, reply.audit) == (404, ())


@pytest.mark.parametrize(
    "raw", [b"", b"x", b"[" * 100_000, b"9" * 5000, b"\xff", b'{"a": NaN}', b'{"a": "\\ud800"}', b'{"a":1,"a":2}']
)
def test_what_is_no_json_is_refused(app: App, raw: bytes) -> None:
    assert send(app, None, raw=raw).status == 400


def test_the_secret_is_compared_whatever_its_bytes() -> None:
    assert check_secret("geheim-ü".encode(), "geheim-ü".encode())
    assert not check_secret(b"a", b"")


def test_the_command_in_an_update_needs_no_database() -> None:
    assert isinstance(parse(message()), NewTask)
    assert parse(message(), Options(chats=("1",))) == Ignored("the chat is none of [telegram] chats", task_id())
