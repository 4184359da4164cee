"""Finding checkpoints: one with everything that belongs to it, and which ones there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from autonomy.runtime import checkpoint_codec as codec
from autonomy.runtime import checkpoint_rows as rows
from autonomy.runtime import serializer
from autonomy.storage.database import Tx

Key = tuple[str, str]


class Loaded(NamedTuple):
    """A state, the name of its parent, its pending writes (task id, channel, value), and the thread's last row number."""

    state: codec.Replay
    parent: str | None
    pending: list[tuple[str, str, Any]]
    last: int


def load(tx: Tx, key: Key, name: str | None = None) -> Loaded | None:
    """A checkpoint by its name, or the newest. Raises CorruptState."""
    thread = rows.thread_of(tx, *key)
    row = None if thread is None else rows.find(tx, thread, name)
    if thread is None or row is None:
        return None
    state = rows.replay(tx, key[0], row)
    return Loaded(state, _parent_name(tx, row), _pending(tx, key[0], thread, row), rows.last_number(tx, thread))


def _parent_name(tx: Tx, row: codec.Row) -> str | None:
    if row.parent is None:
        return row.parent_id
    found = tx.value("SELECT checkpoint_id FROM checkpoint WHERE id = :id", id=row.parent)
    return None if found is None else str(found)


def children(tx: Tx, row: codec.Row) -> list[codec.Row]:
    """The checkpoints on top of a row, in the order in which they were stored. The usual child is the next row."""
    found = tx.packed(
        f"SELECT {rows.ROW} FROM checkpoint WHERE id = :following AND parent = :id AND kind < 2 "
        f"UNION ALL SELECT {rows.ROW} FROM checkpoint WHERE parent = :id AND parent <> id - 1 ORDER BY 1",
        id=row.id,
        following=row.id + 1,
    )
    return [codec.Row(*each) for each in found]


def _pending(tx: Tx, thread_id: str, thread: int, row: codec.Row) -> list[tuple[str, str, Any]]:
    """Everything that tasks have written on top of a checkpoint: the first word of a task counts, the last of a special
    channel (negative index)."""
    ahead = tx.packed(
        f"SELECT {rows.ROW} FROM checkpoint WHERE thread = :thread AND checkpoint_id = :name AND kind = 2 ORDER BY id",
        thread=thread,
        name=row.name,
    )
    stored = sorted([*(codec.Row(*each) for each in ahead), *children(tx, row)], key=lambda each: each.id)
    merged: dict[tuple[str, int], codec.PendingWrite] = {}
    for each in stored:
        for write in incoming(tx, thread_id, each):
            if write.at < 0 or (write.task_id, write.at) not in merged:
                merged[write.task_id, write.at] = write
    ordered = sorted(merged.values(), key=lambda write: (write.task_path, write.task_id, write.at))
    where = f"thread {thread_id}, checkpoint {row.name}, write to "
    return [(write.task_id, write.channel, serializer.loads(write.data or b"", where + write.channel)) for write in ordered]


def incoming(tx: Tx, thread_id: str, row: codec.Row) -> list[codec.PendingWrite]:
    """The task writes inside a row."""
    found = codec.writes_in(row, thread_id)
    if all(write.data is not None for write in found):
        return found
    state = rows.replay(tx, thread_id, row)
    return [each if each.data is not None else each._replace(data=state.packed(each.channel)) for each in found]


@dataclass(slots=True)
class Wanted:
    """What a listing asks for; `metadata` are values to be equal."""

    thread_id: str | None
    ns: str | None
    name: str | None
    before: str | None
    metadata: Mapping[str, Any]
    limit: int | None
    given: int = 0

    def names(self, tx: Tx) -> list[tuple[Any, ...]]:
        """(thread id, namespace, checkpoint) of all that may match, newest first."""
        conditions = {
            "thread_id": ("t.thread_id = :thread_id", self.thread_id),
            "ns": ("t.ns = :ns", self.ns),
            "name": ("c.checkpoint_id = :name", self.name),
            "before": ("c.checkpoint_id < :before", self.before),
        }
        asked = {name: each for name, each in conditions.items() if each[1] is not None}
        where = "".join(f" AND {sql}" for sql, _ in asked.values())
        limit = "" if self.limit is None or self.metadata else f" LIMIT {max(int(self.limit), 0)}"
        return tx.tuples(
            "SELECT DISTINCT t.thread_id, t.ns, c.checkpoint_id FROM checkpoint c JOIN thread t ON t.id = c.thread "
            f"WHERE c.kind < 2{where} ORDER BY c.checkpoint_id DESC{limit}",
            **{name: value for name, (_, value) in asked.items()},
        )

    def narrow(self, found: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Key, str]]:
        """The names, as keys to load; none at all for a limit of zero."""
        if self.limit is None or self.limit > 0:
            for thread_id, ns, name in found:
                yield (thread_id, ns), name

    def load(self, tx: Tx, key: Key, name: str) -> Loaded | None:
        """The checkpoint if its metadata match. Its head is read first: most do not match."""
        if self.metadata:
            thread = rows.thread_of(tx, *key)
            row = None if thread is None else rows.find(tx, thread, name)
            if row is None:
                return None
            metadata, _ = codec.header(row, key[0])
            if not all(metadata.get(field) == value for field, value in self.metadata.items()):
                return None
        return load(tx, key, name)

    def enough(self) -> bool:
        """Count one that was handed out; whether it was the last."""
        self.given += 1
        return self.limit is not None and self.given >= self.limit
