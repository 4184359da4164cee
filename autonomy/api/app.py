"""The application: routes, errors and the gate around them."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.types import ASGIApp

from autonomy import __version__
from autonomy.api import problems
from autonomy.api.deps import Deps
from autonomy.api.gate import Gate, Hosts
from autonomy.api.routes import knowledge, runs, server

ABOUT = "Durable document agents: tasks that people decide, runs that no crash can lose, every step a stream."


def make_app(deps: Deps) -> FastAPI:
    """The routes over the services. Serve it through `guarded`: alone it knows nobody."""
    app = FastAPI(
        title="Autonomy", version=__version__, description=ABOUT, docs_url=None, redoc_url=None, redirect_slashes=False
    )  # fmt: skip
    app.state.deps = deps
    problems.install(app)
    for router in (runs.router, knowledge.router, server.router):
        app.include_router(router)
    return app


def guarded(app: FastAPI, deps: Deps) -> ASGIApp:
    """The application behind its gate."""
    serve = deps.app.settings.serve
    hosts = Hosts((*serve.allow_hosts, serve.host, socket.gethostname()))
    return Gate(
        app, hosts=hosts, authenticator=deps.authenticator, requests=deps.requests, auth_failed=deps.auth_failed
    )  # fmt: skip


@asynccontextmanager
async def following(deps: Deps) -> AsyncIterator[None]:
    """The hub at work, for as long as the server is."""
    deps.app.hear_others()
    deps.hub.start()
    try:
        yield
    finally:
        await deps.hub.stop()
