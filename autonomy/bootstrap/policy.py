"""The policy that a run holds: that of the workspace as of the run's first step, kept with the run.

A resumed run measures, plans and waits as it began, whatever the file says by then; what a change would have meant for it
is told once.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from autonomy.core.errors import FlawedPolicy
from autonomy.journeys import policies
from autonomy.journeys.policy import Policy
from autonomy.runtime.records import RunRecords
from autonomy.runtime.runs import Run
from autonomy.runtime.unit import Unit

KIND, HELD, TOLD = "policy", "held", "told"
"""The record of a run with its policy, and the one with what was told of later changes."""


def stated(home: Path) -> list[tuple[str, Any, str]]:
    """What new runs of the workspace are held to: each value by its dotted name, and its origin. Raises FlawedPolicy."""
    return list(policies.stated(policies.read(home)))


def held(home: Path, run: Run, unit: Unit, records: RunRecords) -> Policy:
    """The run's policy. The first time it is read from the workspace and joins the first step's transaction, with an event
    that names what is not a default. Raises FlawedPolicy, and then nothing is kept.
    """
    kept = records.get(KIND, HELD)
    if kept is None:
        policy = policies.read(home).of(run.journey)
        records.put(KIND, HELD, policy.plain())
        if differs := policies.changes(Policy(), policy):
            _tell(run, unit, f"holds its gates as {policies.FILE} says: {', '.join(differs)}")
        return policy
    policy = _read(kept)
    missed = _missed(home, run, policy)
    if missed != (records.get(KIND, TOLD) or ""):
        records.put(KIND, TOLD, missed)
        if missed:
            _tell(run, unit, f"keeps the policy that it began with, though {missed}")
    return policy


def _missed(home: Path, run: Run, policy: Policy) -> str:
    """What the run does not follow of the file as it is now; empty where both are the same."""
    try:
        now = policies.read(home).of(run.journey)
    except FlawedPolicy as error:
        return f"the file cannot be taken: {error.message}"
    differs = policies.changes(policy, now)
    return f"{policies.FILE} says now: {', '.join(differs)}" if differs else ""


def _read(kept: dict[str, Any]) -> Policy:
    """A kept policy; what it does not name has the default."""
    known = {field.name for field in dataclasses.fields(Policy)}
    return Policy(**{name: value for name, value in kept.items() if name in known})


def _tell(run: Run, unit: Unit, why: str) -> None:
    unit.emit("decision", {"route": run.route, "why": why, "figures": {}})
