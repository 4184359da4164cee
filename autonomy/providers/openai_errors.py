"""Maps what the openai SDK raises to the house's errors, once, without ever letting a credential into a message."""

from __future__ import annotations

import math
import re
import socket
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from autonomy.core.errors import BadAnswer, ProviderError, ProviderRefused, ProviderUnavailable
from autonomy.core.llm import Usage
from autonomy.core.prompts import one_line
from autonomy.providers.openai_client import host_of
from autonomy.providers.settings import ProviderSettings

if TYPE_CHECKING:
    from openai import APIError, APIStatusError

_KEYLIKE = re.compile(r"(?i)\b(?:bearer\s+\S+|(?:sk|pk|rk|key|gsk|xai|or)-[\w*.\-]{4,}|AIza[\w*\-]{4,}|bot\d+:[\w\-]+)")
_URL = re.compile(r"\bhttps?://\S+", re.IGNORECASE)
_TRY_AGAIN = frozenset({408, 409, 425, 429})
_NO_WORK = frozenset({409, 425, 429})
# By name: which HTTP client raises them depends on the SDK's version.
_NEVER_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"})
_NOBODY = {ConnectionRefusedError: "connection refused", socket.gaierror: "no host of that name was found"}
_LONGEST_RETRY_AFTER = 24 * 3600.0
_OUT_OF_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


def scrub(text: str, settings: ProviderSettings, limit: int = 160) -> str:
    """A provider's own words as one short line without the key, anything that looks like one, or a URL."""
    if settings.api_key:
        text = text.replace(settings.api_key.reveal(), "***")
    return one_line(_URL.sub("(url)", _KEYLIKE.sub("***", text)), limit)


def retry_after(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds to wait as the answer's headers say: a number or an HTTP date; None where there is no sensible value."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        seconds = _seconds(value, time.time() if now is None else now)
        if seconds is not None:
            return min(max(0.0, seconds * scale), _LONGEST_RETRY_AFTER)
    return None


def _seconds(value: str, now: float) -> float | None:
    try:
        number = float(value)
    except ValueError:
        number = None
    if number is not None:
        return number if math.isfinite(number) else None
    try:
        return parsedate_to_datetime(value).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return None


def who(settings: ProviderSettings) -> str:
    """How messages name a provider."""
    return f"provider {settings.name!r} ({settings.model} at {host_of(settings.base_url)})"


def stalled(settings: ProviderSettings, seconds: float, usage: Usage | None = None) -> ProviderUnavailable:
    """Nothing came for too long, or the whole call took too long."""
    return ProviderUnavailable(
        f"{who(settings)} gave no answer within {seconds:g} s", "Try again later, or name another provider.", usage=usage
    )


def cut(settings: ProviderSettings, usage: Usage | None) -> ProviderUnavailable:
    """The stream ended before the answer did."""
    return ProviderUnavailable(
        f"{who(settings)} broke off in the middle of its answer", "Try again later, or name another provider.", usage=usage
    )


def malformed(settings: ProviderSettings) -> BadAnswer:
    """The body is not what the protocol says."""
    return BadAnswer(
        f"{who(settings)} answered with something that is no chat completion",
        "Check that base_url points at an OpenAI-compatible API (it usually ends in /v1).",
    )


def empty(settings: ProviderSettings, usage: Usage | None) -> BadAnswer:
    """No choice at all, though perhaps a bill."""
    return BadAnswer(f"{who(settings)} sent an answer without any choice", "Try again, or name another provider.", usage)


def sent(error: Exception) -> bool:
    """Whether the request may have reached the service before the connection gave out."""
    return type(error.__cause__).__name__ not in _NEVER_SENT


def status_error(error: APIStatusError, settings: ProviderSettings, usage: Usage | None = None) -> ProviderError:
    """An HTTP status of 300 or more. `usage` is what the request takes if the service worked on it before it gave up."""
    status = error.status_code
    name = who(settings)
    if status in (401, 403):
        variable = settings.profile.key_variable
        hint = f"Check {variable} or the provider's api_key." if variable else "Check the provider's api_key."
        return ProviderRefused(f"{name} refused the credentials ({status})", hint)
    said = scrub(_said(error), settings)
    if status == 402 or error.code in _OUT_OF_MONEY or error.type in _OUT_OF_MONEY:
        return ProviderRefused(f"{name} says the account has no credit left ({status})", "Top it up, or name another provider.")
    if status in _TRY_AGAIN or status >= 500:
        reason = "is limiting requests" if status == 429 else "has trouble"
        return ProviderUnavailable(
            f"{name} {reason} ({status})" + (f": {said}" if said else ""),
            "Try again later, or name another provider.",
            retry_after=retry_after(error.response.headers),
            usage=None if status in _NO_WORK else usage,
        )
    if 300 <= status < 400:
        return ProviderRefused(f"{name} redirects to another address ({status})", "Set base_url to the final address.")
    hint = (
        "Check the model's name and base_url." if status == 404 else "Check the provider's settings, or name another provider."
    )
    return ProviderRefused(f"{name} refused the request ({status})" + (f": {said}" if said else ""), hint)


def told(code: str, message: str, settings: ProviderSettings, usage: Usage) -> ProviderError:
    """An error told inside a stream or a 200 answer, as gateways do for trouble behind them. `usage`: see status_error."""
    said = scrub(message, settings)
    if code.isdigit() and 400 <= int(code) < 500 and int(code) not in _TRY_AGAIN:
        return ProviderRefused(f"{who(settings)} refused the request ({code}): {said}", "Check the provider's settings.")
    idle = code.isdigit() and int(code) in _NO_WORK
    return ProviderUnavailable(
        f"{who(settings)} has trouble: {said}", "Try again later, or name another provider.", usage=None if idle else usage
    )


def unreachable(settings: ProviderSettings, error: Exception, usage: Usage | None = None) -> ProviderUnavailable:
    """No connection, or one that broke. What `error` came from says whether anybody is there."""
    roots = list(_roots(error))
    absent = next((words for kind, words in _NOBODY.items() if any(isinstance(root, kind) for root in roots)), "")
    return ProviderUnavailable(
        f"{who(settings)} cannot be reached" + (f" ({absent})" if absent else ""),
        "Check that the service is running and its base_url is right, or go without a model: --provider extractive.",
        usage=usage,
        reached=not absent,
    )


def _roots(error: BaseException) -> Iterator[BaseException]:
    """What the error came from in the end: more than one where a host has several addresses and each was tried in vain."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _roots(each)
    else:
        yield error


def _said(error: APIError) -> str:
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        message = inner.get("message") if isinstance(inner, dict) else inner
        return message if isinstance(message, str) else ""
    return ""
