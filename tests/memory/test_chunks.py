"""Chunks: prose only, never over a heading, sentences whole, text equal to the snapshot's stretch."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomy.memory import chunks
from autonomy.memory.readers import markdown
from autonomy.memory.readers.document import Limits, ReadDocument
from tests.memory import made


def read(source: str) -> ReadDocument:
    return markdown.read(source.encode(), "a.md", Limits())


def test_chunks_never_reach_over_a_heading_and_name_the_nearest_one() -> None:
    document = read(f"# One\n\n{made.prose('pump', 30)}\n\n## Two\n\n{made.prose('valve', 3)}\n")
    found = chunks.chunk(document)
    assert [one.section for one in found] == ["One"] * (len(found) - 1) + ["Two"]
    for one in found:
        inside = [start for start, _, _ in document.headings if one.start <= start < one.end]
        assert inside == []


def test_a_long_paragraph_is_cut_at_sentence_ends() -> None:
    document = read(made.prose("pump", 80))
    found = chunks.chunk(document)
    assert len(found) > 3
    for one in found:
        text = document.text[one.start : one.end]
        assert text.endswith(".")
        assert text[0].isupper()
        assert chunks.count_words(text) <= chunks.MOST


@pytest.mark.parametrize("endless", ["x" * 50_000, "and so on " * 5_000], ids=["a word", "a sentence"])
@pytest.mark.parametrize("between", [" ", "\n\n"], ids=["in a paragraph", "alone"])
def test_what_never_ends_is_not_offered_and_what_stands_around_it_is(endless: str, between: str) -> None:
    before, behind = made.prose("pump", 3), made.prose("valve", 3)
    document = read(f"{before}{between}{endless}.{between}{behind}\n")
    texts = [document.text[one.start : one.end] for one in chunks.chunk(document)]
    assert max(map(len, texts)) <= chunks.LONGEST
    assert texts[0].startswith(before[:40])
    assert texts[-1].endswith(behind[-40:])
    assert endless[:200] not in "".join(texts)


def test_code_tables_and_references_are_never_offered() -> None:
    document = read(
        f"# Pumps\n\n{made.prose('pump', 2)}\n\n```\n{made.prose('code', 3)}\n```\n\n"
        f"| {made.prose('table', 2)} |\n|---|\n| b |\n\n"
        f"{made.prose('valve', 2)}\n\n## References\n\n{made.prose('reference', 3)}\n"
    )
    offered = " ".join(document.text[one.start : one.end] for one in chunks.chunk(document))
    assert "what the pump does" in offered
    assert "what the valve does" in offered
    assert not any(f"what the {kind} does" in offered for kind in ("code", "table", "reference"))


def test_each_chunk_has_its_own_language_and_the_headings_terms() -> None:
    document = read(
        "# Kündigung\n\nDie Kündigung der Wohnung ist nur mit einer Frist von drei Monaten möglich, und sie muss "
        "schriftlich sein.\n\n"
        "# Cancelling\n\nThe contract can be cancelled with three months of notice, and it must be done in writing, or it "
        "is of no effect.\n"
    )
    german, english = chunks.chunk(document)
    assert (german.language, english.language) == ("de", "en")
    assert english.terms.split()[0] == "cancel"


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("ab .\n#-*`|>1日本。?!\t"), max_size=600))
def test_whatever_is_read_offsets_hold(source: str) -> None:
    document = read(source)
    last = 0
    for start, end, _ in document.blocks:
        assert last <= start < end <= len(document.text)
        last = end
    for start, _, text in document.headings:
        assert document.text[start : start + len(text)] == text
    last = 0
    for one in chunks.chunk(document):
        assert last <= one.start < one.end <= len(document.text)
        assert document.text[one.start : one.end].strip() == document.text[one.start : one.end]
        last = one.end
