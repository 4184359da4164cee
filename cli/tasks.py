"""`autonomy tasks`: add, look at and decide tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from autonomy.core.errors import StorageError
from cli import options, values
from cli.command import command, noun
from cli.output import CYAN, YELLOW, Output, plain, squeezed
from cli.session import Session
from cli.values import LISTED, MOST

if TYPE_CHECKING:
    from autonomy.bootstrap.app import App
    from autonomy.bootstrap.settings import Settings

app = noun("Add, look at and decide tasks.")

OPERATOR = "local"
TaskStatus = Literal["pending", "needs_review", "approved", "rejected"]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="Id of a task; any unique beginning of it will do.")]


@command(
    app,
    "list",
    examples=(
        "autonomy tasks list",
        "autonomy tasks list --status needs_review",
        "autonomy tasks list --json | jq -r '.items[].task_id'",
    ),
)
def list_tasks(
    session: Session,
    user: Annotated[str | None, typer.Option(metavar="ID", help="Only tasks of this user.")] = None,
    status: Annotated[
        TaskStatus | None, typer.Option(metavar="STATUS", help="pending, needs_review, approved or rejected.")
    ] = None,
    limit: Annotated[float, typer.Option(metavar="N", parser=values.whole, help=f"Most tasks, 1 to {MOST}.")] = LISTED,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Continue after the page that gave it.")] = None,
) -> None:
    """List tasks, the newest first. What cannot be started, and files that are no tasks, are named on stderr."""
    from autonomy.services.task_words import is_stuck
    from cli.pages import more
    from cli.task_pages import task_table

    out = session.out
    with session.app(writes=False) as application:
        most = values.between("--limit", limit, 1, MOST)
        page = application.tasks.list(user=user, status=status, limit=most, cursor=cursor)
        damaged = application.tasks.damaged()
        runs = {} if out.json else _standing(application, page.items)
    for each in damaged:
        out.say(f"{out.paint_err('damaged:', YELLOW)} {plain(each.name)} {plain(each.why)}; it was left as it is")
    if out.json:
        names = [{"name": each.name, "why": each.why} for each in damaged]
        out.document({"items": page.items, "next_cursor": page.next_cursor, "damaged": names})
        return
    if not page.items:
        none = "No tasks like that" if user or status or cursor else "No other tasks" if damaged else "No tasks yet"
        out.say(f"{none}. Add one with 'autonomy tasks add TEXT --corpus DIR'.")
        return
    out.data(task_table(page.items, out, runs))
    for row in filter(is_stuck, page.items):
        out.say(f"{out.paint_err('cannot start:', YELLOW)} {plain(row['task_id'][:12])}: {squeezed(row['error'])}")
    if page.next_cursor:
        wanted = {"user": user, "status": status, "limit": None if most == LISTED else most}
        out.say(more("tasks list", **wanted, cursor=page.next_cursor))


@command(app, "show", examples=("autonomy tasks show 7k2q", "autonomy tasks show 7k2q --json | jq .verdict.issues"))
def show(session: Session, task: TaskArgument) -> None:
    """Show one task: what was asked, what was decided and by whom."""
    from cli.task_pages import task_page

    with session.app(writes=False) as application:
        page = application.tasks.show(application.tasks.resolve(task), by=OPERATOR)
    if session.out.json:
        session.out.document(page)
    else:
        session.out.data(task_page(page, session.out, application.home))


@command(app, "approve", examples=("autonomy tasks approve 7k2q",))
def approve(session: Session, task: TaskArgument) -> None:
    """Say yes to a new task or to a result. A new task gets its run, a result that waits for review is accepted."""
    from cli.task_pages import documents

    out = session.out
    with session.app() as application:
        page = application.tasks.approve(application.tasks.resolve(task), OPERATOR)
    if out.json:
        out.document(page)
        return
    out.data(f"task {page['task_id'][:12]} is {page['status']}")
    if page.get("outcome"):
        where = ", ".join(plain(path) for path in documents(page, application.home))
        out.say(f"What its run brought is accepted{f': {where}' if where else ''}.")
    else:
        _tell_start(page, out)


@command(app, "reject", examples=('autonomy tasks reject 7k2q --reason "Out of scope."',))
def reject(
    session: Session,
    task: TaskArgument,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in the task.")],
) -> None:
    """Say no, with the reason."""
    with session.app() as application:
        page = application.tasks.reject(application.tasks.resolve(task), OPERATOR, reason)
    if session.out.json:
        session.out.document(page)
    else:
        session.out.data(f"task {page['task_id'][:12]} is {page['status']}")


@command(
    app,
    "corpus",
    examples=("autonomy tasks corpus 7k2q ./docs", "autonomy tasks corpus 7k2q handbook"),
)
def corpus(
    session: Session,
    task: TaskArgument,
    folders: Annotated[list[str], typer.Argument(metavar="DIR...", help="Folders of documents, or names in [corpora].")],
) -> None:
    """Name what a task reads, before its work begins.

    A task that was approved and waits for it is started.
    """
    out = session.out
    names = _corpora(folders, session.settings()) or []
    with session.app() as application:
        page = application.tasks.name_corpus(application.tasks.resolve(task), names, OPERATOR, folders=True)
    if out.json:
        out.document(page)
        return
    out.data(f"task {page['task_id'][:12]} reads {', '.join(plain(name) for name in page['corpus'])}")
    _tell_start(page, out)


@command(
    app,
    "add",
    examples=(
        'autonomy tasks add "How are tasks cancelled?" --corpus ./docs',
        'autonomy tasks add "..." --corpus ./docs --length 500 --criterion length',
        'autonomy tasks add "..." --corpus ./docs --criterion "overlap <= 5%"',
    ),
)
def add(
    session: Session,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is asked for, in your words.")],
    journey: options.JourneyOption = "write",
    corpus: options.CorpusOption = None,
    length: options.LengthOption = None,
    style: options.StyleOption = "apa",
    min_citations: options.CitationsOption = None,
    seed: options.SeedOption = 0,
    provider: options.ProviderOption = None,
    criterion: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            help="What an accepted result must meet; repeatable. The bare name of a gate (docs/gates.md), or one with a "
            "number, is measured; any other sentence is left to you.",
        ),
    ] = None,
    scope: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="What the work may touch; repeatable.")] = None,
    user: options.UserOption = "local",
) -> None:
    """Add a task; it waits until a person approves it.

    Without --corpus it reads that of [tasks] in autonomy.toml.
    """
    settings = session.settings()
    spec: dict[str, Any] = {"length": length, "min_citations": min_citations}
    spec |= {"style": style if style != "apa" else None, "seed": seed or None, "corpus": _corpora(corpus, settings)}
    spec["provider"] = list(values.providers(provider, settings)) or None
    with session.app() as application:
        from autonomy.services.tasks import NewTask

        made = application.tasks.create(
            NewTask(
                source="cli",
                request_text=text,
                user_id=values.user_id(user),
                journey=journey,
                task_spec={name: value for name, value in spec.items() if value is not None},
                acceptance_criteria=_items("c", criterion),
                declared_scope=_items("s", scope),
            )
        )
    if session.out.json:
        session.out.document({**made.task, **({"notes": list(made.notes)} if made.notes else {})})
        return
    task_id = made.task["task_id"]
    session.out.data(task_id)
    for note in made.notes:
        session.out.say(f"{session.out.paint_err('note:', YELLOW)} {plain(note)}.")
    _tell_start(made.task, session.out)


def _standing(application: App, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """How the runs stand that have not reported yet; none where the database, which the list itself needs not, is away."""
    try:
        return application.runs.statuses([row["run_id"] for row in rows if row.get("run_id") and not row.get("outcome")])
    except StorageError:
        return {}


def _tell_start(page: Mapping[str, Any], out: Output) -> None:
    """What comes next for a task whose result is not there yet."""
    if page.get("error"):
        out.say(f"{out.paint_err('cannot start:', YELLOW)} {squeezed(page['error'])}")
    elif page.get("run_id"):
        run = page["run_id"][:8]
        out.say(f"Its run is queued; {out.paint_err('autonomy worker', CYAN)} works it, "
                f"{out.paint_err(f'autonomy run tail {run}', CYAN)} follows it.")  # fmt: skip
    elif page["status"] == "pending":
        task = page["task_id"][:8]
        out.say(f"The task is pending; {out.paint_err(f'autonomy tasks approve {task}', CYAN)} starts it.")


def _corpora(names: Sequence[str] | None, settings: Settings) -> list[str] | None:
    """Names of `[corpora]` as they are, folders as absolute paths; each is looked at."""
    if not names:
        return None
    folders = values.corpora(names, settings.corpora)
    return [name if name in settings.corpora else str(Path(folder)) for name, folder in zip(names, folders, strict=True)]


def _items(letter: str, texts: Sequence[str] | None) -> list[dict[str, str]]:
    return [{"id": f"{letter}{number}", "text": text} for number, text in enumerate(texts or (), 1)]
