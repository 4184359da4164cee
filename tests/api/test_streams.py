"""Streams: every reader sees every event once and in order, whatever is cut, restarted or slow in between."""

from __future__ import annotations

import random
import socket
import threading
from pathlib import Path

import httpx
import pytest

from autonomy.api.hub import KEPT
from autonomy.bootstrap.settings import ServeSettings
from tests.api.served import ADMIN, ASKED, Reader, Served, settings
from tests.commands import until


def path_of(run_id: str) -> str:
    return f"/api/v2/runs/{run_id}/events"


def test_a_stream_is_backlog_then_live_and_ends_with_the_run(served: Served) -> None:
    run_id = served.run()
    served.tell(run_id, 3)
    reader = Reader(served.port, path_of(run_id))
    reading = threading.Thread(target=reader.read)
    reading.start()
    until(lambda: len(reader.seen) == 4, "the backlog")
    served.tell(run_id, 2, text="gr\u00fc\u00df\n\u2028dich")
    served.end(run_id)
    reading.join()
    assert reader.ids == [1, 2, 3, 4, 5, 6, 7]
    assert [seen.type for seen in reader.seen] == ["run.queued", *["decision"] * 5, "run.done"]
    body = reader.seen[4].body
    assert (body["seq"], body["run_id"], body["node"], body["correlation_id"]) == (5, run_id, "plan", "corr")
    assert body["content"] == {"n": 0, "text": "gr\u00fc\u00df\n\u2028dich"}


def test_a_reader_goes_on_after_the_last_id_it_has(served: Served) -> None:
    run_id = served.run()
    served.tell(run_id, 9)
    served.end(run_id)
    whole = Reader(served.port, path_of(run_id))
    assert whole.read()
    assert whole.ids == list(range(1, 12))
    for last in (0, 1, 5, 10):
        reader = Reader(served.port, path_of(run_id), last=last)
        assert reader.read()
        assert reader.ids == list(range(last + 1, 12))
    for first in (0, 1, 2, 11):
        reader = Reader(served.port, f"{path_of(run_id)}?from={first}")
        assert reader.read()
        assert reader.ids == list(range(max(first, 1), 12))
    both = Reader(served.port, f"{path_of(run_id)}?from=2", last=9)
    both.read()
    assert both.ids == [10, 11], "a browser that reconnects repeats its address: the header counts"


def test_a_reader_that_has_everything_of_an_ended_run_is_told_not_to_come_back(served: Served) -> None:
    run_id = served.run()
    served.end(run_id)
    reader = Reader(served.port, path_of(run_id), last=2)
    assert reader.read()
    assert (reader.status, reader.ids) == (204, [])
    beyond = Reader(served.port, f"{path_of(run_id)}?from=100")
    assert beyond.read()
    assert (beyond.status, beyond.ids) == (200, [])


def test_a_reader_that_asks_for_what_is_yet_to_come_gets_it_and_nothing_before(served: Served) -> None:
    run_id = served.run()
    reader = Reader(served.port, f"{path_of(run_id)}?from=4")
    reading = threading.Thread(target=reader.read)
    reading.start()
    until(lambda: served.app.database.read(lambda tx: tx.value("SELECT 1")) == 1 and reader.status == 200, "the stream")
    served.tell(run_id, 2)
    served.tell(run_id, 2)
    served.end(run_id)
    reading.join()
    assert reader.ids == [4, 5, 6]


def test_two_servers_on_one_database_stream_everything(tmp_path: Path, database_url: str) -> None:
    chosen = settings(tmp_path, database_url)
    with Served(chosen) as one, Served(chosen) as two:
        run_id = one.run()
        readers = [Reader(server.port, path_of(run_id)) for server in (one, two, one, two)]
        reading = [threading.Thread(target=reader.read) for reader in readers]
        for thread in reading:
            thread.start()
        for n in range(10):
            (one, two)[n % 2].tell(run_id, 3)
        two.end(run_id)
        for thread in reading:
            thread.join()
        assert all(reader.ids == list(range(1, 33)) for reader in readers)


def test_twenty_readers_cut_ten_times_each_see_the_same_sequence(served: Served) -> None:
    run_id = served.run()
    rng = random.Random(7)
    readers = [Reader(served.port, path_of(run_id)) for _ in range(20)]
    cuts = [[rng.randrange(1, 4000) for _ in range(10)] for _ in readers]

    def follow(reader: Reader, sizes: list[int]) -> None:
        for size in sizes:
            if reader.read(cut_at=size):
                return
        while not reader.read():
            pass

    reading = [threading.Thread(target=follow, args=pair) for pair in zip(readers, cuts, strict=True)]
    for thread in reading:
        thread.start()
    for _ in range(60):
        served.tell(run_id, 5)
    served.end(run_id)
    for thread in reading:
        thread.join()
    assert all(reader.ids == list(range(1, 303)) for reader in readers)
    assert len({tuple((seen.type, seen.body["content"].get("n")) for seen in reader.seen) for reader in readers}) == 1


def test_a_reader_that_does_not_read_costs_its_own_place_alone(served: Served) -> None:
    """It holds no queue: while it stands still, others get far more than any buffer holds."""
    run_id = served.run()
    with served.connection() as still:
        still.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        still.sendall(f"GET {path_of(run_id)} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n".encode())
        quick = Reader(served.port, path_of(run_id))
        reading = threading.Thread(target=quick.read)
        reading.start()
        for _ in range(50):
            served.tell(run_id, 20, text="x" * 10_000)
        served.end(run_id)
        reading.join()
        assert quick.ids == list(range(1, 1003))
        found = b""
        while chunk := still.recv(1 << 16):
            found += chunk
        assert found.count(b"\nid: ") == 1002, "and when it reads on, nothing is missing"


def test_a_reader_that_falls_behind_what_is_held_reads_the_table(served: Served) -> None:
    run_id = served.run()
    with served.connection() as still:
        still.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 18)
        still.sendall(f"GET {path_of(run_id)} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN}\r\n\r\n".encode())
        still.recv(16)
        count = 3 * KEPT
        for _ in range(count // 500):
            served.tell(run_id, 500, text="x" * 2000)
        served.end(run_id)
        found = b""
        while chunk := still.recv(1 << 16):
            found += chunk
    ids = [int(line[4:]) for line in found.split(b"\n") if line.startswith(b"id: ")]
    assert ids == list(range(1, count + 3))


def test_only_so_many_streams_are_open_at_once(tmp_path: Path, database_url: str) -> None:
    few = ServeSettings(port=0, workers_inline=0, streams=3, streams_per_user=2)
    with Served(settings(tmp_path, database_url, serve=few)) as up:
        run_id = up.run("alice")
        alice = up.token("alice")
        open_ones = [Reader(up.port, path_of(run_id), token=alice) for _ in range(2)]
        reading = [threading.Thread(target=reader.read) for reader in open_ones]
        for thread in reading:
            thread.start()
        until(lambda: all(reader.seen for reader in open_ones), "the first two")
        with up.client(alice) as client, up.client() as admin:
            refused = client.get(path_of(run_id))
            assert (refused.status_code, refused.json()["code"]) == (429, "too-many-streams")
            assert refused.headers["retry-after"]
            third = Reader(up.port, path_of(run_id))
            third.read(1)
            assert third.ids == [1], "one user's streams take no place of another's"
            up.end(run_id)
            for thread in reading:
                thread.join()
            # At once: a place is free before its reader hears of the end.
            assert [client.get(path_of(run_id)).status_code for _ in range(20)] == [200] * 20
            until(lambda: 'autonomy_streams{stream="run"} 0.0' in admin.get("/metrics").text, "every place is free")


def test_a_run_is_started_and_followed_by_one_request(served: Served, admin: httpx.Client) -> None:
    headers = {"accept": "text/event-stream", "idempotency-key": "once"}
    with admin.stream("POST", "/api/v2/runs", json=ASKED, headers=headers) as answer:
        location = answer.headers["location"]
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: run.queued"
        served.end(location.rpartition("/")[2])
        assert [line for line in lines if line.startswith("event:")] == ["event: run.done"]
    again = admin.post("/api/v2/runs", json=ASKED, headers=headers)
    assert (again.headers["location"], again.text.count("event: ")) == (location, 2), "the same key follows the same run"
    until(lambda: 'autonomy_streams{stream="run"} 0.0' in admin.get("/metrics").text, "the place is free again")


def test_who_has_no_place_to_follow_a_run_from_starts_none_and_who_starts_none_takes_no_place(
    tmp_path: Path, database_url: str
) -> None:
    none = ServeSettings(port=0, workers_inline=0, streams=1, streams_per_user=1)
    accept = {"accept": "text/event-stream"}
    with Served(settings(tmp_path, database_url, serve=none)) as up, up.client() as admin:
        wrong = admin.post("/api/v2/runs", json={**ASKED, "journey": "poem"}, headers=accept)
        unknown = admin.post("/api/v2/runs", json={**ASKED, "task_spec": {"goal": "x", "corpus": "no"}}, headers=accept)
        assert (wrong.status_code, unknown.status_code) == (422, 422)
        with admin.stream("POST", "/api/v2/runs", json=ASKED, headers=accept) as first:
            assert first.status_code == 200
            assert admin.post("/api/v2/runs", json=ASKED, headers=accept).status_code == 429
            assert len(admin.get("/api/v2/runs").json()["items"]) == 1


def test_a_server_that_stops_ends_its_streams_in_good_order(served: Served) -> None:
    run_id = served.run()
    readers = [Reader(served.port, path_of(run_id)) for _ in range(5)]
    ended: list[bool] = []
    reading = [threading.Thread(target=lambda reader=reader: ended.append(reader.read())) for reader in readers]
    for thread in reading:
        thread.start()
    until(lambda: all(reader.seen for reader in readers), "the streams")
    served.stop()
    for thread in reading:
        thread.join()
    assert ended == [True] * 5


def test_keep_alives_carry_no_id(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = served.run()
    reader = Reader(served.port, path_of(run_id))
    monkeypatch.setattr("autonomy.api.hub.BEAT_SECONDS", 0.01)
    served.beat()
    reading = threading.Thread(target=reader.read)
    reading.start()
    until(lambda: reader.comments > 3, "keep-alives")
    served.end(run_id)
    reading.join()
    assert reader.ids == [1, 2]


def test_a_client_that_reads_by_the_book_understands_the_stream(served: Served, admin: httpx.Client) -> None:
    run_id = served.run()
    served.end(run_id)
    answer = admin.get(path_of(run_id))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    blocks = [block for block in answer.text.split("\n\n") if block]
    assert blocks[0] == "retry: 1000"
    assert [block.split("\n")[0] for block in blocks[1:]] == ["id: 1", "id: 2"]
