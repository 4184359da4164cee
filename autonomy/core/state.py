"""The graph state: small, plain data; what grows lives in tables (ARCHITECTURE.md, idea 4)."""

from __future__ import annotations

from typing import Any, TypedDict

from autonomy.core.types import TaskSpec

STATE_VERSION = 1
"""Raised when a change makes older checkpoints unreadable; an older run is then refused with the reason."""


class GraphState(TypedDict, total=False):
    """`plan` is a list of PlanStep dicts, `observation` and `verdict` the last ones, `route` the next node's name.

    `step` counts node executions; `stale` counts steps in a row without progress; `replans` counts replanning;
    `notes` are the honest remarks for the deliverable; `brief` is what interpret found (language, questions ...);
    `error` says in a line why the outcome is "failed".
    """

    version: int
    run_id: str
    task: dict[str, Any]
    brief: dict[str, Any]
    plan: list[dict[str, Any]]
    current: str | None
    route: str
    observation: dict[str, Any] | None
    verdict: dict[str, Any] | None
    step: int
    stale: int
    replans: int
    widened: int
    outcome: str | None
    error: str | None
    notes: list[str]


def initial_state(run_id: str, task: TaskSpec) -> GraphState:
    """The state of the first checkpoint."""
    return GraphState(
        version=STATE_VERSION,
        run_id=run_id,
        task=task.model_dump(mode="json"),
        brief={},
        plan=[],
        current=None,
        route="interpret",
        observation=None,
        verdict=None,
        step=0,
        stale=0,
        replans=0,
        widened=0,
        outcome=None,
        error=None,
        notes=[],
    )
