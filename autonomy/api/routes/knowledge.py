"""Tools and memory over HTTP."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from autonomy.api import deps, documents
from autonomy.api.documents import Id
from autonomy.api.ready import encode
from autonomy.api.routes import READS, problems
from autonomy.services import views

router = APIRouter(prefix="/api/v2", tags=["tools and memory"])


@router.get("/tools", summary="List tools", responses={200: {"model": documents.Items}, **problems()})
async def tools(request: Request) -> Response:
    """Every tool: its schemas, effect, cost, health and reputation."""
    found = await asyncio.to_thread(views.tools, deps.of(request).app.database)
    return _json({"items": found, "next_cursor": None})


@router.get("/memory/search", summary="Search what was read", responses={200: {"model": documents.Items}, **problems(*READS)})
async def search(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")],
    limit: Annotated[int, Query(ge=1, le=100)] = 8,
) -> Response:
    """The best passages, each with its source and page or section. A user's token searches the named corpora alone."""
    shared, who = deps.of(request), deps.principal(request)
    folders = None if who.admin else list(shared.app.settings.corpora.values())
    found = await asyncio.to_thread(lambda: shared.app.memory.search(q, corpora=folders, limit=limit))
    return _json({"items": found, "next_cursor": None})


@router.get(
    "/memory/runs/{run_id}",
    summary="List what a run remembers",
    responses={200: {"model": documents.Items}, **problems(*READS)},
)
async def remembered(
    request: Request,
    run_id: Annotated[Id, Path(description="A run's id.")],
    kind: Annotated[str | None, Query(pattern=r"^[a-z_]{1,32}$")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=256)] = None,
) -> Response:
    """What a run gathered and noted: cards, sections, notes."""
    database, who = deps.of(request).app.database, deps.principal(request)

    def look() -> dict[str, Any]:
        views.check_owner(database, run_id, who.scope)
        return views.remembered(database, run_id, kind, limit, cursor)

    return _json(await asyncio.to_thread(look))


def _json(value: dict[str, Any]) -> Response:
    return Response(encode(value), 200, {"cache-control": "no-store"}, "application/json")
