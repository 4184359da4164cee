"""Whether a SQLite file is sound: its pages are read, and the first thing that is wrong with them is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autonomy.core.errors import ConfigurationError
from autonomy.storage import sqlite
from autonomy.storage.database import Database, Tx

WHOLE_BYTES = 2 << 30
"""A larger file is not read whole by a command that only looks: it would take minutes."""
SMALL_TABLES = ("run", "job", "lane", "artifact")
"""What is looked at in a larger file: without these no run goes on."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was looked at, in words, and the first flaw that was found there; empty where all is well."""

    what: str
    flaw: str = ""


def look(database: Database) -> Look:
    """Look at every page of a SQLite file, or at the small tables of one of more than `WHOLE_BYTES` bytes.

    A server's database is its server's own care: nothing is looked at there.
    """
    if database.path is None:
        return Look("")
    size = database.path.stat().st_size
    whole = size <= WHOLE_BYTES
    try:
        flaw = database.read(lambda tx: _flaw(tx, () if whole else SMALL_TABLES))
    except ConfigurationError as error:
        flaw = error.message
    if whole:
        return Look("every page looked at", flaw)
    return Look(f"of its {size / 1e9:.1f} GB only runs and jobs looked at ('autonomy db backup' looks at all)", flaw)


def _flaw(tx: Tx, tables: tuple[str, ...]) -> str:
    known = [table for table in tables if tx.value("SELECT count(*) FROM sqlite_master WHERE name = :name", name=table)]
    return first_flaw(tx.connection, *known)


def first_flaw(connection: Any, *tables: str) -> str:
    """The first thing that is wrong in the file, or only in the tables named; empty where it is sound.

    Raises the driver's error where SQLite cannot even look.
    """
    for pragma in [f"PRAGMA quick_check('{table}')" for table in tables] or ["PRAGMA quick_check(1)"]:
        told = str(connection.execute(pragma).fetchone()[0])
        if told != "ok":
            return " ".join(line for line in told.splitlines() if not line.startswith("***"))
    return ""


def damaged(path: object, flaw: str) -> ConfigurationError:
    """What a file that is not sound means for whoever wanted to use it."""
    return ConfigurationError(f"{path} is not a sound SQLite database ({flaw})", sqlite.RESTORE)
