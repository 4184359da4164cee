"""LangGraph's own clauses for a checkpointer, base and extended, on both databases."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from langgraph.checkpoint.base import BaseCheckpointSaver

from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.storage.database import Database

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langgraph.checkpoint.conformance import checkpointer_test, validate

CLAUSES = {
    "put": 17,
    "put_writes": 10,
    "get_tuple": 10,
    "list": 16,
    "delete_thread": 5,
    "delete_for_runs": 7,
    "copy_thread": 8,
    "prune": 8,
}


@pytest.mark.parametrize("behind", [0, 1])
async def test_every_clause_passes_and_none_is_skipped(database: Database, behind: int) -> None:
    @checkpointer_test(name=f"SqlSaver-{database.dialect.name}-{behind}")
    async def factory() -> AsyncGenerator[BaseCheckpointSaver[Any], None]:
        yield SqlSaver(database, behind=behind)

    report = await validate(factory)
    assert [failure for result in report.results.values() for failure in result.failures] == []
    assert {name: result.tests_passed for name, result in report.results.items()} == CLAUSES
    assert sum(CLAUSES.values()) == 81
    assert not any(result.tests_skipped or result.tests_failed for result in report.results.values())
