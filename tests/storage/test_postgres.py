"""PostgreSQL on a bad day: connections that are ended, databases that are not there, and no password in any error."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from autonomy.core.errors import ConfigurationError, DiskFull, StorageError, StorageUnavailable
from autonomy.storage import postgres
from autonomy.storage.database import Database, Tx
from tests.commands import until
from tests.databases import Databases
from tests.storage.limits import small_disk


@pytest.fixture
def url(postgres_databases: Databases) -> str:
    return postgres_databases.new()


def pid(tx: Tx) -> int:
    return int(tx.value("SELECT pg_backend_pid()"))


def end(server: Any, backend: int) -> None:
    """End the connection as an administrator does, and wait until it is gone."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", (backend,))


def put(user: str) -> Any:
    return lambda tx: tx.run("INSERT INTO lane (user_id) VALUES (:user)", user=user)


def users(tx: Tx) -> list[str]:
    return [row[0] for row in tx.tuples("SELECT user_id FROM lane ORDER BY user_id")]


def attempt(database: Database, user: str) -> bool:
    try:
        database.write(put(user))
    except StorageUnavailable:
        return False
    return True


def test_the_writer_outlives_its_connection_and_says_the_truth_about_each_write(postgres_server: Any, url: str) -> None:
    with Database(url) as database:
        database.write(put("first"))
        end(postgres_server, database.write(pid))
        told = {user: attempt(database, user) for user in ("a", "b", "c")}
        assert told["b"]
        assert told["c"]
        assert database.read(users) == sorted(["first", *(user for user, done in told.items() if done)])


def test_a_connection_that_ends_inside_a_transaction_takes_the_transaction_with_it(postgres_server: Any, url: str) -> None:
    with Database(url) as database:

        def cut(tx: Tx) -> None:
            put("half")(tx)
            end(postgres_server, pid(tx))
            put("never")(tx)

        with pytest.raises(StorageUnavailable):
            database.write(cut)
        database.write(put("after"))
        assert database.read(users) == ["after"]


@pytest.mark.parametrize("rows", [("frozen",), ("frozen", "stiff")], ids=["after one row", "after many at once"])
def test_what_a_frozen_process_holds_is_free_after_its_idle_time_and_what_it_had_begun_is_undone(
    url: str, rows: tuple[str, ...]
) -> None:
    held, free = threading.Event(), threading.Event()

    def freeze(tx: Tx) -> None:
        put("same")(tx)
        tx.many("INSERT INTO lane (user_id) VALUES (:user)", [{"user": user} for user in rows])
        held.set()
        assert free.wait(60)
        put("woken")(tx)

    with Database(url, idle_seconds=1) as frozen, Database(url) as other:
        half = frozen.submit(freeze)
        assert held.wait(60)
        other.write(put("same"))  # waits for the row of the same name
        free.set()
        with pytest.raises(StorageUnavailable):
            half.result()
        assert other.read(users) == ["same"]


def test_no_write_that_was_acknowledged_is_lost_when_connections_end_under_many_threads(postgres_server: Any, url: str) -> None:
    with Database(url) as database:
        backend = database.write(pid)
        told: dict[str, bool] = {}

        def work(name: str) -> None:
            for number in range(30):
                told[f"{name}{number:02}"] = attempt(database, f"{name}{number:02}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        end(postgres_server, backend)
        for thread in threads:
            thread.join()
        # A commit whose answer was cut off may have happened: what was refused may be there, never the other way round.
        assert {user for user, done in told.items() if done} <= set(database.read(users)) <= set(told)
        assert sum(told.values()) > 60


def test_a_reader_whose_connection_was_ended_is_told_once_and_then_reads_again(postgres_server: Any, url: str) -> None:
    with Database(url) as database:
        end(postgres_server, database.read(pid))
        with pytest.raises(StorageUnavailable):
            database.read(users)
        assert database.read(users) == []


def test_a_database_that_is_not_there_and_a_server_that_is_not_there_are_told_apart(postgres_server: Any) -> None:
    with Database(postgres_server.get_uri(database="nowhere")) as database:
        with pytest.raises(ConfigurationError) as raised:
            database.read(users)
        assert raised.value.hint == "Check AUTONOMY_DATABASE_URL."
    with Database("postgresql://user:hunter2@127.0.0.1:9/none") as database:
        with pytest.raises(StorageUnavailable) as refused:
            database.write(put("x"))
        assert "hunter2" not in str(refused.value) + (refused.value.hint or "") + repr(refused.value.__dict__)


def test_a_refused_statement_keeps_the_connection(url: str) -> None:
    with Database(url) as database:
        before = database.write(pid)
        with pytest.raises(StorageError, match="the database refused"):
            database.write(lambda tx: tx.run("SELECT 1 / 0"))
        assert database.write(pid) == before


FILL = "INSERT INTO big SELECT repeat('x', 7000) FROM generate_series(1, :rows)"


def test_a_server_without_room_is_told_as_a_full_disk_and_works_again_once_there_is_room(
    postgres_server: Any, url: str
) -> None:
    """Not below pytest's folder, which the server's user may not enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        with psycopg.connect(url) as connection:
            data = connection.execute("SHOW data_directory").fetchall()[0][0]
        with small_disk(folder / "disk", 2 << 20) as disk, Database(url) as database:
            owner = Path(data).stat()
            place = disk / "space"
            place.mkdir(mode=0o700)
            os.chown(place, owner.st_uid, owner.st_gid)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
                connection.execute("CREATE TABLE big (x text STORAGE PLAIN) TABLESPACE small")
            try:
                with pytest.raises(DiskFull, match="no room left on its disk") as raised:
                    database.write(lambda tx: tx.run(FILL, rows=1000))
                assert "autonomy run resume" in raised.value.hint
                database.write(lambda tx: tx.run("TRUNCATE big"))
                assert database.write(lambda tx: tx.run(FILL, rows=10)) == 10
            finally:
                with psycopg.connect(url, autocommit=True) as connection:
                    connection.execute("DROP TABLE big")
                    connection.execute("DROP TABLESPACE small")
    finally:
        shutil.rmtree(folder)


def test_a_server_whose_files_may_not_grow_is_told_as_full_too() -> None:
    error = psycopg.errors.InternalError_('could not extend file "base/5/1259": File too large')
    assert isinstance(postgres.translate_error(error), DiskFull)


def test_closing_leaves_no_connection_behind(postgres_server: Any, url: str) -> None:
    import psycopg

    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:

        def open_connections() -> int:
            found = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", (name,)).fetchone()
            return int(found[0]) if found else 0

        with Database(url) as database:
            database.write(put("x"))
            database.read(users)
            assert open_connections() == 2
        until(lambda: open_connections() == 0, "the server ends its side a moment after the client")


def test_without_the_driver_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    with pytest.raises(ConfigurationError) as raised:
        postgres.connect("postgresql://localhost/x")
    assert raised.value.hint == "From a checkout, run: pip install -e '.[pg]'"
