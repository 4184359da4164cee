"""What a sentence claims, as far as rules can see: numbers with units, names, and how much it reads like a claim."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from autonomy.text.language import is_cjk
from autonomy.text.markers import marks, place
from autonomy.text.stopwords import is_stop_word
from autonomy.text.words import terms

SUBJECT = 4
"""Terms of what a sentence speaks of, at most, where it says what that is: "Cyclic redundancy check (CRC)"."""

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-−–](?=\d))?(?P<digits>\d{1,3}(?:[,.’' \u00a0\u202f]\d{3})+(?:[.,]\d+)?|\d+(?:[.,:]\d+)*)"
    r"(?P<unit>\s?(?:%|‰|°C|°F|°|(?:[kMGTP]i?[Bb]|[mkµn]?(?:s|m|g|A|V|W|Hz|bits?)|min|h|USD|EUR|€|\$|£|¥|年|月|日|秒|分|時間|人|个|次"
    r"|倍))(?![\w]))?"
)
_CJK_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*\s?[%％年月日秒分時时人个次倍万億亿]?")
_WORD_NUMBER = {
    "en": "two three four five six seven eight nine ten eleven twelve hundred thousand million billion half twice",
    "de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf hundert tausend million millionen milliarde hälfte "
    "doppelt",
    "es": "dos tres cuatro cinco seis siete ocho nueve diez once doce cien mil millón millones mitad doble",
    "fr": "deux trois quatre cinq six sept huit neuf dix onze douze cent mille million millions milliard moitié double",
}
_NAME = re.compile(r"[A-ZÀ-ÖØ-Þ][\w’'-]*(?:[ \u00a0](?:(?:of|de|la|von|van|der|du|des|y)[ \u00a0])?[A-ZÀ-ÖØ-Þ][\w’'-]*)*")
_INNER_CAPITAL = re.compile(r"\w*[a-z0-9][A-Z]\w*|[A-Z]{2,}\w*")
_WORD = re.compile(r"[^\W\d_]+")


def numbers(text: str, language: str = "en") -> Counter[str]:
    """Every number with its sign and unit, in one spelling: "1,000 kB" -> {"1000kB": 1}; number words count too."""
    text = _same_digits(text)
    if is_cjk(language):
        return Counter(re.sub(r"\s", "", match.group()) for match in _CJK_NUMBER.finditer(text))
    found: Counter[str] = Counter()
    for match in _NUMBER.finditer(text):
        sign = "-" if match["sign"] and _is_sign(text, match.start()) else ""
        found[sign + _plain(match["digits"]) + (match["unit"] or "").strip()] += 1
    words = frozenset(_WORD_NUMBER.get(language, "").split())
    found.update(word.lower() for word in _WORD.findall(text) if word.lower() in words)
    return found


def _same_digits(text: str) -> str:
    """Full-width and other decimal digits as ASCII; raised digits stay what they are."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)


def _is_sign(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] in " ([=<>\n\t"


def _plain(digits: str) -> str:
    """Without marks between groups of three; a decimal comma as a point."""
    grouped = re.fullmatch(r"\d{1,3}(?:([,.’' \u00a0\u202f])\d{3})(?:\1\d{3})*([.,]\d+)?", digits)
    if grouped and not (grouped.group(1) == "." and digits.count(".") == 1 and digits.startswith("0")):
        tail = grouped.group(2) or ""
        head = digits[: len(digits) - len(tail)] if tail else digits
        return re.sub(r"\D", "", head) + tail.replace(",", ".")
    return digits.replace(",", ".") if digits.count(",") == 1 and "." not in digits else digits


def names(text: str, language: str = "en") -> frozenset[str]:
    """Capitalised runs that do not merely open the sentence, and words with capitals inside (TCP, SQLite), lower case.

    German capitalises every noun, so there only words with capitals inside count; languages without case have none
    but Latin words.
    """
    found = {match.group().lower() for match in _INNER_CAPITAL.finditer(text)}
    if language == "de":
        return frozenset(found)
    for match in _NAME.finditer(text):
        run = match.group()
        if _opens_sentence(text, match.start()):
            run = run.partition(" ")[2]
        run = run.strip()
        if run[:1].isupper() and not is_stop_word(run.lower(), language):
            found.add(run.lower())
    return frozenset(found)


def _opens_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip("\"'“„«‘( *_")
    return not before or before.rstrip()[-1:] in ".!?:…"


def cue(sentence: str, language: str) -> float:
    """How much the sentence reads like a claim: definition, ground, comparison, obligation, figure with a unit; 0 to 1."""
    score = 0.25 * min(2, len(set(marks("cue", sentence, language))))
    score += 0.35 if defines(sentence, language) else 0.0
    figures = numbers(sentence, language)
    score += 0.15 if any(not figure.isdigit() for figure in figures) else 0.0
    return min(1.0, score)


def defines(sentence: str, language: str) -> bool:
    """Whether it says early what something is ("X is a ...", "X means ...")."""
    reach = 60 if is_cjk(language) else 90
    return bool(marks("definition", sentence[:reach], language))


def says_what(sentence: str, things: Iterable[Sequence[str]], language: str) -> bool:
    """Whether it says early what one of the things (each as its terms) is: "A lease is a lock" does of a lease, "A list of the
    leases is a file" does not, since it speaks of something else first."""
    at = place("definition", sentence[: 60 if is_cjk(language) else 90], language)
    before = terms(sentence[:at], language) if at >= 0 else []
    return any(len(before) <= SUBJECT and set(thing) <= set(before[-len(thing) :]) for thing in things if thing)


def negations(text: str, language: str) -> int:
    """How many words deny; statements agree only when both counts are odd, or both even."""
    return len(marks("negation", text, language))


def strength(text: str, language: str) -> int:
    """The strongest modal: 3 must/always, 2 should/usually, 1 may/can, 0 none (a bare statement).

    A bare statement is itself strong: whoever turns "may" into none, or none into "always", says more than was said.
    """
    for level, kind in ((3, "must"), (2, "should"), (1, "may")):
        if marks(kind, text, language):
            return level
    return 0
