"""The first schema: runs, events, queue, journal, records, artifacts, checkpoints, corpus, tools, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import Vector

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VECTOR = sa.LargeBinary().with_variant(Vector(), "postgresql")

# Full text over words that `autonomy.text` has already folded and stemmed; triggers keep the index level with the table.
SQLITE_FULL_TEXT = (
    "CREATE VIRTUAL TABLE chunk_fts USING fts5(terms, content='chunk', content_rowid='id', "
    "tokenize='unicode61 remove_diacritics 0')",
    "CREATE TRIGGER chunk_fts_insert AFTER INSERT ON chunk BEGIN "
    "INSERT INTO chunk_fts(rowid, terms) VALUES (new.id, new.terms); END",
    "CREATE TRIGGER chunk_fts_delete AFTER DELETE ON chunk BEGIN "
    "INSERT INTO chunk_fts(chunk_fts, rowid, terms) VALUES ('delete', old.id, old.terms); END",
)
POSTGRESQL_FULL_TEXT = (
    # By array, not by text search: its parser would cut our terms a second time, by the server's own locale.
    "CREATE INDEX ix_chunk_terms ON chunk USING gin (string_to_array(terms, ' '))",
    # Values compressed by us, or incompressible: PostgreSQL's own compression of them only costs time (measured).
    "ALTER TABLE checkpoint ALTER COLUMN data SET STORAGE EXTERNAL",
)


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "artifact",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("run_id", "path", name="uq_artifact_path"),
    )
    op.create_table(
        "call",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("n", BIG, autoincrement=False, nullable=False),
        sa.Column("slot", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("node", sa.String(length=32), nullable=True),
        sa.Column("step", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("provider", sa.String(length=64), nullable=True),
        sa.Column("model", sa.String(length=128), nullable=True),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_tokens", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_usd", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("tokens_in", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("tokens_out", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("cost_usd", BIG, nullable=True),
        sa.Column("cost_source", sa.String(length=16), server_default=sa.text("'unknown'"), nullable=False),
        sa.Column("epoch", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("started_at", BIG, nullable=False),
        sa.Column("finished_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("run_id", "n"),
        sa.UniqueConstraint("run_id", "slot", name="uq_call_slot"),
    )
    op.create_index("ix_call_name", "call", ["kind", "name", "started_at"], unique=False)
    op.create_table(
        "checkpoint",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("thread", BIG, nullable=False),
        sa.Column("checkpoint_id", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("parent", BIG, nullable=True),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("root", BIG, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_checkpoint_name", "checkpoint", ["thread", "checkpoint_id"], unique=False)
    op.create_index(
        "ix_checkpoint_branch",
        "checkpoint",
        ["parent"],
        unique=False,
        sqlite_where=sa.text("parent <> id - 1"),
        postgresql_where=sa.text("parent <> id - 1"),
    )
    op.create_index(
        "ix_checkpoint_run",
        "checkpoint",
        ["run_id"],
        unique=False,
        sqlite_where=sa.text("run_id IS NOT NULL"),
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )
    op.create_table(
        "chunk",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("corpus_id", BIG, nullable=False),
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("start_at", sa.Integer(), nullable=False),
        sa.Column("end_at", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Float(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("document_id", "ordinal", name="uq_chunk_ordinal"),
    )
    op.create_index("ix_chunk_corpus", "chunk", ["corpus_id", "language", "size"], unique=False)
    op.create_table(
        "chunk_vector",
        sa.Column("document_id", sa.String(length=64), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("corpus_id", BIG, nullable=False),
        sa.Column("vector", VECTOR, nullable=False),
        sa.PrimaryKeyConstraint("document_id", "ordinal"),
    )
    op.create_index("ix_chunk_vector_corpus", "chunk_vector", ["corpus_id"], unique=False)
    op.create_table(
        "corpus",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("embedder", sa.String(length=96), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("root", "embedder", name="uq_corpus_root"),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("corpus_id", BIG, nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("media_type", sa.String(length=128), nullable=False),
        sa.Column("size", BIG, nullable=False),
        sa.Column("mtime_ns", BIG, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authors", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("word_count", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("pages", sa.Text(), nullable=False),
        sa.Column("headings", sa.Text(), nullable=False),
        sa.Column("retrieved_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_document_text", "document", ["corpus_id", "text_sha256"], unique=False)
    op.create_index(
        "uq_document_current",
        "document",
        ["corpus_id", "location"],
        unique=True,
        sqlite_where=sa.text("state IN ('ok', 'duplicate', 'failed')"),
        postgresql_where=sa.text("state IN ('ok', 'duplicate', 'failed')"),
    )
    op.create_table(
        "event",
        sa.Column("position", BIG, autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("node", sa.String(length=32), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("run_id", "seq", name="uq_event_run_seq"),
    )
    op.create_table(
        "job",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("journey", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("scheduled_at", BIG, nullable=False),
        sa.Column("locked_by", sa.String(length=256), nullable=True),
        sa.Column("locked_at", BIG, nullable=True),
        sa.Column("lease_until", BIG, nullable=True),
        sa.Column("lease_us", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("attempts", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("epoch", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("finished_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "ix_job_later",
        "job",
        ["scheduled_at"],
        unique=False,
        sqlite_where=sa.text("state = 'retry'"),
        postgresql_where=sa.text("state = 'retry'"),
    )
    op.create_index(
        "ix_job_leased",
        "job",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_job_ready",
        "job",
        ["user_id", "priority", "scheduled_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'queued'"),
        postgresql_where=sa.text("state = 'queued'"),
    )
    op.create_index("ix_job_run", "job", ["run_id"], unique=False)
    op.create_index(
        "uq_job_open_run",
        "job",
        ["run_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('queued', 'running', 'retry', 'waiting_human')"),
        postgresql_where=sa.text("state IN ('queued', 'running', 'retry', 'waiting_human')"),
    )
    op.create_table(
        "lane",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("vt", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("weight", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("queued", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("running", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("allowed", sa.Integer(), server_default=sa.text("2"), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_index("ix_lane_clock", "lane", ["vt"], unique=False)
    op.create_index(
        "ix_lane_turn",
        "lane",
        ["vt", "user_id"],
        unique=False,
        sqlite_where=sa.text("queued > 0 AND running < allowed"),
        postgresql_where=sa.text("queued > 0 AND running < allowed"),
    )
    op.create_table(
        "record",
        sa.Column("run_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=160), nullable=False),
        sa.Column("number", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "kind", "key"),
    )
    op.create_index("ix_record_order", "record", ["run_id", "kind", "number"], unique=False)
    op.create_table(
        "run",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("journey", sa.String(length=32), nullable=False),
        sa.Column("goal", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("route", sa.String(length=32), nullable=False),
        sa.Column("control", sa.String(length=16), nullable=True),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=True),
        sa.Column("correlation_id", sa.String(length=64), nullable=False),
        sa.Column("idempotency_key", sa.String(length=256), nullable=True),
        sa.Column("request_hash", sa.String(length=64), nullable=True),
        sa.Column("provider", sa.String(length=256), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("epoch", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("next_seq", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("next_call", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("limit_tokens", BIG, nullable=True),
        sa.Column("limit_ms", BIG, nullable=True),
        sa.Column("limit_usd", BIG, nullable=True),
        sa.Column("used_tokens", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("used_ms", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("used_usd", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_tokens", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("reserved_usd", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("unpriced_calls", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.Column("updated_at", BIG, nullable=False),
        sa.Column("finished_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("user_id", "idempotency_key", name="uq_run_idempotency"),
    )
    op.create_index("ix_run_created", "run", ["created_at", "id"], unique=False)
    op.create_index("ix_run_user_created", "run", ["user_id", "created_at", "id"], unique=False)
    op.create_table(
        "thread",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("thread_id", sa.Text(), nullable=False),
        sa.Column("ns", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("thread_id", "ns", name="uq_thread_ns"),
    )
    op.create_table(
        "token",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "tool",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("input_schema", sa.Text(), nullable=False),
        sa.Column("output_schema", sa.Text(), nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=False),
        sa.Column("cost_usd", BIG, nullable=True),
        sa.Column("health", sa.String(length=16), nullable=False),
        sa.Column("definition_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    for statement in SQLITE_FULL_TEXT if dialect == "sqlite" else POSTGRESQL_FULL_TEXT:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("the first schema has nothing before it")
