"""A real server on a free port of this machine, in a thread, and what its clients need."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from autonomy.api.hub import Hub
from autonomy.api.serve import Server, listen, serve_listening
from autonomy.api.streams import EventStream
from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import ServeSettings, Settings
from autonomy.providers.settings import Secret
from autonomy.runtime import events, runs
from autonomy.services.tokens import make_token
from autonomy.storage.artifacts import write_atomic
from autonomy.storage.database import Database
from tests.commands import CORPUS

ADMIN = "the-admin's-token-of-these-tests"
PATIENCE = 60.0
ASKED: dict[str, Any] = {"journey": "research", "task_spec": {"goal": "How do leases work?", "corpus": "docs"}}


def settings(home: Path, url: str, *, admin: str | None = ADMIN, serve: ServeSettings | None = None) -> Settings:
    """A workspace with one corpus, on a free port, without workers."""
    return Settings(
        home=home,
        database_url=url,
        corpora={"docs": CORPUS},
        admin_token=None if admin is None else Secret(admin),
        serve=serve or ServeSettings(port=0, workers_inline=0),
    )


class Served:
    """One server over its own application; a context manager. Several of them over one database are several servers."""

    def __init__(self, chosen: Settings) -> None:
        self.app = App(chosen, Database(chosen.database_url, grow_wal=False))
        self._up = threading.Event()
        self._server: Server | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="served")

    def _run(self) -> None:
        try:
            with listen(self.app) as listening:
                self.port: int = listening.getsockname()[1]
                serve_listening(listening, self.app, self._ready)
        except BaseException as error:
            self._error = error
        finally:
            self._up.set()

    def _ready(self, server: Server) -> None:
        self._server = server
        self._up.set()

    def __enter__(self) -> Served:
        self._thread.start()
        assert self._up.wait(PATIENCE), "the server does not come up"
        if self._error is not None:
            raise self._error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        self._thread.join(PATIENCE)
        self.app.close()
        assert not self._thread.is_alive(), "the server does not end"
        if self._error is not None and kind is None:
            raise self._error

    def stop(self) -> None:
        """What SIGTERM does."""
        if self._server is not None:
            self._server.leave()

    @property
    def hub(self) -> Hub:
        """The follower behind its streams."""
        assert self._server is not None
        return self._server._deps.hub

    @property
    def readers(self) -> set[EventStream]:
        """The streams that are read now."""
        assert self._server is not None
        return self._server._deps.broadcast.readers

    def beat(self) -> None:
        """Let the keep-alive timer ring now."""
        assert self.hub._loop is not None
        self.hub._loop.call_soon_threadsafe(self.hub._beat)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = ADMIN) -> httpx.Client:
        """A client with a token; to be closed."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False)

    def token(self, user: str) -> str:
        """A new token of the user."""
        return make_token(self.app.database, self.app.audit, user, by="local")

    def run(self, user: str = "local", **more: Any) -> str:
        """A run of the user that nobody works."""
        return self.app.database.write(
            lambda tx: runs.create(tx, runs.NewRun(user, "research", "goal", {"corpus": []}, "", "corr", **more)).run_id
        )

    def tell(self, run_id: str, count: int, **content: Any) -> None:
        """Write events into the story of a run, in one transaction, and ring."""
        items = [("decision", "plan", {"n": n, **content}) for n in range(count)]
        self.app.database.write(lambda tx: events.append(tx, run_id, items, epoch=None))
        self.app.wake.ring("events")

    def end(self, run_id: str) -> None:
        """The run's last event."""
        done = ("run.done", None, {"outcome": "delivered"})
        self.app.database.write(lambda tx: runs.mark(tx, run_id, ["queued"], "done", done, outcome="delivered"))
        self.app.wake.ring("events")

    def artifact(self, run_id: str, name: str, media_type: str, data: bytes) -> str:
        """A document that the run handed over."""
        sha256 = write_atomic(self.app.home / "artifacts" / run_id / name, data)
        values = {"id": f"a{name.replace('.', '-')}", "run": run_id, "path": f"artifacts/{run_id}/{name}", "type": media_type}
        sql = (
            "INSERT INTO artifact (id, run_id, path, role, media_type, sha256, size, created_at) "
            "VALUES (:id, :run, :path, 'deliverable', :type, :sha256, :size, now_us())"
        )
        self.app.database.write(lambda tx: tx.run(sql, sha256=sha256, size=len(data), **values))
        return str(values["id"])

    def raw(self, data: bytes) -> bytes:
        """Send bytes as they are, and read what comes until the server closes."""
        with self.connection() as sock:
            sock.sendall(data)
            return until_closed(sock)

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A bare connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as sock:
            yield sock

    def written(self) -> dict[str, int]:
        """How many rows there are of what requests can make."""
        tables = ("run", "job", "event", "task_event", "delivery", "browser_session", "token", "call")
        return self.app.database.read(
            lambda tx: {table: int(tx.value(f"SELECT count(*) FROM {table}")) for table in tables}
        )  # fmt: skip


def until_closed(sock: socket.socket) -> bytes:
    """Everything until the other side closes, or breaks, the connection."""
    found = b""
    while True:
        try:
            chunk = sock.recv(65536)
        except ConnectionResetError:
            return found
        if not chunk:
            return found
        found += chunk


@dataclass
class Seen:
    """One server-sent event."""

    id: int
    type: str
    body: dict[str, Any]


@dataclass
class Reader:
    """Reads a stream over a bare connection, so that it can be cut anywhere."""

    port: int
    path: str
    token: str | None = ADMIN
    last: int | None = None
    seen: list[Seen] = field(default_factory=list)
    comments: int = 0
    status: int = 0
    _whole: bool = False

    def read(self, most: int | None = None, *, cut_at: int | None = None) -> bool:
        """Read until the stream ends (True), `most` events were seen in this call, or so many bytes came (both False)."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as sock:
            lines = [
                f"GET {self.path} HTTP/1.1",
                f"Host: 127.0.0.1:{self.port}",
                "Accept: text/event-stream",
                "Connection: close",
            ]
            if self.token is not None:
                lines.append(f"Authorization: Bearer {self.token}")
            if self.last is not None:
                lines.append(f"Last-Event-ID: {self.last}")
            sock.sendall("\r\n".join([*lines, "", ""]).encode())
            return self._events(sock, most, cut_at)

    def _events(self, sock: socket.socket, most: int | None, cut_at: int | None) -> bool:
        wire, held, begun, size, count = b"", b"", False, 0, 0
        while True:
            try:
                chunk = sock.recv(4096 if cut_at is None else min(4096, max(cut_at - size, 1)))
            except ConnectionResetError:
                return False
            if not chunk:
                return self._whole
            wire, size = wire + chunk, size + len(chunk)
            if not begun and b"\r\n\r\n" in wire:
                head, _, wire = wire.partition(b"\r\n\r\n")
                self.status, begun = int(head.split(b" ", 2)[1]), True
                self._whole = b"transfer-encoding: chunked" not in head
            if begun and not self._whole:
                more, wire = self._unchunked(wire)
                held += more
            while b"\n\n" in held:
                block, _, held = held.partition(b"\n\n")
                count += self._block(block)
                if most is not None and count >= most:
                    return False
            if cut_at is not None and size >= cut_at:
                return False

    def _unchunked(self, wire: bytes) -> tuple[bytes, bytes]:
        """The bodies of whole chunks, and what is left of the wire."""
        bodies = b""
        while b"\r\n" in wire:
            size, _, rest = wire.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            bodies, wire = bodies + rest[:length], rest[length + 2 :]
            self._whole = length == 0
        return bodies, wire

    def _block(self, block: bytes) -> int:
        lines = [line for line in block.decode().split("\n") if line]
        if all(line.startswith(":") for line in lines):
            self.comments += len(lines)
            return 0
        fields = dict(line.split(": ", 1) for line in lines)
        if "id" not in fields:
            return 0
        self.last = int(fields["id"])
        self.seen.append(Seen(self.last, fields["event"], json.loads(fields["data"])))
        return 1

    @property
    def ids(self) -> list[int]:
        """The ids in the order they came."""
        return [each.id for each in self.seen]
