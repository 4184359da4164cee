"""The pages: each asks the services what it shows and renders it. A page that cannot be shown says why, as a page."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse

from autonomy.api import deps, problems
from autonomy.api.auth import Principal
from autonomy.api.dashboard import render, views
from autonomy.api.dashboard.sentences import STORY
from autonomy.api.deps import Deps
from autonomy.api.documents import Id
from autonomy.api.problems import Refusal
from autonomy.core.errors import AutonomyError, InvalidInput, NotFound
from autonomy.core.events import EVENT_TYPES
from autonomy.core.types import RunState
from autonomy.services import views as parts
from autonomy.services.task_words import is_stuck
from autonomy.services.tasks import PAGE_MAX

LISTED, LATELY, TOLD = 50, 8, 80
"""Rows of a list, of what ended lately, and events of a story on one page."""
POLL_MS = 5000
"""How often lists are looked at again where no stream tells of changes."""
TASK_EVENTS = "task.created task.updated task.approved task.rejected task.needs_review"
RUN_EVENTS = " ".join(sorted(EVENT_TYPES))
SAID = {
    "approved": ("good", "Approved. Its run begins as soon as a worker is free."),
    "accepted": ("good", "Accepted."),
    "corpus": ("good", "The corpus is named."),
    "stuck": ("bad", "Approved, but it cannot start yet: see what is missing."),
    "rejected": ("good", "Rejected."),
    "paused": ("good", "Paused."),
    "pausing": ("good", "It pauses at its next step."),
    "resumed": ("good", "It goes on as soon as a worker is free."),
    "aborted": ("good", "Stopped for good."),
    "aborting": ("good", "It stops at its next step."),
    "report": ("good", "The report is taken. The run goes on with it as soon as a worker is free."),
    "known": ("good", "This report had been taken before."),
    "limits": ("good", "The limits are set."),
    "unchanged": ("good", "Nothing had to be changed."),
    "token": ("bad", "This token is not known here."),
}
"""What a page says after a form; the address names the sentence, never its text."""

TaskStatus = Literal["pending", "needs_review", "approved", "rejected"]
Show = Literal["story", "decisions", "everything"]
RunId = Annotated[Id, Path(description="A run's id.")]
Cursor = Annotated[str | None, Query(max_length=200)]


class Page(APIRoute):
    """A route whose errors are pages too."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler, with errors rendered."""
        handler = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handler(request)
            except Refusal as error:
                return problem(request, error.status, error.detail, error.hint)
            except RequestValidationError:
                return problem(request, 422, "this address cannot be understood", "Go back, and follow a link.")
            except AutonomyError as error:
                status = problems.status_of(error)
                if status >= 500:
                    problems.of_error(error)  # writes what happened into the log
                    return problem(request, status, "the server failed to answer", "Try again; its log says what happened.")
                return problem(request, status, error.message, error.hint)

        return handled


router = APIRouter(route_class=Page, include_in_schema=False)
entrance = APIRouter(route_class=Page, tags=["server"])
"""The page at an address that programs use as well: the document names it, so that every method of the address is told."""


def problem(request: Request, status: int, detail: str, hint: str) -> Response:
    """Why something could not be shown or done."""
    title = {403: "Not allowed", 404: "Not found", 409: "Not now"}.get(status, "That did not work")
    back = "/tasks" if "/tasks" in request.url.path else "/runs" if "/runs" in request.url.path else "/"
    text = detail[:1].upper() + detail[1:]
    return page(request, "problem.html", "", status=status, title=title, detail=f"{text}.", hint=hint, back=back)


def page(
    request: Request,
    template: str,
    here: str,
    *,
    status: int = 200,
    stream: tuple[str, str] | None = None,
    poll: int | None = None,
    **context: Any,
) -> Response:
    """A rendered page. `stream` is the address of its events and their types."""
    tone, text = SAID.get(request.query_params.get("said", ""), ("", ""))
    html = render.page(
        template,
        here=here,
        who=request.scope.get("autonomy"),
        live=None if stream is None else {"stream": stream[0], "events": stream[1]},
        poll=poll,
        said={"tone": tone, "text": text} if text else None,
        **context,
    )
    return HTMLResponse(html, status, render.HEADERS)


async def ask(request: Request, look: Callable[[Deps, Principal], dict[str, Any]]) -> dict[str, Any]:
    """What a page needs, gathered beside the event loop."""
    return await asyncio.to_thread(look, deps.of(request), deps.principal(request))


def task_stream(shared: Deps) -> tuple[str, str]:
    """The events of tasks from now on."""
    return f"/api/events?from={shared.app.tasks.last_position() + 1}", TASK_EVENTS


@router.get("/")
async def overview(request: Request) -> Response:
    """What waits for a person, what is under way, what ended lately."""

    def look(shared: Deps, who: Principal) -> dict[str, Any]:
        tasks, runs = shared.app.tasks, shared.app.runs

        def some(*statuses: str) -> list[dict[str, Any]]:
            found = [runs.page(user=who.scope, status=status, limit=LISTED).items for status in statuses]
            return [views.brief(run) for rows in found for run in rows]

        waiting = [tasks.list(user=who.scope, status=status, limit=LISTED).items for status in ("needs_review", "pending")]
        approved = tasks.list(user=who.scope, status="approved", limit=PAGE_MAX).items
        waiting.append([task for task in approved if is_stuck(task)][:LISTED])
        lately = [run for run in runs.page(user=who.scope, limit=LISTED).items if run["status"] in views.ENDED]
        return {
            "waiting_tasks": [views.task_brief(task) for rows in waiting for task in rows],
            "waiting_runs": some("waiting_human", "paused"),
            "running": some("running", "queued"),
            "lately": [views.brief(run) for run in lately[:LATELY]],
            "damaged": tasks.damaged() if who.admin else (),
            "stream": task_stream(shared),
        }

    return page(request, "overview.html", "Overview", poll=POLL_MS, **await ask(request, look))


@router.get("/tasks")
async def tasks(
    request: Request, status: Annotated[TaskStatus | None, Query()] = None, cursor: Cursor = None
) -> Response:  # fmt: skip
    """All tasks, newest first."""

    def look(shared: Deps, who: Principal) -> dict[str, Any]:
        found = shared.app.tasks.list(user=who.scope, status=status, limit=LISTED, cursor=cursor)
        return {
            "rows": [views.task_brief(task) for task in found.items],
            "cursor": found.next_cursor,
            "damaged": shared.app.tasks.damaged() if who.admin else (),
            "stream": task_stream(shared),
        }

    return page(request, "tasks.html", "Tasks", chosen=status or "", **await ask(request, look))


@router.get("/tasks/{task_id}")
async def task(request: Request, task_id: Annotated[Id, Path()]) -> Response:
    """One task: what was asked, what a decision starts, what was done."""

    def look(shared: Deps, who: Principal) -> dict[str, Any]:
        stream = task_stream(shared)
        found = shared.app.tasks.show(task_id, who.scope, by=who.user_id)
        return {"task": views.task(found, _defaults(shared)), "may_decide": who.admin, "stream": stream}

    return page(request, "task.html", "Tasks", **await ask(request, look))


def _defaults(shared: Deps) -> dict[str, Any]:
    """What a task's run gets where the task says nothing."""
    settings = shared.app.settings
    limits = {name: getattr(settings.budget, name) for name in ("tokens", "seconds", "usd")}
    return {
        "corpus": settings.tasks.corpus,
        "corpora": sorted(settings.corpora),
        "providers": [*(entry.name for entry in settings.providers), "extractive"],
        **limits,
    }


@router.get("/runs")
async def runs(
    request: Request, status: Annotated[RunState | None, Query()] = None, cursor: Cursor = None
) -> Response:  # fmt: skip
    """All runs, newest first."""

    def look(shared: Deps, who: Principal) -> dict[str, Any]:
        found = shared.app.runs.page(user=who.scope, status=status, limit=LISTED, cursor=cursor)
        return {"rows": [views.brief(run) for run in found.items], "cursor": found.next_cursor}

    return page(request, "runs.html", "Runs", chosen=status or "", poll=POLL_MS, **await ask(request, look))


@router.get("/runs/{run_id}")
async def run(
    request: Request,
    run_id: RunId,
    show: Show = "story",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
) -> Response:
    """One run: its plan, its story, its budgets, its files; it follows what happens."""

    def look(shared: Deps, who: Principal) -> dict[str, Any]:
        app = shared.app
        parts.check_owner(app.database, run_id, who.scope)
        newest, ended = parts.last_seq(app.database, run_id)
        types = {"story": STORY, "decisions": ("decision",), "everything": None}[show]
        events = [each.as_json() for each in parts.latest(app.database, run_id, types=types, before=before, limit=TOLD + 1)]
        found = parts.named_corpora(app.runs.inspect(run_id), app.settings.corpora)
        manifest, trouble = _manifest(shared, found)
        found["notes"] = [*found["notes"], *trouble]
        now = datetime.datetime.now(datetime.UTC)
        return {
            "run": views.run(found, parts.graph(found), events[:TOLD], manifest, now),
            "earlier": events[TOLD - 1]["seq"] if len(events) > TOLD else None,
            "stream": None if ended else (f"/api/v2/runs/{run_id}/events?from={newest + 1}", RUN_EVENTS),
        }

    return page(request, "run.html", "Runs", show=show, shows=views.SHOWS, **await ask(request, look))


def _manifest(shared: Deps, found: Mapping[str, Any]) -> tuple[dict[str, Any] | None, list[str]]:
    """The run's manifest, and what is wrong with it where it is not as it was delivered."""
    row = next((each for each in found["artifacts"] if each["role"] == "manifest"), None)
    if row is None:
        return None, []
    try:
        data = parts.artifact(shared.app.database, shared.app.home, found["run_id"], row["artifact_id"]).data
    except (InvalidInput, NotFound) as error:
        return None, [error.message]
    return json.loads(data), []


@router.get("/runs/{run_id}/files/{artifact_id}")
async def file(request: Request, run_id: RunId, artifact_id: Annotated[Id, Path()]) -> Response:
    """A file of the run: text is shown as plain text whatever it holds, the rest is saved."""

    def look(shared: Deps, who: Principal) -> dict[str, Any]:
        parts.check_owner(shared.app.database, run_id, who.scope)
        return {"file": parts.artifact(shared.app.database, shared.app.home, run_id, artifact_id)}

    found: parts.File = (await ask(request, look))["file"]
    kind = found.media_type.partition(";")[0]
    readable = kind.startswith("text/") or kind in ("application/json", "image/svg+xml")
    name = "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in found.name)
    headers = {
        "content-security-policy": "default-src 'none'; sandbox",
        "cache-control": "private, no-cache",
        "content-disposition": f'{"inline" if readable else "attachment"}; filename="{name}"',
    }
    return Response(found.data, 200, headers, "text/plain; charset=utf-8" if readable else "application/octet-stream")


@router.get("/memory")
async def memory(request: Request, q: Annotated[str, Query(max_length=2000)] = "") -> Response:
    """A look into what has been read."""
    text = q.replace("\x00", " ").strip()

    def look(shared: Deps, who: Principal) -> dict[str, Any]:
        if not text:
            return {"found": [], "problem": None}
        folders = None if who.admin else list(shared.app.settings.corpora.values())
        try:
            return {"found": shared.app.memory.search(text, corpora=folders, limit=12), "problem": None}
        except InvalidInput as error:
            return {"found": [], "problem": error.message}

    return page(request, "memory.html", "Memory", q=text, **await ask(request, look))


@entrance.get(
    "/login",
    summary="Show the sign-in page",
    responses={
        200: {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}},
        303: {"description": "Signed in already: the dashboard is next."},
    },
    response_class=Response,
)
async def login(request: Request) -> Response:
    """Where a browser signs in; who is known already is sent on."""
    if request.scope.get("autonomy") is not None:
        return RedirectResponse("/", 303)
    return page(request, "login.html", "")


@router.get("/static/{name}")
async def static(name: Literal["app.css", "app.js", "icon.svg"]) -> Response:
    """Style, script and sign: nothing secret, kept by the browser for as long as its address names it."""
    kind = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}[name.rpartition(".")[2]]
    data = (render.STATIC / name).read_bytes()
    return Response(data, 200, {"cache-control": "public, max-age=31536000, immutable"}, f"{kind}; charset=utf-8")
