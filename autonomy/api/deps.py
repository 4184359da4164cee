"""What the routes are handed: the application with its services, and what all requests of a server share."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass

from fastapi import Request
from prometheus_client import CollectorRegistry

from autonomy.api.auth import Authenticator, Principal
from autonomy.api.feeds import RunFeed
from autonomy.api.hub import Hub
from autonomy.api.metrics import Requests, Streams, registry
from autonomy.api.ready import Ready
from autonomy.api.streams import Broadcast, Caps
from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import Settings
from autonomy.core.errors import ConfigurationError
from autonomy.services.figures import figures
from autonomy.services.requests import Defaults

EXTRACTIVE = "extractive"
log = logging.getLogger("autonomy.server")

RUNS = 0
"""The place of the runs' feed in the hub."""


@dataclass(frozen=True, slots=True)
class Deps:
    """Made once per server, in its event loop or before it."""

    app: App
    authenticator: Authenticator
    broadcast: Broadcast
    requests: Requests
    ready: Ready
    registry: CollectorRegistry
    defaults: Defaults

    @property
    def hub(self) -> Hub:
        """The follower behind all streams."""
        return self.broadcast.hub

    async def auth_failed(self, what: str, client: str) -> None:
        """Somebody came with credentials that are none of ours."""
        log.warning("%s from %s: unknown credentials", what, client, extra={"action": "auth_failed"})


def make_deps(app: App) -> Deps:
    """Join what a server needs. Opens nothing but the database's own connections."""
    settings = app.settings
    hub = Hub(app.wake, [RunFeed(app.database)])
    requests, streams = Requests(), Streams()
    caps = Caps(settings.serve.streams, settings.serve.streams_per_user)
    return Deps(
        app=app,
        authenticator=Authenticator(app.database, settings.admin_token),
        broadcast=Broadcast(hub, streams, caps),
        requests=requests,
        ready=Ready(app.database),
        registry=registry(requests, streams, lambda: figures(app.database)),
        defaults=_defaults(settings),
    )


def _defaults(settings: Settings) -> Defaults:
    """What a request over HTTP may name: corpora, and the providers that can be used."""
    usable = [EXTRACTIVE]
    for entry in settings.providers:
        with contextlib.suppress(ConfigurationError):
            entry.resolve()
            usable.append(entry.name)
    limits = {"tokens": settings.budget.tokens, "seconds": settings.budget.seconds, "usd": settings.budget.usd}
    return Defaults(settings.corpora, tuple(usable), limits)


def of(request: Request) -> Deps:
    """The server's parts."""
    deps: Deps = request.app.state.deps
    return deps


def principal(request: Request) -> Principal:
    """Who asks; on public pages only where somebody is known (then see `known`)."""
    found: Principal = request.scope["autonomy"]
    return found
