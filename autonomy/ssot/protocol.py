"""How a task is worked on: acknowledged, done, reviewed, given out again. Pure functions from task to task.

The executor echoes criteria and scope before it works, so that both sides mean the same task. Its result names what it did
(work log) and what it left (diff snapshot). Each issue of the reviewer names a criterion and the entries of the work log
that show it. A task that is given out again carries these issues byte for byte (equal canonical bytes).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from autonomy.core.errors import InvalidInput
from autonomy.ssot.canonical import canonical
from autonomy.ssot.task import Ack, Deliverable, Dispatch, Issue, Item, Result, Task, Verdict

HINT = "The protocol was not kept; see the task file."


class Executor(Protocol):
    """Does the work of a dispatch."""

    def acknowledge(self, task: Task, at: str) -> Ack:
        """Say what was understood, before anything is done."""
        ...

    def execute(self, task: Task, dispatch: Dispatch) -> Result:
        """Do it; `dispatch.issues` are what the last result was not accepted for."""
        ...


class Reviewer(Protocol):
    """Judges the result of a dispatch."""

    def review(self, task: Task, result: Result, at: str) -> Verdict:
        """Accept it, or say what is missing."""
        ...


def acknowledge(task: Task, at: str) -> Ack:
    """The faithful echo of a task's criteria and scope."""
    return Ack.model_validate(
        {
            "at": at,
            "acceptance_criteria": _data(task.acceptance_criteria),
            "declared_scope": _data(task.declared_scope),
        }
    )


def check_ack(task: Task, ack: Ack) -> None:
    """Raises InvalidInput naming the first item that is missing, added, moved or altered."""
    _same("acceptance criterion", task.acceptance_criteria, ack.acceptance_criteria)
    _same("item of the declared scope", task.declared_scope, ack.declared_scope)


def check_result(task: Task, result: Result) -> None:
    """Raises InvalidInput for entries named alike, and for what points at no criterion or at no entry."""
    entries = [entry.id for entry in result.work_log]
    if len(set(entries)) != len(entries):
        raise InvalidInput("two entries of the work log have one id", HINT)
    for measured in result.criteria:
        _points(task, measured.criterion_ref, measured.evidence, entries, f"criterion {measured.criterion_ref}")


def check_verdict(task: Task, result: Result, verdict: Verdict) -> None:
    """Raises InvalidInput for issues that cannot be traced, for an approval with one, for any other verdict without one."""
    if (verdict.decision == "approve") == bool(verdict.issues):
        raise InvalidInput("an approval has no issues, every other verdict names its own", HINT)
    if len({issue.id for issue in verdict.issues}) != len(verdict.issues):
        raise InvalidInput("two issues have one id", HINT)
    entries = [entry.id for entry in result.work_log]
    for issue in verdict.issues:
        _points(task, issue.criterion_ref, issue.trace, entries, f"issue {issue.id}")


def dispatch(task: Task, at: str, issues: Sequence[Issue] = ()) -> Task:
    """The task given out once more."""
    n = max((each.n for each in task.dispatches), default=0) + 1
    added = {"n": n, "at": at, "issues": _data(issues)}
    of_the_last = ("ack", "result", "verdict", "outcome", "finished_at", "deliverables", "error", "run_id")
    cleared = {name: None for name in of_the_last if getattr(task, name) is not None}
    return task.evolve(dispatches=[*task.dispatches, added], **cleared)


def acknowledged(task: Task, n: int, ack: Ack) -> Task:
    """The task with the executor's echo. Raises InvalidInput where it is none, and after the result."""
    check_ack(task, ack)
    if _nth(task, n).result is not None:
        raise InvalidInput(f"dispatch {n} has its result already", HINT)
    return _with(task, n, ack=ack)


def executed(
    task: Task, n: int, result: Result, outcome: str, finished_at: str | None = None, deliverables: Sequence[Deliverable] = ()
) -> Task:
    """The task with the executor's result: how and when the work ended, and what it handed over.

    Raises InvalidInput before the echo, a second time, and for what points nowhere.
    """
    if _nth(task, n).ack is None:
        raise InvalidInput(f"dispatch {n} was never acknowledged", HINT)
    if _nth(task, n).result is not None:
        raise InvalidInput(f"dispatch {n} has its result already", HINT)
    check_result(task, result)
    ended = {} if finished_at is None else {"finished_at": finished_at, "deliverables": tuple(deliverables)}
    return _with(task, n, result=result, outcome=outcome, **ended)


def reviewed(task: Task, n: int, verdict: Verdict, at: str, *, again: bool) -> Task:
    """The task with the reviewer's verdict; a rejection gives it out `again`, with its issues, in the same change.

    Raises InvalidInput without a result, a second time, and for issues that cannot be traced.
    """
    result = _nth(task, n).result
    if result is None or _nth(task, n).verdict is not None:
        raise InvalidInput(f"dispatch {n} has no result that waits for a verdict", HINT)
    check_verdict(task, result, verdict)
    judged = _with(task, n, verdict=verdict)
    return redispatch(judged, verdict, at) if again and verdict.decision == "reject" else judged


def redispatch(task: Task, verdict: Verdict, at: str) -> Task:
    """The task given out again, with the issues of the verdict byte for byte."""
    following = dispatch(task, at, verdict.issues)
    carried = following.dispatches[-1].issues
    if canonical(_data(carried)) != canonical(_data(verdict.issues)):
        raise InvalidInput("the issues were altered on their way", HINT)
    return following


Step = Callable[[str, Callable[[Task], Task]], Task]
"""Applies one change, named dispatch, ack, result or verdict, and returns the task after it."""


def play(task: Task, executor: Executor, reviewer: Reviewer, *, clock: Callable[[], str], most: int, step: Step) -> Task:
    """See a task through to its acceptance, to a person's turn, or to the rejection of the last of `most` dispatches."""
    if task.last is None:
        task = step("dispatch", lambda now: dispatch(now, clock()))
    while (last := task.last) is not None and last.verdict is None:
        task = _play_once(task, last, executor, reviewer, clock=clock, again=last.n < most, step=step)
    return task


def _play_once(
    task: Task, last: Dispatch, executor: Executor, reviewer: Reviewer, *, clock: Callable[[], str], again: bool, step: Step
) -> Task:
    n = last.n
    ack = executor.acknowledge(task, clock())
    task = step("ack", lambda now: acknowledged(now, n, ack))
    result = executor.execute(task, last)
    task = step("result", lambda now: executed(now, n, result, "delivered", clock()))
    verdict = reviewer.review(task, result, clock())
    return step("verdict", lambda now: reviewed(now, n, verdict, clock(), again=again))


def _with(task: Task, n: int, **facts: Any) -> Task:
    """The facts in their dispatch, and beside it where it is the last."""
    changed = [each.model_copy(update=facts) if each.n == n else each for each in task.dispatches]
    shown = facts if task.last is not None and task.last.n == n else {}
    return task.evolve(dispatches=changed, **shown)


def _nth(task: Task, n: int) -> Dispatch:
    for each in task.dispatches:
        if each.n == n:
            return each
    raise InvalidInput(f"task {task.task_id} has no dispatch {n}", HINT)


def _same(what: str, wanted: Sequence[Item], echoed: Sequence[Item]) -> None:
    for number, (one, other) in enumerate(zip(wanted, echoed, strict=False), 1):
        if canonical(_datum(one)) != canonical(_datum(other)):
            raise InvalidInput(f"{what} {number} ({one.id}) was not echoed as it stands", HINT)
    if len(wanted) != len(echoed):
        raise InvalidInput(f"{len(wanted)} of '{what}' were given, {len(echoed)} echoed", HINT)


def _points(task: Task, ref: str, trace: Iterable[str], entries: Sequence[str], what: str) -> None:
    if ref not in {each.id for each in task.acceptance_criteria}:
        raise InvalidInput(f"{what} names no criterion of the task: {ref}", HINT)
    missing = next((each for each in trace if each not in entries), None)
    if missing is not None:
        raise InvalidInput(f"{what} points at no entry of the work log: {missing}", HINT)


def _data(items: Sequence[Item] | Sequence[Issue]) -> list[dict[str, Any]]:
    return [_datum(each) for each in items]


def _datum(item: Item | Issue) -> dict[str, Any]:
    return item.model_dump(mode="json", exclude_unset=True)
