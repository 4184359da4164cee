"""uvicorn's HTTP/1.1 protocol with deadlines: a client that stalls, in either direction, is cut.

uvicorn itself waits for ever for headers, for a body and for a reader, and reads headers and bodies of any size.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from autonomy.api import problems

HEADER_SECONDS = 10.0
BODY_SECONDS = 60.0
STALL_SECONDS = 20.0
"""The longest silence inside a body."""
READER_SECONDS = 30.0
"""How long a reader may leave what is written to it untouched."""
HEADER_BYTES = 64 * 1024
THROWN_AWAY_BYTES = 128 << 20
"""How much of a body nobody wants is read, so that its sender lives to see the answer."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.logger = logging.getLogger("autonomy.http")
        self.access_log = False
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._reader: asyncio.TimerHandle | None = None
        self._in_headers = False
        self._in_body = False
        self._heard = 0.0
        self._bytes = 0
        self._head = 0

    # -- what comes in ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The clock for the first request runs from now."""
        super().connection_made(transport)
        self._begin_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """No clock outlives its connection."""
        self._cancel()
        if self._reader is not None:
            self._reader.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count while nobody else does: headers always, and a body whose answer has been given."""
        if self.transport.is_closing():
            return
        if not self._in_headers and not self._in_body:
            self._begin_headers()
        self._heard = self.loop.time()
        self._bytes += len(data)
        super().data_received(data)
        if self._in_headers and self._bytes > HEADER_BYTES:
            self._refuse_head()
        elif self._in_body and self._bytes > THROWN_AWAY_BYTES and self.cycle.response_complete:
            self.transport.abort()

    def on_url(self, url: bytes) -> None:
        """Also where the whole head comes in one piece, it may only be so large."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See `on_url`."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEADER_BYTES:
            raise ValueError("the head is too large")  # the parser stops, and `send_400_response` is next

    def on_headers_complete(self) -> None:
        """From here on the body's clock runs."""
        self._cancel()
        self._in_headers, self._in_body, self._bytes, self._head = False, True, 0, 0
        super().on_headers_complete()
        self._deadline = self.loop.call_later(BODY_SECONDS, self._too_slow)
        self._stall = self.loop.call_later(STALL_SECONDS, self._look)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._cancel()
        self._in_body, self._bytes = False, 0
        super().on_message_complete()

    def _begin_headers(self) -> None:
        self._cancel()
        self._in_headers, self._bytes = True, 0
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._too_slow)

    def _look(self) -> None:
        """Cut a body that has been silent for too long; one that nobody reads yet is not its sender's fault."""
        silent = self.loop.time() - self._heard
        if silent >= STALL_SECONDS and not self.flow.read_paused:
            self._too_slow()
        else:
            self._stall = self.loop.call_later(max(STALL_SECONDS - silent, 1.0), self._look)

    def _too_slow(self) -> None:
        self._refuse(408, "too-slow", "the request did not arrive in time")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Say why, where an answer can still be read, and close."""
        self._cancel()
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        under_way = cycle is not None and not cycle.response_complete
        if cycle is not None and under_way:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:
                self.transport.abort()
                return
        self.transport.write(_answer(status, code, detail))
        self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so as a problem."""
        if self._head > HEADER_BYTES:
            self._refuse_head()
        else:
            self._refuse(400, "bad-request", "the request is not HTTP/1.1")

    def _refuse_head(self) -> None:
        self._refuse(431, "too-large", "the headers are larger than 64 KiB")

    def _cancel(self) -> None:
        for timer in (self._deadline, self._stall):
            if timer is not None:
                timer.cancel()
        self._deadline = self._stall = None

    def on_message_begin(self) -> None:
        """Offer streams a shorter way to the socket."""
        super().on_message_begin()
        self.scope["extensions"] = {"autonomy.direct": {"begin": self._direct}}

    # -- what goes out ------------------------------------------------------------------------------

    def _direct(self) -> Callable[[bytes], bool] | None:
        """A way to write chunks of the answer that has just begun, past its task; None where there is none (HEAD, or a
        request that was sent before its turn). It refuses while the reader lags and when the answer is over."""
        cycle: RequestResponseCycle = self.cycle
        if not cycle.response_started or cycle.response_complete or not cycle.chunked_encoding:
            return None
        flow, transport = self.flow, self.transport

        def write(chunk: bytes) -> bool:
            if flow.write_paused or cycle.response_complete or cycle.disconnected or transport.is_closing():
                return False
            transport.write(chunk)
            return True

        return write

    def pause_writing(self) -> None:
        """The reader lags: from now on it has so long to read on."""
        super().pause_writing()
        if self._reader is None:
            self._reader = self.loop.call_later(READER_SECONDS, self._unread)

    def resume_writing(self) -> None:
        """The reader has read on."""
        super().resume_writing()
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def _unread(self) -> None:
        self.logger.info("a reader stalled and was cut", extra={"action": "reader.cut"})
        self.transport.abort()


def _answer(status: int, code: str, detail: str) -> bytes:
    body = problems.body(status, code, detail)
    lines = [
        STATUS_LINE[status],
        b"content-type: " + problems.MEDIA_TYPE.encode() + b"\r\n",
        b"content-length: " + str(len(body)).encode() + b"\r\n",
        b"connection: close\r\n\r\n",
        body,
    ]
    return b"".join(lines)
