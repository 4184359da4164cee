"""Two small parties of the task protocol that follow a script: they prove the protocol without a run and without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from autonomy.ssot import protocol
from autonomy.ssot.task import Ack, Dispatch, Issue, Result, Task, Verdict


@dataclass(slots=True)
class ScriptedExecutor:
    """Does one thing for each criterion and writes one file a dispatch; `misses` names the criteria it misses in the first
    dispatch, the second, and so on. `seen` holds the issues it was given each time."""

    clock: Callable[[], str]
    misses: Sequence[Collection[str]] = ()
    seen: list[tuple[Issue, ...]] = field(default_factory=list)

    def acknowledge(self, task: Task, at: str) -> Ack:
        """The faithful echo."""
        return protocol.acknowledge(task, at)

    def execute(self, task: Task, dispatch: Dispatch) -> Result:
        """One entry for each issue that was put right, one for each criterion."""
        self.seen.append(dispatch.issues)
        missed = self.misses[dispatch.n - 1] if dispatch.n <= len(self.misses) else ()
        entries = [
            {"id": f"fix-{n}", "at": self.clock(), "what": f"Put right: {issue.text}", "figures": {}}
            for n, issue in enumerate(dispatch.issues, 1)
        ]
        criteria = []
        for n, criterion in enumerate(task.acceptance_criteria, 1):
            met = criterion.id not in missed
            what = f"{'Met' if met else 'Tried, and missed'}: {criterion.text}"
            entries.append({"id": f"step-{n}", "at": self.clock(), "what": what, "figures": {"met": met}})
            criteria.append({"criterion_ref": criterion.id, "met": met, "evidence": [f"step-{n}"]})
        data = "".join(f"{entry['what']}\n" for entry in entries).encode()
        change = {
            "path": f"artifacts/{task.task_id}-{dispatch.n}/work.txt",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "role": "deliverable",
        }
        return Result.model_validate({"work_log": entries, "diff_snapshot": [change], "criteria": criteria})


@dataclass(frozen=True, slots=True)
class ScriptedReviewer:
    """Takes an executor at its word: one issue for each criterion that it says it missed."""

    name: str = "reviewer"

    def review(self, task: Task, result: Result, at: str) -> Verdict:
        """Approve where every criterion is met; each issue points at the entries that the executor named for it."""
        texts = {criterion.id: criterion.text for criterion in task.acceptance_criteria}
        issues = [
            {
                "id": f"issue-{n}",
                "criterion_ref": measured.criterion_ref,
                "text": f"Not met: {texts[measured.criterion_ref]}",
                "trace": list(measured.evidence),
            }
            for n, measured in enumerate((each for each in result.criteria if not each.met), 1)
        ]
        decision = "reject" if issues else "approve"
        return Verdict.model_validate({"decision": decision, "by": self.name, "at": at, "issues": issues})
