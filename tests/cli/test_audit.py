"""`autonomy audit`: a whole log, a changed one, and its lines."""

from __future__ import annotations

import json
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
        "events.jsonl:1: changed: it was changed: its hash is another",
        "events.jsonl:6: missing: lines 6 to 6 are missing before line 7",
    ]
    assert answer.err.startswith("2 findings")
    body = json.loads(autonomy("audit", "verify", "--json").out)
    assert [finding["kind"] for finding in body["findings"]] == ["changed", "missing"]


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
