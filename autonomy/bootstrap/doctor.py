"""Checks of this machine: each a plain finding (ok, warn or fail) with what to do about it. Changes nothing."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from autonomy.bootstrap import config
from autonomy.bootstrap.settings import Settings
from autonomy.core.counting import several
from autonomy.core.errors import AutonomyError, ConfigurationError, FlawedPolicy
from autonomy.journeys import policies
from autonomy.runtime import backlog
from autonomy.storage import migrate, postgres, sqlite
from autonomy.storage.database import Database, parse_url
from autonomy.storage.soundness import look

State = Literal["ok", "warn", "fail"]
MOST_NAMED = 3
LITTLE_DISK, NO_DISK = 1_000_000_000, 100_000_000
LOOPBACK = ("localhost", "127.0.0.1", "::1")
KNOCK_SECONDS = 2.0
EXTRAS = {
    "serve": ("fastapi", "the web API and the dashboard"),
    "pg": ("psycopg", "PostgreSQL"),
    "dev": ("pytest", "the project's own tests"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `fix` is empty when all is well."""

    name: str
    state: State
    text: str
    fix: str = ""


def examine(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every check, in the order a person would want to read them. Never raises for what it finds."""
    yield _python()
    yield _sqlite()
    yield _vectors()
    yield _full_text()
    try:
        settings = config.load(environ)
    except ConfigurationError as error:
        yield Finding("settings", "fail", error.message, error.hint)
        return
    yield Finding("settings", "ok", _files_read(settings))
    checks: tuple[Callable[[Settings], Finding], ...] = (_workspace, _policies, _disk, _database)
    for check in checks:
        yield check(settings)
    yield _queue(settings)
    if parse_url(settings.database_url)[1] is None:
        yield _pgvector(settings)
    yield from _providers(settings)
    yield _extras()


def _python() -> Finding:
    text = f"{platform.python_version()} ({platform.python_implementation()}, {platform.system()} {platform.machine()})"
    return Finding("python", "ok", text)


def _sqlite() -> Finding:
    library = sqlite.library()
    text = f"{library.sqlite_version} by {library.__name__.partition('.')[0]}"
    if sqlite.wal_is_safe(library.sqlite_version_info):
        return Finding("sqlite", "ok", f"{text}, has the WAL-reset fix")
    fix = "Install 'pysqlite3' where it has a wheel, or a Python with SQLite 3.51.3 or newer."
    return Finding("sqlite", "warn", f"{text}, without the WAL-reset fix: a rollback journal is used, which is slower", fix)


def _vectors() -> Finding:
    library = sqlite.library()
    connection = library.connect(":memory:")
    try:
        if sqlite.load_vectors(connection):
            return Finding("sqlite-vec", "ok", str(connection.execute("SELECT vec_version()").fetchone()[0]))
    finally:
        connection.close()
    fix = "Install 'sqlite-vec' and a SQLite that loads extensions ('pysqlite3')."
    return Finding("sqlite-vec", "warn", "cannot be loaded: vectors are compared in Python, which is slower", fix)


def _full_text() -> Finding:
    library = sqlite.library()
    connection = library.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE probe USING fts5(x)")
    except library.Error:
        return Finding("full text", "fail", "this SQLite has no FTS5", "Install 'pysqlite3', or use PostgreSQL.")
    finally:
        connection.close()
    return Finding("full text", "ok", "FTS5")


def _files_read(settings: Settings) -> str:
    places = [origin.split(" ", 2)[2] for origin in settings.origins.values() if " file " in origin]
    return ", ".join(dict.fromkeys(places)) or "defaults (no autonomy.toml)"


def _policies(settings: Settings) -> Finding:
    try:
        found = policies.read(settings.home)
    except FlawedPolicy as error:
        return Finding("policies", "fail", error.message, error.hint)
    set_there = sum(origin != "default" for _, _, origin in policies.stated(found))
    text = f"{several(set_there, 'value')} in {policies.FILE}" if set_there else f"defaults (no value in {policies.FILE})"
    return Finding("policies", "ok", text)


def _workspace(settings: Settings) -> Finding:
    home = settings.home
    try:
        if not os.path.lexists(home):
            return Finding("workspace", "ok", f"{home} (made by the first run)")
        config.check_workspace(home)
        with tempfile.TemporaryFile(dir=home):
            pass
    except AutonomyError as error:
        return Finding("workspace", "fail", error.message, error.hint)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return Finding("workspace", "fail", f"{home}: {reason}", "Set AUTONOMY_HOME to a folder of yours.")
    return Finding("workspace", "ok", f"{home}, can be written")


def _disk(settings: Settings) -> Finding:
    place = settings.home
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding("disk", "warn", f"free space unknown: {(error.strerror or '').lower()}", "Check the workspace.")
    text = f"{free / 1e9:,.1f} GB free"
    if free < NO_DISK:
        return Finding("disk", "fail", text, "Free some space.")
    return Finding("disk", "warn" if free < LITTLE_DISK else "ok", text, "Free some space." if free < LITTLE_DISK else "")


def _database(settings: Settings) -> Finding:
    shown = config.masked_url(settings.database_url)
    try:
        _, path = parse_url(settings.database_url)
        if path is not None and not path.exists():
            return Finding("database", "ok", f"{shown} (made by the first run)")
        with Database(settings.database_url, grow_wal=False) as database:
            state, looked = migrate.state(database), look(database)
    except AutonomyError as error:
        return Finding("database", "fail", error.message, error.hint)
    if looked.flaw:
        return Finding("database", "fail", f"{shown} is damaged: {looked.flaw}", sqlite.RESTORE)
    if state == "newer":
        return Finding(
            "database", "fail", f"{shown} belongs to a newer release", "Use the newer release, or another AUTONOMY_HOME."
        )
    if state != "current" and path is None:
        return Finding("database", "fail", f"{shown} has an {state} schema", "Run 'autonomy db upgrade'.")
    schema = f"schema {migrate.HEAD if state == 'current' else f'{state}, upgraded on first use'}"
    return Finding("database", "ok", ", ".join(filter(None, (shown, schema, looked.what))))


def _queue(settings: Settings) -> Finding:
    """Whether runs, jobs and lanes agree."""
    path = parse_url(settings.database_url)[1]
    if path is not None and not path.exists():
        return Finding("queue", "ok", "no run yet")
    try:
        with Database(settings.database_url, grow_wal=False) as database:
            state = migrate.state(database)
            if state != "current":
                return Finding("queue", "ok", f"not looked at: the schema is {state}")
            wrong = database.read(backlog.check)
    except AutonomyError as error:
        return Finding("queue", "fail", f"cannot be looked at: {error.message}", error.hint)
    if wrong:
        more = f" and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        fix = "A worker sets each right when it comes to it: 'autonomy worker --until-idle'."
        return Finding("queue", "warn", f"{'; '.join(wrong[:MOST_NAMED])}{more}", fix)
    return Finding("queue", "ok", "runs, jobs and lanes agree")


def _pgvector(settings: Settings) -> Finding:
    sql = """
        SELECT offered.default_version, offered.installed_version,
            role.rolsuper OR NOT made.superuser OR (made.trusted AND has_database_privilege(current_database(), 'CREATE'))
        FROM pg_available_extensions AS offered
        JOIN pg_available_extension_versions AS made ON made.name = offered.name AND made.version = offered.default_version
        CROSS JOIN pg_roles AS role WHERE offered.name = 'vector' AND role.rolname = current_user
    """
    try:
        connection = postgres.connect(settings.database_url)
        try:
            row: Any = connection.execute(sql).fetchone()
        finally:
            connection.close()
    except AutonomyError as error:
        return Finding("pgvector", "fail", error.message, error.hint)
    if row is None:
        return Finding("pgvector", "fail", "the server does not offer it", postgres.INSTALL_VECTOR)
    offered, installed, may_create = row
    if installed is None and not may_create:
        return Finding("pgvector", "fail", "not in this database, and this role may not create it", postgres.CREATE_VECTOR)
    return Finding("pgvector", "ok", str(installed or f"{offered}, created by 'autonomy db upgrade'"))


def _providers(settings: Settings) -> Iterator[Finding]:
    for entry in settings.providers:
        name = f"provider {entry.name}"
        try:
            resolved = entry.resolve()
        except AutonomyError as error:
            yield Finding(name, "warn", error.message, error.hint)
            continue
        yield _provider(name, f"{resolved.model} at {config.masked_url(resolved.base_url)}", resolved.base_url)
    note = "" if settings.providers else "; no model is configured, which is fine"
    yield Finding("provider extractive", "ok", f"built in, needs no key{note}")


def _provider(name: str, shown: str, base_url: str) -> Finding:
    """A service on this machine is knocked at; another is left alone, since a proxy or a price may stand between."""
    where = urlsplit(base_url)
    if where.hostname not in LOOPBACK:
        return Finding(name, "ok", f"{shown}, not contacted")
    try:
        port = where.port or (443 if where.scheme == "https" else 80)
        socket.create_connection((where.hostname, port), timeout=KNOCK_SECONDS).close()
    except OSError:
        return Finding(name, "warn", f"{shown}: nothing listens there", "Start the service, or correct its base_url.")
    return Finding(name, "ok", f"{shown}, it listens")


def _extras() -> Finding:
    have = [name for name, (module, _) in EXTRAS.items() if importlib.util.find_spec(module) is not None]
    lack = [f"{name} (for {use})" for name, (_, use) in EXTRAS.items() if name not in have]
    return Finding(
        "extras", "ok", "; ".join([f"installed: {', '.join(have) or 'none'}", *([f"not: {', '.join(lack)}"] if lack else [])])
    )


def usable(findings: list[Finding]) -> bool:
    """Whether nothing stands in the way of a run."""
    return all(finding.state != "fail" for finding in findings)
