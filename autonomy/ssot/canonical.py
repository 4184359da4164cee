"""Canonical JSON (RFC 8785): the one form in which a value is written and hashed."""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from autonomy.core.errors import Unserializable


def canonical(value: Any) -> bytes:
    """The RFC 8785 bytes of plain data.

    Raises Unserializable for what has none: NaN, infinities, lone surrogates, integers that a double does not hold.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise Unserializable(f"no canonical JSON: {error}", "Hand in strings, finite numbers, lists and dicts.") from error


def file_bytes(value: Any) -> bytes:
    """What stands in a file: the canonical bytes and a line end."""
    return canonical(value) + b"\n"


def sha256(value: Any) -> str:
    """SHA-256 over the canonical bytes, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
