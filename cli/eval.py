"""`autonomy eval`: play evaluations, and hold what came of them to their rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autonomy.core.errors import NotFound
from cli import errors, values
from cli.command import command, noun
from cli.output import BOLD, DIM, GREEN, RED, Output, plain, squeezed
from cli.session import Session
from cli.wording import duration, several

if TYPE_CHECKING:
    from autonomy.evaluation.harness import Result

app = noun("Play evaluations, and hold what came of them to their rules.")
MARGIN = 4


@command(app, "run", examples=("autonomy eval run", "autonomy eval run my_task.yaml --to ./results --json"))
def run(
    session: Session,
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="[TASK.yaml ...]", help="Task files; without any, those of the project.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where evaluations.xml and .json go; default: reports/ here.")
    ] = None,
) -> int:
    """Play each task in a scratch workspace, and judge it.

    Exits 1 when one fails, 5 for a task file that is not right.
    """
    from autonomy.evaluation import harness
    from autonomy.evaluation.task import load, shipped

    out = session.out
    folder = session.settings().home / "reports" if to is None else values.place(to, "--to")
    paths = [Path(values.named(each, "TASK")) for each in tasks or ()] or shipped()
    if not paths:
        raise NotFound("no evaluations stand beside the library", "Name task files.")
    evaluations = [load(path) for path in paths]

    def told(name: str, play: int) -> None:
        if not out.json:
            out.say(f"{name}: play {play}")

    results = harness.run(evaluations, told)
    written = harness.write(results, folder)
    if out.json:
        out.document({**harness.document(results), "files": [str(path) for path in written]})
    else:
        out.data("\n".join([*_table(results, out), *(plain(path) for path in written)]))
    return errors.OK if all(each.passed for each in results) else errors.FAILED


def _table(results: list[Result], out: Output) -> list[str]:
    """A line a task, why it failed below it, and the counts."""
    widest = max(len(each.name) for each in results)
    lines = []
    for each in results:
        sign = out.paint(out.glyphs.done, GREEN) if each.passed else out.paint(out.glyphs.failed, RED)
        took = duration(each.seconds).rjust(12)
        lead = f"{sign} {out.paint(each.name.ljust(widest), BOLD)} {took}  "
        lines.append(out.folded(out.paint(squeezed(each.about), DIM), lead=lead, under=MARGIN))
        lines += [out.folded(squeezed(reason), lead=" " * MARGIN, under=MARGIN) for reason in each.reasons]
    failed = sum(not each.passed for each in results)
    lines.append(f"{several(len(results), 'evaluation')}: {len(results) - failed} passed, {failed} failed")
    return lines
