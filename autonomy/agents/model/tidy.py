"""What code does to a sentence that a model wrote: ids to where they belong, no addresses, quotations in the source's words.

The invariant: after `tidy`, words between quotation marks (four or more) stand in a cited card letter by letter, and a
sentence without evidence is never passed off as one that needs none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from autonomy.agents.model.select import relocated
from autonomy.agents.roles import Sentence
from autonomy.core.prompts import one_line
from autonomy.core.types import Card
from autonomy.text.claims import numbers
from autonomy.text.language import is_cjk
from autonomy.text.normal import locate
from autonomy.text.words import terms

_MARK = re.compile(r"\s*[\[(]\s*((?:c\d+)(?:\s*[,;]\s*c\d+)*)\s*[\])]")
_NUMBER_MARK = re.compile(r"\s*\[\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*\]")
_URL = re.compile(r"\s*[<(\[]?\b(?:https?://|www\.)\S+[>)\]]?", re.IGNORECASE)
_QUOTATION = re.compile(r"“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|»([^«»]+)«|\"([^\"]+)\"|「([^「」]+)」|『([^『』]+)』")
_SHORT_QUOTATION = 4
_SHORT_CJK = 10
_BLOCK_WORDS, _BLOCK_LETTERS = 40, 120
_MOST_CHARS = 1_200
_SPACE_BEFORE_STOP = re.compile(r"\s+([.,;:!?。，、])")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a sentence may stand on: the cards by id, and the words that need no evidence (headings, titles, figures)."""

    cards: Mapping[str, Card]
    free: str
    language: str


@dataclass(frozen=True, slots=True)
class Tidied:
    """A sentence ready for the draft, and how many unknown ids it lost."""

    sentence: Sentence
    unknown: int


def tidy(text: str, cites: Sequence[str], evidence: Evidence, *, may_frame: bool = False) -> Tidied | None:
    """The sentence as it may stand in the draft; None when nothing is left of it.

    With `may_frame` a sentence that only speaks of the document (its headings, titles and counts) needs no cites.
    """
    plain = one_line(text, _MOST_CHARS).lstrip("#*>- ").strip()
    named = [name.strip() for match in _MARK.finditer(plain) for name in re.split(r"[,;]", match[1])]
    wanted = list(dict.fromkeys([name.strip().strip("[]") for name in cites] + named))
    known = [name for name in wanted if name in evidence.cards]
    plain = _SPACE_BEFORE_STOP.sub(r"\1", _URL.sub("", _NUMBER_MARK.sub("", _MARK.sub("", plain)))).strip()
    if not any(c.isalnum() for c in plain):
        return None
    plain, quoted, whole = _quotations(plain, [evidence.cards[name].quote for name in known], evidence.language)
    frame = may_frame and not known and frames(plain, evidence)
    sentence = Sentence(
        text=plain,
        cites=tuple(known),
        kind="scaffold" if frame else "claim",
        quoted=quoted,
        block=whole and _long(plain, evidence.language),
    )
    return Tidied(sentence, len(wanted) - len(known))


def frames(text: str, evidence: Evidence) -> bool:
    """Whether a sentence only speaks of the document: its numbers and half of its terms stand in headings, titles, counts."""
    free_numbers = numbers(evidence.free, evidence.language)
    if any(count > free_numbers[number] for number, count in numbers(text, evidence.language).items()):
        return False
    mine = terms(text, evidence.language)
    free = frozenset(terms(evidence.free, evidence.language))
    return sum(term in free for term in mine) * 2 >= len(mine)


def _quotations(text: str, quotes: Collection[str], language: str) -> tuple[str, bool, bool]:
    """The text with the sources' own words between its marks, whether there are any, and whether they are all of it."""
    quoted = whole = False

    def settle(match: re.Match[str]) -> str:
        nonlocal quoted, whole
        inner = next(group for group in match.groups() if group is not None)
        own = _own_words(inner, quotes)
        if own is not None:
            quoted = True
            whole = len(match[0]) >= len(text.strip(" .")) - 1
            return match[0].replace(inner, own)
        return match[0] if _short(inner, language) else inner

    return _QUOTATION.sub(settle, text), quoted, whole


def _own_words(inner: str, quotes: Collection[str]) -> str | None:
    for find in (locate, relocated):
        for quote in quotes:
            place = find(inner, quote)
            if place is not None and not _QUOTATION.search(quote[place[0] : place[1]]):
                return one_line(quote[place[0] : place[1]])
    return None


def _short(inner: str, language: str) -> bool:
    """A word or a term between marks is no quotation."""
    return len(inner) < _SHORT_CJK if is_cjk(language) else len(inner.split()) < _SHORT_QUOTATION


def _long(text: str, language: str) -> bool:
    return len(text) > _BLOCK_LETTERS if is_cjk(language) else len(text.split()) > _BLOCK_WORDS
