"""Similarity reports under load: sent many times at once to two servers, servers killed in mid-acceptance, a thousand waits.

    python benchmarks/reports.py [--quick] [--json reports.json]

On each database: `runs` runs wait for their reports, and each is sent `posts` identical reports at once, half of them to each
of two servers; then a server is killed at a random moment of an acceptance, `kills` times, and the sender sends again. To be:
one resume and one `resume_job_id` a run, every other answer `duplicate`, no answer 500 or above, every accepted report
resumed once. Last, the CPU time and the memory of an idle server and worker beside no waiting run and beside 1,000.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]

sys.path.insert(0, str(Path(__file__).parents[1]))

from autonomy.runtime import events, queue, runs
from autonomy.storage.database import Tx
from autonomy.turnitin import cycles
from benchmarks.faults import databases
from tests.commands import Command, FreshCommands, Workspace, until

LONG = 10**13
QUIET_SECONDS = 20.0
"""How long an idle process is watched."""


def wait_for_report(place: Workspace, name: str) -> None:
    """A run that waits for the report of its first draft, as its worker leaves it."""
    path = f"artifacts/{name}/drafts/draft-1.md"
    draft = place.home / path
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_text("# Leases\n\nA lease is a lock with an expiry date.\n", encoding="utf-8")

    def write(tx: Tx) -> None:
        runs.create(tx, runs.NewRun(f"u-{name}", "write", "Why leases?", {"target_similarity": 15}, "", "c", id=name))
        queue.enqueue_start(tx, name)
        job = queue.claim(tx, "bench", LONG, name)
        assert job is not None
        handoff = cycles.Handoff(1, 15.0, path, "0" * 64)

        def begin(tx: Tx) -> dict[str, Any]:
            cycles.open_cycle(tx, name, handoff)
            return {}

        queue.wait_human(tx, job, begin)

    with place.database() as database:
        database.write(write)


def serve(commands: FreshCommands, place: Workspace, workers: int = 0) -> tuple[Command, int]:
    """A server of its own process, and its port."""
    command = commands.start(place, "serve", "--port", "0", "--json", "--workers-inline", str(workers))
    out = command._files[0]
    until(lambda: not command.alive or out.read_text().endswith("\n"), "the server")
    assert command.alive, command.wait().err
    return command, int(json.loads(out.read_text())["port"])


def resumes(place: Workspace, name: str) -> int:
    """How often a report has queued the run."""
    with place.database() as database:
        told = database.read(lambda tx: events.read(tx, name))
    return sum(event.type == "run.queued" and event.content.get("reason") == "report" for event in told)


def at_once(ports: list[int], name: str, posts: int) -> list[httpx.Response]:
    """Identical reports, all sent at the same moment, to the servers in turn."""
    ready = threading.Barrier(posts)

    def send(n: int) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=120) as client:
            ready.wait(timeout=120)
            return client.post(
                f"http://127.0.0.1:{ports[n % len(ports)]}/api/v2/turnitin/{name}/report", json={"observed_similarity": 34}
            )

    with ThreadPoolExecutor(posts) as pool:
        return list(pool.map(send, range(posts)))


def identical(commands: FreshCommands, place: Workspace, count: int, posts: int) -> dict[str, Any]:
    """The figures of `count` runs, each sent `posts` identical reports at once."""
    names = [f"same{n}" for n in range(count)]
    for name in names:
        wait_for_report(place, name)
    servers = [serve(commands, place) for _ in range(2)]
    ports = [port for _, port in servers]
    statuses: Counter[int] = Counter()
    first, duplicates, job_ids, seconds = 0, 0, 0, []
    for name in names:
        began = time.monotonic()
        answers = at_once(ports, name, posts)
        seconds.append(time.monotonic() - began)
        statuses.update(answer.status_code for answer in answers)
        taken = [answer.json() for answer in answers if answer.status_code == 200]
        first += sum(not each["duplicate"] for each in taken)
        duplicates += sum(each["duplicate"] for each in taken)
        job_ids += len({each["resume_job_id"] for each in taken})
    for command, _ in servers:
        command.signal(signal.SIGTERM)
        command.wait()
    return {
        "runs": count,
        "posts": posts,
        "statuses": dict(statuses),
        "first": first,
        "duplicates": duplicates,
        "resume_job_ids": job_ids,
        "resumes": sum(resumes(place, name) for name in names),
        "resumed_once": sum(resumes(place, name) == 1 for name in names),
        "seconds_each": round(sum(seconds) / len(seconds), 2),
    }


def killed(commands: FreshCommands, place: Workspace, kills: int, chance: random.Random) -> dict[str, Any]:
    """The figures of servers killed 0 to 30 ms after a report was sent; the sender sends again to the next one."""
    names = [f"kill{n}" for n in range(kills)]
    for name in names:
        wait_for_report(place, name)
    answered_before = answered_again = 0
    for name in names:
        command, port = serve(commands, place)
        url = f"http://127.0.0.1:{port}/api/v2/turnitin/{name}/report"
        killing = threading.Timer(chance.uniform(0, 0.03), command.signal, (signal.SIGKILL,))
        with httpx.Client(trust_env=False, timeout=30) as client:
            client.get(f"http://127.0.0.1:{port}/healthz")
            killing.start()
            with contextlib.suppress(httpx.HTTPError):  # that is what is looked at: nobody knows whether it was taken
                answered_before += client.post(url, json={"observed_similarity": 34}).status_code == 200
        killing.join()
        command.wait()
        command, port = serve(commands, place)
        with httpx.Client(trust_env=False, timeout=30) as client:
            again = client.post(f"http://127.0.0.1:{port}/api/v2/turnitin/{name}/report", json={"observed_similarity": 34})
        answered_again += again.status_code == 200
        command.signal(signal.SIGTERM)
        command.wait()
    counted = Counter(resumes(place, name) for name in names)
    return {
        "kills": kills,
        "answered_before_the_kill": answered_before,
        "completed_by_the_senders_retry": answered_again,
        "resumed_once": counted[1],
        "resumed_otherwise": kills - counted[1],
    }


def idle(commands: FreshCommands, place: Workspace, waits: int) -> dict[str, Any]:
    """CPU milliseconds a second, and memory, of an idle server and an idle worker, beside so many waiting runs."""
    for n in range(waits):
        wait_for_report(place, f"wait{n}")
    server, _ = serve(commands, place)
    worker = commands.start(place, "worker")
    processes = {"server": psutil.Process(server.pid), "worker": psutil.Process(worker.pid)}
    time.sleep(QUIET_SECONDS)  # what begins, begins: the files of the tasks that ask for the reports are written
    before = {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}
    time.sleep(QUIET_SECONDS)
    found = {
        name: {
            "cpu_ms_a_second": round((sum(process.cpu_times()[:2]) - before[name]) / QUIET_SECONDS * 1000, 2),
            "memory_mib": round(process.memory_info().rss / 2**20, 1),
        }
        for name, process in processes.items()
    }
    for command in (worker, server):
        command.signal(signal.SIGTERM)
        command.wait()
    return {"waiting": waits, **found}


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 runs of 40 posts, 5 kills, 200 waits")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    chosen = parser.parse_args()
    count, posts, kills, waits = (5, 40, 5, 200) if chosen.quick else (20, 100, 20, 1000)
    folder = Path(tempfile.mkdtemp(prefix="reports-"))
    found: dict[str, Any] = {}
    with FreshCommands(folder) as commands, databases(folder) as urls:
        for name, url in urls.items():

            def fresh(what: str, name: str = name, url: str | None = url) -> Workspace:
                place = Workspace.make(folder / f"{name}-{what}", url)
                with place.database() as database:
                    from autonomy.storage import migrate

                    migrate.upgrade(database)
                    database.write(_emptied)
                return place

            measures: dict[str, Callable[[], dict[str, Any]]] = {
                "identical": lambda fresh=fresh: identical(commands, fresh("same"), count, posts),  # type: ignore[misc]
                "killed": lambda fresh=fresh: killed(commands, fresh("kill"), kills, random.Random(1)),  # type: ignore[misc]
                "idle beside none": lambda fresh=fresh: idle(commands, fresh("none"), 0),  # type: ignore[misc]
                "idle beside many": lambda fresh=fresh: idle(commands, fresh("many"), waits),  # type: ignore[misc]
            }
            for what, measure in measures.items():
                found[f"{name}, {what}"] = measure()
                print(f"{name}, {what}: {json.dumps(found[f'{name}, {what}'])}", flush=True)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2))


def _emptied(tx: Tx) -> None:
    """The server's one PostgreSQL database serves one measurement after the other."""
    for table in ("cycle", "job", "lane", "event", "run", "task_event", "audit_head", "cursor"):
        tx.run(f"DELETE FROM {table}")


if __name__ == "__main__":
    main()
