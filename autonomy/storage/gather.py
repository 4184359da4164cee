"""Rows of many writers in one statement: what waits together for the same commit is stored by a single INSERT.

A statement costs the writer a turn of the interpreter's lock (SQLite) or a round trip (PostgreSQL), and a transaction two
more of them; sixteen runs that each store a row at the same moment then pay once, not eighteen times. The statement takes
all of its rows or, by raising, none: then each is stored on its own, and the one that is at fault is told so.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar


class Insert:
    """An INSERT of any number of rows that fails as a whole where one of them cannot be stored. `into` is its beginning,
    `row` what stands for one row among the VALUES, with a ? for each parameter."""

    def __init__(self, into: str, row: str) -> None:
        self._into = into
        self._row = row

    def text(self, rows: int) -> str:
        """The statement for so many rows."""
        return f"{self._into} VALUES {', '.join([self._row] * rows)}"


class Row(ABC):
    """A write that is one row, alone or among others. All of it runs in the writer thread, and may run again.

    `together` stores it among others. `owner` says whose row it is: two of one owner never share a statement, since the
    later may build on the earlier.
    """

    __slots__ = ()
    together: ClassVar[Insert]
    owner: object

    @abstractmethod
    def __call__(self, tx: Any) -> None:
        """Store it alone, by a single statement; `tx` is the open transaction (`storage.database.Tx`)."""

    @abstractmethod
    def values(self) -> Sequence[Any]:
        """The parameters of its place in the statement."""

    @abstractmethod
    def stored(self) -> None:
        """Told that the statement has taken it."""
