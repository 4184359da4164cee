"""The tools of this process by name, and what the database knows of them. Tools are data to the planner.

A definition is pinned by the hash of all that a caller or a planner can see of it. What a tool is worth (calls, share of
successes, time, cost) is counted from the journal of outside calls, never stored a second time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from autonomy.core.errors import InvalidInput, NotFound
from autonomy.core.tools import Effect, defect
from autonomy.storage.database import Tx

Handler = Callable[[Mapping[str, Any]], Awaitable[Any]]
KeyedHandler = Callable[[Mapping[str, Any], str], Awaitable[Any]]
Health = Literal["ok", "failing", "drifted", "disabled"]
NAME = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
RECENT = 5
"""The last calls that say whether a tool is failing: it is when all of them failed."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool. Arguments and answer are plain JSON data by the two schemas; `cost_usd_micro` is micro-dollars a call.

    `handler` takes the arguments; that of an idempotent tool takes the key too, under which a repeat has no second
    effect. It raises errors of ours only (ProviderUnavailable where another try may work).
    """

    name: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any]
    effect: Effect
    handler: Handler | KeyedHandler
    cost_usd_micro: int | None = 0

    def definition(self) -> dict[str, Any]:
        """All that callers and planners see."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": self.input_schema,
            "output_schema": self.output_schema,
            "effect": self.effect,
            "cost_usd_micro": self.cost_usd_micro,
        }

    def sha256(self) -> str:
        """The hash that pins the definition."""
        return hashlib.sha256(_json(self.definition()).encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Reputation:
    """What the journal says of a tool: settled calls, share answered soundly, mean milliseconds, mean micro-dollars.

    The figures are None where there is nothing to count; `recent_failures` counts within the last `RECENT` calls.
    """

    calls: int
    success: float | None
    latency_ms: float | None
    cost_usd_micro: float | None
    recent_failures: int

    @property
    def failing(self) -> bool:
        """Whether each of the last calls failed."""
        return self.recent_failures == RECENT


class Registry:
    """The tools that can be called here. Fits the journal's `ToolBox`."""

    def __init__(self, tools: Iterable[Tool] = ()) -> None:
        self._tools: dict[str, Tool] = {}
        for tool in tools:
            self.add(tool)

    def add(self, tool: Tool) -> None:
        """Raises InvalidInput for a bad name or schema, and for a name that is taken: no tool can shadow another."""
        if not NAME.fullmatch(tool.name):
            raise InvalidInput(f"not a tool name: {tool.name[:80]!r}", "Use lower-case letters, digits, dot, dash, underscore.")
        if tool.name in self._tools:
            raise InvalidInput(f"there is a tool {tool.name} already", "Choose another name.")
        if tool.cost_usd_micro is not None and tool.cost_usd_micro < 0:
            raise InvalidInput(f"tool {tool.name} has a negative cost", "Give micro-dollars per call, or None if unknown.")
        for which, schema in (("input", tool.input_schema), ("output", tool.output_schema)):
            wrong = defect(schema)
            if wrong is not None:
                raise InvalidInput(f"the {which} schema of tool {tool.name} is broken at {wrong}", "Correct the schema.")
        self._tools[tool.name] = tool

    def names(self) -> list[str]:
        """In order."""
        return sorted(self._tools)

    def describe(self, name: str) -> Tool:
        """Raises NotFound."""
        tool = self._tools.get(name)
        if tool is None:
            near = tuple(other for other in self.names() if other.startswith(name[:3]))
            raise NotFound(f"no tool {name[:80]}", "See 'autonomy tools list'.", near)
        return tool

    async def call(self, name: str, arguments: Mapping[str, Any], *, key: str) -> Any:
        """The handler's raw answer; the journal checks arguments and answer. Raises NotFound and what the handler raises."""
        tool = self.describe(name)
        more = (key,) if tool.effect == "idempotent" else ()
        handler: Callable[..., Awaitable[Any]] = tool.handler
        return await handler(arguments, *more)

    def store(self, tx: Tx) -> list[str]:
        """Bring the tools' rows level with their definitions; returns the names whose definition is new or changed."""
        known = {row["name"]: row["definition_sha256"] for row in tx.rows("SELECT name, definition_sha256 FROM tool")}
        changed = [name for name in self.names() if known.get(name) != self._tools[name].sha256()]
        for name in changed:
            _store(tx, self._tools[name])
        return changed


def reputation(tx: Tx, name: str) -> Reputation:
    """Counted from the journal, over all runs."""
    row = tx.row(
        "SELECT count(*) AS calls, sum(CASE WHEN state = 'answered' AND error IS NULL THEN 1 ELSE 0 END) AS good, "
        "sum(finished_at - started_at) AS taken, sum(cost_usd) AS cost, count(cost_usd) AS priced "
        "FROM call WHERE kind = 'tool' AND name = :name AND state <> 'reserved'",
        name=name,
    )
    assert row is not None
    last = tx.rows(
        "SELECT CASE WHEN state = 'answered' AND error IS NULL THEN 0 ELSE 1 END AS bad FROM call "
        "WHERE kind = 'tool' AND name = :name AND state <> 'reserved' ORDER BY started_at DESC, n DESC LIMIT :recent",
        name=name,
        recent=RECENT,
    )
    calls = int(row["calls"])
    return Reputation(
        calls=calls,
        success=int(row["good"]) / calls if calls else None,
        latency_ms=int(row["taken"]) / calls / 1000 if calls else None,
        cost_usd_micro=int(row["cost"]) / int(row["priced"]) if row["priced"] else None,
        recent_failures=sum(int(each["bad"]) for each in last),
    )


def set_health(tx: Tx, name: str, health: Health) -> None:
    """Mark a tool, for the planner to see: drifted from its schema, disabled by an operator, or well again."""
    if not tx.run("UPDATE tool SET health = :health WHERE name = :name", health=health, name=name):
        raise NotFound(f"no tool {name[:80]}", "See 'autonomy tools list'.")


def catalogue(tx: Tx) -> list[dict[str, Any]]:
    """All stored tools as plain data, by name: definition, health, reputation. A marked health beats a counted one."""
    found = tx.rows(
        "SELECT name, description, input_schema, output_schema, effect, cost_usd, health, definition_sha256 "
        "FROM tool ORDER BY name"
    )
    return [_entry(row, reputation(tx, row["name"])) for row in found]


def _entry(row: Mapping[str, Any], worth: Reputation) -> dict[str, Any]:
    return {
        "name": row["name"],
        "description": row["description"],
        "input_schema": json.loads(row["input_schema"]),
        "output_schema": json.loads(row["output_schema"]),
        "effect": row["effect"],
        "cost_usd": None if row["cost_usd"] is None else row["cost_usd"] / 1_000_000,
        "health": "failing" if row["health"] == "ok" and worth.failing else row["health"],
        "definition_sha256": row["definition_sha256"],
        "reputation": {
            "calls": worth.calls,
            "success": worth.success,
            "latency_ms": worth.latency_ms,
            "cost_usd": None if worth.cost_usd_micro is None else worth.cost_usd_micro / 1_000_000,
        },
    }


def _store(tx: Tx, tool: Tool) -> None:
    tx.run(
        "INSERT INTO tool (name, description, input_schema, output_schema, effect, cost_usd, health, definition_sha256, "
        "created_at) VALUES (:name, :description, :input, :output, :effect, :cost, 'ok', :sha, now_us()) "
        "ON CONFLICT (name) DO UPDATE SET description = excluded.description, input_schema = excluded.input_schema, "
        "output_schema = excluded.output_schema, effect = excluded.effect, cost_usd = excluded.cost_usd, "
        "health = CASE WHEN tool.health = 'disabled' THEN 'disabled' ELSE 'ok' END, "
        "definition_sha256 = excluded.definition_sha256",
        name=tool.name,
        description=tool.description,
        input=_json(tool.input_schema),
        output=_json(tool.output_schema),
        effect=tool.effect,
        cost=tool.cost_usd_micro,
        sha=tool.sha256(),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), default=dict)
