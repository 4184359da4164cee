"""Markdown, plain text and Word files; and which reader a file gets."""

from __future__ import annotations

import pytest

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers import choose, docx, markdown, plain
from autonomy.memory.readers.document import Limits, ReadDocument
from tests.memory import made

LIMITS = Limits()


def kinds(document: ReadDocument) -> list[tuple[str, str]]:
    return [(kind, document.text[start:end]) for start, end, kind in document.blocks]


def test_markdown_is_read_as_it_is_displayed() -> None:
    source = """---
title: "Pumps"
authors:
  - Ada Moor
  - Ben Holt
date: 2019-05-01
---
# On *pumps*

A pump moves [water](http://example.org)
and `air`.

- Open the valve.

> Never in winter.

```
open(valve)
```

| a | b |
|---|---|
| 1 | 2 |

## References

Doe 2001.
"""
    document = markdown.read(source.encode(), "pumps.md", LIMITS)
    assert (document.title, document.authors, document.year) == ("Pumps", ("Ada Moor", "Ben Holt"), 2019)
    assert [text for _, _, text in document.headings] == ["On pumps", "References"]
    assert kinds(document) == [
        ("p", "A pump moves water and air."),
        ("li", "Open the valve."),
        ("quote", "Never in winter."),
        ("code", "open(valve)"),
        ("table", "a | b\n1 | 2"),
        ("reference", "Doe 2001."),
    ]


def test_footnotes_are_references_and_leave_no_marks_in_the_text() -> None:
    source = b"""# Mites

Treat at 3 mites[^1] per 100 bees. [^who] The pattern `[^1]` and [^nobody] stay, and so does 5 \\* 3.
[^1]: Health *Coalition*, Tools, 2022.
    Second edition.
[^who]: Anon.

```
[^1]: code
```
"""
    read = markdown.read(source, "mites.md", LIMITS)
    assert kinds(read) == [
        ("p", "Treat at 3 mites per 100 bees. The pattern [^1] and [^nobody] stay, and so does 5 * 3."),
        ("reference", "Health Coalition, Tools, 2022. Second edition."),
        ("reference", "Anon."),
        ("code", "[^1]: code"),
    ]


def test_headings_of_plain_text_are_told_by_underline_number_and_capitals() -> None:
    source = (
        "The Pump Book\n=============\n\nA pump moves water.\n\n1.2 Opening the valve\n\nOpen it slowly.\n\n"
        "SAFETY FIRST\n\n* Never in winter.\n* Never alone.\n"
    )
    document = plain.read(source.encode(), "pumps.txt", LIMITS)
    assert [text for _, _, text in document.headings] == ["The Pump Book", "1.2 Opening the valve", "SAFETY FIRST"]
    assert document.title == "The Pump Book"
    assert kinds(document) == [
        ("p", "A pump moves water."),
        ("p", "Open it slowly."),
        ("li", "* Never in winter."),
        ("li", "* Never alone."),
    ]


def test_form_feeds_part_pages_and_their_heads_are_dropped() -> None:
    parts = ("lid", "valve", "wheel", "pipe", "gauge")
    source = "\f".join(
        f"Pump RFC\n\nThe {part} of the pump is closed by hand.\n\n[Page {n}]\n" for n, part in enumerate(parts, 1)
    )
    document = plain.read(source.encode(), "rfc.txt", LIMITS)
    assert "Page" not in document.text
    assert [number for number, _ in document.pages] == [1, 2, 3, 4, 5]
    number, start = document.pages[3]
    assert document.text[start:].startswith(f"The {parts[number - 1]} of")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_plain_text_is_read_in_the_usual_encodings(encoding: str) -> None:
    assert plain.read("Die Größe der Pumpe.".encode(encoding), "a.txt", LIMITS).text == "Die Größe der Pumpe."


def test_a_word_file_gives_headings_lists_tables_and_properties() -> None:
    data = made.word(
        "Pumps",
        "Ada Moor",
        [
            ("Heading 1", "On pumps"),
            ("Normal", "A pump moves water."),
            ("List Bullet", "Open the valve."),
            ("Quote", "Never in winter."),
            ("table", "a\t1\nb\t2"),
            ("Heading 2", "References"),
            ("Normal", "Doe 2001."),
        ],
    )
    document = docx.read(data, "pumps.docx", LIMITS)
    assert (document.title, document.authors) == ("Pumps", ("Ada Moor",))
    assert document.headings[0][1:] == (1, "On pumps")
    assert kinds(document) == [
        ("p", "A pump moves water."),
        ("li", "Open the valve."),
        ("quote", "Never in winter."),
        ("table", "a | 1\nb | 2"),
        ("reference", "Doe 2001."),
    ]


@pytest.mark.parametrize("megabytes", [300, 40])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(megabytes: int) -> None:
    with pytest.raises(InvalidInput, match="refused as a bomb"):
        docx.read(made.zip_bomb(megabytes << 20), "bomb.docx", LIMITS)


@pytest.mark.parametrize("data", [b"PK\x03\x04 not an archive", b"\xd0\xcf\x11\xe0 old", made.zip_bomb(1 << 20)])
def test_a_broken_word_file_says_so(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        docx.read(data, "broken.docx", LIMITS)


def test_a_wrong_extension_costs_nothing() -> None:
    page = b"<!DOCTYPE html><html><main><h1>Pumps</h1><p>A pump.</p></main></html>"
    assert choose.read(page, "page.txt", LIMITS).media_type == "text/html"
    assert choose.read(made.pdf([made.column(made.prose("pump", 3))]), "manual.md", LIMITS).media_type == "application/pdf"
    assert choose.read(made.word("T", "", [("Normal", "A pump.")]), "a.txt", LIMITS).media_type == docx.MEDIA_TYPE


@pytest.mark.parametrize(
    ("data", "why"), [(b"", "empty"), (b" \n", "empty"), (bytes(range(256)) * 40, "binary"), (b"<p></p>", "no text")]
)
def test_a_file_without_words_says_why(data: bytes, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        choose.read(data, "a.html" if data.startswith(b"<") else "a.md", LIMITS)
