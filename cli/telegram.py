"""`autonomy telegram`: messages to a bot become tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli import errors
from cli.command import command, noun
from cli.output import plain
from cli.session import Session

if TYPE_CHECKING:
    from autonomy.core.errors import AutonomyError
    from autonomy.ingress.telegram_poll import Received

app = noun("Turn messages to a Telegram bot into tasks.")


@command(app, "poll", examples=("autonomy telegram poll", "autonomy telegram poll --once --json"))
def poll(
    session: Session,
    once: Annotated[bool, typer.Option("--once", help="Stop as soon as no message is waiting.")] = False,
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Hand messages to this server; where none answers, they are stored here."),
    ] = None,
) -> int:
    """Make tasks of the messages to a bot, until Ctrl-C. BOT_TOKEN holds its token; each task waits for a person."""
    from autonomy.ingress.telegram_poll import poll as read

    def heard(received: Received) -> None:
        if session.out.json:
            row = {"update_id": received.update_id, "effect": received.effect, "task_id": received.task_id}
            session.out.line({**row, "reason": received.reason or None})
        elif received.task_id:
            session.out.data(f"{received.task_id}  {plain(received.effect)}")
        else:
            session.out.say(f"update {received.update_id} ignored: {plain(received.reason)}")

    def trouble(error: AutonomyError, wait: float) -> None:
        session.out.say(f"{plain(error.message)}; trying again in {wait:.0f} s")

    with session.app() as application:
        try:
            count = read(application, once=once, server=server, heard=heard, trouble=trouble)
        except KeyboardInterrupt:
            return errors.INTERRUPTED  # leaving is what it is for
    if not count and not session.out.json:
        session.out.say("No message is waiting.")
    return errors.OK
