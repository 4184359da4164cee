"""What a task's plain data says to a person: its decisions, what keeps it from being started, who judges a criterion.

Pure functions from the data of `Tasks.show` and `Tasks.list` to words that the command line and the dashboard share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

UNDECIDED = {"pending": "none yet", "needs_review": "none yet on the result"}
"""What is still to be decided, by status."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision: what was decided, in words; by whom, when (RFC 3339) and why. `n` is the dispatch whose result it was
    about, 0 where it was about the request."""

    words: str
    good: bool
    by: str
    at: str
    reason: str
    n: int


def decisions(task: Mapping[str, Any]) -> list[Decided]:
    """Every decision about a task, the first one first."""
    made = [*(task.get("earlier_decisions") or ()), *([task["decision"]] if task.get("decision") else [])]
    return [_decided(each) for each in made]


def _decided(made: Mapping[str, Any]) -> Decided:
    good, n = made["verdict"] == "approved", int(made.get("dispatches") or 0)
    of_request, of_result = ("approved", "result accepted") if good else ("rejected", "result rejected")
    return Decided(of_result if n else of_request, good, str(made["by"]), str(made["at"]), str(made.get("reason") or ""), n)


def is_stuck(task: Mapping[str, Any]) -> bool:
    """Whether something keeps the task from being started: its `error` says what."""
    return bool(task.get("error")) and not task.get("run_id") and task["status"] in ("pending", "approved")


def lacks_corpus(task: Mapping[str, Any]) -> bool:
    """Whether it is stuck for want of something to read, so that naming a corpus helps."""
    return is_stuck(task) and "corpus" in str(task["error"])
