"""Similarity reports at the doors: sent many times at once to two servers, refused, and brought from the command line."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.api.served import ASKED
from tests.api.test_serve import SERVE, configure, up
from tests.commands import CORPUS, Commands, FreshCommands, Workspace, until

TARGET = {"journey": "write", "task_spec": {**ASKED["task_spec"], "target_similarity": 15}}


def client_of(port: int) -> httpx.Client:
    return httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60)


def waiting(client: httpx.Client) -> str:
    """A run that waits for its report."""
    run: str = client.post("/api/v2/runs", json=TARGET).json()["run_id"]
    until(lambda: client.get(f"/api/v2/runs/{run}").json()["status"] == "waiting_human", "the wait")
    return run


def events(client: httpx.Client, run: str, end: str) -> list[dict[str, Any]]:
    """The run's events, up to the first of a type."""
    found: list[dict[str, Any]] = []
    with client.stream("GET", f"/api/v2/runs/{run}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                found.append(json.loads(line[5:]))
                if found[-1]["type"] == end:
                    break
    return found


def test_a_report_sent_forty_times_at_once_to_two_servers_resumes_once(commands: Commands, workspace: Workspace) -> None:
    configure(workspace)
    first, second = (commands.start(workspace, *SERVE, "--workers-inline", count) for count in ("1", "0"))
    ports = [up(first)["port"], up(second)["port"]]
    with client_of(ports[0]) as one, client_of(ports[1]) as two:
        run = waiting(one)
        cycle = one.get(f"/api/v2/turnitin/{run}/status").json()
        assert (cycle["status"], cycle["target_similarity"], cycle["observed_similarity"]) == ("awaiting_report", 15, None)
        ready = threading.Barrier(40)

        def send(n: int) -> httpx.Response:
            ready.wait(timeout=60)
            body = {"cycle_id": cycle["cycle_id"], "observed_similarity": 34}
            return (one, two)[n % 2].post(f"/api/v2/turnitin/{run}/report", json=body)

        with ThreadPoolExecutor(40) as pool:
            answers = list(pool.map(send, range(40)))
        assert {answer.status_code for answer in answers} == {200}
        taken = [answer.json() for answer in answers]
        assert sum(not each["duplicate"] for each in taken) == 1
        assert len({each["resume_job_id"] for each in taken}) == 1
        assert taken[0]["resume_job_id"] is not None

        story = events(two, run, "run.done")
        reasons = [event["content"]["reason"] for event in story if event["type"] == "run.resumed"]
        assert reasons == ["report"]
        assert [event["type"] for event in story if event["type"].startswith("turnitin.")] == [
            "turnitin.awaiting_report",
            "turnitin.report_ready",
            "turnitin.rejected",
        ]
        assert story[-1]["content"]["outcome"] == "target_not_reached"

        late = one.post(f"/api/v2/turnitin/{run}/report", json={"observed_similarity": 11})
        assert (late.status_code, late.json()["code"]) == (409, "already-decided")
        again = two.post(f"/api/v2/turnitin/{run}/report", json={"observed_similarity": 34})
        assert (again.status_code, again.json()["duplicate"]) == (200, True)
        refused = [json.loads(line) for line in (workspace.home / "audit" / "events.jsonl").read_text().splitlines()]
        assert [line["reason"] for line in refused if line["action"] == "turnitin_report_refused"] == [late.json()["detail"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"observed_similarity": 101}, 422),
        ({"observed_similarity": -1}, 422),
        ({"observed_similarity": "12%"}, 422),
        ({"observed_similarity": 12, "cycle_id": "of-somebody-else"}, 404),
        ({"observed_similarity": 12, "cycle_id": "../x"}, 422),
        ({"observed_similarity": 12, "more": 1}, 422),
    ],
)
def test_what_is_no_report_is_refused_and_the_run_waits_on(
    waiting_run: tuple[httpx.Client, str], body: dict[str, Any], status: int
) -> None:
    client, run = waiting_run
    answer = client.post(f"/api/v2/turnitin/{run}/report", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert client.get(f"/api/v2/turnitin/{run}/status").json()["status"] == "awaiting_report"


def test_a_form_without_file_or_figure_says_what_is_missing(waiting_run: tuple[httpx.Client, str]) -> None:
    client, run = waiting_run
    for given, why in (
        ({"observed_similarity": "much"}, "is not a number"),
        ({"report_url": "https://example.org"}, "no file"),
    ):
        answer = client.post(f"/api/v2/turnitin/{run}/report", data=given, files={"file": ("", b"")})
        assert answer.status_code == 422
        assert why in answer.json()["detail"]


@pytest.fixture(scope="module")
def waiting_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    """A server with one run that waits."""
    workspace = Workspace.make(tmp_path_factory.mktemp("waits"))
    configure(workspace)
    with FreshCommands(tmp_path_factory.mktemp("commands")) as fresh:
        port = up(fresh.start(workspace, *SERVE))["port"]
        with client_of(port) as client:
            yield client, waiting(client)


def test_the_loop_from_the_command_line_ends_accepted_after_a_good_report(commands: Commands, on_sqlite: Workspace) -> None:
    asked = ("run", "start", "How does a lease protect a job?", "--corpus", str(CORPUS), "--target-similarity", "15", "--json")
    started = commands.run(on_sqlite, *asked)
    assert started.code == 7, started.err
    run = started.document["run_id"]
    assert started.document["status"] == "waiting_human"
    early = commands.run(on_sqlite, "turnitin", "status", run, "--json").document
    assert (early["status"], early["n"]) == ("awaiting_report", 1)
    stands = commands.run(on_sqlite, "run", "resume", run)
    assert stands.code == 7
    assert f"run {run} waits for the similarity report of draft 1. Bring it with 'autonomy turnitin report" in stands.err
    assert "waits for a person already" in commands.run(on_sqlite, "run", "pause", run).out
    taken = commands.run(on_sqlite, "turnitin", "report", run, "--similarity", "11", "--json")
    assert (taken.code, taken.document["duplicate"], taken.document["status"]) == (0, False, "report_ready")
    ended = commands.run(on_sqlite, "run", "resume", run, "--json")
    assert (ended.code, ended.document["outcome"]) == (0, "delivered")
    cycle = commands.run(on_sqlite, "turnitin", "status", run, "--json").document
    assert (cycle["status"], cycle["observed_similarity"]) == ("accepted", 11)
    assert "11 % similar, wanted at most 15 %: accepted" in cycle["why"]


@pytest.mark.parametrize("similarity", ["101", "-1", "nan", "inf"])
def test_a_figure_that_is_no_percentage_is_refused_at_the_command_line(
    commands: Commands, on_sqlite: Workspace, similarity: str
) -> None:
    nobody = commands.run(on_sqlite, "turnitin", "report", "zzzz", "--similarity", similarity)
    assert nobody.code in (3, 5)
    assert nobody.err.count("\n") == 1


# -- signed reports ----------------------------------------------------------------------------------

KEY = "a key of these tests"


def signature(body: bytes, key: str = KEY) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def test_a_signed_report_needs_no_token_and_opens_nothing_else(fresh: FreshCommands, on_sqlite: Workspace) -> None:
    configure(on_sqlite)
    secrets = {"AUTONOMY_ADMIN_TOKEN": "an admin's token", "TURNITIN_SECRET": KEY}
    admin = {"Authorization": "Bearer an admin's token"}
    port = up(fresh.start(on_sqlite, *SERVE, environ=secrets))["port"]
    body = json.dumps({"observed_similarity": 34}).encode()
    with client_of(port) as client:
        run = client.post("/api/v2/runs", json=TARGET, headers=admin).json()["run_id"]
        until(lambda: client.get(f"/api/v2/runs/{run}", headers=admin).json()["status"] == "waiting_human", "the wait")

        def send(signed: str | bytes, path: str = f"/api/v2/turnitin/{run}/report", **more: str) -> int:
            headers: dict[str, Any] = {"X-Turnitin-Signature": signed, "Content-Type": "application/json", **more}
            return client.post(path, content=body, headers=headers).status_code

        good = signature(body)
        assert send(signature(body, "another key")) == 401
        assert send(good.upper()) == 401
        assert send(f"sha256={good}") == 401
        assert send("ü".encode("latin-1")) == 401
        assert send(signature(b"another body")) == 401
        assert send(good, Authorization="Bearer a wrong token") == 401
        assert send(good, f"/api/v2/turnitin/{run}/handoff") == 401
        assert send(good, f"/api/v2/runs/{run}/abort") == 401
        assert send(good, f"/ui/runs/{run}/report") == 401
        assert client.get(f"/api/v2/turnitin/{run}/status", headers=admin).json()["status"] == "awaiting_report"
        assert send(good) == 200
        found = client.get(f"/api/v2/turnitin/{run}/status", headers=admin).json()
        assert (found["observed_similarity"], found["uploader"]) == (34, "turnitin")


def test_without_a_secret_no_signature_opens_anything(fresh: FreshCommands, on_sqlite: Workspace) -> None:
    configure(on_sqlite)
    port = up(fresh.start(on_sqlite, *SERVE, environ={"AUTONOMY_ADMIN_TOKEN": "an admin's token"}))["port"]
    with client_of(port) as client:
        headers = {"X-Turnitin-Signature": signature(b"{}", ""), "Content-Type": "application/json"}
        assert client.post("/api/v2/turnitin/some-run/report", content=b"{}", headers=headers).status_code == 401
