"""Phase E, stability: many quiet streams for long, then many readers and writers at once, with a failure in the middle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import httpx

from autonomy.verify.measure import spread, timed
from autonomy.verify.report import Limit
from autonomy.verify.server import Server, serving
from autonomy.verify.stage import Phase, Stage, audit_lines, decide, new_task
from autonomy.verify.streams import Reader, close_all, readers

STREAMS = 50
GETTERS = 100
WRITERS = 10
SOAK = 600.0
"""Seconds that the full soak takes; a shorter one says so in the report."""
BEAT = 2.0
PATIENCE = 20.0
DAMAGED = "damaged0001.json"


@dataclass
class _Load:
    """What the loaded part saw."""

    reads: list[float] = field(default_factory=list)
    refused: int = 0
    written: int = 0


async def run(stage: Stage) -> None:
    """See the module."""
    if stage.options.soak_seconds < SOAK:
        stage.report.notes.append(f"The soak was shortened to {stage.options.soak_seconds:g} of {SOAK:g} seconds.")
    stage.progress("starting a server", 0.0)
    async with serving(stage.server()) as server, server.client(connections=STREAMS + 8) as client:
        watching = await readers(client, "/api/events", STREAMS)
        try:
            sent = await _soak(stage, client)
            await _all_seen(stage, watching, sent)
            stage.report.measured(
                sse_soak_clients=sum(reader.connected for reader in watching),
                sse_soak_disconnect_count=sum(reader.disconnects for reader in watching),
                soak_seconds=stage.options.soak_seconds,
            )
            load = await _loaded(stage, server, client)
            stage.report.measured(**spread("api", load.reads, 50, 95, 99))
            stage.report.measured(load_reads=len(load.reads), load_writes=load.written, load_refused=load.refused)
            _latency(stage, watching, sent)
            stage.report.measured(error_events_written=_told(server))
            await _stopped(stage, server, watching)
        finally:
            await close_all(watching)
    stage.keep(server.audit, "the audit log")
    stage.keep(server.log, "what the server logged")


async def _soak(stage: Stage, client: httpx.AsyncClient) -> dict[str, float]:
    """A change every two seconds while all clients listen; returns task -> when it was sent."""
    sent: dict[str, float] = {}
    began = time.monotonic()
    while (passed := time.monotonic() - began) < stage.options.soak_seconds or not sent:
        stage.progress("soaking", 0.05 + 0.75 * min(passed / max(stage.options.soak_seconds, 0.001), 1))
        at = time.monotonic()
        sent[await new_task(client, f"Soak {len(sent)}")] = at
        await asyncio.sleep(max(0.0, min(BEAT, began + stage.options.soak_seconds - time.monotonic())))
    return sent


async def _all_seen(stage: Stage, watching: list[Reader], sent: dict[str, float]) -> None:
    """Until each has seen the last of them: on a stream that is in order nothing comes later."""
    last = next(reversed(sent))

    def complete(reader: Reader) -> bool:
        return last in _created(reader, sent)

    patience = min(PATIENCE, stage.options.patience)
    await asyncio.gather(*(reader.until(partial(complete, reader), patience) for reader in watching))


def _created(reader: Reader, sent: dict[str, float]) -> dict[str, float]:
    """task -> arrival of its first event."""
    found: dict[str, float] = {}
    for event in reader.seen:
        if event.type == "task.created" and event.data.get("task_id") in sent:
            found.setdefault(event.data["task_id"], event.at)
    return found


def _latency(stage: Stage, watching: list[Reader], sent: dict[str, float]) -> None:
    arrived = [_created(reader, sent) for reader in watching]
    times = [(at - sent[task]) * 1000 for found in arrived for task, at in found.items()]
    stage.report.measured(**spread("sse_latency", times, 50, 95))
    stage.report.measured(
        sse_soak_events_sent=len(sent) * len(watching),
        sse_soak_events_missing=sum(len(sent) - len(found) for found in arrived),
    )


def _told(server: Server) -> int:
    """Lines of the audit log that tell of the damaged file."""
    return sum(line.get("action") == "task_damaged" and line.get("file") == DAMAGED for line in audit_lines(server.audit))


async def _stopped(stage: Stage, server: Server, watching: list[Reader]) -> None:
    """SIGTERM while all streams are open: each is ended in form, and the process leaves by itself."""
    stage.progress("stopping", 0.98)
    stage.report.measured(sse_open_at_stop=sum(reader.connected for reader in watching))
    stage.report.measured(stop_seconds=round(await server.stop(), 3), stop_code=abs(server.code or 0))
    await asyncio.gather(*(reader.until(lambda: False, PATIENCE) for reader in watching))
    stage.report.measured(sse_ended_at_stop=sum(reader.ended and reader.problem is None for reader in watching))


async def _loaded(stage: Stage, server: Server, client: httpx.AsyncClient) -> _Load:
    """Readers and writers at once, each at least one time; half way through, a task file is damaged under the server's eyes.

    Each has a client with one connection: what a pool of many costs this process would be taken for the server's time.
    """
    load = _Load()
    began = time.monotonic()
    end = began + stage.options.load_seconds

    def turns() -> Iterator[None]:
        """One, and others while there is time."""
        yield
        while time.monotonic() < end:
            yield

    async def read() -> None:
        async with server.client(connections=1) as mine:
            for _ in turns():
                answer = await timed(mine.get("/api/tasks"), load.reads)
                load.refused += answer.status_code != 200
                share = min((time.monotonic() - began) / stage.options.load_seconds, 1)
                stage.progress("reading and writing", 0.82 + 0.15 * share)

    async def write(number: int) -> None:
        async with server.client(connections=1) as mine:
            for _ in turns():
                task = await new_task(mine, f"Written under load by {number}")
                load.refused += (await decide(mine, task, "reject")).status_code != 200
                load.written += 1

    async def damage() -> None:
        await asyncio.sleep(stage.options.load_seconds / 2)
        (server.tasks / DAMAGED).write_bytes(b'{"task_id": "damaged0001", "status"')

    await asyncio.gather(*(read() for _ in range(GETTERS)), *(write(number) for number in range(WRITERS)), damage())
    load.refused += (await client.get("/api/tasks")).status_code != 200  # whatever else is damaged, the others go on
    return load


PHASE = Phase(
    letter="e",
    about="stability",
    owed=(
        "api_p50_ms", "api_p95_ms", "api_p99_ms", "sse_soak_disconnect_count", "sse_latency_p95_ms", "error_events_written",
        "sse_soak_clients", "sse_soak_events_missing", "load_reads", "load_writes", "load_refused", "sse_open_at_stop",
        "sse_ended_at_stop", "stop_seconds", "stop_code",
    ),
    limits=(
        Limit("sse_soak_clients", equals=STREAMS),
        Limit("sse_soak_disconnect_count", equals=0),
        Limit("sse_soak_events_missing", equals=0),
        Limit("sse_latency_p95_ms", most=1000.0),
        Limit("api_p95_ms", most=2000.0),
        Limit("error_events_written", least=1),
        Limit("load_reads", least=GETTERS),
        Limit("load_writes", least=WRITERS),
        Limit("load_refused", equals=0),
        Limit("sse_open_at_stop", equals=STREAMS),
        Limit("sse_ended_at_stop", equals=STREAMS),
        Limit("stop_seconds", most=10.0),
        Limit("stop_code", equals=0),
    ),
    run=run,
)  # fmt: skip
