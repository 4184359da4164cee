"""The protocol: a faithful echo, results and issues that can be traced, issues that survive their way byte for byte."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from autonomy.core.errors import InvalidInput
from autonomy.ssot import protocol
from autonomy.ssot.canonical import sha256
from autonomy.ssot.standins import ScriptedExecutor, ScriptedReviewer
from autonomy.ssot.task import Ack, Issue, Result, Task, Verdict
from tests.ssot.made import AT, result, task, verdict

words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=40).filter(
    lambda text: bool(text.strip())
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
items = st.lists(words, max_size=5).map(lambda texts: [{"id": f"x{n}", "text": text} for n, text in enumerate(texts)])


def clock() -> str:
    return AT


def in_memory(now: Task) -> tuple[list[Task], protocol.Step]:
    """A place for a task, and the step that changes it there."""
    held = [now]

    def step(name: str, change: Any) -> Task:
        held.append(change(held[-1]))
        return held[-1]

    return held, step


@given(items, items, st.dictionaries(words.map(lambda word: f"x-{word}"), plain, max_size=2))
@settings(max_examples=60)
def test_an_echo_is_the_criteria_and_the_scope_item_by_item(criteria: Any, scope: Any, more: dict[str, Any]) -> None:
    asked = task(acceptance_criteria=[{**each, **more} for each in criteria], declared_scope=scope)
    ack = protocol.acknowledge(asked, AT)
    protocol.check_ack(asked, ack)
    body, echo = asked.as_json(), ack.model_dump(mode="json", exclude_unset=True)
    for name in ("acceptance_criteria", "declared_scope"):
        assert sha256(body[name]) == sha256(echo[name])


@pytest.mark.parametrize(
    ("criteria", "scope", "named"),
    [
        ([{"id": "c1", "text": "It is cited. "}, {"id": "c2", "text": "It is short."}], None, "c1"),
        ([{"id": "c2", "text": "It is short."}, {"id": "c1", "text": "It is cited."}], None, "c1"),
        ([{"id": "c1", "text": "It is cited."}], None, "2 of 'acceptance criterion'"),
        ([{"id": "c1", "text": "It is cited."}, {"id": "c2", "text": "It is short.", "also": 1}], None, "c2"),
        (None, [], "declared scope"),
        (None, [{"id": "s1", "text": "One document."}, {"id": "s2", "text": "And more."}], "declared scope"),
    ],
)
def test_an_echo_that_is_none_is_refused_and_says_where(criteria: Any, scope: Any, named: str) -> None:
    asked = protocol.dispatch(task(), AT)
    body = protocol.acknowledge(asked, AT).model_dump(mode="json")
    ack = Ack.model_validate(
        {
            **body,
            **({"acceptance_criteria": criteria} if criteria is not None else {}),
            **({"declared_scope": scope} if scope is not None else {}),
        }
    )
    with pytest.raises(InvalidInput, match=named):
        protocol.acknowledged(asked, 1, ack)


@pytest.mark.parametrize(
    "broken",
    [
        {"criteria": [{"criterion_ref": "c9", "met": True, "evidence": []}]},
        {"criteria": [{"criterion_ref": "c1", "met": True, "evidence": ["e9"]}]},
        {"work_log": [{"id": "e1", "at": AT, "what": "a"}, {"id": "e1", "at": AT, "what": "b"}], "criteria": []},
    ],
)
def test_a_result_that_points_at_nothing_is_refused(broken: dict[str, Any]) -> None:
    asked = protocol.dispatch(task(), AT)
    asked = protocol.acknowledged(asked, 1, protocol.acknowledge(asked, AT))
    with pytest.raises(InvalidInput):
        protocol.executed(asked, 1, Result.model_validate({**result(), **broken}), "delivered")


def test_an_issue_without_a_trace_or_a_criterion_is_none() -> None:
    broken: dict[str, Any]
    for broken in ({"trace": []}, {"criterion_ref": ""}, {"text": " "}):
        with pytest.raises(ValidationError):
            Issue.model_validate({"id": "i1", "criterion_ref": "c1", "text": "x", "trace": ["e1"], **broken})


@given(
    st.lists(st.tuples(words, st.dictionaries(words.map(lambda word: f"x-{word}"), plain, max_size=3)), min_size=1, max_size=4)
)
@settings(max_examples=60)
def test_issues_are_carried_byte_for_byte_with_all_that_they_hold(given_: Any) -> None:
    issues = [
        {"id": f"i{n}", "criterion_ref": "c1", "text": text, "trace": ["e1"], **more} for n, (text, more) in enumerate(given_)
    ]
    now = protocol.dispatch(task(), AT)
    now = protocol.acknowledged(now, 1, protocol.acknowledge(now, AT))
    now = protocol.executed(now, 1, Result.model_validate(result()), "delivered")
    now = protocol.reviewed(now, 1, Verdict.model_validate({**verdict("c1"), "issues": issues}), AT, again=True)
    body = now.as_json()
    assert sha256(body["dispatches"][1]["issues"]) == sha256(body["dispatches"][0]["verdict"]["issues"]) == sha256(issues)


def test_a_task_that_is_given_out_again_shows_the_new_dispatch_and_keeps_the_old_one() -> None:
    now = protocol.dispatch(task(), AT)
    now = protocol.acknowledged(now, 1, protocol.acknowledge(now, AT))
    now = protocol.executed(now, 1, Result.model_validate(result()), "delivered")
    assert now.result is not None
    assert now.outcome == "delivered"
    now = protocol.reviewed(now, 1, Verdict.model_validate(verdict("c1")), AT, again=True)
    assert (now.ack, now.result, now.verdict, now.outcome) == (None, None, None, None)
    assert now.dispatches[0].result is not None
    assert [each.n for each in now.dispatches] == [1, 2]


def test_two_scripted_parties_go_through_a_rejection_to_an_acceptance() -> None:
    executor = ScriptedExecutor(clock, misses=[("c2",)])
    held, step = in_memory(task())
    done = protocol.play(held[0], executor, ScriptedReviewer(), clock=clock, most=2, step=step)
    assert len(done.dispatches) == 2
    first, second = done.dispatches
    assert first.verdict is not None
    assert second.verdict is not None
    assert (first.verdict.decision, second.verdict.decision) == ("reject", "approve")
    assert [issue.criterion_ref for issue in first.verdict.issues] == ["c2"]
    assert first.result is not None
    assert set(first.verdict.issues[0].trace) <= {entry.id for entry in first.result.work_log}
    assert [sha256([i.model_dump() for i in seen]) for seen in executor.seen] == [
        sha256([]), sha256([i.model_dump() for i in first.verdict.issues]),
    ]  # fmt: skip
    assert second.result is not None
    assert second.result.work_log[0].what.endswith(first.verdict.issues[0].text)


def test_two_scripted_parties_stop_at_the_last_dispatch() -> None:
    held, step = in_memory(task())
    executor = ScriptedExecutor(clock, misses=[("c1",), ("c1", "c2"), ("c2",)])
    done = protocol.play(held[0], executor, ScriptedReviewer(), clock=clock, most=3, step=step)
    assert [each.verdict.decision for each in done.dispatches if each.verdict] == ["reject"] * 3


def test_a_forged_echo_stops_the_work_before_it_begins() -> None:
    class Forger(ScriptedExecutor):
        def acknowledge(self, task: Task, at: str) -> Ack:
            return protocol.acknowledge(task.evolve(declared_scope=[{"id": "s1", "text": "Everything."}]), at)

    forger = Forger(clock)
    held, step = in_memory(task())
    with pytest.raises(InvalidInput, match="s1"):
        protocol.play(held[0], forger, ScriptedReviewer(), clock=clock, most=2, step=step)
    assert forger.seen == []
