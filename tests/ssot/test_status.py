"""The status engine: every state that can be reached, and every step that is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.core.errors import AlreadyDecided, AutonomyError, InvalidInput
from autonomy.ssot import protocol, status
from autonomy.ssot.task import Result, Task, Verdict
from tests.ssot.made import AT, result, task, verdict

MOST = 3
UNSURE = verdict("c1", decision="needs_review")


def approve(now: Task) -> Task:
    decided = status.decide(now, "approved", by="ada", at=AT)
    return decided if decided.last is not None else protocol.dispatch(decided, AT)


def reject(now: Task) -> Task:
    return status.decide(now, "rejected", by="ada", at=AT, reason="no")


def last(now: Task) -> int:
    return now.last.n if now.last is not None else 1


STEPS: dict[str, Callable[[Task], Task]] = {
    "approve": approve,
    "reject": reject,
    "ack": lambda now: protocol.acknowledged(now, last(now), protocol.acknowledge(now, AT)),
    "result": lambda now: protocol.executed(now, last(now), Result.model_validate(result()), "delivered"),
    "accept": lambda now: protocol.reviewed(now, last(now), Verdict.model_validate(verdict()), AT, again=True),
    "unsure": lambda now: protocol.reviewed(now, last(now), Verdict.model_validate(UNSURE), AT, again=True),
    "again": lambda now: protocol.reviewed(now, last(now), Verdict.model_validate(verdict("c1")), AT, again=last(now) < MOST),
    "enough": lambda now: protocol.reviewed(now, last(now), Verdict.model_validate(verdict("c1")), AT, again=False),
}


def facts(now: Task) -> tuple[Any, ...]:
    """What a task is to the engine: the decision, and how far each dispatch has come."""
    decision = None if now.decision is None else (now.decision.verdict, now.decision.dispatches)
    stages = tuple(
        (each.ack is not None, each.result is not None, None if each.verdict is None else each.verdict.decision)
        for each in now.dispatches
    )
    return decision, stages


def expected(now: Task) -> str:
    """The rules once more, in another form: by the story of the decision instead of by the state of the file."""
    if now.decision is None:
        return "pending"
    if now.decision.verdict == "rejected":
        return "rejected"
    unaccepted = bool(now.dispatches) and facts(now)[1][-1][2] in ("reject", "needs_review")
    return "needs_review" if unaccepted and now.decision.dispatches != len(now.dispatches) else "approved"


def reachable() -> dict[tuple[Any, ...], tuple[Task, dict[str, str]]]:
    """Every state that the steps lead to from a new task, with what each step then did."""
    first = task()
    found: dict[tuple[Any, ...], tuple[Task, dict[str, str]]] = {}
    waiting = [first]
    while waiting:
        now = waiting.pop()
        if facts(now) in found:
            continue
        done: dict[str, str] = {}
        for name, step in STEPS.items():
            try:
                following = step(now)
            except AutonomyError as error:
                done[name] = type(error).__name__
            else:
                done[name] = status.status(following)
                waiting.append(following)
        found[facts(now)] = now, done
    return found


STATES = reachable()


def test_every_reachable_state_has_the_status_that_the_rules_say() -> None:
    assert len(STATES) == 32
    assert {status.status(now) for now, _ in STATES.values()} == {"pending", "approved", "rejected", "needs_review"}
    for now, _ in STATES.values():
        assert status.status(now) == expected(now), facts(now)


def test_a_decision_is_possible_where_nobody_has_decided_and_where_a_review_waits_and_nowhere_else() -> None:
    for now, done in STATES.values():
        open_ = status.status(now) in ("pending", "needs_review")
        assert (done["approve"] != "AlreadyDecided") == open_
        assert (done["reject"] != "AlreadyDecided") == open_
        assert status.admits_decision(now) == open_
        if open_:
            assert (done["approve"], done["reject"]) == ("approved", "rejected")


def test_an_echo_a_result_and_a_verdict_come_in_this_order_and_once() -> None:
    for now, done in STATES.values():
        at = now.last
        ready = at is not None and at.ack is not None
        handed = at is not None and at.result is not None
        assert (done["ack"] != "InvalidInput") == (at is not None and not handed)
        assert (done["result"] != "InvalidInput") == (ready and not handed)
        for name in ("accept", "unsure", "again", "enough"):
            assert (done[name] != "InvalidInput") == (handed and at is not None and at.verdict is None)


def test_work_never_moves_a_task_that_was_rejected_and_an_accepted_one_stays_approved() -> None:
    for now, done in STATES.values():
        moved = {done[name] for name in ("ack", "result", "accept", "unsure", "again", "enough")} - {"InvalidInput"}
        if status.status(now) == "rejected":
            assert moved <= {"rejected"}
        if status.status(now) == "pending":
            assert not moved
        assert done["accept"] in ("InvalidInput", "approved", "rejected")
        assert done["unsure"] in ("InvalidInput", "needs_review", "rejected")


def test_a_rejection_is_given_out_again_until_none_is_left_and_then_a_person_decides() -> None:
    now = approve(task())
    for n in range(1, MOST + 1):
        now = STEPS["again"](STEPS["result"](STEPS["ack"](now)))
        assert len(now.dispatches) == min(n + 1, MOST)
        assert status.status(now) == ("approved" if n < MOST else "needs_review")
    accepted = approve(now)
    assert (status.status(accepted), len(accepted.dispatches)) == ("approved", MOST)
    with pytest.raises(AlreadyDecided):
        approve(accepted)


def test_what_a_reviewer_cannot_say_is_given_out_to_nobody_and_waits_for_a_person() -> None:
    now = STEPS["unsure"](STEPS["result"](STEPS["ack"](approve(task()))))
    assert (status.status(now), len(now.dispatches)) == ("needs_review", 1)
    assert status.status(approve(now)) == "approved"
    assert status.status(reject(now)) == "rejected"


def test_each_decision_is_kept_with_who_made_it_and_when_and_with_fields_that_nobody_here_knows() -> None:
    first = status.decide(task(), "approved", by="ada", at=AT, reason="Worth it.")
    noted = first.evolve(decision={**first.as_json()["decision"], "seen_by": "carol"})
    handed = STEPS["unsure"](STEPS["result"](STEPS["ack"](protocol.dispatch(noted, AT))))
    later = "2026-02-01T12:00:00.000Z"
    for ruling in ("approved", "rejected"):
        now = status.decide(handed, ruling, by="bob", at=later)
        assert now.as_json()["earlier_decisions"] == [noted.as_json()["decision"]]
        assert now.as_json()["earlier_decisions"][0]["seen_by"] == "carol"
        assert (now.decision and (now.decision.by, now.decision.at, now.decision.reason)) == ("bob", later, None)
    assert "earlier_decisions" not in first.as_json()


def test_what_a_task_works_on_can_be_named_until_its_work_begins() -> None:
    for now, _ in STATES.values():
        begun = now.last is not None and now.last.ack is not None
        assert status.awaits_start(now) == (status.status(now) in ("pending", "approved") and not begun), facts(now)
    given_out = approve(task())
    given = given_out.evolve(dispatches=[{**given_out.as_json()["dispatches"][0], "run_id": "r1"}])
    assert (status.awaits_start(given_out), status.awaits_start(given)) == (True, False)


@given(st.sampled_from(["pending", "needs_review", "approved", "rejected"]), st.sampled_from(sorted(STATES, key=str)))
def test_what_a_file_says_of_its_status_decides_nothing(said: str, key: tuple[Any, ...]) -> None:
    now, _ = STATES[key]
    assert status.status(now.evolve(status=said)) == status.status(now)


def test_a_verdict_that_no_step_admits_is_refused_with_a_reason() -> None:
    handed = STEPS["result"](STEPS["ack"](approve(task())))
    for broken in (
        verdict("c9"),
        verdict("c1", decision="approve"),
        verdict(decision="reject"),
        verdict(decision="needs_review"),
        verdict("c1", issues=[{"id": "i", "criterion_ref": "c1", "text": "x", "trace": ["e9"]}]),
        verdict("c1", issues=[{"id": "i", "criterion_ref": "c1", "text": "x", "trace": ["e1"]}] * 2),
    ):
        with pytest.raises(InvalidInput):
            protocol.reviewed(handed, 1, Verdict.model_validate(broken), AT, again=True)
