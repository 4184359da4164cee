"""A scripted OpenAI-compatible server on loopback: real HTTP, no model. For tests, demonstrations and trying things out.

    python -m autonomy.providers.scripted --port 0 --log requests.jsonl --script good

prints its base URL as the first line and stops on SIGTERM. The invariant: the answer depends on the request and the
script alone, and every request is recorded, the unanswered ones too. The log is append-only, one line when a request
arrives and one when it ends, so that another process can count what was asked twice.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from autonomy.core.errors import InvalidInput
from autonomy.providers import script as scripts
from autonomy.providers.script import Asked, Behaviour, Script
from autonomy.providers.scripted_roles import good_answer, schema_asked, wrong_answer
from autonomy.providers.scripted_wire import capped, completion, embedding_list, error_body, stream_chunks

Outcome = Literal["open", "answered", "error", "cut"]
_LONGEST_BODY = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request. `authorised` says whether the key was the right one; the key itself is kept nowhere.

    `outcome` is answered (a whole 200), error (a whole answer with another status), cut (not wholly delivered) or open.
    """

    number: int
    path: str
    idempotency_key: str | None
    headers: dict[str, str]
    body: dict[str, Any]
    schema: str | None
    authorised: bool
    received_at: float
    outcome: Outcome = "open"
    finished_at: float | None = None


class ScriptedServer:
    """The server. Use it as a context manager; `base_url` is what a provider's settings take.

    With `api_key` other keys get a 401. `latency` seconds pass before every answer; `log` is the JSONL file.
    """

    def __init__(
        self,
        script: Script | str = "good",
        *,
        port: int = 0,
        log: Path | None = None,
        api_key: str | None = None,
        latency: float = 0.0,
    ) -> None:
        self.script = scripts.parse(script) if isinstance(script, str) else script
        self.api_key = api_key
        self.latency = latency
        self.stopping = threading.Event()
        self._lock = threading.Condition()
        self._records: list[Recorded] = []
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log is not None else None
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.scripted = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="scripted-server", daemon=True)

    @property
    def base_url(self) -> str:
        """The address to put into a provider's settings."""
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def requests(self) -> tuple[Recorded, ...]:
        """Every request so far, in the order of arrival."""
        with self._lock:
            return tuple(self._records)

    def settled(self, within: float = 30.0) -> bool:
        """Wait until no request is open, at most `within` seconds; whether that came about."""
        with self._lock:
            return self._lock.wait_for(lambda: all(record.outcome != "open" for record in self._records), within)

    def start(self) -> Self:
        """Begin to answer, in threads of this process."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop: running answers are cut, threads end, the port and the log are closed."""
        self.stopping.set()
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        with self._lock:
            if self._log is not None:
                os.close(self._log)
                self._log = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def arrived(self, path: str, headers: dict[str, str], body: dict[str, Any], authorised: bool) -> Recorded:
        """Record a request and give it its number."""
        with self._lock:
            record = Recorded(
                number=len(self._records) + 1,
                path=path,
                idempotency_key=headers.get("idempotency-key"),
                headers=headers,
                body=body,
                schema=schema_asked(body),
                authorised=authorised,
                received_at=time.time(),
            )
            self._records.append(record)
            self._line({"event": "received", **asdict(record)})
        return record

    def ended(self, record: Recorded, outcome: Outcome) -> None:
        """Record how a request ended."""
        with self._lock:
            done = replace(record, outcome=outcome, finished_at=time.time())
            self._records[record.number - 1] = done
            keys = ("number", "idempotency_key", "schema", "outcome", "finished_at")
            self._line({"event": "ended", **{key: getattr(done, key) for key in keys}})
            self._lock.notify_all()

    def _line(self, entry: dict[str, Any]) -> None:
        if self._log is not None:
            os.write(self._log, (json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n").encode())


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a log, oldest first; a last line that is still being written is left out."""
    with path.open("rb") as lines:
        for line in lines:
            if line.endswith(b"\n"):
                yield json.loads(line)


def answered_keys(path: Path) -> Counter[str]:
    """How often each Idempotency-Key was answered in full, by a server's log."""
    return Counter(
        entry["idempotency_key"]
        for entry in read_log(path)
        if entry["event"] == "ended" and entry["outcome"] == "answered" and entry["idempotency_key"]
    )


class _Http(ThreadingHTTPServer):
    """Remembers its connections, so that closing ends the threads that wait on them."""

    daemon_threads = True
    request_queue_size = 128
    scripted: ScriptedServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        with self._guard:
            waiting = list(self._open)
        for connection in waiting:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # gone already
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is recorded as cut, not printed; anything else is a fault and is shown."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Gone(Exception):
    """Inside this module only: the client is no longer there, or the script breaks off."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Http

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on stderr: the record is the log."""

    def do_GET(self) -> None:
        """The list of models, for reachability checks."""
        if self.path.rstrip("/").endswith("/models"):
            self._json(200, {"object": "list", "data": [{"id": "scripted", "object": "model"}]})
        else:
            self._json(404, error_body("there is no such page", None))

    def do_POST(self) -> None:
        """Chat completions and embeddings."""
        home = self.server.scripted
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            self._json(413, error_body("the body's length is missing or too large", None))
            return
        try:
            body = json.loads(self.rfile.read(int(length)))
        except ValueError:
            body = None
        if not isinstance(body, dict):
            self._json(400, error_body("the body is not a JSON object", None))
            return
        headers = {key.lower(): value for key, value in self.headers.items() if key.lower() != "authorization"}
        sent = self.headers.get("Authorization", "")
        authorised = home.api_key is None or sent == f"Bearer {home.api_key}"
        record = home.arrived(self.path, headers, body, authorised)
        try:
            status = self._answer(record)
        except (_Gone, ConnectionError):
            self.close_connection = True
            home.ended(record, "cut")
        else:
            home.ended(record, "answered" if status == 200 else "error")

    def _answer(self, record: Recorded) -> int:
        """Play one behaviour; returns the status that was wholly delivered."""
        if not record.authorised:
            return self._json(401, error_body("Incorrect API key provided", "invalid_api_key"))
        path = self.path.split("?", 1)[0].rstrip("/")
        if not path.endswith(("/chat/completions", "/embeddings")):
            return self._json(404, error_body("there is no such page", None))
        home = self.server.scripted
        behaviour = home.script(Asked(record.number, path, record.schema, record.body))
        self._wait(home.latency)
        if behaviour.kind == "stall" and not behaviour.midway:
            self._wait(behaviour.seconds)
        if behaviour.kind == "status":
            return self._status(behaviour)
        if behaviour.kind == "not-json":
            return self._bytes(200, b"<html>maintenance</html>", "text/html")
        if behaviour.kind == "gateway-error" and not record.body.get("stream"):
            return self._json(200, error_body("upstream is overloaded", "502"))
        if path.endswith("/embeddings"):
            return self._json(200, embedding_list(record.body))
        return self._chat(record, behaviour)

    def _chat(self, record: Recorded, behaviour: Behaviour) -> int:
        text = _words(record, behaviour)
        short = capped(record.body, text)
        if short != text and behaviour.kind == "good":
            text, behaviour = short, replace(behaviour, kind="length")
        if record.body.get("stream"):
            return self._stream(record, behaviour, text)
        answer = completion(record.body, text, behaviour.kind)
        if behaviour.kind == "cut":
            data = json.dumps(answer).encode()
            self._head(200, "application/json", len(data))
            self._send(data[: len(data) // 2])
            raise _Gone
        return self._json(200, answer)

    def _stream(self, record: Recorded, behaviour: Behaviour, text: str) -> int:
        self._head(200, "text/event-stream", None)
        chunks = stream_chunks(record.body, text, behaviour.kind)
        for place, chunk in enumerate(chunks):
            if place == len(chunks) // 2:
                if behaviour.kind == "stall" and behaviour.midway:
                    self._wait(behaviour.seconds)
                if behaviour.kind == "cut":
                    raise _Gone
            if behaviour.kind == "cut-late" and place == len(chunks) - 1:
                raise _Gone
            self._piece(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())
        self._piece(b"data: [DONE]\n\n")
        self._still_there()
        self._piece(b"")
        return 200

    def _status(self, behaviour: Behaviour) -> int:
        extra = {"Retry-After": behaviour.retry_after} if behaviour.retry_after is not None else {}
        if 300 <= behaviour.status < 400:
            extra["Location"] = f"{self.server.scripted.base_url}/chat/completions"
        return self._json(behaviour.status, error_body(behaviour.message, behaviour.code), extra)

    def _json(self, status: int, body: dict[str, Any], extra: dict[str, str] | None = None) -> int:
        return self._bytes(status, json.dumps(body, ensure_ascii=False).encode(), "application/json", extra)

    def _bytes(self, status: int, data: bytes, media_type: str, extra: dict[str, str] | None = None) -> int:
        self._still_there()
        self._head(status, media_type, len(data), extra)
        self._send(data)
        return status

    def _head(self, status: int, media_type: str, length: int | None, extra: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        for name, value in (extra or {}).items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _piece(self, data: bytes) -> None:
        self._send(b"%x\r\n%s\r\n" % (len(data), data))

    def _send(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def _wait(self, seconds: float) -> None:
        """Wait, but not for a client that has gone nor for a server that is closing."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.server.scripted.stopping.wait(min(left, 0.02)):
                raise _Gone
            self._still_there()

    def _still_there(self) -> None:
        readable, _, _ = select.select([self.connection], [], [], 0)
        if readable and self.connection.recv(1, socket.MSG_PEEK) == b"":
            raise _Gone


def _words(record: Recorded, behaviour: Behaviour) -> str:
    """The text of an answer."""
    if behaviour.text is not None:
        return behaviour.text
    if behaviour.kind == "wrong-schema":
        return json.dumps(wrong_answer())
    good = good_answer(record.body)
    if behaviour.kind == "malformed":
        return "Here is what you asked for: " + good[: max(1, len(good) * 2 // 3)].rstrip('}"]')
    if behaviour.kind == "length":
        return good[: max(1, len(good) // 2)]
    return good


def main(arguments: list[str] | None = None) -> int:
    """Run the server until SIGTERM or SIGINT; the first line on stdout is its base URL."""
    parser = argparse.ArgumentParser(prog="python -m autonomy.providers.scripted", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="append-only JSONL of every request")
    parser.add_argument("--script", default="good", help="comma list of behaviours, such as 429,stall:60,good*")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before every answer")
    options = parser.parse_args(arguments)
    try:
        server = ScriptedServer(options.script, port=options.port, log=options.log, latency=options.latency)
    except (InvalidInput, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
