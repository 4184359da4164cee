"""Phases over servers that are forked from one process, with a break or without."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from autonomy.verify import runner
from autonomy.verify.report import Report
from autonomy.verify.stage import Options
from tests.commands import ROOT, until

BROKEN = Path(__file__).with_name("broken.py")
BROKEN_PLAY = Path(__file__).with_name("broken_play.py")
SHORT: dict[str, Any] = {
    "soak_seconds": 0.5,
    "flood_seconds": 0.2,
    "load_seconds": 0.3,
    "time_limits": False,
    "tests": (),
    "evaluations": (ROOT / "evaluations" / "turnitin_cycle.yaml",),
}
Command = Callable[[str], Sequence[str]]
RunPhase = Callable[..., Report]


@pytest.fixture(scope="session")
def forked() -> Iterator[Command]:
    """The command that serves, broken in the ways that are named, with a plus between them ("": not at all)."""
    with tempfile.TemporaryDirectory(prefix="broken-") as folder:
        path = f"{folder}/s"
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen([sys.executable, str(BROKEN), path], env=environ, stdin=subprocess.DEVNULL) as process:
            try:
                until(lambda: Path(path).exists() or process.poll() is not None, "the process that is forked")
                assert process.poll() is None
                yield lambda way: ("-I", "-S", str(BROKEN), path, way, "serve")
            finally:
                process.kill()


@pytest.fixture
def phase(tmp_path: Path) -> RunPhase:
    """Run a phase with short options; limits on times are not held, this machine may be busy."""

    def run(letter: str, **options: Any) -> Report:
        told: list[tuple[str, float]] = []
        chosen = Options(**{**SHORT, **options})
        (result,) = runner.run([letter], tmp_path, chosen, lambda what, share: told.append((what, share)), "how {letter}")
        assert [share for _, share in told] == sorted(share for _, share in told)
        assert result.json.is_file()
        assert result.markdown.is_file()
        return result.report

    return run


@pytest.fixture
def small_tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Sequence[str]]:
    """Write tests and return what `Options.tests` takes; they need no plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def write(text: str) -> Sequence[str]:
        folder = tmp_path / "given"
        folder.mkdir()
        (folder / "test_given.py").write_text(text)
        return (str(folder),)

    return write
