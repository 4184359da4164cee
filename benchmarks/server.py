"""The server against what others build: streams to 500 readers, the hot list at concurrency 100, a run's first event.

Run it with `nox -s bench` or `python benchmarks/server.py [--quick] [--json FILE]`. Every server is a process of its own,
all are up at the same time and asked in turns, so that a moment of a busy machine hits each alike; the client is this
process (asyncio protocols over bare sockets, which take less time per message than any of the servers).

Peers: `once` is FastAPI with a StreamingResponse over events that are encoded once (the least a framework route can do),
`sse-starlette` encodes for each reader, `bare` is a FastAPI route that returns ready bytes. Theirs are in memory, and
so is `ours` where it is held against them: the event is handed to the hub as they hand it to theirs. `ours, durable` is what
users get: the event is committed to SQLite with synchronous=FULL before anybody sees it, and its time begins before that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import itertools
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

TOKEN = "the-token-of-this-benchmark"
TASKS = 50
RATE = 20
ROUNDS = 5


WAYS = {
    "ours": ("ours", "/api/v2/runs/still/events", b"f"),
    "once": ("once", "/events", b"f"),
    "sse-starlette": ("sse-starlette", "/events", b"f"),
    "ours, durable": ("ours", "/api/v2/runs/bench/events", b"d"),
}
"""What is streamed: by which server, at which address, and how an event gets there."""


# -- the servers, each in its own process -------------------------------------------------------------


def ours(ready: Callable[[int], None]) -> None:
    """Our server over a fresh workspace, with tasks to list, a run to stream, and an inline worker."""
    from autonomy.api.feeds import of_run_event
    from autonomy.api.serve import SWITCH_SECONDS, Server, listen, serve_listening
    from autonomy.bootstrap.app import App
    from autonomy.bootstrap.settings import ServeSettings, Settings
    from autonomy.core.events import Event
    from autonomy.providers.settings import Secret
    from autonomy.runtime import events, runs
    from autonomy.services.tasks import NewTask
    from autonomy.storage import migrate
    from autonomy.storage.database import Database

    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        corpus = home / "docs"
        corpus.mkdir()
        (corpus / "leases.md").write_text("# Leases\n\nA lease ends by itself when its holder stops renewing it.\n")
        url = f"sqlite:///{home / 'autonomy.db'}"
        database = Database(url)
        migrate.upgrade(database)
        settings = Settings(home, url, corpora={"docs": corpus}, admin_token=Secret(TOKEN), serve=ServeSettings(port=0))
        app = App(settings, database)
        for n in range(TASKS):
            text, spec = f"Task number {n}: write about leases", {"corpus": "docs"}
            app.tasks.create(NewTask(source="cli", request_text=text, task_id=f"t{n}", task_spec=spec))
        for run_id in ("bench", "still"):
            new = runs.NewRun("bench", "research", "goal", {"corpus": []}, "", "corr", id=run_id)
            database.write(functools.partial(runs.create, new=new))

        def tell() -> None:
            item = ("decision", "plan", {"route": "act", "why": "because", "t": time.monotonic()})
            database.write(lambda tx: events.append(tx, "bench", [item], epoch=None))
            app.wake.ring("events")

        server: list[Server] = []
        numbers = itertools.count(2)

        def fan_out() -> None:
            hub, seq = server[0]._deps.hub, next(numbers)
            content = {"route": "act", "why": "because", "t": time.monotonic()}
            event = Event(seq, "still", seq, "decision", "plan", content, "corr", 1_767_225_600_000_000)
            assert hub._loop is not None
            hub._loop.call_soon_threadsafe(hub._publish, [("run:still", of_run_event(event))], 0, hub.settled(0))

        def up(started: Server) -> None:
            server.append(started)
            ready(listening.getsockname()[1])

        commanded({b"d": tell, b"f": fan_out})
        sys.setswitchinterval(SWITCH_SECONDS)
        with listen(app) as listening:
            serve_listening(listening, app, up)


def commanded(tell: Mapping[bytes, Callable[[], None]]) -> None:
    """Tell one event per line on stdin, in the way it names, in a thread; the end of stdin ends the process."""

    def hear() -> None:
        for line in sys.stdin.buffer:
            tell[line.strip()]()
        import os

        os._exit(0)

    threading.Thread(target=hear, daemon=True).start()


def peer(kind: str, ready: Callable[[int], None]) -> None:
    """One FastAPI application on plain uvicorn: the bare list, and a stream in one of the two ways."""
    import uvicorn
    from fastapi import FastAPI
    from fastapi.responses import Response, StreamingResponse
    from sse_starlette import EventSourceResponse

    app = FastAPI()
    items = [{"task_id": f"t{n}", "text": "x" * 380} for n in range(TASKS)]
    body = json.dumps({"items": items, "next_cursor": None}).encode()
    log: list[Any] = []
    waiters: list[asyncio.Future[None]] = []
    loop: list[asyncio.AbstractEventLoop] = []

    @app.get("/api/tasks")
    async def tasks() -> Response:
        return Response(body, media_type="application/json")

    async def follow() -> AsyncIterator[Any]:
        at = len(log)
        while True:
            while at < len(log):
                yield log[at]
                at += 1
            waiter = asyncio.get_running_loop().create_future()
            waiters.append(waiter)
            await waiter

    @app.get("/events")
    async def events() -> Response:
        if kind == "once":
            return StreamingResponse(follow(), media_type="text/event-stream")
        return EventSourceResponse(follow())

    def publish(event: Any) -> None:
        log.append(event)
        woken, waiters[:] = waiters[:], []
        for waiter in woken:
            if not waiter.done():
                waiter.set_result(None)

    def tell() -> None:
        seq = len(log) + 1
        content = {"route": "act", "why": "because", "t": time.monotonic()}
        event = {"seq": seq, "run_id": "bench", "type": "decision", "node": "plan", "content": content}
        data = json.dumps({**event, "correlation_id": "corr", "created_at": "2026-01-01T00:00:00.000Z"})
        if kind == "once":
            loop[0].call_soon_threadsafe(publish, f"id: {seq}\nevent: decision\ndata: {data}\n\n".encode())
        else:
            loop[0].call_soon_threadsafe(publish, {"id": str(seq), "event": "decision", "data": data})

    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that Nagle is off
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)
    commanded({b"f": tell})

    class Told(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            loop.append(asyncio.get_running_loop())
            ready(listening.getsockname()[1])

    Told(uvicorn.Config(app, http="httptools", loop="asyncio", log_level="error", access_log=False)).run([listening])


class Child:
    """A server process: its port, and a way to let it tell an event."""

    def __init__(self, kind: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child", kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def tell(self, how: bytes) -> None:
        """One event: durably, or to the readers alone."""
        assert self.process.stdin is not None
        self.process.stdin.write(how + b"\n")

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


# -- streams ------------------------------------------------------------------------------------------


class StreamReader(asyncio.Protocol):
    """One reader; notes how old each event is when it comes."""

    def __init__(self, request: bytes, ages: list[float], begun: asyncio.Event) -> None:
        self._request = request
        self._ages = ages
        self._begun = begun

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        self._begun.set()
        at = data.find(b'"t":')
        while at >= 0:
            end = data.index(b"}", at)
            self._ages.append(now - float(data[at + 4 : end].split(b",")[0]))
            at = data.find(b'"t":', end)


async def stream(child: Child, path: str, how: bytes, readers: int, seconds: float) -> tuple[list[float], int]:
    """Ages of all events at all readers, and how many events each should have had."""
    loop = asyncio.get_running_loop()
    ages: list[float] = []
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    opened: list[asyncio.Transport] = []
    for _ in range(readers):
        begun = asyncio.Event()
        make = functools.partial(StreamReader, request, ages, begun)
        transport, _ = await loop.create_connection(make, "127.0.0.1", child.port)
        opened.append(transport)
        await begun.wait()
    await asyncio.sleep(1.0)  # everybody is past what came before
    ages.clear()
    events = int(seconds * RATE)
    due = time.monotonic()
    for _ in range(events):
        child.tell(how)
        due += 1 / RATE
        await asyncio.sleep(max(due - time.monotonic(), 0))
    await asyncio.sleep(1.0)
    for transport in opened:
        transport.abort()
    await asyncio.sleep(0.5)
    return ages, events


# -- the hot list -------------------------------------------------------------------------------------


class Asker(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, request: bytes, until: float, done: Callable[[int], None]) -> None:
        self._request = request
        self._until = until
        self._done = done
        self._need = 0
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._need:
            head, _, rest = data.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            self._need = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]) - len(rest)
        else:
            self._need -= len(data)
        if self._need == 0:
            self.answers += 1
            if time.monotonic() < self._until:
                self.transport.write(self._request)
            else:
                self._done(self.answers)
                self.transport.close()


async def ask(child: Child, path: str, connections: int, seconds: float) -> float:
    """Answers per second."""
    loop = asyncio.get_running_loop()
    counts: list[int] = []
    over = asyncio.Event()

    def done(answers: int) -> None:
        counts.append(answers)
        if len(counts) == connections:
            over.set()

    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
    began = time.monotonic()
    for _ in range(connections):
        await loop.create_connection(lambda: Asker(request, began + seconds, done), "127.0.0.1", child.port)
    await over.wait()
    return sum(counts) / (time.monotonic() - began)


# -- a run's first events -----------------------------------------------------------------------------


def first_event(child: Child) -> tuple[float, float]:
    """Seconds from POST to the first event of the run's stream, and to the first that a worker wrote."""
    asked = {"journey": "research", "task_spec": {"goal": "What is a lease?", "corpus": "docs"}}
    body = json.dumps(asked).encode()
    head = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", child.port)) as sock:
        post = f"POST /api/v2/runs HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.sendall(post.encode() + body)
        found = b""
        while b'"job_id"' not in found:
            found += sock.recv(65536)
        run_id = found.partition(b'"run_id":"')[2].partition(b'"')[0].decode()
        sock.sendall(f"GET /api/v2/runs/{run_id}/events HTTP/1.1\r\n{head}\r\n".encode())
        found, first, worked = b"", 0.0, 0.0
        while not worked:
            found += sock.recv(65536)
            first = first or (time.monotonic() - began if b"id: 1\n" in found else 0.0)
            worked = time.monotonic() - began if b"id: 2\n" in found else 0.0
        while b"event: run.done" not in found and b"event: run.failed" not in found:
            found += sock.recv(65536)
    return first, worked


# -- all of it ----------------------------------------------------------------------------------------


@contextlib.contextmanager
def children() -> Iterator[dict[str, Child]]:
    """All servers, up at the same time."""
    up: dict[str, Child] = {}
    try:
        for kind in ("ours", "once", "sse-starlette"):
            up[kind] = Child(kind)
        yield up
    finally:
        for child in up.values():
            child.close()


def measure(quick: bool) -> dict[str, Any]:
    """All figures."""
    readers, seconds, rounds = (100, 2.0, 2) if quick else (500, 4.0, ROUNDS)
    ages: dict[str, list[float]] = {}
    lost: dict[str, int] = {}
    speed: dict[str, list[float]] = {}
    with children() as up:
        for _ in range(rounds):
            for kind, (server, path, how) in WAYS.items():
                got, events = asyncio.run(stream(up[server], path, how, readers, seconds))
                ages.setdefault(kind, []).append(statistics.quantiles(got, n=20)[18] * 1000)
                lost[kind] = lost.get(kind, 0) + readers * events - len(got)
        for _ in range(rounds):
            for name, kind in (("ours", "ours"), ("bare", "once")):
                speed.setdefault(name, []).append(asyncio.run(ask(up[kind], "/api/tasks", 100, seconds / 2)))
        times = [first_event(up["ours"]) for _ in range(5 if quick else 20)]
    return {
        "readers": readers,
        "streams_p95_ms": {kind: statistics.median(found) for kind, found in ages.items()},
        "streams_lost": lost,
        "list_per_second": {name: statistics.median(found) for name, found in speed.items()},
        "post_to_first_event_ms": {"p50": statistics.median(first for first, _ in times) * 1000},
        "post_to_worked_event_ms": {"p50": statistics.median(worked for _, worked in times) * 1000},
    }


def report(figures: dict[str, Any]) -> None:
    """The figures, then the ratios with their targets."""
    streams, speed = figures["streams_p95_ms"], figures["list_per_second"]
    print(f"{figures['readers']} readers at {RATE} events/s, p95 ms: ", {kind: round(ms, 1) for kind, ms in streams.items()})
    print("events that did not come: ", figures["streams_lost"])
    print("GET /api/tasks at concurrency 100, answers/s: ", {name: round(each) for name, each in speed.items()})
    for name in ("post_to_first_event_ms", "post_to_worked_event_ms"):
        print(f"{name}: p50 {figures[name]['p50']:.1f}")
    print(f"streams p95, ours / once          {streams['ours'] / streams['once']:.2f}   (target <= 1.1)")
    print(f"streams p95, ours / sse-starlette {streams['ours'] / streams['sse-starlette']:.2f}")
    print(f"list req/s, ours / bare           {speed['ours'] / speed['bare']:.2f}   (target >= 0.8)")


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the readers and of the time")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:

        def ready(port: int) -> None:
            sys.stdout.write(f"{port}\n")
            sys.stdout.flush()

        if chosen.child == "ours":
            ours(ready)
        else:
            peer(chosen.child, ready)
        return
    figures = measure(chosen.quick)
    report(figures)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
