"""`autonomy worker`: works queued runs."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import values
from cli.command import command, verb
from cli.session import Session

app = verb()


@command(
    app,
    "worker",
    examples=("autonomy worker", "autonomy worker --concurrency 4", "autonomy worker --until-idle    # for scripts"),
)
def worker(
    session: Session,
    concurrency: Annotated[float, typer.Option(metavar="N", parser=values.whole, help="Runs worked at once, 1 to 256.")] = 1,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when the queue is empty.")] = False,
) -> int:
    """Work queued runs until stopped, with JSON logs on stderr; SIGTERM or Ctrl-C hands them back."""
    most = values.between("--concurrency", concurrency, 1, 256)
    with session.app(logs=True) as application:
        from autonomy.bootstrap.workers import run_worker

        if not session.out.json:
            session.out.say(
                f"Working {most} at a time; Ctrl-C hands the work back." + (" Stops when idle." if until_idle else "")
            )
            per_user = application.settings.queue.per_user
            if most > per_user:
                session.out.say(f"For one user at most {per_user} at a time: 'per_user' under [queue] in autonomy.toml.")
        worked = run_worker(application, concurrency=most, until_idle=until_idle)
    if session.out.json:
        session.out.document({"worked": worked})
    else:
        session.out.say(f"Worked {worked} {'job' if worked == 1 else 'jobs'}.")
    return 0
