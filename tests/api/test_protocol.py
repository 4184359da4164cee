"""Clients that stall, in either direction, are cut; deadlines are shortened here, never waited for."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import pytest

from autonomy.api import protocol
from tests.api.served import ADMIN, Served, until_closed
from tests.commands import until

HEAD = f"POST /api/v2/runs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\nContent-Type: application/json\r\n"


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes one of the deadlines short."""
    return lambda name: monkeypatch.setattr(protocol, name, 0.05)


@pytest.mark.parametrize(
    "begun", [b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: local"], ids=["nothing", "a byte", "half a head"]
)
def test_headers_that_do_not_come_are_not_waited_for(served: Served, soon: Callable[[str], None], begun: bytes) -> None:
    soon("HEADER_SECONDS")
    answer = served.raw(begun)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in answer


def test_headers_that_drip_are_not_waited_for(served: Served, soon: Callable[[str], None]) -> None:
    soon("HEADER_SECONDS")
    with served.connection() as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\n")
        sock.settimeout(0.005)
        while not _closed(sock):
            with contextlib.suppress(OSError):
                sock.sendall(b"X: y\r\n")


def _closed(sock: socket.socket) -> bool:
    try:
        return not sock.recv(1)
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("deadline", ["BODY_SECONDS", "STALL_SECONDS"])
def test_a_body_that_does_not_come_is_not_waited_for(served: Served, soon: Callable[[str], None], deadline: str) -> None:
    soon(deadline)
    answer = served.raw(HEAD.encode() + b'Content-Length: 100\r\n\r\n{"journey":')
    assert answer.startswith(b"HTTP/1.1 408")
    assert served.written()["run"] == 0


def test_a_second_request_on_one_connection_has_its_own_deadline(served: Served, soon: Callable[[str], None]) -> None:
    with served.connection() as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = b""
        while not found.endswith(b"}"):
            found += sock.recv(65536)
        assert found.startswith(b"HTTP/1.1 200")
        soon("HEADER_SECONDS")
        sock.sendall(b"GET /healthz HT")
        assert until_closed(sock).startswith(b"HTTP/1.1 408")


def test_a_reader_whose_socket_stalls_is_cut_and_nobody_else(served: Served, soon: Callable[[str], None]) -> None:
    soon("READER_SECONDS")
    run_id = served.run()
    with served.connection() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(
            f"GET /api/v2/runs/{run_id}/events HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n".encode()
        )
        sock.recv(16)
        hub = served.hub
        channel = hub._channels[f"run:{run_id}"]
        for _ in range(40):
            served.tell(run_id, 20, text="x" * 10_000)
        until(lambda: channel.readers == 0, "the stalled reader's end")
        with served.client() as client:
            assert client.get("/healthz").status_code == 200


def test_a_silent_stream_is_no_stalled_client(
    served: Served, soon: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HEADER_SECONDS", "BODY_SECONDS", "STALL_SECONDS", "READER_SECONDS"):
        soon(name)
    run_id = served.run()
    monkeypatch.setattr("autonomy.api.hub.BEAT_SECONDS", 0.05)
    served.beat()
    with served.connection() as sock:
        sock.sendall(
            f"GET /api/v2/runs/{run_id}/events HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n".encode()
        )
        found = b""
        while b"id: 1\n" not in found:
            found += sock.recv(65536)
        hub = served.hub
        beats = hub.beats
        until(lambda: hub.beats > beats + 5, "several times every deadline")
        served.end(run_id)
        while chunk := sock.recv(65536):
            found += chunk
        assert b"id: 2\n" in found


def test_small_answers_leave_at_once(served: Served) -> None:
    with served.connection() as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        assert served._server is not None
        (connected,) = served._server.server_state.connections
        ours = connected.transport.get_extra_info("socket")
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "an answer of two writes waits for a delayed ACK"
