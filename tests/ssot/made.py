"""Tasks for tests."""

from __future__ import annotations

from typing import Any

from autonomy.ssot.task import Task

AT = "2026-01-31T12:00:00.000Z"


def task(task_id: str = "t1", **more: Any) -> Task:
    """A small task with two criteria and one item of scope."""
    return Task.model_validate(
        {
            "task_id": task_id,
            "source": "cli",
            "correlation_id": task_id,
            "created_at": AT,
            "request_text": "Why?",
            "acceptance_criteria": [{"id": "c1", "text": "It is cited."}, {"id": "c2", "text": "It is short."}],
            "declared_scope": [{"id": "s1", "text": "One document."}],
            **more,
        }
    )


def result(*missed: str) -> dict[str, Any]:
    """A result that misses these criteria."""
    return {
        "work_log": [{"id": "e1", "at": AT, "what": "searched"}, {"id": "e2", "at": AT, "what": "wrote"}],
        "diff_snapshot": [{"path": "a.md", "sha256": "0" * 64, "size": 3, "role": "deliverable"}],
        "criteria": [{"criterion_ref": name, "met": name not in missed, "evidence": ["e2"]} for name in ("c1", "c2")],
    }


def verdict(*missed: str, **more: Any) -> dict[str, Any]:
    """A verdict with one issue for each missed criterion."""
    issues = [
        {"id": f"i{n}", "criterion_ref": name, "text": f"{name} is missed", "trace": ["e2"]} for n, name in enumerate(missed)
    ]
    return {"decision": "reject" if missed else "approve", "by": "critic", "at": AT, "issues": issues, **more}
