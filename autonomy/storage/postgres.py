"""The PostgreSQL driver (psycopg 3, the `pg` extra): connections, notifications and how its errors are named."""

from __future__ import annotations

import importlib
from typing import Any

from autonomy.core.errors import ConfigurationError, DiskFull, StorageError, StorageUnavailable

CHANNEL = "autonomy"
REFUSED = ("does not exist", "authentication failed", "no pg_hba.conf entry", "no password supplied", "permission denied")
"""What a server says at the door; libpq hands a failed login on without its code."""
NO_ROOM = ("No space left on device", "File too large", "Disk quota exceeded")
"""How a server's system says so; only the first of them has a code of its own (53100)."""

CREATE_VECTOR = "Once, as a superuser in that database, run: CREATE EXTENSION vector; then 'autonomy db upgrade'."
INSTALL_VECTOR = "Install pgvector on the server."


def library() -> Any:
    """psycopg, or a configuration error that says how to get it."""
    try:
        return importlib.import_module("psycopg")
    except ModuleNotFoundError:
        raise ConfigurationError("PostgreSQL needs the 'pg' extra", "From a checkout, run: pip install -e '.[pg]'") from None


def connect(url: str, idle_seconds: float = 60.0) -> Any:
    """An autocommit connection; transactions are opened by hand, and the server ends one that is idle for so long."""
    psycopg = library()
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
        connection.execute("SET application_name = 'autonomy'")
        # A process frozen inside a transaction must not hold others' rows for ever.
        connection.execute(f"SET idle_in_transaction_session_timeout = '{round(idle_seconds * 1000)}ms'")
        connection.execute("SET lock_timeout = '30s'")
    except psycopg.Error as error:
        raise translate_error(error) from error
    return connection


def translate_error(error: Exception) -> StorageError | ConfigurationError:
    """A driver's error as one of ours, saying what to do next; never the URL, which may hold a password."""
    psycopg = library()
    state = getattr(error, "sqlstate", None) or ""
    if state == "53100" or any(words in str(error) for words in NO_ROOM):
        hint = "Free some space there, then 'autonomy run resume'."
        return DiskFull("the PostgreSQL server has no room left on its disk", hint)
    if state == "25006":
        return ConfigurationError("the PostgreSQL database is read-only", "Point AUTONOMY_DATABASE_URL at the primary.")
    at_the_door = not state and isinstance(error, psycopg.OperationalError) and any(words in str(error) for words in REFUSED)
    if at_the_door or state.startswith(("28", "3D")):
        return ConfigurationError("PostgreSQL refused the login or has no such database", "Check AUTONOMY_DATABASE_URL.")
    if state == "42P01":
        return ConfigurationError("the PostgreSQL database has no tables yet", "Run 'autonomy db upgrade'.")
    if 'extension "vector"' in str(error) and state == "42501":
        return ConfigurationError("the database lacks the extension 'vector', and this role may not create it", CREATE_VECTOR)
    if 'extension "vector"' in str(error):
        return ConfigurationError("the PostgreSQL server does not offer the extension 'vector'", INSTALL_VECTOR)
    if state == "42501":
        first = str(error).splitlines()[0]
        hint = "As the owner of that database, grant this role what it needs, or make it the owner."
        return ConfigurationError(f"the PostgreSQL role may not do this: {first}", hint)
    if isinstance(error, psycopg.OperationalError) or state == "25P03":  # it ended a transaction that was idle for too long
        hint = "Check the server and AUTONOMY_DATABASE_URL."
        return StorageUnavailable("PostgreSQL cannot be reached or closed the connection", hint)
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return StorageError(f"the database refused: {first}", "See 'autonomy doctor'.")
