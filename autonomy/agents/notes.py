"""What the loop itself owes the reader (a step given up, evidence too thin, a gate not reached), in the document's language.

The words of decisions and events are the operator's and stay English; these stand in the document. English takes the reason
of a failure with it; other languages leave it to the log, since services say it in English.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autonomy.core.counting import NAMED, several
from autonomy.core.gates import AT_MOST, GATES, SHARES
from autonomy.core.types import Gate, PlanStep


@dataclass(frozen=True, slots=True)
class Notes:
    """One language's forms. `gates`, `steps` and `limits` name what the gates measure, in a reader's words, the actions of
    steps and the budgets."""

    unreadable: str
    unread: str
    more: str
    little: str
    narrow: str
    found: str
    plenty: str
    too_few: str
    other_language: str
    failed: str
    not_reached: str
    is_wanted: str
    at_least: str
    at_most: str
    between: str
    all: str
    none: str
    percent: str
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
        be = "was" if len(names) == 1 else "were"
        documents = several(len(names), "document")
        return self.unreadable.format(count=len(names), documents=documents, be=be, names=self._first(names))

    def of_another_kind(self, names: Sequence[str]) -> str:
        """Files of the corpus that no reader is for."""
        be = "is" if len(names) == 1 else "are"
        return self.unread.format(count=len(names), files=several(len(names), "file"), be=be, names=self._first(names))

    def _first(self, names: Sequence[str]) -> str:
        rest = len(names) - NAMED
        return ", ".join(names[:NAMED]) + (self.more.format(count=rest) if rest > 0 else "")

    def holds_little(
        self, cards: int, sources: int, enough: int, wanted: int, spoken: tuple[str, Sequence[str]] | None = None
    ) -> str:
        """What the reader is told when the corpus has no more to give, or all of it in few documents.

        `spoken` are the tags of the goal's language and of the documents', where they differ: the likely reason.
        """
        short = self.narrow if cards >= enough else self.little
        told = short.format(found=self.weighed(cards, sources, enough, wanted))
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
        """Gates below their thresholds: what each measures, its figure, and what was wanted of it."""
        listed = "; ".join(
            self.is_wanted.format(
                gate=self.gates.get(gate.name, gate.name.replace("_", " ")),
                figure=self._shown(gate, gate.figure),
                wanted=self._wanted(gate),
            )
            for gate in failed
        )
        return self.not_reached.format(listed=listed)

    def _shown(self, gate: Gate, value: Any) -> str:
        """A figure in whole numbers, a share in hundredths; rounded away from what was wanted, so that a miss reads as one."""
        if gate.name not in GATES or not isinstance(value, int | float):
            return "–" if value is None else f"{value:g}" if isinstance(value, int | float) else f"{value}"
        share = gate.name in SHARES
        bound: Any = gate.threshold
        over = value > bound[-1] if isinstance(bound, list | tuple) else gate.name in AT_MOST
        number = (math.ceil if over else math.floor)(round(value * 100, 6) if share else value)
        return self.percent.format(number=number) if share else f"{number}"

    def _wanted(self, gate: Gate) -> str:
        bound: Any = gate.threshold
        if isinstance(bound, list | tuple):
            return self.between.format(low=self._shown(gate, bound[0]), high=self._shown(gate, bound[-1]))
        if gate.name not in GATES:
            return self._shown(gate, bound)
        if gate.name in AT_MOST:
            return self.at_most.format(bound=self._shown(gate, bound)) if bound else self.none
        return self.all if gate.name in SHARES and bound == 1 else self.at_least.format(bound=self._shown(gate, bound))

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
    unread="{files} {be} of a kind that is not read: {names}.",
    more=" and {count} more",
    little="The search found little about this in the corpus: {found}.",
    narrow="The search found few documents that speak to this: {found}.",
    found="{quotations} ({of_cards}) from {documents} ({of_sources})",
    plenty="enough",
    too_few="too few, wanted {wanted}",
    other_language="The goal is in {goal}, the documents are in {documents}.",
    failed="The step '{step}' could not be done: {error}",
    not_reached="Where this document falls short: {listed}.",
    is_wanted="{gate}: {figure} (wanted {wanted})",
    at_least="at least {bound}",
    at_most="at most {bound}",
    between="{low} to {high}",
    all="all",
    none="none",
    percent="{number}%",
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
    gates={
        "quote_found": "citations whose words stand in their source at the place named",
        "citation_coverage": "statements with a citation",
        "citation_support": "cited statements that their quotations bear out",
        "relevance": "quotations that speak to what was asked",
        "citation_excess": "citations that add nothing to the others of their statement",
        "source_spread": "sources quoted",
        "source_share": "citations of the source that is cited most",
        "min_citations": "different quotations",
        "references": "entries of the reference list that are cited and complete",
        "claim_in_text": "recorded statements that stand in the text word for word",
        "pack_complete": "questions, table rows and annotations that are complete",
        "overlap": "words taken from sources without quotation marks",
        "structure": "parts that are missing, repeated, cut off, or far longer or shorter than the others",
        "length": "words",
        "similarity": "similarity by the report, in percent",
        "source_age": "citations of old sources",
        "overclaim": "words of certainty or praise without a citation, in 1,000",
        "bias": "words that take sides, in 1,000",
        "argument": "sections in which a statement has a reason",
        "tone": "words of talk, in 1,000",
        "links": "web addresses",
        "readability": "ease of reading, by the length of words and sentences",
    },
)
_GERMAN = Notes(
    unreadable="Nicht lesbare und deshalb ausgelassene Dokumente ({count}): {names}.",
    unread="Dateien einer Art, die nicht gelesen wird ({count}): {names}.",
    more=" und {count} weitere",
    little="Die Suche fand im Korpus wenig dazu. {found}.",
    narrow="Die Suche fand wenige Dokumente dazu. {found}.",
    found="Gefundene Zitate: {cards} ({of_cards}); Quellen: {sources} ({of_sources})",
    plenty="genug",
    too_few="zu wenige, gewünscht {wanted}",
    other_language="Die Sprache des Ziels ist {goal}, die der Dokumente {documents}.",
    failed="Ein Schritt konnte nicht ausgeführt werden: {step}.",
    not_reached="Wo dieses Dokument zurückbleibt: {listed}.",
    is_wanted="{gate}: {figure} (gewünscht {wanted})",
    at_least="mindestens {bound}",
    at_most="höchstens {bound}",
    between="{low} bis {high}",
    all="alle",
    none="keine",
    percent="{number} %",
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
        "quote_found": "Belege, deren Wortlaut an der genannten Stelle der Quelle steht",
        "citation_coverage": "Aussagen mit einem Beleg", "citation_support": "belegte Aussagen, die ihre Zitate stützen",
        "relevance": "Zitate, die zur Frage gehören", "citation_excess": "Belege, die den anderen ihrer Aussage nichts zufügen",
        "source_spread": "zitierte Quellen", "source_share": "Belege aus der meistzitierten Quelle",
        "min_citations": "verschiedene Zitate", "references": "Einträge der Literaturliste, die zitiert und vollständig sind",
        "claim_in_text": "verzeichnete Aussagen, die wörtlich im Text stehen",
        "pack_complete": "vollständige Fragen, Tabellenzeilen und Anmerkungen",
        "overlap": "Wörter aus Quellen ohne Anführungszeichen",
        "structure": "Teile, die fehlen, sich wiederholen, abbrechen oder viel länger oder kürzer sind als die anderen",
        "length": "Wörter", "similarity": "Ähnlichkeit laut Bericht, in Prozent",
        "source_age": "Belege aus alten Quellen",
        "overclaim": "Wörter der Gewissheit oder des Lobes ohne Beleg, auf 1000",
        "bias": "parteiische Wörter, auf 1000",
        "argument": "Abschnitte, in denen eine Aussage begründet ist",
        "tone": "umgangssprachliche Wörter, auf 1000",
        "links": "Webadressen",
        "readability": "Lesbarkeit nach Länge von Wörtern und Sätzen",
    },
    limits={"tokens": "das Token-Budget", "seconds": "die Zeit", "usd": "das Geldbudget", "killed": "die Erlaubnis zu laufen"},
)  # fmt: skip
_SPANISH = Notes(
    unreadable="Documentos que no se pudieron leer y se dejaron fuera ({count}): {names}.",
    unread="Archivos de un tipo que no se lee ({count}): {names}.",
    more=" y {count} más",
    little="La búsqueda halló poco sobre esto en el corpus. {found}.",
    narrow="La búsqueda halló pocos documentos sobre esto. {found}.",
    found="Citas halladas: {cards} ({of_cards}); fuentes: {sources} ({of_sources})",
    plenty="suficientes",
    too_few="no bastan, se querían {wanted}",
    other_language="El objetivo está en {goal}, los documentos están en {documents}.",
    failed="Un paso no se pudo realizar: {step}.",
    not_reached="En qué se queda corto este documento: {listed}.",
    is_wanted="{gate}: {figure} (se pedía: {wanted})",
    at_least="al menos {bound}",
    at_most="como máximo {bound}",
    between="de {low} a {high}",
    all="todo",
    none="nada",
    percent="{number} %",
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
        "quote_found": "citas cuyas palabras están en el lugar indicado de su fuente",
        "citation_coverage": "afirmaciones con una cita", "citation_support": "afirmaciones citadas que sus citas apoyan",
        "relevance": "citas que tratan de lo preguntado",
        "citation_excess": "citas que no añaden nada a las demás de su afirmación", "source_spread": "fuentes citadas",
        "source_share": "citas de la fuente más citada", "min_citations": "citas distintas",
        "references": "entradas de la lista de referencias citadas y completas",
        "claim_in_text": "afirmaciones registradas que están palabra por palabra en el texto",
        "pack_complete": "preguntas, filas de la tabla y anotaciones completas",
        "overlap": "palabras tomadas de las fuentes sin comillas",
        "structure": "partes que faltan, se repiten, quedan cortadas o son mucho más largas o cortas que las demás",
        "length": "palabras", "similarity": "similitud según el informe, en porcentaje",
        "source_age": "citas de fuentes antiguas",
        "overclaim": "palabras de certeza o elogio sin cita, de cada 1000",
        "bias": "palabras parciales, de cada 1000",
        "argument": "apartados en los que una afirmación está razonada",
        "tone": "palabras coloquiales, de cada 1000",
        "links": "direcciones web",
        "readability": "facilidad de lectura, por la longitud de palabras y frases",
    },
    limits={"tokens": "el presupuesto de tokens", "seconds": "el tiempo", "usd": "el dinero", "killed": "el permiso"},
)  # fmt: skip
_FRENCH = Notes(
    unreadable="Documents qui n'ont pas pu être lus et ont été laissés de côté ({count}) : {names}.",
    unread="Fichiers d'un type qui n'est pas lu ({count}) : {names}.",
    more=" et {count} de plus",
    little="La recherche a trouvé peu de choses à ce sujet dans le corpus. {found}.",
    narrow="La recherche a trouvé peu de documents à ce sujet. {found}.",
    found="Citations trouvées : {cards} ({of_cards}) ; sources : {sources} ({of_sources})",
    plenty="assez",
    too_few="trop peu, voulu {wanted}",
    other_language="La demande est en {goal}, les documents sont en {documents}.",
    failed="Une étape n'a pas pu être faite : {step}.",
    not_reached="Ce qui manque à ce document : {listed}.",
    is_wanted="{gate} : {figure} (voulu : {wanted})",
    at_least="au moins {bound}",
    at_most="au plus {bound}",
    between="de {low} à {high}",
    all="la totalité",
    none="zéro",
    percent="{number} %",
    cut_short="Le travail s'est arrêté avant la fin : {limit}.",
    not_judged="Affirmations qui n'ont pas pu être jugées d'après leurs citations : {count}.",
    fallback="À la place de {player} ({did}) : {what} {how}.",
    silent="Aucune demande à {player} n'a apporté de réponse utilisable : tout a été fait par règles.",
    by_rule="par règles",
    by_quotation="par citations",
    by_player="par {player}",
    languages={"en": "anglais", "de": "allemand", "es": "espagnol", "fr": "français", "ja": "japonais", "zh": "chinois"},
    did=("pas de réponse", "demande refusée", "pas de réponse utilisable"),
    work={
        "interpret": "lecture de la demande", "select": "choix des citations pour « {subject} »", "outline": "plan",
        "draft": "{part} « {subject} »", "judge": "jugement des citations douteuses", "revise": "révision de « {subject} »",
        "widen": "nouvelles questions",
    },
    parts={
        "section": "partie", "annotation": "annotation", "synthesis": "synthèse", "introduction": "introduction",
        "conclusion": "conclusion",
    },
    steps={
        "survey": "examen du corpus", "search": "recherche", "outline": "plan", "draft": "rédaction d'une partie",
        "annotate": "annotation d'une source", "matrix": "tableau des affirmations", "synthesise": "synthèse",
        "frame": "introduction et conclusion", "audit": "vérification", "revise": "révision", "deliver": "remise",
    },
    gates={
        "quote_found": "citations dont les mots se lisent à l'endroit indiqué de leur source",
        "citation_coverage": "affirmations avec une citation",
        "citation_support": "affirmations que leurs citations portent",
        "relevance": "citations qui parlent de ce qui est demandé",
        "citation_excess": "citations qui n'ajoutent rien aux autres de leur affirmation", "source_spread": "sources citées",
        "source_share": "citations de la source la plus citée", "min_citations": "citations différentes",
        "references": "entrées de la liste de références citées et complètes",
        "claim_in_text": "affirmations enregistrées qui se lisent mot pour mot dans le texte",
        "pack_complete": "questions, lignes du tableau et annotations complètes",
        "overlap": "mots pris aux sources sans guillemets",
        "structure": "parties qui manquent, se répètent, sont coupées, ou bien plus longues ou plus courtes que les autres",
        "length": "mots", "similarity": "similarité selon le rapport, en pour cent",
        "source_age": "citations de sources anciennes",
        "overclaim": "mots de certitude ou d'éloge sans citation, sur 1000",
        "bias": "mots partiaux, sur 1000",
        "argument": "parties où une affirmation est motivée",
        "tone": "mots familiers, sur 1000",
        "links": "adresses web",
        "readability": "facilité de lecture, d'après la longueur des mots et des phrases",
    },
    limits={
        "tokens": "le budget de tokens est épuisé", "seconds": "le temps est épuisé", "usd": "le budget d'argent est épuisé",
        "killed": "la permission de continuer a été retirée",
    },
)  # fmt: skip
_ALL = {"en": _ENGLISH, "de": _GERMAN, "es": _SPANISH, "fr": _FRENCH}


def notes(language: str | None) -> Notes:
    """The notes of a language tag ("de-AT" is German); English, as for all furniture, where a language has none of its own."""
    return _ALL.get((language or "en").lower()[:2], _ENGLISH)
