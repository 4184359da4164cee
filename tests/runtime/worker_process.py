"""A worker in a process of its own, for tests that kill, freeze and drain it. The run's goal says what its job does.

Arguments: database URL, lease in seconds, concurrency, "until-idle" or "serve". Each transition is a JSON line on stdout.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys

from autonomy.core.errors import Interrupted
from autonomy.runtime import events, runs, worker
from autonomy.runtime.queue import Job
from autonomy.storage.database import Database, Tx


class Teller(logging.Handler):
    """Writes action and run of each record."""

    def emit(self, record: logging.LogRecord) -> None:
        told = {name: getattr(record, name, None) for name in ("action", "run_id", "attempts", "epoch")}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


async def work(database: Database, job: Job, handle: worker.JobHandle) -> worker.JobEnd:
    """quick: ends. die: kills its worker. write: writes an event every moment. stubborn: ignores every request."""
    goal = (await database.aread(lambda tx: runs.get(tx, job.run_id))).goal

    def write(tx: Tx) -> None:
        content = {"pid": os.getpid(), "epoch": job.epoch}
        events.append(tx, job.run_id, [("decision", "act", content)], epoch=job.epoch)

    await database.awrite(write)
    if goal == "quick":
        return worker.Finished()
    if goal == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    while goal == "stubborn" or not handle.stop():
        await database.awrite(write)
        await asyncio.sleep(0.01)
    if handle.control is not None:
        return worker.Paused() if handle.control == "pause" else worker.Finished("aborted", "aborted")
    return worker.Released()


async def main() -> None:
    url, lease_seconds, concurrency, mode = sys.argv[1:]
    log = logging.getLogger("autonomy.worker")
    log.setLevel(logging.INFO)
    log.addHandler(Teller())
    idle = max(5.0, min(60.0, float(lease_seconds)))  # as the application: who is frozen in a transaction loses it then
    with Database(url, grow_wal=False, idle_seconds=idle) as database:
        one = worker.Worker(
            database,
            lambda job, handle: work(database, job, handle),
            concurrency=int(concurrency),
            lease_seconds=float(lease_seconds),
            until_idle=mode == "until-idle",
        )
        try:
            await one.run()
        except Interrupted:
            sys.exit(130)


if __name__ == "__main__":
    asyncio.run(main())
