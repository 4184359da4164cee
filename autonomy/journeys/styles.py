"""How six citation styles write a reference and a mark: pure functions from a work to Markdown.

Rules: APA 7 (9.7 to 9.17, 8.11 to 8.17, 8.28), Harvard as in "Cite them right", MLA 9, Chicago 17 author-date (15.9,
15.36, 15.44), the IEEE reference guide, and "Citing medicine" (NLM) for Vancouver. A file of a corpus is cited as a
document with its medium and path, a page with an http(s) address as a web page. Invariant: everything that came from a
source is inert here, and only this module writes italics.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autonomy.core.types import Style
from autonomy.journeys import inert
from autonomy.journeys.people import Name
from autonomy.journeys.wording import Wording

_SAFE_URL = re.compile(r"https?://[\w.~:/?#\[\]@!$&'()*+,;=%-]+", re.ASCII)
_ENDS = re.compile(r"[.!?。！？…][*\"”)]*$")


@dataclass(frozen=True, slots=True)
class Work:
    """One source as the styles see it. `suffix` ("a", "b" …) tells works of the same name and year apart."""

    id: str
    names: tuple[Name, ...]
    title: str
    short: str
    year: int | None
    location: str
    medium: str
    retrieved: datetime.date | None
    suffix: str = ""
    twin: str = ""

    @property
    def web(self) -> bool:
        """Whether the work is a page with an address, not a file."""
        return self.location.startswith(("http://", "https://"))


@dataclass(frozen=True, slots=True)
class Rules:
    """One style. `label` names a work inside a mark, `entry` is its reference, `joint` makes a mark of (label, locator)s."""

    numeric: bool
    label: Callable[[Work, Wording], str]
    entry: Callable[[Work, Wording], str]
    page: Callable[[Sequence[int], Wording], str]
    section: Callable[[str, Wording], str]
    suffixes: bool = True


def rules(style: Style) -> Rules:
    """The rules of a style."""
    return _RULES[style]


def _apa_label(work: Work, say: Wording) -> str:
    return f"{_who(work, ' & ', 2, italic=True)}, {_year(work, say, 'n.d.')}"


def _apa(work: Work, say: Wording) -> str:
    names = [_turned(name, name.initials()) for name in work.names]
    if len(names) > 20:
        names = [*names[:19], f"… {names[-1]}"]
        authors = ", ".join(names)
    else:
        authors = _and(names, ", & ", ", & ")
    year = f"({_year(work, say, 'n.d.')})."
    title = _stop(_italic(work.title) + ("" if work.web or not work.medium else f" [{work.medium}]"))
    head = f"{_stop(authors)} {year} {title}" if names else f"{title} {year}"
    if work.web and work.year is None and work.retrieved:
        return f"{head} {say.retrieved.format(date=say.day(work.retrieved, 'apa'))} {_place(work)}"
    return f"{head} {_place(work)}"


def _harvard_label(work: Work, say: Wording) -> str:
    who = _who(work, f" {say.joined} ", 3, italic=True).replace(" et al.", " *et al.*")
    return f"{who}, {_year(work, say, 'no date')}"


def _harvard(work: Work, say: Wording) -> str:
    names = [_turned(name, name.initials(between="")) for name in work.names]
    authors = f"{names[0]} *et al.*" if len(names) > 3 else _and(names, f" {say.joined} ", f" {say.joined} ")
    year, title = f"({_year(work, say, 'no date')})", _italic(work.title)
    medium = "" if work.web or not work.medium else f" [{work.medium}]"
    head = f"{authors} {year} {_stop(title + medium)}" if names else f"{title} {year}{medium}."
    return f"{head} {say.available} {_place(work)}{_accessed(work, say, 'harvard', ' ({})')}."


def _mla_label(work: Work, say: Wording) -> str:
    if not work.names:
        return _mla_title(work, work.short) + (f" [{inert.inline(work.twin)}]" if work.twin else "")
    who = _who(work, f" {say.joined} ", 2, italic=False)
    return f"{who}, {_mla_title(work, work.short)}" if work.twin else who


def _mla_title(work: Work, title: str) -> str:
    return f'"{_unquoted(title)}"' if work.web else _italic(title)


def _mla(work: Work, say: Wording) -> str:
    first = [_turned(name, name.given) for name in work.names[:1]]
    rest = [_straight(name, name.given) for name in work.names[1:]]
    authors = f"{first[0]}, et al" if len(rest) > 1 else say.both.join([*first, *rest])
    title = f'"{_stop(_unquoted(work.title))}"' if work.web else _stop(_italic(work.title))
    head = f"{_stop(authors)} {title}" if authors else title
    place = ", ".join(part for part in (str(work.year) if work.year else "", _place(work)) if part)
    medium = "" if work.web or not work.medium else f" {work.medium}."
    return f"{head} {place}.{medium}{_accessed(work, say, 'mla', ' {}.') if work.web else ''}"


def _chicago_label(work: Work, say: Wording) -> str:
    who = _who(work, f" {say.joined} ", 3, italic=not work.web, quoted=work.web, many=say.both)
    return f"{who}{' ' if work.year else ', '}{_year(work, say, 'n.d.')}"


def _chicago(work: Work, say: Wording) -> str:
    names = [_turned(name, name.given) for name in work.names[:1]]
    names += [_straight(name, name.given) for name in work.names[1:]]
    both = say.both
    authors = ", ".join(names[:7]) + ", et al" if len(names) > 10 else _and(names, both, both)
    title = f'"{_stop(_unquoted(work.title))}"' if work.web else _stop(_italic(work.title))
    year = _stop(_year(work, say, "n.d."))
    head = f"{_stop(authors)} {year} {title}" if names else f"{title} {year}"
    if work.web:
        return f"{head}{_accessed(work, say, 'chicago', ' {}.')} {_place(work)}."
    return f"{head} {work.medium + '. ' if work.medium else ''}{_place(work)}."


def _ieee(work: Work, say: Wording) -> str:
    names = [_initialled(name) for name in work.names]
    authors = f"{names[0]} et al." if len(names) > 6 else _and(names, f" {say.joined} ", say.both)
    if work.web:
        title = f'"{_stop(_unquoted(work.title))}"'
        year = f" {work.year}." if work.year else ""
        day = f" {say.accessed}: {say.day(work.retrieved, 'ieee')}." if work.retrieved else ""
        return f"{_stop(authors) + ' ' if names else ''}{title}{year}{day} [Online]. {_ieee_place(work, say)}"
    title = _italic(work.title)
    head = f"{authors}, {title}" if names else title
    head = _stop(f"{head}, {work.year}" if work.year else head)
    return f"{head} {f'[{work.medium}]. ' if work.medium else ''}{_ieee_place(work, say)}"


def _ieee_place(work: Work, say: Wording) -> str:
    return f"{'Available:' if say.language == 'en' else say.available} {_place(work)}"


def _vancouver(work: Work, say: Wording) -> str:
    names = [_closed(name) for name in work.names]
    authors = ", ".join(names[:6]) + (", et al" if len(names) > 6 else "")
    medium = "Internet" if work.web else work.medium
    title = _stop(inert.inline(work.title) + (f" [{medium}]" if medium else ""))
    year = str(work.year) if work.year else (say.no_date or "[date unknown]")
    day = f" [{say.cited} {say.day(work.retrieved, 'vancouver')}]" if work.retrieved else ""
    return f"{_stop(authors) + ' ' if names else ''}{title} {year}{day}. {say.available_from} {_place(work)}"


def _who(work: Work, last: str, most: int, *, italic: bool, quoted: bool = False, many: str = "") -> str:
    """The name part of a mark: up to `most` families, else the first and "et al."; without authors the short title."""
    if not work.names:
        return f'"{_unquoted(work.short)}"' if quoted else _italic(work.short) if italic else inert.inline(work.short)
    families = [inert.inline(name.family) for name in work.names]
    if len(families) > most:
        return f"{families[0]} et al."
    return _and(families, last, many or last)


def _year(work: Work, say: Wording, none: str) -> str:
    if work.year:
        return f"{work.year}{work.suffix}"
    words = say.no_date or none
    return f"{words}-{work.suffix}" if work.suffix and words.endswith(".") else f"{words} {work.suffix}".strip()


def _and(items: list[str], two: str, many: str) -> str:
    """Items in a row: `two` joins a pair, `many` the last of more."""
    if len(items) < 3:
        return two.join(items)
    return ", ".join(items[:-1]) + many + items[-1]


def _turned(name: Name, given: str) -> str:
    """Family name first."""
    return inert.inline(", ".join(part for part in (name.family, given, name.suffix) if part))


def _straight(name: Name, given: str) -> str:
    """Given names first."""
    return inert.inline(" ".join(part for part in (given, name.family, name.suffix) if part))


def _initialled(name: Name) -> str:
    """IEEE: initials, then the family name."""
    return _straight(name, name.initials())


def _closed(name: Name) -> str:
    """Vancouver: the family name and bare initials."""
    return inert.inline(" ".join(part for part in (name.family, name.initials(dot="", between=""), name.suffix) if part))


def _italic(text: str) -> str:
    return f"*{inert.inline(text)}*"


def _unquoted(text: str) -> str:
    """Inert text that may stand between double quotation marks: its own become single ones."""
    return inert.inline(re.sub(r"[\"“”„«»]", "'", inert.plain(text)))


def _stop(text: str) -> str:
    """The text with a full stop, unless it ends with a mark of its own."""
    return text if not text or _ENDS.search(text) else f"{text}."


def _place(work: Work) -> str:
    """Where the work is: an address as a link to itself, a path as text."""
    return f"<{work.location}>" if _SAFE_URL.fullmatch(work.location) else inert.inline(work.location)


def _accessed(work: Work, say: Wording, style: str, form: str) -> str:
    """When the source was read, in the style's form; nothing if that is not known."""
    return (
        form.format(f"{say.accessed}{':' if style == 'harvard' else ''} {say.day(work.retrieved, style)}")
        if work.retrieved
        else ""
    )


def _pages(pages: Sequence[int], say: Wording) -> str:
    return f"{say.page if len(pages) == 1 else say.pages} {_bare_pages(pages, say)}"


def _bare_pages(pages: Sequence[int], say: Wording) -> str:
    return ", ".join(map(str, pages))


def _named_section(section: str, say: Wording) -> str:
    quoted = f'"{_unquoted(section)}"'
    return f"{say.section} {quoted}" if say.language != "en" else f"{quoted} {say.section}"


def _short_section(section: str, say: Wording) -> str:
    return f'{say.short_section} "{_unquoted(section)}"'


def _number(work: Work, say: Wording) -> str:
    raise AssertionError("numeric styles number their works")


_RULES: dict[str, Rules] = {
    "apa": Rules(False, _apa_label, _apa, _pages, _named_section),
    "harvard": Rules(False, _harvard_label, _harvard, _pages, _named_section),
    "mla": Rules(False, _mla_label, _mla, _bare_pages, _short_section, suffixes=False),
    "chicago": Rules(False, _chicago_label, _chicago, _bare_pages, lambda section, say: f'{say.under} "{_unquoted(section)}"'),
    "ieee": Rules(True, _number, _ieee, _pages, _short_section),
    "vancouver": Rules(True, _number, _vancouver, _pages, _short_section),
}
