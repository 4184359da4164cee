"""Runs evaluations: each play in a scratch workspace and a process of its own, bounded in time; then judges and writes.

Of the environment a play sees the little that a program needs to start: no key, no setting of whoever runs it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as xml

from autonomy.bootstrap.config import little
from autonomy.core.clock import iso, now_us
from autonomy.evaluation import judge
from autonomy.evaluation.task import Evaluation
from autonomy.storage.artifacts import write_atomic

COMMAND: Final = ("-m", "autonomy.evaluation.play")
Told = Callable[[str, int], None]
"""The name of the task and the number of the play that begins."""


@dataclass(frozen=True, slots=True)
class Result:
    """An evaluation that was played: why it does not pass (nothing where it does), seconds, plays, and whether they were the
    same; None where there was nothing to compare."""

    name: str
    about: str
    file: Path
    seconds: float
    plays: int
    same: bool | None
    reasons: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def document(self) -> dict[str, Any]:
        """The result as plain data."""
        return {
            "name": self.name,
            "about": self.about,
            "file": str(self.file),
            "pass": self.passed,
            "seconds": round(self.seconds, 3),
            "plays": self.plays,
            "same": self.same,
            "reasons": list(self.reasons),
        }


def run(evaluations: Sequence[Evaluation], told: Told, command: Sequence[str] = COMMAND) -> list[Result]:
    """Play each evaluation as often as it says. `command` replaces the program that plays, behind the interpreter."""
    return [_run_one(each, told, command) for each in evaluations]


def document(results: Sequence[Result]) -> dict[str, Any]:
    """All results as plain data, with their counts."""
    passed = sum(each.passed for each in results)
    return {
        "pass": passed == len(results),
        "tasks": len(results),
        "passed": passed,
        "failed": len(results) - passed,
        "finished_at": iso(now_us()),
        "evaluations": [each.document() for each in results],
    }


def write(results: Sequence[Result], folder: Path) -> tuple[Path, Path]:
    """Write `evaluations.json` and `evaluations.xml` (JUnit) into the folder, each whole or not at all; returns their paths."""
    paths = folder / "evaluations.json", folder / "evaluations.xml"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(paths[0], (json.dumps(document(results), indent=2, ensure_ascii=False) + "\n").encode())
    write_atomic(paths[1], _junit(results))
    return paths


def _run_one(evaluation: Evaluation, told: Told, command: Sequence[str]) -> Result:
    task = evaluation.task
    began = time.monotonic()
    reasons: list[str] = []
    made: list[dict[str, str | None]] = []
    for number in range(1, task.plays + 1):
        told(task.name, number)
        with tempfile.TemporaryDirectory(prefix=f"autonomy-eval-{task.name}-") as scratch:
            home = Path(scratch) / "workspace"
            home.mkdir()
            seen, why = _played(evaluation, home, Path(scratch), command)
            found = judge.judge(task, seen, home) if seen is not None else [why]
            reasons += [reason if number == 1 else f"play {number}: {reason}" for reason in found if reason not in reasons]
            if seen is None:
                break
            made.append(judge.prints(task, seen, home))
    same = None
    if len(made) == task.plays > 1 and made[0]:
        differing = [path for path in made[0] if len({each[path] for each in made}) > 1]
        same = not differing
        reasons += [f"{path} is another in each play, ids and times aside" for path in differing]
    return Result(task.name, task.about, evaluation.file, time.monotonic() - began, len(made), same, tuple(reasons))


def _played(evaluation: Evaluation, home: Path, scratch: Path, command: Sequence[str]) -> tuple[dict[str, Any] | None, str]:
    """What was seen of one play, or None and why there is nothing."""
    job, answer, log = scratch / "job.json", scratch / "answer.json", scratch / "log"
    work = {"task": evaluation.task.model_dump(mode="json"), "corpus": str(evaluation.corpus), "answer": str(answer)}
    job.write_text(json.dumps(work, ensure_ascii=False), "utf-8")
    with log.open("wb") as stream, subprocess.Popen(
        [sys.executable, *command, str(job)], cwd=home, env=little(os.environ, home), stdin=subprocess.DEVNULL, stdout=stream,
        stderr=stream, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            code = process.wait(evaluation.task.seconds)
        except subprocess.TimeoutExpired:
            return None, f"it was not over after {evaluation.task.seconds:g} s"
        finally:
            _end(process)
    if not answer.is_file():
        return None, f"the play ended with code {code}: {_tail(log)}"
    found = json.loads(answer.read_text("utf-8"))
    return found.get("seen"), str(found.get("error", ""))


def _end(process: subprocess.Popen[bytes]) -> None:
    """Whatever is left of a play, with all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()
    return " / ".join(line.strip() for line in lines[-3:] if line.strip())[-300:] or "it said nothing"


def _junit(results: Sequence[Result]) -> bytes:
    failed = sum(not each.passed for each in results)
    total = f"{sum(each.seconds for each in results):.3f}"
    suite = xml.Element("testsuite", name="evaluations", tests=str(len(results)), failures=str(failed), time=total)
    for each in results:
        case = xml.SubElement(suite, "testcase", classname="evaluations", name=each.name, time=f"{each.seconds:.3f}")
        if not each.passed:
            failure = xml.SubElement(case, "failure", message=_printable(each.reasons[0]))
            failure.text = _printable("\n".join(each.reasons))
    root = xml.Element("testsuites")
    root.append(suite)
    return bytes(xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _printable(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(letter if letter in "\n\t" or letter.isprintable() else "?" for letter in text)
