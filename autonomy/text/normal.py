"""Typography folded for looking up, and quotes found again in the text they came from.

The invariant: folding only *locates*. What is quoted afterwards is always `text[start:end]`, the source's own words.
A place is only reported when every letter and digit agrees; a changed number or an added "not" is never found.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from autonomy.text.words import fold_word, tokens

_SOFT = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_LINE_HYPHEN = re.compile(r"[\ufffe\u00ad][ \t]*\r?\n[ \t]*|\ufffe")
_QUOTES = dict.fromkeys("“”„‟«»〝〞＂", '"') | dict.fromkeys("‘’‚‛‹›′＇`´", "'")
_DASHES = dict.fromkeys("‐‑‒–—―−﹣－", "-")
_MAP = _QUOTES | _DASHES
# A raised or circled digit folded to a plain one would change the number it stands in.
_KEEP = ("<super>", "<sub>", "<fraction>", "<circle>")
_CJK_NUMERALS = frozenset("〇零一二三四五六七八九十百千万億亿两")
_CJK_NEGATIONS = frozenset("不没沒未無无非")
_CJK = re.compile(r"[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text with the way back: folded character i came from original [starts[i], ends[i])."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a non-empty folded span."""
        return self.starts[start], self.ends[end - 1]


@dataclass(frozen=True, slots=True)
class Near:
    """A stretch that resembles a quote: its span and the share of the quote's words it holds, 0 to 1."""

    start: int
    end: int
    share: float


def fold(text: str) -> str:
    """One spelling for one appearance: NFKC, plain quotes and dashes, no soft hyphens, single spaces."""
    if text.isascii():  # most text: of its characters only the back quote has another spelling
        return " ".join(text.replace("`", "'").split())
    return fold_with_offsets(text).text


def fold_with_offsets(text: str) -> Folded:
    """`fold`, with the origin of each character. Case is kept; spaces beside Japanese and Chinese letters go."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    pending: tuple[int, int] | None = None
    for start, end in _clusters(text):
        piece = text[start:end]
        if piece.isspace():
            pending = (pending[0] if pending else start, end)
            continue
        folded = _fold_cluster(piece)
        if not folded:
            continue
        if pending and out and not (_CJK.match(out[-1]) or _CJK.match(folded[0])):
            out.append(" ")
            starts.append(pending[0])
            ends.append(pending[1])
        pending = None
        for char in folded:
            out.append(char)
            starts.append(start)
            ends.append(end)
    return Folded("".join(out), tuple(starts), tuple(ends))


def _clusters(text: str) -> list[tuple[int, int]]:
    """Spans of letters with their combining marks; a hyphen that only broke a line is one span with the break."""
    spans: list[tuple[int, int]] = []
    breaks = {match.start(): match.end() for match in _LINE_HYPHEN.finditer(text)}
    i = 0
    while i < len(text):
        end = breaks.get(i, i + 1)
        while end < len(text) and text[end] > "\u02ff" and unicodedata.combining(text[end]):
            end += 1
        spans.append((i, end))
        i = end
    return spans


def _fold_cluster(piece: str) -> str:
    if len(piece) == 1 and piece < "\u0080":
        return _MAP.get(piece, piece)
    if piece[0] in _SOFT or piece[0] == "\ufffe":
        return ""
    if piece in _MAP:
        return _MAP[piece]
    if unicodedata.decomposition(piece[0]).startswith(_KEEP):
        return piece
    return "".join(_MAP.get(c, c) for c in unicodedata.normalize("NFKC", piece))


def locate(quote: str, text: str, start: int = 0) -> tuple[int, int] | None:
    """Where the quote stands in the text, at or after `start`: the same letters, white space and typography apart.

    Never inside a word or a number: "5 seconds" is not found in "15 seconds", nor in "1.5 seconds".
    """
    found = _locate_plain(quote.strip(), text, start)
    return found if found else locate_in(quote, fold_with_offsets(text), start)


def locate_in(quote: str, folded: Folded, start: int = 0) -> tuple[int, int] | None:
    """`locate` in a text folded once, for many quotes."""
    wanted = fold(quote).strip()
    if not wanted:
        return None
    begin = folded.text.find(wanted, bisect.bisect_left(folded.starts, start))
    while begin >= 0:
        if _whole(folded.text, begin, begin + len(wanted)):
            return folded.origin(begin, begin + len(wanted))
        begin = folded.text.find(wanted, begin + 1)
    return None


def _locate_plain(quote: str, text: str, start: int) -> tuple[int, int] | None:
    begin = text.find(quote, start) if quote else -1
    while begin >= 0:
        if _whole(text, begin, begin + len(quote)):
            return begin, begin + len(quote)
        begin = text.find(quote, begin + 1)
    return None


def _whole(text: str, start: int, end: int) -> bool:
    """Whether the span begins and ends between words and numbers."""
    denied = start > 0 and text[start - 1] in _CJK_NEGATIONS
    return not (denied or _joins(text, start) or _joins(text, end) or _signed(text, start))


def _joins(text: str, at: int) -> bool:
    """Whether a word or a number runs on across the offset."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if before.isdigit() and after.isdigit():
        return True
    if _CJK.match(before) or _CJK.match(after):
        return before in _CJK_NUMERALS and after in _CJK_NUMERALS
    if _word_char(before) and _word_char(after):
        return True
    # A decimal point or a digit group: "1.5", "10,000".
    if before in ".," and after.isdigit():
        return at > 1 and text[at - 2].isdigit()
    return before.isdigit() and after in ".," and at + 1 < len(text) and text[at + 1].isdigit()


def _word_char(char: str) -> bool:
    return char.isalnum() or char == "_" or unicodedata.combining(char) != 0


def _signed(text: str, start: int) -> bool:
    """Whether a number at the offset has its minus sign just before it: "5 degrees" is not in "at -5 degrees"."""
    if start == 0 or start >= len(text) or not text[start].isdigit() or text[start - 1] not in "-−–":
        return False
    return start == 1 or text[start - 2].isspace() or text[start - 2] in "([=<>"


def locate_near(quote: str, text: str, least: float = 0.75) -> Near | None:
    """The stretch of the text that holds most of the quote's words, or None below the share `least`.

    For a quote retold from memory. The caller must put `text[start:end]` in the quote's place: nearness proves nothing.
    """
    wanted = [fold_word(quote[a:b]) for a, b in _units(quote)]
    spans = _units(text)
    if not wanted or not spans:
        return None
    have = [fold_word(text[a:b]) for a, b in spans]
    begin, hits = _best_window(wanted, have)
    share = hits / len(wanted)
    if share < least:
        return None
    known = set(wanted)
    inside = [i for i in range(begin, min(begin + len(wanted), len(have))) if have[i] in known]
    return Near(spans[inside[0]][0], spans[inside[-1]][1], share)


def _units(text: str) -> list[tuple[int, int]]:
    """Words, and single letters where words have no spaces."""
    spans: list[tuple[int, int]] = []
    for start, end in tokens(text):
        if _CJK.match(text[start]):
            spans.extend((i, i + 1) for i in range(start, end))
        else:
            spans.append((start, end))
    return spans


def _best_window(wanted: list[str], have: list[str]) -> tuple[int, int]:
    """(first index, words in common) of the best window as long as the quote; the earliest of equals."""
    need = Counter(wanted)
    size = len(wanted)
    inside: Counter[str] = Counter()
    hits = best = begin = 0
    for i, word in enumerate(have):
        inside[word] += 1
        hits += inside[word] <= need[word]
        if i >= size:
            old = have[i - size]
            hits -= inside[old] <= need[old]
            inside[old] -= 1
        if hits > best:
            best, begin = hits, max(0, i - size + 1)
    return begin, best
