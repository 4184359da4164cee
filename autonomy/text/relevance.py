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

    def of(self, passage: str, *headings: str, language: str = "") -> float:
        """The share for the aim that is served best, 0 to 1; 1 where nothing is asked. The passage itself must hold a term.

        `headings` are the titles and headings that the passage stands under.
        """
        return max((self.share(aim, passage, *headings, language=language) for aim in self.aims), default=1.0)

    def share(self, aim: Aim, passage: str, *headings: str, language: str = "") -> float:
        """The share for one aim."""
        spoken = language or self.language
        own = set(terms(passage, spoken))
        near = set(terms(headings[0], spoken)) if headings else set()
        if not (own | near) & set(aim.terms):
            return 0.0
        around = own.union(near, *(terms(text, spoken) for text in headings[1:]))
        return round(recall(aim.terms, around, self._weight), 4)

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
    found = [tuple(term for term in words if term in goal) or words for words in asked]
    for other in others:
        words = tuple(dict.fromkeys(terms(other, language)))
        for base in asked:
            new, gone = set(words) - set(base), set(base) - set(words)
            if len(new) == len(gone) == 1 and gone <= goal and len(base) >= _FEW:
                found.append(tuple(term for term in words if term in goal or term in new))
    return Relevance(tuple(Aim(words) for words in dict.fromkeys(found) if words), language, dict(weights))
