"""Ranking by counting: BM25, tf-idf, centroid, position, maximal marginal relevance, and repeats.

Every function is pure and its ties are broken by order of appearance, so that the same texts give the same ranking on
every machine. Figures are the measured ones: k1 1.2, b .75, centroid of the top 30 % of terms, MMR .7, repeats from .6.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise

Vector = Mapping[str, float]
REPEAT = 0.6


def document_frequency(documents: Iterable[Sequence[str]]) -> Counter[str]:
    """In how many of the documents (term lists) each term stands."""
    counts: Counter[str] = Counter()
    for document in documents:
        counts.update(dict.fromkeys(document, 1))
    return counts


def idf(frequency: Mapping[str, int], documents: int) -> Callable[[str], float]:
    """The weight of a term: log(1 + (N - n + .5) / (n + .5)), always above 0; an unknown term weighs most."""

    def weight(term: str) -> float:
        n = frequency.get(term, 0)
        return math.log(1 + (documents - n + 0.5) / (n + 0.5))

    return weight


def bm25(query: Sequence[str], documents: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75) -> list[float]:
    """One score per document (term list), 0 where no term of the query stands."""
    weight = idf(document_frequency(documents), len(documents))
    average = sum(map(len, documents)) / max(1, len(documents)) or 1.0
    wanted = list(dict.fromkeys(query))
    scores: list[float] = []
    for document in documents:
        counts = Counter(document)
        base = k1 * (1 - b + b * len(document) / average)
        scores.append(sum(weight(t) * counts[t] * (k1 + 1) / (counts[t] + base) for t in wanted if counts[t]))
    return scores


def tf_idf(terms: Sequence[str], weight: Callable[[str], float]) -> dict[str, float]:
    """A vector with (1 + log tf) x idf per term."""
    return {term: (1 + math.log(count)) * weight(term) for term, count in Counter(terms).items()}


def cosine(a: Vector, b: Vector) -> float:
    """Likeness of two vectors, 0 to 1."""
    small, large = (a, b) if len(a) <= len(b) else (b, a)
    dot = sum(value * large[term] for term, value in small.items() if term in large)
    norm = math.sqrt(sum(v * v for v in a.values()) * sum(v * v for v in b.values()))
    return dot / norm if norm else 0.0


def centroid(vectors: Sequence[Vector], share: float = 0.3) -> dict[str, float]:
    """The mean vector, cut to the given share of its heaviest terms."""
    total: dict[str, float] = {}
    for vector in vectors:
        for term, value in vector.items():
            total[term] = total.get(term, 0.0) + value / len(vectors)
    kept = max(1, round(len(total) * share))
    return dict(sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))[:kept])


def scaled(values: Sequence[float]) -> list[float]:
    """The values stretched to 0 to 1 by their maximum; all 0 where none is above 0."""
    top = max(values, default=0.0)
    return [value / top if top > 0 else 0.0 for value in values]


def position(section: int, paragraph: int, sentence: int) -> float:
    """What a place promises (all count from 0): 1 for the first sentence of the first paragraph, less behind it."""
    return 1 / ((1 + 0.3 * section) * (1 + 0.35 * paragraph) * (1 + 0.25 * sentence))


def recall(wanted: Iterable[str], have: Iterable[str], weight: Callable[[str], float]) -> float:
    """The idf-weighted share of the wanted terms that are had, 0 to 1; 1 when nothing is wanted."""
    asked = dict.fromkeys(wanted)
    total = sum(weight(term) for term in asked)
    got = set(have)
    return sum(weight(term) for term in asked if term in got) / total if total else 1.0


def pairs(terms: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Neighbouring terms; the fingerprint that `containment` compares."""
    return frozenset(pairwise(terms))


def containment(a: frozenset[tuple[str, str]], b: frozenset[tuple[str, str]]) -> float:
    """The share of the smaller fingerprint that stands in the other, 0 to 1; from `REPEAT` on it is a repeat."""
    small, large = (a, b) if len(a) <= len(b) else (b, a)
    return len(small & large) / len(small) if small else 0.0


def diverse(scores: Sequence[float], vectors: Sequence[Vector], limit: int, balance: float = 0.7) -> list[int]:
    """Indices by maximal marginal relevance: `balance` x score - (1 - balance) x likeness to what is already chosen."""
    left = list(range(len(scores)))
    nearest = [0.0] * len(scores)
    chosen: list[int] = []
    while left and len(chosen) < limit:
        best = max(left, key=lambda i: (balance * scores[i] - (1 - balance) * nearest[i], -i))
        left.remove(best)
        chosen.append(best)
        for i in left:
            nearest[i] = max(nearest[i], cosine(vectors[i], vectors[best]))
    return chosen
