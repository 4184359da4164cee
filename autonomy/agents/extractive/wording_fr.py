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
        "Une seule source traite ce point : {title}.",
        "Seul {title} en parle.",
        "Tout ce qui a été trouvé sur ce point se lit dans {title}.",
        "Cette partie repose sur {title}.",
    ),
    opens_many=(
        "{Count} sources traitent ce point : {titles}.",
        "Les citations de cette partie viennent de {titles}.",
        "Sur ce point, {count} sources sont citées : {titles}.",
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
    same_section=("Et plus loin :", "La même partie ajoute :", "Au même endroit :", "On y lit aussi :"),
    same_source=("Et plus loin :", "Le même document ajoute :", "On y lit aussi :", "Et dans le même document :"),
    differ=(
        "Sur ce point, {titles} ne s'accordent pas sur un chiffre ou une négation ; les deux sont cités ici.",
        "Ici, {titles} diffèrent par un chiffre ou une négation.",
    ),
    annotation=(
        "{title} ({kind}, environ {words} mots) traite surtout de {headings}.",
        "Étendue : environ {words} mots ({kind}) ; les parties principales sont {headings}.",
    ),
    annotation_bare=("{title} est un texte d'environ {words} mots ({kind}).",),
    annotation_nearest=(
        "Le plus proche de la question est {claim}.",
        "C'est {claim} qui répond de plus près à la question.",
    ),
    annotation_more=(
        "En tout, {count} de ses passages sont cités plus haut : {claims}.",
        "De ses passages, {count} sont cités plus haut : {claims}.",
    ),
    annotation_only="Rien d'autre n'y répondait à la question tout en pouvant être cité seul :"
    " le reste se répète, dépend de son contexte ou traite d'autre chose.",
    annotation_found=("Elle n'est apparue qu'en posant la question autrement : {question}",),
    annotation_answers=("Elle apporte des passages pour {digits} des {asked} questions posées.",),
    annotation_limit=(
        "Rien n'en a été retenu sur la question : {question}",
        "Aucun passage n'y répond à la question : {question}",
    ),
    annotation_full=("Elle apporte un passage pour chaque question posée.",),
    shared=(
        "{Count} sources portent ce point : {titles}.",
        "Le même point se lit dans {titles}.",
        "Cela est porté par {titles}.",
    ),
    shared_differ=("Ici, {titles} parlent de la même chose, mais diffèrent par un chiffre ou une négation.",),
    question_topic="la question {question}",
    synthesis_one=(
        "Sur {topic}, une seule source parle : {title}.",
        "Tout ce qui a été trouvé sur {topic} se lit dans {title}.",
    ),
    synthesis_many=(
        "Sur {topic}, {count} sources sont citées : {titles}.",
        "On lit des passages sur {topic} dans {titles}.",
    ),
    introduction=(
        "Ce document réunit ce que {count} sources disent sur le sujet {goal}. Il a été composé de citations, par règles et "
        "sans "
        "modèle de langue : toute affirmation sur le fond est une citation, avec sa source.",
    ),
    introduction_one=(
        "Ce document réunit ce qu'une seule source dit sur le sujet {goal}. Il a été composé de citations, par règles et sans "
        "modèle de langue : toute affirmation sur le fond est une citation.",
    ),
    introduction_points=("La demande nomme ces points : {points}.", "Demandé en particulier : {points}."),
    introduction_sections=("Les parties dans l'ordre : {headings}.", "Les parties sont {headings}."),
    conclusion=("Sur le sujet {goal}, {digits} passages ont été retenus de {sources} sources, la plupart de {titles}.",),
    conclusion_one=("Sur le sujet {goal}, tous les passages retenus ({digits}) viennent d'une seule source, {titles}.",),
    conclusion_gaps=("Cherché, sans autre passage que ceux ci-dessus : {gaps}.",),
    conclusion_little=("Les sources ne répondent qu'en partie à : {gaps}.",),
    conclusion_none=("Chaque question posée aux sources a donné au moins un passage.",),
    dropped="Une affirmation a été omise, car aucun passage ne la porte.",
    and_more=" et {count} autres",
)
