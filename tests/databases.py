"""Migrated PostgreSQL databases. One that a test has left is emptied for another: a new one costs more than most tests do.

The invariant: a test cannot tell a database that was used from a new one. Used again is only what nobody is connected to,
is made of what the template is made of, and has not grown; rows, counters and statistics are then those of a new one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

TEMPLATE = "migrated"
_numbers = itertools.count(1)
GROWTH = 1 << 20
"""Bytes by which a database may outgrow the template before it is put aside: the room of deleted rows is read as well."""
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_SIZE = "SELECT pg_database_size(current_database())"
_MADE_OF = """
    SELECT relname, relkind::text, relnatts, relchecks, relhastriggers, relhasrules, relrowsecurity, reloptions FROM pg_class
    WHERE relnamespace = 'public'::regnamespace ORDER BY relname
"""
_TABLES = "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
_VERSION = "alembic_version"


class Databases:
    """The databases of one server on which the template stands already."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._left: list[str] = []
        with self._connected(server.get_uri(database=TEMPLATE)) as connection:
            self._made_of = connection.execute(_MADE_OF).fetchall()
            self._size = _value(connection, _SIZE)
            tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
            filled = [name for name in tables if _value(connection, f"SELECT EXISTS (SELECT FROM {name})")]
            assert filled == [_VERSION], f"the migrations fill {filled}: an emptied database must have these rows again"
            version = _value(connection, f"SELECT version_num FROM {_VERSION}")
        # Rows of all tables in any order: the keys between them are not looked at.
        self._empty = "; ".join(
            (
                "SET session_replication_role = replica",
                *(f"DELETE FROM {name}" for name in tables),
                f"INSERT INTO {_VERSION} VALUES ('{version}')",
                "SELECT setval(seqrelid, seqstart, false) FROM pg_sequence",
                "SELECT pg_stat_reset()",
            )
        )

    def new(self) -> str:
        """The URL of a copy of the template that is never used again."""
        name = f"test_{next(_numbers)}"
        with self._connected(self._server.get_uri()) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        url: str = self._server.get_uri(database=name)
        return url

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of an empty, migrated database, until the block ends."""
        url = self._used() or self.new()
        yield url
        self._left.append(url)

    def _used(self) -> str | None:
        """A database that was left, as good as new; the longest left comes first, its clients have surely gone."""
        for url in tuple(self._left):
            with self._connected(url) as connection:
                if _value(connection, _OTHERS):
                    continue
                self._left.remove(url)
                if connection.execute(_MADE_OF).fetchall() == self._made_of and (
                    _value(connection, _SIZE) < self._size + GROWTH
                ):
                    connection.execute(self._empty)
                    return url
        return None

    @staticmethod
    def _connected(url: str) -> psycopg.Connection[Any]:
        return psycopg.connect(url, autocommit=True)


def _value(connection: psycopg.Connection[Any], query: Any) -> Any:
    (value,) = connection.execute(query).fetchone() or (None,)
    return value
