"""JSON as RFC 8259 has it and as both databases can hold it, checked before anything else sees a body.

Refused are NaN and Infinity, numbers beyond 64 bits, lone surrogates, U+0000, names given twice, invalid UTF-8 and nesting
deeper than 100: FastAPI's own reading lets them pass and fails on them later, with a 500.
"""

from __future__ import annotations

import json
import math
from typing import Any

DEPTH = 100
LARGEST = 2**63
DIGITS = 400
"""More digits than any finite float or 64-bit integer is ever written with."""


class NotStrict(ValueError):
    """Why the text is refused, in a few words."""


def loads(data: bytes) -> Any:
    """The value. Raises NotStrict."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NotStrict("the body is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise NotStrict("the body begins with a byte order mark")
    try:
        value = _DECODER.decode(text)
    except RecursionError:
        raise NotStrict(f"the body is nested deeper than {DEPTH}") from None
    except json.JSONDecodeError as error:
        raise NotStrict(f"the body is not JSON: {error.msg} at character {error.pos}") from None
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    """Nesting and texts, level by level: no recursion of our own."""
    level, depth = [value], 0
    while level:
        below: list[Any] = []
        nested = False
        for each in level:
            if isinstance(each, str):
                _check_text(each)
            elif isinstance(each, list):
                nested = True
                below.extend(each)
            elif isinstance(each, dict):
                nested = True
                below.extend(each.values())
        depth += nested
        if depth > DEPTH:
            raise NotStrict(f"the body is nested deeper than {DEPTH}")
        level = below


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise NotStrict("a text holds the character U+0000")
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise NotStrict("a text holds a lone surrogate") from None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise NotStrict("a name is given twice in one object")
    for name in made:
        _check_text(name)
    return made


def _integer(digits: str) -> int:
    if len(digits) > DIGITS or not -LARGEST <= (value := int(digits)) < LARGEST:
        raise NotStrict("an integer does not fit into 64 bits")
    return value


def _float(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise NotStrict("a number is not finite")
    return value


def _constant(name: str) -> float:
    raise NotStrict(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_float, parse_constant=_constant, strict=True
)
