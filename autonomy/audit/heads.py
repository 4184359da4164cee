"""How far the log goes, kept in the database: the newest line's number and hash, and the newest lines themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autonomy.audit import lines
from autonomy.audit.lines import Line
from autonomy.storage.database import Database, Tx

LOG = "events"
"""The log's name in `audit_head`: one database serves one workspace."""
_INSERT = (
    "INSERT INTO audit_head (name, seq, file, size, head, pending, updated_at) "
    "VALUES (:name, :seq, :file, :size, :head, :pending, now_us()) ON CONFLICT (name) DO NOTHING"
)
_UPDATE = (
    "UPDATE audit_head SET seq = :seq, file = :file, size = :size, head = :head, pending = :pending, updated_at = now_us() "
    "WHERE name = :name AND head = :stored"
)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest line: its number and hash, and the size of `lines.CURRENT` with it. `pending` is what was announced last,
    as it goes into the file. `stored` is the hash in the database's row now, None where there is no row."""

    seq: int = 0
    head: str = lines.NOTHING
    size: int = 0
    pending: str = ""
    stored: str | None = None

    def announced(self) -> Sequence[Line]:
        """The lines that were announced last."""
        return [lines.parse(data.encode("utf-8")) for data in self.pending.splitlines()]


def read_head(database: Database) -> Head:
    """The head as the database has it."""
    sql = "SELECT seq, head, size, pending FROM audit_head WHERE name = :name"
    row = database.read(lambda tx: tx.row(sql, name=LOG))
    return Head() if row is None else Head(row["seq"], row["head"], row["size"], row["pending"], row["head"])


def announce(database: Database, head: Head) -> bool:
    """Move the head on, durably; False if it is no longer the one that this one follows."""
    values = {
        "name": LOG,
        "seq": head.seq,
        "file": lines.CURRENT,
        "size": head.size,
        "head": head.head,
        "pending": head.pending,
    }

    def move(tx: Tx) -> int:
        return tx.run(_INSERT, **values) if head.stored is None else tx.run(_UPDATE, **values, stored=head.stored)

    return database.write(move) == 1
