"""Whatever is done to a log is found: a thousand random changes of eight kinds, and each kind by its name."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autonomy.audit import lines
from autonomy.audit.heads import Head
from autonomy.audit.lines import Line
from autonomy.audit.log import AuditLog
from autonomy.audit.verify import verify
from autonomy.core.errors import StorageUnavailable
from autonomy.storage.database import Database

LENGTH, MUTATIONS = 60, 1000
Log = dict[str, bytes]
"""The log's files by name: what an intruder with write access to the folder has."""
Change = Callable[[Log, random.Random], None]


def fill(log: AuditLog, count: int = LENGTH) -> None:
    for number in range(count):
        log.append("task_read", correlation_id=f"c{number % 7}", actor="alice", number=number, text="é" * (number % 11))


def load(folder: Path) -> Log:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("events*.jsonl"))}


def store(folder: Path, log: Log) -> None:
    for path in folder.glob("events*.jsonl"):
        path.unlink()
    for name, data in log.items():
        (folder / name).write_bytes(data)


def in_order(log: Log) -> list[str]:
    """Names, the oldest file first."""
    return [*sorted(name for name in log if name != lines.CURRENT), *([lines.CURRENT] if lines.CURRENT in log else [])]


def some(log: Log, dice: random.Random) -> tuple[str, list[bytes]]:
    """One of the files, and its lines with their ends."""
    name = dice.choice(in_order(log))
    return name, log[name].splitlines(keepends=True)


def changed_byte(log: Log, dice: random.Random) -> None:
    name = dice.choice(in_order(log))
    data = bytearray(log[name])
    data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
    log[name] = bytes(data)


def removed_line(log: Log, dice: random.Random) -> None:
    name, held = some(log, dice)
    del held[dice.randrange(len(held))]
    log[name] = b"".join(held)


def swapped_pair(log: Log, dice: random.Random) -> None:
    name, held = some(log, dice)
    while len(held) < 2:
        name, held = some(log, dice)
    one, other = dice.sample(range(len(held)), 2)
    held[one], held[other] = held[other], held[one]
    log[name] = b"".join(held)


def inserted_line(log: Log, dice: random.Random) -> None:
    """A line that fits what it is put behind: only what follows, or the head, can tell."""
    name, held = some(log, dice)
    at = dice.randrange(1, len(held) + 1)
    before = lines.parse(held[at - 1].rstrip(b"\n"))
    held.insert(at, made_up(before.seq + 1, before.hash, "task_approved").data + b"\n")
    log[name] = b"".join(held)


def duplicated_line(log: Log, dice: random.Random) -> None:
    name, held = some(log, dice)
    line = dice.choice(held)
    held.insert(dice.randrange(len(held) + 1), line)
    log[name] = b"".join(held)


def cut_tail(log: Log, dice: random.Random) -> None:
    """At a line's end or inside a line; sometimes whole files go with it."""
    names = in_order(log)
    name = dice.choice(names)
    for later in names[names.index(name) + 1 :]:
        del log[later]
    held = log[name].splitlines(keepends=True)
    kept = b"".join(held[: dice.randrange(len(held))])
    log[name] = kept if dice.random() < 0.5 else log[name][: dice.randrange(len(log[name]))]


def chained_anew(log: Log, dice: random.Random) -> None:
    """One line says something else, and every hash from there on is made to fit."""
    old = [lines.parse(data) for name in in_order(log) for data in log[name].splitlines()]
    at = dice.randrange(len(old))
    sizes = [len(log[name].splitlines()) for name in in_order(log)]
    new = old[:at]
    for number, line in enumerate(old[at:], at):
        body = {key: value for key, value in line.body.items() if key not in ("seq", "prev", "hash")}
        last = new[-1] if new else lines.BEFORE
        new.append(lines.make(body | ({"actor": "mallory"} if number == at else {}), last.seq + 1, last.hash))
    for name, size in zip(in_order(log), sizes, strict=True):
        log[name], new = b"".join(line.data + b"\n" for line in new[:size]), new[size:]


def removed_file(log: Log, dice: random.Random) -> None:
    del log[dice.choice(in_order(log))]


CHANGES = (
    changed_byte, removed_line, swapped_pair, inserted_line, duplicated_line, cut_tail, chained_anew, removed_file,
)  # fmt: skip


def made_up(seq: int, prev: str, action: str) -> Line:
    return lines.make({"time": "2030-01-01T00:00:00.000Z", "action": action, "correlation_id": "c", "actor": "bob"}, seq, prev)


@pytest.fixture
def written(folder: Path, database: Database) -> Log:
    """A log of four files."""
    fill(AuditLog(folder, database, rotate_bytes=5000))
    assert verify(folder, database).ok
    assert len(load(folder)) >= 4
    return load(folder)


def test_of_a_thousand_random_changes_none_is_missed(written: Log, folder: Path, database: Database) -> None:
    dice = random.Random(20_301)
    missed = []
    for number in range(MUTATIONS):
        log = dict(written)
        change: Change = CHANGES[number % len(CHANGES)]
        change(log, dice)
        assert log != written
        store(folder, log)
        if verify(folder, database).ok:
            missed.append((number, change.__name__))
    assert missed == []
    store(folder, written)
    assert verify(folder, database).ok


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_stays_found_when_the_log_goes_on(written: Log, folder: Path, database: Database, change: Change) -> None:
    database.write(lambda tx: tx.run("UPDATE audit_head SET pending = ''"))  # nothing is brought back from there
    dice = random.Random(7)
    log = dict(written)
    change(log, dice)
    store(folder, log)
    writer = AuditLog(folder, database)
    fill(writer, 3)
    assert not verify(folder, database).ok
    fill(writer, 3)
    assert not verify(folder, database).ok


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (changed_byte, {"changed"}),
        (removed_line, {"missing"}),
        (swapped_pair, {"missing", "order"}),
        (inserted_line, {"order"}),
        (duplicated_line, {"order", "missing"}),
        (chained_anew, {"rewritten"}),
    ],
)
def test_a_finding_says_what_was_done_and_where(
    log: AuditLog, folder: Path, database: Database, change: Change, kinds: set[str]
) -> None:
    fill(log)
    held = load(folder)
    change(held, random.Random(3))
    store(folder, held)
    findings = verify(folder, database).findings
    assert {finding.kind for finding in findings} == kinds
    assert all(finding.file == lines.CURRENT and finding.about for finding in findings)


def test_a_file_rotated_away_that_is_gone_is_named(written: Log, folder: Path, database: Database) -> None:
    (folder / lines.rotated_name(2)).unlink()
    assert ("missing file", lines.rotated_name(2)) in {(each.kind, each.file) for each in verify(folder, database).findings}


def test_a_log_that_is_wholly_gone_is_found(written: Log, folder: Path, database: Database) -> None:
    shutil.rmtree(folder)
    assert [finding.kind for finding in verify(folder, database).findings] == ["missing file"]
    assert not folder.exists()


def test_an_empty_log_verifies_and_stays_untouched(folder: Path, database: Database) -> None:
    report = verify(folder, database)
    assert (report.ok, report.lines, report.files) == (True, 0, 0)
    assert not folder.exists()


def test_verifying_changes_nothing(written: Log, folder: Path, database: Database) -> None:
    with (folder / lines.CURRENT).open("ab") as stream:
        stream.write(b"torn")
    before = load(folder)
    assert [finding.kind for finding in verify(folder, database).findings] == ["torn"]
    assert load(folder) == before


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b"9" * 5000, b'{"seq":1,"seq":2}', b'{"seq":NaN}', b"\xff" * 10, b"x" * (3 << 20), b"null", b"{}"]
)
def test_no_line_stops_the_reading(written: Log, folder: Path, database: Database, line: bytes) -> None:
    with (folder / lines.CURRENT).open("ab") as stream:
        stream.write(line + b"\n")
    assert not verify(folder, database).ok


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"actor":"alice"', b'"actor": "alice"'), (b"alice", b"\\u0061lice"),
     (b'"actor":"alice"', b'"actor":"bob","actor":"alice"'),
     (b'"number":5', b'"number":5.0'), (b"}", b"}\r")],
)  # fmt: skip
def test_a_byte_that_changes_no_meaning_is_found_too(
    log: AuditLog, folder: Path, database: Database, old: bytes, new: bytes
) -> None:
    fill(log, 9)
    held = load(folder)[lines.CURRENT].splitlines(keepends=True)
    assert old in held[5]
    held[5] = held[5].replace(old, new)
    store(folder, {lines.CURRENT: b"".join(held)})
    assert [(finding.kind, finding.line) for finding in verify(folder, database).findings] == [("changed", 6)]


def test_nobody_appends_between_the_look_at_the_head_and_the_look_at_the_file(
    log: AuditLog, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from autonomy.audit.heads import read_head

    fill(log, 3)
    monkeypatch.setattr("autonomy.audit.log.PATIENCE", 0.01)

    def looked(database: Database) -> Head:
        head = read_head(database)
        with pytest.raises(StorageUnavailable):
            fill(log, 1)
        return head

    monkeypatch.setattr("autonomy.audit.verify.read_head", looked)
    assert verify(folder, database).ok


def test_a_reader_waits_for_who_appends_and_leaves_nothing_behind(
    log: AuditLog, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    assert verify(folder, database).ok
    assert list(folder.iterdir()) == []
    fill(log, 3)
    monkeypatch.setattr("autonomy.audit.verify.PATIENCE", 0.01)
    with log._held(), pytest.raises(StorageUnavailable, match="held by another"):
        verify(folder, database)
    assert verify(folder, database).ok


def test_a_history_written_anew_by_the_owner_of_the_database_is_found_by_a_head_noted_elsewhere(
    log: AuditLog, folder: Path, database: Database
) -> None:
    fill(log, 10)
    noted = verify(folder, database)
    fill(log, 5)
    known = (noted.seq, noted.head)
    assert verify(folder, database, known=known).ok
    held = load(folder)
    chained_anew(held, random.Random(1))
    store(folder, held)
    forged = lines.parse(held[lines.CURRENT].splitlines()[-1]).hash
    database.write(lambda tx: tx.run("UPDATE audit_head SET head = :head", head=forged))
    assert verify(folder, database).ok
    assert [finding.kind for finding in verify(folder, database, known=known).findings] == ["known"]


def test_a_reader_sees_a_whole_log_while_others_append_and_rotate(folder: Path, database: Database, database_url: str) -> None:
    import subprocess
    import sys

    root = Path(__file__).parents[2]
    argv = [sys.executable, "-W", "error", "-m", "tests.audit.appending", database_url, str(folder), "busy", "0"]
    process = subprocess.Popen(argv, cwd=root, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        seen = 0
        while seen < 150:
            process.stdout.readline()
            report = verify(folder, database)
            assert report.ok, report.findings
            seen = report.lines
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    assert len(lines.rotated(folder)) >= 2


def test_a_folder_that_may_not_be_read_is_an_error_and_no_clean_bill(log: AuditLog, folder: Path, database: Database) -> None:
    from autonomy.core.errors import StorageUnusable

    fill(log, 2)
    os.unlink(folder / lines.CURRENT)
    (folder / lines.CURRENT).mkdir()
    with pytest.raises(StorageUnusable, match=r"events\.jsonl cannot be used: is a directory"):
        verify(folder, database)
