"""What a run has left behind, and which promises that breaks: read from the database and the files alone."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autonomy.core.events import TERMINAL_EVENTS
from autonomy.journeys import manifest
from autonomy.providers.scripted import Recorded
from autonomy.storage.database import Database, Tx

RUN_TABLES = {
    "run": "id = :run",
    "job": "run_id = :run",
    "event": "run_id = :run",
    "call": "run_id = :run",
    "record": "run_id = :run",
    "artifact": "run_id = :run",
    "checkpoint": "thread IN (SELECT id FROM thread WHERE thread_id = :run)",
}


def only_run(database: Database) -> str:
    """The id of the only run there is."""
    ids = database.read(lambda tx: tx.tuples("SELECT id FROM run"))
    assert len(ids) == 1, ids
    return str(ids[0][0])


def events(database: Database, run_id: str) -> list[dict[str, Any]]:
    """The run's events in the order of their numbers, contents decoded."""
    sql = "SELECT seq, type, node, content, correlation_id FROM event WHERE run_id = :run ORDER BY seq"
    rows = database.read(lambda tx: tx.rows(sql, run=run_id))
    return [{**row, "content": json.loads(row["content"])} for row in rows]


def answered(database: Database, run_id: str) -> frozenset[str]:
    """The Idempotency-Keys of chat calls whose answer is in the journal."""
    sql = "SELECT n FROM call WHERE run_id = :run AND state = 'answered' AND kind = 'chat'"
    return frozenset(f"{run_id}.{n}" for (n,) in database.read(lambda tx: tx.tuples(sql, run=run_id)))


def asked(database: Database, run_id: str) -> int:
    """How many chat calls the run has made, by its journal: one that was paid twice under two numbers counts twice."""
    return int(
        database.read(lambda tx: tx.value("SELECT count(*) FROM call WHERE run_id = :run AND kind = 'chat'", run=run_id))
    )


def everything(database: Database, run_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the run in every table, for comparing two moments."""

    def look(tx: Tx) -> dict[str, list[tuple[Any, ...]]]:
        found = {}
        for table, condition in RUN_TABLES.items():
            rows = tx.tuples(f"SELECT * FROM {table} WHERE {condition}", run=run_id)
            found[table] = sorted((tuple(map(bytes_of, row)) for row in rows), key=repr)
        return found

    return database.read(look)


def bytes_of(value: Any) -> Any:
    """A value that compares the same on both drivers."""
    return bytes(value) if isinstance(value, memoryview) else value


def flaws(database: Database, run_id: str, home: Path) -> list[str]:
    """Every promise that an ended run breaks; empty is good."""
    found: list[str] = []
    told = events(database, run_id)
    numbers = [event["seq"] for event in told]
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"event numbers have a hole or a repeat: {numbers}")
    ends = [event["seq"] for event in told if event["type"] in TERMINAL_EVENTS]
    if ends != numbers[-1:]:
        found.append(f"terminal events at {ends} of {len(numbers)}")
    steps = [event["content"]["step"] for event in told if event["type"] == "node.finished"]
    if steps != list(range(len(steps))):
        found.append(f"a step is told twice or never: {steps}")
    run = database.read(lambda tx: tx.row("SELECT * FROM run WHERE id = :run", run=run_id)) or {}
    if run["next_seq"] != len(numbers):
        found.append(f"the run has given out {run['next_seq']} numbers, {len(numbers)} are used")
    if run["reserved_tokens"] or run["reserved_usd"]:
        found.append(f"still reserved: {run['reserved_tokens']} tokens, {run['reserved_usd']} micro-dollars")
    found.extend(_journal_flaws(database, run_id, run))
    found.extend(_job_flaws(database, run_id))
    found.extend(_file_flaws(database, run_id, home))
    return found


def _journal_flaws(database: Database, run_id: str, run: dict[str, Any]) -> Iterable[str]:
    sql = "SELECT n, slot, state, reserved_tokens, reserved_usd, tokens_in, tokens_out FROM call WHERE run_id = :run ORDER BY n"
    calls = database.read(lambda tx: tx.rows(sql, run=run_id))
    if [call["n"] for call in calls] != list(range(1, len(calls) + 1)):
        yield f"call numbers have a hole: {[call['n'] for call in calls]}"
    for call in calls:
        if call["state"] == "reserved" or call["reserved_tokens"] or call["reserved_usd"]:
            yield f"call {call['n']} is {call['state']} with {call['reserved_tokens']} tokens reserved"
    used = sum(call["tokens_in"] + call["tokens_out"] for call in calls)
    if run["used_tokens"] != used:
        yield f"the run counts {run['used_tokens']} tokens, its calls {used}"
    starts = Counter(event["content"]["call"] for event in events(database, run_id) if event["type"] == "call.finished")
    doubled = {call: count for call, count in starts.items() if count != 1}
    if doubled or len(starts) != len(calls):
        yield f"calls and call.finished events disagree: {doubled}, {len(starts)} of {len(calls)}"


def _job_flaws(database: Database, run_id: str) -> Iterable[str]:
    sql = "SELECT id, state FROM job WHERE run_id = :run AND state NOT IN ('done', 'failed')"
    yield from (f"job {row['id']} is still {row['state']}" for row in database.read(lambda tx: tx.rows(sql, run=run_id)))
    lanes = "SELECT user_id, running, queued FROM lane WHERE running <> 0 OR queued <> 0"
    if not database.read(lambda tx: tx.tuples("SELECT id FROM job WHERE state IN ('queued', 'running', 'retry')")):
        yield from (f"lane counts work where none is: {row}" for row in database.read(lambda tx: tx.rows(lanes)))


def _file_flaws(database: Database, run_id: str, home: Path) -> Iterable[str]:
    sql = "SELECT path FROM artifact WHERE run_id = :run"
    listed = {str(path) for (path,) in database.read(lambda tx: tx.tuples(sql, run=run_id))}
    folder = home / "artifacts" / run_id
    there = {str(path.relative_to(home)) for path in folder.rglob("*") if path.is_file()}
    if listed != there:
        yield f"files and rows disagree: {sorted(listed ^ there)}"
    if f"artifacts/{run_id}/manifest.json" in listed:
        checked = manifest.verify(folder)
        if not checked.good or checked.share != 1.0:
            yield f"{checked.found} of {checked.claimed} citations found; {checked.problems}"


def repeated(requests: Iterable[Recorded], known: frozenset[str], after: int) -> list[str]:
    """Keys whose answer was known already and that were asked again: requests numbered above `after`."""
    return [each.idempotency_key for each in requests if each.number > after and each.idempotency_key in known]


def normal(folder: Path) -> dict[str, str]:
    """The files of a deliverable, ids and times aside, by name; of a Word document its parts."""
    run_id = folder.name
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".docx":
                with zipfile.ZipFile(io.BytesIO(data)) as parts:
                    data = b"\n".join(name.encode() + b"\n" + parts.read(name) for name in parts.namelist())
            text = data.decode().replace(run_id, "RUN")
            found[str(path.relative_to(folder))] = re.sub(r'"retrieved_at": "[^"]*"', '"retrieved_at": "T"', text)
    return found
