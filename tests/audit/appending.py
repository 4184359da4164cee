"""A process that appends to a log: `python -m tests.audit.appending URL FOLDER NAME COUNT`; one number printed a line.

COUNT 0 means until it is killed. Each line is printed once its append has returned.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from autonomy.audit.log import AuditLog
from autonomy.storage.database import Database


def main() -> None:
    url, folder, name, count = sys.argv[1:]
    with Database(url, grow_wal=False) as database:
        log = AuditLog(Path(folder), database, rotate_bytes=20_000)
        for number in range(int(count)) if int(count) else itertools.count():
            filler = "x" * (number % 200)
            given = log.append("task_read", correlation_id=name, actor=name, number=number, filler=filler)
            sys.stdout.write(f"{given}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
