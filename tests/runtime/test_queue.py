"""The queue against a model that is written as plainly as it can be, and its promises one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autonomy.core.errors import HeldByAnother, InvalidInput, LeaseLost, NotFound
from autonomy.core.llm import Usage
from autonomy.runtime import backlog, events, journal, lanes, lease, queue, runs
from autonomy.runtime.journal import Intent, Offer
from autonomy.runtime.lease import Watch
from autonomy.runtime.queue import Job
from autonomy.storage.database import Database, Tx

LONG = 10**12
_names = itertools.count(1)


def enqueue(database: Database, user: str = "u", *, priority: int = 5, max_attempts: int = 5, name: str | None = None) -> str:
    name = name or f"r{next(_names)}"

    def write(tx: Any) -> None:
        runs.create(tx, runs.NewRun(user, "write", "goal", {}, "", "c", id=name))
        queue.enqueue_start(tx, name, priority=priority, max_attempts=max_attempts)

    database.write(write)
    return name


def claim(database: Database, run_id: str | None = None, worker: str = "w") -> Job | None:
    return database.write(lambda tx: queue.claim(tx, worker, LONG, run_id))


def claimed(database: Database, run_id: str | None = None, worker: str = "w") -> Job:
    job = claim(database, run_id, worker)
    assert job is not None
    return job


def story(database: Database, run_id: str) -> list[str]:
    return [event.type for event in database.read(lambda tx: events.read(tx, run_id))]


def run_of(database: Database, run_id: str) -> runs.Run:
    return database.read(lambda tx: runs.get(tx, run_id))


def expire(database: Database, run_id: str) -> None:
    database.write(lambda tx: tx.run("UPDATE job SET lease_until = 1 WHERE run_id = :id AND state = 'running'", id=run_id))


def make_due(database: Database, run_id: str) -> None:
    database.write(lambda tx: tx.run("UPDATE job SET scheduled_at = 1 WHERE run_id = :id AND state = 'retry'", id=run_id))


@pytest.fixture(autouse=True)
def _tables_agree_at_the_end(database: Database) -> Iterator[None]:
    yield
    assert database.read(backlog.check) == []


# -- a model of the whole queue -----------------------------------------------------------------------


@dataclass
class ModelRun:
    name: str
    user: str
    priority: int
    status: str = "queued"
    job: str = "queued"
    order: int = 0
    attempts: int = 0
    claims: int = 0
    control: str | None = None
    held: Job | None = None


@dataclass
class ModelLane:
    vt: int
    weight: int
    queued: int = 0
    running: int = 0
    allowed: int = lanes.LIMIT


@dataclass
class Model:
    """What the queue should do, without a database: lists, and the rules as one would say them."""

    runs: dict[str, ModelRun] = field(default_factory=dict)
    lanes: dict[str, ModelLane] = field(default_factory=dict)
    clock: int = 0

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def turn(self) -> list[tuple[int, str]]:
        return sorted((lane.vt, user) for user, lane in self.lanes.items() if lane.queued and lane.running < lane.allowed)

    def enter(self, run: ModelRun, *, stopped: int = 0) -> None:
        present = self.turn()[0][0] if self.turn() else max((lane.vt for lane in self.lanes.values()), default=0)
        lane = self.lanes.setdefault(run.user, ModelLane(present, 1))
        if lane.queued == 0:
            lane.vt = max(lane.vt, present)
        lane.queued += 1
        lane.running -= stopped
        run.job, run.status, run.order = "queued", "queued", self.tick()

    def leave(self, run: ModelRun, job: str, status: str) -> None:
        lane = self.lanes[run.user]
        lane.queued -= run.job == "queued"
        lane.running -= run.job == "running"
        run.job, run.status, run.control = job, status, None

    def next(self) -> ModelRun | None:
        if not self.turn():
            return None
        user = self.turn()[0][1]
        waiting = [run for run in self.runs.values() if run.user == user and run.job == "queued"]
        return min(waiting, key=lambda run: (run.priority, run.order))

    def start(self, run: ModelRun) -> None:
        lane = self.lanes[run.user]
        lane.vt += lanes.STRIDE // lane.weight
        lane.queued, lane.running = lane.queued - 1, lane.running + 1
        run.job, run.status, run.attempts, run.claims = "running", "running", run.attempts + 1, run.claims + 1

    def lose(self, run: ModelRun, most: int) -> None:
        """Its lease is over, and a claim comes by."""
        if run.control is not None:
            self.leave(run, "closed", {"pause": "paused", "abort": "aborted"}[run.control])
        elif run.attempts >= most:
            self.leave(run, "closed", "failed")
        else:
            self.enter(run, stopped=1)


class Play:
    """Does each step to the queue and to the model, and holds one against the other."""

    MOST = 3

    def __init__(self, database: Database) -> None:
        self.database = database
        self.model = Model()

    def step(self, action: str, pick: int, user: str) -> None:
        if action == "enqueue":
            self.enqueue(user, pick % 10 + 1)
        elif action == "claim":
            self.claim()
        elif self.model.runs:
            run = list(self.model.runs.values())[pick % len(self.model.runs)]
            getattr(self, action)(run)
        self.compare()

    def enqueue(self, user: str, priority: int) -> None:
        name = enqueue(self.database, user, priority=priority, max_attempts=self.MOST)
        run = self.model.runs[name] = ModelRun(name, user, priority)
        self.model.enter(run)

    def claim(self) -> None:
        expected = self.model.next()
        job = claim(self.database)
        assert (job and job.run_id) == (expected and expected.name)
        if job is not None and expected is not None:
            self.model.start(expected)
            expected.held = job
            assert job.attempts == expected.attempts

    def claim_it(self, run: ModelRun) -> None:
        job = claim(self.database, run.name)
        lane = self.model.lanes[run.user]
        if run.job == "retry":
            self.model.enter(run)
        if run.job == "queued" and lane.running < lane.allowed:
            assert job is not None
            self.model.start(run)
            run.held = job
        else:
            assert job is None

    def _end(self, run: ModelRun, act: Any) -> bool:
        """Through the last handle anyone had on the run: refused unless that one still holds it."""
        if run.held is None:
            return False
        held = run.held
        if run.job != "running":
            with pytest.raises(LeaseLost):
                self.database.write(lambda tx: act(tx, held))
            return False
        self.database.write(lambda tx: act(tx, held))
        return True

    def heartbeat(self, run: ModelRun) -> None:
        self._end(run, queue.heartbeat)

    def finish(self, run: ModelRun) -> None:
        if self._end(run, queue.finish):
            self.model.leave(run, "closed", "done")

    def wait(self, run: ModelRun) -> None:
        if self._end(run, queue.wait_human):
            self.model.leave(run, "waiting_human", "waiting_human")

    def pause(self, run: ModelRun) -> None:
        if self._end(run, queue.pause):
            self.model.leave(run, "waiting_human", "paused")

    def release(self, run: ModelRun) -> None:
        if self._end(run, queue.release):
            self.model.enter(run, stopped=1)
            run.attempts, run.control = run.attempts - 1, None

    def fail(self, run: ModelRun) -> None:
        if self._end(run, lambda tx, job: queue.fail(tx, job, "boom")):
            again = run.attempts < self.MOST
            self.model.leave(run, "retry" if again else "closed", "queued" if again else "failed")

    def ask_pause(self, run: ModelRun) -> None:
        self._ask(run, "pause")

    def ask_abort(self, run: ModelRun) -> None:
        self._ask(run, "abort")

    def _ask(self, run: ModelRun, control: Any) -> None:
        self.database.write(lambda tx: runs.request_control(tx, run.name, control))
        if run.status == "running":
            run.control = "abort" if "abort" in (run.control, control) else control
        elif run.status in ("queued", "waiting_human") or (run.status == "paused" and control == "abort"):
            self.model.leave(
                run, "waiting_human" if control == "pause" else "closed", "paused" if control == "pause" else "aborted"
            )

    def resume(self, run: ModelRun) -> None:
        job_id = self.database.write(lambda tx: queue.enqueue_resume(tx, run.name, "operator", max_attempts=self.MOST))
        assert (job_id is not None) == (run.status in ("queued", "waiting_human", "paused"))
        if run.status in ("waiting_human", "paused"):
            run.attempts, run.priority = 0, queue.RESUME_PRIORITY
            self.model.enter(run)
        elif run.job == "retry":
            self.model.enter(run)

    def crash(self, run: ModelRun) -> None:
        """The lease ends; whoever claims next takes over first."""
        if run.job == "running":
            expire(self.database, run.name)
            self.model.lose(run, self.MOST)
            run.control = None
            self.claim()

    def due(self, run: ModelRun) -> None:
        if run.job == "retry":
            make_due(self.database, run.name)
            self.model.enter(run)
            self.claim()

    def compare(self) -> None:
        assert self.database.read(backlog.check) == []
        rows = self.database.read(lambda tx: tx.tuples("SELECT user_id, vt, queued, running FROM lane"))
        assert {row[0]: row[1:] for row in rows} == {
            user: (lane.vt, lane.queued, lane.running) for user, lane in self.model.lanes.items()
        }
        found = self.database.read(lambda tx: tx.tuples("SELECT id, status, control FROM run"))
        assert {row[0]: row[1:] for row in found} == {run.name: (run.status, run.control) for run in self.model.runs.values()}

    def conclude(self) -> None:
        """Every story: numbers without a hole, at most one end, and nothing after it."""
        for run in self.model.runs.values():
            told = self.database.read(lambda tx, name=run.name: events.read(tx, name))  # type: ignore[misc]
            assert [event.seq for event in told] == list(range(1, len(told) + 1))
            ends = [event.type for event in told if event.type in ("run.done", "run.failed", "run.aborted")]
            assert ends == ([f"run.{run.status}"] if run.status in runs.TERMINAL else [])
            assert not ends or told[-1].type == ends[0]
            begun = [event.type for event in told if event.type in ("run.started", "run.resumed")]
            assert begun == ["run.started"] * (run.claims > 0) + ["run.resumed"] * (run.claims - 1)


ACTIONS = [
    *["enqueue"] * 4, *["claim"] * 4, "claim_it", "heartbeat", "finish", "wait", "pause", "release", "fail", "fail",
    "ask_pause", "ask_abort", "resume", "crash", "due",
]  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 50), st.sampled_from(["ann", "bob", "cy"])), min_size=10, max_size=60
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_the_queue_does_what_the_model_says(database: Database, steps: list[tuple[str, int, str]]) -> None:
    for table in ("event", "job", "lane", "run"):
        database.write(lambda tx, table=table: tx.run(f"DELETE FROM {table}"))  # type: ignore[misc]
    play = Play(database)
    for action, pick, user in steps:
        play.step(action, pick, user)  # compares tables and model
    play.conclude()
    assert database.read(backlog.check) == []


# -- coming in ----------------------------------------------------------------------------------------


def test_a_run_has_one_open_job_and_a_second_is_refused(database: Database) -> None:
    name = enqueue(database)
    with pytest.raises(InvalidInput, match="job"):
        database.write(lambda tx: queue.enqueue_start(tx, name))
    assert database.read(backlog.counts) == {"queued": 1}


@pytest.mark.parametrize("priority", [0, 11, -1])
def test_a_priority_outside_one_to_ten_is_refused(database: Database, priority: int) -> None:
    with pytest.raises(InvalidInput, match="priority"):
        enqueue(database, priority=priority)


def test_an_unknown_run_cannot_be_queued_or_resumed(database: Database) -> None:
    for write in (queue.enqueue_start, queue.resume, queue.take_over_if_gone):
        try:
            assert not database.write(lambda tx, write=write: write(tx, "nobody"))  # type: ignore[misc]
        except NotFound:
            continue
        assert write is queue.take_over_if_gone


# -- order --------------------------------------------------------------------------------------------


def test_a_user_with_a_flood_does_not_keep_the_others_waiting(database: Database) -> None:
    for _ in range(50):
        enqueue(database, "flood")
    for user in ("ann", "bob"):
        enqueue(database, user)
    served = []
    for _ in range(6):
        job = claimed(database)
        served.append(job.user_id)
        database.write(lambda tx, job=job: queue.finish(tx, job))  # type: ignore[misc]
    assert {"ann", "bob"} <= set(served[:3])


def test_a_user_who_was_idle_does_not_collect_a_claim_on_the_past(database: Database) -> None:
    for _ in range(20):
        enqueue(database, "busy")
    enqueue(database, "late")
    for _ in range(11):
        job = claimed(database)
        database.write(lambda tx, job=job: queue.finish(tx, job))  # type: ignore[misc]
    for _ in range(10):
        enqueue(database, "late")
    served = []
    for _ in range(10):
        job = claimed(database)
        served.append(job.user_id)
        database.write(lambda tx, job=job: queue.finish(tx, job))  # type: ignore[misc]
    assert served.count("late") == served.count("busy") == 5


def test_a_user_who_comes_when_nobody_waits_starts_at_the_present(database: Database) -> None:
    for _ in range(6):
        enqueue(database, "busy")
        job = claimed(database)
        database.write(lambda tx, job=job: queue.finish(tx, job))  # type: ignore[misc]
    enqueue(database, "new")
    lane = database.read(lambda tx: lanes.get(tx, "new"))
    assert lane is not None
    assert lane["vt"] == 6 * lanes.STRIDE


def test_a_weight_of_two_gets_twice_the_jobs(database: Database) -> None:
    database.write(lambda tx: lanes.configure(tx, "heavy", weight=2))
    for _ in range(30):
        enqueue(database, "heavy")
        enqueue(database, "light")
    served = []
    for _ in range(30):
        job = claimed(database)
        served.append(job.user_id)
        database.write(lambda tx, job=job: queue.finish(tx, job))  # type: ignore[misc]
    assert served.count("heavy") == 20


def test_within_a_user_priority_comes_first_then_time(database: Database) -> None:
    database.write(lambda tx: lanes.configure(tx, "u", allowed=10))
    low, first, second, high = (enqueue(database, priority=priority) for priority in (9, 5, 5, 1))
    assert [claimed(database).run_id for _ in range(4)] == [high, first, second, low]


def test_a_user_at_the_limit_is_passed_over_also_out_of_turn(database: Database) -> None:
    names = [enqueue(database, "ann") for _ in range(3)]
    other = enqueue(database, "bob")
    assert {claimed(database).run_id for _ in range(3)} == {*names[:2], other}
    assert claim(database) is None
    assert claim(database, names[2]) is None
    standing = database.read(lambda tx: backlog.standing(tx, names[2]))
    assert standing is not None
    assert (standing.state, standing.running, standing.allowed) == ("queued", 2, 2)


# -- attempts -----------------------------------------------------------------------------------------


def test_a_job_that_keeps_killing_its_worker_ends_as_failed_with_the_cause(database: Database) -> None:
    name = enqueue(database, max_attempts=3)
    for attempt in (1, 2, 3):
        assert claimed(database).attempts == attempt
        expire(database, name)
    assert claim(database) is None
    run = run_of(database, name)
    assert (run.status, run.outcome, run.error) == ("failed", "failed", "it killed its worker 3 times")
    assert story(database, name).count("run.failed") == 1
    assert database.read(backlog.counts) == {}


def abort_by_takeover(tx: Tx, job: Job) -> None:
    runs.request_control(tx, job.run_id, "abort")
    tx.run("UPDATE job SET lease_until = 1 WHERE id = :id", id=job.id)
    assert queue.take_over_if_gone(tx, job.run_id)


def die_for_the_last_time(tx: Tx, job: Job) -> None:
    tx.run("UPDATE job SET lease_until = 1, attempts = max_attempts WHERE id = :id", id=job.id)
    assert queue.take_over_if_gone(tx, job.run_id)


def abort_while_nobody_works(tx: Tx, job: Job) -> None:
    queue.release(tx, job)
    assert runs.request_control(tx, job.run_id, "abort") == "applied"


@pytest.mark.parametrize(
    "end",
    [
        lambda tx, job: queue.finish(tx, job),
        lambda tx, job: queue.finish(tx, job, "aborted"),
        lambda tx, job: queue.fail(tx, job, "no use", retryable=False),
        abort_by_takeover,
        die_for_the_last_time,
        abort_while_nobody_works,
    ],
)
def test_a_run_that_ends_has_nothing_reserved_and_counts_the_prompts_of_calls_that_were_cut(
    database: Database, end: Callable[[Tx, Job], object]
) -> None:
    name = enqueue(database)
    job = claimed(database)
    worst = Usage(10, 100, 220, "configured", estimated=True)

    def write(tx: Tx) -> None:
        for slot, kind, body in (("a", "chat", '{"max_output_tokens":100}'), ("b", "tool", "{}")):
            intent = Intent(name, job.epoch, slot, kind, "draft", "act", 1, "idempotent")
            journal.begin(tx, intent, Offer("p", "m", body, worst if kind == "chat" else Usage(cost_micro_usd=7), None), 0)

    database.write(write)
    assert (run_of(database, name).reserved_tokens, run_of(database, name).reserved_usd) == (110, 227)
    database.write(lambda tx: end(tx, job))
    run = run_of(database, name)
    assert (run.ended, run.reserved_tokens, run.reserved_usd) == (True, 0, 0)
    assert (run.used_tokens, run.used_usd, run.unpriced_calls) == (10, 0, 2)
    rows = database.read(lambda tx: tx.rows("SELECT * FROM call ORDER BY n"))
    assert [(row["state"], row["reserved_tokens"], row["reserved_usd"], row["tokens_in"]) for row in rows] == [
        ("failed", 0, 0, 10),
        ("failed", 0, 0, 0),
    ]
    assert {journal.decode_error(row["error"]).message for row in rows} == {"cut"}
    assert {(row["cost_usd"], row["cost_source"]) for row in rows} == {(None, "unknown")}


def test_a_run_that_only_stands_still_keeps_its_open_calls_for_whoever_goes_on(database: Database) -> None:
    name = enqueue(database)
    job = claimed(database)
    intent = Intent(name, job.epoch, "a", "chat", "draft", "act", 1, "idempotent")
    offer = Offer("p", "m", '{"max_output_tokens":100}', Usage(10, 100, 0, "free"), None)
    database.write(lambda tx: journal.begin(tx, intent, offer, 0))
    database.write(lambda tx: queue.pause(tx, job))
    assert run_of(database, name).reserved_tokens == 110


def test_an_attempt_that_got_something_done_counts_as_the_first(database: Database) -> None:
    name = enqueue(database, max_attempts=2)
    for _ in range(5):
        job = claimed(database)
        database.write(lambda tx, job=job: queue.progressed(tx, job))  # type: ignore[misc]
        expire(database, name)
    assert run_of(database, name).status == "running"
    claimed(database)
    with pytest.raises(LeaseLost):
        database.write(lambda tx: queue.progressed(tx, job))


def test_a_person_who_resumes_gives_a_lost_run_its_attempts_back(database: Database) -> None:
    name = enqueue(database, max_attempts=2)
    for _ in range(4):
        assert claimed(database, name).attempts == 1
        expire(database, name)
        database.write(lambda tx: queue.resume(tx, name))
    assert run_of(database, name).status == "queued"


def test_failures_back_off_longer_and_longer_then_end_the_run_with_the_last_cause(database: Database) -> None:
    name = enqueue(database, max_attempts=3)
    waits = []
    for number in (1, 2):
        job = claimed(database)
        assert database.write(lambda tx, job=job, n=number: queue.fail(tx, job, f"boom {n}"))  # type: ignore[misc]
        assert claim(database) is None
        waits.append(database.read(lambda tx: events.read(tx, name))[-1].content["delay_ms"])
        make_due(database, name)
    job = claimed(database)
    assert not database.write(lambda tx: queue.fail(tx, job, "boom 3"))
    assert 1000 <= waits[0] <= 2000 <= waits[1] <= 4000
    assert run_of(database, name).error == "boom 3"
    assert story(database, name) == ["run.queued", "run.started", "retry", "run.resumed", "retry", "run.resumed", "run.failed"]
    told = [event.content for event in database.read(lambda tx: events.read(tx, name)) if event.type == "run.resumed"]
    assert [(content["reason"], content["retry"]) for content in told] == [("takeover", True)] * 2, "no worker is gone"


def test_the_wait_doubles_up_to_five_minutes_and_no_two_are_alike() -> None:
    for attempt, most in ((1, 2), (2, 4), (3, 8), (9, 300), (1000, 300)):
        waits = {queue.backoff_us(attempt) for _ in range(50)}
        assert len(waits) > 40
        assert most / 2 <= min(waits) / 1e6
        assert max(waits) / 1e6 <= most


def test_what_gives_out_around_a_run_costs_it_no_attempt_however_often(database: Database) -> None:
    run_id = enqueue(database, max_attempts=2)
    for _ in range(5):
        job = claimed(database)
        assert job.attempts == 1
        assert database.write(lambda tx, job=job: queue.fail(tx, job, "disk full", counted=False))  # type: ignore[misc]
        make_due(database, run_id)
    assert run_of(database, run_id).status == "queued"


def test_a_resume_that_another_has_overtaken_finds_its_job_instead_of_a_second(database: Database) -> None:
    run_id = enqueue(database)
    database.write(lambda tx: runs.request_control(tx, run_id, "pause"))
    jobs = [database.write(lambda tx: queue.enqueue_resume(tx, run_id, "operator")) for _ in range(2)]
    assert jobs[0] == jobs[1] is not None


def test_a_failure_that_another_try_cannot_mend_ends_the_run_at_once(database: Database) -> None:
    name = enqueue(database)
    job = claimed(database)
    assert not database.write(lambda tx: queue.fail(tx, job, "no such model", retryable=False))
    assert run_of(database, name).status == "failed"


def test_handing_back_costs_no_attempt(database: Database) -> None:
    name = enqueue(database, max_attempts=2)
    for _ in range(5):
        job = claimed(database)
        assert job.attempts == 1
        database.write(lambda tx, job=job: queue.release(tx, job))  # type: ignore[misc]
    reasons = [
        event.content.get("reason") for event in database.read(lambda tx: events.read(tx, name)) if event.type == "run.resumed"
    ]
    assert reasons == ["drain"] * 4


# -- holding ------------------------------------------------------------------------------------------


def test_after_a_takeover_the_old_holder_can_write_nothing_at_all(database: Database) -> None:
    name = enqueue(database)
    old = claimed(database, worker="old")
    expire(database, name)
    new = claimed(database, worker="new")
    assert new.epoch > old.epoch
    before = (run_of(database, name), story(database, name))
    writes = (queue.heartbeat, queue.finish, queue.wait_human, queue.pause, queue.release, queue.progressed,
              lambda tx, job: queue.fail(tx, job, "late"),
              lambda tx, job: events.append(tx, job.run_id, [("decision", None, {})], epoch=job.epoch))  # fmt: skip
    for write in writes:
        with pytest.raises(LeaseLost):
            database.write(lambda tx, write=write: write(tx, old))  # type: ignore[misc]
    assert (run_of(database, name), story(database, name)) == before


@pytest.mark.parametrize("end", [queue.finish, queue.wait_human, queue.pause, queue.release])
def test_after_its_own_end_a_holder_writes_no_event_either(database: Database, end: Any) -> None:
    enqueue(database)
    job = claimed(database)
    database.write(lambda tx: end(tx, job))
    with pytest.raises(LeaseLost):
        database.write(lambda tx: events.append(tx, job.run_id, [("decision", None, {})], epoch=job.epoch))


def test_a_heartbeat_moves_the_lease_and_a_live_lease_is_not_taken(database: Database) -> None:
    name = enqueue(database)
    job = claimed(database)
    expire(database, name)
    assert database.write(lambda tx: queue.heartbeat(tx, job)) is None
    assert claim(database) is None
    assert not database.write(lambda tx: queue.take_over_if_gone(tx, name))
    with pytest.raises(HeldByAnother, match="w"):
        database.write(lambda tx: queue.resume(tx, name))


@pytest.mark.parametrize(("control", "status"), [("pause", "paused"), ("abort", "aborted")])
def test_a_request_that_a_dead_worker_never_heard_is_obeyed_at_the_takeover(
    database: Database, control: Any, status: str
) -> None:
    name = enqueue(database)
    claimed(database)
    assert database.write(lambda tx: runs.request_control(tx, name, control)) == "requested"
    expire(database, name)
    assert database.write(lambda tx: queue.take_over_if_gone(tx, name))
    assert run_of(database, name).status == status
    assert claim(database) is None


def test_a_claim_looks_at_the_locks_of_holders_and_at_no_others(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    looked: list[str] = []
    real = lease._try

    def look(path: Path) -> lease.Life:
        looked.append(path.stem)
        return real(path)

    monkeypatch.setattr(lease, "_try", look)
    for _ in range(5):
        with pytest.raises(RuntimeError), lease.Presence():
            raise RuntimeError
    with pytest.raises(RuntimeError), lease.Presence() as dead:
        raise RuntimeError
    name = enqueue(database)
    assert database.write(lambda tx: queue.claim(tx, dead.identity, 10**12)) is not None
    looked.clear()
    taken = database.write(lambda tx: queue.claim(tx, "w", 10**12, watch=lease.Watch()))
    assert taken is not None
    assert taken.run_id == name
    assert set(looked) == {dead.identity.rsplit(":", 1)[1]}


# -- resuming -----------------------------------------------------------------------------------------


def test_of_many_reports_one_resumes_and_the_job_is_a_new_one_ahead_of_new_runs(database: Database) -> None:
    name = enqueue(database)
    first = claimed(database)
    database.write(lambda tx: queue.wait_human(tx, first))
    enqueue(database)
    jobs = [database.write(lambda tx: queue.enqueue_resume(tx, name, "report")) for _ in range(5)]
    assert [job is None for job in jobs] == [False, True, True, True, True]
    again = claimed(database)
    assert (again.run_id, again.id, again.priority, again.attempts) == (name, jobs[0], 4, 1)
    assert [
        event.content["reason"] for event in database.read(lambda tx: events.read(tx, name)) if event.type == "run.resumed"
    ] == ["report"]


def test_a_report_does_not_wake_a_run_that_an_operator_paused(database: Database) -> None:
    name = enqueue(database)
    database.write(lambda tx: runs.request_control(tx, name, "pause"))
    assert database.write(lambda tx: queue.enqueue_resume(tx, name, "report")) is None
    assert database.write(lambda tx: queue.enqueue_resume(tx, name, "operator")) is not None


def test_resuming_takes_a_pause_back_that_was_not_yet_obeyed(database: Database) -> None:
    name = enqueue(database)
    job = claimed(database)
    database.write(lambda tx: runs.request_control(tx, name, "pause"))
    assert database.write(lambda tx: queue.resume(tx, name)) == job.id
    assert database.write(lambda tx: queue.heartbeat(tx, job)) is None


def test_an_ended_run_cannot_be_resumed(database: Database) -> None:
    name = enqueue(database)
    job = claimed(database)
    database.write(lambda tx: queue.finish(tx, job))
    with pytest.raises(InvalidInput, match="ended"):
        database.write(lambda tx: queue.resume(tx, name))


def test_resuming_hurries_a_run_that_waits_for_its_retry_and_keeps_its_job(database: Database) -> None:
    name = enqueue(database)
    job = claimed(database)
    database.write(lambda tx: queue.fail(tx, job, "boom"))
    assert database.write(lambda tx: queue.resume(tx, name)) == job.id
    assert claimed(database).attempts == 2


def test_a_holder_is_shut_out_from_the_moment_its_job_is_freed_not_only_when_it_is_claimed_again(database: Database) -> None:
    name = enqueue(database)
    old = claimed(database)
    expire(database, name)
    assert database.write(lambda tx: queue.take_over_if_gone(tx, name))
    with pytest.raises(LeaseLost):
        database.write(lambda tx: events.append(tx, name, [("decision", None, {})], epoch=old.epoch))


# -- rows that contradict one another -----------------------------------------------------------------


def spoil(database: Database, sql: str, **values: Any) -> None:
    """Something that is not the queue has edited a row."""
    database.write(lambda tx: tx.run(sql, **values))


@pytest.mark.parametrize(
    ("status", "job", "told"),
    [
        ("done", "failed", ()),
        ("aborted", "failed", ()),
        ("paused", "waiting_human", ("run.paused",)),
        ("waiting_human", "waiting_human", ("run.waiting_human",)),
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_a_waiting_job_of_a_run_that_does_not_wait_is_set_aside_with_its_cause_and_the_others_go_on(
    database: Database, status: str, job: str, told: tuple[str, ...], alone: bool
) -> None:
    for name in ("poison", "next"):
        enqueue(database, name=name)
    before = len(story(database, "poison"))
    spoil(database, "UPDATE run SET status = :status WHERE id = 'poison'", status=status)
    assert (claim(database, "poison") if alone else claimed(database).run_id) == (None if alone else "next")
    state, error = database.read(lambda tx: tx.tuples("SELECT state, error FROM job WHERE run_id = 'poison'"))[0]
    assert (state, error) == (job, f"its job was waiting while the run was {status}")
    assert tuple(story(database, "poison")[before:]) == told
    assert run_of(database, "poison").status == status
    if job == "waiting_human":
        assert database.write(lambda tx: queue.resume(tx, "poison")) is not None
        assert claimed(database, "poison").run_id == "poison"


def test_a_run_that_counts_as_running_while_its_job_waits_is_worked_as_after_a_crash(database: Database) -> None:
    enqueue(database, name="poison")
    spoil(database, "UPDATE run SET status = 'running', epoch = 4 WHERE id = 'poison'")
    job = claimed(database)
    assert (job.run_id, job.epoch) == ("poison", 6)
    assert story(database, "poison")[-2:] == ["run.queued", "run.resumed"]
    database.write(lambda tx: queue.finish(tx, job))


def test_a_job_without_its_run_and_one_that_cannot_be_read_end_alone(database: Database) -> None:
    for name in ("orphan", "garbled", "next"):
        enqueue(database, name=name)
    spoil(database, "DELETE FROM event WHERE run_id = 'orphan'")
    spoil(database, "DELETE FROM run WHERE id = 'orphan'")
    spoil(database, "UPDATE job SET payload = '{' WHERE run_id = 'garbled'")
    assert claimed(database).run_id == "next"
    states = dict(database.read(lambda tx: tx.tuples("SELECT run_id, state FROM job")))
    assert states == {"orphan": "failed", "garbled": "failed", "next": "running"}
    ended = run_of(database, "garbled")
    assert (ended.status, ended.error) == ("failed", "the payload of its job cannot be read")
    assert story(database, "garbled")[-1] == "run.failed"


@pytest.mark.parametrize("attempts", [1, 5])
@pytest.mark.parametrize("status", ["queued", "paused", "done"])
def test_a_lost_job_of_a_run_that_does_not_run_stops_no_claim(database: Database, status: str, attempts: int) -> None:
    enqueue(database, name="poison")
    claimed(database)
    enqueue(database, "other", name="next")
    spoil(database, "UPDATE job SET attempts = :attempts WHERE run_id = 'poison'", attempts=attempts)
    spoil(database, "UPDATE run SET status = :status WHERE id = 'poison'", status=status)
    expire(database, "poison")
    taken = {each.run_id for each in (claim(database), claim(database)) if each is not None}
    assert taken == ({"poison", "next"} if status == "queued" else {"next"})


def test_a_running_job_without_a_holder_is_taken_over(database: Database) -> None:
    enqueue(database, name="poison")
    claimed(database)
    spoil(database, "UPDATE job SET locked_by = NULL, lease_until = 1 WHERE run_id = 'poison'")
    job = database.write(lambda tx: queue.claim(tx, "w", LONG, watch=Watch()))
    assert job is not None
    assert job.run_id == "poison"
