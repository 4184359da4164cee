"""What an event says, as a sentence a person would say: pure, and the text stays plain text until a template escapes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autonomy.core.counting import several
from autonomy.core.gates import causes, wanted
from autonomy.core.wording import count, duration, money, size, status_word

STORY: tuple[str, ...] = (
    "run.queued", "run.started", "run.resumed", "run.waiting_human", "run.paused", "run.done", "run.failed", "run.aborted",
    "plan.updated", "decision", "call.finished", "retry", "breaker.opened", "breaker.closed", "budget.exceeded",
    "budget.changed", "artifact.created", "tool.ingested", "tool.drift", "patch.proposed", "patch.applied",
    "patch.reverted", "turnitin.awaiting_report", "turnitin.report_ready", "turnitin.accepted", "turnitin.rejected",
)  # fmt: skip
"""The types that tell the story; the others tell how the machine moves."""

NEXT = {
    "interpret": "read the goal",
    "plan": "plan",
    "act": "act",
    "reflect": "judge",
    "expand": "widen the search",
    "repair": "repair",
    "turnitin_pause": "wait for a report",
    "END": "end",
}
RESUMED = {
    "report": "a report came in",
    "operator": "a person resumed it",
    "takeover": "its worker was gone, another took over",
    "drain": "its worker handed it on",
}
RETRIED = "the attempt that failed is made again"
LONGEST = 600
"""Characters of one sentence; what is longer is cut, the event itself stays whole."""


@dataclass(frozen=True, slots=True)
class Told:
    """One event in words. `tone` is quiet, plain, good, warn or bad; `figures` are (name, value) pairs in words; `subject`
    describes the step that a judgement is about."""

    seq: int
    at: str
    type: str
    node: str
    text: str
    tone: str = "plain"
    next: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    gates: tuple[Gate, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Gate:
    """A measured figure held against its threshold, in words; `why` says which part of the document causes a miss."""

    name: str
    figure: str
    wanted: str
    passed: bool
    why: str = ""


def tell(event: Mapping[str, Any], steps: Mapping[str, str] | None = None) -> Told:
    """The event (its public JSON shape) in words, whatever its content holds. `steps` are the plan's descriptions by id."""
    type_ = str(event["type"])
    content = event["content"] if isinstance(event["content"], Mapping) else {}
    teller = _TELLERS.get(type_)
    text, tone = teller(content) if teller is not None else (_other(type_, content), "quiet")
    decides = type_ == "decision"
    return Told(
        seq=int(event["seq"]),
        at=str(event["created_at"]),
        type=type_,
        node=str(event.get("node") or ""),
        text=cut(text),
        tone=tone,
        next=NEXT.get(str(content.get("route")), cut(content.get("route", ""))) if decides else "",
        figures=tuple(each for each in _figures(content.get("figures")) if each[0] != "gates") if decides else (),
        gates=gates(content.get("gates")) if decides else (),
        subject=cut((steps or {}).get(str(content.get("step")), "")) if decides and event.get("node") == "reflect" else "",
    )


def gates(rows: Any) -> tuple[Gate, ...]:
    """Gates of a decision, a verdict or a manifest, in words."""
    if not isinstance(rows, list | tuple):
        return ()
    return tuple(
        Gate(
            name=cut(str(row.get("name", "?")).replace("_", " ")),
            figure=value(row.get("figure")),
            wanted=cut(wanted(str(row.get("name")), row.get("threshold"))),
            passed=bool(row.get("pass", row.get("passed"))),
            why=""
            if row.get("pass", row.get("passed")) or not row.get("evidence")
            else cut("; ".join(causes(row["evidence"]))),
        )
        for row in rows
        if isinstance(row, Mapping)
    )


def value(found: Any) -> str:
    """One value of any plain kind, shortly."""
    if found is None:
        return "none"
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, float):
        return f"{found:.3g}" if abs(found) < 1000 else f"{found:,.0f}"
    if isinstance(found, int):
        return f"{found:,}"
    if isinstance(found, Mapping):
        return cut(", ".join(f"{name} {shown}" for name, shown in _figures(found)))
    if isinstance(found, list | tuple):
        numbers = len(found) == 2 and all(type(each) in (int, float) for each in found)
        return cut((" to " if numbers else ", ").join(value(each) for each in found))
    return cut(found)


def cut(text: Any) -> str:
    """One line of text without its needless spaces, cut where it is very long."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"


def _figures(found: Any) -> list[tuple[str, str]]:
    if not isinstance(found, Mapping):
        return []
    return [(cut(str(name).replace("_", " ")), value(each)) for name, each in found.items() if each not in (None, [], {}, "")]


def _other(type_: str, content: Mapping[str, Any]) -> str:
    said = ", ".join(f"{name} {shown}" for name, shown in _figures(content))
    words = type_.replace(".", " ").replace("_", " ").capitalize()
    return f"{words}: {said}" if said else words


def _queued(content: Mapping[str, Any]) -> tuple[str, str]:
    reason = content.get("reason")
    return ("Asked for, and put into the queue" if reason in (None, "start") else f"Back in the queue: {reason}"), "plain"


def _started(content: Mapping[str, Any]) -> tuple[str, str]:
    attempt = content.get("attempt")
    return ("A worker began" if attempt in (None, 1) else f"A worker began, attempt {attempt}"), "plain"


def _resumed(content: Mapping[str, Any]) -> tuple[str, str]:
    reason = str(content.get("reason", ""))
    why = RETRIED if content.get("retry") else RESUMED.get(reason, reason)
    return (f"Goes on: {why}" if why else "Goes on"), "plain"


def _waiting(content: Mapping[str, Any]) -> tuple[str, str]:
    why = _why(content)
    return (f"Waits for a person: {why}" if why else "Waits for a person"), "warn"


def _done(content: Mapping[str, Any]) -> tuple[str, str]:
    outcome = content.get("outcome")
    tone = "good" if outcome in (None, "delivered") else "warn"
    return (f"Ended: {status_word(str(outcome))}" if outcome else "Ended"), tone


def _failed(content: Mapping[str, Any]) -> tuple[str, str]:
    why = _why(content)
    return (f"Failed: {why}" if why else "Failed"), "bad"


def _why(content: Mapping[str, Any]) -> str:
    found = content.get("error") or content.get("why") or content.get("message") or content.get("reason") or ""
    return str(found.get("message", "")) if isinstance(found, Mapping) else str(found)


def _plan(content: Mapping[str, Any]) -> tuple[str, str]:
    steps, why = content.get("steps") or content.get("plan") or [], content.get("why", "")
    head = f"The plan has {several(len(steps), 'step')}"
    return (f"{head}: {why}" if why else head), "plain"


def _call(content: Mapping[str, Any]) -> str:
    provider, name = content.get("provider"), content.get("name") or content.get("kind") or "call"
    by = f" by {provider}" if provider and provider not in (name, content.get("kind")) else ""
    return f"{name}{by}"


def _call_finished(content: Mapping[str, Any]) -> tuple[str, str]:
    if content.get("error"):
        return f"Call to {_call(content)} failed: {_why(content)}", "warn"
    parts = []
    if isinstance(took := content.get("duration_ms"), int | float):
        parts.append(f"{took:g} ms" if took < 1000 else duration(took / 1000))
    if tokens := (content.get("tokens_in") or 0) + (content.get("tokens_out") or 0):
        parts.append(f"{count(tokens)} tokens")
    if content.get("usd") or (content.get("usd") is None and content.get("kind") == "chat"):
        parts.append(money(content.get("usd")))
    answered = content.get("state") in (None, "answered")
    verb = "answered" if answered else f"is {content.get('state')}"
    return f"{_call(content)} {verb}" + (f" ({', '.join(parts)})" if parts else ""), "quiet" if answered else "warn"


def _retry(content: Mapping[str, Any]) -> tuple[str, str]:
    reason = str(content.get("reason", "")).rstrip(".")
    if content.get("scope") == "job":
        return f"The attempt failed: {reason}; another in {duration((content.get('delay_ms') or 0) / 1000)}", "warn"
    return f"Asked {content.get('provider', 'the provider')} again (attempt {content.get('attempt', '?')}): {reason}", "warn"


def _spent(content: Mapping[str, Any]) -> tuple[str, str]:
    return f"The {content.get('which', '')} budget is spent", "bad"


def _changed(content: Mapping[str, Any]) -> tuple[str, str]:
    limits = content.get("limits")
    now: Mapping[str, Any] = limits if isinstance(limits, Mapping) else {}
    shows: dict[str, Callable[[float], str]] = {"tokens": count, "seconds": duration, "usd": money}
    named = [name for name in content.get("changed") or [] if name in shows]
    told = [f"{name} {'unlimited' if now.get(name) is None else shows[name](float(now[name]))}" for name in named]
    return ("Limits changed: " + ", ".join(told) if told else "Limits changed"), "plain"


def _artifact(content: Mapping[str, Any]) -> tuple[str, str]:
    path = str(content.get("path", "a file"))
    name = path.split("/", 2)[-1] if path.startswith("artifacts/") else path
    large = content.get("size")
    return f"Wrote {name}" + (f" ({size(large)})" if isinstance(large, int) else ""), "plain"


def _node_finished(content: Mapping[str, Any]) -> tuple[str, str]:
    took = content.get("duration_ms")
    route = str(content.get("route_out", ""))
    after = f" after {took:g} ms" if isinstance(took, int | float) else ""
    return f"Finished{after}; next: {NEXT.get(route, route)}", "quiet"


def _awaiting(content: Mapping[str, Any]) -> tuple[str, str]:
    if content.get("reminder"):
        return f"Draft {content.get('n')} still waits for its similarity report (reminder {content['reminder']})", "warn"
    wanted = value(content.get("target_similarity"))
    return f"Draft {content.get('n')} was handed over for its similarity report, wanted at most {wanted} %", "warn"


def _reported(content: Mapping[str, Any]) -> tuple[str, str]:
    observed, wanted = content.get("observed_similarity"), content.get("target_similarity")
    tone = "good" if isinstance(observed, int | float) and isinstance(wanted, int | float) and observed <= wanted else "warn"
    return f"The report of draft {content.get('n')} came: {value(observed)} % similar, wanted at most {value(wanted)} %", tone


_TELLERS: dict[str, Callable[[Mapping[str, Any]], tuple[str, str]]] = {
    "run.queued": _queued,
    "run.started": _started,
    "run.resumed": _resumed,
    "run.waiting_human": _waiting,
    "run.paused": lambda content: ("Paused", "warn"),
    "run.done": _done,
    "run.failed": _failed,
    "run.aborted": lambda content: ("Stopped for good by a person", "warn"),
    "decision": lambda content: (str(content.get("why") or "Decided"), "plain"),
    "plan.updated": _plan,
    "call.started": lambda content: (f"Asks {_call(content)}", "quiet"),
    "call.finished": _call_finished,
    "retry": _retry,
    "breaker.opened": lambda content: (f"{content.get('provider', 'A provider')} rests after repeated failures", "warn"),
    "breaker.closed": lambda content: (f"{content.get('provider', 'A provider')} is asked again", "plain"),
    "turnitin.awaiting_report": _awaiting,
    "turnitin.report_ready": _reported,
    "turnitin.accepted": lambda content: (f"Report accepted: {_why(content)}".removesuffix(": "), "good"),
    "turnitin.rejected": lambda content: (f"Report not accepted: {_why(content)}".removesuffix(": "), "warn"),
    "budget.exceeded": _spent,
    "budget.changed": _changed,
    "artifact.created": _artifact,
    "node.started": lambda content: (f"Step {content.get('step', '?')} began", "quiet"),
    "node.finished": _node_finished,
}
