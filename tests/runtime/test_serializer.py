"""The bytes of checkpoints: what may stand in them comes back as it went in, and nothing else gets in or out."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import math
import os
import pathlib
import random
import re
import struct
import threading
import types
import zoneinfo
from typing import Any, NamedTuple

import ormsgpack
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.types import _DeltaSnapshot
from langgraph.types import Command, Interrupt, Overwrite, Send

from autonomy.core.errors import CorruptState, Unserializable
from autonomy.runtime.serializer import MAX_DEPTH, Serializer, dumps, loads, seal, unseal

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.binary().map(bytearray)
    | st.uuids()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC))
    | st.decimals(allow_nan=False)
    | st.frozensets(st.integers() | st.text()),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=5)
        | st.sets(st.integers() | st.text(), max_size=4)
    ),
    max_leaves=20,
)


def same(a: Any, b: Any) -> bool:
    """Equal, and of the same types all the way down (1, 1.0 and True are three things)."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return [*map(type, a)] == [*map(type, b)] and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return struct.pack(">d", a) == struct.pack(">d", b)
    return bool(a == b)


@given(plain)
def test_every_allowed_value_comes_back_the_same_type_for_type(value: Any) -> None:
    assert same(loads(dumps(value)), value)


@pytest.mark.parametrize(
    "value",
    [
        math.inf,
        -math.inf,
        math.nan,
        -0.0,
        5e-324,
        2**63,
        2**64 - 1,
        2**64,
        -(2**63),
        -(2**63) - 1,
        10**1000,
        "",
        "\x00",
        "\U0010ffff",
        b"",
        (),
        ((),),
        {1: {"1": (1,)}, "1": [b""], -(2**70): None},
        datetime.datetime.fromisoformat("2026-10-25T02:30:00").replace(fold=1),
        datetime.datetime(1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=-11, minutes=-30))),
        datetime.datetime.max.replace(tzinfo=datetime.UTC),
        datetime.date.min,
        [set(), frozenset(), {("a", 1)}, frozenset({frozenset({1})})],
        list(range(100_000)),
    ],
)
def test_values_at_the_edges_come_back_the_same(value: Any) -> None:
    assert same(loads(dumps(value)), value)
    if isinstance(value, datetime.datetime):
        assert loads(dumps(value)).fold == value.fold


def test_a_time_in_a_named_zone_comes_back_as_the_same_moment() -> None:
    moment = datetime.datetime(2026, 3, 1, 12, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin"))
    assert loads(dumps(moment)) == moment


@pytest.mark.parametrize("text", ["NaN", "sNaN", "-Infinity", "1E+999999", "0.10"])
def test_decimals_keep_their_text(text: str) -> None:
    assert str(loads(dumps(decimal.Decimal(text)))) == text


@pytest.mark.parametrize(
    "value", [Send("node", {"a": (1, {2})}), Interrupt({"q": (1,)}, id="x"), Overwrite([(1,)]), _DeltaSnapshot([1])]
)
def test_the_langgraph_values_come_back(value: Any) -> None:
    assert loads(dumps([value]))[0] == value
    assert type(loads(dumps(value))) is type(value)


def test_equal_sets_give_equal_bytes() -> None:
    names = [f"name {n}" for n in range(50)]
    backwards: set[str] = set()
    for name in reversed(names):
        backwards.add(name)
    assert dumps(set(names)) == dumps(backwards)


# -- what may not be stored -------------------------------------------------------------------------------


class Colour(enum.Enum):
    RED = 1


class Number(enum.IntEnum):
    ONE = 1


class Word(enum.StrEnum):
    A = "a"


class Model(pydantic.BaseModel):
    x: int = 1


@dataclasses.dataclass
class Data:
    x: int = 1


class Point(NamedTuple):
    x: int = 1


class Text(str):
    __slots__ = ()


class Float(float):
    __slots__ = ()


class Listing(list[int]):
    pass


class Sneaky:
    """Says that it is LangGraph's."""

    node, arg, timeout = "n", 1, None


Sneaky.__module__, Sneaky.__qualname__ = "langgraph.types", "Send"


class Reducing:
    def __reduce__(self) -> Any:
        return os.getpid, ()


def cyclic() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


def nested(levels: int, of: type = list) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = of([value])
    return value


HOSTILE: dict[str, Any] = {
    "object": object(),
    "a class": int,
    "a function": len,
    "a lambda": lambda: 1,
    "a module": os,
    "complex": 1j,
    "an enum": Colour.RED,
    "an int enum": Number.ONE,
    "a str enum": Word.A,
    "a pydantic model": Model(),
    "a dataclass": Data(),
    "a named tuple": Point(),
    "a str of another class": Text("x"),
    "a float of another class": Float(1),
    "a list of another class": Listing([1]),
    "an ordered dict": collections.OrderedDict(a=1),
    "a default dict": collections.defaultdict(list),
    "a counter": collections.Counter("a"),
    "a deque": collections.deque([1]),
    "a generator": (n for n in range(1)),
    "an iterator": iter([1]),
    "a range": range(3),
    "a file": io.BytesIO(),
    "a lock": threading.Lock(),
    "a memory view": memoryview(b"x"),
    "a path": pathlib.PurePosixPath("/"),
    "a pattern": re.compile("x"),
    "a fraction": fractions.Fraction(1, 3),
    "a duration": datetime.timedelta(1),
    "a time of day": datetime.time(1),
    "an exception": ValueError("x"),
    "a name space": types.SimpleNamespace(a=1),
    "a mapping proxy": types.MappingProxyType({}),
    "a pickle trick": Reducing(),
    "an impostor": Sneaky(),
    "a command": Command(goto="x"),
    "a lone surrogate": "a\ud800b",
    "a key with a surrogate": {"a\udfff": 1},
    "a key of another type": {(1,): 1},
    "a true key": {True: 1},
    "a cycle": cyclic(),
    "a deep tuple": nested(MAX_DEPTH + 1, tuple),
    "a very deep list": nested(5000),
    "not a number of numpy's kind": type("float64", (float,), {})(1.0),
    "an event": asyncio.Event,
    "a set of frozen trouble": {Colour.RED},
    "an extension": ormsgpack.Ext(1, b"x"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_are_refused_with_their_path(name: str) -> None:
    with pytest.raises(Unserializable) as caught:
        dumps({"fine": 1, "deep": [0, {"bad": HOSTILE[name]}]}, "plan")
    assert caught.value.message.startswith("plan.deep[1].bad")
    assert caught.value.hint


def test_there_are_at_least_forty_of_them() -> None:
    assert len(HOSTILE) >= 40


def test_the_path_names_keys_and_positions() -> None:
    with pytest.raises(Unserializable, match=r"^plan\[3\]\.cost is of type builtins\.object"):
        dumps([0, 1, 2, {"cost": object()}], "plan")
    with pytest.raises(Unserializable, match=r"^plan\[7\]\[0\] holds a lone surrogate"):
        dumps({7: ("\ud83d",)}, "plan")


# -- what may not be read -----------------------------------------------------------------------------------


def test_a_thousand_flipped_bytes_are_all_found() -> None:
    serializer = Serializer()
    tag, good = serializer.dumps_typed({"plan": ["a", (1, {2}), 2.5], "when": datetime.date(2026, 1, 1)})
    chance = random.Random(5)
    for _ in range(1000):
        bad = bytearray(good)
        bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        with pytest.raises(CorruptState):
            serializer.loads_typed((tag, bytes(bad)))
    assert serializer.loads_typed((tag, good))["when"] == datetime.date(2026, 1, 1)


@given(st.binary(max_size=300))
def test_bytes_that_nobody_wrote_give_a_value_or_a_clean_error(data: bytes) -> None:
    try:
        value = loads(data)
    except CorruptState:
        return
    assert dumps(value) is not None


@given(st.integers(min_value=0, max_value=127), plain)
def test_extensions_that_nobody_wrote_give_plain_data_or_a_clean_error(code: int, value: Any) -> None:
    data = ormsgpack.packb(ormsgpack.Ext(code, dumps(value)))
    try:
        revived = loads(data)
    except CorruptState:
        return
    assert dumps(revived) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * 100_000,
        ormsgpack.packb(ormsgpack.Ext(6, ormsgpack.packb(["key"]))),
        ormsgpack.packb(ormsgpack.Ext(20, ormsgpack.packb(["node"]))),
        ormsgpack.packb(ormsgpack.Ext(20, ormsgpack.packb(["node", 1, 5]))),
        ormsgpack.packb(ormsgpack.Ext(21, ormsgpack.packb([1, 2, None]))),
        ormsgpack.packb(ormsgpack.Ext(99, b"")),
        ormsgpack.packb(ormsgpack.Ext(3, ormsgpack.packb([ormsgpack.packb([1])]))),
        ormsgpack.packb(ormsgpack.Ext(10, b"one")),
        ormsgpack.packb({1: 2}, None, ormsgpack.OPT_NON_STR_KEYS),
    ],
)
def test_damaged_bytes_give_a_clean_error_that_says_where(data: bytes) -> None:
    with pytest.raises(CorruptState, match="channel notes cannot be read back"):
        loads(data, "channel notes")


def test_extensions_nested_without_end_give_a_clean_error() -> None:
    data = ormsgpack.packb(1)
    for _ in range(5000):
        data = ormsgpack.packb(ormsgpack.Ext(2, b"\x91" + data))
    with pytest.raises(CorruptState):
        loads(data)


def test_another_serializers_bytes_are_refused() -> None:
    with pytest.raises(CorruptState, match="another serializer"):
        Serializer().loads_typed(("msgpack", b"\xc0"))


def test_a_seal_covers_what_the_bytes_belong_to() -> None:
    assert unseal(seal(b"body", b"mine"), b"mine") == b"body"
    with pytest.raises(CorruptState):
        unseal(seal(b"body", b"mine"), b"yours")
    with pytest.raises(CorruptState):
        unseal(b"")
