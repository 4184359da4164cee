"""What every phase is handed, and the few things that several phases do."""

from __future__ import annotations

import json
import secrets
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from autonomy.evaluation import harness
from autonomy.verify.report import Limit, Report
from autonomy.verify.server import ENTRY, Server

Progress = Callable[[str, float], None]
"""What is being done, and which share of the phase is done (0 to 1)."""


@dataclass(frozen=True, slots=True)
class Options:
    """How long and on what. Seconds; `command` replaces the program that serves; `tests` are folders below the checkout.

    `patience` is how long is waited for what must come; `stop_patience` for the server to leave. Without `time_limits` no
    limit on times is held (they are measured all the same), and the report says so. `evaluations` are task files, without
    any those of the project; `play` replaces the program that plays them.
    """

    soak_seconds: float = 600.0
    flood_seconds: float = 15.0
    load_seconds: float = 10.0
    command: Sequence[str] = ENTRY
    database_url: str | None = None
    tests: Sequence[str] = ("tests/ssot", "tests/audit")
    patience: float = 180.0
    stop_patience: float = 15.0
    time_limits: bool = True
    evaluations: Sequence[Path] = ()
    play: Sequence[str] = harness.COMMAND


@dataclass
class Stage:
    """One phase under way: its report, its scratch workspace, the folder where its files are kept."""

    report: Report
    home: Path
    kept: Path
    options: Options
    progress: Progress

    def server(self, *, workers: int = 1, model: str | None = None) -> Server:
        """A server over the scratch workspace, not yet started; `model` as in `Server`."""
        options = self.options
        return Server(
            self.home,
            command=options.command,
            database_url=options.database_url,
            workers=workers,
            patience=options.stop_patience,
            model=model,
        )

    def keep(self, path: Path, note: str) -> None:
        """Copy a file of the scratch workspace beside the report and name it there."""
        if path.is_file():
            self.kept.mkdir(parents=True, exist_ok=True)
            copy = self.kept / path.name
            shutil.copyfile(path, copy)
            self.report.keep(copy, note)

    def record(self, name: str, value: Any, note: str) -> None:
        """Write what was seen as JSON beside the report and name it there."""
        self.kept.mkdir(parents=True, exist_ok=True)
        path = self.kept / name
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8")
        self.report.keep(path, note)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase: its letter, what it proves, the metrics it owes, what they must keep to, and how it is run."""

    letter: str
    about: str
    owed: Sequence[str]
    limits: Sequence[Limit]
    run: Callable[[Stage], Awaitable[None]]


async def new_task(client: httpx.AsyncClient, text: str, **more: Any) -> str:
    """A task by HTTP; returns its id. Raises ValueError when it was not taken."""
    answer = await client.post("/api/tasks", json={"request_text": text, **more})
    if answer.status_code != 201:
        raise ValueError(f"POST /api/tasks answered {answer.status_code}: {answer.text[:200]}")
    return str(answer.json()["task_id"])


async def decide(client: httpx.AsyncClient, task_id: str, verdict: str) -> httpx.Response:
    """Approve or reject ("approve", "reject")."""
    body = {"reason": "Not in scope."} if verdict == "reject" else {}
    return await client.post(f"/api/tasks/{task_id}/{verdict}", json=body)


def audit_lines(path: Path) -> list[dict[str, Any]]:
    """Every line of the audit log, its rotated files first; a line that is no JSON counts as none."""
    lines: list[dict[str, Any]] = []
    for file in [*sorted(set(path.parent.glob("events-*.jsonl"))), path]:
        if not file.is_file():
            continue
        for line in file.read_text("utf-8", "replace").split("\n"):
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
    return lines


def actions(path: Path) -> Counter[str]:
    """How often each action stands in the audit log."""
    return Counter(str(line.get("action")) for line in audit_lines(path))


def token() -> str:
    """A word that stands nowhere else."""
    return secrets.token_hex(4)
