"""The folder of task files: atomic, locked, honest about damage, fresh at the price of one look."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from autonomy.core.errors import AlreadyDecided, ChangedMeanwhile, CorruptState, InvalidInput, NotFound
from autonomy.ssot import status, store
from autonomy.ssot.canonical import canonical
from autonomy.ssot.store import TaskStore
from autonomy.ssot.task import Task
from tests.ssot.made import AT, task
from tests.ssot.test_protocol import plain, words

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ssot"


@pytest.fixture
def tasks(folder: Path) -> TaskStore:
    return TaskStore(folder)


def noted(text: str) -> Callable[[Task], Task]:
    return lambda now: now.evolve(error=text)


# -- one task ---------------------------------------------------------------------------------------


def test_a_task_is_written_once_and_read_back_as_it_is(tasks: TaskStore, folder: Path) -> None:
    made, new = tasks.create(task())
    assert (new, made.revision, made.status) == (True, 1, "pending")
    again, new = tasks.create(task(request_text="Another?"))
    assert (new, again.request_text) == (False, "Why?")
    stored = tasks.read("t1")
    assert stored.raw == (folder / "t1.json").read_bytes() == canonical(stored.task.as_json()) + b"\n"
    assert (folder / "t1.json").stat().st_mode & 0o777 == 0o600


def test_a_change_raises_the_revision_and_no_change_writes_nothing(tasks: TaskStore, folder: Path) -> None:
    tasks.create(task())
    done = tasks.update("t1", noted("a"))
    assert (done.changed, done.after.task.revision, done.after.task.error) == (True, 2, "a")
    assert done.before is not None
    assert done.before.task.revision == 1
    before = os.stat(folder / "t1.json")
    for change in (noted("a"), lambda now: None):
        assert not tasks.update("t1", change).changed
    assert os.stat(folder / "t1.json") == before


def test_what_is_told_after_a_change_is_told_under_the_lock_and_only_for_a_change(tasks: TaskStore) -> None:
    told: list[int] = []
    other = TaskStore(tasks.folder)
    waiting = threading.Thread(target=other.update, args=("t1", noted("b")))

    def after(done: store.Updated) -> None:
        told.append(done.after.task.revision)
        waiting.start()
        assert tasks.read("t1").task.error == "a"  # durable by now, and nobody else gets in between

    tasks.create(task())
    tasks.update("t1", noted("a"), after=after)
    waiting.join()
    tasks.update("t1", noted("b"), after=after)
    assert told == [2]
    assert tasks.read("t1").task.revision == 3


def test_a_change_of_another_revision_than_the_one_seen_is_refused(tasks: TaskStore) -> None:
    tasks.create(task())
    tasks.update("t1", noted("a"), expect_revision=1)
    with pytest.raises(ChangedMeanwhile, match="revision 2"):
        tasks.update("t1", noted("b"), expect_revision=1)
    assert tasks.read("t1").task.error == "a"


def test_a_change_that_fails_and_one_that_renames_leave_the_file_as_it_was(tasks: TaskStore) -> None:
    tasks.create(task())
    raw = tasks.read("t1").raw
    with pytest.raises(ZeroDivisionError):
        tasks.update("t1", lambda now: now.evolve(error=str(1 // 0)))
    with pytest.raises(InvalidInput):
        tasks.update("t1", lambda now: now.evolve(task_id="t2"))
    assert tasks.read("t1").raw == raw
    assert [path.name for path in tasks.folder.iterdir() if path.name != ".locks"] == ["t1.json"]


def test_a_change_of_what_is_not_there_leaves_nothing_behind(tasks: TaskStore, folder: Path) -> None:
    for there in (False, True):
        if there:
            tasks.create(task())
        with pytest.raises(NotFound):
            tasks.update("nobody", noted("a"))
        assert [path.name for path in folder.glob(".locks/*")] == ["t1.lock"] * there


def test_what_is_not_there_is_not_found(tasks: TaskStore) -> None:
    assert tasks.list() == store.Listing((), ())
    for look in (lambda: tasks.read("t1"), lambda: tasks.update("t1", noted("a"))):
        with pytest.raises(NotFound):
            look()


@pytest.mark.parametrize("name", ["../t1", "a/b", "", ".", "..", "a\x00", "a\n", "a.json", "x" * 65, "ä", "/etc/passwd", "a b"])
def test_no_id_leads_out_of_the_folder(tasks: TaskStore, tmp_path: Path, name: str) -> None:
    tasks.create(task())
    (tmp_path / "t1.json").write_bytes(tasks.read("t1").raw)
    for look in (lambda: tasks.read(name), lambda: tasks.update(name, noted("a"))):
        with pytest.raises(InvalidInput):
            look()


@given(extra=plain, nested=plain, name=words.filter(lambda word: word not in Task.model_fields))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_fields_nobody_knows_survive_a_change_byte_for_byte(tasks: TaskStore, extra: Any, nested: Any, name: str) -> None:
    body = task().as_json()
    body[name] = extra
    body["acceptance_criteria"][0]["x-more"] = nested
    tasks.folder.mkdir(exist_ok=True)
    (tasks.folder / "t1.json").write_text(json.dumps(body, indent=1))
    tasks.update("t1", noted("a"))
    after = TaskStore(tasks.folder).read("t1").task.as_json()
    assert canonical(after[name]) == canonical(extra)
    assert canonical(after["acceptance_criteria"][0]["x-more"]) == canonical(nested)
    assert after["error"] == "a"


@pytest.mark.parametrize(
    "number", ["1e20", "9007199254740992", "12345678901234567000", "-1e16", "0.1", "1.0", "-0.0", "5e-324"]
)
def test_a_number_of_any_size_keeps_its_value_through_two_changes(tasks: TaskStore, folder: Path, number: str) -> None:
    folder.mkdir()
    (folder / "t1.json").write_text(canonical(task().as_json()).decode()[:-1] + f',"x-number":{number}}}')
    for text in ("a", "b"):
        tasks.update("t1", noted(text))
    assert float(json.loads((folder / "t1.json").read_bytes())["x-number"]) == float(number)


def test_a_file_written_by_hand_with_the_least_fields_is_a_task(tasks: TaskStore, folder: Path) -> None:
    folder.mkdir()
    body = {"task_id": "mine", "source": "cli", "correlation_id": "mine", "created_at": "2026-01-31", "request_text": "Why?"}
    (folder / "mine.json").write_text(json.dumps(body, indent=4) + "\n\n")
    (stored,) = tasks.list().tasks
    assert (stored.task.status, stored.task.revision, stored.task.user_id) == ("pending", 1, "local")
    done = tasks.update("mine", lambda now: status.decide(now, "rejected", by="ada", at=AT))
    assert (done.after.task.status, done.after.task.revision) == ("rejected", 2)
    written = json.loads((folder / "mine.json").read_bytes())
    assert set(written) - set(body) == {"status", "revision", "updated_at", "decision"}


def test_an_edit_by_hand_in_place_is_seen(tasks: TaskStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOOK_SECONDS", 0.0)
    tasks.create(task())
    assert tasks.list().tasks[0].task.request_text == "Why?"
    path = folder / "t1.json"
    path.write_bytes(path.read_bytes().replace(b"Why?", b"How?"))
    assert tasks.list().tasks[0].task.request_text == "How?"
    assert tasks.read("t1").task.request_text == "How?"


def test_a_status_written_by_hand_decides_nothing(tasks: TaskStore, folder: Path) -> None:
    tasks.create(task())
    path = folder / "t1.json"
    path.write_bytes(path.read_bytes().replace(b'"status":"pending"', b'"status":"approved"'))
    assert tasks.read("t1").task.status == "pending"
    assert TaskStore(folder).list().tasks[0].task.status == "pending"


# -- damage -----------------------------------------------------------------------------------------

GOOD = canonical(task("bad").as_json()) + b"\n"


def changed(**more: Any) -> bytes:
    return json.dumps({**task("bad").as_json(), **more}).encode()


DAMAGES: dict[str, bytes] = {
    "empty": b"",
    "white space": b"  \n",
    "cut": GOOD[: len(GOOD) // 2],
    "NUL-filled": b"\x00" * len(GOOD),
    "NUL tail": GOOD + b"\x00" * 512,
    "not JSON": b"hello",
    "a list": b"[]",
    "wrong schema": changed(source="fax"),
    "no request": changed(request_text=" "),
    "another status": changed(status="done"),
    "true for a number": changed(revision=True),
    "two criteria of one name": changed(acceptance_criteria=[{"id": "c", "text": "a"}, {"id": "c", "text": "b"}]),
    "newer schema": changed(schema_version=2),
    "wrong id inside": canonical(task("other").as_json()),
    "not UTF-8": GOOD.replace(b"Why?", b"\xff\xfe"),
    "a key twice": GOOD.replace(b'"source":"cli"', b'"source":"cli","source":"http"'),
    "NaN": GOOD.replace(b'"Why?"', b'"Why?","x":NaN'),
    "infinite": GOOD.replace(b'"Why?"', b'"Why?","x":1e999'),
    "half a character": GOOD.replace(b"Why?", b"\\ud800"),
    "NUL character": GOOD.replace(b"Why?", b"\\u0000"),
    "too exact": GOOD.replace(b'"Why?"', b'"Why?","x":9007199254740993'),
    "too many digits": GOOD.replace(b'"Why?"', b'"Why?","x":' + b"9" * 5000),
    "too deep": GOOD.replace(b'"Why?"', b'"Why?","x":' + b"[" * 100_000 + b"]" * 100_000),
    "rather deep": GOOD.replace(b'"Why?"', b'"Why?","x":' + b"[" * 200 + b"]" * 200),
    "too large": GOOD[:-2] + b" " * (8 << 20) + b"}",
}


def spoil(folder: Path, kind: str) -> Path:
    """Put a damaged bad.json into the folder."""
    path = folder / "bad.json"
    if kind == "link":
        (folder / "elsewhere").write_bytes(GOOD)
        path.symlink_to(folder / "elsewhere")
    elif kind == "dangling link":
        path.symlink_to(folder / "nowhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(DAMAGES[kind])
    return path


@pytest.mark.parametrize("kind", [*DAMAGES, "link", "dangling link", "fifo", "folder"])
def test_a_damaged_file_is_named_and_left_as_it_is_and_the_others_go_on(tasks: TaskStore, folder: Path, kind: str) -> None:
    tasks.create(task())
    path = spoil(folder, kind)
    before = os.lstat(path)
    listing = tasks.list()
    assert [stored.task.task_id for stored in listing.tasks] == ["t1"]
    (damage,) = listing.damaged
    assert damage.name == "bad.json"
    assert 5 < len(damage.why) < 210
    for look in (lambda: tasks.read("bad"), lambda: tasks.update("bad", noted("a")), lambda: tasks.create(task("bad"))):
        with pytest.raises(CorruptState, match=r"bad\.json"):
            look()
    after = os.lstat(path)
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)
    assert tasks.update("t1", noted("a")).changed


def test_a_repaired_file_is_a_task_again(tasks: TaskStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "LOOK_SECONDS", 0.0)
    folder.mkdir()
    path = spoil(folder, "cut")
    assert tasks.list().damaged
    path.write_bytes(GOOD)
    assert not tasks.list().damaged
    assert [stored.task.task_id for stored in tasks.list().tasks] == ["bad"]


def test_a_file_that_is_not_named_after_a_task_is_named_and_other_files_are_nobodys_business(
    tasks: TaskStore, folder: Path
) -> None:
    tasks.create(task())
    (folder / "a b.json").write_bytes(GOOD)
    (folder / "notes.md").write_text("mine")
    (folder / ".t1.json.tmp").write_text("half")
    listing = tasks.list()
    assert [damage.name for damage in listing.damaged] == ["a b.json"]
    assert len(listing.tasks) == 1


def test_temporary_files_of_killed_writers_are_swept_once_they_are_old(tasks: TaskStore, folder: Path) -> None:
    tasks.create(task())
    for name, age in ((".t1.json.old", 7200), (".t1.json.new", 0)):
        (folder / name).write_text("half")
        moment = (folder / name).stat().st_mtime - age
        os.utime(folder / name, (moment, moment))
    assert tasks.sweep() == 1
    assert not (folder / ".t1.json.old").exists()
    assert (folder / ".t1.json.new").exists()


# -- many at once -----------------------------------------------------------------------------------

COUNTER = """
import sys
from pathlib import Path
from autonomy.ssot.store import TaskStore
tasks = TaskStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    tasks.update("t1", lambda now: now.evolve(count=now.as_json().get("count", 0) + 1))
"""

DECIDER = """
import sys, threading
from pathlib import Path
from autonomy.core.errors import AlreadyDecided
from autonomy.ssot import status
from autonomy.ssot.store import TaskStore
tasks = TaskStore(Path(sys.argv[1]))
won = []
def decide(n):
    ruling = "approved" if n % 2 else "rejected"
    try:
        tasks.update("t1", lambda now: status.decide(now, ruling, by=f"{sys.argv[2]}-{n}", at="2026-01-31"))
        won.append(n)
    except AlreadyDecided:
        pass
threads = [threading.Thread(target=decide, args=(n,)) for n in range(10)]
print("ready", flush=True)
sys.stdin.readline()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(won), flush=True)
"""


@contextmanager
def processes(code: str, *rows: tuple[str, ...]) -> Iterator[list[subprocess.Popen[str]]]:
    """One process a row of arguments, all ready; they begin at a line of input."""
    started = [
        subprocess.Popen([sys.executable, "-c", code, *row], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for row in rows
    ]
    try:
        for process in started:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def go(started: list[subprocess.Popen[str]]) -> list[str]:
    """Let all begin; what each printed."""
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=120)[0] for process in started]
    assert [process.returncode for process in started] == [0] * len(started)
    return told


def test_no_update_of_many_processes_is_lost(tasks: TaskStore, folder: Path) -> None:
    tasks.create(task())
    with processes(COUNTER, *[(str(folder), "25")] * 4) as started:
        go(started)
    now = tasks.read("t1").task
    assert (now.as_json()["count"], now.revision) == (100, 101)


def test_forty_racing_decisions_in_four_processes_are_one_decision(tasks: TaskStore, folder: Path) -> None:
    tasks.create(task())
    with processes(DECIDER, *[(str(folder), str(n)) for n in range(4)]) as started:
        won = [int(told) for told in go(started)]
    now = tasks.read("t1").task
    assert sum(won) == 1
    assert now.decision is not None
    assert won[int(now.decision.by[0])] == 1
    assert now.revision == 2
    with pytest.raises(AlreadyDecided):
        status.decide(now, "approved", by="late", at=AT)


KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from autonomy.ssot.store import TaskStore
tasks = TaskStore(Path(sys.argv[1]))
chance = random.Random(int(sys.argv[2]))
for kill in range(int(sys.argv[3])):
    near, far = os.pipe()
    child = os.fork()
    if child == 0:
        while True:
            done = tasks.update("t1", lambda now: now.evolve(pad="x" * (now.revision * 997 % 60000)))
            os.write(far, done.after.task.revision.to_bytes(8, "big"))
    os.close(far)
    acknowledged = os.read(near, 8)
    until = time.perf_counter() + chance.random() * 0.008
    while time.perf_counter() < until:
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(near, 8):
        acknowledged = more
    os.close(near)
    print(int.from_bytes(acknowledged, "big"), tasks.read("t1").task.revision, flush=True)
"""


def test_a_hundred_kills_in_the_middle_of_writing_leave_the_old_file_or_the_new_one(tasks: TaskStore, folder: Path) -> None:
    tasks.create(task())
    argv = [sys.executable, "-W", "error", "-c", KILLED, str(folder), "20260131", "100"]
    stop, torn = threading.Event(), list[str]()

    def watch() -> None:
        """Read without a pause, as a server does."""
        reader = TaskStore(folder)
        while not stop.is_set():
            try:
                reader.read("t1")
            except (CorruptState, NotFound) as error:
                torn.append(str(error))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        process = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    finally:
        stop.set()
        watcher.join()
    assert process.returncode == 0, process.stderr
    rows = [tuple(map(int, line.split())) for line in process.stdout.splitlines()]
    assert len(rows) == 100
    assert torn == []
    for acknowledged, found in rows:
        assert found in (acknowledged, acknowledged + 1)  # what was acknowledged is there; one more may be
    assert tasks.list().damaged == ()


# -- fresh, and cheap -------------------------------------------------------------------------------


class Counted:
    """How often the operating system was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        for name in ("stat", "scandir", "open", "read", "fstat"):
            monkeypatch.setattr(os, name, self._counting(name, getattr(os, name)))

    def _counting(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            self.calls.append(name)
            return real(*args, **more)

        return call


def age(folder: Path) -> None:
    """Make everything in the folder, and the folder itself, clearly past."""
    for path in [*folder.glob("*.json"), folder]:
        os.utime(path, ns=(10**18, 10**18 + 1))


def test_a_listing_costs_one_stat_while_nothing_has_changed(
    tasks: TaskStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(20):
        tasks.create(task(f"t{n}"))
    age(folder)
    first = tasks.list()
    counted = Counted(monkeypatch)
    assert tasks.list() is first
    assert counted.calls == ["stat"]


def test_only_what_has_changed_is_read_again(tasks: TaskStore, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(20):
        tasks.create(task(f"t{n}"))
    age(folder)
    tasks.list()
    tasks.update("t7", noted("a"))
    counted = Counted(monkeypatch)
    assert {stored.task.error for stored in tasks.list().tasks} == {None, "a"}
    assert counted.calls.count("open") == 1


def test_a_second_change_in_the_same_tick_of_the_clock_is_seen(
    tasks: TaskStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "TICK_NS", 10**12)  # a clock so coarse that all of this test is one tick
    monkeypatch.setattr(store, "LOOK_SECONDS", 10**6)
    tasks.create(task())
    path, other = folder / "t1.json", folder / "other"
    stamps = os.stat(path).st_mtime_ns, os.stat(folder).st_mtime_ns
    assert tasks.list().tasks[0].task.request_text == "Why?"
    raw = path.read_bytes().replace(b"Why?", b"How?")
    path.write_bytes(raw)  # same inode, same size, and in the same tick
    os.utime(path, ns=(stamps[0], stamps[0]))
    os.utime(folder, ns=(stamps[1], stamps[1]))
    assert tasks.list().tasks[0].task.request_text == "How?"
    other.write_bytes(raw.replace(b"How?", b"Who?"))
    os.replace(other, path)
    os.utime(path, ns=(stamps[0], stamps[0]))
    os.utime(folder, ns=(stamps[1], stamps[1]))
    assert tasks.list().tasks[0].task.request_text == "Who?"


ANOTHER = """
import sys
from pathlib import Path
from autonomy.ssot.store import TaskStore
tasks = TaskStore(Path(sys.argv[1]))
print("ready", flush=True)
for line in sys.stdin:
    tasks.update("t1", lambda now: now.evolve(error=line.strip()))
    print("written", flush=True)
"""


def test_what_another_process_has_written_stands_in_the_very_next_listing(tasks: TaskStore, folder: Path) -> None:
    tasks.create(task())
    with processes(ANOTHER, (str(folder),)) as (writer,):
        assert writer.stdin is not None
        assert writer.stdout is not None
        for n in range(200):
            tasks.list()
            writer.stdin.write(f"{n % 10}\n")  # the same size each time
            writer.stdin.flush()
            assert writer.stdout.readline() == "written\n"
            assert tasks.list().tasks[0].task.error == str(n % 10)


def test_tasks_are_listed_with_the_newest_first(tasks: TaskStore) -> None:
    for name, at in (("b", "2026-01-02T00:00:00Z"), ("a", "2026-01-02T01:00:00+02:00"), ("c", "2026-01-02T00:00:00")):
        tasks.create(task(name, created_at=at))
    assert [stored.task.task_id for stored in tasks.list().tasks] == ["c", "b", "a"]
