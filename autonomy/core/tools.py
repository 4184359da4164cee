"""A tool as data: what repeating it would do, and whether a value fits its JSON schema.

Schemas may come from outside, so nothing is ever fetched for them: a reference that leaves the document is a defect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Effect = Literal["pure", "idempotent", "unsafe"]
"""pure: repeating changes nothing; idempotent: repeating under the same key changes nothing; unsafe: neither."""


def defect(schema: Mapping[str, Any]) -> str | None:
    """What is wrong with a JSON schema (draft 2020-12), in one line; None if it can be used."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"[:200]
    outside = next((target for target in _references(schema) if not target.startswith("#")), None)
    return None if outside is None else f"the reference {outside[:80]!r} leaves the schema"


def complaint(schema: Mapping[str, Any], value: Any) -> str | None:
    """Where and how a value breaks a schema, in one line; None if it fits. Says nothing of the value beyond 200 characters."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # Without a registry of our own, an unknown reference would be fetched over the network.
    validator = Draft202012Validator(dict(schema), registry=Registry())
    try:
        error = best_match(validator.iter_errors(value))
    except Unresolvable as missing:
        return f"the schema names something it does not hold: {missing.ref}"[:200]
    except RecursionError:
        return "nested too deeply"
    return None if error is None else f"{error.json_path}: {error.message}"[:200]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            yield from _references(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _references(value)
