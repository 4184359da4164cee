"""Word stems: Porter's 1980 algorithm for English, a prefix cut for other languages with spaces.

The rule of Porter, "An algorithm for suffix stripping", Program 14(3). A stem is a search key and never shown.
"""

from __future__ import annotations

from itertools import pairwise

# Letters kept of a word; measured best between five and six for German and Spanish headings.
_PREFIX = {"de": 6, "es": 6, "fr": 6, "it": 6, "pt": 6, "nl": 6, "ru": 6}

_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("abli", "able"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate"),
    ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"),
    ("biliti", "ble"),
)  # fmt: skip
_STEP_3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
)  # fmt: skip
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti", "ous",
    "ive", "ize",
)  # fmt: skip


def stem(word: str, language: str) -> str:
    """The search key of one lower-case word without accents."""
    if language == "en":
        return porter(word) if word.isascii() and word.isalpha() else word
    return word[: _PREFIX.get(language, len(word))]


def porter(word: str) -> str:
    """The English stem of a lower-case ASCII word, e.g. "cancellation" -> "cancel"."""
    if len(word) <= 2:
        return word
    for step in (_plurals, _past, _final_y, _double_suffixes, _single_suffixes, _long_suffixes, _final_e, _final_ll):
        word = step(word)
    return word


def _consonant(word: str, i: int) -> bool:
    if word[i] in "aeiou":
        return False
    return not (word[i] == "y" and i > 0 and _consonant(word, i - 1))


def _measure(base: str) -> int:
    """How often a vowel run is followed by a consonant run."""
    kinds = [_consonant(base, i) for i in range(len(base))]
    return sum(1 for before, after in pairwise(kinds) if after and not before)


def _has_vowel(base: str) -> bool:
    return any(not _consonant(base, i) for i in range(len(base)))


def _double(word: str) -> bool:
    return len(word) > 1 and word[-1] == word[-2] and _consonant(word, len(word) - 1)


def _short_end(word: str) -> bool:
    """Consonant, vowel, consonant other than w, x, y: as in "hop"."""
    n = len(word)
    return (
        n > 2 and _consonant(word, n - 1) and not _consonant(word, n - 2) and _consonant(word, n - 3) and word[-1] not in "wxy"
    )


def _plurals(word: str) -> str:
    if word.endswith(("sses", "ies")):
        return word[:-2]
    if word.endswith("s") and not word.endswith("ss"):
        return word[:-1]
    return word


def _past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for suffix in ("ed", "ing"):
        if word.endswith(suffix):
            base = word[: -len(suffix)]
            return _mend(base) if _has_vowel(base) else word
    return word


def _mend(base: str) -> str:
    """What "ed" and "ing" leave behind: "hopp" -> "hop", "fil" -> "file", "conflat" -> "conflate"."""
    if base.endswith(("at", "bl", "iz")):
        return base + "e"
    if _double(base) and base[-1] not in "lsz":
        return base[:-1]
    if _measure(base) == 1 and _short_end(base):
        return base + "e"
    return base


def _final_y(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and _has_vowel(word[:-1]) else word


def _replace(word: str, table: tuple[tuple[str, str], ...]) -> str:
    """The longest suffix decides; it is replaced only behind a measure above 0."""
    hits = [pair for pair in table if word.endswith(pair[0])]
    if not hits:
        return word
    suffix, other = max(hits, key=lambda pair: len(pair[0]))
    base = word[: -len(suffix)]
    return base + other if _measure(base) > 0 else word


def _double_suffixes(word: str) -> str:
    return _replace(word, _STEP_2)


def _single_suffixes(word: str) -> str:
    return _replace(word, _STEP_3)


def _long_suffixes(word: str) -> str:
    hits = [suffix for suffix in _STEP_4 if word.endswith(suffix)]
    if not hits:
        return word
    suffix = max(hits, key=len)
    base = word[: -len(suffix)]
    if _measure(base) < 2 or (suffix == "ion" and not base.endswith(("s", "t"))):
        return word
    return base


def _final_e(word: str) -> str:
    if not word.endswith("e"):
        return word
    base = word[:-1]
    measure = _measure(base)
    return base if measure > 1 or (measure == 1 and not _short_end(base)) else word


def _final_ll(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
