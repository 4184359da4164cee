"""Markdown by the CommonMark rules: headings, paragraphs, lists, quotes, code and tables, with the words as displayed."""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt

from autonomy.memory.readers.document import (
    Composer,
    Kind,
    Limits,
    ReadDocument,
    Stated,
    fold,
    names_in,
    sane_title,
    year_in,
    zone,
)
from autonomy.memory.readers.encoding import decode

_FRONT = re.compile(r"\A---[ \t]*\r?\n(.{0,8000}?)\r?\n(?:---|\.\.\.)[ \t]*\r?\n", re.DOTALL)
_FIELD = re.compile(r"^([A-Za-z_-]{2,30}):[ \t]*(.*)$")
_ITEM = re.compile(r"^[ \t]*-[ \t]+(.+)$")
_TAG = re.compile(r"<(?:script|style)\b.*?</(?:script|style)>|<!--.*?-->|<[^<>]{1,2000}>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_DEFINED = re.compile(r" {0,3}\[\^([^\]\s]{1,80})\]:[ \t]*(?=\S)")
_NOTE = "\ue000"
"""Begins a footnote between here and the walk; no reader keeps it."""
_MARK = re.compile(r"\s*\[\^([^\]\s]{1,80})\]")
_OUTER: dict[str, Kind] = {"list_item_open": "li", "blockquote_open": "quote"}


def read(data: bytes, name: str, limits: Limits) -> ReadDocument:
    """A Markdown file as a document."""
    text = decode(data)
    composer = Composer(limits.characters)
    fields, body = _front_matter(text)
    body, labels = _footnotes(body)
    _Walk(composer, labels).run(MarkdownIt("commonmark", {"maxNesting": 40}).enable("table").parse(body))
    first = next((heading for _, level, heading in composer.headings if level == 1), "")
    stated = Stated(
        title=sane_title(fields.get("title", "")) or first or (composer.headings[0][2] if composer.headings else ""),
        authors=names_in(fields.get("authors") or fields.get("author", "")),
        year=year_in(fields.get("date") or fields.get("year", "")),
    )
    return composer.finish("text/markdown", stated)


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """The plain fields between the first two `---` lines, and the rest. Lists are joined by semicolons."""
    match = _FRONT.match(text)
    if not match:
        return {}, text
    fields: dict[str, str] = {}
    key = ""
    for line in match.group(1).splitlines():
        named, item = _FIELD.match(line), _ITEM.match(line)
        if named:
            key = named.group(1).lower()
            fields[key] = named.group(2).strip().strip("\"'").strip("[]")
        elif item and key:
            fields[key] = f"{fields[key]}; {item.group(1).strip()}".strip("; ")
    return fields, text[match.end() :]


def _footnotes(body: str) -> tuple[str, frozenset[str]]:
    """The text with each footnote ("[^1]: ...") as a paragraph of its own that begins with `_NOTE`, and their labels."""
    lines: list[str] = []
    labels: set[str] = set()
    fence = ""
    for line in body.replace(_NOTE, "").split("\n"):
        fenced = _FENCE.match(line)
        if fenced and (not fence or fenced.group(1).startswith(fence)):
            fence = "" if fence else fenced.group(1)
        note = None if fence else _DEFINED.match(line)
        if note:
            labels.add(note.group(1))
            lines.append("")
            line = _NOTE + line[note.end() :]
        lines.append(line)
    return "\n".join(lines), frozenset(labels)


class _Walk:
    def __init__(self, composer: Composer, labels: frozenset[str]) -> None:
        self._out = composer
        self._labels = labels
        self._outer: list[Kind] = []
        self._zone: tuple[int, Kind] | None = None
        self._row: list[str] | None = None
        self._table: list[str] = []

    def run(self, tokens: list[Any]) -> None:
        heading = 0
        for token in tokens:
            if token.type in _OUTER:
                self._outer.append(_OUTER[token.type])
            elif token.type in ("list_item_close", "blockquote_close"):
                self._outer.pop()
            elif token.type == "heading_open":
                heading = int(token.tag[1:])
            elif token.type == "inline":
                heading = self._inline(token, heading)
            elif token.type in ("fence", "code_block"):
                self._out.block("code", token.content)
            elif token.type == "html_block":
                self._out.block(self._kind("p"), _TAG.sub(" ", token.content))
            else:
                self._in_table(token.type)

    def _inline(self, token: Any, heading: int) -> int:
        text, linked = _words(token.children or [], self._labels)
        if text.startswith(_NOTE):
            self._out.block("reference", text.removeprefix(_NOTE))
        elif heading:
            if self._zone and heading <= self._zone[0]:
                self._zone = None
            kind = zone(text)
            if kind and self._zone is None:
                self._zone = (heading, kind)
            self._out.heading(heading, text)
        elif self._row is not None:
            self._row.append(fold(text))
        elif linked > 0.7 * len(fold(text)):
            self._out.block("contents", text)
        else:
            self._out.block(self._kind("p"), text)
        return 0

    def _kind(self, default: Kind) -> Kind:
        if self._zone:
            return self._zone[1]
        if "quote" in self._outer:
            return "quote"
        return self._outer[-1] if self._outer else default

    def _in_table(self, kind: str) -> None:
        if kind == "tr_open":
            self._row = []
        elif kind == "tr_close" and self._row is not None:
            self._table.append(" | ".join(self._row))
            self._row = None
        elif kind == "table_close":
            self._out.block("table", "\n".join(self._table))
            self._table = []


def _words(children: list[Any], labels: frozenset[str]) -> tuple[str, int]:
    """The displayed words of inline tokens without the marks of footnotes, and how many letters of them are links."""
    parts: list[str] = []
    linked = depth = 0
    for child in children:
        if child.type == "text":
            parts.append(_MARK.sub(lambda mark: "" if mark.group(1) in labels else mark.group(), child.content))
            linked += len(child.content) if depth else 0
        elif child.type == "code_inline":
            parts.append(child.content)
            linked += len(child.content) if depth else 0
        elif child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type == "link_open":
            depth += 1
        elif child.type == "link_close":
            depth -= 1
    return "".join(parts), linked
