"""Whether a sentence can be quoted alone: whole, about something it names, and pointing nowhere else.

Measured on manuals, about half of the sentences pass; those that pass need no context to be understood. A sentence whose
only flaw is a dangling opener may be quoted together with the one before it.
"""

from __future__ import annotations

import re
from typing import Literal

from autonomy.text.abbreviations import MAYBE, always
from autonomy.text.language import is_cjk
from autonomy.text.openers import DANGLING, ENTRY_VERB, FRAGMENT, POINTER
from autonomy.text.words import tokens

Flaw = Literal[
    "", "short", "long", "unterminated", "question", "dangling", "pointer", "fragment", "contents", "code", "unbalanced", "cut"
]

WORDS = (6, 45)
CJK_LETTERS = (15, 140)
_TERMINAL = re.compile(r"[.!。！．｡][\"'”’»«“)\]）」』*_]*$")
_QUESTION = re.compile(r"[?？][\"'”’»«“)\]）」』*_]*$")
_LEADERS = re.compile(r"\.{4,}|(?:\.\s){3,}|…{2,}|·{3,}|_{4,}|-{4,}|={4,}")
_CODE = re.compile(
    r">>>|\$ \w|\\\w|::|[{}|]|->|=>|==|!=|<[/\w]+>|\w\(\w*=|\b\w+ = |;\s*$|https?://\S{40,}|&\w+;|\[\w*(?:,|\])\s*\w*=|#!|^[~/]\S+|\*{2,}|`{2,}|--\w+[= ]<"
)
_ASIDE = re.compile(r"^[(（].*[)）][.。]?$|^[^\w\s]?[\w .()-]{1,40}[^\w\s]?:\s+[A-Z]|\bI(?:['’]\w+)?\s|\b[Mm]y\s")
_REMARK = re.compile(
    r"^(?:note|remember|recall|keep in mind|be aware|please note|beachten sie|tenga en cuenta|notez)\b,?(?: also)? (?:that|que|dass)? ?",
    re.I,
)
_TALK = re.compile(
    r"\b(?:we|we['’]\w+|our|us|let['’]s)\b|\b(?:will now|no longer|now (?:also|supports?|accepts?|returns?|has|uses?|raises?)|"
    r"(?:has|have) been (?:added|removed|deprecated|changed|fixed|improved)|(?:was|were) (?:added|removed|deprecated))\b",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^\(?(?:\d{1,3}|[a-zA-Z]|[ivx]+)[.)]\s|^[•‣▪◦·*+–—-]\s|^[※●■□◆]")
_LAST_WORD = re.compile(r"(\S+)\.[\"'”’»)]*$")
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("（", "）"), ("「", "」"))
_IDENTIFIER = re.compile(r"[a-z_][\w-]*(?:\(\)|[._]\w+|\d)")
_PROGRAM_NAME = re.compile(r"[a-z][\w.+-]{1,30} (?:is|are|has|can|provides|supports|was|will|ist|hat|kann|es|est)\b")
_NUMBERED = re.compile(r"^\d+(?:\.\d+)+\s+\S")

_LABEL = re.compile(
    r"(?:an?|the|one|abstract|base|concrete|exception|subclass|list|number|name|string|tuple|same|special|read-only)\b", re.I
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|could|may|might|must|shall|should|will|would|does|do|did|cannot|\w+n['’]t|needs?|lets?|makes?|uses?|"
    r"provides?|allows?|contains?|includes?|returns?|raises?|runs?|takes?|gives?|gets?|becomes?|means?|requires?|supports?|holds?|comes?|goes|"
    r"works?|shows?|causes?|creates?|calls?|sets?|keeps?|depends?|consists?|refers?|represents?|describes?|enables?|ensures?|prevents?|"
    r"accepts?|behaves?|blocks?|waits?|starts?|stops?|ends?|happens?|exists?|occurs?|remains?|seems?|appears?|became|went|came|"
    r"made|took|gave|found|led|began|grew|fell|rose|won|kept|\w{3,}(?:ed|[ai]zes?|ifies))\b",
    re.IGNORECASE,
)
# "will not be invoked" is one verb.
_CHAIN = re.compile(
    r"\b(?:(?:will|can|could|may|might|must|shall|should|would|is|are|was|were|has|have|had|be|been|being|not|never|also)\s+)+\w+",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"\b(?:that|which|who|whose|where)\b", re.IGNORECASE)
_WEAK = {
    "en": re.compile(
        r"(?:note that|please|if (?:the|an?|any|no|you|\w+ (?:is|are))\b|when (?:the|called|used)\b|the (?:function|method|class|signature|arguments?|"
        r"parameters?|values?|results?|return value|default|options?|object|callback|call|command|statement|example|program|script|file|string|number|"
        r"list|name|type|attribute|instance|caller|variable|field|flag|behaviou?r|operation|output|input|code|line|exception|optional|current|new|"
        r"resulting|returned|given|actual|user)\b(?! of\b))",
        re.IGNORECASE,
    ),
    "de": re.compile(
        r"(?:beachten sie|bitte|wenn (?:sie|der|die|das)\b|falls\b|(?:der|die|das) (?:funktion|methode|parameter|befehl|option|wert|datei|programm|skript|"
        r"paket|liste|name|zeile|ausgabe|eingabe)\b(?! (?:von|der|des)\b))",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"(?:tenga en cuenta|nótese|si (?:el|la|no|se|usted)\b|(?:el|la) (?:función|método|parámetro|orden|opción|valor|archivo|programa|paquete|lista|"
        r"nombre|línea|comando)\b(?! de\b))",
        re.IGNORECASE,
    ),
}


def flaw(sentence: str, language: str, *, below_signature: bool = False) -> Flaw:
    """What keeps the sentence from standing alone, or "" when it can.

    `below_signature` says that the line above is a program's signature, under which entries begin with a bare verb.
    """
    text = sentence.strip()
    for test in (_size, _ending, _form):
        found = test(text, language)
        if found:
            return found
    entry = language == "en" and (_verbless(text) or (below_signature and bool(ENTRY_VERB.match(text))))
    if entry or _matches(FRAGMENT, text, language):
        return "fragment"
    if points_elsewhere(text, language):
        return "pointer"
    return "dangling" if dangles(text, language) else ""


def dangles(sentence: str, language: str) -> bool:
    """Whether the opener needs the sentence before it."""
    text = sentence.strip()
    return _matches(DANGLING, text, language) or _matches(DANGLING, _REMARK.sub("", text), language)


def points_elsewhere(sentence: str, language: str) -> bool:
    """Whether the sentence sends the reader to another place of its source."""
    pattern = POINTER.get(language)
    return bool(pattern and pattern.search(sentence))


def weak(sentence: str, language: str) -> bool:
    """Whether it can be quoted but leans on its place: a condition, a remark, or "the method" of a page of methods."""
    pattern = _WEAK.get(language)
    return bool(pattern and pattern.match(sentence.strip())) or (language == "en" and bool(_TALK.search(sentence)))


def _verbless(text: str) -> bool:
    """An English label with a full stop: "An object that holds tasks." has no verb but that of its relative clause."""
    verbs = _FINITE.findall(_CHAIN.sub(" is ", text))
    if not verbs:
        return True
    return bool(_LABEL.match(text)) and len(verbs) == 1 and bool(_RELATIVE.search(text))


def _matches(table: dict[str, re.Pattern[str]], text: str, language: str) -> bool:
    pattern = table.get(language)
    return bool(pattern and pattern.match(text))


def _size(text: str, language: str) -> Flaw:
    if is_cjk(language):
        count, (least, most) = len(re.sub(r"\s", "", text)), CJK_LETTERS
    else:
        count, (least, most) = len(tokens(text)), WORDS
    if count < least:
        return "short"
    return "long" if count > most else ""


def _ending(text: str, language: str) -> Flaw:
    if _QUESTION.search(text):
        return "question"
    if not _TERMINAL.search(text) or text.endswith("..."):
        return "unterminated"
    last = _LAST_WORD.search(text)
    word = last.group(1).lower().lstrip("(") if last else ""
    if word in always(language) and word not in MAYBE and ("." in word or len(word) == 1):
        return "cut"
    return ""


def _form(text: str, language: str) -> Flaw:
    """Contents lines, code, list marks, halves of brackets, and beginnings in the middle of a sentence."""
    if _LEADERS.search(text):
        return "contents"
    if _CODE.search(text) or _letters_share(text) < 0.72:
        return "code"
    if _ASIDE.search(text) or _LIST_MARK.match(text) or _NUMBERED.match(text):
        return "fragment"
    if any(text.count(a) != text.count(b) for a, b in _PAIRS) or text.count('"') % 2 or text.count("«") != text.count("»"):
        return "unbalanced"
    if text[0].islower() and not (_IDENTIFIER.match(text) or _PROGRAM_NAME.match(text)):
        return "fragment"
    return "fragment" if text[0] in ",;:.)]}–—-%=*/…" else ""


def _letters_share(text: str) -> float:
    """Letters among what is not white space; tables and code have few."""
    solid = [c for c in text if not c.isspace()]
    return sum(c.isalpha() for c in solid) / max(1, len(solid))
