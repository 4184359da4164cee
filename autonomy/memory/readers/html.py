"""HTML: the main text of a page, with its headings; what surrounds it is left out.

Parsed without network, entities or recursion. Main text is `main`, `role=main` or the only `article`, else the element
that holds most of the page's prose. Navigation, forms, notes on versions and lists of links never become text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.document import (
    Composer,
    Kind,
    Limits,
    ReadDocument,
    Stated,
    fold,
    lexicon,
    names_in,
    sane_title,
    year_in,
    zone,
)
from autonomy.memory.readers.encoding import decode

_DECLARED = re.compile(rb"""(?:charset\s*=\s*["']?\s*|encoding\s*=\s*["'])([A-Za-z0-9_.:-]{2,30})""", re.IGNORECASE)
_DROPPED = lexicon(
    """
    nav aside footer form script style noscript template svg math iframe button select input textarea object embed canvas
    audio video map dialog menu head title
    """
)
_DROPPED_ROLES = lexicon(
    """
    navigation search banner contentinfo complementary menu menubar toolbar dialog alert doc-toc doc-index
    """
)
_DROPPED_NAMES = lexicon(
    """
    toc topic-contents sphinxsidebar sphinxsidebarwrapper related breadcrumb breadcrumbs navbar navigation nav menu
    sidebar footer cookie cookies banner headerlink skip-link advertisement ad ads share social versionadded
    versionchanged versionmodified deprecated deprecated-removed versionremoved edit-link editsection mw-editsection
    navheader navfooter table-of-contents tocwrapper toctree-wrapper noprint reflist-toc copyright locationbar
    """
)
_REFERENCE_NAMES = lexicon(
    """
    footnote footnotes citation references reflist bibliography footnote-list citation-list
    """
)
_BLOCKS: dict[str, Kind] = {
    "p": "p",
    "li": "li",
    "dd": "p",
    "dt": "p",
    "blockquote": "quote",
    "pre": "code",
    "table": "table",
    "figcaption": "p",
}
BREAKING = lexicon(
    """
    html body div section article main header center ul ol dl tr td th caption thead tbody tfoot figure fieldset address
    hr details summary hgroup
    """
) | frozenset(_BLOCKS)
_HEADING = re.compile(r"h([1-6])")
_INDEX_FILES = re.compile(r"(?:^|/)(?:gen|mod|py-mod|http-routing)?index(?:-[\w-]+)?\.x?html?$|(?:^|/)search\.x?html?$")
_SEPARATORS = re.compile(r"\s+[—–|·»:-]+\s+")


def read(data: bytes, name: str, limits: Limits) -> ReadDocument:
    """A page as a document. Raises InvalidInput when no element can be found in it."""
    root = parsed(data)
    composer = Composer(limits.characters)
    main = _main(root)
    _Walk(composer, listing=_is_listing(root, name)).run(main)
    return composer.finish("text/html", _stated(root, main))


def parsed(data: bytes) -> Any:
    """The page's root element; nothing in it is run or fetched. Raises InvalidInput when no element can be found in it."""
    declared = _DECLARED.search(data[:4096])
    text = decode(data, declared.group(1).decode("ascii") if declared else "")
    parser = etree.HTMLParser(
        recover=True, no_network=True, remove_comments=True, remove_pis=True, encoding="utf-8", huge_tree=False
    )
    root = etree.fromstring(text.encode("utf-8", errors="replace") or b" ", parser)
    if root is None:
        raise InvalidInput("holds no HTML element", "Check that it is a web page.")
    return root


def _is_listing(root: Any, name: str) -> bool:
    """Whether the page is an index or a search form, whose words are pointers and never evidence."""
    title = fold("".join(root.xpath("//title[1]//text()")[:5]))
    known = _INDEX_FILES.search(name.lower()) and not name.lower().rpartition("/")[2].startswith("index.")
    return bool(known) or zone(_SEPARATORS.split(title)[0]) == "contents"


def _main(root: Any) -> Any:
    for path in ("//main", "//*[@role='main']"):
        found = root.xpath(path)
        if found:
            return found[0]
    articles = root.xpath("//article[not(ancestor::article)]")
    return articles[0] if len(articles) == 1 else _densest(root)


def _densest(root: Any) -> Any:
    """The element whose paragraphs hold most of the prose; the whole body when none holds half of it."""
    scores: dict[Any, float] = {}
    total = 0.0
    for paragraph in root.iter("p", "dd", "pre", "blockquote"):
        linked = sum(len(text) for link in paragraph.iter("a") for text in link.itertext())
        weight = max(0, sum(map(len, paragraph.itertext())) - 2 * linked)
        total += weight
        parent = paragraph.getparent()
        for element, share in ((parent, 1.0), (parent.getparent() if parent is not None else None, 0.5)):
            if element is not None and weight:
                scores[element] = scores.get(element, 0.0) + weight * share
    best = max(scores, key=lambda element: scores[element], default=None)
    body = root.find("body")
    if best is None or scores[best] * 2 < total or not _holds_headings(root, best):
        return body if body is not None else root
    return best


def _holds_headings(root: Any, element: Any) -> bool:
    """Whether no second-level heading of the page would be lost with the rest."""
    return len(root.xpath("//h2 | //h3")) == len(element.xpath(".//h2 | .//h3"))


class _Walk:
    """One pass over the elements, without recursion; text gathers until a block boundary."""

    def __init__(self, composer: Composer, *, listing: bool) -> None:
        self._out = composer
        self._text: list[str] = []
        self._linked = 0
        self._kinds: list[tuple[Any, Kind]] = []
        self._zone: tuple[int, Kind] | None = (0, "contents") if listing else None
        self._heading: int | None = None
        self._pre = 0
        self._links = 0

    def run(self, main: Any) -> None:
        for event, element in _events(main):
            if event == "start":
                self._start(element)
            elif event == "end":
                self._end(element, element is main)
            else:
                self._say(element.tail)
        self._flush()

    def _start(self, element: Any) -> None:
        tag = element.tag
        heading = _HEADING.fullmatch(tag)
        if heading:
            self._flush()
            self._heading = int(heading.group(1))
        elif tag in BREAKING and self._heading is None:
            self._cell(tag) if self._in_table() else self._flush()
            self._pre += tag == "pre"
            kind = _kind(element)
            if kind:
                self._kinds.append((element, kind))
        elif tag == "br":
            self._text.append("\n")
        self._links += tag == "a"
        if element.text:
            self._say(element.text)

    def _say(self, text: str) -> None:
        self._text.append(text if self._pre else text.replace("\n", " "))
        if self._links:
            self._linked += len(text.strip())

    def _end(self, element: Any, last: bool) -> None:
        tag = element.tag
        if _HEADING.fullmatch(tag) and self._heading is not None:
            self._finish_heading()
        elif tag in BREAKING and self._heading is None:
            inner = self._in_table() and tag != "table"
            if not inner:
                self._flush()
            self._pre -= tag == "pre"
            while self._kinds and self._kinds[-1][0] is element:
                self._kinds.pop()
        self._links -= tag == "a"
        if element.tail and not last:
            self._say(element.tail)

    def _in_table(self) -> bool:
        return any(kind == "table" for _, kind in self._kinds)

    def _cell(self, tag: str) -> None:
        """Rows become lines; cells stand two spaces apart."""
        if tag in ("tr", "caption", "table"):
            self._text.append("\n")
        elif tag in ("td", "th"):
            self._text.append(" | " if self._text and not self._text[-1].endswith("\n") else "")

    def _finish_heading(self) -> None:
        text = fold("".join(self._text)).rstrip("¶").strip()
        level = self._heading or 1
        self._text, self._linked, self._heading = [], 0, None
        if self._zone and self._zone[0] and level <= self._zone[0]:
            self._zone = None
        kind = zone(text)
        if kind and self._zone is None:
            self._zone = (level, kind)
        self._out.heading(level, text)

    def _flush(self) -> None:
        text, linked = "".join(self._text), self._linked
        self._text, self._linked = [], 0
        if not text.strip():
            return
        kind: Kind = self._kinds[-1][1] if self._kinds else "p"
        for _, outer in self._kinds:
            if outer in ("quote", "reference", "table") or (outer == "li" and kind == "p"):
                kind = outer
        if self._zone and kind != "code":
            kind = self._zone[1]
        elif kind in ("p", "li") and linked > 0.7 * len(fold(text)):
            kind = "contents"
        self._out.block(kind, text)


def _kind(element: Any) -> Kind | None:
    """What the element makes of its text; signatures of an API reference are code, not sentences."""
    names = _names(element)
    if names & _REFERENCE_NAMES:
        return "reference"
    if element.tag == "dt" and "sig" in names:
        return "code"
    if "highlight" in names or "doctest" in names:
        return "code"
    return _BLOCKS.get(element.tag)


def _names(element: Any) -> frozenset[str]:
    return frozenset(f"{element.get('class', '')} {element.get('id', '')}".lower().split())


def _is_dropped(element: Any, half: int) -> bool:
    """Whether the element surrounds the text. A name alone does not condemn what holds half of the page."""
    if not isinstance(element.tag, str) or element.tag in _DROPPED:
        return True
    if element.get("role", "") in _DROPPED_ROLES or element.get("aria-hidden") == "true" or is_hidden(element):
        return True
    return not _names(element).isdisjoint(_DROPPED_NAMES) and sum(map(len, element.itertext())) <= half


def is_hidden(element: Any) -> bool:
    """Whether the page itself says that nobody sees the element."""
    return element.get("hidden") is not None or "display:none" in element.get("style", "").replace(" ", "").lower()


def _events(main: Any) -> Iterator[tuple[str, Any]]:
    """("start" | "end", element) in document order; of a dropped element only ("tail", element), the text behind it."""
    half = sum(map(len, main.itertext())) // 2
    walk = etree.iterwalk(main, events=("start", "end", "comment", "pi"))
    skipped: Any = None
    for event, element in walk:
        if element is skipped:
            skipped = None
            continue
        if event == "end" or (event == "start" and (element is main or not _is_dropped(element, half))):
            yield event, element
        else:
            walk.skip_subtree()
            skipped = element if event == "start" else None
            if element.tail:
                yield "tail", element


_TITLE_WORD = re.compile(r"\w+")
_TITLE_PROPERTIES = ("citation_title", "dc.title", "og:title")
_AUTHOR_PROPERTIES = ("citation_author", "dc.creator", "author", "article:author")
_DATE_PROPERTIES = ("citation_publication_date", "citation_date", "dc.date", "dcterms.date", "article:published_time", "date")


def _names_the_page(heading: str, page: str) -> bool:
    """Whether the window's title, which a site may have added its own name to, holds the heading, word for word or in parts."""
    if not page or heading.casefold() in page.casefold():
        return True
    words = set(_TITLE_WORD.findall(heading.casefold()))
    return len(words) > 1 and words <= set(_TITLE_WORD.findall(page.casefold()))


def _own_title(heading: str, page: str) -> str:
    """Of a window's title in several parts, one is the site's: the page's only heading says better what it is about."""
    return heading if heading and len(_SEPARATORS.split(page)) > 1 else page


def _stated(root: Any, main: Any) -> Stated:
    """Title, authors and year from the page's own statements."""
    said: dict[str, list[str]] = {}
    for meta in root.iter("meta"):
        key = (meta.get("name") or meta.get("property") or "").lower()
        if key and meta.get("content"):
            said.setdefault(key, []).append(meta.get("content"))
    printed = [fold("".join(heading.itertext())).rstrip("¶").strip() for heading in main.iter("h1")]
    first = printed[0] if printed else ""
    page = sane_title("".join(root.xpath("//title[1]//text()")[:20]))
    meta_title = next((sane_title(said[key][0]) for key in _TITLE_PROPERTIES if key in said), "")
    single = sane_title(first) if len(printed) == 1 else ""
    title = first if first and _names_the_page(first, page) else meta_title or _own_title(single, page)
    authors = [
        name for key in _AUTHOR_PROPERTIES for value in said.get(key, ()) for name in names_in(value) if "://" not in name
    ]
    year = next((year_in(said[key][0]) for key in _DATE_PROPERTIES if key in said), None)
    return Stated(title=title, authors=tuple(dict.fromkeys(authors)), year=year)
