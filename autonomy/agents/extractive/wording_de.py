"""The player's own words in German; see `phrases` for what the forms and placeholders mean."""

from __future__ import annotations

from autonomy.agents.extractive.phrases import Wording

GERMAN = Wording(
    quotes=("„", "“"),
    joint=" und ",
    thousands=".",
    numerals=("kein", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
    kinds={
        "text/html": "Webseite",
        "application/pdf": "PDF-Dokument",
        "text/markdown": "Markdown-Dokument",
        "text/plain": "Textdatei",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word-Dokument",
        "": "Dokument",
    },
    section_claim="{count} Stellen aus {sources} Quellen zu {heading}",
    opens_one=(
        "Zitiert wird hier {title}.",
        "Dieser Teil zitiert {title}.",
        "Die Zitate dieses Teils stammen aus {title}.",
        "Das Folgende ist {title} entnommen.",
    ),
    opens_many=(
        "Hierzu werden {count} Quellen zitiert: {titles}.",
        "Die Zitate dieses Teils stammen aus {count} Quellen: {titles}.",
        "{Count} Quellen sind hier zitiert: {titles}.",
        "Dieser Teil stützt sich auf {titles}.",
        "Stellen zu diesem Punkt stehen in {titles}.",
        "Das Folgende ist {titles} entnommen.",
    ),
    plain=("Dort heißt es:", "Dort steht:", "Zu lesen ist dort:", "Darin steht:"),
    new_source=(
        "{title} schreibt unter {section}:",
        "Unter {section} heißt es in {title}:",
        "In {title} steht unter {section}:",
        "Dazu {title}, unter {section}:",
        "Unter {section} liest man in {title}:",
        "{title} hält unter {section} fest:",
        "Aus {title}, Abschnitt {section}:",
        "Mit den Worten von {title} ({section}):",
    ),
    new_source_bare=(
        "{title} schreibt:",
        "In {title} heißt es:",
        "In {title} steht:",
        "Dazu {title}:",
        "Aus {title}:",
        "{title} hält fest:",
    ),
    other_section=(
        "Unter {section} heißt es dort:",
        "Im Abschnitt {section} steht:",
        "Dasselbe Dokument schreibt unter {section}:",
        "An anderer Stelle, unter {section}:",
        "Sein Abschnitt {section} hält fest:",
    ),
    same_section=(
        "Auch dies steht dort:",
        "An derselben Stelle:",
        "Derselbe Abschnitt ergänzt:",
        "Dort steht auch:",
        "Und im selben Abschnitt:",
        "Ergänzend:",
    ),
    same_source=(
        "Auch dies steht darin:",
        "Dasselbe Dokument ergänzt:",
        "Dort steht auch:",
        "Eine andere Stelle darin:",
        "Und im selben Dokument:",
        "Ergänzend:",
    ),
    differ=(
        "In diesem Punkt stimmen {titles} in einer Zahl oder einer Verneinung nicht überein; beide sind hier zitiert.",
        "Hier unterscheiden sich {titles} in einer Zahl oder einer Verneinung.",
        "Nebeneinander gelesen weichen {titles} in einer Zahl oder einer Verneinung voneinander ab.",
    ),
    annotation=(
        "{title} ({kind}, etwa {words} Wörter) hat unter seinen Überschriften: {headings}.",
        "Umfang: etwa {words} Wörter ({kind}); zu den Überschriften gehören: {headings}.",
        "{title} umfasst etwa {words} Wörter ({kind}); zu den Überschriften gehören: {headings}.",
    ),
    annotation_bare=(
        "{title} ist ein Text von etwa {words} Wörtern ({kind}).",
        "{title} hat einen Umfang von etwa {words} Wörtern ({kind}).",
    ),
    annotation_nearest=(
        "Von dem, was daraus zitiert ist, wurde {claim} als der Frage am nächsten bewertet.",
        "Unter ihren Zitaten wurde {claim} als der Frage am nächsten bewertet.",
    ),
    annotation_more=(
        "Sie ist oben in {count} Aussagen zitiert: {claims}.",
        "Von den Aussagen oben zitieren {count} diese Quelle: {claims}.",
    ),
    annotation_only="Was daraus zitiert ist, steht wörtlich bei den Aussagen oben, jeweils mit seinem Ort; das Übrige "
    "wurde von den gestellten Fragen nicht gefunden oder nicht ausgewählt.",
    annotation_answers=(
        "Fragen, zu denen Zitate daraus sprechen: {digits} von {asked}.",
        "Von den gestellten Fragen treffen ihre Zitate {digits} von {asked}.",
    ),
    annotation_limit=(
        "Nichts entnommen wurde ihr zu der Frage: {question}",
        "Keine Stelle fand sich darin zu der Frage: {question}",
    ),
    shared=(
        "{Count} Quellen tragen diesen Punkt: {titles}.",
        "Hier stimmen {count} Quellen überein: {titles}.",
        "Derselbe Punkt steht in {titles}.",
        "Getragen wird dies von {titles}.",
    ),
    shared_differ=(
        "Hier sprechen {titles} von derselben Sache, weichen aber in einer Zahl oder einer Verneinung ab.",
        "Zum selben Punkt stimmen {titles} in einer Zahl oder einer Verneinung nicht überein.",
    ),
    question_topic="der Frage {question}",
    synthesis_one=(
        "Zu {topic} wird hier {title} zitiert.",
        "Die Zitate zu {topic} stammen hier aus {title}.",
    ),
    synthesis_many=(
        "Zu {topic} werden {count} Quellen zitiert: {titles}.",
        "{Count} Quellen sind hier zu {topic} zitiert: {titles}.",
        "Zu {topic} finden sich Stellen in {titles}.",
    ),
    introduction=(
        "Dieses Dokument zitiert {count} Quellen zum Thema {goal}. Es wurde nach Regeln und ohne "
        "Sprachmodell zusammengestellt, auch die Sätze zwischen den Zitaten.",
        "Zum Thema {goal} sind hier {count} Quellen zitiert. Der Text ist nach Regeln und ohne Sprachmodell "
        "gefügt, auch die Sätze zwischen den Zitaten.",
    ),
    introduction_one=(
        "Dieses Dokument zitiert eine Quelle zum Thema {goal}. Es wurde nach Regeln und ohne Sprachmodell "
        "zusammengestellt, auch die Sätze zwischen den Zitaten.",
        "Zum Thema {goal} ist hier eine Quelle zitiert. Der Text ist nach Regeln und ohne Sprachmodell "
        "gefügt, auch die Sätze zwischen den Zitaten.",
    ),
    introduction_points=("Der Auftrag nennt diese Punkte: {points}.", "Ausdrücklich gefragt war nach: {points}."),
    introduction_sections=("Die Überschriften der Teile: {headings}.", "Die Teile tragen die Überschriften {headings}."),
    conclusion=(
        "Zum Thema {goal} sind oben aus {sources} Quellen Stellen zitiert ({digits} insgesamt), die meisten aus {titles}.",
        "Das Dokument zitiert zum Thema {goal} {digits} Stellen aus {sources} Quellen; die meisten stammen aus {titles}.",
    ),
    conclusion_one=("Was oben zum Thema {goal} zitiert ist, stammt aus {titles} (Zitate: {digits}).",),
    conclusion_gaps=(
        "Kein Zitat fand sich zu: {gaps}.",
        "Gesucht, ohne dass sich ein Zitat geben ließ: {gaps}.",
    ),
    conclusion_little=("Keine Stelle der Quellen deckt die Hälfte einer dieser Fragen: {gaps}.",),
    conclusion_little_one=("Keine Stelle der Quellen deckt die Hälfte dieser Frage: {gaps}.",),
    dropped="Eine Aussage wurde weggelassen, weil keine Stelle sie trägt.",
    and_more=" und {count} weitere",
)
