"""Finding passages: full text (BM25) and vectors, fused by rank.

The invariants: the same corpus gives the same order in every database, whatever else is stored beside it (counts are the
corpus's own, ties fall to location and offset, never to a row's number); words of a query are only ever looked up, never
read as query syntax; a text that says what an earlier result said is not shown twice.
"""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Any

from autonomy.core.types import Passage, called
from autonomy.memory.embedding import LEXICAL, Embedder, from_bytes, spelling, to_bytes, to_text
from autonomy.storage.database import Database, Tx
from autonomy.text.language import detect
from autonomy.text.ranking import recall
from autonomy.text.relevance import about
from autonomy.text.words import terms

K1, B = 1.2, 0.75
"""BM25's usual constants."""
FUSION = 60
"""The constant of reciprocal rank fusion."""
PASSING = 0.5
"""What a word that is said only in passing tells, against one that a heading names."""
ELSEWHERE = 0.6
"""What a passage counts that names nothing of what the query is about."""
OPENING = 1.25
"""What the first passage of a document counts, which mostly says what the document is about."""
POOL = 80
"""How many of each ranking are fused."""
_CANDIDATES = 4_000
_LANGUAGES = 6
_REPEAT = 0.8
_QUERY_TERMS = 64
# A chunk of one line under a fitting heading would else win by its shortness.
_SHORTEST = 0.7
# What is less than half as near as the nearest is near by chance.
_LIKENESS = 0.5
# Hashed spellings say little that words have not said: half a vote, and without a common word only when clearly near
# (among 28,000 chunks of manuals, strangers came as near as 0.29).
_SECOND_VOICE = 0.5
_BY_CHANCE = 0.3
# A passage found by one vote stands at about .6 of one found by both; ten ranks are worth .87.
_CLEARLY_WORSE = 0.75
# About fifteen ranks' worth at the top.
_PREFERENCE = 1.25


@dataclass(frozen=True, slots=True)
class Findings:
    """Passages, best first, and the share of the query that the best of them covers (0 to 1, weighted by rarity).

    `weights` say how much a term of the query tells of a matter: its inverse document frequency in these corpora, and the
    share `PASSING` of it where no title and no heading names it; "" has that of a term that stands nowhere in them.
    """

    passages: tuple[Passage, ...]
    coverage: float
    weights: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Field:
    """The chunks that may be found: id -> (language, number of terms)."""

    chunks: Mapping[int, tuple[str, int]]
    mean: float


def search(
    database: Database,
    corpus_ids: Sequence[int],
    query: str,
    *,
    embedder: Embedder,
    language: str | None = None,
    limit: int = 8,
    per_source: int = 3,
) -> list[Passage]:
    """The passages of `find`."""
    found = find(database, corpus_ids, query, embedder=embedder, language=language, limit=limit, per_source=per_source)
    return list(found.passages)


def find(
    database: Database,
    corpus_ids: Sequence[int],
    query: str,
    *,
    embedder: Embedder,
    language: str | None = None,
    limit: int = 8,
    per_source: int = 3,
) -> Findings:
    """The `limit` best passages of the corpora, at most `per_source` of one document unless all else is clearly worse.

    Passages in `language` are preferred, others not left out. A query without a word finds nothing. Raises ProviderError
    when the embedder is a service and fails.
    """
    vector = embedder.embed([query])[0] if query.strip() else ()

    def look(tx: Tx) -> Findings:
        field = _field(tx, corpus_ids)
        wanted = _query_terms(query, field)
        if not field.chunks or not wanted:
            return Findings((), 0.0)
        postings = _postings(tx, corpus_ids, sorted(set().union(*wanted.values())), field)
        weights = _weights(postings, len(field.chunks))
        by_words = _by_words(tx, wanted, postings, weights, field)
        by_vector = _by_vector(tx, corpus_ids, vector, field)
        if embedder.name in LEXICAL:
            by_vector = {id: near for id, near in by_vector.items() if id in by_words or near >= _BY_CHANCE}
        rows = _rows(tx, [*by_words, *by_vector])
        if embedder.name in LEXICAL:
            asked = spelling(terms(query, detect(query)))
            by_vector = {id: near for id, near in by_vector.items() if id in by_words or _alike(asked, rows[id])}
        share = _SECOND_VOICE if embedder.name in LEXICAL else 1.0
        held = _held(rows, about(query, detect(query)), weights)
        ranked = _fuse(rows, language, held, (by_words, 1.0), (by_vector, share))
        chosen = _choose(ranked, limit, per_source)
        coverage = max((_covered(row, wanted, weights) for row, _ in chosen[:5]), default=0.0)
        nowhere = _weights({"": ()}, len(field.chunks))
        topics = _topics(tx, corpus_ids)
        told = {
            word: round(weight * (PASSING if postings.get(word) and word not in topics else 1.0), 4)
            for word, weight in sorted({**nowhere, **weights}.items())
        }
        return Findings(tuple(_passage(row, score) for row, score in chosen), round(coverage, 4), told)

    return database.read(look)


def _among(tx: Tx, column: str, name: str) -> str:
    """SQL that holds where the column is one of a list bound as `_list(...)`; the same text for lists of every length."""
    if tx.dialect.name == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(:{name}))"
    return f"{column} IN (SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:{name} AS json)))"


def _list(numbers: Sequence[int]) -> str:
    return json.dumps(list(numbers))


def _field(tx: Tx, corpus_ids: Sequence[int]) -> _Field:
    rows = tx.tuples(
        f"SELECT id, language, size FROM chunk WHERE {_among(tx, 'corpus_id', 'corpora')}", corpora=_list(corpus_ids)
    )
    chunks = {id: (language, size) for id, language, size in rows}
    return _Field(chunks, sum(size for _, size in chunks.values()) / len(chunks) if chunks else 1.0)


def _query_terms(query: str, field: _Field) -> dict[str, tuple[str, ...]]:
    """The query's terms as each of the commonest languages of the corpus would index them."""
    languages = Counter(language for language, _ in field.chunks.values())
    common = sorted(languages, key=lambda code: (-languages[code], code))[:_LANGUAGES]
    found = {code: tuple(dict.fromkeys(terms(query, code)))[:_QUERY_TERMS] for code in common}
    return {code: words for code, words in found.items() if words}


def _postings(tx: Tx, corpus_ids: Sequence[int], words: Sequence[str], field: _Field) -> dict[str, list[int]]:
    """word -> the chunks that hold it."""
    found: dict[str, list[int]] = {}
    for word in words:
        if tx.dialect.name == "sqlite":
            quoted = '"' + word.replace('"', '""') + '"'
            rows = tx.tuples("SELECT rowid FROM chunk_fts WHERE chunk_fts MATCH :word", word=quoted)
        else:
            rows = tx.tuples(
                "SELECT id FROM chunk WHERE string_to_array(terms, ' ') @> ARRAY[CAST(:word AS text)] "
                f"AND {_among(tx, 'corpus_id', 'corpora')}",
                word=word,
                corpora=_list(corpus_ids),
            )
        found[word] = [id for (id,) in rows if id in field.chunks]
    return found


def _weights(postings: Mapping[str, Sequence[int]], total: int) -> dict[str, float]:
    """How much a word tells: its inverse document frequency."""
    return {word: math.log(1 + (total - len(ids) + 0.5) / (len(ids) + 0.5)) for word, ids in postings.items()}


def _topics(tx: Tx, corpus_ids: Sequence[int]) -> frozenset[str]:
    """The terms of the titles and headings that passages stand under."""
    among = _among(tx, "c.corpus_id", "corpora")
    joined = f"FROM chunk c JOIN document d ON d.id = c.document_id WHERE {among}"
    sql = f"SELECT c.section, c.language {joined} UNION SELECT d.title, c.language {joined}"
    rows = tx.tuples(sql, corpora=_list(corpus_ids))
    return frozenset(word for text, language in rows if text for word in terms(text, language))


def _candidates(postings: Mapping[str, Sequence[int]]) -> list[int]:
    """Chunks worth scoring: those with the rarest words, until there are enough. A word that most hold adds none."""
    chosen: set[int] = set()
    for word in sorted(postings, key=lambda word: (len(postings[word]), word)):
        if chosen and len(chosen) + len(postings[word]) > _CANDIDATES:
            break
        chosen.update(postings[word])
    return sorted(chosen)


def _by_words(
    tx: Tx,
    wanted: Mapping[str, Sequence[str]],
    postings: Mapping[str, Sequence[int]],
    weights: Mapping[str, float],
    field: _Field,
) -> dict[int, float]:
    """Chunk -> BM25 score, of the best `POOL` (more where scores are equal)."""
    rows = tx.tuples(f"SELECT id, terms FROM chunk WHERE {_among(tx, 'id', 'ids')}", ids=_list(_candidates(postings)))
    scores: dict[int, float] = {}
    for id, text in rows:
        language, size = field.chunks[id]
        words = text.split(" ")
        room = K1 * (1 - B + B * max(size / field.mean, _SHORTEST))
        score = 0.0
        for word in wanted.get(language, ()):
            count = words.count(word)
            if count:
                score += weights[word] * count * (K1 + 1) / (count + room)
        if score:
            scores[id] = round(score, 6)
    return _best(scores)


def _best(scores: dict[int, float]) -> dict[int, float]:
    """The `POOL` highest, and all that equal the last of them: a cut between equals would fall to row numbers."""
    if len(scores) <= POOL:
        return scores
    least = sorted(scores.values(), reverse=True)[POOL - 1]
    return {id: score for id, score in scores.items() if score >= least}


def _by_vector(tx: Tx, corpus_ids: Sequence[int], vector: Sequence[float], field: _Field) -> dict[int, float]:
    """Chunk -> cosine similarity, of the best `POOL`; without those that share nothing with the query."""
    if not any(vector):
        return {}
    source = (
        "FROM chunk_vector v JOIN chunk c ON c.document_id = v.document_id AND c.ordinal = v.ordinal "
        f"WHERE {_among(tx, 'v.corpus_id', 'corpora')}"
    )
    corpora = _list(corpus_ids)
    if tx.dialect.name == "postgresql":
        sql = f"SELECT c.id, 1 - (v.vector <=> CAST(:vector AS vector)) {source}"
        rows = tx.tuples(sql, vector=to_text(vector), corpora=corpora)
    elif _has_vectors(tx):
        rows = tx.tuples(
            f"SELECT c.id, 1 - vec_distance_cosine(v.vector, :vector) {source}", vector=to_bytes(vector), corpora=corpora
        )
    else:
        rows = [
            (id, sum(map(mul, vector, from_bytes(data))))
            for id, data in tx.tuples(f"SELECT c.id, v.vector {source}", corpora=corpora)
        ]
    # Rounded first: the last digits differ between databases. A zero vector has no direction: NULL in one, NaN in the other.
    near = {id: round(value, 5) for id, value in rows if id in field.chunks and value is not None}
    least = max(near.values(), default=0.0) * _LIKENESS
    return _best({id: value for id, value in near.items() if value > max(0.0, least)})


def _alike(asked: frozenset[str], row: Mapping[str, Any]) -> bool:
    """Whether a passage has anything of the query's spelling; a vector of hashes may be near without."""
    return not asked.isdisjoint(spelling(row["terms"].split(" ")))


def _has_vectors(tx: Tx) -> bool:
    return bool(tx.value("SELECT count(*) FROM pragma_function_list WHERE name = 'vec_distance_cosine'"))


def _rows(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = tx.rows(
        "SELECT c.id, c.document_id, c.ordinal, c.start_at, c.end_at, c.page, c.section, c.language, c.position, c.text, "
        "c.terms, d.location, d.title, o.root FROM chunk c JOIN document d ON d.id = c.document_id "
        f"JOIN corpus o ON o.id = c.corpus_id WHERE {_among(tx, 'c.id', 'ids')}",
        ids=_list(sorted(set(ids))),
    )
    return {row["id"]: row for row in rows}


def _place(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return row["location"], row["root"], row["start_at"]


def _held(
    rows: Mapping[int, dict[str, Any]], things: Sequence[Sequence[str]], weights: Mapping[str, float]
) -> dict[int, float]:
    """How much a passage counts, `ELSEWHERE` to 1: by what it, its headings and its title hold of what the query is about; more
    where it opens a document on that."""
    counts: dict[int, float] = {}
    for id, row in rows.items():
        words = {*row["terms"].split(" "), *terms(called(row["title"], row["location"]), row["language"])}
        shares = [recall(thing, words, lambda term: weights.get(term, 1.0)) for thing in things]
        counts[id] = ELSEWHERE + (1 - ELSEWHERE) * max(shares, default=1.0)
        if row["ordinal"] == 0 and any(set(thing) <= words for thing in things):
            counts[id] *= OPENING
    return counts


def _fuse(
    rows: Mapping[int, dict[str, Any]],
    language: str | None,
    held: Mapping[int, float],
    *rankings: tuple[Mapping[int, float], float],
) -> list[tuple[dict[str, Any], float]]:
    """Rows by the sum of weight / (60 + rank) over the rankings, times what they hold (`_held`), more in the preferred
    language; equals by place."""
    sums: dict[int, float] = {}
    for ranking, weight in rankings:
        order = sorted((id for id in ranking if id in rows), key=lambda id: (-ranking[id], _place(rows[id])))
        for rank, id in enumerate(order[:POOL], 1):
            preference = _PREFERENCE if rows[id]["language"] == language else 1.0
            sums[id] = sums.get(id, 0.0) + preference * held[id] * weight / (FUSION + rank)
    order = sorted(sums, key=lambda id: (-round(sums[id], 9), _place(rows[id])))
    return [(rows[id], round(sums[id], 6)) for id in order]


def _choose(ranked: Sequence[tuple[dict[str, Any], float]], limit: int, per_source: int) -> list[tuple[dict[str, Any], float]]:
    """The first `limit`, without repeats and with at most `per_source` of one document; more of it only before what is
    clearly worse, since a corpus may hold one document on the matter."""
    chosen: list[tuple[int, tuple[dict[str, Any], float]]] = []
    seen: list[frozenset[tuple[str, str]]] = []
    taken: Counter[str] = Counter()
    waiting: list[int] = []

    def take(place: int) -> None:
        pairs = _pairs(ranked[place][0]["terms"])
        if len(chosen) < limit and not any(_repeats(pairs, other) for other in seen):
            taken[ranked[place][0]["document_id"]] += 1
            seen.append(pairs)
            chosen.append((place, ranked[place]))

    for place, (row, score) in enumerate(ranked):
        while waiting and score < _CLEARLY_WORSE * ranked[waiting[0]][1]:
            take(waiting.pop(0))
        if taken[row["document_id"]] >= per_source:
            waiting.append(place)
        else:
            take(place)
        if len(chosen) >= limit:
            break
    return [found for _, found in sorted(chosen, key=lambda pair: pair[0])]


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    words = text.split(" ")
    return frozenset(itertools.pairwise(words))


def _repeats(pairs: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> bool:
    return bool(pairs) and len(pairs & other) >= _REPEAT * len(pairs)


def _covered(row: Mapping[str, Any], wanted: Mapping[str, Sequence[str]], weights: Mapping[str, float]) -> float:
    """The share of the query's weight that the passage and its headings hold."""
    words = wanted.get(row["language"], ())
    total = sum(weights[word] for word in words)
    held = set(row["terms"].split(" "))
    return sum(weights[word] for word in words if word in held) / total if total else 0.0


def _passage(row: Mapping[str, Any], score: float) -> Passage:
    return Passage(
        id=f"{row['document_id']}.{row['ordinal']}",
        source=row["document_id"],
        title=row["title"],
        text=row["text"],
        start=row["start_at"],
        end=row["end_at"],
        file=row["location"],
        section=row["section"],
        page=row["page"],
        language=row["language"],
        position=row["position"],
        score=score,
    )
