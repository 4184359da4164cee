"""Parts of a run as data: who owns it, its plan as a graph, one of its files, what it remembers; and the tools there are."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autonomy.core.clock import is_id, iso
from autonomy.core.errors import InvalidInput, NotFound
from autonomy.runtime import runs
from autonomy.storage.artifacts import inside
from autonomy.storage.database import Database
from autonomy.tools.registry import catalogue

RECORDS_MAX = 200
_CURSOR = re.compile(r"([a-z_]{1,32})\.([0-9]{1,18})\.(.{0,160})", re.DOTALL)


@dataclass(frozen=True, slots=True)
class File:
    """An artifact and its bytes, proved against the sha256 it was stored with."""

    name: str
    media_type: str
    sha256: str
    data: bytes


def check_owner(database: Database, run_id: str, user: str | None) -> None:
    """Raises NotFound where there is no such run, or where it is not that user's: which of both is not told."""
    owner = database.read(lambda tx: tx.value("SELECT user_id FROM run WHERE id = :id", id=run_id)) if is_id(run_id) else None
    if owner is None or user not in (None, owner):
        raise no_run(run_id)


def no_run(run_id: str) -> NotFound:
    """What is said of a run that is not there, and of one that is somebody else's."""
    return NotFound(f"no run {run_id[:64]}", "List runs first.")


def last_seq(database: Database, run_id: str) -> tuple[int, bool]:
    """The number of the run's newest event, and whether none will follow. Raises NotFound."""
    run = database.read(lambda tx: runs.get(tx, run_id))
    return run.next_seq, run.ended


def graph(page: Mapping[str, Any]) -> dict[str, Any]:
    """The plan of a run (as `Runs.inspect` shows it) as nodes with their state, and edges from step to waiting step."""
    steps = page["plan"]
    return {
        "run_id": page["run_id"],
        "status": page["status"],
        "route": page["route"],
        "nodes": [
            {
                **{name: step[name] for name in ("id", "kind", "action", "description", "state")},
                "current": step["id"] == page["current"] and step["state"] in ("pending", "running"),
            }
            for step in steps
        ],
        "edges": [{"source": before, "target": step["id"]} for step in steps for before in step["depends_on"]],
    }


def artifact(database: Database, home: Path, run_id: str, artifact_id: str) -> File:
    """One file of the run. Raises NotFound; InvalidInput where the file is no longer what was stored."""
    sql = "SELECT path, media_type, sha256 FROM artifact WHERE id = :id AND run_id = :run"
    row = database.read(lambda tx: tx.row(sql, id=artifact_id, run=run_id))
    if row is None:
        raise NotFound(f"run {run_id} has no artifact {artifact_id}", "The run lists its artifacts.")
    path = inside(home / "artifacts" / run_id, row["path"].removeprefix(f"artifacts/{run_id}/"))
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as stream:
            data = stream.read()
    except OSError:
        raise NotFound(f"{path.name} is missing from the workspace", "Restore the artifacts folder, or run again.") from None
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        raise InvalidInput(f"{path.name} was changed after delivery", "Restore the artifacts folder, or run again.")
    return File(path.name, row["media_type"], row["sha256"], data)


def remembered(database: Database, run_id: str, kind: str | None, limit: int, cursor: str | None) -> dict[str, Any]:
    """What the run gathered and noted, by kind and number: {items: [{kind, key, number, body, created_at}], next_cursor}."""
    if not 1 <= limit <= RECORDS_MAX:
        raise InvalidInput(f"a page holds 1 to {RECORDS_MAX} records", "Correct the limit.")
    conditions, values = ["run_id = :run"], dict[str, Any](run=run_id, limit=limit + 1)
    if kind is not None:
        conditions.append("kind = :kind")
        values["kind"] = kind
    if cursor is not None:
        matched = _CURSOR.fullmatch(cursor)
        if matched is None or "\x00" in cursor:
            raise InvalidInput("not a cursor of this list", "Use next_cursor of the page before, unchanged.")
        conditions.append("(kind, number, key) > (:after_kind, :after_number, :after_key)")
        values.update(after_kind=matched[1], after_number=int(matched[2]), after_key=matched[3])
    sql = (
        f"SELECT kind, key, number, body, created_at FROM record WHERE {' AND '.join(conditions)} "
        "ORDER BY kind, number, key LIMIT :limit"
    )
    found = database.read(lambda tx: tx.rows(sql, **values))
    items = [{**row, "body": json.loads(row["body"]), "created_at": iso(row["created_at"])} for row in found[:limit]]
    last = items[-1] if len(found) > limit else None
    return {"items": items, "next_cursor": None if last is None else f"{last['kind']}.{last['number']}.{last['key']}"}


def tools(database: Database) -> list[dict[str, Any]]:
    """Every stored tool with its health and reputation, by name."""
    return database.read(catalogue)
