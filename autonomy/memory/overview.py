"""What corpora hold at a glance: for whoever must decide what to ask of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autonomy.storage.database import Database, Tx


@dataclass(frozen=True, slots=True)
class CorpusOverview:
    """What corpora hold: counts, languages by share (most first), titles and main headings, both cut to a sample.

    Documents without prose (indexes, lists of contents, bare code) are not counted.
    """

    documents: int
    words: int
    languages: tuple[str, ...]
    titles: tuple[str, ...]
    headings: tuple[str, ...]


def overview(database: Database, corpus_ids: Sequence[int], *, titles: int = 60, headings: int = 200) -> CorpusOverview:
    """At most so many titles and headings, spread over the corpora's documents in order of location."""
    sql = (
        "SELECT title, language, word_count, headings FROM document d WHERE corpus_id = :corpus AND state = 'ok' "
        "AND EXISTS (SELECT 1 FROM chunk c WHERE c.document_id = d.id) ORDER BY location"
    )

    def look(tx: Tx) -> list[dict[str, Any]]:
        return [row for corpus_id in corpus_ids for row in tx.rows(sql, corpus=corpus_id)]

    rows = database.read(look)
    shares: dict[str, int] = {}
    for row in rows:
        shares[row["language"]] = shares.get(row["language"], 0) + row["word_count"]
    sample = rows[:: max(1, -(-len(rows) // titles))]
    each = max(1, headings // max(1, len(sample)))
    main = [words for row in sample for words in _main_headings(row["headings"], each)]
    return CorpusOverview(
        documents=len(rows),
        words=sum(row["word_count"] for row in rows),
        languages=tuple(sorted((code for code in shares if code), key=lambda code: (-shares[code], code))),
        titles=tuple(row["title"] for row in sample),
        headings=tuple(dict.fromkeys(main))[:headings],
    )


def _main_headings(headings: str, most: int) -> list[str]:
    """The first headings of the three outer levels, outer ones first."""
    return [words for _, level, words in sorted(json.loads(headings), key=lambda heading: heading[1])[:most] if level <= 3]
