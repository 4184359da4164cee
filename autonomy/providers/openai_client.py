"""The one place where the openai SDK's client is put together: no retries, no redirects, no inherited headers."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from autonomy.core.errors import ConfigurationError
from autonomy.providers.quiet import quieten
from autonomy.providers.settings import ProviderSettings

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

_CONNECT_SECONDS = 10.0


def host_of(base_url: str) -> str:
    """Host and port of a URL, without user, password, path or query: what a message may show."""
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "?", parts.port
    except ValueError:
        return "?"
    return f"{host}:{port}" if port else host


def is_loopback(base_url: str) -> bool:
    """Whether a URL points at this machine, where no proxy must stand between."""
    try:
        host = urlsplit(base_url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(settings: ProviderSettings) -> str:
    try:
        parts = urlsplit(settings.base_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            f"the base_url of provider {settings.name!r} is not an http(s) address",
            "Set base_url to something like 'https://host/v1'.",
        )
    return settings.base_url


def _key(settings: ProviderSettings) -> str:
    # The SDK insists on a key; endpoints that need none ignore it.
    return settings.api_key.reveal() if settings.api_key else "none"


def async_client(settings: ProviderSettings) -> AsyncOpenAI:
    """A client that sends exactly one request per call. The caller closes it."""
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    quieten()
    base_url = _checked(settings)
    http = DefaultAsyncHttpxClient(follow_redirects=False, trust_env=not is_loopback(base_url))
    client = AsyncOpenAI(api_key=_key(settings), base_url=base_url, max_retries=0, http_client=http)
    _forget_inherited(client, settings)
    return client


def sync_client(settings: ProviderSettings) -> OpenAI:
    """The same for callers without an event loop."""
    from openai import DefaultHttpxClient, OpenAI

    quieten()
    base_url = _checked(settings)
    http = DefaultHttpxClient(follow_redirects=False, trust_env=not is_loopback(base_url))
    client = OpenAI(api_key=_key(settings), base_url=base_url, max_retries=0, http_client=http)
    _forget_inherited(client, settings)
    return client


def _forget_inherited(client: AsyncOpenAI | OpenAI, settings: ProviderSettings) -> None:
    """OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS belong to OpenAI; the SDK sends them to every address."""
    if settings.profile.kind != "openai":
        client.organization = None
        client.project = None
        client._custom_headers = {}


def connect_seconds(timeout: float) -> float:
    """How long a connection may take to open, within the caller's time."""
    return min(_CONNECT_SECONDS, timeout)
