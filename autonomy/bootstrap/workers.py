"""A worker process: claims jobs until it is drained, or until none is left."""

from __future__ import annotations

import asyncio
import gc

from autonomy.bootstrap.app import App
from autonomy.bootstrap.engine import engine
from autonomy.bootstrap.reporting import Reporter, report
from autonomy.bootstrap.working import executing
from autonomy.runtime import backlog
from autonomy.runtime.worker import Worker


def run_worker(app: App, *, concurrency: int, until_idle: bool) -> int:
    """Work until SIGTERM or SIGINT; returns how many jobs were seen to an end. Raises Interrupted after a second signal."""

    async def serve() -> int:
        worked = 0
        async with engine(app) as executor:
            gc.freeze()  # the hundred thousand objects of the imports are never garbage: looking at them costs each step
            while True:
                worker = Worker(
                    app.database,
                    executing(executor, acknowledge=app.tasks.acknowledge),
                    concurrency=concurrency,
                    lease_seconds=app.settings.queue.lease_seconds,
                    wake=app.wake,
                    until_idle=until_idle,
                )
                worked += await worker.run()
                # A task whose result is not accepted is given out again: then there is more to do.
                await asyncio.to_thread(report, app)
                if worker.drained or await app.database.aread(backlog.idle):
                    return worked

    with Reporter(app):
        return asyncio.run(serve())
