"""Where sentences begin and end in a text, as offsets into it.

The spans are disjoint, in order, without white space at their ends, and together they hold every other character. A point
after an abbreviation, an initial, an ordinal or inside a number, a name or a URL ends nothing; Japanese and Chinese
sentences end at their own marks, outside brackets. A wrong join costs a quote; a wrong cut would quote half a sentence,
so in doubt the rule joins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from autonomy.text.abbreviations import MAYBE, always
from autonomy.text.language import detect, is_cjk
from autonomy.text.stopwords import is_stop_word

# An empty line ends whatever stands before it, and a list item begins a new one.
_BLOCK = re.compile(r"[ \t\r]*\n[ \t\r]*\n\s*|[ \t\r]*\n(?=[ \t]*(?:[-*+•‣▪◦·–][ \t]|\(?\d{1,3}[.)][ \t]))|\f+")
_CLOSERS = "\"'”’»«›‹“)]}」』）】〉》〕"
_LATIN_END = re.compile(r"[.!?…]+")
_CJK_END = re.compile(r"[。！？｡．]+|[!?]+(?=[\u3000-\u9fff」』）])")
_OPENERS = "\"'“„‚‘«»‹›([{¿¡—–-*_`"
_BEFORE = re.compile(r"[^\s(\[{«»“„\"'‘—–/]+$")
_SPACED_ABBREVIATION = re.compile(r"((?:\b[^\W\d_]{1,2}\.[ \u00a0]?)+[^\W\d_]{1,3})$")
_ROMAN = re.compile(r"[IVXLC]+")
_NEXT_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_IDENTIFIER = re.compile(r"[a-z_]\w*(?:\(\)|(?:[._]\w+)+(?:\(\))?)\s")
_BRACKETS = {"「": "」", "『": "』", "（": "）", "(": ")", "【": "】", "《": "》", "〈": "〉", "“": "”"}
# A bracket that is not closed within this many letters was never meant to be.
_BRACKET_REACH = 300
_SPACE = re.compile(r"\s*")
_REACH = 200
"""Letters before and behind a mark that decide whether it ends a sentence."""


def split(text: str, language: str = "") -> list[tuple[int, int]]:
    """The (start, end) of each sentence; the language is detected when none is given.

    >>> split("Use it, e.g. here. Then stop.", "en")
    [(0, 18), (19, 29)]
    """
    spans: list[tuple[int, int]] = []
    begin = 0
    for match in [*_BLOCK.finditer(text), None]:
        end = match.start() if match else len(text)
        spans.extend(_split_block(text, begin, end, language))
        begin = match.end() if match else end
    return spans


def _split_block(text: str, begin: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    block = text[begin:end]
    language = language or detect(block)
    start = 0
    for cut in [*_cuts(block, language), len(block)]:
        piece = block[start:cut]
        left = len(piece) - len(piece.lstrip())
        if left < len(piece):
            yield begin + start + left, begin + start + len(piece.rstrip())
        start = cut


def _cuts(block: str, language: str) -> list[int]:
    """Offsets behind which a new sentence begins."""
    ends = [(match.start(), match.end(), False) for match in _LATIN_END.finditer(block)]
    if is_cjk(language):
        inside = _bracketed(block)
        cjk = [(match.start(), match.end(), True) for match in _CJK_END.finditer(block)]
        taken = {first for first, _, _ in cjk}
        ends = sorted([e for e in ends if e[0] not in taken] + cjk)
        ends = [e for e in ends if not any(a < e[0] < b for a, b in inside)]
        ends += [(b, b + 1, True) for a, b in inside if b > a + 1 and block[b - 1] in "。！？" and block[a] in "「『“"]
        ends.sort()
    cuts: list[int] = []
    last = 0
    for first, after, cjk_mark in ends:
        stop = _behind_closers(block, after)
        good = _cjk_boundary(block, stop) if cjk_mark else _latin_boundary(block, last, first, after, stop, language)
        if good and (not cuts or stop > cuts[-1]):
            cuts.append(stop)
            last = stop
    return cuts


def _behind_closers(block: str, at: int) -> int:
    """Past closing quotes and brackets; a quote mark after a space opens the next sentence instead."""
    while at < len(block) and block[at] in _CLOSERS:
        opens_next = block[at] in "«»“\"'" and at + 1 < len(block) and block[at + 1].isalnum()
        if opens_next:
            break
        at += 1
    return at


def _cjk_boundary(block: str, stop: int) -> bool:
    """A quotation that the sentence goes on after ("…。」と言った") ends nothing."""
    if stop >= len(block) or block[stop - 1] not in "」』”":
        return True
    following = block[stop]
    return not ("\u3040" <= following <= "\u309f" or following in "，、,。，；：（他她我的")


def _bracketed(block: str) -> list[tuple[int, int]]:
    """(open, close) offsets of brackets that close soon, outermost only."""
    spans: list[tuple[int, int]] = []
    i = 0
    while i < len(block):
        close = _BRACKETS.get(block[i])
        j = block.find(close, i + 1, i + _BRACKET_REACH) if close else -1
        if j > 0:
            spans.append((i, j))
            i = j
        i += 1
    return spans


def _latin_boundary(block: str, last: int, first: int, after: int, stop: int, language: str) -> bool:
    """Whether the mark at [first, after) ends a sentence that began at `last`; `stop` is behind its closing quotes."""
    if stop >= len(block):
        return True
    if not block[stop].isspace():
        return is_cjk(language) and "\u3000" <= block[stop] <= "\u9fff" and not block[first - 1 : first].isdigit()
    begin = _SPACE.match(block, stop).end()  # type: ignore[union-attr]
    rest = block[begin : begin + _REACH]
    if not _may_begin(rest):
        return False
    if block[first:after] != ".":
        return True
    last = max(last, first - _REACH)
    before = _BEFORE.search(block, last, first)
    word = before.group() if before else ""
    return not _protected(block[last:first], word, rest, language)


def _may_begin(rest: str) -> bool:
    """Whether a sentence may begin so: upper case, a digit, an opening mark, or an identifier of a program."""
    bare = rest.lstrip(_OPENERS)
    if not bare:
        return False
    first = bare[0]
    if first.islower():
        return bool(_IDENTIFIER.match(bare))
    return first.isalnum() or first in "$§#%@<\\/~+=&.…" or len(bare) < len(rest)


def _protected(sentence: str, word: str, rest: str, language: str) -> bool:
    """Whether the point after `word` belongs to the word."""
    following = _NEXT_WORD.match(rest.lstrip(_OPENERS))
    next_word = following.group() if following else ""
    starter = is_stop_word(next_word.lower(), "en" if is_cjk(language) else language)
    if sentence.strip().lstrip("(") == word.lstrip("(") and (word.isdigit() or (len(word) == 1 and word.isalpha())):
        return True
    if _abbreviated(sentence, word, rest, language, starter):
        return True
    if len(word) == 1 and word.isupper():
        return not starter
    if language == "de" and (_ordinal(word) or (_ROMAN.fullmatch(word) and len(word) > 1)):
        return not starter
    return False


def _ordinal(word: str) -> bool:
    return word.isdigit() and len(word) <= 2


def _abbreviated(sentence: str, word: str, rest: str, language: str, starter: bool) -> bool:
    """Whether the word, alone or with the pieces before it ("z. B", "p. ej"), is an abbreviation that goes on."""
    spaced = _SPACED_ABBREVIATION.search(sentence)
    forms = set() if len(word) == 1 and word.isupper() else {word.lower()}
    if spaced:
        forms.add(re.sub(r"[ \u00a0]", "", spaced.group(1)).lower())
    if forms & MAYBE:
        return not starter
    if not forms & always(language):
        return False
    # "No." and "Min." are words too; as abbreviations they stand before a number.
    ambiguous = word.lower() in ("no", "nos", "min", "max", "art", "app", "ref", "tab", "op", "est", "par", "mar", "sec", "ed")
    return not (ambiguous and not rest[:1].isdigit() and starter)
