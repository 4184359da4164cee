"""From text to search terms: one function for the index and for every query, so that both always agree.

Words are folded (case, accents, width), function words are left out, the rest is cut to its stem. Japanese and
Chinese have no spaces: their runs become overlapping pairs of letters, with Latin words inside them kept whole.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from autonomy.text.language import is_cjk
from autonomy.text.stem import stem
from autonomy.text.stopwords import is_stop_word

_CJK = r"\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0002ffff"
_TOKEN = re.compile(rf"[{_CJK}]+|(?:(?![{_CJK}])[^\W_])+(?:['’](?:(?![{_CJK}])[^\W_])+)*(?:\+\+|\#(?!\w))?")
_CJK_RUN = re.compile(rf"[{_CJK}]+")
_LONE_HAN = re.compile(r"(?<![\u3400-\u9fff])[\u3400-\u9fff](?![\u3400-\u9fff])")
_ELISION = re.compile(r"^(?:l|d|j|m|n|s|t|c|qu|jusqu|lorsqu|puisqu|quelqu)['’](?=\w\w)")
_POSSESSIVE = re.compile(r"['’](?:s|t|re|ve|ll|d|m)?$")


def tokens(text: str) -> list[tuple[int, int]]:
    """The (start, end) spans of words; a Japanese or Chinese run is one span."""
    return [match.span() for match in _TOKEN.finditer(text)]


def fold_word(word: str) -> str:
    """Lower case, full width to half, accents off Latin letters (never the voicing marks of kana)."""
    if word.isascii():
        return word.lower()
    word = unicodedata.normalize("NFKC", word).casefold()
    if _CJK_RUN.search(word):
        return word
    return "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))


def terms(text: str, language: str) -> list[str]:
    """The search terms of a text in order, repeats included; the same for index and query.

    >>> terms("Cancelling the tasks", "en")
    ['cancel', 'task']
    """
    found: list[str] = []
    for start, end in tokens(text):
        word = text[start:end]
        if _CJK_RUN.match(word):
            found.extend(bigrams(unicodedata.normalize("NFKC", word)))
            continue
        term = _term(word, language)
        if term:
            found.append(term)
    return found


def spoken(text: str) -> list[str]:
    """Every word of a text, folded, in order and with its function words: to compare wordings, not subjects."""
    found: list[str] = []
    for start, end in tokens(text):
        word = fold_word(text[start:end])
        found.extend(bigrams(word) if _CJK_RUN.match(word) else [word])
    return found


def bigrams(run: str) -> list[str]:
    """Overlapping letter pairs of a run without spaces; a lone ideograph stands for itself as well."""
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    return pairs + _LONE_HAN.findall(run) if pairs else [run]


@lru_cache(maxsize=65_536)
def _term(word: str, language: str) -> str:
    """One word's term, or "" for a function word."""
    latin = "en" if is_cjk(language) else language
    lower = _ELISION.sub("", word.lower()) if latin in ("fr", "it") else word.lower()
    if is_stop_word(lower.replace("’", "'"), latin):
        return ""
    bare = _POSSESSIVE.sub("", lower) or lower
    if is_stop_word(bare, latin):
        return ""
    return stem(fold_word(bare), latin)
