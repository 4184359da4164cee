"""A log in a temporary folder over each database."""

from __future__ import annotations

from pathlib import Path

import pytest

from autonomy.audit.log import AuditLog
from autonomy.storage.database import Database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the log is."""
    return tmp_path / "audit"


@pytest.fixture
def log(folder: Path, database: Database) -> AuditLog:
    """An empty log."""
    return AuditLog(folder, database)
