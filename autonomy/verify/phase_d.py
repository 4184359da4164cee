"""Phase D, the protocol of work and review: the echo before the work, issues that name their criterion, traces, fidelity.

Played twice over one server: by two scripted parties, an executor that misses a criterion and a reviewer that notices, and
by the run engine with the Critic as its reviewer: with a task that can be met, with one that cannot, and with one whose
criterion nothing measures, which waits for a person. The one that cannot be met is worked with a model (a scripted one, on
this machine), since only then may a second run bring something else. What they left in the task is read over HTTP and judged
here, by code of its own.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import rfc8785

from autonomy.bootstrap import config
from autonomy.bootstrap.app import open_app
from autonomy.core.clock import iso, now_us
from autonomy.providers.scripted import ScriptedServer
from autonomy.ssot.standins import ScriptedExecutor, ScriptedReviewer
from autonomy.verify.report import Limit
from autonomy.verify.server import Server, serving
from autonomy.verify.stage import Phase, Stage, decide, new_task
from autonomy.verify.streams import Reader

Item = dict[str, str]
CRITERIA: list[Item] = [
    {"id": "AC-1", "text": "The text explains what a lease is."},
    {"id": "AC-2", "text": "The text says when a fencing token is needed – naïve readers included."},
    {"id": "AC-3", "text": "Every statement is cited."},
]
SCOPE: list[Item] = [
    {"id": "S-1", "text": "Only files below artifacts/ are written."},
    {"id": "S-2", "text": "Only the corpus is read."},
]
ASKED = {
    "scripted": CRITERIA,
    "engine, met": [{"id": "AC-1", "text": "quote_found and references hold"}],
    "engine, unmeasured": CRITERIA[1:2],
    "engine, missed": [*CRITERIA[:1], {"id": "AC-4", "text": "min_citations at least 500"}],
}
"""The criteria of each task as they were sent: the echo is held against these, not against what the server made of them."""
GOAL = "A guide to leases, checkpoints and idempotency keys"


async def run(stage: Stage) -> None:
    """See the module."""
    stage.progress("starting a server", 0.0)
    with ScriptedServer() as model:
        found = await _played(stage, model.base_url)
    stage.record("phase_d_tasks.json", found, "the tasks as they stood in the end, read over HTTP")
    _judge(stage, found)


async def _played(stage: Stage, model: str) -> dict[str, dict[str, Any]]:
    """The tasks as they stand once they have been seen through, by name."""
    async with serving(stage.server(model=model)) as server, server.client() as client:
        stage.progress("two scripted parties", 0.1)
        played = await new_task(client, "Explain leases.", acceptance_criteria=ASKED["scripted"], declared_scope=SCOPE)
        await asyncio.to_thread(_play, server, played)
        stage.progress("the run engine and its Critic", 0.3)
        spec = {"goal": GOAL, "corpus": "sample"}
        met, unmeasured = [
            await _ordered(client, "Explain how jobs are protected.", {**spec, "provider": "extractive"}, ASKED[name])
            for name in ("engine, met", "engine, unmeasured")
        ]
        missed = await _ordered(
            client,
            "Explain it with more evidence than there is.",
            {**spec, "min_citations": 500},
            ASKED["engine, missed"],
        )
        found = {
            "scripted": await _read(client, played),
            "engine, met": await _settled(client, met, stage, 0.4),
            "engine, unmeasured": await _settled(client, unmeasured, stage, 0.6),
            "engine, missed": await _settled(client, missed, stage, 0.7),
        }
        _files(stage, server, found)
    stage.keep(server.log, "what the server logged")
    return found


def _play(server: Server, task_id: str) -> None:
    """The scripted executor misses the second criterion once; the reviewer notices, and the task is given out again."""
    with open_app(config.load(server.environ())) as app:
        app.tasks.approve(task_id, "operator", start=False)
        app.tasks.play(task_id, ScriptedExecutor(_now, misses=[{"AC-2"}]), ScriptedReviewer())


def _now() -> str:
    return str(iso(now_us()))


async def _ordered(client: httpx.AsyncClient, text: str, spec: dict[str, Any], criteria: list[dict[str, str]]) -> str:
    task = await new_task(client, text, journey="write", task_spec=spec, acceptance_criteria=criteria, declared_scope=SCOPE)
    (await decide(client, task, "approve")).raise_for_status()
    return task


async def _read(client: httpx.AsyncClient, task_id: str) -> dict[str, Any]:
    answer = await client.get(f"/api/tasks/{task_id}")
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


async def _settled(client: httpx.AsyncClient, task_id: str, stage: Stage, share: float) -> dict[str, Any]:
    """The task once its last dispatch has its verdict; asked again after each event of the stream of tasks."""
    reader = Reader(client, "/api/events")
    await reader.open()
    try:
        deadline = time.monotonic() + stage.options.patience
        while True:
            stage.progress("the run engine and its Critic", share)
            heard = len(reader.seen)
            task = await _read(client, task_id)
            last = task["dispatches"][-1] if task.get("dispatches") else {}
            if last.get("verdict"):
                return task
            left = deadline - time.monotonic()
            if left <= 0 or not reader.connected:
                stage.report.fail(f"task {task_id} had no verdict after {stage.options.patience:g} s")
                return task
            await reader.until(lambda heard=heard: len(reader.seen) > heard, left)  # type: ignore[misc]
    finally:
        await reader.close()


def _judge(stage: Stage, found: dict[str, dict[str, Any]]) -> None:
    acks, issues, traces, fidelity = [], [], [], []
    for name, task in found.items():
        given = task.get("dispatches", [])
        acks += [echo for each in given for echo in echoes(ASKED[name], SCOPE, each)]
        issues += [issue for each in given for issue in named(ASKED[name], each)]
        traces += [trace for each in given for trace in traced(each)]
        fidelity += [carried(one, other) for one, other in pairwise(given)]
    stage.report.measured(
        dispatches_seen=sum(len(task.get("dispatches", [])) for task in found.values()),
        ack_items=len(acks),
        issues_seen=len(issues),
        redispatches_seen=len(fidelity),
        traceability_pass=bool(traces) and all(traces),
        fidelity_pass=bool(fidelity) and all(fidelity),
    )
    if acks:
        stage.report.measured(ack_echo_match_rate=sum(acks) / len(acks))
    if issues:
        stage.report.measured(issues_with_criterion_ref_rate=sum(issues) / len(issues))
    review = "needs_review"
    wanted = {"scripted": "approved", "engine, met": "approved", "engine, unmeasured": review, "engine, missed": review}
    for name, status in wanted.items():
        if found[name].get("status") != status:
            stage.report.fail(f"the task of '{name}' ended as {found[name].get('status')}, wanted {status}")


def _files(stage: Stage, server: Server, found: dict[str, dict[str, Any]]) -> None:
    """Each file that the engine's snapshots name is there, with that hash."""
    named = [
        change
        for name, task in found.items()
        for dispatch in task.get("dispatches", [])
        for change in (dispatch.get("result") or {}).get("diff_snapshot", [])
        if name != "scripted"
    ]
    true = sum(_sha256(server.home / change["path"]) == change["sha256"] for change in named)
    stage.report.measured(snapshot_files=len(named), snapshot_pass=bool(named) and true == len(named))


def _sha256(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def echoes(criteria: Sequence[Item], scope: Sequence[Item], dispatch: dict[str, Any]) -> list[bool]:
    """For each criterion and each item of the scope: whether the echo has it, in its place, byte for byte, before the work."""
    ack = dispatch.get("ack") or {}
    work = (dispatch.get("result") or {}).get("work_log") or []
    in_time = bool(ack.get("at")) and all(ack["at"] <= entry["at"] for entry in work[:1])
    matches: list[bool] = []
    for asked, echoed in ((criteria, ack.get("acceptance_criteria", [])), (scope, ack.get("declared_scope", []))):
        for number in range(max(len(asked), len(echoed))):
            both = number < len(asked) and number < len(echoed)
            matches.append(in_time and both and rfc8785.dumps(asked[number]) == rfc8785.dumps(echoed[number]))
    return matches


def named(criteria: Sequence[Item], dispatch: dict[str, Any]) -> list[bool]:
    """For each issue of the verdict: whether it names a criterion of the task."""
    known = {each["id"] for each in criteria}
    return [issue.get("criterion_ref") in known for issue in (dispatch.get("verdict") or {}).get("issues", [])]


def traced(dispatch: dict[str, Any]) -> list[bool]:
    """For each issue: whether it points at entries of the work log, and at nothing else."""
    entries = {entry["id"] for entry in (dispatch.get("result") or {}).get("work_log", [])}
    return [
        bool(issue.get("trace")) and entries.issuperset(issue["trace"])
        for issue in (dispatch.get("verdict") or {}).get("issues", [])
    ]


def carried(dispatch: dict[str, Any], following: dict[str, Any]) -> bool:
    """Whether the next dispatch carries the issues of this one's verdict byte for byte."""
    issues = (dispatch.get("verdict") or {}).get("issues", [])
    return bool(issues) and rfc8785.dumps(issues) == rfc8785.dumps(following.get("issues", []))


PHASE = Phase(
    letter="d",
    about="the protocol of work and review",
    owed=(
        "ack_echo_match_rate", "issues_with_criterion_ref_rate", "traceability_pass", "fidelity_pass", "dispatches_seen",
        "redispatches_seen", "snapshot_pass",
    ),
    limits=(
        Limit("ack_echo_match_rate", least=1.0),
        Limit("issues_with_criterion_ref_rate", least=1.0),
        Limit("traceability_pass", equals=True),
        Limit("fidelity_pass", equals=True),
        Limit("redispatches_seen", least=2),
        Limit("snapshot_pass", equals=True),
    ),
    run=run,
)  # fmt: skip
