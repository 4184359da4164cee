"""A report's file is read by a child under limits; what is wrong with it is one line that names the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Limits
from autonomy.turnitin.reading import LIMITS, read_report
from tests.memory import made
from tests.turnitin.rendered import Sample

REPORT = Sample("plain", "classic", "en")


def write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_report_comes_back_whole_from_its_child(tmp_path: Path) -> None:
    data = Sample("marked", "integrity", "es", marked=(("Words that the report marks in colour", 1),)).pdf()
    report = read_report(write(tmp_path, "report.pdf", data))
    assert (report.overall, report.layout, report.word_count) == (27, "integrity", 3251)
    assert [source.percent for source in report.top_sources] == [7, 3, 0.5]
    assert report.flagged[0].text == "Words that the report marks in colour"
    assert len(report.sha256) == 64
    assert "nobody else" in report.body


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("empty.pdf", b" \n", "is empty"),
        ("secret.pdf", made.pdf([made.column(made.prose("pump", 3))], password="pw"), "is encrypted and needs a password"),
        ("cut.pdf", lambda: REPORT.pdf()[:3000], "is not a readable PDF (damaged or cut off)"),
        ("scan.pdf", made.pdf([[]]), "has no text layer (a scan?)"),
        ("long.pdf", lambda: made.pdf([[(72, 700, 11, "Page")]] * 2_000), "has 2,000 pages, more than 1,000"),
        ("bomb.pdf", partial(made.pdf_bomb, 1 << 30), "broke its reader (damaged, or needs more than 256 MiB)"),
        ("bomb.zip", partial(made.zip_bomb, 40 << 20), "is an archive or an Office file, not a report"),
        (
            "page.html",
            b"<html><script>document.write('27% Overall Similarity')</script></html>",
            "no similarity was found in it",
        ),
        ("deep.html", b"<div>" * 100_000 + b"27%", "no similarity was found in it"),
        ("notes.txt", b"34 percent", "is of a kind that no report has"),
        ("prose.pdf", made.pdf([made.column(made.prose("pump", 9))]), "no similarity was found in it"),
        ("wait.json", b'{"status": "PENDING", "submission_id": "a"}', "has the status PENDING: the similarity is not ready"),
        ("nan.json", b'{"overall": NaN}', "NaN is not JSON"),
    ],
)
def test_what_cannot_be_read_has_its_reason_in_one_line(
    tmp_path: Path, name: str, data: bytes | Callable[[], bytes], why: str
) -> None:
    limits = Limits(memory_bytes=256 << 20, seconds=60, pages=LIMITS.pages)
    with pytest.raises(InvalidInput) as refused:
        read_report(write(tmp_path, name, data() if callable(data) else data), limits)
    assert refused.value.message.startswith(f"{name} ")
    assert why in refused.value.message
    assert refused.value.hint
    assert "\n" not in str(refused.value)


def test_a_report_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"report\.pdf took longer than 0\.001 s to read"):
        read_report(write(tmp_path, "report.pdf", REPORT.pdf()), Limits(seconds=0.001))


def test_a_missing_file_a_link_and_too_large_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(write(tmp_path, "a.json", b'{"overall": 3}'))
    for name, why in (("none.json", "cannot be opened"), ("link.json", "cannot be opened")):
        with pytest.raises(InvalidInput, match=why):
            read_report(tmp_path / name)
    with pytest.raises(InvalidInput, match="larger than 1 MiB"):
        read_report(write(tmp_path, "large.json", b" " * (2 << 20)), Limits(file_bytes=1 << 20))


def test_a_name_cannot_break_the_line_of_its_refusal(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_report(write(tmp_path, "a\nb\u202e.txt", b"words"))
    assert refused.value.message.startswith("a[U+000A]b[U+202E].txt is of a kind")
