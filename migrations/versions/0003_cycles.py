"""Waits for similarity reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("status IN ('awaiting_report', 'report_ready')")
UNTOLD = sa.text("told = 0 OR (told = 1 AND status <> 'awaiting_report')")
AWAITING = sa.text("status = 'awaiting_report'")


def upgrade() -> None:
    op.create_table(
        "cycle",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("target", sa.Float(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("deadline_at", BIG, nullable=True),
        sa.Column("on_expiry", sa.String(length=16), nullable=False),
        sa.Column("reminded", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("observed", sa.Float(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("report_sha256", sa.String(length=64), nullable=True),
        sa.Column("report_path", sa.Text(), nullable=True),
        sa.Column("report_url", sa.Text(), nullable=True),
        sa.Column("uploader", sa.String(length=128), nullable=True),
        sa.Column("reported_at", BIG, nullable=True),
        sa.Column("resume_job_id", BIG, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("decided_at", BIG, nullable=True),
        sa.Column("told", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("status IN ('awaiting_report', 'report_ready', 'accepted', 'rejected')", name="ck_cycle_status"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "n", name="uq_cycle_run_n"),
    )
    op.create_index("uq_cycle_open_run", "cycle", ["run_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_cycle_deadline", "cycle", ["deadline_at"], sqlite_where=AWAITING, postgresql_where=AWAITING)
    op.create_index("ix_cycle_untold", "cycle", ["opened_at"], sqlite_where=UNTOLD, postgresql_where=UNTOLD)
