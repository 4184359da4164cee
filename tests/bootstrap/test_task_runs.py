"""A task from its door to its document, by the real engine: one correlation id, an echo before work, issues that come back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import docx
import pytest
from filelock import FileLock

from autonomy.audit.verify import verify
from autonomy.bootstrap.app import App
from autonomy.bootstrap.foreground import work_run
from autonomy.bootstrap.reporting import Reporter
from autonomy.bootstrap.settings import ProviderEntry, Settings, TasksSettings
from autonomy.bootstrap.workers import run_worker
from autonomy.core.errors import StorageUnavailable
from autonomy.core.events import Event
from autonomy.core.gates import MUST_PASS
from autonomy.core.types import TaskSpec
from autonomy.providers.scripted import ScriptedServer
from autonomy.services.runs import StartRun
from autonomy.services.tasks import NewTask
from autonomy.ssot.canonical import sha256
from autonomy.storage.database import Database
from tests.commands import until

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"
MESSAGE = "4f9a0c11d2e3"
"""As a message from outside would be named."""


@pytest.fixture
def app(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(CORPUS, home / "docs")
    settings = Settings(
        home=home, database_url=database.url, corpora={"docs": home / "docs"}, tasks=TasksSettings(corpus="docs")
    )
    with App(settings, database) as opened:
        yield opened


@pytest.fixture
def modelled(app: App) -> Iterator[App]:
    """The workspace with a model behind the runs: what it is told to put right may change what it writes."""
    with ScriptedServer() as server:
        entry = ProviderEntry("model", "local", model="m", base_url=server.base_url)
        settings = dataclasses.replace(app.settings, providers=(entry,))
        with App(settings, Database(settings.database_url, grow_wal=False)) as opened:
            yield opened


def add(app: App, **more: Any) -> str:
    new = {
        "source": "telegram",
        "request_text": "How do leases keep a queue safe",
        "task_id": MESSAGE,
        "chat_id": 1,
        "message_id": 2,
    }
    return str(app.tasks.create(NewTask(**{**new, "journey": "research", **more})).task["task_id"])


def lines(app: App) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (app.home / "audit" / "events.jsonl").read_bytes().splitlines()]


def work(app: App) -> int:
    """A worker until nothing is left to do; how many runs it worked."""
    return run_worker(app, concurrency=1, until_idle=True)


def test_one_id_leads_from_a_message_to_the_audit_lines_of_its_tool_calls(app: App) -> None:
    task_id = add(app)
    assert task_id == MESSAGE
    run_id = app.tasks.approve(task_id, "ada")["run_id"]
    assert work(app) == 1
    tables = ("run", "event", "task_event")
    found = app.database.read(lambda tx: {name: set(tx.tuples(f"SELECT correlation_id FROM {name}")) for name in tables})
    assert found == {name: {(MESSAGE,)} for name in tables}
    calls = app.database.read(lambda tx: tx.rows("SELECT n, name, state FROM call WHERE run_id = :run ORDER BY n", run=run_id))
    told = lines(app)
    tools = [line for line in told if line["action"] == "tool_call"]
    assert [(line["call"], line["name"], line["state"]) for line in tools] == [(c["n"], c["name"], c["state"]) for c in calls]
    assert len(tools) >= 3
    assert {line["correlation_id"] for line in told} == {MESSAGE}
    actions = [line["action"] for line in told]
    assert {"task_created", "task_approved", "protocol_ack", "run_started", "run_ended", "protocol_verdict"} <= set(actions)
    assert verify(app.home / "audit", app.database).ok
    app.tasks.report_pending()
    app.tasks.reconcile()
    assert app.tasks.audit_runs(0.0) == 0
    assert len(lines(app)) == len(told)  # nothing is audited twice


def test_a_process_frozen_in_the_audit_log_keeps_no_worker_from_its_run(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autonomy.audit.log.PATIENCE", -1)  # for ever
    run_id = app.runs.start(StartRun(TaskSpec(goal="leases", corpus=(str(app.home / "docs"),)))).run_id
    app.runs.abort(run_id)
    folder = app.home / "audit"
    folder.mkdir(exist_ok=True)
    reporter = Reporter(app)
    entering = threading.Thread(target=reporter.__enter__, daemon=True)
    with FileLock(folder / ".lock"):  # as a frozen process holds it
        entering.start()
        entering.join(30)
        assert not entering.is_alive()
    reporter.__exit__(None, None, None)
    assert [(line["action"], line["run_id"]) for line in lines(app)] == [("run_aborted", run_id)]


def test_an_approval_that_the_database_refused_starts_its_run_while_something_works(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autonomy.bootstrap.reporting.NET_SECONDS", 0.05)
    monkeypatch.setattr("autonomy.bootstrap.reporting.REST_SECONDS", 0.05)
    task_id = add(app)
    with Reporter(app):
        with (
            mock.patch.object(app.tasks._ledger, "tell", side_effect=StorageUnavailable("the database stayed locked")),
            pytest.raises(StorageUnavailable),
        ):
            app.tasks.approve(task_id, "ada")
        until(lambda: app.tasks.show(task_id).get("run_id") is not None, "the run of the task")
    assert [run["run_id"] for run in app.runs.page().items] == [app.tasks.show(task_id)["run_id"]]


def test_a_delivered_run_closes_its_task_with_work_log_files_and_verdict(app: App) -> None:
    criteria = [{"id": "c1", "text": "quote_found"}, {"id": "c2", "text": "The references hold."}]
    task_id = add(app, acceptance_criteria=criteria)
    run_id = app.tasks.approve(task_id, "ada")["run_id"]
    work(app)
    task = app.tasks.show(task_id)
    assert (task["status"], task["outcome"], task["verdict"]["decision"]) == ("approved", "delivered", "approve")
    assert task["ack"]["acceptance_criteria"] == task["acceptance_criteria"]
    assert task["ack"]["declared_scope"] == task["declared_scope"]
    log = {entry["id"]: entry for entry in task["result"]["work_log"]}
    decisions = [event for event in app.runs.events(run_id) if event.type == "decision"]
    assert set(log) == {f"e{event.seq}" for event in decisions} | {f"e{app.runs.events(run_id)[-1].seq}"}
    files = {row["path"]: row for row in task["result"]["diff_snapshot"]}
    assert f"artifacts/{run_id}/deliverable.md" in files
    for path, row in files.items():
        assert hashlib.sha256((app.home / path).read_bytes()).hexdigest() == row["sha256"]
    measured = {each["criterion_ref"]: each for each in task["result"]["criteria"]}
    assert {name: (each["met"], each["measured_by"]) for name, each in measured.items()} == {
        "c1": (True, ["quote_found"]), "c2": (True, ["references"]),
    }  # fmt: skip
    assert all(set(each["evidence"]) <= set(log) and each["evidence"] for each in measured.values())


def test_a_task_says_when_its_run_delivered_and_where_the_document_is(app: App) -> None:
    task_id = add(app)
    page = app.tasks.approve(task_id, "ada")
    assert not {"finished_at", "deliverables"} & set(page)
    work(app)
    task = json.loads((app.home / "ssot" / f"{task_id}.json").read_bytes())
    assert task == app.tasks.show(task_id)
    run = app.runs.inspect(task["run_id"])
    assert (task["outcome"], task["finished_at"]) == ("delivered", run["finished_at"])
    assert task["finished_at"] is not None
    (brief,) = app.tasks.list().items
    assert (brief["status"], brief["outcome"], brief["finished_at"]) == ("approved", "delivered", task["finished_at"])
    document, typeset, manifest = task["deliverables"]
    assert (document["role"], document["media_type"], manifest["role"]) == (
        "deliverable",
        "text/markdown; charset=utf-8",
        "manifest",
    )
    assert document["path"] == f"artifacts/{task['run_id']}/deliverable.md"
    dated = docx.Document(str(app.home / typeset["path"])).core_properties.created
    assert dated is not None
    assert dated.isoformat()[:10] == run["created_at"][:10]
    assert (typeset["path"], typeset["role"]) == (f"artifacts/{task['run_id']}/deliverable.docx", "deliverable")
    assert hashlib.sha256((app.home / document["path"]).read_bytes()).hexdigest() == document["sha256"]
    assert {document["artifact_id"], manifest["artifact_id"]} <= {row["artifact_id"] for row in run["artifacts"]}
    (only,) = task["dispatches"]
    assert {name: only[name] for name in ("outcome", "finished_at", "deliverables")} == {
        name: task[name] for name in ("outcome", "finished_at", "deliverables")
    }


def test_a_criterion_in_free_words_leaves_a_delivered_task_to_a_person(app: App) -> None:
    criteria = [{"id": "c1", "text": "quote_found"}, {"id": "c2", "text": "Written for children."}]
    task_id = add(app, acceptance_criteria=criteria)
    app.tasks.approve(task_id, "ada")
    assert work(app) == 1
    task = app.tasks.show(task_id)
    assert (task["status"], task["outcome"], task["verdict"]["decision"]) == ("needs_review", "delivered", "needs_review")
    assert {each["criterion_ref"]: each["met"] for each in task["result"]["criteria"]} == {"c1": True, "c2": None}
    (issue,) = task["verdict"]["issues"]
    assert (issue["criterion_ref"], "a person must look" in issue["text"]) == ("c2", True)
    assert set(issue["trace"]) <= {entry["id"] for entry in task["result"]["work_log"]}
    assert [event.type for event in app.tasks.events() if event.revision == task["revision"]] == ["task.needs_review"]
    (line,) = [line for line in lines(app) if line["action"] == "protocol_verdict"]
    assert (line["decision"], line["status"], line["issues"], line["again"]) == ("needs_review", "needs_review", 1, False)
    assert work(app) == 0  # nothing is tried again: another run could not measure it either
    closed = app.tasks.approve(task_id, "bob", "Read it.")
    assert (closed["status"], closed["decision"]["by"], closed["outcome"]) == ("approved", "bob", "delivered")
    assert closed["earlier_decisions"] == [task["decision"]]
    assert (task["decision"]["by"], task["decision"]["dispatches"]) == ("ada", 0)
    assert closed["decision"] == {**closed["decision"], "reason": "Read it.", "dispatches": 1}
    assert closed["verdict"] == task["verdict"]
    assert work(app) == 0
    assert len(app.runs.page().items) == len(closed["dispatches"]) == 1


def test_a_gate_that_fails_is_put_right_before_a_person_is_asked(modelled: App) -> None:
    app = modelled
    asked = [{"id": "c1", "text": "Written for children."}, {"id": "min_citations", "text": "min_citations"}]
    task_id = add(app, acceptance_criteria=asked, task_spec={"min_citations": 10_000})
    app.tasks.approve(task_id, "ada")
    assert work(app) == 2
    task = app.tasks.show(task_id)
    assert [each["verdict"]["decision"] for each in task["dispatches"]] == ["reject", "reject"]
    assert {issue["criterion_ref"] for each in task["dispatches"] for issue in each["verdict"]["issues"]} == {"min_citations"}
    assert task["status"] == "needs_review"


def test_the_echo_stands_in_the_file_before_the_run_does_anything(app: App) -> None:
    task_id = add(app)
    run_id = app.tasks.approve(task_id, "ada")["run_id"]
    seen: list[tuple[str, bool]] = []

    def heard(event: Event) -> None:
        seen.append((event.type, "ack" in app.tasks.show(task_id)))

    def quiet(*_: Any) -> None:
        pass

    stop = threading.Event()
    work_run(app, run_id, on_event=heard, on_token=quiet, on_progress=quiet, stop=stop, wait=False)
    at = min(number for number, (type_, _) in enumerate(seen) if type_ == "node.started")
    assert all(acknowledged for _, acknowledged in seen[at:])
    ack = app.tasks.show(task_id)["ack"]["at"]
    first = next(event for event in app.runs.events(run_id) if event.type == "node.started")
    assert ack <= str(first.as_json()["created_at"])
    assert app.tasks.show(task_id)["verdict"]["decision"] == "approve"


def test_what_is_not_accepted_comes_back_with_its_issues_and_then_waits_for_a_person(modelled: App) -> None:
    """Nothing in the corpus lets a short pack reach ten thousand citations: both runs miss that gate."""
    app = modelled
    asked = {"id": "min_citations", "text": "min_citations holds"}
    task_id = add(app, acceptance_criteria=[asked], task_spec={"min_citations": 10_000})
    first_run = app.tasks.approve(task_id, "ada")["run_id"]
    assert work(app) == 2
    task = app.tasks.show(task_id)
    assert (task["status"], task["outcome"]) == ("needs_review", "target_not_reached")
    first, second = task["dispatches"]
    assert first["run_id"] == first_run != second["run_id"]
    (issue,) = [each for each in first["verdict"]["issues"] if each["criterion_ref"] == "min_citations"]
    assert set(issue["trace"]) <= {entry["id"] for entry in first["result"]["work_log"]}
    assert sha256(second["issues"]) == sha256(first["verdict"]["issues"])
    constraints = app.runs.inspect(second["run_id"])["task"]["constraints"]
    assert f"To be put right (min_citations): {issue['text']}" in constraints
    assert not any("put right" in each for each in app.runs.inspect(first_run)["task"]["constraints"])
    assert {each["criterion_ref"] for each in task["verdict"]["issues"]} == {"min_citations"}
    assert app.tasks.approve(task_id, "ada")["status"] == "approved"
    assert len(app.runs.page().items) == 2
    assert "min_citations" in MUST_PASS


@pytest.mark.parametrize("spec", [{}, {"provider": ["extractive"]}])
def test_what_would_come_out_the_same_is_not_worked_again_but_left_to_a_person_with_the_reason(
    app: App, modelled: App, spec: dict[str, Any]
) -> None:
    """Without a model nobody reads the issues: the same documents and the same seed give the same bytes."""
    chosen = modelled if spec else app
    asked = {"id": "min_citations", "text": "min_citations holds"}
    task_id = add(chosen, acceptance_criteria=[asked], task_spec={"min_citations": 10_000, **spec})
    chosen.tasks.approve(task_id, "ada")
    assert work(chosen) == 1
    task = chosen.tasks.show(task_id)
    assert (task["status"], task["outcome"], len(task["dispatches"])) == ("needs_review", "target_not_reached", 1)
    assert task["verdict"]["decision"] == "reject"
    assert task["verdict"]["note"].startswith("Not worked again: without a model the same documents give the same document.")
    (line,) = [line for line in lines(chosen) if line["action"] == "protocol_verdict"]
    assert (line["decision"], line["again"]) == ("reject", False)
    first = (chosen.home / "artifacts" / task["run_id"] / "deliverable.md").read_bytes()
    again = chosen.runs.start(StartRun(TaskSpec.model_validate(chosen.runs.inspect(task["run_id"])["task"]))).run_id
    assert work(chosen) == 1
    assert (chosen.home / "artifacts" / again / "deliverable.md").read_bytes() == first  # so it would have been


def test_a_document_without_a_quotation_is_missed_for_that_and_not_for_each_gate_that_found_nothing(app: App) -> None:
    task_id = add(
        app, request_text="Bananas in the Caribbean trade of 1890", acceptance_criteria=[{"id": "c1", "text": "relevance"}]
    )
    app.tasks.approve(task_id, "ada")
    assert work(app) == 1
    task = app.tasks.show(task_id)
    (issue,) = task["verdict"]["issues"]
    assert issue["text"].startswith("No quotation stands in the document, so there was nothing to measure for: quote found, ")
    assert "relevance" in issue["text"]
    assert "n=0" not in json.dumps(task["verdict"])
    said = app.runs.inspect(task["run_id"])["last_verdict"]["notes"]
    assert "no claim, since nothing is quoted; below target" in said
    assert "re-found" not in said
    assert set(issue["trace"]) <= {entry["id"] for entry in task["result"]["work_log"]}


def test_a_gate_that_was_held_against_nothing_is_not_taken_for_met(app: App) -> None:
    """Nobody asked for a number of citations: that there are at least none says nothing."""
    task_id = add(app, acceptance_criteria=[{"id": "c1", "text": "min_citations holds"}])
    app.tasks.approve(task_id, "ada")
    assert work(app) == 1
    task = app.tasks.show(task_id)
    assert (task["status"], task["verdict"]["decision"]) == ("needs_review", "needs_review")
    (only,) = task["result"]["criteria"]
    assert (only["met"], only["measured_by"]) == (None, [])


def test_a_number_in_a_criterion_is_held_against_the_figure_and_a_sentence_is_for_a_person(app: App) -> None:
    """The document cites several sources, so the gate passes; fewer than a hundred, so the criterion does not."""
    texts = {
        "c1": "source_spread at least 100",
        "c2": "source_spread at least 1 and min_citations >= 2",
        "c3": "no overlap with our last paper",
        "c4": "length at least 10",
    }
    task_id = add(app, acceptance_criteria=[{"id": name, "text": text} for name, text in texts.items()])
    app.tasks.approve(task_id, "ada")
    assert work(app) == 1
    task = app.tasks.show(task_id)
    assert (task["outcome"], task["status"], task["verdict"]["decision"]) == ("delivered", "needs_review", "reject")
    assert {each["criterion_ref"]: (each["met"], each["measured_by"]) for each in task["result"]["criteria"]} == {
        "c1": (False, ["source_spread"]),
        "c2": (True, ["source_spread", "min_citations"]),
        "c3": (None, []),
        "c4": (None, []),  # nobody asked for a length, so none was measured
    }
    (issue,) = task["verdict"]["issues"]
    assert issue["criterion_ref"] == "c1"
    assert re.fullmatch(r"source spread \d (\(wanted at least 100\))", issue["text"])


def test_with_a_number_the_same_criterion_is_measured(app: App) -> None:
    task_id = add(app, acceptance_criteria=[{"id": "c1", "text": "min_citations"}], task_spec={"min_citations": 3})
    app.tasks.approve(task_id, "ada")
    work(app)
    task = app.tasks.show(task_id)
    assert (task["status"], task["verdict"]["decision"]) == ("approved", "approve")
    assert task["result"]["criteria"][0]["measured_by"] == ["min_citations"]


def test_a_worker_starts_what_was_approved_while_its_corpus_was_gone(app: App) -> None:
    corpora = {**app.settings.corpora, "other": app.home / "docs"}
    settings = dataclasses.replace(app.settings, corpora=corpora)
    with App(settings, Database(settings.database_url, grow_wal=False)) as other:
        task_id = add(other, task_spec={"corpus": "other"})
        assert "other" in app.tasks.approve(task_id, "ada")["error"]
        assert work(other) == 1
        assert other.tasks.show(task_id)["outcome"] == "delivered"
