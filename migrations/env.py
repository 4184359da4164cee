"""Run by Alembic: migrations get their connection handed in by `autonomy.storage.migrate`."""

from __future__ import annotations

from alembic import context

from autonomy.storage.tables import SQLModel

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=context.config.attributes["connection"].dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
