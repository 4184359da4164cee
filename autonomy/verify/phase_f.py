"""Phase F, evaluations: every task that comes with the project is played as often as it says, judged, and compared."""

from __future__ import annotations

import asyncio
from itertools import count

from autonomy.evaluation import harness
from autonomy.evaluation.task import load, shipped
from autonomy.verify.report import Limit
from autonomy.verify.stage import Phase, Stage


async def run(stage: Stage) -> None:
    """See the module."""
    evaluations = [load(path) for path in stage.options.evaluations or shipped()]
    plays = sum(each.task.plays for each in evaluations)
    begun = count()

    def told(name: str, play: int) -> None:
        stage.progress(f"{name}, play {play}", min(next(begun) / plays, 1.0))

    results = await asyncio.to_thread(harness.run, evaluations, told, stage.options.play)
    compared = [each.same for each in results if each.same is not None]
    stage.report.measured(
        evaluations=len(results),
        evaluations_passed=sum(each.passed for each in results),
        evaluations_failed=sum(not each.passed for each in results),
        plays=sum(each.plays for each in results),
        repeats_equal=sum(compared),
        repeats_differing=len(compared) - sum(compared),
    )
    for each in results:
        for reason in each.reasons:
            stage.report.fail(f"{each.name}: {reason}")
    for path, note in zip(harness.write(results, stage.home), ("what each task gave", "the same as JUnit XML"), strict=True):
        stage.keep(path, note)


PHASE = Phase(
    letter="f",
    about="evaluations",
    owed=("evaluations", "evaluations_passed", "evaluations_failed", "plays", "repeats_equal", "repeats_differing"),
    limits=(
        Limit("evaluations", least=1),
        Limit("evaluations_failed", equals=0),
        Limit("repeats_equal", least=1),
        Limit("repeats_differing", equals=0),
    ),
    run=run,
)
