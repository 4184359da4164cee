"""What an endpoint answers, and what it has to say to the audit log: plain values, so that a route needs three lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

Headers = Iterable[tuple[bytes, bytes]]
"""As ASGI hands them over: raw bytes."""


@dataclass(frozen=True, slots=True)
class Reply:
    """`status` and JSON `body` (a problem document from 400 on); `audit` are entries for `AuditLog.append_many`."""

    status: int
    body: Mapping[str, Any]
    audit: tuple[Mapping[str, Any], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def media_type(self) -> str:
        """The body's."""
        return "application/json" if self.status < 400 else "application/problem+json"


def problem(status: int, code: str, detail: str, hint: str = "", *audit: Mapping[str, Any]) -> Reply:
    """The answer to a request that is refused. Nothing of what was sent stands in it."""
    body = {
        "type": f"urn:autonomy:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
    }
    return Reply(status, body, audit)


def absent() -> Reply:
    """The answer of an endpoint whose secret is not set: there is none."""
    return problem(404, "not-found", "there is nothing here")


def header(headers: Headers, name: bytes) -> bytes | None:
    """The header's bytes; None where it is missing or given twice: nobody who means well sends two."""
    found = [value for key, value in headers if key.lower() == name]
    return found[0] if len(found) == 1 else None


def dig(value: Any, *path: str) -> Any:
    """What stands at a path of keys; None where there is no such thing, whatever is there instead."""
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value
