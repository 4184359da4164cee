"""The corpus as tools: answers fit their schemas and hold passages with their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from autonomy.core.tools import complaint
from autonomy.core.types import Passage
from autonomy.memory.embedding import HashEmbedder
from autonomy.memory.ingest import ingest
from autonomy.memory.library import Library
from autonomy.storage.database import Database
from autonomy.tools.corpus import corpus_tools
from autonomy.tools.registry import Registry


@pytest.fixture
def corpus(database: Database, tmp_path: Path) -> int:
    """One document."""
    root = tmp_path / "corpus"
    root.mkdir()
    (root / "pumps.md").write_text("# Pumps\n\nA pump moves water from the lower basin to the upper one.\n")
    return ingest(database, root, embedder=HashEmbedder()).corpus_id


@pytest.fixture
def tools(database: Database) -> Registry:
    """The registry with nothing but the corpus in it."""
    return Registry(corpus_tools(Library(database, HashEmbedder())))


async def test_a_search_answers_with_passages_and_their_coverage(tools: Registry, corpus: int) -> None:
    answer = await tools.call("corpus.search", {"query": "pump water", "corpora": [corpus], "language": "en"}, key="k")
    assert complaint(tools.describe("corpus.search").output_schema, answer) is None
    assert answer["coverage"] == 1.0
    passage = Passage.model_validate(answer["passages"][0])
    assert (passage.section, passage.text) == ("Pumps", "A pump moves water from the lower basin to the upper one.")


async def test_an_overview_answers_with_plain_data(tools: Registry, corpus: int) -> None:
    answer = await tools.call("corpus.overview", {"corpora": [corpus]}, key="k")
    assert complaint(tools.describe("corpus.overview").output_schema, answer) is None
    assert answer["titles"] == ["Pumps"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": "x"},
        {"query": "", "corpora": [1]},
        {"query": "x", "corpora": ["1"]},
        {"query": "x", "corpora": [1], "limit": 0},
    ],
)
def test_the_schema_refuses_a_question_that_makes_no_sense(tools: Registry, wrong: dict[str, object]) -> None:
    assert complaint(tools.describe("corpus.search").input_schema, wrong) is not None


def test_both_tools_only_read(tools: Registry) -> None:
    assert [(name, tools.describe(name).effect) for name in tools.names()] == [
        ("corpus.overview", "pure"),
        ("corpus.search", "pure"),
    ]
