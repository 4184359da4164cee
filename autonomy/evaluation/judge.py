"""Holds what was seen of a play against what its task expects. Pure but for reading the run's files."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autonomy.evaluation.task import Events, Expected, Manifest, Task
from autonomy.evaluation.world import quotations

Seen = Mapping[str, Any]
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|\+00:00)")


def judge(task: Task, seen: Seen, home: Path) -> list[str]:
    """Why the play does not pass, a line each; none where it does. `home` is its workspace."""
    return [*_state(task.expect, seen), *_acts(task, seen), *_events(task.expect.events, seen), *_artifacts(task, seen, home)]


def prints(task: Task, seen: Seen, home: Path) -> dict[str, str | None]:
    """path -> SHA-256 of each file that a second play must make again, ids and times aside; None where it is missing."""
    return {each.path: _print(seen, home, each.path) for each in task.expect.files if each.same}


def _state(expect: Expected, seen: Seen) -> Iterator[str]:
    if seen["status"] != expect.status:
        yield f"status is {seen['status']}, wanted {expect.status}" + (f" ({seen['error']})" if seen["error"] else "")
    if seen["outcome"] != expect.outcome:
        yield f"outcome is {seen['outcome']}, wanted {expect.outcome}"
    if expect.cycles is not None:
        wanted = [each.model_dump() for each in expect.cycles]
        if seen["cycles"] != wanted:
            yield f"cycles are {_cycles(seen['cycles'])}; wanted {_cycles(wanted)}"
    if expect.changes is not None:
        changed = sum(each["how"] != "kept" for each in seen["changes"])
        if why := expect.changes.broken(changed):
            yield f"reports changed {changed} sentences, {why}"
    if expect.requests is not None and (why := expect.requests.broken(seen["requests"])):
        yield f"the model was asked {seen['requests']} times, {why}"


def _acts(task: Task, seen: Seen) -> Iterator[str]:
    for number, (act, did) in enumerate(zip(task.world, seen["acts"], strict=True), 1):
        refusal = did["error"]
        if act.report is not None and act.report.refused:
            if refusal is None:
                yield f"act {number}: the report was taken, wanted a refusal"
        elif refusal is not None:
            yield f"act {number}: {refusal}"
        elif act.report is not None and did["taken"] != 1:
            yield f"act {number}: {act.report.times} equal reports were taken {did['taken']} times, wanted once"
        elif act.silence is not None and did["seen_to"] != 1:
            yield f"act {number}: {did['seen_to']} waits were over, wanted 1"


def _events(expect: Events, seen: Seen) -> Iterator[str]:
    types = [event["type"] for event in seen["events"]]
    numbers = [event["seq"] for event in seen["events"]]
    if numbers != list(range(1, len(numbers) + 1)):
        yield "the numbers of the events have a hole"
    at = 0
    for wanted in expect.order:
        try:
            at = types.index(wanted, at) + 1
        except ValueError:
            behind = f"behind {types[at - 1]} (event {at})" if at else "at all"
            yield f"no {wanted} came {behind}"
            break
    counted = Counter(types)
    for name, span in expect.counts.items():
        if why := span.broken(counted[name]):
            yield f"{name} came {counted[name]} times, {why}"


def _artifacts(task: Task, seen: Seen, home: Path) -> Iterator[str]:
    named = {row["path"]: row["sha256"] for row in seen["files"]}
    for wanted in task.expect.files:
        relative = f"artifacts/{seen['run_id']}/{wanted.path}"
        data = _data(home / relative)
        if relative not in named or data is None:
            yield f"{wanted.path} is missing"
            continue
        if hashlib.sha256(data).hexdigest() != named[relative]:
            yield f"{wanted.path} is not the file that the run names"
        text = data.decode("utf-8", "replace")
        yield from (f"{wanted.path} does not contain '{part}'" for part in wanted.contains if part not in text)
        yield from (f"{wanted.path} contains '{part}'" for part in wanted.lacks if part in text)
    if task.expect.kept:
        yield from _kept(seen, home)
    if task.expect.manifest is not None:
        yield from _manifest(task.expect.manifest, _data(home / "artifacts" / seen["run_id"] / "manifest.json"))


def _kept(seen: Seen, home: Path) -> Iterator[str]:
    """Quotations that no report flagged and that the next draft has lost."""
    flagged = {did["n"]: set(did["flagged"]) for did in seen["acts"] if did.get("n") is not None}
    drafts = [(home / path).read_text("utf-8") for path in seen["drafts"]]
    if len(drafts) < 2:
        yield f"there is {len(drafts)} draft: nothing can have been kept from one to the next"
    for n, draft in enumerate(drafts[:-1], 1):
        following = quotations(drafts[n])
        lost = [text for text in quotations(draft) if text not in flagged.get(n, set()) and text not in following]
        yield from (f"draft {n + 1} has lost a quotation that was not flagged: '{text[:60]}'" for text in lost)


def _manifest(expect: Manifest, data: bytes | None) -> Iterator[str]:
    if data is None:
        yield "manifest.json is missing"
        return
    found = json.loads(data)
    for name, span in (("claims", expect.claims), ("sources", expect.sources)):
        if span is not None and (why := span.broken(len(found[name]))):
            yield f"the manifest has {len(found[name])} {name}, {why}"
    gates = {gate["name"]: gate for gate in found["gates"]}
    for name, span in expect.gates.items():
        figure = gates[name]["figure"] if name in gates else None
        if why := span.broken(figure):
            yield f"gate {name} is {figure}, {why}"
    yield from (f"gate {name} is not passed" for name in expect.passed if not gates.get(name, {}).get("pass"))


def _print(seen: Seen, home: Path, path: str) -> str | None:
    """The SHA-256 of a file without ids and times."""
    data = _data(home / "artifacts" / seen["run_id"] / path)
    if data is None:
        return None
    text = _MOMENT.sub("TIME", data.decode("utf-8", "replace").replace(seen["run_id"], "RUN"))
    for day in {str(seen[name])[:10] for name in ("created_at", "finished_at") if seen[name]}:
        text = text.replace(day, "DAY")
    return hashlib.sha256(text.encode()).hexdigest()


def _data(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _cycles(cycles: list[dict[str, Any]]) -> str:
    said = [f"{each['status']} {'-' if each['observed'] is None else format(each['observed'], 'g')}" for each in cycles]
    return ", ".join(said) or "none"
