"""PDF: words whole, paragraphs whole, pages exact, running heads and contents gone, doubtful text refused."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import pytest

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers import pdf
from autonomy.memory.readers.document import Limits, ReadDocument
from tests.memory import made
from tests.memory.made import Mark

LIMITS = Limits()


def read(pages: Sequence[Sequence[made.Line]], **options: object) -> ReadDocument:
    return pdf.read(made.pdf(pages, **options), "made.pdf", LIMITS)  # type: ignore[arg-type]


def page_of(document: ReadDocument, words: str) -> int:
    starts = [start for _, start in document.pages]
    return document.pages[bisect.bisect_right(starts, document.text.index(words)) - 1][0]


def kinds(document: ReadDocument) -> dict[str, str]:
    return {document.text[start:end]: kind for start, end, kind in document.blocks}


def test_a_word_broken_at_a_line_end_is_whole_again_and_a_compound_keeps_its_hyphen() -> None:
    lines = [
        (72, 700, 11, "The cancellation of a task is asked for with one call, and the can-"),
        (72, 687, 11, "cellation is then seen by the task at the next point where it waits, a well-"),
        (72, 674, 11, "known place. Every well-known place is listed."),
    ]
    text = read([lines]).text
    assert "and the cancellation is then" in text
    assert "a well-known place" in text


def test_pages_count_from_one_and_a_paragraph_over_a_page_break_stays_one() -> None:
    first = [
        *made.column(made.prose("pump", 6)),
        (72, 100, 11, "Where the pressure falls below the limit that the maker has set for it, the"),
    ]
    second = [(72, 760, 11, "operator closes the second valve."), *made.column(made.prose("valve", 4), top=700)]
    document = read([first, second])
    assert "set for it, the operator closes the second valve." in document.text
    assert page_of(document, "Where the pressure falls") == 1
    assert page_of(document, "operator closes") == 2
    assert page_of(document, "what the valve does") == 2


def test_running_heads_and_page_numbers_are_no_text() -> None:
    pages = [
        [(72, 800, 9, f"Pump manual {n}"), *made.column(made.prose(f"part {n}", 5)), (290, 40, 9, str(n + 4))]
        for n in range(1, 6)
    ]
    text = read(pages).text
    assert "Pump manual" not in text
    assert all(f"what the part {n} does" in text for n in range(1, 6))
    assert not any(block.strip().isdigit() for block in text.split("\n\n"))


def test_a_head_that_comes_back_at_other_heights_is_no_text_either() -> None:
    pages = [[(72, 770 + 6 * n, 9, "Pump manual"), *made.column(made.prose(f"part {n}", 5), top=700)] for n in range(1, 7)]
    assert "Pump manual" not in read(pages).text


def test_lines_of_a_table_of_contents_are_no_text() -> None:
    contents = [(72, 700 - 14 * n, 11, f"{n} Chapter of pumps . . . . . . . . . . . . . {n * 7}") for n in range(1, 9)]
    text = read([contents, made.column(made.prose("pump", 5))]).text
    assert ". . ." not in text
    assert "what the pump does" in text


def test_headings_come_from_the_outline_and_from_larger_type() -> None:
    first = [(72, 780, 18, "Pumps"), *made.column(made.prose("pump", 4), top=740)]
    second = [(72, 780, 11, "2.1 Opening the valve"), *made.column(made.prose("valve", 4), top=740)]
    document = read([first, second], outline=[Mark("Opening the valve", 1)])
    assert [text for _, _, text in document.headings] == ["Pumps", "2.1 Opening the valve"]


def test_words_under_a_heading_of_references_or_index_are_set_apart() -> None:
    pages = [
        [(72, 780, 18, "Pumps"), *made.column(made.prose("pump", 4), top=740)],
        [(72, 780, 18, "References"), *made.column("Doe, J. (2001). Pumps and their owners. Harbour Press.", top=740)],
    ]
    found = kinds(read(pages))
    assert found["Doe, J. (2001). Pumps and their owners. Harbour Press."] == "reference"


def test_title_authors_and_year_are_taken_only_where_the_document_states_them() -> None:
    page = [(72, 780, 20, "The Pump Book"), (72, 750, 11, "Version 3, May 2019"), *made.column(made.prose("pump", 5), top=700)]
    stated = read([page], title="Microsoft Word - pump_final2.docx", author="Ada Moor; Ben Holt")
    assert (stated.title, stated.authors, stated.year) == ("The Pump Book", ("Ada Moor", "Ben Holt"), 2019)
    silent = read(
        [made.column("In 1984 the pump of the harbour was new, and nobody had seen one like it before.")],
        author="Administrator",
    )
    assert (silent.authors, silent.year) == ((), None)


def test_a_text_layer_of_glued_words_is_refused() -> None:
    glued = " ".join(word + "together" * 2 + word for word in made.prose("pump", 40).lower().replace(".", "").split())
    with pytest.raises(InvalidInput, match="text layer is unreliable"):
        read([made.column(*[glued[n : n + 1500] for n in range(0, 6000, 1500)])])


def test_an_encrypted_pdf_says_so() -> None:
    with pytest.raises(InvalidInput, match="encrypted"):
        read([made.column(made.prose("pump", 3))], password="secret")


def test_a_pdf_cut_off_or_without_words_says_so() -> None:
    whole = made.pdf([made.column(made.prose("pump", 30))])
    with pytest.raises(InvalidInput, match=r"not a readable PDF|no text layer"):
        pdf.read(whole[: len(whole) // 3], "cut.pdf", LIMITS)
    with pytest.raises(InvalidInput, match="no text layer"):
        read([[]])


def test_more_pages_or_letters_than_allowed_are_refused() -> None:
    data = made.pdf([made.column(made.prose("pump", 3))] * 4)
    with pytest.raises(InvalidInput, match="4 pages"):
        pdf.read(data, "long.pdf", Limits(pages=3))
    with pytest.raises(InvalidInput, match="characters of text"):
        pdf.read(data, "long.pdf", Limits(characters=200))
