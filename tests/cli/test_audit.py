"""`autonomy audit`: a whole log, a changed one, and its lines."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from autonomy.audit.log import AuditLog
from autonomy.storage.database import Database
from tests.cli.conftest import Answer, Place

Autonomy = Callable[..., Answer]


@pytest.fixture
def audited(migrated: Place) -> Path:
    """A log of twelve lines in the workspace; the path of its newest file."""
    with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
        log = AuditLog(migrated.home / "audit", database)
        for number in range(12):
            log.append("task_read", correlation_id="c1", actor="alice", number=number, text="\x1b[31mred")
    return migrated.home / "audit" / "events.jsonl"


def test_a_workspace_without_a_log_is_whole_and_stays_without_one(autonomy: Autonomy, migrated: Place) -> None:
    answer = autonomy("audit", "verify", "--json")
    assert answer.code == 0
    assert json.loads(answer.out) == {"ok": True, "lines": 0, "files": 0, "seq": 0, "head": "0" * 64, "findings": []}
    assert not (migrated.home / "audit").exists()


def test_a_whole_log_exits_0_and_prints_the_head_to_note_elsewhere(autonomy: Autonomy, audited: Path) -> None:
    answer = autonomy("audit", "verify")
    last = json.loads(audited.read_bytes().splitlines()[-1])
    assert answer.code == 0
    assert answer.out == f"whole: 12 lines in 1 file, head 12:{last['hash']}\n"
    assert autonomy("audit", "verify", "--known", f"12:{last['hash']}").code == 0


def test_findings_exit_1_one_a_line(autonomy: Autonomy, audited: Path) -> None:
    held = audited.read_bytes().splitlines(keepends=True)
    audited.write_bytes(b"".join([held[0].replace(b"alice", b"mally"), *held[1:5], *held[6:]]))
    answer = autonomy("audit", "verify")
    assert answer.code == 1
    assert answer.out.splitlines() == [
        "events.jsonl:1: changed: its hash is another",
        "events.jsonl:6: missing: lines 6 to 6 are missing before line 7",
    ]
    assert answer.err.startswith("2 findings")
    body = json.loads(autonomy("audit", "verify", "--json").out)
    assert [finding["kind"] for finding in body["findings"]] == ["changed", "missing"]


@pytest.mark.parametrize("spoil", ["folder", "link", "file for the folder"])
def test_a_log_that_cannot_be_read_is_one_line_with_the_next_step_and_no_finding(
    autonomy: Autonomy, audited: Path, spoil: str
) -> None:
    audited.rename(audited.with_suffix(".away"))
    if spoil == "folder":
        audited.mkdir()
    elif spoil == "link":
        audited.symlink_to(audited.with_suffix(".away"))
    else:
        audited.parent.rename(audited.parent.with_name("away"))
        audited.parent.write_text("")
    for words in (("verify",), ("verify", "--json"), ("tail", "--no-follow")):
        answer = autonomy("audit", *words)
        assert answer.code == 4, words
        assert answer.err.count("\n") == 1
        assert f"the audit log {audited.parent if spoil.startswith('file') else audited} cannot be used" in answer.err
        assert "put the log back from a backup" in answer.err
        if "--json" in words:
            assert json.loads(answer.out)["error"]["code"] == "storage-unusable"


def test_a_log_that_may_not_be_read_names_the_file_and_whom_to_ask(audited: Path, migrated: Place) -> None:
    """The superuser may read everything: there the reading is done as a user without rights."""
    script = (
        "import os, pathlib, sys\n"
        "from autonomy.audit.lines import CURRENT, open_to_read\nfrom autonomy.audit.log import refused\n"
        "folder = pathlib.Path(sys.argv[1])\nos.geteuid() or os.seteuid(65534)\n"
        "try:\n    open_to_read(folder / CURRENT)\nexcept OSError as error:\n    print(refused(folder, error))\n"
    )
    audited.chmod(0)
    told = subprocess.run(
        [sys.executable, "-c", script, str(audited.parent)], env=migrated.environ, capture_output=True, text=True, check=True
    ).stdout
    assert told == (
        f"the audit log {audited} cannot be used: permission denied. "
        "Get the right to read and write it from its owner, or work as that user.\n"
    )


def test_a_missing_log_is_a_finding_that_says_what_to_do(autonomy: Autonomy, audited: Path) -> None:
    audited.unlink()
    answer = autonomy("audit", "verify")
    assert (answer.code, answer.out) == (1, "events.jsonl: missing file: the file is gone; the log goes on to line 12\n")
    assert answer.err == "1 finding in an empty log. Find out who took the file away, and put it back from a backup.\n"


def test_a_head_noted_elsewhere_that_is_not_there_is_a_finding(autonomy: Autonomy, audited: Path) -> None:
    answer = autonomy("audit", "verify", "--known", f"3:{'a' * 64}")
    assert (answer.code, "another history" in answer.out) == (1, True)


@pytest.mark.parametrize("known", ["", "3", "3:abc", "x:" + "a" * 64])
def test_a_malformed_head_exits_5(autonomy: Autonomy, audited: Path, known: str) -> None:
    answer = autonomy("audit", "verify", "--known", known)
    assert answer.code == 5
    assert answer.err.count("\n") == 1


def test_tail_prints_the_last_lines_and_steers_no_terminal(autonomy: Autonomy, audited: Path) -> None:
    answer = autonomy("audit", "tail", "--lines", "3", "--no-follow")
    assert answer.code == 0
    assert [line.split()[0] for line in answer.out.splitlines()] == ["10", "11", "12"]
    assert "\x1b" not in answer.out
    assert "\\x1b[31mred" in answer.out


def test_tail_under_json_prints_the_lines_as_they_are(autonomy: Autonomy, audited: Path) -> None:
    answer = autonomy("audit", "tail", "--no-follow", "--json")
    assert [json.loads(line) for line in answer.out.splitlines()] == [
        json.loads(line) for line in audited.read_bytes().splitlines()
    ]
    assert autonomy("audit", "tail", "--lines", "0", "--no-follow").out == ""


def test_tail_follows_until_it_is_left(audited: Path, migrated: Place) -> None:
    import signal

    with migrated.start("audit", "tail", "--lines", "1", "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["seq"] == 12
        with Database(f"sqlite:///{migrated.home / 'autonomy.db'}", grow_wal=False) as database:
            AuditLog(audited.parent, database, rotate_bytes=100).append_many(
                [{"action": "task_read", "correlation_id": "c2", "actor": "bob"}] * 3
            )
        assert [json.loads(process.stdout.readline())["seq"] for _ in range(4)] == [13, 14, 15, 16]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
