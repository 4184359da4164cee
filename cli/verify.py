"""`autonomy verify`: the acceptance phases, each over a real server in a scratch workspace, with figures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from cli import values
from cli.command import command, noun
from cli.output import BOLD, DIM, GREEN, RED, Output, plain
from cli.serve import check_installed
from cli.session import Session

if TYPE_CHECKING:
    from autonomy.verify.runner import Result

ABOUT = {
    "a": "The tasks API: stable reads, decisions seen at once, tests counted.",
    "b": "The stream of task changes: every change, once, at every client.",
    "c": "Webhooks: signatures, replays, a flood, Telegram, the audit log.",
    "d": "The protocol of work and review: echo, criteria, traces, fidelity.",
    "e": "Stability: a long soak, then load with a failure in the middle.",
    "f": "Evaluations: every task of the project, played twice and judged.",
}
SOAK = 600.0
app = noun(
    "Prove with figures that it works; reports go to reports/. Each phase needs the serve extra, phase-a and all the dev extra "
    "(pip install -e '.[dev]')."
)

SoakOption = Annotated[
    float,
    typer.Option("--soak-seconds", metavar="N", parser=values.whole, help="Length of phase E's soak; 600 is the full one."),
]


def _register(letters: Sequence[str], name: str, about: str) -> None:
    if "e" in letters:

        def long(session: Session, soak: SoakOption = SOAK) -> int:
            return _verify(session, letters, values.between("--soak-seconds", soak, 1, 86_400))

        long.__doc__ = _about(about, letters)
        command(app, name, examples=(f"autonomy verify {name}", f"autonomy verify {name} --soak-seconds 60"))(long)
    else:

        def short(session: Session) -> int:
            return _verify(session, letters, SOAK)

        short.__doc__ = _about(about, letters)
        command(app, name, examples=(f"autonomy verify {name}", f"autonomy verify {name} --json"))(short)


def _about(about: str, letters: Sequence[str]) -> str:
    """The text of a command's help: what it proves, and what it needs to be installed for that."""
    extra = "dev" if "a" in letters else "serve"
    return f"{about}\n\nNeeds the {extra} extra: pip install -e '.[{extra}]' from a checkout."


for _letter, _what in ABOUT.items():
    _register((_letter,), f"phase-{_letter}", _what)
_register(tuple(ABOUT), "all", "Every phase, one after the other; fails when one fails.")


def _verify(session: Session, letters: Sequence[str], soak: float) -> int:
    from autonomy.verify import runner
    from autonomy.verify.stage import Options

    settings = session.settings()
    # Refused, not failed: without a server no figure can be measured, and a report that is there tells of another time.
    check_installed("'autonomy verify' starts a server for each phase, which")
    if "a" in letters:
        check_installed("phase a of 'autonomy verify' runs tests, which", "dev")
    settings.home.mkdir(parents=True, exist_ok=True)
    options = Options(soak_seconds=soak)
    results: list[Result] = []
    for letter in letters:
        how = f"autonomy verify phase-{letter}" + (f" --soak-seconds {soak:g}" if letter == "e" and soak != SOAK else "")
        with _told(session.out, letter) as told:
            results += runner.run([letter], settings.home, options, told, how)
        if not session.out.json:
            _tell(session.out, results[-1])
    passed = all(result.report.passed for result in results)
    if session.out.json:
        session.out.document({"pass": passed, "phases": [result.report.document(settings.home) for result in results]})
    return 0 if passed else 1


def _tell(out: Output, result: Result) -> None:
    report = result.report
    sign = out.paint(out.glyphs.done, GREEN) if report.passed else out.paint(out.glyphs.failed, RED)
    out.data(f"{sign} {out.paint(f'phase {report.phase}', BOLD)}  {ABOUT[report.phase]}")
    widest = max((len(name) for name in report.metrics), default=0)
    for name, value in sorted(report.metrics.items()):
        shown = ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}"
        out.data(f"  {out.paint(name.ljust(widest), DIM)}  {shown}")
    for reason in report.fail_reasons:
        out.data(f"  {out.paint(out.glyphs.failed, RED)} {plain(reason)}")
    for note in report.notes:
        out.data(f"  {plain(note)}")
    out.data(f"  {out.paint('report'.ljust(widest), DIM)}  {plain(result.markdown)}")


@contextlib.contextmanager
def _told(out: Output, letter: str) -> Iterator[Callable[[str, float], None]]:
    """A bar on a moving terminal; elsewhere a line for each new thing that is done; under --json nothing."""
    if out.json:
        yield lambda what, share: None
        return
    if out.moving:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        console = Console(stderr=True, no_color=not out.colour_err, highlight=False, emoji=False, markup=False)
        columns = (
            TextColumn(f"phase {letter}", markup=False), BarColumn(bar_width=24), TaskProgressColumn(), TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )  # fmt: skip
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("", total=1.0)
            yield lambda what, share: progress.update(task, completed=share, description=what)
        return
    last = ""

    def line(what: str, share: float) -> None:
        nonlocal last
        if what != last:
            last = what
            out.say(f"phase {letter}: {what}")

    yield line
