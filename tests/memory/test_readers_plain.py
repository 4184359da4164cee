"""Plain text by its layout: indented prose, broken words, headings, terms, tables, running heads and titles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomy.memory.chunks import chunk
from autonomy.memory.readers import plain
from autonomy.memory.readers.document import PROSE, Limits, ReadDocument
from autonomy.memory.reading import Child

LIMITS = Limits()
MANUAL = """\
PUMP(1)                      Handbook of Machines                      PUMP(1)

NAME
       pump - move water from one place to another

DESCRIPTION
       A  pump  moves water from a low place to a high one, and it needs a mo‐
       tor to do so.  The motor is controlled by the ter‐
       minal at the wall.

       Every motor has a fuse (see FUSES below), and the fuse must be replaced
       by hand.

   Starting the motor
       The motor starts when the lever is pulled:

           $ pump --start

OPTIONS
       -q, --quiet
              The pump says nothing while it runs, and all of its messages are
              written to a file.

       -v     If the -v option is present, the pump tells the height of the
              water once a minute.

FUSES
       A fuse melts when the current is too strong for the motor behind it.

       Colour      Current    Time
       red         10 A       2 s
       blue        16 A       4 s

Machines 5.2                     March 2026                            PUMP(1)
"""
REFERENCE = """\
Help on machine pump:

NAME
    pump - A machine that moves water.

CLASSES
    class Pump(Machine)
     |  Pump(height, motor=None)
     |
     |  A pump moves water to a height that is given when it is made, and it
     |  keeps the water there.
     |
     |  start(self, /, slowly=False)
     |      Start the motor.
     |
     |      When the motor is running already, the call does nothing and the
     |      water is not moved.
     |
     |  ----------------------------------------------------------------------
     |  Data descriptors defined here:
     |
     |  start_height

FUNCTIONS
    measure(pump, /)
        The height of the water is measured from the floor of the cellar.
"""
LICENCE = """\
                        THE PUMP LICENCE
                      Version 2, May 2026

 Everyone may copy this licence.

                            Preamble

  Pumps are shared by all who live in the house, and whoever
breaks one has to mend it.

  0. Definitions.

  "Pump" means a machine that moves water and belongs to the
house.

  1. You may use the pump at any time of the day, provided that you
leave it as you have found it.

  2. Grant of Water. Subject to the terms of this licence, each owner
     grants you the water that the pump moves.

  3. Carrying the Water with You.

  You may carry the water wherever you like.

                     END OF TERMS AND CONDITIONS
"""


def read(source: str, name: str = "a.txt") -> ReadDocument:
    return plain.read(source.encode(), name, LIMITS)


def of_kind(document: ReadDocument, *kinds: str) -> list[str]:
    return [document.text[start:end] for start, end, kind in document.blocks if kind in kinds]


def prose(document: ReadDocument) -> list[str]:
    return of_kind(document, *PROSE)


def headings(document: ReadDocument) -> list[str]:
    return [text for _, _, text in document.headings]


def kinds(document: ReadDocument) -> list[str]:
    return [kind for _, _, kind in document.blocks]


def section_of(document: ReadDocument, words: str) -> str | None:
    """The section of the chunk that holds these words, which a quotation of them is cited with."""
    found = [one.section for one in chunk(document) if words in document.text[one.start : one.end]]
    assert len(found) == 1, f"{words!r} stands in {len(found)} chunks"
    return found[0]


def test_a_manual_page_gives_its_prose_under_its_headings() -> None:
    document = read(MANUAL)
    assert headings(document) == ["NAME", "DESCRIPTION", "Starting the motor", "OPTIONS", "FUSES"]
    assert prose(document) == [
        "pump - move water from one place to another",
        "A pump moves water from a low place to a high one, and it needs a motor to do so. The motor is controlled by the "
        "terminal at the wall.",
        "Every motor has a fuse (see FUSES below), and the fuse must be replaced by hand.",
        "The motor starts when the lever is pulled:",
        "The pump says nothing while it runs, and all of its messages are written to a file.",
        "If the -v option is present, the pump tells the height of the water once a minute.",
        "A fuse melts when the current is too strong for the motor behind it.",
    ]
    assert section_of(document, "needs a motor") == "DESCRIPTION"
    assert section_of(document, "says nothing while it runs") == "OPTIONS"
    assert section_of(document, "A fuse melts") == "FUSES"


def test_options_tables_dialogues_and_the_frame_of_a_manual_page_are_not_quoted() -> None:
    document = read(MANUAL)
    assert [text.strip() for text in of_kind(document, "code")] == ["$ pump --start", "-q, --quiet", "-v"]
    assert [text.split() for text in of_kind(document, "table")] == [
        ["Colour", "Current", "Time", "red", "10", "A", "2", "s", "blue", "16", "A", "4", "s"]
    ]
    for frame in ("Handbook of Machines", "March 2026", "PUMP(1)"):
        assert frame not in document.text


def test_a_generated_reference_is_read_without_its_bars() -> None:
    document = read(REFERENCE)
    assert headings(document) == ["NAME", "CLASSES", "class Pump(Machine)", "FUNCTIONS"]
    assert "|" not in document.text
    assert [text.strip() for text in of_kind(document, "code")] == [
        "Pump(height, motor=None)",
        "start(self, /, slowly=False)",
        "start_height",
        "measure(pump, /)",
    ]
    assert of_kind(document, "contents") == ["Help on machine pump:", "Data descriptors defined here:"]
    assert "A pump moves water to a height that is given when it is made, and it keeps the water there." in prose(document)
    assert "When the motor is running already, the call does nothing and the water is not moved." in prose(document)
    assert "The height of the water is measured from the floor of the cellar." in prose(document)
    assert section_of(document, "keeps the water there") == "class Pump(Machine)"
    assert section_of(document, "floor of the cellar") == "FUNCTIONS"


def test_the_bars_of_a_table_stay() -> None:
    document = read("| a pump | moves water |\n| a fuse | melts early |\n")
    assert kinds(document) == ["table"]
    assert document.text.count("|") == 6


def test_a_title_may_stand_right_above_a_table_and_a_row_above_a_rule_is_none() -> None:
    rows = "lid      brass    round\nvalve    steel    square\npipe     copper   long\n"
    assert headings(read(f"Parts\n-----\n{rows}")) == ["Parts"]
    assert kinds(read(f"Parts\n-----\n{rows}")) == ["table"]
    assert headings(read(f"part     made of  shape\n-----------------------\n{rows}")) == []


def test_a_box_of_stars_is_taken_off() -> None:
    box = ["*" * 40, *(f"*  {line:<35} *" for line in ("1. Warranty", "-" * 11, "", "The pump comes without a", "warranty."))]
    document = read("\n".join([*box, "*" * 40]))
    assert headings(document) == ["1. Warranty"]
    assert prose(document) == ["The pump comes without a warranty."]


def test_a_licence_gives_its_numbered_sections_and_keeps_its_numbered_clauses() -> None:
    document = read(LICENCE)
    assert headings(document) == [
        "THE PUMP LICENCE Version 2, May 2026",
        "Preamble",
        "0. Definitions.",
        "2. Grant of Water.",
        "3. Carrying the Water with You.",
        "END OF TERMS AND CONDITIONS",
    ]
    assert of_kind(document, "li") == [
        "1. You may use the pump at any time of the day, provided that you leave it as you have found it."
    ]
    assert section_of(document, "each owner grants you") == "2. Grant of Water."
    assert section_of(document, '"Pump" means a machine') == "0. Definitions."
    assert section_of(document, "Pumps are shared") == "Preamble"


@pytest.mark.parametrize("gap", ["\n", "\n\n"], ids=["together", "apart"])
def test_items_of_a_list_are_no_headings(gap: str) -> None:
    document = read(gap.join(["1. Pumps.", "2. Motors.", "3. Fuses."]) + "\n\nAll of them are kept in the cellar.\n")
    assert headings(document) == []
    assert of_kind(document, "li") == ["1. Pumps.", "2. Motors.", "3. Fuses."]


def test_a_line_that_begins_like_an_item_in_the_middle_of_a_sentence_is_none() -> None:
    document = read(
        "The fuse that belongs to this motor is described at length in section\n"
        "7. It must be replaced by hand, and nobody may bridge it with a wire or\n"
        "a. nail.\n"
    )
    assert len(document.blocks) == 1


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        ("the ter\u2010\nminal", "the terminal"),
        ("the ter\u00ad\nminal", "the terminal"),
        ("the SIG\u2010\nCPU", "the SIGCPU"),
        ("the ter-\nminal", "the terminal"),
        ("a well-known pump and a well-\nknown motor", "a well-known pump and a well-known motor"),
        ("a well-known pump and a well\u2010\nknown motor", "a well-known pump and a well-known motor"),
        ("the motor runs, and a motor-\nruns", "the motor runs, and a motor-runs"),
        ("a non-zero height, a non-\nempty pipe", "a non-zero height, a non-empty pipe"),
        ("a cooperative, a co-\noperative", "a cooperative, a cooperative"),
        ("pre- and post-\nand inter-\nor outer", "pre- and post- and inter- or outer"),
        ("the Nord-\nSüd pipe", "the Nord- Süd pipe"),
        ("a -\nb", "a - b"),
    ],
)
def test_a_word_broken_at_a_line_end_is_made_whole_and_a_compound_stays(lines: str, joined: str) -> None:
    assert read(f"Of {lines}.").text == f"Of {joined}."


def test_page_marks_part_pages_where_there_are_no_form_feeds() -> None:
    parts = ("lid", "valve", "wheel", "pipe")
    source = "".join(
        f"PUMPS 17                     The Pump                     May 2026\n\n\n"
        f"   The {part} of the pump is closed by hand before the winter, and the\n\n\n"
        f"Moor                        Standards                     [Page {n}]\n"
        f"PUMPS 17                     The Pump                     May 2026\n\n\n"
        f"   {part}'s own handle is taken off.\n\n\n"
        f"Moor                        Standards                     [Page {n + 1}]\n"
        for n, part in zip((1, 3, 5, 7), parts, strict=True)
    )
    document = read(source)
    assert prose(document) == [
        f"The {part} of the pump is closed by hand before the winter, and the {part}'s own handle is taken off."
        for part in parts
    ]
    assert [number for number, _ in document.pages] == list(range(1, 9))
    assert document.text[dict(document.pages)[4] :].startswith("valve's own handle")
    for head in ("Standards", "PUMPS 17", "[Page"):
        assert head not in document.text


def test_a_line_that_only_looks_like_a_running_head_stays_inside_a_page() -> None:
    page = (
        "Pump RFC\n\nThe {part} of the pump\nis closed by hand.\n\n"
        "Pump RFC\n\nIt stays closed until May.\nNobody opens it.\n\n[{n}]\n"
    )
    document = read("\f".join(page.format(part=part, n=n) for n, part in enumerate(("lid", "pipe", "gauge", "wheel"), 1)))
    assert document.text.count("Pump RFC") == 4
    assert "[1]" not in document.text


@pytest.mark.parametrize(
    ("source", "title"),
    [
        (MANUAL, "pump - move water from one place to another"),
        (REFERENCE, "pump - A machine that moves water"),
        (LICENCE, "THE PUMP LICENCE Version 2, May 2026"),
        ("Help on pump:\n\nNAME\n    pump\n\nTEXT\n    A pump moves water to a high place.\n", "pump"),
        ("0. PREAMBLE\n\nA pump moves water.\n", ""),
        ("The pump book\n\nFor all who have one\n\nA pump moves water from low to high places.\n", "The pump book"),
        ("A pump moves water.\n\nEND OF TERMS\n", "END OF TERMS"),
        (f"{'A pump moves water. ' * 30}\n\nEND OF TERMS\n\nA lid.\n", ""),
    ],
    ids=["manual", "reference", "licence", "name alone", "numbered", "first line", "short", "late"],
)
def test_the_title_is_the_first_heading_that_is_no_section(source: str, title: str) -> None:
    assert read(source).title == title


def test_a_call_on_a_line_of_its_own_is_code_and_a_clause_is_no_title() -> None:
    document = read(
        "move_the_water(pump, height)\n\nWater is moved to a height that is given.\n\n"
        "4. Carrying water to the neighbour. It is allowed on all days of the week\nbut one.\n"
    )
    assert kinds(document) == ["code", "p", "li"]


def test_indented_code_is_still_code_and_indented_prose_with_signs_is_prose() -> None:
    document = read(
        "Pumps\n=====\n\nA pump is opened by a call, and it is closed in the same way by another call.\n\n"
        "    valve = open(pump, mode='slow')\n    valve.turn(3)  # to the left\n\n"
        "    The call open(pump) gives a valve (see above) that is turned by turn(), and the value of its `mode` is kept.\n"
    )
    assert [text.split()[0] for text in of_kind(document, "code")] == ["valve"]
    assert prose(document)[-1].startswith("The call open(pump) gives a valve")


def test_a_term_and_what_is_said_of_it_are_parted() -> None:
    document = read(
        "Words\n\n  Lid   Nobody opens the lid of a pump that is running in the cellar.\n\n"
        "level_max\n    The height at which the pump stops and the lid is closed.\n"
    )
    assert prose(document)[-3:] == [
        "Lid",
        "Nobody opens the lid of a pump that is running in the cellar.",
        "The height at which the pump stops and the lid is closed.",
    ]
    assert of_kind(document, "code") == ["level_max"]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 12),
            st.text(alphabet=st.sampled_from("abAB .:-|*=1()日。\u2010\t"), max_size=30),
            st.sampled_from(["\n", "\n\n", "\f"]),
        ),
        max_size=25,
    )
)
def test_nothing_but_lines_that_draw_and_hyphens_is_lost(lines: list[tuple[int, str, str]]) -> None:
    source = "".join(f"{' ' * indent}{text}{end}" for indent, text, end in lines)
    document = read(source)
    want = [char for char in source if char.isalnum()]
    # Three pages with the same line at their edges have running heads, which go.
    if source.count("\f") < 2:
        assert [char for char in document.text if char.isalnum()] == want
    last = 0
    parts = sorted([(a, b) for a, b, _ in document.blocks] + [(a, a + len(text)) for a, _, text in document.headings])
    for start, end in parts:
        assert last <= start < end <= len(document.text)
        last = end
    for number, start in document.pages:
        assert 0 <= start < len(document.text), number


LONG = 1 << 18


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """A child that gives up on what takes the square of its length: here that is many minutes."""
    one = Child(Limits(seconds=60))
    yield one
    one.close()


@pytest.mark.parametrize(
    "source",
    [
        "x" * LONG, f"x{' ' * LONG}x", "-\n" * (LONG // 2) + "x", "abcdefgh-\n" * (LONG // 10),
        "ab\u2010\n" * (LONG // 5), ". " * (LONG // 2) + "x", "e.g. " * (LONG // 5), "a(" * (LONG // 2),
        "a   " * (LONG // 4), "|\n" * (LONG // 2) + "x", "1. Ab.\n\n" * (LONG // 8), f"{'*' * LONG}x",
        "[Page " * (LONG // 6) + "x",
    ],
    ids=[
        "word", "spaces", "hyphens", "cut words", "soft", "points", "abbreviations", "brackets", "gaps", "bars", "items",
        "stars", "marks",
    ],
)  # fmt: skip
def test_very_much_of_one_thing_is_read_within_the_limit(child: Child, tmp_path: Path, source: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(source)
    answer = child.read(path, "a.txt")
    assert (answer.status, answer.why) == ("ok", "")
