"""Wake-up: who waits for work, events or a request is rung, not made to look again and again.

A ring is a hint, never a promise: whoever wakes looks at the tables, and looks there once in a while anyway. Inside a
process a ring reaches waiters at once. From other processes PostgreSQL sends notifications; a SQLite file is asked for its
change counter, a few microseconds ten times a second. Without waiters of other processes nothing runs at all.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Final, Literal, Protocol, TypeVar

from autonomy.core.errors import AutonomyError
from autonomy.storage import postgres
from autonomy.storage.database import Database, Tx

POLL_SECONDS: Final = 0.1
RECONNECT_SECONDS: Final = 1.0
Topic = Literal["jobs", "events"]
T = TypeVar("T")


class Taker(Protocol):
    """A worker of this process with places to give. All of it may be called from any thread."""

    def reserve(self) -> bool:
        """Keep a free place; False when there is none."""
        ...

    def take(self, tx: Tx) -> Any | None:
        """Claim a job for that place inside the transaction."""
        ...

    def begin(self, taken: Any | None) -> None:
        """The transaction is durable, start the job; or None: the place is free again."""
        ...


class Wake:
    """A bell. Ring it from any thread once a write is durable (or queued: the writer keeps the order).

    To miss nothing: `seen = wake.mark()`, look at the tables, and if there is nothing, `wake.wait(seen, timeout)`.
    """

    def __init__(self) -> None:
        self._rung = 0
        self._changed = threading.Condition()
        self._listeners: tuple[Callable[[Topic], object], ...] = ()
        self._takers: tuple[Taker, ...] = ()

    def ring(self, topic: Topic = "jobs") -> None:
        """Wake all waiters; listeners are called in this thread. "events" says: nothing for workers, only for readers."""
        with self._changed:
            self._rung += 1
            self._changed.notify_all()
            listeners = self._listeners
        for listener in listeners:
            listener(topic)

    def mark(self) -> int:
        """How often it has rung."""
        return self._rung

    def wait(self, seen: int, timeout: float) -> bool:
        """Block until it has rung more often than `seen`, or `timeout` seconds have passed; returns whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._rung > seen, timeout)

    @contextlib.contextmanager
    def listening(self, listener: Callable[[Topic], object]) -> Iterator[None]:
        """Have a quick, thread-safe function called at each ring: one that wakes an event loop."""
        with self._changed:
            self._listeners += (listener,)
        try:
            yield
        finally:
            with self._changed:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

    @contextlib.contextmanager
    def taking(self, taker: Taker) -> Iterator[None]:
        """Let writers that queue work claim for this worker in the same commit."""
        with self._changed:
            self._takers += (taker,)
        try:
            yield
        finally:
            with self._changed:
                self._takers = tuple(each for each in self._takers if each is not taker)

    def submit(self, database: Database, fn: Callable[[Tx], T]) -> Future[T]:
        """Do a write that queues work, then ring. A worker of this process with a free place begins the next job from the
        same commit: one commit and no further look between the request and its work."""
        taker = next((each for each in self._takers if each.reserve()), None)
        result: Future[T] = Future()

        def both(tx: Tx) -> tuple[T, Any | None]:
            value = fn(tx)
            return value, None if taker is None else taker.take(tx)

        def done(written: Future[tuple[T, Any | None]]) -> None:
            error = written.exception()
            if taker is not None:
                taker.begin(None if error is not None else written.result()[1])
            if error is not None:
                result.set_exception(error)
            else:
                result.set_result(written.result()[0])
            self.ring()

        try:
            database.submit(both).add_done_callback(done)
        except AutonomyError:
            if taker is not None:
                taker.begin(None)
            raise
        return result

    def write(self, database: Database, fn: Callable[[Tx], T]) -> T:
        """`submit`, and wait until it is durable."""
        return self.submit(database, fn).result()


class Beyond:
    """Rings a bell when another process has written; a thread from `with` to its end."""

    def __init__(self, database: Database, wake: Wake, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._wake = wake
        self._poll = poll_seconds
        self._stopped = threading.Event()
        self._near, self._far = socket.socketpair()
        work = self._watch_file if database.path is not None else self._listen
        self._thread = threading.Thread(target=work, name="autonomy-wake", daemon=True)

    def __enter__(self) -> Beyond:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._far.send(b"x")
        self._thread.join()
        self._near.close()
        self._far.close()

    def _watch_file(self) -> None:
        last = None
        while not self._stopped.wait(self._poll):
            try:
                version = self._database.version()
            except AutonomyError:
                continue
            if version != last:
                last = version
                self._wake.ring()

    def _listen(self) -> None:
        errors = postgres.library().Error
        while not self._stopped.is_set():
            connection: Any = None
            try:
                connection = postgres.connect(self._database.url)
                connection.execute(f"LISTEN {postgres.CHANNEL}")
                self._wake.ring()  # something may have been said before we listened
                self._hear(connection)
            except (AutonomyError, errors):
                self._stopped.wait(RECONNECT_SECONDS)
            finally:
                if connection is not None:
                    connection.close()

    def _hear(self, connection: Any) -> None:
        """Ring for each batch of notifications, until told to stop. Raises the driver's error when the connection breaks."""
        while True:
            select.select([connection.fileno(), self._near], [], [])
            if self._stopped.is_set():
                return
            heard = 0
            for _ in connection.notifies(timeout=0):
                heard += 1
            if heard:
                self._wake.ring()
