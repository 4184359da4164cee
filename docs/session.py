"""The session of the README: run for real, put into the page, and held against it by a test.

    python -m docs.session

renews the block under "A session". A line of three dots in it stands for lines left out, nothing else is changed. The
runs are by quotation, so all of it but ids, times and durations is the same each time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
ENTRY = "from cli.main import entry; entry()"
DOTS = "..."
START = """\
autonomy run start "How do long-running jobs survive crashes: \\
write-ahead logs, checkpoints, leases and idempotency keys" \\
    --journey research --corpus fixtures/corpus"""
RUN = re.compile(r"artifacts/([a-z2-7]{26})/")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARYING = (
    (re.compile(r"\b[a-z2-7]{26}\b"), "RUN"),
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "TIME"),
    (re.compile(r"\b20\d\d-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"\bjust now\b|\b\d+ min ago\b"), "AGO"),
    (re.compile(r"\b\d+ min \d\d s\b|\b\d+(\.\d+)? m?s\b"), "SECONDS"),
    (re.compile(r"\b\d+(\.\d+)? [kM]?B\b"), "SIZE"),
    (re.compile(r" {2,}"), "  "),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A command of a `console` block and the lines that it printed."""

    command: str
    output: tuple[str, ...]


def blocks(text: str, kind: str) -> list[str]:
    """The fenced blocks of one kind, in order."""
    return [match[2] for match in BLOCK.finditer(text) if match[1] == kind]


def commands(block: str) -> Iterator[Shown]:
    """The commands of a `console` block; a line that ends in a backslash goes on in the next."""
    command, output = "", list[str]()
    for line in block.splitlines():
        if command.endswith("\\"):
            command += f"\n{line}"
        elif line.startswith("$ "):
            if command:
                yield Shown(command, tuple(output))
            command, output = line.removeprefix("$ "), []
        else:
            output.append(line)
    if command:
        yield Shown(command, tuple(output))


def shape(lines: Sequence[str], run: str) -> list[str]:
    """The lines without what differs from run to run."""
    shaped = []
    for line in lines:
        line = line.replace(run[:8], "RUN") if run and run not in line else line
        for pattern, word in VARYING:
            line = pattern.sub(word, line)
        shaped.append(line.rstrip())
    return shaped


def fits(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the printed lines are the shown ones, where a line of dots stands for any lines."""
    if DOTS not in shown:
        return list(shown) == list(printed)
    at = list(shown).index(DOTS)
    head, rest = list(shown[:at]), shown[at + 1 :]
    if head != list(printed[:at]):
        return False
    return any(fits(rest, printed[start:]) for start in range(at, len(printed) + 1))


@dataclass(frozen=True, slots=True)
class Stage:
    """A scratch workspace that looks like a checkout to the commands of the README."""

    home: Path
    environ: Mapping[str, str]

    @classmethod
    def make(cls, folder: Path, **environ: str) -> Stage:
        """A folder with the sample corpus, and the command on the PATH."""
        home, programs = folder / "autonomy", folder / "bin"
        shutil.copytree(ROOT / "fixtures" / "corpus", home / "fixtures" / "corpus")
        programs.mkdir()
        program = programs / "autonomy"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error -c "{ENTRY}" "$@"\n', "utf-8")
        program.chmod(0o755)
        surroundings = {
            "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONPATH": str(ROOT),
            "PYTHONIOENCODING": "utf-8",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "COLUMNS": "80",
        }
        return cls(home, {**surroundings, **environ})

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as a person types it, to its end."""
        return subprocess.run(
            ["bash", "-c", command],
            env=dict(self.environ), cwd=self.home, capture_output=True, text=True, timeout=300, check=False,
            stdin=subprocess.DEVNULL, encoding="utf-8",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A command of the session, and which of its lines are shown: spans from a line that begins so to one that does."""

    command: str
    spans: tuple[tuple[str, str], ...] = ()

    def cut(self, lines: Sequence[str]) -> Iterator[str]:
        """The shown lines, with dots between the spans. Raises LookupError when a span is not there any more."""
        if not self.spans:
            yield from lines
            return
        at = 0
        for first, last in self.spans:
            start = _find(lines, first, at)
            end = _find(lines, last, start)
            if start > at:
                yield DOTS
            yield from lines[start : end + 1]
            at = end + 1
        if at < len(lines):
            yield DOTS


def _find(lines: Sequence[str], words: str, start: int) -> int:
    found = next((n for n, line in enumerate(lines) if n >= start and words in line), None)
    if found is None:
        raise LookupError(f"no line has {words!r} any more: change SESSION")
    return found


SESSION = (
    Part(START),
    Part("autonomy run list"),
    Part("head -n 11 artifacts/{run}*/deliverable.md | fold -s -w 78"),
    Part(
        "autonomy run explain {run}",
        (
            ("Run ", "words 3,607"),
            ("Judging", "documents 8"),
            ("Write-ahead logs", "cards"),
            ("Hold every claim", "judged"),
            ("Hand over", "decisions"),
        ),
    ),
    Part("autonomy run inspect {run}", (("delivered", "user "), ("Plan", "Search: "), ("Hold every claim", "stored sources"))),
)


def played(stage: Stage) -> str:
    """The whole session, as a `console` block shows it."""
    lines: list[str] = []
    run = ""
    for part in SESSION:
        command = part.command.format(run=run[:8])
        done = stage.run(command)
        if done.returncode != 0:
            raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stderr}")
        found = RUN.search(done.stdout)
        run = run or (found[1] if found else "")
        lines += [f"$ {command}", *(line.rstrip() for line in part.cut(done.stdout.rstrip().splitlines())), ""]
    return "\n".join(lines).rstrip() + "\n"


def renewed(page: str, session: str) -> str:
    """The page with the session in its place."""
    head, title, rest = page.partition("## A session\n")
    block = BLOCK.search(rest)
    if not title or block is None or block[1] != "console":
        raise SystemExit('README.md has no console block under "A session"')
    return f"{head}{title}{rest[: block.start()]}```console\n{session}```{rest[block.end() :]}"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        README.write_text(renewed(README.read_text("utf-8"), played(Stage.make(Path(scratch)))), "utf-8")
