"""Schemas and values from outside: one line of complaint, never a crash, never a request to anywhere."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from autonomy.core.tools import complaint, defect


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a schema reached for the network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_value_that_fits_has_no_complaint_and_one_that_does_not_says_where() -> None:
    schema = {"type": "object", "properties": {"rows": {"type": "array", "items": {"type": "integer"}}}}
    assert complaint(schema, {"rows": [1, 2]}) is None
    assert complaint(schema, {"rows": [1, "x"]}) == "$.rows[1]: 'x' is not of type 'integer'"


def test_a_complaint_is_short_however_long_the_value() -> None:
    assert len(complaint({"type": "integer"}, "x" * 10_000) or "") <= 200


def test_references_inside_the_schema_work() -> None:
    schema = {"$defs": {"name": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/name"}}}
    assert defect(schema) is None
    assert complaint(schema, {"a": "x"}) is None
    assert complaint(schema, {"a": 1}) is not None


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("target", ["http://127.0.0.1:1/schema", "file:///etc/passwd", "other.json"])
def test_a_reference_that_leaves_the_schema_is_a_defect_and_is_never_fetched(target: str) -> None:
    schema = {"properties": {"a": {"$ref": target}}}
    assert "leaves the schema" in (defect(schema) or "")
    assert "does not hold" in (complaint(schema, {"a": 1}) or "")


def test_a_reference_to_nothing_is_a_complaint_not_a_crash() -> None:
    assert complaint({"$ref": "#/$defs/missing"}, 1) is not None


def test_endless_recursion_is_a_complaint_not_a_crash() -> None:
    assert complaint({"$ref": "#"}, 1) == "nested too deeply"
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert complaint({"items": {"$ref": "#"}}, deep) == "nested too deeply"
