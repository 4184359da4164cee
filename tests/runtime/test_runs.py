"""Runs: made once, found by a beginning of their id, listed page by page, changed only by whoever wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from autonomy.core.errors import InvalidInput, NotFound
from autonomy.runtime import events, queue, runs
from autonomy.storage.database import Database


def new(name: str, user: str = "u", **more: Any) -> runs.NewRun:
    return runs.NewRun(user, "write", "a goal", {"goal": "a goal", "seed": 7}, "extractive", f"c-{name}", id=name, **more)


def create(database: Database, name: str, user: str = "u", **more: Any) -> runs.Created:
    return database.write(lambda tx: runs.create(tx, new(name, user, **more)))


def status(database: Database, run_id: str) -> str:
    return database.read(lambda tx: runs.get(tx, run_id)).status


def story(database: Database, run_id: str) -> list[str]:
    return [event.type for event in database.read(lambda tx: events.read(tx, run_id))]


def mark(database: Database, run_id: str, from_: Any, to: Any, **more: Any) -> bool:
    return database.write(lambda tx: runs.mark(tx, run_id, from_, to, (f"run.{to}", None, {}), **more))


def at_once(count: int, database: Database, act: Callable[[Database, int], Any]) -> list[Any]:
    """Do it in as many threads, each with connections of its own, beginning together."""
    results, gate = list[Any](), threading.Barrier(count)

    def work(number: int) -> None:
        with Database(database.url, grow_wal=False) as own:
            own.read(lambda tx: tx.now())
            gate.wait()
            results.append(act(own, number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# -- making -------------------------------------------------------------------------------------------


def test_a_new_run_is_queued_with_its_limits_and_its_first_event(database: Database) -> None:
    created = create(database, "a", limit_tokens=1000, limit_ms=60_000, limit_usd=2_500_000, task_id="t")
    run = database.read(lambda tx: runs.get(tx, created.run_id))
    assert (run.status, run.route, run.epoch, run.ended) == ("queued", "interpret", 0, False)
    assert (run.limit_tokens, run.limit_ms, run.limit_usd, run.task_id) == (1000, 60_000, 2_500_000, "t")
    assert run.task == {"goal": "a goal", "seed": 7}
    assert story(database, "a") == ["run.queued"]


def test_the_same_key_with_the_same_request_finds_the_old_run_and_writes_nothing(database: Database) -> None:
    create(database, "a", idempotency_key="k", request_hash="h")
    again = create(database, "b", idempotency_key="k", request_hash="h")
    assert again == runs.Created("a", repeated=True)
    assert story(database, "a") == ["run.queued"]
    assert story(database, "b") == []


def test_the_same_key_with_another_request_is_refused_and_other_users_have_their_own_keys(database: Database) -> None:
    create(database, "a", idempotency_key="k", request_hash="h")
    with pytest.raises(InvalidInput, match="key"):
        create(database, "b", idempotency_key="k", request_hash="other")
    assert not create(database, "c", "someone else", idempotency_key="k", request_hash="other").repeated


def test_requests_with_one_key_at_once_make_one_run(database: Database) -> None:
    made = at_once(8, database, lambda own, n: create(own, f"r{n}", idempotency_key="k", request_hash="h"))
    assert len({created.run_id for created in made}) == 1
    assert [created.repeated for created in made].count(False) == 1


@pytest.mark.parametrize("key", ["", "x" * 257, "a\nb", "a\x00b"])
def test_a_key_that_cannot_be_one_is_refused(database: Database, key: str) -> None:
    with pytest.raises(InvalidInput, match="idempotency"):
        create(database, "a", idempotency_key=key)


# -- finding ------------------------------------------------------------------------------------------


def test_a_unique_beginning_finds_the_run_and_a_whole_id_wins_over_longer_ones(database: Database) -> None:
    for name in ("abc", "abcd", "xyz"):
        create(database, name)

    def find(text: str) -> str:
        return database.read(lambda tx: runs.resolve(tx, text))

    assert find("x") == "xyz"
    assert find("abc") == "abc"
    with pytest.raises(NotFound) as caught:
        find("ab")
    assert caught.value.candidates == ("abc", "abcd")


def test_wildcards_and_letter_case_find_nothing_they_do_not_spell(database: Database) -> None:
    create(database, "a_1")
    create(database, "ab1")
    assert database.read(lambda tx: runs.resolve(tx, "a_")) == "a_1"
    with pytest.raises(NotFound):
        database.read(lambda tx: runs.resolve(tx, "A"))
    with pytest.raises(NotFound):
        database.read(lambda tx: runs.resolve(tx, "_"))


@pytest.mark.parametrize("bad", ["", "a%", "../a", "a\n", "a\x00", "a b", "x" * 65, "é", "'; DROP TABLE run; --"])
def test_what_is_no_id_is_refused_before_the_database_sees_it(database: Database, bad: str) -> None:
    with pytest.raises(InvalidInput):
        database.read(lambda tx: runs.resolve(tx, bad))
    with pytest.raises(InvalidInput):
        create(database, bad)


def test_another_user_finds_and_lists_nothing_of_mine(database: Database) -> None:
    create(database, "abc", "me")
    assert database.read(lambda tx: runs.resolve(tx, "abc", "me")) == "abc"
    for text in ("abc", "a"):
        with pytest.raises(NotFound):
            database.read(lambda tx, text=text: runs.resolve(tx, text, "you"))  # type: ignore[misc]
    assert database.read(lambda tx: runs.page(tx, "you")).items == []


def test_a_long_list_of_candidates_is_cut(database: Database) -> None:
    for number in range(12):
        create(database, f"r{number:02}")
    with pytest.raises(NotFound) as caught:
        database.read(lambda tx: runs.resolve(tx, "r"))
    assert len(caught.value.candidates) == runs.CANDIDATES


def test_pages_show_every_run_once_newest_first_even_where_times_are_equal(database: Database) -> None:
    for number in range(7):
        create(database, f"r{number}", "odd" if number % 2 else "even")
    database.write(lambda tx: tx.run("UPDATE run SET created_at = 5 WHERE id <> 'r6'"))
    seen, cursor = list[str](), None
    while True:
        page = database.read(lambda tx, at=cursor: runs.page(tx, limit=2, cursor=at))  # type: ignore[misc]
        seen += [run.id for run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    assert [run.id for run in database.read(lambda tx: runs.page(tx, "odd")).items] == ["r5", "r3", "r1"]
    assert database.read(lambda tx: runs.page(tx, status="done")).items == []


def test_runs_are_looked_for_by_how_they_stand_or_how_they_ended(database: Database) -> None:
    for outcome in ("delivered", "target_not_reached", "budget_exceeded"):
        create(database, outcome)
        sql = "UPDATE run SET status = 'done', outcome = :outcome WHERE id = :outcome"
        database.write(lambda tx, sql=sql, outcome=outcome: tx.run(sql, outcome=outcome))  # type: ignore[misc]
    create(database, "waits")
    found = {
        state: {run.id for run in database.read(lambda tx, state=state: runs.page(tx, status=state)).items}  # type: ignore[misc]
        for state in runs.STATES
    }
    assert {state: ids for state, ids in found.items() if ids} == {
        "queued": {"waits"},
        "done": {"delivered", "target_not_reached", "budget_exceeded"},
        "delivered": {"delivered"},
        "target_not_reached": {"target_not_reached"},
        "budget_exceeded": {"budget_exceeded"},
    }


@pytest.mark.parametrize(
    "bad",
    [{"status": "sleeping"}, {"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": f"{2**70}.a"}, {"cursor": "1.a;--"}],
    ids=str,
)
def test_a_page_that_cannot_be_is_refused(database: Database, bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        database.read(lambda tx: runs.page(tx, **bad))


# -- changing -----------------------------------------------------------------------------------------


def test_of_many_who_change_a_status_at_once_one_wins_and_one_event_is_written(database: Database) -> None:
    create(database, "a")
    won = at_once(8, database, lambda own, _: mark(own, "a", ("queued",), "waiting_human"))
    assert won.count(True) == 1
    assert story(database, "a") == ["run.queued", "run.waiting_human"]


@pytest.mark.parametrize("end", sorted(runs.TERMINAL))
def test_an_ended_run_never_changes_and_has_one_terminal_event(database: Database, end: Any) -> None:
    create(database, "a")
    assert mark(database, "a", ("queued",), end, outcome="x")
    before = database.read(lambda tx: runs.get(tx, "a"))
    for to in sorted(runs.STATUSES):
        assert not mark(database, "a", sorted(runs.STATUSES), to)
    assert database.read(lambda tx: runs.get(tx, "a")) == before
    assert before.finished_at is not None
    assert story(database, "a") == ["run.queued", f"run.{end}"]
    assert database.write(lambda tx: runs.request_control(tx, "a", "abort")) == "ended"


def test_a_change_under_an_old_epoch_does_not_win(database: Database) -> None:
    create(database, "a")
    assert mark(database, "a", ("queued",), "paused", fence=True)
    assert not mark(database, "a", ("paused",), "queued", epoch=0)
    assert mark(database, "a", ("paused",), "queued", epoch=1)


def ask(database: Database, control: Any) -> str:
    return database.write(lambda tx: runs.request_control(tx, "a", control))


# -- steering -----------------------------------------------------------------------------------------


def started(database: Database, name: str) -> queue.Job:
    create(database, name)
    database.write(lambda tx: queue.enqueue_start(tx, name))
    job = database.write(lambda tx: queue.claim(tx, "w", 10**12, name))
    assert job is not None
    return job


def test_a_queued_run_obeys_at_once_and_its_job_waits_with_it(database: Database) -> None:
    create(database, "a")
    database.write(lambda tx: queue.enqueue_start(tx, "a"))
    assert database.write(lambda tx: runs.request_control(tx, "a", "pause")) == "applied"
    assert database.write(lambda tx: runs.request_control(tx, "a", "pause")) == "unchanged"
    assert database.write(lambda tx: queue.claim(tx, "w", 10**12)) is None
    assert database.write(lambda tx: runs.request_control(tx, "a", "abort")) == "applied"
    assert database.read(lambda tx: runs.get(tx, "a")).outcome == "aborted"
    assert story(database, "a") == ["run.queued", "run.paused", "run.aborted"]


def test_a_running_run_is_asked_and_an_abort_overrides_a_pause_but_not_the_other_way(database: Database) -> None:
    job = started(database, "a")
    asked = [ask(database, control) for control in ("pause", "pause", "abort", "pause")]
    assert asked == ["requested", "unchanged", "requested", "unchanged"]
    assert database.write(lambda tx: queue.heartbeat(tx, job)) == "abort"
    assert status(database, "a") == "running"


def test_an_unknown_run_cannot_be_steered(database: Database) -> None:
    with pytest.raises(NotFound):
        database.write(lambda tx: runs.request_control(tx, "nobody", "pause"))
