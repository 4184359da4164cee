"""Memory as people use it: search what has been read, add a document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autonomy.core.errors import InvalidInput
from autonomy.memory.embedding import Embedder
from autonomy.memory.folder import is_read
from autonomy.memory.ingest import ingest
from autonomy.memory.readers.document import Limits
from autonomy.memory.reading import Child
from autonomy.memory.search import search
from autonomy.memory.sources import SqlSources
from autonomy.storage.artifacts import write_atomic
from autonomy.storage.database import Database

KINDS = "a PDF, DOCX, HTML, Markdown or text file"
FOLDER = "memory"
"""Documents added by hand stand in this folder of the workspace; it is a corpus like any other."""


class Memory:
    """Search and add. Answers cite: each passage names its document with page or section."""

    def __init__(self, database: Database, home: Path, embedder: Embedder, limits: Limits) -> None:
        self._database = database
        self._folder = home / FOLDER
        self._embedder = embedder
        self._limits = limits

    def search(self, text: str, *, corpora: Sequence[Path] | None = None, limit: int = 8) -> list[dict[str, Any]]:
        """The best passages of every corpus read so far, or of those folders alone; best first."""
        if not text.strip():
            raise InvalidInput("nothing to search for", "Give a few words.")
        if "\x00" in text:
            raise InvalidInput("the text to search for contains a NUL character", "Give a few words.")
        if not 1 <= limit <= 100:
            raise InvalidInput(f"limit {limit} is out of range", "Choose 1 to 100.")
        ids = self._ids(corpora)
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

    def _ids(self, corpora: Sequence[Path] | None) -> list[int]:
        sql = "SELECT id, root FROM corpus WHERE embedder = :embedder ORDER BY id"
        found = self._database.read(lambda tx: tx.tuples(sql, embedder=self._embedder.name))
        roots = None if corpora is None else {str(folder.resolve()) for folder in corpora}
        return [int(id_) for id_, root in found if roots is None or root in roots]

    def add(self, path: Path) -> dict[str, Any]:
        """Copy a document into the workspace's memory folder and read it; one of the same name is replaced.

        It is read before anything is written, so a file that cannot be used changes nothing. Raises InvalidInput.
        """
        name = self._usable(path)
        self._prove(path, name)
        try:
            write_atomic(self._folder / name, path.read_bytes())
        except OSError as error:
            raise _unreadable(path, error) from None
        report = ingest(self._database, self._folder, embedder=self._embedder, limits=self._limits)
        return {"added": name, "documents": report.documents, "chunks": report.chunks}

    def _usable(self, path: Path) -> str:
        """The name under which the document will stand."""
        try:
            if not path.is_file():
                raise InvalidInput(f"{path} is not a file", f"Name {KINDS}.")
            size = path.stat().st_size
            path.name.encode()
        except UnicodeEncodeError:
            raise InvalidInput("the file's name is not valid Unicode", "Rename it.") from None
        except OSError as error:
            raise _unreadable(path, error) from None
        if size > self._limits.file_bytes:
            most = self._limits.file_bytes >> 20
            raise InvalidInput(f"{path.name} is larger than {most} MiB", "Split it, or raise [memory] max_file_mb.")
        if path.name.startswith(".") or not is_read(path):
            raise InvalidInput(f"{path.name} is not a kind of file that is read", f"Name {KINDS}.")
        return path.name

    def _prove(self, path: Path, name: str) -> None:
        child = Child(self._limits)
        try:
            reading = child.read(path.resolve(), name)
        finally:
            child.close()
        if reading.document is None:
            raise InvalidInput(f"{name} could not be read: {reading.why}", "Give the document in another format.")


def _unreadable(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"{path} cannot be opened ({error.strerror})", "Check its path and permissions.")
