"""The rows of task changes are read in order and without a hole, also while another writer has not committed yet."""

from __future__ import annotations

import pytest

from autonomy.services import task_events
from autonomy.ssot.canonical import file_bytes
from autonomy.ssot.reading import Stored, parse
from autonomy.ssot.store import Updated
from autonomy.storage.database import Database, Tx
from tests.ssot.made import task


def stored(task_id: str, revision: int = 1, **more: object) -> Stored:
    return parse(file_bytes(task(task_id, revision=revision, **more).as_json()), task_id)


def tell(database: Database, before: Stored | None, after: Stored) -> None:
    database.write(lambda tx: task_events.tell(tx, Updated(before, after, changed=True)))


def told(database: Database) -> list[tuple[str, int, str]]:
    return [(event.task_id, event.revision, event.type) for event in task_events.follow(database).read_patiently(100)]


def test_a_change_is_told_once_however_often_it_is_repeated(database: Database) -> None:
    one, two = stored("a"), stored("a", 2, error="x")
    for _ in range(3):
        tell(database, None, one)
        tell(database, one, two)
    assert told(database) == [("a", 1, "task.created"), ("a", 2, "task.updated")]


def test_the_next_change_tells_the_one_before_that_was_never_told(database: Database) -> None:
    decided = {"verdict": "rejected", "by": "ada", "at": "2026-01-31"}
    one, two, three = stored("a"), stored("a", 2, decision=decided), stored("a", 3, decision=decided, error="x")
    tell(database, None, one)
    tell(database, two, three)
    assert told(database) == [("a", 1, "task.created"), ("a", 2, "task.rejected"), ("a", 3, "task.updated")]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite gives positions out in commit order
def test_a_later_change_is_not_shown_before_an_earlier_one_that_is_still_being_written(database: Database) -> None:
    reader = task_events.follow(database)
    with Database(database.url) as slow:
        connection = slow._driver.connect()
        try:
            connection.execute("BEGIN")
            task_events.tell(Tx(connection, slow.dialect), Updated(None, stored("slow"), changed=True))
            tell(database, None, stored("quick"))
            assert reader.read() == []
            assert reader.blocked
            connection.execute("COMMIT")
        finally:
            connection.close()
    assert [event.task_id for event in reader.read_patiently()] == ["slow", "quick"]
