"""A model server that misbehaves: every run ends in a document or in a clear failure, and says what happened."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from autonomy.journeys import manifest
from autonomy.providers import script
from autonomy.providers.scripted import ScriptedServer
from tests import evidence
from tests.commands import CORPUS, Commands, Ended, Workspace
from tests.stage import GOAL

START = ("run", "start", GOAL, "--corpus", str(CORPUS), "--json")
PRICES = "price_input = 1.0\nprice_output = 4.0"


def start(commands: Commands, workspace: Workspace, *more: str) -> Ended:
    """`run start` and the checks that hold for every end."""
    ended = commands.run(workspace, *START, *more)
    assert "Traceback" not in ended.err
    with workspace.database() as database:
        run_id = ended.document["run_id"]
        assert evidence.flaws(database, run_id, workspace.home) == []
    return ended


def delivered(workspace: Workspace, ended: Ended) -> dict[str, Any]:
    """The manifest of a delivered document, proved."""
    folder = workspace.folder(ended.document["run_id"])
    assert manifest.verify(folder).good
    loaded: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return loaded


MISBEHAVIOURS = {
    "malformed JSON once": "good,malformed",
    "a wrong schema once": "good,wrong-schema",
    "no choices once": "good,empty-choices",
    "a usage chunk without choices once": "good,usage-only",
    "a cut stream once": "good,cut",
    "a 429 with Retry-After": "good,429:0,good",
    "a 500 once": "good,500",
    "a stall once": "good,stall:60",
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_a_model_that_stumbles_once_still_writes_the_document(
    commands: Commands, on_sqlite: Workspace, server: ScriptedServer, name: str
) -> None:
    server.script = script.parse(MISBEHAVIOURS[name])
    on_sqlite.configure(server.base_url, more="stall_seconds = 0.3")
    ended = start(commands, on_sqlite, "--provider", "model")
    assert (ended.code, ended.document["outcome"]) == (0, "delivered"), ended.err
    assert delivered(on_sqlite, ended)["provider"] == "model"


@pytest.mark.parametrize("behaviour", ["malformed*", "wrong-schema*", "empty-choices*", "not-json*", "401*", "cut*"])
def test_a_model_that_never_answers_well_is_replaced_and_the_document_says_so(
    commands: Commands, on_sqlite: Workspace, server: ScriptedServer, behaviour: str
) -> None:
    server.script = script.parse(behaviour)
    on_sqlite.configure(server.base_url, rest="[runtime]\nrequests_per_call = 1")
    ended = start(commands, on_sqlite, "--provider", "model,extractive")
    assert (ended.code, ended.document["outcome"]) == (0, "delivered"), ended.err
    written = delivered(on_sqlite, ended)
    assert any("model" in note for note in written["notes"]), written["notes"]


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [("401*", 1, ("model", "401")), ("500*", 8, ("model",)), ("malformed*", 1, ("model",))],
)
def test_a_model_alone_that_never_answers_well_fails_the_run_clearly(
    commands: Commands, on_sqlite: Workspace, server: ScriptedServer, behaviour: str, code: int, words: tuple[str, ...]
) -> None:
    server.script = script.parse(behaviour)
    on_sqlite.configure(server.base_url, rest="[runtime]\nrequests_per_call = 1\n[queue]\nmax_attempts = 1")
    ended = start(commands, on_sqlite, "--provider", "model")
    lines = [line for line in ended.err.splitlines() if line.startswith("error:")]
    assert (ended.document["status"], ended.document["outcome"]) == ("failed", "failed")
    assert ended.code == code
    assert len(lines) == 1
    assert all(word in lines[0] for word in words), lines


def test_a_provider_that_is_not_there_is_named_in_one_line(commands: Commands, on_sqlite: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    environ = {"OPENAI_API_KEY": "sk-none", "OPENAI_BASE_URL": address}
    (on_sqlite.home / "autonomy.toml").write_text("[runtime]\nrequests_per_call = 1\n[queue]\nmax_attempts = 1\n")
    ended = commands.run(on_sqlite, *START, "--provider", "openai", environ=environ)
    assert ended.code == 8, ended.err
    lines = [line for line in ended.err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    assert "openai" in lines[0]
    assert "sk-none" not in ended.err + ended.out
    story = commands.run(on_sqlite, "run", "explain", ended.document["run_id"])
    told = " ".join(story.out.split())
    assert "Run failed: provider-unavailable: provider 'openai'" in told
    assert "cannot be reached (connection refused)" in told
    assert "--provider extractive. A failed run does not go on: put that right, and start a new one." in told
    assert "failed: failed" not in told
    assert "(failed)" in told


@pytest.mark.parametrize(
    ("limit", "which"),
    [(("--budget-tokens", "9000"), "tokens"), (("--budget-usd", "0.012"), "usd"), (("--budget-seconds", "1"), "seconds")],
)
def test_a_spent_budget_ends_in_an_honest_document_and_is_never_exceeded(
    commands: Commands, on_sqlite: Workspace, server: ScriptedServer, limit: tuple[str, str], which: str
) -> None:
    server.latency = 0.3 if which == "seconds" else 0.0
    on_sqlite.configure(server.base_url, more=PRICES)
    ended = start(commands, on_sqlite, "--provider", "model", *limit)
    assert (ended.code, ended.document["outcome"]) == (6, "budget_exceeded"), ended.err
    budget = commands.run(on_sqlite, "run", "budget", ended.document["run_id"], "--json").document["budgets"][which]
    if which != "seconds":  # time passes while the document is written
        assert budget["used"] <= budget["limit"]
    written = delivered(on_sqlite, ended)
    assert written["outcome"] == "budget_exceeded"
    assert any(which in note for note in written["notes"]), written["notes"]
    tail = commands.run(on_sqlite, "run", "tail", ended.document["run_id"], "--json", "--no-follow")
    spent = [event for event in map(json.loads, tail.out.splitlines()) if event["type"] == "budget.exceeded"]
    assert [event["content"]["which"] for event in spent] == [which]


def test_a_dollar_limit_and_a_price_that_nobody_knows_do_not_go_together(
    commands: Commands, on_sqlite: Workspace, server: ScriptedServer
) -> None:
    on_sqlite.configure(server.base_url)
    ended = start(commands, on_sqlite, "--provider", "model", "--budget-usd", "5")
    assert server.requests == ()
    assert ended.code == 6, ended.err
    assert "price is unknown" in ended.err
