"""Printed reports: every figure that stands on the page is found, and none that does not."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import NamedTuple

import pypdfium2 as pdfium  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Limits
from autonomy.turnitin.report import Report
from autonomy.turnitin.report_child import parse
from tests.memory import made
from tests.turnitin import rendered
from tests.turnitin.rendered import LANGUAGES, TITLES, Sample

LIMITS = Limits()
Figures = dict[str, float | str | int | None]


def value(printed: str | None) -> float | None:
    """What a printed percentage means."""
    if printed is None:
        return None
    return 0.5 if "<" in printed else float(printed.replace(",", ".").rstrip("% "))


def printed_figures(sample: Sample) -> Figures:
    """Every figure of a sample under a name of its own."""
    figures: Figures = {
        "overall": value(sample.overall),
        "overall approx": "<1" if sample.overall and "<" in sample.overall else None,
        "internet": value(sample.internet),
        "publications": value(sample.publications),
        "submitted works": value(sample.students),
        "words": sample.count,
    }
    for number, (name, kind, percent) in enumerate(sample.sources, 1):
        figures |= {f"source {number}": name, f"kind {number}": rendered.KINDS[kind], f"percent {number}": value(percent)}
        figures[f"approx {number}"] = "<1" if percent and "<" in percent else None
    return figures


def found_figures(report: Report) -> Figures:
    figures: Figures = {
        "overall": report.overall,
        "overall approx": report.approx,
        "internet": report.categories.internet,
        "publications": report.categories.publications,
        "submitted works": report.categories.submitted_works,
        "words": report.word_count,
    }
    for number, source in enumerate(report.top_sources, 1):
        figures |= {f"source {number}": source.name, f"kind {number}": source.kind, f"percent {number}": source.percent}
        figures[f"approx {number}"] = source.approx
    return figures


class Row(NamedTuple):
    """One line of the table."""

    name: str
    present: int
    right: int
    invented: int


def held(sample: Sample, kind: str) -> Row:
    """Read a sample and hold what was found against what was printed."""
    data = sample.pdf() if kind == "pdf" else sample.html()
    report = parse(data, f"report.{kind}", LIMITS)
    printed, found = printed_figures(sample), found_figures(report)
    assert report.layout == sample.layout
    assert report.title == TITLES[sample.language]
    present = {name: figure for name, figure in printed.items() if figure is not None}
    right = sum(found.get(name) == figure for name, figure in present.items())
    invented = sum(figure is not None and printed.get(name) != figure for name, figure in found.items())
    return Row(f"{kind:4} {sample.layout:9} {sample.language} {sample.name}", len(present), right, invented)


def test_of_all_synthetic_reports_every_figure_is_right_and_none_is_invented() -> None:
    rows = [held(sample, "pdf") for sample in rendered.samples()]
    rows += [held(sample, "html") for sample in rendered.pages_of_html()]
    table = [f"{row.name:44} {row.right:3} of {row.present:3} right, {row.invented} invented" for row in rows]
    present, right, invented = (sum(column) for column in zip(*(row[1:] for row in rows), strict=True))
    table.append(f"{len(rows)} reports: {right:,} of {present:,} figures right, {invented} invented")
    assert table[-1] == "99 reports: 1,635 of 1,635 figures right, 0 invented", "\n".join(table)


FIGURE = st.one_of(
    st.none(), st.just("<1%"), st.integers(0, 30).map("{}%".format), st.integers(0, 299).map(lambda n: f"{n / 10} %")
)
NAMES = (
    "www.a.example",
    "2 Fast for 3 words",
    "Submitted to the 3rd University, where 50% of all go and more of them come than",
    "X, 2019",
)
ODDITIES = (
    "split",
    "tracked",
    "wide",
    "sign below",
    "small sign",
    "centred badges",
    "close badges",
    "scrambled",
    "cut",
    "with ai",
)


@settings(max_examples=25)
@given(
    layout=st.sampled_from(["classic", "integrity"]),
    language=st.sampled_from(sorted(LANGUAGES)),
    overall=st.sampled_from([None, "30%", "30,0 %", "100%"]),
    parts=st.tuples(FIGURE, FIGURE, FIGURE),
    sources=st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 2), FIGURE), max_size=6),
    oddities=st.frozensets(st.sampled_from(ODDITIES), max_size=3),
)
def test_whatever_figures_are_printed_those_are_found(
    layout: str,
    language: str,
    overall: str | None,
    parts: tuple[str | None, str | None, str | None],
    sources: list[tuple[str, int, str | None]],
    oddities: frozenset[str],
) -> None:
    sample = Sample("any", layout, language, overall, *parts, tuple(sources), oddities=oddities)
    row = held(sample, "pdf")
    assert (row.right, row.invented) == (row.present, 0)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_share_of_ai_writing_is_never_read_as_the_similarity(language: str) -> None:
    with pytest.raises(InvalidInput, match="overview of AI writing: there is no similarity in it"):
        parse(rendered.ai_page(language), "report.pdf", LIMITS)
    both = Sample("both", "integrity", language, overall=None, oddities=frozenset({"with ai"}))
    assert parse(both.pdf(), "report.pdf", LIMITS).overall is None


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_digital_receipt_has_no_similarity(language: str) -> None:
    with pytest.raises(InvalidInput, match="digital receipt: there is no similarity in it"):
        parse(rendered.receipt(language), "report.pdf", LIMITS)


def test_a_report_without_its_figure_says_so_and_asks_for_it() -> None:
    report = parse(Sample("x", "classic", "en", overall=None).pdf(), "report.pdf", LIMITS)
    assert report.overall is None
    assert report.warnings == ("the overall similarity was not found in the report: state it by hand",)


@pytest.mark.parametrize("figure", ["101%", "-1%", "- 1 %", "NaN%", "<2%", "1.234,5%"])
def test_what_is_no_percentage_is_not_made_one(figure: str) -> None:
    report = parse(made.pdf([[(50, 700, 30, figure), (50, 680, 8, "SIMILARITY INDEX")]]), "report.pdf", LIMITS)
    assert report.overall is None
    assert "state it by hand" in report.warnings[0]


def box(*lines: made.Line) -> Report:
    """A classic report of hand-placed lines."""
    return parse(made.pdf([[(50, 760, 9, "ORIGINALITY REPORT"), *lines]]), "report.pdf", LIMITS)


def test_a_percentage_belongs_to_the_label_below_it_not_to_the_next_in_reading_order() -> None:
    report = box(
        (50, 700, 30, "27%"), (182, 700, 30, "22%"), (446, 700, 30, "14%"),
        (50, 680, 8, "SIMILARITY INDEX"), (182, 680, 8, "INTERNET SOURCES"), (314, 680, 8, "PUBLICATIONS"),
        (446, 680, 8, "STUDENT PAPERS"),
    )  # fmt: skip
    assert (report.overall, report.categories.internet, report.categories.submitted_works) == (27, 22, 14)
    assert report.categories.publications is None


OVERVIEW: list[made.Line] = [
    (40, 820, 7, "Page 2 of 9 - Integrity Overview"), (430, 820, 7, "Submission ID  trn:oid:::1:3036498766"),
    (40, 770, 18, "21% Overall Similarity"), (40, 730, 9, "Filtered from the Report"),
    (40, 706, 7, "Small Matches (less than 10 words)"), (40, 670, 10, "Match Groups"), (310, 670, 10, "Top Sources"),
    (40, 650, 8, "35 Not Cited or Quoted 18%"), (40, 635, 8, "3 Missing Quotations 1%"), (40, 620, 8, "0 Cited and Quoted 0%"),
    (310, 650, 8, "16%"), (335, 650, 8, "*"), (350, 650, 8, "Internet sources"), (310, 635, 8, "12%  Publications"),
    (310, 620, 8, "13%"), (350, 620, 8, "Submitted works (Student Papers)"), (40, 525, 8, "1 Integrity Flag for Review"),
]  # fmt: skip
LIST: list[made.Line] = [
    (40, 820, 7, "Page 3 of 9 - Integrity Overview"), (40, 770, 10, "Match Groups"), (310, 770, 10, "Top Sources"),
    (40, 750, 8, "35 Not Cited or Quoted 18%"), (310, 750, 8, "16%  Internet sources"), (310, 735, 8, "12%  Publications"),
    (40, 680, 10, "Top Sources"), (40, 668, 6, "The sources with the highest number of matches within the submission."),
    (44, 650, 8, "1"), (60, 650, 7, "Internet"), (44, 636, 8, "www.one.example"), (540, 636, 8, "4%"),
    (44, 615, 8, "2"), (60, 615, 7, "Publication"), (44, 601, 8, "50% of it, 2019"), (540, 601, 8, "<1%"),
]  # fmt: skip


def test_match_groups_beside_the_databases_and_before_the_list_keep_their_figures_to_themselves() -> None:
    alone = parse(made.pdf([OVERVIEW]), "report.pdf", LIMITS)
    assert (alone.overall, *alone.categories.model_dump().values()) == (21, 16, 12, 13)
    assert alone.top_sources == ()
    report = parse(made.pdf([OVERVIEW, LIST]), "report.pdf", LIMITS)
    assert (report.overall, *report.categories.model_dump().values()) == (21, 16, 12, 13)
    assert [(each.name, each.kind, each.percent) for each in report.top_sources] == [
        ("www.one.example", "internet", 4),
        ("50% of it, 2019", "publication", 0.5),
    ]


def test_of_two_figures_for_one_label_none_is_taken() -> None:
    report = box((50, 700, 12, "27%"), (50, 687, 12, "SIMILARITY INDEX"), (50, 674, 12, "72%"))
    assert report.overall is None
    assert "not clear which figure" in report.warnings[0]


def test_of_two_labels_with_different_figures_neither_is_taken() -> None:
    lines = [(left, 700, 12, figure) for left, figure in ((50, "27%"), (300, "72%"))]
    report = box(*lines, (50, 687, 12, "SIMILARITY INDEX"), (300, 687, 12, "SIMILARITY INDEX"))
    assert report.overall is None
    assert "not clear which figure" in report.warnings[0]


def test_figures_and_labels_in_two_heaps_are_not_paired() -> None:
    rows = ["27%", "22%", "SIMILARITY INDEX", "INTERNET SOURCES"]
    report = box(*((50, 700 - 14 * n, 12, row) for n, row in enumerate(rows)))
    assert (report.overall, report.categories.internet) == (None, None)


def test_a_figure_beside_other_words_is_not_the_labels_above_it() -> None:
    report = box((50, 700, 12, "SIMILARITY INDEX"), (50, 686, 12, "45%"), (90, 686, 12, "of the archive is searched"))
    assert report.overall is None


def test_a_part_larger_than_the_whole_casts_out_the_whole() -> None:
    report = parse(Sample("x", "classic", "en", overall="5%", internet="22%").pdf(), "report.pdf", LIMITS)
    assert report.overall is None
    assert "22%, is larger than the overall similarity of 5%" in report.warnings[0]


def test_the_box_behind_the_paper_counts_not_one_that_the_paper_shows() -> None:
    page = [(50, 700, 30, "1%"), (50, 680, 8, "SIMILARITY INDEX")]
    last = [(50, 700, 30, "27%"), (50, 680, 8, "SIMILARITY INDEX")]
    title = (50.0, 760.0, 9.0, "ORIGINALITY REPORT")
    assert parse(made.pdf([[title, *page], [title, *last]]), "report.pdf", LIMITS).overall == 27


def test_a_long_paper_does_not_hide_the_report_in_front_of_it_or_behind_it() -> None:
    paper = [made.column(made.prose("pump", 3))] * 50
    figures: list[made.Line] = [(50, 700, 30, "27%"), (50, 680, 8, "SIMILARITY INDEX")]
    for pages in ([*paper, *paper, figures], [figures, *paper, *paper], [*paper, figures, *paper]):
        assert parse(made.pdf(pages), "report.pdf", LIMITS).overall == 27


def test_coloured_passages_are_marked_with_their_source_and_how_far_the_colour_covers_them() -> None:
    for layout, oddities in (("classic", frozenset[str]()), ("integrity", frozenset({"with ai"}))):
        sample = Sample("marked", layout, "en", marked=rendered.MARKED, oddities=oddities)
        report = parse(sample.pdf(), "report.pdf", LIMITS)
        assert [passage.text for passage in report.flagged] == [text for text, _ in rendered.MARKED]
        assert [passage.source for passage in report.flagged] == [sample.sources[n - 1][0] for _, n in rendered.MARKED]
        assert all(passage.confidence > 0.9 for passage in report.flagged)
        assert all((passage.start, passage.percent) == (None, None) for passage in report.flagged)
    assert parse(replace(sample, marked=()).pdf(), "report.pdf", LIMITS).flagged == ()  # the colours of AI writing are there


def test_a_marked_word_that_a_line_end_breaks_is_whole() -> None:
    data, text = rendered.hyphenated()
    with closing(pdfium.PdfDocument(data)) as document:
        assert "\ufffe" in document[0].get_textpage().get_text_range()
    assert [passage.text for passage in parse(data, "report.pdf", LIMITS).flagged] == [text]


@pytest.mark.parametrize(
    "hiding", ["<script>{}</script>", "<style>{}</style>", "<p hidden>{}</p>", "<p style='display: none'>{}</p>"]
)
def test_scripts_styles_and_hidden_parts_of_a_page_are_not_read(hiding: str) -> None:
    page = f"<html><body>{hiding}</body></html>"
    with pytest.raises(InvalidInput, match="no similarity was found in it"):
        parse(page.format("27% Overall Similarity").encode(), "report.html", LIMITS)
    shown = "<p>27% Overall Similarity</p>"
    assert parse(f"<html><body>{hiding.format('1%')}{shown}</body></html>".encode(), "report.html", LIMITS).overall == 27
