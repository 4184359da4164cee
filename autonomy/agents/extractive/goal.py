"""What a goal asks, read by rule: its subject without the order to write, the points it names, and a title.

"Write a 500-word essay about task cancellation in asyncio, including timeouts and shielding." has the subject "task
cancellation in asyncio" and the points "timeouts" and "shielding".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autonomy.agents.extractive import asked
from autonomy.text.relevance import names
from autonomy.text.sentences import split
from autonomy.text.words import terms

LONGEST_TITLE = 96
"""Letters; about fourteen words."""
MOST_PARTS = 4
LONGEST_PARTS = 160
"""Up to so many parts are all named in a title of at most so many letters, which is what a model's title may have too."""


@dataclass(frozen=True, slots=True)
class Goal:
    """`subject` is a noun phrase or a clause as asked; `points` are the parts named one by one; `compared` sides of a
    comparison; `questions` what a goal of several questions asks, one by one, and `title` that goal as it was put.

    `article` stood before the subject ("a" lease), with the space behind it. `aspect` is what is asked of the subject's
    thing, up to that thing ("best practices for"), where the subject begins with one.
    """

    subject: str
    points: tuple[str, ...]
    compared: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    title: str = ""
    article: str = ""
    aspect: str = ""


_FLAGS = re.IGNORECASE | re.VERBOSE
_THINGS = {
    "en": r"essay|report|article|paper|overview|summary|document|text|review|introduction|guide|piece|note|notes|briefing"
    r"|post|research\ pack"
    r"|pack|survey|analysis|explanation|description|comparison|primer|memo|brief|tutorial|handout|synthesis|bibliography"
    r"|study|story",
    "de": r"aufsatz|bericht|artikel|text|überblick|übersicht|zusammenfassung|dokument|einführung|essay|beitrag|abhandlung"
    r"|referat|analyse"
    r"|darstellung|erklärung|recherche|dossier|leitfaden|anleitung|vergleich|hausarbeit",
    "es": r"ensayo|informe|artículo|texto|resumen|documento|introducción|guía|análisis|trabajo|panorama|reseña|estudio"
    r"|comparación"
    r"|explicación|descripción|redacción|dossier",
    "fr": r"essai|rapport|article|texte|résumé|document|introduction|guide|analyse|aperçu|synthèse|étude|exposé|dossier"
    r"|dissertation|comparaison",
}
_PREFACE = {
    "en": r"(?:please\s+|(?:i|we)(?:['’]d|\ would)?\ (?:want|need|like)\ to\ (?:understand|know|learn|read|see|find\ out)"
    r"(?:\ (?:more|something|everything|all))?(?:\ about)?\s+|help\ (?:me|us)\ (?:to\ )?(?:understand|learn)(?:\ about)?\s+"
    r"|(?:tell|teach|show)\ (?:me|us)\s+(?!about)|(?:everything|anything|something|all)"
    r"(?:\ (?:there\ is|you\ know|(?:i|we)\ need))?(?:\ to\ know)?\ about\s+)+",
    "de": r"(?:bitte\s+|ich\ (?:möchte|will|muss)\ (?:gern\w*\ )?(?:verstehen|wissen|lernen),?\s+"
    r"|alles(?:\ wichtige)?\ über\s+)+",
    "es": r"(?:por\ favor,?\s+|quiero\ (?:entender|saber|aprender)\s+(?:sobre\s+)?|todo\ (?:lo\ )?sobre\s+)+",
    "fr": r"(?:je\ (?:veux|voudrais)\ (?:comprendre|savoir|apprendre)\s+|tout\ sur\s+)+",
}
"""What says that one wants to read, and nothing of what."""
_ASPECT = {
    "en": r"(?:the\s+)?(?:(?:best|good|common|commonest|typical|main|most\ common|frequent)\s+)*(?:practices?|mistakes?"
    r"|pitfalls?|risks?|dangers?|benefits?|advantages?|drawbacks?|disadvantages?|problems?|costs?|limits?|uses)"
    r"\s+(?:for|of|in|with|when\ using)\s+",
}
"""What is asked of a thing, before its name: nobody asks how the risks of it work."""
_LISTED = {
    "en": r"(?:how|why|when|where)\s+(?!(?:do|can|could|should|must)\s+(?:i|we|you|one|they)\b)"
    r"(?:(?:do|does|can|could|should|must|are|is)\s+)?(?P<l>.+?)\s+(?:work|stay|help|keep|make"
    r"|fit|play|interact|relate|differ|behave|fail|survive|protect|matter|depend|recover|used|made|built|need)s?\b",
    "de": r"(?:wie|warum|wann|wo)\s+(?:funktionieren|arbeiten|helfen|unterscheiden\ sich|hängen)\s+(?P<l>.+?)"
    r"(?:\s+(?:in|im|bei|mit|für|zusammen)\b.*)?$",
    "es": r"¿?(?:cómo|por\ qué|cuándo|dónde)\s+(?:funcionan|trabajan|ayudan|se\ (?:diferencian|relacionan))\s+(?P<l>.+?)"
    r"(?:\s+(?:en|con|para)\b.*)?$",
}
"""The list of things in a clause, "how do a, b and c work"."""
_CHOICE = {
    "en": r".*?\b(?:use|choose|prefer|take|pick|run|need|better)\s*:?\s+(?P<l>[^,]+?\s+or\s+.+?)"
    r"(?:\s+(?:for|in|as|on|with|to|when|if)\b.*)?$",
    "de": r".*?\b(?:wir|man|ich|besser)\s+(?P<l>[^,]+?\s+oder\s+\S+?)(?:\s+.*)?$",
    "es": r".*?\b(?:usar|elegir|utilizar|preferir|mejor)\s+(?P<l>[^,]+?\s+[ou]\s+\S+?)(?:\s+.*)?$",
}
"""The things between which a question wants to choose."""
_OR = {"en": r"\s+or\s+", "de": r"\s+oder\s+", "es": r"\s+[ou]\s+"}
_ORDER = {
    "en": rf"""
    (?:please\s+|kindly\s+|can\ you\s+|could\ you\s+|would\ you\s+|i\ (?:need|want|would\ like)\s+(?:you\ to\s+)?
    |help\ me\s+(?:to\s+)?|we\ need\s+)*
    (?:(?:write|draft|prepare|create|compose|produce|make|give|generate|provide|compile|assemble|build|do|deliver
    |put\ together)\s+(?:me\s+|us\s+|up\s+)?)?
    (?:(?:an?|the|some|one)\s+)?(?:[\w'’-]+\s+){{0,4}}?(?:{_THINGS["en"]})s?\b(?:\ for\ (?:beginners|newcomers))?
    (?:\s+(?:of|in|with)\s+(?:about\s+|around\s+|roughly\s+|up\ to\s+|at\ least\s+)?[\d,.]+\s*(?:words?|pages?))?
    \s*(?:,\s*)?(?:about|on|of|for|(?<=guide\ )to|(?<=introduction\ )to|(?<=primer\ )to
    |regarding|concerning|covering|into|:|(?:that|which|to)\s+(?:explains?|describes?|covers?
    |discuss(?:es)?|compares?|shows?|summari[sz]es?|outlines?|presents?)
    |explaining|describing|discussing|comparing|summari[sz]ing|showing|outlining|presenting|to)\s+""",
    "de": rf"""
    (?:bitte\s+|kannst\ du\s+|könnten\ sie\s+|ich\ (?:brauche|möchte)\s+)*
    (?:(?:schreib\w*|verfass\w*|erstell\w*|mach\w*|gib|geben\ sie|liefer\w*|entwirf|bereite)\s+(?:sie\s+)?(?:mir\s+|uns\s+
    |bitte\s+)?)?
    (?:(?:einen?|eine|ein|den|die|das)\s+)?(?:[\wäöüß-]+\s+){{0,4}}?(?:{_THINGS["de"]})\b(?:\s+für\s+(?:anfänger|einsteiger))?
    (?:\s+(?:von|mit|in)\s+(?:etwa\s+|rund\s+|ca\.\s+)?[\d.]+\s*(?:wörtern?|worten?|seiten?))?
    \s*(?:über|zum\ thema|zur|zum|zu|von|für|in(?=\s+d(?:ie|en|as)\b)|:|,?\s*(?:der|die|das)\s+erklärt,?)\s+""",
    "es": rf"""
    (?:por\ favor,?\s+|necesito\s+|quiero\s+|me\ gustaría\s+|puedes\s+|podrías\s+)*
    (?:(?:escrib\w+|redact\w+|prepar\w+|cre[ae]\w*|haz(?:me)?|haga|dame|elabor\w+|gener\w+|produ\w+)\s+)?
    (?:(?:una?|el|la)\s+)?(?:[\wáéíóúñ-]+\s+){{0,2}}?(?:{_THINGS["es"]})\b(?:\s+para\s+principiantes)?(?:\s+[\wáéíóúñ]+(?=\s+(?:sobre|acerca)))?
    (?:\s+(?:de|con|en)\s+(?:unas\s+|aproximadamente\s+)?[\d.]+\s*(?:palabras?|páginas?))?
    \s*(?:sobre|acerca\ del?|del?|al?|para|que\ (?:explique|describa)|:)\s+""",
    "fr": rf"""
    (?:s['’]il\ (?:te|vous)\ plaît,?\s+|je\ (?:veux|voudrais)\s+|peux-tu\s+|pouvez-vous\s+)*
    (?:(?:écri\w+|rédig\w+|prépar\w+|cré\w+|fai\w+|donn\w+|produi\w+)\s+(?:-moi\s+)?)?
    (?:(?:une?|le|la|l['’])\s*)?(?:[\wéèàç-]+\s+){{0,2}}?(?:{_THINGS["fr"]})\b
    (?:\s+(?:de|en)\s+(?:environ\s+)?[\d.]+\s*(?:mots?|pages?))?
    \s*(?:sur|à\ propos\ d[eu]|concernant|de|qui\ (?:explique|décrit)|:)\s+""",
}
_VERB = {
    "en": r"(?:please\s+)?(?:compare(?:\ and\ contrast)?|contrast|write|explain|describe|discuss|summari[sz]e|research"
    r"|analy[sz]e|explore|investigate|present|outline|cover|review|study|examine|introduce|report|inform\ me"
    r"|tell\ me)\s+(?:about\s+|on\s+|to\ me\s+|me\s+)?",
    "de": r"(?:bitte\s+)?(?:erklär\w*|beschreib\w*|erläuter\w*|schreib\w*|recherchier\w*|untersuch\w*|analysier\w*|stell\w*"
    r"|fass\w*|diskutier\w*|vergleich\w*)[\s,]+(?:sie\s+)?(?:mir\s+|bitte\s+)?(?:über\s+)?",
    "es": r"(?:explica|explique|describe|describa|analiza|analice|investiga|investigue|resume|resuma|presenta|discute"
    r"|escribe|escriba|examina|expón|compar[ae])\s+(?:sobre\s+|acerca\ de\s+)?",
    "fr": r"(?:explique[rz]?|décri[st]\w*|analyse[rz]?|recherche[rz]?|résume[rz]?|présente[rz]?|écri[st]\w*|examine[rz]?"
    r"|compare[rz]?)\s+(?:sur\s+)?",
    "ja": r"^$",
    "zh": r"(?:请|請)?(?:写一篇|撰写一?篇?|写|介绍一?下?|解释一?下?|说明一?下?|描述|总结|研究|分析|讨论)"
    r"(?:一篇)?(?:关于|有关)?",
}
_QUESTION = {
    "en": r"(?:what\ (?:is|are|does(?=\s.*\bmean\W*$))|what['’]s|how\ (?:do|does|is|are)(?=\s.*\b(?:work|works|used|made"
    r"|done)\W*$))\s+(?P<s>.+?)(?:\s+(?:mean|works?|used|made|done))?$",
    "de": r"was\ (?:ist|sind|bedeutet)\s+(?P<s>.+)$|wie\ funktionier\w+\s+(?P<t>.+)$",
    "es": r"¿?qué\ (?:es|son|significa)\s+(?P<s>.+)$|¿?cómo\ funciona\w*\s+(?P<t>.+)$",
    "fr": r"qu['’]est-ce\ que?\s+(?:c['’]est\s+que\s+)?(?P<s>.+)$|comment\ (?:marche|fonctionne)\w*\s+(?P<t>.+)$",
    "ja": r"(?P<s>.+?)(?:とは何(?:ですか|か)?|とは)$",
    "zh": r"(?:什么是(?P<s>.+)|(?P<t>.+?)是什么)$",
}
_STRANDED = re.compile(r"\b(?:about|against|by|for|from|in|into|like|of|on|to|with)$", _FLAGS)
"""A preposition whose noun is the question word."""
_COMPARE = {
    "en": r"(?:compare|contrast|compare\ and\ contrast|(?:the\ )?differences?\ between)"
    r"\s+(?P<a>.+?)\s+(?:and|with|to|versus|vs\.?|against)\s+(?P<b>.+)",
    "de": r"(?:vergleich\w*\s+(?:sie\s+)?|(?:de[rn]\ )?unterschiede?\ zwischen\s+)(?P<a>.+?)\s+(?:und|mit)\s+(?P<b>.+)",
    "es": r"(?:compar[ae]|(?:las?\ )?diferencias?\ entre)\s+(?P<a>.+?)\s+(?:y|con)\s+(?P<b>.+)",
    "fr": r"(?:compare[rz]?|(?:(?:la|les)\ )?différences?\ entre)\s+(?P<a>.+?)\s+(?:et|avec|à)\s+(?P<b>.+)",
}
_INCLUDING = {
    "en": r"[,;(]?\s*\b(?:including|with\ (?:a\ )?(?:special\ )?(?:focus|emphasis)\ on|focus(?:ing|ed)?\ on|covering"
    r"|such\ as|especially|in\ particular|namely|with\ attention\ to|"
    r"and\ (?:cover|include|mention|address|discuss|explain))\b:?\s+",
    "de": r"[,;(]?\s*\b(?:einschließlich|inklusive|mit\ schwerpunkt\ auf|insbesondere|vor\ allem|darunter|nämlich"
    r"|und\ (?:behandle|erkläre|erwähne))\b:?\s+",
    "es": r"[,;(]?\s*\b(?:incluyendo|incluidos?|incluidas?|con\ (?:especial\ )?(?:énfasis|enfoque|atención)\ (?:en|a)"
    r"|especialmente|en\ particular|como\ por\ ejemplo)\b:?\s+",
    "fr": r"[,;(]?\s*\b(?:y\ compris|notamment|en\ particulier|avec\ un\ accent\ sur|dont|surtout)\b:?\s+",
    "ja": r"(?:、|。)?(?:特に|とくに)、?",
    "zh": r"[，。；]?\s*(?:包括|尤其是?|特别是|重点是)[:：]?",
}
_COVER = {
    "en": r"(?:please\s+|also\s+|and\s+|(?:it|this|the\ (?:text|essay|report|document))\s+(?:should|must)\s+(?:also\s+)?)*"
    r"(?:cover|include|mention|address|discuss|explain|describe|add|focus\s+on)\s+(?:also\s+)?",
    "de": r"(?:bitte\s+)?(?:behandle\w*|erklär\w*|erwähn\w*|nenn\w*|beschreib\w*)\s+(?:bitte\s+|sie\s+)?(?:auch\s+)?",
    "es": r"(?:por\ favor,?\s+)?(?:también\s+)?(?:incluy[ae]|cubr[ae]|mencion[ae]|trat[ae]|explica|explique|describ[ae])\s+"
    r"(?:también\s+)?",
    "fr": r"(?:inclu[st]|incluez|couvr\w+|mentionne[rz]?|traite[rz]?|aborde[rz]?|explique[rz]?|décri\w+)\s+(?:aussi\s+)?",
}
"""How a later sentence of a goal begins that names points ("Cover fencing and checkpoints.")."""
_NAMING = {"en": ", including ", "de": ", einschließlich ", "es": ", con ", "fr": ", avec "}
"""What stands in a title between the subject and the points named beside it."""
_AND = {
    "en": r"\band\b|\bas\ well\ as\b|\bplus\b",
    "de": r"\bund\b|\bsowie\b",
    "es": r"\b[ye]\b",
    "fr": r"\bet\b",
    "ja": "と|や|および|及び",
    "zh": "和|与|以及|及",
}
_TRIM = {
    "en": r"""[\s,;(]*(?:\b(?:in|of|with|at|about|using|around)\s+(?:about\s+|around\s+|roughly\s+|approximately\s+
    |at\ least\s+|at\ most\s+|no\ more\ than\s+|under\s+)?\d[\d,.]*(?:\s+to\s+\d+)?[\s-]*(?:words?|pages?|citations?|sources?
    |references?|paragraphs?)\b
    | \bin\s+(?:apa|mla|ieee|harvard|chicago|vancouver)(?:\s+(?:style|format))?\b | \bin\s+(?:english|german|spanish|french
    |japanese|chinese)\b | \bfor\s+(?:a\s+|an\s+|the\s+)?(?:general|technical|lay|non-technical
    |beginner)[\w\s]{0,20}(?:audience|readers?)?\b | \bfor\s+(?:beginners|newcomers|dummies)\b
    | \bwith\s+(?:citations|references|sources|quotations)\b | \bbased\s+on\s+(?:the|this|these|our)\s+(?:corpus|documents?
    |sources?|manuals?|files?)\b | \b(?:from|using)\s+(?:the|this)\s+corpus\b | \bplease\b)[\s).]*$""",
    "de": r"""[\s,;(]*(?:\b(?:in|mit|von|auf)\s+(?:etwa\s+|rund\s+|ca\.\s+|mindestens\s+
    |höchstens\s+)?\d[\d.]*\s*(?:wörtern?|worten?|seiten?|quellen?|zitaten?)\b | \bauf\s+(?:deutsch|englisch)\b
    | \bim?\s+(?:apa|mla|ieee|harvard)[\s-]*(?:stil|format)?\b | \bbitte\b)[\s).]*$""",
    "es": r"""[\s,;(]*(?:\b(?:en|de|con)\s+(?:unas\s+|al\ menos\s+|aproximadamente\s+)?\d[\d.]*\s*(?:palabras?|páginas?
    |citas?|fuentes?)\b | \ben\s+(?:español|inglés)\b | \ben\s+(?:formato\s+|estilo\s+)?(?:apa|mla|ieee|harvard)\b
    | \bpor\ favor\b)[\s).]*$""",
    "fr": r"""[\s,;(]*(?:\b(?:en|de|avec)\s+(?:environ\s+|au\ moins\s+)?\d[\d.]*\s*(?:mots?|pages?|citations?|sources?)\b
    | \ben\s+(?:français|anglais)\b)[\s).]*$""",
}
_CJK_ORDER = {
    "ja": re.compile(
        r"(?:について|に関する|に関して|を)?(?:の)?(?:レポート|エッセイ|記事|論文|文書|概要|説明|文章|要約|解説|調査)?(?:を)?(?:書いてください|書いて|作成してください|作成して|説明してください"
        r"|説明して|まとめてください|まとめて|教えてください|調べてください|解説してください|述べよ|せよ|してください)[。！]?$"
    ),
    "zh": re.compile(r"的?(?:一篇)?(?:文章|报告|論文|论文|概述|综述|总结|介绍|说明)[。！]?$"),
}
_ARTICLE = {
    "en": r"^(?:the|an?)\s+(?=\S)",
    "de": r"^(?:den|die|das|der|dem|einen?|eine[rm]?|ein)\s+(?=\S)",
    "es": r"^(?:el|la|los|las|una?)\s+(?=\S)",
    "fr": r"^(?:les?|la|une?|l['’])\s*(?=\S)",
}


def read_goal(text: str, language: str) -> Goal:
    """The goal taken apart. Never empty: what cannot be taken apart is its own subject."""
    flat = _flat(text, language)
    first, *later = [flat[slice(*span)] for span in split(flat, language)] or [flat]
    several = _several_questions(_trim(_without_order(flat.rstrip(".!?。！？ "), language), language), language)
    if several:
        return several
    body = _trim(first.strip().strip("\"'“”„«»¿").rstrip(".!?。！？ "), language)
    plain = _asked(_without_order(body, language), language)
    compared = _compared(body, language) or _compared(_without_order(body, language), language) or _compared(plain, language)
    subject, points = _points(plain, language)
    whole = _trim(subject, language).strip(' ,;:.-–—"“”„«»')
    subject = _bare(whole, language) or body or flat
    if compared:
        named = re.split(_INCLUDING.get(language, r"$^"), body, maxsplit=1, flags=_FLAGS)
        points = (*compared, *(_members(named[1], language) if len(named) > 1 else ()))
    points = tuple(dict.fromkeys((*points, *(point for text in later for point in _added(text, language)))))
    article = whole[: len(whole) - len(subject)].lower() if whole.endswith(subject) else ""
    aspect = re.match(_ASPECT.get(language, r"$^"), subject, _FLAGS)
    return Goal(subject=subject, points=points, compared=compared, article=article, aspect=aspect[0] if aspect else "")


def _flat(text: str, language: str) -> str:
    """The text on one line, headings without their marks; what stands first, as an issue's title does, goes where the paragraph
    behind it says all its words again."""
    blocks = [block for part in re.split(r"\n\s*\n", text.strip()) for block in re.split(r"(?m)^ {0,3}#{1,6}\s+(.*)$", part)]
    told = [" ".join(block.split()) for block in blocks if block.strip()]
    while len(told) > 1 and set(terms(told[0], language)) <= set(terms(told[1], language)):
        del told[0]
    return " ".join(told)


def _several_questions(text: str, language: str) -> Goal | None:
    """The goal of a text that asks two questions or more; None for any other, and where nobody can tell what "it" is."""
    pieces = asked.parts(text, language)
    if not pieces:
        return None
    subject = _asked(pieces[0], language)
    known = subject != pieces[0]
    if not known and len(about := names(pieces[0], language)) == 1:
        subject, known = _with_article(about[0], pieces[0], language), True
    questions: list[str] = []
    for piece in pieces:
        back = piece is not pieces[0] and asked.refers_back(piece, language)
        if back and not known:
            return None
        questions.append(asked.named(piece, subject, language) if back else piece)
    labels = [_bare(_asked(question, language), language) for question in questions]
    points = tuple(dict.fromkeys(asked.closed(label, language) if label in questions else label for label in labels))
    if not all(terms(label, language) for label in labels):
        return None
    joint = f" {asked.AND[language]} "
    return Goal(
        subject=joint.join(dict.fromkeys(label for label in labels if label not in questions)) or _bare(subject, language),
        points=points if len(points) > 1 else (),
        questions=tuple(asked.closed(question, language) for question in questions),
        title=asked.closed(text, language),
    )


def _added(sentence: str, language: str) -> tuple[str, ...]:
    """The points that a later sentence of the goal names; () for one that names none, as "Write it in English." does."""
    pattern = _COVER.get(language)
    match = re.match(pattern, sentence, _FLAGS) if pattern else None
    return _members(_trim(sentence[match.end() :].rstrip(".!?"), language), language) if match else ()


def _with_article(name: str, text: str, language: str) -> str:
    """The name with the article before it in the text."""
    before = text.partition(name)[0].split()
    long = f"{before[-1]} {name}" if before else name
    return long if re.match(_ARTICLE.get(language, r"$^"), long, re.IGNORECASE) else name


def title_of(goal: Goal, language: str) -> str:
    """A title of at most about fourteen words: the subject, or the goal as it was put where it asks several questions.

    It may be longer where a few parts are named: none of them is left out.
    """
    text = goal.subject
    joint = {"de": " und ", "es": " y ", "fr": " et ", "ja": "と", "zh": "与"}.get(language, " and ")
    if goal.compared:
        sides = joint.join(goal.compared)
        text = goal.subject if all(side in goal.subject for side in goal.compared) else sides
    if goal.article and len(goal.points) > 1 and set(terms(text, language)) == set(terms(" ".join(goal.points), language)):
        # "les baux et les verrous": without the article before the first, the others have none either.
        text = _listed(goal.points, joint)
    longest = LONGEST_PARTS if 1 < len(goal.points) <= MOST_PARTS else LONGEST_TITLE
    beside = [point for point in goal.points if point not in text]
    if beside and language in _NAMING and len(goal.points) <= MOST_PARTS and not asked.is_direct(text, language):
        named = f"{text}{_NAMING[language]}{_listed(beside, joint)}"
        if len(named) <= LONGEST_PARTS:
            text, longest = named, LONGEST_PARTS
    if goal.title and len(goal.title) <= longest:
        return goal.title
    return asked.closed(_cut(_bare(text, language), longest), language)


def _listed(names: Sequence[str], joint: str) -> str:
    return ", ".join(names[:-1]) + (joint if names[1:] else "") + names[-1]


def _cut(text: str, longest: int) -> str:
    """A text that is longer than that to a title's length, at a pause of the sentence where there is one, else at a word
    with an ellipsis."""
    if len(text) <= longest:
        return text
    pause = max(text.rfind(mark, 25, LONGEST_TITLE) for mark in (", ", "; ", ": ", " – ", "，", "、"))
    if pause > 0:
        return text[:pause] + "…"
    word = text.rfind(" ", 25, LONGEST_TITLE - 1)
    return (text[:word] if word > 0 else text[: LONGEST_TITLE // 2]) + "…"


def _bare(text: str, language: str) -> str:
    """Without the leading article; "the Python manual" stands better as "Python manual" in a title."""
    article = _ARTICLE.get(language)
    return re.sub(article, "", text.strip(), flags=re.IGNORECASE) if article else text.strip()


def _without_order(text: str, language: str) -> str:
    ending = _CJK_ORDER.get(language)
    text = (ending.sub("", text) if ending else text) or text
    preface = re.match(_PREFACE.get(language, r"$^"), text, _FLAGS)
    if preface and terms(text[preface.end() :], language):
        text = text[preface.end() :]
    for table in (_ORDER, _VERB):
        pattern = table.get(language)
        match = re.match(pattern, text, _FLAGS) if pattern else None
        if match and terms(text[match.end() :], language):
            return text[match.end() :]
    return text


def _asked(text: str, language: str) -> str:
    """The subject of a plain question: "What is a context manager" asks about "a context manager"."""
    pattern = _QUESTION.get(language)
    match = re.match(pattern, text, _FLAGS) if pattern else None
    found = next((group for group in match.groups() if group), "") if match else ""
    # "What is a lease for" asks more than what a lease is.
    whole = language == "en" and bool(_STRANDED.search(found))
    return found if terms(found, language) and not whole else text


def _trim(text: str, language: str) -> str:
    """Without closing remarks on length, style, language and audience."""
    pattern = _TRIM.get(language)
    while pattern:
        shorter = re.sub(pattern, "", text, flags=_FLAGS)
        if shorter == text or not terms(shorter, language):
            break
        text = shorter
    return text


def _compared(text: str, language: str) -> tuple[str, ...]:
    pattern = _COMPARE.get(language)
    match = re.match(pattern, text, _FLAGS) if pattern else None
    if not match:
        return ()
    second = re.split(_INCLUDING.get(language, r"$^"), match["b"], maxsplit=1, flags=_FLAGS)[0]
    sides = [_bare(side.strip(" ,;."), language) for side in (*match["a"].split(","), second)]
    if language == "en":
        # "threads and processes for concurrency": the scope behind the last side belongs to both.
        sides = [re.split(r"\s(?:for|in|as|on|with)\s", side, maxsplit=1)[0] for side in sides]
    return tuple(sides) if all(terms(side, language) for side in sides) else ()


def _points(text: str, language: str) -> tuple[str, tuple[str, ...]]:
    """(subject, points): what follows "including" is a list of points; so are three or more members of a plain list."""
    pattern = _INCLUDING.get(language)
    parts = re.split(pattern, text, maxsplit=1, flags=_FLAGS) if pattern else [text]
    subject = parts[0]
    points = _members(parts[1], language) if len(parts) > 1 else ()
    if not points:
        head, colon, tail = subject.partition(": ")
        members = _members(tail if colon else _list_in(subject, language), language)
        if colon and len(members) >= 2:
            return head, members
        points = members if len(members) >= 2 and all(1 <= len(terms(m, language)) <= 5 for m in members) else ()
    return subject, points


def _list_in(text: str, language: str) -> str:
    """Where a text may list things: all of a noun phrase, of a question only what it asks about or between."""
    if asked.is_whether(text, language):
        choice = re.match(_CHOICE.get(language, r"$^"), text, _FLAGS)
        return re.sub(_OR[language], ", ", choice["l"], flags=_FLAGS) if choice else ""
    if not asked.is_clause(text, language):
        return text
    listed = re.match(_LISTED.get(language, r"$^"), text, _FLAGS)
    return listed["l"] if listed else ""


def _members(text: str, language: str) -> tuple[str, ...]:
    """The members of a list "a, b and c", each with something to search for; () for a single one inside a clause."""
    joint = _AND.get(language, ",")
    pieces = re.split(rf"\s*(?:[,;，、；]\s*(?:{joint})?|{joint})\s*", text.strip(" .()"), flags=_FLAGS)
    members = [_bare(piece.strip(" .()"), language) for piece in pieces if piece]
    return tuple(dict.fromkeys(member for member in members if terms(member, language)))
