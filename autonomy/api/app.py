"""The application: routes, errors and the gate around them."""

from __future__ import annotations

import asyncio
import copy
import functools
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from autonomy import __version__
from autonomy.api import problems
from autonomy.api.auth import COOKIE
from autonomy.api.dashboard import forms, pages
from autonomy.api.deps import Deps
from autonomy.api.gate import PUBLIC, Gate, Hosts
from autonomy.api.routes import knowledge, runs, server, tasks, turnitin, webhooks
from autonomy.core.errors import AutonomyError

TITLE = "Autonomy"
LOOK_SECONDS = 1.0
"""How long a stream may outlive what its reader was let in by."""
log = logging.getLogger("autonomy.server")
ABOUT = "Durable document agents: tasks that people decide, runs that no crash can lose, every step a stream."


class Described(FastAPI):
    """An application whose OpenAPI document is made once: all that are made here have the same routes."""

    def openapi(self) -> dict[str, Any]:
        """The document; nobody changes it."""
        return _document()


def make_app(deps: Deps) -> FastAPI:
    """The routes over the services. Serve it through `guarded`: alone it knows nobody."""
    app = Described(title=TITLE, version=__version__, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.deps = deps
    problems.install(app)
    app.router.routes.extend(_with_head(route) for route in _routes())
    _document()  # made now: the first request waits for nothing
    return app


def _routes() -> list[BaseRoute]:
    """All routes, as they are: an included router is looked through for every request."""
    api = (tasks.router, runs.router, turnitin.router, knowledge.router, webhooks.router, server.router)
    return [route for router in (*api, pages.router, pages.entrance, forms.router) for route in router.routes]


def _with_head(route: BaseRoute) -> BaseRoute:
    """The route as it is served: what answers GET answers HEAD as well (RFC 9110, 9.1), and the server leaves the body out.
    The document names GET alone, as it is usual."""
    if not isinstance(route, Route) or route.methods is None or "GET" not in route.methods:
        return route
    served = copy.copy(route)
    served.methods = {*route.methods, "HEAD"}
    return served


@functools.cache
def _document() -> dict[str, Any]:
    """The OpenAPI document. A token is needed wherever no other is said."""
    document = get_openapi(title=TITLE, version=__version__, description=ABOUT, routes=_routes())
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE.decode()},
    }
    document["security"] = [{"token": []}, {"session": []}]
    for path in (*PUBLIC, "/logout"):
        for operation in document["paths"].get(path, {}).values():
            operation["security"] = []
    return document


def guarded(app: FastAPI, deps: Deps) -> ASGIApp:
    """The application behind its gate."""
    serve, secret = deps.app.settings.serve, deps.app.settings.turnitin_secret
    hosts = Hosts((*serve.allow_hosts, serve.host, socket.gethostname()))
    return Gate(
        app, hosts=hosts, authenticator=deps.authenticator, requests=deps.requests, auth_failed=deps.auth_failed,
        report_secret=b"" if secret is None else secret.reveal().encode("utf-8", "surrogateescape"),
        hot={"/api/tasks": lambda who: deps.app.tasks.raw_list(who.scope)},
    )  # fmt: skip


@asynccontextmanager
async def following(deps: Deps) -> AsyncIterator[None]:
    """The hub at work, for as long as the server is."""
    deps.app.hear_others()
    deps.hub.start()
    ending = asyncio.create_task(_end_shut_out(deps))
    try:
        yield
    finally:
        ending.cancel()
        await deps.hub.stop()


async def _end_shut_out(deps: Deps) -> None:
    """Look every now and then whether who reads a stream still may."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await deps.broadcast.end_shut_out(deps.authenticator.shut_out)
        except AutonomyError as error:
            log.warning("nobody knows whose tokens are valid: %s", error, extra={"action": "streams.unchecked"})
