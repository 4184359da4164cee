"""Plain text: paragraphs by empty lines, headings by underline, number or capitals, pages by form feeds."""

from __future__ import annotations

import re

from autonomy.memory.readers.document import Composer, Kind, Limits, ReadDocument, Stated, clean, zone
from autonomy.memory.readers.encoding import decode

_UNDERLINE = re.compile(r"([=\-~^\"'*+#`:.])\1{2,}\s*$")
_NUMBERED = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2}){0,4}\.?|[A-Z]\.|[IVX]{1,5}\.|(?:Chapter|Section|Appendix|Part)\s+\w{1,4}[.:]?)\s+[^\W\d_]"
)
_BULLET = re.compile(r"\s*(?:[-*+•‣o]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_LEADERS = re.compile(r"(?:\.\s?){4,}\s*\d*\s*$")
_RULE = re.compile(r"\s*[-=_*~#+|.: ]{3,}\s*$")
_SENTENCE = re.compile(r"[.!?:;,。！？]\s*$")
_DIRECTIVE = re.compile(r"\s*\.\.(?:\s+\S|\s*$)")
_CODE_SIGNS = frozenset("{}[]()<>=;|&$#@\\/_*+%^~")
_LEVELS = "=-~^\"'*+#`:."


def read(data: bytes, name: str, limits: Limits) -> ReadDocument:
    """A text file as a document."""
    composer = Composer(limits.characters)
    pages = decode(data).replace("\r\n", "\n").replace("\r", "\n").split("\f")
    edges = _running(pages)
    walk = _Walk(composer)
    for number, page in enumerate(pages, 1):
        if len(pages) > 1 and page.strip():
            composer.page(number)
        walk.page([line for line in clean(page).expandtabs(8).split("\n") if _digitless(line) not in edges])
    title = composer.headings[0][2] if composer.headings and composer.headings[0][0] < 400 else ""
    return composer.finish("text/plain", Stated(title=title))


def _digitless(line: str) -> str:
    return re.sub(r"\d+", "#", line.strip())


def _running(pages: list[str]) -> frozenset[str]:
    """Lines that come back at the edges of three pages or more."""
    seen: dict[str, int] = {}
    for page in pages:
        lines = [line for line in page.split("\n") if line.strip()]
        for line in {_digitless(line) for line in lines[:2] + lines[-2:]}:
            seen[line] = seen.get(line, 0) + 1
    return frozenset(line for line, count in seen.items() if count >= 3 and len(pages) > 2 and count >= 0.1 * len(pages))


class _Walk:
    def __init__(self, composer: Composer) -> None:
        self._out = composer
        self._zone: tuple[int, Kind] | None = None
        self._marks: list[str] = []

    def page(self, lines: list[str]) -> None:
        base = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        paragraph: list[str] = []
        for line in [*lines, ""]:
            if line.strip():
                paragraph.append(line)
            elif paragraph:
                self._paragraph(paragraph, base)
                paragraph = []

    def _paragraph(self, lines: list[str], base: int) -> None:
        if len(lines) >= 3 and _UNDERLINE.match(lines[0].strip()) and _UNDERLINE.match(lines[2].strip()):
            lines = lines[1:]
        if len(lines) >= 2 and _UNDERLINE.match(lines[1].strip()) and _title_like(lines[0]) and _RULE.match(lines[1]):
            self._heading(self._level(lines[1].strip()[0]), lines[0])
            lines = lines[2:]
        elif len(lines) == 1 and (level := _lone_heading(lines[0])):
            self._heading(level, lines[0])
            return
        lines = [line for line in lines if not _LEADERS.search(line) and not _RULE.match(line)]
        if not lines:
            return
        if not self._zone and _is_code(lines, base):
            self._out.block("code", "\n".join(lines))
            return
        for item in _items(lines):
            kind: Kind = "li" if _BULLET.match(item[0]) else "p"
            self._out.block(self._zone[1] if self._zone else kind, "\n".join(item))

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


def _title_like(line: str) -> bool:
    return len(line.strip()) <= 120 and any(char.isalpha() for char in line)


def _lone_heading(line: str) -> int:
    """The level of a heading that stands alone on its line; 0 when it is none."""
    text = line.strip()
    if len(text) > 80 or _SENTENCE.search(text) or len(text.split()) > 12 or _DIRECTIVE.match(line):
        return 0
    if _NUMBERED.match(text):
        return 1 + min(4, text.split()[0].rstrip(".").count("."))
    if text.isupper() and len(text) > 3 and sum(char.isalpha() for char in text) > 0.6 * len(text):
        return 1
    return 0


def _is_code(lines: list[str], base: int) -> bool:
    """Indented text full of signs, or a directive of a mark-up language."""
    if _DIRECTIVE.match(lines[0]):
        return True
    text = "".join(lines).replace(" ", "")
    signs = sum(char in _CODE_SIGNS for char in text)
    indented = all(len(line) - len(line.lstrip()) >= base + 4 for line in lines)
    return signs > (0.06 if indented else 0.15) * len(text)


def _items(lines: list[str]) -> list[list[str]]:
    """The paragraph cut before each bullet."""
    items: list[list[str]] = []
    for line in lines:
        if not items or (_BULLET.match(line) and (len(items) > 1 or _BULLET.match(lines[0]) or len(items[0]) == 1)):
            items.append([line])
        else:
            items[-1].append(line)
    return items
