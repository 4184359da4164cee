"""What a similarity report says, whichever file it came in.

The invariant: a figure stands here only when it stood in the report. What was not found is None, never 0.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from autonomy.core.types import Count, FilledText, Finite, Frozen, Text

PARSER_VERSION = "1"
"""Raised whenever the same file is read differently."""
LESS_THAN_ONE: Literal["<1"] = "<1"
Percent = Annotated[Finite, Field(ge=0, le=100)]
"""0 to 100. What a report prints as `<1%` is 0.5, and `approx` beside it says so."""
Approx = Literal["<1"]
Kind = Literal["internet", "publication", "submitted_work"]
Layout = Literal["classic", "integrity", "core_api", "plain"]
"""The ORIGINALITY REPORT box, the newer Integrity Overview, the JSON of the Core API, our own JSON (`turnitin.figures`)."""


class Categories(Frozen):
    """Percent of the text that each database holds. They overlap: their sum is not the overall similarity."""

    internet: Percent | None = None
    publications: Percent | None = None
    submitted_works: Percent | None = None


class Source(Frozen):
    """One of the top sources, as the report names it. `url` only where the report gives one."""

    name: FilledText
    percent: Percent | None = None
    approx: Approx | None = None
    kind: Kind | None = None
    url: Text | None = None


class Flagged(Frozen):
    """A passage that the report marks.

    `start` and `end` are characters of the submitted text where the report gives them, of the draft after `locate`; None
    where unknown. `text` is empty only where the report gives nothing but offsets. `confidence` is 1 for what the report
    states; for highlights of a PDF it is the share of the passage's letters that the colour covers.
    """

    text: Text
    start: Annotated[Count, Field(ge=0)] | None = None
    end: Annotated[Count, Field(ge=0)] | None = None
    percent: Percent | None = None
    source: Text | None = None
    confidence: Annotated[Finite, Field(ge=0, le=1)] = 1.0


class Report(Frozen):
    """A similarity report. `overall` is percent; `sha256` is of the file's bytes; `warnings` are lines for a person.

    `doubts` speak against its being the report of the draft that it was held against, a line each.
    `body` is the beginning of the submitted text as the report shows it ("" where it shows none): what tells whether the
    report belongs to a draft.
    """

    overall: Percent | None
    approx: Approx | None = None
    categories: Categories = Categories()
    top_sources: tuple[Source, ...] = ()
    flagged: tuple[Flagged, ...] = ()
    layout: Layout
    parser_version: Text = PARSER_VERSION
    sha256: Text = ""
    title: Text | None = None
    word_count: Annotated[Count, Field(ge=0)] | None = None
    warnings: tuple[Text, ...] = ()
    doubts: tuple[Text, ...] = ()
    body: Text = ""
