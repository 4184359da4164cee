"""Is a passage about what was asked? The share of the asked words' weight that the passage and its headings hold.

A word weighs its inverse document frequency in the corpus, so that one common word ("shared", "file"), or one that a corpus
uses in another sense ("exceptions are handled"), carries nothing by itself. Measured on manuals: from .5 on passages stay
with their question (own headings .9, foreign ones mostly below).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autonomy.text.ranking import recall
from autonomy.text.words import terms

ENOUGH = 0.5
_SAME = 1.0
_FEW = 2


@dataclass(frozen=True, slots=True)
class Aim:
    """What one question asks for: its terms that the goal knows."""

    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relevance:
    """The aims of a goal, with the weights of their terms (a term without one is in no passage found and weighs most)."""

    aims: tuple[Aim, ...]
    language: str
    weights: Mapping[str, float] = field(default_factory=dict)

    def of(self, passage: str, headings: Sequence[str] = (), title: str = "", language: str = "") -> float:
        """The share for the aim that is served best, 0 to 1; 1 where nothing is asked.

        `headings` are those above the passage, the nearest first. Passage or nearest heading must hold a term of the aim;
        what only the whole document's title holds counts half.
        """
        spoken = language or self.language
        near = set(terms(" ".join((passage, *headings[:1])), spoken))
        around = near.union(terms(" ".join(headings[1:]), spoken))
        whole = around.union(terms(title, spoken))
        served = (self._share(aim, around, whole) for aim in self.aims if near.intersection(aim.terms))
        return max(served, default=0.0 if self.aims else 1.0)

    def _share(self, aim: Aim, around: set[str], whole: set[str]) -> float:
        share = recall(aim.terms, around, self._weight)
        return round(share + 0.5 * (recall(aim.terms, whole, self._weight) - share), 4)

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
    found = [tuple(term for term in words if term in goal) or words for words in asked]
    for other in others:
        words = tuple(dict.fromkeys(terms(other, language)))
        for base in asked:
            new, gone = set(words) - set(base), set(base) - set(words)
            if len(new) == len(gone) == 1 and gone <= goal and not new <= spoken and len(base) >= _FEW:
                renamed = tuple(term for term in words if term in goal or term in new)
                found.append(renamed)
    return Relevance(tuple(Aim(words) for words in dict.fromkeys(found) if words), language, dict(weights))
