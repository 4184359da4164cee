"""Every answer of every route is documented, whatever is asked: the document is held against a real server."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from tests.api.fuzz import fuzz
from tests.api.served import Served, settings

EXAMPLES = 4
"""Per operation; `nox -s schemathesis` asks 200."""


def test_no_answer_is_a_server_error_and_none_is_undocumented(sqlite_template: Path, tmp_path: Path) -> None:
    shutil.copy(sqlite_template, tmp_path / "autonomy.db")
    with Served(settings(tmp_path, f"sqlite:///{tmp_path / 'autonomy.db'}")) as up:
        code, told = fuzz(up.url, EXAMPLES, tmp_path)
        assert code == 0, told[-3000:]
        with up.client() as client:
            assert client.get("/healthz").status_code == 200


def test_the_document_names_every_route_and_the_token(served: Served, admin: httpx.Client) -> None:
    document = admin.get("/openapi.json").json()
    assert {"/api/tasks", "/api/events", "/api/v2/runs", "/api/v2/runs/{run_id}/events", "/webhooks/github"} <= set(
        document["paths"]
    )
    operations = [each for path in document["paths"].values() for each in path.values()]
    summaries = [each["summary"] for each in operations]
    assert len(set(summaries)) == len(summaries)
    for each in operations:  # FastAPI's own summary is the function's name, and the operation's id begins with that
        named = each["operationId"].startswith(each["summary"].lower().replace(" ", "_"))
        assert not named, each["summary"]
        assert 2 <= len(each["summary"].split()) <= 7, each["summary"]
    assert document["security"] == [{"token": []}, {"session": []}]
    assert not any("HTTPValidationError" in str(path) for path in document["paths"].values())
