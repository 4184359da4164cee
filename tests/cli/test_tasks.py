"""`autonomy tasks`: what it prints, what it refuses, and with which code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.cli.conftest import Answer, Place
from tests.commands import CORPUS

Autonomy = Callable[..., Answer]


@pytest.fixture
def corpus(migrated: Place) -> str:
    folder = migrated.home / "docs"
    folder.mkdir()
    (folder / "tasks.md").write_text("# Tasks\n\nA task can be cancelled by calling its cancel method.\n", "utf-8")
    return str(folder)


def add(autonomy: Autonomy, *words: str) -> str:
    answer = autonomy("tasks", "add", *words)
    assert answer.code == 0, answer.err
    assert answer.out.count("\n") == 1
    return answer.out.strip()


def read_json(answer: Answer, code: int = 0) -> Any:
    assert answer.code == code, answer.err
    assert answer.out.count("\n") == 1
    return json.loads(answer.out)


def test_without_tasks_a_hint_says_how_to_add_one(autonomy: Autonomy) -> None:
    answer = autonomy("tasks", "list")
    assert (answer.code, answer.out) == (0, "")
    assert "autonomy tasks add" in answer.err
    assert read_json(autonomy("tasks", "list", "--json")) == {"items": [], "next_cursor": None, "damaged": []}


def test_a_task_is_added_seen_approved_and_its_run_is_named(autonomy: Autonomy, corpus: str) -> None:
    task_id = add(
        autonomy, "How are tasks cancelled?", "--journey", "research", "--corpus", corpus, "--criterion", "It is cited."
    )
    table = autonomy("tasks", "list").out
    assert table.splitlines()[0].split() == ["TASK", "STATUS", "RUN", "FROM", "ADDED", "REQUEST"]
    assert task_id[:8] in table
    assert "pending" in table
    approved = autonomy("tasks", "approve", task_id[:6])
    assert (approved.code, approved.out) == (0, f"task {task_id[:12]} is approved\n")
    assert "autonomy worker" in approved.err
    page = read_json(autonomy("tasks", "show", task_id[:6], "--json"))
    (run,) = read_json(autonomy("run", "list", "--json"))["items"]
    assert (page["run_id"], page["correlation_id"], run["correlation_id"]) == (run["run_id"], task_id, task_id)
    assert page["acceptance_criteria"] == [{"id": "c1", "text": "It is cited."}]
    shown = autonomy("tasks", "show", task_id).out
    for words in (task_id, "How are tasks cancelled?", "approved by local", "It is cited.", run["run_id"]):
        assert words in shown


def test_what_nothing_measures_waits_for_a_person_with_the_place_of_the_document(autonomy: Autonomy, migrated: Place) -> None:
    words = ("How do leases keep a queue safe", "--journey", "research", "--corpus", str(CORPUS))
    task_id = add(autonomy, *words, "--criterion", "Written for children.", "--criterion", "references hold")
    approved = read_json(autonomy("tasks", "approve", task_id, "--json"))
    worked = migrated.run("worker", "--until-idle")
    assert worked.returncode == 0, worked.stderr
    path = f"artifacts/{approved['run_id']}/deliverable.md"
    assert (migrated.home / path).is_file()
    shown = autonomy("tasks", "show", task_id).out
    assert f"{task_id}  needs review, delivered" in shown
    for line in (
        path,
        "left to a person by critic",
        "decision approved by local",
        "none yet on the result",
        "c1: Nothing measures this",
        "c1 Written for children. (not measured",
        "c2",
    ):
        assert line in shown
    assert "✓ c2" in shown
    assert "✓ c1" not in shown
    table = autonomy("tasks", "list", "--status", "needs_review").out
    assert ("needs review" in table, "delivered" in table) == (True, True)
    closed = autonomy("tasks", "approve", task_id)
    assert (closed.code, closed.out) == (0, f"task {task_id[:12]} is approved\n")
    assert f"accepted: {path}" in closed.err
    shown = autonomy("tasks", "show", task_id).out
    for line in (f"{task_id}  approved, delivered", "decision approved by local", "  result accepted by local"):
        assert line in shown
    assert shown.index("dispatch 1 left to a person by critic") < shown.index("dispatch 1 accepted by local")
    assert "none yet" not in shown
    assert len(read_json(autonomy("run", "list", "--json"))["items"]) == 1


def test_the_second_decision_is_refused_with_nine(autonomy: Autonomy, corpus: str) -> None:
    task_id = add(autonomy, "Why?", "--corpus", corpus)
    body = read_json(autonomy("tasks", "reject", task_id, "--reason", "Out of scope.", "--json"))
    assert (body["status"], body["decision"]["reason"]) == ("rejected", "Out of scope.")
    answer = autonomy("tasks", "approve", task_id, "--json")
    assert read_json(answer, 9)["error"]["code"] == "already-decided"
    assert answer.err.count("\n") == 1
    assert "rejected by local" in autonomy("tasks", "show", task_id).out
    assert "Out of scope." in autonomy("tasks", "show", task_id).out


def heard(migrated: Place, task_id: str = "4f9a0c11d2e3") -> str:
    """A task as a message makes it: whoever wrote it could name no corpus."""
    body = {"task_id": task_id, "source": "telegram", "correlation_id": task_id, "created_at": "2026-01-31T12:00:00Z"}
    (migrated.home / "ssot").mkdir(exist_ok=True)
    (migrated.home / "ssot" / f"{task_id}.json").write_text(json.dumps({**body, "request_text": "Why?"}), "utf-8")
    return task_id


def test_without_a_corpus_no_task_is_added_in_the_words_and_with_the_code_of_run_start(
    autonomy: Autonomy, migrated: Place, corpus: str
) -> None:
    for more in ((), ("--journey", "rewrite", "--corpus", corpus)):
        added, started = (autonomy(*words, "Why?", *more) for words in (("tasks", "add"), ("run", "start")))
        assert (added.code, added.err) == (started.code, started.err)
        assert added.code == (9 if more else 5)
        assert not (migrated.home / "ssot").exists()


def test_a_task_that_lacks_a_corpus_says_so_wherever_it_is_seen_and_a_person_names_one(
    autonomy: Autonomy, migrated: Place, corpus: str
) -> None:
    task_id = heard(migrated)
    approved = autonomy("tasks", "approve", task_id)
    assert (approved.code, approved.out) == (0, f"task {task_id} is approved\n")
    for words in ("cannot start:", f"autonomy tasks corpus {task_id} DIR", "[tasks]"):
        assert words in approved.err
    listed = autonomy("tasks", "list")
    assert "cannot start" in listed.out
    assert f"cannot start: {task_id}: no corpus to work from" in listed.err
    shown = autonomy("tasks", "show", task_id).out
    assert shown.split("Next\n")[1].split() == ["autonomy", "tasks", "corpus", task_id, "DIR"]
    assert autonomy("tasks", "corpus", task_id, "/nowhere/at/all").code == 5
    named = autonomy("tasks", "corpus", task_id[:4], corpus)
    assert (named.code, named.out) == (0, f"task {task_id} reads {corpus}\n")
    assert "autonomy worker" in named.err
    page = read_json(autonomy("tasks", "show", task_id, "--json"))
    assert (page["corpus"], page["error"]) == ([corpus], None)
    assert read_json(autonomy("run", "inspect", page["run_id"], "--json"))["task"]["corpus"] == [corpus]
    again = autonomy("tasks", "list")
    assert ("queued" in again.out, "at work" in again.out, again.err) == (True, False, "")
    assert autonomy("tasks", "corpus", task_id, corpus).code == 9


def test_a_corpus_named_before_the_decision_is_what_the_decision_starts(
    autonomy: Autonomy, migrated: Place, corpus: str
) -> None:
    task_id = heard(migrated)
    named = autonomy("tasks", "corpus", task_id, corpus)
    assert f"autonomy tasks approve {task_id[:8]}" in named.err
    assert read_json(autonomy("run", "list", "--json"))["items"] == []
    page = read_json(autonomy("tasks", "approve", task_id, "--json"))
    assert read_json(autonomy("run", "inspect", page["run_id"], "--json"))["task"]["corpus"] == [corpus]


def test_a_criterion_whose_gate_measures_nothing_is_named_when_the_task_is_added(autonomy: Autonomy, corpus: str) -> None:
    ask = ("Why?", "--corpus", corpus, "--criterion", "min_citations", "--criterion", "pack_complete")
    answer = autonomy("tasks", "add", *ask)
    assert answer.code == 0
    for words in (
        "note: criterion c1 names min_citations, which is not measured: no number was asked for (--min-citations N)",
        "note: criterion c2 names pack_complete, which is not measured: only the research journey measures it",
    ):
        assert words in answer.err
    silent = autonomy("tasks", "add", *ask, "--min-citations", "8", "--journey", "research")
    assert (silent.code, "note:" in silent.err) == (0, False)
    assert len(read_json(autonomy("tasks", "add", *ask, "--json"))["notes"]) == 2


def test_where_every_file_is_damaged_nothing_says_that_there_is_none(autonomy: Autonomy, migrated: Place) -> None:
    (migrated.home / "ssot").mkdir()
    (migrated.home / "ssot" / "torn.json").write_bytes(b"")
    answer = autonomy("tasks", "list")
    assert (answer.code, answer.out) == (0, "")
    assert "damaged: torn.json is empty" in answer.err
    assert "No other tasks." in answer.err
    assert "yet" not in answer.err


def test_the_default_corpus_is_a_name_or_a_folder_that_counts_from_the_workspace(
    autonomy: Autonomy, corpus: str, migrated: Place
) -> None:
    for text in ('[tasks]\ncorpus = "docs"\n', f'[tasks]\ncorpus = "mine"\n[corpora]\nmine = "{corpus}"\n'):
        (migrated.home / "autonomy.toml").write_text(text)
        page = read_json(autonomy("tasks", "approve", add(autonomy, "Why?"), "--json"))
        assert page["run_id"], page["error"]
        assert read_json(autonomy("run", "inspect", page["run_id"], "--json"))["task"]["corpus"] == [corpus]


def test_damaged_files_are_named_on_stderr_and_left_alone(autonomy: Autonomy, migrated: Place, corpus: str) -> None:
    task_id = add(autonomy, "Why?", "--corpus", corpus)
    torn = migrated.home / "ssot" / "torn.json"
    torn.write_text('{"task_id": ')
    answer = autonomy("tasks", "list")
    assert task_id[:8] in answer.out
    assert "damaged: torn.json is not JSON" in answer.err
    assert [each["name"] for each in read_json(autonomy("tasks", "list", "--json"))["damaged"]] == ["torn.json"]
    for verb in (("show", "torn"), ("approve", "torn"), ("reject", "torn", "--reason", "x")):
        answer = autonomy("tasks", *verb)
        assert answer.code == 1
        assert "torn.json" in answer.err
    assert torn.read_text() == '{"task_id": '


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "nobody"), 3),
        (("approve", "nobody"), 3),
        (("show", "../etc/passwd"), 5),
        (("reject", "nobody"), 2),
        (("list", "--status", "done"), 2),
        (("list", "--limit", "0"), 5),
        (("list", "--limit", "many"), 2),
        (("list", "--cursor", "x"), 5),
        (("add", " "), 5),
        (("add", "Why?", "--corpus", "/nowhere/at/all"), 5),
        (("add", "Why?", "--journey", "poem"), 2),
        (("add", "Why?", "--length", "3"), 5),
        (("add", "Why?", "--criterion", " "), 5),
        (("add", "Why?", "--user", "a b"), 5),
        (("add", "Why?", "--provider", "nobody"), 2),
    ],
)
def test_what_makes_no_sense_has_its_code_one_line_and_leaves_nothing(
    autonomy: Autonomy, migrated: Place, words: tuple[str, ...], code: int
) -> None:
    answer = autonomy("tasks", *words)
    assert answer.code == code, answer.err
    assert answer.err.count("\n") == 1
    assert not (migrated.home / "ssot").exists()


def test_several_tasks_of_one_beginning_are_listed(autonomy: Autonomy, migrated: Place, corpus: str) -> None:
    add(autonomy, "Why?", "--corpus", corpus)
    folder = migrated.home / "ssot"
    body = json.loads(next(folder.glob("*.json")).read_text())
    for name in ("same1", "same2"):
        (folder / f"{name}.json").write_text(json.dumps({**body, "task_id": name}))
    answer = autonomy("tasks", "show", "same", "--json")
    assert read_json(answer, 3)["error"]["candidates"] == ["same1", "same2"]


def test_a_request_cannot_steer_the_terminal(autonomy: Autonomy, corpus: str) -> None:
    hidden = "\x1b\u202e\u2066\u200f\u061c\u200b\U000e0041"
    request = f"{hidden}Why[2J?\nNew line{hidden}"
    task_id = add(autonomy, request, "--corpus", corpus)
    run_id = read_json(autonomy("run", "start", request, "--corpus", corpus, "--detach", "--json"))["run_id"]
    for words in (("tasks", "list"), ("tasks", "show", task_id), ("run", "list"), ("run", "inspect", run_id)):
        shown = autonomy(*words).out
        assert not set(hidden) & set(shown), words
        assert r"\x1b\u202e\u2066\u200f\u061c\u200b\U000" in shown, words  # a table cuts what is longer


def test_a_run_started_for_a_task_has_the_correlation_id_of_the_task(autonomy: Autonomy, corpus: str) -> None:
    task_id = add(autonomy, "Why?", "--corpus", corpus)
    started = read_json(autonomy("run", "start", "Why?", "--corpus", corpus, "--task", task_id[:6], "--detach", "--json"))
    run = read_json(autonomy("run", "inspect", started["run_id"], "--json"))
    assert run["correlation_id"] == task_id
    answer = autonomy("run", "start", "Why?", "--corpus", corpus, "--task", "nobody", "--detach")
    assert answer.code == 3
    assert len(read_json(autonomy("run", "list", "--json"))["items"]) == 1
