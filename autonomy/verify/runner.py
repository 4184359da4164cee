"""Runs phases one after the other, each in a scratch workspace of its own, and writes what they saw into `reports/`."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from autonomy.core.errors import AutonomyError
from autonomy.verify import phase_a, phase_b, phase_c, phase_d, phase_e, phase_f
from autonomy.verify.report import Limit, Report
from autonomy.verify.stage import Options, Phase, Progress, Stage

PHASES: dict[str, Phase] = {each.PHASE.letter: each.PHASE for each in (phase_a, phase_b, phase_c, phase_d, phase_e, phase_f)}
OTHER_SHAPE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading an answer raises that has another shape than was promised: it fails the phase, with a report."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished phase and its two files."""

    report: Report
    json: Path
    markdown: Path


def run(letters: Sequence[str], home: Path, options: Options, progress: Progress, how_to_run: str) -> list[Result]:
    """Run the phases over scratch workspaces and write their reports below `home/reports`."""
    return [_run_one(PHASES[letter], home, options, progress, how_to_run.format(letter=letter)) for letter in letters]


def _run_one(phase: Phase, home: Path, options: Options, progress: Progress, how_to_run: str) -> Result:
    report = Report(phase.letter, how_to_run, phase.owed, _limits(phase, options))
    left_out = [limit.metric for limit in phase.limits if limit not in report.limits]
    if left_out:
        report.notes.append(f"Limits on times were not held: {', '.join(left_out)}.")
    reports = home / "reports"
    with tempfile.TemporaryDirectory(prefix=f"autonomy-verify-{phase.letter}-") as scratch:
        stage = Stage(report, Path(scratch) / "workspace", reports / f"phase_{phase.letter}", options, progress)
        stage.home.mkdir()
        try:
            asyncio.run(_run(phase, stage))
        except (AutonomyError, httpx.HTTPError, OSError, *OTHER_SHAPE, ExceptionGroup) as error:
            report.fail(f"stopped by {type(error).__name__}: {_line(error)}")
            with contextlib.suppress(OSError):
                stage.keep(stage.home / "server.log", "what the server logged")
    report.finish()
    return Result(report, *report.write(reports, home))


def _limits(phase: Phase, options: Options) -> Sequence[Limit]:
    return phase.limits if options.time_limits else [limit for limit in phase.limits if not limit.timed]


async def _run(phase: Phase, stage: Stage) -> None:
    await phase.run(stage)


def _line(error: BaseException) -> str:
    if isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return " ".join(str(error).split())[:300] or type(error).__name__
