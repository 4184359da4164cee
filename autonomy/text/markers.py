"""Words that turn or weaken a statement, per language: negations, modals by strength, hedges, and cues of a claim.

Patterns, searched without regard to case. They are compared between a sentence and its quote, so a word that one list
wrongly holds is counted on both sides and cancels out.
"""

from __future__ import annotations

import re

_WORDS: dict[str, dict[str, str]] = {
    "negation": {
        "en": r"not|no|never|none|nothing|nobody|neither|nor|without|cannot|\w+n['’]t|fails? to|unable|lacks?|except",
        "de": r"nicht|kein\w*|nie|niemals|nichts|niemand|weder|ohne|außer",
        "es": r"no|nunca|jamás|nada|nadie|ningun\w*|ningún|tampoco|ni|sin|excepto",
        "fr": r"ne|n['’](?=\w)|jamais|aucune?|rien|personne|sans|ni|non|sauf",
        "it": r"non|mai|nessun\w*|niente|nulla|né|senza",
        "pt": r"não|nunca|jamais|nenhum\w*|nada|ninguém|nem|sem",
        "nl": r"niet|geen|nooit|niets|niemand|noch|zonder",
    },
    "must": {
        "en": r"must|shall|always|required|requires?|guarantee[sd]?|ensures?|proves?|never|all|every|cannot|impossible|only",
        "de": r"muss|müssen|immer|stets|garantier\w*|beweis\w*|erforderlich|zwingend|alle|jede[rs]?|niemals|unmöglich|nur",
        "es": r"debe|deben|siempre|garantiza\w*|demuestra\w*|obligatori\w+|tod[oa]s?|nunca|imposible|solo|sólo",
        "fr": r"doit|doivent|toujours|garanti\w*|prouve\w*|obligatoire\w*|tou[ts]|toutes?|jamais|impossible|seulement",
    },
    "should": {
        "en": r"should|ought|recommended|will|likely|usually|normally|generally|typically",
        "de": r"soll\w*|empfohlen|wird|werden|wahrscheinlich|üblicherweise|normalerweise|meist\w*|gewöhnlich",
        "es": r"debería\w*|recomienda\w*|recomendad\w+|probablemente|normalmente|generalmente|suelen?",
        "fr": r"devrait|devraient|recommandé\w*|probablement|normalement|généralement",
    },
    "may": {
        "en": r"may|might|can|could|possibly|perhaps|sometimes|optional(?:ly)?",
        "de": r"kann|können|könnte\w*|dürfte\w*|vielleicht|möglich\w*|manchmal|eventuell",
        "es": r"puede|pueden|podría\w*|quizás?|posible\w*|a veces|opcional\w*",
        "fr": r"peut|peuvent|pourrai\w*|peut-être|possible\w*|parfois",
    },
    "hedge": {
        "en": r"may|might|could|perhaps|possibly|probably|likely|seems?|appears?|suggests?|about|around|roughly|approximately|"
        r"usually|generally|often|sometimes|mostly|in most cases|tends? to",
        "de": r"könnte\w*|dürfte\w*|vielleicht|möglicherweise|wahrscheinlich|scheint|scheinen|etwa|ungefähr|rund|meist\w*|"
        r"gewöhnlich|oft|manchmal|in der Regel|üblicherweise",
        "es": r"podría\w*|quizás?|posiblemente|probablemente|parece\w*|sugiere\w*|aproximadamente|normalmente|a menudo"
        r"|a veces|suelen?",
        "fr": r"pourrai\w*|peut-être|probablement|semble\w*|suggère\w*|environ|généralement|souvent|parfois",
    },
    "cue": {
        "en": r"is an?|are an?|means?|refers? to|is called|is defined|consists? of|is used (?:to|for)|is designed|allows?|"
        r"provides?|enables?|lets|supports?|must|should|because|since|therefore|so that|in order to|requires?|causes?"
        r"|prevents?|"
        r"we found|shows? that|results? in|more than|less than|at least|at most|faster|slower|better|larger|smaller|instead of|"
        r"unlike|compared|however|only|when|if",
        "de": r"ist ein\w*|sind|bedeutet|heißt|bezeichnet|besteht aus|dient|ermöglicht|erlaubt|bietet|unterstützt|muss"
        r"|müssen|sollte\w*|"
        r"weil|da|denn|damit|um .{3,60} zu|verhindert|verursacht|führt zu|mehr als|weniger als|mindestens|höchstens|schneller|"
        r"besser|statt|im Gegensatz|nur|wenn|falls",
        "es": r"es una?|son|significa|se llama|se denomina|consiste en|sirve para|permite\w*|ofrece\w*|proporciona\w*"
        r"|soporta|debe\w*|"
        r"porque|ya que|para que|evita|causa|más que|menos que|al menos|como máximo|más rápid\w+|mejor|en lugar de|solo"
        r"|cuando|si",
        "fr": r"est une?|sont|signifie|désigne|s['’]appelle|consiste|sert à|permet\w*|offre|fournit|doit|doivent|parce que"
        r"|car|afin|"
        r"empêche|cause|plus de|moins de|au moins|au plus|plus rapide|meilleur|au lieu|seulement|lorsque|quand|si",
    },
    "definition": {
        "en": r"(?:is|are) (?:an?|the|one of the)|means|refers? to|is called|are called|is known as|is defined as|stands for|"
        r"consists? of|is used (?:to|for)|provides?",
        "de": r"ist ein\w*|ist der|ist die|ist das|sind|bedeutet|heißt|heißen|bezeichnet|besteht aus|dient"
        r"|stellt .{3,40} bereit|steht für",
        "es": r"es una?|es el|es la|son|significa|se llama|se denomina|consiste en|sirve para|proporciona",
        "fr": r"est une?|est le|est la|sont|signifie|désigne|s['’]appelle|consiste en|sert à|fournit",
    },
}

_CJK: dict[str, dict[str, str]] = {
    "negation": {
        "ja": r"ない|なく|なかった|ません|ず(?=[、。に])|ぬ(?=。)|不可|未|無し|なし",
        "zh": r"不|没|沒|未|无(?!论)|無|非(?!常)|别|勿",
    },
    "must": {
        "ja": r"必ず|必要|なければなりません|なければならない|すべて|全て|常に|絶対",
        "zh": r"必须|必須|一定|总是|總是|所有|全部|保证|只能|需要",
    },
    "should": {"ja": r"べき|推奨|通常|普通|でしょう", "zh": r"应该|應該|应当|建议|推荐|通常|一般"},
    "may": {"ja": r"できます|できる|可能|かもしれ|場合があ|ことがあ", "zh": r"可以|可能|也许|或许|能够|有时"},
    "hedge": {
        "ja": r"かもしれ|場合があ|ことがあ|おそらく|約|程度|通常|一般に|でしょう",
        "zh": r"可能|也许|或许|大约|左右|通常|一般|似乎|有时",
    },
    "cue": {
        "ja": r"とは|である|です|を指|と呼|ために|ため、|から|必要|できます|場合|より|以上|以下",
        "zh": r"是|指|称为|用于|因为|由于|必须|应该|可以|需要|比|至少|最多|以上",
    },
    "definition": {
        "ja": r"とは|を指|と呼ばれ|の一種|を意味|ためのもの|を提供",
        "zh": r"是一|是指|指的是|称为|用于|意味着|提供|由.{1,20}组成",
    },
}

_COMPILED: dict[tuple[str, str], re.Pattern[str]] = {
    (kind, language): re.compile(rf"(?<!\w)(?:{pattern})(?!\w)", re.IGNORECASE)
    for kind, by_language in _WORDS.items()
    for language, pattern in by_language.items()
} | {(kind, language): re.compile(pattern) for kind, by_language in _CJK.items() for language, pattern in by_language.items()}


def marks(kind: str, text: str, language: str) -> list[str]:
    """The marks of one kind in the text, lower case, in order.

    `kind` is negation, must, should, may, hedge, cue or definition; a language without a list has none.
    """
    pattern = _COMPILED.get((kind, language))
    return [match.group().lower() for match in pattern.finditer(text)] if pattern else []


def place(kind: str, text: str, language: str) -> int:
    """Where the first mark of a kind begins; -1 where there is none."""
    pattern = _COMPILED.get((kind, language))
    found = pattern.search(text) if pattern else None
    return found.start() if found else -1
