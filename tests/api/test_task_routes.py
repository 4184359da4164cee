"""Tasks over HTTP: added, decided once by an admin, streamed to whom they concern."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from autonomy.services.tasks import NewTask
from tests.api.served import ADMIN, Reader, Served, settings
from tests.commands import until

TASK: dict[str, Any] = {"request_text": "Write about leases", "journey": "research", "task_spec": {"corpus": "docs"}}


def test_a_task_is_added_shown_and_listed(served: Served, admin: httpx.Client) -> None:
    made = admin.post("/api/tasks", json={**TASK, "task_id": "t1", "correlation_id": "c1"})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == "/api/tasks/t1"
    assert (made.json()["status"], made.json()["source"], made.json()["correlation_id"]) == ("pending", "http", "c1")
    again = admin.post("/api/tasks", json={**TASK, "task_id": "t1", "request_text": "Other"})
    assert (again.status_code, again.json()["request_text"]) == (200, "Write about leases")
    shown = {hashlib.sha256(admin.get("/api/tasks/t1").content).hexdigest() for _ in range(10)}
    assert len(shown) == 1, "the same task has the same bytes"
    page = admin.get("/api/tasks").json()
    assert [item["task_id"] for item in page["items"]] == ["t1"]
    assert page["next_cursor"] is None
    assert admin.get("/api/tasks", params={"status": "approved"}).json()["items"] == []
    assert admin.get("/api/tasks", params={"limit": 1}).json()["items"][0]["task_id"] == "t1"


def test_an_approval_shows_in_the_very_next_get_on_both_servers_and_starts_one_run(tmp_path: Path, database_url: str) -> None:
    chosen = settings(tmp_path, database_url)
    with Served(chosen) as one, Served(chosen) as two, one.client() as first, two.client() as second:
        for n in range(5):
            task_id = first.post("/api/tasks", json=TASK).json()["task_id"]
            approved = first.post(f"/api/tasks/{task_id}/approve")
            assert approved.status_code == 200, approved.text
            run_id = approved.json()["run_id"]
            for client in (first, second):
                listed = {item["task_id"]: item["status"] for item in client.get("/api/tasks").json()["items"]}
                assert listed[task_id] == "approved"
                assert client.get(f"/api/tasks/{task_id}").json()["status"] == "approved"
            assert first.get(f"/api/v2/runs/{run_id}").json()["correlation_id"] == task_id
            assert one.written()["run"] == n + 1


def test_forty_racing_decisions_on_two_servers_are_one(tmp_path: Path, database_url: str) -> None:
    chosen = settings(tmp_path, database_url)
    with Served(chosen) as one, Served(chosen) as two, one.client() as client:
        task_id = client.post("/api/tasks", json=TASK).json()["task_id"]
        codes: list[int] = []

        def decide(n: int) -> None:
            with (one, two)[n % 2].client() as mine:
                codes.append(mine.post(f"/api/tasks/{task_id}/{('approve', 'reject')[n // 2 % 2]}", json={}).status_code)

        threads = [threading.Thread(target=decide, args=(n,)) for n in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes) == [200] + [409] * 39
        status = client.get(f"/api/tasks/{task_id}").json()["status"]
        assert one.written()["run"] == (status == "approved")


def test_a_rejection_keeps_its_reason(served: Served, admin: httpx.Client) -> None:
    task_id = admin.post("/api/tasks", json=TASK).json()["task_id"]
    done = admin.post(f"/api/tasks/{task_id}/reject", json={"reason": "not now"}).json()
    assert (done["status"], done["decision"]["reason"]) == ("rejected", "not now")
    assert admin.post(f"/api/tasks/{task_id}/approve").status_code == 409
    assert served.written()["run"] == 0


def test_an_approval_keeps_its_reason(served: Served, admin: httpx.Client) -> None:
    task_id = admin.post("/api/tasks", json=TASK).json()["task_id"]
    done = admin.post(f"/api/tasks/{task_id}/approve", json={"reason": "worth it"}).json()
    assert (done["status"], done["decision"]["reason"]) == ("approved", "worth it")
    (line,) = [
        line for line in map(json.loads, (served.app.home / "audit" / "events.jsonl").read_text().splitlines())
        if line["action"] == "task_approved"
    ]  # fmt: skip
    assert line["reason"] == "worth it"


def test_what_nothing_measures_is_left_to_the_admin_who_closes_it_once(served: Served, admin: httpx.Client) -> None:
    criteria = [{"id": "c1", "text": "Written for children."}]
    task_id = admin.post("/api/tasks", json={**TASK, "acceptance_criteria": criteria}).json()["task_id"]
    run_id = admin.post(f"/api/tasks/{task_id}/approve").json()["run_id"]
    served.artifact(run_id, "deliverable.md", "text/markdown", b"# Leases")
    served.end(run_id)
    assert served.app.tasks.report_pending() == 1
    shown = admin.get(f"/api/tasks/{task_id}").json()
    assert (shown["status"], shown["outcome"], shown["verdict"]["decision"]) == ("needs_review", "delivered", "needs_review")
    assert [issue["criterion_ref"] for issue in shown["verdict"]["issues"]] == ["c1"]
    assert shown["result"]["criteria"][0]["met"] is None
    assert shown["finished_at"] == admin.get(f"/api/v2/runs/{run_id}").json()["updated_at"]
    (document,) = shown["deliverables"]
    assert document["path"] == f"artifacts/{run_id}/deliverable.md"
    assert admin.get(f"/api/v2/runs/{run_id}/artifacts/{document['artifact_id']}").content == b"# Leases"
    waiting = admin.get("/api/tasks", params={"status": "needs_review"}).json()["items"]
    assert [(item["task_id"], item["finished_at"]) for item in waiting] == [(task_id, shown["finished_at"])]
    closed = admin.post(f"/api/tasks/{task_id}/approve", json={"reason": "Read it."}).json()
    assert closed["earlier_decisions"] == [shown["decision"]]
    assert (closed["status"], closed["decision"]["reason"], closed["verdict"]) == ("approved", "Read it.", shown["verdict"])
    assert [admin.post(f"/api/tasks/{task_id}/{verb}").status_code for verb in ("approve", "reject")] == [409, 409]
    assert served.written()["run"] == 1
    reader = Reader(served.port, "/api/events")
    reader.read(closed["revision"])
    assert [seen.type for seen in reader.seen][-2:] == ["task.needs_review", "task.approved"]


def test_users_see_their_own_tasks_and_decide_none(served: Served, admin: httpx.Client) -> None:
    with served.client(served.token("alice")) as alice, served.client(served.token("bob")) as bob:
        task_id = alice.post("/api/tasks", json={**TASK, "task_id": "hers"}).json()["task_id"]
        assert alice.get(f"/api/tasks/{task_id}").status_code == 200
        assert bob.get(f"/api/tasks/{task_id}").status_code == 404
        assert [item["task_id"] for item in alice.get("/api/tasks").json()["items"]] == [task_id]
        for query in ({}, {"limit": 5}):
            assert bob.get("/api/tasks", params=query).json()["items"] == []
        assert bob.post("/api/tasks", json={**TASK, "task_id": "hers"}).status_code == 409
        assert bob.post("/api/tasks", json={**TASK, "user_id": "alice"}).status_code == 403
        for client in (alice, bob):
            for verb in ("approve", "reject"):
                assert client.post(f"/api/tasks/{task_id}/{verb}").status_code == 403
        assert admin.get(f"/api/tasks/{task_id}").json()["status"] == "pending"


@pytest.mark.parametrize(
    "change",
    [
        {"request_text": ""},
        {"request_text": " "},
        {"task_id": "../x"},
        {"correlation_id": "a b"},
        {"task_spec": {"corpus": "docs", "source": "/etc/passwd"}},
        {"task_spec": {"budget_usd": -1}},
        {"task_spec": {"misspelt": 1}},
        {"acceptance_criteria": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]},
        {"acceptance_criteria": "all"},
        {"git": {"commit": 5}},
        {"status": "approved"},
        {"journey": "walk"},
    ],
    ids=str,
)
def test_a_task_that_makes_no_sense_is_refused_and_leaves_nothing(
    served: Served, admin: httpx.Client, change: dict[str, Any]
) -> None:
    answer = admin.post("/api/tasks", json={**TASK, **change})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert admin.get("/api/tasks").json()["items"] == []


def test_an_unknown_corpus_is_refused_in_the_words_of_runs_whatever_lies_there(
    served: Served, admin: httpx.Client, tmp_path: Path
) -> None:
    def asked(path: str, corpus: Any) -> tuple[int, str, str]:
        spec = {"goal": "Why?", "corpus": corpus}
        body = {"journey": "research", "task_spec": spec}
        answer = admin.post(path, json={**body, "request_text": "Why?"} if path == "/api/tasks" else body)
        return answer.status_code, answer.json()["code"], answer.json()["detail"]

    there, nowhere = tmp_path / "there", tmp_path / "nowhere"
    there.mkdir()
    for corpus in (str(there), str(nowhere), "other", "../docs", "docs/", "Docs", ["docs", str(there)]):
        found = asked("/api/tasks", corpus)
        name = corpus[-1] if isinstance(corpus, list) else corpus
        assert found == (422, "invalid-input", f"there is no corpus named {name[:80]!r}")
        assert found == asked("/api/v2/runs", corpus)
    assert served.written()["task_event"] == 0
    assert not (served.app.home / "ssot").exists()


def test_a_task_that_could_be_no_run_is_refused_in_the_words_of_runs(served: Served, admin: httpx.Client) -> None:
    for journey, spec in (
        ("research", {}),
        ("rewrite", {"corpus": "docs"}),
        ("write", {"corpus": "docs", "provider": "nobody"}),
        ("research", {"corpus": "docs", "target_similarity": 10}),
        ("write", {"corpus": "docs", "due_date": "2001-01-01"}),
    ):
        run = admin.post("/api/v2/runs", json={"journey": journey, "task_spec": {"goal": "Why?", **spec}})
        task = admin.post("/api/tasks", json={"journey": journey, "request_text": "Why?", "task_spec": spec})
        assert (task.status_code, task.headers["content-type"]) == (422, "application/problem+json"), spec
        assert task.json() == run.json()
    assert served.written()["task_event"] == 0
    assert not (served.app.home / "ssot").exists()


def test_a_criterion_that_nothing_measures_is_named_in_the_answer_and_not_in_the_file(
    served: Served, admin: httpx.Client
) -> None:
    criteria = [{"id": "c1", "text": "min_citations"}]
    made = admin.post("/api/tasks", json={**TASK, "acceptance_criteria": criteria}).json()
    (note,) = made.pop("notes")
    assert note.startswith("criterion c1 names min_citations, which is not measured")
    assert admin.get(f"/api/tasks/{made['task_id']}").json() == made
    assert "notes" not in admin.post("/api/tasks", json=TASK).json()


def test_an_admin_names_the_corpus_of_a_task_that_lacks_one(served: Served, admin: httpx.Client) -> None:
    task_id = served.app.tasks.create(NewTask(source="telegram", request_text="Why?", user_id="alice")).task["task_id"]
    place = f"/api/tasks/{task_id}/corpus"
    approved = admin.post(f"/api/tasks/{task_id}/approve").json()
    assert (approved["status"], approved["error"][:23]) == ("approved", "no corpus to work from.")
    assert [item["error"] for item in admin.get("/api/tasks").json()["items"]] == [approved["error"]]
    with served.client(served.token("alice")) as alice:
        assert alice.put(place, json={"corpus": "docs"}).status_code == 403
    for corpus in ("other", str(served.app.home), [], "", ["docs", "other"], 5):
        answer = admin.put(place, json={"corpus": corpus})
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), corpus
    assert served.written()["run"] == 0
    named = admin.put(place, json={"corpus": "docs"})
    assert (named.status_code, named.json()["corpus"], named.json()["error"]) == (200, ["docs"], None)
    assert served.app.runs.page().items[0]["run_id"] == named.json()["run_id"]
    assert admin.put(place, json={"corpus": "docs"}).status_code == 409
    assert admin.put("/api/tasks/nobody/corpus", json={"corpus": "docs"}).status_code == 404


def test_a_damaged_task_is_named_and_the_others_go_on(served: Served, admin: httpx.Client) -> None:
    admin.post("/api/tasks", json={**TASK, "task_id": "good"})
    (served.app.home / "ssot" / "bad.json").write_bytes(b"\x00\x00")
    answer = admin.get("/api/tasks/bad")
    assert (answer.status_code, answer.json()["code"]) == (409, "corrupt-state")
    assert [item["task_id"] for item in admin.get("/api/tasks").json()["items"]] == ["good"]


def test_the_stream_of_tasks_resumes_across_servers_and_shows_users_their_own(tmp_path: Path, database_url: str) -> None:
    chosen = settings(tmp_path, database_url)
    with Served(chosen) as one, Served(chosen) as two, one.client() as admin:
        tokens = {user: one.token(user) for user in ("alice", "bob")}
        for user in ("alice", "bob", "alice"):
            admin.post("/api/tasks", json={**TASK, "user_id": user})
        readers = {
            (user, n): Reader(server.port, "/api/events", token=ADMIN if user is None else tokens[user])
            for n, server in enumerate((one, two))
            for user in (None, "alice", "bob")
        }
        reading = [threading.Thread(target=reader.read, args=(most,)) for reader, most in (
            (reader, {None: 6, "alice": 4, "bob": 2}[user]) for (user, _), reader in readers.items()
        )]  # fmt: skip
        for thread in reading:
            thread.start()
        for server, user in ((one, "alice"), (two, "bob"), (one, "alice")):
            server.app.tasks.create(NewTask(source="github", request_text="x", user_id=user))
        for thread in reading:
            thread.join()
        for n in range(2):
            everything, alice, bob = (readers[user, n] for user in (None, "alice", "bob"))
            assert len(set(everything.ids)) == 6
            assert everything.ids == sorted(everything.ids)
            assert sorted(alice.ids + bob.ids) == everything.ids
            assert {seen.type for seen in everything.seen} == {"task.created"}
            resumed = Reader((two, one)[n].port, "/api/events", last=everything.ids[1])
            resumed.read(4)
            assert resumed.ids == everything.ids[2:]


def test_a_user_whose_events_stand_far_apart_misses_none(
    served: Served, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autonomy.api.routes.tasks.BATCH", 3)
    alice = served.token("alice")
    for n in range(20):
        served.app.tasks.create(NewTask(source="github", request_text="x", user_id="alice" if n % 10 == 9 else "bob"))
    reader = Reader(served.port, "/api/events", token=alice)
    reader.read(2)
    assert len(reader.ids) == 2


def test_webhooks_whose_secret_is_not_set_do_not_exist(served: Served) -> None:
    with served.client(None) as anybody:
        for name in ("github", "telegram"):
            answer = anybody.post(f"/webhooks/{name}", content=b"{}", headers={"content-type": "application/json"})
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
            assert anybody.get(f"/webhooks/{name}").status_code == 405


def test_who_came_and_who_read_is_audited(served: Served) -> None:
    run_id = served.run()
    served.end(run_id)
    with served.client("wrong") as wrong:
        assert wrong.get("/api/v2/runs").status_code == 401
    reader = Reader(served.port, f"/api/v2/runs/{run_id}/events")
    assert reader.read()
    log = served.app.home / "audit" / "events.jsonl"

    def actions() -> list[dict[str, Any]]:
        return [json.loads(line) for line in log.read_text().splitlines()]

    until(lambda: "sse_disconnected" in {line["action"] for line in actions()}, "the audit")
    told = {line["action"]: line for line in actions()}
    assert told["auth_failed"]["request"] == "GET /api/v2/runs"
    assert told["sse_connected"]["correlation_id"] == told["sse_disconnected"]["correlation_id"]
    assert told["sse_disconnected"]["events"] == 2


def test_a_client_without_a_token_is_audited_once_and_a_wrong_token_every_time(served: Served) -> None:
    with served.client(None) as nobody, served.client("wrong-token-of-somebody") as wrong:
        for client in (nobody, nobody, wrong, wrong, nobody):
            assert client.get("/api/v2/runs").status_code == 401
    text = (served.app.home / "audit" / "events.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    told = [(line["reason"], line["request"], line["client"]) for line in lines if line["action"] == "auth_failed"]
    asked = ("GET /api/v2/runs", "127.0.0.1")
    assert told == [("missing", *asked), ("wrong", *asked), ("wrong", *asked)]
    assert "wrong-token-of-somebody" not in text
