"""The commands over a real database: what they print, what they refuse, and with which code."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import socket
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autonomy.storage.database import Database
from cli import errors
from tests.cli.conftest import Answer, Place

Autonomy = Callable[..., Answer]


@pytest.fixture
def corpus(migrated: Place) -> str:
    """A folder with one small document."""
    folder = migrated.home / "docs"
    folder.mkdir()
    (folder / "tasks.md").write_text("# Tasks\n\nA task can be cancelled by calling its cancel method.\n", "utf-8")
    return str(folder)


@pytest.fixture
def queued(autonomy: Autonomy, corpus: str) -> str:
    """The id of a run that waits for a worker."""
    return started(autonomy, "How are tasks cancelled?", "--journey", "research", "--corpus", corpus)


def started(autonomy: Autonomy, *words: str) -> str:
    answer = autonomy("run", "start", *words, "--detach", "--json")
    assert answer.code == 0, answer.err
    run_id: str = json.loads(answer.out)["run_id"]
    return run_id


def read_json(answer: Answer) -> Any:
    assert answer.code == 0, answer.err
    assert answer.out.count("\n") == 1
    return json.loads(answer.out)


# -- start --------------------------------------------------------------------------------------------


def test_a_detached_start_prints_the_document_of_the_run(autonomy: Autonomy, corpus: str) -> None:
    body = read_json(autonomy("run", "start", "goal", "--corpus", corpus, "--detach", "--json"))
    assert set(body) == {"run_id", "job_id", "status", "outcome", "deliverables"}
    assert (body["status"], body["outcome"], body["deliverables"]) == ("queued", None, [])


def test_a_detached_start_with_the_key_of_an_ended_run_tells_how_that_one_ended(
    autonomy: Autonomy, corpus: str, migrated: Place
) -> None:
    words = ("run", "start", "goal", "--corpus", corpus, "--detach", "--idempotency-key", "k")
    run_id = read_json(autonomy(*words, "--json"))["run_id"]
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
        database.write(lambda tx: tx.run("UPDATE run SET status = 'done', outcome = 'delivered'"))
        database.write(
            lambda tx: tx.run(
                "INSERT INTO artifact (id, run_id, role, path, media_type, sha256, size, created_at) "
                "VALUES ('a', :run, 'deliverable', 'artifacts/x/deliverable.md', 'text/markdown', 'f', 1, 1)",
                run=run_id,
            )
        )
    again = read_json(autonomy(*words, "--json"))
    shown = read_json(autonomy("run", "inspect", run_id, "--json"))
    assert (again["run_id"], again["status"], again["outcome"]) == (run_id, "done", "delivered")
    assert [row["path"] for row in again["deliverables"]] == [row["path"] for row in shown["artifacts"]]
    assert "has ended" in autonomy(*words).err


def test_without_json_a_detached_start_prints_the_id_alone_and_hints_on_stderr(autonomy: Autonomy, corpus: str) -> None:
    answer = autonomy("run", "start", "goal", "--corpus", corpus, "--detach")
    assert len(answer.out.split()) == 1
    assert "autonomy worker" in answer.err


def test_every_option_of_start_reaches_the_task(autonomy: Autonomy, corpus: str, migrated: Place) -> None:
    (migrated.home / "autonomy.toml").write_text(f'[corpora]\ndocs = "{corpus}"\n', "utf-8")
    task_id = read_json(autonomy("tasks", "add", "Why?", "--corpus", corpus, "--json"))["task_id"]
    run_id = started(
        autonomy, "goal", "--journey", "research", "--corpus", "docs", "--corpus", corpus, "--task", task_id,
        "--length", "1500",
        "--style", "ieee", "--min-citations", "7", "--due", "2030-02-28", "--user", "alice", "--budget-tokens", "1000",
        "--budget-seconds", "60.5", "--budget-usd", "0.25", "--priority", "3", "--seed", "42", "--provider", "extractive",
        "--idempotency-key", "k",
    )  # fmt: skip
    page = read_json(autonomy("run", "inspect", run_id, "--json"))
    task = page["task"]
    assert task["corpus"] == [corpus, corpus]
    assert (page["task_id"], page["correlation_id"]) == (task_id, task_id)
    assert [task[name] for name in ("length", "style", "min_citations", "due_date", "seed", "provider")] == [
        1500, "ieee", 7, "2030-02-28", 42, ["extractive"],
    ]  # fmt: skip
    assert page["user_id"] == "alice"
    shown = autonomy("run", "inspect", run_id).out
    assert "due 2030-02-28" in shown
    assert task_id in shown
    limits = {name: row["limit"] for name, row in page["budgets"].items()}
    assert limits == {"tokens": 1000, "seconds": 60.5, "usd": 0.25}


def test_limits_that_are_not_given_come_from_the_settings(autonomy: Autonomy, corpus: str, migrated: Place) -> None:
    (migrated.home / "autonomy.toml").write_text("[budget]\ntokens = 77\nseconds = 5\n", "utf-8")
    page = read_json(
        autonomy("run", "inspect", started(autonomy, "goal", "--corpus", corpus, "--budget-seconds", "9"), "--json")
    )
    assert {name: row["limit"] for name, row in page["budgets"].items()} == {"tokens": 77, "seconds": 9, "usd": None}


def test_no_run_started_by_hand_takes_the_key_of_a_task(autonomy: Autonomy, corpus: str, migrated: Place) -> None:
    task_id = read_json(autonomy("tasks", "add", "Why?", "--journey", "research", "--corpus", corpus, "--json"))["task_id"]
    key = ("--idempotency-key", f"task:{task_id}:1")
    for more in ((), ("--task", task_id)):
        done = autonomy("run", "start", "goal", "--corpus", corpus, "--detach", *key, *more)
        assert (done.code, "belong to tasks" in done.err) == (5, True), done
    assert read_json(autonomy("run", "list", "--json"))["items"] == []


def test_the_same_idempotency_key_starts_one_run(autonomy: Autonomy, corpus: str) -> None:
    words = ("goal", "--corpus", corpus, "--idempotency-key", "once")
    assert started(autonomy, *words) == started(autonomy, *words)
    assert len(read_json(autonomy("run", "list", "--json"))["items"]) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("",), 5, "GOAL"),
        ((" \t\n ",), 5, "GOAL must not be empty"),
        (("???",), 5, "GOAL must contain a word"),
        (("\u200b",), 5, "GOAL must contain a word"),
        (("g", "--budget-usd", "nan"), 5, "--budget-usd"),
        (("g", "--budget-usd", "inf"), 5, "--budget-usd"),
        (("g", "--budget-usd", "-1"), 5, "--budget-usd"),
        (("g", "--budget-usd", "1e400"), 5, "--budget-usd"),
        (("g", "--budget-seconds", "nan"), 5, "--budget-seconds"),
        (("g", "--budget-seconds", "0"), 5, "--budget-seconds"),
        (("g", "--budget-seconds", "1e400"), 5, "--budget-seconds"),
        (("g", "--budget-tokens", "nan"), 5, "--budget-tokens"),
        (("g", "--budget-tokens", "inf"), 5, "--budget-tokens"),
        (("g", "--budget-tokens", "-5"), 5, "--budget-tokens"),
        (("g", "--budget-tokens", "1e400"), 5, "--budget-tokens"),
        (("g", "--budget-tokens", "9" * 5000), 5, "--budget-tokens"),
        (("g", "--budget-tokens", "1.5"), 2, "not a whole number"),
        (("g", "--length", "3"), 5, "--length"),
        (("g", "--min-citations", "-1"), 5, "--min-citations"),
        (("g", "--priority", "0"), 5, "--priority"),
        (("g", "--priority", "11"), 5, "--priority"),
        (("g", "--seed", "-1"), 5, "--seed"),
        (("g", "--due", "2026-02-30"), 5, "does not exist in the calendar"),
        (("g", "--due", "30.2.2026"), 2, "YYYY-MM-DD"),
        (("g", "--user", "../alice"), 5, "user id"),
        (("g", "--due", "2001-02-03"), 5, "the due date 2001-02-03 is over"),
        (("g", "--task", "../t"), 5, "task id"),
        (("g", "--task", "t\0"), 5, "task id"),
        (("g", "--source", "no-such-file"), 5, "is not a file"),
        (("g", "--source", __file__), 5, "the write journey reads a corpus, not a source"),
        (("g", "--journey", "research", "--source", __file__), 5, "the research journey reads a corpus, not a source"),
        (("g", "--provider", "openai"), 4, "Set OPENAI_API_KEY"),
        (("g", "--provider", "extractive,kimi"), 4, "provider 'kimi' has no key. Set MOONSHOT_API_KEY"),
        (("g", "--provider", "nobody"), 2, "unknown provider 'nobody'"),
        (("g", "--provider", "local"), 2, "unknown provider 'local'"),
        (("g", "--provider", "extractive,"), 2, "unknown provider ''"),
        (("g", "--target-similarity", "101"), 5, "--target-similarity"),
        (("g", "--journey", "research", "--target-similarity", "20"), 5, "research pack"),
        (("g", "--journey", "slides"), 9, "slides"),
    ],
)  # fmt: skip
def test_a_start_that_makes_no_sense_is_refused_before_anything_is_written(
    words: tuple[str, ...], code: int, said: str, autonomy: Autonomy, corpus: str
) -> None:
    answer = autonomy("run", "start", *words, "--corpus", corpus, "--detach")
    assert answer.code == code, answer.err
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert answer.out == ""
    assert read_json(autonomy("run", "list", "--json"))["items"] == []


@pytest.mark.parametrize("kind", ["missing", "empty", "file", "nested empty", "loop", "nul", "no name"])
def test_a_corpus_that_cannot_be_used_exits_5(kind: str, autonomy: Autonomy, migrated: Place) -> None:
    folder = migrated.home / "corpus"
    if kind in ("empty", "nested empty"):
        (folder / ("deeper" if kind == "nested empty" else "")).mkdir(parents=True)
    elif kind == "file":
        folder.write_text("x", "utf-8")
    elif kind == "loop":
        folder.symlink_to(folder)
    name = {"nul": "a\0b", "no name": ""}.get(kind, str(folder))
    answer = autonomy("run", "start", "g", "--corpus", name, "--detach")
    assert answer.code == 5, answer.err
    assert answer.err.count("\n") == 1
    assert "corpus" in answer.err
    assert ("loop of links" in answer.err) == (kind == "loop")


@pytest.mark.parametrize(
    "words",
    [
        ("run", "start", "g", "--corpus", "docs", "--source", ""),
        ("run", "export", "RUN", "--to", " "),
        ("tasks", "add", "g", "--corpus", ""),
        ("memory", "search", "g", "--corpus", ""),
        ("memory", "add", ""),
        ("db", "backup", ""),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_not_the_current_folder(words: tuple[str, ...], autonomy: Autonomy, queued: str) -> None:
    answer = autonomy(*(queued if word == "RUN" else word for word in words))
    assert (answer.code, answer.out) == (5, "")
    assert "empty. Give a path" in answer.err
    assert answer.err.count("\n") == 1


def test_a_provider_without_its_key_exits_4_before_the_run_is_made(autonomy: Autonomy, corpus: str, migrated: Place) -> None:
    (migrated.home / "autonomy.toml").write_text('[[providers]]\nname = "openai"\n', "utf-8")
    answer = autonomy("run", "start", "g", "--corpus", corpus, "--provider", "openai", "--detach")
    assert answer.code == 4
    assert "OPENAI_API_KEY" in answer.err
    assert read_json(autonomy("run", "list", "--json"))["items"] == []


# -- look ---------------------------------------------------------------------------------------------


def test_a_list_fits_80_columns_whatever_the_goal(autonomy: Autonomy, corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for goal in ("short", "long " * 60, "目標 " * 50, "steer\x1b[2J\nthe terminal\x07"):
        started(autonomy, goal, "--corpus", corpus)
    lines = autonomy("run", "list").out.splitlines()
    assert len(lines) == 5
    assert all(len(line) <= 80 for line in lines)
    assert all(line.isprintable() for line in lines)
    assert any("steer\\x1b[2J the terminal" in line for line in lines)


def test_a_list_goes_on_where_the_page_before_ended(autonomy: Autonomy, corpus: str) -> None:
    ids = [started(autonomy, f"goal {number}", "--corpus", corpus) for number in range(3)]
    first = read_json(autonomy("run", "list", "--limit", "2", "--json"))
    second = read_json(autonomy("run", "list", "--limit", "2", "--cursor", first["next_cursor"], "--json"))
    assert [row["run_id"] for row in [*first["items"], *second["items"]]] == ids[::-1]
    assert second["next_cursor"] is None


def test_every_word_of_the_list_is_a_filter_and_an_unknown_one_is_told_them_all(
    autonomy: Autonomy, corpus: str, migrated: Place
) -> None:
    states = {
        "queued": ("queued", None), "running": ("running", None), "waiting": ("waiting_human", None),
        "paused": ("paused", None), "delivered": ("done", "delivered"),
        "below target": ("done", "target_not_reached"), "over budget": ("done", "budget_exceeded"),
        "failed": ("failed", "failed"), "aborted": ("aborted", "aborted"),
    }  # fmt: skip
    runs = {word: started(autonomy, f"goal of {word}", "--corpus", corpus) for word in states}
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
        for word, (status, outcome) in states.items():
            sql = "UPDATE run SET status = :status, outcome = :outcome WHERE id = :id"
            values = {"status": status, "outcome": outcome, "id": runs[word]}
            database.write(lambda tx, sql=sql, values=values: tx.run(sql, **values))  # type: ignore[misc]
    table = autonomy("run", "list").out
    for word, run_id in runs.items():
        assert f"{run_id[:8]}  {word} " in table
        for said in (word, word.replace(" ", "-").upper(), states[word][1] or states[word][0]):
            found = read_json(autonomy("run", "list", "--status", said, "--json"))["items"]
            assert [row["run_id"] for row in found] == [run_id], said
    ended = read_json(autonomy("run", "list", "--status", "done", "--json"))["items"]
    assert {row["run_id"] for row in ended} == {runs[word] for word in ("delivered", "below target", "over budget")}
    refused = autonomy("run", "list", "--status", "asleep")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert all(word in refused.err for word in states)


@pytest.mark.parametrize("noun", ["run", "tasks"])
def test_the_command_for_the_rest_of_a_list_gives_the_rest_of_that_list(noun: str, autonomy: Autonomy, corpus: str) -> None:
    add = ("tasks", "add") if noun == "tasks" else ("run", "start", "--detach")
    for number, user in enumerate(("ann", "bob", "ann", "ann", "ann")):
        assert autonomy(*add, f"goal {number}", "--corpus", corpus, "--user", user).code == 0
    state = "pending" if noun == "tasks" else "queued"
    asked = [noun, "list", "--user", "ann", "--status", state, "--limit", "1"]
    goals = []
    for _ in range(4):
        answer = autonomy(*asked)
        goals.append(answer.out.split()[-1])
        more = answer.err.removeprefix("More: autonomy ").rstrip()
        asked = shlex.split(more)
    assert (goals, more) == (["4", "3", "2", "0"], "")


def test_an_empty_list_says_how_to_start(autonomy: Autonomy) -> None:
    answer = autonomy("run", "list")
    assert (answer.code, answer.out) == (0, "")
    assert "autonomy run start" in answer.err


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "1e400", "201"])
def test_a_limit_out_of_range_exits_5_and_says_what_the_help_says(limit: str, autonomy: Autonomy) -> None:
    answer = autonomy("run", "list", "--limit", limit)
    assert answer.code == 5
    assert "between 1 and 200" in answer.err
    assert "1 to 200" in autonomy("run", "list", "--help").out


def test_the_help_of_budget_keeps_one_column_and_the_long_names_work(
    autonomy: Autonomy, queued: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = autonomy("run", "budget", "-h").out.splitlines()
    named = [line for line in lines if line.startswith(("  --", "  -h", "  RUN"))]
    assert {len(line) - len(line[14:].lstrip()) for line in named} == {15}
    for words in (("--tokens", "9"), ("--budget-tokens", "9")):
        assert read_json(autonomy("run", "budget", queued, *words, "--json"))["budgets"]["tokens"]["limit"] == 9


def test_inspect_shows_task_route_budgets_and_takes_a_prefix(autonomy: Autonomy, queued: str) -> None:
    shown = autonomy("run", "inspect", queued[:6]).out
    for words in (
        queued,
        "queued",
        "How are tasks cancelled?",
        "research, style apa",
        "route    interpret",
        "Budgets",
        "no limit",
    ):
        assert words in shown
    page = read_json(autonomy("run", "inspect", queued, "--json"))
    assert {
        "run_id",
        "status",
        "outcome",
        "route",
        "task",
        "plan",
        "budgets",
        "last_observation",
        "last_verdict",
        "artifacts",
    } <= set(page)


@pytest.mark.parametrize("verb", ["inspect", "tail", "resume", "pause", "abort", "budget", "explain", "export"])
def test_ids_that_name_nothing_or_too_much_or_are_none(verb: str, autonomy: Autonomy, corpus: str) -> None:
    ids = [started(autonomy, f"goal {number}", "--corpus", corpus) for number in range(34)]  # 32 first letters: two share one
    letters = [run_id[0] for run_id in ids]
    shared = next(letter for letter in letters if letters.count(letter) > 1)
    several = autonomy("run", verb, shared, "--json")
    assert several.code == 3
    error = json.loads(several.out)["error"]
    assert error["code"] == "not-found"
    assert len(error["candidates"]) > 1
    assert all(run_id in several.err for run_id in error["candidates"])
    unknown = autonomy("run", verb, "0" * 10)
    assert unknown.code == 3
    for malformed in ("../x", "a/b", "a\nb", "a\0b", "", " ", "a" * 65, "\x1b[2J"):
        refused = autonomy("run", verb, malformed)
        assert refused.code == 5, (malformed, refused.err)
        assert refused.err.count("\n") == 1
        assert refused.err.removesuffix("\n").isprintable()


def test_tail_prints_the_backlog_and_stops_when_told(autonomy: Autonomy, queued: str) -> None:
    rows = [json.loads(line) for line in autonomy("run", "tail", queued, "--no-follow", "--json").out.splitlines()]
    assert [(row["seq"], row["type"]) for row in rows] == [(1, "run.queued")]
    assert "run.queued" in autonomy("run", "tail", queued, "--no-follow").out


def test_tail_ends_when_the_run_has_ended_and_begins_with_the_number_asked_for(autonomy: Autonomy, queued: str) -> None:
    assert autonomy("run", "abort", queued).code == 0
    rows = [json.loads(line) for line in autonomy("run", "tail", queued, "--json").out.splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert rows[-1]["type"] == "run.aborted"
    later = autonomy("run", "tail", queued, "--from", "2", "--json").out.splitlines()
    assert [json.loads(line)["seq"] for line in later] == [row["seq"] for row in rows[1:]]
    assert autonomy("run", "tail", queued, "--from", "99").out == ""


def test_hostile_text_in_events_cannot_steer_the_terminal(autonomy: Autonomy, queued: str, migrated: Place) -> None:
    hostile = json.dumps({"route": "act", "why": "\x1b[2J\x1b]0;owned\x07 \r\n fake line \u202e"})
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
        sql = (
            "INSERT INTO event (run_id, seq, type, node, content, correlation_id, created_at) "
            "VALUES (:run, 2, 'decision', 'plan', :content, 'c', now_us())"
        )
        database.write(lambda tx: tx.run(sql, run=queued, content=hostile))
    for words in (("run", "tail", queued, "--no-follow"), ("events", "tail", "--no-follow"), ("run", "explain", queued)):
        shown = autonomy(*words).out
        assert "fake line" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert all(line.isprintable() for line in shown.splitlines())


def test_events_of_all_runs_come_in_one_order(autonomy: Autonomy, corpus: str) -> None:
    ids = [started(autonomy, "goal", "--corpus", corpus) for _ in range(2)]
    rows = [json.loads(line) for line in autonomy("events", "tail", "--since", "0", "--no-follow", "--json").out.splitlines()]
    assert [row["run_id"] for row in rows] == ids
    assert rows[0]["position"] < rows[1]["position"]


def test_explain_tells_what_happened_and_the_sums(autonomy: Autonomy, queued: str) -> None:
    shown = autonomy("run", "explain", queued).out
    assert "Run queued" in shown
    assert "0 decisions" in shown
    assert read_json(autonomy("run", "explain", queued, "--json"))["run_id"] == queued


# -- steer --------------------------------------------------------------------------------------------


def test_pause_and_abort_of_a_waiting_run_take_effect_at_once(autonomy: Autonomy, queued: str) -> None:
    assert read_json(autonomy("run", "pause", queued, "--json"))["status"] == "paused"
    assert read_json(autonomy("run", "abort", queued, "--json"))["status"] == "aborted"
    again = autonomy("run", "abort", queued)
    assert again.code == 9
    assert "ended already" in again.err


def test_a_run_that_has_ended_cannot_be_resumed(autonomy: Autonomy, queued: str) -> None:
    autonomy("run", "abort", queued)
    for verb in ("resume", "pause", "abort"):
        answer = autonomy("run", verb, queued, "--json")
        assert (answer.code, json.loads(answer.out)["error"]["code"]) == (9, "already-ended")
    assert autonomy("run", "budget", queued, "--tokens", "5").code == 9


def test_a_budget_is_shown_changed_and_lifted(autonomy: Autonomy, queued: str) -> None:
    assert "of 1 h" in autonomy("run", "budget", queued).out
    body = read_json(autonomy("run", "budget", queued, "--tokens", "500", "--seconds", "none", "--json"))
    assert {name: row["limit"] for name, row in body["budgets"].items()} == {"tokens": 500, "seconds": None, "usd": None}


@pytest.mark.parametrize(
    "words", [("--usd", "nan"), ("--usd", "-1"), ("--tokens", "1e400"), ("--seconds", "inf"), ("--tokens", "0")]
)
def test_a_budget_that_makes_no_sense_exits_5_and_changes_nothing(
    words: tuple[str, ...], autonomy: Autonomy, queued: str
) -> None:
    before = read_json(autonomy("run", "budget", queued, "--json"))
    assert autonomy("run", "budget", queued, *words).code == 5
    assert read_json(autonomy("run", "budget", queued, "--json")) == before


# -- the rest -----------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_kept_as_its_hash(autonomy: Autonomy, migrated: Place) -> None:
    body = read_json(autonomy("config", "token", "alice", "--json"))
    assert body["user"] == "alice"
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
        rows = database.read(lambda tx: tx.rows("SELECT sha256, user_id FROM token"))
    assert rows == [{"sha256": hashlib.sha256(body["token"].encode()).hexdigest(), "user_id": "alice"}]
    assert autonomy("config", "token", "a b").code == 5


def test_tokens_are_listed_by_id_and_taken_back(autonomy: Autonomy) -> None:
    empty = autonomy("config", "tokens")
    assert (empty.code, empty.out) == (0, "")
    assert "config token USER" in empty.err
    made = [read_json(autonomy("config", "token", user, "--json"))["token"] for user in ("alice", "bob", "alice")]
    listed = read_json(autonomy("config", "tokens", "--json"))
    ids = [hashlib.sha256(token.encode()).hexdigest()[:12] for token in made]
    assert listed["next_cursor"] is None
    assert [(row["token_id"], row["user"]) for row in listed["items"]] == list(zip(ids, ("alice", "bob", "alice"), strict=True))
    table = autonomy("config", "tokens").out.splitlines()
    assert table[0].split() == ["TOKEN", "USER", "MADE"]
    assert [line.split() for line in table[1:]] == [list(row.values()) for row in listed["items"]]
    one = autonomy("config", "revoke", "alice", "--token", ids[2])
    assert (one.code, one.out, one.err) == (0, f"revoked {ids[2]}\n", "")
    assert read_json(autonomy("config", "revoke", "alice", "--json")) == {"user": "alice", "revoked": [ids[0]]}
    last = autonomy("config", "revoke", "bob")
    assert "No token is left" in last.err
    assert read_json(autonomy("config", "tokens", "--json"))["items"] == []
    for words, code in ((("bob",), 3), (("a b",), 5), (("bob", "--token", ""), 5), (("bob", "--token", ids[1]), 3)):
        refused = autonomy("config", "revoke", *words)
        assert (refused.code, refused.err.count("\n")) == (code, 1), words


def test_settings_are_shown_with_their_origin_and_without_secrets(
    autonomy: Autonomy, migrated: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (migrated.home / "autonomy.toml").write_text("[queue]\nper_user = 3\n", "utf-8")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("AUTONOMY_ADMIN_TOKEN", "admin-secret")
    rows = read_json(autonomy("config", "show", "--json"))
    assert rows["queue.per_user"] == {"value": 3, "origin": f"project file {migrated.home / 'autonomy.toml'}"}
    assert rows["providers.openai"]["value"]["api_key"] == "env:OPENAI_API_KEY (set)"
    assert rows["admin_token"]["value"] == "set"
    for shown in (autonomy("config", "show").out, json.dumps(rows)):
        assert "very-secret" not in shown
        assert "admin-secret" not in shown


def test_a_backup_is_whole_private_and_never_overwrites(autonomy: Autonomy, queued: str, migrated: Place) -> None:
    target = migrated.home / "copy.db"
    assert read_json(autonomy("db", "backup", str(target), "--json"))["file"] == str(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    with Database(f"sqlite:///{target}", grow_wal=False) as database:
        assert database.read(lambda tx: tx.value("SELECT id FROM run")) == queued
    assert autonomy("db", "backup", str(target)).code == 5
    assert autonomy("db", "backup", str(target), "--force").code == 0
    assert autonomy("db", "backup", str(migrated.home / "no" / "copy.db")).code == 5
    assert sorted(path.name for path in migrated.home.glob(".copy*")) == []


def damage(path: Path, table: str) -> None:
    """Overwrite the page on which a table begins."""
    with Database(f"sqlite:///{path}", grow_wal=False) as database:
        page = database.read(lambda tx: int(tx.value("SELECT rootpage FROM sqlite_master WHERE name = :name", name=table)))
        size = database.read(lambda tx: int(tx.value("PRAGMA page_size")))
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize("table", ["job", "document"])
def test_a_damaged_database_is_named_and_its_copy_takes_nobodys_place(
    autonomy: Autonomy, queued: str, migrated: Place, table: str
) -> None:
    assert autonomy("db", "backup", "good.db").code == 0
    good = Path("good.db").read_bytes()
    damage(migrated.home / "autonomy.db", table)
    told = autonomy("db", "backup", "good.db", "--force")
    assert (told.code, told.out) == (4, "")
    assert "not a sound SQLite database" in told.err
    assert "db backup" in told.err
    assert Path("good.db").read_bytes() == good
    assert sorted(path.name for path in migrated.home.glob(".good*")) == []
    doctor = autonomy("doctor", "--json")
    checks = {each["name"]: each for each in json.loads(doctor.out)["checks"]}
    assert (doctor.code, checks["database"]["state"]) == (4, "fail")
    assert "Put a copy in its place" in checks["database"]["fix"]
    assert checks["queue"]["state"] == ("fail" if table == "job" else "ok")
    status = autonomy("db", "status", "--json")
    assert (status.code, json.loads(status.out)["state"]) == (4, "current")
    assert json.loads(status.out)["damage"]
    assert "damaged" in autonomy("db", "status").out


def test_of_a_very_large_database_the_doctor_says_what_it_looked_at(
    autonomy: Autonomy, queued: str, migrated: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autonomy.storage import soundness

    assert "every page looked at" in autonomy("doctor").out
    monkeypatch.setattr(soundness, "WHOLE_BYTES", 1)
    damage(migrated.home / "autonomy.db", "document")
    assert "only runs and jobs looked at" in autonomy("doctor").out
    damage(migrated.home / "autonomy.db", "job")
    assert autonomy("doctor").code == 4


def test_a_right_that_is_missing_is_told_with_a_way_out() -> None:
    told = errors.foreign(PermissionError(13, "Permission denied", "/theirs/it"))
    assert told.message == "the system refused: /theirs/it: permission denied"
    assert told.hint == "Get access to it from its owner, or set AUTONOMY_HOME to a folder of yours."
    assert errors.exit_code(told) == 4


def test_a_backup_without_a_database_exits_4(autonomy: Autonomy, migrated: Place) -> None:
    (migrated.home / "autonomy.db").unlink()
    assert autonomy("db", "backup", "copy.db").code == 4
    assert not Path("copy.db").exists()


def test_db_status_tells_and_makes_nothing(autonomy: Autonomy, migrated: Place) -> None:
    assert read_json(autonomy("db", "status", "--json"))["state"] == "current"
    (migrated.home / "autonomy.db").unlink()
    assert read_json(autonomy("db", "status", "--json"))["state"] == "missing"
    assert not (migrated.home / "autonomy.db").exists()
    assert read_json(autonomy("db", "upgrade", "--json"))["state"] == "current"


def test_a_database_of_a_newer_release_is_refused(autonomy: Autonomy, migrated: Place) -> None:
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
        database.write(lambda tx: tx.run("UPDATE alembic_version SET version_num = '9999'"))
    for words in (("run", "list"), ("worker", "--until-idle"), ("db", "upgrade")):
        answer = autonomy(*words)
        assert answer.code == 4
        assert "newer release" in answer.err
    assert autonomy("doctor").code == 4


def test_a_file_that_is_no_database_is_refused(autonomy: Autonomy, migrated: Place) -> None:
    (migrated.home / "autonomy.db").write_bytes(b"not a database, but long enough to look at" * 99)
    answer = autonomy("run", "list")
    assert answer.code == 4
    assert "not a sound SQLite database" in answer.err


def test_memory_is_added_and_found_with_its_place(autonomy: Autonomy, migrated: Place) -> None:
    (migrated.home / "note.md").write_text("# Backups\n\nA backup is worth what its last restore was worth.\n", "utf-8")
    assert read_json(autonomy("memory", "add", "note.md", "--json"))["added"] == "note.md"
    found = read_json(autonomy("memory", "search", "restore a backup", "--json"))["items"]
    assert found[0]["location"] == "note.md"
    assert found[0]["section"] == "Backups"
    assert "last restore" in autonomy("memory", "search", "restore").out


def test_a_run_says_which_files_of_its_folder_are_of_another_kind(autonomy: Autonomy, migrated: Place) -> None:
    folder = migrated.home / "mixed"
    folder.mkdir()
    for name in ("one.csv", "two.doc", "three.py"):
        (folder / name).write_text("1,2\n", "utf-8")
    refused = autonomy("run", "start", "backups", "--corpus", "mixed")
    told = "3 files are of a kind that is not read: one.csv, three.py, two.doc"
    assert (refused.code, told in refused.err) == (5, True)
    (folder / "note.md").write_text("# Backups\n\nA backup is worth what its last restore was worth.\n", "utf-8")
    assert told in autonomy("run", "start", "backups", "--corpus", "mixed", "--detach").err


def test_memory_refuses_what_it_cannot_take(autonomy: Autonomy) -> None:
    assert autonomy("memory", "add", "no-such-file").code == 5
    assert autonomy("memory", "search", "  ").code == 5
    assert autonomy("memory", "search", "x", "--limit", "0").code == 5


def test_the_doctor_finds_this_machine_ready_and_says_so_in_json(autonomy: Autonomy) -> None:
    body = read_json(autonomy("doctor", "--json"))
    assert body["ready"] is True
    names = [check["name"] for check in body["checks"]]
    assert names[:4] == ["python", "sqlite", "sqlite-vec", "full text"]
    assert {"settings", "workspace", "disk", "database", "provider extractive", "extras"} <= set(names)


def test_the_doctor_names_a_job_and_a_run_that_contradict_each_other(autonomy: Autonomy, queued: str, migrated: Place) -> None:
    assert "runs, jobs and lanes agree" in autonomy("doctor").out
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
        database.write(lambda tx: tx.run("UPDATE run SET status = 'done'"))
    checks = {each["name"]: each for each in json.loads(autonomy("doctor", "--json").out)["checks"]}
    assert (checks["queue"]["state"], checks["queue"]["text"]) == ("warn", f"run {queued} is done, its job is queued")
    assert "autonomy worker --until-idle" in checks["queue"]["fix"]


def test_the_doctor_names_the_fix(autonomy: Autonomy, migrated: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    (migrated.home / "autonomy.toml").write_text("[queue]\nper_usr = 3\n", "utf-8")
    answer = autonomy("doctor")
    assert answer.code == 4
    assert "Did you mean 'per_user'?" in answer.out
    (migrated.home / "autonomy.toml").unlink()
    (migrated.home / "file").write_text("x", "utf-8")
    monkeypatch.setenv("AUTONOMY_HOME", str(migrated.home / "file"))
    answer = autonomy("doctor")
    assert answer.code == 4
    assert "Set AUTONOMY_HOME" in answer.out


def test_the_doctor_sees_postgresql_and_its_vectors(
    autonomy: Autonomy, postgres_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTONOMY_DATABASE_URL", postgres_server.get_uri(database="migrated"))
    checks = {check["name"]: check for check in read_json(autonomy("doctor", "--json"))["checks"]}
    assert checks["pgvector"]["state"] == "ok"
    assert checks["database"]["state"] == "ok"
    monkeypatch.setenv("AUTONOMY_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    unreachable = autonomy("doctor")
    assert unreachable.code == 4
    assert "secret" not in unreachable.out


def test_an_ordinary_role_of_postgresql_is_told_what_a_superuser_has_to_do_once(
    autonomy: Autonomy, postgres_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psycopg

    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE ROLE ordinary LOGIN PASSWORD 'plain'")
        connection.execute("CREATE DATABASE lent")
    superuser = postgres_server.get_uri(database="lent")
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO ordinary")
    monkeypatch.setenv("AUTONOMY_DATABASE_URL", superuser.replace("postgres:@", "ordinary:plain@"))
    refused, doctor = autonomy("db", "upgrade"), autonomy("doctor")
    assert refused.code == doctor.code == 4
    assert "Once, as a superuser in that database, run: CREATE EXTENSION vector" in refused.err
    assert "Once, as a superuser in that database, run: CREATE EXTENSION vector" in doctor.out
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
    assert autonomy("db", "upgrade").code == 0
    assert autonomy("doctor").code == 0


def test_the_doctor_knocks_at_a_service_of_this_machine_and_at_no_other(autonomy: Autonomy, migrated: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        _local_provider(migrated, f"http://127.0.0.1:{port}/v1")
        assert f"m at http://127.0.0.1:{port}/v1, it listens" in autonomy("doctor").out
    answer = autonomy("doctor")
    assert answer.code == 0
    assert f"warn  provider local       m at http://127.0.0.1:{port}/v1: nothing listens there" in answer.out
    _local_provider(migrated, "https://models.example/v1")
    assert "m at https://models.example/v1, not contacted" in autonomy("doctor").out


def _local_provider(place: Place, base_url: str) -> None:
    text = f'[[providers]]\nname = "local"\nkind = "compatible"\nbase_url = "{base_url}"\nmodel = "m"\nfree = true\n'
    (place.home / "autonomy.toml").write_text(text, "utf-8")


@pytest.mark.skipif(os.name != "posix", reason="the stand-in is a shell script")
@pytest.mark.parametrize("fails", ["", "connection refused"])
def test_a_backup_of_postgresql_is_made_by_pg_dump_and_keeps_the_password_out_of_its_arguments(
    fails: str, autonomy: Autonomy, monkeypatch: pytest.MonkeyPatch, migrated: Place
) -> None:
    programs = migrated.home / "programs"
    programs.mkdir()
    stand_in = programs / "pg_dump"
    ending = f"echo 'pg_dump: error: {fails}' >&2; exit 1" if fails else "exit 0"
    stand_in.write_text(
        '#!/bin/sh\nfor word; do case "$word" in --file=*) file="${word#--file=}";; esac; done\n'
        f'printf "%s\\n" "$@" "in environment: $PGPASSWORD" > "$file"\n{ending}\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("AUTONOMY_DATABASE_URL", "postgresql://u:s%40cret@db.example/d?sslmode=require")
    answer = autonomy("db", "backup", "copy.dump")
    target = migrated.home / "copy.dump"
    assert list(migrated.home.glob(".copy*")) == []
    if fails:
        assert (answer.code, target.exists()) == (1, False)
        assert f"pg_dump failed: {fails}" in answer.err
        return
    assert answer.code == 0, answer.err
    *arguments, last = target.read_text("utf-8").splitlines()
    assert last == "in environment: s@cret"
    assert "cret" not in "".join(arguments)
    assert any(word.startswith("--dbname=") and "sslmode=require" in word for word in arguments)


def test_a_backup_of_postgresql_without_its_programs_exits_4(
    autonomy: Autonomy, monkeypatch: pytest.MonkeyPatch, migrated: Place
) -> None:
    monkeypatch.setenv("PATH", str(migrated.home))
    monkeypatch.setenv("AUTONOMY_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/d")
    answer = autonomy("db", "backup", "copy.dump")
    assert answer.code == 4
    assert "pg_dump" in answer.err
    assert "secret" not in answer.err
