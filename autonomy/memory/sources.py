"""The stored texts that passages, cards and claims point into, by source id.

A source once read stays readable under its id after its file changed or went, so a run can always re-find its quotes.
"""

from __future__ import annotations

import bisect
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autonomy.core.clock import iso
from autonomy.core.errors import NotFound
from autonomy.core.types import Anchor, Layout, Source
from autonomy.storage.database import Database

_KEPT = 16
_HELD = "state IN ('ok', 'duplicate', 'replaced', 'gone')"


@dataclass(frozen=True, slots=True)
class _Snapshot:
    text: str
    pages: tuple[tuple[int, int], ...]
    headings: tuple[tuple[int, int, str], ...]


class SqlSources:
    """Reads sources of every corpus in the database. Snapshots never change, so the last few are kept in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._snapshots: OrderedDict[str, _Snapshot] = OrderedDict()

    def source(self, source_id: str) -> Source:
        """Raises NotFound when no such document was ever read."""
        row = self._database.read(lambda tx: tx.row(f"{_SELECT} WHERE id = :id AND {_HELD}", id=source_id))
        if row is None:
            raise _missing(source_id)
        return _source(row)

    def many(self, source_ids: Sequence[str]) -> list[Source]:
        """Sources in the order asked. Raises NotFound for the first that is missing."""
        return [self.source(source_id) for source_id in source_ids]

    def snapshot(self, source_id: str) -> str:
        """The text that offsets count in (characters). Raises NotFound."""
        return self._load(source_id).text

    def anchor(self, source_id: str, start: int, end: int) -> Anchor:
        """Where a stretch begins: its page (from 1, None where the format has none) and the nearest heading above it."""
        kept = self._load(source_id)
        page = bisect.bisect_right(kept.pages, start, key=lambda entry: entry[1])
        heading = bisect.bisect_right(kept.headings, start, key=lambda entry: entry[0])
        return Anchor(
            page=kept.pages[max(0, page - 1)][0] if kept.pages else None,
            section=kept.headings[heading - 1][2] if heading else None,
            start=start,
            end=end,
        )

    def layout(self, source_id: str) -> Layout:
        """Where its pages and headings begin. Raises NotFound."""
        kept = self._load(source_id)
        return Layout(pages=kept.pages, headings=kept.headings)

    def _load(self, source_id: str) -> _Snapshot:
        kept = self._snapshots.get(source_id)
        if kept is None:
            sql = f"SELECT text, pages, headings FROM document WHERE id = :id AND {_HELD}"
            row = self._database.read(lambda tx: tx.row(sql, id=source_id))
            if row is None:
                raise _missing(source_id)
            pages = tuple((int(number), int(start)) for number, start in json.loads(row["pages"]))
            headings = tuple((int(start), int(level), str(words)) for start, level, words in json.loads(row["headings"]))
            kept = self._snapshots[source_id] = _Snapshot(row["text"], pages, headings)
            while len(self._snapshots) > _KEPT:
                self._snapshots.popitem(last=False)
        return kept


_SELECT = "SELECT id, title, location, media_type, text_sha256, retrieved_at, authors, year, language FROM document"


def _source(row: dict[str, Any]) -> Source:
    return Source(
        id=row["id"],
        title=row["title"],
        location=row["location"],
        media_type=row["media_type"],
        sha256=row["text_sha256"],
        snapshot=f"sources/{row['id']}.txt",
        retrieved_at=iso(row["retrieved_at"]) or "",
        authors=tuple(json.loads(row["authors"])),
        year=row["year"],
        language=row["language"],
    )


def _missing(source_id: str) -> NotFound:
    return NotFound(f"no source {source_id!r} was ever read", "List what a run cites with 'autonomy run inspect RUN --json'.")
