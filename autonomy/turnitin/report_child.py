"""The child that reads similarity reports and holds them against the draft: a file and a text in, a report out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from autonomy.core.errors import InvalidInput
from autonomy.memory.child import file_bytes, serve
from autonomy.memory.readers.document import Limits, fold
from autonomy.turnitin import layouts
from autonomy.turnitin.labels import AI_PAGE
from autonomy.turnitin.placed import Box, sheet
from autonomy.turnitin.report import Flagged, Report

_BODY = 20_000
"""Characters of the submitted text that a report keeps."""
_MOST_PASSAGES = 5_000
_SENTENCE = 12
"""Words of a line at least that is the paper's, on a page that has the viewer's own words as well."""
_KINDS = "Give a PDF, a saved web page (HTML) or JSON."


def answer(request: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """Read the report that the request names, its passages located in the request's draft: {status: ok, report}. Raises
    InvalidInput with what is wrong with it."""
    data = file_bytes(request["path"], limits)
    report = parse(data, request["name"], limits)
    known = report.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()})
    if request.get("draft") is not None:
        known = _held_against(known, request["draft"])
    return {"status": "ok", "report": known.model_dump(mode="json")}


def _held_against(report: Report, draft: str) -> Report:
    from autonomy.text.chars import count_words
    from autonomy.turnitin.fitting import fits, locate

    located = locate(report, draft)
    title = draft.partition("\n")[0].removeprefix("# ")
    doubts = fits(located, title=title, words=count_words(draft), text=draft)
    return located.model_copy(update={"doubts": doubts})


def parse(data: bytes, name: str, limits: Limits) -> Report:
    """The report in a file's bytes: told by what it begins with, then by its name. Raises InvalidInput."""
    if not data.strip():
        raise InvalidInput("is empty", "Give the report again.")
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    suffix = PurePosixPath(name).suffix.lower()
    if head.startswith(b"%PDF-"):
        return _pdf(data, limits)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"\x1f\x8b")):
        raise InvalidInput("is an archive or an Office file, not a report", _KINDS)
    if head.startswith((b"{", b"[")) or suffix == ".json":
        from autonomy.turnitin import figures

        return figures.read(data)
    if head.startswith(b"<") or suffix in (".html", ".htm", ".xhtml"):
        return _html(data, limits)
    raise InvalidInput("is of a kind that no report has", _KINDS)


def _pdf(data: bytes, limits: Limits) -> Report:
    from autonomy.memory.readers.pdf import opened
    from autonomy.turnitin import pdf_words

    try:
        document = opened(data, limits)
    except InvalidInput as error:
        raise InvalidInput(error.message, "Download the report again, whole and without a password.") from None
    try:
        pages = pdf_words.pages(document, limits)
    finally:
        document.close()
    if not any(page.words for page in pages):
        raise InvalidInput("has no text layer (a scan?)", layouts.STATE_IT)
    found = layouts.read(sheet(word for page in pages for word in page.words))
    passages = [
        Flagged(text=one.text, source=_named(found.report, one.number), confidence=one.covered)
        for number, page in enumerate(pages)
        for one in page.marked
        if _of_paper(one.first, number, found) and not AI_PAGE.search(page.text)
    ]
    body = " ".join(page.text for number, page in enumerate(pages) if number not in found.own_pages)
    return found.report.model_copy(update={"flagged": tuple(passages[:_MOST_PASSAGES]), "body": body[:_BODY]})


def _of_paper(first: Box, number: int, found: layouts.Found) -> bool:
    """Whether a passage stands in the paper, not among the report's own figures."""
    if number not in found.own_pages:
        return True
    return found.report.layout == "classic" and number == found.start.page and first.middle < found.start.top


def _named(report: Report, number: int | None) -> str | None:
    """The source that the badge beside a passage means."""
    if number is None or not 1 <= number <= len(report.top_sources):
        return None
    return report.top_sources[number - 1].name


def _html(data: bytes, limits: Limits) -> Report:
    from autonomy.memory.readers.html import parsed
    from autonomy.turnitin import html_words

    words: Sequence[Box] = html_words.words(parsed(data), limits)
    found = layouts.read(sheet(words))
    lines: dict[float, list[str]] = {}
    for word in words:
        lines.setdefault(word.top, []).append(word.text)
    body = fold(" ".join(" ".join(line) for line in lines.values() if len(line) >= _SENTENCE))
    return found.report.model_copy(update={"body": body[:_BODY]})


if __name__ == "__main__":
    serve(answer)
