"""The page about similarity reports: its example is read, and what it names as limits are the limits."""

from __future__ import annotations

import json
import re
from pathlib import Path

from autonomy.turnitin import figures
from autonomy.turnitin.reading import LIMITS

PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text("utf-8")


def test_the_plain_form_is_read_as_it_stands_there() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    report = figures.read(found.group(1).encode())
    assert (report.overall, report.word_count) == (34, json.loads(found.group(1))["word_count"])
    assert [(each.percent, each.approx, each.kind) for each in report.top_sources] == [
        (12.5, None, "internet"),
        (0.5, "<1", "publication"),
    ]


def test_the_limits_are_those_that_are_told() -> None:
    assert f"more than {LIMITS.pages:,}\npages or larger than {LIMITS.file_bytes >> 20} MiB" in PAGE
