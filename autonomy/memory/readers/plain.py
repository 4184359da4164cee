"""Plain text: pages by form feeds or page marks, running heads dropped, the rest as its layout tells.

Words broken at a line end are made whole (see `hyphens`), the bar that some programs draw along an indented block is
taken off, and what repeats at the edges of pages or frames a manual page is dropped. Every other word is kept.
"""

from __future__ import annotations

import re
from dataclasses import replace

from autonomy.memory.readers.document import Composer, Limits, ReadDocument, Stated, clean, sane_title
from autonomy.memory.readers.encoding import decode
from autonomy.memory.readers.hyphens import SOFT
from autonomy.memory.readers.plain_layout import indent, lay_out

_SOFT_BREAK = re.compile("\u00ad(?=[ \t]*(?:\r?\n|$))")
_DIGITS = re.compile(r"\d+")
_PAGE_MARK = re.compile(r"\[Page [\divxlc]{1,6}\]$")
_MANUAL = re.compile(r"(\S{1,60}\([^\s()]{1,10}\)) {2,}\S.* {2,}\1", re.IGNORECASE)
"""The first line of a manual page: its name and section at both ends, the book's between them."""
_WIDE = re.compile(r"(?<=\S) {2,}(?=\S)")
_BAR = re.compile(r" *\|(?: |$)")
_TOP = 400
"""Letters from the beginning within which a heading is the document's title."""
_SECTION = re.compile(r"[\dIVX]{1,5}[.)]?\s|(?:chapter|section|part|appendix)\s", re.IGNORECASE)
_NAMED = re.compile(r"[^\s,]{1,60}(?:, ?[^\s,]{1,60}){0,8} (?:-|--|–|—|\\-) \S")
"""What stands under the first heading of a manual page: the names of what it is about, and what that is."""
_NAME = 60
"""Letters of a name that stands alone under the first heading."""
_LINE = 200
"""Letters; a longer line is no running head and no title."""


def read(data: bytes, name: str, limits: Limits) -> ReadDocument:
    """A text file as a document."""
    composer = Composer(limits.characters)
    text = _SOFT_BREAK.sub(SOFT, decode(data)).replace("\r\n", "\n").replace("\r", "\n")
    pages = [_lines(page) for page in _paged(text)]
    lay_out([_unframed(page) for page in _without_heads(pages)], composer)
    document = composer.finish("text/plain", Stated())
    return replace(document, title=_title(document))


def _lines(page: str) -> list[str]:
    return [line.rstrip() for line in clean(page).expandtabs(8).split("\n")] if page.strip() else []


def _paged(text: str) -> list[str]:
    """The text cut at form feeds; without any, behind the lines that end in a page mark ("[Page 3]")."""
    if "\f" in text or "[Page " not in text:
        return text.split("\f")
    pages: list[list[str]] = [[]]
    for line in text.split("\n"):
        pages[-1].append(line)
        if _PAGE_MARK.search(line.rstrip()[-20:]):
            pages.append([])
    return ["\n".join(page) for page in pages]


def _without_heads(pages: list[list[str]]) -> list[list[str]]:
    """The pages without the lines that come back at the edges of three or more, and without the frame of manual pages."""
    edges = [_edge(page) for page in pages]
    seen: dict[str, int] = {}
    for page, places in zip(pages, edges, strict=True):
        for line in {_digitless(page[place]) for place in places}:
            seen[line] = seen.get(line, 0) + 1
    repeated = {line for line, count in seen.items() if count >= 3 and len(pages) > 2 and count >= 0.1 * len(pages)}
    names = {found[1].casefold() for page in pages for line in page if (found := _manual(line))}
    kept: list[list[str]] = []
    for page, places in zip(pages, edges, strict=True):
        dropped = {place for place in places if _digitless(page[place]) in repeated}
        kept.append([line for at, line in enumerate(page) if at not in dropped and not (names and _frames(line, names))])
    return kept


def _edge(page: list[str]) -> set[int]:
    """Which lines stand at the top or at the bottom of the page: the first two and the last two that are not empty."""
    filled = [at for at, line in enumerate(page) if line]
    return {*filled[:2], *filled[-2:]}


def _digitless(line: str) -> str:
    return _DIGITS.sub("#", line.strip())


def _manual(line: str) -> re.Match[str] | None:
    return _MANUAL.fullmatch(line) if line.endswith(")") and len(line) <= _LINE else None


def _frames(line: str, names: set[str]) -> bool:
    """Whether it is the first or the last line of one of these manual pages: three columns, at the end the name or what
    stands at the beginning."""
    if len(line) > _LINE:
        return False
    columns = _WIDE.split(line)
    return len(columns) > 2 and (columns[-1].casefold() in names or columns[0] == columns[-1])


def _unframed(lines: list[str]) -> list[str]:
    """The lines without the bar along the left edge of an indented block, and without a box of stars around a text.

    Rows of a table keep their bars.
    """
    kept: list[str] = []
    run: list[str] = []
    mark = ""
    for line in [*lines, ""]:
        text = line.strip()
        framed = "|" if _BAR.match(line) else "*" if len(text) > 2 and text[0] == text[-1] == "*" else ""
        if framed and framed == mark:
            run.append(line)
            continue
        kept += _bare(run, mark)
        mark, run = framed, [line]
    return kept


def _bare(run: list[str], mark: str) -> list[str]:
    """Lines that begin with the same mark, without it where it is a frame."""
    if mark == "|" and len(run) > 1 and 2 * sum(line.count("|") > 1 for line in run) < len(run):
        return [line.replace("|", " ", 1).rstrip() for line in run]
    if mark == "*" and len(run) > 2:
        return [" " * indent(line) + f" {line.strip().strip('*')}".rstrip() for line in run]
    return run


def _title(document: ReadDocument) -> str:
    """The first heading when it stands at the top and is not that of a section; of a manual page, what its name says.

    A manual page begins with a heading of one word, under which a line names the page: "pump - move water".
    """
    if not document.headings or document.headings[0][0] >= _TOP:
        return ""
    text = document.headings[0][2]
    if text.isupper() and len(text.split()) == 1:
        end = document.headings[1][0] if len(document.headings) > 1 else len(document.text)
        under = [block for block in document.blocks[:4] if document.headings[0][0] < block[0] < end]
        line = document.text[under[0][0] : under[0][1]] if under else ""
        named = _NAMED.match(line) and len(line) <= _LINE
        if named or (len(under) == 1 and 0 < len(line) <= _NAME and line[-1].isalnum()):
            return sane_title(line.rstrip("."))
    return "" if _SECTION.match(text) else sane_title(text)
