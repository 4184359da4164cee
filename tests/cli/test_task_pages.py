"""The page of a task: what was measured, and what only a person can say."""

from __future__ import annotations

from pathlib import Path

from cli.output import Output
from cli.task_pages import task_page


def test_a_criterion_that_no_gate_measured_is_not_shown_as_met() -> None:
    words = {"c1": "written in Spanish, with a recipe for bananas", "c2": "quote_found holds", "c3": "min_citations holds"}
    results = [
        {"criterion_ref": "c1", "met": None, "measured_by": []},
        {"criterion_ref": "c2", "met": True, "measured_by": ["quote_found"]},
        {"criterion_ref": "c3", "met": False, "measured_by": ["min_citations"]},
    ]
    page = {
        "task_id": "t1", "status": "needs_review", "source": "cli", "user_id": "local", "request_text": "Explain leases",
        "created_at": "2026-11-28T00:00:00Z", "correlation_id": "t1", "revision": 3, "result": {"criteria": results},
        "acceptance_criteria": [{"id": name, "text": text} for name, text in words.items()],
    }  # fmt: skip
    out = Output(no_color=True)
    lines = {name: line for line in task_page(page, out, Path()).splitlines() for name in words if f" {name} " in line}
    assert "not measured: look yourself" in lines["c1"]
    assert out.glyphs.done not in lines["c1"]
    assert out.glyphs.done in lines["c2"]
    assert out.glyphs.failed in lines["c3"]
    assert "measured" not in lines["c2"] + lines["c3"]
    (decided,) = [line for line in task_page({**page, "status": "approved"}, out, Path()).splitlines() if " c1 " in line]
    assert decided.endswith("(not measured)")
    assert out.glyphs.done not in decided
