"""Figures, times and events in words: one line each, safe to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autonomy.core.counting import several as several
from autonomy.core.gates import decides, in_words
from autonomy.core.wording import STATUS_WORDS
from autonomy.core.wording import ago as ago
from autonomy.core.wording import clock as clock
from autonomy.core.wording import count as count
from autonomy.core.wording import duration as duration
from autonomy.core.wording import money as money
from autonomy.core.wording import parse_time as parse_time
from autonomy.core.wording import size as size
from autonomy.core.wording import status_word as status_word
from cli.output import Glyphs, plain, squeezed


def local_time(text: str | None) -> str:
    """hh:mm:ss of the moment on this machine's clock."""
    moment = parse_time(text)
    return "--:--:--" if moment is None else moment.astimezone().strftime("%H:%M:%S")


def figures(values: Mapping[str, Any]) -> str:
    """name value, name value: the figures of a decision, nested ones in brackets, empty ones left out."""
    return ", ".join(
        f"{plain(name).replace('_', ' ')} {figure(value)}" for name, value in values.items() if value not in (None, [], {}, "")
    )


def figure(value: Any) -> str:
    """One value of any plain kind, shortly."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return f"({figures(value)})"
    if isinstance(value, list | tuple) and len(value) == 2 and all(type(item) in (int, float) for item in value):
        return f"{figure(value[0])} to {figure(value[1])}"
    if isinstance(value, list | tuple):
        return " ".join(figure(item) for item in value)
    return squeezed(STATUS_WORDS.get(value, value) if isinstance(value, str) else value)


def gate(row: Mapping[str, Any], glyphs: Glyphs) -> str:
    """One gate: its sign, name, figure and threshold. A miss that does not decide about the document is only advice."""
    name = str(row.get("name", "?"))
    missed = glyphs.failed if decides(name, row.get("decides")) else glyphs.advice
    sign = glyphs.done if row.get("pass", row.get("passed")) else missed
    return f"{sign} {plain(in_words(name, row.get('figure'), row.get('threshold')))}"


def happening(type_: str, content: Mapping[str, Any], glyphs: Glyphs) -> str:
    """What an event says, without its time and number."""
    teller = _TELLERS.get(type_)
    return plain(figures(content) if teller is None else teller(content, glyphs))


def _decision(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    return f"{glyphs.arrow} {plain(content.get('route', '?'))}: {squeezed(content.get('why', ''))}"


def _plan(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    steps = content.get("steps") or content.get("plan") or []
    return f"{len(steps)} steps; {squeezed(content.get('why', ''))}".rstrip("; ")


def _call_started(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    provider = content.get("provider")
    by = f" by {squeezed(provider)}" if provider and provider != content.get("kind") else ""
    return f"call {content.get('call', content.get('n', '?'))} {squeezed(content.get('name', ''))}{by}"


def _call_finished(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    parts = [_call_started(content, glyphs)]
    if content.get("error"):
        parts.append(f"failed: {_said(content['error'])}")
    elif content.get("state") not in (None, "answered"):
        parts.append(squeezed(content["state"]))
    tokens = (content.get("tokens_in") or 0) + (content.get("tokens_out") or 0)
    if tokens:
        parts.append(f"{count(tokens)} tokens")
    return ", ".join(parts)


def _retry(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    if content.get("scope") == "job":
        reason, later = squeezed(content.get("reason", "")).rstrip("."), duration(content.get("delay_ms", 0) / 1000)
        return f"the attempt failed: {reason}; another in {later}"
    wait = content.get("wait_seconds", content.get("wait"))
    pause = f", waits {duration(float(wait))}" if isinstance(wait, int | float) else ""
    who, why = squeezed(content.get("provider", "?")), squeezed(content.get("reason", ""))
    hint = f". {squeezed(content['hint'])}" if content.get("hint") and content.get("attempt") == 1 else ""
    return f"try {content.get('attempt', '?')} at {who}: {why}{pause}{hint}"


def _node_finished(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    took = content.get("duration_ms")
    return f"{glyphs.arrow} {plain(content.get('route_out', '?'))}" + (
        f" after {duration(took / 1000)}" if isinstance(took, int | float) else ""
    )


def _artifact(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    large = content.get("size")
    return f"{squeezed(content.get('path', '?'))}" + (f" ({size(large)})" if isinstance(large, int) else "")


def _budget(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    return f"the {plain(content.get('which', '?'))} budget is spent (limit {content.get('limit')}, used {content.get('used')})"


def _changed(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    now = content.get("limits") or {}
    shows = {"tokens": count, "seconds": duration, "usd": money}
    named = [name for name in content.get("changed") or [] if name in shows]
    return ", ".join(f"{name} {'unlimited' if now.get(name) is None else shows[name](float(now[name]))}" for name in named)


def outcome_line(text: str) -> str:
    """A line that ends in `: OUTCOME`, with the outcome in the words of people."""
    lead, colon, last = text.rpartition(": ")
    return f"{lead}{colon}{STATUS_WORDS.get(last, last)}"


def _ended(content: Mapping[str, Any], glyphs: Glyphs) -> str:
    return _said(content.get("error") or content.get("message") or content.get("outcome") or "")


def _said(text: Any) -> str:
    """An error or an outcome in words."""
    return squeezed(text.get("message", "") if isinstance(text, Mapping) else STATUS_WORDS.get(text, text))


_TELLERS = {
    "decision": _decision,
    "plan.updated": _plan,
    "call.started": _call_started,
    "call.finished": _call_finished,
    "retry": _retry,
    "breaker.opened": lambda content, glyphs: f"{squeezed(content.get('provider', '?'))} is left alone for a while",
    "breaker.closed": lambda content, glyphs: f"{squeezed(content.get('provider', '?'))} answers again",
    "node.started": lambda content, glyphs: f"step {content.get('step', '?')}",
    "node.finished": _node_finished,
    "artifact.created": _artifact,
    "budget.exceeded": _budget,
    "budget.changed": _changed,
    "run.queued": lambda content, glyphs: squeezed(content.get("reason", "")),
    "run.started": lambda content, glyphs: f"attempt {content.get('attempt', '?')}",
    "run.done": _ended,
    "run.failed": _ended,
    "run.aborted": _ended,
}


def event_line(event: Mapping[str, Any], glyphs: Glyphs, *, run: bool = False) -> str:
    """An event (its public JSON shape) as one line: time, number, node, type, what it says."""
    whose = f"{plain(event['run_id'])[:8]} " if run else ""
    node = plain(event.get("node") or "")
    head = f"{local_time(event['created_at'])} {whose}{event['seq']:>4} {node:<9} {plain(event['type']):<16}"
    return f"{head} {happening(event['type'], event['content'], glyphs)}".rstrip()
