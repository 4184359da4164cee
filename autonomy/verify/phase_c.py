"""Phase C, webhooks: no bad signature passes, no delivery counts twice, a flood starves nobody, all of it is audited."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import sys
import time
from typing import Any

import httpx

from autonomy.verify.measure import spread, timed
from autonomy.verify.report import Limit
from autonomy.verify.server import CHAT, Server, serving
from autonomy.verify.stage import Phase, Stage, actions, audit_lines, new_task, token

BAD = 50
REPLAYS = 10
PER_SECOND = 50
MESSAGES = 20
REFUSED = (401, 403)


async def run(stage: Stage) -> None:
    """See the module."""
    stage.progress("starting a server", 0.0)
    async with serving(stage.server(workers=0)) as server, server.client() as client:
        before = _written(server)
        stage.progress("sending bad signatures", 0.05)
        await _bad_signatures(stage, server, client)
        stage.progress("replaying a delivery", 0.15)
        await _replay(stage, server, client)
        stage.progress("sending Telegram messages", 0.25)
        await _telegram(stage, server, client)
        flooded = await _flood(stage, server, client)
        stage.progress("reading the audit log", 0.95)
        key_events = BAD + REPLAYS + REPLAYS + MESSAGES + flooded
        stage.report.measured(audit_events_written=_written(server) - before, key_events=key_events)
        if _written(server) - before < key_events:
            stage.report.fail(f"{_written(server) - before} audit lines for {key_events} key events")
    await _chain(stage, server)
    stage.keep(server.audit, "the audit log")
    stage.keep(server.log, "what the server logged")


def _written(server: Server) -> int:
    return len(audit_lines(server.audit))


async def _github(server: Server, client: httpx.AsyncClient, event: str, body: bytes, *, delivery: str, secret: str) -> int:
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery, "X-Hub-Signature-256": signature}
    answer = await client.post("/webhooks/github", content=body, headers=headers | {"Content-Type": "application/json"})
    return answer.status_code


async def _bad_signatures(stage: Stage, server: Server, client: httpx.AsyncClient) -> None:
    body = json.dumps({"zen": "Speak like a human."}).encode()
    codes: list[int] = []
    for number in range(BAD):
        secret = "" if number % 5 == 0 else secrets.token_urlsafe(32)
        codes.append(await _github(server, client, "ping", body, delivery=f"bad-{token()}", secret=secret))
    rejected = sum(code in REFUSED for code in codes)
    stage.report.measured(signature_reject_rate=rejected / BAD, signatures_sent=BAD)


async def _replay(stage: Stage, server: Server, client: httpx.AsyncClient) -> None:
    """One good event ten times: the task that names the commit changes once."""
    commit = secrets.token_hex(20)
    task = await new_task(client, "Watch my checks", git={"repo": "octo/example", "commit": commit})
    first = (await client.get(f"/api/tasks/{task}")).json()
    body = json.dumps(check_run("octo/example", commit)).encode()
    delivery = f"good-{token()}"
    codes = [await _github(server, client, "check_run", body, delivery=delivery, secret=server.webhook) for _ in range(REPLAYS)]
    last = (await client.get(f"/api/tasks/{task}")).json()
    changed_once = last.get("ci_status") is not None and last["revision"] == first["revision"] + 1
    hits = sum(line.get("dedup_hit") is True for line in audit_lines(server.audit) if line.get("event_id") == delivery)
    stage.report.measured(
        idempotency_pass=changed_once and all(code < 300 for code in codes) and hits == REPLAYS - 1, replays_sent=REPLAYS
    )


def check_run(repo: str, commit: str) -> dict[str, Any]:
    """A completed check of one commit, as GitHub tells it, cut to what is read."""
    return {
        "action": "completed",
        "check_run": {
            "name": "tests",
            "head_sha": commit,
            "status": "completed",
            "conclusion": "success",
            "check_suite": {"head_branch": "main"},
        },
        "repository": {"full_name": repo},
    }


def message(number: int, text: str) -> dict[str, Any]:
    """A text message of the chat that is listened to."""
    return {
        "update_id": 10_000 + number,
        "message": {"message_id": number, "date": 1_790_000_000, "chat": {"id": CHAT, "type": "private"}, "text": text},
    }


async def _say(server: Server, client: httpx.AsyncClient, update: dict[str, Any]) -> int:
    headers = {"X-Telegram-Bot-Api-Secret-Token": server.telegram}
    return (await client.post("/webhooks/telegram", json=update, headers=headers)).status_code


def task_id(number: int) -> str:
    """The id that the message's task has: the first 12 hex digits of sha256("chat_id:message_id")."""
    return hashlib.sha256(f"{CHAT}:{number}".encode()).hexdigest()[:12]


async def _telegram(stage: Stage, server: Server, client: httpx.AsyncClient) -> None:
    files = len(list(server.tasks.glob("*.json")))
    codes = [await _say(server, client, message(1, "Write about leases.")) for _ in range(REPLAYS)]
    made = len(list(server.tasks.glob("*.json"))) - files
    audited = actions(server.audit)["telegram_dedup_hit"]
    stage.report.measured(
        telegram_tasks_created=made,
        telegram_dedup_pass=made == 1
        and (server.tasks / f"{task_id(1)}.json").is_file()
        and all(code == 200 for code in codes)
        and audited >= REPLAYS - 1,
    )
    times: list[float] = []
    for number in range(2, MESSAGES + 2):
        path = server.tasks / f"{task_id(number)}.json"
        began = time.perf_counter()
        await _say(server, client, message(number, f"Write about checkpoints, {number}."))
        if path.is_file():
            times.append((time.perf_counter() - began) * 1000)
        else:
            stage.report.fail(f"message {number} was answered, and its task file is not there")
    stage.report.measured(**spread("telegram_ingest", times, 95))


async def _flood(stage: Stage, server: Server, client: httpx.AsyncClient) -> int:
    """Bad signatures at a steady rate while another client reads tasks; returns how many were sent."""
    seconds = stage.options.flood_seconds
    body = b'{"zen": "Keep it logically awesome."}'
    times: list[float] = []
    passed: list[int] = []
    wrong = token()
    count = max(int(seconds * PER_SECOND), 1)
    began = time.monotonic()

    async def one(number: int) -> None:
        code = await _github(server, client, "ping", body, delivery=f"flood-{number}", secret=wrong)
        passed.extend([number] * (code not in REFUSED))

    async def flood() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await asyncio.sleep(max(began + number / PER_SECOND - time.monotonic(), 0))
                group.create_task(one(number))

    async def read() -> None:
        async with server.client() as other:
            while time.monotonic() - began < seconds:
                (await timed(other.get("/api/tasks"), times)).raise_for_status()
                stage.progress("flooding", 0.3 + 0.6 * min((time.monotonic() - began) / seconds, 1))

    await asyncio.gather(flood(), read())
    stage.report.measured(flood_requests=count, flood_passed=len(passed), flood_reads=len(times))
    if times:
        stage.report.measured(flood_api_p95_ms=spread("flood", times, 95)["flood_p95_ms"])
    return count


async def _chain(stage: Stage, server: Server) -> None:
    """`autonomy audit verify` over the scratch workspace."""
    words = ["-c", "from cli.main import entry; entry()", "audit", "verify", "--json"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, env=dict(server.environ()), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    stage.report.measured(audit_chain_pass=process.returncode == 0)
    if process.returncode != 0:
        stage.report.fail(f"'autonomy audit verify' ended with code {process.returncode}: {out.decode(errors='replace')[:300]}")


PHASE = Phase(
    letter="c",
    about="webhooks",
    owed=(
        "signature_reject_rate", "idempotency_pass", "flood_api_p95_ms", "telegram_dedup_pass", "telegram_tasks_created",
        "telegram_ingest_p95_ms", "audit_events_written", "key_events", "audit_chain_pass", "flood_passed",
    ),
    limits=(
        Limit("signature_reject_rate", least=1.0),
        Limit("idempotency_pass", equals=True),
        Limit("flood_passed", equals=0),
        Limit("flood_api_p95_ms", most=500.0),
        Limit("telegram_dedup_pass", equals=True),
        Limit("telegram_tasks_created", equals=1),
        Limit("telegram_ingest_p95_ms", most=500.0),
        Limit("audit_chain_pass", equals=True),
    ),
    run=run,
)  # fmt: skip
