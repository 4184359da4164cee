"""What stands in a checkpoint row, and how a state is put together from rows: bytes only, no SQL and no LangGraph.

One row per superstep. A row of kind DELTA says what changed against its parent row: channel versions, what each node has
seen, channel values; and it carries the task writes that led to it, once: a channel entry points at the write that made
it, or a write points at its channel. A list that only grew is stored as its new tail. A SNAPSHOT row says everything. A
WRITES row holds task writes that had to be durable before their superstep's checkpoint. Metadata, graph fingerprint and
state version stand whole in each row.

Every state is the replay of one unbroken chain: from its `root`, the nearest snapshot, along `parent` links. Rows are only
added; `checkpoint_upkeep` alone rewrites them. Each row's bytes lie under a checksum salted with the checkpoint's name.
A row's id is `thread << 32 | number`.
"""

from __future__ import annotations

import datetime
import operator
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import ormsgpack

from autonomy.core.errors import CorruptState
from autonomy.runtime import serializer

FORMAT = 1
DELTA, SNAPSHOT, WRITES = 0, 1, 2
GONE, FULL, TAIL, WRITE, WRITES_TAIL = 0, 1, 2, 3, 4
"""How a channel entry gives its value: none; bytes; the parent's list and bytes; write i; the parent's list and writes."""

_COMPARABLE: frozenset[type] = frozenset({str, bytes, type(None)})
"""Elements that cannot change in place and are the same when they are equal; only lists of these are stored by tails."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OWN_FIELDS = frozenset({"v", "id", "ts", "channel_values", "channel_versions", "versions_seen", "updated_channels"})

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)

Versions = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which graph and which shape of state a checkpoint belongs to."""

    fingerprint: str = ""
    state_version: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """One task write. `value` is kept beside its bytes to find it again, by identity, among the channel values."""

    task_id: str
    task_path: str
    index: int
    channel: str
    value: Any
    data: bytes


@dataclass(slots=True)
class Known:
    """What the next delta is taken against. `lists` has a key for every channel with a value; lists that can grow by
    tails are kept as copies."""

    name: str
    versions: Versions
    seen: dict[str, Versions]
    lists: dict[str, list[Any] | None]


class Encoded(NamedTuple):
    """A checkpoint ready to be stored, and what will be known once it is."""

    kind: int
    data: bytes
    known: Known


# -- encoding -------------------------------------------------------------------------------------


def encode(
    checkpoint: Mapping[str, Any],
    metadata: Mapping[str, Any],
    stamp: Stamp,
    *,
    known: Known | None = None,
    new_versions: Iterable[str] = (),
    writes: Sequence[Write] = (),
) -> Encoded:
    """A delta against `known`, or a snapshot where there is none or a delta cannot say it. Raises Unserializable."""
    versions: Versions = dict(checkpoint["channel_versions"])
    seen = {node: dict(each) for node, each in checkpoint["versions_seen"].items()}
    if known is not None and not _reachable(known, versions, seen):
        known = None
    values = checkpoint["channel_values"]
    changed = _changed(values, versions, known, new_versions)
    entries, tails, referring = _entries(values, versions, changed, known, writes)
    places = {channel: n for n, channel in enumerate(changed)}
    updated = checkpoint.get("updated_channels")
    body = [
        FORMAT,
        checkpoint["v"],
        _moment(checkpoint["ts"]),
        _extra(checkpoint),
        stamp.fingerprint,
        stamp.state_version,
        _pack_metadata(metadata),
        entries,
        _seen_since(seen, known),
        None if updated is None else [places.get(channel, channel) for channel in updated],
        _pack_tasks(writes, places),
        [None if n in referring else write.data for n, write in enumerate(writes)],
    ]
    name: str = checkpoint["id"]
    data = _close(body, name)
    lists = _lists_after(values, changed, known, tails)
    return Encoded(SNAPSHOT if known is None else DELTA, data, Known(name, versions, seen, lists))


def encode_writes(name: str, writes: Sequence[Write]) -> bytes:
    """The bytes of a WRITES row of the checkpoint `name`."""
    return _close([FORMAT, _pack_tasks(writes, {}), [write.data for write in writes]], name)


def write_of(task_id: str, task_path: str, index: int, channel: str, value: Any) -> Write:
    """A task write, serialised now: what comes later must not change it. Raises Unserializable."""
    return Write(task_id, task_path, index, channel, value, serializer.dumps(value, channel))


def _close(body: list[Any], name: str) -> bytes:
    return serializer.seal(ormsgpack.packb(body), name.encode())


def _extra(checkpoint: Mapping[str, Any]) -> bytes | None:
    if checkpoint.keys() <= _OWN_FIELDS:
        return None
    return serializer.dumps({key: value for key, value in checkpoint.items() if key not in _OWN_FIELDS}, "checkpoint")


def _moment(text: str) -> str | int:
    """A time in UTC as microseconds, when that says it all."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not datetime.UTC or moment.isoformat() != text:
        return text
    return (moment - _EPOCH) // _MICROSECOND


def _pack_metadata(metadata: Mapping[str, Any]) -> bytes | list[Any]:
    """The three usual fields at their shortest."""
    source, step = metadata.get("source"), metadata.get("step")
    if len(metadata) == 3 and metadata.get("parents") == {} and type(source) is str and type(step) is int and abs(step) < 2**63:
        return [source, step]
    return serializer.dumps(dict(metadata), "metadata")


def _unpack_metadata(packed: bytes | list[Any], where: str) -> dict[str, Any]:
    if isinstance(packed, list):
        return {"source": packed[0], "step": packed[1], "parents": {}}
    found: dict[str, Any] = serializer.loads(packed, where)
    return found


def _reachable(known: Known, versions: Versions, seen: Mapping[str, Versions]) -> bool:
    """Whether a delta can lead there: deltas add and change, they never take a version away."""
    return known.versions.keys() <= versions.keys() and all(
        node in seen and each.keys() <= seen[node].keys() for node, each in known.seen.items()
    )


def _changed(values: Mapping[str, Any], versions: Versions, known: Known | None, new_versions: Iterable[str]) -> list[str]:
    unversioned = [channel for channel in values if channel not in versions]
    if known is None:
        return [*versions, *unversioned]
    fresh = set(new_versions)
    before, present = known.versions, known.lists
    return [
        channel
        for channel, version in versions.items()
        if channel in fresh or before.get(channel) != version or (channel in values) != (channel in present)
    ] + unversioned


def _entries(
    values: Mapping[str, Any], versions: Versions, changed: Sequence[str], known: Known | None, writes: Sequence[Write]
) -> tuple[list[list[Any]], dict[str, int], frozenset[int]]:
    """(channel entries, length of the parent's list per channel stored by its tail, writes that refer to their channel)."""
    entries: list[list[Any]] = []
    tails: dict[str, int] = {}
    referring: set[int] = set()
    writers: dict[str, list[int]] = {}
    for n, write in enumerate(writes):
        writers.setdefault(write.channel, []).append(n)
    for channel in changed:
        version = versions.get(channel)
        if channel not in values:
            entries.append([channel, version, GONE])
            continue
        value = values[channel]
        old = known.lists.get(channel) if known is not None else None
        mine = writers.get(channel, [])
        if old is not None and type(value) is list and len(value) >= len(old) and _starts_with(value, old):
            tails[channel] = len(old)
            referring.update(n for n in mine if writes[n].value is value)
            entries.append([channel, version, *_tail(value, len(old), mine, writes)])
            continue
        made_by = next((n for n in mine if writes[n].value is value), None)
        if made_by is None:
            entries.append([channel, version, FULL, serializer.dumps(value, channel)])
        else:
            entries.append([channel, version, WRITE, made_by])
    return entries, tails, frozenset(referring)


def _tail(value: list[Any], start: int, mine: Sequence[int], writes: Sequence[Write]) -> tuple[int, Any]:
    """How to say the tail: by the writes whose lists it is made of, element for element, else by its bytes."""
    tail = value[start:]
    used: list[int] = []
    position = 0
    for n in mine:
        part = writes[n].value
        if type(part) is not list or not part or part is value:
            continue
        there = tail[position : position + len(part)]
        if len(there) == len(part) and all(map(operator.is_, part, there)):
            used.append(n)
            position += len(part)
    if tail and position == len(tail):
        return WRITES_TAIL, used
    return TAIL, serializer.dumps(tail)


def _starts_with(new: list[Any], old: list[Any]) -> bool:
    # `old` holds comparable elements only; a foreign element on the other side may refuse to be compared (numpy arrays do).
    try:
        return old == new[: len(old)]
    except (TypeError, ValueError):
        return False


def _lists_after(
    values: Mapping[str, Any], changed: Sequence[str], known: Known | None, tails: Mapping[str, int]
) -> dict[str, list[Any] | None]:
    """Called last, when nothing can fail any more: the known lists grow in place, so a step costs its tail only."""
    lists = {} if known is None else known.lists
    for channel in changed:
        if channel not in values:
            lists.pop(channel, None)
        elif (start := tails.get(channel)) is not None:
            tail, old = values[channel][start:], lists[channel]
            if old is not None and comparable(tail):
                old.extend(tail)
            else:
                lists[channel] = None
        else:
            lists[channel] = remember(values[channel])
    return lists


def remember(value: Any) -> list[Any] | None:
    """A copy to find tails with, or None where tails are not used."""
    return list(value) if type(value) is list and comparable(value) else None


def comparable(elements: list[Any]) -> bool:
    """Whether equal elements are the same and none can change in place."""
    return set(map(type, elements)) <= _COMPARABLE


def _seen_since(seen: Mapping[str, Versions], known: Known | None) -> dict[str, Versions]:
    if known is None:
        return dict(seen)
    before = known.seen
    since: dict[str, Versions] = {}
    for node, each in seen.items():
        old = before.get(node)
        if old is None:
            since[node] = each
        elif old != each:
            since[node] = {channel: version for channel, version in each.items() if old.get(channel) != version}
    return since


def _pack_tasks(writes: Sequence[Write], places: Mapping[str, int]) -> list[list[Any]]:
    """Whose the writes are: one list per task, [task id, path, index, channel, index, channel ...], channels by their place
    among the entries where they have one. The data stand apart, in the same order: a replay needs nothing else."""
    packed: list[list[Any]] = []
    last: Write | None = None
    for write in writes:
        if last is None or write.task_id != last.task_id or write.task_path != last.task_path:
            packed.append([_short(write.task_id), write.task_path])
        packed[-1] += (write.index, places.get(write.channel, write.channel))
        last = write
    return packed


def _short(name: str) -> str | bytes:
    return bytes.fromhex(name.replace("-", "")) if _UUID.fullmatch(name) else name


def long_name(name: str | bytes) -> str:
    """A UUID's text for its 16 bytes; other names are text already."""
    if isinstance(name, str):
        return name
    digits = name.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


# -- decoding -------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A row of the checkpoint table."""

    id: int
    name: str
    parent: int | None
    parent_id: str | None
    root: int
    kind: int
    data: bytes


class PendingWrite(NamedTuple):
    """A stored task write; `data` is None where the value is that of its channel in the row's own checkpoint."""

    task_id: str
    task_path: str
    at: int
    channel: str
    data: bytes | None


class Replay:
    """A state in the making: apply a snapshot, then its deltas in order. Values stay bytes until they are asked for."""

    def __init__(self, thread_id: str) -> None:
        self.thread_id = thread_id
        self.row: Row | None = None
        self.versions: Versions = {}
        self.seen: dict[str, Versions] = {}
        self.size = 0
        self.snapshot_size = 0
        self._pieces: dict[str, list[bytes]] = {}
        self._body: list[Any] = []

    def apply(self, row: Row) -> None:
        """Go one row on. Raises CorruptState."""
        body = self.open(row)
        try:
            if row.kind == SNAPSHOT:
                self.versions, self.seen, self._pieces, self.size = {}, {}, {}, 0
                self.snapshot_size = len(row.data)
            self._enter(body[7], body[11])
            seen = self.seen
            for node, each in body[8].items():
                if node in seen:
                    seen[node].update(each)
                else:
                    seen[node] = dict(each)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
            raise self.corrupt(row.name, f"its contents do not fit together ({type(error).__name__})") from None
        self.row, self._body = row, body
        self.size += len(row.data)

    def _enter(self, entries: list[list[Any]], data: list[bytes]) -> None:
        """The channel entries of a row, in one loop with the usual kinds first: a resume is a thousand of these."""
        versions, pieces = self.versions, self._pieces
        for entry in entries:
            channel, version, how = entry[0], entry[1], entry[2]
            if version is not None:
                versions[channel] = version
            if how == WRITE:
                pieces[channel] = [data[entry[3]]]
            elif how == WRITES_TAIL:
                pieces[channel] += [data[n] for n in entry[3]]
            elif how == FULL:
                pieces[channel] = [entry[3]]
            elif how == TAIL:
                pieces[channel].append(entry[3])
            elif how == GONE:
                pieces.pop(channel, None)
            else:
                raise ValueError("unknown channel entry")

    def open(self, row: Row) -> list[Any]:
        """The row's body, its checksum checked. Raises CorruptState."""
        try:
            body = ormsgpack.unpackb(serializer.unseal(row.data, row.name.encode()))
        except (CorruptState, ValueError):
            raise self.corrupt(row.name, "its checksum does not fit") from None
        if type(body) is not list or len(body) != (3 if row.kind == WRITES else 12) or body[0] != FORMAT:
            raise self.corrupt(row.name, "it has another format")
        return body

    def channel(self, name: str) -> Any:
        """The value of one channel. Raises CorruptState."""
        where = f"thread {self.thread_id}, checkpoint {self.row.name if self.row else '?'}, channel {name}"
        first, *tails = self._pieces[name]
        value = serializer.loads(first, where)
        for piece in tails:
            tail = serializer.loads(piece, where)
            if type(value) is not list or type(tail) is not list:
                raise CorruptState(f"{where} cannot be read back: a tail of no list", "Restore the database.")
            value.extend(tail)
        return value

    def values(self) -> dict[str, Any]:
        """All channel values, made anew."""
        return {channel: self.channel(channel) for channel in self._pieces}

    def metadata(self) -> dict[str, Any]:
        """The last row's metadata."""
        return _unpack_metadata(self._body[6], f"thread {self.thread_id}, metadata")

    def checkpoint(self) -> dict[str, Any]:
        """The whole checkpoint as LangGraph knows it."""
        assert self.row is not None
        extra = {} if self._body[3] is None else serializer.loads(self._body[3], f"thread {self.thread_id}, checkpoint")
        updated = None if self._body[9] is None else [_channel(each, self._body[7]) for each in self._body[9]]
        return {
            **extra,
            "v": self._body[1],
            "ts": _text_of(self._body[2]),
            "id": self.row.name,
            "channel_values": self.values(),
            "channel_versions": dict(self.versions),
            "versions_seen": {node: dict(each) for node, each in self.seen.items()},
            "updated_channels": updated,
        }

    def stamp(self) -> Stamp:
        """Whose checkpoint the last row is."""
        return Stamp(self._body[4], self._body[5])

    def packed(self, channel: str) -> bytes:
        """The bytes of one channel's value. Raises CorruptState."""
        pieces = self._pieces[channel]
        return pieces[0] if len(pieces) == 1 else serializer.dumps(self.channel(channel), channel)

    def corrupt(self, name: str, why: str) -> CorruptState:
        """The error for a damaged row."""
        return CorruptState(
            f"thread {self.thread_id}, checkpoint {name} cannot be read back: {why}",
            "Restore the database, or start the run again.",
        )


def _text_of(moment: str | int) -> str:
    return moment if isinstance(moment, str) else (_EPOCH + moment * _MICROSECOND).isoformat()


def _channel(name: str | int, entries: list[Any]) -> str:
    found: str = name if isinstance(name, str) else entries[name][0]
    return found


def writes_in(row: Row, thread_id: str) -> list[PendingWrite]:
    """The task writes inside a row. Raises CorruptState."""
    state = Replay(thread_id)
    body = state.open(row)
    entries, data = [] if row.kind == WRITES else body[7], iter(body[-1])
    try:
        return [
            PendingWrite(long_name(task[0]), task[1], task[n], _channel(task[n + 1], entries), next(data))
            for task in body[-2]
            for n in range(2, len(task), 2)
        ]
    except (ValueError, TypeError, IndexError, StopIteration) as error:
        raise state.corrupt(row.name, f"its contents do not fit together ({type(error).__name__})") from None


def header(row: Row, thread_id: str) -> tuple[dict[str, Any], Stamp]:
    """(metadata, stamp) of one row, without its chain. Raises CorruptState."""
    body = Replay(thread_id).open(row)
    return _unpack_metadata(body[6], f"thread {thread_id}, checkpoint {row.name}, metadata"), Stamp(body[4], body[5])
