"""Similarity reports as people and machines bring them: what a run waits for, and what came.

A report is taken in one transaction (`turnitin.cycles.accept_report`); whatever is refused leaves an audit line with its
reason and changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from autonomy.core.clock import iso, now_us
from autonomy.core.errors import AutonomyError, InvalidInput, NotFound, WaitingForPerson
from autonomy.runtime import events, lanes, queue, runs
from autonomy.runtime.wake import Wake
from autonomy.services.ledger import Ledger, Telling
from autonomy.ssot.task import MOST_CHARACTERS, Task
from autonomy.storage.artifacts import inside, write_atomic
from autonomy.storage.database import Tx
from autonomy.turnitin import cycles
from autonomy.turnitin.cycles import Acceptance, Arrived, Cycle

FOLDER: Final = "reports"
MOST_BYTES: Final = 64 << 20
"""A report with its highlights is a few megabytes; above this it is none."""
DAY_US: Final = 86_400_000_000
"""Between two reminders."""
AGREES: Final = 1.0
"""Percent points by which a figure that a person types may differ from the report's own (reports round)."""
Parse = Callable[[Path, str], dict[str, Any]]
"""(report file, draft text) -> the report as plain data (`turnitin.report.Report`), its passages located in the draft."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What somebody brings for a run: a file (its bytes and its name), or a figure, or both. `similarity` in percent."""

    data: bytes | None = None
    name: str = "report"
    url: str | None = None
    similarity: float | None = None
    cycle_id: str | None = None
    uploader: str | None = None


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

        def look(tx: Tx) -> tuple[runs.Run, list[Cycle]]:
            return runs.get(tx, run_id), cycles.history(tx, run_id)

        run, found = self._database.read(look)
        if not found:
            raise nothing_awaited(run)
        return {"run_id": run.id, "run_status": run.status, **_cycle(found[-1]), "cycles": [_cycle(each) for each in found]}

    def handoff(self, run_id: str) -> dict[str, Any]:
        """What a person is to have checked, and how to bring the report back. Raises NotFound."""
        found = self.status(run_id)
        return {
            **{
                key: found[key]
                for key in ("run_id", "cycle_id", "n", "status", "target_similarity", "waiting_since", "deadline")
            },
            "document": found["document"],
            "sha256": found["sha256"],
            "how": _how(found["document"], run_id),
        }

    def report(self, run_id: str, brought: Brought, actor: str) -> dict[str, Any]:
        """Take a report, once. Raises NotFound, InvalidInput (no similarity in it, or not a percentage), AlreadyDecided for
        another or a late one; each refusal is audited."""
        run = self._database.read(lambda tx: runs.get(tx, run_id))
        try:
            arrived, warnings = self._arrived(run, brought)
            taken = self._wake.write(self._database, lambda tx: cycles.accept_report(tx, run_id, brought.cycle_id, arrived))
        except AutonomyError as error:
            self._refused(run, brought, actor, error)
            raise
        self._wake.ring()
        self.tell()
        return self._told(run, taken, actor, warnings)

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
        found = self._database.read(cycles.untold)
        for cycle in found:
            self._say(cycle)
        return len(found)

    def _say(self, cycle: Cycle) -> None:
        task_id = f"report-{cycle.id}"

        def mark(tx: Tx) -> None:
            cycles.mark_told(tx, cycle)

        if cycle.told == 0:
            run = self._database.read(lambda tx: runs.get(tx, cycle.run_id))
            self._ledger.create(_asking(task_id, run, cycle), Telling("task_created", "run", {"run_id": run.id}, also=mark))
        wanted = {"status": cycle.status, "observed_similarity": cycle.observed}

        def change(task: Task) -> Task | None:
            assert task.report is not None
            stands = task.report.status == cycle.status and task.report.observed_similarity == cycle.observed
            return None if stands else task.evolve(report={**task.report.model_dump(mode="json"), **wanted})

        self._ledger.change(
            task_id, change, Telling("task_updated", cycle.uploader or "run", {"cycle_id": cycle.id}, also=mark)
        )

    def _arrived(self, run: runs.Run, brought: Brought) -> tuple[Arrived, list[str]]:
        """What was brought, read: the file kept under its sha256 below `reports/`, its figure taken from it."""
        if brought.data is None:
            if brought.similarity is None:
                raise InvalidInput("the report has no file and no similarity", "Give a report file, or --similarity N.")
            said = json.dumps({"similarity": brought.similarity, "url": brought.url}, sort_keys=True)
            sha256 = hashlib.sha256(said.encode()).hexdigest()
            return Arrived(brought.similarity, sha256, url=brought.url, uploader=brought.uploader), []
        if len(brought.data) > MOST_BYTES:
            raise InvalidInput(f"the report is larger than {MOST_BYTES >> 20} MiB", "Bring the report itself.")
        sha256 = hashlib.sha256(brought.data).hexdigest()
        suffix = Path(brought.name).suffix.lower()
        path = inside(self._home / FOLDER, f"{run.id}/{sha256[:32]}{suffix if suffix[1:].isalnum() else ''}")
        write_atomic(path, brought.data)
        try:
            found = self._parse(path, self._draft(run.id, brought.cycle_id))
        except InvalidInput as error:
            raise InvalidInput(error.message.replace(path.name, brought.name[:80]), error.hint) from None
        observed = _agreed(found.get("overall"), brought.similarity)
        relative = path.relative_to(self._home).as_posix()
        text = json.dumps(found, ensure_ascii=False, sort_keys=True)
        arrived = Arrived(observed, sha256, text, relative, brought.url, brought.uploader)
        return arrived, list(found.get("warnings", []))

    def _draft(self, run_id: str, cycle_id: str | None) -> str:
        """The text that the report is about."""
        found = self._database.read(lambda tx: cycles.history(tx, run_id))
        meant = [cycle for cycle in found if cycle_id in (None, cycle.id)]
        if not meant:
            raise nothing_awaited(self._database.read(lambda tx: runs.get(tx, run_id)))
        try:
            return (self._home / meant[-1].document).read_text(encoding="utf-8")
        except OSError as error:
            raise NotFound(
                f"the draft {meant[-1].document} cannot be read ({error.strerror})", "See 'autonomy doctor'."
            ) from None

    def _refused(self, run: runs.Run, brought: Brought, actor: str, error: AutonomyError) -> None:
        self._audit.append(
            "turnitin_report_refused",
            correlation_id=run.correlation_id,
            actor=actor,
            run_id=run.id,
            cycle_id=brought.cycle_id,
            reason=error.message,
        )

    def _told(self, run: runs.Run, taken: Acceptance, actor: str, warnings: list[str]) -> dict[str, Any]:
        cycle = taken.cycle
        if not taken.duplicate:
            self._audit.append(
                "turnitin_report_accepted",
                correlation_id=run.correlation_id,
                actor=actor,
                run_id=run.id,
                cycle_id=cycle.id,
                observed_similarity=cycle.observed,
                sha256=cycle.report_sha256,
            )
        return {
            "run_id": run.id,
            "cycle_id": cycle.id,
            "status": cycle.status,
            "observed_similarity": cycle.observed,
            "target_similarity": cycle.target,
            "resume_job_id": cycle.resume_job_id,
            "duplicate": taken.duplicate,
            "warnings": warnings,
        }


def _expired(tx: Tx, cycle: Cycle) -> bool:
    """See to one deadline; False where another has, or a report came at the same moment."""
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


def _asking(task_id: str, run: runs.Run, cycle: Cycle) -> Task:
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
                "target_similarity": cycle.target,
                "how": _how(cycle.document, run.id),
                **({} if cycle.deadline_at is None else {"deadline": iso(cycle.deadline_at)}),
            },
        }
    )


def _how(document: str, run_id: str) -> str:
    return f"Have {document} checked, then: autonomy turnitin report {run_id[:8]} REPORT_FILE"


def current(tx: Tx, run_id: str) -> dict[str, Any] | None:
    """The newest cycle of a run as `run inspect` shows it; None for a run that never waited."""
    found = cycles.history(tx, run_id)
    return _cycle(found[-1]) if found else None


def check_not_awaited(tx: Tx, run_id: str) -> None:
    """Raises WaitingForPerson for a run that stands and waits for a report."""
    found = cycles.history(tx, run_id)
    if found and found[-1].status == "awaiting_report" and runs.get(tx, run_id).status == "waiting_human":
        hint = f"Bring it with 'autonomy turnitin report {run_id[:8]} FILE'."
        raise WaitingForPerson(f"run {run_id} waits for the similarity report of draft {found[-1].n}", hint)


def nothing_awaited(run: runs.Run) -> NotFound:
    """The error for a run without cycles."""
    if run.task.get("target_similarity") is None:
        hint = "A run waits for a report when it is started with --target-similarity N."
    else:
        hint = f"Its draft is not ready yet: see 'autonomy run inspect {run.id[:8]}'."
    return NotFound(f"run {run.id} has handed over no draft for a report", hint)


def _agreed(read: float | None, typed: float | None) -> float:
    """The report's own figure; the typed one where the report has none. Two that contradict each other are refused."""
    if read is None:
        if typed is None:
            raise InvalidInput("no overall similarity was found in the report", "Bring another copy, or add --similarity N.")
        return typed
    if typed is not None and abs(read - typed) > AGREES:
        raise InvalidInput(f"the report says {read:g} %, not {typed:g} %", "Leave the figure out, or bring the right report.")
    return read


def _cycle(cycle: Cycle) -> dict[str, Any]:
    report = json.loads(cycle.report) if cycle.report else None
    waiting = cycle.status == "awaiting_report"
    return {
        "cycle_id": cycle.id,
        "n": cycle.n,
        "status": cycle.status,
        "target_similarity": cycle.target,
        "observed_similarity": cycle.observed,
        "document": cycle.document,
        "sha256": cycle.document_sha256,
        "waiting_since": iso(cycle.opened_at),
        "waited_seconds": round(
            ((now_us() if waiting else cycle.reported_at or cycle.decided_at or now_us()) - cycle.opened_at) / 1e6, 1
        ),
        "deadline": iso(cycle.deadline_at),
        "reminded": cycle.reminded,
        "reported_at": iso(cycle.reported_at),
        "report_url": cycle.report_url,
        "uploader": cycle.uploader,
        "resume_job_id": cycle.resume_job_id,
        "decided_at": iso(cycle.decided_at),
        "why": cycle.why,
        "report": None if report is None else _report(report),
    }


def _report(report: dict[str, Any]) -> dict[str, Any]:
    """What the contract shows of a report, with what its reader was warned of."""
    return {key: report.get(key) for key in ("overall", "approx", "categories", "top_sources", "flagged", "layout", "warnings")}
