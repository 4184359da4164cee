"""Text from outside made harmless inside Markdown, with as few added characters as can be.

Invariant: what a source says is shown as letters, never as markup: no link, image, HTML, heading, list, table, code or
emphasis comes from it. A backslash stands only before a character that would otherwise act, so plain prose passes
unchanged and a claim reads in the Markdown as it reads in the manifest (which holds it in this very form).
"""

from __future__ import annotations

import re
from typing import NamedTuple

QUOTED = re.compile(r"[“„]([^“”„]+)[”“]|«([^«»]+)»|»([^»«]+)«|「([^「」]+)」|『([^『』]+)』|\"([^\"]+)\"")
"""What stands between the quotation marks of the languages written here."""
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
ITALICS = re.compile(
    rf"(?:(?<![\w*\\])|(?<=[{_UNSPACED}])(?=\*\w))\*(?=\S)([^*_`<>\[\]\\\n]{{1,200}})(?<=\S)\*"
    rf"(?:(?![\w*])|(?<=\w\*)(?=[{_UNSPACED}]))"
)
"""A player's own italics, which CommonMark takes for such: apart from other words, or among letters that need no spaces."""
_QUOTE_MARK = re.compile('[“”„«»「」『』"]')
_SPACE = re.compile(r"\s+")
# Controls, soft hyphens, zero-width and direction marks: invisible, and able to hide or reorder what a reader sees.
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffe\uffff]"
)
_ENTITY = re.compile(r"&(?=#?[0-9A-Za-z]{1,32};)")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[:])")
_BACKSLASH = re.compile(r"\\(?=[!-/:-@\[-`{-~]|$)")
_RULED = re.compile(r"[*_~]")
_OPENER = re.compile(r"(?:#{1,6}(?=\s|$)|[-+=](?=[\s=-]|$)|>|:(?=\s)|\d{1,9}(?=[.)](?:\s|$)))")
_PLAIN = re.compile(r"[^\\`*_~<&\]]*")
_MARK = re.compile(r"\\(?P<letter>[!-/:-@\[-`{-~])|<(?P<address>https?://[^<>\s]+)>|(?P<stars>\*\*?)")


class Span(NamedTuple):
    """Letters as a reader sees them."""

    text: str
    italic: bool = False
    bold: bool = False


def plain(text: str) -> str:
    """The text on one line: white space to single spaces, invisible and direction-changing characters gone."""
    return _UNSEEN.sub("", _SPACE.sub(" ", text)).strip()


def inline(text: str) -> str:
    """The text on one line, to stand inside a paragraph, a heading or a list item.

    >>> inline("a [link](javascript:x) in snake_case")
    'a [link\\\\](javascript:x) in snake_case'
    """
    return _escaped(plain(text))


def prose(text: str) -> str:
    """A drafted sentence on one line: a player's own single asterisks (titles, headings) are italics, its quotations inert.

    Only a run that begins outside quotation marks and holds no other markup becomes italics, with the quotation marks of a
    title in it; all other characters are letters.
    """
    text = plain(text)
    shown: list[str] = []
    at = 0
    while True:
        quoted, titled = QUOTED.search(text, at), _titled(text, at)
        if titled and not (quoted and quoted.start() < titled.start()):
            shown += [_escaped(text[at : titled.start()]), f"*{_escaped(titled.group(1))}*"]
            at = titled.end()
        elif quoted:
            shown += [_escaped(text[at : quoted.start()]), _escaped(quoted.group())]
            at = quoted.end()
        else:
            return "".join([*shown, _escaped(text[at:])])


def _titled(text: str, at: int) -> re.Match[str] | None:
    """The next run to stand in italics: no quotation may begin in it and end behind it, nor the other way round."""
    return next((m for m in ITALICS.finditer(text, at) if not _QUOTE_MARK.search(QUOTED.sub("", m.group(1)))), None)


def _escaped(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    text = _BACKSLASH.sub(r"\\\\", text)
    text = text.replace("`", "\\`")
    text = _LINK.sub(r"\\]", text)
    text = _TAG.sub(r"\\<", text)
    text = _ENTITY.sub(r"\\&", text)
    return _RULED.sub(_ruled, text)


def opening(text: str) -> str:
    """Already inline text, to stand at the beginning of a line: what would open a heading, list or quote is escaped."""
    found = _OPENER.match(text)
    if found is None:
        return text
    mark = found.group()
    if mark.isdigit():
        return f"{mark}\\{text[len(mark) :]}"
    return "\\" + text


def heading(text: str) -> str:
    """The text on one line, to stand after the number signs of a heading: closing number signs stay letters too."""
    return re.sub(r"(?:(?<=\s)|^)(#+)$", r"\\\1", inline(text))


def cell(text: str) -> str:
    """The text on one line, to stand in a table's cell."""
    return inline(text).replace("|", "\\|")


def spans(text: str) -> tuple[Span, ...]:
    """What a reader sees of inline text, without its escapes: the inverse of this module, for formats other than Markdown.

    Emphasis is only ever ours, and so is an address between angle brackets; a star between spaces is a letter, as `_ruled`
    leaves it.

    >>> [span.text for span in spans("see *Leases* in snake_case, 2 * 3")]
    ['see ', 'Leases', ' in snake_case, 2 * 3']
    """
    found: list[Span] = []
    letters: list[str] = []
    italic = bold = False
    at = 0

    def close() -> None:
        if shown := "".join(letters):
            found.append(Span(shown, italic, bold))
        letters.clear()

    for mark in _MARK.finditer(text):
        letters.append(text[at : mark.start()])
        at = mark.end()
        if mark["stars"] is None:
            letters.append(mark["letter"] or mark["address"])
        elif text[mark.start() - 1 : mark.start()].isspace() and text[at : at + 1].isspace():
            letters.append(mark["stars"])
        elif mark["stars"] == "*":
            close()
            italic = not italic
        elif not italic:  # in italics two stars end one run and begin the next
            close()
            bold = not bold
    letters.append(text[at:])
    close()
    return tuple(found)


def shorten(text: str, letters: int) -> str:
    """Plain text of at most so many letters, cut at a word with an ellipsis where it is longer."""
    text = plain(text)
    if len(text) <= letters:
        return text
    head = text[: letters - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > letters // 2 else head).rstrip(" ,;:.-–—(") + "…"


def _ruled(match: re.Match[str]) -> str:
    """Escape * _ ~ where they could open or close emphasis; between spaces, or `_` inside a word, they cannot."""
    text, at = match.string, match.start()
    before = text[at - 1] if at else " "
    after = text[at + 1] if at + 1 < len(text) else " "
    if before.isspace() and after.isspace() and 0 < at < len(text) - 1:
        return match.group()
    if match.group() == "_" and before.isalnum() and after.isalnum():
        return match.group()
    return "\\" + match.group()
