"""Goals that are questions: whether one is asked directly, and two or more of them in one sentence, taken apart.

"What is a lease and how does fencing work?" asks "What is a lease?" and "How does fencing work?". A part that speaks of
"it" or "their limits" is given the name of what the first part asks about; where that has none the goal stays whole.
"""

from __future__ import annotations

import re

_FLAGS = re.IGNORECASE
_WORDS = {
    "en": r"what|how|why|when|where|which|who",
    "de": r"was|wie|warum|wann|wo|wozu|weshalb|welche\w*|wer",
    "es": r"¿?(?:qué|cómo|por qué|cuándo|dónde|cuál\w*|quién\w*)",
    "fr": r"qu['’]est-ce|comment|pourquoi|quand|où|quel\w*",
}
AND = {"en": "and", "de": "und", "es": "y", "fr": "et"}
_VERBS = {
    "en": r"is|are|was|were|do|does|did|can|could|should|must|will|would|may|might|has|have|happens?|makes?|causes?",
    "de": r"ist|sind|war|wird|werden|kann|können|soll\w*|muss|müssen|hat|haben|gibt|geht|macht|passiert|funktionier\w*",
    "es": r"es|son|se|hay|est[aá]n?|puede\w*|debe\w*|tienen?|funcionan?|pasa|ocurre",
    "fr": r"est|sont|peut|peuvent|doit|doivent|fonctionne\w*|marche\w*|sert|servent",
}
_CLAUSE = {
    "en": r"^(?:how|why|when|where|what|who|which|whether)\b",
    "de": r"^(?:wie|warum|wann|wo|was|wer|welche\w*|ob)\b",
    "es": r"^(?:cómo|por qué|cuándo|dónde|qué|quién|cuál\w*|si)\b",
    "fr": r"^(?:comment|pourquoi|quand|où|que|qui|quel\w*|si)\b",
}
_WHICH = {
    "en": r"(?:which|how\ (?:many|much|often|long|far|fast|big|large))\s+(?:[\w-]+\s+){0,3}?",
    "de": r"welche\w*\s+(?:[\w-]+\s+){1,2}?|wie\ (?:viele?|oft|lange|weit|schnell|groß)\s+(?:[\w-]+\s+){0,2}?",
}
"""Words that ask with a noun or a measure, before the verb."""
_WHETHER = {
    "en": r"(?:should|shall|could|would|is|are|was|were|do|does|did|has|have)\s+\S+\s+\S"
    r"|(?:can|may|must|will|might)\s+(?:i|we|you|it|they|he|she|one|people|the|an?|there|this|that)\s",
    "de": r"(?:soll\w*|kann|können|könnte\w*|ist|sind|muss|müssen|darf|dürfen|hat|haben|braucht|brauche|lohnt|gibt|wird|werden)"
    r"\s+(?:ich|wir|man|du|ihr|es|sie|er|sich|der|die|das|eine?|jede\w*)\s",
    "es": r"(?:debo|debemos|deberíamos|debería|podemos|puedo|conviene|es\ mejor)\s+\S+\s+\S",
    "fr": r"(?:est-ce\ qu|(?:faut|peut|doit|devrait)-(?:il|on)\s|devons-nous\s|pouvons-nous\s)",
}
"""How a question begins that is answered by yes or no, or by one of two."""
_OWN = re.compile(r"\b(?:its|their)\s+([\w-]+)", _FLAGS)
_PRONOUN = {
    "en": r"\b(?:it|they|them)\b",
    "de": r"\b(?:es|sie|ihn|ihm|ihnen|ihre?\w*|seine?\w*|d(?:abei|afür|amit|avon))\b",
    "es": r"\b(?:sus?|ell[oa]s?|lo|la)\b(?!\s+\w+(?:o|a|ción)\b)",
    "fr": r"\b(?:ils?|elles?|ses?|sa|son|leurs?)\b",
}


def is_direct(text: str, language: str) -> bool:
    """Whether a clause is asked and not told: "how do leases work" is, "how leases work" is not."""
    words, verbs = _WORDS.get(language), _VERBS.get(language)
    if not words or not verbs:
        return False
    return text.startswith("¿") or bool(
        re.match(rf"(?:(?:{words})\s+{AND[language]}\s+)?(?:{words})\s+(?:{verbs})\b|qu['’]est-ce", text, _FLAGS)
        or is_whether(text, language)
        or re.match(rf"(?:{_WHICH.get(language, '$^')})(?:{verbs})\s+\S", text, _FLAGS)
    )


def is_clause(text: str, language: str) -> bool:
    """Whether a text asks, directly or not: "how leases work" and "should we use leases" do, "leases" does not."""
    return bool(re.match(_CLAUSE.get(language, r"$^"), text, re.IGNORECASE)) or is_direct(text, language)


def is_whether(text: str, language: str) -> bool:
    """Whether a text asks for yes or no, or for one of two: "should we use PostgreSQL or SQLite" does."""
    pattern = _WHETHER.get(language)
    return bool(pattern and re.match(pattern, text, _FLAGS))


def closed(text: str, language: str) -> str:
    """The text with a capital, and with the marks of a question where it is asked as one.

    >>> closed("how do leases work", "en")
    'How do leases work?'
    """
    bare = text.strip().rstrip("?？ ")
    if not is_direct(bare, language):
        return bare[:1].upper() + bare[1:]
    inner = bare.removeprefix("¿")
    mark = "¿" if language == "es" else ""
    return f"{mark}{inner[:1].upper()}{inner[1:]}{' ?' if language == 'fr' else '?'}"


def parts(text: str, language: str) -> tuple[str, ...]:
    """The questions of a text that asks two or more, each whole but for what it refers back to; () for any other text."""
    words, joint = _WORDS.get(language), AND.get(language)
    if not words or not joint:
        return ()
    found = re.split(rf"[?？]\s+(?:{joint}\s+)?(?=(?:{words})\b)|,?\s+{joint}\s+(?=(?:{words})\b)", text.strip(), flags=_FLAGS)
    pieces = tuple(piece.strip(" ,;?？") for piece in found)
    asked = all(re.match(rf"(?:{words})\s+\S+\s+\S|qu['’]est-ce\s+\S", piece + " .", _FLAGS) for piece in pieces)
    return pieces if len(pieces) > 1 and asked else ()


def refers_back(part: str, language: str) -> bool:
    """Whether a part speaks of something only by a pronoun."""
    pattern = _PRONOUN.get(language)
    return bool(pattern and re.search(pattern, part, _FLAGS)) or (language == "en" and bool(_OWN.search(part)))


def named(part: str, subject: str, language: str) -> str:
    """The part with the subject's name for its pronoun, or (where a name would not fit) behind the name."""
    if language != "en":
        return f"{subject[:1].upper()}{subject[1:]}: {part}"
    part = _OWN.sub(lambda own: f"the {own[1]} of {subject}", part)
    return re.sub(_PRONOUN["en"], lambda _: subject, part, flags=_FLAGS)
