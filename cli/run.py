"""`autonomy run`: start, follow, steer and explain runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options, values
from cli.command import command, noun
from cli.output import CYAN, DIM, plain
from cli.session import Session
from cli.values import LISTED, MOST

app = noun("Start, follow, steer and explain runs.")


@command(
    app,
    "start",
    examples=(
        'autonomy run start "How are tasks cancelled?" --corpus ./docs',
        'autonomy run start "..." --journey research --corpus ./docs --length 500',
        'autonomy run start "..." --corpus ./docs --style ieee --budget-usd 0.50',
        'autonomy run start "..." --corpus ./docs --detach   # for autonomy worker',
    ),
)
def start(
    session: Session,
    goal: options.GoalArgument,
    journey: options.JourneyOption = "write",
    corpus: options.CorpusOption = None,
    source: options.SourceOption = None,
    length: options.LengthOption = None,
    style: options.StyleOption = "apa",
    min_citations: options.CitationsOption = None,
    target_similarity: options.SimilarityOption = None,
    due: options.DueOption = None,
    task: options.TaskOption = None,
    budget_tokens: options.TokensOption = None,
    budget_seconds: options.SecondsOption = None,
    budget_usd: options.UsdOption = None,
    user: options.UserOption = "local",
    priority: options.PriorityOption = None,
    seed: options.SeedOption = 0,
    provider: options.ProviderOption = None,
    detach: options.DetachOption = False,
    idempotency_key: options.KeyOption = None,
) -> int:
    """Start a run and work it to its document, with a live view."""
    settings = session.settings()
    order = values.priority(settings.queue.priority if priority is None else priority)
    asked = {"tokens": budget_tokens, "seconds": budget_seconds, "usd": budget_usd}
    default = settings.budget
    limits = {name: getattr(default, name) if value is None else value for name, value in asked.items()}
    spec = values.task(
        goal=goal,
        journey=journey,
        corpus=values.corpora(corpus or (), settings.corpora),
        source=values.document(source),
        length=length,
        style=style,
        min_citations=min_citations,
        target_similarity=target_similarity,
        due_date=values.date(due),
        budget=values.budget(**limits),
        seed=seed,
        provider=values.providers(provider, settings),
    )
    user = values.user_id(user)
    with session.app() as application:
        from autonomy.services.runs import StartRun

        request = StartRun(
            task=spec, user_id=user, priority=order, idempotency_key=idempotency_key, **_reported_to(application, task)
        )
        application.runs.admit(request)
        from cli.reading import read

        read(application, session.out, spec.corpus)
        started = application.runs.start(request)
        if detach:
            return _detached(session, started, application.runs.inspect(started.run_id))
        from cli.foreground import work

        return work(application, session.out, started.run_id, job_id=started.job_id)


def _reported_to(application: Any, task: str | None) -> dict[str, str]:
    """The task that the run reports into, and the correlation id that it was given at its door. Raises NotFound."""
    if task is None:
        return {}
    task_id = application.tasks.resolve(task)
    page = application.tasks.show(task_id, by="local")
    return {"task_id": task_id, "correlation_id": page["correlation_id"]}


def _detached(session: Session, started: Any, page: dict[str, Any]) -> int:
    """Tell the run that was left to a worker: `page` shows how it stands, which a known key may find ended long ago."""
    out = session.out
    if out.json:
        from cli.foreground import document

        out.document(document(page, started.job_id))
        return 0
    run_id = started.run_id
    out.data(run_id)
    if page["outcome"] is not None:
        look = out.paint_err(f"autonomy run inspect {run_id[:8]}", CYAN)
        out.say(f"The run was started before with this key and has ended; {look} shows it.")
        return 0
    again = "was started before with this key" if started.duplicate else "is queued"
    out.say(f"The run {again}; {out.paint_err('autonomy worker', CYAN)} works it, "
            f"{out.paint_err(f'autonomy run tail {run_id[:8]}', CYAN)} follows it.")  # fmt: skip
    return 0


@command(
    app,
    "list",
    examples=(
        "autonomy run list",
        "autonomy run list --status 'below target'",
        "autonomy run list --json | jq -r '.items[].run_id'",
    ),
)
def list_runs(
    session: Session,
    user: Annotated[str | None, typer.Option(metavar="ID", help="Only runs of this user.")] = None,
    status: Annotated[
        str | None,
        typer.Option(metavar="STATE", parser=values.run_state, help="Only runs in this state, in the list's own words."),
    ] = None,
    limit: Annotated[float, typer.Option(metavar="N", parser=values.whole, help=f"Most runs, 1 to {MOST}.")] = LISTED,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Continue after the page that gave it.")] = None,
) -> None:
    """List runs, the newest first."""
    from cli.pages import more, run_table

    with session.app(writes=False) as application:
        most = values.between("--limit", limit, 1, MOST)
        page = application.runs.page(user=user, status=status, limit=most, cursor=cursor)
        abandoned = application.runs.abandoned()
    if session.out.json:
        session.out.document({"items": page.items, "next_cursor": page.next_cursor})
        return
    if not page.items:
        session.out.say(
            f"No runs{' like that' if user or status else ' yet'}. Start one with 'autonomy run start GOAL --corpus DIR'."
        )
        return
    session.out.data(run_table(page.items, session.out, abandoned))
    if page.next_cursor:
        wanted = {"user": user, "status": status, "limit": None if most == LISTED else most}
        session.out.say(more("run list", **wanted, cursor=page.next_cursor))


@command(app, "inspect", examples=("autonomy run inspect 7k2q", "autonomy run inspect 7k2q --json | jq .budgets"))
def inspect(session: Session, run: options.RunArgument) -> None:
    """Show one run: task, plan, budgets, last verdict, files."""
    from cli.pages import run_page

    with session.app(writes=False) as application:
        page = application.runs.inspect(application.runs.resolve(run))
        abandoned = application.runs.abandoned()
    if session.out.json:
        session.out.document(page)
    else:
        session.out.data(run_page(page, session.out, abandoned, application.home))


@command(
    app,
    "tail",
    examples=("autonomy run tail 7k2q", "autonomy run tail 7k2q --from 100 --json", "autonomy run tail 7k2q --no-follow"),
)
def tail(
    session: Session,
    run: options.RunArgument,
    start_at: Annotated[float, typer.Option("--from", metavar="SEQ", parser=values.whole, help="Begin with this number.")] = 1,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Print what there is, then stop.")] = False,
) -> int:
    """Follow the events of a run until it ends."""
    from cli.stream import follow_run, until_left

    first = values.between("--from", start_at, 0, 2**62)
    with session.app(writes=False) as application:
        run_id = application.runs.resolve(run)
        with until_left() as leaving:
            follow_run(application.runs, run_id, session.out, leaving, after=max(first - 1, 0), follow=not no_follow)
    return leaving.code


@command(app, "resume", examples=("autonomy run resume 7k2q", "autonomy run resume 7k2q --wait"))
def resume(
    session: Session,
    run: options.RunArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the worker that holds the run.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Leave the run to a worker.")] = False,
) -> int:
    """Go on with a run from its last step, with a live view."""
    with session.app() as application:
        run_id = application.runs.resolve(run)
        answer = _requeued(application, run_id, wait)
        if detach:
            _steered(session, answer, "is queued again")
            return 0
        from cli.foreground import work

        return work(application, session.out, run_id, job_id=answer.get("job_id"), wait=wait)


def _requeued(application: Any, run_id: str, wait: bool) -> dict[str, Any]:
    """The run back in the queue; a live holder is an error unless it is to be waited for."""
    from autonomy.core.errors import HeldByAnother

    try:
        return dict(application.runs.resume(run_id))
    except HeldByAnother:
        if not wait:
            raise
        return {"run_id": run_id}


@command(app, "pause", examples=("autonomy run pause 7k2q",))
def pause(session: Session, run: options.RunArgument) -> None:
    """Stop a run at its next step; resume goes on there."""
    with session.app() as application:
        answer = application.runs.pause(application.runs.resolve(run))
    _steered(session, answer, "is paused" if answer["status"] == "paused" else "pauses at its next step", then="resume")


@command(app, "abort", examples=("autonomy run abort 7k2q",))
def abort(session: Session, run: options.RunArgument) -> None:
    """End a run for good; files written so far stay."""
    with session.app() as application:
        answer = application.runs.abort(application.runs.resolve(run))
    _steered(session, answer, "is aborted" if answer["status"] == "aborted" else "ends at its next step")


def _steered(session: Session, answer: dict[str, Any], what: str, then: str = "") -> None:
    if session.out.json:
        session.out.document(answer)
        return
    run_id = answer["run_id"]
    session.out.data(f"run {run_id[:8]} {what}")
    if then:
        session.out.say(f"Go on with {session.out.paint_err(f'autonomy run {then} {run_id[:8]}', CYAN)}")


@command(
    app,
    "budget",
    examples=("autonomy run budget 7k2q", "autonomy run budget 7k2q --usd 2", "autonomy run budget 7k2q --tokens none"),
)
def budget(
    session: Session,
    run: options.RunArgument,
    tokens: Annotated[
        str | None, typer.Option("--tokens", "--budget-tokens", metavar="N", help="Tokens in and out; 'none' lifts the limit.")
    ] = None,
    seconds: Annotated[
        str | None, typer.Option("--seconds", "--budget-seconds", metavar="N", help="Seconds of work; 'none' lifts the limit.")
    ] = None,
    usd: Annotated[
        str | None, typer.Option("--usd", "--budget-usd", metavar="X", help="US dollars; 'none' lifts the limit.")
    ] = None,
) -> None:
    """Show the budgets of a run, or change the ones named."""
    from cli.pages import budget_lines

    limits = values.limits(tokens=tokens, seconds=seconds, usd=usd)
    change = values.budget(**limits) if limits else None
    with session.app(writes=change is not None) as application:
        answer = application.runs.budget(application.runs.resolve(run), change)
    if session.out.json:
        session.out.document(answer)
    else:
        session.out.data("\n".join(budget_lines(answer["budgets"], session.out)))


@command(app, "explain", examples=("autonomy run explain 7k2q", "autonomy run explain 7k2q | less -R"))
def explain(session: Session, run: options.RunArgument) -> None:
    """Tell the story of a run: each decision and its reason."""
    from cli.tell import story_document, story_text

    with session.app(writes=False) as application:
        story = application.runs.explain(application.runs.resolve(run))
    if session.out.json:
        session.out.document(story_document(story))
    else:
        session.out.data(story_text(story, session.out))


@command(app, "export", examples=("autonomy run export 7k2q", "autonomy run export 7k2q --to ./handover"))
def export(
    session: Session,
    run: options.RunArgument,
    to: Annotated[str | None, typer.Option(metavar="DIR", help="New or empty folder; default: autonomy-RUN here.")] = None,
) -> None:
    """Copy the files of a run, each checked against its sha256."""
    named = None if to is None else values.place(to, "--to")
    with session.app(writes=False) as application:
        run_id = application.runs.resolve(run)
        folder = named or Path.cwd() / f"autonomy-{run_id[:8]}"
        written = application.runs.export(run_id, folder)
    if session.out.json:
        session.out.document({"run_id": run_id, "folder": str(folder), "files": [str(path) for path in written]})
        return
    session.out.data("\n".join(plain(path) for path in written))
    session.out.say(session.out.paint_err(f"{len(written)} files", DIM))
