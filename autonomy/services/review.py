"""A run as a party of the task protocol: its work log, what it left behind, and the Critic's gates as a reviewer's verdict.

The gates are those of the run's manifest. A criterion that gates judge (`services.criteria`) stands or falls with them; the
criterion of a task that states none with the run's outcome. Every other one, and one that names a gate which measured
nothing, falls with a run that did not deliver; of one that did, nothing here can say whether it is met: a person must look.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autonomy.core.clock import iso
from autonomy.core.events import Event
from autonomy.core.gates import is_empty
from autonomy.services.criteria import DEFAULT_CRITERIA, Condition, conditions, is_ours
from autonomy.ssot.reading import MOST_EXACT
from autonomy.ssot.task import Item, Result, Task, Verdict

CRITIC: Final = "critic"
DELIVERED: Final = "delivered"
OUTCOME: Final = "outcome"
"""What measures a criterion that no gate measures: whether the run delivered."""
UNMEASURED: Final = "Nothing measures this: a person must look at the document"
NOTHING: Final = "No quotation stands in the document, so there was nothing to measure for"
UNCHANGED: Final = (
    "Not worked again: without a model the same documents give the same document. More documents, a goal in their words or a "
    "smaller wish may help: add a new task"
)
DEFAULT_SCOPE: Final = ({"id": "artifacts", "text": "Only files in the run's own folder below artifacts/ are written."},)
LONGEST: Final = 2000
"""Characters of one entry of the work log."""
ENDS: Final = {"run.done": "The run ended", "run.failed": "The run failed", "run.aborted": "The run was aborted"}


@dataclass(frozen=True, slots=True)
class Gates:
    """What the run's manifest measured, and how the run ended. `must` names the gates without which nothing is delivered."""

    rows: tuple[Mapping[str, Any], ...]
    outcome: str
    error: str | None
    must: frozenset[str]

    def of(self, criterion: Item) -> list[tuple[Condition, Mapping[str, Any]]]:
        """What gates measured of a criterion: each of its conditions that they say something of, with the gate's row."""
        asked = conditions(criterion)
        return [(each, row) for row in self.rows for each in asked if each.gate == row["name"] and each.measured(row)]

    def met(self, criterion: Item) -> bool | None:
        """Whether a criterion is met; None where the run delivered and nothing says more of the criterion than that."""
        measured = self.of(criterion)
        if self.outcome != DELIVERED or not all(each.met(row) for each, row in measured):
            return False
        whole = bool(measured) and len(measured) == len(conditions(criterion))
        return True if whole or is_ours(criterion) else None


def read_gates(folder: Path) -> tuple[Mapping[str, Any], ...]:
    """The gates of a delivered folder's manifest; none where there is no manifest, or none that can be read."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        rows = manifest["gates"]
        return tuple(row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str))
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def work_log(events: Iterable[Event]) -> list[dict[str, Any]]:
    """What the run decided and how it ended, one entry an event; the id is that of the event (`e` and its number)."""
    entries = []
    for event in events:
        content = event.content
        if event.type == "decision":
            what = f"{content.get('why', '')} -> {content.get('route', '')}"
        elif event.type in ENDS:
            what = f"{ENDS[event.type]}: {content.get('outcome') or ''} {content.get('error') or ''}".strip()
        else:
            continue
        figures = content.get("figures")
        entries.append(
            {
                "id": f"e{event.seq}",
                "at": iso(event.created_at),
                "what": what[:LONGEST],
                "figures": _exact(figures) if isinstance(figures, dict) else {},
            }
        )
    return entries


def result(task: Task, log: Sequence[Mapping[str, Any]], files: Sequence[Mapping[str, Any]], gates: Gates) -> Result:
    """What the run hands in: its log, its files (path, sha256, size, role), and each criterion with what it was `measured_by`:
    gates, or the run's outcome, or nothing, and then `met` is None."""
    criteria = []
    for criterion in task.acceptance_criteria:
        met = gates.met(criterion)
        names = [each.gate for each, _ in gates.of(criterion)]
        criteria.append(
            {
                "criterion_ref": criterion.id,
                "met": met,
                "evidence": trace(log, names),
                "measured_by": [] if met is None else names or [OUTCOME],
            }
        )
    return Result.model_validate({"work_log": list(log), "diff_snapshot": list(files), "criteria": criteria})


@dataclass(frozen=True, slots=True)
class Critic:
    """The reviewer that goes by what the gates measured. Implements `ssot.protocol.Reviewer`."""

    gates: Gates

    def review(self, task: Task, result: Result, at: str) -> Verdict:
        """Approve what was delivered and whose criteria are met; else one issue for each gate that says why not, and one for
        all that found nothing to measure. Where only criteria are left that nothing measures, one issue for each of them, and
        a person's turn."""
        log = [entry.model_dump() for entry in result.work_log]
        issues: list[dict[str, Any]] = []

        def add(criterion: str, text: str, names: Sequence[str]) -> None:
            number = len(issues) + 1
            issues.append({"id": f"i{number}", "criterion_ref": criterion, "text": text, "trace": trace(log, names)})

        empty: dict[str, list[str]] = {}
        for row in self.gates.rows:
            name = str(row["name"])
            for criterion_ref, missed in self._missed(task, row):
                if is_empty(row):
                    empty.setdefault(criterion_ref, []).append(name)
                else:
                    add(criterion_ref, missed.missed(row)[:LONGEST], [name])
        for criterion_ref, gates in empty.items():
            add(criterion_ref, f"{NOTHING}: {', '.join(each.replace('_', ' ') for each in gates)}", gates)
        if self.gates.outcome != DELIVERED and not issues:
            why = f": {self.gates.error}" if self.gates.error else ""
            add(self._general(task), f"The run ended as {self.gates.outcome}{why}"[:LONGEST], [])
        decision = "reject" if issues else "approve"
        if not issues:
            for criterion in task.acceptance_criteria:
                if self.gates.met(criterion) is None:
                    add(criterion.id, UNMEASURED, [])
                    decision = "needs_review"
        return Verdict.model_validate({"decision": decision, "by": CRITIC, "at": at, "issues": issues})

    def _missed(self, task: Task, row: Mapping[str, Any]) -> list[tuple[str, Condition]]:
        """The criteria that fall with a gate, each with the condition; the work as a whole where a gate decides and none
        does."""
        held = [
            (criterion, each) for criterion in task.acceptance_criteria for each, its in self.gates.of(criterion) if its is row
        ]
        missed = [(criterion.id, each) for criterion, each in held if not each.met(row)]
        decides = row["name"] in self.gates.must and not row.get("pass")
        return missed or ([(self._general(task), Condition(str(row["name"])))] if decides else [])

    def _general(self, task: Task) -> str:
        """The criterion that speaks of the work as a whole: the first one that names no gate."""
        found = next((each for each in task.acceptance_criteria if not self.gates.of(each)), task.acceptance_criteria[0])
        return found.id


def trace(log: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[str]:
    """The entries that speak of these gates; where none does, those in which all passed, or the last: there it was settled."""
    found = [str(entry["id"]) for entry in log if any(_speaks(entry, name) for name in names)]
    found = found or [str(entry["id"]) for entry in log if "gates passed" in entry["what"]]
    return found or [str(entry["id"]) for entry in log[-1:]]


def constraints(task: Task) -> tuple[str, ...]:
    """What the task's criteria, its scope and the issues of the last verdict ask of the next run, in words."""
    ours = {row["id"] for row in (*DEFAULT_CRITERIA, *DEFAULT_SCOPE)}
    asked = [f"Acceptance criterion {each.id}: {each.text}" for each in task.acceptance_criteria if each.id not in ours]
    asked += [f"Declared scope {each.id}: {each.text}" for each in task.declared_scope if each.id not in ours]
    last = task.last
    if last is not None:
        asked += [f"To be put right ({each.criterion_ref}): {each.text}" for each in last.issues]
    return tuple(asked)


def with_criteria(task: Task) -> Task:
    """The task with criteria and a scope: where it states none, what holds for every run."""
    missing: dict[str, Any] = {}
    if not task.acceptance_criteria:
        missing["acceptance_criteria"] = list(DEFAULT_CRITERIA)
    if not task.declared_scope:
        missing["declared_scope"] = list(DEFAULT_SCOPE)
    return task.evolve(**missing) if missing else task


def _speaks(entry: Mapping[str, Any], name: str) -> bool:
    return name in entry["figures"] or name in entry["what"] or name.replace("_", " ") in entry["what"]


def _exact(value: Any) -> Any:
    """Whole numbers that JSON cannot carry exactly become text."""
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return str(value) if type(value) is int and abs(value) > MOST_EXACT else value
