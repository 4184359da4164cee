"""Memory as people use it: search what has been read, add a document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autonomy.core.errors import InvalidInput
from autonomy.memory.embedding import Embedder
from autonomy.memory.ingest import ingest
from autonomy.memory.readers.document import Limits
from autonomy.memory.search import search
from autonomy.memory.sources import SqlSources
from autonomy.storage.artifacts import write_atomic
from autonomy.storage.database import Database

FOLDER = "memory"
"""Documents added by hand stand in this folder of the workspace; it is a corpus like any other."""


class Memory:
    """Search and add. Answers cite: each passage names its document with page or section."""

    def __init__(self, database: Database, home: Path, embedder: Embedder, limits: Limits) -> None:
        self._database = database
        self._folder = home / FOLDER
        self._embedder = embedder
        self._limits = limits

    def search(self, text: str, *, corpus: Path | None = None, limit: int = 8) -> list[dict[str, Any]]:
        """The best passages of every corpus read so far, or of one folder; best first."""
        if not text.strip():
            raise InvalidInput("nothing to search for", "Give a few words.")
        if not 1 <= limit <= 100:
            raise InvalidInput(f"limit {limit} is out of range", "Choose 1 to 100.")
        ids = self._corpora(corpus)
        if not ids:
            return []
        passages = search(self._database, ids, text, limit=limit, embedder=self._embedder)
        sources = SqlSources(self._database)
        return [
            {
                "text": passage.text,
                "score": round(passage.score, 4),
                "source": passage.source,
                "title": passage.title,
                "location": sources.source(passage.source).location,
                "page": passage.page,
                "section": passage.section,
            }
            for passage in passages
        ]

    def _corpora(self, corpus: Path | None) -> list[int]:
        sql = "SELECT id FROM corpus WHERE embedder = :embedder"
        values: dict[str, Any] = {"embedder": self._embedder.name}
        if corpus is not None:
            sql += " AND root = :root"
            values["root"] = str(corpus.resolve())
        return [int(row[0]) for row in self._database.read(lambda tx: tx.tuples(sql + " ORDER BY id", **values))]

    def add(self, path: Path) -> dict[str, Any]:
        """Copy a document into the workspace's memory folder and read it."""
        if not path.is_file():
            raise InvalidInput(f"{path} is not a file", "Name a PDF, DOCX, HTML, Markdown or text file.")
        if path.stat().st_size > self._limits.file_bytes:
            most = self._limits.file_bytes >> 20
            raise InvalidInput(f"{path.name} is larger than {most} MiB", "Split it, or raise [memory] max_file_mb.")
        target = self._folder / path.name
        fresh = not target.exists()
        write_atomic(target, path.read_bytes())
        report = ingest(self._database, self._folder, embedder=self._embedder, limits=self._limits)
        reason = dict(report.failed).get(path.name)
        if reason is not None:
            if fresh:
                target.unlink()
            raise InvalidInput(f"{path.name} could not be read: {reason}", "Give the document in another format.")
        return {"added": path.name, "documents": report.found, "chunks": report.chunks}
