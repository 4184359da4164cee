"""Characters that no reader sees and that may change what is read: controls, directions, zero widths, tags.

A text that a person decides upon must read as the program reads it. So these are neither obeyed nor dropped: they are shown.
Joiners and variation selectors are spelling behind a letter of another script or an emoji, and stay there; behind ASCII or
behind each other they only hide something.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_JOINER = "\u200c\u200d"
_SELECTOR = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_NEVER = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_UNSEEN = re.compile(
    f"[{_NEVER}]|(?<![^\x00-\x7f])(?!(?<=[0-9#*])\ufe0f\u20e3)[{_JOINER}{_SELECTOR}]"
    f"|(?<=[{_NEVER}{_JOINER}])[{_JOINER}{_SELECTOR}]|(?<=[{_SELECTOR}])[{_SELECTOR}]"
)


def show(text: str, mark: Callable[[str], str], keep: str = "") -> str:
    """The text with a mark in place of each unseen character that is not in `keep`."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(lambda found: found.group() if found.group() in keep else mark(found.group()), text)


def named(character: str) -> str:
    """The character by its code point.

    >>> named(chr(0x202E))
    '[U+202E]'
    """
    return f"[U+{ord(character):04X}]"
