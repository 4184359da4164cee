"""Runs over HTTP: start, list, look, follow, steer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from autonomy.api import deps, documents
from autonomy.api.auth import Principal
from autonomy.api.deps import Deps
from autonomy.api.documents import Id
from autonomy.api.feeds import BATCH, of_run_event, run_key
from autonomy.api.gate import headers_of
from autonomy.api.hub import Frame
from autonomy.api.ready import Bytes, encode
from autonomy.api.routes import READS, WRITES, problems
from autonomy.api.streams import LARGEST_ID, MEDIA_TYPE, EventStream, begin_after, is_wanted
from autonomy.core.errors import NotYetBuilt
from autonomy.core.types import RunState
from autonomy.services import asked, views
from autonomy.services.runs import StartRun

router = APIRouter(prefix="/api/v2/runs", tags=["runs"])
RunId = Annotated[Id, Path(description="A run's id.")]
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Events: backlog, then live.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
    204: {"description": "The run has ended and the reader has its last event: there is nothing to come back for."},
}


@router.post(
    "",
    summary="Start a run",
    status_code=202,
    responses={202: {"model": documents.RunAccepted}, 200: STREAM[200], **problems(*WRITES, 429)},
)
async def start(
    request: Request,
    body: documents.RunRequest,
    idempotency_key: Annotated[str | None, Header(min_length=1, max_length=256, pattern=r"^[!-~ ]+$")] = None,
) -> Response:
    """Start a run; 202 says that it is durable. The same Idempotency-Key with the same body finds the same run again.

    With `Accept: text/event-stream` the answer is the run's events instead, from the first; Location names the run.
    """
    shared, who = deps.of(request), deps.principal(request)
    followed = is_wanted(headers_of(request.scope))
    user = who.acting_for(body.user_id)
    settings = shared.app.settings

    def work() -> tuple[dict[str, Any], Sequence[Frame]]:
        if body.task_spec.source is not None:
            raise NotYetBuilt("a source document over HTTP is not part of this release", "Leave source out.")
        asks = body.task_spec.model_dump(mode="json", exclude_unset=True)
        spec = asked.resolve(
            asks, journey=body.journey, goal=body.task_spec.goal, defaults=shared.app.defaults, folders=False
        )  # fmt: skip
        order = settings.queue.priority if body.priority is None else body.priority
        wanted = StartRun(task=spec, user_id=user, priority=order, idempotency_key=idempotency_key)
        started = shared.app.runs.start(wanted)
        known = _frames(shared, started.run_id, 0) if followed else ()
        return {"run_id": started.run_id, "job_id": started.job_id}, known

    if followed:
        shared.broadcast.enter("run", who)  # before the run: who has no place to follow it from has started none
    try:
        made, known = await asyncio.to_thread(work)
    except BaseException:
        if followed:
            shared.broadcast.leave("run", who)
        raise
    location = {"location": f"/api/v2/runs/{made['run_id']}"}
    if not followed:
        return _json(made, 202, location)
    stream = _stream(shared, who, made["run_id"], entered=True, known=known)
    stream.headers.update(location)
    return stream


@router.get("", summary="List runs", responses={200: {"model": documents.RunPage}, **problems(*READS)})
async def page(
    request: Request,
    status: RunState | None = None,
    user_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Runs, newest first; your own, or with the admin's token everyone's. `status` is a run's status or its outcome."""
    shared, who = deps.of(request), deps.principal(request)
    user = who.scope if user_id is None else who.acting_for(user_id)
    found = await asyncio.to_thread(shared.app.runs.page, user=user, status=status, limit=limit, cursor=cursor)
    return _json({"items": found.items, "next_cursor": found.next_cursor})


@router.get(
    "/{run_id}",
    summary="Show a run",
    responses={200: {"model": documents.RunDetail}, 304: {"description": "Unchanged."}, **problems(*READS)},
)
async def detail(request: Request, run_id: RunId) -> Response:
    """Everything about one run as of its last checkpoint."""
    shared, who = deps.of(request), deps.principal(request)

    def make() -> Bytes:
        found = _shown(shared, run_id)
        return Bytes.of(encode(found), found["user_id"])

    held = await shared.ready.get(f"run:{run_id}", make)
    if not who.may_see(held.user_id):
        raise views.no_run(run_id)
    return held.answer(headers_of(request.scope))


@router.get(
    "/{run_id}/graph", summary="Show a run's plan as a graph", responses={200: {"model": documents.Graph}, **problems(*READS)}
)
async def graph(request: Request, run_id: RunId) -> Response:
    """The plan as nodes and edges, with the state of each step."""
    return await _asked(request, run_id, lambda shared: views.graph(shared.app.runs.inspect(run_id)))


@router.get("/{run_id}/events", summary="Follow a run", responses={**STREAM, **problems(*READS, 429)}, response_class=Response)
async def events(
    request: Request,
    run_id: RunId,
    first: Annotated[int | None, Query(alias="from", ge=0, le=LARGEST_ID, description="Begin with this seq.")] = None,
    last_event_id: Annotated[str | None, Header(description="Go on after this seq.")] = None,
) -> Response:
    """The run's events as server-sent events: what there is, then what comes, until the run ends. Resumable."""
    shared, who = deps.of(request), deps.principal(request)
    after = begin_after(headers_of(request.scope), first)

    def look() -> tuple[int, bool]:
        views.check_owner(shared.app.database, run_id, who.scope)
        return views.last_seq(shared.app.database, run_id)

    newest, ended = await asyncio.to_thread(look)
    if ended and after >= newest and last_event_id:
        return Response(status_code=204, headers={"cache-control": "no-store"})

    return _stream(shared, who, run_id, after, over=ended and after >= newest)


@router.post("/{run_id}/pause", summary="Pause a run", responses={200: {"model": documents.RunControlled}, **problems(*WRITES)})
async def pause(request: Request, run_id: RunId) -> Response:
    """Stop at the next step; the run keeps everything and costs nothing meanwhile."""
    return await _asked(request, run_id, lambda shared: shared.app.runs.pause(run_id))


@router.post("/{run_id}/resume", summary="Resume a run", responses={200: {"model": documents.RunResumed}, **problems(*WRITES)})
async def resume(request: Request, run_id: RunId) -> Response:
    """Put a paused run back into the queue."""
    return await _asked(request, run_id, lambda shared: shared.app.runs.resume(run_id))


@router.post("/{run_id}/abort", summary="Abort a run", responses={200: {"model": documents.RunControlled}, **problems(*WRITES)})
async def abort(request: Request, run_id: RunId) -> Response:
    """Stop for good; what was delivered stays."""
    return await _asked(request, run_id, lambda shared: shared.app.runs.abort(run_id))


@router.patch(
    "/{run_id}/budget", summary="Change a run's limits", responses={200: {"model": documents.RunBudgets}, **problems(*WRITES)}
)
async def budget(request: Request, run_id: RunId, body: documents.BudgetRequest) -> Response:
    """Set the limits that are named; null lifts one. A limit below what is used stops the run before its next call."""
    return await _asked(request, run_id, lambda shared: shared.app.runs.budget(run_id, body.limits()))


@router.get(
    "/{run_id}/artifacts/{artifact_id}",
    summary="Fetch a file of a run",
    responses={
        200: {"description": "The file.", "content": {"application/octet-stream": {"schema": {"type": "string"}}}},
        304: {"description": "Unchanged."},
        **problems(*READS),
    },
    response_class=Response,
)
async def artifact(request: Request, run_id: RunId, artifact_id: Annotated[Id, Path(description="From the run.")]) -> Response:
    """One file of the run, proved against its sha256; always to be saved, never to be shown as a page of ours."""
    shared, who = deps.of(request), deps.principal(request)

    def look() -> views.File:
        views.check_owner(shared.app.database, run_id, who.scope)
        return views.artifact(shared.app.database, shared.app.home, run_id, artifact_id)

    file = await asyncio.to_thread(look)
    etag = f'"{file.sha256}"'
    headers = {
        "etag": etag,
        "cache-control": "private, no-cache",
        "content-disposition": f'attachment; filename="{_plain(file.name)}"',
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if headers_of(request.scope).get(b"if-none-match", b"").decode("latin-1") == etag:
        return Response(status_code=304, headers=headers)
    return Response(file.data, headers=headers, media_type=file.media_type)


async def _asked(request: Request, run_id: str, ask: Callable[[Deps], dict[str, Any]]) -> Response:
    """Ask something of a run that is the principal's to ask for; beside the event loop."""
    shared, who = deps.of(request), deps.principal(request)

    def work() -> dict[str, Any]:
        views.check_owner(shared.app.database, run_id, who.scope)
        return ask(shared)

    return _json(await asyncio.to_thread(work))


def _frames(shared: Deps, run_id: str, after: int) -> Sequence[Frame]:
    return [of_run_event(event) for event in shared.app.runs.events(run_id, after=after, limit=BATCH)]


def _stream(
    shared: Deps,
    who: Principal,
    run_id: str,
    after: int = 0,
    *,
    over: bool = False,
    entered: bool = False,
    known: Sequence[Frame] = (),
) -> EventStream:
    """The run's events above a seq. `known` are the first of them, where they were read already; see `EventStream`."""

    async def backlog(last: int) -> Sequence[Frame]:
        if known and last == after:
            return known
        return await asyncio.to_thread(_frames, shared, run_id, last)

    return EventStream(shared.broadcast, who, "run", run_key(run_id), after, backlog, over=over, entered=entered)


def _shown(shared: Deps, run_id: str) -> dict[str, Any]:
    """The run as HTTP shows it: corpora by their names, never by where they lie."""
    return views.named_corpora(shared.app.runs.inspect(run_id), shared.app.settings.corpora)


def _json(value: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(encode(value), status, {"cache-control": "no-store", **(headers or {})}, "application/json")


def _plain(name: str) -> str:
    return "".join(char if char.isascii() and (char.isalnum() or char in "._-") else "_" for char in name)
