"""The writes of one superstep: in order, once, fenced, all or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from autonomy.core.errors import LeaseLost, Unserializable
from autonomy.runtime.execution import Companions
from autonomy.runtime.unit import Unit
from autonomy.storage.database import Database, Tx
from tests.runtime.driven import LEASE_US, RUN, count, row, start, story, take_over


def unit(epoch: int = 1) -> Unit:
    return Unit(RUN, epoch=epoch, lease_us=LEASE_US)


def commit(database: Database, one: Unit) -> None:
    write = one.drain()
    assert write is not None
    database.write(write)


def test_nothing_gathered_is_nothing_to_write() -> None:
    assert unit().drain() is None


def test_events_then_writes_then_nothing_is_left(database: Database) -> None:
    start(database)
    one = unit()
    seen: list[int] = []
    one.add(lambda tx: seen.append(tx.value("SELECT count(*) FROM event WHERE type = 'decision'")))
    one.emit("decision", {"why": "a"}, node="plan")
    one.emit("decision", {"why": "b"}, node="plan")
    one.progress(route="act", spent_ms=40)
    one.progress(route="reflect", spent_ms=2)
    commit(database, one)
    assert seen == [2]
    assert [event.content["why"] for event in story(database) if event.type == "decision"] == ["a", "b"]
    assert (row(database)["route"], row(database)["used_ms"]) == ("reflect", 42)
    assert one.drain() is None


def test_a_unit_without_progress_leaves_the_route_alone(database: Database) -> None:
    start(database)
    one = unit()
    one.emit("decision", {"why": "a"})
    commit(database, one)
    assert row(database)["route"] == "interpret"


def test_a_step_that_stays_done_renews_the_lease_and_makes_the_attempt_the_first_again(database: Database) -> None:
    start(database)
    database.write(lambda tx: tx.run("UPDATE job SET attempts = 4, lease_until = 5"))
    one = unit()
    one.progress(route="plan", spent_ms=0)
    commit(database, one)
    job = row(database, "job")
    assert job["attempts"] == 1
    assert job["lease_until"] - row(database)["updated_at"] == pytest.approx(LEASE_US, abs=1_000_000)


def test_a_unit_of_an_older_lease_writes_nothing_at_all(database: Database, tmp_path: Path) -> None:
    start(database)
    before = (row(database, "job"), len(story(database)))
    take_over(database)
    one = unit()
    one.emit("decision", {"why": "late"})

    def wipe(tx: Tx) -> None:
        tx.run("DELETE FROM event")

    one.add(wipe)
    one.progress(route="END", spent_ms=99)
    with pytest.raises(LeaseLost):
        commit(database, one)
    assert len(story(database)) == before[1]
    assert (row(database)["route"], row(database)["used_ms"]) == ("interpret", 0)
    assert row(database, "job")["lease_until"] == before[0]["lease_until"]


def test_the_fence_holds_for_a_unit_without_events(database: Database) -> None:
    start(database)
    take_over(database)
    one = unit()

    def wipe(tx: Tx) -> None:
        tx.run("DELETE FROM event")

    one.add(wipe)
    with pytest.raises(LeaseLost):
        commit(database, one)
    assert count(database, "event") == 2


def test_a_write_that_fails_takes_the_events_with_it(database: Database) -> None:
    start(database)
    one = unit()
    one.emit("decision", {"why": "a"})
    one.progress(route="plan", spent_ms=5)

    def broken(tx: Tx) -> NoReturn:
        raise RuntimeError("no")

    one.add(broken)
    with pytest.raises(RuntimeError):
        commit(database, one)
    assert count(database, "event") == 2
    assert row(database)["used_ms"] == 0


def test_content_that_is_no_plain_data_is_refused_whole(database: Database) -> None:
    start(database)
    one = unit()
    one.emit("decision", {"why": "a"})
    one.emit("decision", {"figure": float("nan")})
    with pytest.raises(Unserializable):
        commit(database, one)
    assert count(database, "event") == 2


def test_what_is_emitted_is_what_it_was_then() -> None:
    one, content = unit(), {"why": "then"}
    one.emit("decision", content)
    content["why"] = "now"
    assert one._items == [("decision", None, {"why": "then"})]


def test_a_cleared_unit_has_forgotten_everything() -> None:
    one = unit()
    one.emit("decision", {})
    one.add(lambda tx: None)
    one.progress(route="plan", spent_ms=1)
    one.clear()
    assert one.drain() is None


def test_companions_hand_out_the_unit_of_a_thread_and_a_late_leaver_takes_nobody_elses_away() -> None:
    companions, first, second = Companions(), unit(1), unit(2)
    companions.add(first)
    companions.add(second)
    companions.drop(first)
    second.emit("decision", {})
    assert companions("other") is None
    assert companions(RUN) is not None
    companions.drop(second)
    second.emit("decision", {})
    assert companions(RUN) is None
