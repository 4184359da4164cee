"""Which criteria a gate judges: those that say nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from autonomy.core.gates import GATES
from autonomy.services.criteria import Condition, conditions
from autonomy.ssot.task import Item


def read(text: str, criterion: str = "c1") -> list[tuple[str, str, float]]:
    item = Item.model_validate({"id": criterion, "text": text})
    return [(each.gate, each.sign, each.number) for each in conditions(item)]


@pytest.mark.parametrize("name", sorted(GATES))
@pytest.mark.parametrize(
    "form", ["{}", "`{}`", "The {} gate passes.", "gate {} holds", "{} holds its threshold", "{} must pass"]
)
def test_the_bare_name_of_a_gate_is_that_gate(name: str, form: str) -> None:
    assert read(form.format(name)) == read(form.format(name.replace("_", " ").title())) == [(name, "", 0.0)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("overlap, structure and references hold", [("overlap", "", 0), ("structure", "", 0), ("references", "", 0)]),
        ("source_spread at least 3", [("source_spread", ">=", 3)]),
        ("Source spread of at least 3 sources", [("source_spread", ">=", 3)]),
        ("length >= 500 and length at most 600 words", [("length", ">=", 500), ("length", "<=", 600)]),
        ("overlap at most 0.3", [("overlap", "<=", 0.3)]),
        ("overlap below 7 %", [("overlap", "<", 0.07)]),
        ("relevance no less than 95 percent", [("relevance", ">=", 0.95)]),
        ("similarity is at most 15%", [("similarity", "<=", 15)]),
        ("structure = 0, min citations more than 9 quotations", [("structure", "=", 0), ("min_citations", ">", 9)]),
    ],
)
def test_names_are_joined_and_a_number_is_one_to_hold_the_figure_against(text: str, found: Any) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "the readability suits a ten year old",
        "no overlap with our last paper",
        "relevance to lawyers",
        "the length is that of a page",
        "references hold and it is written for children",
        "relevance does not pass",
        "at least 3",
        "length 500",
        "length at least 5 pages",
        "length at least 1,000",
        "overlap at most 10",  # a share of 10, or 10 %
        "source_spread at least 3 in each section",
        "readability between 50 and 70",
        "quotefound",
        "A document is delivered, and every gate that decides passes.",
    ],
)
def test_every_other_sentence_is_for_a_person(text: str) -> None:
    assert read(text) == []


def test_an_id_binds_nothing() -> None:
    assert read("Shorter than two pages.", "length") == []


def test_a_number_decides_whatever_the_gate_itself_wants() -> None:
    row = {"name": "overlap", "figure": 0.2, "threshold": 0.1, "pass": False, "evidence": ["n=40", "a row of 21 words"]}
    assert Condition("overlap", "<=", 0.3).met(row)
    assert not Condition("overlap", "<=", 0.15).met(row)
    assert not Condition("overlap").met(row)
    assert Condition("overlap", "<=", 0.15).missed(row) == "overlap 0.2 (wanted at most 0.15): a row of 21 words"
    assert not Condition("overlap", "<=", 0.3).met({**row, "figure": 0.0, "evidence": ["n=0"]})  # there was nothing to measure
    assert not Condition("similarity", "<=", 15).measured({"name": "similarity", "figure": None, "threshold": 15})
