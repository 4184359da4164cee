"""The PostgreSQL databases that tests share: one that was used is like a new one, or it is not used again."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from autonomy.runtime import events, queue, runs
from autonomy.storage.database import Database, Tx
from tests.commands import until
from tests.databases import GROWTH, Databases


@pytest.fixture
def databases(postgres_server: Any) -> Databases:
    return Databases(postgres_server)


def use(url: str) -> None:
    """Leave rows in several tables, and counters that have gone on."""

    def write(tx: Tx) -> None:
        runs.create(tx, runs.NewRun("user", "write", "goal", {}, "", "c", id="left"))
        queue.enqueue_start(tx, "left")
        events.append(tx, "left", [("decision", "act", {})], epoch=0)
        tx.run("UPDATE alembic_version SET version_num = 'another'")

    with Database(url) as database:
        database.write(write)


def contents(url: str) -> dict[str, Any]:
    """All rows, and where each counter stands."""
    with psycopg.connect(url) as connection:
        found = "SELECT quote_ident(relname), relkind::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        named = connection.execute(f"{found} AND relkind IN ('r', 'S') ORDER BY 1").fetchall()
        chosen = {name: "last_value, is_called" if kind == "S" else "*" for name, kind in named}
        return {name: connection.execute(f"SELECT {what} FROM {name}").fetchall() for name, what in chosen.items()}


def alone(server: Any, url: str) -> None:
    """Wait until the server has noticed that everybody left: it does so a moment after the client."""
    name = urlsplit(url).path.removeprefix("/")
    there = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        until(lambda: connection.execute(there, (name,)).fetchone() == (0,), f"all leave {name}")


def test_a_database_that_was_left_is_lent_again_and_holds_what_a_new_one_holds(
    postgres_server: Any, databases: Databases
) -> None:
    with databases.lent() as one:
        fresh = contents(one)
        use(one)
        assert contents(one) != fresh
    alone(postgres_server, one)
    with databases.lent() as two:
        assert two == one
        assert contents(two) == fresh == contents(databases.new())


def test_two_tests_at_once_have_different_databases(databases: Databases) -> None:
    with databases.lent() as one, databases.lent() as two:
        assert one != two


def test_a_database_that_somebody_is_still_connected_to_waits_until_he_has_gone(
    postgres_server: Any, databases: Databases
) -> None:
    with databases.lent() as one:
        pass
    with psycopg.connect(one), databases.lent() as two:
        assert two != one
    alone(postgres_server, one)
    with databases.lent() as three:
        assert three == one


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE checkpoint",
        "CREATE TABLE another (x integer)",
        "ALTER TABLE run ADD COLUMN another integer",
        "CREATE INDEX another ON run (goal)",
        f"INSERT INTO lane (user_id) SELECT n::text FROM generate_series(1, {GROWTH // 32}) AS n",
    ],
)
def test_a_database_that_was_changed_is_not_lent_again(postgres_server: Any, databases: Databases, change: str) -> None:
    with databases.lent() as one, psycopg.connect(one) as connection:
        connection.execute(change)
    alone(postgres_server, one)
    with databases.lent() as two:
        assert two != one
