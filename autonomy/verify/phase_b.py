"""Phase B, the stream of task changes: several clients, twenty changes, every change seen once by every client, in order."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from autonomy.verify.measure import spread
from autonomy.verify.report import Limit
from autonomy.verify.server import serving
from autonomy.verify.stage import Phase, Stage, decide, new_task
from autonomy.verify.streams import Reader, close_all, readers

CLIENTS = 5
CHANGES = 20
PATIENCE = 20.0


async def run(stage: Stage) -> None:
    """See the module."""
    stage.progress("starting a server", 0.0)
    async with serving(stage.server(workers=0)) as server, server.client() as client:
        tasks = [await new_task(client, f"Change me: {number}") for number in range(CHANGES)]
        watching = await readers(client, "/api/events", CLIENTS)
        try:
            stage.report.measured(sse_connected_clients=sum(reader.connected for reader in watching))
            sent: dict[str, tuple[str, float]] = {}
            for number, task in enumerate(tasks):
                stage.progress("changing tasks", 0.1 + 0.8 * number / CHANGES)
                verdict, type_ = ("approve", "task.approved") if number % 2 == 0 else ("reject", "task.rejected")
                sent[task] = (type_, time.monotonic())
                (await decide(client, task, verdict)).raise_for_status()
            await _arrived(watching, sent)
            _judge(stage, watching, sent)
        finally:
            await close_all(watching)
    stage.keep(server.log, "what the server logged")


async def _arrived(watching: list[Reader], sent: dict[str, tuple[str, float]]) -> None:
    def complete(reader: Reader) -> bool:
        return len(_decisions(reader, sent)) >= len(sent)

    await asyncio.gather(*(reader.until(partial(complete, reader), PATIENCE) for reader in watching))


def _decisions(reader: Reader, sent: dict[str, tuple[str, float]]) -> list[tuple[str, float]]:
    """(task, arrival) of every event that tells one of the changes."""
    return [
        (task, event.at)
        for event in reader.seen
        if (task := str(event.data.get("task_id"))) in sent and event.type == sent[task][0]
    ]


def _judge(stage: Stage, watching: list[Reader], sent: dict[str, tuple[str, float]]) -> None:
    times: list[float] = []
    received = 0
    for number, reader in enumerate(watching, 1):
        told = _decisions(reader, sent)
        received += len({task for task, _ in told})
        times += [(at - sent[task][1]) * 1000 for task, at in told]
        if [task for task, _ in told] != list(sent):
            stage.report.fail(f"client {number} did not see each change once and in order ({len(told)} of {len(sent)})")
        ids = [int(event.id) for event in reader.seen if event.id is not None]
        if ids != sorted(set(ids)):
            stage.report.fail(f"client {number} saw an id twice or out of order")
    stage.report.measured(
        sse_events_sent=len(sent) * len(watching),
        sse_events_received=received,
        sse_disconnect_count=sum(reader.disconnects for reader in watching),
        **spread("sse_latency", times, 50, 95),
    )
    stage.record(
        "phase_b_events.json",
        [[[event.id, event.type, event.data.get("task_id")] for event in reader.seen] for reader in watching],
        "the events that each client saw",
    )
    if received != len(sent) * len(watching):
        stage.report.fail(f"{received} of {len(sent) * len(watching)} events arrived")


PHASE = Phase(
    letter="b",
    about="the stream of task changes",
    owed=(
        "sse_connected_clients", "sse_events_sent", "sse_events_received", "sse_latency_p50_ms", "sse_latency_p95_ms",
        "sse_disconnect_count",
    ),
    limits=(
        Limit("sse_connected_clients", least=3),
        Limit("sse_events_sent", least=CHANGES * 3),
        Limit("sse_disconnect_count", equals=0),
        Limit("sse_latency_p95_ms", most=1000.0),
    ),
    run=run,
)  # fmt: skip
