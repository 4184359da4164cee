"""Runs in the audit log: their calls, and how they were started, steered and ended, taken from the event table.

A call's event stands in the transaction that settles the call, so nothing is audited that did not happen, and nothing that
happened can be missed: how far the log has come is kept in the database, behind the lines. A process that dies between the
two writes its last lines again; `run_id` and `seq` tell them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from autonomy.core.events import Event
from autonomy.runtime.events import Following, event_of
from autonomy.services.ledger import Audit
from autonomy.storage.database import Database, Tx

CURSOR: Final = "audit.runs"
BATCH: Final = 500
ACTIONS: Final = {
    "call.finished": "tool_call",
    "run.started": "run_started",
    "run.resumed": "run_resumed",
    "run.paused": "run_paused",
    "run.waiting_human": "run_paused",
    "run.aborted": "run_aborted",
    "run.done": "run_ended",
    "run.failed": "run_ended",
    "budget.changed": "budget_changed",
    "turnitin.awaiting_report": "turnitin_report_awaited",
    "turnitin.report_ready": "turnitin_report_accepted",
    "turnitin.accepted": "turnitin_accepted",
    "turnitin.rejected": "turnitin_rejected",
}
KEPT: Final = (
    "call", "kind", "name", "provider", "model", "state", "attempts", "duration_ms", "tokens_in", "tokens_out", "usd",
    "outcome", "reason", "attempt", "changed", "limits", "cycle_id", "observed_similarity", "target_similarity", "sha256",
    "doubts",
)  # fmt: skip
_READ = (
    "SELECT position, run_id, seq, type, node, content, correlation_id, created_at FROM event "
    "WHERE position > :after ORDER BY position LIMIT :limit"
)
_KEEP = (
    "INSERT INTO cursor (name, value, updated_at) VALUES (:name, :value, now_us()) "
    "ON CONFLICT (name) DO UPDATE SET value = :value, updated_at = now_us()"
)


class Trail:
    """Writes what runs have done since the last time. One process at a time; the others leave it to that one."""

    def __init__(self, database: Database, audit: Audit, folder: Path) -> None:
        self._database = database
        self._audit = audit
        self._folder = folder

    def catch_up(self, patience: float) -> int:
        """Audit every run event that is not audited yet; returns how many lines were written. Whoever is at it already is
        waited for so many seconds, and then left to it."""
        if not self._behind():
            return 0
        self._folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / ".runs.lock", timeout=patience, poll_interval=0.02, preserve_lock_file=True)
        try:
            lock.acquire()
        except Timeout:
            return 0  # whoever holds it goes on until nothing is left
        written = 0
        try:
            reader = Following(self._database, _READ, event_of, self._position())
            while found := reader.read_patiently(BATCH):
                lines = [_line(event) for event in found if event.type in ACTIONS]
                if lines:
                    self._audit.append_many(lines)
                self._keep(found[-1].position)
                written += len(lines)
        finally:
            lock.release()
        return written

    def _behind(self) -> bool:
        last = self._database.read(lambda tx: tx.value("SELECT max(position) FROM event"))
        return int(last or 0) > self._position()

    def _position(self) -> int:
        return int(self._database.read(lambda tx: tx.value("SELECT value FROM cursor WHERE name = :name", name=CURSOR)) or 0)

    def _keep(self, position: int) -> None:
        def keep(tx: Tx) -> None:
            tx.run(_KEEP, name=CURSOR, value=position)

        self._database.write(keep)


def _line(event: Event) -> dict[str, Any]:
    """The audit line of one event."""
    content: Mapping[str, Any] = event.content
    line: dict[str, Any] = {
        "action": ACTIONS[event.type],
        "correlation_id": event.correlation_id,
        "actor": str(content.get("by") or "worker"),
        "run_id": event.run_id,
        "event": event.seq,
    }
    line |= {name: content[name] for name in KEPT if content.get(name) is not None}
    error = content.get("error")
    if error is not None:
        line["error"] = error.get("code", "") if isinstance(error, Mapping) else str(error)[:200]
    return line
