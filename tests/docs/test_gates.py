"""The page about the gates names every gate there is, what decides, and the thresholds that are held."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from autonomy.agents.material import ReportSeen
from autonomy.core.gates import GATES, MUST_PASS, OF_ONE_JOURNEY, ON_REQUEST, says_something
from autonomy.journeys.catalogue import journey
from autonomy.journeys.policy import Policy
from autonomy.services.runs import BUILT
from tests.journeys import made

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text("utf-8")
ROWS = {
    cells[0].strip("`"): cells[1:]
    for line in PAGE.splitlines()
    if line.startswith("| `")
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}


def measured(name: str) -> set[str]:
    """The gates of a journey when a length is asked for as well."""
    make = {"write": made.written, "research": made.packed}[name]
    material = make(task=made.task(journey=name, length=500))
    if name == "write":
        material = material.model_copy(update={"reports": (ReportSeen(n=1, observed=11, target=15, decision="accepted"),)})
    return {gate.name for gate in journey(name).gates(material, made.snapshot(), {})}


def test_every_gate_of_every_journey_has_a_row_and_no_row_is_of_another() -> None:
    assert set(ROWS) == GATES == set().union(*(measured(name) for name in BUILT))


def test_a_gate_that_nothing_was_asked_of_says_nothing() -> None:
    plain = made.written(task=made.task(journey="write", length=None, min_citations=None))
    rows = [{"name": each.name, "threshold": each.threshold} for each in journey("write").gates(plain, made.snapshot(), {})]
    assert {row["name"] for row in rows if not says_something(row)} == {"min_citations"}
    assert not {"length", "similarity"} & {row["name"] for row in rows}
    assert set(ON_REQUEST) == {"min_citations", "length", "similarity"}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_says_whether_a_miss_decides(name: str) -> None:
    assert ROWS[name][-1] == ("decides" if name in MUST_PASS else "tells")


def test_what_belongs_to_one_journey_is_marked_so() -> None:
    only = {name: journeys for name, row in ROWS.items() for journeys in [re.findall(r"`(\w+)` only", row[0])] if journeys}
    assert only == {name: [of] for name, of in OF_ONE_JOURNEY.items()}
    assert measured("write") ^ measured("research") == set(only)


def test_the_thresholds_are_those_that_are_held() -> None:
    held = Policy()
    shown = {name: [float(n) for n in re.findall(r"\d+(?:\.\d+)?", row[2])] for name, row in ROWS.items()}
    assert shown["quote_found"] == [held.quote_found]
    assert shown["citation_coverage"] == [held.coverage]
    assert shown["citation_support"] == [held.support]
    assert shown["relevance"] == [held.relevance]
    assert shown["citation_excess"] == [held.excess]
    assert shown["source_spread"] == [held.least_sources]
    assert shown["source_share"][0] == held.largest_share
    assert shown["overlap"] == [held.overlap, held.longest_run]
    assert f"row of {held.run} or more" in ROWS["overlap"][0]
    assert shown["length"] == [round(100 * (1 - held.length_low))] == [round(100 * (held.length_high - 1))]
    assert shown["readability"] == [held.flesch_low, held.flesch_high, held.letters_low, held.letters_high]
    assert f"{held.annotation_least} to {held.annotation_most} words" in ROWS["pack_complete"][0]
