"""The corpora of one workspace behind two verbs, for whoever must not know how they are stored."""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.memory.embedding import Embedder
from autonomy.memory.overview import CorpusOverview, overview
from autonomy.memory.search import Findings, find
from autonomy.storage.database import Database


class Library:
    """Finds and surveys. Both are read-only and may be called from any thread."""

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder

    def find(self, corpora: Sequence[int], query: str, *, language: str | None = None, limit: int = 8) -> Findings:
        """See `memory.search.find`."""
        return find(self._database, corpora, query, embedder=self._embedder, language=language, limit=limit)

    def overview(self, corpora: Sequence[int]) -> CorpusOverview:
        """See `memory.overview.overview`."""
        return overview(self._database, corpora)
