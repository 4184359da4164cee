"""PDF: text by pdfium, with the place of each line, so that paragraphs, headings and pages come out as they stand.

A file whose letters cannot be trusted (words glued together, glyphs without meaning) is refused: nothing is quoted from it.
"""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from typing import Any

import pypdfium2 as pdfium  # type: ignore[import-untyped]
from pypdfium2 import raw

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import (
    Composer,
    Limits,
    ReadDocument,
    Stated,
    clean,
    fold,
    names_in,
    sane_title,
    year_in,
)
from autonomy.memory.readers.pdf_layout import Bookmark, Line, body_size, compose, without_running

_MONO = re.compile(
    r"mono|courier|typewriter|consol|cmtt|sftt|ectt|menlo|inconsolata|fixed|txtt|lucidasanstyp|code", re.IGNORECASE
)
_BOLD = re.compile(r"bold|black|heavy|demi|medi\b|cmbx|sfbx|ecbx|cmssbx|-bd", re.IGNORECASE)
_FIXED_PITCH = 1
_HYPHENS = "\ufffe\u0002\u00ad"
_PIECE = re.compile(rf"[^\r\n{_HYPHENS}]+[{_HYPHENS}]?")
_DATED = re.compile(
    r"\d{4}-\d\d-\d\d|©|\(c\)|copyright|edition|version|\b(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])",
    re.IGNORECASE,
)
MAX_BOOKMARKS = 20_000


def read(data: bytes, name: str, limits: Limits) -> ReadDocument:
    """A PDF as a document. Raises InvalidInput for one that is encrypted, broken, without text or not to be trusted."""
    document = opened(data, limits)
    try:
        lines = _lines(document, limits)
        bookmarks = _bookmarks(document)
        metadata = document.get_metadata_dict()
    finally:
        document.close()
    if not lines:
        raise InvalidInput("has no text layer (a scan?)", "Run text recognition on it first.")
    _check_letters(lines)
    composer = Composer(limits.characters)
    compose(without_running(lines), bookmarks, composer)
    _check_words(composer)
    return composer.finish("application/pdf", _stated(metadata, lines, composer))


def opened(data: bytes, limits: Limits) -> Any:
    """The PDF as pdfium has it; whoever asks closes it. Raises InvalidInput for one encrypted, broken or of too many pages."""
    try:
        document = pdfium.PdfDocument(data)
        pages = len(document)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise InvalidInput("is encrypted and needs a password", "Store an unprotected copy.") from error
        raise InvalidInput("is not a readable PDF (damaged or cut off)", "Fetch it again.") from error
    if pages > limits.pages:
        document.close()
        raise InvalidInput(f"has {pages:,} pages, more than {limits.pages:,}", "Split the file.")
    return document


def _lines(document: Any, limits: Limits) -> list[Line]:
    lines: list[Line] = []
    characters = 0
    for number in range(len(document)):
        try:
            page = document[number]
            text_page = page.get_textpage()
        except pdfium.PdfiumError:
            continue  # a damaged page among sound ones: the others still stand at their numbers
        found = _page_lines(text_page, number + 1)
        text_page.close()
        page.close()
        characters += sum(len(line.text) for line in found)
        if characters > limits.characters:
            raise InvalidInput(f"holds more than {limits.characters:,} characters of text", "Split the file.")
        lines.extend(found)
    return lines


def _page_lines(text_page: Any, number: int) -> list[Line]:
    text = text_page.get_text_range() if text_page.count_chars() else ""
    lines = []
    for match in _PIECE.finditer(text):
        words = fold(match.group())
        if words:
            lines.append(_line(text_page, match.start(), match.end(), match.group(), words, number))
    for index, line in enumerate(lines):
        line.from_top, line.from_bottom = index, len(lines) - 1 - index
    return lines


def _line(text_page: Any, start: int, end: int, piece: str, words: str, number: int) -> Line:
    """Geometry from the first, the middle and the last visible letter."""
    first = start + len(piece) - len(piece.lstrip())
    last = start + len(piece.rstrip(f"{_HYPHENS} \t")) - 1
    indexes = [raw.FPDFText_GetCharIndexFromTextIndex(text_page, at) for at in (first, (first + last) // 2, max(first, last))]
    fonts = [_font(text_page, index) for index in indexes]
    x, y = ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text_page, indexes[0], x, y)
    left, right, low, high = (ctypes.c_double() for _ in range(4))
    raw.FPDFText_GetCharBox(text_page, indexes[2], left, right, low, high)
    return Line(
        text=words,
        page=number,
        x0=x.value,
        x1=right.value,
        y=y.value,
        size=round(raw.FPDFText_GetFontSize(text_page, indexes[0]), 1),
        mono=all(mono for mono, _ in fonts),
        bold=all(bold for _, bold in fonts),
        hyphen=piece[-1] in _HYPHENS,
    )


def _font(text_page: Any, index: int) -> tuple[bool, bool]:
    """(fixed pitch, bold) of a letter's font."""
    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    raw.FPDFText_GetFontInfo(text_page, index, name, 128, flags)
    font = name.value.decode("latin-1")
    return bool(flags.value & _FIXED_PITCH) or bool(_MONO.search(font)), bool(_BOLD.search(font))


def _bookmarks(document: Any) -> list[Bookmark]:
    found: list[Bookmark] = []
    try:
        for entry in document.get_toc(max_depth=6):
            target = entry.get_dest()
            page = target.get_index() if target is not None else None
            title = fold(entry.get_title())
            if page is not None and title:
                found.append(Bookmark(title, page + 1, entry.level + 1))
            if len(found) >= MAX_BOOKMARKS:
                break
    except pdfium.PdfiumError:
        return found  # a damaged outline costs headings, not the document
    return found


def _check_letters(lines: list[Line]) -> None:
    """Refuse a text layer whose glyphs have no meaning (no mapping to letters)."""
    sample = "".join(line.text for line in lines[:: max(1, len(lines) // 2000)])
    odd = sum(char == "\ufffd" or "\ue000" <= char <= "\uf8ff" for char in sample)
    if odd * 20 > len(sample):
        raise InvalidInput("its text layer is unreliable: many glyphs stand for no letter", "Run text recognition on it first.")


def _check_words(composer: Composer) -> None:
    """Refuse glued words: mean length above 8 letters, or more than 1 % of words above 20 (Latin script only)."""
    lengths: Counter[int] = Counter()
    for text in composer.prose():
        for token in text.split():
            word = token.strip(".,;:!?()[]\"'“”‘’«»")
            if word.isalpha() and word[1:].islower() and word < "\u0250":
                lengths[len(word)] += 1
    total = lengths.total()
    if total < 200:
        return
    mean = sum(length * count for length, count in lengths.items()) / total
    long = sum(count for length, count in lengths.items() if length > 20) / total
    if mean > 8 or long > 0.01:
        raise InvalidInput(
            f"its text layer is unreliable: words run together (mean {mean:.1f} letters, {long:.1%} above 20)",
            "Find another copy.",
        )


def _stated(metadata: dict[str, str], lines: list[Line], composer: Composer) -> Stated:
    """Title: metadata, else the largest line of the first page that has text. Year: from a date on that page."""
    front = [line for line in lines if line.page == lines[0].page]
    title = sane_title(clean(metadata.get("Title", ""))) or _printed_title(front, body_size(lines))
    if not title and composer.headings:
        title = composer.headings[0][2]
    years = [
        year
        for line in front
        if _DATED.search(line.text) or re.fullmatch(r"\D{0,3}(19|20)\d\d\D{0,3}", line.text)
        if (year := year_in(line.text))
    ]
    return Stated(title=title, authors=names_in(metadata.get("Author", "")), year=max(years, default=None))


def _printed_title(front: list[Line], usual: float) -> str:
    largest = max(line.size for line in front)
    if largest < usual * 1.2:
        return ""
    title: list[str] = []
    for line in front:
        if line.size == largest:
            title.append(line.text)
        elif title:
            break
    return sane_title(" ".join(title[:4]))
