"""Events: numbers without a hole, the fence, and a reader of all runs who misses nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from autonomy.core.errors import InvalidInput, LeaseLost, NotFound, Unserializable
from autonomy.runtime import events, runs
from autonomy.storage import postgres
from autonomy.storage.database import Database, Tx
from autonomy.storage.dialect import POSTGRESQL

NOTE = ("decision", "plan", {"why": "because"})


def new_run(database: Database, name: str) -> str:
    new = runs.NewRun("u", "write", "goal", {}, "", "c-" + name, id=name)
    return database.write(lambda tx: runs.create(tx, new)).run_id


def append(database: Database, run_id: str, *items: events.Item, epoch: int | None = None) -> list[int]:
    return database.write(lambda tx: events.append(tx, run_id, items, epoch=epoch))


def numbers(database: Database, run_id: str) -> list[int]:
    return [event.seq for event in database.read(lambda tx: events.read(tx, run_id))]


def test_numbers_of_a_run_count_from_one_without_a_hole_whoever_writes(database: Database) -> None:
    new_run(database, "a")
    others = [Database(database.url, grow_wal=False) for _ in range(4)]

    def write(each: Database) -> None:
        for _ in range(10):
            append(each, "a", NOTE, NOTE)

    threads = [threading.Thread(target=write, args=(each,)) for each in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in others:
        each.close()
    assert numbers(database, "a") == list(range(1, 82))


def test_a_transaction_that_fails_takes_its_numbers_back(database: Database) -> None:
    new_run(database, "a")

    def half(tx: Tx) -> None:
        events.append(tx, "a", [NOTE], epoch=None)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.write(half)
    assert append(database, "a", NOTE) == [2]


def test_a_worker_whose_epoch_has_moved_on_writes_nothing(database: Database) -> None:
    new_run(database, "a")
    database.write(lambda tx: tx.run("UPDATE run SET epoch = 3"))
    assert append(database, "a", NOTE, epoch=3) == [2]
    with pytest.raises(LeaseLost):
        append(database, "a", NOTE, epoch=2)
    assert numbers(database, "a") == [1, 2]


def test_an_event_reads_back_as_it_was_written(database: Database) -> None:
    new_run(database, "a")
    content = {"text": "naïve \u0000 \U0001f600", "figures": [1, 2.5, None, True], "z": {"b": 1, "a": 2}}
    append(database, "a", ("call.started", "act", content))
    event = database.read(lambda tx: events.read(tx, "a", after=1))[0]
    assert (event.type, event.node, event.content, event.correlation_id) == ("call.started", "act", content, "c-a")


def test_reading_goes_on_after_a_number_and_stops_at_the_limit(database: Database) -> None:
    new_run(database, "a")
    append(database, "a", *[NOTE] * 5)
    assert [event.seq for event in database.read(lambda tx: events.read(tx, "a", after=2, limit=3))] == [3, 4, 5]


def test_an_unknown_run_and_an_unknown_type_are_refused(database: Database) -> None:
    new_run(database, "a")
    with pytest.raises(NotFound):
        append(database, "nobody", NOTE)
    with pytest.raises(InvalidInput):
        append(database, "a", ("run.exploded", None, {}))


@pytest.mark.parametrize(
    "bad", [float("nan"), float("inf"), "\ud800", b"bytes", object()], ids=["nan", "inf", "surrogate", "bytes", "object"]
)
def test_content_that_is_not_plain_json_is_refused_and_leaves_no_hole(database: Database, bad: Any) -> None:
    new_run(database, "a")
    with pytest.raises(Unserializable, match="decision"):
        append(database, "a", ("decision", None, {"value": bad}))
    assert append(database, "a", NOTE) == [2]


# -- all runs together --------------------------------------------------------------------------------


def test_all_events_are_followed_in_the_order_they_were_committed(database: Database) -> None:
    new_run(database, "a")
    new_run(database, "b")
    append(database, "a", NOTE)
    reader = events.AllEvents(database)
    assert [(event.run_id, event.seq) for event in reader.read()] == [("a", 1), ("b", 1), ("a", 2)]
    assert reader.read() == []
    append(database, "b", NOTE)
    assert [(event.run_id, event.seq) for event in reader.read()] == [("b", 2)]
    assert [event.run_id for event in events.read_all(database, after=reader.after - 1)] == ["b"]


on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
"""SQLite gives positions out in commit order: there is no gap to wait for."""


@contextmanager
def transaction(database: Database) -> Iterator[tuple[Any, Tx]]:
    with closing(postgres.connect(database.url)) as connection:
        connection.execute("BEGIN")
        yield connection, Tx(connection, POSTGRESQL)


def shown(reader: events.AllEvents) -> list[tuple[str, int]]:
    return [(event.run_id, event.seq) for event in reader.read()]


@on_postgresql
def test_a_later_position_waits_for_an_earlier_one_that_is_still_in_flight(database: Database) -> None:
    new_run(database, "a")
    new_run(database, "b")
    reader = events.AllEvents(database)
    assert shown(reader) == [("a", 1), ("b", 1)]
    with transaction(database) as (slow, tx):
        events.append(tx, "a", [NOTE], epoch=None)
        append(database, "b", NOTE)
        assert shown(reader) == []
        assert reader.blocked
        append(database, "b", NOTE)
        assert shown(reader) == []
        slow.execute("COMMIT")
    assert shown(reader) == [("a", 2), ("b", 2), ("b", 3)]
    assert shown(reader) == []


@on_postgresql
def test_a_position_that_was_rolled_back_is_passed_once_nobody_can_still_fill_it(database: Database) -> None:
    new_run(database, "a")
    new_run(database, "b")
    reader = events.AllEvents(database)
    shown(reader)
    with transaction(database) as (lost, tx), transaction(database) as (slow, other):
        events.append(tx, "a", [NOTE], epoch=None)
        lost.execute("ROLLBACK")
        other.run("UPDATE run SET goal = 'x' WHERE id = 'a'")
        append(database, "b", NOTE)
        assert shown(reader) == []
        slow.execute("COMMIT")
    assert shown(reader) == [("b", 2)]


@on_postgresql
def test_events_before_a_gap_are_shown_while_the_gap_is_waited_for(database: Database) -> None:
    new_run(database, "a")
    new_run(database, "b")
    reader = events.AllEvents(database)
    with transaction(database) as (slow, tx):
        events.append(tx, "a", [NOTE], epoch=None)
        append(database, "b", NOTE)
        assert shown(reader) == [("a", 1), ("b", 1)]
        assert shown(reader) == []
        slow.execute("COMMIT")
    assert events.read_all(database, after=reader.after)[0].run_id == "a"


@on_postgresql
def test_a_gap_is_waited_for_where_its_transaction_is_the_youngest(database: Database) -> None:
    new_run(database, "a")
    new_run(database, "b")
    reader = events.AllEvents(database)
    assert shown(reader) == [("a", 1), ("b", 1)]
    with transaction(database) as (older, before), transaction(database) as (younger, after):
        before.value("SELECT CAST(pg_current_xact_id() AS text)")
        events.append(after, "a", [NOTE], epoch=None)
        events.append(before, "b", [NOTE], epoch=None)
        older.execute("COMMIT")
        assert [shown(reader), shown(reader), reader.blocked] == [[], [], True]
        younger.execute("COMMIT")
    assert shown(reader) == [("a", 2), ("b", 2)]


def test_a_reader_beside_many_writers_skips_nothing_and_shows_nothing_twice(database: Database) -> None:
    names = ["a", "b", "c", "d"]
    for name in names:
        new_run(database, name)
    others = [Database(database.url, grow_wal=False) for _ in names]

    def write(each: Database, name: str) -> None:
        for _ in range(50):
            append(each, name, NOTE)

    threads = [threading.Thread(target=write, args=pair) for pair in zip(others, names, strict=True)]
    for thread in threads:
        thread.start()
    reader, seen = events.AllEvents(database), list[tuple[int, str, int]]()
    more = True
    while more:
        more = any(thread.is_alive() for thread in threads) or reader.blocked
        found = [(event.position, event.run_id, event.seq) for event in reader.read(limit=7)]
        seen, more = seen + found, more or bool(found)
    for thread in threads:
        thread.join()
    for each in others:
        each.close()
    assert [position for position, _, _ in seen] == sorted({position for position, _, _ in seen})
    assert {(run_id, seq) for _, run_id, seq in seen} == {(name, seq) for name in names for seq in range(1, 52)}
