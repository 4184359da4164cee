"""Workers inside the server process, in a thread and an event loop of their own: a step that computes for a while holds up
no request for longer than the interpreter's switch interval."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from types import TracebackType

from autonomy.bootstrap.app import App
from autonomy.runtime.worker import Worker


class InlineWorkers:
    """Works up to `places` runs at once from `with` to its end; nothing happens where there are none."""

    def __init__(self, app: App, places: int, drain_seconds: float, failed: Callable[[BaseException], None]) -> None:
        """`failed` is called, in the workers' thread, with what ended the work unasked."""
        self._app = app
        self._places = places
        self._drain_seconds = drain_seconds
        self._failed = failed
        self._guard = threading.Lock()
        self._ordered: str | None = None
        self._worker: Worker | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="autonomy-worker", daemon=True)

    def drain(self) -> None:
        """Stop politely: runs are handed back at their next step. From any thread, also before the work has begun."""
        self._order("drain")

    def stop(self) -> None:
        """Stop at once; others take the runs over."""
        self._order("stop")

    def check(self) -> None:
        """Raises what ended the work unasked."""
        if self._error is not None:
            raise self._error

    def __enter__(self) -> InlineWorkers:
        if self._places:
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.drain()
        if self._places:
            self._thread.join()

    def _order(self, order: str) -> None:
        with self._guard:
            self._ordered = order if self._ordered != "stop" else "stop"
            if self._loop is not None and self._worker is not None:
                with contextlib.suppress(RuntimeError):  # it has ended by itself
                    self._loop.call_soon_threadsafe(getattr(self._worker, order))

    def _work(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as error:
            with self._guard:
                asked = self._ordered is not None
            if not asked:
                self._error = error
                self._failed(error)

    async def _run(self) -> None:
        from autonomy.bootstrap.engine import engine
        from autonomy.bootstrap.working import executing

        app = self._app
        async with engine(app) as executor:
            worker = Worker(
                app.database,
                executing(executor),
                concurrency=self._places,
                lease_seconds=app.settings.queue.lease_seconds,
                wake=app.wake,
                signals=False,
                drain_seconds=self._drain_seconds,
            )
            with self._guard:
                self._loop, self._worker, ordered = asyncio.get_running_loop(), worker, self._ordered
            if ordered is not None:
                getattr(worker, ordered)()
            await worker.run()
