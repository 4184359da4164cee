"""Polite stops: SIGTERM hands a worker's run back, Ctrl-C pauses one, two resumes do not share one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from autonomy.providers.script import GOOD, Asked, Behaviour, Script
from autonomy.providers.scripted import ScriptedServer
from tests import evidence
from tests.commands import CORPUS, Command, Commands, Workspace, until
from tests.stage import GOAL

START = ("run", "start", GOAL, "--corpus", str(CORPUS), "--provider", "model", "--json")


def at_request(number: int, act: Callable[[], None]) -> Script:
    """Good answers; before the one to that request, the act."""

    def script(asked: Asked) -> Behaviour:
        if asked.number == number:
            act()
        return GOOD

    return script


def test_a_drained_worker_hands_its_run_back_without_costing_an_attempt(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    workers: list[Command] = []
    server.script = at_request(5, lambda: os.kill(workers[0].pid, signal.SIGTERM))
    run_id = commands.run(workspace, *START, "--detach").document["run_id"]
    workers.append(commands.start(workspace, "worker"))
    drained = workers[0].wait()
    assert drained.code == 0, drained.err
    with workspace.database() as database:
        job = database.read(lambda tx: tx.row("SELECT state, attempts, reason FROM job WHERE run_id = :id", id=run_id))
        assert job == {"state": "queued", "attempts": 0, "reason": "drain"}
        known = evidence.answered(database, run_id)
    asked = len(server.requests)
    assert asked == 5
    assert commands.run(workspace, "worker", "--until-idle").code == 0
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []
        told = evidence.events(database, run_id)
    assert [event["content"]["reason"] for event in told if event["type"] == "run.resumed"] == ["drain"]
    assert evidence.repeated(server.requests, known, asked) == []


def test_one_ctrl_c_pauses_the_run_and_says_how_to_go_on(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    running: list[Command] = []
    server.script = at_request(5, lambda: os.kill(running[0].pid, signal.SIGINT))
    running.append(commands.start(workspace, *START))
    ended = running[0].wait()
    run_id = ended.document["run_id"]
    assert (ended.code, ended.document["status"]) == (130, "paused")
    assert f"autonomy run resume {run_id[:8]}" in ended.err
    assert len(server.requests) == 5
    with workspace.database() as database:
        known = evidence.answered(database, run_id)
    assert len(known) == 5
    resumed = commands.run(workspace, "run", "resume", run_id[:8], "--json")
    assert (resumed.code, resumed.document["outcome"]) == (0, "delivered")
    assert evidence.repeated(server.requests, known, 5) == []
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []


def test_a_second_ctrl_c_leaves_at_once_and_the_run_goes_on_later(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    running: list[Command] = []

    def twice() -> None:
        os.kill(running[0].pid, signal.SIGINT)
        until(lambda: "Ctrl-C again" in running[0].shown(), "the first Ctrl-C is noticed")
        os.kill(running[0].pid, signal.SIGINT)
        until(lambda: not running[0].alive, "the second Ctrl-C ends the command")

    server.script = at_request(5, twice)
    running.append(commands.start(workspace, *START))
    ended = running[0].wait()
    assert ended.code == 130
    assert "autonomy run resume" in ended.err
    assert server.settled()
    with workspace.database() as database:
        run_id = evidence.only_run(database)
        job_id = database.read(lambda tx: tx.value("SELECT id FROM job"))
    # It says what its events have told it, and the last of them may still have been on their way.
    told = ended.document
    assert told.pop("status") in ("queued", "running")
    assert told == {"run_id": run_id, "job_id": job_id, "outcome": None, "deliverables": []}
    with workspace.database() as database:
        known = evidence.answered(database, run_id)
    resumed = commands.run(workspace, "run", "resume", run_id, "--json")
    assert (resumed.code, resumed.document["outcome"]) == (0, "delivered"), resumed.err
    assert evidence.repeated(server.requests, known, 5) == []
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []


def test_of_two_resumes_at_once_one_works_and_the_other_names_the_holder(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    running: list[Command] = []
    go_on = threading.Event()
    server.script = at_request(3, lambda: os.kill(running[0].pid, signal.SIGINT))
    running.append(commands.start(workspace, *START))
    run_id = running[0].wait().document["run_id"]
    server.script = at_request(len(server.requests) + 1, lambda: until(go_on.is_set, "one of the two is refused"))
    pair = [commands.start(workspace, "run", "resume", run_id, "--json") for _ in range(2)]
    until(lambda: not all(command.alive for command in pair), "one of the two is refused")
    refused, working = sorted(pair, key=lambda command: command.alive)
    go_on.set()
    no, yes = refused.wait(), working.wait()
    assert (no.code, no.document["error"]["code"]) == (9, "held"), no.err
    assert f":{working.pid}:" in no.document["error"]["message"]
    assert (yes.code, yes.document["outcome"]) == (0, "delivered"), yes.err
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []
    again = commands.run(workspace, "run", "resume", run_id, "--json")
    assert (again.code, again.document["error"]["code"]) == (9, "already-ended")
