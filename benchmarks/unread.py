"""Readers that never read: what 200 of them cost the others and the server's memory.

Run it with `nox -s bench` or `python benchmarks/unread.py [--quick] [--json FILE]`. Two of our servers are up at the same
time, each over a workspace of its own. To one of them 200 streams are opened and nothing is read from them, half of them on
a run's events and half on those of all tasks. Then both take the same tasks, in turns, one POST at a time; each task makes
an event that the streams ought to have, and every tenth comes with one of the run.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import socket
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.server import TOKEN, Child

RECEIVE_BYTES = 4096
"""What the kernel may keep for a reader that does not read: little, so that the server is soon left with the rest."""


@contextlib.contextmanager
def unread(child: Child, streams: int) -> Iterator[None]:
    """Streams that were answered and of which nothing more is read."""
    with contextlib.ExitStack() as opened:
        for number in range(streams):
            path = "/api/v2/runs/bench/events" if number % 2 else "/api/events"
            sock = opened.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            sock.connect(("127.0.0.1", child.port))
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            assert sock.recv(12) == b"HTTP/1.1 200"
        yield


def post(connection: http.client.HTTPConnection, number: int) -> float:
    """Seconds that the server takes to keep one task."""
    text = f"Unread task {number}: " + "write about leases and fencing " * 60
    body = json.dumps({"request_text": text, "task_spec": {"corpus": "docs"}})
    began = time.monotonic()
    connection.request("POST", "/api/tasks", body, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201, answer.status
    return time.monotonic() - began


def measure(streams: int, tasks: int) -> dict[str, Any]:
    """All figures: of each server its POSTs in milliseconds, and its memory before and after in bytes."""
    up = {"unread": Child("ours"), "alone": Child("ours")}
    try:
        memory = {name: psutil.Process(child.process.pid) for name, child in up.items()}
        connections = {name: http.client.HTTPConnection("localhost", child.port) for name, child in up.items()}
        for name in up:
            post(connections[name], 0)
        before = {name: process.memory_info().rss for name, process in memory.items()}
        took: dict[str, list[float]] = {name: [] for name in up}
        with unread(up["unread"], streams):
            for number in range(1, tasks + 1):
                for name, child in up.items():
                    if number % 10 == 0:
                        child.tell(b"d")
                    took[name].append(post(connections[name], number) * 1000)
            after = {name: process.memory_info().rss for name, process in memory.items()}
        for connection in connections.values():
            connection.close()
    finally:
        for child in up.values():
            child.close()
    return {
        "streams": streams,
        "tasks": tasks,
        "post_ms": {
            name: {"p50": statistics.median(each), "p95": statistics.quantiles(each, n=20)[18], "worst": max(each)}
            for name, each in took.items()
        },
        "memory_bytes": {name: {"before": before[name], "after": after[name]} for name in up},
    }


def report(figures: dict[str, Any]) -> None:
    """The figures, then the ratios with their targets."""
    print(f"{figures['streams']} streams that nobody reads, {figures['tasks']} tasks posted to each server")
    for name, each in figures["post_ms"].items():
        told = figures["memory_bytes"][name]
        print(
            f"{name:8} POST ms: p50 {each['p50']:.1f}, p95 {each['p95']:.1f}, worst {each['worst']:.0f};"
            f" memory {told['before'] >> 20} to {told['after'] >> 20} MiB"
        )
    slow, alone = figures["post_ms"]["unread"], figures["post_ms"]["alone"]
    print(f"p95, unread / alone {slow['p95'] / alone['p95']:.2f}")
    print(f"worst               {slow['worst'] / 1000:.2f} s   (target < 1 s)")


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the tasks")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    chosen = parser.parse_args()
    figures = measure(200, 300 if chosen.quick else 1500)
    report(figures)
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
