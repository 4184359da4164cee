"""A report assumes nothing: what was not measured fails it, and its files say what they are by hash."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import pytest

from autonomy.verify.measure import percentile, spread
from autonomy.verify.phase_a import counted
from autonomy.verify.report import Limit, Report

HOW = "autonomy verify phase-x"


def report(*owed: str, limits: tuple[Limit, ...] = ()) -> Report:
    return Report("x", HOW, owed, limits)


def test_a_phase_passes_when_all_it_owes_was_measured_and_keeps_its_limits() -> None:
    made = report("a_ms", "b_pass", limits=(Limit("a_ms", most=5), Limit("b_pass", equals=True)))
    made.measured(a_ms=5.0, b_pass=True)
    assert not made.passed  # not before it is finished
    made.finish()
    assert made.passed
    assert made.fail_reasons == []


def test_a_metric_that_was_not_measured_fails_the_phase() -> None:
    made = report("a_ms", "b_ms")
    made.measured(a_ms=1.0)
    made.finish()
    assert made.fail_reasons == ["b_ms was not measured"]
    assert not made.passed


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_no_number_fails_the_phase(value: float) -> None:
    made = report("a_ms")
    made.measured(a_ms=value)
    made.finish()
    assert made.fail_reasons == ["a_ms is no finite number"]


@pytest.mark.parametrize(
    ("limit", "value", "broken"),
    [
        (Limit("m", least=1.0), 1.0, False),
        (Limit("m", least=1.0), 0.99, True),
        (Limit("m", most=3), 3, False),
        (Limit("m", most=3), 3.01, True),
        (Limit("m", equals=0), 0, False),
        (Limit("m", equals=0), 1, True),
        (Limit("m", equals=True), False, True),
    ],
)
def test_a_limit_names_what_broke_it(limit: Limit, value: float, broken: bool) -> None:
    why = limit.broken(value)
    assert (why is not None) is broken
    if why is not None:
        assert str(value) in why


def test_the_files_say_the_same_and_name_their_artifacts_by_hash(tmp_path: Path) -> None:
    made = report("a_ms")
    made.measured(a_ms=2.5)
    kept = tmp_path / "reports" / "phase_x" / "seen.json"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"[1]\n")
    made.keep(kept, "what was seen")
    made.fail("it rained")
    made.finish()
    json_path, markdown_path = made.write(tmp_path / "reports", tmp_path)
    document = json.loads(json_path.read_text())
    assert json_path.name == "phase_x_acceptance.json"
    assert document["pass"] is False
    assert document["fail_reasons"] == ["it rained"]
    assert document["how_to_run"] == HOW
    assert document["metrics"] == {"a_ms": 2.5}
    assert document["artifacts"] == [
        {"path": "reports/phase_x/seen.json", "sha256": hashlib.sha256(b"[1]\n").hexdigest(), "note": "what was seen"}
    ]
    assert document["started_at"] <= document["finished_at"]
    markdown = markdown_path.read_text()
    assert "FAILED" in markdown
    assert "it rained" in markdown
    assert document["artifacts"][0]["sha256"] in markdown
    assert sorted(path.name for path in json_path.parent.iterdir()) == [
        "phase_x", "phase_x_acceptance.json", "phase_x_acceptance.md",
    ]  # fmt: skip


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(number) for number in range(1, 101)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.95) == 7
    assert math.isnan(percentile([], 0.5))


def test_what_was_never_timed_is_no_figure() -> None:
    assert spread("api", [], 50, 95) == {}
    assert spread("api", [1.0, 3.0], 50, 95) == {"api_p50_ms": 1.0, "api_p95_ms": 3.0}


def test_errors_count_as_failed_and_skipped_tests_as_neither(tmp_path: Path) -> None:
    path = tmp_path / "results.xml"
    path.write_text(
        '<testsuites><testsuite tests="10" failures="2" errors="1" skipped="3"/>'
        '<testsuite tests="5" failures="0" errors="0" skipped="0"/></testsuites>'
    )
    assert counted(path) == (9, 3)
