"""An application over each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.bootstrap.app import App
from autonomy.bootstrap.settings import Settings
from autonomy.providers.settings import Secret
from autonomy.storage.database import Database
from tests.cli.conftest import migrated, place

__all__ = ["migrated", "place"]

BOT_TOKEN = "123456789:AAE-canary_canary0123456789abcdefghijkl"


@pytest.fixture
def app(database: Database, tmp_path: Path) -> Iterator[App]:
    """The application with both webhook secrets and a bot's token."""
    settings = Settings(
        home=tmp_path, database_url=database.url, webhook_secret=Secret("It's a Secret to Everybody"),
        telegram_secret=Secret("telegram-secret"), bot_token=Secret(BOT_TOKEN),
    )  # fmt: skip
    with App(settings, database) as opened:
        yield opened
