"""Commands forked from a process that has imported them: real processes, signals and crashes without the imports.

Started by `tests.commands` with one end of a socket as file descriptor. Each request is a line of JSON; the answers are
the pid at once and the way the command ended later. A forked command runs the real entry point on its own files and
environment, and ends as any process does. A request may plant a fault: a signal that the command sends itself at its
k-th commit, or at the commit of the k-th transaction with a certain statement, just before the commit or just after it,
so that every transaction's edge can be a crash; or right after it has brought its k-th file to the disk.
"""

from __future__ import annotations

import gc
import importlib
import itertools
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from autonomy.storage import sqlite

HEAVY = (
    "anyio._backends._asyncio",
    "jsonschema",
    "langgraph.graph",
    "langgraph.runtime",
    "openai.resources.chat.completions",
    "psycopg",
    "rich.live",
    "autonomy.bootstrap.config",
    "autonomy.bootstrap.foreground",
    "autonomy.bootstrap.workers",
    "autonomy.services.runs",
    "autonomy.storage.migrate",
)
"""What commands import when they run, so that the fork has it already."""
COMMANDS = (
    "cli.run",
    "cli.worker",
    "cli.events",
    "cli.db",
    "cli.foreground",
    "cli.live",
    "cli.logs",
    "cli.pages",
    "cli.reading",
    "cli.summary",
    "cli.tell",
)


def halt(number: int) -> None:
    """End or freeze this process before this thread's next line: sent to the process, a signal may be handled by another
    thread, and this one would be in its next transaction by the time everything stands."""
    signal.pthread_kill(threading.get_ident(), number)


class Edge:
    """A connection that counts its commits, and at the chosen one sends its own process a signal."""

    count = 0
    meant = False

    def __init__(self, inner: Any, fault: dict[str, Any]) -> None:
        self._inner = inner
        self._fault = fault

    def execute(self, sql: str, *parameters: Any) -> Any:
        """As the connection; COMMIT is where the fault is."""
        if sql != "COMMIT":
            return self._inner.execute(sql, *parameters)
        meant, Edge.meant = Edge.meant or "statement" not in self._fault, False
        Edge.count += meant
        chosen = meant and Edge.count == self._fault.get("commit")
        if chosen and self._fault.get("when") == "before":
            halt(self._fault["signal"])
        cursor = self._inner.execute(sql)
        if chosen and self._fault.get("when") != "before":
            halt(self._fault["signal"])
        if "count" in self._fault:
            Path(self._fault["count"]).write_text(str(Edge.count))
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def plant(fault: dict[str, Any]) -> None:
    """Put the fault under every write of this process."""
    from autonomy.runtime import records
    from autonomy.storage.database import Database
    from autonomy.storage.dialect import Dialect

    if "file_bytes" in fault:
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault["file_bytes"], resource.RLIM_INFINITY))
    commit = Database._commit

    def faulty(self: Any, connection: Any, batch: Any) -> Any:
        if "pages" in fault:
            connection.execute(f"PRAGMA max_page_count={fault['pages']}")
        return commit(self, Edge(connection, fault), batch)

    translate = Dialect.translate

    def noted(self: Dialect, sql: str) -> str:
        writing = threading.current_thread().name == "autonomy-writer"
        Edge.meant = Edge.meant or (writing and fault.get("statement", "") in sql)
        return translate(self, sql)

    if "staged" in fault:
        staged = itertools.count(1)

        def stopping(*arguments: Any, **more: Any) -> Any:
            made = records_stage(*arguments, **more)
            if next(staged) == fault["staged"]:
                halt(fault["signal"])
            return made

        records_stage = records.stage  # type: ignore[attr-defined]
        records.stage = stopping  # type: ignore[attr-defined]
    Database._commit = faulty  # type: ignore[method-assign]
    Dialect.translate = noted  # type: ignore[method-assign]


def become(request: dict[str, Any]) -> None:
    """Turn this fork into the command: its files, its environment, its folder."""
    for descriptor, name, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["out"], os.O_WRONLY),
        (2, request["err"], os.O_WRONLY),
    ):
        opened = os.open(name, flags | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["cwd"])
    sys.argv = ["autonomy", *request["argv"]]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    if request["fault"]:
        plant(request["fault"])


def serve(control: socket.socket) -> bool:
    """Fork a command per request, tell how each ended; True in the fork, False when the asker has gone."""
    awake, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    waiting = b""
    children: set[int] = set()
    while True:
        ready, _, _ = select.select([control.fileno(), awake], [], [])
        if awake in ready:
            os.read(awake, 512)
        for pid in list(children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                children.discard(pid)
                control.sendall(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}).encode() + b"\n")
        if control.fileno() not in ready:
            continue
        received = control.recv(1 << 20)
        if not received:
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            return False
        *lines, waiting = (waiting + received).split(b"\n")
        for line in lines:
            request = json.loads(line)
            pid = os.fork()
            if pid == 0:
                os.close(awake)
                os.close(wake)
                become(request)
                return True
            children.add(pid)
            control.sendall(json.dumps({"started": request["id"], "pid": pid}).encode() + b"\n")


def main() -> None:
    """Import what commands need, then serve; a fork goes on into the real entry point."""
    for name in (*HEAVY, *COMMANDS):
        importlib.import_module(name)
    sqlite.library()
    gc.freeze()  # what a fork never changes is neither looked through when it ends nor copied for that
    assert threading.active_count() == 1, "a fork must not lose threads"
    from cli.main import entry

    with socket.socket(fileno=int(sys.argv[1])) as control:
        forked = serve(control)
    if forked:
        entry()


if __name__ == "__main__":
    main()
