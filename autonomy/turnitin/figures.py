"""Reports as JSON: the similarity object of the Turnitin Core API, its view/overview object, and a plain form of our own.

The Core API's object counts once its `status` is COMPLETE; unknown keys are passed over, as the API adds some. Its
view/overview object (`match_aggregates`) gives passages as offsets into the submitted text, and may stand alone or in one
object with the other. The plain form is for reports that reach a person in any other way (docs/reports.md shows it):
`overall` alone is enough, percentages are numbers from 0 to 100 or the text "<1%", and a misspelt key is refused.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from autonomy.core import strict_json
from autonomy.core.errors import InvalidInput
from autonomy.core.types import Count, FilledText, Frozen, Text
from autonomy.turnitin.report import LESS_THAN_ONE, Approx, Categories, Flagged, Kind, Percent, Report, Source

_KINDS: dict[str, Kind] = {"INTERNET": "internet", "PUBLICATION": "publication", "SUBMITTED_WORK": "submitted_work"}
_MOST = 5_000
Stated = Percent | Annotated[str, Field(pattern=r"^<\s?1\s?%?$")]
"""A percentage, or the words of a report that has less than one."""


class _Given(BaseModel):
    """A part of an answer of the API; what it has besides is not looked at."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Match(_Given):
    name: FilledText
    percentage: Percent | None = None
    source_type: Text | None = None


class _Group(_Given):
    match_segments: tuple[tuple[Annotated[Count, Field(ge=0)], Annotated[Count, Field(ge=0)]], ...] = ()


class _MatchSource(_Given):
    description: Text | None = None
    link: Text | None = None
    percent: Percent | None = None
    match_groups: tuple[_Group, ...] = ()


class _Aggregate(_Given):
    description: Text
    percent: Percent | None = None
    source_type: Text | None = None
    match_sources: tuple[_MatchSource, ...] = ()


class _Similarity(_Given):
    status: Text | None = None
    overall_match_percentage: Percent | None = None
    internet_match_percentage: Percent | None = None
    publication_match_percentage: Percent | None = None
    submitted_works_match_percentage: Percent | None = None
    top_matches: tuple[_Match, ...] | None = Field(default=None, max_length=_MOST)
    match_aggregates: tuple[_Aggregate, ...] | None = Field(default=None, max_length=_MOST)


class _PlainSource(Frozen):
    name: FilledText
    percent: Stated | None = None
    kind: Kind | None = None
    url: Text | None = None


class _PlainPassage(Frozen):
    text: FilledText
    percent: Stated | None = None
    source: Text | None = None


class _Plain(Frozen):
    overall: Stated
    top_sources: tuple[_PlainSource, ...] = Field(default=(), max_length=_MOST)
    flagged: tuple[_PlainPassage, ...] = Field(default=(), max_length=_MOST)
    title: Text | None = None
    word_count: Annotated[Count, Field(ge=0)] | None = None


def read(data: bytes) -> Report:
    """The report in a JSON text. Raises InvalidInput with what is wrong with it."""
    try:
        value = strict_json.loads(data)
    except strict_json.NotStrict as error:
        raise InvalidInput(f"is not JSON as it should be: {error}", "Save the answer as it was given.") from None
    if not isinstance(value, dict):
        raise InvalidInput("is JSON, but not one object", "Give the similarity object, or {overall, top_sources, flagged}.")
    try:
        if {"overall_match_percentage", "match_aggregates", "submission_id", "status"} & value.keys():
            return _of_api(_Similarity.model_validate(value))
        return _of_plain(_Plain.model_validate(value))
    except ValidationError as error:
        raise InvalidInput(_said(error), "Percentages are numbers from 0 to 100.") from None


def _said(error: ValidationError) -> str:
    """The first thing that is wrong, with its place and its value."""
    first = error.errors(include_url=False, include_context=False)[0]
    parts = [part for part in first["loc"] if isinstance(part, int) or part.isidentifier()]
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
    shown = "" if first["type"] in ("missing", "extra_forbidden") else f", not {_short(first['input'])}"
    return f"has a wrong {place or 'value'}: {first['msg'][:1].lower()}{first['msg'][1:]}{shown}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _of_api(given: _Similarity) -> Report:
    if (given.status is not None and given.status != "COMPLETE") or (given.status is None and given.match_aggregates is None):
        raise InvalidInput(
            f"has the status {given.status or 'unknown'}: the similarity is not ready", "Fetch it again once it is COMPLETE."
        )
    if given.overall_match_percentage is None:
        raise InvalidInput("has no overall_match_percentage", "Fetch the similarity object again.")
    aggregates = given.match_aggregates or ()
    sources = (
        [Source(name=each.name, percent=each.percentage, kind=_KINDS.get(each.source_type or "")) for each in given.top_matches]
        if given.top_matches is not None
        else [
            Source(name=each.description, percent=each.percent, kind=_KINDS.get(each.source_type or "")) for each in aggregates
        ]
    )
    flagged = tuple(passage for each in aggregates for source in each.match_sources for passage in _passages(each, source))
    return Report(
        overall=given.overall_match_percentage,
        categories=Categories(
            internet=given.internet_match_percentage,
            publications=given.publication_match_percentage,
            submitted_works=given.submitted_works_match_percentage,
        ),
        top_sources=tuple(sources),
        flagged=flagged[:_MOST],
        layout="core_api",
    )


def _passages(aggregate: _Aggregate, source: _MatchSource) -> list[Flagged]:
    """The segments of one source. A segment that ends before it begins is refused."""
    found = []
    for start, end in (segment for group in source.match_groups for segment in group.match_segments):
        if start >= end:
            raise InvalidInput(f"has a match segment from {start} to {end}", "Fetch the overview again.")
        name = source.link or source.description or aggregate.description
        found.append(Flagged(text="", start=start, end=end, percent=source.percent, source=name))
    return found


def _of_plain(given: _Plain) -> Report:
    overall, approx = _percent(given.overall)
    return Report(
        overall=overall,
        approx=approx,
        top_sources=tuple(
            Source(
                name=each.name,
                percent=_percent(each.percent)[0],
                approx=_percent(each.percent)[1],
                kind=each.kind,
                url=each.url,
            )
            for each in given.top_sources
        ),
        flagged=tuple(Flagged(text=each.text, percent=_percent(each.percent)[0], source=each.source) for each in given.flagged),
        layout="plain",
        title=given.title,
        word_count=given.word_count,
    )


def _percent(value: float | str | None) -> tuple[float | None, Approx | None]:
    return (0.5, LESS_THAN_ONE) if isinstance(value, str) else (value, None)
