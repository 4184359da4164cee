"""Runs over HTTP: started once, listed, steered, and nobody else's."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from autonomy.storage.artifacts import write_atomic
from tests.api.served import ASKED, Served


def test_a_run_is_started_listed_and_shown(served: Served, admin: httpx.Client) -> None:
    answer = admin.post("/api/v2/runs", json={**ASKED, "priority": 3})
    assert answer.status_code == 202, answer.text
    assert sorted(answer.json()) == ["job_id", "run_id"]
    run_id = answer.json()["run_id"]
    assert answer.headers["location"] == f"/api/v2/runs/{run_id}"
    shown = admin.get(answer.headers["location"]).json()
    assert (shown["user_id"], shown["journey"], shown["status"], shown["outcome"]) == ("local", "research", "queued", None)
    assert shown["task"]["goal"] == "How do leases work?"
    assert shown["task"]["corpus"] == ["docs"], "a corpus is shown by its name, not by where it lies"
    assert {"route", "plan", "budgets", "last_observation", "last_verdict", "turnitin", "artifacts", "correlation_id"} <= set(
        shown
    )
    assert [item["run_id"] for item in admin.get("/api/v2/runs").json()["items"]] == [run_id]
    graph = admin.get(f"/api/v2/runs/{run_id}/graph").json()
    assert graph["run_id"] == run_id
    assert set(graph) == {"run_id", "status", "route", "nodes", "edges"}


def test_a_run_is_paused_resumed_and_aborted(served: Served, admin: httpx.Client) -> None:
    run_id = admin.post("/api/v2/runs", json=ASKED).json()["run_id"]
    place = f"/api/v2/runs/{run_id}"
    assert admin.post(f"{place}/pause").json()["status"] == "paused"
    assert admin.get(place).json()["status"] == "paused"
    assert admin.post(f"{place}/resume").json()["status"] == "queued"
    changed = admin.patch(f"{place}/budget", json={"tokens": 1000, "budget_usd": 1.5}).json()
    assert changed["budgets"]["tokens"]["limit"] == 1000
    assert changed["budgets"]["usd"]["limit"] == 1.5
    assert changed["budgets"]["seconds"]["limit"] == 3600
    assert admin.patch(f"{place}/budget", json={"seconds": None}).json()["budgets"]["seconds"]["limit"] is None
    assert admin.post(f"{place}/abort").json()["status"] == "aborted"
    for again in ("pause", "resume", "abort"):
        answer = admin.post(f"{place}/{again}")
        assert (answer.status_code, answer.json()["code"]) == (409, "already-ended")
    assert admin.patch(f"{place}/budget", json={"tokens": 5}).status_code == 409


def test_racing_posts_with_one_key_start_one_run_and_get_one_answer(served: Served, admin: httpx.Client) -> None:
    answers: list[tuple[int, bytes]] = []

    def post() -> None:
        with served.client() as client:
            answer = client.post("/api/v2/runs", json=ASKED, headers={"idempotency-key": "once"})
            answers.append((answer.status_code, answer.content))

    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert len(set(answers)) == 1
    assert answers[0][0] == 202
    assert served.written()["run"] == served.written()["job"] == 1
    run_id = json.loads(answers[0][1])["run_id"]
    admin.post(f"/api/v2/runs/{run_id}/pause")
    admin.post(f"/api/v2/runs/{run_id}/resume")
    again = admin.post("/api/v2/runs", json=ASKED, headers={"idempotency-key": "once"})
    assert (again.status_code, again.content) == answers[0], "the answer stays the first one"


def test_no_client_takes_the_key_of_a_task(served: Served, admin: httpx.Client) -> None:
    with served.client(served.token("alice")) as alice:
        task_id = alice.post(
            "/api/tasks", json={"request_text": "Why?", "journey": "research", "task_spec": {"corpus": "docs"}}
        ).json()["task_id"]
        answer = alice.post("/api/v2/runs", json=ASKED, headers={"idempotency-key": f"task:{task_id}:1"})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
        assert "belong to tasks" in answer.text
        for name in ("task_id", "idempotency_key"):
            assert alice.post("/api/v2/runs", json={**ASKED, name: task_id}).status_code == 422
    assert served.written()["run"] == 0


def test_a_key_that_stands_for_another_request_is_refused(served: Served, admin: httpx.Client) -> None:
    assert admin.post("/api/v2/runs", json=ASKED, headers={"idempotency-key": "k"}).status_code == 202
    other = {**ASKED, "task_spec": {**ASKED["task_spec"], "goal": "Something else"}}
    answer = admin.post("/api/v2/runs", json=other, headers={"idempotency-key": "k"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert served.written()["run"] == 1


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"corpus": "/etc"}, "no corpus named"),
        ({"corpus": "../docs"}, "no corpus named"),
        ({"corpus": ["docs", "other"]}, "no corpus named"),
        ({"source": "/etc/passwd"}, "source"),
        ({"provider": "nobody"}, "no provider named"),
        ({"due_date": "2026-02-30"}, "due_date"),
        ({"goal": "  "}, "goal"),
        ({"goal": "???"}, "goal"),
        ({"goal": "\u200b"}, "goal"),
        ({"target_similarity": 10}, "similarity"),
        ({"budget_usd": -1}, "budget_usd"),
        ({"budget_tokens": True}, "budget_tokens"),
        ({"budget_tokens": "5"}, "budget_tokens"),
        ({"length": 5.5}, "length"),
        ({"misspelt": 1}, "misspelt"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_task_that_makes_no_sense_is_refused_and_leaves_nothing(
    served: Served, admin: httpx.Client, change: dict[str, Any], word: str
) -> None:
    answer = admin.post("/api/v2/runs", json={**ASKED, "task_spec": {**ASKED["task_spec"], **change}})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert word in answer.text
    assert "/fixtures" not in answer.text
    assert served.written()["run"] == 0


def test_no_run_is_taken_while_the_policy_file_is_flawed_and_the_answer_names_its_line(
    served: Served, admin: httpx.Client
) -> None:
    policy = served.app.home / "orchestrator_policies.yaml"
    policy.write_text("gates:\n  overlap: {threshold: lots}\n", "utf-8")
    answer = admin.post("/api/v2/runs", json=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (503, "policy")
    assert "orchestrator_policies.yaml:2: gates.overlap.threshold must be a number from 0 to 1, not 'lots'" in answer.text
    assert str(served.app.home) not in answer.text
    assert admin.get("/api/v2/runs").json()["items"] == []
    policy.write_text("gates:\n  overlap: {threshold: 0.2}\n", "utf-8")
    assert admin.post("/api/v2/runs", json=ASKED).status_code == 202


def test_journeys_that_are_not_built_are_refused(served: Served, admin: httpx.Client) -> None:
    answer = admin.post("/api/v2/runs", json={**ASKED, "journey": "slides"})
    assert (answer.status_code, answer.json()["code"]) == (422, "not-available")


def test_a_list_is_paged_by_its_cursor(served: Served, admin: httpx.Client) -> None:
    made = [served.run() for _ in range(5)]
    found: list[str] = []
    cursor = None
    while True:
        page = admin.get("/api/v2/runs", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [item["run_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(found) == sorted(made)
    assert admin.get("/api/v2/runs", params={"status": "done"}).json()["items"] == []
    served.end(made[0])
    for state in ("done", "delivered"):
        ended = admin.get("/api/v2/runs", params={"status": state}).json()["items"]
        assert [item["run_id"] for item in ended] == [made[0]]
    assert admin.get("/api/v2/runs", params={"status": "target_not_reached"}).json()["items"] == []


def test_one_user_neither_sees_nor_touches_what_is_anothers(served: Served, tmp_path: Path) -> None:
    with served.client(served.token("alice")) as alice, served.client(served.token("bob")) as bob:
        run_id = alice.post("/api/v2/runs", json=ASKED).json()["run_id"]
        served.tell(run_id, 3)
        sha = write_atomic(tmp_path / "artifacts" / run_id / "deliverable.md", b"# hers")
        served.app.database.write(
            lambda tx: tx.run(
                "INSERT INTO artifact (id, run_id, role, path, media_type, sha256, size, created_at) "
                "VALUES ('a1', :run, 'deliverable', :path, 'text/markdown', :sha, 6, 0)",
                run=run_id,
                path=f"artifacts/{run_id}/deliverable.md",
                sha=sha,
            )
        )
        place = f"/api/v2/runs/{run_id}"
        reads = [place, f"{place}/graph", f"{place}/artifacts/a1", f"/api/v2/memory/runs/{run_id}"]
        for path in reads:
            assert alice.get(path).status_code == 200, path
            assert bob.get(path).status_code == 404, path
            assert alice.get(path).status_code == 200, "what alice was shown is not shown to bob, nor the other way round"
        assert alice.get(f"{place}/artifacts/a1").content == b"# hers"
        before = alice.get(place).json()
        for verb in ("pause", "resume", "abort"):
            assert bob.post(f"{place}/{verb}").status_code == 404
        assert bob.patch(f"{place}/budget", json={"tokens": 1}).status_code == 404
        assert bob.get(f"{place}/events").status_code == 404
        assert alice.get(place).json() == before
        assert [item["run_id"] for item in alice.get("/api/v2/runs").json()["items"]] == [run_id]
        assert bob.get("/api/v2/runs").json()["items"] == []
        assert bob.get("/api/v2/runs", params={"user_id": "alice"}).status_code == 403
        assert bob.post("/api/v2/runs", json={**ASKED, "user_id": "alice"}).status_code == 403
        assert bob.get("/metrics").status_code == 403
    with served.client() as admin:
        assert admin.get(place).json()["user_id"] == "alice"
        assert admin.get("/api/v2/runs", params={"user_id": "alice"}).json()["items"] != []
        assert admin.post("/api/v2/runs", json={**ASKED, "user_id": "carol"}).status_code == 202
        assert admin.get("/metrics").status_code == 200


def test_a_user_searches_the_named_corpora_alone(served: Served) -> None:
    private = served.app.home / "private"
    private.mkdir()
    (private / "secret.md").write_text("# Secret\n\nThe zanzibar plan is known to nobody but the operator of this place.\n")
    from autonomy.memory.ingest import ingest

    ingest(served.app.database, private, embedder=served.app.embedder, limits=served.app.limits)
    with served.client(served.token("alice")) as alice, served.client() as admin:
        question = {"q": "zanzibar plan"}
        assert "zanzibar" in admin.get("/api/v2/memory/search", params=question).text
        assert "zanzibar plan is" not in alice.get("/api/v2/memory/search", params=question).text


def test_an_artifact_that_was_changed_is_not_handed_out(served: Served, admin: httpx.Client, tmp_path: Path) -> None:
    run_id = served.run()
    path = tmp_path / "artifacts" / run_id / "page.html"
    sha = write_atomic(path, b"<script>alert(1)</script>")
    served.app.database.write(
        lambda tx: tx.run(
            "INSERT INTO artifact (id, run_id, role, path, media_type, sha256, size, created_at) "
            "VALUES ('a1', :run, 'deliverable', :path, 'text/html', :sha, 25, 0)",
            run=run_id,
            path=f"artifacts/{run_id}/page.html",
            sha=sha,
        )
    )
    answer = admin.get(f"/api/v2/runs/{run_id}/artifacts/a1")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert (
        admin.get(f"/api/v2/runs/{run_id}/artifacts/a1", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    )
    path.write_bytes(b"other")
    assert admin.get(f"/api/v2/runs/{run_id}/artifacts/a1").status_code == 422
    path.unlink()
    (tmp_path / "elsewhere").write_bytes(b"<script>alert(1)</script>")
    path.symlink_to(tmp_path / "elsewhere")
    assert admin.get(f"/api/v2/runs/{run_id}/artifacts/a1").status_code in (404, 422)
    assert admin.get(f"/api/v2/runs/{run_id}/artifacts/a2").status_code == 404


def test_an_unchanged_run_is_not_sent_again_and_a_changed_one_is(served: Served, admin: httpx.Client) -> None:
    run_id = served.run()
    first = admin.get(f"/api/v2/runs/{run_id}")
    tag = first.headers["etag"]
    assert admin.get(f"/api/v2/runs/{run_id}", headers={"if-none-match": tag}).status_code == 304
    admin.post(f"/api/v2/runs/{run_id}/abort")
    second = admin.get(f"/api/v2/runs/{run_id}", headers={"if-none-match": tag})
    assert (second.status_code, second.json()["status"]) == (200, "aborted")
