"""The server about itself: health and metrics; signing a browser in and out."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from autonomy import __version__
from autonomy.api import deps, documents, metrics
from autonomy.api.auth import COOKIE, OPERATING, SESSION_SECONDS, Principal, is_loopback, unauthorized
from autonomy.api.gate import headers_of
from autonomy.api.problems import Refusal
from autonomy.api.ready import encode
from autonomy.api.routes import problems
from autonomy.core.strict_json import loads

router = APIRouter(tags=["server"])
TOKEN = {"type": "object", "properties": {"token": {"type": "string", "maxLength": 4096}}, "required": ["token"]}
FORM = {"type": "object", "properties": {"token": {"type": "string"}}}
"""A form without a token, or with a wrong one of any length, is sent back to its page."""


@router.get("/healthz", summary="Check the server's health", responses={200: {"model": documents.Health}, **problems()})
async def healthz(request: Request) -> Response:
    """Whether the server answers and its database is there."""
    await deps.of(request).app.database.aread(lambda tx: tx.value("SELECT 1"))
    return Response(encode({"status": "ok", "version": __version__}), 200, {"cache-control": "no-store"}, "application/json")


@router.get(
    "/metrics",
    summary="Read the figures for Prometheus",
    responses={200: {"description": "Samples.", "content": {"text/plain": {"schema": {"type": "string"}}}}, **problems()},
    response_class=Response,
)
async def scrape(request: Request) -> Response:
    """Figures for Prometheus; they are about everyone, and so an admin's."""
    if not deps.principal(request).admin:
        raise Refusal(403, "forbidden", "the metrics are the admin's to see", "Use the admin token.")
    body = await asyncio.to_thread(metrics.page, deps.of(request).registry)
    return Response(body, 200, {"cache-control": "no-store", "content-type": metrics.CONTENT_TYPE})


@router.post(
    "/login",
    summary="Sign a browser in",
    status_code=204,
    responses={
        204: {"description": "Signed in: the answer sets the cookie."},
        303: {"description": "Signed in by a form: the dashboard is next."},
        **problems(413, 415, 422),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": TOKEN}, "application/x-www-form-urlencoded": {"schema": FORM}},
        }
    },
)
async def login(request: Request) -> Response:
    """Sign a browser in with a token, as JSON or from a form; the cookie is for this site alone and out of scripts' reach."""
    shared, headers = deps.of(request), headers_of(request.scope)
    form = headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded")
    token = _token(await request.body(), form=form)
    who = await _who(request, token)
    if who is None:
        await shared.auth_failed("POST /login", request.client.host if request.client else "", given=True)
        if form:
            return Response(status_code=303, headers={"location": "/login?said=token"})
        raise unauthorized()
    cookie = await shared.authenticator.sign_in(who)
    answer = Response(status_code=303, headers={"location": "/"}) if form else Response(status_code=204)
    answer.set_cookie(
        COOKIE.decode(), cookie, max_age=SESSION_SECONDS, path="/", httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


@router.post(
    "/logout",
    summary="Sign a browser out",
    status_code=204,
    responses={204: {"description": "Signed out."}, 303: {"description": "By a form."}, **problems(413, 415)},
)
async def logout(request: Request) -> Response:
    """Sign the browser out."""
    headers = headers_of(request.scope)
    await deps.of(request).authenticator.sign_out(headers)
    form = headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded")
    answer = Response(status_code=303, headers={"location": "/login"}) if form else Response(status_code=204)
    answer.delete_cookie(COOKIE.decode(), path="/", httponly=True, samesite="strict")
    return answer


async def _who(request: Request, token: bytes) -> Principal | None:
    """Whose token that is; while no token exists, whoever sits at this machine needs none."""
    authenticator = deps.of(request).authenticator
    if not token and await authenticator.is_open() and is_loopback(request.client.host if request.client else None):
        return OPERATING
    return await authenticator.of_token(token)


def _token(body: bytes, *, form: bool) -> bytes:
    """The token as raw bytes. Raises Refusal (422)."""
    if form:
        try:
            fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
        except ValueError:
            raise Refusal(422, "invalid-input", "the form has too many fields", "Send 'token' alone.") from None
        return fields.get(b"token", [b""])[-1].strip()
    found = loads(body) if body else None
    if not isinstance(found, dict) or not isinstance(found.get("token"), str) or len(found["token"]) > 4096:
        raise Refusal(422, "invalid-input", "the body needs a text 'token'", 'Send {"token": "..."}.')
    return bytes(found["token"].encode("utf-8").strip())
