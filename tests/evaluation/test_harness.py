"""Plays are bounded, apart from whoever starts them, and compared with each other; what came of them is written whole."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from autonomy.evaluation import harness
from autonomy.evaluation.harness import Result
from autonomy.evaluation.task import Evaluation, Task
from tests.commands import until


def evaluation(folder: Path, **more: Any) -> Evaluation:
    given: dict[str, Any] = {
        "name": "small",
        "about": "A small one.",
        "goal": "What is a lease?",
        "corpus": "docs",
        "expect": {"status": "done", "files": [{"path": "deliverable.md"}]},
    }
    return Evaluation(task=Task.model_validate({**given, **more}), file=folder / "small.yaml", corpus=folder)


def player(folder: Path, body: str) -> Sequence[str]:
    """A program in the place of the one that plays: `job` is what it was given, `home` its workspace."""
    path = folder / "player.py"
    path.write_text(
        "import json, os, pathlib, sys, time\n"
        "job = json.loads(pathlib.Path(sys.argv[1]).read_text())\n"
        "home = pathlib.Path(os.environ['AUTONOMY_HOME'])\n"
        "seen = dict(run_id='r1', status='done', outcome=None, error=None, created_at=None, finished_at=None, events=[],\n"
        "            cycles=[], drafts=[], changes=[], files=[], acts=[], requests=None)\n"
        "def deliver(text):\n"
        "    import hashlib\n"
        "    file = home / 'artifacts' / 'r1' / 'deliverable.md'\n"
        "    file.parent.mkdir(parents=True)\n"
        "    file.write_text(text)\n"
        "    sha256 = hashlib.sha256(text.encode()).hexdigest()\n"
        "    seen['files'] = [dict(path='artifacts/r1/deliverable.md', role='deliverable', sha256=sha256)]\n"
        "def answer(value):\n"
        "    pathlib.Path(job['answer']).write_text(json.dumps(value))\n" + textwrap.dedent(body),
        "utf-8",
    )
    return (str(path),)


def played(folder: Path, body: str, **more: Any) -> Result:
    told: list[tuple[str, int]] = []
    (result,) = harness.run([evaluation(folder, **more)], lambda *each: told.append(each), player(folder, body))
    assert told == [("small", n) for n in range(1, len(told) + 1)]
    return result


def test_plays_that_are_the_same_pass(tmp_path: Path) -> None:
    result = played(tmp_path, "deliver('one\\n'); answer({'seen': seen})")
    assert (result.reasons, result.plays, result.same, result.passed) == ((), 2, True, True)


def test_plays_that_differ_do_not_pass(tmp_path: Path) -> None:
    result = played(tmp_path, f"deliver(str(len(os.listdir({str(tmp_path)!r})))); open({str(tmp_path / 'seen')!r}, 'w')\n"
                              "answer({'seen': seen})")  # fmt: skip
    assert result.reasons == ("deliverable.md is another in each play, ids and times aside",)
    assert (result.same, result.passed) == (False, False)


def test_what_is_played_once_is_not_compared(tmp_path: Path) -> None:
    assert played(tmp_path, "deliver('one'); answer({'seen': seen})", plays=1).same is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("answer({'error': 'the corpus holds nothing'})", "the corpus holds nothing"),
        ("sys.exit('no memory left')", "the play ended with code 1: no memory left"),
        ("os._exit(3)", "the play ended with code 3: it said nothing"),
        ("os.kill(os.getpid(), 9)", "the play ended with code -9: it said nothing"),
        ("answer({'seen': seen})", "deliverable.md is missing"),
    ],
)
def test_a_play_that_fails_says_why(tmp_path: Path, body: str, reason: str) -> None:
    assert played(tmp_path, body).reasons == (reason,)


def test_a_play_that_does_not_end_is_ended(tmp_path: Path) -> None:
    result = played(tmp_path, "time.sleep(600)", seconds=0.5)
    assert (result.reasons, result.plays, result.same) == (("it was not over after 0.5 s",), 0, None)


def test_what_a_play_leaves_behind_is_ended(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    body = f"""
        import subprocess
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
        pathlib.Path({str(pid)!r}).write_text(str(child.pid))
        os._exit(0)
    """
    assert played(tmp_path, body, plays=1).reasons == ("the play ended with code 0: it said nothing",)
    until(lambda: not _lives(int(pid.read_text())), "the end of what was left behind")


def _lives(pid: int) -> bool:
    """Whether the process is there and no mere zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


def test_a_play_sees_no_key_and_nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-these-tests")
    monkeypatch.setenv("AUTONOMY_ADMIN_TOKEN", "a-token-of-these-tests")
    result = played(tmp_path, "sys.exit(' '.join(sorted(n for n in os.environ if 'KEY' in n or 'AUTONOMY' in n)))", plays=1)
    assert result.reasons == ("the play ended with code 1: AUTONOMY_DATABASE_URL AUTONOMY_HOME",)
    assert "a-key-of-these-tests" in os.environ.values()
    assert sys.executable


def test_results_are_written_as_json_and_as_junit(tmp_path: Path) -> None:
    results = [
        Result("one", "About one.", tmp_path / "one.yaml", 1.25, 2, True, ()),
        Result("two", "About two.", tmp_path / "two.yaml", 2.0, 2, None, ("a < b & \x07 'c'", "and more")),
    ]
    written, junit = harness.write(results, tmp_path / "reports")
    document = json.loads(written.read_text("utf-8"))
    assert (document["pass"], document["tasks"], document["passed"], document["failed"]) == (False, 2, 1, 1)
    assert document["evaluations"][1]["reasons"][1] == "and more"
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    assert suite is not None
    assert {name: suite.get(name) for name in ("tests", "failures", "time")} == {"tests": "2", "failures": "1", "time": "3.250"}
    cases = {case.get("name"): case.find("failure") for case in suite.findall("testcase")}
    assert cases["one"] is None
    failure = cases["two"]
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("a < b & ? 'c'", "a < b & ? 'c'\nand more")
