"""The way in: one writer thread with group commit, and a small pool of read connections.

A write is a function of a transaction, `fn(tx) -> value`; it runs in the writer thread and its value is handed back once
the commit is durable. Functions that wait together share one commit; one that fails takes nothing of the others with it.
A function may run again (after a deadlock, or when one that shares its commit has failed), so it changes nothing but the
database. Reads run on their own connections in the caller's thread and never hold a cursor open.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

from autonomy.core.errors import AutonomyError, ConfigurationError, StorageUnavailable
from autonomy.storage import postgres, sqlite
from autonomy.storage.dialect import POSTGRESQL, SQLITE, Dialect
from autonomy.storage.gather import Row

T = TypeVar("T")
Parameters = Mapping[str, Any]
_Result = tuple[Any, BaseException | None]
log = logging.getLogger("autonomy.storage")

GROUP = 64
"""The most functions that share one commit."""


class Tx:
    """Statements inside a transaction (or on a read connection). SQL is shared; see `storage.dialect`."""

    __slots__ = ("_execute", "_translate", "connection", "dialect")

    def __init__(self, connection: Any, dialect: Dialect) -> None:
        self.connection = connection
        # psycopg builds a cursor for each bare execute, which costs as much as a short statement.
        self._execute = (connection if dialect.name == "sqlite" else connection.cursor()).execute
        self._translate = dialect.translate
        self.dialect = dialect

    def run(self, sql: str, **parameters: Any) -> int:
        """Execute; returns how many rows it changed."""
        cursor = self._execute(self._translate(sql), parameters)
        changed: int = cursor.rowcount
        return changed

    def many(self, sql: str, parameters: Sequence[Parameters]) -> None:
        """Execute once per set of parameters."""
        if len(parameters) == 1:
            self._execute(self._translate(sql), parameters[0])
        elif parameters:
            self.connection.cursor().executemany(self._translate(sql), parameters)
            if self.dialect.name == "postgresql":
                # psycopg ends its pipeline by a Flush behind the Sync, which stops the server's clock for idle transactions;
                # any statement starts it again. Without it a process frozen before its commit would hold its rows for ever.
                self._execute("SELECT 1")

    def gather(self, group: Sequence[Row]) -> None:
        """Store rows of one kind by one statement."""
        values = [value for row in group for value in row.values()]
        self._execute(self._translate(group[0].together.text(len(group))), values)
        for row in group:
            row.stored()

    def row(self, sql: str, **parameters: Any) -> dict[str, Any] | None:
        """The first row as a dict, or None."""
        cursor = self._execute(self._translate(sql), parameters)
        found = cursor.fetchone()
        return None if found is None else dict(zip([column[0] for column in cursor.description], found, strict=True))

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """All rows as dicts."""
        cursor = self._execute(self._translate(sql), parameters)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, found, strict=True)) for found in cursor.fetchall()]

    def tuples(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """All rows as plain tuples: for hot paths."""
        found: list[tuple[Any, ...]] = self._execute(self._translate(sql), parameters).fetchall()
        return found

    def packed(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """`tuples` in the server's binary format: for numbers, texts and large blobs (which travel as hex text otherwise)."""
        if self.dialect.name == "sqlite":
            return self.tuples(sql, **parameters)
        found: list[tuple[Any, ...]] = self._execute(self._translate(sql), parameters, binary=True).fetchall()
        return found

    def value(self, sql: str, **parameters: Any) -> Any:
        """The first column of the first row, or None."""
        found = self._execute(self._translate(sql), parameters).fetchone()
        return None if found is None else found[0]

    def now(self) -> int:
        """The database's clock, microseconds since the epoch."""
        return int(self.value("SELECT now_us()"))

    def notify(self, payload: str) -> None:
        """Wake listeners on commit (PostgreSQL only; elsewhere wake-up is in-process or by polling)."""
        if self.dialect.name == "postgresql":
            self.value("SELECT pg_notify(:channel, :payload)", channel=postgres.CHANNEL, payload=payload)


_Write = tuple[Callable[[Tx], Any], Future[Any]]
"""A function, which may be a `Row`, and who waits for it."""


class _Driver:
    """What both databases offer the writer: connect, begin, and error translation."""

    def __init__(self, url: str, path: Path | None, idle_seconds: float) -> None:
        self.url = url
        self.path = path
        self.idle_seconds = idle_seconds
        self.dialect = SQLITE if path is not None else POSTGRESQL

    def connect(self, *, readonly: bool = False) -> Any:
        if self.path is None:
            return postgres.connect(self.url, self.idle_seconds)
        connection = sqlite.connect(self.path, readonly=readonly)
        sqlite.load_vectors(connection)
        return connection

    @property
    def errors(self) -> type[Exception]:
        base: type[Exception] = (postgres.library() if self.path is None else sqlite.library()).Error
        return base

    def begin(self, connection: Any) -> None:
        connection.execute("BEGIN" if self.path is None else "BEGIN IMMEDIATE")

    def translate(self, error: Exception) -> AutonomyError:
        return postgres.translate_error(error) if self.path is None else sqlite.translate_error(error, self.path)

    def is_conflict(self, error: Exception) -> bool:
        """A deadlock or serialization failure: the same work may succeed when tried again."""
        return getattr(error, "sqlstate", None) in ("40P01", "40001")

    def is_broken(self, connection: Any) -> bool:
        return self.path is None and bool(connection.closed or connection.broken)

    def is_over(self, connection: Any) -> bool:
        """SQLite ends a transaction by itself when the disk is full: nothing of it is left to roll back or to go on with."""
        return self.path is not None and not connection.in_transaction


def parse_url(url: str) -> tuple[str, Path | None]:
    """(url for the driver, path) where path is None for PostgreSQL. Raises ConfigurationError."""
    parts = urlsplit(url)
    if parts.scheme in ("postgresql", "postgres"):
        return url, None
    if parts.scheme == "sqlite" and not parts.netloc and parts.path.startswith("/"):
        return url, Path(unquote(parts.path[1:] if parts.path.startswith("/") else parts.path))
    raise ConfigurationError(
        "AUTONOMY_DATABASE_URL is neither sqlite:///PATH nor postgresql://...",
        "Correct it or leave it unset for SQLite in the workspace.",
    )


class Database:
    """An open database. `write` and `awrite` go through the writer thread; `read` and `aread` do not.

    A process frozen inside a transaction holds the rows it wrote, and nobody can take its jobs over; PostgreSQL ends such a
    transaction after `idle_seconds`. On SQLite nothing can: the kernel keeps the lock until the process goes on or ends.
    """

    def __init__(self, url: str, *, grow_wal: bool = True, idle_seconds: float = 60.0) -> None:
        driver_url, path = parse_url(url)
        self._driver = _Driver(driver_url, path, idle_seconds)
        self.idle_seconds = idle_seconds
        self.dialect = self._driver.dialect
        self.path = path
        self.url = url
        self.commits = 0
        self._grow = grow_wal
        self._connection: Any = None
        self._tx: Tx | None = None
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._idle: list[Any] = []
        self._watcher: Any = None
        self._watching = threading.Lock()
        self._guard = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None

    def check_writable(self) -> None:
        """Raises ConfigurationError for a file that this process may only read; what a server allows shows when it is asked."""
        if self.path is not None and self.path.exists() and not sqlite.writable(self.path):
            raise sqlite.unwritable(self.path)

    # -- writing ----------------------------------------------------------------------------------

    def submit(self, fn: Callable[[Tx], T]) -> Future[T]:
        """Queue a write; the future is done once its commit is durable. Where `fn` is a `Row`, it and those that wait with
        it are stored by one statement; where nothing else waits, that needs no transaction around it (on PostgreSQL one
        round trip for all of them, instead of two and one for each).
        """
        future: Future[T] = Future()
        with self._guard:
            if self._closed:
                raise StorageUnavailable("the database is closed already")
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="autonomy-writer", daemon=True)
                self._thread.start()
            self._queue.put((fn, future))
        return future

    def write(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` in a write transaction and wait until it is durable."""
        return self.submit(fn).result()

    async def awrite(self, fn: Callable[[Tx], T]) -> T:
        """`write` without blocking the event loop. A cancelled wait does not take the write back."""
        return await asyncio.wrap_future(self.submit(fn))

    def _work(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            stop = False
            while len(batch) < GROUP:
                try:
                    following = self._queue.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    stop = True
                    break
                batch.append(following)
            try:
                self._serve(batch)
            except BaseException as error:
                log.critical("the database writer died of %r", error, exc_info=error, extra={"action": "writer.died"})
                self._give_up(batch)
                return
            if stop:
                break
        self._close_writer()

    def _close_writer(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _give_up(self, batch: list[_Write]) -> None:
        """The writer died of a fault of its own: nobody may wait for it for ever, now or later."""
        with self._guard:
            self._closed = True
            while True:
                try:
                    waiting = self._queue.get_nowait()
                except queue.Empty:
                    break
                if waiting is not None:
                    batch.append(waiting)
        self._close_writer()
        self._fail(batch, StorageUnavailable("the database writer has died", "See the log, then start the command again."))

    def _serve(self, batch: list[_Write]) -> None:
        """Commit one batch on the connection (made or remade where needed) and hand the results out."""
        for attempt in range(3):
            try:
                if self._connection is None or self._driver.is_broken(self._connection):
                    self._connection = self._open_writer()
                results = self._commit(self._connection, batch)
            except self._driver.errors as error:
                with contextlib.suppress(self._driver.errors):
                    self._connection.execute("ROLLBACK")
                if attempt < 2 and self._driver.is_conflict(error):
                    continue
                self._fail(batch, self._driver.translate(error))
            except AutonomyError as error:
                self._fail(batch, error)
            else:
                for (_, future), (value, problem) in zip(batch, results, strict=True):
                    if problem is None:
                        _settle(future, value)
                    else:
                        _settle_error(future, problem)
            break

    def _open_writer(self) -> Any:
        connection = self._driver.connect()
        if self._grow and self.path is not None:
            with contextlib.suppress(self._driver.errors):  # a busy file grows its WAL by itself
                sqlite.grow_wal(connection)
        return connection

    def _commit(self, connection: Any, batch: list[_Write]) -> list[_Result]:
        """Run the batch in one transaction, first without savepoints: nearly always nobody fails. Where one does, all run
        again, each in a savepoint of its own."""
        if self._tx is None or self._tx.connection is not connection:
            self._tx = Tx(connection, self.dialect)
        tx = self._tx
        pieces = _pieces(batch)
        alone = len(batch) == 1
        bare = len(pieces) == 1 and isinstance(batch[0][0], Row)
        if not bare:
            self._driver.begin(connection)
        try:
            results = [result for piece in pieces for result in _run(tx, piece)]
        except BaseException as error:
            problem = self._problem(connection, error, bare=bare)
            if not bare:
                connection.execute("ROLLBACK")
            if alone:
                return [(None, problem)]
            self._driver.begin(connection)
            results = [self._apart(connection, tx, fn) for fn, _ in batch]
            bare = False
        if not bare:
            connection.execute("COMMIT")
        self.commits += 1
        return results

    def _apart(self, connection: Any, tx: Tx, fn: Callable[[Tx], Any]) -> _Result:
        """Run one function of a batch so that its failure takes nothing of the others with it."""
        connection.execute("SAVEPOINT one")
        try:
            result: _Result = (fn(tx), None)
        except BaseException as error:
            result = (None, self._problem(connection, error))
            connection.execute("ROLLBACK TO SAVEPOINT one")
        connection.execute("RELEASE SAVEPOINT one")
        return result

    def _problem(self, connection: Any, error: BaseException, *, bare: bool = False) -> BaseException:
        """What a failed function's future gets; raises what makes the whole batch fail or run again. `bare`: there was no
        transaction that could be over."""
        if not isinstance(error, self._driver.errors):
            return error
        over = not bare and self._driver.is_over(connection)
        if self._driver.is_conflict(error) or self._driver.is_broken(connection) or over:
            raise error
        return self._driver.translate(error)

    @staticmethod
    def _fail(batch: list[_Write], error: AutonomyError) -> None:
        for _, future in batch:
            _settle_error(future, error)

    # -- reading ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Any]:
        with self._guard:
            connection = self._idle.pop() if self._idle else None
        if connection is None or self._driver.is_broken(connection):
            connection = self._driver.connect(readonly=True)
        try:
            yield connection
        except self._driver.errors as error:
            with contextlib.suppress(self._driver.errors):
                connection.close()
            connection = None
            raise self._driver.translate(error) from error
        finally:
            if connection is not None:
                with self._guard:
                    keep = not self._closed
                    if keep:
                        self._idle.append(connection)
                if not keep:
                    connection.close()

    def read(self, fn: Callable[[Tx], T]) -> T:
        """Run `fn` on a read connection; each statement sees what is committed when it starts."""
        with self._reader() as connection:
            return fn(Tx(connection, self.dialect))

    async def aread(self, fn: Callable[[Tx], T]) -> T:
        """`read` in a thread."""
        return await asyncio.to_thread(self.read, fn)

    def version(self) -> int:
        """A number that changes when another process of this machine wrote (SQLite); 0 on PostgreSQL, which notifies."""
        if self.path is None:
            return 0
        with self._watching:
            if self._watcher is None:
                self._watcher = self._driver.connect(readonly=True)
            return int(self._watcher.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Finish queued writes, then close every connection. Safe to call twice."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            thread = self._thread
            if thread is not None:
                self._queue.put(None)
        if thread is not None:
            thread.join()
        with self._guard:
            idle, self._idle = self._idle, []
        with self._watching:
            if self._watcher is not None:
                idle.append(self._watcher)
                self._watcher = None
        for connection in idle:
            connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _pieces(batch: list[_Write]) -> list[list[Callable[[Tx], Any]]]:
    """The batch in its order, by what is executed at once: each function alone, rows with their neighbours."""
    pieces: list[list[Callable[[Tx], Any]]] = []
    owners: set[int] = set()
    for fn, _ in batch:
        if not isinstance(fn, Row):
            owners.clear()
            pieces.append([fn])
            continue
        first = pieces[-1][0] if owners else None
        if not isinstance(first, Row) or first.together is not fn.together or id(fn.owner) in owners:
            owners.clear()
            pieces.append([])
        pieces[-1].append(fn)
        owners.add(id(fn.owner))
    return pieces


def _run(tx: Tx, piece: list[Callable[[Tx], Any]]) -> list[_Result]:
    if len(piece) == 1:
        return [(piece[0](tx), None)]
    tx.gather(cast(list[Row], piece))
    return [(None, None)] * len(piece)


def _settle(future: Future[Any], value: Any) -> None:
    if future.set_running_or_notify_cancel():
        future.set_result(value)


def _settle_error(future: Future[Any], error: BaseException) -> None:
    if future.set_running_or_notify_cancel():
        future.set_exception(error)
