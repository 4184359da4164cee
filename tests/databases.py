"""Migrated PostgreSQL databases, used again where that is safe: making one costs more than most tests do."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from autonomy.storage import migrate

_numbers = itertools.count(1)
GONE_SECONDS = 0.1
"""How long a server may take to notice that a client has left; who is still there then is no client that has left."""
_RELATIONS = "SELECT oid::bigint, relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
_OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass
class Databases:
    """Copies of the database `migrated` on one server. What a test leaves behind is deleted before the next one looks.

    A database comes back only when nobody is connected to it any more and its tables are the ones that it was made with.
    """

    server: Any
    _idle: list[str] = field(default_factory=list)
    _made_with: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    def take(self) -> str:
        """The URL of an empty, migrated database."""
        name = self._idle.pop() if self._idle else self._new()
        return self._url(name)

    def give_back(self, url: str) -> None:
        """The test that took it has ended."""
        import psycopg

        name = next(each for each in self._made_with if self._url(each) == url)
        with psycopg.connect(url, autocommit=True) as connection:
            deadline = time.monotonic() + GONE_SECONDS
            while connection.execute(_OTHERS).fetchone() != (0,):
                if time.monotonic() > deadline:
                    return
            if connection.execute(_RELATIONS).fetchall() != self._made_with[name]:
                return
            connection.execute(self._clean(connection))
        self._idle.append(name)

    def _new(self) -> str:
        import psycopg

        name = f"test_{next(_numbers)}"
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
        with psycopg.connect(self._url(name), autocommit=True) as connection:
            self._made_with[name] = connection.execute(_RELATIONS).fetchall()
        return name

    def _url(self, name: str) -> str:
        url: str = self.server.get_uri(database=name)
        return url

    @staticmethod
    def _clean(connection: Any) -> str:
        """The statements that leave every table empty and every counter at its start."""
        kinds = "SELECT relkind::text, quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        found = connection.execute(f"{kinds} AND relkind IN ('r', 'S')").fetchall()
        statements = [f"DELETE FROM {name}" if kind == "r" else f"ALTER SEQUENCE {name} RESTART" for kind, name in found]
        return "; ".join([*statements, f"INSERT INTO alembic_version VALUES ('{migrate.HEAD}')"])


def new_database(server: Any) -> str:
    """The URL of a fresh copy of the migrated template that nobody uses again."""
    return Databases(server).take()
