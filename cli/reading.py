"""Reading the documents of a request before its run exists, so that a folder nobody can read leaves no run behind."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from cli.live import PlainView
from cli.output import Output, squeezed
from cli.wording import several

if TYPE_CHECKING:
    from autonomy.bootstrap.app import App


def read(app: App, out: Output, folders: Sequence[str]) -> None:
    """Read what is new or changed, with a progress bar. Raises InvalidInput where a folder holds nothing readable."""
    from autonomy.bootstrap.corpora import read_corpora
    from autonomy.core.counting import of_another_kind

    with _told(out) as told:
        reports = read_corpora(app, folders, told)
    for report in reports:
        for files, what in ((report.failed, "unreadable document"), (report.unused, "document")):
            if files:
                out.say(_left_out(files, what))
        if report.unread:
            out.say(of_another_kind([squeezed(name) for name in report.unread]))


def _left_out(files: Sequence[tuple[str, str]], what: str) -> str:
    """One line with the first names; `run explain` has them all."""
    names = ", ".join(f"{squeezed(name)} ({why})" for name, why in files[:3])
    more = f", and {len(files) - 3} more" if len(files) > 3 else ""
    return f"left out {several(len(files), what)}: {names}{more}"


@contextlib.contextmanager
def _told(out: Output) -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a moving terminal, a line now and then elsewhere."""
    if not out.moving:
        yield PlainView(out).progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, no_color=not out.colour_err, highlight=False, emoji=False, markup=False)
    columns = (
        TextColumn("documents", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)

        def told(done: int, total: int, name: str) -> None:
            progress.update(task, completed=done, total=total, description=squeezed(name)[:40])

        yield told
