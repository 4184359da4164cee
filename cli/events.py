"""`autonomy events`: what happens in all runs together."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import values
from cli.command import command, noun
from cli.session import Session

app = noun("Follow what happens in all runs.")


@command(app, "tail", examples=("autonomy events tail", "autonomy events tail --since 0 --no-follow --json"))
def tail(
    session: Session,
    since: Annotated[
        float | None, typer.Option(metavar="SEQ", parser=values.whole, help="Begin after this position; default: the newest.")
    ] = None,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Print what there is, then stop.")] = False,
) -> int:
    """Follow the events of all runs until Ctrl-C."""
    from cli.stream import follow_all, last_position, until_left

    with session.app(writes=False) as application:
        newest = since is None and not no_follow
        after = last_position(application.database) if newest else values.between("--since", since or 0, 0, 2**62)
        with until_left() as leaving:
            follow_all(application.runs, session.out, leaving, after=after, follow=not no_follow)
    return leaving.code
