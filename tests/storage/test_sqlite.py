"""SQLite on a bad day: locked, full, read-only, damaged, older; and the choice of its journal."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from autonomy.core.errors import ConfigurationError, DiskFull, StorageError, StorageUnavailable
from autonomy.storage import migrate, sqlite
from autonomy.storage.database import Database, Tx
from tests.storage.limits import common_user, in_child, small_disk

ROOT = Path(__file__).parents[2]
BIG = "x" * 100_000


def lanes(tx: Tx) -> int:
    return int(tx.value("SELECT count(*) FROM lane"))


def fill(tx: Tx) -> None:
    for number in range(40):
        tx.run("INSERT INTO lane (user_id) VALUES (:user)", user=f"{number}{BIG}")


@pytest.fixture
def url(tmp_path: Path, sqlite_template: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "autonomy.db")
    return f"sqlite:///{tmp_path / 'autonomy.db'}"


@contextlib.contextmanager
def locked(url: str) -> Iterator[None]:
    """Somebody else writes and does not end."""
    other = sqlite.connect(Path(url.removeprefix("sqlite:///")))
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_a_database_that_stays_locked_is_named_and_works_again_once_it_is_free(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 20)
    with Database(url, grow_wal=False) as database:
        with locked(url), pytest.raises(StorageUnavailable, match="stayed locked") as raised:
            database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')"))
        assert "which process holds it" in (raised.value.hint or "")
        assert database.read(lanes) == 0
        database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')"))
        assert database.read(lanes) == 1


def test_readers_go_on_while_somebody_else_writes(url: str) -> None:
    with Database(url, grow_wal=False) as database:
        database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')"))
        with locked(url):
            assert database.read(lanes) == 1


def test_on_a_full_disk_a_write_leaves_nothing_and_works_again_once_there_is_room(
    tmp_path: Path, sqlite_template: Path
) -> None:
    with small_disk(tmp_path / "disk", 3 << 20) as disk:
        shutil.copy(sqlite_template, disk / "autonomy.db")
        ballast = disk / "ballast"
        ballast.write_bytes(b"x" * (1 << 20))
        with Database(f"sqlite:///{disk / 'autonomy.db'}", grow_wal=False) as database:
            with pytest.raises(DiskFull, match="no room left on the disk") as raised:
                database.write(fill)
            assert "autonomy run resume" in (raised.value.hint or "")
            assert database.read(lanes) == 0
            ballast.unlink()
            database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')"))
            assert database.read(lanes) == 1


def test_a_database_that_may_not_grow_is_full_too(url: str) -> None:
    with Database(url, grow_wal=False) as database:
        pages = database.read(lambda tx: tx.value("PRAGMA page_count"))
        database.write(lambda tx: tx.connection.execute(f"PRAGMA max_page_count={pages}").fetchall())
        with pytest.raises(DiskFull):
            database.write(fill)
        assert database.read(lanes) == 0


def test_a_file_that_grows_over_the_limit_of_its_process_is_an_error_of_ours_and_stays_sound(url: str) -> None:
    told = in_child(_fill_and_say, url, file_bytes=os.path.getsize(url.removeprefix("sqlite:///")) + 50_000)
    assert told.startswith("DiskFull: ")
    assert told.endswith("would grow over the file-size limit of this process")
    with Database(url, grow_wal=False) as database:
        assert database.read(lanes) == 0
        assert database.read(lambda tx: tx.value("PRAGMA integrity_check")) == "ok"


def test_a_disk_that_fails_though_there_is_room_is_not_called_full(tmp_path: Path) -> None:
    error = sqlite.translate_error(sqlite3.OperationalError("disk I/O error"), tmp_path / "autonomy.db")
    assert type(error) is StorageError
    assert "disk I/O error" in error.message
    assert "Check the disk" in error.hint


def _fill_and_say(url: str) -> str:
    with Database(url, grow_wal=False) as database:
        try:
            database.write(fill)
        except StorageError as error:
            return f"{type(error).__name__}: {error.message}"
    return "written"


def test_a_file_that_may_not_be_written_is_named_and_can_still_be_read(sqlite_template: Path) -> None:
    """Not below pytest's folder, which nobody else may enter."""
    folder = Path(tempfile.mkdtemp())
    try:
        path = folder / "autonomy.db"
        shutil.copy(sqlite_template, path)
        with Database(f"sqlite:///{path}", grow_wal=False) as warm:  # whatever is imported late is imported now
            warm.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')"))
        folder.chmod(0o755)
        path.chmod(0o444)
        with common_user(), Database(f"sqlite:///{path}", grow_wal=False) as database:
            with pytest.raises(ConfigurationError) as raised:
                database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('b')"))
            assert "writ" in raised.value.message + (raised.value.hint or "")
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("left", "rows"),
    [((), 1), (("-wal", "-shm"), 2), (("-wal",), 2)],
    ids=["closed well", "left by a crash", "left by a crash, without its index"],
)
def test_where_nothing_can_be_written_a_database_is_read_whole_and_left_alone(left: tuple[str, ...], rows: int) -> None:
    """Not below pytest's folder, which nobody else may enter."""
    folder = Path(tempfile.mkdtemp())
    try:
        made, path = folder / "made.db", folder / "still" / "a b#?.db"
        writer, other = sqlite.connect(made), sqlite.connect(made)  # the last to close a database tidies up
        writer.execute("CREATE TABLE lane (user_id TEXT)")
        writer.execute("INSERT INTO lane VALUES ('in the file')")
        writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        writer.execute("INSERT INTO lane VALUES ('in the WAL')")
        path.parent.mkdir()
        for suffix in ("", *left):
            shutil.copy(f"{made}{suffix}", f"{path}{suffix}")
        writer.close()
        other.close()
        before = {each.name: each.read_bytes() for each in path.parent.iterdir() if not each.name.endswith("-shm")}
        for each in (folder, path.parent, *path.parent.iterdir()):
            each.chmod(0o555)
        with common_user(), Database(f"sqlite:///{quote(str(path))}", grow_wal=False) as database:
            assert [database.read(lanes) for _ in range(2)] == [rows, rows]
            assert database.version() == database.version()
            with pytest.raises(ConfigurationError):
                database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('b')"))
        assert {each.name: each.read_bytes() for each in path.parent.iterdir() if each.name in before} == before
    finally:
        for each in (folder, folder / "still"):
            each.chmod(0o755)
        shutil.rmtree(folder)


def test_where_nothing_can_be_written_a_transaction_that_was_cut_is_not_passed_over() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        made, path = folder / "made.db", folder / "still" / "autonomy.db"
        writer = sqlite.library().connect(str(made), isolation_level=None)
        writer.execute("CREATE TABLE lane (user_id TEXT)")
        writer.execute("PRAGMA cache_size=1")  # what does not fit is written into the file before the commit
        writer.execute("BEGIN")
        for _ in range(20):
            writer.execute(f"INSERT INTO lane VALUES ('{BIG}')")
        path.parent.mkdir()
        for suffix in ("", "-journal"):
            shutil.copy(f"{made}{suffix}", f"{path}{suffix}")
        writer.close()
        for each in (folder, path.parent, *path.parent.iterdir()):
            each.chmod(0o555)
        with common_user(), Database(f"sqlite:///{path}", grow_wal=False) as database, pytest.raises(ConfigurationError):
            database.read(lanes)
    finally:
        for each in (folder, folder / "still"):
            each.chmod(0o755)
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path.write_bytes(b"no database at all " * 100), "is not a sound SQLite database"),
        (lambda path: path.mkdir(), "cannot open the database"),
        (lambda path: path.symlink_to(path.name), "cannot open the database"),
    ],
    ids=["text", "a folder", "a loop of links"],
)
def test_what_is_no_database_is_named(tmp_path: Path, make: Any, words: str) -> None:
    path = tmp_path / "autonomy.db"
    make(path)
    with Database(f"sqlite:///{path}", grow_wal=False) as database, pytest.raises(ConfigurationError, match=words):
        migrate.ensure(database)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with Database(f"sqlite:///{tmp_path}/none/autonomy.db") as database, pytest.raises(ConfigurationError, match="cannot open"):
        database.read(lambda tx: tx.value("SELECT 1"))


# -- which library, which journal ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False), ((3, 44, 5), False), ((3, 44, 6), True), ((3, 45, 0), False), ((3, 50, 6), False),
        ((3, 50, 7), True), ((3, 51, 0), False), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 53, 4), True), ((4, 0, 0), True),
    ],
)  # fmt: skip
def test_only_releases_with_the_fix_of_the_wal_reset_bug_get_a_wal(version: tuple[int, int, int], safe: bool) -> None:
    assert sqlite.wal_is_safe(version) is safe


@pytest.mark.parametrize(("version", "mode"), [((3, 50, 6), "delete"), ((3, 51, 3), "wal")])
def test_the_journal_follows_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], mode: str
) -> None:
    real = sqlite.library()
    stand_in = SimpleNamespace(connect=real.connect, Error=real.Error, sqlite_version_info=version)
    monkeypatch.setattr(sqlite, "library", lambda: stand_in)
    connection = sqlite.connect(tmp_path / "autonomy.db")
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == mode
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    connection.close()


def test_a_file_left_in_wal_mode_by_a_newer_library_goes_back_to_a_rollback_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "autonomy.db"
    newer = sqlite.connect(path)
    assert newer.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    newer.execute("CREATE TABLE kept (x)")
    newer.close()
    real = sqlite.library()
    monkeypatch.setattr(
        sqlite, "library", lambda: SimpleNamespace(connect=real.connect, Error=real.Error, sqlite_version_info=(3, 40, 1))
    )
    older = sqlite.connect(path)
    assert older.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    assert older.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    older.close()


@pytest.mark.parametrize("library", ["pysqlite3.dbapi2", "sqlite3"])
def test_the_way_in_works_with_either_library(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = pytest.importorskip(library)
    monkeypatch.setattr(sqlite, "library", lambda: found)
    with Database(f"sqlite:///{tmp_path / 'autonomy.db'}") as database:
        migrate.ensure(database)
        before = database.read(lambda tx: tx.now())
        database.write(lambda tx: tx.run("INSERT INTO lane (user_id, vt) VALUES ('a', now_us())"))
        made = database.read(lambda tx: tx.value("SELECT vt FROM lane WHERE user_id = 'a'"))
        assert before <= made <= database.read(lambda tx: tx.now())
        with pytest.raises(StorageError, match="UNIQUE"):
            database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')"))


def test_without_its_wheel_the_standard_library_serves_a_whole_run(tmp_path: Path) -> None:
    """As on a platform for which there is no wheel: the import fails, and so does that of the vector extension."""
    program = (
        "import sys; sys.modules['pysqlite3'] = sys.modules['pysqlite3.dbapi2'] = sys.modules['sqlite_vec'] = None\n"
        "from autonomy.storage import sqlite; assert sqlite.library() is __import__('sqlite3')\n"
        "from cli.main import entry; entry()"
    )
    home = tmp_path / "workspace"
    home.mkdir()
    environ = {
        "PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "LANG": "C.UTF-8",
        "AUTONOMY_HOME": str(home),
    }  # fmt: skip
    corpus = str(ROOT / "fixtures" / "corpus")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, "run", "start", "How do leases work", "--corpus", corpus],
        env=environ, cwd=home, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    connection = sqlite3.connect(home / "autonomy.db")
    assert connection.execute("SELECT outcome FROM run").fetchall() == [("delivered",)]
    connection.close()


def test_one_library_serves_the_whole_process() -> None:
    assert sqlite.library() is importlib.import_module("pysqlite3.dbapi2" if "pysqlite3.dbapi2" in sys.modules else "sqlite3")
