"""What nobody means to send: each is refused with a problem, the server goes on, and nothing was written."""

from __future__ import annotations

import gzip
import json
from urllib.parse import quote

import pytest

from autonomy.api.limits import VALUES, _crowded
from tests.api.served import ADMIN, ASKED, Served
from tests.core.test_strict_json import BAD

JSON = {"content-type": "application/json"}
WHOLE = json.dumps(ASKED).encode()
IDS = (
    "..",
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "%00",
    "a" * 65,
    "a b",
    "%ff",
    "\u00e9",
    "'; DROP TABLE run; --",
    "*",
)
ROUTES = (
    ("GET", "/api/v2/runs/{}"),
    ("GET", "/api/v2/runs/{}/events"),
    ("GET", "/api/v2/runs/{}/graph"),
    ("POST", "/api/v2/runs/{}/pause"),
    ("POST", "/api/v2/runs/{}/resume"),
    ("POST", "/api/v2/runs/{}/abort"),
    ("GET", "/api/v2/runs/{}/artifacts/a1"),
    ("GET", "/api/v2/runs/r1/artifacts/{}"),
    ("GET", "/api/v2/memory/runs/{}"),
)
QUERIES = (
    "/api/v2/runs?limit=-1",
    "/api/v2/runs?limit=0",
    "/api/v2/runs?limit=201",
    "/api/v2/runs?limit=99999999999999999999999999",
    "/api/v2/runs?limit=" + "9" * 5000,
    "/api/v2/runs?limit=NaN",
    "/api/v2/runs?limit=1e3",
    "/api/v2/runs?cursor=%00",
    "/api/v2/runs?cursor=1.a%27",
    "/api/v2/runs?cursor=" + "9" * 30 + ".a",
    "/api/v2/runs?status=nothing",
    "/api/v2/runs?user_id=..%2f",
    "/api/v2/runs?user_id=%00",
    "/api/v2/memory/search",
    "/api/v2/memory/search?q=",
    "/api/v2/memory/search?q=%00",
    "/api/v2/memory/search?q=x&limit=101",
    "/api/v2/memory/search?q=" + "x" * 2001,
    "/api/v2/memory/runs/r1?limit=-5",
    "/api/v2/memory/runs/r1?kind=%00",
    "/api/v2/memory/runs/r1?cursor=%00",
)


@pytest.mark.parametrize(
    "body", [*BAD.values(), b"[]", b"1", b"null", b'"text"'], ids=[*BAD.keys(), "a list", "a number", "null", "a text"]
)
def test_bodies(served: Served, body: bytes) -> None:
    before = served.written()
    with served.client() as client:
        answer = client.post("/api/v2/runs", content=body, headers=JSON)
        assert answer.status_code in (400, 413, 422)
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Traceback" not in answer.text
        assert client.get("/healthz").status_code == 200
    assert served.written() == before


def test_nan_deep_inside_a_request_that_does_not_fit_is_a_4xx_as_well(served: Served) -> None:
    """The place where FastAPI's own answer to the first error fails on the second."""
    for bad in (b"NaN", b'"\\ud800"', b"1e999", b"9" * 5000):
        body = b'{"journey": 5, "task_spec": {"goal": ' + bad + b'}, "extra": [' + bad + b"]}"
        with served.client() as client:
            assert client.post("/api/v2/runs", content=body, headers=JSON).status_code == 400


CROWDS = {
    "ones": b'{"request_text": "a b", "acceptance_criteria": [' + b"1," * 100_000 + b"1]}",
    "objects": b'{"request_text": "a b", "acceptance_criteria": [' + b"{}," * 100_000 + b"{}]}",
    "members": b'{"a": 1' + b"".join(b', "%d": 1' % n for n in range(20_000)) + b"}",
    "lists": b"[" + b"[]," * 20_000 + b"[]]",
}


@pytest.mark.parametrize("path", ["/api/tasks", "/api/v2/runs", "/login"])
@pytest.mark.parametrize("body", CROWDS.values(), ids=CROWDS.keys())
def test_a_crowd_of_values_is_refused_before_each_is_looked_at(served: Served, body: bytes, path: str) -> None:
    with served.client() as client:
        answer = client.post(path, content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


def test_values_are_counted_and_not_what_strings_hold() -> None:
    text = b",[{" * 100_000
    assert not _crowded(b'{"goal": "' + text + b'"}')
    assert not _crowded(b'{"goal": "\\"' + text + b'"}')
    assert not _crowded(b"[" + b"1," * (VALUES - 2) + b"1]")
    assert _crowded(b"[" + b"1," * VALUES + b"1]")
    assert _crowded(b'["a\\\\",' + b'"b",' * VALUES + b"1]")
    assert not _crowded(b'"' + b'\\"' * 1_000_000 + b",[{" * VALUES)  # a string without an end is read once


@pytest.mark.parametrize("path", ["/login", "/healthz", "/ui/tasks/x/reject"])
def test_an_address_that_reads_a_form_or_nothing_takes_no_large_body(served: Served, path: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    with served.client() as client:
        answer = client.post(path, content=b"token=" + b"%41" * 100_000, headers=form)
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("size", [64 << 20, 11 << 20])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_a_body_of_64_mib_is_refused_while_it_is_read(served: Served, size: int, declared: bool) -> None:
    piece = b" " * (1 << 20)

    def pieces() -> object:
        for _ in range(size // len(piece)):
            yield piece

    with served.client() as client:
        if declared:
            answer = client.post("/api/v2/runs", content=b" " * size, headers=JSON)
        else:
            answer = client.post("/api/v2/runs", content=pieces(), headers=JSON)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
        assert client.get("/healthz").status_code == 200
    assert served.written()["run"] == 0


def test_a_gzip_bomb_is_not_unpacked(served: Served) -> None:
    bomb = gzip.compress(b'{"a": "' + b"x" * (32 << 20) + b'"}')
    with served.client() as client:
        for coding in ("gzip", "deflate", "br", "gzip, gzip"):
            answer = client.post("/api/v2/runs", content=bomb, headers={**JSON, "content-encoding": coding})
            assert answer.status_code == 415
        assert client.post("/api/v2/runs", content=bomb, headers=JSON).status_code == 400


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "\xff"]
)
def test_bodies_of_another_kind(served: Served, kind: str) -> None:
    with served.client() as client:
        answer = client.post("/api/v2/runs", content=WHOLE, headers=[(b"content-type", kind.encode("latin-1"))])
        assert answer.status_code == 415
    assert served.written()["run"] == 0


@pytest.mark.parametrize("method_path", ROUTES, ids=str)
def test_traversal_in_every_id(served: Served, method_path: tuple[str, str]) -> None:
    method, path = method_path
    before = served.written()
    for bad in IDS:
        place = path.format(bad if "%" in bad else quote(bad, safe="/"))
        head = f"{method} {place} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n"
        answer = served.raw(head.encode())
        assert answer.split(b" ")[1] in (b"404", b"405", b"422"), bad
        assert b"application/problem+json" in answer
    assert served.written() == before


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path[:60])
def test_queries(served: Served, path: str) -> None:
    with served.client() as client:
        answer = client.get(path)
        assert answer.status_code in (404, 422)
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("value", ["-1", "1.5", "abc", "9" * 20, "9223372036854775808", "\u00b2", "0x10", "1 2"])
def test_ids_of_streams(served: Served, value: str) -> None:
    run_id = served.run()
    with served.client() as client:
        stream = f"/api/v2/runs/{run_id}/events"
        assert client.get(stream, headers=[(b"last-event-id", value.encode("latin-1"))]).status_code == 422
        assert client.get(stream, params={"from": value}).status_code == 422


@pytest.mark.parametrize("key", [b"", b"a" * 257, b"\xe9", b"a\tb"])
def test_idempotency_keys(served: Served, key: bytes) -> None:
    with served.client() as client:
        given = [(b"content-type", b"application/json"), (b"idempotency-key", key)]
        answer = client.post("/api/v2/runs", content=WHOLE, headers=given)
        assert answer.status_code == 422
    assert served.written()["run"] == 0


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/v2/runs HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: a\x00b\r\n\r\n",
        b"POST /api/v2/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /api/v2/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /api/v2/runs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ],
    ids=lambda data: repr(data[:50]),
)
def test_bytes_that_are_no_request(served: Served, data: bytes) -> None:
    answer = served.raw(data)
    assert answer.startswith(b"HTTP/1.1 4"), answer[:100]
    assert b"application/problem+json" in answer
    with served.client() as client:
        assert client.get("/healthz").status_code == 200
