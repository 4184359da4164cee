"""Fixtures of the rooms that work with real processes: commands, a workspace on each database, a scripted model server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.providers.scripted import ScriptedServer
from tests.commands import Commands, FreshCommands, Workspace

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


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A model server that answers well; a test may replace its script."""
    with ScriptedServer() as started:
        yield started
