"""The few sentences in which SQLite and PostgreSQL differ.

Shared SQL is written once with `:name` parameters (or `?` where it is put together for many rows, never both) and the
words `now_us()` (the database's clock in microseconds). psycopg wants `%(name)s` and `%s`; the translation is cached per
statement, so the hot path pays a dictionary look-up.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Literal

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)")
_PG_NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"


@dataclass(frozen=True, slots=True)
class Dialect:
    """`skip_locked` closes a claim's inner SELECT; `lock` makes a SELECT keep its row; both are empty on SQLite,
    whose write transactions exclude each other."""

    name: Literal["sqlite", "postgresql"]
    skip_locked: str
    lock: str

    def translate(self, sql: str) -> str:
        """The driver's own words for a shared statement."""
        return sql if self.name == "sqlite" else _to_psycopg(sql)


@functools.cache
def _to_psycopg(sql: str) -> str:
    words = _PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%")).replace("now_us()", _PG_NOW)
    return words.replace("?", "%s")


SQLITE = Dialect("sqlite", "", "")
POSTGRESQL = Dialect("postgresql", "FOR UPDATE SKIP LOCKED", "FOR UPDATE")
