"""Every table, once, for SQLite and PostgreSQL alike.

These classes are the schema of record: migrations are proved equal to them. The engine itself reads and writes with
plain SQL through `storage.database` (start-up time and the hot path have no room for an object mapper), so nothing
imports this module but migrations and tests. Times are integer microseconds UTC; money is integer micro-dollars;
JSON stands in TEXT; blobs are bytes.
"""

from __future__ import annotations

from typing import Any

from pgvector.sqlalchemy import Vector
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

BIG = BigInteger().with_variant(Integer, "sqlite")


def big(**options: Any) -> Any:
    """A 64-bit integer column (SQLite's INTEGER already is one, and only INTEGER may be its row id)."""
    return Column(BIG, **options)


def count() -> Any:
    """A 64-bit integer column that starts at zero."""
    return Column(BIG, nullable=False, server_default=text("0"))


def words(nullable: bool = False, **options: Any) -> Any:
    """A text column without a length limit."""
    return Column(Text, nullable=nullable, **options)


def blob(nullable: bool = False) -> Any:
    """A bytes column."""
    return Column(LargeBinary, nullable=nullable)


class Run(SQLModel, table=True):
    """One run: how it is going. `next_seq` and `next_call` are the last numbers given out."""

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key", name="uq_run_idempotency"),
        Index("ix_run_created", "created_at", "id"),
        Index("ix_run_user_created", "user_id", "created_at", "id"),
        # All that figures over ended runs read (`services.figures`): the rows themselves hold whole tasks.
        Index(
            "ix_run_ended",
            "finished_at",
            "journey",
            "outcome",
            "id",
            "created_at",
            "used_ms",
            "used_usd",
            "unpriced_calls",
            "next_call",
            sqlite_where=text("finished_at IS NOT NULL"),
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
        Index(
            "ix_run_unreported",
            "task_id",
            sqlite_where=text("task_id IS NOT NULL AND reported < 2"),
            postgresql_where=text("task_id IS NOT NULL AND reported < 2"),
        ),
    )
    id: str = Field(sa_column=Column(String(64), primary_key=True))
    user_id: str = Field(sa_column=Column(String(64), nullable=False))
    journey: str = Field(sa_column=Column(String(32), nullable=False))
    goal: str = Field(sa_column=words())
    status: str = Field(sa_column=Column(String(16), nullable=False))
    outcome: str | None = Field(sa_column=Column(String(32)))
    route: str = Field(sa_column=Column(String(32), nullable=False))
    control: str | None = Field(sa_column=Column(String(16)))
    task: str = Field(sa_column=words())
    task_id: str | None = Field(sa_column=Column(String(64)))
    correlation_id: str = Field(sa_column=Column(String(64), nullable=False))
    idempotency_key: str | None = Field(sa_column=Column(String(256)))
    request_hash: str | None = Field(sa_column=Column(String(64)))
    provider: str = Field(sa_column=Column(String(256), nullable=False))
    error: str | None = Field(sa_column=words(nullable=True))
    epoch: int = Field(sa_column=count())
    next_seq: int = Field(sa_column=count())
    next_call: int = Field(sa_column=count())
    limit_tokens: int | None = Field(sa_column=big())
    limit_ms: int | None = Field(sa_column=big())
    limit_usd: int | None = Field(sa_column=big())
    used_tokens: int = Field(sa_column=count())
    used_ms: int = Field(sa_column=count())
    used_usd: int = Field(sa_column=count())
    reserved_tokens: int = Field(sa_column=count())
    reserved_usd: int = Field(sa_column=count())
    unpriced_calls: int = Field(sa_column=count())
    # What the run's task file knows of it: 0 nothing, 1 that it was taken on, 2 how it ended.
    reported: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
    created_at: int = Field(sa_column=big(nullable=False))
    updated_at: int = Field(sa_column=big(nullable=False))
    finished_at: int | None = Field(sa_column=big())


class Event(SQLModel, table=True):
    """The story of a run, in order. `position` orders all runs together (for `events tail`)."""

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("run_id", "seq", name="uq_event_run_seq"),)
    position: int = Field(sa_column=big(primary_key=True, autoincrement=True))
    run_id: str = Field(sa_column=Column(String(64), nullable=False))
    seq: int = Field(sa_column=big(nullable=False))
    type: str = Field(sa_column=Column(String(32), nullable=False))
    node: str | None = Field(sa_column=Column(String(32)))
    content: str = Field(sa_column=words())
    correlation_id: str = Field(sa_column=Column(String(64), nullable=False))
    created_at: int = Field(sa_column=big(nullable=False))


class Job(SQLModel, table=True):
    """One unit of work for a worker. `priority` 1 (high) to 10 (low); `epoch` is the fence: it rises with each claim."""

    __tablename__ = "job"
    __table_args__ = (
        Index(
            "ix_job_ready",
            "user_id",
            "priority",
            "scheduled_at",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_job_later", "scheduled_at", sqlite_where=text("state = 'retry'"), postgresql_where=text("state = 'retry'")),
        Index(
            "ix_job_leased", "lease_until", sqlite_where=text("state = 'running'"), postgresql_where=text("state = 'running'")
        ),
        Index("ix_job_run", "run_id"),
        Index(
            "uq_job_open_run",
            "run_id",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running', 'retry', 'waiting_human')"),
            postgresql_where=text("state IN ('queued', 'running', 'retry', 'waiting_human')"),
        ),
    )
    id: int = Field(sa_column=big(primary_key=True, autoincrement=True))
    run_id: str = Field(sa_column=Column(String(64), nullable=False))
    user_id: str = Field(sa_column=Column(String(64), nullable=False))
    journey: str = Field(sa_column=Column(String(32), nullable=False))
    reason: str = Field(sa_column=Column(String(16), nullable=False))
    state: str = Field(sa_column=Column(String(16), nullable=False))
    priority: int = Field(sa_column=Column(Integer, nullable=False))
    scheduled_at: int = Field(sa_column=big(nullable=False))
    locked_by: str | None = Field(sa_column=Column(String(256)))
    locked_at: int | None = Field(sa_column=big())
    lease_until: int | None = Field(sa_column=big())
    lease_us: int = Field(sa_column=count())
    attempts: int = Field(sa_column=count())
    max_attempts: int = Field(sa_column=Column(Integer, nullable=False))
    epoch: int = Field(sa_column=count())
    payload: str = Field(sa_column=words())
    error: str | None = Field(sa_column=words(nullable=True))
    created_at: int = Field(sa_column=big(nullable=False))
    finished_at: int | None = Field(sa_column=big())


class Lane(SQLModel, table=True):
    """One user's place in the queue. `vt` is virtual time: the lane furthest behind is served first."""

    __tablename__ = "lane"
    __table_args__ = (
        Index(
            "ix_lane_turn",
            "vt",
            "user_id",
            sqlite_where=text("queued > 0 AND running < allowed"),
            postgresql_where=text("queued > 0 AND running < allowed"),
        ),
        Index("ix_lane_clock", "vt"),
    )
    user_id: str = Field(sa_column=Column(String(64), primary_key=True))
    vt: int = Field(sa_column=count())
    weight: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("1")))
    queued: int = Field(sa_column=count())
    running: int = Field(sa_column=count())
    allowed: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("2")))


class Call(SQLModel, table=True):
    """The journal: one row per outside call, its reserve and its settlement.

    `slot` names the call within the run in a way that a repeated node finds again; `state` is reserved, answered or failed.
    """

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("run_id", "slot", name="uq_call_slot"),
        Index("ix_call_name", "kind", "name", "started_at"),
        # Few calls are asked more than once: what has none costs nothing here.
        Index(
            "ix_call_retried",
            "run_id",
            "kind",
            "attempts",
            sqlite_where=text("attempts > 1"),
            postgresql_where=text("attempts > 1"),
        ),
    )
    run_id: str = Field(sa_column=Column(String(64), primary_key=True))
    n: int = Field(sa_column=big(primary_key=True, autoincrement=False))
    slot: str = Field(sa_column=Column(String(160), nullable=False))
    kind: str = Field(sa_column=Column(String(16), nullable=False))
    name: str = Field(sa_column=Column(String(128), nullable=False))
    node: str | None = Field(sa_column=Column(String(32)))
    step: int = Field(sa_column=count())
    effect: str = Field(sa_column=Column(String(16), nullable=False))
    state: str = Field(sa_column=Column(String(16), nullable=False))
    provider: str | None = Field(sa_column=Column(String(64)))
    model: str | None = Field(sa_column=Column(String(128)))
    request: str = Field(sa_column=words())
    result: bytes | None = Field(sa_column=blob(nullable=True))
    error: str | None = Field(sa_column=words(nullable=True))
    attempts: int = Field(sa_column=count())
    reserved_tokens: int = Field(sa_column=count())
    reserved_usd: int = Field(sa_column=count())
    tokens_in: int = Field(sa_column=count())
    tokens_out: int = Field(sa_column=count())
    cost_usd: int | None = Field(sa_column=big())
    cost_source: str = Field(sa_column=Column(String(16), nullable=False, server_default=text("'unknown'")))
    epoch: int = Field(sa_column=count())
    started_at: int = Field(sa_column=big(nullable=False))
    finished_at: int | None = Field(sa_column=big())


class Record(SQLModel, table=True):
    """What a run gathers (cards, sections, matrix rows, episodes ...); the graph state points here by kind and key.

    `number` orders the rows of one kind; `body` is JSON.
    """

    __tablename__ = "record"
    __table_args__ = (Index("ix_record_order", "run_id", "kind", "number"),)
    run_id: str = Field(sa_column=Column(String(64), primary_key=True))
    kind: str = Field(sa_column=Column(String(32), primary_key=True))
    key: str = Field(sa_column=Column(String(160), primary_key=True))
    number: int = Field(sa_column=count())
    body: str = Field(sa_column=words())
    created_at: int = Field(sa_column=big(nullable=False))


class Artifact(SQLModel, table=True):
    """A file of a run; `path` is relative to the workspace. The same role and path of a run is one artifact."""

    __tablename__ = "artifact"
    __table_args__ = (UniqueConstraint("run_id", "path", name="uq_artifact_path"),)
    id: str = Field(sa_column=Column(String(64), primary_key=True))
    run_id: str = Field(sa_column=Column(String(64), nullable=False))
    role: str = Field(sa_column=Column(String(32), nullable=False))
    path: str = Field(sa_column=words())
    media_type: str = Field(sa_column=Column(String(128), nullable=False))
    sha256: str = Field(sa_column=Column(String(64), nullable=False))
    size: int = Field(sa_column=big(nullable=False))
    created_at: int = Field(sa_column=big(nullable=False))


class Thread(SQLModel, table=True):
    """A checkpoint thread and namespace, given a small integer so that checkpoint keys stay short."""

    __tablename__ = "thread"
    __table_args__ = (UniqueConstraint("thread_id", "ns", name="uq_thread_ns"),)
    id: int = Field(sa_column=big(primary_key=True, autoincrement=True))
    thread_id: str = Field(sa_column=words())
    ns: str = Field(sa_column=words())


class Checkpoint(SQLModel, table=True):
    """One row per superstep; what stands in `data` is told in `runtime.checkpoint_rows`.

    `id` is thread << 32 | number; `kind` 0 is a delta against `parent`, 1 a snapshot, 2 task writes stored ahead of their
    superstep (`checkpoint_id` is then their owner). `root` is the snapshot that the row's chain begins with. `parent_id`
    names a parent that has no row here. A parent that is not the row before is rare and gets the index.
    """

    __tablename__ = "checkpoint"
    __table_args__ = (
        Index("ix_checkpoint_name", "thread", "checkpoint_id"),
        Index(
            "ix_checkpoint_branch", "parent", sqlite_where=text("parent <> id - 1"), postgresql_where=text("parent <> id - 1")
        ),
        Index(
            "ix_checkpoint_run", "run_id", sqlite_where=text("run_id IS NOT NULL"), postgresql_where=text("run_id IS NOT NULL")
        ),
    )
    id: int = Field(sa_column=big(primary_key=True, autoincrement=False))
    thread: int = Field(sa_column=big(nullable=False))
    # By bytes, as LangGraph compares them, whatever the server's language is.
    checkpoint_id: str = Field(sa_column=Column(Text().with_variant(Text(collation="C"), "postgresql"), nullable=False))
    parent: int | None = Field(sa_column=big())
    parent_id: str | None = Field(sa_column=words(nullable=True))
    root: int = Field(sa_column=big(nullable=False))
    kind: int = Field(sa_column=Column(Integer, nullable=False))
    run_id: str | None = Field(sa_column=words(nullable=True))
    data: bytes = Field(sa_column=blob())


class Corpus(SQLModel, table=True):
    """A folder of documents. `root` is its absolute path; `embedder` names the vectors' maker: they never mix."""

    __tablename__ = "corpus"
    __table_args__ = (UniqueConstraint("root", "embedder", name="uq_corpus_root"),)
    id: int = Field(sa_column=big(primary_key=True, autoincrement=True))
    root: str = Field(sa_column=words())
    embedder: str = Field(sa_column=Column(String(96), nullable=False))
    created_at: int = Field(sa_column=big(nullable=False))


class Document(SQLModel, table=True):
    """A file of a corpus as it was read once.

    `state` is ok, duplicate (of an ok one with the same text), failed (then `error` says why), replaced (by a newer text)
    or gone (with its file). The last two are history: without chunks, but readable for the runs that cite them.
    `id` is made of corpus, location and text. `text` is the snapshot: the normalised text that offsets of chunks and
    quotes count in (characters). `pages` is JSON [[page, start], ...]; `headings` JSON [[start, level, text], ...].
    """

    __tablename__ = "document"
    __table_args__ = (
        Index(
            "uq_document_current",
            "corpus_id",
            "location",
            unique=True,
            sqlite_where=text("state IN ('ok', 'duplicate', 'failed')"),
            postgresql_where=text("state IN ('ok', 'duplicate', 'failed')"),
        ),
        Index("ix_document_text", "corpus_id", "text_sha256"),
    )
    id: str = Field(sa_column=Column(String(64), primary_key=True))
    corpus_id: int = Field(sa_column=big(nullable=False))
    location: str = Field(sa_column=words())
    state: str = Field(sa_column=Column(String(16), nullable=False))
    error: str | None = Field(sa_column=words(nullable=True))
    media_type: str = Field(sa_column=Column(String(128), nullable=False))
    size: int = Field(sa_column=big(nullable=False))
    mtime_ns: int = Field(sa_column=big(nullable=False))
    sha256: str = Field(sa_column=Column(String(64), nullable=False))
    reader: str = Field(sa_column=Column(String(64), nullable=False))
    title: str = Field(sa_column=words())
    authors: str = Field(sa_column=words())
    year: int | None = Field(sa_column=Column(Integer))
    language: str = Field(sa_column=Column(String(16), nullable=False))
    word_count: int = Field(sa_column=count())
    text: str = Field(sa_column=words())
    text_sha256: str = Field(sa_column=Column(String(64), nullable=False))
    pages: str = Field(sa_column=words())
    headings: str = Field(sa_column=words())
    retrieved_at: int = Field(sa_column=big(nullable=False))


class Chunk(SQLModel, table=True):
    """A section-sized stretch of a document. `text` equals the snapshot's [start_at:end_at].

    `terms` is what full text indexes (single spaces between them), `size` how many they are.
    """

    __tablename__ = "chunk"
    __table_args__ = (
        UniqueConstraint("document_id", "ordinal", name="uq_chunk_ordinal"),
        Index("ix_chunk_corpus", "corpus_id", "language", "size"),
    )
    id: int = Field(sa_column=big(primary_key=True, autoincrement=True))
    corpus_id: int = Field(sa_column=big(nullable=False))
    document_id: str = Field(sa_column=Column(String(64), nullable=False))
    ordinal: int = Field(sa_column=Column(Integer, nullable=False))
    start: int = Field(sa_column=Column("start_at", Integer, nullable=False))
    end: int = Field(sa_column=Column("end_at", Integer, nullable=False))
    page: int | None = Field(sa_column=Column(Integer))
    section: str | None = Field(sa_column=words(nullable=True))
    kind: str = Field(sa_column=Column(String(16), nullable=False))
    language: str = Field(sa_column=Column(String(16), nullable=False))
    position: float = Field(default=0.0)
    size: int = Field(sa_column=Column(Integer, nullable=False))
    text: str = Field(sa_column=words())
    terms: str = Field(sa_column=words())


class ChunkVector(SQLModel, table=True):
    """A chunk's vector, apart from its words: a search by vector reads every one of these rows and nothing else.

    float32 little-endian bytes in SQLite, a pgvector `vector` in PostgreSQL.
    """

    __tablename__ = "chunk_vector"
    __table_args__ = (Index("ix_chunk_vector_corpus", "corpus_id"),)
    document_id: str = Field(sa_column=Column(String(64), primary_key=True))
    ordinal: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    corpus_id: int = Field(sa_column=big(nullable=False))
    vector: Any = Field(sa_column=Column(LargeBinary().with_variant(Vector(), "postgresql"), nullable=False))


class Tool(SQLModel, table=True):
    """A tool as data to the planner. Schemas are JSON; reputation is counted from the journal, not stored twice."""

    __tablename__ = "tool"
    name: str = Field(sa_column=Column(String(128), primary_key=True))
    description: str = Field(sa_column=words())
    input_schema: str = Field(sa_column=words())
    output_schema: str = Field(sa_column=words())
    effect: str = Field(sa_column=Column(String(16), nullable=False))
    cost_usd: int | None = Field(sa_column=big())
    health: str = Field(sa_column=Column(String(16), nullable=False))
    definition_sha256: str = Field(sa_column=Column(String(64), nullable=False))
    created_at: int = Field(sa_column=big(nullable=False))


class Token(SQLModel, table=True):
    """A user's bearer token, kept as its SHA-256 only."""

    __tablename__ = "token"
    sha256: str = Field(sa_column=Column(String(64), primary_key=True))
    user_id: str = Field(sa_column=Column(String(64), nullable=False))
    created_at: int = Field(sa_column=big(nullable=False))


class TaskEvent(SQLModel, table=True):
    """What happened to task files, in order: written right after the file itself, under its lock.

    `revision` is the file's own, so a change is told once however often its telling is repeated; `sha256` is that of the
    file's bytes at that revision.
    """

    __tablename__ = "task_event"
    __table_args__ = (UniqueConstraint("task_id", "revision", name="uq_task_event_revision"),)
    position: int = Field(sa_column=big(primary_key=True, autoincrement=True))
    task_id: str = Field(sa_column=Column(String(64), nullable=False))
    revision: int = Field(sa_column=big(nullable=False))
    type: str = Field(sa_column=Column(String(32), nullable=False))
    status: str = Field(sa_column=Column(String(16), nullable=False))
    user_id: str = Field(sa_column=Column(String(64), nullable=False))
    content: str = Field(sa_column=words())
    sha256: str = Field(sa_column=Column(String(64), nullable=False))
    correlation_id: str = Field(sa_column=Column(String(64), nullable=False))
    created_at: int = Field(sa_column=big(nullable=False))


class AuditHead(SQLModel, table=True):
    """How far an audit log goes: what a cut or re-written tail is found by. `size` counts the bytes of `file`, the newest.

    `pending` holds the newest lines themselves, written here before they are written there: a crash between the two loses
    nothing, and a line of the file that no row has announced is not the log's.
    """

    __tablename__ = "audit_head"
    name: str = Field(sa_column=Column(String(64), primary_key=True))
    seq: int = Field(sa_column=big(nullable=False))
    file: str = Field(sa_column=Column(String(128), nullable=False))
    size: int = Field(sa_column=big(nullable=False))
    head: str = Field(sa_column=Column(String(64), nullable=False))
    pending: str = Field(sa_column=words())
    updated_at: int = Field(sa_column=big(nullable=False))


class Delivery(SQLModel, table=True):
    """A webhook delivery or message that has taken effect: its id, kept in the transaction of the effect."""

    __tablename__ = "delivery"
    __table_args__ = (Index("ix_delivery_received", "received_at"),)
    source: str = Field(sa_column=Column(String(16), primary_key=True))
    delivery_id: str = Field(sa_column=Column(String(128), primary_key=True))
    effect: str = Field(sa_column=words())
    received_at: int = Field(sa_column=big(nullable=False))


class Cursor(SQLModel, table=True):
    """How far a reader of something outside has come, such as the updates of a Telegram bot."""

    __tablename__ = "cursor"
    name: str = Field(sa_column=Column(String(96), primary_key=True))
    value: int = Field(sa_column=big(nullable=False))
    updated_at: int = Field(sa_column=big(nullable=False))


class BrowserSession(SQLModel, table=True):
    """A signed-in browser: the SHA-256 of its cookie, whose it is, and until when it lasts."""

    __tablename__ = "browser_session"
    __table_args__ = (Index("ix_browser_session_expires", "expires_at"),)
    sha256: str = Field(sa_column=Column(String(64), primary_key=True))
    user_id: str = Field(sa_column=Column(String(64), nullable=False))
    admin: int = Field(sa_column=Column(Integer, nullable=False))
    created_at: int = Field(sa_column=big(nullable=False))
    expires_at: int = Field(sa_column=big(nullable=False))


class Cycle(SQLModel, table=True):
    """One wait for a similarity report: the draft that was handed to a person, and what came back for it.

    Percentages are 0 to 100, `target` included. `report` is the parsed report as JSON, `report_sha256` what tells one report
    from another. `resume_job_id` is the job that the report woke its run with.
    """

    __tablename__ = "cycle"
    __table_args__ = (
        CheckConstraint("status IN ('awaiting_report', 'report_ready', 'accepted', 'rejected')", name="ck_cycle_status"),
        UniqueConstraint("run_id", "n", name="uq_cycle_run_n"),
        Index(
            "uq_cycle_open_run",
            "run_id",
            unique=True,
            sqlite_where=text("status IN ('awaiting_report', 'report_ready')"),
            postgresql_where=text("status IN ('awaiting_report', 'report_ready')"),
        ),
        Index(
            "ix_cycle_deadline",
            "deadline_at",
            sqlite_where=text("status = 'awaiting_report'"),
            postgresql_where=text("status = 'awaiting_report'"),
        ),
        Index(
            "ix_cycle_observed",
            "n",
            "run_id",
            "observed",
            sqlite_where=text("observed IS NOT NULL"),
            postgresql_where=text("observed IS NOT NULL"),
        ),
        Index(
            "ix_cycle_untold",
            "opened_at",
            sqlite_where=text("told = 0 OR (told = 1 AND status <> 'awaiting_report')"),
            postgresql_where=text("told = 0 OR (told = 1 AND status <> 'awaiting_report')"),
        ),
    )
    id: str = Field(sa_column=Column(String(64), primary_key=True))
    run_id: str = Field(sa_column=Column(String(64), nullable=False))
    n: int = Field(sa_column=Column(Integer, nullable=False))
    status: str = Field(sa_column=Column(String(16), nullable=False))
    target: float = Field(sa_column=Column(Float, nullable=False))
    document: str = Field(sa_column=words())
    document_sha256: str = Field(sa_column=Column(String(64), nullable=False))
    opened_at: int = Field(sa_column=big(nullable=False))
    deadline_at: int | None = Field(sa_column=big())
    on_expiry: str = Field(sa_column=Column(String(16), nullable=False))
    reminded: int = Field(sa_column=count())
    observed: float | None = Field(sa_column=Column(Float))
    report: str | None = Field(sa_column=words(nullable=True))
    report_sha256: str | None = Field(sa_column=Column(String(64)))
    report_path: str | None = Field(sa_column=words(nullable=True))
    report_url: str | None = Field(sa_column=words(nullable=True))
    uploader: str | None = Field(sa_column=Column(String(128)))
    reported_at: int | None = Field(sa_column=big())
    resume_job_id: int | None = Field(sa_column=big())
    why: str | None = Field(sa_column=words(nullable=True))
    decided_at: int | None = Field(sa_column=big())
    # What its task file knows: 0 nothing, 1 that the report is awaited, 2 what came of it.
    told: int = Field(sa_column=Column(Integer, nullable=False, server_default=text("0")))
