"""The `autonomy` command: the table of commands, and the frame that turns errors into one line and an exit code."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from autonomy import __version__
from autonomy.core.errors import AutonomyError, Interrupted, UsageError
from cli import errors
from cli.command import CONTEXT, DebugFlag, JsonFlag, LazyGroup, NoColorFlag, note_shared, program_arguments, wants
from cli.output import Output, guard_streams, plain_lines
from cli.session import Session

COMMANDS = {
    "run": "Start, follow, steer and explain runs.",
    "tasks": "Add, look at and decide tasks.",
    "turnitin": "Hand drafts over for similarity reports.",
    "events": "Follow what happens in all runs.",
    "worker": "Work queued runs until stopped.",
    "serve": "Serve the web API until stopped.",
    "memory": "Search what was read, and add to it.",
    "telegram": "Turn messages to a Telegram bot into tasks.",
    "audit": "Check the audit log, and follow it.",
    "db": "Upgrade, inspect and back up the database.",
    "config": "Show settings and policies with their origin; make user tokens.",
    "stats": "Show how runs did: success, similarity, time, cost.",
    "eval": "Play evaluations and hold them to their rules.",
    "verify": "Prove with figures that it works.",
    "doctor": "Check this machine and say how to fix what is off.",
}
ABOUT = "From a goal to a cited document, in runs that no crash can lose."
EXAMPLES = (
    'autonomy run start "How are tasks cancelled?" --corpus ./docs',
    "autonomy run list",
    "autonomy run explain 7k2q",
    "autonomy doctor",
)


class Root(LazyGroup):
    """The top of the command tree."""

    table = COMMANDS


def _root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
    as_json: JsonFlag = False,
    debug: DebugFlag = False,
    no_color: NoColorFlag = False,
) -> None:
    """The shared flags may also stand before the command."""
    note_shared(ctx, as_json, debug, no_color)


def root() -> Any:
    """The command tree."""
    app = typer.Typer(
        cls=Root, help=ABOUT, epilog="\n".join(EXAMPLES), callback=_root, no_args_is_help=True, add_completion=True,
        rich_markup_mode=None, context_settings=CONTEXT,
    )  # fmt: skip
    command: Any = typer.main.get_command(app)
    for param in command.params:
        if param.default is None:  # Typer's completion flags; see `get_help_option`
            param.default = False
    return command


def run(argv: Sequence[str], open_app: Callable[..., Any] | None = None) -> int:
    """Run one command line; returns the exit code. Output goes to `sys.stdout` and `sys.stderr`."""
    out = Output(json=wants(argv, "--json"), no_color=wants(argv, "--no-color"))
    session = Session(out, debug=wants(argv, "--debug"), open_app=open_app)
    leading = list(itertools.takewhile(lambda word: word.startswith("-"), argv))
    if "--version" in leading:
        if out.json:
            out.document({"version": __version__})
        else:
            out.data(f"autonomy {__version__}")
        return errors.OK
    try:
        code = root().main(list(argv), prog_name="autonomy", standalone_mode=False, obj=session)
    except typer.TyperException as error:
        return _usage(error, session)
    except typer.Abort:
        return errors.report(Interrupted("stopped"), session.out)
    except Exception as error:  # the outermost frame: whatever it is becomes one line and a code
        return _failed(error, session)
    return int(code or 0)


def _usage(error: typer.TyperException, session: Session) -> int:
    """Words that do not parse: one line with the way to the help, or the help itself where none were given."""
    context = getattr(error, "ctx", None)
    text = error.format_message().replace(": Value error, ", ": ")  # how Typer hands on what a parser of ours said
    if context is not None and type(error).__name__ == "NoArgsIsHelpError":
        session.out.say(text)
        return errors.USAGE
    message, meant, name = " ".join(plain_lines(text).split()).partition("Did you mean")
    path = context.command_path if context is not None else "autonomy"
    return errors.report(UsageError(message.rstrip(" ."), f"{meant}{name}" or f"See '{path} -h'."), session.out)


def _failed(error: Exception, session: Session) -> int:
    """An error of ours as it is; a foreign one named shortly; the traceback only under --debug."""
    if session.debug:
        import traceback

        session.out.say(plain_lines("".join(traceback.format_exception(error))).rstrip())
    return errors.report(error if isinstance(error, AutonomyError) else errors.foreign(error), session.out)


def entry() -> None:
    """The console script."""
    guard_streams()
    try:
        code = run(program_arguments())
    except KeyboardInterrupt:
        code = errors.INTERRUPTED
    sys.exit(errors.flush_streams(Output(), code))
