"""The real command in a process of its own, and the same command line in this process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stage import commands

__all__ = ["commands"]

ENTRY = "from cli.main import entry; entry()"
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "PYTHONPATH", "COVERAGE_PROCESS_START", "TMPDIR")


@dataclass(frozen=True)
class Place:
    """A workspace, and the environment of a person who has set nothing else."""

    home: Path
    environ: Mapping[str, str]

    def argv(self, *words: str) -> list[str]:
        """The command line of the real entry point."""
        return [sys.executable, "-W", "error", "-c", ENTRY, *words]

    def run(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run the real command to its end."""
        return subprocess.run(
            self.argv(*words),
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=self.home,
        )

    @contextmanager
    def start(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start the real command with both streams on pipes; it is gone, and they are closed, when the block ends."""
        process = subprocess.Popen(
            self.argv(*words), env=self.environ, text=True, cwd=self.home, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty workspace."""
    home = tmp_path / "workspace"
    home.mkdir()
    root = str(Path(__file__).parents[2])
    known = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environ = {**known, "PYTHONPATH": root, "HOME": str(tmp_path), "AUTONOMY_HOME": str(home), "LANG": "en_US.UTF-8"}
    return Place(home, {**environ, "PYTHONIOENCODING": "utf-8"})


@pytest.fixture
def migrated(place: Place, sqlite_template: Path) -> Place:
    """A workspace with an empty, current database."""
    shutil.copy(sqlite_template, place.home / "autonomy.db")
    return place


@dataclass(frozen=True)
class Answer:
    """What a command line in this process gave."""

    code: int
    out: str
    err: str


@pytest.fixture
def autonomy(migrated: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run a command line in this process, in a migrated workspace."""
    from cli.main import run

    for name in list(os.environ):
        if name.startswith("AUTONOMY_") or name.endswith("_API_KEY") or name in ("NO_COLOR", "FORCE_COLOR"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AUTONOMY_HOME", str(migrated.home))
    monkeypatch.setenv("HOME", str(migrated.home.parent))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.chdir(migrated.home)

    def call(*words: str) -> Answer:
        capsys.readouterr()
        code = run(words)
        shown = capsys.readouterr()
        return Answer(code, shown.out, shown.err)

    return call
