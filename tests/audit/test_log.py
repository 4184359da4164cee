"""One chain whoever writes, whenever they die; what a crash left is put right and told, what somebody did is kept visible."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autonomy.audit import heads, lines
from autonomy.audit.log import AuditLog
from autonomy.audit.verify import verify
from autonomy.core.errors import DiskFull, StorageError, StorageUnavailable
from autonomy.storage.database import Database

ROOT = Path(__file__).parents[2]


def bodies(folder: Path) -> list[dict[str, Any]]:
    """All lines, oldest first."""
    paths = [*lines.rotated(folder).values(), folder / lines.CURRENT]
    return [json.loads(line) for path in paths if path.exists() for line in path.read_bytes().splitlines()]


def actions(folder: Path) -> list[str]:
    return [body["action"] for body in bodies(folder)]


def fill(log: AuditLog, count: int = 5) -> None:
    for number in range(count):
        log.append("task_read", correlation_id="c1", actor="alice", task_id=f"t{number}")


def current(folder: Path) -> Path:
    return folder / lines.CURRENT


def no_pending(database: Database) -> None:
    """As if the file had been made durable: the database holds no lines any more."""
    database.write(lambda tx: tx.run("UPDATE audit_head SET pending = ''"))


# -- lines --------------------------------------------------------------------------------------------


def test_a_line_says_who_did_what_for_which_task_and_binds_the_line_before(log: AuditLog, folder: Path) -> None:
    assert log.append("task_created", correlation_id="c1", actor="alice", task_id="t1", figures={"n": 1, "share": 0.5}) == 1
    assert log.append("task_read", correlation_id="c2", actor="bob") == 2
    first, second = bodies(folder)
    assert set(first) == {"seq", "time", "action", "correlation_id", "actor", "task_id", "figures", "prev", "hash"}
    assert (first["seq"], first["prev"], second["prev"]) == (1, "0" * 64, first["hash"])
    assert (first["action"], first["actor"], first["figures"]) == ("task_created", "alice", {"n": 1, "share": 0.5})


def test_many_lines_at_once_are_numbered_in_their_order(log: AuditLog, folder: Path, database: Database) -> None:
    entries = [{"action": "task_read", "correlation_id": "c", "actor": "a", "number": number} for number in range(250)]
    assert log.append_many(entries) == list(range(1, 251))
    assert [body["number"] for body in bodies(folder)] == list(range(250))
    assert log.append_many([]) == []
    assert verify(folder, database).ok


@pytest.mark.parametrize(
    "odd",
    [float("nan"), float("inf"), 2**53, -(2**70), 1e300, 1e20, "\ud800", "\x00", b"\xff\x00", {1: 2}, {"a": {"b": [set()]}},
     object(), "x" * 10**6, list(range(10**5)), ["y" * 3000] * 1000, {str(n): "z" for n in range(500)}],
)  # fmt: skip
def test_no_value_stops_the_log_or_makes_a_line_that_does_not_verify(
    log: AuditLog, folder: Path, database: Database, odd: Any
) -> None:
    deep: Any = odd
    for _ in range(2000):
        deep = [deep, odd]
    log.append("error", correlation_id="c", actor="a", odd=odd, deep=deep)
    assert verify(folder, database).ok
    assert current(folder).stat().st_size < 200_000


def test_a_field_of_the_line_itself_cannot_be_given(log: AuditLog, folder: Path) -> None:
    with pytest.raises(ValueError, match="hash"):
        log.append("error", correlation_id="c", actor="a", hash="0")
    assert not folder.exists()


def test_the_log_is_its_owners_alone(log: AuditLog, folder: Path) -> None:
    fill(log, 1)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


# -- rotation -----------------------------------------------------------------------------------------


def test_a_full_file_is_rotated_away_and_the_chain_goes_on(folder: Path, database: Database) -> None:
    log = AuditLog(folder, database, rotate_bytes=2000)
    fill(log, 40)
    files = lines.rotated(folder)
    assert list(files) == list(range(1, len(files) + 1))
    assert len(files) > 3
    assert all(path.stat().st_size <= 2000 for path in files.values())
    assert [body["seq"] for body in bodies(folder)] == list(range(1, len(bodies(folder)) + 1))
    assert actions(folder).count("log_rotated") == len(files)
    first = json.loads(current(folder).read_bytes().splitlines()[0])
    assert (first["action"], first["to"]) == ("log_rotated", files[len(files)].name)
    report = verify(folder, database)
    assert (report.ok, report.files, report.lines) == (True, len(files) + 1, len(bodies(folder)))


def test_a_death_between_the_rotation_and_the_next_line_loses_nothing(folder: Path, database: Database) -> None:
    log = AuditLog(folder, database)
    fill(log, 3)
    current(folder).rename(folder / lines.rotated_name(1))
    assert verify(folder, database).ok
    fill(AuditLog(folder, database), 2)
    assert [body["seq"] for body in bodies(folder)] == [1, 2, 3, 4, 5]
    assert verify(folder, database).ok


# -- many at once -------------------------------------------------------------------------------------


def test_threads_that_write_at_once_make_one_chain(log: AuditLog, folder: Path, database: Database) -> None:
    given: list[int] = []

    def work(name: str) -> None:
        given.extend(log.append("task_read", correlation_id=name, actor=name, number=number) for number in range(25))

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 201))
    assert verify(folder, database).ok
    for number in range(8):
        assert [body["number"] for body in bodies(folder) if body["actor"] == f"w{number}"] == list(range(25))


def test_processes_that_write_at_once_make_one_chain_over_rotations(
    folder: Path, database: Database, database_url: str
) -> None:
    argv = [sys.executable, "-W", "error", "-m", "tests.audit.appending", database_url, str(folder)]
    processes = [
        subprocess.Popen([*argv, f"p{number}", "40"], cwd=ROOT, stdout=subprocess.PIPE, text=True) for number in range(6)
    ]
    said = [process.communicate(timeout=90)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6
    told = bodies(folder)
    by = {body["seq"]: body["actor"] for body in told}
    for number, out in enumerate(said):
        assert {by[int(line)] for line in out.split()} == {f"p{number}"}
        assert [body["number"] for body in told if body["actor"] == f"p{number}"] == list(range(40))
    assert set(actions(folder)) == {"task_read", "log_rotated"}
    report = verify(folder, database)
    assert report.ok, report.findings
    assert report.files > 2


# -- crashes ------------------------------------------------------------------------------------------


@contextmanager
def appending(url: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A process that appends until it is killed, and the numbers it has been given."""
    argv = [sys.executable, "-W", "error", "-m", "tests.audit.appending", url, str(folder), "victim", "0"]
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    numbers: list[int] = []
    try:
        yield process, numbers
    finally:
        process.kill()
        numbers += [int(line) for line in process.stdout.read().split("\n")[:-1]]
        process.wait()
        process.stdout.close()


def test_kill_9_while_appending_loses_no_line_that_was_given_a_number(
    folder: Path, database: Database, database_url: str
) -> None:
    log = AuditLog(folder, database, rotate_bytes=20_000)
    for round_ in range(8):
        with appending(database_url, folder) as (process, numbers):
            assert process.stdout is not None
            for _ in range(1 + 7 * round_):
                numbers.append(int(process.stdout.readline()))
            process.send_signal(signal.SIGKILL)
        log.append("task_read", correlation_id="c", actor="next")
        by = {body["seq"]: body for body in bodies(folder)}
        assert {by[number]["actor"] for number in numbers} == {"victim"}
    assert [body["seq"] for body in bodies(folder)] == list(range(1, len(by) + 1))
    assert "log_damaged" not in actions(folder)
    assert verify(folder, database).ok


class Killed(BaseException):
    """Stands for the end of the process."""


def dies_writing(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """The next write to a log writes only so many bytes, and then nothing happens any more."""
    write = os.write

    def fail(descriptor: int, data: bytes) -> int:
        write(descriptor, data[:after])
        raise Killed

    monkeypatch.setattr(os, "write", fail)


@pytest.mark.parametrize("after", [0, 1, 60, 10**6])
def test_a_line_that_was_announced_is_written_by_the_next_writer_whatever_of_it_was_there(
    log: AuditLog, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    fill(log, 3)
    with monkeypatch.context() as patch:
        dies_writing(patch, after)
        with pytest.raises(Killed):
            log.append("task_approved", correlation_id="c9", actor="alice")
    whole = after == 10**6
    assert verify(folder, database).ok == whole
    AuditLog(folder, database).append("task_read", correlation_id="c", actor="next")
    told = [] if whole else ["log_repaired"]
    assert actions(folder) == ["task_read"] * 3 + ["task_approved", *told, "task_read"]
    assert verify(folder, database).ok
    if 0 < after < 10**6:
        name = bodies(folder)[4]["quarantined"][0]
        assert (folder / name).read_bytes() == current(folder).read_bytes().splitlines()[3][:after]


def test_another_process_that_died_before_its_first_byte_is_noticed_by_a_writer_that_was_open_all_along(
    log: AuditLog, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log, 2)
    with monkeypatch.context() as patch:
        dies_writing(patch, 0)
        with pytest.raises(Killed):
            AuditLog(folder, database).append("task_approved", correlation_id="c9", actor="alice")
    assert log.append("task_read", correlation_id="c", actor="next") == 5
    assert actions(folder) == ["task_read", "task_read", "task_approved", "log_repaired", "task_read"]
    assert verify(folder, database).ok


@pytest.mark.parametrize("tail", [b'{"seq": 6, "action": "ta', b"\0" * 5000, b"\xff\xfe", b"garbage\n", b"{}\n", b"\n"])
def test_a_torn_end_is_moved_away_and_named_and_swallows_nothing(
    log: AuditLog, folder: Path, database: Database, tail: bytes
) -> None:
    fill(log)
    with current(folder).open("ab") as stream:
        stream.write(tail)
    assert not verify(folder, database).ok
    AuditLog(folder, database).append("task_read", correlation_id="c", actor="next")
    *_, repaired, newest = bodies(folder)
    assert (repaired["action"], repaired["seq"], newest["seq"]) == ("log_repaired", 6, 7)
    assert (folder / repaired["quarantined"][0]).read_bytes() == tail
    assert verify(folder, database).ok


def test_the_last_lines_come_back_when_the_machine_lost_them(log: AuditLog, folder: Path, database: Database) -> None:
    fill(log)
    before = current(folder).read_bytes()
    os.truncate(current(folder), len(before) // 2)
    assert AuditLog(folder, database).repair()
    assert current(folder).read_bytes().startswith(before)
    assert actions(folder)[5:] == ["log_repaired"]
    assert verify(folder, database).ok
    assert not AuditLog(folder, database).repair()


def test_repairing_where_there_is_no_log_makes_none(log: AuditLog, folder: Path) -> None:
    assert not log.repair()
    assert not folder.exists()


# -- damage -------------------------------------------------------------------------------------------


def cut(folder: Path) -> None:
    os.truncate(current(folder), len(b"".join(current(folder).read_bytes().splitlines(keepends=True)[:3])))


def chained_anew(folder: Path) -> None:
    """The last two lines say something else, and every hash fits."""
    old = [lines.parse(data) for data in current(folder).read_bytes().splitlines()]
    new = old[:3]
    for line in old[3:]:
        rest = {key: value for key, value in line.body.items() if key not in ("seq", "prev", "hash")}
        new.append(lines.make({**rest, "actor": "mallory"}, new[-1].seq + 1, new[-1].hash))
    current(folder).write_bytes(b"".join(line.data + b"\n" for line in new))


def gone(folder: Path) -> None:
    current(folder).unlink()


def forged(folder: Path) -> None:
    """A line nobody announced, chained rightly."""
    last = lines.parse(current(folder).read_bytes().splitlines()[-1])
    body = {"time": "2030-01-01T00:00:00.000Z", "action": "task_approved", "correlation_id": "c", "actor": "alice"}
    with current(folder).open("ab") as stream:
        stream.write(lines.make(body, last.seq + 1, last.hash).data + b"\n")


@pytest.mark.parametrize("damage", [cut, chained_anew, gone, forged])
def test_what_somebody_did_to_the_end_is_found_and_stays_found_whatever_is_written_after_it(
    log: AuditLog, folder: Path, database: Database, damage: Any
) -> None:
    fill(log)
    no_pending(database)
    damage(folder)
    assert not verify(folder, database).ok
    for opened in (AuditLog(folder, database), AuditLog(folder, database)):
        fill(opened, 2)
        assert not verify(folder, database).ok
    assert actions(folder).count("log_damaged") == 1
    newest = bodies(folder)[-1]["seq"]
    assert newest == (11 if damage is forged else 10)


def test_lines_the_database_still_holds_come_back_even_if_somebody_cut_them(
    log: AuditLog, folder: Path, database: Database
) -> None:
    fill(log)
    before = current(folder).read_bytes()
    cut(folder)
    assert [finding.kind for finding in verify(folder, database).findings] == ["cut"]
    fill(AuditLog(folder, database), 1)
    assert current(folder).read_bytes().startswith(before)
    assert verify(folder, database).ok


def test_a_log_the_database_knows_nothing_of_is_told(log: AuditLog, folder: Path, database: Database) -> None:
    fill(log)
    database.write(lambda tx: tx.run("DELETE FROM audit_head"))
    assert [finding.kind for finding in verify(folder, database).findings] == ["unknown"]
    fill(AuditLog(folder, database), 1)
    assert actions(folder)[-2:] == ["log_damaged", "task_read"]


def test_two_workspaces_on_one_database_are_told_apart_and_end_in_no_silence(
    log: AuditLog, folder: Path, database: Database, tmp_path: Path
) -> None:
    fill(log)
    other = AuditLog(tmp_path / "elsewhere", database)
    no_pending(database)
    fill(other, 1)
    assert actions(tmp_path / "elsewhere") == ["log_damaged", "task_read"]


# -- the system refuses -------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_the_line_is_there_once_there_is_room(
    log: AuditLog, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log, 2)
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(DiskFull, match="Free some space"):
            log.append("task_approved", correlation_id="c", actor="a")
    log.append("task_read", correlation_id="c", actor="a")
    assert actions(folder) == ["task_read", "task_read", "task_approved", "log_repaired", "task_read"]
    assert verify(folder, database).ok


def test_a_link_in_place_of_the_log_is_refused(log: AuditLog, folder: Path, database: Database, tmp_path: Path) -> None:
    folder.mkdir()
    current(folder).symlink_to(tmp_path / "victim")
    with pytest.raises(StorageError):
        fill(log, 1)
    assert not (tmp_path / "victim").exists()
    with pytest.raises(StorageError):
        verify(folder, database)


def test_a_lock_that_nobody_gives_back_is_an_error_and_no_wait_for_ever(
    log: AuditLog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autonomy.audit.log.PATIENCE", 0.01)
    fill(log, 1)
    other = AuditLog(folder, log._database)
    with other._held(), pytest.raises(StorageUnavailable, match="held by another"):
        fill(log, 1)
    fill(log, 1)
    assert len(bodies(folder)) == 2


def test_when_the_database_is_away_nothing_is_written_and_nothing_is_lost_after_it(
    log: AuditLog, folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log, 1)

    def away(*_: object) -> bool:
        raise StorageUnavailable("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr("autonomy.audit.log.announce", away)
        with pytest.raises(StorageUnavailable):
            fill(log, 1)
    fill(log, 1)
    assert heads.read_head(database).seq == 2
    assert verify(folder, database).ok
