"""Phase A, the tasks API: the same task reads the same, a decision is seen by the very next reader, the tests pass."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import rfc8785

import autonomy
from autonomy.verify.measure import spread, timed
from autonomy.verify.report import Limit
from autonomy.verify.server import serving
from autonomy.verify.stage import Phase, Stage, decide, new_task

READS = 10
TIMED = 200
DECISIONS = 6
TEST_SECONDS = 900.0


async def run(stage: Stage) -> None:
    """See the module."""
    stage.progress("starting a server", 0.0)
    async with serving(stage.server(workers=0)) as server, server.client() as client:
        stage.progress("reading one task ten times", 0.1)
        await _stable(stage, client)
        stage.progress("deciding and reading", 0.2)
        await _seen_at_once(stage, client)
        stage.progress("timing reads", 0.3)
        await _timed(stage, client)
    stage.keep(server.log, "what the server logged")
    stage.progress("running tests", 0.4)
    await count_tests(stage)


async def _stable(stage: Stage, client: httpx.AsyncClient) -> None:
    task = await new_task(client, "Read me ten times: naïve café, 東京, \U0001f4c4")
    hashes: list[str] = []
    for _ in range(READS):
        answer = await client.get(f"/api/tasks/{task}")
        answer.raise_for_status()
        hashes.append(hashlib.sha256(rfc8785.dumps(answer.json())).hexdigest())
    stage.record("phase_a_hashes.json", hashes, "the canonical SHA-256 of one task's detail, read ten times")
    stage.report.measured(hash_stability_pass=len(set(hashes)) == 1 and len(hashes) == READS, hash_reads=len(hashes))


async def _seen_at_once(stage: Stage, client: httpx.AsyncClient) -> None:
    """Half approved, half rejected; the detail, the bare list and the list that is asked for more must say so at once."""
    seen = 0
    for number in range(DECISIONS):
        task = await new_task(client, f"Decide on me: {number}")
        verdict, wanted = ("approve", "approved") if number % 2 == 0 else ("reject", "rejected")
        answer = await decide(client, task, verdict)
        said = [
            await _listed(client, task),
            await _listed(client, task, limit=200),
            await _listed(client, task, status=wanted),
            (await client.get(f"/api/tasks/{task}")).json().get("status"),
        ]
        if answer.status_code == 200 and said == [wanted] * len(said):
            seen += 1
        else:
            stage.report.fail(f"task {task} was to be {wanted}; the next GETs said {', '.join(map(str, said))}")
    stage.report.measured(decision_visible_rate=seen / DECISIONS)


async def _listed(client: httpx.AsyncClient, task: str, **asked: str | int) -> str | None:
    """The status that a list gives for the task; None where it is not in the list."""
    items: list[dict[str, Any]] = (await client.get("/api/tasks", params=asked or None)).json()["items"]
    return next((each["status"] for each in items if each["task_id"] == task), None)


async def _timed(stage: Stage, client: httpx.AsyncClient) -> None:
    times: list[float] = []
    for _ in range(TIMED):
        answer = await timed(client.get("/api/tasks"), times)
        answer.raise_for_status()
    stage.report.measured(**spread("api", times, 50, 95))


async def count_tests(stage: Stage) -> None:
    """Tests of the checkout, counted from what the runner wrote."""
    root = Path(autonomy.__file__).parents[1]
    paths = [path for path in stage.options.tests if (root / path).exists()]
    if not paths:
        stage.report.fail("no tests stand beside the library: run this phase from a checkout")
        return
    results = stage.kept / "phase_a_tests.xml"
    stage.kept.mkdir(parents=True, exist_ok=True)
    log = stage.home / "phase_a_tests.log"
    code = await _pytest(root, paths, results, log)
    stage.keep(log, "what the test runner printed")
    if not results.is_file():
        stage.report.fail(f"the test runner ended with code {code} and wrote no results")
        return
    stage.report.keep(results, "the test results, JUnit XML")
    passed, failed = counted(results)
    stage.report.measured(tests_passed=passed, tests_failed=failed)
    if code != 0:
        stage.report.fail(f"the test runner ended with code {code}")


async def _pytest(root: Path, paths: Sequence[str], results: Path, log: Path) -> int:
    with log.open("wb") as out:
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={results}", *paths]
        process = await asyncio.create_subprocess_exec(
            sys.executable, *words, cwd=root, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            return await asyncio.wait_for(process.wait(), TEST_SECONDS)
        except TimeoutError:
            process.kill()
            return await process.wait()


def counted(results: Path) -> tuple[int, int]:
    """(passed, failed) of a JUnit file; errors count as failed, skipped tests as neither."""
    suites = list(ElementTree.parse(results).getroot().iter("testsuite"))  # noqa: S314 - our own runner wrote it
    total, failed, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return total - failed - skipped, failed


PHASE = Phase(
    letter="a",
    about="the tasks API",
    owed=("hash_stability_pass", "decision_visible_rate", "api_p50_ms", "api_p95_ms", "tests_passed", "tests_failed"),
    limits=(
        Limit("hash_stability_pass", equals=True),
        Limit("decision_visible_rate", least=1.0),
        Limit("api_p95_ms", most=250.0),
        Limit("tests_passed", least=1),
        Limit("tests_failed", equals=0),
    ),
    run=run,
)
