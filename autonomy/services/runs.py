"""Runs as people and machines ask for them: start, look, steer, export. Each method is one transaction or one read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from autonomy.core.clock import is_id, is_over, iso, new_id
from autonomy.core.errors import (
    AlreadyEnded,
    ConfigurationError,
    HeldByAnother,
    InvalidInput,
    NotFound,
    NotYetBuilt,
    StorageError,
    StorageUnavailable,
)
from autonomy.core.events import Event
from autonomy.core.state import initial_state
from autonomy.core.types import Budget, TaskSpec
from autonomy.core.wording import in_order
from autonomy.runtime import backlog, budgets, checkpoint_rows, events, lanes, queue, runs
from autonomy.runtime.lease import Watch
from autonomy.runtime.wake import Wake
from autonomy.services import asked, awaited
from autonomy.services.export import export_files
from autonomy.services.story import Story, tell
from autonomy.storage.database import Database, Tx

T = TypeVar("T")
BUILT = ("write", "research")
RESERVED: Final = "task:"
"""How the idempotency keys of the runs of tasks begin; nobody else may use such a key."""
Abandoned = Literal["gone", "silent"]


@dataclass(frozen=True, slots=True)
class StartRun:
    """A request for a run. `priority` 1 (high) to 10 (low). `correlation_id` comes with the request where it was made at
    an earlier door; None makes one.
    """

    task: TaskSpec
    user_id: str = "local"
    priority: int = 5
    idempotency_key: str | None = None
    task_id: str | None = None
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a request; `duplicate` says that its idempotency key was seen before."""

    run_id: str
    job_id: int
    status: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; `next_cursor` None is the last."""

    items: list[dict[str, Any]]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Seed:
    """What the first checkpoint is marked with: the graph's fingerprint and the state's version."""

    fingerprint: str
    state_version: int


class Runs:
    """The runs of one workspace."""

    def __init__(
        self,
        database: Database,
        home: Path,
        wake: Wake,
        seed: Seed,
        *,
        per_user: int,
        max_attempts: int,
        hear_others: Callable[[], None],
    ) -> None:
        """`hear_others` begins to listen for what other processes write; called once something is waited for."""
        self._database = database
        self._home = home
        self._wake = wake
        self._seed = seed
        self._per_user = per_user
        self._max_attempts = max_attempts
        self._hear_others = hear_others

    # -- start ------------------------------------------------------------------------------------

    def admit(self, request: StartRun, *, reserved: bool = False) -> None:
        """Refuse what this release cannot do, what is not there, and any run while the policy file is flawed. Raises
        InvalidInput, NotYetBuilt, FlawedPolicy.

        `reserved`: the key may be one of those that belong to tasks.
        """
        if not reserved and (request.idempotency_key or "").startswith(RESERVED):
            raise InvalidInput(f"idempotency keys that begin with {RESERVED!r} belong to tasks", "Choose another key.")
        for name, value in (("user", request.user_id), ("task", request.task_id), ("correlation", request.correlation_id)):
            if value is not None and not is_id(value):
                raise InvalidInput(f"the {name} id must be 1 to 64 letters, digits, '-' or '_'", "Correct it.")
        from autonomy.journeys import policies  # here, so that commands that start nothing do not pay for it

        _admit(request.task)
        policies.read(self._home)

    def start(self, request: StartRun, *, reserved: bool = False) -> Started:
        """Run row, first checkpoint, job and first event in one transaction. Raises what `admit` raises."""
        self.admit(request, reserved=reserved)
        task = request.task
        content = json.dumps([request.user_id, request.priority, request.task_id, task.model_dump(mode="json")], sort_keys=True)
        new = runs.NewRun(
            user_id=request.user_id,
            journey=task.journey,
            goal=task.goal,
            task=task.model_dump(mode="json"),
            provider=",".join(task.provider),
            # The id travels: what a task sets off is found by it.
            correlation_id=request.correlation_id or request.task_id or new_id(),
            task_id=request.task_id,
            idempotency_key=request.idempotency_key,
            request_hash=hashlib.sha256(content.encode()).hexdigest(),
            **budgets.columns(task.budget),
        )
        return self._wake.write(self._database, lambda tx: self._create(tx, new, request))

    def _create(self, tx: Tx, new: runs.NewRun, request: StartRun) -> Started:
        created = runs.create(tx, new)
        if created.repeated:
            job = tx.value("SELECT min(id) FROM job WHERE run_id = :run", run=created.run_id)
            return Started(created.run_id, int(job), runs.get(tx, created.run_id).status, True)
        state = dict(initial_state(created.run_id, request.task))
        seed = self._seed
        checkpoint_rows.seed(tx, created.run_id, state, fingerprint=seed.fingerprint, state_version=seed.state_version)
        self._allow(tx, request.user_id)
        job = queue.enqueue_start(tx, created.run_id, priority=request.priority, max_attempts=self._max_attempts)
        return Started(created.run_id, job, "queued", False)

    def _allow(self, tx: Tx, user_id: str) -> None:
        """Bring the user's limit of running jobs level with the settings."""
        lane = lanes.get(tx, user_id)
        if (lanes.LIMIT if lane is None else lane["allowed"]) != self._per_user:
            lanes.configure(tx, user_id, weight=1 if lane is None else lane["weight"], allowed=self._per_user)

    # -- look -------------------------------------------------------------------------------------

    def resolve(self, prefix: str) -> str:
        """The id that a unique prefix names. Raises NotFound with the candidates, InvalidInput for what is no id."""
        return self._database.read(lambda tx: runs.resolve(tx, prefix))

    def page(self, *, user: str | None = None, status: str | None = None, limit: int = 20, cursor: str | None = None) -> Page:
        """Newest first. Raises InvalidInput for what is no user id, status, limit or cursor."""
        if user is not None and not is_id(user):
            raise InvalidInput("the user id must be 1 to 64 letters, digits, '-' or '_'", "Correct it.")
        page = self._database.read(lambda tx: runs.page(tx, user, status, limit, cursor))
        return Page([_brief(run) for run in page.items], page.next_cursor)

    def inspect(self, run_id: str) -> dict[str, Any]:
        """Everything about one run: its row, its last checkpoint, budgets and artifacts."""

        def look(tx: Tx) -> tuple[runs.Run, dict[str, Any] | None, list[dict[str, Any]], dict[str, Any] | None]:
            run = runs.get(tx, run_id)
            sql = "SELECT id AS artifact_id, role, path, media_type, sha256, size FROM artifact WHERE run_id = :run"
            rows = sorted(tx.rows(sql, run=run_id), key=lambda row: in_order(row["path"]))
            return run, checkpoint_rows.latest_state(tx, run_id), rows, awaited.current(tx, run_id)

        run, state, artifacts, cycle = self._database.read(look)
        state = state or {}
        return {
            **_brief(run),
            "task_id": run.task_id,
            "task": run.task,
            "plan": [{**step, "done": step["state"] in ("done", "skipped")} for step in state.get("plan", [])],
            "current": state.get("current"),
            "last_observation": state.get("observation"),
            "last_verdict": state.get("verdict"),
            "notes": state.get("notes", []),
            "turnitin": cycle,
            "artifacts": artifacts,
            "error": run.error,
            "finished_at": iso(run.finished_at),
        }

    def statuses(self, run_ids: Sequence[str]) -> dict[str, str]:
        """How runs stand, by id; ids of no run are left out."""

        def look(tx: Tx) -> list[tuple[str, Any]]:
            return [(each, tx.value("SELECT status FROM run WHERE id = :id", id=each)) for each in run_ids]

        return {each: status for each, status in self._database.read(look) if status is not None} if run_ids else {}

    def abandoned(self) -> dict[str, Abandoned]:
        """Running runs that nobody seems to work: run_id to "gone" (its worker was on this host and has left its lock
        behind) or "silent" (its lease is over). Any worker takes them over."""

        def look(tx: Tx) -> list[tuple[str, str, bool]]:
            return tx.tuples("SELECT run_id, locked_by, lease_until < (SELECT now_us()) FROM job WHERE state = 'running'")

        held = self._database.read(look)
        gone: set[str] = set()
        if held:
            with contextlib.suppress(ConfigurationError):  # without a folder of locks a death cannot be proved
                watch = Watch()
                gone = {run_id for run_id, holder, _ in held if watch.life(holder) == "gone"}
        silent = {run_id for run_id, _, over in held if over}
        return {run_id: "gone" if run_id in gone else "silent" for run_id in silent | gone}

    def deliverables(self, run_id: str) -> list[dict[str, Any]]:
        """What the run hands over, without the stored sources: path, role, media_type, sha256, artifact_id."""
        sql = (
            "SELECT path, role, media_type, sha256, id AS artifact_id FROM artifact "
            "WHERE run_id = :run AND role NOT IN ('source', 'source-map')"
        )
        found = self._database.read(lambda tx: tx.rows(sql, run=run_id))
        return sorted(found, key=lambda row: (row["role"], in_order(row["path"])))

    def events(self, run_id: str, *, after: int = 0, limit: int = 500) -> list[Event]:
        """Events with a seq above `after`, in order."""
        return self._database.read(lambda tx: events.read(tx, run_id, after=after, limit=limit))

    def all_events(self, after: int = 0, limit: int = 500) -> list[Event]:
        """Events of every run by position; see `runtime.events.read_all`."""
        return events.read_all(self._database, after=after, limit=limit)

    def wait_events(self, run_id: str, after: int, timeout: float) -> list[Event]:
        """Events above `after`; waits for the first one up to `timeout` seconds, then answers with none."""
        self._hear_others()
        deadline = time.monotonic() + timeout
        while True:
            seen = self._wake.mark()
            found = self.events(run_id, after=after)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            self._wake.wait(seen, left)

    # -- steer ------------------------------------------------------------------------------------

    def pause(self, run_id: str) -> dict[str, Any]:
        """Stop at the next step; the run keeps everything and costs nothing meanwhile."""
        return self._control(run_id, "pause")

    def abort(self, run_id: str) -> dict[str, Any]:
        """Stop for good. What was delivered so far stays."""
        return self._control(run_id, "abort")

    def _control(self, run_id: str, control: runs.Control) -> dict[str, Any]:
        watch = Watch()

        def write(tx: Tx) -> tuple[str, runs.Run]:
            done = runs.request_control(tx, run_id, control)
            if done == "requested" and queue.take_over_if_gone(tx, run_id, watch=watch):
                done = "applied"  # its worker is dead: nobody else would hear the request
            return done, runs.get(tx, run_id)

        done, run = self._steer(run_id, write)
        self._wake.ring()
        if done == "ended":
            raise AlreadyEnded(f"run {run_id} has ended already ({run.status})", f"See 'autonomy run inspect {run_id[:8]}'.")
        return {**_brief(run), "control": done}

    def resume(self, run_id: str) -> dict[str, Any]:
        """Put a paused run back into the queue; a pause that was not yet obeyed is taken back.

        Raises InvalidInput when it has ended, HeldByAnother, naming the holder, when a live worker has it, WaitingForPerson
        when it waits for a report: an operator's word does not stand for that.
        """
        watch = Watch()

        def write(tx: Tx) -> int | None:
            awaited.check_not_awaited(tx, run_id)
            queue.take_over_if_gone(tx, run_id, watch=watch, by_operator=True)
            job = queue.enqueue_resume(tx, run_id, "operator", max_attempts=self._max_attempts)
            if job is None and runs.withdraw_pause(tx, run_id):
                standing = backlog.standing(tx, run_id)
                return None if standing is None else standing.job_id
            return job

        job = self._steer(run_id, write)
        self._wake.ring()
        run = self._database.read(lambda tx: runs.get(tx, run_id))
        if job is None and run.ended:
            raise AlreadyEnded(f"run {run_id} has ended already ({run.status})", "Start a new run.")
        if job is None:
            standing = self._database.read(lambda tx: backlog.standing(tx, run_id))
            holder = standing.holder if standing is not None else None
            hint = "Follow it with 'autonomy run tail', or add --wait."
            raise HeldByAnother(f"run {run_id} is being worked by {holder}", hint)
        return {**_brief(run), "job_id": job}

    def budget(self, run_id: str, change: Budget | None = None) -> dict[str, Any]:
        """The run's budgets; with `change` the named limits are set first."""
        if change is not None:
            self._steer(run_id, lambda tx: _change_budget(tx, run_id, change))
            self._wake.ring()
        return {"run_id": run_id, "budgets": _budgets(self._database.read(lambda tx: runs.get(tx, run_id)))}

    def _steer(self, run_id: str, write: Callable[[Tx], T]) -> T:
        """Write. Where the database stays locked, the run's holder is named: a process that was frozen in the middle of a
        write keeps SQLite's lock, and nobody can take the run over."""
        try:
            return self._database.write(write)
        except StorageUnavailable as error:
            holder = self._holder(run_id)
            if holder is None:
                raise
            host, pid, _ = [*holder.rsplit(":", 2), "?", ""][:3]
            hint = "If that process is frozen, let it go on or end it; then try again."
            raise StorageUnavailable(f"{error.message}; the run is held by process {pid} on {host}", hint) from error

    def _holder(self, run_id: str) -> str | None:
        """Who works the run, as far as the database can still be read."""
        with contextlib.suppress(StorageError):
            standing = self._database.read(lambda tx: backlog.standing(tx, run_id))
            return standing.holder if standing is not None else None
        return None

    # -- tell -------------------------------------------------------------------------------------

    def explain(self, run_id: str) -> Story:
        """The story of the run from its events and its journal."""
        run = self.inspect(run_id)
        found: list[Event] = []
        while batch := self.events(run_id, after=found[-1].seq if found else 0, limit=1000):
            found.extend(batch)
        sql = "SELECT kind, name, tokens_in, tokens_out, cost_usd FROM call WHERE run_id = :run ORDER BY n"
        calls = self._database.read(lambda tx: tx.rows(sql, run=run_id))
        return tell(run, found, calls)

    def export(self, run_id: str, folder: Path) -> Sequence[Path]:
        """Copy the run's files into an empty or new folder, each checked against its sha256: all of them, or none.

        Raises NotFound (no run, no files, a file that is missing), InvalidInput (a folder in use, a file that was changed,
        a path that leaves the run's own folder), ConfigurationError, DiskFull.
        """
        sql = "SELECT path, sha256 FROM artifact WHERE run_id = :run ORDER BY path"
        run, rows = self._database.read(lambda tx: (runs.get(tx, run_id), tx.rows(sql, run=run_id)))
        if not rows:
            raise NotFound(f"run {run.id} has no files yet", f"See 'autonomy run inspect {run.id[:8]}'.")
        return export_files(
            self._home / "artifacts" / run.id, {_own(run.id, row["path"]): row["sha256"] for row in rows}, folder
        )


def _change_budget(tx: Tx, run_id: str, change: Budget) -> None:
    """An ended run's story is closed: nothing is written after its last event."""
    run = runs.get(tx, run_id)
    if run.ended:
        raise AlreadyEnded(f"run {run_id} has ended already ({run.status})", "Start a new run with the budget you want.")
    budgets.change(tx, run_id, change)


def _admit(task: TaskSpec) -> None:
    """Refuse at the door what this release cannot do and what cannot be read, before anything is written."""
    if task.journey not in BUILT:
        raise NotYetBuilt(f"the {task.journey} journey is not part of this release", f"Choose one of: {', '.join(BUILT)}.")
    if task.target_similarity is not None and task.journey == "research":
        hint = "Leave --target-similarity out."
        raise InvalidInput("a research pack needs no similarity report", hint)
    if task.source is not None:
        hint = "Leave --source out, or put the document into the folder named by --corpus."
        raise InvalidInput(f"the {task.journey} journey reads a corpus, not a source", hint)
    if task.due_date is not None and is_over(task.due_date):
        raise InvalidInput(f"the due date {task.due_date} is over", "Name a day that is still to come, or today.")
    if not task.corpus:
        raise InvalidInput(asked.NO_CORPUS, asked.BY_OPTION)
    for name in task.corpus:
        folder = Path(name)
        try:
            there, usable = folder.exists(), folder.is_dir()
        except OSError as error:
            hint = "Name a folder that can be opened with --corpus."
            raise InvalidInput(f"corpus folder {name[:200]} cannot be opened ({error.strerror})", hint) from None
        if not there:
            raise InvalidInput(f"corpus folder {name} does not exist", "Name an existing folder with --corpus.")
        if not usable:
            raise InvalidInput(f"corpus {name} is not a folder", "Name the folder that holds the documents.")


def _own(run_id: str, path: str) -> str:
    """An artifact's name below its run's folder."""
    name = path.removeprefix(f"artifacts/{run_id}/")
    if name == path:
        raise InvalidInput(f"{path} is not a file of run {run_id}", "See 'autonomy doctor'.")
    return name


def _brief(run: runs.Run) -> dict[str, Any]:
    """A run as a list shows it."""
    return {
        "run_id": run.id,
        "user_id": run.user_id,
        "journey": run.journey,
        "goal": run.goal,
        "status": run.status,
        "outcome": run.outcome,
        "route": run.route,
        "budgets": _budgets(run),
        "correlation_id": run.correlation_id,
        "created_at": iso(run.created_at),
        "updated_at": iso(run.updated_at),
    }


def _budgets(run: runs.Run) -> dict[str, dict[str, Any]]:
    """Limit, used and reserved: tokens as counts, seconds and US dollars as numbers; limit None is unlimited."""
    return {
        "tokens": {"limit": run.limit_tokens, "used": run.used_tokens, "reserved": run.reserved_tokens},
        "seconds": {"limit": None if run.limit_ms is None else run.limit_ms / 1000, "used": run.used_ms / 1000, "reserved": 0},
        "usd": {
            "limit": budgets.dollars(run.limit_usd),
            "used": run.used_usd / budgets.MICRO,
            "reserved": run.reserved_usd / budgets.MICRO,
            "unpriced_calls": run.unpriced_calls,
        },
    }
