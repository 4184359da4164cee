"""A report held against the draft that it should be about: where its passages stand, and whether it is that draft's at all."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

from autonomy.core.counting import several
from autonomy.text.normal import fold_with_offsets, locate_in
from autonomy.text.words import fold_word, tokens
from autonomy.turnitin.report import Flagged, Report

_FEWEST = 4
"""Words of a passage at least that is looked for by its words alone."""
_RUN = 5
_TITLE, _BODY, _PASSAGES = 0.5, 0.3, 0.5
"""Shares below which title, text and passages are another draft's: words of the shorter title, runs of five words of the
submitted text, marked passages."""
_BODY_WORDS = 100
_COUNT, _COUNT_WORDS = 0.1, 50
"""How far two counts of the words of one text may be apart, as a share and in words: each program counts in its own way."""


def locate(report: Report, draft: str) -> Report:
    """The report with its passages' places in the draft: `draft[start:end]`, in characters.

    A passage is found by its letters with typography folded, or else by its words in their order, so that a mark of Markdown
    between them is no hindrance. Of passages that are alike and of one source, the second is looked for behind the first. What
    is not found has no offsets. A report that gives offsets alone is taken at its word where they fit, and gets the draft's
    text there: that holds only if the draft is the text that was submitted.
    """
    text = _Draft(draft)
    return report.model_copy(update={"flagged": tuple(text.placed(passage) for passage in report.flagged)})


def fits(report: Report, *, title: str, words: int, text: str) -> tuple[str, ...]:
    """What speaks against this being the report of a draft, a line each; () when nothing does.

    `title`, `words` (counted) and `text` are the draft's. What the report does not tell is not held against it.
    """
    doubts = (_title(report, title), _count(report, words), _text(report, text), _passages(report, text))
    return tuple(doubt for doubt in doubts if doubt)


class _Draft:
    """A draft folded once, for many passages."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded = fold_with_offsets(text)
        self._spans = tokens(text)
        self._line, self._starts = _line([fold_word(text[start:end]) for start, end in self._spans])
        self._behind: dict[tuple[str, str | None], int] = {}

    def placed(self, passage: Flagged) -> Flagged:
        """The passage with its place."""
        if not passage.text:
            return self._cut(passage)
        key = (passage.text, passage.source)
        span = self._find(passage.text, self._behind.get(key, 0)) or self._find(passage.text, 0)
        start, end = span or (None, None)
        if end is not None:
            self._behind[key] = end
        return passage.model_copy(update={"start": start, "end": end})

    def _cut(self, passage: Flagged) -> Flagged:
        start, end = passage.start, passage.end
        if start is None or end is None or not start < end <= len(self._text):
            return passage.model_copy(update={"start": None, "end": None})
        return passage.model_copy(update={"text": self._text[start:end]})

    def _find(self, passage: str, start: int) -> tuple[int, int] | None:
        return locate_in(passage, self._folded, start) or self._by_words(passage, start)

    def _by_words(self, passage: str, start: int) -> tuple[int, int] | None:
        words = _words(passage)
        if len(words) < _FEWEST:
            return None
        first = bisect.bisect_left(self._spans, (start, start))
        if first == len(self._spans):
            return None
        at = self._line.find(_line(words)[0], self._starts[first])
        if at < 0:
            return None
        index = bisect.bisect_left(self._starts, at)
        return self._spans[index][0], self._spans[index + len(words) - 1][1]


def _words(text: str) -> list[str]:
    return [fold_word(text[start:end]) for start, end in tokens(text)]


def _line(words: Sequence[str]) -> tuple[str, list[int]]:
    """Words in one text with a space on both sides of each, and where each one's first space is."""
    starts, at = [], 0
    for word in words:
        starts.append(at)
        at += len(word) + 1
    return f" {' '.join(words)} ", starts


def _title(report: Report, title: str) -> str:
    said, own = set(_words(report.title or "")), set(_words(title))
    if not said or not own or len(said & own) >= _TITLE * min(len(said), len(own)):
        return ""
    return f"the report is about {report.title!r}, the draft is {title!r}"


def _count(report: Report, words: int) -> str:
    if report.word_count is None or abs(report.word_count - words) <= max(_COUNT_WORDS, _COUNT * words):
        return ""
    return f"the report is of a text of {report.word_count:,} words, the draft has {words:,}"


def _text(report: Report, text: str) -> str:
    said = _words(report.body)
    if len(said) < _BODY_WORDS:
        return ""
    runs = _runs(said)
    share = len(runs & _runs(_words(text))) / len(runs)
    return "" if share >= _BODY else f"the report shows another text: {share:.0%} of it stands in the draft"


def _runs(words: Sequence[str]) -> set[tuple[str, ...]]:
    return {tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1)}


def _passages(report: Report, text: str) -> str:
    marked = locate(report, text).flagged
    found = sum(passage.start is not None for passage in marked)
    if found >= _PASSAGES * len(marked):
        return ""
    share = f"{found:,}" if found else "none"
    return f"{share} of the {several(len(marked), 'passage')} that the report marks can be found in the draft"
