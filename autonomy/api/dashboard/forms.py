"""What the forms of the pages do: ask a service, then send the browser back to the page with a word about it.

The gate has made sure that the form was on a page of ours: it compares Origin with Host, and the cookie is SameSite=Strict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError
from starlette.responses import RedirectResponse

from autonomy.api import deps
from autonomy.api.auth import Principal
from autonomy.api.dashboard.pages import Page, RunId, ask
from autonomy.api.deps import Deps
from autonomy.api.documents import Id
from autonomy.api.problems import Refusal
from autonomy.api.routes.turnitin import read
from autonomy.core.errors import InvalidInput
from autonomy.core.types import Budget
from autonomy.services import views as parts
from autonomy.services.task_words import is_stuck
from autonomy.services.turnitin import Brought

FIELDS = 20
LIMITS = {"tokens": "Tokens", "seconds": "Time", "usd": "Cost"}

router = APIRouter(prefix="/ui", route_class=Page, include_in_schema=False)
TaskId = Annotated[Id, Path()]


@router.post("/tasks/{task_id}/approve")
async def approve(request: Request, task_id: TaskId) -> Response:
    """A person says yes."""
    return await _decided(
        request, task_id, "approved", lambda shared, who: shared.app.tasks.approve(task_id, who.user_id)
    )  # fmt: skip


@router.post("/tasks/{task_id}/reject")
async def reject(request: Request, task_id: TaskId) -> Response:
    """A person says no, and why."""
    reason = (await fields(request)).get("reason", "").strip()
    if not reason:
        raise InvalidInput("a rejection needs its reason", "Say why, for whoever asked.")
    return await _decided(
        request, task_id, "rejected", lambda shared, who: shared.app.tasks.reject(task_id, who.user_id, reason)
    )  # fmt: skip


@router.post("/tasks/{task_id}/corpus")
async def corpus(request: Request, task_id: TaskId) -> Response:
    """A person names what the task reads."""
    name = (await fields(request)).get("corpus", "").strip()
    return await _decided(
        request, task_id, "corpus",
        lambda shared, who: shared.app.tasks.name_corpus(task_id, [name] if name else [], who.user_id, folders=False),
    )  # fmt: skip


@router.post("/runs/{run_id}/pause")
async def pause(request: Request, run_id: RunId) -> Response:
    """Stop at the next step."""
    words = {"applied": "paused", "requested": "pausing", "unchanged": "unchanged"}
    return await _steered(request, run_id, lambda shared: words[shared.app.runs.pause(run_id)["control"]])


@router.post("/runs/{run_id}/resume")
async def resume(request: Request, run_id: RunId) -> Response:
    """Go on."""

    def go_on(shared: Deps) -> str:
        shared.app.runs.resume(run_id)
        return "resumed"

    return await _steered(request, run_id, go_on)


@router.post("/runs/{run_id}/abort")
async def abort(request: Request, run_id: RunId) -> Response:
    """Stop for good."""
    words = {"applied": "aborted", "requested": "aborting", "unchanged": "unchanged"}
    return await _steered(request, run_id, lambda shared: words[shared.app.runs.abort(run_id)["control"]])


@router.post("/runs/{run_id}/budget")
async def budget(request: Request, run_id: RunId) -> Response:
    """Set the limits that the form changes."""
    given = await fields(request)

    def change(shared: Deps) -> str:
        wanted = changed(given, shared.app.runs.budget(run_id)["budgets"])
        if wanted is None:
            return "unchanged"
        shared.app.runs.budget(run_id, wanted)
        return "limits"

    return await _steered(request, run_id, change)


@router.post("/runs/{run_id}/report")
async def report(request: Request, run_id: RunId) -> Response:
    """A person brings a similarity report."""
    data, name, said = await read(request)

    def work(shared: Deps, who: Principal) -> dict[str, Any]:
        parts.check_owner(shared.app.database, run_id, who.scope)
        brought = Brought(data, name, None, said.observed_similarity, said.cycle_id, who.user_id)
        return {"word": "known" if shared.app.turnitin.report(run_id, brought, who.user_id)["duplicate"] else "report"}

    shared, who = deps.of(request), deps.principal(request)
    found = await shared.desk.run(lambda: work(shared, who))
    return RedirectResponse(f"/runs/{run_id}?said={found['word']}", 303)


def changed(given: Mapping[str, str], now: Mapping[str, Any]) -> Budget | None:
    """The limits that differ from how they stand; an empty field lifts one. Raises InvalidInput."""
    wanted: dict[str, float | None] = {}
    for name, label in LIMITS.items():
        if name not in given:
            continue
        text = given[name].strip()
        limit = None if not text else _number(text, label)
        if limit != now[name]["limit"]:
            wanted[name] = limit
    if not wanted:
        return None
    try:
        return Budget.model_validate({name: int(v) if name == "tokens" and v is not None else v for name, v in wanted.items()})
    except ValidationError as error:
        first = error.errors()[0]
        label = LIMITS[str(first["loc"][0])]
        raise InvalidInput(f"{label}: {str(first['msg'])[:1].lower()}{str(first['msg'])[1:]}", "Correct the limit.") from None


def _number(text: str, label: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0 or (label == "Tokens" and number != int(number)):
        raise InvalidInput(f"{label}: {text[:40]} is not a limit", "Give a number, or nothing for no limit.")
    return number


async def fields(request: Request) -> dict[str, str]:
    """The form's fields. Raises InvalidInput for what no browser sends."""
    try:
        found = parse_qs((await request.body()).decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise InvalidInput("the form cannot be read", "Send it from its page.") from None
    return {name: values[-1].replace("\r\n", "\n") for name, values in found.items()}


async def _decided(
    request: Request, task_id: str, word: str, decide: Callable[[Deps, Principal], dict[str, Any]]
) -> Response:  # fmt: skip
    def work(shared: Deps, who: Principal) -> dict[str, Any]:
        if not who.admin:
            raise Refusal(403, "forbidden", "the operator decides about tasks", "Ask whoever has the admin token.")
        found = decide(shared, who)
        if word == "approved":
            return {"word": "stuck" if is_stuck(found) else "accepted" if found.get("verdict") else word}
        return {"word": word}

    return RedirectResponse(f"/tasks/{task_id}?said={(await ask(request, work))['word']}", 303)


async def _steered(request: Request, run_id: str, steer: Callable[[Deps], str]) -> Response:
    def work(shared: Deps, who: Principal) -> dict[str, Any]:
        parts.check_owner(shared.app.database, run_id, who.scope)
        return {"word": steer(shared)}

    return RedirectResponse(f"/runs/{run_id}?said={(await ask(request, work))['word']}", 303)
