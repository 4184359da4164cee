"""Does a sentence have the form of an answer? "Why" is answered by a ground, "how much" by a figure, "when" by a condition.

What is asked is read from the question's first words. A question that asks in none of these ways fits every sentence alike.
"""

from __future__ import annotations

import re

from autonomy.text.claims import numbers

_FLAGS = re.IGNORECASE | re.VERBOSE
_ASKED: dict[str, dict[str, str]] = {
    "en": {
        "reason": r"why\b | (?:what|which)\ (?:is|are|was|were)\ the\ (?:reasons?|causes?)\b",
        "limit": r".*\bwhere\ (?:do|does|did|can)\b.*\b(?:fail|end|stop|break)\b",
        "figure": r"how\ (?:much|many|long|often|big|large|fast|far|small)\b",
        "condition": r"when\b | should\b | is\ it\ (?:better|worth)\b",
        "way": r"how\ (?:to | (?:do|can|could|should|would|must|may)\ (?:i|we|you|one|people|they|someone))\b",
        "working": r"how\ (?!to\b)\w+",
    },
    "de": {
        "reason": r"(?:warum|weshalb|wieso|wozu)\b",
        "figure": r"wie\ (?:viele?|lange|oft|groß|schnell|weit)\b",
        "condition": r"(?:wann|soll\w*)\b",
        "way": r"wie\ (?:\w+\ (?:ich|wir|man|du|sie)\b | kann\b | lässt\b | lassen\b)",
        "working": r"wie\b",
    },
    "es": {
        "reason": r"¿?por\ qué\b",
        "figure": r"¿?cuánt\w+",
        "condition": r"¿?(?:cuándo|deb\w+|conviene)\b",
        "way": r"¿?cómo\b",
    },
    "fr": {
        "reason": r"pourquoi\b",
        "figure": r"combien\b",
        "condition": r"(?:quand|faut-il|doit-on)\b",
        "way": r"comment\b",
    },
}
_HELD: dict[str, dict[str, str]] = {
    "en": {
        "reason": r"because | since | so\ that | in\ order\ to | due\ to | reasons? | avoids? | prevents? | otherwise | would"
        r" | to\ (?:avoid|prevent|ensure|keep|allow|help|make)",
        "limit": r"fail\w* | limit\w* | cannot | can['’]t | unable | never | undetect\w+ | miss(?:es|ed)? | except | unless"
        r" | drawbacks? | risks? | do(?:es)?\ not | do(?:es)?n['’]t",
        "condition": r"if | when | whenever | unless | should | recommended | useful | suited | suitable | prefer\w* | best"
        r" | better | needs? | likely | benefits? | designed | intended | meant | goals? | purpose",
        "way": r"you\ (?:can|may|must|should|need) | use[sd]? | using | by\ \w+ing | run | pass | set | options? | command"
        r" | supports? | allows? | lets | to\ \w+,",
        "working": r"by\ \w+ing | using | uses? | then | first | based\ on | according\ to | when | each | performs?"
        r" | consists? | works?",
    },
    "de": {
        "reason": r"weil | da | denn | damit | deshalb | daher | um\ .{3,60}\ zu | grund | gründe | verhinder\w+ | vermeide\w+",
        "condition": r"wenn | falls | sobald | sollte\w* | empfohlen | empfiehlt | besser | lohnt | nur | eignet",
        "way": r"k(?:ann|önnen) | m(?:uss|üssen) | soll\w* | mit | verwende\w* | benutz\w+ | nutzen | indem | befehl | mittels",
        "working": r"indem | durch | dann | zuerst | anhand | wenn | jeweils | mittels | besteht | funktionier\w+",
    },
    "es": {
        "reason": r"porque | ya\ que | pues | para\ (?:que|evitar) | debido | razón | evita\w* | impide\w*",
        "condition": r"si | cuando | debería\w* | recomienda\w* | recomendable | mejor | conviene | útil | solo | sólo",
        "way": r"puede\w* | debe\w* | use | usar | usando | utiliz\w+ | mediante | con | orden | comando",
    },
    "fr": {
        "reason": r"parce\ que | car | afin | puisque | pour\ (?:éviter|que) | raisons? | empêche\w* | évite\w*",
        "condition": r"si | lorsque | quand | devrai\w+ | recommand\w+ | conseill\w+ | mieux | utile | seulement",
        "way": r"pouve[zr] | peut | peuvent | devez | doit | faut | utilis\w+ | avec | en\ \w+ant | commande",
    },
}
_ASKS = {code: {kind: re.compile(form, _FLAGS) for kind, form in forms.items()} for code, forms in _ASKED.items()}
_HOLDS = {
    code: {kind: re.compile(rf"(?<!\w)(?:{form})(?!\w)", _FLAGS) for kind, form in forms.items()}
    for code, forms in _HELD.items()
}


def asks(question: str, language: str) -> str:
    """reason, limit, figure, condition, way or working; "" for a question of another kind or in a language without a list."""
    return next((kind for kind, form in _ASKS.get(language, {}).items() if form.match(question.strip())), "")


def fits(sentence: str, question: str, language: str) -> bool:
    """Whether the sentence holds what answers to the question have.

    >>> fits("The log is synced because a crash may come at any time.", "Why is the log synced?", "en")
    True
    """
    kind = asks(question, language)
    if kind == "figure":
        return bool(numbers(sentence, language))
    held = _HOLDS.get(language, {}).get(kind)
    return bool(held and held.search(sentence))
