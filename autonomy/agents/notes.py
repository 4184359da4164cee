"""What the loop itself owes the reader (a step given up, evidence too thin, a gate not reached), in the document's language.

The words of decisions and events are the operator's and stay English; these stand in the document. English takes the reason
of a failure with it; other languages leave it to the log, since services say it in English.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autonomy.core.counting import several
from autonomy.core.types import Gate, PlanStep

SHOWN = 5
"""Names of unreadable documents that are listed; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Notes:
    """One language's forms. `gates`, `steps` and `limits` name the gates, the actions of steps and the budgets."""

    unreadable: str
    more: str
    little: str
    found: str
    plenty: str
    too_few: str
    other_language: str
    failed: str
    not_reached: str
    is_wanted: str
    to: str
    cut_short: str
    not_judged: str
    fallback: str
    silent: str
    by_rule: str
    by_quotation: str
    by_player: str
    did: tuple[str, str, str]
    work: Mapping[str, str]
    parts: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)
    gates: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    languages: Mapping[str, str] = field(default_factory=dict)

    def left_out(self, names: Sequence[str]) -> str:
        """Documents of the corpus that could not be read."""
        rest = len(names) - SHOWN
        listed = ", ".join(names[:SHOWN]) + (self.more.format(count=rest) if rest > 0 else "")
        be = "was" if len(names) == 1 else "were"
        return self.unreadable.format(count=len(names), documents=several(len(names), "document"), be=be, names=listed)

    def holds_little(
        self, cards: int, sources: int, enough: int, wanted: int, spoken: tuple[str, Sequence[str]] | None = None
    ) -> str:
        """What the reader is told when the corpus has no more to give.

        `spoken` are the tags of the goal's language and of the documents', where they differ: the likely reason.
        """
        told = self.little.format(found=self.weighed(cards, sources, enough, wanted))
        if spoken is None:
            return told
        goal, documents = spoken
        named = ", ".join(self.languages.get(tag, tag) for tag in documents)
        return f"{told} {self.other_language.format(goal=self.languages.get(goal, goal), documents=named)}"

    def weighed(self, cards: int, sources: int, enough: int, wanted: int) -> str:
        """Which of both is short: 28 quotations (enough) from 1 source (too few, wanted 3)."""
        return self.found.format(
            cards=cards,
            quotations=several(cards, "quotation"),
            of_cards=self._against(cards, enough),
            sources=sources,
            documents=several(sources, "source"),
            of_sources=self._against(sources, wanted),
        )

    def _against(self, found: int, least: int) -> str:
        return self.plenty if found >= least else self.too_few.format(wanted=least)

    def not_done(self, step: PlanStep, error: str) -> str:
        """A step that was given up."""
        return self.failed.format(step=self.steps.get(step.action, step.description), error=error)

    def shortfall(self, failed: Sequence[Gate]) -> str:
        """Gates below their thresholds."""
        listed = "; ".join(
            self.is_wanted.format(
                gate=self.gates.get(gate.name, gate.name.replace("_", " ")), figure=gate.figure, wanted=self._wanted(gate)
            )
            for gate in failed
        )
        return self.not_reached.format(listed=listed)

    def _wanted(self, gate: Gate) -> str:
        bounds: Any = gate.threshold
        return self.to.join(str(bound) for bound in bounds) if isinstance(bounds, (list, tuple)) else str(bounds)

    def ended(self, which: str, message: str) -> str:
        """A run that a budget cut short."""
        return self.cut_short.format(limit=self.limits.get(which, which), message=message)

    def undecided(self, count: int, error: str) -> str:
        """Claims that nobody could judge."""
        return self.not_judged.format(count=count, claims=several(count, "claim"), error=error)

    def moved(self, role: str, part: str, subject: str, players: tuple[str, str], error: int, *, by_rule: bool) -> str:
        """A request that moved on from one player to the next. `error` says what the first did (see `did`)."""
        first, following = players
        how = self.by_player.format(player=following)
        if by_rule:
            how = self.by_quotation if role == "draft" else self.by_rule
        what = self.work[role].format(part=self.parts.get(part, part), subject=subject)
        return self.fallback.format(what=what, how=how, player=first, did=self.did[error])


_ENGLISH = Notes(
    unreadable="{documents} could not be read and {be} left out: {names}.",
    more=" and {count} more",
    little="The corpus holds little about this: {found}.",
    found="{quotations} ({of_cards}) from {documents} ({of_sources})",
    plenty="enough",
    too_few="too few, wanted {wanted}",
    other_language="The goal is in {goal}, the documents are in {documents}.",
    failed="The step '{step}' could not be done: {error}",
    not_reached="Not reached: {listed}.",
    is_wanted="{gate} is {figure}, wanted {wanted}",
    to=" to ",
    cut_short="The run was cut short: {message}.",
    not_judged="{claims} could not be judged against their quotations ({error}).",
    fallback="{what} {how}, because {player} {did}.",
    silent="No request to {player} brought an answer that could be used: all of the work was done by rule.",
    by_rule="by rule",
    by_quotation="by quotation",
    by_player="by {player}",
    languages={"en": "English", "de": "German", "es": "Spanish", "fr": "French", "ja": "Japanese", "zh": "Chinese"},
    did=("did not answer", "refused the request", "gave no usable answer"),
    work={
        "interpret": "The goal was read",
        "select": "The evidence for '{subject}' was chosen",
        "outline": "The outline was made",
        "draft": "The {part} '{subject}' was put together",
        "judge": "Doubtful citations were judged",
        "revise": "'{subject}' was mended",
        "widen": "Further questions were found",
    },
)
_GERMAN = Notes(
    unreadable="Nicht lesbare und deshalb ausgelassene Dokumente ({count}): {names}.",
    more=" und {count} weitere",
    little="Das Korpus enthält wenig dazu. {found}.",
    found="Zitate: {cards} ({of_cards}); Quellen: {sources} ({of_sources})",
    plenty="genug",
    too_few="zu wenige, gewünscht {wanted}",
    other_language="Die Sprache des Ziels ist {goal}, die der Dokumente {documents}.",
    failed="Ein Schritt konnte nicht ausgeführt werden: {step}.",
    not_reached="Nicht erreicht: {listed}.",
    is_wanted="{gate} {figure}, gewünscht {wanted}",
    to=" bis ",
    cut_short="Der Lauf endete vorzeitig: {limit} war aufgebraucht.",
    not_judged="Nicht gegen ihre Zitate beurteilte Aussagen: {count}.",
    fallback="Ersatz für {player} ({did}): {what} {how}.",
    silent="Keine Anfrage an {player} brachte eine brauchbare Antwort: Alles wurde nach Regeln getan.",
    by_rule="nach Regeln",
    by_quotation="durch Zitate",
    by_player="durch {player}",
    languages={
        "en": "Englisch", "de": "Deutsch", "es": "Spanisch", "fr": "Französisch", "ja": "Japanisch", "zh": "Chinesisch",
    },
    did=("keine Antwort", "Anfrage abgelehnt", "keine brauchbare Antwort"),
    work={
        "interpret": "Lesen des Ziels", "select": "Auswahl der Belege für „{subject}“", "outline": "Gliederung",
        "draft": "{part} „{subject}“", "judge": "Beurteilung zweifelhafter Belege", "revise": "Überarbeitung von „{subject}“",
        "widen": "weitere Fragen",
    },
    parts={
        "section": "Abschnitt", "annotation": "Anmerkung", "synthesis": "Zusammenschau", "introduction": "Einleitung",
        "conclusion": "Schluss",
    },
    steps={
        "survey": "Sichten des Korpus", "search": "Suche", "outline": "Gliederung", "draft": "Entwurf eines Abschnitts",
        "annotate": "Anmerkung zu einer Quelle", "matrix": "Aussagenmatrix", "synthesise": "Zusammenschau",
        "frame": "Einleitung und Schluss", "audit": "Prüfung", "revise": "Überarbeitung", "deliver": "Übergabe",
    },
    gates={
        "quote_found": "wiedergefundene Zitate", "citation_coverage": "belegte Aussagen",
        "citation_support": "gestützte Aussagen",
        "relevance": "Zitate zur Sache", "citation_excess": "überzählige Belege", "source_spread": "Zahl der Quellen",
        "source_share": "größter Anteil einer Quelle", "min_citations": "zitierte Quellen", "references": "Literaturliste",
        "claim_in_text": "Aussagen im Text", "pack_complete": "Vollständigkeit", "overlap": "fremder Wortlaut",
        "structure": "Formfehler", "length": "Wörter", "readability": "Lesbarkeit",
    },
    limits={"tokens": "das Token-Budget", "seconds": "die Zeit", "usd": "das Geldbudget", "killed": "die Erlaubnis zu laufen"},
)  # fmt: skip
_SPANISH = Notes(
    unreadable="Documentos que no se pudieron leer y se dejaron fuera ({count}): {names}.",
    more=" y {count} más",
    little="El corpus contiene poco sobre esto. {found}.",
    found="Citas: {cards} ({of_cards}); fuentes: {sources} ({of_sources})",
    plenty="suficientes",
    too_few="no bastan, se querían {wanted}",
    other_language="El objetivo está en {goal}, los documentos están en {documents}.",
    failed="Un paso no se pudo realizar: {step}.",
    not_reached="No alcanzado: {listed}.",
    is_wanted="{gate} {figure}, se quería {wanted}",
    to=" a ",
    cut_short="La ejecución terminó antes de tiempo: se agotó {limit}.",
    not_judged="Afirmaciones que no se pudieron juzgar frente a sus citas: {count}.",
    fallback="En lugar de {player} ({did}): {what} {how}.",
    silent="Ninguna petición a {player} dio una respuesta útil: todo se hizo por reglas.",
    by_rule="por reglas",
    by_quotation="por citas",
    by_player="por {player}",
    languages={"en": "inglés", "de": "alemán", "es": "español", "fr": "francés", "ja": "japonés", "zh": "chino"},
    did=("no respondió", "rechazó la petición", "no dio una respuesta útil"),
    work={
        "interpret": "lectura del objetivo", "select": "elección de las citas para «{subject}»", "outline": "esquema",
        "draft": "{part} «{subject}»", "judge": "juicio de las citas dudosas", "revise": "revisión de «{subject}»",
        "widen": "nuevas preguntas",
    },
    parts={
        "section": "sección", "annotation": "anotación", "synthesis": "síntesis", "introduction": "introducción",
        "conclusion": "conclusión",
    },
    steps={
        "survey": "examen del corpus", "search": "búsqueda", "outline": "esquema", "draft": "redacción de una sección",
        "annotate": "anotación de una fuente", "matrix": "matriz de afirmaciones", "synthesise": "síntesis",
        "frame": "introducción y conclusión", "audit": "comprobación", "revise": "revisión", "deliver": "entrega",
    },
    gates={
        "quote_found": "citas encontradas de nuevo", "citation_coverage": "afirmaciones con cita",
        "citation_support": "afirmaciones apoyadas", "relevance": "citas sobre el asunto", "citation_excess": "citas de más",
        "source_spread": "número de fuentes", "source_share": "mayor parte de una sola fuente",
        "min_citations": "fuentes citadas", "references": "lista de referencias", "claim_in_text": "afirmaciones en el texto",
        "pack_complete": "integridad", "overlap": "palabras ajenas", "structure": "faltas de forma", "length": "palabras",
        "readability": "legibilidad",
    },
    limits={"tokens": "el presupuesto de tokens", "seconds": "el tiempo", "usd": "el dinero", "killed": "el permiso"},
)  # fmt: skip
_ALL = {"en": _ENGLISH, "de": _GERMAN, "es": _SPANISH}


def notes(language: str | None) -> Notes:
    """The notes of a language tag ("de-AT" is German); English, as for all furniture, where a language has none of its own."""
    return _ALL.get((language or "en").lower()[:2], _ENGLISH)
