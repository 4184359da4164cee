"""Ways to break the product, each at one place. `tests.verify.broken` serves with one of them; a phase must notice."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import importlib
import itertools
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from autonomy.agents.extractive.turns import Turns
from autonomy.api import serve
from autonomy.api.hub import Hub
from autonomy.api.problems import Refusal
from autonomy.api.routes import tasks as task_routes
from autonomy.api.streams import Broadcast, EventStream
from autonomy.audit.log import AuditLog
from autonomy.core.errors import StorageUnavailable
from autonomy.ingress import github, telegram
from autonomy.services import review, task_runs
from autonomy.services import tasks as task_services
from autonomy.services.tasks import Tasks
from autonomy.ssot import protocol

BREAKS: dict[str, Callable[[], None]] = {}
AT_THE_END: list[Callable[[Path], None]] = []
"""What is done to the workspace once the server has left."""


def way(function: Callable[[], None]) -> Callable[[], None]:
    """Keep a break under its name."""
    BREAKS[function.__name__] = function
    return function


def put(owner: Any, name: str, value: Any) -> Any:
    """Replace an attribute; returns what it was."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    return before


# -- tasks --------------------------------------------------------------------------------------------


@way
def details_differ() -> None:
    reads = itertools.count()
    put(Tasks, "show", lambda *args, **more: {**show(*args, **more), "reads": next(reads)})


show = Tasks.show


@way
def the_kept_list_is_stale() -> None:
    kept: dict[Any, bytes] = {}

    def stale(self: Tasks, user: str | None = None) -> bytes:
        fresh = real(self, user)
        shown, kept[user] = kept.get(user, fresh), fresh
        return shown

    real: Callable[..., bytes] = put(Tasks, "raw_list", stale)


@way
def the_asked_list_is_stale() -> None:
    kept: dict[Any, Any] = {}

    def stale(self: Tasks, **asked: Any) -> Any:
        fresh = real(self, **asked)
        key = tuple(sorted(asked.items(), key=str))
        shown, kept[key] = kept.get(key, fresh), fresh
        return shown

    real = put(Tasks, "list", stale)


# -- streams ------------------------------------------------------------------------------------------

Edit = Callable[[bytes], Iterable[bytes]]


def edited(of: Callable[[int, EventStream], Edit]) -> None:
    """Let each reader (they are numbered from 1) have its events through an edit of its own."""
    numbers = itertools.count(1)

    async def served(self: EventStream, channel: Any, send: Any) -> None:
        edit = of(next(numbers), self)
        self._write = None  # nothing goes straight to the socket, past the edit

        async def sent(message: dict[str, Any]) -> None:
            body: bytes = message["body"]
            if b"event: " in body:
                frames = [frame + b"\n\n" for frame in body.split(b"\n\n") if frame]
                body = b"".join(piece for frame in frames for piece in edit(frame))
            if body:
                await send({**message, "body": body})

        await real(self, channel, sent)

    real = put(EventStream, "_serve", served)


def counted(edit: Callable[[int, bytes], Iterable[bytes]]) -> Edit:
    """An edit that knows the number of each event, from 1."""
    numbers = itertools.count(1)
    return lambda frame: edit(next(numbers), frame)


@way
def every_seventh_event_is_dropped_for_one_reader() -> None:
    edited(lambda reader, _: counted(lambda number, frame: [] if reader == 3 and number % 7 == 1 else [frame]))


@way
def an_event_is_sent_twice() -> None:
    edited(lambda reader, _: counted(lambda number, frame: [frame, frame] if reader == 2 and number == 30 else [frame]))


@way
def two_events_change_places() -> None:
    def of(reader: int, _: EventStream) -> Edit:
        held: list[bytes] = []

        def edit(number: int, frame: bytes) -> list[bytes]:
            if reader == 4 and number == 30:
                held.append(frame)
                return []
            return [frame, held.pop()] if held else [frame]

        return counted(edit)

    edited(of)


@way
def a_stream_is_closed_in_the_middle() -> None:
    def of(reader: int, stream: EventStream) -> Edit:
        def edit(number: int, frame: bytes) -> list[bytes]:
            stream._gone = stream._gone or (reader == 5 and number == 30)
            return [frame] if reader != 5 or number <= 30 else []

        return counted(edit)

    edited(of)


@way
def streams_begin_at_the_beginning() -> None:
    put(task_routes, "begin_after", lambda headers, first: 0)


@way
def there_are_no_streams() -> None:
    def refuse(*_: Any) -> None:
        raise Refusal(503, "none", "no stream can be opened", "Try again.")

    put(Broadcast, "enter", refuse)


@way
def streams_are_dropped_in_the_soak() -> None:
    def of(reader: int, stream: EventStream) -> Edit:
        def edit(frame: bytes) -> list[bytes]:
            stream._gone = stream._gone or reader % 10 == 0
            return [frame]

        return edit

    edited(of)


@way
def an_event_of_the_soak_is_lost() -> None:
    edited(lambda reader, _: counted(lambda number, frame: [] if reader == 7 and number == 1 else [frame]))


# -- webhooks -----------------------------------------------------------------------------------------


@way
def any_signature_is_good() -> None:
    put(github, "verify", lambda secret, body, signature: True)


@way
def a_part_of_a_signature_is_enough() -> None:
    def verify(secret: bytes, body: bytes, signature: bytes) -> bool:
        expected = b"sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
        return len(signature) >= 15 and expected.startswith(signature[:15])

    put(github, "verify", verify)


@way
def a_bad_signature_is_refused_after_its_effect() -> None:
    def receive(body: bytes, headers: Any, *, secret: bytes, **more: Any) -> Any:
        reply = real(body, headers, secret=secret, **more)
        given = dict(headers).get(b"x-hub-signature-256", b"")
        return reply if verify(secret, body, given) else dataclasses.replace(reply, status=401)

    real = put(github, "receive", receive)
    verify = put(github, "verify", lambda secret, body, signature: True)


@way
def deliveries_are_forgotten() -> None:
    put(github, "recorded", lambda *_: False)
    put(Tasks, "delivered", lambda *_: False)


@way
def messages_are_not_known_again() -> None:
    def parse(*given: Any) -> Any:
        command = real(*given)
        if isinstance(command, task_services.NewTask):
            return dataclasses.replace(command, task_id=None, correlation_id=None)
        return command

    real = put(telegram, "parse", parse)


@way
def any_telegram_secret_is_good() -> None:
    put(telegram, "check_secret", lambda secret, given: True)


# -- the audit log ------------------------------------------------------------------------------------


@way
def every_tenth_webhook_is_not_audited() -> None:
    numbers = itertools.count(1)

    def append(self: AuditLog, entries: Iterable[Any]) -> Any:
        kept = [each for each in entries if each["action"] != "webhook_received" or next(numbers) % 10]
        return real(self, kept)

    real = put(AuditLog, "append_many", append)


@way
def a_byte_of_the_audit_log_is_changed() -> None:
    def change(home: Path) -> None:
        path = home / "audit" / "events.jsonl"
        data = bytearray(path.read_bytes())
        place = data.index(b'"actor":"', len(data) // 2) + len(b'"actor":"')
        data[place] ^= 1
        path.write_bytes(data)

    AT_THE_END.append(change)


@way
def damage_is_not_audited() -> None:
    put(Tasks, "_listing", lambda self: self._store.list())


# -- the protocol -------------------------------------------------------------------------------------


@way
def the_echo_drops_an_item() -> None:
    def kept(task: Any, n: int, **facts: Any) -> Any:
        if "ack" in facts:
            ack = facts["ack"]
            facts["ack"] = ack.model_copy(update={"declared_scope": ack.declared_scope[:-1]})
        return real(task, n, **facts)

    real = put(protocol, "_with", kept)


@way
def criteria_are_altered_at_the_door() -> None:
    def made(new: Any) -> Any:
        altered = [{**each, "text": each["text"].encode("ascii", "ignore").decode()} for each in new.acceptance_criteria]
        return real(dataclasses.replace(new, acceptance_criteria=altered))

    real = put(task_services, "_new", made)


def _judged(update: dict[str, Any]) -> None:
    """Have the Critic's issues altered, and nobody check them."""

    def judge(self: review.Critic, *given: Any) -> Any:
        verdict = real(self, *given)
        return verdict.model_copy(update={"issues": tuple(each.model_copy(update=update) for each in verdict.issues)})

    real = put(review.Critic, "review", judge)
    put(protocol, "check_verdict", lambda *_: None)


@way
def issues_name_a_foreign_criterion() -> None:
    _judged({"criterion_ref": "AC-99"})


@way
def traces_point_nowhere() -> None:
    _judged({"trace": ("e999999",)})


@way
def issues_are_renumbered_on_their_way() -> None:
    def again(task: Any, verdict: Any, at: str) -> Any:
        issues = [issue.model_copy(update={"id": f"n{number}"}) for number, issue in enumerate(verdict.issues, 1)]
        return protocol.dispatch(task, at, issues)

    put(protocol, "redispatch", again)


@way
def the_snapshot_names_another_hash() -> None:
    def files(tx: Any, run_id: str) -> list[dict[str, Any]]:
        return [{**each, "sha256": "0" * 64} for each in real(tx, run_id)]

    real = put(task_runs, "_files", files)


# -- evaluations --------------------------------------------------------------------------------------


@way
def passages_of_a_report_are_ignored() -> None:
    put(importlib.import_module("autonomy.agents.actions.amend"), "_passages", lambda report: [])


@way
def any_similarity_will_do() -> None:
    def passed(**given: Any) -> Any:
        return real(**{**given, "passed": True})

    real = put(importlib.import_module("autonomy.agents.nodes.turnitin_pause"), "Gate", passed)


@way
def choices_differ_from_play_to_play() -> None:
    def begin(self: Turns, seed: int, *place: Any) -> None:
        real(self, secrets.randbits(32), *place)

    real = put(Turns, "__init__", begin)


# -- the process --------------------------------------------------------------------------------------


@way
def every_twentieth_list_is_refused() -> None:
    numbers = itertools.count(1)

    def refuse(self: Tasks, user: str | None = None) -> bytes:
        if next(numbers) % 20 == 0:
            raise StorageUnavailable("too busy", "Try again.")
        made: bytes = real(self, user)
        return made

    real = put(Tasks, "raw_list", refuse)


@way
def sigterm_is_not_heard() -> None:
    put(serve.Server, "handle_exit", lambda *_: None)


@way
def streams_are_not_ended_at_the_stop() -> None:
    put(Hub, "end", lambda self: None)
    put(serve, "GRACE_SECONDS", 1)
