"""Other questions for what was not found: the same with fewer words, its parts alone, and other names for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

from autonomy.agents.roles import Brief
from autonomy.core.types import TaskSpec
from autonomy.text.language import detect, is_cjk
from autonomy.text.relevance import light, subject
from autonomy.text.words import terms, tokens

MOST = 6
# Without spaces the script changes where words do: runs of ideographs, of katakana, of Latin letters.
_CJK_WORD = re.compile(r"[\u30a0-\u30ff]{2,}|[\u3400-\u9fff]{2,}|[A-Za-z][\w.+-]+")

# Names that manuals use for one another; each row is tried both ways.
_NAMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        ("cancel", "abort", "stop", "terminate"),
        ("limit", "restriction", "maximum"),
        ("error", "exception", "failure"),
        ("install", "setup", "configure"),
        ("delete", "remove"),
        ("parallel", "concurrent", "multithreading"),
        ("timeout", "deadline"),
        ("security", "authentication", "permission"),
        ("performance", "speed", "optimization"),
        ("backup", "archive"),
        ("update", "upgrade"),
        ("directory", "folder"),
        ("argument", "parameter", "option"),
        ("memory", "allocation"),
        ("network", "socket", "connection"),
        ("test", "check", "verify"),
        ("advantage", "benefit"),
        ("disadvantage", "drawback", "problem"),
        ("history", "origin"),
        ("cause", "reason"),
        ("encrypt", "cipher", "cryptography"),
        ("filter", "firewall"),
        ("user", "account"),
        ("package", "module"),
        ("loop", "iteration"),
    ),
    "de": (
        ("abbrechen", "beenden", "stoppen"),
        ("Grenze", "Einschränkung"),
        ("Fehler", "Ausnahme"),
        ("Einrichtung", "Installation", "Konfiguration"),
        ("löschen", "entfernen"),
        ("Sicherheit", "Berechtigung"),
        ("Sicherung", "Backup"),
        ("Aktualisierung", "Upgrade"),
        ("Ordner", "Verzeichnis"),
        ("Vorteil", "Nutzen"),
        ("Nachteil", "Problem"),
        ("Ursache", "Grund"),
    ),
    "es": (
        ("cancelar", "detener", "terminar"),
        ("límite", "restricción"),
        ("error", "excepción", "fallo"),
        ("instalación", "configuración"),
        ("borrar", "eliminar"),
        ("seguridad", "permisos"),
        ("copia", "respaldo"),
        ("actualización", "mejora"),
        ("carpeta", "directorio"),
        ("ventaja", "beneficio"),
        ("desventaja", "problema"),
        ("causa", "motivo"),
    ),
}


_SIDES = {
    "en": ("limits", "examples"),
    "de": ("Grenzen", "Beispiele"),
    "es": ("límites", "ejemplos"),
    "fr": ("limites", "exemples"),
}
"""What texts on any thing have parts on."""


def widen(task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
    """At most six new questions, nearest to the old ones first; never one that was asked already."""
    language = brief.language
    asked = {frozenset(terms(question, language)) for question in (*brief.questions, *thin)}
    offered: list[str] = []
    rounds = [_variants(question, brief) for question in (thin or brief.questions)]
    for step in range(max(map(len, rounds), default=0)):
        for variants in rounds:
            if step < len(variants):
                key = frozenset(terms(variants[step], language))
                if key and key not in asked:
                    asked.add(key)
                    offered.append(variants[step])
    return tuple(offered[:MOST])


def _variants(question: str, brief: Brief) -> list[str]:
    """What it asks about without everyday words, other names for it, its limits and examples; then the question without one
    of its words, then each word alone, longest first."""
    words = _content_words(question, brief.language)
    if is_cjk(brief.language):
        return [brief.subject, *_CJK_WORD.findall(question)]
    renamed = [
        " ".join([*words[:i], other, *words[i + 1 :]])
        for i, word in enumerate(words)
        for other in _others(word, brief.language)
    ]
    fewer = [" ".join(part) for part in combinations(words, len(words) - 1)] if len(words) > 2 else []
    alone = sorted((word for word in words if len(word) > 3), key=lambda word: (-len(word), words.index(word)))
    named = subject(question, brief.language)
    everyday = light(question, brief.language)
    heads = [word for word in words if set(terms(word, brief.language)) & set(named) - everyday]
    sides = [" ".join([*heads, side]) for side in _SIDES.get(brief.language, ())] if heads and len(heads) < len(words) else []
    return [*([" ".join(heads)] if sides else []), *renamed[:2], *sides, *fewer, brief.subject, *renamed[2:], *alone]


def _content_words(question: str, language: str) -> list[str]:
    """The question's own words, as written, less function words and repeats; a heading may be in another language."""
    language = detect(question, default=language)
    found: dict[str, str] = {}
    for start, end in tokens(question):
        word = question[start:end]
        key = terms(word, language)
        if key:
            found.setdefault(key[0], word)
    return list(found.values())


def _others(word: str, language: str) -> list[str]:
    key = terms(word, language)
    for row in _NAMES.get(language, ()):
        if any(terms(name, language) == key for name in row):
            return [name for name in row if terms(name, language) != key]
    return []
