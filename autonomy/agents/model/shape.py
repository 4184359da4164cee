"""The shapes of answers: from a pydantic model to the schema sent, and from the text that came back to data."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

_CODE_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_MOST_ERRORS = 8


class Answer(BaseModel):
    """Base of all answers. What was not asked for is passed over; `notes` is room to think before deciding."""

    model_config = ConfigDict(extra="ignore")


def answer_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema in the strict form that services want: every property required, nothing besides.

    The fields' defaults stay on our side, so that an answer of a service that ignores the schema is read with lenience.
    """
    schema: dict[str, Any] = _strict(model.model_json_schema())
    return schema


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "properties" in node:
        properties = {name: _strict(value) for name, value in node["properties"].items()}
        rest = {
            key: _strict(value) for key, value in node.items() if key not in ("properties", "title", "default", "description")
        }
        return {**rest, "properties": properties, "required": list(properties), "additionalProperties": False}
    return {key: _strict(value) for key, value in node.items() if key not in ("title", "default")}


def read_json(text: str) -> Any:
    """The JSON object in an answer, bare or wrapped in a code fence or in talk. ValueError where there is none.

    Only the outermost object counts: an inner one of a broken answer could pass for a small answer and hide the rest.
    """
    stripped = text.strip()
    fenced = _CODE_FENCE.search(stripped)
    begin, end = stripped.find("{"), stripped.rfind("}")
    for candidate in (stripped, fenced[1].strip() if fenced else "", stripped[begin : end + 1] if begin >= 0 else ""):
        if not candidate.startswith("{"):
            continue
        try:
            return json.loads(candidate, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            continue
    raise ValueError("there is no whole JSON object in the answer")


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON value")


def salvage(text: str) -> Any:
    """What is whole in an answer that was cut off: the unfinished last value is left out. None where nothing is."""
    at = text.find("{")
    if at < 0:
        return None
    try:
        return from_json(text[at:], allow_partial=True)
    except (ValueError, RecursionError):
        return None


def faults(error: ValidationError) -> tuple[str, ...]:
    """What is wrong with an answer, a line each, without repeating the answer."""
    lines = [f"{'.'.join(str(part) for part in item['loc']) or 'answer'}: {item['msg']}" for item in error.errors()]
    return tuple(lines[:_MOST_ERRORS])
