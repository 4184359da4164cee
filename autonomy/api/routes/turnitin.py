"""Similarity reports over HTTP: what a run waits for, and the report that comes back, as JSON or with its file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from autonomy.api import deps, documents
from autonomy.api.deps import Deps
from autonomy.api.documents import Id
from autonomy.api.problems import Refusal
from autonomy.api.ready import encode
from autonomy.api.routes import READS, WRITES, problems
from autonomy.core.errors import InvalidInput
from autonomy.services import views
from autonomy.services.turnitin import Brought

router = APIRouter(prefix="/api/v2/turnitin", tags=["turnitin"])
RunId = Annotated[Id, Path(description="A run's id.")]
FILE = "file"
MULTIPART = "multipart/form-data"
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": documents.ReportRequest.model_json_schema()},
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {
                        **documents.ReportRequest.model_json_schema()["properties"],
                        FILE: {"type": "string", "format": "binary", "description": "PDF, HTML or JSON."},
                    },
                    "required": [FILE],
                }
            },
        },
    }
}


@router.get(
    "/{run_id}/status",
    summary="Show what a run waits for",
    responses={200: {"model": documents.CycleStatus}, **problems(*READS)},
)
async def status(request: Request, run_id: RunId) -> Response:
    """The run's newest wait for a report, its report once there is one, and all waits before it."""
    return await _asked(request, run_id, lambda shared: shared.app.turnitin.status(run_id))


@router.post(
    "/{run_id}/handoff",
    summary="Ask for the draft that waits",
    responses={200: {"model": documents.Handoff}, **problems(*WRITES)},
)
async def handoff(request: Request, run_id: RunId) -> Response:
    """The draft that is to be checked, and how its report is brought back. Asking changes nothing."""
    return await _asked(request, run_id, lambda shared: shared.app.turnitin.handoff(run_id))


@router.post(
    "/{run_id}/report",
    summary="Bring a similarity report",
    responses={200: {"model": documents.ReportTaken}, **problems(*WRITES, 429)},
    openapi_extra=_BODY,
)
async def report(request: Request, run_id: RunId) -> Response:
    """The run goes on with the report, once, however often it is sent: then `duplicate` is true. Another one, or one that
    comes too late, is 409; one without a similarity 422, and the run waits on."""
    who = deps.principal(request)
    data, name, said = await read(request)

    def take(shared: Deps) -> dict[str, Any]:
        uploader = said.human_uploader_id or who.user_id
        brought = Brought(data, name, said.report_url, said.observed_similarity, said.cycle_id, uploader)
        return shared.app.turnitin.report(run_id, brought, who.user_id)

    return await _asked(request, run_id, take, long=True)


async def read(request: Request) -> tuple[bytes | None, str, documents.ReportRequest]:
    """The file with its name where the body has one, and what is said beside it. Raises RequestValidationError, Refusal."""
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    data, name = None, "report"
    if kind == MULTIPART:
        given, data, name = await _form(request)
    else:
        given = await request.json() if await request.body() else {}
    try:
        return data, name, documents.ReportRequest.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from None


async def _form(request: Request) -> tuple[dict[str, Any], bytes | None, str]:
    from starlette.datastructures import UploadFile
    from starlette.exceptions import HTTPException

    data: bytes | None = None
    name, given = "report", dict[str, Any]()
    try:
        async with request.form(max_files=1, max_fields=8, max_part_size=64 * 1024) as form:
            for key, value in form.multi_items():
                if isinstance(value, UploadFile):
                    if key != FILE:
                        raise InvalidInput(f"the form has a file named {key[:40]!r}", f"Name it '{FILE}'.")
                    if value.filename:  # a browser sends a file field that nobody filled as one without a name
                        data, name = await value.read(), value.filename
                elif value:
                    given[key] = value
    except HTTPException:
        raise Refusal(400, "bad-form", "the form cannot be read", "Send multipart/form-data with one file.") from None
    if "observed_similarity" in given:
        try:
            given["observed_similarity"] = float(given["observed_similarity"])
        except ValueError:
            raise InvalidInput("observed_similarity is not a number", "Give a number from 0 to 100.") from None
    return given, data, name


async def _asked(request: Request, run_id: str, ask: Callable[[Deps], dict[str, Any]], *, long: bool = False) -> Response:
    """Ask something of a run that is the principal's to ask for; beside the event loop, at the desk where it may take long."""
    shared, who = deps.of(request), deps.principal(request)

    def work() -> dict[str, Any]:
        views.check_owner(shared.app.database, run_id, who.scope)
        return ask(shared)

    found = await (shared.desk.run(work) if long else asyncio.to_thread(work))
    return Response(encode(found), 200, {"cache-control": "no-store"}, "application/json")
