"""Tasks over HTTP: what was asked, what a person decided, and the stream of every change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from autonomy.api import deps, documents
from autonomy.api.deps import TASKS
from autonomy.api.documents import Id
from autonomy.api.feeds import BATCH, of_task_event, task_key
from autonomy.api.gate import headers_of
from autonomy.api.hub import Frame
from autonomy.api.problems import Refusal
from autonomy.api.routes import READS, WRITES, problems
from autonomy.api.streams import LARGEST_ID, MEDIA_TYPE, EventStream, begin_after
from autonomy.core.errors import NotYetBuilt
from autonomy.services import task_events
from autonomy.services.tasks import NewTask
from autonomy.ssot.canonical import canonical

router = APIRouter(prefix="/api", tags=["tasks"])
TaskId = Annotated[Id, Path(description="A task's id.")]
_PAGING: dict[str, Any] = {
    "parameters": [
        {"name": "status", "in": "query", "schema": {"enum": ["pending", "needs_review", "approved", "rejected"]}},
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}},
        {"name": "cursor", "in": "query", "schema": {"type": "string", "maxLength": 200}},
    ]
}


@router.get(
    "/tasks", summary="List tasks", responses={200: {"model": documents.TaskPage}, **problems(422)}, openapi_extra=_PAGING
)
async def page(request: Request) -> Response:
    """Tasks, newest first; your own, or with the admin's token everyone's. (The bare address is answered by the gate.)"""
    tasks, who = deps.of(request).app.tasks, deps.principal(request)
    asked = documents.TaskQuery.of(request.query_params)
    found = await asyncio.to_thread(
        tasks.list, user=who.scope, status=asked.status, limit=asked.limit, cursor=asked.cursor
    )  # fmt: skip
    return _json(canonical({"items": found.items, "next_cursor": found.next_cursor}))


@router.post(
    "/tasks",
    summary="Add a task",
    status_code=201,
    responses={201: {"model": documents.Task}, 200: {"model": documents.Task}, **problems(*WRITES)},
)
async def create(request: Request, body: documents.TaskRequest) -> Response:
    """A new task, pending until a person decides. The same `task_id` again changes nothing: 200 with the task as it is."""
    tasks, who = deps.of(request).app.tasks, deps.principal(request)
    user = who.acting_for(body.user_id)
    spec = None if body.task_spec is None else body.task_spec.model_dump(mode="json", exclude_unset=True)
    if spec is not None and spec.get("source") is not None:
        raise NotYetBuilt("a source document over HTTP is not part of this release", "Leave source out.")
    new = NewTask(
        source="http",
        request_text=body.request_text,
        user_id=user,
        journey=body.journey,
        task_spec=spec,
        task_id=body.task_id,
        correlation_id=body.correlation_id,
        git=None if body.git is None else body.git.model_dump(exclude_none=True),
        acceptance_criteria=[item.model_dump() for item in body.acceptance_criteria],
        declared_scope=[item.model_dump() for item in body.declared_scope],
    )
    made = await asyncio.to_thread(tasks.create, new)
    if made.duplicate and made.task.get("user_id", "local") != user:
        raise Refusal(409, "taken", "this task id is taken", "Choose another, or leave it out.")
    place = {"location": f"/api/tasks/{made.task['task_id']}"}
    told = {**made.task, "notes": list(made.notes)} if made.notes else made.task
    return _json(canonical(told), 200 if made.duplicate else 201, place)


@router.get("/tasks/{task_id}", summary="Show a task", responses={200: {"model": documents.Task}, **problems(*READS, 409)})
async def detail(request: Request, task_id: TaskId) -> Response:
    """Everything about one task, as canonical JSON: the same task has the same bytes."""
    tasks, who = deps.of(request).app.tasks, deps.principal(request)
    return _json(canonical(await asyncio.to_thread(tasks.show, task_id, who.scope, by=who.user_id)))


@router.post(
    "/tasks/{task_id}/approve",
    summary="Approve a task, or accept its result",
    responses={200: {"model": documents.Task}, **problems(*WRITES)},
)
async def approve(request: Request, task_id: TaskId, body: documents.Decision | None = None) -> Response:
    """A person says yes: a new task's run starts once, a result that waits for review is accepted. Needs the admin's token."""
    tasks = deps.of(request).app.tasks
    return await _decided(request, lambda by: tasks.approve(task_id, by, None if body is None else body.reason))


@router.post(
    "/tasks/{task_id}/reject", summary="Reject a task", responses={200: {"model": documents.Task}, **problems(*WRITES)}
)
async def reject(request: Request, task_id: TaskId, body: documents.Decision | None = None) -> Response:
    """A person says no. Needs the admin's token."""
    tasks = deps.of(request).app.tasks
    return await _decided(request, lambda by: tasks.reject(task_id, by, None if body is None else body.reason))


@router.put(
    "/tasks/{task_id}/corpus",
    summary="Name what a task reads",
    responses={200: {"model": documents.Task}, **problems(*WRITES)},
)
async def corpus(request: Request, task_id: TaskId, body: documents.CorpusRequest) -> Response:
    """Before its work begins; a task that was approved and waits for a corpus is started. Needs the admin's token."""
    tasks = deps.of(request).app.tasks
    return await _decided(request, lambda by: tasks.name_corpus(task_id, body.names(), by, folders=False))


@router.get(
    "/events",
    summary="Follow all tasks",
    responses={
        200: {"description": "Changes of tasks.", "content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **problems(422, 429),
    },
    response_class=Response,
)
async def events(
    request: Request,
    first: Annotated[int | None, Query(alias="from", ge=0, le=LARGEST_ID, description="Begin with this id.")] = None,
    last_event_id: Annotated[str | None, Header(description="Go on after this id.")] = None,
) -> Response:
    """Every change of every task that is yours to see, as server-sent events: what there is, then what comes. Resumable."""
    shared, who = deps.of(request), deps.principal(request)
    database, hub = shared.app.database, shared.hub

    async def backlog(last: int) -> Sequence[Frame]:
        upto = hub.settled(TASKS)
        rows = await asyncio.to_thread(task_events.between, database, last, upto, user=who.scope, limit=BATCH)
        return [of_task_event(row) for row in rows]

    after = begin_after(headers_of(request.scope), first)
    return EventStream(shared.broadcast, who, "tasks", task_key(who.scope), after, backlog)


async def _decided(request: Request, decide: Callable[[str], Mapping[str, Any]]) -> Response:
    who = deps.principal(request)
    if not who.admin:
        raise Refusal(403, "forbidden", "only the admin decides tasks", "Use the admin token.")
    return _json(canonical(await asyncio.to_thread(decide, who.user_id)))


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, {"cache-control": "no-store", **(headers or {})}, "application/json")
