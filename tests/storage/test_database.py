"""The way in: transactions, group commit, error names, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from autonomy.core.errors import ConfigurationError, StorageError, StorageUnavailable
from autonomy.storage import migrate
from autonomy.storage.database import Database, Tx, parse_url


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


async def test_a_single_statement_is_one_commit_and_fails_alone(database: Database) -> None:
    before = database.commits
    assert database.submit(put("one"), single=True).result() == 1
    assert database.commits == before + 1
    with pytest.raises(StorageError):
        database.submit(put("one"), single=True).result()
    outcomes = await asyncio.gather(
        *(asyncio.wrap_future(database.submit(put(user), single=True)) for user in ("two", "one", "three")),
        return_exceptions=True,
    )
    assert [isinstance(each, StorageError) for each in outcomes] == [False, True, False]
    assert database.read(users) == ["one", "three", "two"]


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
