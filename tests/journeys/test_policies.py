"""The policy file: taken whole, or refused with the line and what is allowed; and what it changes about a measurement."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from autonomy.agents import critic
from autonomy.core.errors import FlawedPolicy
from autonomy.core.gates import told
from autonomy.journeys import policies
from autonomy.journeys.catalogue import journey
from autonomy.journeys.policy import Policy
from tests.journeys import made


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(FlawedPolicy) as caught:
        policies.parse(text, "p.yaml")
    return caught.value.message, caught.value.hint


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("gates:\n  overlp: {threshold: 0.1}", "p.yaml:2: 'gates' has no gate 'overlp'", "Did you mean 'overlap'?"),
        ("gates:\n  zebra: {}", "p.yaml:2: 'gates' has no gate 'zebra'", "Known: quote_found, citation_coverage"),
        ("gates:\n  similarity: {threshold: 10}", "p.yaml:2: 'gates' has no gate 'similarity'", "Known: "),
        (
            "gates:\n  overlap:\n    treshold: 0.1",
            "p.yaml:3: 'gates.overlap' has no setting 'treshold'",
            "Did you mean 'threshold'? Known: threshold, run, longest_run, miss.",
        ),
        (
            "gates:\n  references: {threshold: 1}",
            "p.yaml:2: 'gates.references' has no setting 'threshold'",
            "Known: miss.",
        ),
        (
            "gates:\n\n  overlap: {threshold: many}",
            "p.yaml:3: gates.overlap.threshold must be a number from 0 to 1, not 'many'",
            "",
        ),
        ("gates: {overlap: {threshold: [0.1]}}", "p.yaml:1: gates.overlap.threshold must be a number", ""),
        ("gates: {source_spread: {threshold: 2.5}}", "p.yaml:1: gates.source_spread.threshold must be a whole number", ""),
        ("gates: {source_spread: {threshold: 0}}", "p.yaml:1: gates.source_spread.threshold must be a whole number", ""),
        (f"gates: {{overlap: {{run: {'9' * 500}}}}}", "p.yaml:1: gates.overlap.run must be a whole number from 2", ""),
        ("gates: {overlap: {miss: warn}}", "p.yaml:1: gates.overlap.miss must be one of decides, tells, off, not 'warn'", ""),
        ("gates: {overlap: 0.1}", "p.yaml:1: 'gates.overlap' must be a mapping of names to values", "Known: threshold,"),
        ("gates: [overlap]", "p.yaml:1: 'gates' must be a mapping of names to values", "Known: "),
        ("gates: !!map x", "p.yaml:1: 'gates' must be a mapping of names to values", ""),
        ("gates: !!map [x]", "p.yaml:1: 'gates' must be a mapping of names to values", ""),
        ("- gates", "p.yaml:1: the file must be a mapping of names to values", "Known: gates, cycles, journeys."),
        ("gate: {}", "p.yaml:1: the file has no setting 'gate'", "Did you mean 'gates'?"),
        ("? [a, b]\n: 1", "p.yaml:1: the file has no setting 'a nested key'", "Known: "),
        ("gates: {overlap: {run: 9}}\ngates: {}", "p.yaml:2: the file has 'gates' twice", "Keep one of them."),
        ("gates:\n  overlap: {run: 9, run: 8}", "p.yaml:2: 'gates.overlap' has 'run' twice", ""),
        ("cycles: {most: 0}", "p.yaml:1: cycles.most must be a whole number from 1 to 20, not '0'", ""),
        ("cycles: {report_days: 0}", "p.yaml:1: cycles.report_days must be a number from 0.01 to 3650, not '0'", ""),
        ("cycles: {on_expiry: wait}", "p.yaml:1: cycles.on_expiry must be one of remind, fail, deliver_as_is, not 'wait'", ""),
        ("journeys:\n  rewrite: {}", "p.yaml:2: 'journeys' has no setting 'rewrite'", "write, research."),
        ("journeys:\n  write: {gates: {overlap: {rum: 9}}}", "p.yaml:2: 'journeys.write.gates.overlap' has no", ""),
        ("journeys: {write: {journeys: {}}}", "p.yaml:1: 'journeys.write' has no setting 'journeys'", ""),
        ("gates:\n  readability:\n    low: 90\n    high: 30", "p.yaml:3: gates.readability: low (90) is above high (30)", ""),
        ("gates:\n  overlap: {run: 30}", "p.yaml:2: gates.overlap: run (30) is above longest_run (20)", "Keep run at or below"),
        (
            "gates:\n  overlap: {run: 10}\njourneys:\n  write:\n    gates: {overlap: {longest_run: 9}}",
            "p.yaml:5: gates.overlap: run (10) is above longest_run (9)",
            "",
        ),
        ("gates:\n  overlap: {run: 9", "p.yaml:2: not valid YAML: expected ',' or '}'", "Correct that line."),
        ("gates:\n\toverlap: 1", "p.yaml:2: not valid YAML: found character '\\t' that cannot start any token", ""),
        ("gates: {}\n---\ncycles: {}", "p.yaml:2: not valid YAML: but found another document", ""),
        ("gates: *other", "p.yaml:1: not valid YAML: found undefined alias 'other'", ""),
        ("gates: {}\ncycles: \x07", "p.yaml:2: not valid YAML: special characters are not allowed", ""),
        ("[" * 5000, "p.yaml:1: not valid YAML: nested too deeply", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line_and_what_is_allowed(text: str, said: str, hint: str) -> None:
    message, advice = refused(text)
    assert message.startswith(said)
    assert len(message) < 300
    assert hint in advice
    assert advice


@pytest.mark.parametrize("value", ['"0.1"', "true", "", "~", ".nan", ".inf", "1.01", "-0.1", "12%", "1_0", "0:30", "0x1"])
def test_a_share_is_a_plain_number_from_0_to_1(value: str) -> None:
    told = value.strip('"')
    said = f"p.yaml:2: gates.overlap.threshold must be a number from 0 to 1, not {told!r}"
    assert refused(f"gates:\n  overlap: {{run: 9, threshold: {value}}}")[0] == said


def test_a_file_that_refers_to_itself_is_refused_and_nothing_is_made_of_its_tags() -> None:
    assert refused("gates: &g\n  overlap: *g")[0] == "p.yaml:2: 'gates.overlap' has no setting 'overlap'"
    assert refused("gates: !!python/object/apply:os.getpid []")[0].startswith("p.yaml:1: 'gates' must be a mapping")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "gates:\ncycles:\njourneys:\n  write:\n", "gates: {overlap: }"])
def test_what_says_nothing_leaves_the_defaults(text: str) -> None:
    held = policies.parse(text, "p.yaml")
    assert held.of("write") == held.of("research") == Policy()


def test_off_is_a_word_with_quotation_marks_and_without() -> None:
    """In YAML 1.1 a plain `off` is false."""
    for word in ("off", '"off"', "'off'"):
        held = policies.parse(f"gates: {{overlap: {{miss: {word}}}}}", "p.yaml")
        assert held.of("write").missing("overlap") == "off"


def test_a_journey_goes_before_what_holds_everywhere() -> None:
    text = "journeys:\n  write: {gates: {overlap: {run: 7}}, cycles: {most: 1}}\ngates: {overlap: {run: 9, threshold: 0.2}}\n"
    held = policies.parse(text, "p.yaml")
    assert (held.of("write").run, held.of("write").overlap, held.of("write").most_cycles) == (7, 0.2, 1)
    assert (held.of("research").run, held.of("research").overlap, held.of("research").most_cycles) == (9, 0.2, 3)
    where = {name: (value, origin) for name, value, origin in policies.stated(held)}
    assert where["gates.overlap.run"] == (9, "orchestrator_policies.yaml line 3")
    assert where["journeys.write.gates.overlap.run"] == (7, "orchestrator_policies.yaml line 2")
    assert where["gates.overlap.longest_run"] == (20, "default")
    assert "journeys.write.gates.overlap.longest_run" not in where


def test_a_policy_comes_back_from_what_is_kept_of_it() -> None:
    held = policies.parse("gates: {overlap: {threshold: 0.3, miss: decides}}", "p.yaml").of("write")
    assert Policy(**held.plain()) == held != Policy()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"gates:\n  \xff\n", ":2: not UTF-8 text"), (b"#" * (1 << 17), " is larger than 64 kB")],
    ids=["no text", "too large"],
)
def test_a_file_that_is_no_small_text_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / policies.FILE).write_bytes(data)
    with pytest.raises(FlawedPolicy) as caught:
        policies.read(tmp_path)
    assert caught.value.message == f"{policies.FILE}{said}"


def test_a_folder_in_the_place_of_the_file_is_refused_and_no_file_is_the_defaults(tmp_path: Path) -> None:
    assert policies.read(tmp_path) == policies.Policies()
    os.mkdir(tmp_path / policies.FILE)
    with pytest.raises(FlawedPolicy, match="cannot be read: is a directory"):
        policies.read(tmp_path)


# --- what a policy changes ------------------------------------------------------------------------------------------


def measured(policy: Policy, name: str = "write") -> dict[str, tuple[bool, bool | None]]:
    make = {"write": made.written, "research": made.packed}[name]
    found = journey(name, policy).gates(make(), made.snapshot(), {})
    return {gate.name: (gate.passed, gate.decides) for gate in found}


def test_a_stricter_threshold_turns_a_pass_into_a_miss() -> None:
    strict = policies.parse("gates: {source_share: {threshold: 0.3}}", "p.yaml").of("write")
    assert measured(Policy())["source_share"] == (True, None)
    assert measured(strict)["source_share"] == (False, None)


@pytest.mark.parametrize("name", ["write", "research"])
def test_a_gate_that_is_off_is_not_measured_and_the_others_are(name: str) -> None:
    off = policies.parse("gates: {overlap: {miss: off}}", "p.yaml").of(name)
    assert set(measured(Policy(), name)) - set(measured(off, name)) == {"overlap"}


@pytest.mark.parametrize(("said", "outcome"), [("decides", "target_not_reached"), ("tells", "delivered")])
def test_what_a_miss_does_is_what_the_policy_says(said: str, outcome: str) -> None:
    text = f"gates: {{source_share: {{threshold: 0.3, miss: {said}}}, readability: {{miss: decides}}}}"
    gates = journey("write", policies.parse(text, "p.yaml").of("write")).gates(made.written(), made.snapshot(), {})
    assert [gate.name for gate in gates if not gate.passed] == ["source_share"]
    assert critic.outcome_of(gates) == outcome
    row = next(row for row in told(gates) if row["name"] == "source_share")
    assert row["decides"] is (said == "decides")


def test_a_gate_that_decides_by_its_name_can_be_made_to_tell() -> None:
    strict = "quote_found: {miss: tells}"
    gates = journey("write", policies.parse(f"gates: {{{strict}}}", "p.yaml").of("write")).gates(
        made.written(), made.snapshot({"notes": "something else"}), {}
    )
    missed = [gate for gate in gates if not gate.passed]
    assert "quote_found" in {gate.name for gate in missed}
    assert critic.outcome_of(gate for gate in missed if gate.name == "quote_found") == "delivered"
    assert critic.outcome_of(gate.model_copy(update={"decides": None}) for gate in missed) == "target_not_reached"
