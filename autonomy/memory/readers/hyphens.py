"""Words that a line break cut in two, made whole by how the same document writes them elsewhere.

A mark that only line breaking sets (U+2010 from a typesetter, U+FFFE from a PDF, a soft hyphen) is dropped unless the
document writes the word with a hyphen. An ordinary hyphen may belong to the word: it is dropped when the document has the
joined word more often, or when it knows neither half as a word of its own, and kept in doubt.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property

SOFT = "\u2010"
_MARKS = ("-", SOFT)
_WORD = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)*")
_STEM = re.compile(r"[^\W\d_]+([-\u2010]?)$")
_HALF = re.compile(r"[^\W\d_]+")
_TAIL = 64
"""Letters at the end of a line that are looked at: no half of a word is longer."""
_SUSPENDED = frozenset(("and", "or", "und", "oder", "bzw", "sowie", "y", "o", "u", "e", "et", "ou"))
"""What stands behind a hyphen that stands for a word ("pre- and postconditions")."""


class Hyphens:
    """How a document writes its words, counted over all of its lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    @cached_property
    def _counts(self) -> tuple[Counter[str], Counter[str]]:
        """How often each word stands in the document, and each word or part of one that no line end may have cut."""
        words: Counter[str] = Counter()
        own: Counter[str] = Counter()
        behind = False
        for line in self._lines:
            found = [word.casefold().replace(SOFT, "-") for word in _WORD.findall(line)]
            words.update(found)
            cut = line[-1:] in _MARKS and _STEM.search(line[-_TAIL:]) is not None
            for word in found[behind : len(found) - cut]:
                own.update(word.split("-"))
            behind = cut
        return words, own

    def before(self, text: str, following: str, *, broken: bool) -> tuple[str, str]:
        """The end of a line and what joins it to the next: the text with or without its hyphen, and " " or "".

        `broken` says that a mark that has been taken off already cut the last word.
        """
        if not broken and text[-1:] not in _MARKS:
            return text, " "
        stem = _STEM.search(text[-_TAIL:])
        after = _HALF.match(following[:_TAIL])
        mark = stem.group(1) if stem else ""
        if stem is None or after is None or not (broken or mark == SOFT or (mark and following[0].islower())):
            return text, "" if broken else " "
        words, own = self._counts
        first, second = stem.group().rstrip("-" + SOFT).casefold(), after.group().casefold()
        whole, hyphened = words[first + second], words[f"{first}-{second}"]
        if mark == "-":
            if second in _SUSPENDED and not whole:
                return text, " "
            unknown = not (whole or hyphened or own[first] or own[second])
            return (text[:-1] if whole > hyphened or unknown else text), ""
        compound = not whole and min(words[first], words[second]) > 2
        bare = text[:-1] if mark else text
        return (f"{bare}-" if compound or hyphened > whole else bare), ""

    def joined(self, lines: list[str]) -> str:
        """Lines as one text, a line break between them unless a word was cut there."""
        parts: list[str] = []
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            text, gap = self.before(line, following, broken=False) if following else (line, "")
            parts += (text, "\n" if gap else "")
        return "".join(parts)
