"""The bytes of checkpoints: plain data and four LangGraph values, nothing else, in both directions.

The stock serializer imports and calls what a stored value names; this one knows its types by a fixed table and closes on
anything else: on save it names the path of the bad value, on load it says that the state is damaged. Plain JSON-like data
goes through msgpack natively; every other allowed type has an extension code of its own, so what comes back equals what
went in, type for type. No pickle, and nothing is ever imported by a name that stands in the data.
"""

from __future__ import annotations

import datetime
import decimal
import sys
import uuid
import zlib
from collections.abc import Callable
from typing import Any

import ormsgpack

from autonomy.core.errors import CorruptState, Unserializable

MAX_DEPTH = 100
"""Containers inside containers; msgpack's own limit lies above it, and no state of ours comes near."""

_STRICT = (
    ormsgpack.OPT_PASSTHROUGH_BIG_INT
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_SUBCLASS
    | ormsgpack.OPT_PASSTHROUGH_TUPLE
    | ormsgpack.OPT_PASSTHROUGH_UUID
)
_NONE: type[None] = type(None)
SCALARS: frozenset[type] = frozenset({_NONE, bool, int, float, str, bytes})
_TEXT: frozenset[type] = frozenset({str})
_NATIVE_CONTAINERS: frozenset[type] = frozenset({list, dict})

# Extension codes. They are part of the stored format: never reuse one.
_BIG_INT, _TUPLE, _SET, _FROZENSET, _BYTEARRAY, _PAIRS, _DATETIME, _DATE, _UUID, _DECIMAL = range(1, 11)
_SEND, _INTERRUPT, _OVERWRITE, _SNAPSHOT = 20, 21, 22, 23

_LANGGRAPH: dict[tuple[str, str], tuple[int, tuple[str, ...]]] = {
    ("langgraph.types", "Send"): (_SEND, ("node", "arg", "timeout")),
    ("langgraph.types", "Interrupt"): (_INTERRUPT, ("value", "id", "response_schema")),
    ("langgraph.types", "Overwrite"): (_OVERWRITE, ("value",)),
    ("langgraph.checkpoint.serde.types", "_DeltaSnapshot"): (_SNAPSHOT, ("value",)),
}


def dumps(value: Any, path: str = "") -> bytes:
    """msgpack of an allowed value. Raises Unserializable, naming where below `path` the bad value stands."""
    try:
        data = ormsgpack.packb(value, None, _STRICT)
    except TypeError:
        pass  # not plain: decided below, value by value
    else:
        # msgpack would take bytearray and memoryview for bytes, so the types are looked at as well.
        if _is_plain(value):
            return data
    tree = _convert(value, path, 0)
    try:
        return ormsgpack.packb(tree, None, _STRICT)
    except TypeError as error:
        raise Unserializable(f"{path or 'the value'} cannot be stored: {error}", "Keep only plain data in the state.") from None


def loads(data: bytes, where: str = "the value") -> Any:
    """The value of `dumps`. Raises CorruptState, naming `where`, for anything that `dumps` cannot have written."""
    try:
        return ormsgpack.unpackb(data, ext_hook=_revive)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise _corrupt(where, str(error)) from None


def seal(body: bytes, salt: bytes = b"") -> bytes:
    """The body with a checksum before it; `salt` (what the bytes belong to) is covered too."""
    return zlib.crc32(body, zlib.crc32(salt)).to_bytes(4, "big") + body


def unseal(data: bytes, salt: bytes = b"", where: str = "the value") -> bytes:
    """The body of `seal`. Raises CorruptState when a single byte of it has changed."""
    body = data[4:]
    if len(body) < 1 or int.from_bytes(data[:4], "big") != zlib.crc32(body, zlib.crc32(salt)):
        raise _corrupt(where, "its checksum does not fit")
    return body


class Serializer:
    """`dumps` and `loads` as LangGraph's SerializerProtocol asks for them, each blob under its checksum."""

    TAG = "autonomy-1"

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """(tag, sealed bytes). Raises Unserializable."""
        return self.TAG, seal(dumps(obj))

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value. Raises CorruptState, also for another serializer's tag."""
        tag, blob = data
        if tag != self.TAG:
            raise _corrupt("the value", f"it was written by another serializer ({tag!r})")
        return loads(unseal(blob))


def _is_plain(value: Any) -> bool:
    """Whether only native types stand in a value that msgpack has just walked (so it is finite). Works by container, in C."""
    if type(value) in SCALARS:
        return True
    stack = [value]
    while stack:
        container = stack.pop()
        kind = type(container)
        if kind is dict:
            items: Any = container.values()
        elif kind is list:
            items = container
        else:
            return False
        kinds = set(map(type, items)) - SCALARS
        if kinds:
            if not kinds <= _NATIVE_CONTAINERS:
                return False
            stack.extend(item for item in items if type(item) in _NATIVE_CONTAINERS)
    return True


def _convert(value: Any, path: str, depth: int) -> Any:
    """The value as native types and extensions, or Unserializable with the path."""
    kind = type(value)
    if kind is str:
        return _checked_text(value, path)
    if kind is int and not -(2**63) <= value < 2**64:
        return ormsgpack.Ext(_BIG_INT, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))
    if kind in SCALARS:
        return value
    if depth >= MAX_DEPTH:
        raise Unserializable(f"{_cut(path)} is nested deeper than {MAX_DEPTH} levels", "Flatten it, or break the cycle.")
    if kind is list:
        return [_convert(item, f"{path}[{n}]", depth + 1) for n, item in enumerate(value)]
    if kind is dict:
        return _convert_dict(value, path, depth)
    if kind in _ENCODERS:
        code, encode = _ENCODERS[kind]
        return ormsgpack.Ext(code, encode(value))
    return _convert_other(value, kind, path, depth)


def _convert_dict(value: dict[Any, Any], path: str, depth: int) -> Any:
    kinds = set(map(type, value))
    if bad := kinds - {str, int}:
        name = sorted(each.__name__ for each in bad)[0]
        raise Unserializable(f"{path or 'the value'} has a key of type {name}", "Use text or whole numbers as keys.")
    pairs = [
        (_convert(key, f"{path}.<key>", depth), _convert(item, _below(path, key), depth + 1)) for key, item in value.items()
    ]
    if kinds <= _TEXT:
        return dict(pairs)
    return ormsgpack.Ext(_PAIRS, _pack([part for pair in pairs for part in pair]))


def _convert_other(value: Any, kind: type, path: str, depth: int) -> Any:
    if kind is tuple:
        return ormsgpack.Ext(_TUPLE, _pack([_convert(item, f"{path}[{n}]", depth + 1) for n, item in enumerate(value)]))
    if kind is set or kind is frozenset:
        # Sorted by their bytes: the same set gives the same row.
        parts = sorted(_pack(_convert(item, f"{path}{{}}", depth + 1)) for item in value)
        return ormsgpack.Ext(_SET if kind is set else _FROZENSET, _pack(parts))
    known = _LANGGRAPH.get((kind.__module__, kind.__qualname__))
    # The class itself must be LangGraph's, not another that carries its name.
    if known is not None and getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is kind:
        code, fields = known
        parts_of = [_convert(getattr(value, field), _below(path, field), depth + 1) for field in fields]
        return ormsgpack.Ext(code, _pack(parts_of))
    raise Unserializable(
        f"{path or 'the value'} is of type {kind.__module__}.{kind.__qualname__}, which is not stored",
        "Keep only plain data in the state.",
    )


def _pack(tree: Any) -> bytes:
    return ormsgpack.packb(tree, None, _STRICT)


def _below(path: str, key: Any) -> str:
    if type(key) is not str:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _cut(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:40]}...{path[-20:]}"


def _checked_text(text: str, path: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise Unserializable(
            f"{ascii(path)[1:-1] or 'the value'} holds a lone surrogate", "Clean the text before it enters the state."
        ) from None
    return text


_ENCODERS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    bytearray: (_BYTEARRAY, bytes),
    datetime.datetime: (_DATETIME, lambda value: f"{value.isoformat()}{'*' if value.fold else ''}".encode()),
    datetime.date: (_DATE, lambda value: value.isoformat().encode()),
    uuid.UUID: (_UUID, lambda value: value.bytes),
    decimal.Decimal: (_DECIMAL, lambda value: str(value).encode()),
}


def _read_datetime(data: bytes) -> datetime.datetime:
    text = data.decode("ascii")
    return datetime.datetime.fromisoformat(text.removesuffix("*")).replace(fold=1 if text.endswith("*") else 0)


def _read_pairs(data: bytes) -> dict[Any, Any]:
    parts = _read_list(data)
    keys = parts[::2]
    if len(parts) % 2 or set(map(type, keys)) - {str, int}:
        raise ValueError("a mapping with impossible keys")
    return dict(zip(keys, parts[1::2], strict=True))


def _read_list(data: bytes, length: int | None = None) -> list[Any]:
    parts = ormsgpack.unpackb(data, ext_hook=_revive)
    if type(parts) is not list or (length is not None and len(parts) != length):
        raise ValueError("an extension of the wrong shape")
    return parts


def _read_set(data: bytes) -> set[Any]:
    return {ormsgpack.unpackb(part, ext_hook=_revive) for part in _read_list(data)}


def _read_send(data: bytes) -> Any:
    from langgraph.types import Send

    node, arg, timeout = _read_list(data, 3)
    if type(node) is not str or timeout is not None:
        raise ValueError("a Send of the wrong shape")
    return Send(node, arg)


def _read_interrupt(data: bytes) -> Any:
    from langgraph.types import Interrupt

    value, name, schema = _read_list(data, 3)
    if type(name) is not str or not (schema is None or type(schema) is dict):
        raise ValueError("an Interrupt of the wrong shape")
    return Interrupt(value, id=name, response_schema=schema)


def _read_overwrite(data: bytes) -> Any:
    from langgraph.types import Overwrite

    return Overwrite(*_read_list(data, 1))


def _read_snapshot(data: bytes) -> Any:
    from langgraph.checkpoint.serde.types import _DeltaSnapshot

    return _DeltaSnapshot(*_read_list(data, 1))


_DECODERS: dict[int, Callable[[bytes], Any]] = {
    _BIG_INT: lambda data: int.from_bytes(data, "big", signed=True),
    _TUPLE: lambda data: tuple(_read_list(data)),
    _SET: _read_set,
    _FROZENSET: lambda data: frozenset(_read_set(data)),
    _BYTEARRAY: bytearray,
    _PAIRS: _read_pairs,
    _DATETIME: _read_datetime,
    _DATE: lambda data: datetime.date.fromisoformat(data.decode("ascii")),
    _UUID: lambda data: uuid.UUID(bytes=data),
    _DECIMAL: lambda data: decimal.Decimal(data.decode("ascii")),
    _SEND: _read_send,
    _INTERRUPT: _read_interrupt,
    _OVERWRITE: _read_overwrite,
    _SNAPSHOT: _read_snapshot,
}


def _revive(code: int, data: bytes) -> Any:
    decode = _DECODERS.get(code)
    if decode is None:
        raise ValueError(f"unknown extension {code}")
    return decode(data)


def _corrupt(where: str, why: str) -> CorruptState:
    return CorruptState(f"{where} cannot be read back: {ascii(why)[1:-1]}", "Restore the database, or start the run again.")
