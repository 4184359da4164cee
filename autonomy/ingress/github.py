"""GitHub's webhooks: a signature over the raw bytes, then an event that changes a task, makes one, or is of no concern.

Rules: the signature is HMAC-SHA256 over the body as it came, in `X-Hub-Signature-256: sha256=<hex>`, compared in constant
time before anything is parsed (docs.github.com, "Validating webhook deliveries"). It has no time in it, so a captured
delivery could be sent again for ever: each `X-GitHub-Delivery` has its effect once, and only a signed one is noted.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs

from autonomy.core import strict_json
from autonomy.core.errors import InvalidInput
from autonomy.ingress.deliveries import record, recorded
from autonomy.ingress.reply import Headers, Reply, absent, dig, header, problem
from autonomy.services.tasks import Created, Delivery, Effect, NewTask
from autonomy.storage.database import Database

SOURCE = "github"
UNDER_WAY = "pending"
"""The `ci_status` of a build that has not ended; one that has ended has GitHub's own word for how."""
MOST_NAMES = 100
_EVENT = re.compile(r"[a-z0-9_]{1,64}")
_DELIVERY = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
_REPO = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_WORD = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True, slots=True)
class SetCi:
    """How a build of some commits and branches stands."""

    repo: str
    commits: tuple[str, ...]
    branches: tuple[str, ...]
    status: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that changes nothing here, and why."""

    reason: str


Command = SetCi | NewTask | Ignored


class Tasks(Protocol):
    """What an event may do (`services.tasks.Tasks`)."""

    def create(self, new: NewTask) -> Created:
        """A new task, or the one that was there."""
        ...

    def set_ci_status(
        self, repo: str, commits: Collection[str], branches: Collection[str], status: str, delivery: Delivery
    ) -> Effect:
        """Note how a build stands, and the delivery in the same transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Options:
    """Whose events are heard (no repository named: all), whether issues become tasks, and whose tasks those are."""

    repos: tuple[str, ...] = ()
    issues: bool = True
    user: str = "local"


def verify(secret: bytes, body: bytes, signature: bytes) -> bool:
    """Whether `signature` (the header's bytes, whatever they are) is that of `body`. Constant time."""
    expected = b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode("ascii")
    return hmac.compare_digest(expected, signature)


def receive(
    body: bytes, headers: Headers, *, secret: bytes | None, options: Options, tasks: Tasks, database: Database
) -> Reply:
    """One delivery: checked, put into effect once, answered. Raises StorageError when it could not be kept."""
    if not secret:
        return absent()
    held = [(key.lower(), value) for key, value in headers]
    delivery = (header(held, b"x-github-delivery") or b"").decode("latin-1")
    named = _DELIVERY.fullmatch(delivery) is not None
    heard = _Heard(delivery if named else "none")
    if not verify(secret, body, header(held, b"x-hub-signature-256") or b""):
        line = heard.line("unknown", signature_valid=False, dedup_hit=False)
        return problem(401, "bad-signature", "the signature is not that of this body", "Compare WEBHOOK_SECRET.", line)
    event = (header(held, b"x-github-event") or b"").decode("latin-1")
    if not named or _EVENT.fullmatch(event) is None:
        line = heard.line(SOURCE, signature_valid=True, dedup_hit=False, effect="refused")
        return problem(400, "no-event", "X-GitHub-Event or X-GitHub-Delivery is missing or malformed", "", line)
    try:
        payload = _payload(body, header(held, b"content-type") or b"")
    except ValueError as error:
        line = heard.line(SOURCE, signature_valid=True, dedup_hit=False, event=event, effect="refused")
        return problem(400, "bad-json", str(error), "", line)
    if recorded(database, SOURCE, delivery):
        return heard.answer(event, _Done("duplicate"))
    return heard.answer(event, _apply(parse(event, payload, options), delivery, tasks, database))


# -- what an event means ------------------------------------------------------------------------------


def parse(event: str, payload: Any, options: Options | None = None) -> Command:
    """The command in an event. Whatever the payload is, the worst is that it is ignored with a reason."""
    options = options or Options()
    repo = dig(payload, "repository", "full_name")
    repo = repo if isinstance(repo, str) and _REPO.fullmatch(repo) else None
    if options.repos and (repo or "").lower() not in {each.lower() for each in options.repos}:
        return Ignored("the repository is none of [github] repos")
    if event in ("check_run", "check_suite", "workflow_run"):
        return _build(repo, dig(payload, event))
    if event == "status":
        return _status(repo, payload)
    if event == "issues":
        return _issue(repo, payload, options)
    return Ignored(f"{event} events change nothing here")


def _build(repo: str | None, build: Any) -> Command:
    """check_run, check_suite and workflow_run: status until completed, then conclusion."""
    ended = dig(build, "status") == "completed"
    word = dig(build, "conclusion") if ended else UNDER_WAY
    return _set_ci(repo, [dig(build, "head_sha")], _branches(repo, build), word)


def _branches(repo: str | None, build: Any) -> Iterator[Any]:
    """Branches of the repository itself: one of a fork may have the same name."""
    home = dig(build, "head_repository", "full_name")
    if home is None or home == repo:
        yield dig(build, "head_branch")
        yield dig(build, "check_suite", "head_branch")
    for pull in _some(dig(build, "pull_requests")):
        if dig(pull, "head", "repo", "id") == dig(pull, "base", "repo", "id"):
            yield dig(pull, "head", "ref")


def _status(repo: str | None, payload: Any) -> Command:
    """The older way to tell how a commit stands: state is error, failure, pending or success."""
    branches = [dig(branch, "name") for branch in _some(dig(payload, "branches"))]
    return _set_ci(repo, [dig(payload, "sha")], branches, dig(payload, "state"))


def _set_ci(repo: str | None, commits: Collection[Any], branches: Any, word: Any) -> Command:
    shas = tuple(dict.fromkeys(sha for sha in commits if isinstance(sha, str) and _SHA.fullmatch(sha)))
    names = tuple(dict.fromkeys(name for name in branches if isinstance(name, str) and 0 < len(name) <= 255))
    if repo is None:
        return Ignored("no repository is named")
    if not isinstance(word, str) or _WORD.fullmatch(word) is None:
        return Ignored("it does not say how the build stands")
    return SetCi(repo, shas, names, word) if shas or names else Ignored("no commit and no branch is named")


def _issue(repo: str | None, payload: Any, options: Options) -> Command:
    """An issue that is opened becomes a task: pending, like all that strangers write."""
    number, title, text = (dig(payload, "issue", name) for name in ("number", "title", "body"))
    if not options.issues:
        return Ignored("[github] issues is off")
    if dig(payload, "action") != "opened":
        return Ignored("only an issue that is opened becomes a task")
    if repo is None or type(number) is not int or not isinstance(title, str):
        return Ignored("the issue has no repository, number or title")
    words = [part.strip() for part in (title, text) if isinstance(part, str) and part.strip()]
    if not words:
        return Ignored("the issue says nothing")
    task_id = hashlib.sha256(f"{SOURCE}:{repo}#{number}".encode()).hexdigest()[:12]
    return NewTask(
        source="github", request_text="\n\n".join(words), user_id=options.user, task_id=task_id, correlation_id=task_id,
        git={"repo": repo},
    )  # fmt: skip


def _some(value: Any) -> list[Any]:
    return value[:MOST_NAMES] if isinstance(value, list) else []


def _payload(body: bytes, content_type: bytes) -> Any:
    """The JSON of a delivery, also where it was configured to come as a form. Raises ValueError."""
    if content_type.partition(b";")[0].strip().lower() == b"application/x-www-form-urlencoded":
        try:
            fields = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=10)
        except ValueError:
            raise ValueError("the body is no form") from None
        body = fields.get("payload", [""])[0].encode("utf-8", "surrogatepass")
    payload = strict_json.loads(body)
    if not isinstance(payload, dict):
        raise ValueError("the body is no JSON object")
    return payload


# -- its effect ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of an event: applied, created, ignored or duplicate."""

    effect: str
    tasks: tuple[str, ...] = ()
    reason: str = ""


def _apply(command: Command, delivery: str, tasks: Tasks, database: Database) -> _Done:
    if isinstance(command, SetCi):
        told = Delivery(SOURCE, delivery)
        done = tasks.set_ci_status(command.repo, command.commits, command.branches, command.status, told)
        return _Done("duplicate" if done.duplicate else "applied", done.tasks)
    result = _create(command, tasks) if isinstance(command, NewTask) else _Done("ignored", reason=command.reason)
    new = record(database, SOURCE, delivery, " ".join(result.tasks) or result.effect)
    # Of two that come at once the one may make the task and the other note the delivery: the maker is who had the effect.
    return result if new or result.effect == "created" else _Done("duplicate", result.tasks)


def _create(new: NewTask, tasks: Tasks) -> _Done:
    """The task is there before the delivery is noted, and its id is made of the issue: said again, nothing happens."""
    try:
        made = tasks.create(new)
    except InvalidInput as error:
        return _Done("ignored", reason=error.message)
    return _Done("duplicate" if made.duplicate else "created", (str(made.task["task_id"]),))


@dataclass(frozen=True, slots=True)
class _Heard:
    """One delivery, by its id."""

    delivery: str

    def line(self, actor: str, **fields: Any) -> Mapping[str, Any]:
        """The audit entry; the correlation id is the delivery's unless the event made a task."""
        told = {"action": "webhook_received", "correlation_id": self.delivery, "actor": actor, "source": SOURCE}
        return {**told, "event_id": self.delivery, **fields}

    def answer(self, event: str, done: _Done) -> Reply:
        """200 for everything that was signed: GitHub shows other answers as failures."""
        more = {"reason": done.reason} if done.reason else {}
        body = {"status": done.effect, "event_id": self.delivery, "tasks": list(done.tasks), **more}
        line = self.line(
            SOURCE, signature_valid=True, dedup_hit=done.effect == "duplicate", event=event, effect=done.effect,
            tasks=list(done.tasks), **more,
        )  # fmt: skip
        if done.effect == "created":
            line = {**line, "correlation_id": done.tasks[0]}
        return Reply(200, body, (line,))
