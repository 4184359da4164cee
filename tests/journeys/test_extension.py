"""Gates of installed packages: found, measured, and alone in what they do wrong."""

from __future__ import annotations

import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from autonomy.agents import critic
from autonomy.agents.notes import notes
from autonomy.core.errors import FlawedPolicy
from autonomy.core.gates import GATES, missed, told
from autonomy.core.types import Gate
from autonomy.journeys import policies
from autonomy.journeys.catalogue import journey
from autonomy.journeys.extension import GROUP
from autonomy.journeys.policy import Policy
from autonomy.services import review
from autonomy.ssot.task import Item
from tests.journeys import made
from tests.journeys.installed import install

DOCS = (Path(__file__).parents[2] / "docs" / "gates.md").read_text("utf-8")
SOURCE = """
import sys

CALLS = []


def sound(document):
    CALLS.append(document)
    return {"figure": len(document.claims), "threshold": [1, 99], "pass": True, "evidence": ["looked"]}


def high(document):
    return {"figure": 7, "threshold": 2, "pass": False, "evidence": ["x" * 1000] * 30}


def raises(document):
    raise RuntimeError("no such table")


def leaves(document):
    sys.exit("bye")


def tampers(document):
    document.claims[0].text = "another"


def nan(document):
    return {"figure": float("nan"), "threshold": 1, "pass": True}


def no_bool(document):
    return {"figure": 1, "threshold": 1, "pass": 1}


def no_list(document):
    return {"figure": 1, "threshold": 1, "pass": True, "evidence": "text"}


def long_figure(document):
    return {"figure": "x" * 61, "threshold": 1, "pass": True}


def odd_threshold(document):
    return {"figure": 1, "threshold": [1, 2, 3], "pass": True}


def short(document):
    return {"figure": 1, "pass": True}


def number(document):
    return 3


overlap = sound
"""
NAMES = re.findall(r"^def (\w+)", SOURCE, re.MULTILINE)


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    targets = {name: f"house_gates:{name}" for name in NAMES}
    folder = install(
        tmp_path / "site",
        SOURCE,
        {
            **targets,
            "gone": "house_gates:gone",
            "lost": "no_such_module:gate",
            "overlap": "house_gates:overlap",
            "similarity": "house_gates:sound",
        },
    )
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    yield folder
    sys.modules.pop("house_gates", None)


def asked(*names: str, miss: str = "tells") -> Policy:
    return policies.parse("gates:\n" + "".join(f"  {name}: {{miss: {miss}}}\n" for name in names), "p.yaml").of("write")


def measured(*names: str, miss: str = "tells") -> dict[str, Gate]:
    found = journey("write", asked(*names, miss=miss)).gates(made.written(), made.snapshot(), {})
    return {gate.name: gate for gate in found}


def test_a_gate_that_the_file_does_not_name_is_not_measured() -> None:
    off = {gate.name for gate in journey("write").gates(made.written(), made.snapshot(), {})}
    assert not off & set(NAMES)
    assert not set(measured("sound", miss="off")) & set(NAMES)
    assert "house_gates" not in sys.modules


def test_a_gate_sees_the_document_its_claims_and_its_sources_and_is_measured_once() -> None:
    gate = measured("sound")["sound"]
    assert (gate.figure, gate.threshold, gate.passed, gate.evidence, gate.decides) == (6, [1, 99], True, ("looked",), False)
    (document,) = sys.modules["house_gates"].CALLS
    assert (document.journey, document.language, document.goal) == ("write", "en", "How are asyncio tasks cancelled?")
    assert document.text.startswith("# How tasks are cancelled\n")
    claim = next(each for each in document.claims if "60 seconds" in each.text)
    assert (claim.section, [(quote.source, quote.page) for quote in claim.quotes]) == ("Timeouts", [("handbook", 2)])
    assert claim.text in document.text
    (handbook,) = [source for source in document.sources if source.id == "handbook"]
    assert (handbook.title, handbook.year, handbook.authors) == ("Administration Handbook", 2020, ("Jane Q. Doe", "Roland Mas"))


@pytest.mark.parametrize(("miss", "outcome"), [("tells", "delivered"), ("decides", "target_not_reached")])
def test_its_miss_does_what_the_file_says_and_its_evidence_is_bounded(miss: str, outcome: str) -> None:
    found = measured("high", miss=miss)
    gate = found["high"]
    assert critic.outcome_of(found.values()) == outcome
    assert (len(gate.evidence), gate.evidence[-1], len(gate.evidence[0])) == (21, "and 10 more", 300)
    assert missed(told([gate])[0]).startswith("high 7 (wanted 2): xxx")
    assert notes("de").shortfall([gate]) == "Wo dieses Dokument zurückbleibt: high: 7 (gewünscht 2)."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("raises", "RuntimeError: no such table"),
        ("leaves", "SystemExit: bye"),
        ("tampers", "FrozenInstanceError: cannot assign to field 'text'"),
        ("gone", "AttributeError: module 'house_gates' has no attribute 'gone'"),
        ("lost", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("nan", "its answer cannot be used: 'figure' is no finite number and no short text"),
        ("long_figure", "its answer cannot be used: 'figure' is no finite number and no short text"),
        ("no_bool", "its answer cannot be used: 'pass' is neither True nor False"),
        ("no_list", "its answer cannot be used: 'evidence' is no list of texts"),
        ("odd_threshold", "its answer cannot be used: 'threshold' is no number"),
        ("short", "its answer cannot be used: it has no 'threshold'"),
        ("number", "its answer cannot be used: it is a int, not a mapping"),
    ],
)
def test_what_a_gate_does_wrong_is_its_own_miss(name: str, why: str) -> None:
    found = measured(name, "sound")
    gate = found[name]
    assert (gate.figure, gate.passed) == (None, False)
    assert gate.evidence[0].startswith(why)
    assert found["sound"].passed
    assert [each.name for each in found.values() if not each.passed] == [name]
    assert missed(told([gate])[0]).startswith(f"{name.replace('_', ' ')} –: {why}")
    assert f"{name.replace('_', ' ')}: – (wanted –)" in notes("en").shortfall([gate])


def test_a_gate_whose_package_has_gone_is_missed_with_the_reason(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    policy = asked("sound")
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(package)])
    gates = journey("write", policy).gates(made.written(), made.snapshot(), {})
    (gate,) = [each for each in gates if each.name not in GATES]
    assert (gate.passed, gate.evidence) == (False, ("no installed package offers this gate",))


def test_a_name_of_ours_is_not_theirs_and_an_unknown_one_is_refused_with_what_is_offered() -> None:
    assert measured()["overlap"].threshold == 0.1
    assert measured("overlap")["overlap"].threshold == 0.1
    with pytest.raises(FlawedPolicy) as caught:
        policies.parse("gates:\n  sownd: {miss: tells}", "p.yaml")
    assert caught.value.message == "p.yaml:2: 'gates' has no gate 'sownd'"
    assert caught.value.hint.startswith("Did you mean 'sound'? Known: quote_found, ")
    assert caught.value.hint.count("overlap") == 1
    with pytest.raises(FlawedPolicy, match="has no gate 'similarity'"):
        policies.parse("gates: {similarity: {miss: tells}}", "p.yaml")
    with pytest.raises(FlawedPolicy, match=r"p\.yaml:1: 'gates\.sound' has no setting 'threshold'"):
        policies.parse("gates: {sound: {threshold: 1}}", "p.yaml")


def test_a_policy_tells_that_a_gate_of_a_package_was_turned_on_and_off() -> None:
    assert policies.changes(Policy(), asked("sound")) == ["gates.sound.miss tells (not off)"]
    assert policies.changes(asked("sound"), Policy()) == ["gates.sound.miss off (not tells)"]


def test_a_criterion_that_names_it_is_left_to_a_person() -> None:
    rows = told(measured("sound").values())
    gates = review.Gates(tuple(rows), "delivered", None, frozenset())
    assert gates.met(Item(id="c1", text="The gate sound passes.")) is None


def test_the_example_of_the_page_is_a_gate_and_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    (table,) = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    entries = tomllib.loads(table)["project"]["entry-points"]
    assert list(entries) == [GROUP]
    monkeypatch.syspath_prepend(str(install(tmp_path / "other", source, entries[GROUP], name="house_gates")))
    gate = measured("long_claims")["long_claims"]
    assert (gate.figure, gate.threshold, gate.passed, gate.evidence) == (0, 2, True, ())
