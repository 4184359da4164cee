"""One follower for all readers of a process: each event is read once, encoded once, and handed to everyone who waits.

Invariants: within a channel frames stand in the order of their ids; whoever opens a channel and then reads the table up to
`settled` finds in the channel everything later, without a hole. Readers hold their last id and not a queue: a slow one costs
its own place and nothing else. The follower is a thread (reading blocks); channels belong to the event loop.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from autonomy.core.errors import AutonomyError
from autonomy.runtime.wake import Wake

KEPT = 2000
"""Frames a channel holds for readers that lag; older ones are read from the table."""
BATCH_BYTES = 64 * 1024
"""The most that is joined into one write, a single larger frame apart."""
BEAT_SECONDS = 15.0
"""How often a silent stream is written a comment, so that nobody between takes it for dead."""
NET_SECONDS = 1.0
BLOCKED_SECONDS = 0.01
log = logging.getLogger("autonomy.server")


class Frame(NamedTuple):
    """One event as every reader gets it. `last` says that nothing follows in its stream."""

    id: int
    data: bytes
    last: bool = False


class Feed(Protocol):
    """Where frames come from. Used by the follower's thread alone, `keys` and `settled` apart."""

    def read(self, wanted: Callable[[str], bool]) -> list[tuple[str, Frame]]:
        """The next frames with the keys of their channels; empty when there are none now."""
        ...

    @property
    def blocked(self) -> bool:
        """Whether later ones are there that may not be shown yet."""
        ...

    @property
    def after(self) -> int:
        """The position read last."""
        ...


class Waiter(Protocol):
    """A reader that waits for the next frame."""

    def notify(self) -> bool:
        """There is something to look at; answers whether the reader has seen to it and waits on."""
        ...


class Taken(NamedTuple):
    """What a reader gets: joined frames, the same as an HTTP chunk, the id of the last one, how many, whether it is the end."""

    data: bytes
    chunk: bytes
    id: int
    frames: int
    last: bool


class Channel:
    """The newest frames of one stream. Belongs to the event loop. `over` once its last frame has come."""

    def __init__(self) -> None:
        self.readers = 0
        self.over = False
        self._frames: list[Frame] = []
        self._ids: list[int] = []
        self._dropped = 0
        self._waiters: list[Waiter] = []
        self._joined: tuple[int, int, Taken] | None = None

    def add(self, frame: Frame) -> None:
        """Append; an id that is there already changes nothing."""
        if self._ids and frame.id <= self._ids[-1]:
            return
        self._frames.append(frame)
        self._ids.append(frame.id)
        self.over = self.over or frame.last
        if len(self._frames) > KEPT:
            half = KEPT // 2
            self._dropped = self._ids[half - 1]
            del self._frames[:half], self._ids[:half]

    def holds(self, last: int) -> bool:
        """Whether nothing above that id has been dropped yet."""
        return last >= self._dropped

    def take(self, last: int) -> Taken | None:
        """The frames above an id, up to a write's size; None when there are none. Readers at one place share the bytes."""
        if not self._ids or self._ids[-1] <= last:
            return None
        first, newest = bisect.bisect_right(self._ids, last), self._ids[-1]
        if self._joined is not None and self._joined[0] == self._ids[first] and self._joined[1] == newest:
            return self._joined[2]
        chosen, size = [self._frames[first]], len(self._frames[first].data)
        for frame in self._frames[first + 1 :]:
            size += len(frame.data)
            if size > BATCH_BYTES:
                break
            chosen.append(frame)
        data = chosen[0].data if len(chosen) == 1 else b"".join(frame.data for frame in chosen)
        taken = Taken(data, b"%x\r\n%b\r\n" % (len(data), data), chosen[-1].id, len(chosen), chosen[-1].last)
        self._joined = (chosen[0].id, newest, taken)
        return taken

    def wait(self, waiter: Waiter) -> None:
        """Notify that reader at the next frame, the next beat, or the end."""
        self._waiters.append(waiter)

    def wake(self) -> None:
        """Let everyone look."""
        waiters, self._waiters = self._waiters, []
        self._waiters.extend([waiter for waiter in waiters if waiter.notify()])


class Hub:
    """Channels and the follower that fills them. `start` and everything else in the event loop."""

    def __init__(self, wake: Wake, feeds: Sequence[Feed]) -> None:
        self._wake = wake
        self._feeds = feeds
        self._channels: dict[str, Channel] = {}
        self._settled = [feed.after for feed in feeds]
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.beats = 0
        self.closing = False

    def start(self) -> None:
        """Begin to follow."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._follow, name="autonomy-hub", daemon=True)
        self._thread.start()
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)

    def end(self) -> None:
        """Every stream ends now; new ones are not begun. Safe to call twice."""
        self.closing = True
        if self._timer is not None:
            self._timer.cancel()
        self._wake_all()

    async def stop(self) -> None:
        """End, and wait for the follower."""
        self.end()
        self._stopped.set()
        self._wake.ring("events")
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def settled(self, feed: int) -> int:
        """Up to this position the table is complete, and every later frame comes through the channels open now."""
        return self._settled[feed]

    @contextlib.contextmanager
    def open(self, key: str) -> Iterator[Channel]:
        """The channel of that key, kept as long as somebody reads it."""
        channel = self._channels.setdefault(key, Channel())
        channel.readers += 1
        try:
            yield channel
        finally:
            channel.readers -= 1
            if not channel.readers:
                self._channels.pop(key, None)

    def _publish(self, frames: list[tuple[str, Frame]], feed: int, position: int) -> None:
        touched = {}
        for key, frame in frames:
            channel = self._channels.get(key)
            if channel is not None:
                channel.add(frame)
                touched[key] = channel
        self._settled[feed] = position
        for channel in touched.values():
            channel.wake()

    def _beat(self) -> None:
        assert self._loop is not None
        self.beats += 1
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)
        self._wake_all()

    def _wake_all(self) -> None:
        for channel in self._channels.values():
            channel.wake()

    # -- the follower's thread ----------------------------------------------------------------------

    def _follow(self) -> None:
        while not self._stopped.is_set():
            seen = self._wake.mark()
            try:
                found = sum(self._pass_on(number, feed) for number, feed in enumerate(self._feeds))
            except AutonomyError as error:
                log.warning("streams stand still: %s", error, extra={"action": "streams.blocked"})
                self._stopped.wait(NET_SECONDS)
                continue
            if not found:
                blocked = any(feed.blocked for feed in self._feeds)
                self._wake.wait(seen, BLOCKED_SECONDS if blocked else NET_SECONDS)

    def _pass_on(self, number: int, feed: Feed) -> bool:
        before = feed.after
        frames = feed.read(self._channels.__contains__)
        if feed.after == before:
            return False
        self._call(self._publish, frames, number, feed.after)
        return True

    def _call(self, function: Callable[..., object], *arguments: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody reads any more
            self._loop.call_soon_threadsafe(function, *arguments)
