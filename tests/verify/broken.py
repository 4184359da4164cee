"""`autonomy serve`, broken. Started as `python broken.py SOCKET WAY+WAY serve ...`, it is served by a fork of a process
that has imported everything and waits at SOCKET (`python broken.py SOCKET`): the imports are paid once.

What the phase started is the small process in front: it hands on SIGTERM, and ends with the server's code. If it is killed,
the server ends too.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

KILLED = 137


def in_front(path: str, way: str, words: list[str]) -> int:
    """Have the server forked onto our output, hand on SIGTERM, wait for its end; returns its exit code."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        request = {"ways": way.split("+") if way else [], "words": words, "environ": dict(os.environ), "cwd": os.getcwd()}
        socket.send_fds(sock, [json.dumps(request).encode()], [1, 2])
        pid = int(sock.recv(32))
        signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
        code = sock.recv(1)
        return code[0] if code else KILLED


def wait(path: str) -> None:
    """Import what the server needs, then fork one for each that asks."""
    import autonomy.bootstrap.engine
    import autonomy.bootstrap.working
    import autonomy.storage.migrate  # noqa: F401
    import cli.serve  # noqa: F401
    from autonomy.storage import sqlite
    from tests.verify import breaks  # noqa: F401

    sqlite.library()
    assert threading.active_count() == 1, "a fork must not lose threads"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{path}.new")
        listening.listen()
        os.rename(f"{path}.new", path)
        while True:
            sock, _ = listening.accept()
            data, files, _, _ = socket.recv_fds(sock, 1 << 16, 2)
            pid = os.fork()
            if pid == 0:
                listening.close()
                serve(sock, json.loads(data), files)
            sock.sendall(str(pid).encode())
            sock.close()
            for file in files:
                os.close(file)


def serve(sock: socket.socket, request: dict[str, Any], files: list[int]) -> None:
    """Become the server. Does not return."""
    from cli.main import entry
    from tests.verify.breaks import AT_THE_END, BREAKS

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for file, number in zip(files, (1, 2), strict=True):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["cwd"])
    sys.argv = ["autonomy", *request["words"]]
    threading.Thread(target=_with_its_front, args=(sock,), daemon=True).start()
    for way in request["ways"]:
        BREAKS[way]()
    code = 1
    try:
        entry()
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        for last in AT_THE_END:
            last(Path(request["environ"]["AUTONOMY_HOME"]))
        sock.sendall(bytes([code]))
        os._exit(code)


def _with_its_front(sock: socket.socket) -> None:
    sock.recv(1)
    os._exit(KILLED)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        wait(sys.argv[1])
    else:
        sys.exit(in_front(sys.argv[1], sys.argv[2], sys.argv[3:]))
