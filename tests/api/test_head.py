"""HEAD: what answers GET answers it with the same status and headers, and without a body."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from autonomy.storage.artifacts import write_atomic
from tests.api.served import ADMIN, Served

TEXT = b"# Leases\n\nA lease ends by itself.\n"
GETS = (
    "/", "/tasks", "/runs", "/runs/RUN", "/runs/RUN/files/a1", "/memory", "/static/app.css", "/healthz",
    "/openapi.json", "/metrics", "/api/tasks", "/api/tasks?status=pending", "/api/v2/runs", "/api/v2/runs/RUN",
    "/api/v2/runs/RUN/graph", "/api/v2/runs/RUN/artifacts/a1", "/api/v2/tools", "/runs/none", "/api/v2/runs/none",
    "/nothing",
)  # fmt: skip
CHANGING = ("/metrics", "/runs/RUN", "/")
"""Their bodies count or tell the time: two of them may differ in length."""


@pytest.fixture
def run_id(served: Served, tmp_path: Path) -> str:
    """A run that has handed over one file, and ended."""
    made = served.run()
    sha = write_atomic(tmp_path / "artifacts" / made / "deliverable.md", TEXT)
    served.app.database.write(
        lambda tx: tx.run(
            "INSERT INTO artifact (id, run_id, role, path, media_type, sha256, size, created_at) "
            "VALUES ('a1', :run, 'deliverable', :path, 'text/markdown', :sha, :size, 1)",
            run=made,
            path=f"artifacts/{made}/deliverable.md",
            sha=sha,
            size=len(TEXT),
        )
    )
    served.end(made)
    return made


@pytest.mark.parametrize("path", GETS)
def test_head_answers_as_get_does_without_a_body(path: str, served: Served, admin: httpx.Client, run_id: str) -> None:
    place = path.replace("RUN", run_id)
    got, head = admin.get(place), admin.head(place)
    assert got.content
    assert (head.status_code, head.headers["content-type"]) == (got.status_code, got.headers["content-type"])
    if path not in CHANGING:
        assert head.headers["content-length"] == str(len(got.content))
    request = f"HEAD {place} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\nConnection: close\r\n\r\n"
    answer, _, body = served.raw(request.encode()).partition(b"\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {got.status_code} ".encode())
    assert body == b""


@pytest.mark.parametrize("path", ["/api/events", "/api/v2/runs/RUN/events"])
def test_head_of_a_stream_tells_its_kind_and_opens_none(path: str, served: Served, admin: httpx.Client) -> None:
    place = path.replace("RUN", served.run())
    answer = admin.head(place)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert "autonomy_streams_opened_total 0.0" in admin.get("/metrics").text


def test_what_only_takes_a_form_takes_no_head_and_says_so(admin: httpx.Client) -> None:
    answer = admin.head("/ui/runs/r1/pause")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert admin.put("/api/v2/runs", json={}).headers["allow"] == "GET, HEAD, POST"


def test_head_is_let_in_as_get_is(served: Served) -> None:
    with served.client(None) as stranger:
        assert stranger.head("/api/v2/runs").status_code == 401
        answer = stranger.head("/runs", headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
