"""A server-sent stream for one reader: the backlog from the table, then what comes, until it ends or the reader leaves.

Resuming with Last-Event-ID is reading from there: ids are those of the table, so they hold across restarts and servers.
Control lines (retry, keep-alive comments) carry no id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import Response
from starlette.types import Receive, Scope, Send

from autonomy.api.auth import Principal
from autonomy.api.hub import BATCH_BYTES, Channel, Frame, Hub
from autonomy.api.metrics import Streams
from autonomy.api.problems import Refusal

MEDIA_TYPE = "text/event-stream"
HELLO = b"retry: 1000\n\n"
BEAT = b": keep-alive\n\n"
LARGEST_ID = 2**63 - 1

Backlog = Callable[[int], Awaitable[Sequence[Frame]]]
"""Frames above an id from the table, in order; empty when the channel has everything that follows."""


@dataclass(frozen=True, slots=True)
class Caps:
    """How many streams may be open, together and for one user."""

    total: int
    per_user: int


Write = Callable[[bytes], bool]
"""Writes an HTTP chunk to the socket now; False where it would have to wait."""


class Watched(Protocol):
    """Hears when streams begin and end, for the audit."""

    async def connected(self, stream: str, principal: Principal) -> str:
        """A reader has come; answers with a name for its connection."""
        ...

    async def disconnected(self, connection: str, stream: str, principal: Principal, events: int) -> None:
        """It has gone, after so many events."""
        ...


class Broadcast:
    """What all streams of the server share."""

    def __init__(self, hub: Hub, streams: Streams, caps: Caps, watched: Watched | None = None) -> None:
        self.hub = hub
        self.streams = streams
        self.watched = watched
        self._caps = caps
        self.readers: set[EventStream] = set()

    async def end_shut_out(self, shut_out: Callable[[Iterable[Principal]], Awaitable[Collection[Principal]]]) -> None:
        """End the streams whose readers would not be let in any more."""
        readers = list(self.readers)
        gone = await shut_out({reader.principal for reader in readers})
        for reader in readers:
            if reader.principal in gone:
                reader.end()

    def enter(self, stream: str, principal: Principal) -> None:
        """Take a place. Raises Refusal (429, 503)."""
        if self.hub.closing:
            raise Refusal(503, "shutting-down", "the server is shutting down", "Connect again.", {"retry-after": "1"})
        streams = self.streams
        if streams.open.total() >= self._caps.total or streams.by_user[principal.user_id] >= self._caps.per_user:
            streams.refused += 1
            hint = "Close some, or raise [serve] streams and streams_per_user."
            raise Refusal(429, "too-many-streams", "too many streams are open", hint, {"retry-after": "5"})
        streams.open[stream] += 1
        streams.by_user[principal.user_id] += 1
        streams.opened += 1

    def leave(self, stream: str, principal: Principal) -> None:
        """Give the place back."""
        self.streams.open[stream] -= 1
        self.streams.by_user[principal.user_id] -= 1
        if not self.streams.by_user[principal.user_id]:
            del self.streams.by_user[principal.user_id]


class EventStream(Response):
    """The answer that is a stream. `name` is told in metrics and audit; `after` is the id that the reader has already."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        broadcast: Broadcast,
        principal: Principal,
        name: str,
        key: str,
        after: int,
        backlog: Backlog,
        *,
        over: bool = False,
        entered: bool = False,
    ) -> None:
        """`over` says that nothing will come: the stream is answered, and ends. `entered`: its place is taken already."""
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._broadcast = broadcast
        self.principal = principal
        self._name = name
        self._key = key
        self._last = after
        self._backlog = backlog
        self._gone = over
        self._direct: Callable[[], Write | None] = lambda: None
        self._waiter: asyncio.Future[None] | None = None
        self._channel: Channel | None = None
        self._write: Write | None = None
        self._events = 0
        self._entered = entered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the reader; who asks by HEAD gets the headers of a stream, and none is opened."""
        broadcast = self._broadcast
        if scope["method"] == "HEAD":
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await send({"type": "http.response.body", "body": b""})
            return
        if not self._entered:
            broadcast.enter(self._name, self.principal)
            self._entered = True
        scope["autonomy.stream"] = True
        self._direct = scope.get("extensions", {}).get("autonomy.direct", {}).get("begin", self._direct)
        broadcast.readers.add(self)
        try:
            with broadcast.hub.open(self._key) as channel:
                self._channel = channel
                leaving = asyncio.create_task(self._until_gone(receive))
                try:
                    await self._watched(channel, send, scope["autonomy.send"])
                finally:
                    leaving.cancel()
        finally:
            broadcast.readers.discard(self)
            self._leave()

    def _leave(self) -> None:
        if self._entered:
            self._entered = False
            self._broadcast.leave(self._name, self.principal)

    async def _watched(self, channel: Channel, send: Send, plain: Send) -> None:
        """The stream between two lines of the audit. The reader comes first, and then the line that says so."""
        watched, who = self._broadcast.watched, self.principal
        named: asyncio.Task[str] | None = None
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            self._write = self._direct()
            await plain({"type": "http.response.body", "body": HELLO, "more_body": True})
            named = None if watched is None else asyncio.create_task(watched.connected(self._name, who))
            await self._serve(channel, plain)
            self._leave()  # before the reader hears of the end: who then connects again finds the place free
            await plain({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if watched is not None and named is not None:
                await watched.disconnected(await named, self._name, who, self._events)

    async def _until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end()

    def end(self) -> None:
        """Nothing more is sent, and the answer ends."""
        self._gone = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _serve(self, channel: Channel, send: Send) -> None:
        """Backlog, then live; back to the table where the reader has fallen behind what the channel holds."""
        while not await self._send_backlog(send):
            if await self._live(channel, send):
                return

    async def _send_backlog(self, send: Send) -> bool:
        """Whether the stream is over with it."""
        while frames := await self._backlog(self._last):
            for data, count in _pieces(frames):
                if self._over():
                    return True
                await send({"type": "http.response.body", "body": data, "more_body": True})
                self._count(count)
            self._last = frames[-1].id
            if frames[-1].last:
                return True
        return self._over()

    async def _live(self, channel: Channel, send: Send) -> bool:
        """Whether the stream is over; False sends the reader back to the table."""
        hub = self._broadcast.hub
        loop, beats = asyncio.get_running_loop(), hub.beats
        while not self._over():
            if not channel.holds(self._last):
                return False
            taken = channel.take(self._last)
            if taken is not None:
                await send({"type": "http.response.body", "body": taken.data, "more_body": True})
                self._last, beats = taken.id, hub.beats
                self._count(taken.frames)
            elif channel.over:
                return True
            elif hub.beats != beats:
                beats = hub.beats
                await send({"type": "http.response.body", "body": BEAT, "more_body": True})
            else:
                self._waiter = loop.create_future()
                channel.wait(self)
                await self._waiter
        return True

    def notify(self) -> bool:
        """Write what has come straight to the socket, as long as it takes it; otherwise `_live` goes on, in its own task.
        Answers whether the reader waits on. Most deliveries of a busy stream are made here, without a task's turn."""
        waiter, channel = self._waiter, self._channel
        if waiter is None or channel is None or waiter.done():
            return False
        write, moved = self._write, False
        while write is not None and channel.holds(self._last) and not self._over():
            taken = channel.take(self._last)
            if taken is None and moved:
                return True
            if taken is None or taken.last or not write(taken.chunk):
                break
            self._last, moved = taken.id, True
            self._count(taken.frames)
        waiter.set_result(None)
        return False

    def _over(self) -> bool:
        return self._gone or self._broadcast.hub.closing

    def _count(self, events: int) -> None:
        self._events += events
        self._broadcast.streams.events += events


def _pieces(frames: Sequence[Frame]) -> list[tuple[bytes, int]]:
    """The frames joined into writes of a moderate size, with how many each holds."""
    pieces: list[tuple[bytes, int]] = []
    held: list[bytes] = []
    size = 0
    for frame in frames:
        if held and size + len(frame.data) > BATCH_BYTES:
            pieces.append((b"".join(held), len(held)))
            held, size = [], 0
        held.append(frame.data)
        size += len(frame.data)
    if held:
        pieces.append((b"".join(held), len(held)))
    return pieces


def is_wanted(headers: dict[bytes, bytes]) -> bool:
    """Whether the client asks for a stream where a document would do."""
    return MEDIA_TYPE.encode("ascii") in headers.get(b"accept", b"").lower()


def begin_after(headers: dict[bytes, bytes], first: int | None) -> int:
    """The id after which a stream begins: `Last-Event-ID: N` goes on after N, `?from=N` begins with N. A browser that
    reconnects repeats its address and adds the header, so the header counts. Raises Refusal (422).
    """
    given: Any = headers.get(b"last-event-id", b"").strip()
    if given:
        if not (given.isdigit() and len(given) <= 19 and int(given) <= LARGEST_ID):
            raise Refusal(422, "invalid-input", "Last-Event-ID is not an id of this stream", "Send the last id you received.")
        return int(given)
    return 0 if first is None else max(first - 1, 0)
