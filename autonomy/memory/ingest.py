"""A folder of documents into a corpus: only what is new or changed is read, and nothing a file does is fatal.

Each document is one transaction, so a crash loses at most the one being written, and the next call goes on from there.
Two processes may ingest one folder at the same time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from autonomy.core.counting import of_another_kind
from autonomy.core.errors import InvalidInput
from autonomy.memory import documents, folder
from autonomy.memory.documents import Entry, Known, State
from autonomy.memory.embedding import Embedder
from autonomy.memory.folder import Found, Listing
from autonomy.memory.readers.choose import VERSION
from autonomy.memory.readers.document import Limits
from autonomy.memory.reading import CHILDREN, Child, Readers, Reading
from autonomy.storage.database import Database, Tx

_PENDING_WRITES = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """After each file: how many of how many are done, the last one, how many failed so far. First told with none done."""

    done: int
    total: int
    location: str
    failed: int


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What one ingestion did. `failed` holds (location, why), and so does `unused`, of documents that were read in vain;
    `unread` names files of a kind that is not read; `documents` are usable ones in the corpus now."""

    corpus_id: int
    found: int
    read: int
    unchanged: int
    duplicates: int
    failed: tuple[tuple[str, str], ...]
    removed: int
    documents: int
    chunks: int
    seconds: float
    unused: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()


def ingest(
    database: Database,
    root: Path,
    *,
    embedder: Embedder,
    limits: Limits | None = None,
    progress: Callable[[Progress], None] | None = None,
    children: int = CHILDREN,
    workspace: Path | None = None,
) -> IngestReport:
    """Bring the corpus of a folder up to date. What Autonomy wrote into the `workspace`, or into another, is not read.

    Raises InvalidInput when the folder is missing, cannot be opened, or holds nothing that could be read and quoted.
    """
    began = time.monotonic()
    real = folder.resolve(root)
    listed = folder.listing(real, workspace)
    found = listed.files
    corpus_id = database.write(lambda tx: documents.make_corpus(tx, str(real), embedder.name))
    work = _Ingestion(database, corpus_id, str(real), embedder, limits or Limits(), progress)
    work.run(found, children)
    usable, chunks = database.read(lambda tx: _totals(tx, corpus_id))
    unused = database.read(lambda tx: documents.unused(tx, corpus_id))
    if not chunks:
        _refuse(folder.shown(str(root)), listed, usable, work.failed)
    return IngestReport(
        corpus_id=corpus_id,
        found=len(found),
        read=work.read,
        unchanged=work.unchanged,
        duplicates=sum(why == documents.COPY for _, why in unused),
        failed=tuple(sorted(work.failed.items())),
        removed=work.removed,
        documents=usable,
        chunks=chunks,
        seconds=round(time.monotonic() - began, 3),
        unused=unused,
        unread=tuple(listed.unread),
    )


def _totals(tx: Tx, corpus_id: int) -> tuple[int, int]:
    usable = tx.value("SELECT count(*) FROM document WHERE corpus_id = :corpus AND state = 'ok'", corpus=corpus_id)
    return int(usable), int(tx.value("SELECT count(*) FROM chunk WHERE corpus_id = :corpus", corpus=corpus_id))


def _refuse(root: str, listed: Listing, usable: int, failed: dict[str, str]) -> None:
    """Say why there is nothing to work with."""
    if not listed.files:
        unread = f": {of_another_kind(listed.unread)}" if listed.unread else ""
        raise InvalidInput(
            f"the corpus folder {root} holds no document{unread}", "Put PDF, DOCX, HTML, Markdown or text files there."
        )
    if usable:
        raise InvalidInput(f"the documents in {root} hold no prose that could be quoted", "Add documents with whole sentences.")
    location, why = min(failed.items())
    raise InvalidInput(
        f"none of the {len(failed)} files in {root} could be read (first: {folder.shown(location)} {why})",
        "Repair or replace them.",
    )


@dataclass(slots=True)
class _Ingestion:
    """One pass over a folder, and its counts."""

    database: Database
    corpus_id: int
    root: str
    embedder: Embedder
    limits: Limits
    progress: Callable[[Progress], None] | None
    read: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    _done: int = 0
    _total: int = 0
    _writes: list[Future[State]] = field(default_factory=list)

    def run(self, found: Sequence[Found], children: int) -> None:
        self._total = len(found)
        self._tell("")
        rows = self.database.read(lambda tx: documents.known(tx, self.corpus_id))
        self._remove(found, rows)
        self._read([item for item in found if not self._settled(item, rows.get(item.location))], rows, children)
        orphans = set(self.database.read(lambda tx: documents.orphans(tx, self.corpus_id)))
        self._read([item for item in found if item.location in orphans], {}, children)

    def _remove(self, found: Sequence[Found], rows: dict[str, Known]) -> None:
        """Retire what is gone; what lies in a folder that cannot be opened now is not known to be gone."""
        there = {item.location for item in found}
        closed = tuple(item.location for item in found if item.location.endswith("/"))
        gone = [location for location in rows if location not in there and not (closed and location.startswith(closed))]
        if gone:
            self.database.write(lambda tx: documents.remove(tx, self.corpus_id, gone))
        self.removed = sum(rows[location].state != "failed" for location in gone)

    @property
    def _reader(self) -> str:
        """Readers and limits as they are: a file is read again when either changes."""
        bounds = self.limits
        return f"{VERSION}/{bounds.memory_bytes}/{bounds.seconds:g}/{bounds.file_bytes}/{bounds.characters}/{bounds.pages}"[:64]

    def _settled(self, item: Found, row: Known | None) -> bool:
        """Whether the file needs no reading; counts it then."""
        same = row is not None and (row.size, row.mtime_ns, row.reader) == (item.size, item.mtime_ns, self._reader)
        if row is None or not same or item.why:
            return False
        self.unchanged += 1
        if row.state == "failed":
            self.failed[item.location] = row.error
        self._step(item.location)
        return True

    def _read(self, items: Sequence[Found], rows: dict[str, Known], children: int) -> None:
        """Read and store the files, in their order; all is written when this returns."""
        if not items:
            return

        def ask(child: Child, item: Found) -> Reading:
            if item.why:
                return Reading("failed", item.why)
            if item.size > self.limits.file_bytes:
                return Reading("failed", f"is larger than {self.limits.file_bytes >> 20} MiB")
            row = rows.get(item.location)
            same_reader = row is not None and row.reader == self._reader and row.state != "failed"
            return child.read(item.path, item.location, row.sha256 if row is not None and same_reader else "")

        with Readers(self.limits, min(children, len(items))) as readers:
            for item, reading in readers.map(items, ask):
                self._take(item, reading)
                self._step(item.location)
        self._settle_writes(0)

    def _take(self, item: Found, reading: Reading) -> None:
        """Store one outcome (the write is awaited later)."""
        if reading.status == "unchanged":
            self.unchanged += 1
            self.database.write(lambda tx: documents.touch(tx, self.corpus_id, item, reading.sha256, self._reader))
            return
        text_sha256 = documents.digest_of(reading.document) if reading.document is not None else ""
        if reading.document is None:
            self.failed[item.location] = reading.why
        else:
            self.read += 1
        entry = Entry(
            id=documents.document_id(self.root, self.embedder.name, item.location, text_sha256 or f"failed {item.size}"),
            found=item,
            reader="" if item.why else self._reader,
            reading=reading,
            text_sha256=text_sha256,
            vectors=self._vectors(reading),
        )
        self._writes.append(self.database.submit(lambda tx: documents.store(tx, self.corpus_id, entry)))
        self._settle_writes(_PENDING_WRITES)

    def _vectors(self, reading: Reading) -> Sequence[Sequence[float]]:
        document = reading.document
        if document is None or not reading.chunks:
            return ()
        return self.embedder.embed(
            [f"{chunk.section or ''}\n{document.text[chunk.start : chunk.end]}" for chunk in reading.chunks]
        )

    def _settle_writes(self, left: int) -> None:
        """Wait until at most `left` writes are under way; the first error of one ends the ingestion."""
        while len(self._writes) > left:
            self._writes.pop(0).result()

    def _step(self, location: str) -> None:
        self._done += 1
        self._tell(location)

    def _tell(self, location: str) -> None:
        if self.progress is not None:
            self.progress(Progress(min(self._done, self._total), self._total, location, len(self.failed)))
