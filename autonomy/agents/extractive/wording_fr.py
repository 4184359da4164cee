"""The player's own words in French; see `phrases` for what the forms and placeholders mean."""

from __future__ import annotations

from autonomy.agents.extractive.phrases import Wording

FRENCH = Wording(
    quotes=("«\u00a0", "\u00a0»"),
    joint=" et ",
    thousands="\u202f",
    numerals=("aucune", "une", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze"),
    kinds={
        "text/html": "page web",
        "application/pdf": "document PDF",
        "text/markdown": "document Markdown",
        "text/plain": "fichier texte",
        "": "document",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document Word",
    },
    section_claim="{count} passages de {sources} sources sur {heading}",
    opens_one=(
        "Est citée ici la source {title}.",
        "Cette partie cite {title}.",
        "Les citations de cette partie viennent de {title}.",
    ),
    opens_many=(
        "Sur ce point, {count} sources sont citées : {titles}.",
        "Les citations de cette partie viennent de {titles}.",
        "Cette partie repose sur {titles}.",
    ),
    plain=("On y lit :", "Il y est dit :", "Voilà ce qui s'y lit :"),
    new_source=(
        "{title} dit, sous {section} :",
        "Sous {section}, {title} l'exprime ainsi :",
        "Dans {title}, sous {section}, on lit :",
        "Selon {title}, partie {section} :",
        "De {title}, sous {section} :",
        "Sous {section}, {title} affirme :",
    ),
    new_source_bare=(
        "{title} dit :",
        "{title} l'exprime ainsi :",
        "Dans {title}, on lit :",
        "De {title} :",
        "{title} affirme :",
    ),
    other_section=("Sous {section}, on y lit :", "La partie {section} dit :", "Dans le même document, sous {section} :"),
    same_section=(
        "On y lit encore :",
        "La même partie ajoute :",
        "Au même endroit :",
        "On y lit aussi :",
    ),
    same_source=(
        "On y lit encore :",
        "Le même document ajoute :",
        "On y lit aussi :",
        "Et dans le même document :",
    ),
    differ=(
        "Sur ce point, {titles} ne s'accordent pas sur un chiffre ou une négation ; les deux sont cités ici.",
        "Ici, {titles} diffèrent par un chiffre ou une négation.",
    ),
    annotation=(
        "{title} ({kind}, environ {words} mots) a parmi ses titres : {headings}.",
        "Étendue : environ {words} mots ({kind}) ; parmi ses titres : {headings}.",
    ),
    annotation_bare=("{title} est un texte d'environ {words} mots ({kind}).",),
    annotation_nearest=(
        "De ce qui en est cité, {claim} a été jugé le plus proche de la question.",
        "Parmi ses citations, {claim} a été jugé le plus proche de la question.",
    ),
    annotation_more=(
        "Elle est citée plus haut dans {count} affirmations : {claims}.",
        "Des affirmations plus haut, {count} la citent : {claims}.",
    ),
    annotation_only="Ce qui en est cité se lit mot pour mot dans les affirmations plus haut, chaque citation avec son "
    "lieu ; le reste n'a pas été trouvé par les questions posées ou n'a pas été retenu.",
    annotation_answers=("Questions dont parlent ses citations : {digits} sur {asked}.",),
    annotation_limit=(
        "Rien n'en a été retenu sur la question : {question}",
        "Aucun passage n'y répond à la question : {question}",
    ),
    shared=(
        "{Count} sources portent ce point : {titles}.",
        "Le même point se lit dans {titles}.",
        "Cela est porté par {titles}.",
    ),
    shared_differ=("Ici, {titles} parlent de la même chose, mais diffèrent par un chiffre ou une négation.",),
    question_topic="la question {question}",
    synthesis_one=(
        "Sur {topic}, {title} est cité ici.",
        "Les citations sur {topic} viennent ici de {title}.",
    ),
    synthesis_many=(
        "Sur {topic}, {count} sources sont citées : {titles}.",
        "On lit des passages sur {topic} dans {titles}.",
    ),
    introduction=(
        "Ce document cite {count} sources sur le sujet {goal}. Il a été composé par règles et sans modèle de "
        "langue, y compris les phrases entre les citations.",
    ),
    introduction_one=(
        "Ce document cite une source sur le sujet {goal}. Il a été composé par règles et sans modèle de "
        "langue, y compris les phrases entre les citations.",
    ),
    introduction_points=("La demande nomme ces points : {points}.", "Demandé en particulier : {points}."),
    introduction_sections=("Les titres des parties : {headings}.", "Les parties ont pour titres {headings}."),
    conclusion=("Sur le sujet {goal}, {digits} passages de {sources} sources sont cités plus haut, la plupart de {titles}.",),
    conclusion_one=("Ce qui est cité plus haut sur le sujet {goal} vient de {titles} (citations : {digits}).",),
    conclusion_gaps=("Aucune citation n'a été trouvée pour : {gaps}.",),
    conclusion_little=("Aucun passage des sources ne couvre la moitié de l'une de ces questions : {gaps}.",),
    conclusion_little_one=("Aucun passage des sources ne couvre la moitié de cette question : {gaps}.",),
    dropped="Une affirmation a été omise, car aucun passage ne la porte.",
    and_more=" et {count} autres",
)
