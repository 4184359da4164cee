"""Telegram's messages: a secret in a header, then a message that becomes one task, however often it is delivered.

A task's id is made of chat and message (the first 12 hex digits of the SHA-256 of "chat_id:message_id"), so a repeat or an
edit of a message finds the task it made; its words stay what they were when a person may have read them. Everything that
comes with the right secret is answered 200, else Telegram would send it again for a day.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from autonomy.core import strict_json
from autonomy.core.errors import InvalidInput
from autonomy.ingress.reply import Headers, Reply, absent, dig, header, problem
from autonomy.services.tasks import Created, NewTask

SOURCE = "telegram"
SECRET_HEADER = b"x-telegram-bot-api-secret-token"
KINDS = ("message", "edited_message", "channel_post", "edited_channel_post")
"""The updates that are heard: `allowed_updates` of getUpdates and setWebhook."""
_SAFE = 2**53


class Tasks(Protocol):
    """What a message may do (`services.tasks.Tasks`)."""

    def create(self, new: NewTask) -> Created:
        """A new task, or the one that was there."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """Whose messages are heard (no chat named: all), and whose tasks they become."""

    chats: tuple[str, ...] = ()
    user: str = "local"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An update that makes no task, and why. `correlation_id` is the message's where it has one."""

    reason: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of an update: created, duplicate or ignored; its task where there is one; its audit entry."""

    effect: str
    task_id: str | None
    reason: str
    audit: Mapping[str, Any]


def check_secret(secret: bytes, given: bytes) -> bool:
    """Whether the header's bytes, whatever they are, are the secret. Constant time, whatever their length."""
    return hmac.compare_digest(hashlib.sha256(secret).digest(), hashlib.sha256(given).digest())


def receive(body: bytes, headers: Headers, *, secret: bytes | None, options: Options, tasks: Tasks) -> Reply:
    """One update sent by Telegram: checked, taken, answered. Raises StorageError when it could not be kept."""
    if not secret:
        return absent()
    given = header(headers, SECRET_HEADER)
    if given is None or not check_secret(secret, given):
        line = {"action": "auth_failed", "correlation_id": "none", "actor": "unknown", "source": SOURCE}
        return problem(401, "bad-secret", "the secret of the webhook is another", "Compare TELEGRAM_SECRET.", line)
    try:
        update = strict_json.loads(body)
    except ValueError as error:
        line = {"action": "telegram_received", "correlation_id": "none", "actor": SOURCE, "effect": "refused"}
        return problem(400, "bad-json", str(error), "", line)
    taken = take(update, options=options, tasks=tasks)
    more = {"reason": taken.reason} if taken.reason else {}
    return Reply(200, {"status": taken.effect, "task_id": taken.task_id, **more}, (taken.audit,))


def take(update: Any, *, options: Options, tasks: Tasks) -> Taken:
    """Put one update into effect, whichever way it came."""
    command = parse(update, options)
    number = dig(update, "update_id")
    told = {"actor": SOURCE, "update_id": number if type(number) is int else None}
    if isinstance(command, NewTask):
        told |= {"chat_id": command.chat_id, "message_id": command.message_id, "kind": _kind(update)}
        try:
            made = tasks.create(command)
        except InvalidInput as error:
            command = Ignored(error.message, str(command.task_id))
        else:
            action = "telegram_dedup_hit" if made.duplicate else "telegram_received"
            effect = "duplicate" if made.duplicate else "created"
            task_id = str(made.task["task_id"])
            line = {"action": action, "correlation_id": task_id, **told, "task_id": task_id, "effect": effect}
            return Taken(effect, task_id, "", line)
    line = {"action": "telegram_received", "correlation_id": command.correlation_id, **told}
    return Taken("ignored", None, command.reason, {**line, "effect": "ignored", "reason": command.reason})


def parse(update: Any, options: Options | None = None) -> NewTask | Ignored:
    """The task in an update. Whatever the update is, the worst is that it is ignored with a reason."""
    options = options or Options()
    kind = _kind(update)
    if kind is None:
        return Ignored("it is no message", "none")
    message = update[kind]
    chat, number = dig(message, "chat", "id"), dig(message, "message_id")
    if type(chat) is not int or type(number) is not int or abs(chat) >= _SAFE or not 0 <= number < _SAFE:
        return Ignored("the message has no chat or no number", "none")
    task_id = hashlib.sha256(f"{chat}:{number}".encode()).hexdigest()[:12]
    if options.chats and str(chat) not in options.chats:
        return Ignored("the chat is none of [telegram] chats", task_id)
    text = dig(message, "text")
    text = dig(message, "caption") if text is None else text
    if not isinstance(text, str) or not text.strip():
        return Ignored("the message has no text", task_id)
    return NewTask(
        source="telegram", request_text=text, user_id=options.user, task_id=task_id, correlation_id=task_id, chat_id=chat,
        message_id=number,
    )  # fmt: skip


def _kind(update: Any) -> str | None:
    """Which of the heard kinds an update is."""
    return next((kind for kind in KINDS if dig(update, kind) is not None), None)
