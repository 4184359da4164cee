"""What the routes are handed: the application with its services, and what all requests of a server share."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from prometheus_client import CollectorRegistry

from autonomy.api.auth import Authenticator, Principal
from autonomy.api.desk import Desk
from autonomy.api.feeds import RunFeed, TaskFeed
from autonomy.api.hub import Hub
from autonomy.api.metrics import Requests, Streams, registry
from autonomy.api.ready import Ready
from autonomy.api.streams import Broadcast, Caps
from autonomy.bootstrap.app import App
from autonomy.core.clock import new_id
from autonomy.core.errors import AutonomyError
from autonomy.services.figures import figures

TASKS = 1
"""The place of the tasks' feed in the hub; runs have the first."""
STRANGER_SECONDS = 60.0
MOST_STRANGERS = 4096
log = logging.getLogger("autonomy.server")


class Strangers:
    """Clients that came without a token lately. Used in one event loop."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}

    def is_new(self, client: str) -> bool:
        """Whether nothing was heard of that client for a while; from now on something was."""
        now = time.monotonic()
        if now - self._seen.get(client, -STRANGER_SECONDS) < STRANGER_SECONDS:
            return False
        if len(self._seen) >= MOST_STRANGERS:
            self._seen.clear()
        self._seen[client] = now
        return True


@dataclass(frozen=True, slots=True)
class Deps:
    """Made once per server, in its event loop or before it."""

    app: App
    authenticator: Authenticator
    broadcast: Broadcast
    requests: Requests
    ready: Ready
    registry: CollectorRegistry
    strangers: Strangers
    desk: Desk

    @property
    def hub(self) -> Hub:
        """The follower behind all streams."""
        return self.broadcast.hub

    async def audit(self, action: str, actor: str, **fields: Any) -> None:
        """One line about the server itself. What cannot be written is logged; nobody is refused for it."""
        try:
            await asyncio.to_thread(
                self.app.audit.append, action, correlation_id=fields.pop("correlation_id", "server"), actor=actor, **fields
            )
        except AutonomyError as error:
            log.error("the audit cannot be written: %s", error, extra={"action": "audit.failed", "about": action})

    async def auth_failed(self, what: str, client: str, given: bool) -> None:
        """Somebody came with credentials that are none of ours, or (not `given`) with none: a program that asks on and on
        without a token leaves one line in `STRANGER_SECONDS`."""
        if given or self.strangers.is_new(client):
            await self.audit("auth_failed", "unknown", request=what, client=client, reason="wrong" if given else "missing")


class Readers:
    """Tells the audit who reads streams. Implements `streams.Watched`."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def connected(self, stream: str, principal: Principal) -> str:
        """A reader has come; the name of its connection."""
        connection = new_id()
        await self._deps.audit("sse_connected", principal.user_id, correlation_id=connection, stream=stream)
        return connection

    async def disconnected(self, connection: str, stream: str, principal: Principal, events: int) -> None:
        """The reader has gone, after so many events."""
        await self._deps.audit(
            "sse_disconnected", principal.user_id, correlation_id=connection, stream=stream, events=events
        )  # fmt: skip


def make_deps(app: App) -> Deps:
    """Join what a server needs. Opens nothing but the database's own connections."""
    settings = app.settings
    hub = Hub(app.wake, [RunFeed(app.database), TaskFeed(app.database)])
    requests, streams = Requests(), Streams()
    caps = Caps(settings.serve.streams, settings.serve.streams_per_user)
    made = Deps(
        app=app,
        authenticator=Authenticator(app.database, settings.admin_token),
        broadcast=Broadcast(hub, streams, caps),
        requests=requests,
        ready=Ready(app.database),
        registry=registry(requests, streams, lambda: figures(app.database)),
        strangers=Strangers(),
        desk=Desk(),
    )
    made.broadcast.watched = Readers(made)
    return made


def of(request: Request) -> Deps:
    """The server's parts."""
    deps: Deps = request.app.state.deps
    return deps


def principal(request: Request) -> Principal:
    """Who asks; on public pages only where somebody is known (then see `known`)."""
    found: Principal = request.scope["autonomy"]
    return found
