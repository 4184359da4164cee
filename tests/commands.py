"""The real command line in processes of their own: started, watched, signalled, waited for."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from autonomy.storage.database import Database

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "fixtures" / "corpus"
ENTRY = "from cli.main import entry; entry()"
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
PATIENCE = 90.0
"""Seconds after which a wait is a failure; nothing is expected to come near it."""


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.005)


class Surroundings(Protocol):
    """Where a command runs."""

    @property
    def home(self) -> Path:
        """Its current folder."""

    @property
    def environ(self) -> Mapping[str, str]:
        """Its whole environment."""


@dataclass(frozen=True)
class Workspace:
    """A workspace, its database, and the environment of a person who has set nothing else."""

    home: Path
    database_url: str
    environ: Mapping[str, str]

    @classmethod
    def make(cls, home: Path, database_url: str | None = None) -> Workspace:
        """An empty workspace; without a URL its database is the SQLite file inside."""
        home.mkdir(parents=True, exist_ok=True)
        known = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        url = database_url or f"sqlite:///{home / 'autonomy.db'}"
        environ = {
            **known,
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "HOME": str(home.parent),
            "LANG": "en_US.UTF-8",
            "AUTONOMY_HOME": str(home),
            "AUTONOMY_DATABASE_URL": url,
        }
        return cls(home, url, environ)

    def configure(self, base_url: str, *, name: str = "model", more: str = "", rest: str = "") -> None:
        """Write `autonomy.toml` with one provider; `more` goes into its entry, `rest` stands before it."""
        entry = f'[[providers]]\nname = "{name}"\nkind = "compatible"\nmodel = "scripted"\nbase_url = "{base_url}"\n{more}\n'
        (self.home / "autonomy.toml").write_text(f"{rest}\n{entry}")

    @contextlib.contextmanager
    def database(self) -> Iterator[Database]:
        """The database, opened beside whoever else has it open."""
        with Database(self.database_url, grow_wal=False) as opened:
            yield opened

    def folder(self, run_id: str) -> Path:
        """Where a run's files are."""
        return self.home / "artifacts" / run_id


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code (minus the signal's number if one killed it) and all it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """What it printed under --json."""
        return json.loads(self.out)


@dataclass
class Command:
    """A command under way."""

    pid: int
    _files: tuple[Path, Path]
    _code: Callable[[], int]
    _alive: Callable[[], bool]

    def wait(self) -> Ended:
        """Its end."""
        code = self._code()
        out, err = (path.read_text() for path in self._files)
        return Ended(code, out, err)

    @property
    def alive(self) -> bool:
        """Whether it has not ended yet."""
        return self._alive()

    @property
    def frozen(self) -> bool:
        """Whether the kernel has stopped it."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return self.alive and stat.rpartition(")")[2].split()[0] == "T"

    def shown(self) -> str:
        """What it wrote to stderr so far."""
        return self._files[1].read_text()

    def signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.alive:
            os.kill(self.pid, number)

    def kill(self) -> Ended:
        """kill -9, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        return self.wait()


@dataclass
class Commands:
    """Starts commands; a context manager that leaves none behind. `folder` takes their output."""

    folder: Path
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _running: list[Command] = field(default_factory=list)

    def __enter__(self) -> Commands:
        ours, theirs = socket.socketpair()
        environ = {**{name: os.environ[name] for name in PASSED_ON if name in os.environ}, "PYTHONPATH": str(ROOT)}
        argv = [sys.executable, "-W", "error", "-m", "tests.zygote", str(theirs.fileno())]
        self._zygote = subprocess.Popen(
            argv, pass_fds=[theirs.fileno()], env={**environ, "PYTHONIOENCODING": "utf-8"}, cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        self._socket = ours
        self._told = threading.Condition()
        self._pids: dict[int, int] = {}
        self._codes: dict[int, int] = {}
        self._gone = False
        self._reader = threading.Thread(target=self._listen, name="commands", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        for command in self._running:
            command.signal(signal.SIGKILL)
        self._socket.shutdown(socket.SHUT_WR)
        self._zygote.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._socket.close()

    def _listen(self) -> None:
        with self._socket.makefile("rb") as lines:
            for line in lines:
                told = json.loads(line)
                with self._told:
                    if "started" in told:
                        self._pids[told["started"]] = told["pid"]
                    else:
                        self._codes[told["ended"]] = told["code"]
                    self._told.notify_all()
        with self._told:
            self._gone = True
            self._told.notify_all()

    def _until(self, known: dict[int, int], key: int) -> int:
        with self._told:
            assert self._told.wait_for(lambda: key in known or self._gone, PATIENCE), "the command does not end"
            return known[key]

    def start(
        self, place: Surroundings, *argv: str, fault: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
    ) -> Command:
        """Start a command and leave it running. `fault` as in `tests.zygote`."""
        number = next(self._numbers)
        out, err = (self.folder / f"{number}.{name}" for name in ("out", "err"))
        out.touch()
        err.touch()
        request = {
            "id": number,
            "argv": argv,
            "environ": {**place.environ, **(environ or {})},
            "cwd": str(place.home),
            "out": str(out),
            "err": str(err),
            "fault": fault,
        }
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        pid = self._until(self._pids, number)
        command = Command(pid, (out, err), lambda: self._until(self._codes, pid), lambda: pid not in self._codes)
        self._running.append(command)
        return command

    def run(
        self, place: Surroundings, *argv: str, fault: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
    ) -> Ended:
        """Run a command to its end."""
        return self.start(place, *argv, fault=fault, environ=environ).wait()


class FreshCommands(Commands):
    """The same, each command by a new interpreter: slower, and nothing is shared."""

    def __enter__(self) -> FreshCommands:
        return self

    def __exit__(self, *_: object) -> None:
        for command in self._running:
            command.kill()

    def start(
        self, place: Surroundings, *argv: str, fault: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
    ) -> Command:
        """Start `python -c ENTRY argv`; it takes no planted fault."""
        assert fault is None, "only forked commands take faults"
        number = next(self._numbers)
        files = (self.folder / f"fresh-{number}.out", self.folder / f"fresh-{number}.err")
        with files[0].open("wb") as out, files[1].open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-c", ENTRY, *argv], env={**place.environ, **(environ or {})}, cwd=place.home,
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip
        command = Command(process.pid, files, lambda: process.wait(PATIENCE), lambda: process.poll() is None)
        self._running.append(command)
        return command


def copy_template(template: Path, home: Path) -> None:
    """Put a migrated SQLite file where the workspace has its database."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(template, home / "autonomy.db")
