"""Similarity reports as people and machines bring them: what a run waits for, and what came.

A report is taken in one transaction (`turnitin.cycles.accept_report`); whatever is refused leaves an audit line with its
reason and changes nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autonomy.core.clock import DAY_US, iso
from autonomy.core.errors import AutonomyError, CorruptState, InvalidInput, NotFound
from autonomy.runtime import events, lanes, queue, runs
from autonomy.runtime.wake import Wake
from autonomy.services.awaited import copies, current, nothing_awaited, shown
from autonomy.services.ledger import Ledger, Telling
from autonomy.ssot.task import ASKING, MOST_CHARACTERS, Task
from autonomy.storage.artifacts import inside, write_atomic
from autonomy.storage.database import Tx
from autonomy.turnitin import cycles
from autonomy.turnitin.cycles import Acceptance, Arrived, Cycle

FOLDER: Final = "reports"
MOST_BYTES: Final = 64 << 20
"""A report with its highlights is a few megabytes; above this it is none."""
AGREES: Final = 1.0
"""Percent points by which a figure that a person types may differ from the report's own (reports round)."""
Parse = Callable[[Path, str, str], dict[str, Any]]
"""(report file, its name, draft text) -> the report as plain data (`turnitin.report.Report`), held against the draft."""
log = logging.getLogger("autonomy.tasks")
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody brings for a run: a file (its bytes and its name), or a figure, or both. `similarity` in percent."""

    data: bytes | None = None
    name: str = "report"
    url: str | None = None
    similarity: float | None = None
    cycle_id: str | None = None
    uploader: str | None = None


def bytes_of(path: Path) -> bytes:
    """The bytes of an ordinary file, through links as its owner sees it; nothing else is opened, and nothing is waited for.
    Raises InvalidInput."""
    from autonomy.memory.child import file_bytes
    from autonomy.memory.readers.document import Limits

    try:
        return file_bytes(str(path.resolve()), Limits(file_bytes=MOST_BYTES))
    except InvalidInput as error:
        raise InvalidInput(f"{str(path)[-80:]} {error.message}", "Name a report file.") from None


class Turnitin:
    """The waits for reports of one workspace."""

    def __init__(self, ledger: Ledger, home: Path, wake: Wake, parse: Parse) -> None:
        self._ledger = ledger
        self._database = ledger.database
        self._home = home
        self._wake = wake
        self._audit = ledger.audit
        self._parse = parse

    def status(self, run_id: str) -> dict[str, Any]:
        """The run's cycles, and what stands now. Raises NotFound: no such run, or one that waits for no report."""

        def look(tx: Tx) -> tuple[runs.Run, dict[str, Any] | None, list[dict[str, Any]]]:
            earlier = [shown(tx, each, whole=False) for each in cycles.history(tx, run_id)]
            return runs.get(tx, run_id), current(tx, run_id, whole=True), earlier

        run, newest, found = self._database.read(look)
        if newest is None:
            raise nothing_awaited(run)
        return {"run_id": run.id, "run_status": run.status, **newest, "cycles": found}

    def handoff(self, run_id: str) -> dict[str, Any]:
        """What a person is to have checked, and how to bring the report back. Raises NotFound."""
        found = self.status(run_id)
        waits = found["status"] == "awaiting_report"
        return {
            **{
                key: found[key]
                for key in ("run_id", "cycle_id", "n", "status", "target_similarity", "waiting_since", "deadline")
            },
            "document": found["document"],
            "sha256": found["sha256"],
            "copies": found["copies"],
            "how": _how(found["document"], found["copies"], run_id) if waits else "No report is awaited now.",
        }

    def report(self, run_id: str, brought: Brought, actor: str) -> dict[str, Any]:
        """Take a report, once. Raises NotFound, InvalidInput (no similarity in it, or not a percentage), AlreadyDecided for
        another or a late one; each refusal is audited."""
        run = self._database.read(lambda tx: runs.get(tx, run_id))
        known = self._known(run.id, brought)
        if known is not None:
            return _answer(Acceptance(known, duplicate=True), [])
        kept = self._place(run.id, brought)
        new = kept is not None and not kept.exists()
        try:
            arrived, warnings = self._arrived(run, brought, kept)
            taken = self._wake.write(self._database, lambda tx: cycles.accept_report(tx, run_id, brought.cycle_id, arrived))
        except AutonomyError as error:
            if new and kept is not None:
                self._forget(run.id, kept)
            self._refused(run, brought, actor, error)
            raise
        self._wake.ring()
        try:
            self.tell()
        except AutonomyError as error:  # the report is taken: its task file is written by whoever looks next
            log.warning("a task cannot tell of a report now: %s", error, extra={"action": "tasks.blocked"})
        return _answer(taken, warnings)

    def tend(self) -> int:
        """Remind of reports that are overdue, or go on without them, as each cycle says; returns how many were seen to.

        Any process may call it at any time: each deadline is seen to once.
        """
        due = self._database.read(cycles.overdue)
        seen = sum(self._database.write(lambda tx, cycle=cycle: _expired(tx, cycle)) for cycle in due)  # type: ignore[misc]
        if seen:
            self._wake.ring()
        return seen

    def tell(self) -> int:
        """Have the task files say what is awaited and what came; returns how many were written. Repeating it is harmless."""
        told = 0
        for cycle in self._database.read(cycles.untold):
            try:
                self._say(cycle)
                told += 1
            except (CorruptState, NotFound) as error:  # one broken file keeps no other from being told
                log.warning("a task cannot tell of a report: %s", error, extra={"action": "tasks.blocked"})
        return told

    def _say(self, cycle: Cycle) -> None:
        task_id = f"{ASKING}{cycle.id}"

        def mark(tx: Tx) -> None:
            cycles.mark_told(tx, cycle)

        if cycle.told == 0:
            run, others = self._database.read(lambda tx: (runs.get(tx, cycle.run_id), copies(tx, cycle)))
            asking = _asking(task_id, run, cycle, others)
            self._ledger.create(asking, Telling("task_created", "run", {"run_id": run.id}, also=mark))
        wanted = {"status": cycle.status, "observed_similarity": cycle.observed}

        def change(task: Task) -> Task | None:
            if task.report is None or task.report.cycle_id != cycle.id:
                raise CorruptState(f"the task file {task_id}.json is not the one that asks for this report", "Move it away.")
            stands = task.report.status == cycle.status and task.report.observed_similarity == cycle.observed
            return None if stands else task.evolve(report={**task.report.model_dump(mode="json"), **wanted})

        self._ledger.change(
            task_id, change, Telling("task_updated", cycle.uploader or "run", {"cycle_id": cycle.id}, also=mark)
        )

    def _known(self, run_id: str, brought: Brought) -> Cycle | None:
        """The cycle that has this very file as its report: it need not be read again."""
        if brought.data is None:
            return None
        sha256 = hashlib.sha256(brought.data).hexdigest()
        found = self._database.read(lambda tx: cycles.history(tx, run_id))
        if brought.cycle_id is not None and all(cycle.id != brought.cycle_id for cycle in found):
            return None  # not this run's: it is refused as any other report for it
        return next((cycle for cycle in found if cycle.report_sha256 == sha256), None)

    def _place(self, run_id: str, brought: Brought) -> Path | None:
        """Where a report's file is kept: below `reports/`, under its sha256."""
        if brought.data is None:
            return None
        suffix = Path(brought.name).suffix.lower()
        name = hashlib.sha256(brought.data).hexdigest()[:32] + (suffix if _SUFFIX.fullmatch(suffix) else "")
        return inside(self._home / FOLDER, f"{run_id}/{name}")

    def _forget(self, run_id: str, kept: Path) -> None:
        """Take a refused file away again, unless somebody else's report, just taken, is the same."""
        relative = kept.relative_to(self._home).as_posix()
        if all(cycle.report_path != relative for cycle in self._database.read(lambda tx: cycles.history(tx, run_id))):
            with contextlib.suppress(OSError):
                kept.unlink()
                kept.parent.rmdir()

    def _arrived(self, run: runs.Run, brought: Brought, path: Path | None) -> tuple[Arrived, list[str]]:
        """What was brought, read: the file kept, its figure taken from it."""
        if brought.data is None or path is None:
            if brought.similarity is None:
                raise InvalidInput(
                    "the report has no file and no similarity", "Give a report file, or the similarity that it states."
                )
            said = json.dumps({"similarity": brought.similarity, "url": brought.url}, sort_keys=True)
            sha256 = hashlib.sha256(said.encode()).hexdigest()
            return Arrived(brought.similarity, sha256, url=brought.url, uploader=brought.uploader), []
        if len(brought.data) > MOST_BYTES:
            raise InvalidInput(f"the report is larger than {MOST_BYTES >> 20} MiB", "Bring the report itself.")
        draft = self._draft(run, brought.cycle_id)
        write_atomic(path, brought.data)
        found = self._parse(path, brought.name[-80:], draft)
        observed = _agreed(found.get("overall"), brought.similarity)
        relative = path.relative_to(self._home).as_posix()
        text = json.dumps(found, ensure_ascii=False, sort_keys=True)
        doubts = tuple(found.get("doubts", ()))
        sha256 = hashlib.sha256(brought.data).hexdigest()
        arrived = Arrived(observed, sha256, text, relative, brought.url, brought.uploader, doubts)
        return arrived, [*found.get("warnings", ()), *doubts]

    def _draft(self, run: runs.Run, cycle_id: str | None) -> str:
        """The text that the report is about. Raises NotFound, AlreadyDecided for a run that has ended with another report."""
        cycle = self._database.read(lambda tx: cycles.meant(tx, run.id, cycle_id))
        try:
            return (self._home / cycle.document).read_text(encoding="utf-8")
        except OSError as error:
            raise NotFound(f"the draft {cycle.document} cannot be read ({error.strerror})", "See 'autonomy doctor'.") from None

    def _refused(self, run: runs.Run, brought: Brought, actor: str, error: AutonomyError) -> None:
        self._audit.append(
            "turnitin_report_refused",
            correlation_id=run.correlation_id,
            actor=actor,
            run_id=run.id,
            cycle_id=brought.cycle_id,
            reason=error.message,
        )


def _answer(taken: Acceptance, warnings: list[str]) -> dict[str, Any]:
    cycle = taken.cycle
    return {
        "run_id": cycle.run_id,
        "cycle_id": cycle.id,
        "n": cycle.n,
        "status": cycle.status,
        "observed_similarity": cycle.observed,
        "target_similarity": cycle.target,
        "resume_job_id": cycle.resume_job_id,
        "duplicate": taken.duplicate,
        "warnings": warnings,
    }


def _expired(tx: Tx, cycle: Cycle) -> bool:
    """See to one deadline, or remind of it once a day; False where another has, or a report came at the same moment."""
    days = f"{((cycle.deadline_at or cycle.opened_at) - cycle.opened_at) / DAY_US:g} days"
    told = {"cycle_id": cycle.id, "n": cycle.n, "target_similarity": cycle.target, "document": cycle.document}
    if cycle.on_expiry == "remind":
        if not cycles.remind(tx, cycle, DAY_US):
            return False
        reminder = {**told, "reminder": cycle.reminded + 1}
        events.append(tx, cycle.run_id, [("turnitin.awaiting_report", None, reminder)], epoch=None)
        return True
    why = f"no report came within {days}"
    lanes.lock(tx, runs.get(tx, cycle.run_id).user_id)
    if not cycles.give_up(tx, cycle.id, why):
        return False
    events.append(tx, cycle.run_id, [("turnitin.rejected", None, {**told, "why": why})], epoch=None)
    if cycle.on_expiry == "fail":
        queue.fail_waiting(tx, cycle.run_id, why)
    else:
        queue.enqueue_resume(tx, cycle.run_id, "deadline")
    return True


def _asking(task_id: str, run: runs.Run, cycle: Cycle, copies: Sequence[str]) -> Task:
    """The task file that asks a person for a report."""
    at = str(iso(cycle.opened_at))
    return Task.model_validate(
        {
            "task_id": task_id,
            "schema_version": 1,
            "revision": 1,
            "source": "run",
            "status": "pending",
            "correlation_id": run.correlation_id,
            "created_at": at,
            "updated_at": at,
            "request_text": f"Bring the similarity report of draft {cycle.n}: {run.goal}"[:MOST_CHARACTERS],
            "user_id": run.user_id,
            "run_id": run.id,
            "report": {
                "run_id": run.id,
                "cycle_id": cycle.id,
                "n": cycle.n,
                "document": cycle.document,
                "sha256": cycle.document_sha256,
                **({"copies": copies} if copies else {}),
                "target_similarity": cycle.target,
                "how": _how(cycle.document, copies, run.id),
                **({} if cycle.deadline_at is None else {"deadline": iso(cycle.deadline_at)}),
            },
        }
    )


def _how(document: str, copies: Sequence[str], run_id: str) -> str:
    files = " or ".join((document, *copies))
    return f"Have {files} checked, then: autonomy turnitin report {run_id[:8]} REPORT_FILE"


def _agreed(read: float | None, typed: float | None) -> float:
    """The report's own figure; the typed one where the report has none. Two that contradict each other are refused."""
    if read is None:
        if typed is None:
            raise InvalidInput("no overall similarity was found in the report", "Bring another copy, or add --similarity N.")
        return typed
    if typed is not None and abs(read - typed) > AGREES:
        raise InvalidInput(f"the report says {read:g} %, not {typed:g} %", "Leave the figure out, or bring the right report.")
    return read
