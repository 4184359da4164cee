"""The server process: one event loop for requests and streams, and, where asked, workers in a thread beside it.

A first SIGTERM or Ctrl-C stops accepting, ends every stream, hands runs back to the queue and leaves within seconds; a second
one leaves at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import uvicorn

from autonomy.api.app import following, guarded, make_app
from autonomy.api.auth import has_tokens, is_loopback
from autonomy.api.deps import Deps, make_deps
from autonomy.api.inline import InlineWorkers
from autonomy.api.protocol import Protocol
from autonomy.bootstrap.app import App
from autonomy.bootstrap.reporting import Reporter
from autonomy.core.errors import AutonomyError, ConfigurationError, Interrupted

THREADS = 32
"""Database reads and writes that wait at once; each takes one of these."""
GRACE_SECONDS = 5
"""How long answers that are under way may take after the signal."""
DRAIN_SECONDS = 6.0
"""How long inline workers may take to their next step before their runs are handed back as they are."""
TICK_SECONDS = 0.1
"""How often uvicorn's server looks whether it should leave; every tenth time it renews the date that answers carry."""
SWITCH_SECONDS = 0.001
"""How long a thread that computes may keep the others from running; requests cross from the loop to a thread and back."""
BACKLOG = 2048
SECURITY = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),  # with none at all a browser would hide the origin of our own forms
    ("cross-origin-resource-policy", "same-origin"),
]
log = logging.getLogger("autonomy.server")

Ready = Callable[[str, int], None]
"""Hears the address and port that the server listens on."""


def listen(app: App) -> socket.socket:
    """The listening socket of the settings. Raises ConfigurationError for an address that cannot be used, and for one that
    others can reach while no token exists."""
    serve = app.settings.serve
    try:
        found = socket.getaddrinfo(serve.host, serve.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise ConfigurationError(f"there is no address {serve.host!r} to listen on", "Correct --host.") from None
    family, _, protocol, _, address = found[0]
    if not is_loopback(str(address[0])) and app.settings.admin_token is None and not has_tokens(app.database):
        hint = "Set AUTONOMY_ADMIN_TOKEN, or make a token with 'autonomy config token USER'."
        raise ConfigurationError(f"without any token only this machine is served, not {serve.host}", hint)
    # With the protocol named, asyncio sends small writes at once; without it each answer waits for the client's delayed ACK.
    listening = socket.socket(family, socket.SOCK_STREAM, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        reason = (error.strerror or "refused").lower()
        hint = "Choose another with --port." if serve.port else "Correct --host."
        raise ConfigurationError(f"cannot listen on {serve.host} port {serve.port}: {reason}", hint) from None
    return listening


def serve(app: App, ready: Ready) -> None:
    """Serve until told to stop. Raises ConfigurationError before it begins, Interrupted after a second signal, and what
    made an inline worker fail."""
    with contextlib.closing(listen(app)) as listening:
        _raise_file_limit()
        sys.setswitchinterval(SWITCH_SECONDS)
        host, port = listening.getsockname()[:2]

        def begun(_: Server) -> None:
            gc.freeze()  # what the imports made is never garbage: looking at it costs each collection
            ready(host, port)

        serve_listening(listening, app, begun)


def serve_listening(listening: socket.socket, app: App, ready: Callable[[Server], None]) -> None:
    """`serve` on a socket that listens; `ready` hears of the server once it answers."""
    with Reporter(app):
        asyncio.run(_serve(listening, app, ready))


async def _serve(listening: socket.socket, app: App, ready: Callable[[Server], None]) -> None:
    with ThreadPoolExecutor(THREADS, thread_name_prefix="autonomy-api") as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        deps = make_deps(app)
        server = Server(deps, ready)
        async with following(deps):
            with server.workers:
                await server.serve(sockets=[listening])
        if server.force_exit:
            raise Interrupted("stopped before everything was handed back", "Another worker takes it over.")
        server.workers.check()


class Server(uvicorn.Server):
    """uvicorn's server, which ends streams and workers when it is told to stop."""

    def __init__(self, deps: Deps, ready: Callable[[Server], None]) -> None:
        self._deps = deps
        self._ready = ready
        self._loop = asyncio.get_running_loop()
        self._told = asyncio.Event()
        app = deps.app
        self.workers = InlineWorkers(app, app.settings.serve.workers_inline, DRAIN_SECONDS, self._worker_failed)
        super().__init__(
            uvicorn.Config(
                guarded(make_app(deps), deps),
                http=Protocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                headers=SECURITY,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell once requests are answered."""
        await super().startup(sockets=sockets)
        self._ready(self)

    async def main_loop(self) -> None:
        """Tick as uvicorn does, and hear at once of a stop."""
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._told.wait()

    def leave(self) -> None:
        """Have the server stop; from any thread, and from a signal's handler."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._told.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Streams and workers first: nothing waits for them then."""
        self.workers.drain()
        self._deps.hub.end()
        await super().shutdown(sockets=sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Hear SIGTERM and SIGINT, and go back to how they were: the process ends with its own code."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        heard = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in heard}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: object) -> None:
        """The first signal asks, the second one does not."""
        if self.should_exit:
            self.force_exit = True
            self.workers.stop()
        self.leave()

    def _worker_failed(self, error: BaseException) -> None:
        if not isinstance(error, AutonomyError):
            log.critical("the inline worker died of %r", error, exc_info=error, extra={"action": "worker.died"})
        self.leave()


def _raise_file_limit() -> None:
    """Each stream is an open file; many systems begin with 1024."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
