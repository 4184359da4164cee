"""The checkpoint table: finding a state, the newest one at a glance, and the first one of a run. Imports no LangGraph.

A row's id is `thread << 32 | number`. Rows are only added; `checkpoint_upkeep` alone rewrites them.
"""

from __future__ import annotations

import datetime
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autonomy.runtime import checkpoint_codec as codec
from autonomy.runtime.checkpoint_codec import DELTA, SNAPSHOT, Replay, Row, Stamp
from autonomy.storage.database import Tx

ROW = "id, checkpoint_id, parent, parent_id, root, kind, data"
_UUID_EPOCH = 0x01B21DD213814000
"""100-nanosecond intervals between 1582-10-15, where UUIDs of version 6 count from, and 1970-01-01 (RFC 9562)."""
_INTERNAL = re.compile(r"__|branch:")


@dataclass(frozen=True, slots=True)
class Meta:
    """The head of a checkpoint: enough to decide whether it can be resumed. `step` is -1 for the seeded one."""

    checkpoint_id: str
    fingerprint: str
    state_version: int
    step: int


def thread_of(tx: Tx, thread_id: str, ns: str = "") -> int | None:
    """The number of a thread's namespace."""
    found = tx.value("SELECT id FROM thread WHERE thread_id = :thread_id AND ns = :ns", thread_id=thread_id, ns=ns)
    return None if found is None else int(found)


def last_number(tx: Tx, thread: int) -> int:
    """The highest row number given out in a thread, 0 when it is empty."""
    found = tx.value(
        "SELECT max(id) FROM checkpoint WHERE id BETWEEN :low AND :high", low=thread << 32, high=thread << 32 | 0xFFFFFFFF
    )
    return 0 if found is None else int(found) & 0xFFFFFFFF


def find(tx: Tx, thread: int, name: str | None = None) -> Row | None:
    """The row of a checkpoint; without a name that of the newest, which is the one with the highest name."""
    which = "" if name is None else "AND checkpoint_id = :name "
    found = tx.packed(
        f"SELECT {ROW} FROM checkpoint WHERE thread = :thread AND kind < 2 {which}ORDER BY checkpoint_id DESC, id DESC LIMIT 1",
        thread=thread,
        name=name,
    )
    return Row(*found[0]) if found else None


def replay(tx: Tx, thread_id: str, row: Row) -> Replay:
    """The state at a row. Raises CorruptState when its chain is broken."""
    state = Replay(thread_id)
    if row.kind == SNAPSHOT:
        state.apply(row)
        return state
    found = tx.packed(f"SELECT {ROW} FROM checkpoint WHERE id BETWEEN :low AND :high ORDER BY id", low=row.root, high=row.id)
    by_id = {each[0]: Row(*each) for each in found}
    chain: list[Row] = []
    at: int | None = row.id
    while at is not None and (link := by_id.get(at)) is not None:
        chain.append(link)
        at = link.parent if link.kind == DELTA else None
    if chain[-1].kind != SNAPSHOT:
        raise state.corrupt(row.name, "a row that it builds on is missing")
    for link in reversed(chain):
        state.apply(link)
    return state


def latest(tx: Tx, thread_id: str) -> Replay | None:
    """The newest root checkpoint of a thread."""
    thread = thread_of(tx, thread_id)
    row = None if thread is None else find(tx, thread)
    return None if row is None else replay(tx, thread_id, row)


def latest_state(tx: Tx, thread_id: str) -> dict[str, Any] | None:
    """The graph state of the newest root checkpoint: its channels without LangGraph's own; a run that has only been
    seeded shows its seed. None when there is no checkpoint. Raises CorruptState."""
    state = latest(tx, thread_id)
    if state is None:
        return None
    values = state.values()
    seeded = values.get("__start__")
    shown = dict(seeded) if isinstance(seeded, dict) else {}
    return shown | {channel: value for channel, value in values.items() if not _INTERNAL.match(channel)}


def latest_meta(tx: Tx, thread_id: str) -> Meta | None:
    """Fingerprint, state version and step of the newest root checkpoint, from one row. Raises CorruptState."""
    thread = thread_of(tx, thread_id)
    row = None if thread is None else find(tx, thread)
    if row is None:
        return None
    metadata, stamp = codec.header(row, thread_id)
    return Meta(row.name, stamp.fingerprint, stamp.state_version, int(metadata.get("step", -1)))


# -- the first checkpoint -------------------------------------------------------------------------


def open_thread(tx: Tx, thread_id: str, ns: str) -> int:
    """The number of a thread's namespace, made where it is new."""
    tx.run("INSERT INTO thread (thread_id, ns) VALUES (:thread_id, :ns) ON CONFLICT DO NOTHING", thread_id=thread_id, ns=ns)
    found = thread_of(tx, thread_id, ns)
    assert found is not None
    return found


INSERT_SNAPSHOT = (
    "INSERT INTO checkpoint (id, thread, checkpoint_id, parent, parent_id, root, kind, run_id, data) "
    "VALUES (:id, :thread, :name, :parent, :parent_id, :id, :kind, :run_id, :data) ON CONFLICT DO NOTHING"
)


def seed(tx: Tx, thread_id: str, values: Mapping[str, Any], *, fingerprint: str, state_version: int) -> bool:
    """Write a run's first checkpoint, as LangGraph stores an input: `graph.ainvoke(None, ...)` begins at START from it.

    Runs in the caller's transaction. Returns False, and writes nothing, where the thread has a checkpoint already.
    Raises Unserializable.
    """
    thread = open_thread(tx, thread_id, "")
    if find(tx, thread) is not None:
        return False
    checkpoint = {
        "v": 4,
        "ts": datetime.datetime.now(datetime.UTC).isoformat(),
        "id": checkpoint_name(-1),
        "channel_values": {"__start__": dict(values)},
        "channel_versions": {"__start__": 1},
        "versions_seen": {"__input__": {}},
        "updated_channels": ["__start__"],
    }
    metadata = {"source": "input", "step": -1, "parents": {}}
    encoded = codec.encode(checkpoint, metadata, Stamp(fingerprint, state_version))
    number = thread << 32 | (last_number(tx, thread) + 1)
    name = checkpoint["id"]
    tx.run(
        INSERT_SNAPSHOT,
        id=number,
        thread=thread,
        name=name,
        parent=None,
        parent_id=None,
        kind=SNAPSHOT,
        run_id=None,
        data=encoded.data,
    )
    return True


def checkpoint_name(step: int) -> str:
    """A UUID of version 6 as LangGraph names checkpoints: sorted by time; `step` goes into the clock sequence."""
    ticks = time.time_ns() // 100 + _UUID_EPOCH
    number = (ticks >> 12) << 80 | 6 << 76 | (ticks & 0xFFF) << 64 | 2 << 62 | (step & 0x3FFF) << 48
    return codec.long_name((number | random.getrandbits(48)).to_bytes(16, "big"))
