"""The SQLite driver: which library, how a connection is set up, and how its errors are named.

One SQLite library per process, ever: two of them on one file break its locks. The interpreter's own library is taken
only where pysqlite3's wheel is missing; releases before 3.51.3 can corrupt a WAL when two connections checkpoint at
once (fixed in 3.51.3, 3.50.7, 3.44.6), so they run with a rollback journal instead.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

from autonomy.core.errors import ConfigurationError, DiskFull, StorageError, StorageUnavailable

BUSY_TIMEOUT_MS = 30_000
RESTORE = "Put a copy in its place that 'autonomy db backup' made earlier."
WAL_GROWN_BYTES = 4 << 20
LITTLE_BYTES = 128 << 10
"""Closer than this to an end, a write that failed has met it: the index of a WAL grows by 32 KiB, a file by some pages."""


@functools.cache
def library() -> Any:
    """pysqlite3's DB-API module where its wheel exists, else the standard one."""
    try:
        return importlib.import_module("pysqlite3.dbapi2")
    except ModuleNotFoundError:
        return importlib.import_module("sqlite3")


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this release has the fix of the WAL-reset bug."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def load_vectors(connection: Any) -> bool:
    """Load sqlite-vec into a connection; False where extensions cannot be loaded (plain SQL serves then)."""
    try:
        sqlite_vec = importlib.import_module("sqlite_vec")
        connection.enable_load_extension(True)
    except (ModuleNotFoundError, AttributeError):
        return False
    try:
        connection.load_extension(sqlite_vec.loadable_path())
    except library().Error:
        return False
    finally:
        connection.enable_load_extension(False)
    return True


def connect(path: Path, *, readonly: bool = False) -> Any:
    """An autocommit connection; write transactions open with BEGIN IMMEDIATE (a deferred one fails under load).

    One that only reads also opens a database in a folder where nothing can be written (see `_still`).
    """
    sqlite3 = library()
    try:
        connection = _open(str(path))
        if readonly:
            connection.execute("PRAGMA query_only=ON")
            if path.is_file() and not writable(path.parent):
                connection = _still(connection, path)
        else:
            mode = "WAL" if wal_is_safe(sqlite3.sqlite_version_info) else "DELETE"
            connection.execute(f"PRAGMA journal_mode={mode}")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute(f"PRAGMA journal_size_limit={16 << 20}")
    except sqlite3.Error as error:
        raise translate_error(error, path) from error
    return connection


def _open(name: str, *, uri: bool = False) -> Any:
    connection = library().connect(name, timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False, uri=uri)
    connection.create_function("now_us", 0, lambda: time.time_ns() // 1000)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection


def writable(path: Path) -> bool:
    """Whether this process may write what is there."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def _still(connection: Any, path: Path) -> Any:
    """The connection if it can read; else one that needs no file beside the database, because nobody can make one there.

    A reader of a WAL shares an index file with the writers. Where it is missing and cannot be made, there are no writers
    either: what a WAL holds is then indexed in this process's own memory, and a database without one is read as it lies.
    A rollback journal that was left there is never passed over: its database is not whole.
    """
    sqlite3 = library()
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        return connection
    except sqlite3.OperationalError as error:
        if not re.search("unable to open|readonly", str(error)) or path.with_name(f"{path.name}-journal").exists():
            raise
    connection.close()
    wal = path.with_name(f"{path.name}-wal").exists()
    connection = _open(f"{path.absolute().as_uri()}?mode=ro&{'vfs=unix-none' if wal else 'immutable=1'}", uri=True)
    connection.execute("PRAGMA query_only=ON")
    if wal:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE").fetchall()
    return connection


def grow_wal(connection: Any) -> None:
    """Write and take back 4 MB once, so that later commits overwrite blocks instead of growing the file.

    A growing WAL journals the file's size with every sync: 240 against 120 microseconds a commit (measured).
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("CREATE TABLE grow_wal (x BLOB)")
    connection.execute("INSERT INTO grow_wal VALUES (zeroblob(?))", (WAL_GROWN_BYTES,))
    connection.execute("DROP TABLE grow_wal")
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


def translate_error(error: Exception, path: Path) -> StorageError | ConfigurationError:
    """A driver's error as one of ours, saying what to do next."""
    text = str(error)
    if "full" in text or "disk I/O error" in text:
        return _no_room(path, sure="full" in text)
    if "locked" in text or "busy" in text:
        hint = "See which process holds it, then try again."
        return StorageUnavailable(f"{path} stayed locked for {BUSY_TIMEOUT_MS // 1000} s", hint)
    if "readonly" in text or "read-only" in text:
        return unwritable(path)
    if "unable to open" in text:
        return ConfigurationError(f"cannot open the database {path}", "Check that its folder exists and is writable.")
    if "not a database" in text or "malformed" in text:
        return ConfigurationError(f"{path} is not a sound SQLite database", RESTORE)
    return StorageError(f"the database refused: {text}", "See 'autonomy doctor'.")


def unwritable(path: Path) -> ConfigurationError:
    """The error of whoever was to write where nothing can be written."""
    return ConfigurationError(f"{path} cannot be written", "Make it writable or set AUTONOMY_HOME to a folder of yours.")


def _no_room(path: Path, *, sure: bool) -> StorageError:
    """Why a write failed: SQLite calls a file-size limit, and often a full disk too, just a "disk I/O error"."""
    sizes = [each.stat().st_size for each in path.parent.glob(f"{path.name}*") if each.is_file()]
    limit = _file_limit()
    if limit is not None and max(sizes, default=0) > limit - LITTLE_BYTES:
        hint = "Raise it ('ulimit -f'), then 'autonomy run resume'."
        return DiskFull(f"{path} would grow over the file-size limit of this process", hint)
    if sure or shutil.disk_usage(path.parent).free < LITTLE_BYTES:
        return DiskFull(f"no room left on the disk for {path}", "Free some space, then 'autonomy run resume'.")
    return StorageError(f"the disk failed under {path} (disk I/O error)", "Check the disk, then 'autonomy run resume'.")


def _file_limit() -> int | None:
    """The most bytes that a file of this process may have, where there is such a limit."""
    try:
        resource = importlib.import_module("resource")
    except ModuleNotFoundError:
        return None
    limit: int = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit
