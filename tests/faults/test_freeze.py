"""A worker frozen past its lease and woken writes nothing: the fence holds where a random kill would not look."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

import pytest

from autonomy.providers.script import GOOD, Asked, Behaviour
from autonomy.providers.scripted import ScriptedServer
from autonomy.storage.database import Tx
from tests import evidence
from tests.commands import CORPUS, Command, Commands, Workspace, until
from tests.stage import GOAL

SHORT = {"AUTONOMY_LEASE_SECONDS": "1"}


def detached(commands: Commands, workspace: Workspace) -> str:
    """A queued run."""
    words = ("run", "start", GOAL, "--corpus", str(CORPUS), "--provider", "model", "--detach", "--json")
    return str(commands.run(workspace, *words).document["run_id"])


def ended_in(workspace: Workspace, run_id: str) -> bool:
    """Whether the run is done, by the database."""
    with workspace.database() as database:
        return bool(database.read(lambda tx: tx.value("SELECT status = 'done' FROM run WHERE id = :id", id=run_id)))


def assert_a_woken_worker_writes_nothing(
    commands: Commands, workspace: Workspace, server: ScriptedServer, frozen: Command, run_id: str
) -> None:
    """Another worker finishes the run; the frozen one is woken, ends, and has changed nothing."""
    until(lambda: frozen.frozen, "the worker freezes")
    other = commands.start(workspace, "worker", environ=SHORT)
    until(lambda: ended_in(workspace, run_id), "the other worker ends the run")
    other.signal(signal.SIGTERM)
    assert other.wait().code == 0
    assert frozen.frozen
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []
        before = evidence.everything(database, run_id)
        reasons = [row["content"]["reason"] for row in evidence.events(database, run_id) if row["type"] == "run.resumed"]
        files = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in workspace.folder(run_id).rglob("*")}
        requests = len(server.requests)
        frozen.signal(signal.SIGCONT)
        ended = frozen.wait()
        assert ended.code == 0, ended.err
        assert evidence.everything(database, run_id) == before
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in workspace.folder(run_id).rglob("*")} == files
    assert len(server.requests) == requests
    assert reasons == ["takeover"]


def assert_a_worker_frozen_by_it_writes_nothing(
    commands: Commands, workspace: Workspace, server: ScriptedServer, fault: Mapping[str, Any]
) -> None:
    """A worker that freezes at the planted fault."""
    workspace.configure(server.base_url)
    run_id = detached(commands, workspace)
    planted = {**fault, "signal": signal.SIGSTOP}
    frozen = commands.start(workspace, "worker", "--until-idle", fault=planted, environ=SHORT)
    assert_a_woken_worker_writes_nothing(commands, workspace, server, frozen, run_id)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"commit": 27}, id="early"),
        pytest.param({"commit": 61}, id="late"),
        pytest.param({"staged": 1}, id="with its first file not yet named"),
    ],
)
def test_a_worker_frozen_at_a_point_and_woken_after_the_takeover_writes_nothing(
    commands: Commands, workspace: Workspace, server: ScriptedServer, fault: Mapping[str, Any]
) -> None:
    assert_a_worker_frozen_by_it_writes_nothing(commands, workspace, server, {**fault, "when": "after"})


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # on SQLite the kernel keeps its lock: nobody can write
def test_a_worker_frozen_inside_a_transaction_loses_it_to_the_server_and_its_run_to_another(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    assert_a_worker_frozen_by_it_writes_nothing(commands, workspace, server, {"commit": 27, "when": "before"})


def test_a_worker_frozen_in_a_call_and_woken_with_its_answer_does_not_write_it_down(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    workers: list[Command] = []

    def stop(_: Tx) -> None:
        workers[0].signal(signal.SIGSTOP)
        until(lambda: workers[0].frozen, "the worker freezes")

    def script(asked: Asked) -> Behaviour:
        if asked.number == 5:
            with workspace.database() as database:
                database.write(stop)  # nobody else is inside a transaction meanwhile: on SQLite its lock would stay
        return GOOD

    server.script = script
    run_id = detached(commands, workspace)
    workers.append(commands.start(workspace, "worker", "--until-idle", environ=SHORT))
    assert_a_woken_worker_writes_nothing(commands, workspace, server, workers[0], run_id)


def test_a_foreground_frozen_past_its_lease_that_nobody_took_over_goes_on_when_it_is_woken(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    workspace.configure(server.base_url)
    run_id = detached(commands, workspace)
    planted = {"commit": 27, "when": "after", "signal": signal.SIGSTOP}
    frozen = commands.start(workspace, "run", "resume", run_id, fault=planted, environ=SHORT)
    until(lambda: frozen.frozen, "the foreground freezes")
    with workspace.database() as database:
        over = "SELECT lease_until + lease_us < now_us() FROM job WHERE run_id = :id"
        until(lambda: bool(database.read(lambda tx: tx.value(over, id=run_id))), "its lease is long over")
        assert "running (its worker is silent)" in commands.run(workspace, "run", "list").out
        frozen.signal(signal.SIGCONT)
        ended = frozen.wait()
        assert (ended.code, ended.err.count("resumed")) == (0, 0), ended.err
        assert evidence.flaws(database, run_id, workspace.home) == []
        assert not [row for row in evidence.events(database, run_id) if row["type"] == "run.resumed"]
