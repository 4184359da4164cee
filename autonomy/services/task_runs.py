"""Tasks and their runs: an approved task starts its run once, and the run reports back into the task's file.

The run is the executor of the task's protocol: it echoes criteria and scope before a worker takes it on, and hands in what
it decided and delivered once it has ended; the Critic's gates are the reviewer. Each step is one change of the file, and
names what it did so that repeating it changes nothing: a start by its idempotency key, a report by `run.reported` (0: the
file knows nothing of the run, 1: it holds the echo, 2: it holds result and verdict), set in the transaction of its event.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from autonomy.core.clock import iso
from autonomy.core.errors import AutonomyError, ConfigurationError, CorruptState, InvalidInput, NotFound, NotYetBuilt
from autonomy.core.events import Event
from autonomy.core.gates import decides
from autonomy.core.wording import in_order
from autonomy.runtime import events
from autonomy.runtime import runs as run_rows
from autonomy.services import asked, review, task_events
from autonomy.services.ledger import Ledger, Telling, now
from autonomy.services.runs import RESERVED, Runs, StartRun
from autonomy.ssot import protocol, status
from autonomy.ssot.reading import Stored
from autonomy.ssot.task import Deliverable, Dispatch, Task
from autonomy.storage.database import Tx

log = logging.getLogger("autonomy.tasks")
KEY = re.compile(rf"{RESERVED}([A-Za-z0-9_-]{{1,64}}):([0-9]{{1,9}})(?::own)?")
LAST_WORD: Final = frozenset({"aborted", "budget_exceeded"})
"""Ends after which nothing is tried again by itself: a person said stop, or the money that was approved is spent."""
COMPARED: Final = frozenset({"delivered", "target_not_reached"})
"""Ends of runs that did all they could; any other may have been cut short by what is over the next time."""
WRONG = (InvalidInput, NotYetBuilt, NotFound, ConfigurationError)
"""Why a run cannot be started: said in the task, for a person to put right."""
UNKNOWN, ECHOED, REPORTED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class _Reporting:
    """A run as its task sees it."""

    run: run_rows.Run
    task_id: str
    key: str | None
    reported: int


TO_TASK: Final = "Name one with 'autonomy tasks corpus {task} DIR', or set corpus in [tasks] of autonomy.toml."
"""What to do about a corpus that a task lacks."""


class TaskRuns:
    """Starts the runs of tasks and writes down what they report."""

    def __init__(self, ledger: Ledger, home: Path, runs: Runs, defaults: asked.Defaults, max_dispatches: int) -> None:
        self._ledger = ledger
        self._database = ledger.database
        self._home = home
        self._runs = runs
        self._defaults = defaults
        self._most = max_dispatches
        self._settled: dict[str, Stored] = {}
        self._changed: dict[str, Stored] = {}

    # -- start --------------------------------------------------------------------------------------

    def start(self, task: Task) -> bool:
        """Start the run of the task's last dispatch, unless somebody has it; returns whether it was started.

        What stands in the way (no corpus, a malformed request) is written into the task's `error`.
        """
        last = task.last
        if task.report is not None or last is None or last.run_id is not None or last.ack is not None:
            return False
        if status.status(task) != "approved":
            return False
        key = f"{RESERVED}{task.task_id}:{last.n}"
        try:
            run_id = self._started(task, key)
            if run_id is None:
                run_id = self._runs.start(self._request(task, self._free(task, key)), reserved=True).run_id
        except WRONG as error:
            found = self._started(task, key)  # started meanwhile, under other settings
            if found is None:
                self._note(task, error)
                return False
            run_id = found
        n = last.n
        telling = Telling("task_updated", "service", {"run_id": run_id})
        reads = self._database.read(lambda tx: run_rows.get(tx, run_id)).task.get("corpus") or []
        self._ledger.change(task.task_id, lambda now: self._given(now, n, run_id, reads), telling)
        return True

    def _given(self, task: Task, n: int, run_id: str, reads: list[str]) -> Task | None:
        """The task whose dispatch has this run. A corpus that was named while the run was started is not what it reads: the
        file says what it does read."""
        given = _given(task, n, run_id)
        if given is None or task.corpus is None:
            return given
        try:
            named = asked.named_folders(list(task.corpus), self._defaults, folders=True)
        except InvalidInput:  # it is gone since the run was started from it
            named = ()
        return given if list(named) == list(reads) else given.evolve(corpus=tuple(reads))

    def trouble(self, task: Task, hint: str = "") -> AutonomyError | None:
        """Why the task, as it stands, cannot be started; None where it can. `hint` says what to do about a missing corpus."""
        try:
            self._runs.admit(self._request(task, f"{RESERVED}{task.task_id}:1", hint), reserved=True)
        except WRONG as error:
            return error
        return None

    def _request(self, task: Task, key: str, hint: str = "") -> StartRun:
        named = {} if task.corpus is None else {"corpus": list(task.corpus)}
        spec = asked.resolve(
            {**(task.task_spec or {}), **named}, journey=task.journey, goal=task.request_text, defaults=self._defaults,
            folders=bool(named) or names_folders(task), hint=hint or TO_TASK.format(task=task.task_id[:12]),
        )  # fmt: skip
        spec = spec.model_copy(update={"constraints": (*spec.constraints, *review.constraints(task))})
        return StartRun(
            task=spec, user_id=task.user_id, priority=self._defaults.priority, idempotency_key=key, task_id=task.task_id,
            correlation_id=task.correlation_id,
        )  # fmt: skip

    def _started(self, task: Task, key: str) -> str | None:
        """The task's own run of that key; another's run is never taken for it, whatever its key."""
        sql = "SELECT id FROM run WHERE user_id = :user AND task_id = :task AND idempotency_key IN (:key, :own)"
        values = {"user": task.user_id, "task": task.task_id, "key": key, "own": f"{key}:own"}
        found: str | None = self._database.read(lambda tx: tx.value(sql, **values))
        return found

    def _free(self, task: Task, key: str) -> str:
        """The key, or its other form where a run that is not the task's holds it: keys were not always reserved."""
        sql = "SELECT task_id FROM run WHERE user_id = :user AND idempotency_key = :key"
        held = self._database.read(lambda tx: tx.tuples(sql, user=task.user_id, key=key))
        return f"{key}:own" if held and held[0][0] != task.task_id else key

    def _note(self, task: Task, error: AutonomyError) -> None:
        said = str(error)
        telling = Telling("error", "service", {"error": said})
        self._ledger.change(task.task_id, lambda now: now.evolve(error=said) if now.error != said else None, telling)

    # -- echo ---------------------------------------------------------------------------------------

    def acknowledge(self, run_id: str) -> bool:
        """Echo the task's criteria and scope before the run is worked on; False where the run has no task that can be read."""
        found = self._look("id = :run", run=run_id)
        return bool(found) and self._echoed(found[0])

    def _echoed(self, it: _Reporting) -> bool:
        if it.reported >= ECHOED:
            return True
        telling = self._telling("protocol_ack", it, ECHOED)
        return self._written(it, partial(_echo, it=it, at=now()), telling)

    # -- report -------------------------------------------------------------------------------------

    def report_pending(self) -> int:
        """Write down what runs have to report; returns how many reported. Repeating it changes nothing."""
        reported = 0
        for it in self._look("task_id IS NOT NULL AND reported < 2"):
            if it.run.status == "queued" and it.run.epoch == 0:
                continue
            if it.run.ended:
                reported += self._report(it)
            elif it.reported == UNKNOWN:
                self._echoed(it)
        return reported

    def _report(self, it: _Reporting) -> bool:
        outcome = it.run.outcome or it.run.status
        rows = review.read_gates(self._home / "artifacts" / it.run.id)
        must = frozenset(str(row["name"]) for row in rows if decides(row["name"], row.get("decides")))
        gates = review.Gates(rows, outcome, it.run.error, must)
        entries, files = self._database.read(lambda tx: (_log(tx, it.run.id), _files(tx, it.run.id)))
        handed = [Deliverable.model_validate(row) for row in self._runs.deliverables(it.run.id)]

        def hand_in(task: Task) -> Task | None:
            n, task = _dispatch_of(task, it)
            if _nth(task, n).result is not None:
                return None
            if _nth(task, n).ack is None:
                task = protocol.acknowledged(task, n, protocol.acknowledge(task, now()))
            worked = review.result(task, entries, files, gates)
            return protocol.executed(task, n, worked, outcome, iso(it.run.finished_at), handed)

        if not self._written(it, hand_in, self._telling("protocol_result", it, ECHOED, outcome=outcome)):
            return False
        return self._judge(it, gates)

    def _judge(self, it: _Reporting, gates: review.Gates) -> bool:
        """Let the Critic review the result that stands in the file; a rejection gives the task out again while it may."""
        told: dict[str, Any] = {}

        def judge(task: Task) -> Task | None:
            n, task = _dispatch_of(task, it)
            mine = _nth(task, n)
            if mine.verdict is not None or mine.result is None:
                return None
            verdict = review.Critic(gates).review(task, mine.result, now())
            last = task.last is not None and task.last.n == n
            again = last and n < self._most and gates.outcome not in LAST_WORD and status.status(task) == "approved"
            again = again and verdict.decision == "reject"
            if again and self._repeats(it.run):
                again, verdict = False, verdict.model_copy(update={"note": f"{review.UNCHANGED}."})
            told.update(decision=verdict.decision, issues=len(verdict.issues), again=again)
            return protocol.reviewed(task, n, verdict, now(), again=again)

        telling = Telling("protocol_verdict", review.CRITIC, told, self._mark(it, REPORTED))
        if not self._written(it, judge, telling):
            return False
        task = self._ledger.store.read(it.task_id).task
        if told.get("again") and task.last is not None:
            self._ledger.audit.append(
                "protocol_dispatch",
                correlation_id=task.correlation_id,
                actor="service",
                task_id=task.task_id,
                n=task.last.n,
                issues=[issue.id for issue in task.last.issues],
            )
        self.start(task)
        return True

    def _repeats(self, run: run_rows.Run) -> bool:
        """Whether another would bring the same: this one came to its end, and no model is asked (models alone read issues)."""
        return run.outcome in COMPARED and self._defaults.without_model(run.task.get("provider") or ())

    # -- recover ------------------------------------------------------------------------------------

    def reconcile(self) -> int:
        """Finish what a crash cut short, and start what could not be started before; returns how much there was.

        Files ahead of their rows are told, ended runs report, approved tasks without a run get it.
        """
        self._ledger.store.sweep()
        told = self._database.read(task_events.revisions)
        healed = 0
        first = self._ledger.store.list().tasks
        for stored in first:
            if stored.task.revision > told.get(stored.task.task_id, 0):
                healed += self._safely(partial(self._ledger.heal, stored.task.task_id))
        healed += self.report_pending()
        found = self._ledger.store.list().tasks
        for stored in found:
            healed += self._safely(partial(self._take_up, stored.task))
        seen = {id(stored) for stored in first}
        self._settled = {stored.task.task_id: stored for stored in found if id(stored) in seen}
        return healed

    def catch_up(self) -> int:
        """Tell and start what a failed write left undone since `reconcile`; returns how much there was.

        Only files that have changed are looked at, and only once they stand as they did at the look before: whoever is
        still at one is left alone. What fails is looked at again. For one thread at a time.
        """
        found = self._ledger.store.list().tasks
        self._settled = {stored.task.task_id: stored for stored in found if self._settled.get(stored.task.task_id) is stored}
        changed = [stored for stored in found if stored.task.task_id not in self._settled]
        before, self._changed = self._changed, {stored.task.task_id: stored for stored in changed}
        healed = 0
        for stored in changed:
            task_id = stored.task.task_id
            if before.get(task_id) is stored:
                healed += self._safely(partial(self._ledger.heal, task_id))
                healed += self._safely(partial(self._take_up, stored.task))
                self._settled[task_id] = stored
        return healed

    def _take_up(self, task: Task) -> bool:
        """Start an approved task that has no run; say of one that waits for its decision what it lacks now."""
        if task.report is not None:  # a run asks there for something: nobody works it
            return False
        if task.status == "pending" and task.error is not None:
            return self._look_again(task)
        if task.status == "approved" and task.last is None:  # decided by hand, in the file
            return self._give_out(task)
        return task.last is not None and task.last.run_id is None and self.start(task)

    def _look_again(self, task: Task) -> bool:
        """Whether what a task lacks has changed: settings may name a corpus now."""
        trouble = self.trouble(task)
        said = None if trouble is None else str(trouble)
        if said == task.error:
            return False
        telling = Telling("task_updated", "service", {"error": said})
        return self._ledger.change(task.task_id, lambda now: now.evolve(error=said), telling).changed

    def _give_out(self, task: Task) -> bool:
        done = self._ledger.change(task.task_id, given_out, Telling("protocol_dispatch", "service"))
        return self.start(done.after.task)

    # -- shared -------------------------------------------------------------------------------------

    def _look(self, condition: str, **values: Any) -> list[_Reporting]:
        sql = f"SELECT id, task_id, idempotency_key, reported FROM run WHERE {condition}"

        def look(tx: Tx) -> list[_Reporting]:
            rows = [row for row in tx.tuples(sql, **values) if row[1] is not None]
            return [_Reporting(run_rows.get(tx, row[0]), row[1], row[2], row[3]) for row in rows]

        return self._database.read(look)

    def _mark(self, it: _Reporting, reported: int) -> Callable[[Tx], None]:
        def mark(tx: Tx) -> None:
            sql = "UPDATE run SET reported = :reported WHERE id = :run AND reported < :reported"
            tx.run(sql, reported=reported, run=it.run.id)

        return mark

    def _telling(self, action: str, it: _Reporting, reported: int, **fields: Any) -> Telling:
        return Telling(action, "run", {"run_id": it.run.id, **fields}, self._mark(it, reported))

    def _written(self, it: _Reporting, change: Callable[[Task], Task | None], telling: Telling) -> bool:
        """Change the run's task; False where it cannot be: a run without a file reports to nobody, a damaged one waits."""
        try:
            self._ledger.change(it.task_id, change, telling)
        except NotFound:
            self._database.write(self._mark(it, REPORTED))
            return False
        except CorruptState as error:
            log.warning("run %s cannot report: %s", it.run.id, error, extra={"action": "task.damaged", "task_id": it.task_id})
            return False
        return True

    def _safely(self, work: Callable[[], bool]) -> bool:
        """One task's trouble keeps no other from being looked at."""
        try:
            return work()
        except (NotFound, CorruptState) as error:
            log.warning("a task was left out: %s", error, extra={"action": "task.damaged"})
            return False


def names_folders(task: Task) -> bool:
    """Whether the task may name a folder as its corpus: over the web a corpus is a name of [corpora] only."""
    return task.source == "cli"


def given_out(task: Task) -> Task:
    """The task with its first dispatch, and with criteria to be judged by; as it is where it was given out already."""
    return task if task.last is not None or task.report is not None else protocol.dispatch(review.with_criteria(task), now())


def _given(task: Task, n: int, run_id: str) -> Task | None:
    """The task whose dispatch has this run."""
    if _nth(task, n).run_id == run_id and task.run_id == run_id and task.error is None:
        return None
    dispatches = [each.model_copy(update={"run_id": run_id}) if each.n == n else each for each in task.dispatches]
    shown: dict[str, Any] = {"run_id": run_id} if task.dispatches[-1].n == n else {}
    if task.error is not None:
        shown["error"] = None
    return task.evolve(dispatches=dispatches, **shown)


def _dispatch_of(task: Task, it: _Reporting) -> tuple[int, Task]:
    """The dispatch that the run belongs to, with the run's id in it; a run started by hand is a dispatch of its own."""
    for each in task.dispatches:
        if each.run_id == it.run.id:
            return each.n, task
    matched = KEY.fullmatch(it.key or "")
    if matched is not None and matched[1] == task.task_id and any(each.n == int(matched[2]) for each in task.dispatches):
        n = int(matched[2])
    else:
        task = protocol.dispatch(review.with_criteria(task), now())
        n = task.dispatches[-1].n
    return n, _given(task, n, it.run.id) or task


def _echo(task: Task, *, it: _Reporting, at: str) -> Task | None:
    n, task = _dispatch_of(task, it)
    return None if _nth(task, n).ack is not None else protocol.acknowledged(task, n, protocol.acknowledge(task, at))


def _nth(task: Task, n: int) -> Dispatch:
    return next(each for each in task.dispatches if each.n == n)


def _log(tx: Tx, run_id: str) -> list[dict[str, Any]]:
    found: list[Event] = []
    while batch := events.read(tx, run_id, after=found[-1].seq if found else 0, limit=1000):
        found.extend(batch)
    return review.work_log(found)


def _files(tx: Tx, run_id: str) -> list[dict[str, Any]]:
    found = tx.rows("SELECT path, sha256, size, role FROM artifact WHERE run_id = :run", run=run_id)
    return sorted(found, key=lambda row: in_order(row["path"]))
