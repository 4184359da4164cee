"""Tools as data: definitions pinned by hash, reputation counted from the journal, on both databases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from autonomy.core.errors import InvalidInput, NotFound
from autonomy.storage.database import Database, Tx
from autonomy.tools.registry import RECENT, Registry, Reputation, Tool, catalogue, reputation, set_health

OBJECT: dict[str, Any] = {"type": "object"}


async def echo(arguments: Mapping[str, Any]) -> Any:
    return dict(arguments)


async def keyed(arguments: Mapping[str, Any], key: str) -> Any:
    return {**arguments, "key": key}


def tool(name: str = "echo", **more: Any) -> Tool:
    fields: dict[str, Any] = {"description": "says it back", "input_schema": OBJECT, "output_schema": OBJECT, "effect": "pure"}
    return Tool(name, **{**fields, "handler": echo, **more})


def settled(database: Database, n: int, *, ok: bool = True, ms: int = 10, cost: int | None = 4, name: str = "echo") -> None:
    def write(tx: Tx) -> None:
        tx.run(
            "INSERT INTO call (run_id, n, slot, kind, name, effect, state, request, error, cost_usd, started_at, finished_at) "
            "VALUES ('r', :n, :slot, 'tool', :name, 'pure', :state, '{}', :error, :cost, :start, :finish)",
            n=n,
            slot=f"slot{n}",
            name=name,
            state="answered" if ok else "failed",
            error=None if ok else "{}",
            cost=cost,
            start=n * 1_000_000,
            finish=n * 1_000_000 + ms * 1000,
        )

    database.write(write)


async def test_a_tool_is_called_by_name_and_only_an_idempotent_one_is_given_the_key() -> None:
    registry = Registry([tool(), tool("keyed", effect="idempotent", handler=keyed)])
    assert await registry.call("echo", {"a": 1}, key="r.1") == {"a": 1}
    assert await registry.call("keyed", {"a": 1}, key="r.1") == {"a": 1, "key": "r.1"}


def test_an_unknown_tool_is_not_found_and_near_names_are_offered() -> None:
    with pytest.raises(NotFound) as caught:
        Registry([tool("corpus.search")]).describe("corpus.serach")
    assert caught.value.candidates == ("corpus.search",)


@pytest.mark.parametrize("name", ["", "Echo", "a b", "../x", "x" * 65, "é", "a\n", "1st"])
def test_a_name_that_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        Registry([tool(name)])


def test_no_tool_can_shadow_another() -> None:
    with pytest.raises(InvalidInput, match="already"):
        Registry([tool(), tool(description="an impostor")])


@pytest.mark.parametrize(
    "schema", [{"type": "no-such-type"}, {"properties": 5}, {"$ref": "http://127.0.0.1:1/x"}, {"items": {"$ref": "file:///x"}}]
)
def test_a_broken_schema_or_one_that_points_elsewhere_is_refused(schema: dict[str, Any]) -> None:
    for which in ("input_schema", "output_schema"):
        broken: dict[str, Any] = {which: schema}
        with pytest.raises(InvalidInput, match="schema of tool echo"):
            Registry([tool(**broken)])


def test_a_negative_cost_is_refused() -> None:
    with pytest.raises(InvalidInput):
        Registry([tool(cost_usd_micro=-1)])


def test_storing_writes_new_and_changed_definitions_and_nothing_else(database: Database) -> None:
    assert database.write(Registry([tool(), tool("b")]).store) == ["b", "echo"]
    assert database.write(Registry([tool(), tool("b")]).store) == []
    assert database.write(Registry([tool(description="new words"), tool("b")]).store) == ["echo"]
    found = database.read(catalogue)
    assert [(one["name"], one["description"]) for one in found] == [("b", "says it back"), ("echo", "new words")]
    assert found[1]["definition_sha256"] == tool(description="new words").sha256()


def test_every_part_of_a_definition_changes_its_hash() -> None:
    others = [
        tool("other"),
        tool(description="x"),
        tool(input_schema={}),
        tool(output_schema={}),
        tool(effect="unsafe"),
        tool(cost_usd_micro=None),
    ]
    assert len({tool().sha256(), *(other.sha256() for other in others)}) == 7
    assert tool(handler=keyed).sha256() == tool().sha256()


def test_a_tool_never_called_has_no_reputation(database: Database) -> None:
    assert database.read(lambda tx: reputation(tx, "echo")) == Reputation(0, None, None, None, 0)


def test_reputation_counts_calls_successes_time_and_known_cost_of_that_tool_alone(database: Database) -> None:
    settled(database, 1, ms=10, cost=4)
    settled(database, 2, ms=30, cost=None)
    settled(database, 3, ok=False, ms=50, cost=8)
    settled(database, 4, name="other")
    database.write(lambda tx: tx.run("UPDATE call SET state = 'reserved' WHERE n = 4"))
    settled(database, 5, ok=True, ms=70, cost=0)
    assert database.read(lambda tx: reputation(tx, "echo")) == Reputation(4, 0.75, 40.0, 4.0, 1)


def test_a_tool_whose_last_calls_all_failed_is_listed_as_failing_until_one_succeeds(database: Database) -> None:
    database.write(Registry([tool()]).store)
    settled(database, 1)
    for n in range(2, 2 + RECENT):
        assert database.read(catalogue)[0]["health"] == "ok"
        settled(database, n, ok=False)
    assert database.read(catalogue)[0]["health"] == "failing"
    settled(database, 100)
    assert database.read(catalogue)[0]["health"] == "ok"


def test_a_disabled_tool_stays_disabled_when_its_definition_changes(database: Database) -> None:
    database.write(Registry([tool()]).store)
    database.write(lambda tx: set_health(tx, "echo", "disabled"))
    database.write(Registry([tool(description="new words")]).store)
    assert database.read(catalogue)[0]["health"] == "disabled"
    with pytest.raises(NotFound):
        database.write(lambda tx: set_health(tx, "nobody", "ok"))
