"""GitHub's door: only what is signed comes in, once; whatever it says, the answer is below 500."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import random
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from autonomy.bootstrap.app import App
from autonomy.ingress import github
from autonomy.ingress.github import Ignored, Options, SetCi, parse, verify
from autonomy.ingress.reply import Reply
from autonomy.services.tasks import NewTask

SECRET = b"It's a Secret to Everybody"
SHA, OTHER = "ec26c3e57ca3a959ca5aad62de7213c562f8c821", "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
REPO: Mapping[str, Any] = {"full_name": "octo/hello-world", "id": 1}
RUN: Mapping[str, Any] = {
    "repository": REPO,
    "check_run": {
        "head_sha": SHA, "status": "completed", "conclusion": "success", "check_suite": {"head_branch": "topic"},
        "pull_requests": [
            {"head": {"ref": "theirs", "repo": {"id": 2}}, "base": {"repo": {"id": 1}}},
            {"head": {"ref": "ours", "repo": {"id": 1}}, "base": {"repo": {"id": 1}}},
        ],
    },
}  # fmt: skip
ISSUE: Mapping[str, Any] = {
    "action": "opened", "repository": REPO, "issue": {"number": 7, "title": "It breaks", "body": "<img onerror=x>"},
}  # fmt: skip


def sign(body: bytes) -> bytes:
    return b"sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest().encode()


def headers(body: bytes, event: str, delivery: str, **more: bytes) -> list[tuple[bytes, bytes]]:
    given = {"X-GitHub-Event": event.encode(), "X-GitHub-Delivery": delivery.encode(), "X-Hub-Signature-256": sign(body)}
    return [(name.encode(), value) for name, value in {**given, **more}.items()]


def deliver(
    app: App, event: str, payload: Any, delivery: str = "d1", *, options: Options | None = None, raw: bytes | None = None
) -> Reply:
    body = json.dumps(payload).encode() if raw is None else raw
    reply = github.receive(
        body, headers(body, event, delivery), secret=SECRET, options=options or Options(), tasks=app.tasks,
        database=app.database,
    )  # fmt: skip
    app.audit.append_many(reply.audit)
    return reply


def status_of(app: App, task_id: str) -> Any:
    return app.tasks.show(task_id).get("ci_status")


# -- the signature ------------------------------------------------------------------------------------


def test_the_published_example_verifies() -> None:
    signature = b"sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert verify(SECRET, b"Hello, World!", signature)
    assert not verify(SECRET, b"Hello, World?", signature)
    assert not verify(b"another secret", b"Hello, World!", signature)


@pytest.mark.parametrize(
    "signature",
    [b"", b"sha256=", b"sha256=\xe9", b"\xff" * 71, b"sha256=" + b"\x00" * 64, b"sha1=" + b"a" * 40, b"a" * 10**6,
     "sha256=ünïcödé".encode(), b"sha256=" + b"A" * 64],
)  # fmt: skip
def test_no_bytes_crash_the_check(signature: bytes) -> None:
    assert not verify(SECRET, b"Hello, World!", signature)


def test_every_changed_bit_of_a_signature_or_a_body_is_refused() -> None:
    body = b"Hello, World!"
    good = sign(body)
    for at in range(len(good) * 8):
        bad = bytearray(good)
        bad[at // 8] ^= 1 << at % 8
        assert not verify(SECRET, body, bytes(bad))
    for at in range(len(body) * 8):
        changed = bytearray(body)
        changed[at // 8] ^= 1 << at % 8
        assert not verify(SECRET, bytes(changed), good)


# -- what an event means ------------------------------------------------------------------------------


def test_a_build_that_ended_has_githubs_word_for_how_and_the_branches_of_the_repository_itself() -> None:
    assert parse("check_run", RUN) == SetCi("octo/hello-world", (SHA,), ("topic", "ours"), "success")
    under_way = {"repository": REPO, "check_suite": {"head_sha": SHA, "status": "in_progress", "conclusion": None}}
    assert parse("check_suite", under_way) == SetCi("octo/hello-world", (SHA,), (), "pending")


def test_a_workflow_of_a_fork_says_nothing_of_our_branch_of_that_name() -> None:
    run = {"head_sha": SHA, "head_branch": "main", "status": "completed", "conclusion": "failure"}
    ours = {"repository": REPO, "workflow_run": {**run, "head_repository": REPO}}
    fork = {"repository": REPO, "workflow_run": {**run, "head_repository": {"full_name": "mallory/hello-world"}}}
    assert parse("workflow_run", ours) == SetCi("octo/hello-world", (SHA,), ("main",), "failure")
    assert parse("workflow_run", fork) == SetCi("octo/hello-world", (SHA,), (), "failure")


def test_a_status_names_its_commit_and_the_branches_that_hold_it() -> None:
    payload = {"repository": REPO, "sha": OTHER, "state": "error", "branches": [{"name": "main"}, {"name": 5}, None]}
    assert parse("status", payload) == SetCi("octo/hello-world", (OTHER,), ("main",), "error")


def test_an_issue_that_is_opened_becomes_a_task_of_its_own() -> None:
    task_id = hashlib.sha256(b"github:octo/hello-world#7").hexdigest()[:12]
    command = parse("issues", ISSUE, Options(user="alice"))
    assert isinstance(command, NewTask)
    assert (command.task_id, command.correlation_id, command.user_id) == (task_id, task_id, "alice")
    assert (command.request_text, command.source) == ("It breaks\n\n<img onerror=x>", "github")
    assert isinstance(parse("issues", {**ISSUE, "action": "edited"}), Ignored)
    assert isinstance(parse("issues", ISSUE, Options(issues=False)), Ignored)


def test_only_the_repositories_that_are_named_are_heard() -> None:
    assert isinstance(parse("check_run", RUN, Options(repos=("octo/other",))), Ignored)
    assert isinstance(parse("check_run", RUN, Options(repos=("Octo/Hello-World",))), SetCi)
    assert isinstance(parse("ping", {}, Options(repos=("octo/other",))), Ignored)


@pytest.mark.parametrize("event", ["ping", "push", "pull_request", "star", "unheard_of", "check_run", "status", "issues"])
@pytest.mark.parametrize(
    "payload", [None, [], 5, "text", {}, {"repository": None}, {"check_run": []}, {"issue": {"number": True}}]
)
def test_an_event_of_no_concern_and_a_payload_of_no_sense_are_ignored_with_a_reason(event: str, payload: Any) -> None:
    command = parse(event, payload)
    assert isinstance(command, Ignored)
    assert command.reason


ODD: tuple[Any, ...] = (None, True, -1, 2**62, 1.5, "", "x" * 300, "../..", [], [[]], {}, {"a": None}, ["a", 1, None], "\n")


@pytest.mark.parametrize(("event", "payload"), [("check_run", RUN), ("issues", ISSUE)])
def test_no_value_at_any_place_of_a_payload_raises(event: str, payload: Mapping[str, Any]) -> None:
    dice = random.Random(3)
    for _ in range(2000):
        changed: Any = copy.deepcopy(dict(payload))
        for _ in range(dice.randrange(1, 4)):
            spoil(changed, dice)
        assert isinstance(parse(event, changed), SetCi | NewTask | Ignored)


def spoil(value: Any, dice: random.Random) -> None:
    """Put something odd at a random place, or take something away."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
        if not keys:
            return
        key = dice.choice(keys)
        if isinstance(value[key], dict | list) and dice.random() < 0.7:
            value = value[key]
            continue
        if isinstance(value, dict) and dice.random() < 0.2:
            del value[key]
        else:
            value[key] = copy.deepcopy(dice.choice(ODD))
        return


# -- its effect ---------------------------------------------------------------------------------------


def test_a_build_is_noted_in_the_task_that_names_its_commit_and_again_nothing_happens(app: App) -> None:
    made = app.tasks.create(NewTask(source="github", request_text="fix it", git={"repo": "octo/hello-world", "commit": SHA}))
    task_id = made.task["task_id"]
    app.tasks.create(NewTask(source="github", request_text="another"))
    first, again = deliver(app, "check_run", RUN), deliver(app, "check_run", RUN)
    assert (first.status, first.body["status"], first.body["tasks"]) == (200, "applied", [task_id])
    assert (again.status, again.body["status"]) == (200, "duplicate")
    assert status_of(app, task_id) == "success"
    assert app.tasks.show(task_id)["revision"] == made.task["revision"] + 1
    assert [line["dedup_hit"] for reply in (first, again) for line in reply.audit] == [False, True]


def test_a_late_replay_does_not_undo_what_came_after_it(app: App) -> None:
    task_id = app.tasks.create(NewTask(source="github", request_text=f"look at {SHA}")).task["task_id"]
    failed = {**RUN, "check_run": {**RUN["check_run"], "conclusion": "failure"}}
    deliver(app, "check_run", failed, "d1")
    deliver(app, "check_run", RUN, "d2")
    deliver(app, "check_run", failed, "d1")
    assert status_of(app, task_id) == "success"


def test_an_issue_makes_one_task_and_waits_for_a_person(app: App) -> None:
    replies = [deliver(app, "issues", ISSUE, name) for name in ("d1", "d1", "d2")]
    assert [reply.body["status"] for reply in replies] == ["created", "duplicate", "duplicate"]
    (task_id,) = replies[0].body["tasks"]
    task = app.tasks.show(task_id)
    assert (task["status"], task["source"], task["correlation_id"], task["revision"]) == ("pending", "github", task_id, 1)
    assert task["error"].startswith("no corpus to work from.")  # whoever opened it cannot know what there is to read
    assert replies[0].audit[0]["correlation_id"] == task_id


def test_a_delivery_that_had_its_effect_has_none_even_where_the_task_is_gone(app: App) -> None:
    (task_id,) = deliver(app, "issues", ISSUE).body["tasks"]
    (app.home / "ssot" / f"{task_id}.json").unlink()
    assert deliver(app, "issues", ISSUE).body["status"] == "duplicate"
    assert not app.tasks.list().items


def test_a_hundred_identical_deliveries_at_once_have_one_effect(app: App) -> None:
    replies: list[Reply] = []
    body = json.dumps(ISSUE).encode()
    tasks = app.tasks

    def send() -> None:
        given = headers(body, "issues", "same")
        for _ in range(10):
            reply = github.receive(body, given, secret=SECRET, options=Options(), tasks=tasks, database=app.database)
            replies.append(reply)

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200] * 100
    assert sorted(reply.body["status"] for reply in replies) == ["created"] + ["duplicate"] * 99
    assert len(app.tasks.list().items) == 1
    assert app.database.read(lambda tx: tx.value("SELECT count(*) FROM task_event")) == 1
    assert app.database.read(lambda tx: tx.value("SELECT count(*) FROM delivery")) == 1


def test_what_changes_nothing_is_noted_as_well(app: App) -> None:
    replies = [deliver(app, "ping", {"zen": "x"}, "p1") for _ in range(3)]
    assert [reply.body["status"] for reply in replies] == ["ignored", "duplicate", "duplicate"]
    assert [reply.audit[0]["dedup_hit"] for reply in replies] == [False, True, True]


def test_a_delivery_that_came_as_a_form_is_read_alike(app: App) -> None:
    body = urlencode({"payload": json.dumps(ISSUE)}).encode()
    given = headers(body, "issues", "f1", **{"Content-Type": b"application/x-www-form-urlencoded"})
    reply = github.receive(body, given, secret=SECRET, options=Options(), tasks=app.tasks, database=app.database)
    assert (reply.status, reply.body["status"]) == (200, "created")


# -- what is refused ----------------------------------------------------------------------------------


def test_without_a_secret_there_is_no_endpoint(app: App) -> None:
    body = json.dumps(ISSUE).encode()
    for secret in (None, b""):
        reply = github.receive(
            body, headers(body, "issues", "d1"), secret=secret, options=Options(), tasks=app.tasks, database=app.database
        )
        assert (reply.status, reply.audit) == (404, ())


@pytest.mark.parametrize("signature", [b"", b"sha256=\xe9", b"sha256=" + b"0" * 64, b"\xff\xfe"])
def test_what_is_not_signed_is_refused_and_burns_no_delivery_id(app: App, signature: bytes) -> None:
    body = json.dumps(ISSUE).encode()
    given = headers(body, "issues", "d1", **{"X-Hub-Signature-256": signature})
    reply = github.receive(body, given, secret=SECRET, options=Options(), tasks=app.tasks, database=app.database)
    assert reply.status == 401
    assert (reply.audit[0]["action"], reply.audit[0]["signature_valid"]) == ("webhook_received", False)
    assert app.database.read(lambda tx: tx.value("SELECT count(*) FROM delivery")) == 0
    assert deliver(app, "issues", ISSUE, "d1").body["status"] == "created"


def test_a_second_signature_beside_the_right_one_is_refused(app: App) -> None:
    body = json.dumps(ISSUE).encode()
    given = [*headers(body, "issues", "d1"), (b"x-hub-signature-256", b"sha256=00")]
    reply = github.receive(body, given, secret=SECRET, options=Options(), tasks=app.tasks, database=app.database)
    assert reply.status == 401


@pytest.mark.parametrize(
    "raw",
    [b"", b"Hello, World!", b"[" * 100_000, b"9" * 5000, b"\xff\xfe", b'{"a": NaN}', b'{"a": 1, "a": 2}', b'{"a": "\\ud800"}',
     b'{"a": "\\u0000"}', b"[]", b"null", b'{"a": Infinity}', b'{"a": 1e999}'],
)  # fmt: skip
def test_what_is_signed_and_no_json_is_refused_and_nothing_is_written(app: App, raw: bytes) -> None:
    reply = deliver(app, "issues", None, raw=raw)
    assert reply.status == 400
    assert reply.body["status"] == 400
    assert app.database.read(lambda tx: tx.value("SELECT count(*) FROM delivery")) == 0
    assert not app.tasks.list().items


@pytest.mark.parametrize(
    ("event", "delivery"), [("", "d1"), ("issues", ""), ("issues", "a b"), ("ISSUES", "d"), ("x", "d" * 129)]
)
def test_a_delivery_without_a_name_or_an_event_is_refused(app: App, event: str, delivery: str) -> None:
    assert deliver(app, event, ISSUE, delivery).status == 400


def test_an_issue_that_cannot_be_a_task_is_ignored_and_not_asked_for_again(app: App) -> None:
    huge = {**ISSUE, "issue": {"number": 8, "title": "x", "body": "y" * 200_000}}
    reply = deliver(app, "issues", huge)
    assert (reply.status, reply.body["status"]) == (200, "ignored")
    assert deliver(app, "issues", huge).body["status"] == "duplicate"
