"""The event types of a run and the shape in which readers see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

EventType = Literal[
    "run.queued",
    "run.started",
    "run.resumed",
    "run.waiting_human",
    "run.paused",
    "run.done",
    "run.failed",
    "run.aborted",
    "node.started",
    "node.finished",
    "plan.updated",
    "decision",
    "call.started",
    "call.finished",
    "retry",
    "breaker.opened",
    "breaker.closed",
    "budget.exceeded",
    "budget.changed",
    "artifact.created",
    "memory.stored",
    "tool.ingested",
    "tool.drift",
    "patch.proposed",
    "patch.applied",
    "patch.reverted",
    "turnitin.awaiting_report",
    "turnitin.report_ready",
    "turnitin.accepted",
    "turnitin.rejected",
]
EVENT_TYPES: frozenset[str] = frozenset(get_args(EventType))
TERMINAL_EVENTS = frozenset({"run.done", "run.failed", "run.aborted"})


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a run's story. `seq` rises by one per run without a hole; `position` is the global order."""

    position: int
    run_id: str
    seq: int
    type: str
    node: str | None
    content: dict[str, Any]
    correlation_id: str
    created_at: int

    def as_json(self) -> dict[str, Any]:
        """The public shape; `created_at` as RFC 3339."""
        from autonomy.core.clock import iso

        return {
            "seq": self.seq,
            "run_id": self.run_id,
            "type": self.type,
            "node": self.node,
            "content": self.content,
            "correlation_id": self.correlation_id,
            "created_at": iso(self.created_at),
        }
