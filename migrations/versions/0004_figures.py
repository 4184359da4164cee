"""Figures over ended runs, read from indexes alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ENDED = sa.text("finished_at IS NOT NULL")
RETRIED = sa.text("attempts > 1")
OBSERVED = sa.text("observed IS NOT NULL")
OF_RUNS = (
    "finished_at", "journey", "outcome", "id", "created_at", "used_ms", "used_usd", "unpriced_calls", "next_call",
)  # fmt: skip


def upgrade() -> None:
    op.create_index("ix_run_ended", "run", list(OF_RUNS), sqlite_where=ENDED, postgresql_where=ENDED)
    op.create_index("ix_call_retried", "call", ["run_id", "kind", "attempts"], sqlite_where=RETRIED, postgresql_where=RETRIED)
    op.create_index("ix_cycle_observed", "cycle", ["n", "run_id", "observed"], sqlite_where=OBSERVED, postgresql_where=OBSERVED)
