"""Word documents: headings, paragraphs, lists and tables in the order of the body, and the core properties.

The archive is looked over before anything is unpacked: too many members, too much text or too good a compression is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from lxml import etree  # type: ignore[import-untyped]

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import Composer, Kind, Limits, ReadDocument, Stated, fold, names_in, sane_title, zone

MAX_MEMBERS = 5_000
MAX_UNPACKED = 256 << 20
MAX_RATIO = 200
_RATIO_FROM = 4 << 20
_HEADING = re.compile(r"(?:heading|berschrift|titre|ttulo|titolo|kop|見出し|标题)\s*([1-9])$", re.IGNORECASE)
_BROKEN = (
    PackageNotFoundError,
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    AttributeError,
    TypeError,
    IndexError,
    EOFError,
    OSError,
    etree.LxmlError,
)
MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def read(data: bytes, name: str, limits: Limits) -> ReadDocument:
    """A Word document. Raises InvalidInput for one that is protected, broken or a bomb."""
    _check_archive(data)
    composer = Composer(limits.characters)
    try:
        document = docx.Document(io.BytesIO(data))
        _Walk(composer).run(document)
        properties = document.core_properties
        title, author = properties.title or "", properties.author or ""
    except _BROKEN as error:
        raise InvalidInput("is not a readable Word document (damaged or cut off)", "Save it again.") from error
    first = composer.headings[0][2] if composer.headings else ""
    return composer.finish(MEDIA_TYPE, Stated(title=sane_title(title) or first, authors=names_in(author)))


def _check_archive(data: bytes) -> None:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput("is encrypted, or an old .doc under a new name", "Save it as an unprotected .docx.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise InvalidInput("is not a readable Word document (damaged or cut off)", "Save it again.") from error
    unpacked = sum(member.file_size for member in members)
    steep = any(
        member.file_size > _RATIO_FROM and member.file_size > MAX_RATIO * max(1, member.compress_size) for member in members
    )
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or steep:
        raise InvalidInput(f"unpacks to {unpacked >> 20} MiB in {len(members)} parts: refused as a bomb", "Remove it.")
    if any(member.flag_bits & 1 for member in members):
        raise InvalidInput("is encrypted and needs a password", "Store an unprotected copy.")


class _Walk:
    def __init__(self, composer: Composer) -> None:
        self._out = composer
        self._zone: tuple[int, Kind] | None = None

    def run(self, document: Any) -> None:
        for part in document.iter_inner_content():
            if isinstance(part, Table):
                self._out.block("table", "\n".join(_rows(part)))
            else:
                self._paragraph(part)

    def _paragraph(self, paragraph: Any) -> None:
        text = paragraph.text
        if not text.strip():
            return
        style = paragraph.style
        name = (style.name or "") if style is not None else ""
        level = _level(paragraph, name, (style.style_id or "") if style is not None else "")
        if level:
            if self._zone and level <= self._zone[0]:
                self._zone = None
            kind = zone(text)
            if kind and self._zone is None:
                self._zone = (level, kind)
            self._out.heading(level, text)
        else:
            self._out.block(self._zone[1] if self._zone else _kind(paragraph, name.lower()), text)


def _level(paragraph: Any, name: str, style_id: str) -> int:
    if name == "Title":
        return 1
    match = _HEADING.search(name) or _HEADING.search(style_id)
    if match:
        return min(6, int(match.group(1)))
    outline = paragraph._p.xpath("./w:pPr/w:outlineLvl/@w:val")
    return min(6, int(outline[0]) + 1) if outline and outline[0].isdigit() and int(outline[0]) < 9 else 0


def _kind(paragraph: Any, style: str) -> Kind:
    if style.startswith(("toc", "table of")):
        return "contents"
    if "quote" in style:
        return "quote"
    if "code" in style or "preformatted" in style or "source" in style:
        return "code"
    if style.startswith(("footnote", "endnote", "bibliography")):
        return "reference"
    return "li" if style.startswith("list") or paragraph._p.xpath("./w:pPr/w:numPr") else "p"


def _rows(table: Any) -> list[str]:
    """Rows as lines; a merged cell is said once."""
    rows: list[str] = []
    for row in table.rows:
        cells: list[str] = []
        for cell in row.cells:
            text = fold(cell.text)
            if not cells or cells[-1] != text:
                cells.append(text)
        rows.append(" | ".join(cells))
    return rows
