"""Section-sized stretches of prose: what retrieval finds and quotes are taken from.

The invariants: a chunk never reaches over a heading, holds prose only (code, tables, references and contents stay in the
snapshot but are never offered), begins and ends at sentence boundaries, and its text is snapshot[start:end].
"""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from autonomy.memory.readers.document import PROSE, ReadDocument
from autonomy.text.language import detect
from autonomy.text.sentences import split
from autonomy.text.words import terms

TARGET = 180
MOST = 250
LEAST = 6
"""Words of a chunk: aimed at, at most, and below which it can hold no sentence worth quoting."""
LONGEST = 6_000
"""Characters of a sentence, and of a chunk. What runs on for longer is data and no prose: nobody quotes it, and
patterns that look for the end of a word would search it from each of its characters."""
_SHORT_TAIL = 50
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_TERM_LENGTH = 64
_TELLING = 100
_BY_SCRIPT = frozenset(("ja", "zh", "ko", "ru"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch [start, end) of the snapshot. `position` is its place in the document, 0 to 1.

    `terms` are its search terms and those of the headings above it, separated by single spaces.
    """

    start: int
    end: int
    page: int | None
    section: str | None
    kind: str
    language: str
    position: float
    terms: str


def count_words(text: str) -> int:
    """Words; two Japanese or Chinese letters count as one."""
    cjk = len(_CJK.findall(text))
    return cjk // 2 + (len(_WORD.findall(_CJK.sub(" ", text))) if cjk else len(_WORD.findall(text)))


def chunk(document: ReadDocument) -> tuple[Chunk, ...]:
    """The document's chunks in order."""
    usual = detect(" ".join(document.text[start:end] for start, end, kind in document.blocks[:400] if kind in PROSE)[:20_000])
    pages = [start for _, start in document.pages]
    starts = [start for start, _, _ in document.headings]
    paths = _paths(document.headings)
    found: list[Chunk] = []
    for start, end, kind in _stretches(document):
        text = document.text[start:end]
        if count_words(text) < LEAST:
            continue
        language = _language(text, usual)
        at = bisect.bisect_right(starts, start) - 1
        page = document.pages[max(0, bisect.bisect_right(pages, start) - 1)][0] if pages else None
        found.append(
            Chunk(
                start=start,
                end=end,
                page=page,
                section=document.headings[at][2] if at >= 0 else None,
                kind=kind,
                language=language,
                position=round(start / max(1, len(document.text)), 4),
                terms=search_terms(paths[at] if at >= 0 else "", text, language),
            )
        )
    return tuple(found)


def _language(text: str, usual: str) -> str:
    """The text's own language; a short one in Latin letters is taken to be in the document's (too few words to tell)."""
    found = detect(text, usual)
    return usual if len(text) < _TELLING and found not in _BY_SCRIPT else found


def language_of(chunks: tuple[Chunk, ...]) -> str:
    """The language that most of the text has; "" without any chunk."""
    weight: Counter[str] = Counter()
    for one in chunks:
        weight[one.language] += one.end - one.start
    return max(weight, key=lambda code: (weight[code], code)) if weight else ""


def search_terms(headings: str, text: str, language: str) -> str:
    """What the full-text index holds of a chunk: each word of the headings once, then the text's words in order."""
    above = dict.fromkeys(term for term in terms(headings, language) if len(term) <= _TERM_LENGTH)
    return " ".join([*above, *(term for term in terms(text, language) if len(term) <= _TERM_LENGTH)])


def _paths(headings: tuple[tuple[int, int, str], ...]) -> list[str]:
    """For each heading, its text after those of the headings above it, outermost first."""
    paths: list[str] = []
    above: list[tuple[int, str]] = []
    for _, level, text in headings:
        while above and above[-1][0] >= level:
            above.pop()
        above.append((level, text))
        paths.append(" ".join(words for _, words in above))
    return paths


def _stretches(document: ReadDocument) -> Iterator[tuple[int, int, str]]:
    """(start, end, kind) of each chunk-to-be."""
    headings = [start for start, _, _ in document.headings]
    run: list[tuple[int, int, int, str]] = []
    section = -1
    for start, end, kind in document.blocks:
        here = bisect.bisect_right(headings, start)
        if kind not in PROSE or here != section:
            yield from _pack(run)
            run = []
        section = here
        if kind in PROSE:
            run.extend((a, b, count_words(document.text[a:b]), kind) for a, b in _pieces(document.text, start, end))
    yield from _pack(run)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The block whole, or cut at sentence ends where it is longer than a chunk may be; without what is too long to be one."""
    if end - start < 6 * TARGET or (end - start <= LONGEST and count_words(text[start:end]) <= MOST):
        yield start, end
        return
    begin = last = -1
    words = 0
    for a, b in split(text[start:end]):
        endless = b - a > LONGEST
        size = 0 if endless else count_words(text[start + a : start + b])
        if begin >= 0 and (endless or (words and words + size > TARGET)):
            yield begin, last
            begin = -1
        if endless:
            continue
        if begin < 0:
            begin, words = start + a, 0
        words += size
        last = start + b
    if begin >= 0:
        yield begin, last


def _pack(run: list[tuple[int, int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Neighbouring blocks joined up to the target; a short rest goes to its predecessor."""
    groups: list[list[tuple[int, int, int, str]]] = []
    for piece in run:
        if groups and _words(groups[-1]) + piece[2] <= TARGET and piece[1] - groups[-1][0][0] <= LONGEST:
            groups[-1].append(piece)
        else:
            groups.append([piece])
    if len(groups) > 1:
        tail = _words(groups[-1])
        near = groups[-1][-1][1] - groups[-2][0][0] <= LONGEST
        if near and tail < _SHORT_TAIL and tail + _words(groups[-2]) <= MOST:
            groups[-2].extend(groups.pop())
    for group in groups:
        kinds = Counter(kind for _, _, _, kind in group)
        yield group[0][0], group[-1][1], kinds.most_common(1)[0][0]


def _words(pieces: list[tuple[int, int, int, str]]) -> int:
    return sum(words for _, _, words, _ in pieces)
