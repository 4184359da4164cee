"""The player's own words in Spanish; see `phrases` for what the forms and placeholders mean."""

from __future__ import annotations

from autonomy.agents.extractive.phrases import Wording

SPANISH = Wording(
    quotes=("«", "»"),
    joint=" y ",
    thousands="\u00a0",
    numerals=("ningún", "un", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve", "diez", "once", "doce"),
    kinds={
        "text/html": "página web",
        "application/pdf": "documento PDF",
        "text/markdown": "documento Markdown",
        "text/plain": "archivo de texto",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "documento Word",
        "": "documento",
    },
    section_claim="{count} pasajes de {sources} fuentes sobre {heading}",
    opens_one=(
        "Aquí se cita {title}.",
        "Esta parte cita {title}.",
        "Las citas de esta parte vienen de {title}.",
        "Lo que sigue está tomado de {title}.",
    ),
    opens_many=(
        "Sobre este punto se citan {count} fuentes: {titles}.",
        "Las citas de esta parte vienen de {titles}.",
        "{Count} fuentes se citan aquí: {titles}.",
        "Esta parte se apoya en {titles}.",
        "Hay pasajes sobre este punto en {titles}.",
    ),
    plain=("Allí se lee:", "Dice así:", "Esto es lo que dice:", "Lo expresa así:"),
    new_source=(
        "{title} dice en {section}:",
        "En {section}, {title} lo expresa así:",
        "En {title}, bajo {section}, se lee:",
        "Según {title}, en el apartado {section}:",
        "De {title}, apartado {section}:",
        "Con las palabras de {title} ({section}):",
        "Bajo {section}, {title} afirma:",
    ),
    new_source_bare=(
        "{title} dice:",
        "{title} lo expresa así:",
        "En {title} se lee:",
        "De {title}:",
        "Con las palabras de {title}:",
        "{title} afirma:",
    ),
    other_section=(
        "Bajo {section} dice:",
        "El apartado {section} lo expresa así:",
        "El mismo documento, en {section}:",
        "En otro lugar, bajo {section}:",
        "Su apartado {section} afirma:",
    ),
    same_section=(
        "Allí se lee también:",
        "El mismo apartado añade:",
        "En el mismo lugar:",
        "Allí dice también:",
        "Y en el mismo apartado:",
        "Añade:",
    ),
    same_source=(
        "En él se lee también:",
        "El mismo documento añade:",
        "También dice:",
        "Otro pasaje del mismo documento:",
        "Y en el mismo documento:",
        "Añade:",
    ),
    differ=(
        "En este punto {titles} no coinciden en una cifra o en una negación; ambos se citan aquí.",
        "Aquí {titles} difieren en una cifra o en una negación.",
        "Leídos juntos, {titles} difieren en una cifra o en una negación.",
    ),
    annotation=(
        "{title} ({kind}, unas {words} palabras) tiene entre sus títulos: {headings}.",
        "Extensión: unas {words} palabras ({kind}); entre sus títulos: {headings}.",
        "{title} tiene unas {words} palabras ({kind}); entre sus títulos: {headings}.",
    ),
    annotation_bare=(
        "{title} es un texto de unas {words} palabras ({kind}).",
        "{title} tiene una extensión de unas {words} palabras ({kind}).",
    ),
    annotation_nearest=(
        "De lo que se cita de ella, {claim} se valoró como lo más cercano a la pregunta.",
        "Entre sus citas, {claim} se valoró como lo más cercano a lo preguntado.",
    ),
    annotation_more=(
        "Se la cita arriba en {count} afirmaciones: {claims}.",
        "De las afirmaciones de arriba la citan {count}: {claims}.",
    ),
    annotation_only="Lo que se cita de ella está, palabra por palabra, en las afirmaciones de arriba, cada cita con su "
    "lugar; lo demás no lo hallaron las preguntas planteadas o no se eligió.",
    annotation_answers=(
        "Preguntas de las que hablan sus citas: {digits} de {asked}.",
        "De las preguntas planteadas, sus citas tratan {digits} de {asked}.",
    ),
    annotation_limit=(
        "No se tomó de ella nada sobre la pregunta: {question}",
        "No aporta ningún pasaje sobre la pregunta: {question}",
    ),
    shared=(
        "{Count} fuentes sostienen este punto: {titles}.",
        "Aquí coinciden {count} fuentes: {titles}.",
        "El mismo punto está en {titles}.",
        "Lo sostienen {titles}.",
    ),
    shared_differ=(
        "Aquí {titles} hablan de lo mismo, pero difieren en una cifra o en una negación.",
        "Sobre el mismo punto {titles} no coinciden en una cifra o en una negación.",
    ),
    question_topic="la pregunta {question}",
    synthesis_one=(
        "Sobre {topic} se cita aquí {title}.",
        "Las citas sobre {topic} vienen aquí de {title}.",
    ),
    synthesis_many=(
        "Sobre {topic} se citan {count} fuentes: {titles}.",
        "Acerca de {topic} se citan aquí {count} fuentes: {titles}.",
        "Sobre {topic} hay pasajes en {titles}.",
    ),
    introduction=(
        "Este documento cita {count} fuentes sobre {goal}. Se compuso por reglas y sin modelo de lenguaje, "
        "también las frases entre las citas.",
        "Sobre {goal} se citan aquí {count} fuentes. El texto se formó por reglas y sin modelo de lenguaje, "
        "también las frases entre las citas.",
    ),
    introduction_one=(
        "Este documento cita una fuente sobre {goal}. Se compuso por reglas y sin modelo de lenguaje, "
        "también las frases entre las citas.",
        "Sobre {goal} se cita aquí una fuente. El texto se formó por reglas y sin modelo de lenguaje, "
        "también las frases entre las citas.",
    ),
    introduction_points=("El encargo nombra estos puntos: {points}.", "Se preguntó en particular por: {points}."),
    introduction_sections=("Los títulos de las partes: {headings}.", "Las partes llevan los títulos {headings}."),
    conclusion=(
        "Sobre {goal} se citan arriba pasajes de {sources} fuentes ({digits} en total), la mayoría de {titles}.",
        "El documento cita {digits} pasajes sobre {goal} de {sources} fuentes; la mayor parte viene de {titles}.",
    ),
    conclusion_one=("Lo que se cita arriba sobre {goal} viene de {titles} (citas: {digits}).",),
    conclusion_gaps=(
        "No se halló ninguna cita para: {gaps}.",
        "Se buscó, sin una cita que pudiera darse: {gaps}.",
    ),
    conclusion_little=("Ningún pasaje de las fuentes cubre la mitad de ninguna de estas preguntas: {gaps}.",),
    conclusion_little_one=("Ningún pasaje de las fuentes cubre la mitad de esta pregunta: {gaps}.",),
    dropped="Se omitió una afirmación porque ningún pasaje la sostiene.",
    and_more=" y {count} más",
)
