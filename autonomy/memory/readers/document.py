"""What a reader makes of a file, and the one way to put it together.

The invariant: `text` is the snapshot that every offset counts in. Blocks and headings are disjoint, in order, and stand
one blank line apart; white space inside them is folded (code keeps its lines); no NUL, no lone surrogate, no
character that only steers a display.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from autonomy.core.errors import InvalidInput

Kind = Literal["p", "li", "quote", "code", "table", "reference", "contents"]
MAX_HEADING = 300
"""Letters of a heading at most: it is stored with every chunk below it."""
PROSE: frozenset[Kind] = frozenset(("p", "li", "quote"))

# Control characters, lone surrogates, invisible joiners of lines, and the marks that make a display lie.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u00ad\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]"
)
_BREAKS = re.compile("[\u0085\u2028\u2029]")
_SPACE = re.compile(r"\s+")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_CJK_GAP = re.compile(r"(?<=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])\n\s*(?=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost: bytes on disk, bytes of memory, seconds, characters of text, pages."""

    file_bytes: int = 64 << 20
    memory_bytes: int = 512 << 20
    seconds: float = 60.0
    characters: int = 20_000_000
    pages: int = 5_000


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A file as text. `pages` are (number from 1, start); `headings` (start, level, text); `blocks` (start, end, kind).

    `title` is "" when the document states none; `authors` and `year` only hold what it states itself.
    """

    text: str
    pages: tuple[tuple[int, int], ...]
    headings: tuple[tuple[int, int, str], ...]
    blocks: tuple[tuple[int, int, Kind], ...]
    title: str
    authors: tuple[str, ...]
    year: int | None
    media_type: str


@dataclass(slots=True)
class Stated:
    """What a document says about itself."""

    title: str = ""
    authors: tuple[str, ...] = ()
    year: int | None = None


def lexicon(words: str) -> frozenset[str]:
    """The set of the words in a text."""
    return frozenset(words.split())


def clean(text: str) -> str:
    """Without characters that no database, no encoding or no reader should meet; ligatures spelt out."""
    return _UNWANTED.sub("", _BREAKS.sub("\n", text)).translate(_LIGATURES)


def fold(text: str) -> str:
    """Clean text with white space folded to single spaces (none where a line broke between Japanese or Chinese letters)."""
    return _SPACE.sub(" ", _CJK_GAP.sub("", clean(text))).strip()


def fold_code(text: str) -> str:
    """Clean lines without trailing space and without empty lines; indentation stays."""
    lines = [line.expandtabs(4).rstrip() for line in clean(text).splitlines()]
    return "\n".join(line for line in lines if line)


@dataclass(slots=True)
class Composer:
    """Puts a document together block by block. Raises InvalidInput when the text outgrows the limit."""

    limit: int
    _parts: list[str] = field(default_factory=list)
    _length: int = 0
    pages: list[tuple[int, int]] = field(default_factory=list)
    headings: list[tuple[int, int, str]] = field(default_factory=list)
    blocks: list[tuple[int, int, Kind]] = field(default_factory=list)

    def heading(self, level: int, text: str) -> None:
        """A heading of level 1 (top) to 6. A blank one is left out, an endless one is a paragraph."""
        text = fold(text)
        if len(text) > MAX_HEADING:
            self.block("p", text)
        elif text:
            start = self._add(text)
            self.headings.append((start, max(1, min(6, level)), text))

    def block(self, kind: Kind, text: str) -> None:
        """A paragraph or its like. A blank one is left out."""
        text = fold_code(text) if kind in ("code", "table") else fold(text)
        if text:
            start = self._add(text)
            self.blocks.append((start, start + len(text), kind))

    def page(self, number: int, inside: int = 0) -> None:
        """A page begins with what is added next; `inside` that many characters into it."""
        at = (self._length + 2 if self._parts else 0) + inside
        self.pages.append((number, at))

    def prose(self) -> list[str]:
        """The texts of ordinary paragraphs and list items so far."""
        starts = {start: kind for start, _, kind in self.blocks}
        found: list[str] = []
        at = 0
        for part in self._parts:
            if starts.get(at) in PROSE:
                found.append(part)
            at += len(part) + 2
        return found

    def finish(self, media_type: str, stated: Stated) -> ReadDocument:
        """The document. A page that began after the last block is dropped: nothing stands on it."""
        text = "\n\n".join(self._parts)
        return ReadDocument(
            text=text,
            pages=tuple(page for page in self.pages if page[1] < len(text)),
            headings=tuple(self.headings),
            blocks=tuple(self.blocks),
            title=fold(stated.title)[:500],
            authors=tuple(name for name in (fold(author)[:200] for author in stated.authors[:20]) if name),
            year=stated.year,
            media_type=media_type,
        )

    def _add(self, text: str) -> int:
        start = self._length + 2 if self._parts else 0
        self._parts.append(text)
        self._length = start + len(text)
        if self._length > self.limit:
            raise InvalidInput(f"holds more than {self.limit:,} characters of text", "Split the file.")
        return start


_REFERENCES = lexicon(
    """
    references bibliography literature literatur literaturverzeichnis quellen bibliographie bibliografie bibliografía
    referencias références referências bibliografia riferimenti 参考文献 参考资料 引用文献 notes footnotes endnotes
    """
)
_REFERENCE_PHRASES = frozenset(("works cited", "further reading", "see also", "literature cited", "external links", "weblinks"))
_CONTENTS = lexicon(
    """
    contents inhalt inhaltsverzeichnis inhaltsangabe índice indice sommaire sumário sommario inhoud index indices
    stichwortverzeichnis sachregister register 目次 目录 索引
    """
)
_CONTENTS_PHRASES = frozenset(
    (
        "table of contents",
        "short contents",
        "list of figures",
        "list of tables",
        "table des matières",
        "tabla de contenido",
        "general index",
        "function index",
        "concept index",
        "variable index",
        "command index",
        "function and variable index",
        "list of examples",
    )
)
_NUMBERING = re.compile(
    r"^(?:(?:appendix|chapter|anhang|kapitel)\s+)?(?:[A-Z]|\d+|[ivxlc]+)?(?:\.\d+)*[.:)]?\s+", re.IGNORECASE
)


def zone(heading: str) -> Kind | None:
    """The kind that everything under such a heading has: reference list or contents; None for ordinary text."""
    plain = fold(heading).casefold().rstrip(".:")
    for form in (plain, _NUMBERING.sub("", plain, count=1)):
        if form in _REFERENCES or form in _REFERENCE_PHRASES:
            return "reference"
        if form in _CONTENTS or form in _CONTENTS_PHRASES or form.endswith(" index"):
            return "contents"
    return None


_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")


def year_in(text: str) -> int | None:
    """The latest year named in a short text such as a date, or None."""
    years = [int(found) for found in _YEAR.findall(text[:200])]
    return max(years, default=None)


_NAME_BREAK = re.compile(r"\s*[;\n|·•]\s*|\s*,?\s+(?:and|und|y|et|e|&)\s+|(?<=\w{2}),\s+(?=\S+\s+\S)")
_NOBODY = lexicon(
    """
    unknown anonymous admin administrator user root author python-docx none n/a unbekannt owner default guest microsoft
    office
    """
)


def names_in(text: str) -> tuple[str, ...]:
    """The people or bodies named in a metadata field; made-up ones (the account's name, the program's) are left out."""
    found = [fold(name).strip(" ,") for name in _NAME_BREAK.split(fold(text)[:1000])]
    return tuple(
        name for name in found if 2 < len(name) < 120 and name.casefold() not in _NOBODY and any(c.isalpha() for c in name)
    )


_FILE_NAME = re.compile(r"\.(?:docx?|pdf|tex|dvi|indd|qxd|html?|ps|odt|rtf|txt|md|fm|book|xml)$", re.IGNORECASE)
_NO_TITLE = frozenset(
    ("untitled", "untitled document", "document", "title", "no title", "word document", "titel", "unbenannt", "none")
)


def sane_title(text: str) -> str:
    """The text when it may be a title, else "": programs write file names and place-holders there."""
    title = fold(text)
    title = re.sub(r"^Microsoft (?:Word|PowerPoint) - ", "", title)
    bad = len(title) < 3 or len(title) > 300 or title.casefold() in _NO_TITLE or _FILE_NAME.search(title)
    return "" if bad or not any(char.isalpha() for char in title) else title
