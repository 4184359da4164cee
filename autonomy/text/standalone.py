"""Whether a sentence can be quoted alone: whole, about something it names, and pointing nowhere else.

Measured on manuals, about half of the sentences pass; those that pass need no context to be understood. A sentence whose
only flaw is a dangling opener may be quoted together with the one before it.
"""

from __future__ import annotations

import re
from typing import Literal

from autonomy.text.abbreviations import MAYBE, always
from autonomy.text.language import is_cjk
from autonomy.text.leaning import leans
from autonomy.text.openers import DANGLING, ENTRY_VERB, FRAGMENT, POINTER
from autonomy.text.words import tokens

Flaw = Literal[
    "", "short", "long", "unterminated", "question", "dangling", "pointer", "fragment", "contents", "code", "unbalanced", "cut"
]

WORDS = (6, 45)
CJK_LETTERS = (15, 140)
LONGEST = (110, 340)
"""Words (and letters of Chinese or Japanese) of one that is quoted where shorter ones say too little: legal texts are made of
such, and are lost with a clause left out."""
_TERMINAL = re.compile(r"[.!。！．｡][\"'”’»«“)\]）」』*_]*$")
_QUESTION = re.compile(r"[?？][\"'”’»«“)\]）」』*_]*$")
_LEADERS = re.compile(r"\.{4,}|(?:\.\s){3,}|…{2,}|·{3,}|_{4,}|-{4,}|={4,}")
_CODE = re.compile(
    r">>>|\$ \w|\\\w|::|[{}|]|->|=>|==|!=|<[/\w]+>|\w\(\w*=|\b\w+ = |;\s*$|https?://\S{40,}|&\w+;|\[\w*(?:,|\])\s*\w*=|#!"
    r"|<!--|-->|^[~/]\S+|\*{2,}|`{2,}|--\w+[= ]<|\b(?:foo|bar|baz|spam|eggs|something\(\)|func\(\))(?!\w)"
)
_ASIDE = re.compile(r"^[(（].*[)）][.。]?$|^[^\w\s]?[\w .()-]{1,40}[^\w\s]?:\s+[A-Z]|\bI(?:['’]\w+)?\s|\b[Mm]y\s")
# "Obviously, this package": what stands behind a short opening counts as the opener.
_ADVERBIAL = re.compile(r"(?:[\w’'-]+ ){0,4}[\w’'-]+, ")
# "Before you can use it", "in these circumstances": the thing meant was named before.
_LEANING = re.compile(
    r"^(?:before|after|when|if|once|while|because|since|although|as|unless|until|to)(?: (?:you|we"
    r"|one))?(?: [\w'’]+){1,4}? (?:it|them|this|these|those)\b"
    r"|\bthis (?:method|function|class|object|option|argument|parameter|value|attribute|exception|flag|command|variable"
    r"|field|call|setting|one)\b"
    r"|\b(?:in|with|under|by|for|at|to|from|after|on) (?:this|these|that|those|such(?: an?)?) (?:cases?|circumstances"
    r"|situations?|ways?|examples?|contexts?|modes?|manner|"
    r"respect|approach|method|purpose|reason|step|point)\b|^(?:[\w'’]+ ){1,2}also\b|^.{0,60}\b(?:that|implementing|doing"
    r"|using|of) this\b(?! \w{4,})"
    r"|^.{0,60}\bthis (?:has|is|was|will|can|could|may|means|somehow|would|should|must)\b|^all (?:that|this|of (?:it|this"
    r"|that|these))\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"(?:this|these|those|it|they|he|she|its|their|such|dies\w*|diese[rsmn]?|es|sie|er|este|esta|estos|estas|ese|esa|ello"
    r"|ce|cet|cette|ces|il|"
    r"elle|ils|elles)\b(?!['’])",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"^(?:note|remember|recall|keep in mind|be aware|please note|beachten sie|tenga en cuenta|notez)\b,?(?: also)? (?:that"
    r"|que|dass)? ?",
    re.I,
)
_TALK = re.compile(
    r"\b(?:we|we['’]\w+|our|us|let['’]s)\b|\b(?:will now|no longer|now (?:also|supports?|accepts?|returns?|has|uses?|raises?)|"
    r"(?:has|have) been (?:added|removed|deprecated|changed|fixed|improved)|(?:was|were) (?:added|removed|deprecated))\b",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^\(?(?:\d{1,3}|[a-zA-Z]|[ivx]+)[.)]\s|^[•‣▪◦·*+–—-]\s|^[※●■□◆]")
_ITEM_MARK = re.compile(
    r"(?:[•‣▪◦·*+–—-]|o(?=\s+[A-Z])|\((?:\d{1,3}|[a-zA-Z]|[ivx]+)\)|(?:\d{1,3}|[a-zA-Z]|[ivx]+)\)|(?:[a-z]|[ivx]+|\d+(?:\.\d+)+)\.|(\d{1,3}\.))\s+(?=[^\W\d_]|[\"“«„'‘])"
)
_NOTICE = re.compile(r"(?:copyright\s+)?(?:\(c\)|©)\s|copyright\s+\d{4}\b", re.IGNORECASE)
"""How the notice of a copyright begins, which no mark ends before the text behind it."""
_EXCEPTED = re.compile(r"\((?:except|unless|subject\ to|as)\b[^()]*\bthis\ (?:section|chapter)\b[^()]*\)", re.IGNORECASE)
"""An aside that keeps back what the sentence's own place excepts; the mark of a citation names that place."""
_LAST_WORD = re.compile(r"(\S+)\.[\"'”’»)]*$")
_PAIRS = (("(", ")"), ("[", "]"), ("“", "”"), ("（", "）"), ("「", "」"))
_IDENTIFIER = re.compile(r"[a-z_][\w-]*(?:\(\)|[._]\w+|\d)")
_PROGRAM_NAME = re.compile(r"[a-z][\w.+-]{1,30} (?:is|are|has|can|provides|supports|was|will|ist|hat|kann|es|est)\b")
_NUMBERED = re.compile(r"^\d+(?:\.\d+)+\s+\S")

# "Apply, test or remove a lock": a command without a subject, as entries begin; advice has "you" or "not" in it.
_COMMAND = re.compile(
    rf"(?:{ENTRY_VERB.pattern})(?:(?:, \w+)*,? or \w+ (?:an?|the|all|any)| \w+ing (?:for|of|on|in))\b(?!.*\byou\b)"
    r"|(?:protect|unregister|register|return|raise|construct|emit|duplicate|dump|decode|encode|deserialize|serialize|wrap|yield"
    r"|append|print)\b(?: \w+)? (?:an?|the|\w+)\b(?!.*\byou\b)"
    # Labels: "Useful handlers included with the module", "A parameter to specify that ...", "A lock object: a close analog".
    r"|(?:an? |the )?(?:[\w.-]+ ){1,4}(?:included|suitable|meant|intended|provided|designed) (?:with|for|by|to|in)\b"
    r"(?!.* (?:is|are)\b)"
    r"|an? (?:[\w.-]+ ){0,3}(?:parameter|argument|flag|option|attribute|object|class|function|method) (?:to \w+|for)\b"
    r"|an? (?:[\w.-]+ ){1,4}?[\w.-]+: an? "
    # "Subclass of OSError, raised when ...", "Create a pipe from the arguments given by args."
    r"|(?:an? (?:[\w-]+ )?)?(?:subclass|base class|version|variant|alias) (?:of|for)\b(?!.* (?:is|are)\b)"
    r"|\w+ an? [^,.]*\b(?:specified|given) by \w+\.$",
    re.IGNORECASE,
)
_RUN_IN = re.compile(
    r"(?:Tip|Note|Caution|Warning|Important|Hinweis|Tipp|Achtung|Nota|Sugerencia|Atención|Remarque)\s+[A-ZÁÉÍÓÚ]"
)
_LABEL = re.compile(
    r"(?:an?|the|one|abstract|base|concrete|exception|subclass|list|number|name|string|tuple|same|special|read-only)\b", re.I
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|could|may|might|must|shall|should|will|would|does|do|did|cannot|\w+n['’]t"
    r"|needs?|lets?|makes?|uses?|"
    r"provides?|allows?|contains?|includes?|returns?|raises?|runs?|takes?|gives?|gets?|becomes?|means?|requires?|supports?"
    r"|holds?|comes?|goes|"
    r"works?|shows?|causes?|creates?|calls?|sets?|keeps?|depends?|consists?|refers?|represents?|describes?|enables?"
    r"|ensures?|prevents?|"
    r"accepts?|behaves?|blocks?|waits?|starts?|stops?|ends?|happens?|exists?|occurs?|remains?|seems?|appears?|became|went|came|"
    r"avoid|prefer|choose|consider|keep|never|remember|ensure|try|protect|install|configure|made|took|gave|found|led|began|grew|fell|rose|won|kept|\w{3,}(?:ed|[ai]zes?|ifies))\b",
    re.IGNORECASE,
)
# "will not be invoked" is one verb.
_CHAIN = re.compile(
    r"\b(?:(?:will|can|could|may|might|must|shall|should|would|is|are|was|were|has|have|had|be|been|being|not|never"
    r"|also)\s+)+\w+",
    re.IGNORECASE,
)
# "A spare lock stands ready": a word in -s behind a word that is no preposition may be a verb.
_MAYBE_VERB = re.compile(
    r"\b(?!(?:of|the|an?|for|in|with|to|and|or|on|by|from|as|at|all|any|more|other)\b)[a-z]+ [a-z]{3,}[^s\W]s\b"
    r"(?=\s(?!that\b|which\b|of\b|for\b|when\b|and\b|or\b|used\b|\w+ing\b))"
)
_GERUND = re.compile(r"[A-Z]\w+ing\b(?!,)")
_CLAUSE = re.compile(r"\b(?:that|which|who|when|if|where|because)\b")
_ENTRY_MARKER = re.compile(r"\b(?:that|which|who|whose|where|when|if|to|for)\b|:")
_PARTICIPLE = re.compile(
    r"\b(?:that|which|who|whose|where|when|whether|if|[a-z]+ing|"
    r"(?:returned|used|given|called|passed|created|raised|based|defined) (?:by|in|for|to|as))\b"
)
_NOUNS = frozenset(
    (
        "block",
        "set",
        "sets",
        "list",
        "lists",
        "use",
        "call",
        "calls",
        "run",
        "start",
        "end",
        "stop",
        "work",
        "need",
        "show",
        "try",
    )
)
_WEAK = {
    "en": re.compile(
        r"(?:note that|please|if (?:the|an?|any|no|you|\w+ (?:is|are))\b|when (?:the|called|used)\b|the (?:function|method"
        r"|class|signature|arguments?|"
        r"parameters?|values?|results?|return value|default|options?|object|callback|call|command|statement|example|program"
        r"|script|file|string|number|"
        r"list|name|type|attribute|instance|caller|variable|field|flag|behaviou?r|operation|output|input|code|line"
        r"|exception|optional|current|new|"
        r"resulting|returned|given|actual|user|only|disadvantage|advantage|drawback|solution|problem|idea|difference|trick"
        r"|answer)\b(?! of\b))",
        re.IGNORECASE,
    ),
    "de": re.compile(
        r"(?:beachten sie|bitte|wenn (?:sie|der|die|das)\b|falls\b|(?:der|die|das) (?:funktion|methode|parameter|befehl"
        r"|option|wert|datei|programm|skript|"
        r"paket|liste|name|zeile|ausgabe|eingabe)\b(?! (?:von|der|des)\b))",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"(?:tenga en cuenta|nótese|si (?:el|la|no|se|usted)\b|(?:el|la) (?:función|método|parámetro|orden|opción|valor"
        r"|archivo|programa|paquete|lista|"
        r"nombre|línea|comando)\b(?! de\b))",
        re.IGNORECASE,
    ),
}


def flaw(sentence: str, language: str, *, below_signature: bool = False, technical: bool = True, long: bool = False) -> Flaw:
    """What keeps the sentence from standing alone, or "" when it can.

    `below_signature` says that the line above is a program's signature, under which entries begin with a bare verb.
    `technical` says that the text speaks of code: only there labels pass for sentences ("An object that holds tasks."), and
    only there a verb that no list knows is more likely a noun than what a plain sentence says ("The dog barks.").
    `long` lets one pass that is as long as `LONGEST`.
    """
    text = sentence.strip()
    found = _size(text, language, long=long) or _ending(text, language) or _form(text, language)
    if found:
        return found
    text = _EXCEPTED.sub("", text)
    if points_elsewhere(text, language):
        return "pointer"
    entry = (
        technical
        and language == "en"
        and (_verbless(text, entry=below_signature) or (below_signature and bool(ENTRY_VERB.match(text))))
    )
    if entry or _matches(FRAGMENT, text, language) or (language == "en" and _COMMAND.match(text)) or _RUN_IN.match(text):
        return "fragment"
    return "dangling" if dangles(text, language) or leans(text, language, technical=technical) else ""


def dangles(sentence: str, language: str) -> bool:
    """Whether the opener needs the sentence before it."""
    text = sentence.strip()
    if _matches(DANGLING, text, language) or _matches(DANGLING, _REMARK.sub("", text), language):
        return True
    if language == "en" and _LEANING.search(text):
        return True
    aside = _ADVERBIAL.match(text)
    return bool(aside and _PRONOUN.match(text, aside.end()))


def points_elsewhere(sentence: str, language: str) -> bool:
    """Whether the sentence sends the reader to another place of its source."""
    pattern = POINTER.get(language)
    return bool(pattern and pattern.search(sentence))


def item_mark(text: str, language: str) -> int:
    """Letters of the mark of a list at the beginning of a paragraph ("2. ", "a) ", "• "), which a quotation leaves out.

    A capital with a point may be an initial, and a number with a point an ordinal in German: neither is taken for one.
    """
    found = _ITEM_MARK.match(text)
    return 0 if found is None or (found[1] and language == "de") else found.end()


def weak(sentence: str, language: str) -> bool:
    """Whether it can be quoted but leans on its place: a condition, a remark, or "the method" of a page of methods."""
    pattern = _WEAK.get(language)
    return bool(pattern and pattern.match(sentence.strip())) or (language == "en" and bool(_TALK.search(sentence)))


def _verbless(text: str, *, entry: bool) -> bool:
    """An English label with a full stop: "An object that holds tasks." has no verb but that of its relative clause.

    In an `entry` (below a signature) labels are the rule, so there it is enough that none stands before "that", "to", "for".
    """
    chained = _CHAIN.sub(" is ", text)
    verbs = _FINITE.findall(chained)
    if _GERUND.match(text):
        return not _FINITE.search(_CLAUSE.split(chained, maxsplit=1)[0])
    if entry:
        head = _ENTRY_MARKER.split(chained, maxsplit=1)[0]
        return not _FINITE.search(head) and not _MAYBE_VERB.search(head)
    if not _LABEL.match(text):
        return False
    # "The block size", "a set": forms that are nouns as well are no verbs here.
    sure = [verb for verb in verbs if verb.lower() not in _NOUNS]
    head = _PARTICIPLE.split(chained, maxsplit=1)[0]
    plain = [verb for verb in _FINITE.findall(head) if verb.lower() not in _NOUNS]
    return len(sure) <= 1 and not plain and not _MAYBE_VERB.search(head)


def _matches(table: dict[str, re.Pattern[str]], text: str, language: str) -> bool:
    pattern = table.get(language)
    return bool(pattern and pattern.match(text))


def _size(text: str, language: str, *, long: bool) -> Flaw:
    if is_cjk(language):
        count, (least, most), longest = len(re.sub(r"\s", "", text)), CJK_LETTERS, LONGEST[1]
    else:
        count, (least, most), longest = len(tokens(text)), WORDS, LONGEST[0]
    if count < least:
        return "short"
    return "long" if count > (longest if long else most) else ""


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
    if _NOTICE.match(text) or _ASIDE.search(text) or _LIST_MARK.match(text) or _NUMBERED.match(text):
        return "fragment"
    if any(text.count(a) != text.count(b) for a, b in _PAIRS) or text.count('"') % 2 or text.count("«") != text.count("»"):
        return "unbalanced"
    named = (_IDENTIFIER.match(text) and not re.match(r"\S+ (?:the|an?)\b", text)) or _PROGRAM_NAME.match(text)
    if text[0].islower() and not named:
        return "fragment"
    return "fragment" if text[0] in ",;:.)]}–—-%=*/…" else ""


def _letters_share(text: str) -> float:
    """Letters among what is not white space; tables and code have few."""
    solid = [c for c in text if not c.isspace()]
    return sum(c.isalpha() for c in solid) / max(1, len(solid))
