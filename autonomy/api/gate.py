"""The outermost layer: every request passes it, and every answer, whatever happens in between.

In this order: the Host must be one of ours, the client must be known (or the page public), another site's page may not act,
the body must be within its limits. What nobody foresaw becomes a 500 without a trace, and a line in the log.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

from fastapi import Response
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autonomy.api import limits, problems
from autonomy.api.auth import SIGNED, Authenticator, Principal, check_origin, unauthorized
from autonomy.api.metrics import Requests
from autonomy.api.problems import Refusal
from autonomy.core.errors import AutonomyError

PUBLIC = frozenset({"/healthz", "/openapi.json", "/login"})
PUBLIC_BELOW = ("/webhooks/", "/static/")
MACHINES = ("/api/", "/metrics", "/webhooks/", "/openapi.json", "/healthz")
"""Addresses for programs: they are told 401; a browser elsewhere is sent to the login page."""
READING = frozenset({"GET", "HEAD"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
MOST_HOSTS = 1024
log = logging.getLogger("autonomy.server")

Hot = Callable[[Principal], bytes]
AuthFailed = Callable[[str, str, bool], Awaitable[None]]
"""Hears (method and path, client, whether it brought a token) of a request from nobody who is known."""


class Hosts:
    """Which Host headers are ours: this machine's names, any address in figures, and those that the settings name.

    A name that somebody else's DNS points at this machine is none of them, and so no page of theirs reaches us.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {"localhost", *(name.lower() for name in names)}
        self._seen: dict[bytes, bool] = {}

    def allow(self, host: bytes | None) -> bool:
        """Whether the Host header is one of ours."""
        if host is None:
            return False
        known = self._seen.get(host)
        if known is None:
            if len(self._seen) >= MOST_HOSTS:
                self._seen.clear()
            known = self._seen[host] = self._look(host)
        return known

    def _look(self, host: bytes) -> bool:
        text = host.decode("latin-1").lower()
        name, _, port = text.rpartition(":") if not text.endswith("]") and ":" in text else (text, "", "")
        if port and not (port.isascii() and port.isdigit()):
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True


class Gate:
    """See the module. The principal is left in `scope["autonomy"]`, the unwrapped send in `scope["autonomy.send"]`."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Hosts,
        authenticator: Authenticator,
        requests: Requests,
        auth_failed: AuthFailed,
        hot: Mapping[str, Hot],
        report_secret: bytes = b"",
    ) -> None:
        """`report_secret` is the key of signed reports; empty: none are taken.

        `hot` are addresses whose bare GET or HEAD is answered with bytes that are ready, past all routing."""
        self._hot = hot
        self._secret = report_secret
        self._app = app
        self._hosts = hosts
        self._authenticator = authenticator
        self._requests = requests
        self._auth_failed = auth_failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        scope["autonomy.send"] = send
        try:
            answer = await self._admit(scope, receive, watched)
        except limits.Client:
            status = 499
            return
        except asyncio.CancelledError:
            if status:
                raise
            answer = problems.of_refusal(
                Refusal(503, "shutting-down", "the server is shutting down", "Send it again.", {"retry-after": "1"})
            )
        except Refusal as error:
            answer = problems.of_refusal(error)
        except AutonomyError as error:
            answer = problems.of_error(error)
        except Exception as error:  # the outermost frame: whatever it is becomes a line in the log
            log.exception("a request crashed", extra={"action": "request.crashed", "error": repr(error)})
            answer = problems.of_crash()
        finally:
            if status:
                self._requests.count(scope, status, time.perf_counter() - began)
        if answer is not None and not status:
            await answer(scope, receive, watched)
            self._requests.count(scope, status, time.perf_counter() - began)

    def _takes_signed(self, path: str, method: str, headers: dict[bytes, bytes]) -> bool:
        """Whether a request without credentials may show by its signature that it brings a report."""
        report = method == "POST" and path.startswith("/api/") and limits.REPORTS.fullmatch(path) is not None
        return bool(self._secret) and report and limits.SIGNATURE in headers and b"authorization" not in headers

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """Let the request through, or say what to answer instead."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        scope["autonomy.headers"] = headers
        given = scope["headers"]
        if len(headers) != len(given) and sum(name == b"host" for name, _ in given) > 1:
            raise Refusal(400, "several-hosts", "the request names more than one Host", "Send one Host header.")
        if not self._hosts.allow(headers.get(b"host")):
            raise Refusal(400, "unknown-host", "the Host header names another server", "Add it to [serve] allow_hosts.")
        path, method = scope["path"], scope["method"]
        public = path in PUBLIC or path.startswith(PUBLIC_BELOW)
        if not public or path == "/login":
            client = scope["client"]
            principal = await self._authenticator.principal(headers, client[0] if client else None)
            if principal is None and self._takes_signed(path, method, headers):
                good, receive = await limits.signed(receive, headers, self._secret)
                principal = SIGNED if good else None
            if principal is None and not public:
                given = b"authorization" in headers
                if not given and _is_browser(method, path, headers):
                    return RedirectResponse("/login", 303)
                await self._auth_failed(f"{method} {path[:200]}", client[0] if client else "", given)
                raise unauthorized()
            if principal is not None and method not in SAFE:
                check_origin(principal, headers)
            scope["autonomy"] = principal
            make = self._hot.get(path)
            if make is not None and principal is not None and method in READING and not scope["query_string"]:
                await _answer(scope, make(principal), send)
                return None
        await self._app(scope, await limits.admit(scope, receive, headers), send)
        return None


async def _answer(scope: Scope, body: bytes, send: Send) -> None:
    """Ready bytes as the whole answer."""
    scope["route"] = _Route(scope["path"])
    length = str(len(body)).encode("ascii")
    headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Route(NamedTuple):
    """What the metrics call an answer that no route gave."""

    path: str


def _is_browser(method: str, path: str, headers: dict[bytes, bytes]) -> bool:
    return method in READING and not path.startswith(MACHINES) and b"text/html" in headers.get(b"accept", b"")


def headers_of(scope: Any) -> dict[bytes, bytes]:
    """The request's headers, as the gate has read them."""
    found: dict[bytes, bytes] = scope["autonomy.headers"]
    return found
