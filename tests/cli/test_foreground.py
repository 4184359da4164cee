"""Runs worked by the real command: the document, the summary, Ctrl-C once and twice, two at once, and the terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from autonomy.providers.script import Asked, Behaviour
from autonomy.providers.scripted import ScriptedServer
from tests.cli.conftest import Place
from tests.commands import Commands, Ended

TEXT = """# Tasks

## Cancelling

A task can be cancelled by calling its cancel method. Cancellation raises CancelledError inside the task at the next
opportunity. A task that catches CancelledError should clean up and raise it again. Swallowing it breaks task groups.

## Groups

Task groups wait for all tasks in the group when the block ends. If any task in the group fails, the remaining tasks in
the group are cancelled. No further tasks can then be added to the group.
"""


class Gate:
    """A script whose first request waits until it is let through; all answers are good ones."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.open = threading.Event()

    def __call__(self, asked: Asked) -> Behaviour:
        self.arrived.set()
        self.open.wait(60)
        return Behaviour()


@pytest.fixture
def corpus(migrated: Place) -> str:
    folder = migrated.home / "docs"
    folder.mkdir()
    (folder / "tasks.md").write_text(TEXT, "utf-8")
    (folder / "groups.md").write_text(TEXT.replace("Tasks", "Task groups").replace("task can", "group can"), "utf-8")
    return str(folder)


@pytest.fixture
def gate(migrated: Place) -> Iterator[Gate]:
    """A model server that holds its first answer back, configured as the provider "desk"."""
    held = Gate()
    with ScriptedServer(held) as server:
        (migrated.home / "autonomy.toml").write_text(
            f'[[providers]]\nname = "desk"\nkind = "local"\nmodel = "m"\nbase_url = "{server.base_url}"\n', "utf-8"
        )
        yield held
        held.open.set()


def start_words(corpus: str, *more: str) -> tuple[str, ...]:
    return ("run", "start", "How are tasks cancelled?", "--journey", "research", "--corpus", corpus, *more)


@pytest.fixture
def aside(commands: Commands, migrated: Place) -> Callable[..., Ended]:
    """Commands that prepare a test or look at what it did: forked, which saves their imports."""
    return partial(commands.run, migrated)


def only_run(aside: Callable[..., Ended]) -> dict[str, object]:
    row: dict[str, object] = aside("run", "list", "--json").document["items"][0]
    return row


def test_a_run_in_the_foreground_ends_with_its_document_on_stdout(migrated: Place, corpus: str) -> None:
    done = migrated.run(*start_words(corpus, "--json"))
    assert done.returncode == 0, done.stderr
    body = json.loads(done.stdout)
    assert (body["status"], body["outcome"]) == ("done", "delivered")
    assert {row["path"].rsplit("/", 1)[1] for row in body["deliverables"]} >= {"deliverable.md", "manifest.json"}
    for row in body["deliverables"]:
        assert set(row) == {"path", "role", "media_type", "sha256"}
        assert (migrated.home / row["path"]).is_file()
    page = migrated.run("run", "inspect", body["run_id"]).stdout
    assert "  route    at its end\n" in page
    assert "END" not in page


def test_without_a_terminal_progress_is_plain_lines_on_stderr_and_the_summary_stands_on_stdout(
    migrated: Place, corpus: str, aside: Callable[..., Ended]
) -> None:
    done = migrated.run(*start_words(corpus))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "decision" in done.stderr
    for words in ("delivered after", "deliverable.md", "claims", "passed: quote found 1", "autonomy run explain"):
        assert words in done.stdout
    run_id = str(only_run(aside)["run_id"])
    assert aside("run", "export", run_id, "--to", "out").code == 0
    assert (migrated.home / "out" / "manifest.json").is_file()
    assert aside("run", "export", run_id, "--to", "out").code == 5
    told = aside("run", "explain", run_id).out
    assert "Understanding the goal" in told
    assert "Run done: delivered" in told
    with migrated.start("run", "tail", run_id) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert "run.queued" in tail.stdout.readline()
        tail.stdout.close()
        assert tail.stderr.read() == ""
        tail.stderr.close()
        assert tail.wait(60) == 0


def test_a_worker_does_what_was_left_to_it(migrated: Place, corpus: str, aside: Callable[..., Ended]) -> None:
    started = aside(*start_words(corpus, "--detach", "--json")).document
    worked = migrated.run("worker", "--until-idle", "--json")
    assert worked.returncode == 0, worked.stderr
    assert json.loads(worked.stdout) == {"worked": 1}
    row = only_run(aside)
    assert (row["run_id"], row["outcome"]) == (started["run_id"], "delivered")


def test_a_worker_says_that_one_user_gets_fewer_at_a_time_than_it_works(migrated: Place) -> None:
    assert "For one user at most 2 at a time" in migrated.run("worker", "--concurrency", "8", "--until-idle").stderr
    assert "one user" not in migrated.run("worker", "--concurrency", "2", "--until-idle").stderr


def test_a_corpus_of_only_broken_files_is_refused_and_leaves_no_run(migrated: Place, aside: Callable[..., Ended]) -> None:
    folder = migrated.home / "broken"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(b"%PDF-1.7 broken")
    (folder / "b.docx").write_bytes(b"PK\x03\x04 broken")
    done = migrated.run(*start_words(str(folder), "--json"))
    assert done.returncode == 5, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "invalid-input"
    assert "Traceback" not in done.stderr
    assert aside("run", "list", "--json").document["items"] == []


def test_ctrl_c_once_stops_at_the_next_safe_point_and_says_how_to_go_on(
    migrated: Place, corpus: str, gate: Gate, aside: Callable[..., Ended]
) -> None:
    with migrated.start(*start_words(corpus, "--provider", "desk")) as running:
        assert gate.arrived.wait(60)
        running.send_signal(signal.SIGINT)
        gate.open.set()
        out, err = running.communicate(timeout=60)
        assert running.returncode == 130, err
        run_id = str(only_run(aside)["run_id"])
        assert "Stopping at the next safe point" in err
        assert "Stopped at a safe point, before there was a plan." in err
        assert f"autonomy run resume {run_id}" in err
        assert "Traceback" not in err
        assert out == ""
        resumed = aside("run", "resume", run_id, "--json")
        assert resumed.code == 0, resumed.err
        assert resumed.document["outcome"] == "delivered"


def test_ctrl_c_twice_stops_at_once_and_the_run_goes_on_all_the_same(
    migrated: Place, corpus: str, gate: Gate, aside: Callable[..., Ended]
) -> None:
    with migrated.start(*start_words(corpus, "--provider", "desk")) as running:
        assert gate.arrived.wait(60)
        assert running.stderr is not None
        running.send_signal(signal.SIGINT)
        for line in running.stderr:
            if "Stopping at the next safe point" in line:
                break
        running.send_signal(signal.SIGINT)
        err = running.stderr.read()
        assert running.wait(30) == 130
        running.communicate()
        gate.open.set()
        run_id = str(only_run(aside)["run_id"])
        assert "running (its worker is gone)" in aside("run", "list").out
        assert "running (its worker is gone)" in aside("run", "inspect", run_id).out
        assert "Stopped at once" in err
        assert f"autonomy run resume {run_id}" in err
        resumed = aside("run", "resume", run_id[:8], "--json")
        assert resumed.code == 0, resumed.err
        assert resumed.document["outcome"] == "delivered"


def test_of_two_resumes_one_works_and_the_other_says_who_holds_the_run(
    migrated: Place, corpus: str, gate: Gate, aside: Callable[..., Ended]
) -> None:
    with migrated.start(*start_words(corpus, "--provider", "desk", "--json")) as first:
        assert gate.arrived.wait(60)
        run_id = str(only_run(aside)["run_id"])
        assert "gone" not in aside("run", "list").out
        second = aside("run", "resume", run_id, "--json")
        assert second.code == 9, second.err
        error = second.document["error"]
        assert error["code"] == "held"
        assert str(first.pid) in error["message"]
        gate.open.set()
        out, err = first.communicate(timeout=60)
        assert first.returncode == 0, err
        assert json.loads(out)["outcome"] == "delivered"


def test_a_run_whose_output_nobody_reads_is_worked_to_its_end(
    migrated: Place, corpus: str, aside: Callable[..., Ended]
) -> None:
    with migrated.start(*start_words(corpus)) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        running.stderr.close()
        assert running.wait(60) == 0
        assert only_run(aside)["outcome"] == "delivered"


def test_a_follower_of_silent_events_notices_that_its_reader_has_left(
    migrated: Place, corpus: str, aside: Callable[..., Ended]
) -> None:
    aside(*start_words(corpus, "--detach"))
    with migrated.start("events", "tail", "--since", "0") as following:
        assert following.stdout is not None
        assert "run.queued" in following.stdout.readline()
        following.stdout.close()
        assert following.wait(30) == 0


def on_terminal(place: Place, *words: str, **environ: str) -> tuple[int, str]:
    """Run the real command with stdout and stderr on a terminal of 80 by 24; its code and everything it drew."""
    main, side = pty.openpty()
    environment = {**place.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **environ}
    running = subprocess.Popen(place.argv(*words), env=environment, cwd=place.home, stdout=side, stderr=side, stdin=side)
    os.close(side)
    drawn = b""
    while True:
        ready, _, _ = select.select([main], [], [], 60)
        try:
            piece = os.read(main, 65536) if ready else b""
        except OSError:  # Linux says so when the other side has closed
            piece = b""
        if not piece:
            break
        drawn += piece
    os.close(main)
    return running.wait(60), drawn.decode("utf-8", "replace")


def test_on_a_terminal_the_view_moves_and_then_makes_room_for_the_summary(migrated: Place, corpus: str) -> None:
    code, drawn = on_terminal(migrated, *start_words(corpus))
    assert code == 0
    assert "\x1b[?25l" in drawn
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")  # the cursor is given back
    assert "Ctrl-C stops" in drawn
    assert "delivered" in drawn[drawn.rindex("\x1b[?25h") :]


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"CI": "true"}])
def test_a_terminal_that_cannot_move_gets_plain_lines(environ: dict[str, str], migrated: Place, corpus: str) -> None:
    code, drawn = on_terminal(migrated, *start_words(corpus), **environ)
    assert code == 0
    assert "\x1b[?25l" not in drawn
    assert "decision" in drawn


def test_no_color_keeps_the_view_and_drops_the_colours(migrated: Place, corpus: str) -> None:
    code, drawn = on_terminal(migrated, *start_words(corpus), NO_COLOR="1")
    assert code == 0
    assert "\x1b[?25l" in drawn
    assert "\x1b[32m" not in drawn
    assert "\x1b[1;36m" not in drawn


def test_in_the_c_locale_the_view_is_ascii(migrated: Place, corpus: str) -> None:
    code, drawn = on_terminal(migrated, *start_words(corpus), LC_ALL="C", PYTHONIOENCODING="ascii")
    assert code == 0
    assert drawn.isascii()


def test_tail_follows_a_run_and_ends_with_it(migrated: Place, corpus: str, gate: Gate, aside: Callable[..., Ended]) -> None:
    started = aside(*start_words(corpus, "--provider", "desk", "--detach", "--json")).document
    with migrated.start("run", "tail", started["run_id"], "--json") as tail:
        gate.open.set()
        assert aside("worker", "--until-idle").code == 0
        out, err = tail.communicate(timeout=60)
        assert tail.returncode == 0, err
        rows = [json.loads(line) for line in out.splitlines()]
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        assert rows[-1]["type"] == "run.done"


def test_ctrl_c_leaves_a_tail_quietly(migrated: Place, corpus: str, aside: Callable[..., Ended]) -> None:
    started = aside(*start_words(corpus, "--detach", "--json")).document
    with migrated.start("run", "tail", started["run_id"]) as tail:
        assert tail.stdout is not None
        assert "run.queued" in tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        _, err = tail.communicate(timeout=60)
        assert (tail.returncode, err) == (130, "")


def test_a_spent_budget_exits_6_with_what_there_is(migrated: Place, corpus: str, gate: Gate) -> None:
    gate.open.set()
    done = migrated.run(*start_words(corpus, "--provider", "desk", "--budget-tokens", "10", "--json"))
    assert done.returncode == 6, done.stderr
    body = json.loads(done.stdout)
    assert body["outcome"] == "budget_exceeded"
    assert Path(migrated.home / body["deliverables"][0]["path"]).is_file()


def test_a_flawed_policy_refuses_a_run_by_line_with_code_4_and_a_kept_run_is_taken_up_when_it_is_put_right(
    migrated: Place, corpus: str
) -> None:
    policy = migrated.home / "orchestrator_policies.yaml"
    words = start_words(corpus)
    kept = migrated.run(*words, "--detach", "--json")
    run_id = json.loads(kept.stdout)["run_id"]
    policy.write_text("gates:\n  overlap: {threshold: 2}\n", "utf-8")
    said = "orchestrator_policies.yaml:2: gates.overlap.threshold must be a number from 0 to 1, not '2'"
    refused = migrated.run(*words)
    assert (refused.returncode, refused.stdout) == (4, "")
    assert said in refused.stderr
    resumed = migrated.run("run", "resume", run_id)
    assert resumed.returncode == 4, resumed.stderr
    assert said in resumed.stderr
    policy.write_text("gates:\n  overlap: {threshold: 0.2}\n", "utf-8")
    assert migrated.run("run", "resume", run_id).returncode == 0
    explained = migrated.run("run", "explain", run_id).stdout
    assert "gates.overlap.threshold 0.2 (not 0.1)" in " ".join(explained.split())
    assert "Run paused: orchestrator_policies.yaml:2:" in " ".join(explained.split())
    shown = json.loads(migrated.run("config", "policies", "--json").stdout)
    assert shown["gates.overlap.threshold"] == {"value": 0.2, "origin": "orchestrator_policies.yaml line 2"}
    assert shown["gates.overlap.run"] == {"value": 8, "origin": "default"}
    assert re.search(r"^ok +policies +1 value in orchestrator_policies.yaml$", migrated.run("doctor").stdout, re.MULTILINE)
