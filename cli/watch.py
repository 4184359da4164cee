"""What the live view knows of a run: built from its events alone, corrected by the run's page from time to time.

Pure bookkeeping: no terminal, no database. The plan's step states follow the decisions; a page (`Runs.inspect`) is the
truth of the last checkpoint and overrides them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autonomy.core.events import Event

VERDICT_STATES = {"pass": "done", "retry": "pending", "patch": "done", "branch": "done", "fail": "failed"}
ENDED = ("done", "failed", "skipped")
TAIL = 240


@dataclass
class Step:
    """One line of the plan tree; `note` is what came of it."""

    id: str
    action: str
    description: str
    state: str
    depends_on: tuple[str, ...] = ()
    note: str = ""


@dataclass
class Reading:
    """How far the reading of documents has come."""

    done: int
    total: int
    name: str


@dataclass
class Decision:
    """A decision as the view shows it."""

    node: str
    route: str
    why: str


@dataclass
class Watch:
    """The state behind the view. `budgets` maps tokens, seconds and usd to {limit, used, reserved}. `trouble` is what keeps
    the run from going on, met `tries` times in a row, `hint` what to do about it; empty while nothing does."""

    run_id: str
    journey: str
    goal: str
    started: float = field(default_factory=time.monotonic)
    node: str = "interpret"
    current: str | None = None
    status: str = "running"
    steps: list[Step] = field(default_factory=list)
    decisions: deque[Decision] = field(default_factory=lambda: deque(maxlen=8))
    budgets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    budgets_at: float = field(default_factory=time.monotonic)
    calls: int = 0
    retries: int = 0
    trouble: str = ""
    hint: str = ""
    tries: int = 0
    call: str = ""
    tail: str = ""
    reading: Reading | None = None
    notice: str = ""
    shown_seconds: float = 0.0

    def take(self, event: Event) -> None:
        """Learn from one event."""
        content = event.content
        if event.node and event.type in ("node.started", "decision", "call.started"):
            self.node = event.node
        match event.type:
            case "plan.updated":
                self._plan(content.get("steps") or content.get("plan") or [])
            case "decision":
                self._decision(event.node or "", content)
            case "node.started":
                self.node, self.reading = event.node or self.node, None
                self._point()
            case "call.started":
                self.calls, self.tail = self.calls + 1, ""
                self.call = f"{content.get('name', '')}"
            case "call.finished":
                self.call = ""
                if not content.get("error"):
                    self.trouble = ""
            case "retry":
                self.retries += 1
                self._failed(str(content.get("reason", "")), str(content.get("hint", "")))
            case _ if event.type.startswith("run."):
                self.status = event.type.removeprefix("run.")

    def token(self, text: str) -> None:
        """Learn a streamed piece of an answer; only its end is kept."""
        self.tail = (self.tail + text)[-TAIL:]

    def progress(self, done: int, total: int, name: str) -> None:
        """Learn how far the reading of documents has come."""
        self.reading = Reading(done, total, name) if done < total else None

    def refresh(self, page: Mapping[str, Any]) -> None:
        """Take the run's page as the truth about plan, budgets and status."""
        if page.get("plan"):
            self._plan(page["plan"])
        if page.get("budgets"):
            self.budgets, self.budgets_at = page["budgets"], time.monotonic()

    def seconds_used(self, now: float) -> float:
        """Seconds of work for a meter that never runs backwards: a page counts only whole steps, so it may be behind it."""
        used = float(self.budgets.get("seconds", {}).get("used") or 0)
        self.shown_seconds = max(self.shown_seconds, used + max(now - self.budgets_at, 0.0))
        return self.shown_seconds

    def _plan(self, rows: list[Mapping[str, Any]]) -> None:
        known = {step.id: step for step in self.steps}
        self.steps = [
            Step(
                id=str(row.get("id", number)),
                action=str(row.get("action") or row.get("kind") or "step"),
                description=str(row.get("description") or row.get("action") or ""),
                state=self._state(str(row.get("id", number)), str(row.get("state", "pending")), known),
                depends_on=tuple(row.get("depends_on") or ()),
                note=known[str(row.get("id", number))].note if str(row.get("id", number)) in known else "",
            )
            for number, row in enumerate(rows)
        ]
        self._point()

    def _state(self, step_id: str, told: str, known: Mapping[str, Step]) -> str:
        """What was seen to end stays ended: an event may be younger than the page."""
        seen = known[step_id].state if step_id in known else told
        return seen if seen in ENDED and told in ("pending", "running") and self.node != "plan" else told

    def _failed(self, trouble: str, hint: str) -> None:
        """Count trouble that stays the same. The job's own retries tell what the call's have told, with other words around."""
        same = bool(self.trouble) and self.trouble in trouble
        self.tries = self.tries + 1 if same else 1
        if not same:
            self.trouble, self.hint = trouble, hint

    def _decision(self, node: str, content: Mapping[str, Any]) -> None:
        self.trouble = ""
        why = str(content.get("why", ""))
        step = next((each for each in self.steps if each.id == content.get("step")), None)
        verdict = content.get("verdict")
        if step is not None and isinstance(verdict, str):
            step.state = VERDICT_STATES.get(verdict, step.state)
            question = step.description.partition(": ")[2]  # the tree shows it: the width is for what came of it
            why = step.note = why.removeprefix(f"{step.action}: ").removeprefix(f"'{question}': ")
        self.decisions.append(Decision(node, str(content.get("route", "")), why))
        self._point()

    def _point(self) -> None:
        """Mark the step that is being worked on: the first one whose needs have ended."""
        ended = {step.id for step in self.steps if step.state in ENDED}
        self.current = None
        for step in self.steps:
            if step.state == "running":
                step.state = "pending"
            if self.current is None and step.state == "pending" and all(need in ended for need in step.depends_on):
                self.current = step.id
        for step in self.steps:
            if step.id == self.current and self.node in ("act", "reflect"):
                step.state = "running"
