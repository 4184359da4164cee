"""Phase C, webhooks: no bad signature passes, no delivery counts twice, a flood starves nobody, all of it is audited."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Mapping
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
REPO = "octo/example"
HEARD = ("webhook_received", "telegram_received", "telegram_dedup_hit")
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the header's name


async def run(stage: Stage) -> None:
    """See the module."""
    stage.progress("starting a server", 0.0)
    async with serving(stage.server(workers=0)) as server, server.client() as client:
        stage.progress("sending bad signatures", 0.05)
        await _bad_signatures(stage, server, client)
        stage.progress("replaying a delivery", 0.15)
        replayed = await _replay(stage, server, client)
        stage.progress("sending Telegram messages", 0.2)
        strangers = await _strangers(stage, server, client)
        messages = await _telegram(stage, server, client)
        flooded = await _flood(stage, server, client)
        stage.progress("reading the audit log", 0.95)
        _audited(stage, server, key_events=BAD + replayed + strangers + messages + flooded, refused=BAD + flooded)
    await _chain(stage, server)
    stage.keep(server.audit, "the audit log")
    stage.keep(server.log, "what the server logged")


# -- GitHub -------------------------------------------------------------------------------------------


def signed(secret: str, body: bytes) -> str:
    """What GitHub puts into X-Hub-Signature-256."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def forged(number: int, secret: str, body: bytes) -> str | bytes | None:
    """A signature that is not that of the body; each number of a row of kinds another. None: no header at all."""
    right = signed(secret, body)
    kinds: tuple[str | bytes | None, ...] = (
        signed(secrets.token_urlsafe(32), body),
        signed(secret, body + b"\n"),
        signed("", body),
        None,
        "",
        "sha256=",
        right[: len("sha256=") + 8],
        right[:-1] + ("0" if right[-1] != "0" else "1"),
        "sha256=" + ("0" if right[7] != "0" else "1") + right[8:],
        right.removeprefix("sha256="),
        "sha1=" + hmac.new(secret.encode(), body, hashlib.sha1).hexdigest(),
        "sha256=" + "0" * 64,
        ("sha256=" + "é" * 32).encode(),
    )
    return kinds[number % len(kinds)]


async def _github(client: httpx.AsyncClient, event: str, body: bytes, delivery: str, signature: str | bytes | None) -> int:
    headers: dict[str, str | bytes] = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "Content-Type": "application/json",
    }
    if signature is not None:
        headers["X-Hub-Signature-256"] = signature
    given = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers.items()]
    return (await client.post("/webhooks/github", content=body, headers=given)).status_code


def check_run(commit: str, conclusion: str) -> bytes:
    """A completed check of one commit, as GitHub tells it, cut to what is read."""
    told = {
        "action": "completed",
        "check_run": {
            "name": "tests",
            "head_sha": commit,
            "status": "completed",
            "conclusion": conclusion,
            "check_suite": {"head_branch": "main"},
        },
        "repository": {"full_name": REPO},
    }
    return json.dumps(told).encode()


async def _watching(client: httpx.AsyncClient) -> tuple[str, str]:
    """A new task that names a commit; both."""
    commit = secrets.token_hex(20)
    return await new_task(client, "Watch my checks", git={"repo": REPO, "commit": commit}), commit


async def _bad_signatures(stage: Stage, server: Server, client: httpx.AsyncClient) -> None:
    """Forgeries of many kinds, each of an event that would change a task."""
    task, commit = await _watching(client)
    body = check_run(commit, "failure")
    codes = [
        await _github(client, "check_run", body, f"bad-{token()}", forged(number, server.webhook, body))
        for number in range(BAD)
    ]
    seen = await _detail(client, task)
    stage.report.measured(
        signature_reject_rate=sum(code in REFUSED for code in codes) / BAD,
        signatures_sent=BAD,
        bad_signature_effects=seen["revision"] - 1,
    )


async def _detail(client: httpx.AsyncClient, task: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/api/tasks/{task}")).json()
    return found


async def _replay(stage: Stage, server: Server, client: httpx.AsyncClient) -> int:
    """One good event ten times, then a newer one of the same commit, then the old one again: two changes, the newer stays.
    Returns how many deliveries were sent."""
    task, commit = await _watching(client)
    old, new = check_run(commit, "success"), check_run(commit, "failure")
    first, second = f"good-{token()}", f"good-{token()}"
    row = [(old, first)] * REPLAYS + [(new, second), (old, first)]
    codes = [await _github(client, "check_run", body, name, signed(server.webhook, body)) for body, name in row]
    last = await _detail(client, task)
    effects = last["revision"] - 1
    hits = Counter(line.get("event_id") for line in audit_lines(server.audit) if line.get("dedup_hit") is True)
    stage.report.measured(
        replays_sent=REPLAYS,
        replay_effects=effects,
        idempotency_pass=effects == 2
        and last.get("ci_status") == "failure"
        and all(code < 300 for code in codes)
        and hits == {first: REPLAYS},
    )
    return len(row)


# -- Telegram -----------------------------------------------------------------------------------------


def message(number: int, text: str | None, chat: int = CHAT) -> dict[str, Any]:
    """A message of the chat that is listened to, or of another; without a text it is a picture."""
    content: dict[str, Any] = {"photo": []} if text is None else {"text": text}
    told = {"message_id": number, "date": 1_790_000_000, "chat": {"id": chat, "type": "private"}, **content}
    return {"update_id": 10_000 + number, "message": told}


async def _say(client: httpx.AsyncClient, update: Mapping[str, Any], secret: str | None) -> int:
    headers = [] if secret is None else [(SECRET_HEADER.encode(), secret.encode())]
    return (await client.post("/webhooks/telegram", json=update, headers=headers)).status_code


def task_id(number: int, chat: int = CHAT) -> str:
    """The id that the message's task has: the first 12 hex digits of sha256("chat_id:message_id")."""
    return hashlib.sha256(f"{chat}:{number}".encode()).hexdigest()[:12]


def _files(server: Server) -> set[str]:
    return {path.name for path in server.tasks.glob("*.json")}


async def _strangers(stage: Stage, server: Server, client: httpx.AsyncClient) -> int:
    """Wrong secrets, then messages that are none of ours: no task comes of any. Returns how many the right secret had."""
    before = _files(server)
    wrong = (None, "", server.telegram[:-1], server.telegram + "x", secrets.token_urlsafe(32), "é")
    refused = [await _say(client, message(900 + number, "Let me in."), secret) for number, secret in enumerate(wrong)]
    others = (message(950, "Another chat.", CHAT + 1), message(951, None))
    ignored = [await _say(client, update, server.telegram) for update in others]
    stage.report.measured(
        telegram_reject_rate=sum(code in REFUSED for code in refused) / len(refused),
        telegram_ignored_pass=ignored == [200] * len(others) and _files(server) == before,
    )
    return len(others)


async def _telegram(stage: Stage, server: Server, client: httpx.AsyncClient) -> int:
    """One message ten times, then others, each timed until its task file is there. Returns how many were sent."""
    before = _files(server)
    codes = [await _say(client, message(1, "Write about leases."), server.telegram) for _ in range(REPLAYS)]
    made = _files(server) - before
    stage.report.measured(
        telegram_tasks_created=len(made),
        telegram_dedup_pass=made == {f"{task_id(1)}.json"}
        and codes == [200] * REPLAYS
        and actions(server.audit)["telegram_dedup_hit"] == REPLAYS - 1,
    )
    times: list[float] = []
    missing: list[int] = []
    for number in range(2, MESSAGES + 2):
        path = server.tasks / f"{task_id(number)}.json"
        began = time.perf_counter()
        await _say(client, message(number, f"Write about checkpoints, {number}."), server.telegram)
        if path.is_file():
            times.append((time.perf_counter() - began) * 1000)
        else:
            missing.append(number)
    stage.report.measured(telegram_files_missing=len(missing), **spread("telegram_ingest", times, 95))
    return REPLAYS + MESSAGES


# -- a flood ------------------------------------------------------------------------------------------


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
        code = await _github(client, "ping", body, f"flood-{number}", signed(wrong, body))
        passed.extend([number] * (code not in REFUSED))

    async def flood() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                await asyncio.sleep(max(began + number / PER_SECOND - time.monotonic(), 0))
                group.create_task(one(number))

    async def read() -> None:
        async with server.client() as other:
            while not times or time.monotonic() - began < seconds:
                (await timed(other.get("/api/tasks"), times)).raise_for_status()
                stage.progress("flooding", 0.3 + 0.6 * min((time.monotonic() - began) / seconds, 1))

    await asyncio.gather(flood(), read())
    stage.report.measured(flood_requests=count, flood_passed=len(passed), flood_reads=len(times))
    stage.report.measured(flood_api_p95_ms=spread("flood", times, 95)["flood_p95_ms"])
    return count


# -- the audit log ------------------------------------------------------------------------------------


def _audited(stage: Stage, server: Server, *, key_events: int, refused: int) -> None:
    """Each delivery has left its one line, and each refused signature is told as one."""
    lines = [line for line in audit_lines(server.audit) if line.get("action") in HEARD]
    told = sum(line.get("signature_valid") is False for line in lines)
    stage.report.measured(audit_events_written=len(lines), key_events=key_events, audit_refusals_written=told)
    if len(lines) != key_events:
        stage.report.fail(f"audit_events_written is {len(lines)}, wanted {key_events}")
    if told != refused:
        stage.report.fail(f"audit_refusals_written is {told}, wanted {refused}")
    strangers = actions(server.audit)["auth_failed"]
    stage.report.measured(audit_strangers_written=strangers)


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
        "signature_reject_rate", "bad_signature_effects", "idempotency_pass", "flood_api_p95_ms", "flood_passed",
        "telegram_reject_rate", "telegram_ignored_pass", "telegram_dedup_pass", "telegram_tasks_created",
        "telegram_files_missing", "telegram_ingest_p95_ms", "audit_events_written", "audit_refusals_written",
        "audit_strangers_written", "key_events", "audit_chain_pass",
    ),
    limits=(
        Limit("signature_reject_rate", least=1.0),
        Limit("bad_signature_effects", equals=0),
        Limit("idempotency_pass", equals=True),
        Limit("flood_passed", equals=0),
        Limit("flood_api_p95_ms", most=500.0),
        Limit("telegram_reject_rate", least=1.0),
        Limit("telegram_ignored_pass", equals=True),
        Limit("telegram_dedup_pass", equals=True),
        Limit("telegram_tasks_created", equals=1),
        Limit("telegram_files_missing", equals=0),
        Limit("telegram_ingest_p95_ms", most=500.0),
        Limit("audit_strangers_written", least=6),
        Limit("audit_chain_pass", equals=True),
    ),
    run=run,
)  # fmt: skip
