"""Tasks as people and machines ask for them: add, look, decide. The only way in, whichever door a request came through.

It reads, writes, tells and audits; the judging is done by the status engine (`ssot.status`), by people, and by the Critic.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from autonomy.core.clock import is_id, new_id
from autonomy.core.errors import AlreadyDecided, InvalidInput, NotFound
from autonomy.runtime.events import Following
from autonomy.runtime.wake import Wake
from autonomy.services import asked, task_events
from autonomy.services.criteria import DEFAULT_CRITERIA, notes
from autonomy.services.ledger import Audit, Ledger, Telling, now
from autonomy.services.review import DEFAULT_SCOPE
from autonomy.services.runs import Page, Runs
from autonomy.services.task_events import TaskEvent
from autonomy.services.task_runs import TaskRuns, given_out, names_folders
from autonomy.services.trail import Trail
from autonomy.ssot import protocol, status
from autonomy.ssot.canonical import canonical
from autonomy.ssot.reading import Stored
from autonomy.ssot.store import Damage, Listing, TaskStore, damaged
from autonomy.ssot.task import ASKING, Ruling, Source, Task
from autonomy.storage.database import Database, Tx

UNAWARE: Final = frozenset({"telegram", "github"})
"""Doors whose people know nothing of the corpora here."""
STATUSES: Final = ("pending", "needs_review", "approved", "rejected")
PAGE, PAGE_MAX, CANDIDATES = 50, 200, 10
SHOWN: Final = 1000
"""Characters of a request that a list shows."""
READERS: Final = 256
"""Users whose first page is kept ready."""
_CURSOR = re.compile(r"(-?[0-9]{1,19})\.([A-Za-z0-9_-]{1,64})")
_COMMIT = re.compile(r"\b[0-9a-f]{7,64}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A request for a task. `task_spec` as in POST /api/v2/runs; `correlation_id` comes from the door that made it, else the
    task's id is taken; criteria and scope are lists of {id, text}."""

    source: Source
    request_text: str
    user_id: str = "local"
    journey: str | None = None
    task_spec: Mapping[str, Any] | None = None
    task_id: str | None = None
    correlation_id: str | None = None
    chat_id: int | str | None = None
    message_id: int | str | None = None
    git: Mapping[str, str] | None = None
    acceptance_criteria: Sequence[Mapping[str, Any]] = ()
    declared_scope: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Created:
    """The task as it stands; `duplicate` says that it was there before. `notes` tell what its criteria ask in vain."""

    task: dict[str, Any]
    duplicate: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook's delivery: `source` such as github, and the sender's id of it."""

    source: str
    delivery_id: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What a delivery did: the tasks that name its commit or branch; `duplicate` says that it had its effect before."""

    tasks: tuple[str, ...]
    duplicate: bool


class Tasks:
    """The tasks of one workspace."""

    def __init__(
        self, store: TaskStore, database: Database, audit: Audit, runs: Runs, wake: Wake, *, home: Path,
        defaults: asked.Defaults, max_dispatches: int = 2,
    ) -> None:  # fmt: skip
        self._store = store
        self._database = database
        self._audit = audit
        self._ledger = Ledger(store, database, audit, wake)
        self._defaults = defaults
        self._work = TaskRuns(self._ledger, home, runs, defaults, max_dispatches)
        self._trail = Trail(database, audit, home / "audit")
        self._most = max_dispatches
        self._guard = threading.Lock()
        self._ready: dict[str | None, tuple[Listing, bytes]] = {}
        self._looked: tuple[Listing | None, frozenset[Damage]] = (None, frozenset())

    # -- add ----------------------------------------------------------------------------------------

    def create(self, new: NewTask) -> Created:
        """Write a new task, pending. The same id again changes nothing.

        What could not be started is refused as a run is; only who cannot know what there is to read (see `UNAWARE`) is
        heard all the same, and the task's `error` then says what is missing. Raises InvalidInput, NotYetBuilt, and then
        nothing was written.
        """
        task = _new(new)
        asked.check(
            task.task_spec, journey=task.journey, goal=task.request_text, defaults=self._defaults, folders=names_folders(task)
        )  # fmt: skip
        unaware = new.source in UNAWARE
        hint = "" if unaware else asked.BY_OPTION if new.source == "cli" else asked.by_name(self._defaults)
        trouble = self._work.trouble(task, hint)
        if trouble is not None:
            if not unaware:
                raise trouble
            task = task.evolve(error=str(trouble))
        made, fresh = self._ledger.create(task, Telling("task_created", new.user_id, {"source": new.source}))
        return Created(made.as_json(), duplicate=not fresh, notes=notes(made) if fresh else ())

    # -- look ---------------------------------------------------------------------------------------

    def list(self, *, user: str | None = None, status: str | None = None, limit: int = PAGE, cursor: str | None = None) -> Page:
        """Tasks in brief, the newest first; of one user where one is given. Raises InvalidInput."""
        return _page(self._listing(), user=user, status=status, limit=limit, cursor=cursor)

    def raw_list(self, user: str | None = None) -> bytes:
        """The first page as canonical JSON, ready to send; made again only once a file has changed."""
        listing = self._listing()
        kept = self._ready.get(user)
        if kept is not None and kept[0] is listing:
            return kept[1]
        page = _page(listing, user=user)
        made = canonical({"items": page.items, "next_cursor": page.next_cursor})
        with self._guard:
            if len(self._ready) >= READERS and user not in self._ready:
                self._ready.clear()
            self._ready[user] = (listing, made)
        return made

    def damaged(self) -> tuple[Damage, ...]:
        """The files that are no tasks, by name, with the reason."""
        return self._listing().damaged

    def _listing(self) -> Listing:
        """All files as they stand. Damage that this process has not seen yet leaves a line in the audit log."""
        listing = self._store.list()
        if listing is self._looked[0]:
            return listing
        with self._guard:
            fresh = [damage for damage in listing.damaged if damage not in self._looked[1]]
            self._looked = listing, frozenset(listing.damaged)
        if fresh:
            self._audit.append_many([_damage_line(damage) for damage in fresh])
        return listing

    def show(self, task_id: str, user: str | None = None, *, by: str | None = None) -> dict[str, Any]:
        """Everything about a task; `by` is who reads. Raises NotFound (also for another user's), CorruptState."""
        stored = self._mine(task_id, user)
        self._audit.append(
            "task_read",
            correlation_id=stored.task.correlation_id,
            actor=by or user or "operator",
            task_id=task_id,
            revision=stored.task.revision,
        )
        return stored.task.as_json()

    def resolve(self, prefix: str, user: str | None = None) -> str:
        """The task that an id, or its unique beginning, names. Raises InvalidInput, NotFound with candidates, CorruptState."""
        if not is_id(prefix):
            raise InvalidInput(f"not a task id: {prefix[:80]!r}", "Ids are 1 to 64 letters, digits, '-' and '_'.")
        listing = self._store.list()
        whys = {each.name.removesuffix(".json"): each for each in listing.damaged} if user is None else {}
        ids = [each.task.task_id for each in listing.tasks if user is None or each.task.user_id == user]
        if prefix in ids:
            return prefix
        found = sorted(each for each in (*ids, *whys) if each.startswith(prefix))
        if prefix in whys or (len(found) == 1 and found[0] in whys):
            damage = whys.get(prefix) or whys[found[0]]
            raise damaged(damage.name, damage.why)
        if len(found) == 1:
            return found[0]
        if not found:
            raise NotFound(f"no task begins with {prefix}", "List tasks with 'autonomy tasks list'.")
        names = tuple(found[:CANDIDATES])
        more = " ..." if len(found) > CANDIDATES else ""
        raise NotFound(f"several tasks begin with {prefix}: {', '.join(names)}{more}", "Give more of the id.", candidates=names)

    # -- decide -------------------------------------------------------------------------------------

    def name_corpus(self, task_id: str, corpus: Sequence[str], by: str, *, folders: bool) -> dict[str, Any]:
        """Name what a task reads, before its work begins; a task that was approved is started then, if nothing else is wrong.

        `folders` says whether absolute folders may be named besides names of [corpora]. Raises InvalidInput for what is not
        there, AlreadyDecided where there is nothing to start any more, NotFound.
        """
        if not asked.named_folders(list(corpus), self._defaults, folders=folders):
            raise InvalidInput(asked.NO_CORPUS, "Name one.")

        def name(task: Task) -> Task:
            if not status.awaits_start(task):
                why = f"is {task.status} already" if task.run_id is None else "has its run already"
                raise AlreadyDecided(f"task {task.task_id} {why}", "Add a new task with the corpus instead.")
            named = task.evolve(corpus=tuple(corpus))
            trouble = self._work.trouble(named)
            said = None if trouble is None else str(trouble)
            return named if said == named.error else named.evolve(error=said)

        telling = Telling("task_updated", by, {"corpus": list(corpus)})
        self._work.start(self._ledger.change(task_id, name, telling).after.task)
        return self._store.read(task_id).task.as_json()

    def approve(self, task_id: str, by: str, reason: str | None = None, *, start: bool = True) -> dict[str, Any]:
        """A person says yes: the task's run is started, or the result that waits for review is accepted.

        Without `start` the work is left to parties of one's own (see `play`). A task that cannot be started as it is stays
        approved and says why in `error`. An approval that was cut short is finished when it is repeated. Raises
        AlreadyDecided, NotFound, InvalidInput for a reason that cannot be written.
        """
        try:
            task = self._decide(task_id, "approved", by, reason)
        except AlreadyDecided:
            healed = self._ledger.heal(task_id)
            task = self._store.read(task_id).task
            if start:
                self._work.start(task)  # does nothing unless it is approved and has no run yet
            if not (healed and status.just_approved(task, by)):
                raise
        else:
            if start:
                self._work.start(task)
        return self._store.read(task_id).task.as_json()

    def reject(self, task_id: str, by: str, reason: str | None = None) -> dict[str, Any]:
        """A person says no. Raises AlreadyDecided, NotFound, InvalidInput for a reason that cannot be written."""
        return self._decide(task_id, "rejected", by, reason).as_json()

    def _decide(self, task_id: str, ruling: Ruling, by: str, reason: str | None) -> Task:
        def decide(task: Task) -> Task:
            decided = status.decide(task, ruling, by=by, at=now(), reason=reason)
            return given_out(decided) if ruling == "approved" else decided

        telling = Telling(f"task_{ruling}", by, {} if reason is None else {"reason": reason})
        try:
            return self._ledger.change(task_id, decide, telling).after.task
        except ValidationError as error:
            raise _invalid(error) from None

    def set_ci_status(
        self, repo: str, commits: Collection[str], branches: Collection[str], status: str, delivery: Delivery
    ) -> Effect:
        """Note how a build ended in every task that names one of the commits or branches, once per delivery."""
        if self.delivered(delivery):
            return Effect((), duplicate=True)
        named = [each.task.task_id for each in self._store.list().tasks if _names(each.task, repo, set(commits), set(branches))]
        fields = {"ci_status": status, "delivery_id": delivery.delivery_id}

        def change(task: Task) -> Task | None:
            return task.evolve(ci_status=status) if task.ci_status != status else None

        taken: list[bool] = []

        def take(tx: Tx) -> None:
            sql = (
                "INSERT INTO delivery (source, delivery_id, effect, received_at) VALUES (:source, :id, :effect, now_us()) "
                "ON CONFLICT (source, delivery_id) DO NOTHING"
            )
            made = tx.run(sql, source=delivery.source, id=delivery.delivery_id, effect=" ".join(named) or "none")
            taken[:] = [made == 1]

        for task_id in named[:-1]:
            self._ledger.change(task_id, change, Telling("task_updated", delivery.source, fields))
        if named:
            self._ledger.change(named[-1], change, Telling("task_updated", delivery.source, fields, take))
        else:
            self._database.write(take)
        return Effect(tuple(named), duplicate=not taken[0])

    def delivered(self, delivery: Delivery) -> bool:
        """Whether a delivery had its effect already."""
        sql = "SELECT 1 FROM delivery WHERE source = :source AND delivery_id = :id"
        found = self._database.read(lambda tx: tx.value(sql, source=delivery.source, id=delivery.delivery_id))
        return found is not None

    # -- work ---------------------------------------------------------------------------------------

    def acknowledge(self, run_id: str) -> bool:
        """Before a worker takes a run on: its task's criteria and scope are echoed. False for a run without a task."""
        return self._work.acknowledge(run_id)

    def report_pending(self) -> int:
        """Have ended runs report into their tasks; returns how many tasks were reported to."""
        return self._work.report_pending()

    def audit_runs(self, patience: float) -> int:
        """Have what runs did audited; returns how many lines that were. A process that is at it already is waited for so
        many seconds: it may be slow, or frozen.
        """
        return self._trail.catch_up(patience)

    def reconcile(self) -> int:
        """At the start of a worker or a server: finish what a crash cut short; returns how much there was."""
        return self._work.reconcile()

    def catch_up(self) -> int:
        """While a worker or a server lives: finish what others left undone; returns how much there was."""
        return self._work.catch_up()

    def play(self, task_id: str, executor: protocol.Executor, reviewer: protocol.Reviewer) -> dict[str, Any]:
        """See an approved task through with parties of one's own instead of a run; each step is written and told."""

        def step(name: str, change: Callable[[Task], Task]) -> Task:
            return self._ledger.change(task_id, change, Telling(f"protocol_{name}", "protocol")).after.task

        task = self._store.read(task_id).task
        if status.status(task) != "approved":
            raise InvalidInput(f"task {task_id} is {task.status}", "Approve it first.")
        return protocol.play(task, executor, reviewer, clock=now, most=self._most, step=step).as_json()

    # -- follow -------------------------------------------------------------------------------------

    def events(self, after: int = 0, limit: int = 500) -> Sequence[TaskEvent]:
        """Changes of all tasks with a position above `after`, in order and without a hole."""
        return task_events.follow(self._database, after).read_patiently(limit)

    def follow(self, after: int = 0) -> Following[TaskEvent]:
        """A reader that goes on where it stopped; one thread's own."""
        return task_events.follow(self._database, after)

    def last_position(self) -> int:
        """The position of the newest change."""
        return task_events.last_position(self._database)

    # -- shared -------------------------------------------------------------------------------------

    def _mine(self, task_id: str, user: str | None) -> Stored:
        stored = self._store.read(task_id)
        if user is not None and stored.task.user_id != user:
            raise NotFound(f"no task {task_id}", "List tasks with 'autonomy tasks list'.")
        return stored


def _damage_line(damage: Damage) -> dict[str, Any]:
    name = damage.name.removesuffix(".json")
    about = {"file": damage.name, "why": damage.why}
    return {"action": "task_damaged", "correlation_id": name if is_id(name) else "tasks", "actor": "system", **about}


def brief(task: Task) -> dict[str, Any]:
    """A task as a list shows it; a long request is cut."""
    text = task.request_text
    return {
        "task_id": task.task_id,
        "status": task.status,
        "source": task.source,
        "user_id": task.user_id,
        "journey": task.journey,
        "request_text": text if len(text) <= SHOWN else text[: SHOWN - 1] + "…",
        "correlation_id": task.correlation_id,
        "revision": task.revision,
        "created_at": task.created_at,
        "updated_at": task.updated_at or task.created_at,
        "run_id": task.run_id,
        "outcome": task.outcome,
        "finished_at": task.finished_at,
        "ci_status": task.ci_status,
        "error": task.error,
        **({} if task.report is None else {"report": task.report.model_dump(mode="json", exclude_unset=True)}),
    }


def _new(new: NewTask) -> Task:
    task_id = new.task_id or new_id()
    if task_id.startswith(ASKING):
        raise InvalidInput(f"task ids that begin with {ASKING!r} belong to runs that wait for a report", "Choose another id.")
    at = now()
    values: dict[str, Any] = {
        "task_id": task_id,
        "schema_version": 1,
        "revision": 1,
        "source": new.source,
        "status": "pending",
        "correlation_id": new.correlation_id or task_id,
        "created_at": at,
        "updated_at": at,
        "request_text": new.request_text,
        "user_id": new.user_id,
        "acceptance_criteria": [dict(each) for each in new.acceptance_criteria] or list(DEFAULT_CRITERIA),
        "declared_scope": [dict(each) for each in new.declared_scope] or list(DEFAULT_SCOPE),
    }
    for name in ("journey", "chat_id", "message_id"):
        if getattr(new, name) is not None:
            values[name] = getattr(new, name)
    for name in ("task_spec", "git"):
        if getattr(new, name) is not None:
            values[name] = dict(getattr(new, name))
    try:
        return Task.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> InvalidInput:
    problem = error.errors(include_input=False, include_url=False)[0]
    name = ".".join(str(part) for part in problem["loc"]) or "the task"
    reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return InvalidInput(f"{name}: {reason[0].lower()}{reason[1:]}", "Correct it and try again.")


def _page(
    listing: Listing, *, user: str | None, status: str | None = None, limit: int = PAGE, cursor: str | None = None
) -> Page:
    if status is not None and status not in STATUSES:
        raise InvalidInput(f"unknown status {status[:40]!r}", f"One of: {', '.join(STATUSES)}.")
    if not 1 <= limit <= PAGE_MAX:
        raise InvalidInput(f"a page holds 1 to {PAGE_MAX} tasks", "Correct the limit.")
    after = _cursor(cursor)
    found = [
        stored
        for stored in listing.tasks
        if (user is None or stored.task.user_id == user)
        and (status is None or stored.task.status == status)
        and (after is None or (stored.created, stored.task.task_id) < after)
    ]
    items = found[:limit]
    more = len(found) > limit
    return Page([brief(each.task) for each in items], f"{items[-1].created}.{items[-1].task.task_id}" if more else None)


def _cursor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    matched = _CURSOR.fullmatch(text)
    if matched is None:
        raise InvalidInput("not a cursor of this list", "Use next_cursor of the page before, unchanged.")
    return int(matched[1]), matched[2]


def _names(task: Task, repo: str, commits: set[str], branches: set[str]) -> bool:
    """Whether a task speaks of one of the commits or branches: in its `git` fields, or of a commit in its words."""
    git = task.git
    if git is not None and git.repo is not None and git.repo.lower() != repo.lower():
        return False
    spoken = set(_COMMIT.findall(task.request_text.lower()))
    if git is not None and git.commit:
        spoken.add(git.commit.lower())
    if any(commit.lower().startswith(word) for commit in commits for word in spoken if len(word) >= 7):
        return True
    return git is not None and git.branch is not None and git.branch in branches
