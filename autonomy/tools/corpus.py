"""The local corpus as tools: search for passages, and an overview of what there is. Both only read."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from autonomy.core.types import Passage
from autonomy.tools.registry import Tool

MOST = 50
_CORPORA = {"type": "array", "items": {"type": "integer", "minimum": 1}, "description": "numbers of the corpora to look in"}


class Findings(Protocol):
    """Passages, best first, the share of the query that the best of them covers (0 to 1), and what its terms weigh."""

    @property
    def passages(self) -> Sequence[Passage]: ...

    @property
    def coverage(self) -> float: ...

    @property
    def weights(self) -> Mapping[str, float]: ...


class Library(Protocol):
    """Where the passages come from. `overview` answers with a dataclass of plain values."""

    def find(self, corpora: Sequence[int], query: str, *, language: str | None = None, limit: int = 8) -> Findings: ...

    def overview(self, corpora: Sequence[int]) -> Any: ...


def corpus_tools(library: Library) -> tuple[Tool, ...]:
    """`corpus.search` and `corpus.overview`. Their handlers work in a thread: a large corpus takes a tenth of a second."""

    async def search(arguments: Mapping[str, Any]) -> Any:
        found = await asyncio.to_thread(
            library.find,
            arguments["corpora"],
            arguments["query"],
            language=arguments.get("language") or None,
            limit=arguments.get("limit", 8),
        )
        return {
            "passages": [passage.model_dump(mode="json") for passage in found.passages],
            "coverage": found.coverage,
            "weights": dict(found.weights),
        }

    async def survey(arguments: Mapping[str, Any]) -> Any:
        held = await asyncio.to_thread(library.overview, arguments["corpora"])
        return {name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(held).items()}

    return (
        Tool(
            name="corpus.search",
            description="Find passages in the documents of the corpora, by words and by likeness, best first.",
            input_schema=_SEARCH,
            output_schema=_FINDINGS,
            effect="pure",
            handler=search,
        ),
        Tool(
            name="corpus.overview",
            description="What the corpora hold: how many documents and words, their languages, titles and headings.",
            input_schema={
                "type": "object",
                "properties": {"corpora": _CORPORA},
                "required": ["corpora"],
                "additionalProperties": False,
            },
            output_schema=_OVERVIEW,
            effect="pure",
            handler=survey,
        ),
    )


_SEARCH: dict[str, Any] = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "minLength": 1, "maxLength": 10_000},
        "corpora": _CORPORA,
        "language": {"type": ["string", "null"], "description": "passages in this language (ISO 639-1) are preferred"},
        "limit": {"type": "integer", "minimum": 1, "maximum": MOST, "default": 8},
    },
    "required": ["query", "corpora"],
    "additionalProperties": False,
}
_FINDINGS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "passages": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "source": {"type": "string"},
                    "title": {"type": "string"},
                    "text": {"type": "string"},
                    "start": {"type": "integer", "minimum": 0},
                    "end": {"type": "integer", "minimum": 0},
                    "file": {"type": "string"},
                    "section": {"type": ["string", "null"]},
                    "page": {"type": ["integer", "null"]},
                    "language": {"type": "string"},
                    "position": {"type": "number"},
                    "score": {"type": "number"},
                },
                "required": ["id", "source", "title", "text", "start", "end"],
                "additionalProperties": False,
            },
        },
        "coverage": {"type": "number", "minimum": 0, "maximum": 1},
        "weights": {
            "type": "object",
            "additionalProperties": {"type": "number", "minimum": 0},
            "description": "the query's terms, with their inverse document frequency in these corpora; '' for a term in none",
        },
    },
    "required": ["passages", "coverage"],
    "additionalProperties": False,
}
_NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_OVERVIEW: dict[str, Any] = {
    "type": "object",
    "properties": {
        "documents": {"type": "integer", "minimum": 0},
        "words": {"type": "integer", "minimum": 0},
        "languages": _NAMES,
        "titles": _NAMES,
        "headings": _NAMES,
    },
    "required": ["documents", "words", "languages", "titles", "headings"],
    "additionalProperties": False,
}
