"""From a goal to a cited document, by the real command line: each journey, each player, each database."""

from __future__ import annotations

import json

import pytest

from autonomy.journeys import manifest
from autonomy.providers.scripted import ScriptedServer
from tests import evidence
from tests.commands import CORPUS, Commands, FreshCommands, Workspace
from tests.stage import GOAL

BROAD = "How do long-running jobs survive crashes: write-ahead logs, checkpoints, leases and idempotency keys"
START = ("run", "start", GOAL, "--corpus", str(CORPUS), "--json", "--seed", "3")


@pytest.mark.parametrize("player", ["extractive", "model"])
@pytest.mark.parametrize("journey", ["write", "research"])
def test_a_goal_and_a_corpus_become_a_document_whose_every_citation_is_found_again(
    commands: Commands, workspace: Workspace, server: ScriptedServer, journey: str, player: str
) -> None:
    workspace.configure(server.base_url)
    words = (*START, "--journey", journey, "--provider", player)
    one, two = commands.run(workspace, *words), commands.run(workspace, *words)
    for ended in (one, two):
        assert (ended.code, ended.document["status"], ended.document["outcome"]) == (0, "done", "delivered"), ended.err
        folder = workspace.folder(ended.document["run_id"])
        checked = manifest.verify(folder)
        assert (checked.share, checked.problems) == (1.0, ())
        assert checked.claimed >= 10
        with workspace.database() as database:
            assert evidence.flaws(database, ended.document["run_id"], workspace.home) == []
    roles = {row["role"] for row in one.document["deliverables"]}
    assert {"deliverable", "manifest"} <= roles
    runs = [workspace.folder(ended.document["run_id"]) for ended in (one, two)]
    assert evidence.normal(runs[0]) == evidence.normal(runs[1])
    written = json.loads((runs[0] / "manifest.json").read_text())
    assert (written["journey"], written["seed"], written["provider"]) == (journey, 3, player)
    assert bool(server.requests) == (player == "model")


@pytest.mark.parametrize(("journey", "length"), [("write", 300), ("write", 1000), ("research", 300), ("research", 500)])
def test_a_length_that_was_asked_for_is_met_wherever_the_evidence_fills_it(
    commands: Commands, on_sqlite: Workspace, journey: str, length: int
) -> None:
    words = ("--corpus", str(CORPUS), "--json", "--journey", journey, "--provider", "extractive", "--length", str(length))
    ended = commands.run(on_sqlite, "run", "start", BROAD, *words)
    assert (ended.code, ended.document["outcome"]) == (0, "delivered"), ended.err
    written = json.loads((on_sqlite.folder(ended.document["run_id"]) / "manifest.json").read_text())
    (gate,) = [gate for gate in written["gates"] if gate["name"] == "length"]
    assert gate["pass"]
    assert 0.9 * length <= gate["figure"] <= 1.1 * length


@pytest.mark.parametrize("journey", ["write", "research"])
def test_a_length_that_the_evidence_cannot_fill_ends_below_the_target_with_the_best_draft(
    commands: Commands, on_sqlite: Workspace, journey: str
) -> None:
    ended = commands.run(on_sqlite, *START, "--journey", journey, "--provider", "extractive", "--length", "20000")
    assert (ended.code, ended.document["status"], ended.document["outcome"]) == (1, "done", "target_not_reached"), ended.err
    folder = on_sqlite.folder(ended.document["run_id"])
    written = json.loads((folder / "manifest.json").read_text())
    assert written["outcome"] == "target_not_reached"
    assert any(" words: " in note and "wanted 18000 to 22000" in note for note in written["notes"])
    assert "wanted 18000 to 22000" in (folder / "deliverable.md").read_text()
    assert manifest.verify(folder).share == 1.0
    with on_sqlite.database() as database:
        assert evidence.flaws(database, ended.document["run_id"], on_sqlite.home) == []


def test_a_new_interpreter_ends_in_the_same_document_as_a_forked_one(
    commands: Commands, fresh: FreshCommands, workspace: Workspace
) -> None:
    words = (*START, "--provider", "extractive")
    forked, new = commands.run(workspace, *words), fresh.run(workspace, *words)
    assert (forked.code, new.code) == (0, 0), new.err
    folders = [workspace.folder(ended.document["run_id"]) for ended in (forked, new)]
    assert evidence.normal(folders[0]) == evidence.normal(folders[1])


def test_every_view_of_a_finished_run_tells_the_same_story(commands: Commands, workspace: Workspace) -> None:
    started = commands.run(workspace, *START, "--provider", "extractive").document
    run_id = started["run_id"]
    page = commands.run(workspace, "run", "inspect", run_id[:10], "--json").document
    assert {"run_id", "user_id", "journey", "status", "outcome", "route", "task", "plan", "budgets", "last_observation"} <= set(
        page
    )
    assert {"last_verdict", "turnitin", "artifacts", "correlation_id", "created_at", "updated_at"} <= set(page)
    assert (page["run_id"], page["status"], page["outcome"]) == (run_id, "done", "delivered")
    assert set(page["budgets"]) == {"tokens", "seconds", "usd"}
    assert all({"limit", "used", "reserved"} <= set(budget) for budget in page["budgets"].values())
    listed = commands.run(workspace, "run", "list", "--json").document
    assert [row["run_id"] for row in listed["items"]] == [run_id]
    assert listed["next_cursor"] is None
    tail = commands.run(workspace, "run", "tail", run_id, "--no-follow", "--json")
    told = [json.loads(line) for line in tail.out.splitlines()]
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    keys = {"seq", "run_id", "type", "content", "correlation_id", "created_at"}
    assert all(keys <= set(event) for event in told)
    assert {event["correlation_id"] for event in told} == {page["correlation_id"]}
    assert told[-1]["type"] == "run.done"
    every = commands.run(workspace, "run", "tail", run_id, "--from", "5", "--json")
    assert [json.loads(line)["seq"] for line in every.out.splitlines()] == [event["seq"] for event in told[4:]]
    explained = commands.run(workspace, "run", "explain", run_id, "--json")
    assert (explained.code, explained.document["run_id"]) == (0, run_id)
    money = commands.run(workspace, "run", "budget", run_id, "--json").document
    assert money == {"run_id": run_id, "budgets": page["budgets"]}
    exported = commands.run(workspace, "run", "export", run_id, "--to", "handover", "--json").document
    assert len(exported["files"]) == len(page["artifacts"])
    assert manifest.verify(workspace.home / "handover").good
    assert {row["path"]: row["sha256"] for row in started["deliverables"]}.items() <= {
        row["path"]: row["sha256"] for row in page["artifacts"]
    }.items()
    for refused in ("pause", "abort", "resume"):
        again = commands.run(workspace, "run", refused, run_id, "--json")
        assert (again.code, again.document["error"]["code"]) == (9, "already-ended"), refused


def test_a_queued_run_is_paused_resumed_aborted_and_its_limits_changed(commands: Commands, workspace: Workspace) -> None:
    run_id = commands.run(workspace, *START, "--detach").document["run_id"]
    paused = commands.run(workspace, "run", "pause", run_id, "--json")
    assert (paused.code, paused.document["status"]) == (0, "paused")
    assert commands.run(workspace, "worker", "--until-idle", "--json").document == {"worked": 0}
    changed = commands.run(workspace, "run", "budget", run_id, "--tokens", "5000", "--usd", "none", "--json")
    assert changed.document["budgets"]["tokens"] == {"limit": 5000, "used": 0, "reserved": 0}
    queued = commands.run(workspace, "run", "resume", run_id, "--detach", "--json")
    assert (queued.code, queued.document["status"]) == (0, "queued")
    aborted = commands.run(workspace, "run", "abort", run_id, "--json")
    assert (aborted.code, aborted.document["status"]) == (0, "aborted")
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []
