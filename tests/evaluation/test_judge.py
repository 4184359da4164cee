"""Rules for passing: a play that keeps them has no reason against it, and each rule that is broken gives its own."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autonomy.evaluation.judge import judge, prints
from autonomy.evaluation.task import Task

Seen = dict[str, Any]
TASK = Task.model_validate(
    {
        "name": "small",
        "about": "A small one.",
        "goal": "What is a lease?",
        "corpus": "docs",
        "world": [{"report": {"similarity": 34, "flag": [2], "times": 2}}, {"report": {"similarity": 9, "refused": True}}],
        "expect": {
            "status": "done",
            "outcome": "delivered",
            "cycles": [{"status": "rejected", "observed": 34}, {"status": "accepted", "observed": 11}],
            "changes": 1,
            "kept": True,
            "requests": {"most": 3},
            "events": {"order": ["run.started", "retry", "run.done"], "counts": {"retry": 2, "run.failed": 0}},
            "files": [{"path": "deliverable.md", "contains": ["lease"], "lacks": ["TODO"]}],
            "manifest": {"claims": 1, "sources": {"least": 1}, "gates": {"similarity": 11}, "passed": ["quote_found"]},
        },
    }
)
DELIVERED = "# What is a lease?\n\nMade by r1 at 2026-11-28T10:00:00.000Z.\n"
MANIFEST: dict[str, list[Any]] = {
    "claims": [1],
    "sources": [1],
    "gates": [{"name": "similarity", "figure": 11.0, "pass": True}, {"name": "quote_found", "figure": 1.0, "pass": True}],
}


def put(home: Path, path: str, text: str) -> None:
    (home / path).parent.mkdir(parents=True, exist_ok=True)
    (home / path).write_text(text, "utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    put(tmp_path, "artifacts/r1/deliverable.md", DELIVERED)
    put(tmp_path, "artifacts/r1/manifest.json", json.dumps(MANIFEST))
    put(tmp_path, "artifacts/r1/drafts/draft-1.md", "## A\n\nIt says “one”. It says “two”.\n")
    put(tmp_path, "artifacts/r1/drafts/draft-2.md", "## A\n\nIt says “one”. It says “three”.\n")
    return tmp_path


def seen() -> Seen:
    types = ["run.started", "retry", "retry", "run.done"]
    return {
        "run_id": "r1",
        "status": "done",
        "outcome": "delivered",
        "error": None,
        "created_at": "2026-11-28T10:00:00.000Z",
        "finished_at": "2026-11-28T10:00:05.000Z",
        "events": [{"seq": n, "type": each, "content": {}} for n, each in enumerate(types, 1)],
        "cycles": [{"status": "rejected", "observed": 34.0}, {"status": "accepted", "observed": 11.0}],
        "drafts": ["artifacts/r1/drafts/draft-1.md", "artifacts/r1/drafts/draft-2.md"],
        "changes": [{"how": "replaced"}, {"how": "kept"}],
        "acts": [
            {"n": 1, "flagged": ["two"], "taken": 1, "error": None},
            {"flagged": [], "error": "another report already"},
        ],
        "requests": 3,
        "files": [{"path": "artifacts/r1/deliverable.md", "role": "deliverable", "sha256": sha(DELIVERED)}],
    }


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_play_that_keeps_every_rule_passes(home: Path) -> None:
    assert judge(TASK, seen(), home) == []


def _without(*types: str) -> Callable[[Seen], None]:
    def drop(it: Seen) -> None:
        left = [each for each in it["events"] if each["type"] not in types]
        it["events"] = [{**each, "seq": n} for n, each in enumerate(left, 1)]

    return drop


BROKEN: dict[str, tuple[Callable[[Seen], Any], str]] = {
    "status": (lambda it: it.update(status="failed", error="no disk"), "status is failed, wanted done (no disk)"),
    "outcome": (lambda it: it.update(outcome="target_not_reached"), "outcome is target_not_reached, wanted delivered"),
    "cycle": (lambda it: it["cycles"].pop(), "cycles are rejected 34; wanted rejected 34, accepted 11"),
    "figure": (lambda it: it["cycles"][1].update(observed=None), "cycles are rejected 34, accepted -;"),
    "changes": (lambda it: it["changes"].pop(0), "reports changed 0 sentences, wanted 1"),
    "requests": (lambda it: it.update(requests=4), "the model was asked 4 times, wanted at most 3"),
    "no model": (lambda it: it.update(requests=None), "the model was asked None times, wanted at most 3"),
    "order": (_without("run.started"), "no run.started came at all"),
    "order later": (_without("run.done"), "no run.done came behind retry (event 2)"),
    "hole": (lambda it: it["events"].pop(0), "the numbers of the events have a hole"),
    "count": (
        lambda it: it["events"].insert(3, {"seq": 4, "type": "retry"}) or it["events"][4].update(seq=5),
        "retry came 3 times, wanted 2",
    ),
    "taken twice": (lambda it: it["acts"][0].update(taken=2), "act 1: 2 equal reports were taken 2 times, wanted once"),
    "refused": (lambda it: it["acts"][0].update(error="no such run"), "act 1: no such run"),
    "not refused": (lambda it: it["acts"][1].update(error=None), "act 2: the report was taken, wanted a refusal"),
    "unnamed file": (lambda it: it["files"].clear(), "deliverable.md is missing"),
    "other bytes": (lambda it: it["files"][0].update(sha256="0" * 64), "deliverable.md is not the file that the run names"),
    "lost": (lambda it: it["acts"][0].update(flagged=["one"]), "draft 2 has lost a quotation that was not flagged: 'two'"),
    "one draft": (lambda it: it["drafts"].pop(), "there is 1 draft"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_rule_that_is_broken_is_told_and_no_other(how: str, home: Path) -> None:
    breaks, reason = BROKEN[how]
    it = copy.deepcopy(seen())
    breaks(it)
    reasons = judge(TASK, it, home)
    assert [each for each in reasons if each.startswith(reason)], reasons
    assert len(reasons) == 1 or how in ("order later", "order", "hole", "status")


FILES: dict[str, tuple[str, str, str]] = {
    "contains": ("deliverable.md", "# Nothing\n", "deliverable.md does not contain 'lease'"),
    "lacks": ("deliverable.md", DELIVERED + "TODO\n", "deliverable.md contains 'TODO'"),
    "claims": ("manifest.json", json.dumps({**MANIFEST, "claims": []}), "the manifest has 0 claims, wanted 1"),
    "sources": ("manifest.json", json.dumps({**MANIFEST, "sources": []}), "the manifest has 0 sources, wanted at least 1"),
    "gate": ("manifest.json", json.dumps({**MANIFEST, "gates": MANIFEST["gates"][1:]}), "gate similarity is None, wanted 11"),
    "passed": ("manifest.json", json.dumps({**MANIFEST, "gates": MANIFEST["gates"][:1]}), "gate quote_found is not passed"),
}


@pytest.mark.parametrize("how", FILES)
def test_a_file_that_breaks_a_rule_is_told(how: str, home: Path) -> None:
    name, text, reason = FILES[how]
    put(home, f"artifacts/r1/{name}", text)
    it = seen()
    it["files"][0]["sha256"] = sha((home / "artifacts/r1/deliverable.md").read_text("utf-8"))
    assert judge(TASK, it, home) == [reason]


def test_a_missing_manifest_is_told(home: Path) -> None:
    (home / "artifacts/r1/manifest.json").unlink()
    assert judge(TASK, seen(), home) == ["manifest.json is missing"]


def test_ids_and_times_make_no_difference_between_plays_and_anything_else_does(home: Path, tmp_path: Path) -> None:
    first = prints(TASK, seen(), home)
    put(home, "artifacts/r2/deliverable.md", DELIVERED.replace("r1", "r2").replace("2026-11-28T10", "2026-11-29T11"))
    other = {**seen(), "run_id": "r2", "created_at": "2026-11-29T11:00:00.000Z", "finished_at": "2026-11-29T11:00:05.000Z"}
    assert first == prints(TASK, other, home)
    put(home, "artifacts/r2/deliverable.md", DELIVERED.replace("lease", "Lease"))
    assert first != prints(TASK, other, home)
    (home / "artifacts/r2/deliverable.md").unlink()
    assert prints(TASK, other, home) == {"deliverable.md": None}
