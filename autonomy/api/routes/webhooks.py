"""Webhooks: raw bytes in, `ingress` decides, its answer goes out and its lines into the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response

from autonomy.api import deps
from autonomy.api.ready import encode
from autonomy.api.routes import problems
from autonomy.ingress import github, telegram
from autonomy.ingress.reply import Reply
from autonomy.providers.settings import Secret

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
    "security": [],
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "Heard; it says what came of it.", "content": {"application/json": {"schema": {"type": "object"}}}},
    **problems(404, 413, 415),
}


@router.post("/github", summary="Take a delivery of GitHub", responses=_ANSWERS, openapi_extra=_BODY)
async def from_github(request: Request) -> Response:
    """A delivery of GitHub, signed with WEBHOOK_SECRET; without that secret there is nothing here."""
    app, body = deps.of(request).app, await request.body()
    chosen = app.settings.github
    options = github.Options(repos=chosen.repos, issues=chosen.issues, user=chosen.user)

    def receive() -> Reply:
        secret = _bytes(app.settings.webhook_secret)
        headers = request.scope["headers"]
        return github.receive(
            body, headers, secret=secret, options=options, tasks=app.tasks, database=app.database
        )  # fmt: skip

    return await _heard(request, receive)


@router.post("/telegram", summary="Take an update of Telegram", responses=_ANSWERS, openapi_extra=_BODY)
async def from_telegram(request: Request) -> Response:
    """An update of Telegram, with TELEGRAM_SECRET in its header; without that secret there is nothing here."""
    app, body = deps.of(request).app, await request.body()
    options = telegram.Options(app.settings.telegram.chats, app.settings.telegram.user)

    def receive() -> Reply:
        secret = _bytes(app.settings.telegram_secret)
        return telegram.receive(body, request.scope["headers"], secret=secret, options=options, tasks=app.tasks)

    return await _heard(request, receive)


async def _heard(request: Request, receive: Callable[[], Reply]) -> Response:
    audit = deps.of(request).app.audit

    def work() -> Reply:
        reply = receive()
        if reply.audit:
            audit.append_many(reply.audit)
        return reply

    reply = await asyncio.to_thread(work)
    return Response(encode(reply.body), reply.status, {"cache-control": "no-store", **reply.headers}, reply.media_type)


def _bytes(secret: Secret | None) -> bytes | None:
    return None if secret is None else secret.reveal().encode("utf-8", "surrogateescape")
