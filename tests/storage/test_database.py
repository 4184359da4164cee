"""The way in: transactions, group commit, error names, on both databases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from autonomy.core.errors import ConfigurationError, LeaseLost, StorageError, StorageUnavailable
from autonomy.storage import migrate
from autonomy.storage.database import Database, Tx, parse_url
from autonomy.storage.gather import Insert, Row


def put(user: str):  # type: ignore[no-untyped-def]
    return lambda tx: tx.run("INSERT INTO lane (user_id) VALUES (:user)", user=user)


def users(tx: Tx) -> list[str]:
    return [row["user_id"] for row in tx.rows("SELECT user_id FROM lane ORDER BY user_id")]


async def test_writes_that_wait_together_share_a_commit(database: Database) -> None:
    await database.awrite(put("first"))
    before = database.commits
    await asyncio.gather(*(database.awrite(put(f"u{n}")) for n in range(100)))
    assert len(database.read(users)) == 101
    assert database.commits - before < 50


async def test_one_failing_write_takes_nothing_of_its_neighbours_with_it(database: Database) -> None:
    database.write(put("taken"))
    outcomes = await asyncio.gather(*(database.awrite(put(u)) for u in ("a", "taken", "b")), return_exceptions=True)
    assert isinstance(outcomes[1], StorageError)
    assert database.read(users) == ["a", "b", "taken"]


def test_a_function_that_raises_leaves_nothing_behind(database: Database) -> None:
    def half(tx: Tx) -> None:
        put("half")(tx)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.write(half)
    assert database.read(users) == []


def test_a_percent_sign_and_a_colon_in_values_are_only_values(database: Database) -> None:
    database.write(put("a%b:c"))
    assert database.read(lambda tx: tx.value("SELECT count(*) FROM lane WHERE user_id LIKE 'a%'")) == 1


def test_a_closed_database_refuses_and_closing_twice_is_harmless(database: Database) -> None:
    database.write(put("x"))
    database.close()
    database.close()
    with pytest.raises(StorageUnavailable):
        database.write(put("y"))


def test_a_url_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        parse_url("mysql://localhost/x")


def test_the_schema_is_current_after_an_upgrade(database: Database) -> None:
    assert migrate.state(database) == "current"


class Place(Row):
    """A lane as a row of its own; it keeps what it was told."""

    together = Insert("INSERT INTO lane (user_id, vt)", "(?, ?)")

    def __init__(self, user: str, *, owner: object = None, objects: bool = False) -> None:
        self.user = user
        self.owner = self if owner is None else owner
        self.objects = objects
        self.told: list[str] = []

    def __call__(self, tx: Tx) -> None:
        if self.objects:
            raise LeaseLost("not this one", "")
        put(self.user)(tx)
        self.told.append("alone")

    def values(self) -> tuple[str, int]:
        if self.objects:
            raise LeaseLost("not this one", "")
        return self.user, 0

    def stored(self) -> None:
        self.told.append("together")


async def together(database: Database, *writes: Callable[[Tx], Any]) -> list[Any]:
    """Have the writes wait for one commit; their outcomes."""
    begun, hold = threading.Event(), threading.Event()

    def busy(tx: Tx) -> None:
        begun.set()
        hold.wait(20)

    waiting = [database.submit(busy)]
    begun.wait(20)
    waiting += [database.submit(write) for write in writes]
    hold.set()
    outcomes = await asyncio.gather(*map(asyncio.wrap_future, waiting), return_exceptions=True)
    return outcomes[1:]


async def test_rows_that_wait_together_are_stored_by_one_statement_in_one_commit(database: Database) -> None:
    database.submit(first := Place("first")).result()
    before = database.commits
    rows = [Place(f"u{n:02}") for n in range(20)]
    await together(database, *rows)
    assert first.told == ["alone"]
    assert [row.told for row in rows] == [["together"]] * 20
    assert database.commits == before + 2
    assert database.read(users) == ["first", *(row.user for row in rows)]


async def test_a_row_that_cannot_be_stored_or_objects_fails_alone_among_its_neighbours(database: Database) -> None:
    database.submit(Place("taken")).result()
    with pytest.raises(StorageError):
        database.submit(Place("taken")).result()
    rows = [Place("a"), Place("taken"), Place("b"), Place("c", objects=True), Place("d")]
    outcomes = await together(database, *rows)
    assert [type(each) for each in outcomes] == [type(None), StorageError, type(None), LeaseLost, type(None)]
    assert [row.told for row in rows] == [["alone"], [], ["alone"], [], ["alone"]]
    assert database.read(users) == ["a", "b", "d", "taken"]


async def test_rows_and_functions_that_wait_together_are_stored_in_their_order(database: Database) -> None:
    seen: list[list[str]] = []
    owner = object()
    rows = [Place("a", owner=owner), Place("b"), Place("c", owner=owner), Place("d"), Place("e")]
    look: Callable[[Tx], None] = lambda tx: seen.append(users(tx))  # noqa: E731
    before = database.commits
    await together(database, look, rows[0], rows[1], rows[2], look, rows[3], rows[4])
    assert seen == [[], ["a", "b", "c"]]
    assert [row.told for row in rows] == [["together"], ["together"], ["alone"], ["together"], ["together"]]
    assert database.commits - before == 2


def test_large_blobs_come_back_whole_in_the_binary_format(database: Database) -> None:
    blob = bytes(range(256)) * 1000
    found = database.read(lambda tx: tx.packed("SELECT :blob AS data, 1", blob=blob))
    assert [tuple(map(type, row)) for row in found] == [(bytes, int)]
    assert found[0][0] == blob


def test_a_writer_that_dies_of_its_own_fault_says_so_and_leaves_nobody_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(connection: object, batch: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(database, "_commit", broken)
    with pytest.raises(StorageUnavailable, match="died"):
        database.write(put("x"))
    with pytest.raises(StorageUnavailable):
        database.write(put("y"))
    assert [record.levelname for record in caplog.records if record.name == "autonomy.storage"] == ["CRITICAL"]
