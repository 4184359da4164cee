"""Is a passage about what was asked? By the asked words' weight that passage and headings hold, or by a whole thing of them.

A word weighs its inverse document frequency in the corpus, so that one common word ("shared", "file"), or one that a corpus
uses in another sense ("exceptions are handled"), carries nothing by itself. Measured on manuals: from .5 on passages stay
with their question (own headings .9, foreign ones mostly below).

Where the whole corpus is about the thing, its name weighs little. A thing is a run of neighbouring content words of the
question ("idempotency keys"): a passage that names it whole, under a heading or title that names it whole, is about it. So is
all under a heading, or in a document, whose name begins with the thing ("Heron manual"), where its bare name is asked for.

A word that stands nowhere in the corpus cannot be held by any passage. Where it is part of a thing ("shared
vision") or says where or whose a thing is ("leases in Roman law") it weighs most; elsewhere ("how do banks use leases") it
asks for nothing. And whatever else a passage holds, what the question is about (`_head`) has to be named. A passage that
names it and another thing of the question whole speaks to the question, however much else that asks for.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from autonomy.text.claims import says_what
from autonomy.text.everyday import is_everyday
from autonomy.text.fitting import asks, fits
from autonomy.text.ranking import recall
from autonomy.text.stopwords import is_carrier, is_stop_word
from autonomy.text.words import terms, tokens

ENOUGH = 0.5
LEAST_THING = 0.25
"""The share of a question's weight below which a thing in it is not what it asks for."""
LIGHT = 0.3
"""What an everyday word weighs of its rarity, where others stand beside it."""
_STRICT = frozenset({"reason", "limit", "figure", "condition"})
"""Questions whose answers have a form that can be told."""
LONE = 0.4
"""The most that one word of a longer name counts ("library" of "shared libraries"), where it alone stands."""
_SAME = 1.0
_NEAR = 0.85
"""From this share of the rarest one's weight on, a thing is as much the first thing asked for as that one."""
_COMMON = 1 / 3
"""Below this share of its owner's rarity a thing is one that the whole corpus speaks of."""
_FEW = 2
_WHEN = re.compile(r"\b(?:when|if|while|until|after|before|because|that)\s+(?:an?|the|one|each)\s+", re.IGNORECASE)
_WORD = re.compile(r"[^\W_](?:[\w'’-]*\w)?")
_CLAUSE = 120
_STEM = 5
_JOINED = re.compile(r"[\s\-\u2010/]*")
_LISTED = re.compile(r"\s*,?\s*(?:(?:and|or)\s+)?(?:(?:an?|the)\s+)?", re.IGNORECASE)
_DONE = {"en": re.compile(r"\w+ed"), "de": re.compile(r"ge\w+(?:t|en)"), "es": re.compile(r"\w+[ai]d[oa]s?")}
"""Participles."""
_SCOPES = {
    code: frozenset(words.split())
    for code, words in {
        "en": "in of for with on at under from between by about against inside within during among across to",
        "de": "in im von vom für mit durch auf an am unter aus zwischen bei beim über gegen innerhalb während zu zum zur",
        "es": "en de del para con sobre bajo desde entre por contra dentro durante",
        "fr": "dans en de du des pour avec sur sous depuis entre par contre pendant chez",
    }.items()
}
"""Prepositions: what stands behind one says where, whose or for whom the thing before it is."""
_MEANS = frozenset({"with", "by", "mit", "durch", "con", "avec"})
"""Of them those that name a means, which is as much asked for as what it serves."""
_WHOSE = {"en": ("of",), "de": ("von", "vom")}
_ACTING = re.compile(r"\b(?:do|does|did|can|could|should|must|may|might|will|would)\s+(?:an?\s+|the\s+)?", re.IGNORECASE)
"""What stands before the one who acts, in an English question."""
_CLAUSE_OPENS = re.compile(r"\s*(?:how|why|when|where|whether)\s+(?!to\b)", re.IGNORECASE)
"""How an English clause begins that tells what a thing does ("how leases expire")."""
_AGAINST = frozenset({"instead", "than", "versus", "vs"})
"""What stands behind one of these is held against what stands before it, and is a name whatever word it is."""
_DIFFER = {
    "en": re.compile(r"\b(?:differ(?:s|ences?)?(?:\s+between)?|compar\w+)\b", re.IGNORECASE),
    "de": re.compile(r"\b(?:unterschied\w*(?:\s+zwischen)?|unterscheid\w+|vergleich\w*)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:diferenci\w+(?:\s+entre)?|compar\w+)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(?:différen\w+(?:\s+entre)?|compar\w+)\b", re.IGNORECASE),
}
_OR = {
    "en": re.compile(r"\b(?:instead\s+of|rather\s+than|versus|vs|than|or)\b", re.IGNORECASE),
    "de": re.compile(r"\b(?:anstatt|anstelle|statt|oder|als)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:en\s+(?:lugar|vez)\s+de|o)\b", re.IGNORECASE),
    "fr": re.compile(r"\b(?:au\s+lieu|plutôt\s+que|ou)\b", re.IGNORECASE),
}
"""What a question holds that asks how things differ, and what stands between two of which one is to be chosen."""
_BEING = frozenset({"be", "been", "being", "have", "had", "has", "not"})
_FORMS = re.compile(
    r"approach(?:es)?|basics|concepts?|fundamentals|handling|issues?|logic|management|mechanisms?|methods?|patterns?|polic(?:y|ies)|scheduling"
    r"|storms?|strateg(?:y|ies)|techniques?|usage"
)
"""Words behind the name of a thing that only say in which form one meets it ("retry storms")."""
_TWINS = {"en": (("human", "person", "people"), ("humans", "persons", "people"))}
"""Everyday names for one another; the first, where it stands nowhere, is read as the others."""

Thing = tuple[str, ...]


@dataclass(slots=True)
class Run:
    """Neighbouring words with their terms; `after` is the preposition before them, if there is one. A run of everyday words
    is `light`, and so is a verb. `acts` says that it begins with the one who acts, `too` that it is the next member of a
    list, `does` that it is a verb and no everyday word."""

    after: str = ""
    light: bool = False
    acts: bool = False
    too: bool = False
    does: bool = False
    words: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def terms(self) -> Thing:
        """The terms in order."""
        return tuple(term for _, found in self.words for term in found)


@dataclass(frozen=True, slots=True)
class Aim:
    """What one question asks for: its terms that the goal knows, and the things that they name.

    `light` are those of its terms that are everyday words. `needed` are things of each of which a passage must name
    one, with the headings and the title above it; `beside` the others, where each of them stands in the corpus. `asked` are
    terms of the `question` for what it wants to know of the things needed; `does` those that are telling verbs.
    """

    terms: tuple[str, ...]
    light: frozenset[str] = frozenset()
    things: tuple[Thing, ...] = ()
    needed: tuple[tuple[Thing, ...], ...] = ()
    beside: tuple[Thing, ...] = ()
    question: str = ""
    asked: frozenset[str] = frozenset()
    does: frozenset[str] = frozenset()

    def taken_up(self, passage: str, held: Set[str], language: str) -> bool:
        """Whether a passage that holds these terms, with its heading, says what is asked of the thing, or what it is."""
        if not self.asked or not held.isdisjoint(self.asked):
            return True
        return self.told_what(passage, language)

    def told_what(self, passage: str, language: str) -> bool:
        """Whether a passage says what the thing is that the question is about."""
        return bool(self.does) and says_what(passage, itertools.chain.from_iterable(self.needed), language)

    def is_named(self, headings: Sequence[str], title: str, language: str) -> bool:
        """Whether the aim is the bare name of a thing ("leases"; "what is a lease?" asks more), and heading, title or file name
        begin with it."""
        thing = tuple(terms(self.question, language))
        if self.things != (thing,) or self.question.rstrip().endswith(("?", "？")):
            return False
        name, _, file = title.partition("\n")
        return any(tuple(terms(text, language)[: len(thing)]) == thing for text in (*headings, name, file.rpartition("/")[2]))


@dataclass(frozen=True, slots=True)
class Relevance:
    """The aims of a goal, with the weights of their terms (a term without one is in no passage found and weighs most; where ""
    has a weight, all terms of just that weight stand nowhere in the corpus)."""

    aims: tuple[Aim, ...]
    language: str
    weights: Mapping[str, float] = field(default_factory=dict)

    def of(self, passage: str, headings: Sequence[str] = (), title: str = "", language: str = "", *, within: str = "") -> float:
        """The share for the aim that is served best, 0 to 1; 1 where nothing is asked. What is about a thing has enough.

        `headings` are those above the passage, the nearest first; `within` is the text it stands in. Passage or nearest
        heading must hold a term of the aim, unless the document is named after it; what only its title holds counts half.
        """
        spoken = language or self.language
        near = set(terms(within, spoken)) if within else set()
        own, over = set(terms(passage, spoken)), set(terms(" ".join(headings[:1]), spoken))
        around = own.union(over, terms(" ".join(headings[1:]), spoken))
        named = set(terms(title, spoken))
        best = 0.0 if self.aims else 1.0
        for aim in self.aims:
            bears = aim.is_named(headings[:1], title, spoken)
            if bears or (own | over).intersection(aim.terms) - aim.light:
                about = bears or self._about(aim, own, over, named) or self._beside(aim, own, near)
                about = about or aim.told_what(passage, spoken)
                share = max(self._share(aim, own if _strange(own, over) else around, around, named), ENOUGH if about else 0.0)
                # A whole document that is named after what is done ("Retries") is about whoever does it.
                about_it = self._names(aim, around | named) or not named.isdisjoint(aim.does)
                apt = about_it and self._answers(aim, passage, own | over, headings, spoken)
                best = max(best, share if apt else min(share, LONE))
        return best

    def _answers(self, aim: Aim, passage: str, own: set[str], headings: Sequence[str], spoken: str) -> bool:
        """Whether the passage has the form of an answer, or takes up what is asked of the thing, where that can be told."""
        told = bool(aim.does) or asks(aim.question, self.language) in _STRICT
        if not aim.needed or not told or (aim.asked and aim.taken_up(passage, own, spoken)):
            return True
        return fits(" ".join((passage, *headings[:1])), aim.question, spoken)

    def _share(self, aim: Aim, near: set[str], around: set[str], named: set[str]) -> float:
        """What is `near` counts whole, what else stands `around` or is named by the title half."""
        whole = around | named
        share = recall(aim.terms, near, self._weigh(aim))
        share += 0.5 * (recall(aim.terms, whole, self._weigh(aim)) - share)
        return round(min(share, LONE if _lone(aim, whole) else 1.0), 4)

    def _about(self, aim: Aim, own: set[str], heading: set[str], title: set[str]) -> bool:
        """Whether heading or title name things that weigh enough of the aim, and the passage names one of them."""
        over = [thing for thing in aim.things if heading >= set(thing) or title >= set(thing)]
        weight = recall(aim.terms, (term for thing in over for term in thing), self._weigh(aim))
        # "The breaker opens" under "Circuit breakers".
        short = any(thing[-1] in own and heading >= set(thing) for thing in over)
        return weight >= LEAST_THING and (short or any(own >= set(thing) for thing in over))

    def _beside(self, aim: Aim, own: set[str], near: set[str]) -> bool:
        """Whether the passage names another thing that is asked for beside what the question is about; where it names that
        itself, the other may stand in the text around it."""
        held = own | near if self._names(aim, own) else own
        return any(held >= set(thing) for thing in aim.beside)

    def _names(self, aim: Aim, whole: set[str]) -> bool:
        """Whether the things that cannot be left out are named: of each at least half of its weight."""
        weigh = self._weigh(aim)
        return all(any(recall(thing, whole, weigh) >= ENOUGH for thing in either) for either in aim.needed)

    def _weigh(self, aim: Aim) -> Callable[[str], float]:
        return lambda term: _weight(term, self.weights) * (LIGHT if term in aim.light else 1.0)


def _strange(own: set[str], heading: set[str]) -> bool:
    """Whether a passage takes up no word of its heading, which may then be about something else; longer forms count."""
    stems = [term for term in heading if len(term) >= _STEM]
    return bool(heading) and not own & heading and not any(term.startswith(stem) for stem in stems for term in own)


def _weight(term: str, weights: Mapping[str, float]) -> float:
    return weights.get(term, max(weights.values(), default=_SAME))


def _nowhere(term: str, weights: Mapping[str, float]) -> bool:
    return "" in weights and weights.get(term) == weights[""]


def relevance(
    questions: Sequence[str],
    known: Collection[str],
    language: str,
    weights: Mapping[str, float],
    others: Iterable[str] = (),
) -> Relevance:
    """The aims of `questions`: of each its terms that are `known` to the goal, or all where none is.

    `others` are questions asked in other words: one that only gives another name to a thing ("abort" for "cancel", but no
    everyday word) is an aim as well; one that leaves words out is none, since what it finds must still speak to the whole
    question.
    """
    asked = [tuple(dict.fromkeys(terms(question, language))) for question in questions]
    goal = set(known)
    spoken = goal.union(*asked)
    found = [_aim(question, language, goal, weights) for question in questions]
    # What leaves out a word that stands nowhere would find what the whole question has ruled out.
    barred = [set(aim.terms) for aim in found if any(_nowhere(term, weights) for term in aim.terms)]
    whole = [not any(set(aim.terms) < other for other in barred) for aim in found]
    found, asked = list(itertools.compress(found, whole)), list(itertools.compress(asked, whole))
    whole_questions = list(itertools.compress(questions, whole))
    found += [_aim(*twin, weights) for question in questions for twin in _twins(question, language, goal, weights)]
    for other in others:
        words = tuple(dict.fromkeys(terms(other, language)))
        for question, base in zip(whole_questions, asked, strict=True):
            new, gone = set(words) - set(base), set(base) - set(words)
            other_name = len(new) == len(gone) == 1 and gone <= goal - light(question, language)
            told = other_name and not any(_nowhere(term, weights) for term in new)
            if told and not new <= spoken and not new <= light(other, language) and len(base) >= _FEW:
                found.append(_aim(_renamed(question, gone, other, new, language), language, goal | new, weights))
    return Relevance(tuple(aim for aim in dict.fromkeys(found) if aim.terms), language, dict(weights))


def _renamed(question: str, gone: set[str], other: str, new: set[str], language: str) -> str:
    """The question with the word of `other` that has the new term in place of its own word with the term that is gone."""
    name = next(other[start:end] for start, end in tokens(other) if set(terms(other[start:end], language)) & new)
    start, end = next(span for span in tokens(question) if set(terms(question[slice(*span)], language)) & gone)
    return question[:start] + name + question[end:]


def subject(question: str, language: str) -> tuple[str, ...]:
    """The terms of a question less those that questions of any subject are put with; all where there are no others."""
    words = tuple(dict.fromkeys(terms(question, language)))
    return tuple(dict.fromkeys(term for run in _runs(question, language, words, {}) for term in run.terms)) or words


def light(question: str, language: str) -> frozenset[str]:
    """The terms of a question that are everyday words beside what it asks for; a telling verb is none."""
    return _light(_runs(question, language, set(terms(question, language)), {}))


def _light(runs: Iterable[Run]) -> frozenset[str]:
    runs = list(runs)
    solid = {term for run in runs if not run.light for term in run.terms}
    return frozenset(term for run in runs if run.light and not run.does for term in run.terms if term not in solid)


def things(question: str, language: str) -> tuple[Thing, ...]:
    """The things that a question names, each as its terms: "context managers" is one of two terms."""
    found = [run.terms for run in _runs(question, language, set(terms(question, language)), {}) if not run.light]
    return tuple(dict.fromkeys(found))


def about(question: str, language: str) -> tuple[Thing, ...]:
    """What a question is about: things of which a passage that answers it names one; () where nobody can tell."""
    return next(iter(_aim(question, language, set(terms(question, language)), {}).needed), ())


def sides(question: str, language: str) -> tuple[Thing, ...]:
    """The things that a question holds against one another; () where it compares nothing.

    >>> sides("When should I use threads instead of processes?", "en")
    (('thread',), ('process',))
    """
    differ, between = _DIFFER.get(language), _OR.get(language)
    if differ and differ.search(question):
        found = things(differ.sub(" , ", question), language)
    else:
        at = between.search(question) if between else None
        # Behind "than" any word is a name.
        other = f"than {question[at.end() :]}" if at else ""
        found = (*things(question[: at.start()], language)[-1:], *things(other, language)[:1]) if at else ()
    return found if len(found) > 1 else ()


def names(question: str, language: str, known: Set[str] = frozenset()) -> tuple[str, ...]:
    """The things that a question names, as it writes them, less one who acts and is none of the `known` terms."""
    acted = [question[match.end() :] for match in _ACTING.finditer(question)] if language == "en" else []
    found: dict[str, None] = {}
    for run in _runs(question, language, set(terms(question, language)), {}):
        written = re.search(r"\W+".join(re.escape(word) for word, _ in run.words), question, re.IGNORECASE)
        if written and not run.light:
            found[written[0]] = None
    others = [
        name
        for name in found
        if not known or known & set(terms(name, language)) or not any(rest.startswith(name) for rest in acted)
    ]
    return tuple(others or found)


def _twins(question: str, language: str, goal: set[str], weights: Mapping[str, float]) -> Iterable[tuple[str, str, set[str]]]:
    """The question with another everyday name for what stands nowhere under its own, with its language and known terms."""
    for name, *others in _TWINS.get(language, ()):
        if _nowhere("".join(terms(name, language)), weights):
            for other in others:
                renamed, times = re.subn(rf"\b{name}\b", other, question, flags=re.IGNORECASE)
                if times:
                    yield renamed, language, goal.union(terms(other, language))


def _aim(question: str, language: str, goal: Collection[str], weights: Mapping[str, float]) -> Aim:
    words = tuple(dict.fromkeys(terms(question, language)))
    every = _runs(question, language, goal, weights)
    runs = [run for run in every if _asks(run, every, weights)] if language in _SCOPES else every
    runs = runs or every
    told = tuple(dict.fromkeys(term for run in runs for term in run.terms))
    solid = [run for run in runs if not run.light]
    # Where a thing is to be found that stands nowhere, a name of one word may be that of another thing: "queues at airports".
    elsewhere = any(_says_where(run) and _missing(run, weights) for run in solid)
    things = tuple(thing for thing in dict.fromkeys(_thing(run, language) for run in solid) if len(thing) > elsewhere)
    needed = _needed(runs, question, language, weights) if language in _SCOPES else ()
    heads = {term for either in needed for thing in either for term in thing}
    return Aim(
        told or tuple(term for term in words if term in goal) or words,
        _light(runs),
        things,
        needed,
        tuple(thing for thing in things if heads and heads.isdisjoint(thing)),
        question,
        frozenset(term for run in every for term in run.terms if not _nowhere(term, weights)) - heads,
        frozenset(term for run in every if run.does for term in run.terms),
    )


def _says_where(run: Run) -> bool:
    """Whether a run says where or whose a thing is; "from blocking" and "with retries" do not."""
    return bool(run.after) and run.after not in _MEANS and not (len(run.words) == 1 and run.words[0][0].endswith("ing"))


def _missing(run: Run, weights: Mapping[str, float]) -> bool:
    return all(_nowhere(term, weights) for term in run.terms)


def _asks(run: Run, every: Sequence[Run], weights: Mapping[str, float]) -> bool:
    """Whether a run asks for something. What stands nowhere asks for nothing, unless it belongs to a thing, says where one
    is, or is of most of what is asked: then the whole question is about something else."""
    if not _missing(run, weights):
        return True
    solid = [other for other in every if not other.light]
    strange = sum(_missing(other, weights) for other in solid)
    return not run.light and (bool(run.after) or strange * 2 > len(solid))


def _needed(runs: Sequence[Run], question: str, language: str, weights: Mapping[str, float]) -> tuple[tuple[Thing, ...], ...]:
    """What the question is about, and of whom."""
    solid = [run for run in runs if not run.light]
    size = next((i for i, run in enumerate(solid) if i and run.after and run.after not in _MEANS), len(solid))
    either = _subjects(runs, question, language, weights) or _rarest(solid[:size], weights)
    of = tuple(_placed(run, weights) for run in solid[size : size + 1] if run.after in _WHOSE.get(language, ()))
    if of and _rarity(either, weights) < _COMMON * _rarity(of, weights):
        # "The files of www-data": where all speak of files, a passage on www-data need not say so.
        either = ()
    return tuple(things for things in (either, of, _measured(runs, weights)) if things)


def _measured(runs: Sequence[Run], weights: Mapping[str, float]) -> tuple[Thing, ...]:
    """What is asked for of the one who acts: "memory" of "how much memory does the program need"."""
    acting = next((i for i, run in enumerate(runs) if run.acts), 0)
    return tuple(_placed(run, weights) for run in runs[:acting][:1] if not run.light and not _missing(run, weights))


def _subjects(runs: Sequence[Run], question: str, language: str, weights: Mapping[str, float]) -> tuple[Thing, ...]:
    """What an English question says or asks that something does: "leases" and "locks" of "how do leases and locks differ"."""
    if language != "en":
        return ()
    first = next((i for i, run in enumerate(runs) if run.acts), None)
    if first is None and _CLAUSE_OPENS.match(question):
        first = next((i for i, run in enumerate(runs) if not run.light), None)
    if first is None or runs[first].light or _missing(runs[first], weights):
        return ()
    end = next((i for i, run in enumerate(runs) if i > first and not run.too), len(runs))
    return tuple(_placed(run, weights) for run in runs[first:end])


def _rarest(runs: Sequence[Run], weights: Mapping[str, float]) -> tuple[Thing, ...]:
    """Of several things those that are about as rare as the rarest one."""
    heads = [_placed(run, weights) for run in [run for run in runs if not _missing(run, weights)] or runs]
    rarity = [max(_weight(term, weights) for term in head) for head in heads]
    return tuple(head for head, rare in zip(heads, rarity, strict=True) if rare >= _NEAR * max(rarity))


def _rarity(things: Iterable[Thing], weights: Mapping[str, float]) -> float:
    return max((_weight(term, weights) for thing in things for term in thing), default=0.0)


def _placed(run: Run, weights: Mapping[str, float]) -> Thing:
    """The terms of a run that stand somewhere in the corpus; all where none does."""
    return tuple(term for term in run.terms if not _nowhere(term, weights)) or run.terms


def _runs(question: str, language: str, goal: Collection[str], weights: Mapping[str, float]) -> list[Run]:
    """Neighbouring words that the goal knows, broken by function words, marks, carriers (save in "long-running"), and around
    everyday words, unless nothing else is asked."""
    runs = _pieces(question, language, goal, weights, everyday=True)
    if all(run.light for run in runs):
        runs = _pieces(question, language, goal, weights, everyday=False)
    return runs


def _pieces(question: str, language: str, goal: Collection[str], weights: Mapping[str, float], *, everyday: bool) -> list[Run]:
    runs: list[Run] = []
    scopes = _SCOPES.get(language, frozenset())
    acted = {match.end() for match in _ACTING.finditer(question)} if language == "en" else set()
    verbs = set(_verbs(question)) if language == "en" and everyday else set()
    last, before, after = -1, 0, ""
    for start, end in tokens(question):
        word = question[start:end].lower()
        known = tuple(term for term in terms(word, language) if term in goal)
        compound = "-" in question[max(0, start - 1) : start] + question[end : end + 1]
        nowhere = bool(known) and all(_nowhere(term, weights) for term in known)
        actor, against = start in acted, after in _AGAINST
        form = language == "en" and last >= 0 and nowhere and bool(_FORMS.fullmatch(word))
        if not known or form or (is_carrier(word, language) and not compound and not against):
            last, after = -1, (word if (word in scopes and not against) or word in _AGAINST else after)
            continue
        if everyday and not against and (start in verbs or is_everyday(question, start, end, language)):
            runs.append(Run(after, light=True, does=start in verbs, words=[(word, known)]))
            last = -1
            continue
        if last < 0 or not _JOINED.fullmatch(question[last:start]):
            runs.append(Run(after, acts=actor, too=bool(_LISTED.fullmatch(question[before:start]))))
        runs[-1].words.append((word, known))
        before = end
        last, after = -1 if actor and nowhere else end, ""
    return runs


def _verbs(question: str) -> Iterable[int]:
    """Where verbs stand that are no everyday words, in an English question with an auxiliary ("how does logging propagate
    between loggers") and in a clause ("when a worker crashes"): at the end of what comes before the next function word. By
    its ending it must be one: behind an auxiliary without -s, behind one thing with it."""
    for match in itertools.chain(_ACTING.finditer(question), _WHEN.finditer(question)):
        words: list[int] = []
        for found in _WORD.finditer(question, match.end(), match.end() + _CLAUSE):
            if is_stop_word(found[0].lower(), "en"):
                if found[0].lower() in _BEING:
                    words.clear()
                break
            if is_everyday(question, found.start(), found.end(), "en"):
                words.clear()
                break
            words.append(found.start())
        if len(words) > 1 and _ends_as_verb(question, words[-1], auxiliary=match.re is _ACTING):
            yield words[-1]


def _ends_as_verb(question: str, start: int, *, auxiliary: bool) -> bool:
    found = _WORD.match(question, start)
    word = found[0].lower() if found else ""
    return word.endswith("s") and not word.endswith("ss") if not auxiliary else not word.endswith("s") or word.endswith("ss")


def _thing(run: Run, language: str) -> Thing:
    """What a run names: it less the participle at its end, which says what is done to it ("files are locked")."""
    done = _DONE.get(language)
    named = run.words[:-1] if done and done.fullmatch(run.words[-1][0]) else run.words
    return tuple(term for _, found in named for term in found)


def _lone(aim: Aim, held: set[str]) -> bool:
    """Whether a single word of a longer name is all that stands of what was asked."""
    words = held.intersection(aim.terms)
    names = [thing for thing in aim.things if words.intersection(thing)]
    return len(words) == 1 and bool(names) and all(len(name) > 1 for name in names)
