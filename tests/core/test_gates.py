"""Gates in words: what is wanted, and why one was missed."""

from __future__ import annotations

from typing import Any

import pytest

from autonomy.core.gates import in_words, missed, told
from autonomy.core.types import Gate


@pytest.mark.parametrize(
    ("name", "figure", "threshold", "words"),
    [
        ("min_citations", 11, 30, "min citations 11 (wanted at least 30)"),
        ("citation_support", 0.85, 0.9, "citation support 0.85 (wanted at least 0.9)"),
        ("references", 0.5, 1.0, "references 0.5 (wanted 1)"),
        ("overlap", 0.3, 0.1, "overlap 0.3 (wanted at most 0.1)"),
        ("structure", 2, 0, "structure 2 (wanted 0)"),
        ("sources", 0, 1, "sources 0 (wanted at least 1)"),
        ("length", 612, [720, 880], "length 612 (wanted 720 to 880)"),
        ("length", 612, None, "length 612"),
    ],
)
def test_a_figure_says_on_which_side_of_its_threshold_it_should_lie(name: str, figure: Any, threshold: Any, words: str) -> None:
    assert in_words(name, figure, threshold) == words


def gate(passed: bool, *evidence: str) -> Gate:
    return Gate(name="structure", figure=len(evidence), threshold=0, passed=passed, evidence=("n=9", *evidence))


def test_a_missed_gate_names_its_first_causes_and_where_the_others_stand() -> None:
    (row,) = told([gate(False, "a", "b", "c", "d")])
    assert row["evidence"] == ["a", "b", "c", "and more in manifest.json"]
    assert missed(row) == "structure 4 (wanted 0): a; b; c; and more in manifest.json"
    assert missed(told([gate(False, "a", "b", "c")])[0]) == "structure 3 (wanted 0): a; b; c"


def test_where_nothing_was_measured_that_is_the_cause() -> None:
    assert missed(told([gate(False)])[0]) == "structure 0 (wanted 0): there is nothing to measure"


def test_a_gate_that_passed_and_one_that_measures_no_document_have_no_line() -> None:
    rows = told([gate(True), Gate(name="coverage", figure=0.1, threshold=0.5, passed=False)])
    assert [row.get("evidence") for row in rows] == [None, None]
    assert [missed(row) for row in rows] == ["", ""]
