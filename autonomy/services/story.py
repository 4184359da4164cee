"""The story of a run, told from its events: each decision, its figures, its reason. Nothing is told that no event says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autonomy.core.clock import iso
from autonomy.core.events import Event
from autonomy.core.gates import decides, missed


@dataclass(frozen=True, slots=True)
class Missed:
    """A gate that was missed, in one line: what was measured, what was wanted, which part of the document causes it.

    `decides` says that the document is below target for it; the others only tell.
    """

    name: str
    text: str
    decides: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of one sentence that a similarity report flagged: quoted, rewritten, replaced, dropped or kept, and why.
    `after` is empty where nothing stands for it."""

    how: str
    why: str
    heading: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence of the story: when (RFC 3339), where in the loop, what, and its figures.

    `type` is the event's; `subject` describes the step that a judgement is about, empty elsewhere.
    """

    at: str
    node: str
    text: str
    figures: dict[str, Any]
    type: str = ""
    subject: str = ""
    missed: tuple[Missed, ...] = ()
    changes: tuple[Changed, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter of the story."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """The whole story: the run in one line, its chapters, and the sums at the end."""

    run_id: str
    headline: str
    sections: tuple[Section, ...]
    totals: dict[str, Any]


CHAPTERS = {
    "interpret": "Understanding the goal",
    "plan": "Planning",
    "act": "Acting",
    "reflect": "Judging",
    "expand": "Widening the search",
    "repair": "Repairing",
    "turnitin_pause": "Waiting for a report",
}


AWAITED = {
    "turnitin.awaiting_report": "Draft {n} waits for its similarity report, wanted at most {target_similarity} %",
    "turnitin.report_ready": "Draft {n}: its report says {observed_similarity} %, wanted at most {target_similarity} %",
}
"""What a wait for a report tells; what was decided about it stands in the decision."""


def tell(run: dict[str, Any], events: Sequence[Event], calls: Sequence[dict[str, Any]]) -> Story:
    """Put the events into chapters in the order they happened; a new chapter begins where the loop moves on."""
    sections: list[Section] = []
    title, lines = "", list[Line]()
    steps: dict[str, str] = {}
    for event in events:
        if event.type == "plan.updated":
            steps |= {row["id"]: row["description"] for row in event.content.get("steps", [])}
        line = _line(event, steps)
        if line is None:
            continue
        chapter = "The run" if event.type.startswith("run.") else CHAPTERS.get(event.node or "", title or "The run")
        if chapter != title and lines:
            sections.append(Section(title, tuple(lines)))
            lines = []
        title = chapter
        lines.append(line)
    if lines:
        sections.append(Section(title, tuple(lines)))
    return Story(run["run_id"], _headline(run), tuple(sections), _totals(events, calls))


def _line(event: Event, steps: Mapping[str, str]) -> Line | None:
    text = _text(event)
    if text is None:
        return None
    figures = dict(event.content.get("figures") or {})
    subject = steps.get(event.content.get("step", ""), "") if event.node == "reflect" else ""
    gates = [(row, missed(row)) for row in event.content.get("gates") or ()]
    short = tuple(
        Missed(str(row.get("name")), said, decides(row.get("name"), row.get("decides"))) for row, said in gates if said
    )
    changes = tuple(
        Changed(**{name: str(row.get(name) or "") for name in Changed.__slots__}) for row in event.content.get("changes") or ()
    )
    return Line(iso(event.created_at) or "", event.node or "", text, figures, event.type, subject, short, changes)


def _text(event: Event) -> str | None:
    """The event in words; None for those that only move a screen."""
    content = event.content
    if event.type == "decision":
        return f"{content.get('why', '')} -> {content.get('route', '')}"
    if event.type == "plan.updated":
        return f"Plan: {content.get('why', '')} ({len(content.get('steps', []))} steps)"
    if event.type == "retry" and content.get("scope") == "job":
        reason, seconds = str(content.get("reason", "")).rstrip("."), content.get("delay_ms", 0) / 1000
        return f"The attempt failed: {reason}; another in {seconds:.1f} s"
    if event.type == "retry":
        return f"Asked {content.get('provider')} again (attempt {content.get('attempt')}): {content.get('reason')}"
    if event.type == "budget.exceeded":
        return f"The {content.get('which')} budget is spent"
    if event.type == "budget.changed":
        return "The budget was changed"
    if event.type == "artifact.created":
        return f"Wrote {content.get('path')}"
    if event.type in ("breaker.opened", "breaker.closed"):
        return f"Provider {content.get('provider')}: breaker {event.type.removeprefix('breaker.')}"
    if event.type == "run.resumed" and content.get("retry"):
        return "Run resumed: another attempt"
    if event.type == "run.failed":
        cause = str(content.get("error") or "nobody noted why").rstrip(".")
        return f"Run failed: {cause}. A failed run does not go on: put that right, and start a new one."
    if event.type in AWAITED:
        return AWAITED[event.type].format_map({name: _plain(value) for name, value in content.items()})
    if event.type.startswith("run."):
        reason = content.get("reason") or content.get("outcome") or content.get("error") or ""
        return f"Run {event.type.removeprefix('run.').replace('_', ' ')}" + (f": {reason}" if reason else "")
    return None


def _headline(run: dict[str, Any]) -> str:
    outcome = f", outcome {run['outcome']}" if run["outcome"] not in (None, run["status"]) else ""
    return f"{run['journey']}: {run['task']['goal']} ({run['status']}{outcome})"


def _totals(events: Sequence[Event], calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    kinds = Counter(event.type for event in events)
    unpriced = sum(call["cost_usd"] is None and call["kind"] == "chat" for call in calls)
    return {
        "events": len(events),
        "decisions": kinds["decision"],
        "calls": len(calls),
        "model_calls": sum(call["kind"] == "chat" for call in calls),
        "retries": kinds["retry"],
        "resumed": kinds["run.resumed"],
        "tokens_in": sum(call["tokens_in"] for call in calls),
        "tokens_out": sum(call["tokens_out"] for call in calls),
        "usd": sum(call["cost_usd"] or 0 for call in calls) / 1_000_000,
        "unpriced_calls": unpriced,
    }


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
