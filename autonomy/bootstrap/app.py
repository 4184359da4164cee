"""The application: one workspace, its database and its services. Cheap to open; what works runs is joined in `engine`."""

from __future__ import annotations

import contextlib
import os
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from autonomy.bootstrap.config import check_workspace
from autonomy.bootstrap.settings import MemorySettings, Settings
from autonomy.core.errors import ConfigurationError
from autonomy.core.graph import fingerprint
from autonomy.core.state import STATE_VERSION
from autonomy.runtime.wake import Beyond, Wake
from autonomy.services.runs import Runs, Seed
from autonomy.storage import migrate
from autonomy.storage.database import Database

if TYPE_CHECKING:
    from autonomy.audit.log import AuditLog, Unwritten
    from autonomy.memory.embedding import Embedder
    from autonomy.memory.readers.document import Limits
    from autonomy.services.asked import Defaults
    from autonomy.services.memory import Memory
    from autonomy.services.tasks import Tasks
    from autonomy.services.turnitin import Turnitin

AUDIT = "audit"
"""The folder of the audit log in the workspace."""


class App:
    """What commands and servers are handed. Closing it closes everything it opened, in reverse."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.wake = Wake()
        self._stack = contextlib.ExitStack()
        self._hearing = False

    @property
    def home(self) -> Path:
        """The workspace."""
        return self.settings.home

    @cached_property
    def runs(self) -> Runs:
        """Runs."""
        queue = self.settings.queue
        seed = Seed(fingerprint(), STATE_VERSION)
        return Runs(
            self.database,
            self.home,
            self.wake,
            seed,
            per_user=queue.per_user,
            max_attempts=queue.max_attempts,
            hear_others=self.hear_others,
        )

    @cached_property
    def audit(self) -> AuditLog | Unwritten:
        """The audit log. Nothing is touched before the first line; in a workspace that can only be read, none is written."""
        from autonomy.audit.log import AuditLog, Unwritten

        try:
            check_workspace(self.home)
            self.database.check_writable()
        except ConfigurationError:
            return Unwritten()
        return AuditLog(self.home / AUDIT, self.database, secrets=self.settings.secrets())

    @cached_property
    def tasks(self) -> Tasks:
        """Tasks."""
        from autonomy.services.tasks import Tasks
        from autonomy.ssot.store import TaskStore

        return Tasks(
            TaskStore(self.home / "ssot"),
            self.database,
            self.audit,
            self.runs,
            self.wake,
            home=self.home,
            defaults=self.defaults,
            max_dispatches=self.settings.tasks.dispatches,
        )

    @cached_property
    def turnitin(self) -> Turnitin:
        """The waits for similarity reports."""
        from autonomy.services.ledger import Ledger
        from autonomy.services.turnitin import Turnitin
        from autonomy.ssot.store import TaskStore

        ledger = Ledger(TaskStore(self.home / "ssot"), self.database, self.audit, self.wake)
        return Turnitin(ledger, self.home, self.wake, self._parse_report)

    @cached_property
    def defaults(self) -> Defaults:
        """What stands for everything that a request leaves open."""
        from autonomy.core.types import Budget
        from autonomy.services.asked import Defaults

        settings = self.settings
        limits = settings.budget
        return Defaults(
            corpora=settings.corpora,
            corpus=_default_corpus(settings),
            budget=Budget(tokens=limits.tokens, seconds=limits.seconds, usd=limits.usd),
            priority=settings.queue.priority,
            providers=_usable(settings),
        )

    @cached_property
    def memory(self) -> Memory:
        """Memory."""
        from autonomy.services.memory import Memory

        return Memory(self.database, self.home, self.embedder, self.limits)

    @cached_property
    def embedder(self) -> Embedder:
        """Who makes the vectors of this workspace."""
        return _embedder(self.settings.memory)

    @cached_property
    def limits(self) -> Limits:
        """What reading one document may take."""
        from autonomy.memory.readers.document import Limits

        memory = self.settings.memory
        return Limits(
            file_bytes=memory.max_file_mb << 20, memory_bytes=memory.parse_memory_mb << 20, seconds=memory.parse_seconds
        )

    def _parse_report(self, path: Path, name: str, draft: str) -> dict[str, Any]:
        """A report file as plain data, held against the draft; all of that by a child process under limits."""
        from autonomy.turnitin.reading import read_report

        return read_report(path, draft=draft, called=name).model_dump(mode="json", exclude={"body"})

    def hear_others(self) -> None:
        """Begin to listen for what other processes write; once is enough."""
        if not self._hearing:
            self._hearing = True
            self._stack.enter_context(Beyond(self.database, self.wake))

    def close(self) -> None:
        """Close everything. Safe to call twice."""
        self._stack.close()
        self.database.close()

    def __enter__(self) -> App:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_app(settings: Settings, *, migrate_first: bool = True, writes: bool = True) -> App:
    """Open the workspace's database, brought up to date where it is SQLite. Raises NewerSchema, and ConfigurationError: also
    for a database that can only be read, unless nothing is to be written (`writes`)."""
    # Whoever is frozen for a lease has lost its jobs: they are free at once, not a minute later. A busy machine gets 5 s.
    idle = max(5.0, min(60.0, settings.queue.lease_seconds))
    database = Database(settings.database_url, grow_wal=False, idle_seconds=idle)
    try:
        if writes:
            database.check_writable()
        if migrate_first:
            migrate.ensure(database)
    except BaseException:
        database.close()
        raise
    return App(settings, database)


def _default_corpus(settings: Settings) -> str | None:
    """A name of `[corpora]` as it is, a folder as an absolute path: a relative one counts from the workspace."""
    name = settings.tasks.corpus
    return name if name is None or name in settings.corpora else os.path.abspath(settings.home / os.path.expanduser(name))


def _usable(settings: Settings) -> tuple[str, ...]:
    """The providers that a request may name: a key that is named but absent offers none."""
    from autonomy.services.asked import EXTRACTIVE

    usable = [EXTRACTIVE]
    for entry in settings.providers:
        with contextlib.suppress(ConfigurationError):
            entry.resolve()
            usable.append(entry.name)
    return tuple(usable)


def _embedder(memory: MemorySettings) -> Embedder:
    if memory.embedder == "hash":
        from autonomy.memory.embedding import HashEmbedder

        return HashEmbedder()
    if memory.embedder != "openai":
        raise ConfigurationError(f"[memory] embedder '{memory.embedder}' is not known", "Choose 'hash' or 'openai'.")
    if not memory.embedding_model or not memory.embedding_url:
        raise ConfigurationError(
            "[memory] embedder 'openai' needs embedding_model and embedding_url", "Set both in autonomy.toml."
        )
    from autonomy.bootstrap.embedding import ServiceEmbedder
    from autonomy.providers.embeddings import RemoteEmbedder

    return ServiceEmbedder(RemoteEmbedder("", memory.embedding_model, memory.embedding_url, memory.key))
