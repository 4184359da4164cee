"""A run as a party of the task protocol: its work log, what it left behind, and the Critic's gates as a reviewer's verdict.

The gates are those of the run's manifest. A criterion whose id is the name of a gate, or whose text holds that name, stands
or falls with that gate; the criterion of a task that states none with the run's outcome. Every other one, in free words or
naming only gates that measured nothing, falls with a run that did not deliver; of one that did, nothing here can say whether
it is met: a person must look.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autonomy.core.clock import iso
from autonomy.core.events import Event
from autonomy.core.gates import GATES, OF_ONE_JOURNEY, ON_REQUEST, causes, in_words, is_empty, says_something
from autonomy.services.asked import DEFAULT_JOURNEY
from autonomy.ssot.reading import MOST_EXACT
from autonomy.ssot.task import Item, Result, Task, Verdict

CRITIC: Final = "critic"
DELIVERED: Final = "delivered"
OUTCOME: Final = "outcome"
"""What measures a criterion that no gate measures: whether the run delivered."""
UNMEASURED: Final = "Nothing measures this: a person must look at the document"
DEFAULT_CRITERIA: Final = ({"id": "delivered", "text": "A document is delivered, and every gate that decides passes."},)
_OURS: Final = (
    *DEFAULT_CRITERIA,
    {"id": "delivered", "text": "A document that answers the request is delivered; its gates pass."},
)
"""The criterion of a task that states none, also as earlier files word it."""
NOTHING: Final = "No quotation stands in the document, so there was nothing to measure for"
UNCHANGED: Final = (
    "Not worked again: without a model the same documents give the same document. More documents, a goal in their words or a "
    "smaller wish may help: add a new task"
)
DEFAULT_SCOPE: Final = ({"id": "artifacts", "text": "Only files in the run's own folder below artifacts/ are written."},)
LONGEST: Final = 2000
"""Characters of one entry of the work log."""
ENDS: Final = {"run.done": "The run ended", "run.failed": "The run failed", "run.aborted": "The run was aborted"}
_WORDS = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class Gates:
    """What the run's manifest measured, and how the run ended. `must` names the gates without which nothing is delivered."""

    rows: tuple[Mapping[str, Any], ...]
    outcome: str
    error: str | None
    must: frozenset[str]

    def failed(self) -> list[Mapping[str, Any]]:
        """The gates that did not pass."""
        return [row for row in self.rows if not row.get("pass")]

    def of(self, criterion: Item) -> list[Mapping[str, Any]]:
        """The gates that a criterion names; not those that were held against nothing."""
        words = _words(criterion)
        return [row for row in self.rows if row.get("name") in words and says_something(row)]

    def unmeasured(self, criterion: Item) -> bool:
        """Whether the run delivered, and nothing says more of this criterion than that: it is in free words."""
        ours = {"id": criterion.id, "text": criterion.text} in _OURS
        return self.outcome == DELIVERED and not ours and not self.of(criterion)


def names(criterion: Item) -> frozenset[str]:
    """The gates that a criterion's id or text names."""
    return GATES & _words(criterion)


def _words(criterion: Item) -> set[str]:
    return {criterion.id, *_WORDS.findall(criterion.text)}


def notes(task: Task) -> tuple[str, ...]:
    """What a task's criteria ask of gates that its run will not measure, one sentence each, for whoever makes the task."""
    journey = task.journey or DEFAULT_JOURNEY
    spec = task.task_spec or {}
    found = []
    for criterion in task.acceptance_criteria:
        named = sorted(names(criterion))
        lost = {name: why for name in named if (why := _unmeasured(name, journey, spec))}
        rest = "a person judges it" if len(lost) == len(named) else "the others that it names are measured"
        found += [f"criterion {criterion.id} names {name}, which is not measured: {why}; {rest}" for name, why in lost.items()]
    return tuple(found)


def _unmeasured(name: str, journey: str, spec: Mapping[str, Any]) -> str:
    """Why the run of such a task does not measure a gate; empty where it does."""
    if OF_ONE_JOURNEY.get(name, journey) != journey:
        return f"only the {OF_ONE_JOURNEY[name]} journey measures it"
    if name in ON_REQUEST and not spec.get(ON_REQUEST[name]):
        return f"no number was asked for (--{ON_REQUEST[name].replace('_', '-')} N)"
    return ""


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
        bound = gates.of(criterion)
        names = [str(row["name"]) for row in bound]
        measured = not gates.unmeasured(criterion)
        met = gates.outcome == DELIVERED and all(bool(row.get("pass")) for row in bound)
        criteria.append(
            {
                "criterion_ref": criterion.id,
                "met": met if measured else None,
                "evidence": trace(log, names),
                "measured_by": (names or [OUTCOME]) if measured else [],
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

        general = self._general(task)
        bound = {str(row["name"]): criterion.id for criterion in task.acceptance_criteria for row in self.gates.of(criterion)}
        empty: dict[str, list[str]] = {}
        for row in self.gates.failed():
            name = str(row["name"])
            if name not in bound and name not in self.gates.must:
                continue
            if is_empty(row):
                empty.setdefault(bound.get(name, general), []).append(name)
            else:
                add(bound.get(name, general), _missed(row), [name])
        for criterion_ref, gates in empty.items():
            add(criterion_ref, f"{NOTHING}: {', '.join(each.replace('_', ' ') for each in gates)}", gates)
        if self.gates.outcome != DELIVERED and not issues:
            why = f": {self.gates.error}" if self.gates.error else ""
            add(general, f"The run ended as {self.gates.outcome}{why}"[:LONGEST], [])
        decision = "reject" if issues else "approve"
        if not issues:
            for criterion in filter(self.gates.unmeasured, task.acceptance_criteria):
                add(criterion.id, UNMEASURED, [])
                decision = "needs_review"
        return Verdict.model_validate({"decision": decision, "by": CRITIC, "at": at, "issues": issues})

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


def _missed(row: Mapping[str, Any]) -> str:
    evidence = [str(each) for each in row.get("evidence") or []]
    return f"{in_words(str(row['name']), row.get('figure'), row.get('threshold'))}: {'; '.join(causes(evidence))}"[:LONGEST]


def _speaks(entry: Mapping[str, Any], name: str) -> bool:
    return name in entry["figures"] or name in entry["what"] or name.replace("_", " ") in entry["what"]


def _exact(value: Any) -> Any:
    """Whole numbers that JSON cannot carry exactly become text."""
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return str(value) if type(value) is int and abs(value) > MOST_EXACT else value
