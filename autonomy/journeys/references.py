"""The reference list and the marks that point into it, for one document, one style and one language.

Invariant: every mark is made from the same `Work` as its entry, no two works share a mark, and the list holds exactly
the works that are cited: in order of first citation for numeric styles, by name (else title) for the others.
"""

from __future__ import annotations

import datetime
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from autonomy.core.types import Anchor, Source, Style
from autonomy.journeys import inert
from autonomy.journeys.blocks import listed
from autonomy.journeys.people import name
from autonomy.journeys.styles import Rules, Work, rules
from autonomy.journeys.wording import Wording, wording

SHORT_TITLE = 60
"""Letters of a title inside a mark; the reference has it whole."""
SHORT_SECTION = 70
_MEDIA = {
    "application/pdf": "PDF",
    "text/html": "HTML",
    "application/xhtml+xml": "HTML",
    "text/markdown": "Markdown",
    "text/plain": "Text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
}
_LEADING = {
    "en": ("the ", "a ", "an "),
    "de": ("der ", "die ", "das ", "ein ", "eine "),
    "es": ("el ", "la ", "los ", "las ", "un "),
}
_LABELS = {"vancouver": "{n}.", "ieee": "[{n}]"}


@dataclass(frozen=True, slots=True)
class Bibliography:
    """The cited works in list order. `numbers` maps a source id to its place in the list, from 1."""

    style: Style
    say: Wording
    works: tuple[Work, ...]
    numbers: Mapping[str, int] = field(default_factory=dict)

    def mark(self, citations: Sequence[tuple[str, Anchor]]) -> str:
        """The mark of one or more (source id, anchor), in Markdown: "[3, p. 12], [4]" or "(Doe, 2020, p. 12; Roe, 2021)".

        KeyError for a source that is not in the list: an id that nobody gave out never becomes a reference.
        """
        found = rules(self.style)
        anchors: dict[str, list[Anchor]] = {}
        for source, anchor in citations:
            anchors.setdefault(source, []).append(anchor)
        ordered = sorted(anchors, key=lambda source: self.numbers[source])
        places = {s: _locators(anchors[s], self.works[self.numbers[s] - 1].title, found, self.say) for s in ordered}
        if found.numeric:
            return ", ".join("[" + ", ".join([str(self.numbers[s]), *places[s]]) + "]" for s in ordered)
        labels = {s: found.label(self.works[self.numbers[s] - 1], self.say) for s in ordered}
        joint = " " if self.style == "mla" else ", "
        return "(" + "; ".join(_joined(labels[s], places[s], joint) for s in ordered) + ")"

    def entry(self, source: str) -> str:
        """One reference in Markdown, without its number or bullet."""
        return rules(self.style).entry(self.works[self.numbers[source] - 1], self.say)

    def listing(self) -> tuple[str, ...]:
        """The lines of the list: numbered for numeric styles, else bulleted; one work a line."""
        return tuple(listed(label, entry) for label, entry in self.rows())

    def rows(self) -> tuple[tuple[str, str], ...]:
        """The list as (label, entry); the label is empty in styles that do not number their works."""
        form = _LABELS.get(self.style, "")
        return tuple((form.format(n=self.numbers[work.id]), self.entry(work.id)) for work in self.works)


def bibliography(style: Style, language: str, sources: Sequence[Source], cited: Sequence[str]) -> Bibliography:
    """The works behind `cited` (source ids, in order of first citation; repeats do no harm)."""
    say = wording(language)
    by_id = {source.id: source for source in sources}
    order = [_work(by_id[source]) for source in dict.fromkeys(cited)]
    found = rules(style)
    if not found.numeric:
        order.sort(key=lambda work: _sort_key(work, say.language))
        order = _told_apart(order, found, say)
    return Bibliography(style, say, tuple(order), {work.id: number for number, work in enumerate(order, 1)})


def title_of(source: Source) -> str:
    """The source's title on one line; a source without one is named by its file."""
    return inert.plain(source.title) or inert.plain(source.location.rsplit("/", 1)[-1]) or source.id


def _work(source: Source) -> Work:
    title = title_of(source)
    return Work(
        id=source.id,
        names=tuple(name(inert.plain(author)) for author in source.authors if inert.plain(author)),
        title=title,
        short=inert.shorten(title, SHORT_TITLE),
        year=source.year,
        location=inert.plain(source.location),
        medium=_MEDIA.get(source.media_type.partition(";")[0].strip(), ""),
        retrieved=_day(source.retrieved_at),
    )


def _day(moment: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(moment[:10])
    except ValueError:
        return None


def _sort_key(work: Work, language: str) -> tuple[str, int, str, str]:
    """By name (else title without its article), then year (none first), title, place: the same on every machine."""
    title = _folded(work.title)
    for article in _LEADING.get(language, ()):
        title = title.removeprefix(article)
    names = ", ".join(_folded(f"{each.family} {each.given}") for each in work.names)
    return names or title, work.year or 0, title, work.location


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in apart if not unicodedata.combining(c)).lstrip("\"'«»“”„‘’([*_ ")


def _told_apart(works: list[Work], found: Rules, say: Wording) -> list[Work]:
    """Works whose marks would be the same get letters (2020a, 2020b); in MLA a short title, then the file's name."""
    if found.suffixes:
        twins = Counter(found.label(work, say) for work in works)
        given: Counter[str] = Counter()
        apart = []
        for work in works:
            label = found.label(work, say)
            if twins[label] > 1:
                given[label] += 1
                work = replace(work, suffix=_letters(given[label]))
            apart.append(work)
        return apart
    for twin in ("title", "place"):
        twins = Counter(found.label(work, say) for work in works)
        works = [_twinned(work, twin) if twins[found.label(work, say)] > 1 else work for work in works]
    return works


def _twinned(work: Work, by: str) -> Work:
    """MLA: name the title beside the author; where that is not enough, the place too."""
    if by == "title" and work.names:
        return replace(work, twin="title")
    place = work.location.removeprefix("https://").removeprefix("http://")
    if work.names:
        return replace(work, short=f"{work.short}, {place}", twin="place")
    return replace(work, twin=place)


def _letters(number: int) -> str:
    """1 is a, 26 is z, 27 is aa."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _locators(anchors: Sequence[Anchor], title: str, found: Rules, say: Wording) -> list[str]:
    """Pages where there are any, and the sections of the rest; a section called as the work itself says nothing more."""
    pages = sorted({anchor.page for anchor in anchors if anchor.page is not None})
    sections = dict.fromkeys(inert.shorten(anchor.section or "", SHORT_SECTION) for anchor in anchors if anchor.page is None)
    named = [found.section(section, say) for section in sections if section and _folded(section) != _folded(title)]
    return [*([found.page(pages, say)] if pages else []), *named]


def _joined(label: str, locators: Sequence[str], joint: str) -> str:
    if not locators:
        return label
    first, *rest = locators
    if joint == " " and not first[0].isdigit():
        joint = ", "
    return label + joint + ", ".join([first, *rest])
