"""Authors' names taken apart: family and given names of a person, or an organisation that stands as it is.

A name is only taken apart when it clearly is a person's; a doubtful one is printed whole, which no style forbids.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PARTICLE = re.compile(r"van|von|der|den|de|del|della|di|da|dos|du|la|le|ten|ter|zu|zur|af|bin", re.IGNORECASE)
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"})
_BODY = re.compile(
    r"(?i)(?:"
    r"foundation|inc|ltd|llc|gmbh|corp|corporation|company|team|project|projects|university|institute|group|"
    r"committee|consortium|association|society|authors|contributors|developers|maintainers|community|agency|"
    r"department|ministry|office|council|board|commission|organization|organisation|editors|staff|press|"
    r"software|documentation|lab|laboratory|laboratories|center|centre|college|school|and|the|of|for|und|"
    r"fundación|asociación|universidad|instituto|verein|stiftung|universität|debian|gnu"
    r")\.?"
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True, slots=True)
class Name:
    """A person's family and given names, or with `given` empty a name that stands whole."""

    family: str
    given: str = ""
    suffix: str = ""

    def initials(self, dot: str = ".", between: str = " ") -> str:
        """The given names' first letters; a hyphen stays ("Jean-Paul" gives "J.-P.")."""
        found = []
        for word in self.given.split():
            parts = [part for part in word.replace(".", " ").replace("-", " -").split() if part.strip("-")]
            found.append("".join(("-" if part.startswith("-") and dot else "") + part.lstrip("-")[0] + dot for part in parts))
        return between.join(found)


def name(text: str) -> Name:
    """One author as the source gives it.

    >>> name("Jane Q. van Doe")
    Name(family='van Doe', given='Jane Q.', suffix='')
    """
    text = " ".join(text.split())
    if "," in text:
        return _turned(text)
    words = text.split()
    body = any(_BODY.fullmatch(word) or any(c.isdigit() for c in word) for word in words)
    if not 2 <= len(words) <= 5 or body or _CJK.search(text) or any(word.isupper() and len(word) > 3 for word in words):
        return Name(text)
    suffix = words.pop() if words[-1].lower() in _SUFFIXES and len(words) > 2 else ""
    first = len(words) - 1
    while first > 1 and _PARTICLE.fullmatch(words[first - 1]):
        first -= 1
    return Name(" ".join(words[first:]), " ".join(words[:first]), suffix)


def _turned(text: str) -> Name:
    """A name with its comma: "Doe, Jane" is a person, "Doe, Jane, Jr." too; a body's ("Acme, Inc.") stays whole."""
    family, _, rest = (part.strip() for part in text.partition(","))
    given, _, suffix = (part.strip() for part in rest.partition(","))
    if not family or not given or _BODY.fullmatch(given) or len(given.split()) > 4 or len(family.split()) > 4:
        return Name(text)
    if given.lower() in _SUFFIXES:
        whole = name(family)
        return Name(whole.family, whole.given, given)
    return Name(family, given, suffix)
