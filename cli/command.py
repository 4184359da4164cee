"""How commands are declared: examples first in every help, the shared options on each, nothing imported before it is needed."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from autonomy.core.errors import Interrupted
from cli.output import BOLD, CYAN, DIM
from cli.session import Session

COLUMN = 24
"""Widest name beside which the explanation still stands on the same line."""
WHOLE = 1000
"""Letters of a command's line in a list: its first sentence is never cut, and each is short enough for one line of 80."""
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

JsonFlag = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout (streams: one object per line).", rich_help_panel="Output")
]
DebugFlag = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel="Output")]
NoColorFlag = Annotated[
    bool, typer.Option("--no-color", help="No colours; NO_COLOR in the environment does the same.", rich_help_panel="Output")
]

SHARED = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=False, annotation=kind)
    for name, kind in (("as_json", JsonFlag), ("debug", DebugFlag), ("no_color", NoColorFlag))
]


class _Help:
    """Help pages: what it does, examples, then one line per argument and option, grouped."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the whole page."""
        page: Any = self
        session = ctx.find_object(Session)
        paint = session.out.paint if session is not None else _unpainted
        page.format_usage(ctx, formatter)
        page.format_help_text(ctx, formatter)
        if page.epilog:
            with formatter.section(paint("Examples", BOLD)):
                for line in page.epilog.splitlines():
                    formatter.write(f"  {paint('$', DIM)} {line}\n")
        if isinstance(self, TyperGroup):
            _write_commands(self, ctx, formatter, paint)
        panels = _panels(page, ctx)
        widest = max((len(names) for rows in panels.values() for names, _ in rows if len(names) <= COLUMN), default=0)
        for title, rows in panels.items():
            with formatter.section(paint(title, BOLD)):
                formatter.write_dl([(paint(names.ljust(widest), CYAN), about) for names, about in rows], col_max=COLUMN)

    def get_help_option(self, ctx: Any) -> Any:
        """Typer's option with a plain False as its default: a None would be checked with pydantic, which costs 0.1 s."""
        base: Any = super()
        option = base.get_help_option(ctx)
        if option is not None:
            option.default = False
        return option

    def format_usage(self, ctx: Any, formatter: Any) -> None:
        """One line: arguments by their own names."""
        page: Any = self
        pieces = [param.metavar or param.name.upper() for param in page.params if param.param_type_name == "argument"]
        tail = ["COMMAND [ARGS]..."] if isinstance(self, TyperGroup) else pieces
        formatter.write_usage(
            ctx.command_path, " ".join([*tail, "[OPTIONS]"] if not isinstance(self, TyperGroup) else ["[OPTIONS]", *tail])
        )


def _unpainted(text: str, *_: int) -> str:
    return text


def _panels(page: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    """Arguments first, then options by panel; help belongs to the last panel, "Output"."""
    panels: dict[str, list[tuple[str, str]]] = {}
    for param in page.get_params(ctx):
        if getattr(param, "hidden", False):
            continue
        default = "Arguments" if param.param_type_name == "argument" else "Options"
        title = getattr(param, "rich_help_panel", None) or ("Output" if "--help" in param.opts else default)
        panels.setdefault(title, []).append(_record(param))
    return panels


def _record(param: Any) -> tuple[str, str]:
    """What stands left and right of one argument or option. A second long name is another way to write it, and not shown."""
    if param.param_type_name == "argument":
        return param.metavar or param.name.upper(), param.help or ""
    short, long = ([name for name in param.opts if name.startswith("--") is told] for told in (False, True))
    names = ", ".join([*short, *long[:1]])
    about = param.help or ""
    if param.is_flag:
        return names, about
    shown = f" [default: {param.default}]" if param.default not in (None, "", ()) and not callable(param.default) else ""
    return f"{names} {param.metavar or 'VALUE'}", about + shown


def _write_commands(group: TyperGroup, ctx: Any, formatter: Any, paint: Callable[..., str]) -> None:
    rows = (
        group.summaries(ctx)
        if isinstance(group, LazyGroup)
        else [(name, group.commands[name].get_short_help_str(WHOLE)) for name in group.list_commands(ctx)]
    )
    with formatter.section(paint("Commands", BOLD)):
        formatter.write_dl([(paint(name, CYAN), about) for name, about in rows])


class Command(_Help, TyperCommand):
    """A command with our help page."""


class Group(_Help, TyperGroup):
    """A group with our help page."""


class LazyGroup(Group):
    """The root: knows its commands from a table of one-liners and imports a module only when its command is called."""

    table: Mapping[str, str] = {}

    def list_commands(self, ctx: Any) -> list[str]:
        """Names in the order of the table."""
        return list(self.table)

    def summaries(self, ctx: Any) -> list[tuple[str, str]]:
        """Name and one line each, without an import."""
        return list(self.table.items())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the command's module now."""
        if cmd_name not in self.table:
            return None
        if cmd_name not in self.commands:
            module = importlib.import_module(f"cli.{cmd_name}")
            self.commands[cmd_name] = typer.main.get_command(module.app)
            self.commands[cmd_name].name = cmd_name
        return self.commands[cmd_name]

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer does it, but a mistyped name is compared with the whole table."""
        if args and args[0] not in self.table and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], list(self.table), n=1)
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean '{near[0]}'?" if near else ""))
        return super().resolve_command(ctx, args)


def noun(about: str) -> typer.Typer:
    """A group of verbs; a group even when it has a single one."""
    return typer.Typer(
        cls=Group, help=about, callback=note_shared, add_completion=False, rich_markup_mode=None, context_settings=CONTEXT,
        no_args_is_help=True,
    )  # fmt: skip


def note_shared(ctx: typer.Context, as_json: JsonFlag = False, debug: DebugFlag = False, no_color: NoColorFlag = False) -> None:
    """Keep the shared flags that stand before the verb, for the command that follows."""
    session = ctx.find_object(Session)
    assert session is not None, "entry() puts the session into the root context"
    session.note(json=as_json, debug=debug, no_color=no_color)


def verb() -> typer.Typer:
    """A command that is its own noun, such as `doctor`."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=CONTEXT)


def command(
    app: typer.Typer, name: str, examples: Sequence[str] = ()
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Register a function `f(session, ...) -> exit code or None` as a command that also takes the shared options."""

    def register(function: Callable[..., int | None]) -> Callable[..., int | None]:
        signature = inspect.signature(function, eval_str=True)
        own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in list(signature.parameters.values())[1:]]

        @functools.wraps(function)
        def call(ctx: typer.Context, *, as_json: bool, debug: bool, no_color: bool, **values: Any) -> None:
            session = ctx.find_object(Session)
            assert session is not None, "entry() puts the session into the root context"
            session.note(json=as_json, debug=debug, no_color=no_color)
            session.use_noted()
            try:
                code = function(session, **values)
            except KeyboardInterrupt:
                raise Interrupted("interrupted", "What was stored stays; run the command again.") from None
            raise typer.Exit(code or 0)

        parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context), *own, *SHARED]
        call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        app.command(name, cls=Command, epilog="\n".join(examples), context_settings=CONTEXT)(call)
        return function

    return register


def wants(argv: Sequence[str], flag: str) -> bool:
    """Whether a shared flag stands on the command line: needed before, and when, the words cannot be parsed."""
    words = list(argv)
    return flag in (words[: words.index("--")] if "--" in words else words)


def program_arguments() -> list[str]:
    """The words of the command line."""
    return sys.argv[1:]
