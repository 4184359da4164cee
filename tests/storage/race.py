"""Runs in an interpreter of its own: forks processes that upgrade one database at the same moment, or die in the middle.

    python -m tests.storage.race together URL COUNT
    python -m tests.storage.race killed URL STATEMENTS...

`together` prints each process's answer on a line; `killed` prints the schema's state after each death.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable

from autonomy.core.errors import AutonomyError
from autonomy.storage import migrate
from autonomy.storage.database import Database


def forked(work: Callable[[], None]) -> int:
    """Start the work in a child; its pid."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    return pid


def together(url: str, count: int) -> None:
    """Upgrade from `count` processes that wait for the same starting shot."""
    wait, shoot = os.pipe()

    def work() -> None:
        os.close(shoot)
        os.read(wait, 1)
        with Database(url) as database:
            try:
                answer = migrate.upgrade(database)
            except AutonomyError as error:
                answer = str(error)
        os.write(1, f"{answer}\n".encode())

    pids = [forked(work) for _ in range(count)]
    os.close(shoot)
    for pid in pids:
        os.waitpid(pid, 0)


def killed(url: str, statements: int) -> None:
    """Upgrade in a process that kills itself before its n-th statement; then say how the schema stands."""

    def work() -> None:
        left = statements
        sqlalchemy = importlib.import_module("sqlalchemy")

        def count(*_: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", count)
        with Database(url) as database:
            migrate.upgrade(database)

    _, status = os.waitpid(forked(work), 0)
    assert os.WIFSIGNALED(status), "the upgrade ended before the statement"
    with Database(url) as database:
        sys.stdout.write(f"{migrate.state(database)}\n")


if __name__ == "__main__":
    for heavy in ("alembic.command", "alembic.config", "sqlalchemy", "filelock", "autonomy.storage.tables"):
        importlib.import_module(heavy)
    if sys.argv[1] == "together":
        together(sys.argv[2], int(sys.argv[3]))
    else:
        for number in sys.argv[3:]:
            killed(sys.argv[2], int(number))
