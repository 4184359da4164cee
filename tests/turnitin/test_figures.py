"""Reports as JSON: the Core API's objects and our own form, strict in every figure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autonomy.core.errors import InvalidInput
from autonomy.turnitin import figures
from autonomy.turnitin.report import Report

SIMILARITY: dict[str, Any] = {
    "submission_id": "7b3074cf-0000-4000-8000-000000000000",
    "status": "COMPLETE",
    "overall_match_percentage": 34,
    "internet_match_percentage": 29,
    "publication_match_percentage": 12,
    "submitted_works_match_percentage": None,
    "time_requested": "2026-11-01T10:00:00Z",
    "top_source_largest_matched_word_count": 100,
    "top_matches": [
        {"name": "www.one.example", "percentage": 20.28571, "source_type": "INTERNET", "matched_word_count_total": 100},
        {"name": "A paper", "percentage": 3, "source_type": "PUBLICATION", "matched_word_count_total": 9},
        {"name": "Elsewhere", "percentage": 0.4, "source_type": "CROSSREF", "matched_word_count_total": 2},
    ],
}
OVERVIEW: dict[str, Any] = {
    "overall_match_percentage": 34.5,
    "submission_id": "7b3074cf-0000-4000-8000-000000000000",
    "match_aggregates": [
        {
            "source_type": "INTERNET",
            "description": "www.one.example",
            "percent": 20.28571,
            "match_sources": [
                {
                    "link": "https://www.one.example/page",
                    "percent": 19.5,
                    "match_groups": [{"glimpse_id": "x", "match_segments": [[66, 631], [700, 720]]}],
                }
            ],
        }
    ],
}


def read(value: Any) -> Report:
    return figures.read(json.dumps(value).encode())


def test_the_similarity_object_of_the_core_api_is_read() -> None:
    report = read(SIMILARITY)
    assert (report.layout, report.overall) == ("core_api", 34)
    assert report.categories.model_dump() == {"internet": 29, "publications": 12, "submitted_works": None}
    assert [(each.name, each.percent, each.kind) for each in report.top_sources] == [
        ("www.one.example", 20.28571, "internet"),
        ("A paper", 3, "publication"),
        ("Elsewhere", 0.4, None),
    ]
    assert report.flagged == ()


def test_the_overview_of_the_core_api_gives_passages_as_offsets() -> None:
    for value in (OVERVIEW, SIMILARITY | {"match_aggregates": OVERVIEW["match_aggregates"]}):
        report = read(value)
        assert [(each.start, each.end, each.percent, each.source) for each in report.flagged] == [
            (66, 631, 19.5, "https://www.one.example/page"),
            (700, 720, 19.5, "https://www.one.example/page"),
        ]
    assert read(OVERVIEW).top_sources[0].name == "www.one.example"


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING", "ERROR"])
def test_only_a_complete_similarity_counts(status: str) -> None:
    with pytest.raises(InvalidInput, match=f"has the status {status}: the similarity is not ready") as refused:
        read(SIMILARITY | {"status": status})
    assert "COMPLETE" in refused.value.hint
    with pytest.raises(InvalidInput, match="has the status unknown"):
        read({name: value for name, value in SIMILARITY.items() if name != "status"})


def test_the_plain_form_is_read() -> None:
    report = read(
        {
            "overall": 34.5,
            "top_sources": [{"name": "www.one.example", "percent": 12, "kind": "internet", "url": "https://www.one.example/"}],
            "flagged": [{"text": "Words of the draft", "percent": "<1%", "source": "www.one.example"}],
            "title": "On Leases",
            "word_count": 3251,
        }
    )
    assert (report.layout, report.overall, report.title, report.word_count) == ("plain", 34.5, "On Leases", 3251)
    assert report.top_sources[0].url == "https://www.one.example/"
    assert (report.flagged[0].text, report.flagged[0].percent, report.flagged[0].start) == ("Words of the draft", 0.5, None)
    assert read({"overall": 0}).overall == 0


def test_less_than_one_is_a_half_and_says_so() -> None:
    report = read({"overall": "<1%", "top_sources": [{"name": "a", "percent": "<1"}]})
    assert (report.overall, report.approx) == (0.5, "<1")
    assert (report.top_sources[0].percent, report.top_sources[0].approx) == (0.5, "<1")


@pytest.mark.parametrize("figure", ["101", "-1", "NaN", "Infinity", "1e999", '"12%"', '"12"', "true", "null", "[12]", '"<2%"'])
@pytest.mark.parametrize(
    "form",
    [
        '{{"overall": {}}}',
        '{{"status": "COMPLETE", "overall_match_percentage": {}}}',
        '{{"status": "COMPLETE", "overall_match_percentage": 12, "top_matches": [{{"name": "a", "percentage": {}}}]}}',
        '{{"overall": 12, "top_sources": [{{"name": "a", "percent": {}}}]}}',
    ],
)
def test_what_is_no_percentage_is_refused_in_one_line(form: str, figure: str) -> None:
    text = form.format(figure)
    if figure == "null" and ("percentage" in form.partition("[")[2] or "percent" in form.partition("[")[2]):
        assert figures.read(text.encode()).top_sources[0].percent is None
        return
    with pytest.raises(InvalidInput) as refused:
        figures.read(text.encode())
    assert refused.value.hint
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"overall": 3', "is not JSON as it should be"),
        ('{"overall": 3, "overall": 4}', "a name is given twice"),
        ("[3]", "is JSON, but not one object"),
        ('{"overall": 3, "flaged": []}', "has a wrong flaged: extra inputs are not permitted"),
        ('{"top_sources": []}', "has a wrong overall: field required"),
        ('{"overall": 3, "flagged": [{"text": " "}]}', "has a wrong flagged[0].text"),
        ('{"overall": 3, "word_count": -1}', "has a wrong word_count"),
        ('{"overall": 3, "title": "a\\u0000b"}', "U+0000"),
        ('{"overall_match_percentage": 3, "match_aggregates": [{"description": "a", "match_sources": [{"match_groups": '
         '[{"match_segments": [[9, 3]]}]}]}]}', "has a match segment from 9 to 3"),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused_with_its_place(text: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        figures.read(text.encode())
    assert why in refused.value.message
