"""Vectors of texts: the port, and the embedded maker that needs no model and no network.

`hash-384` is lexical, not semantic: it finds spellings that are near, not meanings. Vectors of different makers are never
compared: a corpus belongs to one embedder, by name.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from autonomy.text.language import detect
from autonomy.text.words import fold_word, terms

LEXICAL = frozenset(("hash-384",))
"""Names of embedders that compare spellings only."""


class Embedder(Protocol):
    """Makes vectors. `name` is stored with the corpus: vectors of two names never meet."""

    @property
    def name(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """One vector per text, in order, all of one length. Raises ProviderError when a service fails."""
        ...


class HashEmbedder:
    """Feature hashing of words, word pairs and four-letter pieces into 384 signed sums, scaled to unit length."""

    name = "hash-384"
    dim = 384

    def embed(self, texts: Sequence[str]) -> list[array[float]]:
        """Never fails; a text without words is the zero vector."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> array[float]:
        sums = [0.0] * self.dim
        words = terms(text, detect(text[:_SAMPLE]))
        for word, count in Counter(words).items():
            share = 1 + math.log(count)  # a word said ten times is not ten times the matter
            for place, weight in _features(word):
                sums[place] += weight * share
        for before, word in itertools.pairwise(words):
            place, weight = _hashed(f"{before} {word}")
            sums[place] += weight
        length = math.hypot(*sums)
        return array("f", [value / length for value in sums] if length else sums)


_PIECE_WEIGHT = 0.35
_SAMPLE = 600


def _hashed(feature: str, weight: float = 1.0) -> tuple[int, float]:
    """(place, signed weight). CRC-32, because Python's own hash of a text differs between processes."""
    number = zlib.crc32(feature.encode("utf-8"))
    return (number >> 1) % HashEmbedder.dim, weight if number & 1 else -weight


@lru_cache(maxsize=65_536)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """A word's own place and those of its four-letter pieces."""
    return (_hashed(word), *(_hashed(piece, _PIECE_WEIGHT) for piece in sorted(_pieces(word))))


def _pieces(word: str) -> set[str]:
    bounded = f"<{fold_word(word)}>"
    return {bounded[i : i + 4] for i in range(len(bounded) - 3)} if re.search(r"[a-zа-я]", bounded) else set()


def spelling(words: Iterable[str]) -> frozenset[str]:
    """The words and their pieces: texts that share none of them are near by a collision of hashes alone."""
    return frozenset(itertools.chain.from_iterable((word, *_pieces(word)) for word in words))


def to_bytes(vector: Sequence[float]) -> bytes:
    """Little-endian float32, as SQLite stores it."""
    numbers = array("f", vector)
    if _BIG_ENDIAN:
        numbers.byteswap()
    return numbers.tobytes()


def from_bytes(data: bytes) -> array[float]:
    """The vector of `to_bytes`."""
    vector = array("f", data)
    if _BIG_ENDIAN:
        vector.byteswap()
    return vector


def to_text(vector: Sequence[float]) -> str:
    """pgvector's own spelling."""
    return "[" + ",".join(f"{value:.7g}" for value in vector) + "]"


_BIG_ENDIAN = array("H", [1]).tobytes()[0] == 0
