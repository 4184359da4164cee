"""kill -9 around a wait for a report: before and after each commit of the run, of the report and of what follows it."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests import evidence
from tests.commands import CORPUS, Command, Commands, Ended, Workspace

ASKED = ("run", "start", "How does a lease protect a job?", "--corpus", str(CORPUS), "--target-similarity", "15", "--json")


def started(commands: Commands, workspace: Workspace, **more: Any) -> Ended:
    return commands.run(workspace, *ASKED, **more)


def told(workspace: Workspace, run: str) -> list[dict[str, Any]]:
    with workspace.database() as database:
        return evidence.events(database, run)


def kinds(workspace: Workspace, run: str, prefix: str) -> list[str]:
    return [event["type"] for event in told(workspace, run) if event["type"].startswith(prefix)]


def assert_one_cycle(workspace: Workspace, run: str) -> None:
    """One wait, one report, one resume by it, and nothing wrong in any table."""
    assert kinds(workspace, run, "turnitin.") == ["turnitin.awaiting_report", "turnitin.report_ready", "turnitin.accepted"]
    queued = [event["content"]["reason"] for event in told(workspace, run) if event["type"] == "run.queued"]
    assert queued.count("report") == 1
    with workspace.database() as database:
        assert evidence.flaws(database, run, workspace.home) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_where_it_begins_to_wait_waits_once(commands: Commands, on_sqlite: Workspace, when: str) -> None:
    workspace = on_sqlite
    fault = {"statement": "INSERT INTO cycle", "commit": 1, "when": when, "signal": signal.SIGKILL}
    assert started(commands, workspace, fault=fault).code == -signal.SIGKILL
    with workspace.database() as database:
        run = database.read(lambda tx: str(tx.value("SELECT id FROM run WHERE status <> 'aborted'")))
    if when == "before":  # the run was at work when it was killed: whoever takes it over lets it wait
        assert commands.run(workspace, "run", "resume", run, "--json").code == 7
    assert commands.run(workspace, "turnitin", "report", run, "--similarity", "11").code == 0
    assert commands.run(workspace, "run", "resume", run, "--json").document["outcome"] == "delivered"
    assert_one_cycle(workspace, run)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_report_killed_in_its_acceptance_is_completed_by_its_repetition(
    commands: Commands, workspace: Workspace, when: str
) -> None:
    run = started(commands, workspace).document["run_id"]
    fault = {"statement": "UPDATE cycle SET status = 'report_ready'", "commit": 1, "when": when, "signal": signal.SIGKILL}
    killed = commands.run(workspace, "turnitin", "report", run, "--similarity", "11", fault=fault)
    assert killed.code == -signal.SIGKILL
    again = commands.run(workspace, "turnitin", "report", run, "--similarity", "11", "--json")
    assert (again.code, again.document["duplicate"]) == (0, when == "after")
    assert commands.run(workspace, "run", "resume", run, "--json").document["outcome"] == "delivered"
    assert_one_cycle(workspace, run)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_where_it_decides_about_its_report_decides_once(
    commands: Commands, on_sqlite: Workspace, when: str
) -> None:
    workspace = on_sqlite
    run = started(commands, workspace).document["run_id"]
    assert commands.run(workspace, "turnitin", "report", run, "--similarity", "11").code == 0
    fault = {"statement": "UPDATE cycle SET status = :to", "commit": 1, "when": when, "signal": signal.SIGKILL}
    assert commands.run(workspace, "run", "resume", run, "--json", fault=fault).code == -signal.SIGKILL
    assert commands.run(workspace, "run", "resume", run, "--json").document["outcome"] == "delivered"
    assert_one_cycle(workspace, run)


def test_the_same_report_brought_by_twenty_commands_at_once_resumes_once(commands: Commands, workspace: Workspace) -> None:
    run = started(commands, workspace).document["run_id"]
    at_once: list[Command] = [
        commands.start(workspace, "turnitin", "report", run, "--similarity", "11", "--json") for _ in range(20)
    ]
    ended = [command.wait() for command in at_once]
    assert [each.code for each in ended] == [0] * 20, [each.err for each in ended if each.code]
    assert sum(not each.document["duplicate"] for each in ended) == 1
    assert len({each.document["resume_job_id"] for each in ended}) == 1
    assert commands.run(workspace, "run", "resume", run, "--json").document["outcome"] == "delivered"
    assert_one_cycle(workspace, run)
