"""The options of `autonomy run`, one alias each, so that a command's signature reads as the list of what it takes."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cli.values import number, whole

Journey = Literal["write", "rewrite", "research", "slides", "assignment"]
Style = Literal["apa", "harvard", "mla", "chicago", "ieee", "vancouver"]
"""Equal to the types in `autonomy.core.types`, which would load pydantic before a help page can be shown."""

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run; any unique beginning of it will do.")]
GoalArgument = Annotated[str, typer.Argument(metavar="GOAL", help="What the document is to be about, in your words.")]

TASK, LIMITS, WORK = "Task", "Limits", "How it is worked"

JourneyOption = Annotated[
    Journey,
    typer.Option(
        metavar="KIND", help="write or research; rewrite, slides and assignment come in a later release.", rich_help_panel=TASK
    ),
]
CorpusOption = Annotated[
    list[str] | None,
    typer.Option(metavar="DIR", help="Folder of documents or name in [corpora]; repeatable.", rich_help_panel=TASK),
]
SourceOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Document to rewrite; refused in this release.", rich_help_panel=TASK),
]
LengthOption = Annotated[
    float | None,
    typer.Option(
        metavar="WORDS", parser=whole, help="Words of the text: write all parts, research the synthesis.", rich_help_panel=TASK
    ),
]
StyleOption = Annotated[
    Style, typer.Option(metavar="STYLE", help="apa, harvard, mla, chicago, ieee, vancouver.", rich_help_panel=TASK)
]
CitationsOption = Annotated[
    float | None, typer.Option(metavar="N", parser=whole, help="Fewest different quotations cited.", rich_help_panel=TASK)
]
SimilarityOption = Annotated[
    float | None,
    typer.Option(
        metavar="PCT", parser=number, help="Wait for a similarity report; deliver at or below it.", rich_help_panel=TASK
    ),
]
DueOption = Annotated[str | None, typer.Option(metavar="DATE", help="Due date, YYYY-MM-DD, noted only.", rich_help_panel=TASK)]
TaskOption = Annotated[
    str | None, typer.Option(metavar="TASK_ID", help="Its task: becomes the correlation id.", rich_help_panel=TASK)
]

TokensOption = Annotated[
    float | None, typer.Option(metavar="N", parser=whole, help="Tokens in and out.", rich_help_panel=LIMITS)
]
SecondsOption = Annotated[
    float | None, typer.Option(metavar="N", parser=number, help="Seconds of work.", rich_help_panel=LIMITS)
]
UsdOption = Annotated[float | None, typer.Option(metavar="X", parser=number, help="US dollars.", rich_help_panel=LIMITS)]

UserOption = Annotated[str, typer.Option(metavar="ID", help="User the run belongs to.", rich_help_panel=WORK)]
PriorityOption = Annotated[
    float | None, typer.Option(metavar="1..10", parser=whole, help="1 is high, 10 is low.", rich_help_panel=WORK)
]
SeedOption = Annotated[float, typer.Option(metavar="N", parser=whole, help="Same seed, same choices.", rich_help_panel=WORK)]
ProviderOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only this provider; A,B is an order.", rich_help_panel=WORK)
]
DetachOption = Annotated[bool, typer.Option("--detach", help="Leave the run to a worker.", rich_help_panel=WORK)]
KeyOption = Annotated[
    str | None, typer.Option(metavar="KEY", help="The same key starts one run, however often.", rich_help_panel=WORK)
]
