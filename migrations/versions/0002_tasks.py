"""Tasks, audit, webhooks and the dashboard: what happened to task files, how far the logs go, who is signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNREPORTED = sa.text("task_id IS NOT NULL AND reported < 2")


def upgrade() -> None:
    op.add_column("run", sa.Column("reported", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index("ix_run_unreported", "run", ["task_id"], sqlite_where=UNREPORTED, postgresql_where=UNREPORTED)
    op.create_table(
        "task_event",
        sa.Column("position", BIG, autoincrement=True, nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("revision", BIG, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("task_id", "revision", name="uq_task_event_revision"),
    )
    op.create_table(
        "audit_head",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("file", sa.String(length=128), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("pending", sa.Text(), nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "delivery",
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("delivery_id", sa.String(length=128), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("received_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("source", "delivery_id"),
    )
    op.create_index("ix_delivery_received", "delivery", ["received_at"])
    op.create_table(
        "cursor",
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "browser_session",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("admin", sa.Integer(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_browser_session_expires", "browser_session", ["expires_at"])
