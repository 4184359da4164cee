"""What leans on its place from inside a sentence: "that problem", "should therefore", "the rule behind it".

Openers alone (`openers`) miss these. The rule for "this", "those" with a noun: it stands alone only if the noun was named
before it in the same text. Words that tie a statement to the one before ("therefore", "also") count in its first clause
only, since behind a comma they tie it to itself.
"""

from __future__ import annotations

import re

from autonomy.text.words import terms

_FLAGS = re.IGNORECASE | re.VERBOSE
_SELF = {
    "en": "module library package program standard pep guide manual book document licence license agreement year",
    "de": "modul bibliothek paket programm standard handbuch buch dokument jahr",
    "es": "módulo biblioteca paquete programa manual libro documento año",
}
_NAMED = {
    "en": re.compile(
        r"\b(?:this|these|those|such(?:\ an?)?)\s+(?P<noun>[a-z][\w’'-]+)(?:\s+(?P<next>[a-z][\w’'-]+))?"
        r"|(?:^|,\ )that\ (?P<clause>[a-z][\w’'-]+)\ (?:is|are|was|were|will|can|must|has)\b"
        r"|\b(?:of|to|in|for|from|at|by|on|past|with|under|after|before|until|than|about|as)\s+that\s+(?P<that>[a-z][\w’'-]+)",
        _FLAGS,
    ),
    "de": re.compile(
        r"\b(?:dies(?:e[rsmn]?)?|jene[rsmn]?|solche[rsmn]?)\s+(?P<noun>[\wäöüß-]+)(?:\s+(?P<next>[\wäöüß-]+))?", _FLAGS
    ),
    "es": re.compile(
        r"\b(?:est[eao]s?|es[eao]s?|dich[oa]s?|tal(?:es)?)\s+(?P<noun>[\wáéíóúñ-]+)(?:\s+(?P<next>[\wáéíóúñ-]+))?", _FLAGS
    ),
}
# Behind these a demonstrative needs nothing before it: "those who wait", "such as", "such that".
_OPEN = frozenset(
    "who that which whose of in with for as used given needed from on described que de und die der das".split()  # noqa: SIM905
)
_PRONOUN = {
    "en": re.compile(r"\b(?:this|these|those)\s+(?:is|are|was|were|has|have|can|could|may|might|will|would|should|must|does|do"
                     r"|means?|makes?|allows?|causes?|out|in|on|to|by|for|with|and|or|when|if|as|at|from)\b|\b(?:this|these"
                     r"|those)(?=[,.;:)]|$)", _FLAGS),
    "de": re.compile(r"\bdies\s+(?:ist|sind|kann|wird|hat|führt|bedeutet|gilt)\b|\bdies(?=[,.;:)]|$)", _FLAGS),
    "es": re.compile(r"\b(?:esto|eso|ello)\b", _FLAGS),
}  # fmt: skip
_TIES = {
    "en": r"\b(?:therefore|thus|hence|consequently|accordingly|nevertheless|nonetheless|however|moreover|furthermore|likewise"
    r"|similarly|meanwhile)\b|\balso\b|\btoo\b(?=[.,;:]|$)|\bas\ well\b(?!\ as)|\bthe\ (?:former|latter|aforementioned)\b"
    r"|\bboth\ the\ (?:first|second)\b",
    "de": r"\b(?:jedoch|allerdings|daher|deshalb|deswegen|dennoch|trotzdem|somit|folglich|stattdessen|außerdem|zudem|ebenfalls"
    r"|auch|dabei|dazu|dafür|dagegen|davon|hierzu|hierfür|hierbei|hiermit|letztere[rsmn]?|erstere[rsmn]?)\b",
    "es": r"\b(?:también|además|por\ (?:lo\ )?tanto|sin\ embargo|no\ obstante|asimismo|tampoco|en\ cambio"
    r"|por\ ello|por\ eso)\b",
}
_OPENERS = {
    "en": r"""
    of\ course | which\b | you\ (?:can|may|could|should|must|will)\ (?:then|now)\b | you\ (?:don['’]t|do\ not)\ have\ to,
    | the\ (?:first|second|third|fourth|last|next|equivalent|opposite|reverse)\ (?!time\b)
    | the\ (?:[\w-]+\ ){0,4}ones?\ (?:is|are)\b
    | (?:if|unless|when|while|because|since|although)\ (?:you|one|we)\b[^,]{1,80},\ (?:it|they|this|these|those)\b
    | (?:when|if|for|by)\b[^,]{1,60},\ [a-z]+s\ (?:how|whether|what|which)\b
    | (?:\w+\ ){1,2}\w+,\ the\ (?:equivalent|opposite|same|former|latter)\b
    | in\ (?:both|all)\ (?:cases|of\ them)
    | (?:if|when|unless)\ the\ (?:argument|parameter|function|method|callback)s?\ (?:is|are|was|were|has|have|does|do)\b
    | (?:only\ )?(?:one|two|three|four|five|several|many|some|other|more|few|both)\ (?:more\ |other\ )?(?:things?|ways?|reasons?
    |points?|cases?|problems?|questions?|exceptions?|caveats?|options?|possibilities|approaches)\b
    | (?:an?|the|no|each|every|any|one|part|some|most|many|all|only)\ (?:[\w-]+\ ){0,3}(?:behind|of|for|to|in|from|with|about|on
    |after|before|under|between|by|using)\ (?:it|them|this|these|those)\b
    | the\ (?:code|example|script|approach|technique|program|snippet|output|result|results|command|solution|problem|idea|trick
    |procedure|exercise|listing|answer|disadvantage|advantage|drawback|difference|method|function|signature|callback|statement
    |call|argument|arguments|parameter|parameters|option|default|constructor|decorator|attribute|returned?\ value)\b
    (?!\ (?:of|for|that|which|to|in|from|with|between|object|name|line|"))
    | the\ (?:[\w.]+,?\ )?(?:and\ [\w.]+\ )?(?:arguments?|parameters?)\ (?:is|are|can|must|may|specif\w+|determines?|gives?)\b
    """,
    "de": r"""
    es\ (?:handelt\ sich|geht\ (?:hier)?) | (?:zwei|drei|vier|mehrere|einige|viele)\ (?:dinge|gründe|punkte|fälle|wege
    |möglichkeiten)\b | der\ (?:befehl|code|vorgang|ansatz)\ (?:ist|wird|kann|hat)\b
    """,
    "es": r"""
    (?:es|son|era|eran|está|están|se|hay\ que)\b(?!\ (?:posible|importante|necesario|recomendable|conveniente|aconsejable
    |preferible|denomina|llama|puede|pueden|debe|deben|recomienda)) | [a-záéíóú]+(?:emos|amos|imos)\b
    | (?:algun[oa]s|much[oa]s|vari[oa]s|otr[oa]s)\ (?:se|de\ ell[oa]s)\b | (?:dos|tres|cuatro|vari[oa]s)\ (?:cosas|razones
    |puntos|casos|formas|maneras|opciones)\b
    """,
}
_PARAMETER = re.compile(
    r"(?:note that )?(?:if|when|with|unless|setting|passing)? ?(?:the )?(?:[a-z]+(?:_[a-z]+)+|[a-z]+='?\w*'?|[a-z_]+) "
    r"(?:is|are|was) (?:not )?(?:given|supplied|specified|provided|omitted|none|true|false|zero|\d+|negative|positive|set"
    r"|a keyword-only|an? optional|the same as)\b"
    r"|with \w+=|with the default \w+",
    re.IGNORECASE,
)
"""Technical prose that speaks of the parameter of an entry: "If module is not supplied"."""
_REMARK = re.compile(r"^(?:please )?(?:note|remember|recall|keep in mind|be aware)(?: also)? that\s+", re.IGNORECASE)
_INSTEAD = re.compile(r"\binstead\b(?!\s+of\b)", re.IGNORECASE)
_RATHER = re.compile(r"\b(?:rather|not|no|than|never|without|\w+n['’]t)\b", re.IGNORECASE)
_PAUSE = re.compile(r"[,;:–—(]|\s(?:and|but|or|und|aber|oder|sondern|y|pero|sino)\s", re.IGNORECASE)
_STOP = re.compile(r"[.!?]\s")
_OPENS = {language: re.compile(rf"[\"'“„«‘(\[]*(?:{pattern})", _FLAGS) for language, pattern in _OPENERS.items()}
_TIED = {language: re.compile(pattern, _FLAGS) for language, pattern in _TIES.items()}


def leans(text: str, language: str, *, technical: bool = False) -> bool:
    """Whether the text (one sentence, or two that belong together) needs what stands before it."""
    text = _REMARK.sub("", text)
    if _opens(text, language, technical=technical) or _tied(text, language):
        return True
    return _points_back(text, language) or (language == "en" and _instead(text))


def _opens(text: str, language: str, *, technical: bool) -> bool:
    pattern = _OPENS.get(language)
    if pattern and pattern.match(text):
        return True
    return technical and language == "en" and bool(_PARAMETER.match(text))


def _tied(text: str, language: str) -> bool:
    """A tie in the first clause. What stands before the pause of a sentence that begins "In SQLite, ..." is no clause."""
    pattern = _TIED.get(language)
    found = pattern.search(text) if pattern else None
    if found is None:
        return False
    before = text[: found.start()]
    pauses = [pause for pause in _PAUSE.finditer(before) if len(before[: pause.start()].split()) > _SHORT]
    return not pauses and not re.search(r"\b(?:not only|nicht nur|no s[oó]lo|see)\b", before, re.IGNORECASE)


_SHORT = 3


def _points_back(text: str, language: str) -> bool:
    """A demonstrative whose noun was not named before it, or one alone in the first clause."""
    pronoun = _PRONOUN.get(language)
    alone = pronoun.search(text) if pronoun else None
    if alone and not _PAUSE.search(text[: alone.start()]) and not _STOP.search(text[: alone.start()]):
        return True
    pattern = _NAMED.get(language)
    for found in pattern.finditer(text) if pattern else ():
        if alone and alone.start() == found.start():
            continue
        groups = found.groupdict()
        nouns = [groups[name] for name in ("noun", "next", "that", "clause") if groups.get(name)]
        if nouns[0].lower() in _OPEN or _known(nouns, text[: found.start()], language):
            continue
        return True
    return False


def _known(nouns: list[str], before: str, language: str) -> bool:
    """Whether one of the words behind a demonstrative stands before it already, or names the document itself."""
    if any(noun.lower().rstrip("s") in _SELF.get(language, "").split() for noun in nouns[:1]):
        return True
    held = set(terms(before, language))
    return any(term in held for noun in nouns for term in terms(noun, language))


def _instead(text: str) -> bool:
    found = _INSTEAD.search(text)
    return found is not None and not _RATHER.search(text[: found.start()])
