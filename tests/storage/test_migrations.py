"""The migrations make exactly the declared tables, once, whoever starts first and whatever dies on the way."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from autonomy.core.errors import ConfigurationError, NewerSchema
from autonomy.storage import migrate, sqlite, tables
from autonomy.storage.database import Database, Tx

ROOT = Path(__file__).parents[2]
METADATA = tables.Run.metadata
FULL_TEXT = "chunk_fts"
_numbers = itertools.count(1)


def fresh(request: pytest.FixtureRequest, kind: str) -> str:
    """The URL of a new database without tables."""
    if kind == "sqlite":
        return f"sqlite:///{request.getfixturevalue('tmp_path') / 'empty.db'}"
    import psycopg

    server = request.getfixturevalue("postgres_server")
    name = f"empty_{next(_numbers)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return str(server.get_uri(database=name))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without tables; the test runs once on each kind."""
    return fresh(request, request.param)


def engine(database: Database) -> Any:
    """An SQLAlchemy engine as the migrations use it."""
    return migrate._sqlite_engine(database.path) if database.path else migrate._postgres_engine(database.url)


def race(mode: str, url: str, *numbers: int) -> list[str]:
    """What `tests.storage.race` printed."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.race", mode, url, *map(str, numbers)],
        cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


# -- equal to the declared tables ---------------------------------------------------------------------


def test_an_upgraded_database_has_the_declared_tables_and_no_others(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def ours(thing: Any, name: str | None, kind: str, reflected: bool, compared: Any) -> bool:
        return not (name or "").startswith(FULL_TEXT) and name != "ix_chunk_terms"

    made = engine(database)
    with made.connect() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "include_object": ours}
        )
        assert compare_metadata(context, METADATA) == []
    made.dispose()


SQLITE_SCHEMA = (
    'SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk FROM sqlite_master m, pragma_table_xinfo(m.name) c '
    "WHERE m.type = 'table' AND m.name NOT LIKE 'chunk_fts%' AND m.name <> 'alembic_version' ORDER BY 1, 2",
    'SELECT m.name, i."unique", i.origin, i.partial, group_concat(x.name), '
    "coalesce((SELECT substr(sql, instr(sql, 'WHERE')) FROM sqlite_master WHERE name = i.name AND i.partial), '') "
    "FROM sqlite_master m, pragma_index_list(m.name) i, pragma_index_info(i.name) x WHERE m.type = 'table' "
    "AND m.name NOT LIKE 'chunk_fts%' AND m.name <> 'alembic_version' GROUP BY m.name, i.name ORDER BY 1, 5, 6, 2",
    "SELECT name, tbl_name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1",
)
POSTGRESQL_SCHEMA = (
    "SELECT table_name, column_name, data_type, udt_name, character_maximum_length, is_nullable, column_default, "
    "collation_name, is_identity FROM information_schema.columns WHERE table_schema = 'public' "
    "AND table_name <> 'alembic_version' ORDER BY 1, 2",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version' "
    "AND indexname <> 'ix_chunk_terms' ORDER BY 1",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace AND conrelid <> 0 AND conrelid <> 'alembic_version'::regclass ORDER BY 1, 2",
)


def test_tables_made_by_the_migrations_and_by_the_declarations_are_the_same_to_the_last_default(
    database: Database, request: pytest.FixtureRequest
) -> None:
    """Where Alembic's own comparison does not look: partial indexes, collations, keys, column defaults."""
    declared = Database(fresh(request, database.dialect.name))
    made = engine(declared)
    with made.begin() as connection:
        if made.dialect.name == "postgresql":
            connection.exec_driver_sql("CREATE EXTENSION vector")
            connection.exec_driver_sql("CREATE TABLE alembic_version (version_num text)")
        METADATA.create_all(connection)
    made.dispose()
    statements = SQLITE_SCHEMA if declared.path else POSTGRESQL_SCHEMA
    wanted = declared.read(lambda tx: [tx.tuples(statement) for statement in statements])
    assert min(len(rows) for rows in wanted) > 5
    assert database.read(lambda tx: [tx.tuples(statement) for statement in statements]) == wanted
    declared.close()


def test_the_constant_is_the_scripts_only_head_and_revisions_compare_as_text() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(migrate.scripts()))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrate.HEAD]
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert all(len(revision) == 4 and revision.isdigit() for revision in revisions)
    assert revisions == sorted(revisions, reverse=True)


def test_alembics_own_command_line_works_on_the_database_of_the_environment(empty_url: str, tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "AUTONOMY_HOME": str(tmp_path), "AUTONOMY_DATABASE_URL": empty_url}

    def alembic(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), *words]
        return subprocess.run(
            command, cwd=tmp_path, env=environ | more, capture_output=True, text=True, timeout=120, check=False
        )

    done = alembic("upgrade", "head")
    assert done.returncode == 0, done.stderr
    with Database(empty_url) as database:
        assert migrate.state(database) == "current"
        assert database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')")) == 1
    if empty_url.startswith("sqlite"):
        refused = alembic("current", AUTONOMY_DATABASE_URL="nonsense")
        assert refused.returncode != 0
        assert "AUTONOMY_DATABASE_URL is neither" in refused.stdout + refused.stderr
        assert "Traceback" not in refused.stderr


# -- first use ----------------------------------------------------------------------------------------


def test_an_upgrade_of_an_empty_database_ends_at_the_head_and_a_second_does_nothing(empty_url: str) -> None:
    with Database(empty_url) as database:
        assert migrate.state(database) == "empty"
        assert migrate.upgrade(database) == migrate.HEAD
        assert migrate.state(database) == "current"
        before = database.read(_objects)
        migrate.upgrade(database)
        migrate.ensure(database)
        assert database.read(_objects) == before


def _objects(tx: Tx) -> list[tuple[Any, ...]]:
    if tx.dialect.name == "sqlite":
        return tx.tuples("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")
    return tx.tuples("SELECT oid::bigint, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1")


def test_first_use_makes_the_tables_of_an_embedded_database_and_asks_on_a_server(empty_url: str) -> None:
    with Database(empty_url) as database:
        if database.path is not None:
            migrate.ensure(database)
            assert migrate.state(database) == "current"
            return
        with pytest.raises(ConfigurationError) as raised:
            migrate.ensure(database)
        assert raised.value.hint == "Run 'autonomy db upgrade' once."
        with pytest.raises(ConfigurationError, match="no tables yet"):
            database.read(lambda tx: tx.value("SELECT count(*) FROM run"))
        assert migrate.state(database) == "empty"


def test_a_schema_from_a_newer_release_is_refused_and_left_as_it_is(database: Database) -> None:
    database.write(lambda tx: tx.run("UPDATE alembic_version SET version_num = '9999'"))
    before = database.read(_objects)
    assert migrate.state(database) == "newer"
    for act in (migrate.ensure, migrate.upgrade):
        with pytest.raises(NewerSchema, match=f"has schema 9999, this release knows {migrate.HEAD}"):
            act(database)
    assert database.read(_objects) == before


def test_an_upgrade_says_what_is_wrong_when_foreign_tables_are_in_the_way(empty_url: str) -> None:
    with Database(empty_url) as database:
        database.write(lambda tx: tx.run("CREATE TABLE run (somebody_elses integer)"))
        before = database.read(_objects)
        with pytest.raises(Exception, match="already exists") as raised:
            migrate.upgrade(database)
        assert raised.type.__module__ == "autonomy.core.errors"
        assert database.read(_objects) == before


# -- many at once, and deaths -------------------------------------------------------------------------


def test_ten_processes_that_start_at_once_make_one_schema(empty_url: str) -> None:
    assert race("together", empty_url, 10) == [migrate.HEAD] * 10
    with Database(empty_url) as database:
        assert migrate.state(database) == "current"
        assert database.read(lambda tx: tx.tuples("SELECT version_num FROM alembic_version")) == [(migrate.HEAD,)]
        assert database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES ('a')")) == 1


def test_an_upgrade_that_is_killed_leaves_nothing_half_made_and_the_next_one_succeeds(empty_url: str) -> None:
    assert race("killed", empty_url, 2, 5, 12, 25, 38) == ["empty"] * 5
    with Database(empty_url) as database:
        assert database.read(_objects) == []
        assert migrate.upgrade(database) == migrate.HEAD


def test_the_scripts_of_a_checkout_are_its_migrations_folder() -> None:
    assert migrate.scripts() == ROOT / "migrations"


def test_the_scripts_inside_a_package_go_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "autonomy"
    (package / "_migrations").mkdir(parents=True)
    (package / "storage").mkdir()
    monkeypatch.setattr(migrate, "__file__", str(package / "storage" / "migrate.py"))
    assert migrate.scripts() == package / "_migrations"


def test_a_percent_sign_in_the_path_is_only_a_percent_sign(tmp_path: Path) -> None:
    folder = tmp_path / "50%(here)s"
    folder.mkdir()
    with Database(f"sqlite:///{folder}/autonomy.db") as database:
        migrate.ensure(database)
        assert migrate.state(database) == "current"


def test_the_older_library_makes_the_same_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sqlite3

    schemas = []
    for name in ("current", "standard"):
        if name == "standard":
            monkeypatch.setattr(sqlite, "library", lambda: sqlite3)
        with Database(f"sqlite:///{tmp_path / name}.db") as database:
            migrate.ensure(database)
            schemas.append([row for row in database.read(_objects) if "sqlite_" not in row[1]])
    assert schemas[0] == schemas[1]
