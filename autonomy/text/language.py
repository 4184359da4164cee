"""The language of a paragraph, by script and function words.

Per paragraph, because translated documents hold untranslated ones. The answer is a hint for splitting, stemming and
wording; a wrong one costs ranking, never truth.
"""

from __future__ import annotations

import re

from autonomy.text.stopwords import STOP_WORDS

_KANA = re.compile(r"[\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d]")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff]")
_HANGUL = re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_SAMPLE = 4_000
# A CJK letter says about as much as this many Latin ones.
_CJK_WEIGHT = 3


def detect(text: str, default: str = "en") -> str:
    """The ISO 639-1 code of the text: en, de, es, fr, it, pt, nl, ja, zh, ko or ru; `default` when nothing tells.

    >>> detect("Die Aufgabe wird nicht sofort beendet.")
    'de'
    """
    sample = text[:_SAMPLE]
    latin = _LATIN_WORD.findall(sample)
    letters = sum(len(word) for word in latin)
    kana, han = len(_KANA.findall(sample)), len(_HAN.findall(sample))
    if (kana + han) * _CJK_WEIGHT > letters:
        # Chinese quotes a Japanese name now and then; Japanese prose is at least a tenth kana.
        return "ja" if kana * 10 > han else "zh"
    if len(_HANGUL.findall(sample)) * _CJK_WEIGHT > letters:
        return "ko"
    if len(_CYRILLIC.findall(sample)) > letters:
        return "ru"
    return _by_function_words([word.lower() for word in latin], default)


def _by_function_words(words: list[str], default: str) -> str:
    """The list that knows most of the words; a tie, or no word known, is the default."""
    counts = {code: sum(word in known for word in words) for code, known in STOP_WORDS.items()}
    best = max(counts.values(), default=0)
    leaders = [code for code, count in counts.items() if count == best]
    if best == 0 or default in leaders:
        return default
    return leaders[0]


def is_cjk(language: str) -> bool:
    """Whether the language is written without spaces between words."""
    return language in ("ja", "zh")
