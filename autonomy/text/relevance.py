"""Is a passage about what was asked? By the asked words' weight that passage and headings hold, or by a whole thing of them.

A word weighs its inverse document frequency in the corpus, so that one common word ("shared", "file"), or one that a corpus
uses in another sense ("exceptions are handled"), carries nothing by itself. Measured on manuals: from .5 on passages stay
with their question (own headings .9, foreign ones mostly below).

Where the whole corpus is about the thing, its name weighs little. A thing is a run of neighbouring content words of the
question ("idempotency keys"): a passage that names it whole, under a heading or title that names it whole, is about it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autonomy.text.ranking import recall
from autonomy.text.stopwords import is_carrier
from autonomy.text.words import terms, tokens

ENOUGH = 0.5
LEAST_THING = 0.25
"""The share of a question's weight below which a thing in it is not what it asks for."""
LONE = 0.4
"""The most that one word of a longer name counts ("library" of "shared libraries"), where it alone stands."""
_SAME = 1.0
_FEW = 2
_JOINED = re.compile(r"[\s\-\u2010/]*")
_DONE = {"en": re.compile(r"\w+ed"), "de": re.compile(r"ge\w+(?:t|en)"), "es": re.compile(r"\w+[ai]d[oa]s?")}
"""Participles."""

Thing = tuple[str, ...]
Run = list[tuple[str, tuple[str, ...]]]
"""Words with their terms."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What one question asks for: its terms that the goal knows, and the things that they name."""

    terms: tuple[str, ...]
    things: tuple[Thing, ...] = ()


@dataclass(frozen=True, slots=True)
class Relevance:
    """The aims of a goal, with the weights of their terms (a term without one is in no passage found and weighs most)."""

    aims: tuple[Aim, ...]
    language: str
    weights: Mapping[str, float] = field(default_factory=dict)

    def of(self, passage: str, headings: Sequence[str] = (), title: str = "", language: str = "") -> float:
        """The share for the aim that is served best, 0 to 1; 1 where nothing is asked. What is about a thing has enough.

        `headings` are those above the passage, the nearest first. Passage or nearest heading must hold a term of the aim;
        what only the whole document's title holds counts half.
        """
        spoken = language or self.language
        own, over = set(terms(passage, spoken)), set(terms(" ".join(headings[:1]), spoken))
        around = own.union(over, terms(" ".join(headings[1:]), spoken))
        named = set(terms(title, spoken))
        best = 0.0 if self.aims else 1.0
        for aim in self.aims:
            if (own | over).intersection(aim.terms):
                about = self._about(aim, own, over, named)
                best = max(best, self._share(aim, around, around | named), ENOUGH if about else 0.0)
        return best

    def _share(self, aim: Aim, around: set[str], whole: set[str]) -> float:
        share = recall(aim.terms, around, self._weight)
        share += 0.5 * (recall(aim.terms, whole, self._weight) - share)
        return round(min(share, LONE if _lone(aim, whole) else 1.0), 4)

    def _about(self, aim: Aim, own: set[str], heading: set[str], title: set[str]) -> bool:
        """Whether heading or title name things that weigh enough of the aim, and the passage names one of them."""
        over = [thing for thing in aim.things if heading >= set(thing) or title >= set(thing)]
        weight = recall(aim.terms, (term for thing in over for term in thing), self._weight)
        return weight >= LEAST_THING and any(own >= set(thing) for thing in over)

    def _weight(self, term: str) -> float:
        return self.weights.get(term, max(self.weights.values(), default=_SAME))


def relevance(
    questions: Sequence[str],
    known: Collection[str],
    language: str,
    weights: Mapping[str, float],
    others: Iterable[str] = (),
) -> Relevance:
    """The aims of `questions`: of each its terms that are `known` to the goal, or all where none is.

    `others` are questions asked in other words: one that only gives another name to a thing ("abort" for "cancel") is an
    aim as well; one that leaves words out is none, since what it finds must still speak to the whole question.
    """
    asked = [tuple(dict.fromkeys(terms(question, language))) for question in questions]
    goal = set(known)
    spoken = goal.union(*asked)
    found = [_aim(question, language, goal) for question in questions]
    for other in others:
        words = tuple(dict.fromkeys(terms(other, language)))
        for base in asked:
            new, gone = set(words) - set(base), set(base) - set(words)
            if len(new) == len(gone) == 1 and gone <= goal and not new <= spoken and len(base) >= _FEW:
                found.append(_aim(other, language, goal | new))
    return Relevance(tuple(aim for aim in dict.fromkeys(found) if aim.terms), language, dict(weights))


def subject(question: str, language: str) -> tuple[str, ...]:
    """The terms of a question less those that questions of any subject are put with; all where there are no others."""
    words = tuple(dict.fromkeys(terms(question, language)))
    runs = _runs(question, language, words)
    return tuple(dict.fromkeys(term for run in runs for _, found in run for term in found)) or words


def _aim(question: str, language: str, goal: Collection[str]) -> Aim:
    words = tuple(dict.fromkeys(terms(question, language)))
    runs = _runs(question, language, goal)
    told = tuple(dict.fromkeys(term for run in runs for _, found in run for term in found))
    things = dict.fromkeys(_thing(run, language) for run in runs)
    return Aim(told or tuple(term for term in words if term in goal) or words, tuple(thing for thing in things if thing))


def _runs(question: str, language: str, goal: Collection[str]) -> list[Run]:
    """Neighbouring words that the goal knows, broken by function words, marks and carriers (save in "long-running")."""
    runs: list[Run] = []
    last = -1
    for start, end in tokens(question):
        word = question[start:end].lower()
        known = tuple(term for term in terms(word, language) if term in goal)
        compound = "-" in question[max(0, start - 1) : start] + question[end : end + 1]
        if not known or (is_carrier(word, language) and not compound):
            last = -1
            continue
        if last < 0 or not _JOINED.fullmatch(question[last:start]):
            runs.append([])
        runs[-1].append((word, known))
        last = end
    return runs


def _thing(run: Run, language: str) -> Thing:
    """What a run names: it less the participle at its end, which says what is done to it ("files are locked")."""
    done = _DONE.get(language)
    named = run[:-1] if done and done.fullmatch(run[-1][0]) else run
    return tuple(term for _, found in named for term in found)


def _lone(aim: Aim, held: set[str]) -> bool:
    """Whether a single word of a longer name is all that stands of what was asked."""
    words = held.intersection(aim.terms)
    names = [thing for thing in aim.things if words.intersection(thing)]
    return len(words) == 1 and bool(names) and all(len(name) > 1 for name in names)
