"""The routes, one file per noun: each parses, asks a service, and answers. No rule of the house lives here."""

from __future__ import annotations

from typing import Any

from autonomy.api.documents import Problem
from autonomy.api.problems import MEDIA_TYPE

_ABOUT = {
    400: "The body is not strict JSON, or the Host is not ours.",
    401: "No valid token.",
    403: "Not allowed.",
    404: "Nothing there, or nothing of yours.",
    409: "The state of things forbids it.",
    413: "The body is too large.",
    415: "The body is of another kind, or compressed.",
    422: "Values that do not fit.",
    429: "Too many at once.",
    503: "The database cannot be reached, or the server is shutting down.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The errors that a route may answer, for its documentation; those of every route are added."""
    every = {400, 401, 403, 503, *statuses}
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": _ABOUT[status], "content": content} for status in sorted(every)}


READS = (404, 422)
WRITES = (404, 409, 413, 415, 422)
