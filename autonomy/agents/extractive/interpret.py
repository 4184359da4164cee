"""The goal becomes a brief: language, title, content terms, and one to eight questions that the corpus can be asked.

Questions come from the goal's own points first, then from its subject (what it is, how it works, where it ends), then from
those headings of the corpus that share its words. Each can be searched as it stands and read as a line of a report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autonomy.agents.extractive.asked import closed, is_clause
from autonomy.agents.extractive.goal import Goal, read_goal, title_of
from autonomy.agents.extractive.headings import clean_heading, telling
from autonomy.agents.roles import Brief, Overview
from autonomy.core.types import TaskSpec
from autonomy.text.language import detect, is_cjk
from autonomy.text.ranking import document_frequency, idf, recall
from autonomy.text.relevance import about, light, names, subject, things
from autonomy.text.stopwords import is_stop_word
from autonomy.text.words import terms

MOST = 8
LEAST = 3
MOST_HEADINGS = 3
CLAUSE = 0.5
"""Share of a question's words that a heading must hold to be asked as well."""
SMALL = 50
"""Documents; up to here a word in a heading names one thing."""
_FACETS = {
    "en": ("What {be} {s}?", "How {do} {s} work?", "What are the limits of {s}?"),
    "de": ("{S}: Was ist das?", "{S}: Wie funktioniert das?", "{S}: Wo liegen die Grenzen?"),
    "es": ("{S}: ¿qué es?", "{S}: ¿cómo funciona?", "{S}: ¿qué límites tiene?"),
    "fr": ("{S} : qu'est-ce que c'est ?", "{S} : comment cela marche ?", "{S} : quelles limites ?"),
    "ja": ("{s}とは何か", "{s}の仕組み", "{s}の制限"),
    "zh": ("{s}是什么", "{s}的原理", "{s}的限制"),
}
_ONE = {"de": ("Was ist {a}{s}?", ("ein ", "eine ")), "es": ("¿Qué es {a}{s}?", ("un ", "una "))}
"""What asks for one thing, with the articles that need no other form for it."""
_COMPARISON = {
    "en": "How do {a} and {b} differ?",
    "de": "{A} und {b}: Worin liegt der Unterschied?",
    "es": "{A} y {b}: ¿en qué se diferencian?",
    "fr": "{A} et {b} : quelles différences ?",
    "ja": "{a}と{b}の違い",
    "zh": "{a}与{b}的区别",
}
_PLURAL = re.compile(r"[^su]s$", re.IGNORECASE)
_SCOPE = re.compile(
    r"\s(?:in|of|for|with|on|at|under|from|inside|within|im|für|bei|unter|en|para|con|dans|pour|avec|sous)\s", re.IGNORECASE
)
_TOLD = re.compile(
    r"(?:[\w'’-]+\s+){1,4}?(?!(?:across|besides|minus|plus|towards|versus|vs)\b)(\w{3,}[^s\W]s)\s+(?:the|an?|its|their|all|every|each|no)\s",
    re.IGNORECASE,
)
"""A verb in -s between what may be its subject and a determiner: in a noun phrase a preposition or "and" stands before one."""
_PREPOSITION = re.compile(r"\s(?:in|of|for|with|on|at|under|from|to|by|between|using|inside|within)\s", re.IGNORECASE)


def interpret(task: TaskSpec, overview: Overview) -> Brief:
    """The brief of a task, for a corpus of which only titles and headings are known."""
    fallback = overview.languages[0] if overview.languages else "en"
    language = task.language or detect(task.goal, default=fallback)
    goal = read_goal(task.goal, language)
    headings = _near_headings(goal, overview, language)
    questions = _questions(goal, headings, language, _named(overview, language))
    wanted = dict.fromkeys(terms(" ".join((goal.subject, *goal.points)), language))
    return Brief(
        title=title_of(goal, language),
        language=language,
        subject=goal.subject,
        terms=tuple(wanted) or tuple(dict.fromkeys(terms(task.goal, language))),
        questions=questions,
        must_cover=goal.points,
    )


def asked_words(question: str, language: str) -> str:
    """The question less the wording of its facet, where that would be searched as if it were a word of the subject."""
    forms = _FACETS.get(language, ()) if is_cjk(language) else ()
    for form in forms:
        ending = form.removeprefix("{s}")
        if question.endswith(ending) and len(question) > len(ending):
            return question.removesuffix(ending)
    return question


def _named(overview: Overview, language: str) -> frozenset[str]:
    """The words in titles and headings of a small corpus: a point that is named there is found by its own name. In a large
    one the same name stands for many things, and the subject has to narrow it."""
    if overview.documents > SMALL:
        return frozenset()
    return frozenset(terms(" ".join((*overview.titles, *overview.headings)), language))


def _questions(goal: Goal, headings: Sequence[str], language: str, named: frozenset[str]) -> tuple[str, ...]:
    facets = _facets(goal, language)
    points = [
        _upper(point) if set(terms(point, language)) <= named else _scoped(point, goal.subject, language)
        for point in goal.points
    ]
    if _states(goal.subject, language):
        facets = [_upper(goal.subject)]
    elif is_clause(goal.subject, language):
        facets = [closed(goal.subject, language), *_limits(goal.subject, language, named)]
    elif goal.compared:
        a, b = ", ".join(goal.compared[:-1]), goal.compared[-1]
        form = _COMPARISON.get(language, _COMPARISON["en"])
        facets = [form.format(a=a, b=b, A=_upper(a))]
    elif len(points) > 2 and _is_list(goal, language):
        facets = []
    definition, rest = facets[:1], facets[1:]
    if goal.questions:
        definition, points, rest = list(goal.questions), [], []
    ordered = [*definition, *_apart(points, language), *headings[:MOST_HEADINGS]][:MOST]
    # Facets of the same subject find the same passages: they only fill up what the goal left open.
    ordered += rest[: max(0, LEAST - len(ordered))]
    return tuple(dict.fromkeys(ordered)) or (_upper(goal.subject),)


def _states(subject: str, language: str) -> bool:
    """Whether an English subject is a statement ("a lease holds the job"), of which nobody asks what it is or how it works."""
    told = _TOLD.match(subject) if language == "en" else None
    return told is not None and not is_stop_word(told[1].lower(), language)


def _limits(question: str, language: str, known: frozenset[str]) -> list[str]:
    """Of an English question about one thing, the question where that thing ends."""
    found = names(question, language, known) if language == "en" else ()
    one = len(found) == 1 and things(found[0], language) == about(question, language)
    return [_facet(_FACETS["en"][-1], found[0], language)] if one else []


def _apart(questions: Sequence[str], language: str) -> list[str]:
    """The questions less those whose content words another one holds as well: they would find the same, only vaguer."""
    words = [set(terms(question, language)) for question in questions]
    return [
        question
        for i, question in enumerate(questions)
        if not any(words[i] < other or (words[i] == other and j < i) for j, other in enumerate(words) if j != i)
    ]


def _facet_words(language: str) -> set[str]:
    """The words that questions of every subject share ("work", "limits"): they make no other question."""
    return set(terms(re.sub(r"\{\w+\}", " ", " ".join(_FACETS.get(language, ()))), language))


def _is_list(goal: Goal, language: str) -> bool:
    """Whether the subject is nothing but its points."""
    return set(terms(goal.subject, language)) <= set(terms(" ".join(goal.points), language))


def _facets(goal: Goal, language: str) -> list[str]:
    """What the thing is, how it works, where it ends; of an aspect ("risks of pickle for security") what its thing's are."""
    forms = _FACETS.get(language, _FACETS["en"])
    one, articles = _ONE.get(language, ("", ()))
    if goal.article in articles:
        forms = (one.format(a=goal.article, s="{s}"), *forms[1:])
    if not goal.aspect:
        return [_facet(form, goal.subject, language, goal.article) for form in forms]
    thing = _SCOPE.split(goal.subject[len(goal.aspect) :], maxsplit=1)[0]
    asked = goal.subject[:1].lower() + goal.subject[1:]
    return [
        _facet(forms[0], asked, language, "the "),
        *(_facet(form, thing, language) for form in forms[1:]),
    ]


def _facet(form: str, subject: str, language: str, article: str = "") -> str:
    plural = language == "en" and _plural(subject)
    return form.format(
        s=(article if language == "en" else "") + subject,
        S=_upper(subject),
        be="are" if plural else "is",
        do="do" if plural else "does",
    )


def _plural(subject: str) -> bool:
    """Whether the head of an English noun phrase (what stands before the first preposition) is a plural."""
    head = _PREPOSITION.split(subject, maxsplit=1)[0].split()
    return bool(head) and (" and " in subject or bool(_PLURAL.search(head[-1]))) and not head[-1].lower().endswith("ics")


def _scoped(point: str, subject: str, language: str) -> str:
    """A point as a question of its own: with the subject's scope ("in asyncio") when it does not name it itself."""
    if set(terms(point, language)) & set(terms(subject, language)):
        first = terms(point, language)
        if (
            len(first) == 1
            and _PREPOSITION.search(subject) is None
            and len(terms(subject, language)) > 3
            and "," not in subject
            and not is_clause(subject, language)
        ):
            # "task cancellation and timeouts": what stands before the first member belongs to both.
            return f"{_upper(subject)}: {point}"
        scope = _PREPOSITION.search(subject) if language == "en" else None
        tail = subject[scope.start() :] if scope and scope[0].strip() != "between" else ""
        missing = set(terms(tail, language)) - set(terms(point, language))
        return _upper(point + tail if missing and len(terms(point, language)) < 3 else point)
    if language in ("ja", "zh"):
        return f"{subject}：{point}"
    return f"{_upper(subject)}: {point}"


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _near_headings(goal: Goal, overview: Overview, language: str) -> list[str]:
    """Headings and titles of the corpus that share the goal's weightiest words, best first."""
    asked = list(dict.fromkeys(terms(" ".join((goal.subject, *goal.points)), language)))
    told = set(subject(f"{goal.subject} {' '.join(goal.points)}", language))
    core = told & set(terms(_SCOPE.split(goal.subject[len(goal.aspect) :], maxsplit=1)[0], language)) or told
    pool = list(dict.fromkeys(clean_heading(text) for text in overview.headings))
    pool = [text for text in pool if telling(text, language) and " — " not in text]
    vectors = [terms(text, language) for text in pool]
    weight = idf(document_frequency(vectors), len(vectors))
    known = set(asked)
    # "SSL contexts" shares a word with "context manager" and is another thing.
    named = [set(thing) for text in (goal.subject, *goal.points) for thing in things(text, language)]
    # A question is about all that it names: what a heading shares with it must be most of that.
    clause = is_clause(goal.subject, language) and not goal.points
    solid = [term for term in asked if term in told and term not in light(goal.subject, language)]
    scored: list[tuple[float, int, str]] = []
    for place, (text, vector) in enumerate(zip(pool, vectors, strict=True)):
        share = recall(asked, vector, weight)
        own = sum(term in known for term in vector) / max(1, len(vector))
        if clause and recall(solid, vector, weight) < CLAUSE:
            continue
        if share * own >= 0.15 and any(thing & core and thing <= set(vector) for thing in named):
            scored.append((-round(share + 0.5 * own, 6), place, text))
    # A heading without a word of its own would search the same again, only vaguer.
    common = _facet_words(language)
    taken = [known]
    chosen: list[str] = []
    for _, _, text in sorted(scored):
        words = set(terms(text, language)) - common
        if not any(words <= other for other in taken):
            chosen.append(text)
            taken.append(words)
    return _apart(chosen, language)
