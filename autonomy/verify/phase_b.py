"""Phase B, the stream of task changes: several clients, twenty changes, every change seen once by every client, in order.

A last change is the fence: what has not come before it, on a stream that is in order, does not come. Then one client more
goes on from the middle, and must see what the others saw from there on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import httpx

from autonomy.verify.measure import spread
from autonomy.verify.report import Limit
from autonomy.verify.server import serving
from autonomy.verify.stage import Phase, Stage, decide, new_task
from autonomy.verify.streams import Reader, Seen, close_all, readers

CLIENTS = 5
CHANGES = 20
PATIENCE = 20.0
Sent = dict[str, tuple[str, float]]
"""task -> the type of its event, and when it was asked for (`time.monotonic`)."""


async def run(stage: Stage) -> None:
    """See the module."""
    stage.progress("starting a server", 0.0)
    async with serving(stage.server(workers=0)) as server, server.client() as client:
        tasks = [await new_task(client, f"Change me: {number}") for number in range(CHANGES)]
        fence = await new_task(client, "Change me last")
        watching = await readers(client, "/api/events", CLIENTS)
        try:
            stage.report.measured(sse_connected_clients=sum(reader.connected for reader in watching))
            sent = await _change(stage, client, tasks)
            (await decide(client, fence, "reject")).raise_for_status()
            await _arrived(stage, watching, fence)
            _judge(stage, watching, sent)
            await _resumed(stage, client, watching[0], fence)
        finally:
            await close_all(watching)
    stage.keep(server.log, "what the server logged")


async def _change(stage: Stage, client: httpx.AsyncClient, tasks: Sequence[str]) -> Sent:
    sent: Sent = {}
    for number, task in enumerate(tasks):
        stage.progress("changing tasks", 0.1 + 0.8 * number / CHANGES)
        verdict, type_ = ("approve", "task.approved") if number % 2 == 0 else ("reject", "task.rejected")
        sent[task] = (type_, time.monotonic())
        (await decide(client, task, verdict)).raise_for_status()
    return sent


def _fenced(reader: Reader, fence: str) -> bool:
    return any(event.data.get("task_id") == fence and event.type == "task.rejected" for event in reader.seen)


async def _arrived(stage: Stage, watching: Sequence[Reader], fence: str) -> None:
    patience = min(PATIENCE, stage.options.patience)
    await asyncio.gather(*(reader.until(partial(_fenced, reader, fence), patience) for reader in watching))


def _decisions(reader: Reader, sent: Sent) -> list[Seen]:
    """Every event with an id that tells one of the changes."""
    return [
        event
        for event in reader.seen
        if event.id is not None
        and (task := str(event.data.get("task_id"))) in sent
        and event.type == sent[task][0]
    ]  # fmt: skip


def _judge(stage: Stage, watching: Sequence[Reader], sent: Sent) -> None:
    places = {task: place for place, task in enumerate(sent)}
    times: list[float] = []
    received = repeated = misordered = 0
    for reader in watching:
        told = _decisions(reader, sent)
        first = {event.data["task_id"]: event for event in reversed(told)}
        received += len(first)
        times += [(event.at - sent[task][1]) * 1000 for task, event in first.items()]
        ids = [int(event.id) for event in reader.seen if event.id is not None]
        repeated += max(len(ids) - len(set(ids)), len(told) - len(first))
        misordered += max(falls(ids), falls([places[event.data["task_id"]] for event in told]))
    wanted = len(sent) * len(watching)
    stage.report.measured(
        sse_events_sent=wanted,
        sse_events_received=received,
        sse_events_repeated=repeated,
        sse_events_misordered=misordered,
        sse_disconnect_count=sum(reader.disconnects for reader in watching),
        **spread("sse_latency", times, 50, 95),
    )
    stage.record(
        "phase_b_events.json",
        [[_shown(event) for event in reader.seen] for reader in watching],
        "the events that each client saw",
    )
    if received != wanted:
        stage.report.fail(f"sse_events_received is {received}, wanted {wanted}")


def falls(values: Sequence[int]) -> int:
    """How often a value is less than the one before it."""
    return sum(later < earlier for earlier, later in pairwise(values))


async def _resumed(stage: Stage, client: httpx.AsyncClient, whole: Reader, fence: str) -> None:
    """Last-Event-ID: what comes after the event in the middle, all of it and nothing else."""
    stage.progress("going on from the middle", 0.95)
    middle = len(whole.seen) // 2
    reader = Reader(client, "/api/events", last_id=whole.seen[middle].id)
    await reader.open()
    try:
        await reader.until(partial(_fenced, reader, fence), min(PATIENCE, stage.options.patience))
    finally:
        await reader.close()
    rest = [_shown(event) for event in whole.seen[middle + 1 :]]
    stage.report.measured(sse_resume_pass=bool(rest) and [_shown(event) for event in reader.seen] == rest)


def _shown(event: Seen) -> list[str | None]:
    return [event.id, event.type, event.data.get("task_id")]


PHASE = Phase(
    letter="b",
    about="the stream of task changes",
    owed=(
        "sse_connected_clients", "sse_events_sent", "sse_events_received", "sse_events_repeated", "sse_events_misordered",
        "sse_latency_p50_ms", "sse_latency_p95_ms", "sse_disconnect_count", "sse_resume_pass",
    ),
    limits=(
        Limit("sse_connected_clients", equals=CLIENTS),
        Limit("sse_events_sent", equals=CHANGES * CLIENTS),
        Limit("sse_events_repeated", equals=0),
        Limit("sse_events_misordered", equals=0),
        Limit("sse_disconnect_count", equals=0),
        Limit("sse_latency_p95_ms", most=1000.0),
        Limit("sse_resume_pass", equals=True),
    ),
    run=run,
)  # fmt: skip
