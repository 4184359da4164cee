"""JSON that any later reader and both databases can take, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.core.strict_json import DEPTH, NotStrict, loads

BAD = {
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "minus Infinity": b'{"a": -Infinity}',
    "a float that overflows": b'{"a": 1e999}',
    "a lone high surrogate": b'{"a": "\\ud800"}',
    "a lone low surrogate in a name": b'{"\\udc00": 1}',
    "NUL": b'{"a": "\\u0000"}',
    "NUL in a name": b'{"\\u0000": 1}',
    "a raw control character": b'{"a": "\x01"}',
    "nesting of arrays": b"[" * 100_000 + b"]" * 100_000,
    "nesting of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "nesting one too deep": b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1),
    "nesting that never ends": b"[" * 100_000,
    "an integer of 5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "an integer beyond 64 bits": b'{"a": 9223372036854775808}',
    "invalid UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, spelt differently": b'{"a": 1, "\\u0061": 2}',
    "nothing": b"",
    "two documents": b"{} {}",
    "a trailing comma": b'{"a": 1,}',
    "a word": b"nul",
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_what_is_not_strict_is_refused(body: bytes) -> None:
    with pytest.raises(NotStrict):
        loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEPTH + b"]" * DEPTH,
        b"9223372036854775807",
        b"-9223372036854775808",
        '"\U0001f600"'.encode(),
        b'"\\ud83d\\ude00"',
    ],
)
def test_what_just_fits_is_read(body: bytes) -> None:
    assert loads(body) == json.loads(body)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"))
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXT


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=30))
def test_strict_json_is_read_as_it_was_written(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        value = loads(data)
    except NotStrict:
        return
    json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
