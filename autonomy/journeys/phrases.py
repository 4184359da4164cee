"""The furniture of a document (headings, the note on top, the end matter) in the languages it is written in.

English stands in for a language that has no phrases of its own. `References` is never translated: similarity services
and readers of the manifest know the list by this name.
"""

from __future__ import annotations

from dataclasses import dataclass

REFERENCES = "References"


@dataclass(frozen=True, slots=True)
class Phrases:
    """Texts with their places to fill in, and the language's quotation marks."""

    opening: str
    closing: str
    introduction: str
    conclusion: str
    synthesis: str
    questions: str
    matrix: str
    evidence: str
    bibliography: str
    not_found: str
    notes: str
    extractive: str
    unanswered: str
    documents: str
    retrieved: str
    nothing_read: str
    cut_short: str
    outcomes: tuple[str, str]
    legend: str
    question_table: tuple[str, str, str, str]
    claim: str
    stances: tuple[str, str, str]
    marks_by_source: tuple[str, str]
    looked_for: str
    found_little: str
    found_nothing: str
    quoted_nothing: str
    thin: str
    no_claims: str
    no_evidence: str

    def quoted(self, text: str) -> str:
        """The text between the language's quotation marks."""
        return f"{self.opening}{text}{self.closing}"


_ENGLISH = Phrases(
    opening="“",
    closing="”",
    introduction="Introduction",
    conclusion="Conclusion",
    synthesis="Synthesis",
    questions="Questions searched",
    matrix="Claims matrix",
    evidence="Claims and their quotations",
    bibliography="Annotated bibliography",
    not_found="What was looked for and not found",
    notes="Notes",
    extractive="**Put together from quotations, without a language model.** Every quoted statement is a "
    "source's own words, found again in it; the mark behind it names the page or section where there is one. The sentences "
    "between the quotations were put together by rule.",
    unanswered="**The model did not answer.** No request to {provider} brought an answer that could be used; all of the work "
    "was done by rule.",
    documents="Sources: {count} from {corpus}",
    retrieved="read on {date}",
    nothing_read="Sources: none",
    cut_short="**The best draft, not a finished one:** {why}.",
    outcomes=("budget exceeded", "target not reached"),
    legend="✓ supports · ≠ differs (a number, a negation) · ✗ opposes · – is silent. The marks say where wordings differ; "
    "they are no verdict on who is right.",
    question_table=("Question", "Passages found", "Quotations kept", "Best passage covers"),
    claim="Claim",
    stances=("supports", "differs", "opposes"),
    marks_by_source=("Supported by", "Differs or opposes"),
    looked_for="These questions brought too little:",
    found_little="the best passage covers {coverage} of the question; quotations: {kept}",
    found_nothing="nothing was found",
    quoted_nothing="passages were found, but no sentence of them could be quoted for it",
    thin="thin evidence",
    no_claims="No claim could be drawn from the sources.",
    no_evidence="The corpus holds nothing quotable about this goal, so nothing is claimed here.",
)
_GERMAN = Phrases(
    opening="„",
    closing="“",
    introduction="Einleitung",
    conclusion="Schluss",
    synthesis="Zusammenschau",
    questions="Gesuchte Fragen",
    matrix="Aussagenmatrix",
    evidence="Die Aussagen und ihre Zitate",
    bibliography="Kommentierte Bibliografie",
    not_found="Wonach gesucht und was nicht gefunden wurde",
    notes="Hinweise",
    extractive="**Aus Zitaten zusammengestellt, ohne Sprachmodell.** Jede zitierte Aussage ist Wortlaut ihrer Quelle "
    "und dort wiedergefunden; der Vermerk dahinter nennt Seite oder Abschnitt, wo es sie gibt. Die Sätze zwischen den Zitaten "
    "sind nach Regeln gefügt.",
    unanswered="**Das Modell hat nicht geantwortet.** Keine Anfrage an {provider} brachte eine brauchbare Antwort; alles wurde "
    "nach Regeln getan.",
    documents="Quellen: {count} aus {corpus}",
    retrieved="gelesen am {date}",
    nothing_read="Quellen: keine",
    cut_short="**Der beste Entwurf, kein fertiges Dokument:** {why}.",
    outcomes=("das Budget war aufgebraucht", "eine Prüfung, die bestanden sein muss, wurde nicht bestanden"),
    legend="✓ stützt · ≠ weicht ab (Zahl, Verneinung) · ✗ widerspricht · – schweigt. Die Zeichen zeigen, wo Wortlaute "
    "auseinandergehen; sie urteilen nicht, wer recht hat.",
    question_table=("Frage", "Fundstellen", "Zitate", "Beste Stelle deckt"),
    claim="Aussage",
    stances=("stützt", "weicht ab", "widerspricht"),
    marks_by_source=("Gestützt von", "Abweichend oder widersprechend"),
    looked_for="Diese Fragen brachten zu wenig:",
    found_little="die beste Stelle deckt {coverage} der Frage; Zitate: {kept}",
    found_nothing="nichts gefunden",
    quoted_nothing="Stellen gefunden, aber kein Satz daraus ließ sich dafür zitieren",
    thin="dünne Belege",
    no_claims="Aus den Quellen ließ sich keine Aussage gewinnen.",
    no_evidence="Das Korpus enthält nichts Zitierbares zu diesem Ziel; deshalb wird hier nichts behauptet.",
)
_SPANISH = Phrases(
    opening="«",
    closing="»",
    introduction="Introducción",
    conclusion="Conclusión",
    synthesis="Síntesis",
    questions="Preguntas buscadas",
    matrix="Matriz de afirmaciones",
    evidence="Las afirmaciones y sus citas",
    bibliography="Bibliografía comentada",
    not_found="Lo que se buscó y no se encontró",
    notes="Notas",
    extractive="**Compuesto de citas, sin modelo de lenguaje.** Cada afirmación citada está en las palabras de su "
    "fuente y se halló de nuevo en ella; la marca que la sigue nombra la página o la sección, donde la hay. Las frases entre "
    "las citas se formaron por reglas.",
    unanswered="**El modelo no respondió.** Ninguna petición a {provider} dio una respuesta útil; todo se hizo por reglas.",
    documents="Fuentes: {count} de {corpus}",
    retrieved="leídas el {date}",
    nothing_read="Fuentes: ninguna",
    cut_short="**El mejor borrador, no un documento acabado:** {why}.",
    outcomes=("se agotó el presupuesto", "no se superó una comprobación obligatoria"),
    legend="✓ apoya · ≠ difiere (número, negación) · ✗ se opone · – calla. Los signos muestran dónde difieren los textos; "
    "no dictaminan quién tiene razón.",
    question_table=("Pregunta", "Pasajes hallados", "Citas", "El mejor pasaje cubre"),
    claim="Afirmación",
    stances=("apoya", "difiere", "se opone"),
    marks_by_source=("Apoyada por", "Difiere o se opone"),
    looked_for="Estas preguntas dieron demasiado poco:",
    found_little="el mejor pasaje cubre {coverage} de la pregunta; citas: {kept}",
    found_nothing="nada hallado",
    quoted_nothing="se hallaron pasajes, pero ninguna frase de ellos se pudo citar para ello",
    thin="evidencia escasa",
    no_claims="No se pudo obtener ninguna afirmación de las fuentes.",
    no_evidence="El corpus no contiene nada citable sobre este objetivo, por lo que aquí no se afirma nada.",
)
_JAPANESE = Phrases(
    opening="「",
    closing="」",
    introduction="はじめに",
    conclusion="おわりに",
    synthesis="まとめ",
    questions="検索した問い",
    matrix="主張の対照表",
    evidence="主張とその引用",
    bibliography="解題つき文献一覧",
    not_found="探したが見つからなかったこと",
    notes="注記",
    extractive="**言語モデルを使わず、引用だけで構成した文書です。** 引用した文は出典の言葉そのままで、"
    "出典の中で再確認しています。後ろの印は、あればページまたは節を示します。引用の間の文は規則によって作りました。",
    unanswered="**モデルは応答しませんでした。** {provider} への要求から使える答えは得られず、すべて規則によって行いました。",
    documents="出典: {corpus} から {count} 件",
    retrieved="{date} に読み取り",
    nothing_read="出典: なし",
    cut_short="**完成版ではなく、最良の草稿です:** {why}。",
    outcomes=("予算を使い切りました", "必須の検査に合格しませんでした"),
    legend="✓ 支持 · ≠ 相違 (数値・否定) · ✗ 反対 · – 言及なし。印は表現の違いを示すだけで、正否の判定ではありません。",
    question_table=("問い", "見つかった箇所", "引用数", "最良の箇所の網羅率"),
    claim="主張",
    stances=("支持", "相違", "反対"),
    marks_by_source=("支持する出典", "異なる・反対する出典"),
    looked_for="次の問いには十分な答えがありませんでした:",
    found_little="最良の箇所でも問いの {coverage} のみ (引用 {kept} 件)",
    found_nothing="何も見つからず",
    quoted_nothing="該当箇所はあったが、引用できる文はなし",
    thin="証拠が乏しい",
    no_claims="出典から主張を得られませんでした。",
    no_evidence="この目的について引用できるものがコーパスにないため、ここでは何も主張しません。",
)
_FRENCH = Phrases(
    opening="«\u00a0",
    closing="\u00a0»",
    introduction="Introduction",
    conclusion="Conclusion",
    synthesis="Synthèse",
    questions="Questions posées au corpus",
    matrix="Tableau des affirmations",
    evidence="Les affirmations et leurs citations",
    bibliography="Bibliographie annotée",
    not_found="Ce qui a été cherché sans être trouvé",
    notes="Remarques",
    extractive="**Composé de citations, sans modèle de langue.** Chaque affirmation citée reprend les mots de sa source et y a "
    "été retrouvée ; la marque qui la suit nomme la page ou la partie, là où il y en a. Les phrases entre les citations ont "
    "été composées par règles.",
    unanswered="**Le modèle n'a pas répondu.** Aucune demande à {provider} n'a apporté de réponse utilisable ; tout a été fait "
    "par règles.",
    documents="Sources : {count} de {corpus}",
    retrieved="lues le {date}",
    nothing_read="Sources : aucune",
    cut_short="**La meilleure ébauche, non un document achevé :** {why}.",
    outcomes=("le budget est épuisé", "une vérification obligatoire n'a pas été réussie"),
    legend="✓ appuie · ≠ diffère (un nombre, une négation) · ✗ contredit · – se tait. Les signes montrent où les mots "
    "diffèrent ; ils ne disent pas qui a raison.",
    question_table=("Question", "Passages trouvés", "Citations gardées", "Meilleur passage"),
    claim="Affirmation",
    stances=("appuie", "diffère", "contredit"),
    marks_by_source=("Appuyée par", "Diffère ou contredit"),
    looked_for="Ces questions ont apporté trop peu :",
    found_little="le meilleur passage couvre {coverage} de la question ; citations : {kept}",
    found_nothing="rien n'a été trouvé",
    quoted_nothing="des passages ont été trouvés, mais aucune de leurs phrases n'a pu être citée pour elle",
    thin="peu d'éléments",
    no_claims="Aucune affirmation n'a pu être tirée des sources.",
    no_evidence="Le corpus ne contient rien qui puisse être cité sur ce sujet ; rien n'est donc affirmé ici.",
)
_ALL = {"en": _ENGLISH, "de": _GERMAN, "es": _SPANISH, "fr": _FRENCH, "ja": _JAPANESE}


def phrases(language: str) -> Phrases:
    """The furniture of a language tag ("de-AT" is German); English for a language that has none of its own."""
    return _ALL.get(language.lower()[:2], _ENGLISH)
