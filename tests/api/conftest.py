"""A server on each database; commands in processes of their own stand in `tests.stage`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.served import Served, settings
from tests.stage import _read, commands, fresh, on_sqlite, server, workspace

__all__ = ["_read", "commands", "fresh", "on_sqlite", "server", "workspace"]


@pytest.fixture
def served(tmp_path: Path, database_url: str) -> Iterator[Served]:
    """A server with an admin token and no workers; the test runs once on each database."""
    with Served(settings(tmp_path, database_url)) as up:
        yield up


@pytest.fixture
def admin(served: Served) -> Iterator[httpx.Client]:
    """The admin's client."""
    with served.client() as client:
        yield client
