"""Words of everyday use that a question may be put with and that say little of its subject: general verbs, and a few nouns and
adjectives that fit any matter ("stop", "several", "program").

They are searched like any other word. They are no part of the name of a thing, and weigh little of what is asked, unless
nothing else is asked.
"""

from __future__ import annotations

import re
from functools import lru_cache

from autonomy.text.language import is_cjk
from autonomy.text.stopwords import is_stop_word

_BASE_EN = """
add allow answer appear apply arrive ask avoid become begin behave bring build buy call carry change check choose combine come
compare complain connect consider contain continue convert cope create deal decide define delay delete demand depend describe
destroy die differ disappear do draw drop earn enable enter exist expect explain fail fall feed feel fill find finish fit fix
follow force forget free gain get give glue go grow guess happen hear help hide hold hurt improve include increase influence
involve join jump keep know lead learn leave let lie like listen live look lose love maintain make manage matter mean meet
miss move need notice obtain occur offer open pass pay perform pick play prefer prepare prevent produce protect provide pull
push put react read reach receive recover reduce refer relate remain remember remove repeat replace reply represent request
require respond return rise run save say search see seem sell send serve set share show sit slow solve speak spend split stand
start stay stop store submit succeed suffer suggest support survive take talk tell think throw touch translate treat try turn
understand use visit wait walk want warn watch win wish write yield
"""
_BASES = frozenset(_BASE_EN.split())
_FORMS_EN = """
became began begun bought brought built came chose chosen dealt drawn drew fallen fed fell felt found frozen gave given gone
got gotten grew grown heard held hid hidden hurt kept knew known lain laid led left lost made meant met paid ran read said sat
saw seen sent shown slept slow sold spent spoke spoken stood taken taught thought threw thrown told took tried understood went
woke won written wrote
"""
_OTHERS_EN = """
alone amount app application applications apps bad big busy business code company complete computer computers correct
correctly current dead different early easily empty entire exactly fast fresh full good half hard heavy high inside item items
large late later left little live long low lot machine machines main moment multiple new number numbers old one ones order
other overloaded own part parts place places progress program programs proper quick quickly real safe safely several short
similar simple single slow slowly software soon step steps stuck sudden suddenly system systems time times together twice two
three useful usual usually various whole word words year years
"""
_DE = """
abbrechen ändern anfangen antworten arbeiten aufhören bauen beginnen bekommen bringen einfach enden entstehen erkennen
erlauben finden fragen führen geben gehen geschehen groß haben halten helfen heißen kann klein kommen kosten lesen liegen
machen mehrere nehmen nennen neu programm programme rechner sagen schreiben schützen sehen senden setzen stehen stellen suchen
system systeme teilen tun verlieren vermeiden verstehen verschiedene verwenden warten zeigen zeit ziehen
"""
_ES = """
aplicación aplicaciones ayudar buscar cambiar comenzar conseguir dar dejar detener diferentes distintos empezar encontrar
enviar escribir esperar evitar funcionar grande hacer leer llegar mostrar nuevo nueva ocurrir pasar pedir perder poner
programa programas proteger seguir sistema sistemas terminar tiempo tomar usar utilizar varios varias ver
"""
_LISTS = {"de": frozenset(_DE.split()), "es": frozenset(_ES.split())}
_HELD = r"the|an?|it|its|them|their|itself|themselves|each|every|another|his|her|our|my|your"
_GOVERNING = re.compile(rf"\s+(?:{_HELD})\b", re.IGNORECASE)
"""What stands behind an English verb and never directly behind a noun: an article or a pronoun."""
_ACTING = re.compile(
    r"\b(?:(?:do|does|did|can|could|should|must|may|might|will|would)\s+(?:i|you|we|they|one|it|he|she)|how\s+to)\s+$",
    re.IGNORECASE,
)
"""What stands before an English verb: an auxiliary and a pronoun."""


_VERB = {
    "de": re.compile(r"[a-zäöüß]+(?:en|ern|eln|e|t)$"),
    "es": re.compile(r"[a-záéíóúñ]+(?:[aei]r|[aeií]rse|[aei]rlo)$"),
    "fr": re.compile(r"[a-zàâçéèêëîïôûù]+(?:er|ir|re)$"),
}
"""Forms that verbs have; German writes its nouns with a capital."""
_BEFORE = {
    "de": re.compile(
        r"(?:^\W*(?:was|wie|warum|wann|wo|wozu|weshalb)|\bzu|\b(?:kann|können|soll|sollte|muss|darf)\s.*)\s+$", re.IGNORECASE
    ),
    "es": re.compile(
        r"(?:\b(?:cómo|para|sin|por|de|a|que|puedo|puede|podemos|debo|debe|debemos|quiero)\s+(?:se\s+)?)$", re.IGNORECASE
    ),
    "fr": re.compile(
        r"(?:\b(?:comment|pour|sans|de|à|faut-il|peut-on|puis-je|doit-on|dois-je|faire|quand)\s+(?:se\s+)?|\bs['’])$",
        re.IGNORECASE,
    ),
}
"""What stands before a verb in a question."""
_NEXT = re.compile(r"\s+([^\W\d_]+)")


@lru_cache(maxsize=1)
def _english() -> frozenset[str]:
    found = set((_FORMS_EN + _OTHERS_EN).split())
    for verb in sorted(_BASES):
        stem = verb.removesuffix("e")
        doubled = verb + verb[-1] if re.fullmatch(r"[^aeiou]*[aeiou][bdgmnprt]", verb) else verb
        soft = verb[:-1] + "i" if re.search(r"[^aeiou]y$", verb) else ""
        found |= {verb, f"{verb}s", f"{verb}es", f"{stem}ing", f"{stem}ed", f"{doubled}ing", f"{doubled}ed"}
        if soft:
            found |= {f"{soft}es", f"{soft}ed", f"{verb}ing"}
    return frozenset(found)


def is_everyday(text: str, start: int, end: int, language: str) -> bool:
    """Whether the word at `start` to `end` of a question is an everyday one, or by its place an English verb.

    >>> is_everyday("how queues stay fair", 11, 15, "en")
    True
    >>> is_everyday("when one user floods them", 14, 20, "en")
    True
    """
    word = text[start:end].lower()
    if is_cjk(language) or "-" in text[max(0, start - 1) : start] + text[end : end + 1]:
        return False
    if language != "en":
        verb = _VERB.get(language)
        told = bool(verb and verb.match(text[start:end]) and _BEFORE[language].search(text[max(0, start - 24) : start]))
        return told or word in _LISTS.get(language, frozenset())
    following = _NEXT.match(text, end)
    done = word.endswith(("ed", "en")) and word not in _BASES
    if done and following and not is_stop_word(following[1].lower(), language):
        return False  # "a frozen worker": part of the name
    return word in _english() or bool(_GOVERNING.match(text, end)) or bool(_ACTING.search(text[max(0, start - 24) : start]))
