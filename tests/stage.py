"""Fixtures of the rooms that work with real processes: commands, a workspace on each database, a scripted model server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.providers.scripted import ScriptedServer
from tests.commands import CORPUS, Commands, FreshCommands, Workspace, copy_template

GOAL = "How do leases and fencing keep a job queue safe"


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Commands forked from one process that has imported everything."""
    with Commands(tmp_path_factory.mktemp("commands")) as started:
        yield started


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshCommands]:
    """Commands that are new interpreters."""
    with FreshCommands(tmp_path_factory.mktemp("fresh")) as started:
        yield started


@pytest.fixture
def workspace(tmp_path: Path, database_url: str) -> Workspace:
    """An empty workspace with an empty, migrated database; the test runs once on each kind."""
    return Workspace.make(tmp_path / "workspace", database_url)


@pytest.fixture(scope="session")
def _read(commands: Commands, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A SQLite workspace whose corpus has been read."""
    made = Workspace.make(tmp_path_factory.mktemp("read") / "workspace")
    copy_template(sqlite_template, made.home)
    ended = commands.run(made, "run", "start", GOAL, "--corpus", str(CORPUS), "--detach", "--json")
    assert ended.code == 0, ended.err
    assert commands.run(made, "run", "abort", ended.document["run_id"]).code == 0
    return made


@pytest.fixture
def on_sqlite(_read: Workspace, tmp_path: Path) -> Workspace:
    """A workspace on SQLite for what does not depend on the database; the corpus has been read, and no run is open."""
    copied = Workspace.make(tmp_path / "workspace")
    copy_template(_read.home / "autonomy.db", copied.home)
    return copied


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A model server that answers well; a test may replace its script."""
    with ScriptedServer() as started:
        yield started
