"""What phase D holds against a task's dispatches, on dispatches made by hand: each small untruth is seen."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from autonomy.verify.phase_b import falls
from autonomy.verify.phase_c import forged, signed
from autonomy.verify.phase_d import carried, echoes, named, traced

CRITERIA = [{"id": "AC-1", "text": "It is said – plainly."}, {"id": "AC-2", "text": "It is cited."}]
SCOPE = [{"id": "S-1", "text": "Only the corpus is read."}]
ISSUE = {"id": "i1", "criterion_ref": "AC-2", "text": "Not cited.", "trace": ["e1"]}
FIRST: dict[str, Any] = {
    "n": 1,
    "ack": {"at": "2026-01-01T00:00:00.000001Z", "acceptance_criteria": CRITERIA, "declared_scope": SCOPE},
    "result": {"work_log": [{"id": "e1", "at": "2026-01-01T00:00:00.000002Z", "what": "Searched."}]},
    "verdict": {"decision": "reject", "issues": [ISSUE]},
}
NEXT: dict[str, Any] = {"n": 2, "issues": [ISSUE]}
Alter = Callable[[dict[str, Any]], object]


def altered(given: dict[str, Any], alter: Alter) -> dict[str, Any]:
    copied = copy.deepcopy(given)
    alter(copied)
    return copied


def test_what_is_true_is_found_true() -> None:
    assert echoes(CRITERIA, SCOPE, FIRST) == [True, True, True]
    assert named(CRITERIA, FIRST) == [True]
    assert traced(FIRST) == [True]
    assert carried(FIRST, NEXT)


@pytest.mark.parametrize(
    "alter",
    [
        lambda it: it.pop("ack"),
        lambda it: it["ack"]["declared_scope"].pop(),
        lambda it: it["ack"]["acceptance_criteria"].reverse(),
        lambda it: it["ack"]["acceptance_criteria"].append(CRITERIA[0]),
        lambda it: it["ack"]["acceptance_criteria"][0].update(text="It is said - plainly."),
        lambda it: it["ack"]["acceptance_criteria"][0].update(note="added"),
        lambda it: it["ack"].update(at="2026-01-01T00:00:00.000003Z"),
        lambda it: it["ack"].pop("at"),
    ],
    ids=["none", "an item is missing", "order", "one too many", "a character", "a field", "after the work", "no time"],
)
def test_an_echo_that_is_none_is_seen(alter: Alter) -> None:
    assert not all(echoes(CRITERIA, SCOPE, altered(FIRST, alter)))


@pytest.mark.parametrize("alter", [lambda it: it.pop("criterion_ref"), lambda it: it.update(criterion_ref="AC-3")])
def test_an_issue_without_a_criterion_of_the_task_is_seen(alter: Alter) -> None:
    assert named(CRITERIA, altered(FIRST, lambda it: alter(it["verdict"]["issues"][0]))) == [False]


@pytest.mark.parametrize("trace", [[], ["e2"], ["e1", "e2"], None])
def test_a_trace_that_points_nowhere_is_seen(trace: list[str] | None) -> None:
    assert traced(altered(FIRST, lambda it: it["verdict"]["issues"][0].update(trace=trace))) == [False]


@pytest.mark.parametrize(
    "alter",
    [
        lambda it: it.pop("issues"),
        lambda it: it["issues"].append(ISSUE),
        lambda it: it["issues"][0].update(id="i2"),
        lambda it: it["issues"][0].update(text="Not cited!"),
        lambda it: it["issues"][0].update(severity="low"),
    ],
    ids=["none", "one too many", "renumbered", "reworded", "a field"],
)
def test_issues_that_are_not_carried_byte_for_byte_are_seen(alter: Alter) -> None:
    assert not carried(FIRST, altered(NEXT, alter))


def test_a_dispatch_that_follows_no_issue_proves_nothing() -> None:
    assert not carried({"n": 1, "verdict": {"decision": "reject", "issues": []}}, {"n": 2, "issues": []})


def test_no_forged_signature_is_the_right_one_and_there_are_many_kinds() -> None:
    body = b'{"zen": "Approachable is better than simple."}'
    made = [forged(number, "the secret", body) for number in range(50)]
    assert signed("the secret", body) not in made
    assert signed("the secret", body).encode() not in made
    assert len({type(each) for each in made}) == 3
    assert len({str(each) for each in made}) >= 13


def test_a_fall_is_counted_wherever_it_is() -> None:
    assert (falls([1, 2, 2, 5]), falls([2, 1, 5, 4]), falls([])) == (0, 2, 0)
