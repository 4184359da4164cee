"""From the request for a run to its first event on a stream: this server, durable, against `langgraph dev`, in memory.

Each starts the run and streams it by one request. Both run side by side on loopback and are asked in turn, with a random
pause before each request. The peer's server is not a dependency of this project (its licence is not permissive): install
`langgraph-cli[inmem]` into an environment of its own and name that environment's Python with `--peer`; without it only this
server is timed and no ratio is printed.

    python benchmarks/first_event.py --peer /path/to/python [--rounds 30] [--json FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from autonomy.verify.server import Server, free_port, serving

TARGET = 100.0
PATIENCE = 90.0
GRAPH = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    n: int


def first(state: State) -> State:
    return {"n": state["n"] + 1}


def second(state: State) -> State:
    return {"n": state["n"] + 1}


builder = StateGraph(State)
builder.add_node("first", first)
builder.add_node("second", second)
builder.add_edge(START, "first")
builder.add_edge("first", "second")
builder.add_edge("second", END)
graph = builder.compile()
"""


@contextlib.asynccontextmanager
async def peer(python: Path, folder: Path) -> AsyncIterator[str]:
    """`langgraph dev` on a free port; its address."""
    (folder / "loop.py").write_text(GRAPH)
    config = {"dependencies": ["."], "graphs": {"loop": "./loop.py:graph"}, "env": {"LANGSMITH_TRACING": "false"}}
    (folder / "langgraph.json").write_text(json.dumps(config))
    port = free_port()
    words = ["dev", "--no-browser", "--no-reload", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "peer.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            str(python.parent / "langgraph"), *words, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        await answering(f"http://127.0.0.1:{port}/ok", process, folder / "peer.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(process.wait(), 15)
        except TimeoutError:
            process.kill()
            await process.wait()


async def answering(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    """Wait until the address answers. Raises SystemExit naming the peer's log."""
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(trust_env=False) as client:
        while time.monotonic() < deadline and process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(url, timeout=2)).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise SystemExit(f"the peer did not start: see {log}")


async def first_line(client: httpx.AsyncClient, path: str, body: Any) -> None:
    """Start a run and return when the first event of its stream has arrived."""
    async with client.stream("POST", path, json=body, headers={"Accept": "text/event-stream"}) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if line.startswith("data:"):
                return
    raise SystemExit(f"{path} ended without an event")


async def ours(client: httpx.AsyncClient) -> float:
    """Milliseconds from the POST to the run's first event."""
    body = {"journey": "write", "task_spec": {"goal": "How does a lease end", "corpus": "sample"}}
    began = time.perf_counter()
    await first_line(client, "/api/v2/runs", body)
    return (time.perf_counter() - began) * 1000


async def theirs(client: httpx.AsyncClient) -> float:
    """Milliseconds from the POST to the first event of a stateless run that streams."""
    body = {"assistant_id": "loop", "input": {"n": 0}, "stream_mode": "updates"}
    began = time.perf_counter()
    await first_line(client, "/runs/stream", body)
    return (time.perf_counter() - began) * 1000


async def measure(python: Path | None, rounds: int, folder: Path) -> dict[str, Any]:
    """Medians in milliseconds, and their ratio where there is a peer."""
    (folder / "workspace").mkdir()
    (folder / "peer").mkdir()
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(serving(Server(folder / "workspace")))
        mine = await stack.enter_async_context(server.client())
        other = None
        if python is not None:
            address = await stack.enter_async_context(peer(python, folder / "peer"))
            other = await stack.enter_async_context(httpx.AsyncClient(base_url=address, timeout=60, trust_env=False))
        dice = random.Random(7)
        for number in range(rounds + 2):
            await asyncio.sleep(dice.random())
            seen = [("ours", await ours(mine))]
            if other is not None:
                await asyncio.sleep(dice.random())
                seen.append(("theirs", await theirs(other)))
            if number >= 2:  # the first two warm both up
                for name, value in seen:
                    times[name].append(value)
    figures = {
        name: {"p50": statistics.median(found), "p95": statistics.quantiles(found, n=20)[18], "n": len(found)}
        for name, found in times.items()
        if found
    }
    if "theirs" in figures:
        figures["ratio"] = {"p50": figures["theirs"]["p50"] / figures["ours"]["p50"]}
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=Path, help="Python of an environment with langgraph-cli[inmem]")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="autonomy-first-event-") as folder:
        figures = asyncio.run(measure(options.peer, options.rounds, Path(folder)))
    for name in ("ours", "theirs"):
        if name in figures:
            print(f"{name:7} p50 {figures[name]['p50']:8.1f} ms   p95 {figures[name]['p95']:8.1f} ms   n {figures[name]['n']}")
    if "ratio" in figures:
        print(f"median {figures['ratio']['p50']:.0f} x sooner (target {TARGET:.0f} x)")
    else:
        print("no peer was named: no ratio")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
