"""Keeps credentials out of what is written down: by the name of a key, by their known values, and by their looks.

A known value is found as it is and percent-encoded, hexadecimal, in Base64 (also inside a longer encoded text), as JSON or
HTML escapes. The same walk makes any value plain: text that UTF-8 can carry, numbers that RFC 8785 can, bounded in depth,
length and number, so that one odd value can neither stop nor flood a log.
"""

from __future__ import annotations

import base64
import html
import itertools
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "****"
SHORTEST_SECRET = 6
"""A shorter text would mask innocent words; a key that short protects nothing."""
MOST_TEXT, MOST_ITEMS, MOST_DEPTH = 2_000, 100, 6
ROOM = 16_384
"""Characters of all texts of one value together."""
_LOOKED_AT = 65_536
_SAFE_INTEGER = 2**53

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WORDS = frozenset(
    ("token", "secret", "password", "passwd", "passphrase", "pwd", "authorization", "cookie", "credential", "bearer", "apikey")
)
_PAIRS = frozenset((("api", "key"), ("private", "key"), ("access", "key"), ("signing", "key")))
_NUMBERS_TOO = frozenset(("password", "passwd", "passphrase", "pwd", "pin"))
_LOOKS = re.compile(
    r"""
      (?<=bot)\d+:[\w-]{8,}                                        # the path of Telegram's API
    | \b\d{6,}:[A-Za-z0-9_-]{30,}                                  # a bot's token alone
    | (?i:\b(?:bearer|basic)[ ]+)[A-Za-z0-9._~+/=-]{8,}
    | \bsk-[A-Za-z0-9_-]{16,} | \bgh[pousr]_[A-Za-z0-9]{20,} | \bgithub_pat_\w{20,} | \bAKIA[0-9A-Z]{16}
    | (?<=://)[^\s/:@]*:[^\s/@]+(?=@)                              # user:password@ of an address
    | (?i:(?<=[?&])[\w.-]*(?:password|secret|token|key)=)[^&#\s"']+
    """,
    re.VERBOSE,
)


class Redactor:
    """Makes values plain and free of credentials. `secrets` are the known ones; short ones are left out."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
        shapes = [shape for secret in known for shape in _shapes(secret)]
        self._known = re.compile("|".join(shapes)) if shapes else None

    def text(self, text: str) -> str:
        """The text with every credential masked; lone surrogates become visible escapes."""
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _LOOKS.sub(MASK, text)

    def plain(self, value: Any) -> Any:
        """The value as plain JSON data without credentials, cut where it is too long, too deep or too much."""
        return _Walk(self).go(value, MOST_DEPTH)


class _Walk:
    """One value's way through the redactor; counts the room that is left."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left = ROOM

    def go(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if abs(value) < _SAFE_INTEGER else f"{value:#x}"
        if isinstance(value, float):
            return value if math.isfinite(value) and abs(value) < _SAFE_INTEGER else repr(value)
        if isinstance(value, Mapping | list | tuple | set | frozenset):
            return self._many(value, depth) if depth and self._left > 0 else "[more]"
        if isinstance(value, bytes | bytearray):
            value = bytes(value[:_LOOKED_AT]).decode("utf-8", "backslashreplace")
        return self._text(str(value))

    def _text(self, text: str) -> str:
        told = self._redactor.text(text[:_LOOKED_AT])
        most = max(min(MOST_TEXT, self._left), 0)
        self._left -= min(len(told), most)
        return told if len(told) <= most else f"{told[:most]}[{len(text)} characters]"

    def _many(self, values: Any, depth: int) -> Any:
        if not isinstance(values, Mapping):
            items = [self.go(item, depth - 1) for _, item in zip(range(MOST_ITEMS), values, strict=False)]
            return [*items, f"[{len(values)} items]"] if len(values) > MOST_ITEMS else items
        pairs = [(self._text(str(key)), key) for _, key in zip(range(MOST_ITEMS), values, strict=False)]
        told = {name: self._masked(values[key], depth, str(key)) for name, key in pairs}
        return {**told, "[cut]": f"{len(values)} keys"} if len(values) > MOST_ITEMS else told

    def _masked(self, value: Any, depth: int, key: str) -> Any:
        words = [word.lower() for word in _WORD.findall(key[:200])]
        if not is_secret_name(words):
            return self.go(value, depth - 1)
        if value is None or isinstance(value, bool) or value in ("", b""):
            return value if not isinstance(value, bytes) else ""
        if isinstance(value, int | float) and not _NUMBERS_TOO.intersection(words):
            return self.go(value, depth - 1)  # a count of tokens is no token
        if isinstance(value, Mapping) and not _texts(value):
            return self.go(value, depth - 1)
        return MASK


def is_secret_name(words: list[str]) -> bool:
    """Whether a key of these lower-case words holds a credential."""
    singular = [word.removesuffix("s") if word not in _WORDS else word for word in words]
    return not (_WORDS | {"pin"}).isdisjoint(singular) or not _PAIRS.isdisjoint(itertools.pairwise(singular))


def _texts(value: Mapping[Any, Any]) -> bool:
    """Whether anything but numbers stands directly in it: {limit, used, reserved} of tokens is a budget."""
    return any(not (item is None or isinstance(item, bool | int | float)) for item in value.values())


def _shapes(secret: str) -> list[str]:
    """Regular expressions of a credential's spellings."""
    data = secret.encode("utf-8", "surrogatepass")
    shapes = ["".join(map(_character, secret)), f"(?i:{data.hex()})"]
    for before, first in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * before + data).decode("ascii")
        core = encoded[first : (before + len(data)) * 8 // 6]
        if len(core) >= SHORTEST_SECRET:
            shapes.append(core.replace("+", "(?:[+-]|%2[bB])").replace("/", "(?:[/_]|%2[fF])"))
    return shapes


def _character(character: str) -> str:
    """One character, as it is or in an encoding that goes character by character."""
    number = ord(character)
    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass")
    escaped = "".join(rf"\\+u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    ways = [re.escape(character), f"(?i:{percent})", f"(?i:{escaped})", f"&#0*{number};", f"(?i:&#x0*{number:x};)"]
    named = html.escape(character)
    ways += [re.escape(named)] if named != character else []
    ways += [rf"\\+{re.escape(character)}"] if character in "\"'\\/" else []
    ways += [r"\+"] if character == " " else []
    return f"(?:{'|'.join(ways)})"
