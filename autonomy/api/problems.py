"""Errors as `application/problem+json` (RFC 9457): the one place of the web layer that knows statuses.

An error's class decides its status, the most specific first. A problem never carries a trace or what the client sent.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from autonomy.core import errors

MEDIA_TYPE = "application/problem+json"
STATUSES: Mapping[type[errors.AutonomyError], int] = {
    errors.UsageError: 422,
    errors.NotFound: 404,
    errors.InvalidInput: 422,
    errors.BudgetExceeded: 409,
    errors.WaitingForPerson: 409,
    errors.PolicyRefused: 403,
    errors.HeldByAnother: 409,
    errors.AlreadyDecided: 409,
    errors.AlreadyEnded: 409,
    errors.ChangedMeanwhile: 409,
    errors.CorruptState: 409,
    errors.NotYetBuilt: 422,
    errors.LeaseLost: 409,
    errors.Unserializable: 422,
    errors.ProviderError: 502,
    errors.ProviderUnavailable: 503,
    errors.StorageUnavailable: 503,
    errors.DiskFull: 507,
    errors.ConfigurationError: 503,
    errors.AutonomyError: 500,
}
_CODES = {404: "not-found", 405: "method-not-allowed"}
log = logging.getLogger("autonomy.server")


class Refusal(Exception):
    """A request that the web layer itself refuses; becomes a problem as it stands."""

    def __init__(self, status: int, code: str, detail: str, hint: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = dict(headers or {})


def status_of(error: errors.AutonomyError) -> int:
    """The status of the nearest class up the tree that has one."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def body(status: int, code: str, detail: str, hint: str = "", **more: Any) -> bytes:
    """The document: type, title, status, detail, code, hint, and what an error adds (candidates, errors)."""
    document = {
        "type": f"urn:autonomy:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        **more,
    }
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def problem(
    status: int, code: str, detail: str, hint: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """The answer to an error."""
    return Response(
        body(status, code, detail, hint, **more), status, {"cache-control": "no-store", **(headers or {})}, MEDIA_TYPE
    )


def of_refusal(error: Refusal) -> Response:
    """The answer to a refusal of the web layer."""
    return problem(error.status, error.code, error.detail, error.hint, error.headers)


def of_error(error: errors.AutonomyError) -> Response:
    """The answer to one of our own errors; what is no fault of the request is logged."""
    status = status_of(error)
    if status >= 500:
        log.error("a request failed: %s", error, exc_info=error, extra={"action": "request.failed", "code": error.code})
    if status == 500:
        return of_crash()
    more = {"candidates": list(error.candidates)} if isinstance(error, errors.NotFound) and error.candidates else {}
    return problem(status, error.code, error.message, error.hint, {"retry-after": "1"} if status == 503 else None, **more)


def of_crash() -> Response:
    """The answer when nobody foresaw the error; its trace stands in the log."""
    return problem(500, "failed", "the server failed to answer", "Try again; the server's log says what happened.")


def of_validation(problems: Sequence[Any]) -> Response:
    """The answer to a request whose values do not fit; the values themselves are not repeated."""
    found = [{"where": ".".join(str(part) for part in each["loc"]), "what": str(each["msg"])} for each in problems]
    found = [{name: text.encode("utf-8", "replace").decode()[:500] for name, text in each.items()} for each in found[:20]]
    first = found[0] if found else {"where": "request", "what": "is not valid"}
    return problem(422, "invalid-input", f"{first['where']}: {first['what']}", "Correct the request.", errors=found)


def _allowed(request: Request) -> str:
    """Every method that the address takes: routes that share it know their own alone."""
    found = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for route in found for method in getattr(route, "methods", None) or ()}))


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return of_refusal(error)

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.AutonomyError)
        return of_error(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return of_validation(error.errors())

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = error.status_code
        code = _CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "-"))
        detail = {404: "there is nothing at this address", 405: "this address does not take that method"}.get(
            status, "the request cannot be answered"
        )
        headers = {"allow": _allowed(request)} if status == 405 else error.headers
        return problem(status, code, detail, "See /openapi.json.", headers)

    async def crashed(request: Request, error: Exception) -> Response:
        return of_crash()

    app.add_exception_handler(Refusal, refused)
    app.add_exception_handler(errors.AutonomyError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, crashed)
