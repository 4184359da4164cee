"""A corpus's rows: documents, their chunks and vectors, changed one document at a time.

The invariants: a location has at most one current row (ok, duplicate or failed); only ok rows have chunks; a text that was
once read stays readable under its id when the file changes or goes. Every write is the same when it happens twice, and
takes the corpus's row first, so that processes that ingest one folder together agree.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autonomy.memory.chunks import Chunk, language_of
from autonomy.memory.embedding import to_bytes, to_text
from autonomy.memory.folder import Found, by_name
from autonomy.memory.readers.document import ReadDocument
from autonomy.memory.reading import Reading
from autonomy.storage.database import Tx

State = Literal["ok", "duplicate", "failed"]
COPY = "the same text as another"
BARE = "too short to quote"
CURRENT = "('ok', 'duplicate', 'failed')"


@dataclass(frozen=True, slots=True)
class Known:
    """A current row, as much of it as tells whether its file must be read again."""

    id: str
    location: str
    state: State
    error: str
    size: int
    mtime_ns: int
    sha256: str
    reader: str
    text_sha256: str


def find_corpus(tx: Tx, root: str, embedder: str) -> int | None:
    """The corpus of a folder (absolute path) and an embedder, None when it was never read."""
    found = tx.value("SELECT id FROM corpus WHERE root = :root AND embedder = :embedder", root=root, embedder=embedder)
    return None if found is None else int(found)


def make_corpus(tx: Tx, root: str, embedder: str) -> int:
    """The corpus's number, made when there is none yet."""
    tx.run(
        "INSERT INTO corpus (root, embedder, created_at) VALUES (:root, :embedder, now_us()) "
        "ON CONFLICT (root, embedder) DO NOTHING",
        root=root,
        embedder=embedder,
    )
    found = find_corpus(tx, root, embedder)
    assert found is not None
    return found


def known(tx: Tx, corpus_id: int) -> dict[str, Known]:
    """Current rows by location."""
    rows = tx.rows(
        "SELECT id, location, state, coalesce(error, '') AS error, size, mtime_ns, sha256, reader, text_sha256 FROM document "
        f"WHERE corpus_id = :corpus AND state IN {CURRENT}",
        corpus=corpus_id,
    )
    return {row["location"]: Known(**row) for row in rows}


def orphans(tx: Tx, corpus_id: int) -> list[str]:
    """Locations of duplicates whose original is no longer there: they must be read again."""
    rows = tx.tuples(
        "SELECT location FROM document d WHERE corpus_id = :corpus AND state = 'duplicate' AND NOT EXISTS ("
        "SELECT 1 FROM document o WHERE o.corpus_id = :corpus AND o.state = 'ok' AND o.text_sha256 = d.text_sha256) "
        "ORDER BY location",
        corpus=corpus_id,
    )
    return [location for (location,) in rows]


def document_id(root: str, embedder: str, location: str, digest: str) -> str:
    """The id of one text at one place: the same in every database."""
    return "s" + hashlib.sha256("\x00".join((root, embedder, location, digest)).encode("utf-8")).hexdigest()[:12]


def digest_of(document: ReadDocument) -> str:
    """The SHA-256 of the snapshot's UTF-8 bytes, in hex."""
    return hashlib.sha256(document.text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file's outcome, ready to be stored. `vectors` stand beside the reading's chunks."""

    id: str
    found: Found
    reader: str
    reading: Reading
    text_sha256: str = ""
    vectors: Sequence[Sequence[float]] = ()


def store(tx: Tx, corpus_id: int, entry: Entry) -> State:
    """Make the entry the current row of its location; returns the state it got."""
    _lock(tx, corpus_id)
    document = entry.reading.document
    state: State = "failed"
    if document is not None:
        state = "duplicate" if _is_copy(tx, corpus_id, entry) else "ok"
    retire(tx, corpus_id, entry.found.location, "replaced")
    _drop_chunks(tx, entry.id)
    tx.run("DELETE FROM document WHERE id = :id", id=entry.id)
    tx.run(_INSERT_DOCUMENT, corpus_id=corpus_id, state=state, **_columns(entry))
    if state == "ok":
        _insert_chunks(tx, corpus_id, entry)
    return state


def _is_copy(tx: Tx, corpus_id: int, entry: Entry) -> bool:
    """Whether another file holds this text and keeps it: of files with one text the first by name is the original."""
    others = tx.tuples(
        "SELECT id, location FROM document WHERE corpus_id = :corpus AND text_sha256 = :text AND state = 'ok' "
        "AND location <> :location",
        corpus=corpus_id,
        text=entry.text_sha256,
        location=entry.found.location,
    )
    if any(by_name(location) < by_name(entry.found.location) for _, location in others):
        return True
    for id, _ in others:
        _drop_chunks(tx, id)
        tx.run("UPDATE document SET state = 'duplicate' WHERE id = :id", id=id)
    return False


def unused(tx: Tx, corpus_id: int) -> tuple[tuple[str, str], ...]:
    """(location, why) of documents that were read and from which nothing can be quoted."""
    rows = tx.tuples(
        "SELECT location, state FROM document d WHERE corpus_id = :corpus AND (state = 'duplicate' OR (state = 'ok' "
        "AND NOT EXISTS (SELECT 1 FROM chunk c WHERE c.document_id = d.id))) ORDER BY location",
        corpus=corpus_id,
    )
    return tuple((location, COPY if state == "duplicate" else BARE) for location, state in rows)


def touch(tx: Tx, corpus_id: int, found: Found, sha256: str, reader: str) -> None:
    """The file was written again with the same bytes: remember its new time."""
    tx.run(
        "UPDATE document SET size = :size, mtime_ns = :mtime, reader = :reader WHERE corpus_id = :corpus "
        f"AND location = :location AND sha256 = :sha AND state IN {CURRENT}",
        size=found.size,
        mtime=found.mtime_ns,
        reader=reader,
        corpus=corpus_id,
        location=found.location,
        sha=sha256,
    )


def retire(tx: Tx, corpus_id: int, location: str, state: Literal["replaced", "gone"]) -> None:
    """Take the location's current row out of retrieval; its text stays for runs that cite it. A failed one is forgotten."""
    row = tx.row(
        f"SELECT id, state FROM document WHERE corpus_id = :corpus AND location = :location AND state IN {CURRENT}",
        corpus=corpus_id,
        location=location,
    )
    if row is None:
        return
    _drop_chunks(tx, row["id"])
    if row["state"] == "failed":
        tx.run("DELETE FROM document WHERE id = :id", id=row["id"])
    else:
        tx.run("UPDATE document SET state = :state WHERE id = :id", state=state, id=row["id"])


def remove(tx: Tx, corpus_id: int, locations: Sequence[str]) -> None:
    """Retire the rows of files that are gone."""
    _lock(tx, corpus_id)
    for location in locations:
        retire(tx, corpus_id, location, "gone")


def _lock(tx: Tx, corpus_id: int) -> None:
    tx.value(f"SELECT id FROM corpus WHERE id = :corpus {tx.dialect.lock}", corpus=corpus_id)


def _drop_chunks(tx: Tx, id: str) -> None:
    tx.run("DELETE FROM chunk_vector WHERE document_id = :id", id=id)
    tx.run("DELETE FROM chunk WHERE document_id = :id", id=id)


_INSERT_DOCUMENT = (
    "INSERT INTO document (id, corpus_id, location, state, error, media_type, size, mtime_ns, sha256, reader, title, "
    "authors, year, language, word_count, text, text_sha256, pages, headings, retrieved_at) VALUES (:id, :corpus_id, "
    ":location, :state, :error, :media_type, :size, :mtime_ns, :sha256, :reader, :title, :authors, :year, :language, "
    ":word_count, :text, :text_sha256, :pages, :headings, now_us())"
)


def _columns(entry: Entry) -> dict[str, Any]:
    document, reading, found = entry.reading.document, entry.reading, entry.found
    common = {
        "id": entry.id,
        "location": found.location,
        "error": reading.why or None,
        "size": found.size,
        "mtime_ns": found.mtime_ns,
        "sha256": reading.sha256,
        "reader": entry.reader,
        "word_count": reading.words,
        "text_sha256": entry.text_sha256,
    }
    if document is None:
        empty = dict.fromkeys(("media_type", "title", "language", "text"), "") | {
            "authors": "[]",
            "pages": "[]",
            "headings": "[]",
        }
        return common | empty | {"year": None}
    return common | {
        "media_type": document.media_type,
        "title": document.title or _stem(found.location),
        "authors": _json(document.authors),
        "year": document.year,
        "language": language_of(reading.chunks),
        "text": document.text,
        "pages": _json(document.pages),
        "headings": _json(document.headings),
    }


def _stem(location: str) -> str:
    """A file's name as a title of last resort."""
    return location.rpartition("/")[2].rpartition(".")[0] or location


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _insert_chunks(tx: Tx, corpus_id: int, entry: Entry) -> None:
    document = entry.reading.document
    assert document is not None
    tx.many(
        "INSERT INTO chunk (corpus_id, document_id, ordinal, start_at, end_at, page, section, kind, language, position, "
        "size, text, terms) VALUES (:corpus, :document, :ordinal, :start, :end, :page, :section, :kind, :language, "
        ":position, :size, :text, :terms)",
        [_chunk_row(corpus_id, entry.id, ordinal, chunk, document.text) for ordinal, chunk in enumerate(entry.reading.chunks)],
    )
    sqlite = tx.dialect.name == "sqlite"
    tx.many(
        "INSERT INTO chunk_vector (document_id, ordinal, corpus_id, vector) VALUES (:document, :ordinal, :corpus, "
        + (":vector)" if sqlite else "CAST(:vector AS vector))"),
        [
            {
                "document": entry.id,
                "ordinal": ordinal,
                "corpus": corpus_id,
                "vector": to_bytes(vector) if sqlite else to_text(vector),
            }
            for ordinal, vector in enumerate(entry.vectors)
        ],
    )


def _chunk_row(corpus_id: int, document: str, ordinal: int, chunk: Chunk, text: str) -> dict[str, Any]:
    return {
        "corpus": corpus_id,
        "document": document,
        "ordinal": ordinal,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "section": chunk.section,
        "kind": chunk.kind,
        "language": chunk.language,
        "position": chunk.position,
        "size": chunk.terms.count(" ") + 1 if chunk.terms else 0,
        "text": text[chunk.start : chunk.end],
        "terms": chunk.terms,
    }
