"""Telegram without a public address: ask for updates, hand each on, remember how far that went.

An update is put into effect first and its number kept right after, so a crash between the two has it delivered once more,
and its task, whose id is made of the message, is found and not made again. The bot's token stands in the path of every
request: the HTTP client's own log lines are switched off, and no text of its errors is ever passed on.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

import httpx

from autonomy.bootstrap.app import App
from autonomy.core.errors import AutonomyError, ConfigurationError, ProviderUnavailable
from autonomy.ingress import telegram
from autonomy.ingress.deliveries import cursor, keep_cursor
from autonomy.ingress.reply import dig
from autonomy.ingress.telegram import KINDS, Taken
from autonomy.providers.quiet import quieten

LONG_POLL = 50
"""Seconds that Telegram waits for a message before it answers with none."""
READ_TIMEOUT = LONG_POLL + 15
TRIES = 4
"""Requests in a row that may fail before `--once` gives up; without it there is no end to the tries."""
LONGEST_WAIT = 60.0
"""Seconds between two tries; `--once` gives up rather than wait longer than that."""
_NUMBER = 2**53


class Deliver(Protocol):
    """Puts one update into effect: in this process, or by the server's endpoint."""

    def __call__(self, update: Mapping[str, Any]) -> tuple[str, str | None, str]:
        """(effect, task id, reason). Raises AutonomyError: the update stays unread then."""
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """One update that was put into effect."""

    update_id: int
    effect: str
    task_id: str | None
    reason: str


class Bot:
    """The one method of the Bot API that is needed. A context manager."""

    def __init__(self, token: str, api_url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        quieten()
        self._path = f"{api_url.rstrip('/')}/bot{token}/getUpdates"
        timeout = httpx.Timeout(READ_TIMEOUT, connect=10.0)
        self._client = httpx.Client(timeout=timeout, transport=transport)

    def updates(self, offset: int, wait: int) -> list[Mapping[str, Any]]:
        """The updates from `offset` on, after at most `wait` seconds.

        Raises ConfigurationError where only a person can help, ProviderUnavailable (with `retry_after`) where time does.
        """
        asked = {"offset": offset, "timeout": wait, "allowed_updates": list(KINDS)}
        try:
            answer = self._client.post(self._path, json=asked)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its text holds the address, and the address holds the token.
            raise _unavailable(f"Telegram cannot be reached ({type(error).__name__})") from None
        try:
            told = json.loads(answer.content)
        except (ValueError, RecursionError):
            told = None
        if answer.status_code != 200 or dig(told, "ok") is not True:
            raise _refusal(answer.status_code, told)
        found = dig(told, "result")
        if not isinstance(found, list):
            raise _unavailable("Telegram's answer holds no updates")
        return [update for update in found if isinstance(update, dict) and type(update.get("update_id")) is int]

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> Bot:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Poller:
    """Reads a bot's updates from where it stopped last, however it stopped."""

    def __init__(
        self,
        app: App,
        bot: Bot,
        deliver: Deliver,
        *,
        heard: Callable[[Received], None] = lambda received: None,
        trouble: Callable[[AutonomyError, float], None] = lambda error, wait: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        token = app.settings.bot_token
        assert token is not None, "whoever made the bot had its token"
        self._database = app.database
        self._name = f"telegram:{token.reveal().partition(':')[0][:32]}"
        self._bot = bot
        self._deliver = deliver
        self._heard = heard
        self._trouble = trouble
        self._sleep = sleep

    def run(self, *, once: bool) -> int:
        """Poll for ever, or `once` until nothing is waiting; returns how many updates were put into effect.

        Raises ConfigurationError, and with `once` ProviderUnavailable.
        """
        total = failed = 0
        while True:
            offset = cursor(self._database, self._name)
            try:
                found = self._bot.updates(offset, 0 if once else LONG_POLL)
            except ProviderUnavailable as error:
                failed += 1
                self._rest(error, failed, once=once)
                continue
            failed = 0
            new = [update for update in found if update["update_id"] >= offset]
            for update in sorted(new, key=lambda each: int(each["update_id"])):
                self._take(update)
            total += len(new)
            if once and not new:
                return total

    def _take(self, update: Mapping[str, Any]) -> None:
        effect, task_id, reason = self._deliver(update)
        keep_cursor(self._database, self._name, update["update_id"] + 1)
        self._heard(Received(update["update_id"], effect, task_id, reason))

    def _rest(self, error: ProviderUnavailable, failed: int, *, once: bool) -> None:
        """Wait as long as Telegram asks for, else longer each time."""
        wait = error.retry_after if error.retry_after is not None else min(2.0 ** (failed - 1), LONGEST_WAIT)
        if once and (failed >= TRIES or wait > LONGEST_WAIT):
            raise error
        self._trouble(error, wait)
        self._sleep(wait)


def library(app: App) -> Deliver:
    """Put updates into effect in this process."""
    settings = app.settings.telegram
    options = telegram.Options(settings.chats, settings.user)

    def deliver(update: Mapping[str, Any]) -> tuple[str, str | None, str]:
        taken: Taken = telegram.take(update, options=options, tasks=app.tasks)
        app.audit.append_many([taken.audit])
        return taken.effect, taken.task_id, taken.reason

    return deliver


def endpoint(app: App, server: str, client: httpx.Client) -> Deliver:
    """Hand updates to a server's endpoint; where no server answers, put them into effect here.

    Raises ConfigurationError where the secret is missing or the server's is another, ProviderUnavailable where it fails.
    """
    secret = app.settings.telegram_secret
    if secret is None:
        raise ConfigurationError("--server needs TELEGRAM_SECRET", "Set it as it is set for the server.")
    here = library(app)
    url = f"{server.rstrip('/')}/webhooks/telegram"
    headers = {
        telegram.SECRET_HEADER: secret.reveal().encode("utf-8", "surrogateescape"),
        b"content-type": b"application/json",
    }

    def deliver(update: Mapping[str, Any]) -> tuple[str, str | None, str]:
        try:
            answer = client.post(url, content=json.dumps(update).encode("ascii"), headers=headers)
            told = answer.json() if answer.status_code == 200 else None
        except httpx.ConnectError:
            return here(update)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ProviderUnavailable(
                f"the server did not take update {update['update_id']} ({type(error).__name__})", "Look at it, then poll again."
            ) from None
        if told is None:
            raise _refused(answer.status_code)
        return str(dig(told, "status")), dig(told, "task_id"), str(dig(told, "reason") or "")

    return deliver


def poll(
    app: App,
    *,
    once: bool,
    server: str | None = None,
    heard: Callable[[Received], None] = lambda received: None,
    trouble: Callable[[AutonomyError, float], None] = lambda error, wait: None,
) -> int:
    """Read the bot's updates; `server` (else `[telegram] server`) is handed them. Returns how many there were.

    Raises ConfigurationError without BOT_TOKEN, and as `Poller.run` does.
    """
    settings = app.settings
    token = settings.bot_token
    if token is None:
        raise ConfigurationError("BOT_TOKEN is not set", "Ask @BotFather for a bot's token, and set it.")
    address = server or settings.telegram.server
    with Bot(token.reveal().strip(), settings.telegram.api_url) as bot, httpx.Client(timeout=30.0, trust_env=False) as client:
        deliver = endpoint(app, address, client) if address else library(app)
        return Poller(app, bot, deliver, heard=heard, trouble=trouble).run(once=once)


def _unavailable(message: str, retry_after: float | None = None) -> ProviderUnavailable:
    return ProviderUnavailable(message, "Try again later; nothing is lost.", retry_after)


def _refusal(status: int, told: Any) -> AutonomyError:
    """What an answer other than updates means."""
    if status in (401, 404):
        return ConfigurationError("Telegram does not know this BOT_TOKEN", "Compare it with @BotFather's.")
    if status == 409:
        return ConfigurationError(
            "another program reads this bot's updates, or a webhook is set for it", "Stop the other, or call deleteWebhook."
        )
    if status == 429:
        after = dig(told, "parameters", "retry_after")
        number = (
            float(after) if isinstance(after, int | float) and not isinstance(after, bool) and abs(after) < _NUMBER else 1.0
        )
        return _unavailable("Telegram asks for a pause", number if math.isfinite(number) and number > 0 else 1.0)
    return _unavailable(f"Telegram answered {status}")


def _refused(status: int) -> AutonomyError:
    """What it means that the server did not take an update."""
    if status in (401, 403):
        return ConfigurationError("the server has another TELEGRAM_SECRET", "Set the same one here.")
    if status in (404, 405):
        return ConfigurationError("the server has no /webhooks/telegram", "Set TELEGRAM_SECRET for it, or correct --server.")
    return ProviderUnavailable(f"the server answered {status}", "Look at it, then poll again; the message stays unread.")
