"""A small Bot API, and a small server of ours, on loopback: they answer as they are told and remember what they were asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]
"""Status, and a JSON document or the raw bytes."""


@dataclass
class Heard:
    """One request: its path, headers (names in lower case) and body."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's document."""
        return json.loads(self.body)


@dataclass
class Server:
    """`answer` decides; `heard` are the requests so far."""

    answer: Callable[[Heard], Answer]
    url: str = ""
    heard: list[Heard] = field(default_factory=list)


@contextmanager
def serving(answer: Callable[[Heard], Answer]) -> Iterator[Server]:
    """Serve on a free port of this machine until the block ends."""
    told = Server(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            heard = Heard(self.path, {key.lower(): value for key, value in self.headers.items()}, self.rfile.read(length))
            told.heard.append(heard)
            status, body = told.answer(heard)
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def inbox(updates: list[Any]) -> Callable[[Heard], Answer]:
    """A bot with these updates: those before the offset are gone, as Telegram has it."""

    def answer(heard: Heard) -> Answer:
        offset = heard.json["offset"]
        return 200, {"ok": True, "result": [update for update in updates if update["update_id"] >= offset]}

    return answer
