"""A worker process: claims jobs until it is drained, or until none is left."""

from __future__ import annotations

import asyncio
import gc

from autonomy.bootstrap.app import App
from autonomy.bootstrap.engine import engine
from autonomy.bootstrap.working import executing
from autonomy.runtime.worker import Worker


def run_worker(app: App, *, concurrency: int, until_idle: bool) -> int:
    """Work until SIGTERM or SIGINT; returns how many jobs were seen to an end. Raises Interrupted after a second signal."""

    async def serve() -> int:
        async with engine(app) as executor:
            gc.freeze()  # the hundred thousand objects of the imports are never garbage: looking at them costs each step
            worker = Worker(
                app.database,
                executing(executor),
                concurrency=concurrency,
                lease_seconds=app.settings.queue.lease_seconds,
                wake=app.wake,
                until_idle=until_idle,
            )
            return await worker.run()

    return asyncio.run(serve())
