"""The server as a process: how it begins, what it refuses, and how it ends."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from autonomy.api.serve import listen
from autonomy.bootstrap.app import App
from autonomy.providers.script import GOOD, Asked, Behaviour
from autonomy.providers.scripted import ScriptedServer
from autonomy.storage.database import Database
from tests import evidence
from tests.api.served import ASKED, Reader, settings
from tests.commands import CORPUS, Command, Commands, Workspace, until
from tests.ingress.test_github import ISSUE, SECRET, headers

SERVE = ("serve", "--port", "0", "--json")


def up(command: Command) -> dict[str, Any]:
    """Where the server listens, once it does."""
    out = command._files[0]
    until(lambda: not command.alive or out.read_text().endswith("\n"), "the server")
    assert command.alive, command.wait().err
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def configure(place: Workspace, server: ScriptedServer | None = None) -> None:
    rest = f'[corpora]\ndocs = "{CORPUS}"\n'
    if server is None:
        (place.home / "autonomy.toml").write_text(rest)
    else:
        place.configure(server.base_url, rest=rest)


def test_a_run_posted_over_http_is_worked_inside_the_server_and_streamed_to_its_end(
    commands: Commands, workspace: Workspace
) -> None:
    configure(workspace)
    command = commands.start(workspace, *SERVE)
    port = up(command)["port"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        run_id = client.post("/api/v2/runs", json=ASKED).json()["run_id"]
        reader = Reader(port, f"/api/v2/runs/{run_id}/events", token=None)
        assert reader.read()
        assert reader.ids == list(range(1, len(reader.ids) + 1))
        assert reader.seen[-1].type == "run.done"
        page = client.get(f"/api/v2/runs/{run_id}").json()
        assert page["outcome"] == "delivered"
        manifest = next(each for each in page["artifacts"] if each["path"].endswith("deliverable.md"))
        assert client.get(f"/api/v2/runs/{run_id}/artifacts/{manifest['artifact_id']}").text.startswith("# ")
    command.signal(signal.SIGTERM)
    ended = command.wait()
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["host"] == "127.0.0.1"


def test_sigterm_with_open_streams_ends_them_hands_the_run_back_and_leaves_with_0(
    commands: Commands, workspace: Workspace, server: ScriptedServer
) -> None:
    configure(workspace, server)
    command = commands.start(workspace, *SERVE)
    port = up(command)["port"]
    ended: list[bool] = []
    reading: list[threading.Thread] = []

    def script(asked: Asked) -> Behaviour:
        if asked.number == 4:
            command.signal(signal.SIGTERM)
        return GOOD

    server.script = script
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        asked = {**ASKED, "task_spec": {**ASKED["task_spec"], "provider": "model"}}
        run_id = client.post("/api/v2/runs", json=asked).json()["run_id"]
    readers = [Reader(port, path, token=None) for path in (f"/api/v2/runs/{run_id}/events", "/api/events") for _ in range(3)]
    for reader in readers:
        reading.append(threading.Thread(target=lambda reader=reader: ended.append(reader.read())))
        reading[-1].start()
    stopped = command.wait()
    for thread in reading:
        thread.join()
    assert stopped.code == 0, stopped.err
    with workspace.database() as database:
        job = database.read(lambda tx: tx.row("SELECT state, attempts FROM job WHERE run_id = :id", id=run_id))
        assert job == {"state": "queued", "attempts": 0}
    assert commands.run(workspace, "worker", "--until-idle").code == 0
    with workspace.database() as database:
        assert evidence.flaws(database, run_id, workspace.home) == []


def test_readers_go_on_after_a_server_was_killed(commands: Commands, workspace: Workspace) -> None:
    """20 readers, each cut 10 times, and the server killed once: identical sequences."""
    configure(workspace)
    first = commands.start(workspace, *SERVE)
    place = {"port": up(first)["port"]}
    with httpx.Client(base_url=f"http://127.0.0.1:{place['port']}", trust_env=False, timeout=60) as client:
        run_id = client.post("/api/v2/runs", json=ASKED).json()["run_id"]
    readers = [Reader(place["port"], f"/api/v2/runs/{run_id}/events", token=None) for _ in range(20)]

    def follow(reader: Reader, number: int) -> None:
        cuts = 0
        while True:
            reader.port = place["port"]
            try:
                over = reader.read(cut_at=500 + 97 * number + 311 * cuts if cuts < 10 else None)
            except ConnectionError:
                continue  # the server is down: try again, as a browser does
            if reader.seen and reader.seen[-1].type == "run.done":
                return
            cuts += not over

    reading = [threading.Thread(target=follow, args=(reader, n)) for n, reader in enumerate(readers)]
    for thread in reading:
        thread.start()
    until(lambda: any(len(reader.seen) > 20 for reader in readers), "the run under way")
    first.kill()
    second = commands.start(workspace, *SERVE)
    place["port"] = up(second)["port"]
    for thread in reading:
        thread.join()
    with workspace.database() as database:
        told = evidence.events(database, run_id)
    for reader in readers:
        assert reader.ids == [event["seq"] for event in told]
        assert [seen.body["content"] for seen in reader.seen] == [event["content"] for event in told]
    second.signal(signal.SIGTERM)
    assert second.wait().code == 0


def test_a_server_refuses_to_begin_with_one_line_and_its_code(commands: Commands, on_sqlite: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for argv, word in (
            (("--port", port), "cannot listen"),
            (("--host", "0.0.0.0"), "without any token"),
            (("--host", "no.such.host.invalid"), "no address"),
        ):
            ended = commands.run(on_sqlite, "serve", *argv)
            assert (ended.code, ended.err.count("\n")) == (4, 1), ended.err
            assert word in ended.err
    assert commands.run(on_sqlite, "serve", "--port", "70000").code == 5
    assert commands.run(on_sqlite, "serve", "--workers-inline", "-1").code == 5
    assert commands.run(on_sqlite, "serve", "--port", "x").code == 2


def test_connections_are_of_a_kind_whose_small_writes_are_sent_at_once(tmp_path: Path) -> None:
    """asyncio sets TCP_NODELAY on sockets that say they are TCP, and on no others."""
    app = App(settings(tmp_path, f"sqlite:///{tmp_path / 'autonomy.db'}"), Database(f"sqlite:///{tmp_path / 'autonomy.db'}"))
    with contextlib.closing(app), listen(app) as listening, socket.create_connection(listening.getsockname()):
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


def test_a_server_leaves_no_secret_in_its_log(commands: Commands, on_sqlite: Workspace) -> None:
    secret = "an-admin-token-to-look-for"
    command = commands.start(on_sqlite, *SERVE, environ={"AUTONOMY_ADMIN_TOKEN": secret})
    port = up(command)["port"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert client.get("/api/tasks", headers={"authorization": f"Bearer {secret}"}).status_code == 200
        assert client.post("/login", json={"token": secret}).status_code == 204
        assert client.get(f"/api/tasks?token={secret}").status_code == 200
        client.cookies.clear()
        assert client.get(f"/api/tasks?token={secret}").status_code == 401
    command.signal(signal.SIGTERM)
    ended = command.wait()
    written = ended.out + ended.err + "".join(path.read_text() for path in Path(on_sqlite.home, "audit").glob("*.jsonl"))
    assert ended.code == 0
    assert secret not in written


@pytest.mark.parametrize("signals", [1, 2])
def test_ctrl_c_ends_an_idle_server(commands: Commands, on_sqlite: Workspace, signals: int) -> None:
    command = commands.start(on_sqlite, *SERVE)
    up(command)
    for _ in range(signals):
        command.signal(signal.SIGINT)
    assert command.wait().code in ((0,) if signals == 1 else (0, 130))


def test_a_hundred_identical_deliveries_and_again_after_a_kill_have_one_effect(
    commands: Commands, workspace: Workspace
) -> None:
    body = json.dumps(ISSUE).encode()
    given = headers(body, "issues", "the-same")
    configure(workspace)
    told: list[str] = []

    def send(port: int) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            answers = [client.post("/webhooks/github", content=body, headers=given) for _ in range(10)]
            told.extend(answer.raise_for_status().json()["status"] for answer in answers)

    for kill in (True, False):
        server = commands.start(workspace, *SERVE, environ={"WEBHOOK_SECRET": SECRET.decode()})
        senders = [threading.Thread(target=send, args=(up(server)["port"],)) for _ in range(10)]
        for each in senders:
            each.start()
        for each in senders:
            each.join()
        server.signal(signal.SIGKILL if kill else signal.SIGTERM)
        server.wait()
    assert sorted(told) == ["created"] + ["duplicate"] * 199
    assert len(list((workspace.home / "ssot").glob("*.json"))) == 1
    with workspace.database() as database:
        count = "SELECT (SELECT count(*) FROM delivery), (SELECT count(*) FROM task_event)"
        assert database.read(lambda tx: tx.tuples(count)) == [(1, 1)]
