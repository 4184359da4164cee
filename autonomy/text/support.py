"""Does a quote carry a sentence? By rule, without understanding: all that can be counted must agree.

The rule refuses what recall alone cannot see: a changed number, an added "not", "may" turned into "must". What it lets
pass shares most content words with the quote and contradicts none of the countable things.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autonomy.text.claims import names, negations, numbers, strength
from autonomy.text.markers import marks
from autonomy.text.normal import fold, locate
from autonomy.text.ranking import recall
from autonomy.text.words import fold_word, terms, tokens

ENOUGH = 0.5
DOUBTFUL = 0.3


@dataclass(frozen=True, slots=True)
class Support:
    """The figures of one sentence against its quotes; `missing` are numbers and names that no quote holds."""

    verbatim: bool
    recall: float
    missing: tuple[str, ...]
    parity: bool
    stronger: bool

    @property
    def carried(self) -> bool:
        """Whether the rule lets the sentence stand."""
        return self.verbatim or (self.recall >= ENOUGH and not self.missing and self.parity and not self.stronger)

    @property
    def reason(self) -> str:
        """The first figure that speaks against it, in a line."""
        if self.verbatim:
            return "the quote's own words"
        if self.missing:
            return "not in the quote: " + ", ".join(self.missing[:4])
        if not self.parity:
            return "denies what the quote says, or the other way round"
        if self.stronger:
            return "says it more strongly than the quote"
        return f"{self.recall:.2f} of the content words stand in the quote"


def support(sentence: str, quotes: Sequence[str], language: str, weight: Callable[[str], float] | None = None) -> Support:
    """Hold a sentence against the quotes it cites. `weight` is the idf of a term; without it all terms weigh the same."""
    together = "\n\n".join(quotes)
    have_words = {fold_word(together[a:b]) for a, b in tokens(together)}
    return Support(
        verbatim=_verbatim(sentence, quotes, language),
        recall=recall(terms(sentence, language), terms(together, language), weight or (lambda term: 1.0)),
        missing=(*_missing_numbers(sentence, together, language), *_missing_names(sentence, together, have_words, language)),
        parity=_parity(sentence, quotes, language),
        stronger=_stronger(sentence, together, language),
    )


def _verbatim(sentence: str, quotes: Sequence[str], language: str) -> bool:
    """Whether the sentence only introduces a whole quote, or stands itself whole in one.

    "It is wrong that" before a quote holds it as well, so what stands around the quote must deny nothing.
    """
    bare = fold(sentence).strip(" \"'*_.")
    for quote in filter(str.strip, quotes):
        place = locate(quote, sentence)
        if place and not negations(f"{sentence[: place[0]]} {sentence[place[1] :]}", language):
            return True
        if len(bare) > 20 and locate(bare, quote):
            return True
    return False


def _missing_numbers(sentence: str, quote: str, language: str) -> tuple[str, ...]:
    have = numbers(quote, language)
    return tuple(sorted(number for number in numbers(sentence, language) if number not in have))


def _missing_names(sentence: str, quote: str, have: set[str], language: str) -> tuple[str, ...]:
    lower = fold(quote).lower()
    lost = []
    for name in sorted(names(sentence, language)):
        words = {fold_word(name[a:b]) for a, b in tokens(name)}
        if fold(name) not in lower and not words <= have:
            lost.append(name)
    return tuple(lost)


def _parity(sentence: str, quotes: Sequence[str], language: str) -> bool:
    """Denials agree with the quotes together, or with one of them."""
    wanted = negations(sentence, language) % 2
    counts = [negations(quote, language) for quote in quotes]
    return sum(counts) % 2 == wanted or any(count % 2 == wanted for count in counts)


def _stronger(sentence: str, quote: str, language: str) -> bool:
    """A higher modal than the quote has, or a plain statement of what the quote only thinks possible."""
    said, held = strength(sentence, language), strength(quote, language)
    lost_hedge = bool(marks("hedge", quote, language)) and not marks("hedge", sentence, language) and held <= 1
    return said > held or (said == 0 and lost_hedge)
