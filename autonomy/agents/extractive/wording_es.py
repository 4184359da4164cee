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
        "Una sola fuente trata este punto: {title}.",
        "Solo {title} dice algo al respecto.",
        "Todo lo que se halló sobre este punto está en {title}.",
        "Para este punto las pruebas vienen únicamente de {title}.",
        "Esta parte se apoya en {title}.",
        "De este punto se ocupa {title}.",
    ),
    opens_many=(
        "{Count} fuentes tratan este punto: {titles}.",
        "Las citas de esta parte vienen de {titles}.",
        "Sobre este punto se citan {count} fuentes: {titles}.",
        "{Count} documentos dicen algo al respecto: {titles}.",
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
        "Y continúa:",
        "El mismo apartado añade:",
        "En el mismo lugar:",
        "Allí dice también:",
        "Y en el mismo apartado:",
        "Añade:",
    ),
    same_source=(
        "Y continúa:",
        "El mismo documento añade:",
        "También dice:",
        "Más adelante, en el mismo documento:",
        "Y en el mismo documento:",
        "Añade:",
    ),
    differ=(
        "En este punto {titles} no coinciden en una cifra o en una negación; ambos se citan aquí.",
        "Aquí {titles} difieren en una cifra o en una negación.",
        "Leídos juntos, {titles} difieren en una cifra o en una negación.",
    ),
    annotation=(
        "{title} ({kind}, unas {words} palabras) trata sobre todo de {headings}.",
        "Extensión: unas {words} palabras ({kind}); sus partes principales son {headings}.",
        "En unas {words} palabras ({kind}) se ocupa de {headings}.",
    ),
    annotation_bare=(
        "{title} es un texto de unas {words} palabras ({kind}).",
        "{title} tiene una extensión de unas {words} palabras ({kind}).",
    ),
    annotation_nearest=(
        "Lo más cercano a lo preguntado es {claim}.",
        "El pasaje más próximo a la pregunta es {claim}.",
    ),
    annotation_more=(
        "En total se citan arriba {count} pasajes suyos: {claims}.",
        "De sus pasajes se citan arriba {count}: {claims}.",
    ),
    annotation_only="No contenía nada más que respondiera a lo preguntado y pudiera citarse por sí solo:"
    " lo demás se repite, depende de su contexto o trata de otra cosa.",
    annotation_found=(
        "Solo apareció al preguntar con otras palabras: {question}",
        "Solo otra forma de la pregunta llevó a ella: {question}",
    ),
    annotation_answers=(
        "De las {asked} preguntas planteadas aporta pruebas para {digits}.",
        "Aporta pasajes para {digits} de las {asked} preguntas planteadas.",
    ),
    annotation_limit=(
        "No se tomó de ella nada sobre la pregunta: {question}",
        "No aporta ningún pasaje sobre la pregunta: {question}",
    ),
    annotation_full=(
        "Aporta pasajes para cada pregunta planteada.",
        "Ninguna de las preguntas planteadas quedó sin pasaje en ella.",
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
        "Sobre {topic} habla una sola fuente: {title}.",
        "Todo lo hallado sobre {topic} está en {title}.",
        "Solo {title} dice algo sobre {topic}.",
    ),
    synthesis_many=(
        "Sobre {topic} se citan {count} fuentes: {titles}.",
        "Acerca de {topic} hablan {count} fuentes: {titles}.",
        "Sobre {topic} hay pasajes en {titles}.",
    ),
    introduction=(
        "Este documento reúne lo que {count} fuentes dicen sobre {goal}. Se compuso con citas, por reglas y sin modelo de "
        "lenguaje: toda afirmación sobre el asunto es una cita, con su fuente.",
        "Lo que {count} fuentes dicen sobre {goal} se reúne aquí por reglas y sin modelo de lenguaje: todas las "
        "afirmaciones sobre el asunto son citas, cada una con su fuente.",
    ),
    introduction_one=(
        "Este documento reúne lo que una sola fuente dice sobre {goal}. Se compuso con citas, por reglas y sin modelo de "
        "lenguaje: toda afirmación sobre el asunto es una cita.",
        "Lo que una sola fuente dice sobre {goal} se reúne aquí por reglas y sin modelo de lenguaje: todas las "
        "afirmaciones sobre el asunto son citas.",
    ),
    introduction_points=("El encargo nombra estos puntos: {points}.", "Se preguntó en particular por: {points}."),
    introduction_sections=("Las partes, por orden: {headings}.", "Las partes son {headings}."),
    conclusion=(
        "Sobre {goal} se eligieron pasajes de {sources} fuentes ({digits} en total), la mayoría de {titles}.",
        "La búsqueda sobre {goal} dio {digits} pasajes elegidos de {sources} fuentes; la mayor parte viene de {titles}.",
    ),
    conclusion_one=(
        "Sobre {goal} todos los pasajes elegidos ({digits}) vienen de una sola fuente, {titles}.",
        "La búsqueda sobre {goal} solo dio pasajes de una fuente, {titles} ({digits} en total).",
    ),
    conclusion_gaps=(
        "Se buscó, sin hallar más pasajes que los anteriores: {gaps}.",
        "Las fuentes no dan más respuesta citable a estas preguntas: {gaps}.",
    ),
    conclusion_little=(
        "Las fuentes responden solo en parte a: {gaps}.",
        "De estas preguntas solo una parte está en las fuentes: {gaps}.",
    ),
    conclusion_none=(
        "Cada pregunta planteada a las fuentes dio al menos un pasaje.",
        "Ninguna pregunta planteada a las fuentes quedó sin pasaje.",
    ),
    dropped="Se omitió una afirmación porque ningún pasaje la sostiene.",
    and_more=" y {count} más",
)
