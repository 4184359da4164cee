"""Forms taken in turn: an order fixed by seed and place, in which no form follows itself, whatever key it was taken for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


class Turns:
    """Hands out the forms of each key one after another; the same seed and place give the same order everywhere.

    `start` is the turn to begin with: neighbours with the same place and the next start begin with the next form.
    """

    def __init__(self, seed: int, place: str, start: int = 0) -> None:
        self._start = start
        self._seed, self._place = seed, place
        self._root = f"{seed}\x1f{place}"
        self._last = ""
        self._taken: dict[str, int] = {}

    def anew(self) -> Turns:
        """The same order from its beginning."""
        return Turns(self._seed, self._place, self._start)

    def next(self, key: str, forms: Sequence[str]) -> str:
        """The next form of a non-empty sequence."""
        order = sorted(range(len(forms)), key=lambda i: self._rank(key, i))
        turn = self._taken.get(key, self._start)
        if forms[order[turn % len(order)]] == self._last:
            turn += 1
        self._taken[key] = turn + 1
        self._last = forms[order[turn % len(order)]]
        return self._last

    def _rank(self, key: str, index: int) -> bytes:
        return hashlib.sha256(f"{self._root}\x1f{key}\x1f{index}".encode()).digest()
