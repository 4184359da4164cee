"""`autonomy verify`: how a phase is told, in words and as JSON, and its exit code."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autonomy.verify import runner
from autonomy.verify.report import Limit
from autonomy.verify.stage import Phase, Stage
from tests.cli.conftest import Answer, Place

Call = Callable[..., Answer]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Stage]:
    """Phases that measure one figure at once; phase c is red. Holds the stages that were run."""
    stages: list[Stage] = []

    async def measure(stage: Stage) -> None:
        stages.append(stage)
        stage.progress("measuring", 0.5)
        stage.report.measured(figure=2 if stage.report.phase == "c" else 1)
        stage.record("seen.json", [1], "what was seen")

    phases = {letter: Phase(letter, "a test", ("figure",), (Limit("figure", most=1),), measure) for letter in "abcdef"}
    monkeypatch.setattr(runner, "PHASES", phases)
    return stages


def test_a_phase_that_passes_is_told_with_its_figures_and_exits_0(seen: list[Stage], autonomy: Call) -> None:
    done = autonomy("verify", "phase-a")
    assert done.code == 0
    assert "phase a" in done.out
    assert "figure" in done.out
    assert "measuring" in done.err
    assert Path(done.out.split()[-1]).name == "phase_a_acceptance.md"
    assert Path(done.out.split()[-1]).is_file()


def test_a_phase_that_fails_says_why_and_exits_1(seen: list[Stage], autonomy: Call) -> None:
    done = autonomy("verify", "phase-c")
    assert done.code == 1
    assert "figure is 2, wanted at most 1" in done.out


def test_under_json_there_is_one_document_and_nothing_else(seen: list[Stage], autonomy: Call) -> None:
    done = autonomy("verify", "all", "--json")
    assert (done.code, done.err) == (1, "")
    document = json.loads(done.out)
    assert document["pass"] is False
    assert {each["phase"]: each["pass"] for each in document["phases"]} == {
        "a": True,
        "b": True,
        "c": False,
        "d": True,
        "e": True,
        "f": True,
    }
    for each in document["phases"]:
        assert each["artifacts"][0]["path"] == f"reports/phase_{each['phase']}/seen.json"


def test_the_report_says_how_it_was_run(seen: list[Stage], autonomy: Call) -> None:
    def how(*words: str) -> dict[str, Any]:
        phases = json.loads(autonomy("verify", *words, "--json").out)["phases"]
        return {each["phase"]: each["how_to_run"] for each in phases}

    assert how("phase-e") == {"e": "autonomy verify phase-e"}
    told = how("all", "--soak-seconds", "60")
    assert told["a"] == "autonomy verify phase-a"
    assert told["e"] == "autonomy verify phase-e --soak-seconds 60"
    assert [stage.options.soak_seconds for stage in seen if stage.report.phase == "e"] == [600, 60]


@pytest.mark.parametrize("words", [("phase-a",), ("phase-d",), ("all",)], ids=" ".join)
def test_without_the_extra_that_the_server_needs_one_line_says_so_and_nothing_is_measured(
    words: tuple[str, ...], seen: list[Stage], autonomy: Call, migrated: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "uvicorn" else found(name))
    done = autonomy("verify", *words)
    assert (done.code, done.out, done.err.count("\n")) == (4, "", 1)
    assert "needs the 'serve' extra" in done.err
    assert "pip install -e '.[serve]'" in done.err
    assert seen == []
    assert not (migrated.home / "reports").exists()
    refused = autonomy("verify", *words, "--json")
    assert (refused.code, json.loads(refused.out)["error"]["code"]) == (4, "configuration")


@pytest.mark.parametrize("words", [("phase-a",), ("all",)], ids=" ".join)
def test_without_the_extra_that_the_tests_need_one_line_says_so_and_nothing_is_measured(
    words: tuple[str, ...], seen: list[Stage], autonomy: Call, migrated: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pytest" else found(name))
    done = autonomy("verify", *words)
    assert (done.code, done.out, done.err.count("\n")) == (4, "", 1)
    assert "needs the 'dev' extra" in done.err
    assert "pip install -e '.[dev]'" in done.err
    assert seen == []
    assert not (migrated.home / "reports").exists()
    assert autonomy("verify", "phase-b").code == 0  # it runs no tests


def test_the_help_says_what_must_be_installed(autonomy: Call) -> None:
    said = {name: " ".join(autonomy("verify", *name.split(), "-h").out.split()) for name in ("", "phase-a", "phase-b", "all")}
    assert "the dev extra (pip install -e '.[dev]')" in said[""]
    assert [".[dev]" in said[name] for name in ("phase-a", "phase-b", "all")] == [True, False, True]
    assert ".[serve]" in said["phase-b"]


@pytest.mark.parametrize("given", ["0", "-1", "86401", "inf", "nan"])
def test_a_soak_that_makes_no_sense_is_refused_before_anything_begins(given: str, seen: list[Stage], autonomy: Call) -> None:
    done = autonomy("verify", "phase-e", f"--soak-seconds={given}")
    assert done.code == 5
    assert "--soak-seconds" in done.err
    assert seen == []
