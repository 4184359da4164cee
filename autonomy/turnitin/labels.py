"""The words of reports in English, Spanish and German: which figure, heading or kind of source a cell of a page names.

Labels are compared without case, accents, spaces and signs, so that one that is spaced out or cut over two lines is the same.
A label is a whole cell: the same words inside a sentence name nothing.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from autonomy.turnitin.report import Kind

Meaning = Literal[
    "overall", "overview", "internet", "publications", "submitted_works", "group", "ai", "ai_page", "classic", "integrity",
    "receipt", "sources", "title", "words",
]  # fmt: skip
"""`overall` is the classic box's label, `overview` that of the newer page; `group` names a figure that is not wanted."""

HEADINGS: frozenset[Meaning] = frozenset(("overall", "overview", "classic", "integrity", "sources", "ai_page", "receipt"))
"""What stands on a page of a report's own."""
_LABELS: dict[Meaning, str] = {
    "overall": """
        similarity index | índice de similitud | ähnlichkeitsindex | índice de similaridad
        """,
    "overview": """
        overall similarity | similitud general | similitud total | similitud global | gesamtähnlichkeit
        | ähnlichkeit insgesamt | insgesamt ähnlichkeit | ähnlichkeit gesamt
        """,
    "internet": """
        internet sources | fuentes de internet | internetquellen | internet-quellen
        """,
    "publications": """
        publications | publicaciones | publikationen | veröffentlichungen
        """,
    "submitted_works": """
        student papers | submitted works (student papers) | submitted works
        | trabajos del estudiante | trabajos de estudiantes | trabajos entregados (trabajos del estudiante)
        | trabajos entregados
        | studentische arbeiten | studentenarbeiten | arbeiten von studierenden | eingereichte arbeiten
        | eingereichte arbeiten (studentische arbeiten) | eingereichte arbeiten (studentenarbeiten)
        """,
    "group": """
        not cited or quoted | missing quotations | missing citation | missing citations | cited and quoted
        | sin citar ni entrecomillar | sin citas ni comillas | faltan comillas | faltan citas | citado y entrecomillado
        | nicht zitiert oder in anführungszeichen | fehlende anführungszeichen | fehlende zitation | fehlende quellenangabe
        | zitiert und in anführungszeichen
        """,
    "ai": """
        detected as ai | ai-generated | ai-generated text | detected as ai-generated
        | detectado como ia | texto generado por ia | als ki erkannt | ki-generierter text
        """,
    "ai_page": """
        ai writing overview | resumen de escritura con ia | descripción general de la escritura con ia
        | ki-schreibübersicht | übersicht ki-texte | übersicht über ki-texte
        """,
    "classic": """
        originality report | informe de originalidad | originalitätsbericht | echtheitsbericht
        """,
    "integrity": """
        integrity overview | descripción general de integridad | resumen de integridad | integritätsübersicht
        """,
    "receipt": """
        digital receipt | recibo digital | digitaler beleg | digitale quittung | digitale empfangsbestätigung
        """,
    "sources": """
        primary sources | top sources | fuentes primarias | fuentes principales | primärquellen | hauptquellen | top-quellen
        """,
    "title": """
        submission title | paper title | título de la entrega | título del trabajo | titel der einreichung | titel der arbeit
        """,
    "words": """
        word count | total de palabras | recuento de palabras | número de palabras | wortanzahl | anzahl der wörter | wortzahl
        """,
}
_AFTER_SOURCES = """
    exclude quotes | exclude bibliography | exclude matches | excluir citas | excluir bibliografía | excluir coincidencias
    | zitate ausschließen | bibliografie ausschließen | bibliographie ausschließen | übereinstimmungen ausschließen
    """
_KINDS: dict[Kind, str] = {
    "internet": "internet source | internet | fuente de internet | internetquelle | internet-quelle",
    "publication": "publication | publicación | publikation | veröffentlichung",
    "submitted_work": """
        student paper | submitted works | submitted work | trabajo del estudiante | trabajos entregados | trabajo entregado
        | studentische arbeit | studentenarbeit | eingereichte arbeiten | eingereichte arbeit
        """,
}


_SIGNS = re.compile(r"[\W_]+")


def squash(text: str) -> str:
    """Letters and digits alone, without case and accents.

    >>> squash("S I M I L A R I T Y  Index:")
    'similarityindex'
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return _SIGNS.sub("", plain)


def _spread(text: str) -> list[str]:
    return [squash(words) for words in text.split("|")]


LABELS: dict[str, Meaning] = {words: meaning for meaning, text in _LABELS.items() for words in _spread(text)}
KINDS: dict[str, Kind] = {words: kind for kind, text in _KINDS.items() for words in _spread(text)}
BEGINNINGS = frozenset(words[:length] for words in LABELS for length in range(1, len(words) + 1))
"""All that a label can begin with."""

AFTER_SOURCES = tuple(_spread(_AFTER_SOURCES))
"""How the lines below the list of sources begin: what the report has left out."""
_PAGE_OF = r"\b(?:page|página|seite)\s+\d+\s+(?:of|de|von)\s+\d+\b"
RUNNING = re.compile(rf"trn:oid:|{_PAGE_OF}", re.IGNORECASE)
"""What stands at the head and the foot of every page of the newer reports."""
AI_PAGE = re.compile(rf"(?i:{_PAGE_OF})\s*[-–—][^-–—]{{0,60}}?\b(?:AI|IA|KI)\b")
"""The running head of a page on AI writing: its colours mark something else."""
COUNTED_WORDS = re.compile(r"(\d[\d.,\s]*)\s*(?:words|palabras|wörter)", re.IGNORECASE)
