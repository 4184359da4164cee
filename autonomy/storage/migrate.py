"""Schema upgrades: by themselves on first use with SQLite, by `autonomy db upgrade` on PostgreSQL.

`HEAD` is a constant so that an ordinary start compares one row and imports neither Alembic nor SQLAlchemy; a test holds
it against the scripts. Processes that start together on an empty database wait for each other (a lock file beside the
SQLite file, an advisory lock on PostgreSQL), so one schema is made.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from autonomy.core.errors import AutonomyError, ConfigurationError, DiskFull, NewerSchema
from autonomy.storage import postgres, sqlite
from autonomy.storage.database import Database, Tx, parse_url

HEAD = "0004"
ADVISORY_LOCK = 7_305_441_202
State = Literal["empty", "older", "current", "newer"]


def scripts() -> Path:
    """Where the migrations stand: inside an installed wheel, or the checkout's own folder."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def revision(database: Database) -> str | None:
    """The database's revision, None when it has no tables yet."""

    def look(tx: Tx) -> str | None:
        if tx.dialect.name == "sqlite":
            there = tx.value("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'")
        else:
            there = tx.value("SELECT to_regclass('alembic_version') IS NOT NULL")
        return str(tx.value("SELECT version_num FROM alembic_version")) if there else None

    return database.read(look)


def state(database: Database) -> State:
    """How the schema stands to this release. Revisions are zero-padded numbers, so they compare as text."""
    found = revision(database)
    if found is None:
        return "empty"
    if found == HEAD:
        return "current"
    return "newer" if found > HEAD else "older"


def ensure(database: Database) -> None:
    """Make an embedded database current; refuse a newer one, and a PostgreSQL that nobody upgraded."""
    found = state(database)
    if found == "current":
        return
    if found == "newer":
        raise _newer(database)
    if database.path is None:
        raise ConfigurationError("the PostgreSQL database is not up to date", "Run 'autonomy db upgrade' once.")
    upgrade(database)


def upgrade(database: Database) -> str:
    """Bring the schema to HEAD under a lock; returns the revision. Does nothing when it is current."""
    if database.path is not None:
        filelock = importlib.import_module("filelock")
        with filelock.FileLock(f"{database.path}.migrate.lock", timeout=120):
            if state(database) in ("empty", "older"):
                _run(_sqlite_engine(database.path), database.path)
    else:
        _upgrade_postgres(database.url)
    found = state(database)
    if found == "newer":
        raise _newer(database)
    return HEAD


def _newer(database: Database) -> NewerSchema:
    return NewerSchema(
        f"the database has schema {revision(database)}, this release knows {HEAD}",
        "Use the newer release, or another AUTONOMY_HOME.",
    )


def _upgrade_postgres(url: str) -> None:
    connection = postgres.connect(url)
    try:
        connection.execute("SET lock_timeout = '120s'")
        connection.execute("SELECT pg_advisory_lock(%s)", (ADVISORY_LOCK,))
        with Database(url) as database:
            if state(database) in ("empty", "older"):
                _run(_postgres_engine(url), None)
    except postgres.library().Error as error:
        raise postgres.translate_error(error) from error
    finally:
        connection.close()


def _sqlite_engine(path: Path) -> Any:
    sqlalchemy = importlib.import_module("sqlalchemy")
    options = {"module": sqlite.library(), "poolclass": sqlalchemy.pool.NullPool}
    return sqlalchemy.create_engine("sqlite://", creator=lambda: sqlite.connect(path), **options)


def _postgres_engine(url: str) -> Any:
    postgres.library()
    sqlalchemy = importlib.import_module("sqlalchemy")
    # PostgreSQL's own spelling of the URL stays with psycopg: it knows every form of it.
    connect = postgres.library().connect
    return sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: connect(url), poolclass=sqlalchemy.pool.NullPool)


def _refused(origin: Exception, path: Path | None) -> AutonomyError:
    if path is None:
        return postgres.translate_error(origin)
    told = sqlite.translate_error(origin, path)
    if isinstance(told, DiskFull):
        return told
    hint = "Make the workspace writable, or restore the database."
    return ConfigurationError(f"the schema cannot be upgraded: {origin}", hint)


@contextlib.contextmanager
def transaction(url: str) -> Iterator[Any]:
    """An SQLAlchemy connection in one transaction, committed at the end: what Alembic's own command line migrates with."""
    plain_url, path = parse_url(url)
    with _transaction(_postgres_engine(plain_url) if path is None else _sqlite_engine(path)) as connection:
        yield connection


@contextlib.contextmanager
def _transaction(engine: Any) -> Iterator[Any]:
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield connection
            connection.commit()
            if engine.dialect.name == "sqlite" and connection.connection.driver_connection.in_transaction:
                connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()


def _run(engine: Any, path: Path | None) -> None:
    command = importlib.import_module("alembic.command")
    config = importlib.import_module("alembic.config").Config()
    config.set_main_option("script_location", str(scripts()).replace("%", "%%"))
    sqlalchemy = importlib.import_module("sqlalchemy")
    try:
        with _transaction(engine) as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sqlalchemy.exc.DBAPIError as error:
        raise _refused(error.orig if isinstance(error.orig, Exception) else error, path) from error


__all__ = ["HEAD", "ensure", "parse_url", "revision", "scripts", "state", "transaction", "upgrade"]
