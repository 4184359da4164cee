"""A report's passages find their places in the draft, and a report of something else is told."""

from __future__ import annotations

from pathlib import Path

from autonomy.turnitin.fitting import fits, locate
from autonomy.turnitin.report import Flagged, Report
from tests.memory import made

DRAFT = (
    "# On leases\n\nA lease is *renewed* by a thread of its own — “never by the worker”.\n"
    "It ends after 1.5 seconds, not after 15 seconds. Whoever waits is told.\n\n"
    "Whoever waits is told. The rest of the text goes on for some time.\n"
)


def report(*texts: str, **more: object) -> Report:
    flagged = tuple(Flagged(text=text, source="a") for text in texts)
    return Report.model_validate({"overall": 3.0, "layout": "plain", "flagged": [each.model_dump() for each in flagged]} | more)


def places(given: Report) -> list[str | None]:
    return [None if each.start is None else DRAFT[each.start : each.end] for each in locate(given, DRAFT).flagged]


def test_a_passage_is_found_letter_by_letter_in_its_own_typography_or_by_its_words() -> None:
    given = report(
        "The rest of the text goes on",
        'a thread of its own - "never by the worker"',
        "lease is renewed by a thread of its own",
        "It ends after\n1.5  seconds",
    )
    assert places(given) == [
        "The rest of the text goes on",
        "a thread of its own — “never by the worker”",
        "lease is *renewed* by a thread of its own",
        "It ends after 1.5 seconds",
    ]


def test_what_is_not_in_the_draft_has_no_place() -> None:
    given = report("It ends after 2.5 seconds", "is never renewed by a thread of its own", "5 seconds", "ease is")
    assert places(given) == [None, None, None, None]
    assert [each.text for each in locate(given, DRAFT).flagged] == [each.text for each in given.flagged]


def test_the_same_passage_twice_has_two_places_and_of_two_sources_one() -> None:
    twice = locate(report("Whoever waits is told.", "Whoever waits is told.", "Whoever waits is told."), DRAFT).flagged
    first, second = DRAFT.index("Whoever"), DRAFT.rindex("Whoever")
    assert [each.start for each in twice] == [first, second, first]
    other = Flagged(text="Whoever waits is told.", source="b")
    both = Report(overall=3.0, layout="plain", flagged=(twice[0], other))
    assert [each.start for each in locate(both, DRAFT).flagged] == [first, first]


def test_offsets_alone_get_the_drafts_words_if_they_fit() -> None:
    given = Report(
        overall=3.0, layout="core_api", flagged=(Flagged(text="", start=2, end=11), Flagged(text="", start=2, end=99_999))
    )
    inside, outside = locate(given, DRAFT).flagged
    assert (inside.text, inside.start, inside.end) == ("On leases", 2, 11)
    assert (outside.text, outside.start, outside.end) == ("", None, None)


TEXT = made.prose("pump", 120)
WORDS = len(TEXT.split())


def test_a_report_of_the_draft_raises_no_doubt() -> None:
    given = report(TEXT[:60].rsplit(" ", 1)[0], title="The pump in winter", word_count=WORDS + 40, body=TEXT[:5_000])
    assert fits(given, title="On the Pump in Winter", words=WORDS, text=f"# The pump\n\n{TEXT}") == ()
    assert fits(report(), title="On the Pump in Winter", words=WORDS, text=TEXT) == ()


CORPUS = sorted((Path(__file__).parents[2] / "fixtures" / "corpus").glob("*.md"))


def test_a_report_of_something_else_is_doubted_for_each_reason() -> None:
    own, other = (path.read_text("utf-8") for path in CORPUS[:2])
    given = report("Words that nobody wrote here", title="Orchards of the world", word_count=9_000, body=other[:5_000])
    title, count, text, passages = fits(given, title="On the Pump in Winter", words=900, text=own)
    assert title == "the report is about 'Orchards of the world', the draft is 'On the Pump in Winter'"
    assert count == "the report is of a text of 9,000 words, the draft has 900"
    assert text.startswith("the report shows another text: ")
    assert passages == "none of the 1 passage that the report marks can be found in the draft"
