"""Who is let in, and what is refused before anything else looks at it."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from autonomy.api.auth import Authenticator, is_loopback
from autonomy.api.gate import Gate, Hosts
from autonomy.api.limits import BODY_BYTES
from autonomy.api.metrics import Requests
from autonomy.bootstrap.settings import ServeSettings
from autonomy.core.errors import ConfigurationError
from autonomy.services.tokens import digest, revoke
from autonomy.storage.database import Database
from tests.api.served import ADMIN, ASKED, PATIENCE, Reader, Served, settings
from tests.commands import until

PROTECTED = (
    "/api/v2/runs",
    "/api/v2/runs/r1",
    "/api/v2/runs/r1/events",
    "/api/v2/tools",
    "/api/v2/memory/search?q=x",
    "/metrics",
)


def test_without_a_valid_token_nothing_is_shown(served: Served) -> None:
    with served.client(None) as nobody, served.client("wrong") as wrong:
        for path in PROTECTED:
            for client in (nobody, wrong):
                answer = client.get(path)
                assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
                assert answer.headers["www-authenticate"] == "Bearer"
        assert nobody.post("/api/v2/runs", json=ASKED).status_code == 401
        assert nobody.get("/healthz").status_code == 200
        assert nobody.get("/openapi.json").status_code == 200
    assert served.written()["run"] == 0


@pytest.mark.parametrize("value", [b"Bearer \xe9", b"Bearer", b"Bearer ", b"Basic YTpi", b"\xff\xfe", b"Bearer " + b"a" * 5000])
def test_no_bytes_of_a_credential_crash_the_comparison(served: Served, value: bytes) -> None:
    answer = served.raw(b"GET /api/v2/runs HTTP/1.0\r\nHost: localhost\r\nAuthorization: " + value + b"\r\n\r\n")
    assert answer.split(b" ")[1] == b"401"


def test_while_no_token_exists_this_machine_is_served_and_the_first_token_ends_that(tmp_path: Path, database_url: str) -> None:
    with Served(settings(tmp_path, database_url, admin=None)) as up, up.client(None) as client:
        assert client.get("/api/v2/runs").status_code == 200
        assert client.get("/api/v2/runs", headers={"authorization": "Bearer guess"}).status_code == 401
        assert client.post("/api/v2/runs", json=ASKED).status_code == 202
        token = up.token("alice")
    with Served(settings(tmp_path, database_url, admin=None)) as up, up.client(None) as client:
        assert client.get("/api/v2/runs").status_code == 401
        assert client.get("/api/v2/runs", headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_without_any_token_no_other_machine_is_served(tmp_path: Path, database_url: str) -> None:
    everywhere = ServeSettings(host="0.0.0.0", port=0, workers_inline=0)
    up = Served(settings(tmp_path, database_url, admin=None, serve=everywhere))
    try:
        with pytest.raises(ConfigurationError, match="without any token"), up:
            pass
    finally:
        up.app.close()
    with Served(settings(tmp_path, database_url, serve=everywhere)) as up, up.client() as client:
        assert client.get("/api/v2/runs").status_code == 200


@pytest.mark.parametrize(
    ("host", "let_in"),
    [
        (b"localhost", True),
        (b"localhost:8000", True),
        (b"127.0.0.1:8000", True),
        (b"[::1]:8000", True),
        (b"::1", False),
        (b"10.1.2.3", True),
        (b"Autonomy.Example:443", True),
        (b"evil.example", False),
        (b"localhost.evil.example", False),
        (b"localhost:port", False),
        (b"127.0.0.1.nip.io", False),
        (b"2130706433", False),
        (b"\xff", False),
        (b"", False),
        (None, False),
    ],
)
def test_only_hosts_of_ours_are_answered(host: bytes | None, let_in: bool) -> None:
    assert Hosts(["autonomy.example"]).allow(host) is let_in


def test_a_foreign_host_is_told_nothing(served: Served) -> None:
    with served.client() as client:
        answer = client.get("/api/v2/runs", headers={"host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown-host")


@pytest.mark.parametrize("hosts", [("evil.example", "localhost"), ("localhost", "evil.example"), ("localhost", "localhost")])
def test_a_request_that_names_two_hosts_is_refused(served: Served, hosts: tuple[str, str]) -> None:
    named = "".join(f"{name}: {host}\r\n" for name, host in zip(("Host", "hOST"), hosts, strict=True))
    answer = served.raw(f"GET /healthz HTTP/1.1\r\n{named}Connection: close\r\n\r\n".encode())
    assert answer.split(b" ")[1] == b"400"
    assert b"several-hosts" in answer


@pytest.mark.parametrize(
    "headers",
    [{"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
    ids=str,
)
def test_another_sites_page_does_not_act_for_whoever_is_trusted_by_place_or_cookie(
    tmp_path: Path, database_url: str, headers: dict[str, str]
) -> None:
    with Served(settings(tmp_path, database_url, admin=None)) as up, up.client(None) as client:
        answer = client.post("/api/v2/runs", json=ASKED, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign-origin")
        assert up.written()["run"] == 0
        own = {"origin": up.url, "sec-fetch-site": "same-origin"}
        assert client.post("/api/v2/runs", json=ASKED, headers=own).status_code == 202


def test_a_browser_signs_in_acts_and_signs_out(served: Served) -> None:
    alice = served.token("alice")
    with served.client(None) as browser:
        assert browser.post("/login", json={"token": "wrong"}).status_code == 401
        assert served.written()["browser_session"] == 0
        signed = browser.post("/login", data={"token": alice})
        assert (signed.status_code, signed.headers["location"]) == (303, "/")
        cookie = signed.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert browser.post("/api/v2/runs", json=ASKED).status_code == 202
        assert browser.get("/api/v2/runs").json()["items"][0]["user_id"] == "alice"
        assert browser.post("/api/v2/runs", json=ASKED, headers={"origin": "http://evil.example"}).status_code == 403
        held = dict(browser.cookies)
        kept = served.app.database.read(lambda tx: tx.rows("SELECT sha256, admin FROM browser_session"))
        assert kept[0]["sha256"] not in held.values()
        assert kept[0]["admin"] == 0
        assert browser.post("/logout").status_code == 204
        assert (
            browser.get("/api/v2/runs", headers={"cookie": f"autonomy_session={held['autonomy_session']}"}).status_code == 401
        )
    assert served.written()["browser_session"] == 0


@pytest.fixture
def elsewhere(served: Served) -> Iterator[Database]:
    """The database as another process has it: the command line's."""
    with Database(served.app.settings.database_url, grow_wal=False) as opened:
        yield opened


def test_a_token_that_was_taken_back_opens_nothing_from_then_on(served: Served, elsewhere: Database) -> None:
    for _ in range(20):
        with served.client(served.token("alice")) as alice, served.client(None) as browser:
            assert browser.post("/login", data={"token": served.token("alice")}).status_code == 303
            for client in (alice, browser, alice, browser):
                assert client.get("/api/v2/runs").status_code == 200
            assert len(revoke(elsewhere, served.app.audit, "alice", by="local")) == 2
            for client in (alice, browser):
                assert client.get("/api/v2/runs").status_code == 401
    assert served.written()["browser_session"] == 0


def test_one_of_two_tokens_is_taken_back_and_the_other_goes_on(served: Served, elsewhere: Database) -> None:
    old, new, other = served.token("alice"), served.token("alice"), served.token("bob")
    revoke(elsewhere, served.app.audit, "alice", digest(old)[:8], by="local")
    for token, status in ((old, 401), (new, 200), (other, 200)):
        with served.client(token) as client:
            assert client.get("/api/v2/runs").status_code == status


def test_a_browser_that_signs_in_while_the_last_token_is_taken_back_is_not_signed_in(
    served: Served, elsewhere: Database
) -> None:
    with served.client(None) as browser:
        assert browser.post("/login", data={"token": served.token("alice")}).status_code == 303
        elsewhere.write(lambda tx: tx.run("DELETE FROM token"))  # as it is when the sign-in is written behind it
        assert browser.get("/api/v2/runs").status_code == 401


def test_the_streams_of_a_token_that_was_taken_back_end_and_others_go_on(served: Served, elsewhere: Database) -> None:
    run_id = served.run("alice")
    readers = {
        user: [Reader(served.port, path, token=token) for path in ("/api/events", f"/api/v2/runs/{run_id}/events?from=2")]
        for user, token in (("alice", served.token("alice")), ("admin", ADMIN))
    }
    reading = {user: [threading.Thread(target=each.read) for each in each_user] for user, each_user in readers.items()}
    for thread in itertools.chain.from_iterable(reading.values()):
        thread.start()
    until(lambda: len(served.readers) == 4, "the streams")
    revoke(elsewhere, served.app.audit, "alice", by="local")
    for thread in reading["alice"]:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert all(thread.is_alive() for thread in reading["admin"])
    served.stop()
    for thread in reading["admin"]:
        thread.join(PATIENCE)


@pytest.mark.parametrize("path", ["/api/events", "/api/v2/runs/RUN/events"])
def test_the_streams_of_whoever_sits_here_end_once_a_token_exists(path: str, tmp_path: Path, database_url: str) -> None:
    with Served(settings(tmp_path, database_url, admin=None)) as up:
        address = path.replace("RUN", up.run("local"))
        reader = Reader(up.port, address, token=None)
        thread = threading.Thread(target=reader.read)
        thread.start()
        until(lambda: len(up.readers) == 1, "the stream")
        token = up.token("alice")
        thread.join(PATIENCE)
        assert not thread.is_alive()
        with up.client(None) as anybody, up.client(token) as alice:
            assert (anybody.get(address).status_code, alice.get("/api/v2/runs").status_code) == (401, 200)


def test_taking_the_last_token_back_opens_no_server_that_runs(tmp_path: Path, database_url: str) -> None:
    with Served(settings(tmp_path, database_url, admin=None)) as up, up.client(None) as anybody:
        assert anybody.get("/api/v2/runs").status_code == 200
        with up.client(up.token("alice")) as alice:
            assert alice.get("/api/v2/runs").status_code == 200
    with Served(settings(tmp_path, database_url, admin=None)) as up, up.client(None) as anybody:
        revoke(up.app.database, up.app.audit, "alice", by="local")
        assert anybody.get("/api/v2/runs").status_code == 401


def test_a_session_that_is_over_opens_nothing(served: Served) -> None:
    with served.client(None) as browser:
        assert browser.post("/login", json={"token": ADMIN}).status_code == 204
        served.app.database.write(lambda tx: tx.run("UPDATE browser_session SET expires_at = now_us()"))
        assert browser.get("/api/v2/runs").status_code == 401


def test_a_page_for_people_sends_them_to_the_login(served: Served) -> None:
    with served.client(None) as browser:
        answer = browser.get("/runs", headers={"accept": "text/html"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
        assert browser.get("/api/v2/runs", headers={"accept": "text/html"}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PUT", "TRACE"])
@pytest.mark.parametrize(
    "path", ["/nothing", "/api/v2/nothing", "/api/v2/runs/r1/nothing", "/%2e%2e/etc/passwd", "/nothing//", "/api/v2/runs/"]
)
def test_an_address_that_is_none_is_a_problem(served: Served, admin: httpx.Client, method: str, path: str) -> None:
    answer = admin.request(method, path)
    assert answer.status_code in (404, 405, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= {"type", "title", "status", "detail", "code", "hint"}


def test_a_method_that_an_address_does_not_take_is_named(served: Served, admin: httpx.Client) -> None:
    answer = admin.put("/api/v2/runs", json={})
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_known_by_its_addresses(address: str) -> None:
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "::", "0.0.0.0", "localhost", "", None, "::ffff:10.0.0.1"])
def test_other_addresses_are_not_this_machine(address: str | None) -> None:
    assert not is_loopback(address)


def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not(served: Served, admin: httpx.Client) -> None:
    head = b'{"misspelt": "'
    fits = head + b"x" * (BODY_BYTES - len(head) - 2) + b'"}'
    kind = {"content-type": "application/json"}
    assert admin.post("/api/v2/runs", content=fits, headers=kind).status_code == 422
    assert admin.post("/api/v2/runs", content=fits + b" ", headers=kind).status_code == 413
    assert admin.get("/api/v2/runs").status_code == 200


async def test_a_request_that_is_cut_off_as_the_server_leaves_is_told_so(database: Database) -> None:
    """Otherwise the server writes a trace for each."""
    told: list[Any] = []
    reading = asyncio.Event()

    async def receive() -> Any:
        reading.set()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        told.append(message)

    async def nobody(what: str, client: str, given: bool) -> None:
        raise AssertionError(what)

    gate = Gate(
        FastAPI(),
        hosts=Hosts([]),
        authenticator=Authenticator(database, None),
        requests=Requests(),
        auth_failed=nobody,
        hot={},
    )
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"9")]
    scope = {
        "type": "http", "method": "POST", "path": "/api/v2/runs", "headers": headers, "client": ("127.0.0.1", 1),
        "query_string": b"", "root_path": "",
    }  # fmt: skip
    request = asyncio.create_task(gate(scope, receive, send))
    await reading.wait()
    request.cancel()
    await request
    assert [message.get("status") for message in told] == [503, None]
    assert b"shutting down" in told[1]["body"]
