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
        "Zu diesem Punkt äußert sich eine Quelle: {title}.",
        "Nur {title} sagt hierzu etwas.",
        "Was sich hierzu fand, steht in {title}.",
        "Eine einzige Quelle behandelt dies: {title}.",
        "Die Belege für diesen Teil stammen allein aus {title}.",
        "Dieser Teil stützt sich auf {title}.",
    ),
    opens_many=(
        "{Count} Quellen behandeln diesen Punkt: {titles}.",
        "Die Belege für diesen Teil stammen aus {titles}.",
        "Hierzu werden {count} Quellen zitiert: {titles}.",
        "{Count} Dokumente sagen hierzu etwas: {titles}.",
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
        "Weiter heißt es:",
        "An derselben Stelle:",
        "Derselbe Abschnitt ergänzt:",
        "Dort steht auch:",
        "Und im selben Abschnitt:",
        "Ergänzend:",
    ),
    same_source=(
        "Weiter heißt es:",
        "Dasselbe Dokument ergänzt:",
        "Dort steht auch:",
        "An späterer Stelle:",
        "Und im selben Dokument:",
        "Ergänzend:",
    ),
    differ=(
        "In diesem Punkt stimmen {titles} in einer Zahl oder einer Verneinung nicht überein; beide sind hier zitiert.",
        "Hier unterscheiden sich {titles} in einer Zahl oder einer Verneinung.",
        "Nebeneinander gelesen weichen {titles} in einer Zahl oder einer Verneinung voneinander ab.",
    ),
    annotation=(
        "{title} ({kind}, etwa {words} Wörter) behandelt vor allem {headings}.",
        "Umfang: etwa {words} Wörter ({kind}); die wichtigsten Teile sind {headings}.",
        "Auf etwa {words} Wörtern ({kind}) geht es um {headings}.",
    ),
    annotation_bare=(
        "{title} ist ein Text von etwa {words} Wörtern ({kind}).",
        "{title} hat einen Umfang von etwa {words} Wörtern ({kind}).",
    ),
    annotation_nearest=(
        "Der Frage am nächsten kommt {claim}.",
        "Am nächsten an dem, was gefragt war, liegt {claim}.",
    ),
    annotation_more=(
        "Insgesamt sind oben {count} ihrer Stellen zitiert: {claims}.",
        "Zitiert sind daraus oben {count} Stellen: {claims}.",
    ),
    annotation_only="Sonst stand nichts darin, was zur Frage sprach und sich für sich allein zitieren ließ:"
    " Der Rest wiederholt, hängt an seinem Ort oder handelt von anderem.",
    annotation_found=(
        "Sie fand sich erst, als anders gefragt wurde: {question}",
        "Erst eine andere Fassung der Frage führte zu ihr: {question}",
    ),
    annotation_answers=(
        "Die Quelle belegt {digits} von {asked} gestellten Fragen.",
        "Belege fanden sich darin zu {digits} der {asked} Fragen, die gestellt wurden.",
    ),
    annotation_limit=(
        "Nichts entnommen wurde ihr zu der Frage: {question}",
        "Keine Stelle fand sich darin zu der Frage: {question}",
    ),
    annotation_full=(
        "Zu jeder gestellten Frage fand sich darin eine Stelle.",
        "Keine der gestellten Fragen blieb darin ohne Beleg.",
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
        "Zu {topic} spricht eine Quelle: {title}.",
        "Zu {topic} steht alles Gefundene in {title}.",
        "Nur {title} sagt etwas zu {topic}.",
    ),
    synthesis_many=(
        "Zu {topic} werden {count} Quellen zitiert: {titles}.",
        "{Count} Quellen äußern sich zu {topic}: {titles}.",
        "Zu {topic} finden sich Stellen in {titles}.",
    ),
    introduction=(
        "Dieses Dokument stellt zusammen, was {count} Quellen zum Thema {goal} sagen. Es wurde nach Regeln und ohne "
        "Sprachmodell aus Zitaten gefügt: Jede Aussage zur Sache ist zitiert, mit ihrer Quelle.",
        "Was {count} Quellen zum Thema {goal} sagen, ist hier nach Regeln und ohne Sprachmodell zusammengestellt: Alle "
        "Aussagen zur Sache sind Zitate, jedes mit seiner Quelle.",
    ),
    introduction_one=(
        "Dieses Dokument stellt zusammen, was eine einzige Quelle zum Thema {goal} sagt. Es wurde nach Regeln und ohne "
        "Sprachmodell aus Zitaten gefügt: Jede Aussage zur Sache ist zitiert.",
        "Was eine einzige Quelle zum Thema {goal} sagt, ist hier nach Regeln und ohne Sprachmodell zusammengestellt: Alle "
        "Aussagen zur Sache sind Zitate.",
    ),
    introduction_points=("Der Auftrag nennt diese Punkte: {points}.", "Ausdrücklich gefragt war nach: {points}."),
    introduction_sections=("Die Teile der Reihe nach: {headings}.", "Die Teile sind {headings}."),
    conclusion=(
        "Zum Thema {goal} wurden aus {sources} Quellen Stellen ausgewählt ({digits} insgesamt), die meisten aus {titles}.",
        "Die Suche zum Thema {goal} ergab {digits} ausgewählte Stellen aus {sources} Quellen; die meisten stammen aus "
        "{titles}.",
    ),
    conclusion_one=(
        "Zum Thema {goal} stammen alle ausgewählten Stellen ({digits}) aus einer Quelle, {titles}.",
        "Die Suche zum Thema {goal} ergab nur Stellen aus einer Quelle, {titles} ({digits} insgesamt).",
    ),
    conclusion_gaps=(
        "Gesucht, ohne dass sich eine weitere Stelle fand: {gaps}.",
        "Auf diese Fragen geben die Quellen keine weitere zitierbare Antwort: {gaps}.",
    ),
    conclusion_little=(
        "Nur zum Teil sprechen die Quellen zu: {gaps}.",
        "Von diesen Fragen steht nur ein Teil in den Quellen: {gaps}.",
    ),
    conclusion_none=(
        "Jede Frage, die an die Quellen gestellt wurde, brachte mindestens eine Stelle.",
        "Keine Frage an die Quellen blieb ohne Stelle.",
    ),
    dropped="Eine Aussage wurde weggelassen, weil keine Stelle sie trägt.",
    and_more=" und {count} weitere",
)
