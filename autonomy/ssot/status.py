"""The status engine: what a task's facts add up to, and which decisions they admit. Nothing else judges a task.

pending: nobody has decided. rejected: a person said no. approved: a person said yes; its work may be under way, or its
result was accepted. needs_review: the last dispatch was not accepted and no other follows, or holds a criterion that nothing
measures, so a person decides again.
"""

from __future__ import annotations

from autonomy.core.errors import AlreadyDecided
from autonomy.ssot.task import Decision, Ruling, Status, Task, Wanted


def status(task: Task) -> Status:
    """The one status that the facts allow; what the file says of itself does not count."""
    if task.report is not None:
        return _of_report(task.report)
    decision = task.decision
    if decision is None:
        return "pending"
    if decision.verdict == "rejected":
        return "rejected"
    return "needs_review" if _unaccepted(task, decision) else "approved"


def _of_report(wanted: Wanted) -> Status:
    """pending while the report is awaited, rejected where it was given up, else approved: what was asked for came."""
    if wanted.status == "awaiting_report":
        return "pending"
    return "rejected" if wanted.observed_similarity is None else "approved"


def _unaccepted(task: Task, decision: Decision) -> bool:
    """Whether the last dispatch ended without an approval, after the person's decision.

    A rejection that leads to another dispatch is followed by it in the same change of the file, so it is never the last.
    """
    last = task.last
    unaccepted = last is not None and last.verdict is not None and last.verdict.decision != "approve"
    return unaccepted and decision.dispatches < len(task.dispatches)


def admits_decision(task: Task) -> bool:
    """Whether a person may decide now."""
    return task.report is None and status(task) in ("pending", "needs_review")


def just_approved(task: Task, by: str) -> bool:
    """Whether that person's yes is the last that happened: to a result, or to a task whose work nobody has taken up yet."""
    decision, last = task.decision, task.last
    if decision is None or (decision.verdict, decision.by) != ("approved", by):
        return False
    waits = last is not None and last.ack is None and last.n == decision.dispatches + 1
    return waits or decision.dispatches == len(task.dispatches)


def awaits_start(task: Task) -> bool:
    """Whether no work has begun that the task, as it stands, may still be given: what it works on can be named yet."""
    last = task.last
    begun = last is not None and (last.run_id is not None or last.ack is not None)
    return task.report is None and status(task) in ("pending", "approved") and not begun


def decide(task: Task, ruling: Ruling, *, by: str, at: str, reason: str | None = None) -> Task:
    """The task with a person's decision; the one before it is kept. Of many who try, one is first; raises AlreadyDecided for
    all others."""
    now = status(task)
    if task.report is not None:
        raise AlreadyDecided(f"task {task.task_id} asks for a similarity report, not for a decision", task.report.how)
    if not admits_decision(task):
        decision = task.decision
        who = f" by {decision.by}" if decision is not None else ""
        raise AlreadyDecided(f"task {task.task_id} is {now} already{who}", "A decision stands; add a new task instead.")
    made: dict[str, object] = {"verdict": ruling, "by": by, "at": at, "dispatches": len(task.dispatches)}
    if reason is not None:
        made["reason"] = reason
    if task.decision is None:
        return task.evolve(decision=made)
    return task.evolve(decision=made, earlier_decisions=(*task.earlier_decisions, task.decision))
