"""What gives out around a run: a full disk, a read-only workspace, a newer database, a damaged row. Nothing is lost to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autonomy.core.events import TERMINAL_EVENTS
from autonomy.storage import migrate
from tests import evidence
from tests.commands import CORPUS, ENTRY, Commands, Workspace, copy_template
from tests.stage import GOAL

START = ("run", "start", GOAL, "--corpus", str(CORPUS), "--provider", "extractive", "--json")


@pytest.fixture
def own_mounts() -> list[str]:
    """The words that give a command mounts of its own; skips, and says so, where the kernel forbids it."""
    unshare = shutil.which("unshare")
    # The superuser keeps the rights over others' files, and so the way to the socket of PostgreSQL.
    words = [unshare or "", "-m" if os.geteuid() == 0 else "-Urm"]
    if (
        unshare is None
        or subprocess.run([*words, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine gives no mount namespace to an ordinary user")
    return words


def assert_one_line(err: str, *words: str) -> None:
    """The error is one line, the last, and says these words."""
    lines = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    assert all(word in lines[0] for word in words), lines[0]


@pytest.mark.parametrize("pages_left", [3, 30])
def test_a_database_that_has_no_room_in_mid_run_stops_it_with_one_line_and_it_goes_on_when_there_is(
    commands: Commands, sqlite_template: Path, tmp_path: Path, pages_left: int
) -> None:
    workspace = Workspace.make(tmp_path / "workspace")
    copy_template(sqlite_template, workspace.home)
    alone = commands.run(workspace, *START)  # also reads the corpus, so that the room is left to the run
    with workspace.database() as database:
        pages = database.read(lambda tx: tx.value("PRAGMA page_count"))
    full = commands.run(workspace, *START, fault={"pages": pages + pages_left})
    assert (full.code, full.document["error"]["code"]) == (1, "disk-full"), full.err
    assert_one_line(full.err, "no room left", "run resume")
    with workspace.database() as database:
        ids = database.read(lambda tx: tx.tuples("SELECT id FROM run WHERE status <> 'done'"))
        assert len(ids) == 1
        (run_id,) = ids[0]
        told = evidence.events(database, run_id)
        assert not TERMINAL_EVENTS & {event["type"] for event in told}
    freed = commands.run(workspace, "run", "resume", run_id, "--json")
    assert (freed.code, freed.document["outcome"]) == (0, "delivered"), freed.err
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []
    assert evidence.normal(workspace.folder(run_id)) == evidence.normal(workspace.folder(alone.document["run_id"]))


@pytest.mark.parametrize("kilobytes", [100, 400])
def test_a_limit_on_the_size_of_files_stops_a_run_with_one_line_and_it_goes_on_when_it_is_raised(
    commands: Commands, on_sqlite: Workspace, kilobytes: int
) -> None:
    stopped = commands.run(on_sqlite, *START, fault={"file_bytes": kilobytes << 10})
    assert (stopped.code, stopped.document["error"]["code"]) == (1, "disk-full"), stopped.err
    assert_one_line(stopped.err, "file-size limit", "ulimit -f", "run resume")
    listed = commands.run(on_sqlite, "run", "list", "--json").document["items"]
    run_id = next(row["run_id"] for row in listed if row["status"] != "aborted")
    raised = commands.run(on_sqlite, "run", "resume", run_id, "--json")
    assert (raised.code, raised.document["outcome"]) == (0, "delivered"), raised.err
    with on_sqlite.database() as database:
        assert evidence.flaws(database, run_id, on_sqlite.home) == []


def test_a_limit_too_low_for_the_first_tables_is_told_as_what_it_is(commands: Commands, tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path / "workspace")
    stopped = commands.run(workspace, *START, fault={"file_bytes": 20 << 10})
    assert (stopped.code, stopped.document["error"]["code"]) == (1, "disk-full"), stopped.err
    assert_one_line(stopped.err, "file-size limit", "ulimit -f")
    assert commands.run(workspace, *START).code == 0


ON_A_SMALL_DISK = """
set -e
mount -t tmpfs -o size=24m none "$AUTONOMY_HOME"
cd "$AUTONOMY_HOME"
"$@" run start "$GOAL" --corpus "$CORPUS" --provider extractive --json > "$OUT/alone.out" 2> "$OUT/alone.err"
room=$(df --output=avail -k . | tail -1)
head -c "$(( (room - ROOM) * 1024 ))" /dev/zero > ballast
set +e
"$@" run start "$GOAL" --corpus "$CORPUS" --provider extractive --json > "$OUT/full.out" 2> "$OUT/full.err"
echo $? > "$OUT/full.code"
rm ballast
for id in $("$@" run list --json |
    grep -o '"run_id": "[a-z0-9]*", "user_id": "[a-z]*", "journey": "[a-z]*", "goal": "[^"]*", "status": "[qr]' |
    cut -d'"' -f4); do
    "$@" run resume "$id" --json > "$OUT/freed.out" 2> "$OUT/freed.err"
    echo $? > "$OUT/freed.code"
done
"$@" run list --json > "$OUT/list.out" 2> "$OUT/list.err"
"$@" doctor --json > "$OUT/doctor.out" 2> "$OUT/doctor.err"
cp -r "$AUTONOMY_HOME" "$OUT/after"

"""


@pytest.mark.parametrize(("kind", "kilobytes"), [("sqlite", 40), ("sqlite", 360), ("postgresql", 12)])
def test_a_full_disk_under_the_workspace_stops_a_run_with_one_line_and_leaves_nothing_half_done(
    own_mounts: list[str], tmp_path: Path, request: pytest.FixtureRequest, kind: str, kilobytes: int
) -> None:
    url = request.getfixturevalue("postgres_databases").new() if kind == "postgresql" else None
    workspace = Workspace.make(tmp_path / "workspace", url)
    out = tmp_path / "out"
    out.mkdir()
    environ = {**workspace.environ, "OUT": str(out), "GOAL": GOAL, "CORPUS": str(CORPUS), "ROOM": str(kilobytes)}
    command = [*own_mounts, "bash", "-c", ON_A_SMALL_DISK, "small", sys.executable, "-W", "error", "-c", ENTRY]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (out / "full.code").read_text().strip() == "1", (out / "full.err").read_text()
    assert_one_line((out / "full.err").read_text(), "no room left")
    if (out / "freed.code").exists():  # with the least room not even the run could be written down
        assert (out / "freed.code").read_text().strip() == "0", (out / "freed.err").read_text()
    after = Workspace.make(out / "after", url)
    with after.database() as database:
        assert url or database.read(lambda tx: tx.value("PRAGMA integrity_check")) == "ok"
        runs = database.read(lambda tx: tx.tuples("SELECT id, status FROM run"))
        assert {status for _, status in runs} == {"done"}
        for run_id, _ in runs:
            assert evidence.flaws(database, run_id, after.home) == []


def test_a_read_only_workspace_is_refused_in_one_line_and_left_alone(
    own_mounts: list[str], sqlite_template: Path, tmp_path: Path
) -> None:
    workspace = Workspace.make(tmp_path / "workspace")
    copy_template(sqlite_template, workspace.home)
    before = (workspace.home / "autonomy.db").read_bytes()
    script = 'mount --bind "$AUTONOMY_HOME" "$AUTONOMY_HOME" && mount -o remount,bind,ro "$AUTONOMY_HOME" && exec "$@"'
    command = [*own_mounts, "bash", "-c", script, "readonly", sys.executable, "-W", "error", "-c", ENTRY, *START]
    done = subprocess.run(command, env=workspace.environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 4, done.stderr
    assert_one_line(done.stderr, "cannot be written")
    assert [path.name for path in workspace.home.iterdir()] == ["autonomy.db"]
    assert (workspace.home / "autonomy.db").read_bytes() == before


ON_A_STILL_DISK = """
set -e
mount --bind "$AUTONOMY_HOME" "$AUTONOMY_HOME"
mount -o remount,bind,ro "$AUTONOMY_HOME"
ID=$("$@" run list --json | grep -o '"run_id": "[a-z0-9]*' | cut -d'"' -f4)
set +e
while read -r words; do
    eval '"$@"' "$words" < /dev/null > "$OUT/out" 2> "$OUT/err"
    echo "$? $words" >> "$OUT/codes"
    grep -h -e '^error:' -e Traceback "$OUT/err" >> "$OUT/errors"
done
true
"""


@pytest.mark.parametrize("kind", ["closed well", "killed", "killed, without its index", "postgresql"])
def test_a_read_only_workspace_can_be_looked_at_and_refuses_each_write_in_one_line(
    own_mounts: list[str], commands: Commands, sqlite_template: Path, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    url = request.getfixturevalue("postgres_databases").new() if kind == "postgresql" else None
    workspace = Workspace.make(tmp_path / "workspace", url)
    if url is None:
        copy_template(sqlite_template, workspace.home)
    stop = {"statement": "INSERT INTO checkpoint", "commit": 6, "when": "after", "signal": signal.SIGKILL}
    killed = commands.run(workspace, *START, fault=stop if kind.startswith("killed") else None)
    assert killed.code == (-signal.SIGKILL if kind.startswith("killed") else 0), killed.err
    if kind == "killed, without its index":
        (workspace.home / "autonomy.db-shm").unlink()
    task = commands.run(workspace, "tasks", "add", GOAL, "--corpus", str(CORPUS), "--json").document["task_id"]
    before = {path: path.read_bytes() for path in workspace.home.rglob("*") if path.is_file()}
    looks = ["run list", "run inspect $ID", "run explain $ID", "run tail $ID --no-follow", "run budget $ID"]
    looks += ["events tail --no-follow", "db status", "memory search lease", "config show", "config tokens"]
    looks += ["tasks list", f"tasks show {task}", "audit verify", "audit tail --no-follow"]
    writes = [f'run start "{GOAL}" --corpus {CORPUS}', "run abort $ID", "run budget $ID --tokens 5"]
    writes += [f"tasks approve {task}", f"tasks reject {task} --reason no", f'tasks add "{GOAL}" --corpus {CORPUS}']
    writes += ["memory add autonomy.db", "config token ann", "config revoke ann", "worker --until-idle"]
    writes = ["doctor"] if kind.startswith("killed") else [*writes, "doctor"]
    out = tmp_path / "out"
    out.mkdir()
    command = [*own_mounts, "bash", "-c", ON_A_STILL_DISK, "still", sys.executable, "-W", "error", "-c", ENTRY]
    environ = {**workspace.environ, "OUT": str(out)}
    lines = "".join(f"{words}\n" for words in (*looks, *writes))
    done = subprocess.run(command, env=environ, input=lines, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    told = (out / "codes").read_text().splitlines()
    assert told == [f"{0 if words in looks else 4} {words}" for words in (*looks, *writes)], (out / "errors").read_text()
    errors = (out / "errors").read_text().splitlines()
    assert len(errors) == len(writes) - 1  # the doctor reports, and has no error of its own
    assert all("cannot be written" in line for line in errors)
    assert {path: path.read_bytes() for path in workspace.home.rglob("*") if path.is_file()} == before


@pytest.fixture
def without_rights() -> list[str]:
    """The words that give a command the rights of the files' owner alone, which the superuser has beyond; or skips."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("this machine has no setpriv to take the superuser's rights away")
    return [setpriv, "--bounding-set=-all", "--inh-caps=-all"]


@pytest.mark.parametrize("kind", ["the folder", "the database", "everything"])
def test_what_nobody_may_write_can_be_looked_at_and_refuses_each_write_in_one_line(
    without_rights: list[str], commands: Commands, sqlite_template: Path, tmp_path: Path, kind: str
) -> None:
    workspace = Workspace.make(tmp_path / "workspace")
    copy_template(sqlite_template, workspace.home)
    run = commands.run(workspace, *START).document["run_id"]
    task = commands.run(workspace, "tasks", "add", GOAL, "--corpus", str(CORPUS), "--json").document["task_id"]
    (workspace.home / "ssot" / "torn.json").write_text("{")  # a damaged file is told of in the audit log where that can be
    before = {path: path.read_bytes() for path in workspace.home.rglob("*") if path.is_file()}
    named = {"the folder": [workspace.home], "the database": [workspace.home / "autonomy.db"]}
    still = named.get(kind) or [workspace.home, *workspace.home.rglob("*")]
    modes = {path: path.stat().st_mode for path in still}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    looks: list[tuple[str, ...]] = [("run", "list"), ("run", "inspect", run), ("tasks", "list"), ("tasks", "show", task)]
    looks += [("audit", "verify"), ("audit", "tail", "--no-follow")]
    writes: list[tuple[str, ...]] = [
        ("tasks", "approve", task),
        ("tasks", "add", GOAL, "--corpus", str(CORPUS)),
        ("config", "token", "ann"),
    ]
    codes: dict[tuple[str, ...], int] = {}
    try:
        for words in (*looks, *writes):
            argv = [*without_rights, sys.executable, "-W", "error", "-c", ENTRY, *words]
            done = subprocess.run(argv, env=workspace.environ, capture_output=True, text=True, check=False, timeout=60)
            codes[words] = done.returncode
            assert done.returncode == 0 or words in writes, done.stderr
            if words in writes:
                assert_one_line(done.stderr, "cannot be written")
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert codes == {words: 0 if words in looks else 4 for words in (*looks, *writes)}
    ours = (path for path in workspace.home.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal", ".lock")))
    assert {path: path.read_bytes() for path in ours} == {
        path: data for path, data in before.items() if not path.name.endswith(".lock")
    }


def test_a_database_from_a_newer_release_is_refused_and_left_alone(commands: Commands, workspace: Workspace) -> None:
    with workspace.database() as database:
        database.write(lambda tx: tx.run("UPDATE alembic_version SET version_num = '9999_future'"))
    refused = commands.run(workspace, *START)
    assert (refused.code, refused.document["error"]["code"]) == (4, "newer-schema"), refused.err
    assert_one_line(refused.err, "9999_future", migrate.HEAD)
    with workspace.database() as database:
        assert database.read(lambda tx: tx.value("SELECT count(*) FROM run")) == 0
        assert database.read(lambda tx: tx.value("SELECT version_num FROM alembic_version")) == "9999_future"


def test_a_damaged_checkpoint_is_named_and_its_run_is_not_continued_silently(commands: Commands, workspace: Workspace) -> None:
    stop = {"statement": "INSERT INTO checkpoint", "commit": 6, "when": "after", "signal": signal.SIGKILL}
    assert commands.run(workspace, *START, fault=stop).code == -signal.SIGKILL
    with workspace.database() as database:
        run_id = evidence.only_run(database)
        newest = "SELECT max(id) FROM checkpoint"
        data = bytes(database.read(lambda tx: tx.value(f"SELECT data FROM checkpoint WHERE id = ({newest})")))
        flipped = bytes([*data[:-8], *(byte ^ 0x55 for byte in data[-8:])])
        database.write(lambda tx: tx.run(f"UPDATE checkpoint SET data = :data WHERE id = ({newest})", data=flipped))
        events = len(evidence.events(database, run_id))
    damaged = commands.run(workspace, "run", "resume", run_id, "--json")
    assert damaged.code == 1, damaged.err
    assert_one_line(damaged.err, "checkpoint")
    with workspace.database() as database:
        added = [event["type"] for event in evidence.events(database, run_id)[events:]]
    assert "node.finished" not in added
    assert "run.done" not in added
