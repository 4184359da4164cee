"""Every phase passes over the server as it is, and goes red for each way in which what it guards is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from autonomy.verify import phase_a
from autonomy.verify.report import Report
from autonomy.verify.runner import PHASES
from autonomy.verify.server import ENTRY
from autonomy.verify.stage import Options, Stage
from tests.commands import ROOT
from tests.verify.breaks import BREAKS
from tests.verify.conftest import BROKEN_PLAY, Command, RunPhase

WHOLE = "def test_one():\n    assert 1 + 1 == 2\n\ndef test_two():\n    assert True\n"
SERVED = [letter for letter in PHASES if letter != "f"]
"""Those that speak to a server."""
SmallTests = Callable[[str], Sequence[str]]


@pytest.mark.parametrize("letter", PHASES)
def test_a_phase_passes_over_the_server_as_it_is(letter: str, phase: RunPhase, small_tests: SmallTests) -> None:
    report = phase(letter, command=ENTRY, soak_seconds=2, load_seconds=1, flood_seconds=1, tests=small_tests(WHOLE))
    assert report.fail_reasons == []
    assert set(PHASES[letter].owed) <= set(report.metrics)
    assert report.artifacts
    left_out = [note for note in report.notes if "Limits on times were not held" in note]
    assert bool(left_out) == any(limit.timed for limit in PHASES[letter].limits)


@pytest.mark.parametrize("letter", SERVED)
def test_a_phase_passes_on_postgresql(
    letter: str, phase: RunPhase, forked: Command, small_tests: SmallTests, postgres_databases: Any
) -> None:
    with postgres_databases.lent() as url:
        report = phase(letter, command=forked(""), database_url=url, tests=small_tests(WHOLE))
    assert report.fail_reasons == []


@dataclass(frozen=True)
class Red:
    """Ways to break the server that do not hide each other, shared by one server, with the reasons that each gives."""

    letter: str
    ways: dict[str, tuple[str, ...]]
    options: dict[str, Any] = field(default_factory=dict)


RED = [
    Red("a", {
        "details_differ": ("hash_stability_pass is False",),
        "the_kept_list_is_stale": ("decision_visible_rate is 0", "task "),
    }),
    Red("a", {"the_asked_list_is_stale": ("decision_visible_rate is 0", "task ")}),
    Red("b", {
        "every_seventh_event_is_dropped_for_one_reader": ("sse_events_received is 83, wanted 100",),
        "an_event_is_sent_twice": ("sse_events_repeated is 1",),
        "two_events_change_places": ("sse_events_misordered is 1",),
        "a_stream_is_closed_in_the_middle": ("sse_disconnect_count is 1", "sse_events_received is 83"),
    }),
    Red("b", {"streams_begin_at_the_beginning": ("sse_resume_pass is False",)}),
    Red("c", {
        "any_signature_is_good": (
            "signature_reject_rate is 0.0", "flood_passed is 10", "bad_signature_effects is 1", "audit_refusals_written is 0",
        ),
    }),
    Red("c", {
        "a_part_of_a_signature_is_enough": (
            "signature_reject_rate is 0.84", "bad_signature_effects is 1", "audit_refusals_written is 52, wanted 60",
        ),
        "any_telegram_secret_is_good": (
            "telegram_reject_rate is 0", "telegram_ignored_pass is False", "audit_strangers_written is 1",
            "audit_events_written is 109, wanted 104",
        ),
        "a_byte_of_the_audit_log_is_changed": ("audit_chain_pass is False", "'autonomy audit verify' ended with code 1"),
    }),
    Red("c", {
        "deliveries_are_forgotten": ("idempotency_pass is False",),
        "messages_are_not_known_again": (
            "telegram_dedup_pass is False", "telegram_tasks_created is 10", "telegram_files_missing is 20",
            "telegram_ingest_p95_ms was not measured",
        ),
    }),
    Red("c", {
        "a_bad_signature_is_refused_after_its_effect": ("bad_signature_effects is 1", "audit_refusals_written is 0"),
        "every_tenth_webhook_is_not_audited": ("audit_events_written is", "idempotency_pass is False"),
    }),
    Red("d", {
        "the_echo_drops_an_item": ("ack_echo_match_rate is 0",),
        "issues_name_a_foreign_criterion": ("issues_with_criterion_ref_rate is 0",),
        "issues_are_renumbered_on_their_way": ("fidelity_pass is False",),
        "the_snapshot_names_another_hash": ("snapshot_pass is False",),
    }),
    Red("d", {
        "criteria_are_altered_at_the_door": ("ack_echo_match_rate is 0",),
        "traces_point_nowhere": ("traceability_pass is False",),
    }),
    Red("e", {
        "streams_are_dropped_in_the_soak": (
            "sse_soak_disconnect_count is 5", "sse_soak_clients is 45", "sse_open_at_stop is 45",
        ),
        "an_event_of_the_soak_is_lost": ("sse_soak_events_missing is 1",),
        "damage_is_not_audited": ("error_events_written is 0",),
        "every_twentieth_list_is_refused": ("load_refused is",),
    }, {"patience": 2.0}),
    Red("e", {
        "sigterm_is_not_heard": (
            "stopped by ServerFailed: the server was still there 1 s after SIGTERM", "stop_seconds was not measured",
            "stop_code was not measured", "sse_ended_at_stop was not measured",
        ),
    }, {"stop_patience": 1.0}),
    Red("e", {"streams_are_not_ended_at_the_stop": ("sse_ended_at_stop is 0",)}),
    Red("f", {
        "passages_of_a_report_are_ignored": (
            "evaluations_failed is 1", "turnitin_cycle: outcome is target_not_reached",
            "turnitin_cycle: cycles are rejected 34;",
            "turnitin_cycle: reports changed 0 sentences", "turnitin_cycle: ",
        ),
    }),
    Red("f", {
        "any_similarity_will_do": (
            "evaluations_failed is 1", "turnitin_cycle: cycles are accepted 34;", "turnitin_cycle: no turnitin.rejected came",
            "turnitin_cycle: ",
        ),
    }),
    Red("f", {
        "choices_differ_from_play_to_play": (
            "evaluations_failed is 1", "repeats_differing is 1", "repeats_equal is 0",
            "turnitin_cycle: drafts/draft-1.md is another in each play", "turnitin_cycle: ",
        ),
    }),
]  # fmt: skip


@pytest.mark.parametrize("red", RED, ids=lambda red: f"{red.letter}: {', '.join(red.ways)}")
def test_a_phase_goes_red_when_what_it_guards_is_broken(
    red: Red, phase: RunPhase, forked: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ways = "+".join(red.ways)
    broken = {"play": (str(BROKEN_PLAY), ways)} if red.letter == "f" else {"command": forked(ways)}
    report = phase(red.letter, **broken, **red.options)
    owed = [reason for reasons in red.ways.values() for reason in reasons]
    assert not report.passed
    assert [reason for reason in owed if not any(each.startswith(reason) for each in report.fail_reasons)] == [], report.metrics
    # Nothing else is red: no break is found by accident, through what another one does. Without tests phase A says so.
    untold = ("no tests stand", "tests_passed was not", "tests_failed was not")
    assert [each for each in report.fail_reasons if not each.startswith((*owed, *untold))] == [], report.metrics


def test_every_break_is_tried() -> None:
    assert {way for red in RED for way in red.ways} | {"there_are_no_streams"} == set(BREAKS)


def test_a_metric_that_could_not_be_measured_fails_the_phase(phase: RunPhase, forked: Command) -> None:
    report = phase("b", command=forked("there_are_no_streams"))
    assert report.fail_reasons[0] == "stopped by ConnectionError: /api/events answered 503"
    assert report.fail_reasons[1:] == [f"{name} was not measured" for name in PHASES["b"].owed]


@pytest.mark.parametrize("letter", SERVED)
def test_a_server_that_does_not_begin_fails_every_phase(letter: str, phase: RunPhase) -> None:
    report = phase(letter, command=("-S", "-c", "raise SystemExit('no port left')"))
    assert report.fail_reasons[0].startswith("stopped by ServerFailed: the server ended with code 1: no port left")
    assert report.fail_reasons[1:] == [f"{name} was not measured" for name in PHASES[letter].owed]
    assert [note for _, note in report.artifacts] == ["what the server logged"]


BROKEN_TESTS = {
    "one fails": (
        "def test_one():\n    assert 1 + 1 == 3\n\ndef test_two():\n    pass\n", (1, 1), "tests_failed is 1, wanted 0",
    ),
    "one breaks before it begins": (
        "import pytest\n\n@pytest.fixture\ndef given():\n    1 / 0\n\ndef test_one(given):\n    pass\n", (0, 1),
        "tests_failed is 1, wanted 0",
    ),
    "all are skipped": (
        "import pytest\n\n@pytest.mark.skip\ndef test_one():\n    pass\n", (0, 0), "tests_passed is 0, wanted at least 1",
    ),
    "none is there": ("", (0, 0), "tests_passed is 0, wanted at least 1"),
    "they cannot be read": ("import nothing_of_that_name\n", (0, 1), "tests_failed is 1, wanted 0"),
    "the runner dies": ("import os\n\ndef test_one():\n    os._exit(0)\n", None, "tests_passed was not measured"),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN_TESTS)
async def test_tests_are_counted_from_a_run_that_was(how: str, tmp_path: Path, small_tests: SmallTests) -> None:
    text, counts, reason = BROKEN_TESTS[how]
    report = await counting(tmp_path, small_tests(text))
    assert report.metrics == ({} if counts is None else {"tests_passed": counts[0], "tests_failed": counts[1]})
    assert reason in report.fail_reasons


async def test_without_tests_there_is_nothing_to_count(tmp_path: Path) -> None:
    report = await counting(tmp_path, ("tests/nowhere",))
    assert report.fail_reasons[0] == "no tests stand beside the library: run this phase from a checkout"
    assert "tests_passed was not measured" in report.fail_reasons


async def counting(home: Path, tests: Sequence[str]) -> Report:
    """Phase A's last part alone."""
    report = Report("a", "how", ("tests_passed", "tests_failed"), phase_a.PHASE.limits)
    await phase_a.count_tests(Stage(report, home, home / "kept", Options(tests=tests), lambda what, share: None))
    report.finish()
    return report
