"""From the lines of a plain text to headings, paragraphs, items, code and tables: told by empty lines, indents and line ends.

A line that ended although the next word would still have fitted on it was ended on purpose: it is a heading, a term or a
signature when a deeper block follows. Indented text is prose when it reads like it; how deep a text stands says little
(manual pages and generated references indent all of it).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from autonomy.memory.readers.document import Composer, Kind, zone
from autonomy.memory.readers.hyphens import Hyphens
from autonomy.text.language import detect, is_cjk
from autonomy.text.stopwords import is_stop_word

Role = Literal["text", "item", "term", "title", "centred", "table", "contents"]

_UNDERLINE = re.compile(r"([=\-~^\"'*+#`:.])\1{2,}")
_NUMBERED = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2}){0,4}\.?|[A-Z]\.|[IVX]{1,5}\.|(?:Chapter|Section|Appendix|Part)\s+\w{1,4}[.:]?)\s+[^\W\d_]"
)
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,4}(?=[.)]?\s)")
_RUN_IN = re.compile(r"\d{1,2}(?:\.\d{1,2}){0,4}\.?\s+(?P<words>[^\W\d_][^.!?:;]{3,80})\.(?=\s|$)")
"""A numbered title that the text follows on its line: "3. Grant of Patent License. Subject to the terms"."""
_BULLET = re.compile(r"\s*(?:[-*+•‣o]|\(?\d{1,3}[.)]|\(?(?:[a-z]|[ivx]{2,4})[.)])\s+\S")
_LEADERS = re.compile(r"(?:\.\s?){4,}\s*\d*$")
_RULE = re.compile(r"[-=_*~#+|.: ─━═—–]{3,}")
_GRID = re.compile(r"(?:[=\-─]{2,} +)+[=\-─]{2,}|\+(?:[-=]+\+)+")
_ENDED = re.compile(r"[.!?:;,。！？][\"'”’»)\]]*$")
_DIRECTIVE = re.compile(r"\s*\.\.(?:\s+\S|\s*$)")
_PROMPT = re.compile(r"\s*(?:>>> |\.\.\. |[$%] \S)")
_SIGNATURE = re.compile(r"[-$/~\[(<{]|\S*[_()=<>{}\[\]|]|[^a-z\s]{3,}$")
"""How terms of programs begin or look: an option, a call, a variable in capitals."""
_CALL = re.compile(r"[\w.]+\([^()]*\)(?: (?:->|from) \S+)?")
_OPTION = re.compile(r" *-{1,2}[^\s-]\S*(?: \S+){0,3} {2,}(?=\S)")
_GAP = re.compile(r"(?<=\S) {2,}(?=\S)")
_CLASS = re.compile(r"class [A-Z_a-z]\w*")
_CODE_SIGNS = frozenset("{}[]()<>=;|&$#@\\/_*+%^~")
_LONG = 500
"""Letters; a longer line is data and nothing is told by its shape."""
_DEEPER = 3
"""Columns further in than the body from which on a text may be an example."""
_USUAL_WIDTH = 72
_RAGGED = 8
"""Columns by which the lines of one text may fall short of its width."""
_TAB_STOP = 8


@dataclass(slots=True)
class _Piece:
    """Neighbouring lines that are one thing. `alone`: a whole paragraph; `breaks`: pages that begin inside, by line."""

    role: Role
    lines: list[str]
    page: int
    alone: bool = False
    level: int = -1
    breaks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def indent(self) -> int:
        """Columns before its first line."""
        return indent(self.lines[0])

    @property
    def single(self) -> bool:
        """Whether it is one line that may be a heading."""
        return len(self.lines) == 1 and len(self.lines[0]) <= _LONG


def indent(line: str) -> int:
    """Columns before the first letter."""
    return len(line) - len(line.lstrip())


def lay_out(pages: Sequence[list[str]], composer: Composer) -> None:
    """Adds to the document what these pages hold. Lines have no tabs and no space at their ends."""
    lines = [line for page in pages for line in page if line]
    shape = _Shape(lines)
    pieces: list[_Piece] = []
    for number, page in enumerate(pages, 1):
        found = [piece for paragraph in _paragraphs(page) for piece in _Cutter(paragraph, shape, number).cut()]
        if pieces and found and _goes_on(pieces[-1], found[0]):
            first = found.pop(0)
            pieces[-1].breaks.append((len(pieces[-1].lines), number))
            pieces[-1].lines += first.lines
        pieces += found
    _Writer(composer, shape, paged=len(pages) > 1).write(pieces)


class _Shape:
    """What holds for the whole text: its width, where its body stands, its language, how it writes words."""

    def __init__(self, lines: list[str]) -> None:
        wordy = [line for line in lines if len(line) <= _LONG and line.count(" ", indent(line)) >= 4]
        sizes = sorted(len(line) for line in wordy if len(line) >= 40)
        self.width = sizes[len(sizes) * 9 // 10] if sizes else _USUAL_WIDTH
        places = Counter(indent(line) for line in wordy)
        self.body = min((at for at, count in places.items() if 10 * count >= len(wordy)), default=0)
        self.language = detect(" ".join(line.strip() for line in wordy[:400])[:20_000])
        self.hyphens = Hyphens(lines)

    def reads_as_prose(self, text: str) -> bool:
        """Whether most of it are plain words, every eighth of them one that only grammar needs."""
        words = text.split()
        if is_cjk(self.language):
            return 2 * sum(char > "\u3000" for char in text) > len(text)
        bare = [word.strip("()[]\"'“”‘’«».,;:!?`") for word in words]
        plain = sum(word.replace("-", "").replace("'", "").replace("’", "").isalpha() for word in bare)
        grammar = sum(is_stop_word(word.casefold(), self.language) for word in bare)
        return len(words) > 3 and plain >= 0.6 * len(words) and 8 * grammar >= len(words)


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    paragraph: list[str] = []
    for line in [*lines, ""]:
        if line:
            paragraph.append(line)
        elif paragraph:
            yield paragraph
            paragraph = []


def _goes_on(before: _Piece, after: _Piece) -> bool:
    """Whether a page ended in the middle of a sentence."""
    following = after.lines[0].lstrip()
    text = before.role in ("text", "item") and after.role in ("text", "term")
    return text and following[0].islower() and not _ENDED.search(before.lines[-1][-20:])


class _Cutter:
    """One paragraph, cut where its layout changes."""

    def __init__(self, lines: list[str], shape: _Shape, page: int) -> None:
        self._lines = lines
        self._shape = shape
        self._page = page
        self._pieces: list[_Piece] = []
        self._right = max([shape.width - _RAGGED, *(len(line) for line in lines if len(line) <= _LONG)])

    def cut(self) -> list[_Piece]:
        """The pieces in order; lines that only draw something are left out."""
        lines = self._lines
        if len(lines) > 2 and _UNDERLINE.fullmatch(lines[1].strip()) and _title_like(lines[0]) and not _GAP.search(lines[0]):
            self._new("title", lines[:2])
            lines = lines[2:]
        if _is_table(lines):
            self._new("table", lines)
            return self._pieces
        if _centred(lines, self._shape):
            self._new("centred", [line for line in lines if "://" not in line])
            if addresses := [line for line in lines if "://" in line]:
                self._new("text", addresses)
            return self._pieces
        at = 0
        fresh = True
        while at < len(lines):
            line = lines[at]
            below = lines[at + 1] if at + 1 < len(lines) else ""
            if _is_rule(line):
                fresh = True
            elif "." in line and _LEADERS.search(line[-160:]):
                self._contents(line)
                fresh = True
            elif fresh and _UNDERLINE.fullmatch(below.strip()) and _title_like(line):
                self._new("title", [line, below])
                at += 1
            else:
                self._line(line, below, fresh=fresh)
                fresh = False
            at += 1
        if len(self._pieces) == 1:
            self._pieces[0].alone = True
        return self._pieces

    def _new(self, role: Role, lines: list[str]) -> _Piece:
        piece = _Piece(role, list(lines), self._page)
        self._pieces.append(piece)
        return piece

    def _contents(self, line: str) -> None:
        if self._pieces and self._pieces[-1].role == "contents":
            self._pieces[-1].lines.append(line)
        else:
            self._new("contents", [line])

    def _line(self, line: str, below: str, *, fresh: bool) -> None:
        """Adds a line to the piece it goes on with, or begins a new one."""
        last = None if fresh or not self._pieces or self._pieces[-1].role in ("title", "contents") else self._pieces[-1]
        if len(line) <= _LONG and self._begins_item(line, last):
            self._new("item", [line]).level = indent(line)
        elif len(line) <= _LONG and self._begins_entry(line, below, last):
            return
        elif last is None or not self._continues(line, last):
            self._new("text", [line])
        else:
            last.lines.append(line)

    def _begins_item(self, line: str, last: _Piece | None) -> bool:
        if not _BULLET.match(line):
            return False
        if last is None or (last.role == "item" and indent(line) == last.level):
            return True
        above = last.lines[-1]
        return bool(_ENDED.search(above[-20:])) or indent(line) < indent(above) or self._on_purpose(above, line)

    def _begins_entry(self, line: str, below: str, last: _Piece | None) -> bool:
        """Whether a term and what is said of it begin on this line; if so both pieces are added.

        The text stands where the next line begins, or behind a wide gap when the line is a whole paragraph or an option.
        """
        here, column = indent(line), indent(below)
        if column <= here and "  " not in line:
            return False
        if not (below and here < column < len(line)) or line[column - 1] != " " or line[column] == " ":
            lone = len(self._lines) == 1
            gap = _GAP.search(line, here) if lone else _OPTION.match(line)
            if gap is None or (lone and not line[gap.end()].isupper()):
                return False
            if last is not None and last.role == "text" and last.level <= here and not self._on_purpose(last.lines[-1], line):
                return False
            column = gap.end()
        term = line[here:column].rstrip()
        wide = column - here - len(term) >= 2
        if len(term.split()) > 3 or _ENDED.search(term[-20:]) or not (wide or term[:1] in "-$/~[(<{@+"):
            return False
        self._new("term", [line[: here + len(term)]])
        self._new("text", [" " * column + line[column:]]).level = column
        return True

    def _continues(self, line: str, last: _Piece) -> bool:
        here, above = indent(line), last.lines[-1]
        if last.role == "item":
            first = len(self._pieces) == len(last.lines) == 1 and not self._on_purpose(above, line)
            if first and 0 < last.level - here <= _TAB_STOP:
                last.level = here
            return here >= last.level
        if last.role == "term":
            return False
        if last.level >= 0:
            return abs(here - last.level) <= 1
        if here > last.indent + 1:
            if self._on_purpose(above, line):
                last.role = "term"
                return False
        elif here < last.indent - 1 and (len(self._pieces) > 1 or last.indent - here > _TAB_STOP):
            return False
        last.level = here
        return True

    def _on_purpose(self, above: str, line: str) -> bool:
        """Whether the line above was ended although the first word of this one would have fitted behind it."""
        word = line.split(maxsplit=1)[0]
        if len(above) + 1 + len(word) > self._right:
            return False
        text = above.strip()
        if word[0].islower() and not _SIGNATURE.match(text) and not text.isupper():
            return not (text[0].isdigit() or len(text.split()) > 3)
        return True


class _Writer:
    """Pieces as headings and blocks of a document."""

    def __init__(self, composer: Composer, shape: _Shape, *, paged: bool) -> None:
        self._out = composer
        self._shape = shape
        self._page = 0 if paged else 1
        self._zone: tuple[int, Kind] | None = None
        self._marks: list[str] = []

    def write(self, pieces: list[_Piece]) -> None:
        """Adds all of them."""
        for at, piece in enumerate(pieces):
            before = pieces[at - 1] if at else None
            after = pieces[at + 1] if at + 1 < len(pieces) else None
            if piece.page != self._page:
                self._out.page(piece.page)
                self._page = piece.page
            self._piece(piece, before, after)

    def _piece(self, piece: _Piece, before: _Piece | None, after: _Piece | None) -> None:
        if piece.role == "title":
            self._heading(self._level(piece.lines[1].strip()[0]), piece.lines[0])
        elif piece.role == "centred" and (before is None or after is None or after.indent < piece.indent):
            self._heading(1, self._joined(piece.lines))
        elif level := self._heading_level(piece, before, after):
            self._heading(level, piece.lines[0])
        elif piece.role in ("text", "item") and (end := self._run_in(piece, before, after)):
            self._heading(1 + min(4, _dots(piece.lines[0])), piece.lines[0][:end])
            rest = piece.lines[0][end:].lstrip()
            piece.lines[:1] = [rest] if rest else []
            piece.breaks = [(line - (not rest), page) for line, page in piece.breaks]
            piece.role = "text"
            if piece.lines:
                self._block(piece)
        elif after is not None and self._labels(piece, after):
            self._out.block("contents", piece.lines[0])
        else:
            self._block(piece)

    def _labels(self, piece: _Piece, after: _Piece) -> bool:
        """Whether it announces the names that follow it at the same column ("Methods defined here:")."""
        label = piece.role in ("text", "term") and piece.single and piece.lines[0].endswith(":")
        return label and after.role in ("text", "term") and after.indent == piece.indent and self._is_code(after)

    def _block(self, piece: _Piece) -> None:
        for line, number in piece.breaks:
            self._out.page(number, len(" ".join(self._joined(piece.lines[:line]).split())) + 1)
            self._page = number
        kind = self._kind(piece)
        if kind in ("code", "table"):
            self._out.block(kind, "\n".join(piece.lines))
        else:
            self._out.block(kind, self._joined(piece.lines))

    def _kind(self, piece: _Piece) -> Kind:
        if piece.role in ("table", "contents"):
            return "table" if piece.role == "table" else "contents"
        if self._zone:
            return self._zone[1]
        if self._is_code(piece):
            return "code"
        return "li" if piece.role == "item" else "p"

    def _is_code(self, piece: _Piece) -> bool:
        """A directive, a dialogue with a program, the name of a part of a program, or text full of signs."""
        first = piece.lines[0]
        if _DIRECTIVE.match(first) or _PROMPT.match(first):
            return True
        if piece.single and _CALL.fullmatch(first.strip()):
            return True
        if piece.role == "term":
            return bool(_SIGNATURE.match(first.strip()[:_LONG])) and not _ENDED.search(first[-20:])
        text = "".join(piece.lines).replace(" ", "")
        signs = sum(char in _CODE_SIGNS for char in text)
        deep = min(map(indent, piece.lines)) >= self._shape.body + _DEEPER
        if signs <= (0.06 if deep else 0.15) * len(text):
            return False
        return signs > 0.2 * len(text) or not self._shape.reads_as_prose(" ".join(piece.lines))

    def _joined(self, lines: list[str]) -> str:
        return self._shape.hyphens.joined([line.strip() for line in lines])

    def _level(self, mark: str) -> int:
        """The order in which underlines first appear is their rank."""
        if mark not in self._marks:
            self._marks.append(mark)
        return self._marks.index(mark) + 1

    def _heading(self, level: int, text: str) -> None:
        if self._zone and level <= self._zone[0]:
            self._zone = None
        kind = zone(text)
        if kind and self._zone is None:
            self._zone = (level, kind)
        self._out.heading(level, text)

    def _heading_level(self, piece: _Piece, before: _Piece | None, after: _Piece | None) -> int:
        """The level of a heading that stands on a line of its own; 0 when it is none."""
        text = piece.lines[0].strip()
        if not piece.single or len(text) > 80 or _ENDED.search(text) or len(text.split()) > 12 or _DIRECTIVE.match(text):
            return 0
        body, here = self._shape.body, piece.indent
        deeper = after is not None and after.indent > here + 1 and piece.role != "item"
        if _NUMBERED.match(text) and (piece.alone or (deeper and _title_case(text, self._shape.language))):
            return 1 + min(4, _dots(text))
        letters = sum(char.isalpha() for char in text)
        outside = here < body or here == body == 0
        if piece.role == "item" or letters < 0.6 * len(text):
            return 0
        capitals = text.isupper() and len(text) > 3 and (piece.alone or deeper)
        if capitals and (outside or (here <= body and " " in text and not deeper and _CODE_SIGNS.isdisjoint(text))):
            return 1 + (here > 0)
        if before is None and piece.alone and after is not None and not _CALL.fullmatch(text):
            return 1
        if not text[0].isupper() or any(char in _CODE_SIGNS for char in text):
            return 2 if deeper and _CLASS.match(text) and here <= body else 0
        if deeper and here < body:
            return 1 + (here > 0)
        if piece.alone and outside and after is not None and len(text.split()) <= 8 and self._is_text(after):
            return 2
        return 0

    def _is_text(self, piece: _Piece) -> bool:
        """Whether what follows a line that may be a heading is a paragraph."""
        if piece.role != "text" or self._is_code(piece):
            return False
        return bool(_ENDED.search(piece.lines[-1][-20:])) and self._shape.reads_as_prose(" ".join(piece.lines[:20]))

    def _run_in(self, piece: _Piece, before: _Piece | None, after: _Piece | None) -> int:
        """Where a numbered title ends that the text follows; 0 without one. Items of a list stand next to one another."""
        line = piece.lines[0]
        found = _RUN_IN.match(line[:120].lstrip())
        if found is None or not _title_case(found["words"], self._shape.language):
            return 0
        rest = line[indent(line) + found.end() :].strip()
        if rest and rest[0].islower():
            return 0
        if not rest and len(piece.lines) == 1 and (after is None or _siblings(piece, before) or _siblings(piece, after)):
            return 0
        return indent(line) + found.end()


def _is_rule(line: str) -> bool:
    text = line.strip()
    return len(text) > 2 and not text[0].isalnum() and bool(_RULE.fullmatch(text) or _UNDERLINE.fullmatch(text))


def _title_like(line: str) -> bool:
    return len(line.strip()) <= 120 and any(char.isalpha() for char in line)


def _title_case(text: str, language: str) -> bool:
    """Whether every longer word that says something begins with a capital (or has none, as in scripts without)."""
    words = [word.strip("\"'“”‘’(),") for word in text.split()]
    small = [word for word in words if len(word) > 3 and word[0].islower() and not is_stop_word(word, language)]
    return len(words) <= 12 and not small


def _dots(text: str) -> int:
    return text.split(maxsplit=1)[0].rstrip(".").count(".")


def _siblings(piece: _Piece, other: _Piece | None) -> bool:
    """Whether both are single numbered lines of the same depth."""
    if other is None or len(other.lines) > 1:
        return False
    own, its = _NUMBER.match(piece.lines[0].lstrip()), _NUMBER.match(other.lines[0].lstrip())
    return bool(own and its and own.group().count(".") == its.group().count("."))


def _centred(lines: list[str], shape: _Shape) -> bool:
    """Whether these few lines stand in the middle, far from where the body begins, and are a title and no sentence or code."""
    if len(lines) > 4 or any(len(line) > 100 or indent(line) < shape.body + _TAB_STOP for line in lines):
        return False
    if not lines[0].lstrip()[0].isupper() or not _CODE_SIGNS.isdisjoint(lines[0]):
        return False
    if any(_ENDED.search(line) or _is_rule(line) or _PROMPT.match(line) for line in lines):
        return False
    middle = shape.width / 2
    if any(abs((indent(line) + len(line)) / 2 - middle) > _RAGGED for line in lines):
        return False
    letters = sum(char.isalpha() for line in lines for char in line)
    return letters > 0.6 * sum(len("".join(line.split())) for line in lines)


def _is_table(lines: list[str]) -> bool:
    """Rows drawn with rules or bars, or cells that begin at the same column in most lines."""
    if len(lines) < 2 or any(len(line) > _LONG for line in lines):
        return False
    if any(_GRID.fullmatch(line.strip()) for line in lines if line.lstrip()[0] in "=-─+"):
        return True
    if 4 * sum(line.count("|") > 1 for line in lines) >= 3 * len(lines):
        return True
    columns: Counter[int] = Counter()
    few = len(lines) < 4
    rows = 0
    for line in lines:
        if "  " not in line:
            continue
        gaps = [gap.span() for gap in _GAP.finditer(line)]
        rows += sum(end - start > 2 for start, end in gaps) > 1
        columns.update(end for start, end in gaps if not few or end - start > 2)
    if 4 * rows >= 3 * len(lines):
        return True
    return 4 * max(columns.values(), default=0) >= (4 if few else 3) * len(lines)
