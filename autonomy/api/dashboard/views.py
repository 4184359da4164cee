"""Answers of the services as what a page shows: pure functions from plain dicts to plain dicts, nothing is escaped here."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autonomy.api.dashboard import sentences
from autonomy.api.dashboard.graph import picture, sketch
from autonomy.core.counting import Tally
from autonomy.core.gates import is_open
from autonomy.core.wording import count, duration, in_order, money, parse_time, size, status_word
from autonomy.services.task_words import UNDECIDED, Decided, decisions, is_stuck, lacks_corpus

ENDED = frozenset({"done", "failed", "aborted"})
RUN_STATUSES = ("queued", "running", "waiting_human", "paused", "done", "failed", "aborted")
TASK_STATUSES = ("pending", "needs_review", "approved", "rejected")
SHOWS = {"story": "Story", "decisions": "Decisions", "everything": "Everything"}

_MARKS = {
    "queued": ("pending", "quiet"),
    "running": ("running", "live"),
    "waiting_human": ("wait", "warn"),
    "paused": ("paused", "warn"),
    "done": ("done", "good"),
    "failed": ("failed", "bad"),
    "aborted": ("stopped", "quiet"),
    "pending": ("wait", "warn"),
    "needs_review": ("wait", "warn"),
    "approved": ("done", "good"),
    "rejected": ("failed", "bad"),
}
_VERDICTS = {
    "approve": {"shape": "done", "tone": "good", "word": "accepted"},
    "reject": {"shape": "failed", "tone": "bad", "word": "not accepted"},
    "needs_review": {"shape": "wait", "tone": "warn", "word": "left to a person"},
}
STUCK = {"shape": "wait", "tone": "warn", "word": "cannot start"}
"""What lacks something."""
_WORDS = {"pending": "to decide", "needs_review": "to review", "waiting_human": "waiting for you", "aborted": "stopped"}


def mark(status: str, outcome: str | None = None) -> dict[str, str]:
    """A status as shape, tone and word. A run that ended short of its goal says so instead of 'done'."""
    shape, tone = _MARKS.get(status, ("pending", "quiet"))
    if status == "done" and outcome not in (None, "delivered"):
        shape, tone = "wait", "warn"
    word = _WORDS.get(status) or status_word(status, outcome if status == "done" else None)
    return {"shape": shape, "tone": tone, "word": word}


def brief(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run as a row of a list."""
    return {
        "id": run["run_id"],
        "goal": _short(run["goal"]),
        "journey": run["journey"],
        "user": run["user_id"],
        "mark": mark(run["status"], run["outcome"]),
        "created_at": run["created_at"],
        "ended": run["status"] in ENDED,
        "spent": _spent(run["budgets"]),
    }


def run(
    found: Mapping[str, Any],
    graph: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    manifest: Mapping[str, Any] | None,
    now: datetime.datetime,
) -> dict[str, Any]:
    """Everything that the page of a run shows. `events` are newest first; the manifest is there once it was delivered."""
    ended = found["status"] in ENDED
    verdict = found.get("last_verdict") or {}
    steps = {str(step["id"]): str(step["description"]) for step in found["plan"]}
    return {
        **brief(found),
        "goal": found["task"].get("goal", found["goal"]),
        "status": found["status"],
        "elapsed": _elapsed(found, now),
        "finished_at": found.get("finished_at"),
        "doing": _doing(found),
        "can": {
            "pause": found["status"] in ("queued", "running"),
            "resume": found["status"] == "paused" or (found["status"] == "waiting_human" and not found.get("turnitin")),
            "abort": not ended,
            "budget": not ended,
        },
        "error": _error(found.get("error")),
        "facts": _facts(found),
        "notes": list(
            dict.fromkeys(str(note) for note in [*(found.get("notes") or ()), *((manifest or {}).get("notes") or ())])
        ),
        "picture": picture(graph),
        "sketch": sketch(graph),
        "steps_done": sum(node["state"] in ("done", "skipped") for node in graph["nodes"]),
        "told": [sentences.tell(event, steps) for event in events if not _is_noise(event)],
        "budgets": budgets(found["budgets"]),
        "files": files(found["artifacts"]),
        "document": next((row for row in files(found["artifacts"]) if row["role"] == "deliverable"), None),
        "gates": sentences.gates((manifest or {}).get("gates") or verdict.get("gates")),
        "sources": sources(manifest, found["artifacts"]),
        "rests_on": Tally.of(manifest or {}).told,
        "report": report(found, ended),
    }


def report(found: Mapping[str, Any], ended: bool) -> dict[str, Any] | None:
    """The wait for a similarity report, as a strip: where the run stands to its target, and whether it waits."""
    cycle = found.get("turnitin")
    if cycle is None:
        return None
    waits = cycle["status"] == "awaiting_report" and not ended
    shapes = {"awaiting_report": ("wait", "warn"), "report_ready": ("running", "live"), "accepted": ("done", "good")}
    words = {"awaiting_report": "waits for its report", "report_ready": "the report came", "accepted": "accepted"}
    shape, tone = shapes.get(cycle["status"], ("failed", "bad"))
    observed, wanted = cycle["observed_similarity"], cycle["target_similarity"]
    drafts = [row for row in found["artifacts"] if row["path"] in (cycle["document"], *cycle["copies"])]
    came = cycle["report"] or {}
    return {
        "n": cycle["n"],
        "mark": {"shape": shape, "tone": tone, "word": words.get(cycle["status"], "not accepted")},
        "observed": None if observed is None else f"{observed:g}",
        "wanted": f"{wanted:g}",
        "since": cycle["waiting_since"] if waits else None,
        "deadline": cycle["deadline"] if waits else None,
        "drafts": [{"id": row["artifact_id"], "name": _name(row["path"])} for row in drafts],
        "waits": waits,
        "sources": [(each["name"], each.get("approx") or f"{each['percent']:g}") for each in came.get("top_sources") or ()
                    if each.get("percent") is not None][:5],
        "flagged": came.get("passages") or 0,
        "warnings": [*(came.get("warnings") or ()), *(came.get("doubts") or ())],
        "cycle": cycle["cycle_id"],
    }  # fmt: skip


def budgets(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The three limits: how much is used, in words and as a share of 100."""
    shows = {"tokens": ("Tokens", count), "seconds": ("Time", duration), "usd": ("Cost", money)}
    rows = []
    for name, (label, show) in shows.items():
        row = found[name]
        used, held, limit = float(row["used"]), float(row.get("reserved") or 0), row["limit"]
        share = None if limit is None else min(100.0, 100 * used / limit if limit else 100.0)
        unpriced = row.get("unpriced_calls") or 0
        rows.append(
            {
                "name": name,
                "label": label,
                "used": show(used) + (f" + {unpriced} unpriced" if unpriced else ""),
                "limit": None if limit is None else show(float(limit)),
                "share": share,
                "held": None if limit in (None, 0) else max(0.0, min(100.0 - (share or 0), 100 * held / limit)),
                "tone": "bad"
                if share is not None and share >= 100
                else "warn"
                if share is not None and share >= 80
                else "good",
                "value": "" if limit is None else f"{limit:g}" if limit < 1e6 else f"{limit:.0f}",
            }
        )
    return rows


def files(artifacts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the run handed over, the deliverable first, without the stored sources."""
    order = {"deliverable": 0, "manifest": 2}
    kept = [row for row in artifacts if not str(row["role"]).startswith("source")]
    kept.sort(key=lambda row: (order.get(row["role"], 1), in_order(row["path"])))
    return [
        {"id": row["artifact_id"], "name": _name(row["path"]), "role": row["role"], "size": size(row["size"])} for row in kept
    ]


def sources(manifest: Mapping[str, Any] | None, artifacts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The documents that a delivered run stands on, each with its stored text."""
    stored = {_name(row["path"]): row["artifact_id"] for row in artifacts}
    claims = (manifest or {}).get("claims") or ()
    cited = [citation.get("source") for claim in claims for citation in claim.get("citations") or ()]
    return [
        {
            "title": str(row.get("title") or row["id"]),
            "location": str(row.get("location", "")),
            "about": ", ".join([*map(str, row.get("authors") or ()), *([str(row["year"])] if row.get("year") else [])]),
            "cited": cited.count(row["id"]),
            "file": stored.get(str(row.get("snapshot", ""))),
        }
        for row in (manifest or {}).get("sources") or ()
    ]


def task_brief(found: Mapping[str, Any]) -> dict[str, Any]:
    """A task as a row of a list."""
    return {
        "id": found["task_id"],
        "text": _short(found["request_text"]),
        "source": found["source"],
        "user": found.get("user_id", "local"),
        "mark": STUCK if found["status"] == "approved" and is_stuck(found) else mark(found["status"]),
        "created_at": found["created_at"],
        "stuck": is_stuck(found),
        "outcome": status_word(found["outcome"]) if found.get("outcome") else STUCK["word"] if is_stuck(found) else "",
        "ci": found.get("ci_status") or "",
        "open": found["status"] in ("pending", "needs_review") and not found.get("report"),
        "report": found.get("report"),
    }


def task(found: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that the page of a task shows. What a decision would start is shown raw: no summary stands for it.

    `defaults` are what the settings give where the task says nothing: corpus, providers, tokens, seconds, usd; `corpora` are
    the names that an operator may choose from for a task that lacks one.
    """
    made = decisions(found)
    spec = found.get("task_spec") or {}
    where = ("repo", "branch", "commit")
    git = found.get("git") or {}
    return {
        **task_brief(found),
        "title": _short(found["request_text"].strip().splitlines()[0], 120),
        "request": found["request_text"],
        "review": found["status"] == "needs_review",
        "unmeasured": (found.get("verdict") or {}).get("decision") == "needs_review",
        "note": (found.get("verdict") or {}).get("note") or "",
        "corpora": defaults["corpora"] if lacks_corpus(found) else [],
        "ended": bool(found.get("outcome")),
        "finished_at": found.get("finished_at"),
        "documents": [
            {"name": _name(row["path"]), "path": row["path"], "id": row["artifact_id"]}
            for row in found.get("deliverables") or ()
            if row["role"] == "deliverable"
        ],
        "starts": _starts(found, spec, defaults),
        "raw": json.dumps(spec, ensure_ascii=False, indent=2, sort_keys=True) if spec else "",
        "criteria": found.get("acceptance_criteria") or [],
        "scope": found.get("declared_scope") or [],
        "decisions": [{"mark": _ruled(each), "by": each.by, "at": each.at, "reason": each.reason} for each in made],
        "undecided": UNDECIDED.get(found["status"], "") if made else "",
        "error": _error(found.get("error")),
        "run_id": found.get("run_id"),
        "facts": [
            ("Asked through", found["source"]),
            ("By", found.get("user_id", "local")),
            *((name.capitalize(), str(git[name])) for name in where if git.get(name)),
            *([("Checks", str(found["ci_status"]))] if found.get("ci_status") else []),
            ("Revision", str(found.get("revision", 1))),
            ("Correlation", found["correlation_id"]),
        ],
        "dispatches": [_dispatch(each, made) for each in found.get("dispatches") or ()],
    }


def _starts(found: Mapping[str, Any], spec: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[tuple[str, str]]:
    budget = spec.get("budget") or {}
    limits = {name: spec.get(f"budget_{name}", budget.get(name)) for name in ("tokens", "seconds", "usd")}
    limits = {name: defaults[name] if limit is None else limit for name, limit in limits.items()}
    shows: dict[str, Callable[[float], str]] = {"tokens": lambda n: f"{count(n)} tokens", "seconds": duration, "usd": money}
    named = [shows[name](float(limit)) for name, limit in limits.items() if limit is not None]
    rows = [
        ("Journey", found.get("journey") or "write"),
        ("Goal", spec.get("goal") or found["request_text"]),
        ("Reads", found.get("corpus") or spec.get("corpus") or defaults["corpus"] or "no corpus: it cannot start"),
        ("Limits", ", ".join(named) or "none"),
        ("Asks", spec.get("provider") or defaults["providers"]),
    ]
    return [(label, sentences.value(shown)) for label, shown in rows]


def _ruled(made: Decided) -> dict[str, str]:
    shape, tone = ("done", "good") if made.good else ("failed", "bad")
    return {"shape": shape, "tone": tone, "word": made.words}


def _dispatch(found: Mapping[str, Any], made: Sequence[Decided]) -> dict[str, Any]:
    result, verdict = found.get("result") or {}, found.get("verdict")
    log = result.get("work_log") or ()
    return {
        "n": found["n"],
        "at": found["at"],
        "run_id": found.get("run_id"),
        "outcome": status_word(found["outcome"]) if found.get("outcome") else "",
        "issues": list(found.get("issues") or ()),
        "acknowledged": found.get("ack") is not None,
        "log": [
            {
                "id": entry["id"],
                "at": entry["at"],
                "what": sentences.cut(entry["what"]),
                "figures": sentences.value(entry.get("figures") or {}),
            }
            for entry in log
        ],
        "changes": [
            {"path": each["path"], "role": each.get("role", ""), "size": size(each["size"]), "sha256": each["sha256"]}
            for each in result.get("diff_snapshot") or ()
        ],
        "criteria": [{**row, "open": is_open(row)} for row in result.get("criteria") or ()],
        "verdict": None if verdict is None else {"by": verdict["by"], "mark": _VERDICTS[verdict["decision"]]},
        "rulings": [{"by": each.by, "mark": _ruled(each)} for each in made if each.n == found["n"]],
        "found": list((verdict or {}).get("issues") or ()),
    }


def _is_noise(event: Mapping[str, Any]) -> bool:
    """One line for each stored source tells nobody anything."""
    return event["type"] == "artifact.created" and str(event["content"].get("role", "")).startswith("source")


def _doing(found: Mapping[str, Any]) -> str:
    """What a run that has not ended is busy with."""
    if found["status"] in ENDED:
        return ""
    at = next((step for step in found["plan"] if step["id"] == found.get("current")), None)
    return str(at["description"]) if at is not None else {"interpret": "Reading the goal"}.get(found["route"], "")


def _facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    task_ = found["task"]
    named = [
        ("Journey", found["journey"]),
        ("User", found["user_id"]),
        ("Corpus", ", ".join(str(each) for each in task_.get("corpus") or ())),
        ("Length", f"{task_['length']:,} words" if task_.get("length") else ""),
        ("Style", task_.get("style", "")),
        ("Providers", ", ".join(task_.get("provider") or ())),
        ("Constraints", "; ".join(task_.get("constraints") or ())),
        ("Due", task_.get("due_date") or ""),
        ("Seed", str(task_.get("seed", ""))),
        ("Run", found["run_id"]),
        ("Correlation", found["correlation_id"]),
    ]
    return [(label, sentences.cut(text)) for label, text in named if text]


def _elapsed(found: Mapping[str, Any], now: datetime.datetime) -> str:
    begin, end = parse_time(found["created_at"]), parse_time(found.get("finished_at")) or now
    return "" if begin is None else duration(max(0.0, (end - begin).total_seconds()))


def _error(found: Any) -> str:
    return sentences.cut(found.get("message", found) if isinstance(found, Mapping) else found or "")


def _spent(found: Mapping[str, Any]) -> str:
    tokens, seconds, usd = (float(found[name]["used"]) for name in ("tokens", "seconds", "usd"))
    return " · ".join([duration(seconds), *([f"{count(tokens)} tokens"] if tokens else []), *([money(usd)] if usd else [])])


def _short(text: str, most: int = 240) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def _name(path: str) -> str:
    """A file's name below its run's folder."""
    return path.split("/", 2)[-1] if path.startswith("artifacts/") else path
