"""The story of a run as a person reads it: in order, with figures and reasons, said once."""

from __future__ import annotations

import typing
from typing import Any

import pytest
import typer

from autonomy.core import types, wording
from autonomy.core.events import Event
from autonomy.services.story import tell
from cli import options, run
from cli.output import Output
from cli.tell import story_text

RUN = {"run_id": "r1", "journey": "research", "task": {"goal": "How?"}, "status": "done", "outcome": "delivered"}
EVENTS: list[tuple[str, str | None, dict[str, Any]]] = [
    ("run.queued", None, {"reason": "start"}),
    ("decision", "interpret", {"route": "plan", "why": "read the goal", "figures": {"documents": 3}}),
    ("plan.updated", "plan", {"steps": [{"id": "s1", "description": "Search: one"}], "why": "laid out 1 step"}),
    ("decision", "plan", {"route": "act", "why": "laid out 1 step; next: Search: one", "figures": {}, "step": "s1"}),
    ("node.started", "act", {"step": 3}),
    ("retry", "act", {"provider": "openai", "attempt": 2, "reason": "429"}),
    ("retry", None, {"scope": "job", "provider": None, "attempt": 1, "reason": "it is away. Wait.", "delay_ms": 1500}),
    ("decision", "reflect", {"route": "expand", "why": "0 quotations", "figures": {"coverage": 0.125}, "step": "s1"}),
    (
        "decision",
        "reflect",
        {
            "route": "act",
            "why": "structure 1; delivers with a note",
            "step": "s2",
            "gates": [
                {
                    "name": "structure",
                    "figure": 1,
                    "threshold": 0,
                    "pass": False,
                    "evidence": ["Leases: 4% of the text, wanted 10% to 45%"],
                },
                {"name": "length", "figure": 612, "threshold": [720, 880], "pass": False, "evidence": ["Leases: 12 words"]},
                {"name": "overlap", "figure": 0.0, "threshold": 0.1, "pass": True},
            ],
        },
    ),
    ("artifact.created", None, {"path": "artifacts/r1/deliverable.md"}),
    ("artifact.created", None, {"path": "artifacts/r1/sources/a.txt"}),
    ("run.done", None, {"outcome": "delivered"}),
]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("cli.tell.local_time", lambda text: text[11:19])
    monkeypatch.setenv("COLUMNS", "80")
    rows = [Event(n, "r1", n, kind, node, content, "c", n * 1_000_000) for n, (kind, node, content) in enumerate(EVENTS, 1)]
    calls = [{"kind": "chat", "name": "draft", "tokens_in": 1200, "tokens_out": 300, "cost_usd": None}]
    return story_text(tell(RUN, rows, calls), Output(environ={"LANG": "C"}))


def test_chapters_decisions_figures_and_sums_stand_in_order(shown: str) -> None:
    parts = (
        "research: How? (done, outcome delivered)",
        "The run\n  00:00:01  Run queued: start",
        "Understanding the goal\n  00:00:02  read the goal -> plan\n            documents 3",
        "Planning\n  00:00:04  laid out 1 step; next: Search: one -> act",
        "Acting\n  00:00:06  Asked openai again (attempt 2): 429",
        "00:00:07  The attempt failed: it is away. Wait; another in 1.5 s",
        "Judging\n  00:00:08  Search: one\n            0 quotations -> expand\n            coverage 0.125",
        "structure 1; delivers with a note -> act\n"
        "            ! structure 1 (wanted 0): Leases: 4% of the text, wanted 10% to\n"
        "              45%\n"
        "            x length 612 (wanted 720 to 880): Leases: 12 words\n",
        "Wrote artifacts/r1/deliverable.md",
        "Run done: delivered",
        "4 decisions, 1 call (1 to a model), 2 retries, 1,200 tokens in, 300 out, $0.00",
    )
    places = [shown.index(part) for part in parts]
    assert places == sorted(places)
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_a_plan_that_the_next_decision_names_is_not_told_twice_nor_is_each_stored_source(shown: str) -> None:
    assert shown.count("laid out 1 step") == 1
    assert "sources/a.txt" not in shown


def test_the_choices_of_the_command_line_are_those_of_the_library() -> None:
    for ours, theirs in ((options.Journey, types.Journey), (options.Style, types.Style)):
        assert typing.get_args(ours) == typing.get_args(theirs)
    assert set(wording.RUN_STATES) == set(typing.get_args(types.RunState))


def test_the_help_says_which_choices_this_release_refuses() -> None:
    from autonomy.journeys.catalogue import LATER
    from autonomy.services.runs import BUILT

    command: Any = typer.main.get_command(run.app)
    told = {param.name: param.help or "" for param in command.commands["start"].params}
    offered, _, later = told["journey"].partition(";")
    assert all(name in offered for name in BUILT)
    assert all(name in later for name in LATER)
    assert "later release" in later
    assert "refused in this release" in told["source"]
