"""kill -9 at the edges of commits and in the middle of calls: no run lost, no answer asked twice, the same document."""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from autonomy.providers.script import GOOD, Asked, Behaviour
from autonomy.providers.scripted import ScriptedServer
from tests import evidence
from tests.commands import CORPUS, Commands, Ended, Workspace
from tests.stage import GOAL


def edges(stride: int) -> Iterator[Mapping[str, Any]]:
    """A kill at the stride-th commit of each process, before it and after it in turn, a little later each time."""
    for place in itertools.count():
        yield {"commit": stride + place % 3, "when": ("before", "after")[place % 2], "signal": signal.SIGKILL}


@dataclass
class Kills:
    """Kills of one run: what was known at each, and how many requests had been made by then."""

    workspace: Workspace
    server: ScriptedServer
    known: list[tuple[frozenset[str], int]] = field(default_factory=list)

    def note(self) -> None:
        """Look at the journal and the server's book, now that the process is gone."""
        assert self.server.settled()
        with self.workspace.database() as database:
            known = evidence.answered(database, evidence.only_run(database))
        self.known.append((known, len(self.server.requests)))

    def repeated(self) -> list[str]:
        """The answered calls that were asked again after a kill."""
        return [key for known, after in self.known for key in evidence.repeated(self.server.requests, known, after)]


def assert_unharmed(workspace: Workspace, commands: Commands, journey: str, kills: Kills) -> None:
    """The killed run broke no promise, and its document equals that of the same run left alone."""
    with workspace.database() as database:
        run_id = evidence.only_run(database)
        assert evidence.flaws(database, run_id, workspace.home) == []
        resumed = [event for event in evidence.events(database, run_id) if event["type"] == "run.resumed"]
    assert len(resumed) >= len(kills.known) - 1  # a process may die before it has claimed the run
    assert kills.repeated() == []
    alone = start(commands, workspace, journey)
    assert alone.code == 0, alone.err
    same = alone.document["run_id"]
    with workspace.database() as database:
        assert evidence.asked(database, run_id) == evidence.asked(database, same)
    assert evidence.normal(workspace.folder(run_id)) == evidence.normal(workspace.folder(same))


def start(commands: Commands, workspace: Workspace, journey: str, *more: str, fault: Mapping[str, Any] | None = None) -> Ended:
    """`run start` with the model's player."""
    words = ("run", "start", GOAL, "--corpus", str(CORPUS), "--journey", journey, "--provider", "model", "--json", *more)
    return commands.run(workspace, *words, fault=fault)


def test_a_foreground_run_killed_at_the_edges_of_commits_goes_on_as_if_nothing_had_been(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    kills, faults = Kills(workspace, server), edges(21)
    ended = start(commands, workspace, "write", fault=next(faults))
    while ended.code == -signal.SIGKILL:
        kills.note()
        run_id = killed_run(workspace)
        if commands.run(workspace, "run", "inspect", run_id, "--json").document["outcome"]:
            break  # killed after its end, while what had happened was put on record
        ended = commands.run(workspace, "run", "resume", run_id, "--json", fault=next(faults))
    shown = commands.run(workspace, "run", "inspect", killed_run(workspace), "--json")
    assert (ended.code in (0, -signal.SIGKILL), shown.document["outcome"]) == (True, "delivered"), ended.err
    assert len(kills.known) >= 3
    assert_unharmed(workspace, commands, "write", kills)


def test_a_run_whose_workers_are_killed_is_taken_over_until_it_is_done(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    kills, faults = Kills(workspace, server), edges(23)
    assert start(commands, workspace, "research", "--detach").code == 0
    ended = commands.run(workspace, "worker", "--until-idle", fault=next(faults))
    while ended.code == -signal.SIGKILL:
        kills.note()
        ended = commands.run(workspace, "worker", "--until-idle", fault=next(faults))
    assert ended.code == 0, ended.err
    assert len(kills.known) >= 3
    with workspace.database() as database:
        told = evidence.events(database, evidence.only_run(database))
    assert {event["content"]["reason"] for event in told if event["type"] == "run.resumed"} == {"takeover"}
    assert_unharmed(workspace, commands, "research", kills)


def test_a_call_cut_by_a_kill_is_repeated_under_its_own_number_with_the_same_body(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    victims: list[int] = []

    def script(asked: Asked) -> Behaviour:
        if asked.number in (1, 6, 12):
            os.kill(victims[-1], signal.SIGKILL)
        return GOOD

    server.script = script
    words = ("run", "start", GOAL, "--corpus", str(CORPUS), "--provider", "model", "--json", "--seed", "7")
    command = commands.start(workspace, *words)
    victims.append(command.pid)
    kills = Kills(workspace, server)
    while (ended := command.wait()).code == -signal.SIGKILL:
        kills.note()
        run_id = killed_run(workspace)
        command = commands.start(workspace, "run", "resume", run_id, "--json")
        victims.append(command.pid)
    assert (ended.code, len(victims)) == (0, 4), ended.err
    assert kills.repeated() == []
    asked = {
        key: [r for r in server.requests if r.idempotency_key == key] for key in {r.idempotency_key for r in server.requests}
    }
    twice = {key: requests for key, requests in asked.items() if len(requests) > 1}
    assert [len(requests) for requests in twice.values()] == [2, 2, 2]
    assert all(one.body == two.body for one, two in twice.values())
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []


@pytest.mark.parametrize(("when", "asked"), [("before", 2), ("after", 1)])
def test_an_answer_is_paid_again_only_if_the_kill_came_before_it_was_written_down(
    commands: Commands, workspace: Workspace, server: ScriptedServer, when: str, asked: int
) -> None:
    workspace.configure(server.base_url)
    settled = {"statement": "attempts = :attempts, reserved_tokens = 0, reserved_usd = 0"}
    killed = start(commands, workspace, "write", fault={**settled, "commit": 4, "when": when, "signal": signal.SIGKILL})
    kills = Kills(workspace, server)
    kills.note()
    ended = commands.run(workspace, "run", "resume", killed_run(workspace), "--json")
    assert (killed.code, ended.code) == (-signal.SIGKILL, 0), ended.err
    times = Counter(request.idempotency_key for request in server.requests)
    assert max(times.values()) == asked
    assert kills.repeated() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_step_is_told_and_stored_in_one_commit(
    commands: Commands, workspace: Workspace, server: ScriptedServer, when: str
) -> None:
    workspace.configure(server.base_url)
    told = {"statement": "route = coalesce(:route, route)", "commit": 6, "when": when, "signal": signal.SIGKILL}
    killed = start(commands, workspace, "write", fault=told)
    run_id = killed_run(workspace)
    ended = commands.run(workspace, "run", "resume", run_id, "--json")
    assert (killed.code, ended.code) == (-signal.SIGKILL, 0), ended.err
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []


def killed_run(workspace: Workspace) -> str:
    """The id of the run in a workspace with one."""
    with workspace.database() as database:
        return evidence.only_run(database)


def test_a_run_that_is_acknowledged_is_there_after_the_kill_and_one_that_is_not_left_nothing(
    commands: Commands, workspace: Workspace
) -> None:
    words = ("run", "start", GOAL, "--corpus", str(CORPUS), "--detach")
    created = {"statement": "INSERT INTO run ", "commit": 1, "signal": signal.SIGKILL}
    before = commands.run(workspace, *words, fault={**created, "when": "before"})
    listed = commands.run(workspace, "run", "list", "--json")
    assert (before.code, listed.document["items"]) == (-signal.SIGKILL, [])
    after = commands.run(workspace, *words, fault={**created, "when": "after"})
    listed = commands.run(workspace, "run", "list", "--json")
    assert after.code == -signal.SIGKILL
    assert [row["status"] for row in listed.document["items"]] == ["queued"]
    assert commands.run(workspace, "worker", "--until-idle").code == 0
    with workspace.database() as database:
        assert evidence.flaws(database, listed.document["items"][0]["run_id"], workspace.home) == []


@pytest.mark.parametrize("attempts", [2])
def test_a_job_that_kills_its_worker_at_the_same_place_runs_out_of_attempts(
    commands: Commands, workspace: Workspace, server: ScriptedServer, attempts: int
) -> None:
    workspace.configure(server.base_url, rest=f"[queue]\nmax_attempts = {attempts}")
    victims: list[int] = []

    def script(asked: Asked) -> Behaviour:
        if asked.number >= 3:
            os.kill(victims[-1], signal.SIGKILL)
        return GOOD

    server.script = script
    assert start(commands, workspace, "write", "--detach").code == 0
    ended = None
    while ended is None or ended.code == -signal.SIGKILL:
        command = commands.start(workspace, "worker", "--until-idle")
        victims.append(command.pid)
        ended = command.wait()
    with workspace.database() as database:
        run_id = evidence.only_run(database)
        row = database.read(lambda tx: tx.row("SELECT status, error FROM run WHERE id = :id", id=run_id))
        told = evidence.events(database, run_id)
    assert row == {"status": "failed", "error": f"it killed its worker {attempts} times"}
    assert told[-1]["type"] == "run.failed"
    assert len(server.requests) == 2 + attempts
