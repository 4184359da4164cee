"""What a request's body may be, held while it is read: its size, its kind, and JSON that is strict.

A body that is too large is answered at once; what the client still sends is thrown away by the protocol, so that it lives to
read the answer. Compressed bodies are refused: nothing is ever unpacked here.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re

from starlette.types import Message, Receive, Scope

from autonomy.api.problems import Refusal
from autonomy.core.strict_json import NotStrict, loads

MIB = 1 << 20
BODY_BYTES = 10 * MIB
GITHUB_BYTES = 25 * MIB
"""GitHub caps its payloads at 25 MB."""
FORM_BYTES = MIB // 4
"""A form's longest field is a reason of 10,000 characters, twelve bytes each at the worst."""
REPORT_BYTES = 32 * MIB
"""A similarity report in PDF, with the marked text of the draft."""
SIGNATURE = b"x-turnitin-signature"
VALUES = 16_384
"""The most values in a document. The largest that means anything has some 12,000; each that does not fit costs a validation
and an error, so that a few millions of them would hold up everybody for a minute."""
SMALL = 64 * 1024
"""A body up to this size is parsed in the event loop; a larger one beside it."""
FORMS = frozenset({"/login", "/logout"})
FORMS_BELOW = "/ui/"
RAW = "/webhooks/"
REPORTS = re.compile(r"/(?:api/v2/turnitin|ui/runs)/[A-Za-z0-9_-]{1,64}/report")
"""Where a report may come as a file in a form."""
_PARTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|([,\[{])', re.DOTALL)
"""Strings (an open one to its end), and what stands before or between values."""


class Client(Exception):
    """The client went away before its body was complete."""


async def signed(receive: Receive, headers: dict[bytes, bytes], secret: bytes) -> tuple[bool, Receive]:
    """Whether a report's body is signed (lower-case hex HMAC-SHA256 of its raw bytes), and a `receive` that hands it on.
    Raises Refusal (413), Client."""
    length = headers.get(b"content-length", b"0")
    if len(length) > 15 or int(length) > REPORT_BYTES:
        raise _too_large(REPORT_BYTES)
    whole = await _read(receive, REPORT_BYTES)
    expected = hmac.new(secret, whole, hashlib.sha256).hexdigest().encode("ascii")
    return hmac.compare_digest(expected, headers[SIGNATURE]), _replay(whole, receive)


async def admit(scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> Receive:
    """A `receive` that hands the checked body on. Raises Refusal (400, 413, 415), Client.

    Only bodies that a route may read are looked into: those of GET and HEAD are thrown away.
    """
    length = headers.get(b"content-length")
    if (length is None or length == b"0") and b"transfer-encoding" not in headers:
        return receive
    path: str = scope["path"]
    most = _most(path)
    if length is not None and (len(length) > 15 or int(length) > most):
        raise _too_large(most)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refusal(415, "unsupported-media-type", "compressed bodies are not read", "Send it without Content-Encoding.")
    whole = await _read(receive, most)
    if whole and scope["method"] not in ("GET", "HEAD") and not path.startswith(RAW):
        await _check(path, headers.get(b"content-type", b""), whole)
    return _replay(whole, receive)


def _most(path: str) -> int:
    if path == "/webhooks/github":
        return GITHUB_BYTES
    if REPORTS.fullmatch(path):
        return REPORT_BYTES
    if path.startswith(("/api/", RAW)):
        return BODY_BYTES
    return FORM_BYTES  # forms, and addresses that read no body at all


async def _read(receive: Receive, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Client
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _check(path: str, kind: bytes, whole: bytes) -> None:
    media = kind.split(b";", 1)[0].strip().lower()
    if (path in FORMS or path.startswith(FORMS_BELOW)) and media == b"application/x-www-form-urlencoded":
        return
    if media == b"multipart/form-data" and REPORTS.fullmatch(path):
        return
    if media != b"application/json":
        raise Refusal(415, "unsupported-media-type", "the body must be application/json", "Set Content-Type.")
    if _crowded(whole):
        raise Refusal(413, "too-large", f"the body holds more than {VALUES} values", "Send less.")
    try:
        if len(whole) <= SMALL:
            loads(whole)
        else:
            await asyncio.to_thread(loads, whole)
    except NotStrict as error:
        raise Refusal(400, "bad-json", str(error), "Send strict JSON in UTF-8.") from None


def _crowded(whole: bytes) -> bool:
    """Whether the document holds more than VALUES values; stops counting there."""
    if whole.count(b",") + whole.count(b"[") + whole.count(b"{") <= VALUES:
        return False
    found = 0
    for part in _PARTS.finditer(whole):
        found += part[1] is not None
        if found > VALUES:
            return True
    return False


def _replay(whole: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": whole, "more_body": False}

    return replayed


def _too_large(most: int) -> Refusal:
    size = f"{most // MIB} MiB" if most >= MIB else f"{most // 1024} KiB"
    return Refusal(413, "too-large", f"the body is larger than {size}", "Send less.")
