"""Run by Alembic. `autonomy.storage.migrate` hands its connection in; `alembic` on a developer's command line has none and
works on the workspace's database, or the one that AUTONOMY_DATABASE_URL names."""

from __future__ import annotations

import os
from typing import Any

from alembic import context
from alembic.util import CommandError

from autonomy.storage.tables import SQLModel


def run(connection: Any) -> None:
    """Run what was asked for, in the transaction of whoever opened the connection."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_by_settings() -> None:
    """Run it on the database of the settings; what they refuse is one line."""
    from autonomy.bootstrap import config
    from autonomy.core.errors import AutonomyError
    from autonomy.storage import migrate

    try:
        settings = config.load(os.environ)
        config.check_workspace(settings.home)
        with migrate.transaction(settings.database_url) as connection:
            run(connection)
    except AutonomyError as error:
        raise CommandError(str(error)) from error


if (handed := context.config.attributes.get("connection")) is not None:
    run(handed)
else:
    run_by_settings()
