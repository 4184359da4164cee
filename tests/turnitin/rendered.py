"""Synthetic similarity reports, each labelled so on its pages: look-alikes of the described layouts, rendered by Typst.

None of them came from a similarity checker, and no figure in them means anything. A `Sample` says what is printed; what it
says is what a parser must find, and what it leaves out must not be found.
"""

from __future__ import annotations

import html
import json
import textwrap
from dataclasses import dataclass, replace

import typst

SYNTHETIC = "Synthetic report, made for a test"


@dataclass(frozen=True)
class Words:
    """How a report says it in one language."""

    classic: str
    index: str
    internet: str
    publications: str
    students: str
    primary: str
    kinds: tuple[str, str, str]
    exclude: str
    overview: str
    overall: str
    page: str
    paper: str
    groups: tuple[str, str, str, str]
    top: str
    new_internet: str
    new_students: str
    new_kinds: tuple[str, str, str]
    ai_page: str
    ai: str
    receipt: str
    title: str
    count: str
    words: str


LANGUAGES = {
    "en": Words(
        "ORIGINALITY REPORT", "SIMILARITY INDEX", "INTERNET SOURCES", "PUBLICATIONS", "STUDENT PAPERS", "PRIMARY SOURCES",
        ("Internet Source", "Publication", "Student Paper"), "Exclude quotes", "Integrity Overview", "Overall Similarity",
        "Page {} of {}", "Integrity Submission",
        ("Not Cited or Quoted", "Missing Quotations", "Missing Citation", "Cited and Quoted"), "Top Sources",
        "Internet sources", "Submitted works (Student Papers)", ("Internet", "Publication", "Submitted works"),
        "AI Writing Overview", "detected as AI", "Digital Receipt", "Submission title", "Word count", "Words",
    ),
    "es": Words(
        "INFORME DE ORIGINALIDAD", "ÍNDICE DE SIMILITUD", "FUENTES DE INTERNET", "PUBLICACIONES", "TRABAJOS DEL ESTUDIANTE",
        "FUENTES PRIMARIAS", ("Fuente de Internet", "Publicación", "Trabajo del estudiante"), "Excluir citas",
        "Descripción general de integridad", "Similitud general", "Página {} de {}", "Entrega de integridad",
        ("Sin citar ni entrecomillar", "Faltan comillas", "Faltan citas", "Citado y entrecomillado"), "Fuentes principales",
        "Fuentes de Internet", "Trabajos entregados (trabajos del estudiante)",
        ("Internet", "Publicación", "Trabajos entregados"), "Descripción general de la escritura con IA",
        "detectado como IA", "Recibo digital", "Título de la entrega", "Total de palabras", "Palabras",
    ),
    "de": Words(
        "ORIGINALITÄTSBERICHT", "ÄHNLICHKEITSINDEX", "INTERNETQUELLEN", "VERÖFFENTLICHUNGEN", "STUDENTISCHE ARBEITEN",
        "PRIMÄRQUELLEN", ("Internetquelle", "Publikation", "Studentische Arbeit"), "Zitate ausschließen",
        "Integritätsübersicht", "Gesamtähnlichkeit", "Seite {} von {}", "Eingereichte Arbeit",
        ("Nicht zitiert oder in Anführungszeichen", "Fehlende Anführungszeichen", "Fehlende Zitation",
         "Zitiert und in Anführungszeichen"), "Hauptquellen",
        "Internetquellen", "Eingereichte Arbeiten (studentische Arbeiten)",
        ("Internet", "Publikation", "Eingereichte Arbeiten"),
        "KI-Schreibübersicht", "als KI erkannt", "Digitaler Beleg", "Titel der Einreichung", "Anzahl der Wörter", "Wörter",
    ),
}  # fmt: skip
TITLES = {"en": "How checkpoints survive a crash", "es": "Cómo sobrevive un trabajo largo", "de": "Wie lange Arbeit überlebt"}
KINDS = ("internet", "publication", "submitted_work")


@dataclass(frozen=True)
class Sample:
    """One report: percentages as they are printed ("27%", "<1%", "12,5 %"; None where nothing is), and its oddities."""

    name: str
    layout: str
    language: str
    overall: str | None = "27%"
    internet: str | None = "22%"
    publications: str | None = "9%"
    students: str | None = "14%"
    sources: tuple[tuple[str, int, str | None], ...] = (
        ("www.researchhub.example", 0, "7%"),
        ("Submitted to University of Somewhere", 2, "3%"),
        ("A. Author. 'On Queues and Leases', Journal of Waiting, 2019", 1, "<1%"),
    )
    count: int | None = 3251
    oddities: frozenset[str] = frozenset()
    marked: tuple[tuple[str, int], ...] = ()

    @property
    def words(self) -> Words:
        return LANGUAGES[self.language]

    def pdf(self) -> bytes:
        return bytes(typst.compile({"classic": _classic, "integrity": _integrity}[self.layout](self).encode()))

    def html(self) -> bytes:
        made = {"classic": _classic_html, "integrity": _integrity_html}[self.layout]
        return (_classic_blocks if "blocks" in self.oddities else made)(self).encode()


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def at(x: float, y: float, text: str, size: float = 9, **more: str) -> str:
    """A line of text with its upper left corner at a place, in points."""
    style = "".join(f", {name}: {value}" for name, value in more.items())
    return f"#place(top + left, dx: {x}pt, dy: {y}pt, text(size: {size}pt{style}, {quoted(text)}))"


def page(*pieces: str, head: str = "") -> str:
    """A page; pieces stand in the file in this order, wherever they are placed."""
    lines = [at(40, 14, head, 8), at(40, 812, head, 8)] if head else []
    return "\n".join(["#page[", *lines, *pieces, at(40, 826, SYNTHETIC, 6), "]"])


def document(*pages: str) -> str:
    return "\n".join(
        ["#set page(width: 595pt, height: 842pt, margin: 0pt)", '#set text(font: "DejaVu Sans", size: 10pt)', *pages]
    )


def paper(sample: Sample) -> str:
    """A page of the paper, with coloured passages and sentences that name percentages and labels."""
    lines = [
        f"#block(width: 400pt, {quoted('In 2019 about 45% of the runs were cut short; a similarity index of 3% was named.')})",
        *(
            f"#block(width: 400pt)[#box(fill: rgb({quoted(COLOURS[number % 3][1])}), inset: 1pt, text(size: 6pt, fill: white, "
            f"{quoted(str(number))}))#highlight(fill: rgb({quoted(COLOURS[number % 3][0])}), {quoted(text)})"
            f"#text({quoted(' And these words are nobody else’s.')})]"
            for text, number in sample.marked
        ),
        f"#block(width: 400pt, {quoted('Only 12% of the rest went on; whoever waited had 0% of the work to do again.')})",
    ]
    return "#pad(left: 60pt, top: 60pt)[\n" + "\n".join(lines) + "\n]"


COLOURS = (("#ffd6d6", "#c01818"), ("#d6e6ff", "#1848c0"), ("#d9f7d6", "#188030"))


def _numbers(sample: Sample, places: list[tuple[float, float, str | None]], size: float) -> list[str]:
    """Figures, with the oddities that figures have."""
    pieces = []
    for x, y, figure in places:
        if figure is None:
            continue
        number, sign = figure.rstrip("% "), figure[len(figure.rstrip("% ")) :]
        if "sign below" in sample.oddities:
            pieces += [at(x, y, number, size), at(x + 4, y + 0.95 * size, "%", 0.5 * size)]
        elif "small sign" in sample.oddities:
            pieces += [at(x, y, number, size), at(x + 0.66 * size * len(number), y + 0.1 * size, "%", 0.5 * size)]
        else:
            pieces.append(at(x, y, number + sign, size))
    return pieces


def _label(sample: Sample, x: float, y: float, text: str, size: float = 8) -> list[str]:
    if "split" in sample.oddities and " " in text:
        first, _, rest = text.partition(" ")
        return [at(x, y, first, size), at(x, y + 1.25 * size, rest, size)]
    if "tracked" in sample.oddities:
        return [at(x, y, text, 0.7 * size, tracking="0.3em")]
    if "wide" in sample.oddities and " " in text:
        first, _, rest = text.partition(" ")
        return [at(x, y, first, size), at(x + size * (0.7 * len(first) + 1.2), y, rest, size)]
    return [at(x, y, text, size)]


def _classic(sample: Sample) -> str:
    words = sample.words
    step = 132
    shift = 56 if "sign below" in sample.oddities else 40
    figures = [sample.overall, sample.internet, sample.publications, sample.students]
    numbers = _numbers(sample, [(50 + step * n, 330, figure) for n, figure in enumerate(figures)], 30)
    labels = [
        piece
        for n, text in enumerate((words.index, words.internet, words.publications, words.students))
        for piece in _label(sample, 50 + step * n, 330 + shift, text)
    ]
    if "scrambled" in sample.oddities:
        numbers.reverse()
        body = [*labels, *numbers]
    else:
        body = [*numbers, *labels]
    box = [at(50, 300, words.classic, 9), *body]
    front = page(
        at(60, 60, f"{words.title}: {TITLES[sample.language]}", 12),
        *([at(60, 90, f"{words.count}: {sample.count}", 9)] if sample.count else []),
    )
    lists = _source_pages(sample, 440, words.primary, words.kinds, classic=True) if sample.sources else []
    first, more = (lists[0], lists[1:]) if lists else ([], [])
    tail = [] if "cut" in sample.oddities else [at(50, 770, f"{words.exclude}   Off", 8)]
    return document(front, page(paper(sample)), page(*box, *first, *([] if more else tail)), *(page(*each) for each in more))


def _source_pages(sample: Sample, top: float, title: str, kinds: tuple[str, str, str], *, classic: bool) -> list[list[str]]:
    """The list of sources on as many pages as it takes; five on the first."""
    pages = [[at(50, top, title, 9)]]
    y = top + 24
    for number, (name, kind, percent) in enumerate(sample.sources, 1):
        if y > 740:
            pages.append([])
            y = 60
        first, second = (name, kinds[kind]) if classic else (kinds[kind], name)
        lines = [*textwrap.wrap(first, 70), *textwrap.wrap(second, 70)]
        badge = y + (6 if "centred badges" in sample.oddities else 0)
        gap = 13 if "close badges" in sample.oddities else 30
        pages[-1] += [at(50, badge, str(number), 9), *(at(50 + gap, y + 13 * n, line, 9) for n, line in enumerate(lines))]
        if percent is not None:
            pages[-1] += _numbers(sample, [(500, y if classic else y + 13, percent)], 16 if classic else 9)
        y += 13 * len(lines) + 16
    return pages


def _integrity(sample: Sample) -> str:
    words = sample.words
    lists = _source_pages(sample, 60, words.top, words.new_kinds, classic=False) if sample.sources else []
    total = 3 + len(lists) + ("with ai" in sample.oddities)

    def head(number: int, what: str) -> str:
        return f"{words.page.format(number, total)} - {what}"

    submission = at(380, 14, "Submission ID trn:oid:::1:3036498766", 8)
    cover = page(
        submission,
        at(60, 80, f"{words.title}: {TITLES[sample.language]}", 12),
        *(
            [at(400, 200, f"{sample.count:,} {words.words}".replace(",", "." if sample.language == "de" else ","), 9)]
            if sample.count
            else []
        ),
        head=head(1, "Cover Page"),
    )
    overall = [*_numbers(sample, [(50, 60, sample.overall)], 22), *_label(sample, 140, 66, words.overall, 14)]
    groups = [
        at(50 + offset, 300 + 34 * n + down, text, size)
        for n, (name, figure) in enumerate(zip(words.groups, ("18%", "2%", "1%", "0%"), strict=True))
        for offset, down, text, size in (
            (0, 0, str(35 - 10 * n), 9),
            (22, 0, name, 9),
            (230, 0, figure, 9),
            (22, 12, "Matches", 7),
        )
    ]
    databases = []
    named = (
        (sample.internet, words.new_internet),
        (sample.publications, words.publications.capitalize()),
        (sample.students, words.new_students),
    )
    for n, (figure, name) in enumerate(named):
        databases += _numbers(sample, [(330, 300 + 34 * n, figure)], 9)
        databases += _label(sample, 366, 300 + 34 * n, name, 9)
    if "scrambled" in sample.oddities:
        groups.reverse()
        databases.reverse()
    overview = page(
        submission, *overall, at(50, 90, "Synthetic: the combined total of all matches, with 100% of the databases.", 7),
        at(50, 270, "Match Groups", 11), at(330, 270, words.top, 11), *databases, *groups, head=head(2, words.overview),
    )  # fmt: skip
    pages = [cover, overview, *(page(submission, *each, head=head(3 + n, words.overview)) for n, each in enumerate(lists))]
    if "with ai" in sample.oddities:
        pages.append(page(paper(replace(sample, marked=AI_MARKED)), head=head(total, words.ai_page)))
        pages.insert(1, page(at(50, 60, "64%", 22), at(140, 66, words.ai, 14), head=head(9, words.ai_page)))
    return document(*pages, page(paper(sample), head=head(total, words.paper)))


def hyphenated() -> tuple[bytes, str]:
    """A classic report of a narrow paper, marked in colour from end to end, and its text."""
    text = "Internationalization considerations notwithstanding, characteristically uncharacteristic responsibilities remain."
    narrow = (
        '#page[#set text(lang: "en", hyphenate: true)\n#pad(left: 60pt, top: 60pt)[#block(width: 120pt)[#highlight('
        f'fill: rgb("#ffd6d6"), {quoted(text)})]]]'
    )
    box = page(at(50, 300, "ORIGINALITY REPORT", 9), at(50, 330, "27%", 30), at(50, 370, "SIMILARITY INDEX", 8))
    return bytes(typst.compile(document(narrow, box).encode())), text


def ai_page(language: str) -> bytes:
    words = LANGUAGES[language]
    figure = {"en": "*%", "es": "31%", "de": "88 %"}[language]
    return bytes(typst.compile(document(page(
        at(50, 60, figure, 22), at(140, 66, words.ai, 14), at(50, 120, "31% of the sentences seem to be so.", 8),
        head=f"{words.page.format(2, 4)} - {words.ai_page}",
    )).encode()))  # fmt: skip


def receipt(language: str) -> bytes:
    words = LANGUAGES[language]
    return bytes(typst.compile(document(page(
        at(50, 60, words.receipt, 20), at(50, 120, f"{words.title}:", 9), at(220, 120, TITLES[language], 9),
        at(50, 140, f"{words.count}:", 9), at(220, 140, "3,251", 9), at(50, 160, "100% uploaded", 9),
    )).encode()))  # fmt: skip


HEAD = (
    "<!doctype html><html><head><meta charset=utf-8><title>Synthetic report</title><style>.x::after{content:'99%'}</style>"
    "<script>document.write('<div>1%</div><div>SIMILARITY INDEX</div>')</script></head><body>"
    f"<p>{SYNTHETIC}</p>"
)


def _classic_html(sample: Sample) -> str:
    """A table: figures in one row, labels in the next; the sources are a numbered list."""
    words = sample.words
    figures = [sample.overall, sample.internet, sample.publications, sample.students]
    labels = [words.index, words.internet, words.publications, words.students]
    if "split" in sample.oddities:
        labels = [label.replace(" ", "<br>") for label in labels]
    row = "".join(f"<td>{html.escape(figure or '')}</td>" for figure in figures)
    names = "".join(f"<td>{label}</td>" for label in labels)
    items = "".join(
        f"<li><span>{html.escape(name)}</span> <b>{html.escape(percent or '')}</b><div>{words.kinds[kind]}</div></li>"
        for name, kind, percent in sample.sources
    )
    listed = f"<h3>{words.primary}</h3><ol>{items}</ol><p>{words.exclude}</p>" if items else ""
    count = f"<p>{words.count}: {sample.count}</p>" if sample.count else ""
    return (
        f"{HEAD}<p>{words.title}: {TITLES[sample.language]}</p>{count}<p>The paper says that 45% is not much.</p>"
        f"<h2>{words.classic}</h2><table><tr>{row}</tr><tr>{names}</tr></table>{listed}</body></html>"
    )


def _classic_blocks(sample: Sample) -> str:
    """Blocks that a style sheet would put beside each other: each figure before its label, each source in four blocks."""
    words = sample.words
    named = (
        (sample.overall, words.index), (sample.internet, words.internet), (sample.publications, words.publications),
        (sample.students, words.students),
    )  # fmt: skip
    cards = "".join(f"<div>{_spanned(figure)}<div>{label}</div></div>" for figure, label in named)
    items = "".join(
        f"<div><div>{n}</div><div><div>{html.escape(name)}</div><small>{words.kinds[kind]}</small></div>{_spanned(percent)}</div>"
        for n, (name, kind, percent) in enumerate(sample.sources, 1)
    )
    listed = f"<h3>{words.primary}</h3>{items}<p>{words.exclude} On</p>" if items else ""
    count = f"<p>{words.count}: {sample.count}</p>" if sample.count else ""
    return f"{HEAD}<p>{words.title}: {TITLES[sample.language]}</p>{count}<h2>{words.classic}</h2><div>{cards}</div>{listed}"


def _spanned(figure: str | None) -> str:
    """A figure whose sign has a style of its own."""
    if figure is None:
        return ""
    number, sign = figure.rstrip("% "), figure[len(figure.rstrip("% ")) :]
    return f"<div>{html.escape(number)}<span>{sign}</span></div>"


def _integrity_html(sample: Sample) -> str:
    """Cards: each figure in a block with its label."""
    words = sample.words

    def card(figure: str | None, label: str) -> str:
        shown = f"<div><span>{html.escape(figure)}</span></div>" if figure else ""
        return f"<div class=card>{shown}<div>{label}</div></div>"

    items = "".join(
        f"<tr><td>{n}</td><td>{words.new_kinds[kind]}<br>{html.escape(name)}</td><td>{html.escape(percent or '')}</td></tr>"
        for n, (name, kind, percent) in enumerate(sample.sources, 1)
    )
    listed = f"<section><h2>{words.top}</h2><table>{items}</table></section>" if items else ""
    count = f"<p>{sample.count:,} {words.words}</p>" if sample.count else ""
    hidden = f"<div hidden>{card('1%', words.overall)}</div><div style='display: none'>{card('2%', words.overall)}</div>"
    return (
        f"{HEAD}<h1>{words.overview}</h1><p>{words.title}: {TITLES[sample.language]}</p>{count}{hidden}"
        f"<main>{card(sample.overall, words.overall)}</main><h2>{words.top}</h2>"
        f"{card(sample.internet, words.new_internet)}{card(sample.publications, words.publications.capitalize())}"
        f"{card(sample.students, words.new_students)}{listed}</body></html>"
    )


def _many(count: int) -> tuple[tuple[str, int, str | None], ...]:
    return tuple(
        (f"archive{n}.example" if n % 3 == 0 else f"Paper {n}: 100% of what is known about queues", n % 3, f"{max(12 - n, 2)}%")
        for n in range(count)
    )


def samples() -> list[Sample]:
    """All of them: every layout in every language, each with each oddity that it can have."""
    made: list[Sample] = []
    for language in LANGUAGES:
        for layout in ("classic", "integrity"):
            plain = Sample("plain", layout, language)
            made += [
                plain,
                replace(plain, name="split labels", oddities=frozenset({"split"}), overall="31%", internet="30%"),
                replace(plain, name="spaced letters", oddities=frozenset({"tracked"}), overall="8%", internet="5%",
                        publications="0%", students="7%"),
                replace(plain, name="spaced words", oddities=frozenset({"wide", "close badges"}), students="2%"),
                replace(plain, name="sign below", oddities=frozenset({"sign below"}), overall="64%"),
                replace(plain, name="small sign", oddities=frozenset({"small sign", "centred badges"}), overall="100%"),
                replace(plain, name="less than one", overall="<1%", internet="<1%", publications="0%", students=None,
                        sources=(("www.tiny.example", 0, "<1%"),)),
                replace(plain, name="comma decimals", overall="27,5 %", internet="22,25%", publications="9,0 %",
                        students="14.5%", sources=(("www.komma.example", 0, "7,5 %"), ("archive.example", 0, None))),
                replace(plain, name="one figure missing", publications=None, count=None),
                replace(plain, name="overall missing", overall=None, count=None),
                replace(plain, name="no list", sources=(), oddities=frozenset({"cut"})),
                replace(plain, name="other order", oddities=frozenset({"scrambled"}), overall="40%", sources=_many(24)),
                replace(plain, name="marked", marked=MARKED, oddities=frozenset({"with ai"})),
            ]  # fmt: skip
    return made


AI_MARKED = (("Words that the report takes for a machine’s, and that it marks in the same colours", 1),)
MARKED = (
    ("A checkpoint is a stored copy of everything that a long job needs to go on after a crash, and it is written before "
     "anything else is done with the answer", 1),
    ("the lease is renewed by a thread of its own", 2),
)  # fmt: skip


def pages_of_html() -> list[Sample]:
    """The reports that are saved as web pages."""
    made = []
    for language in LANGUAGES:
        for layout in ("classic", "integrity"):
            plain = Sample("page", layout, language)
            made += [
                plain,
                replace(plain, name="page, odd", oddities=frozenset({"split"}), overall="<1 %", internet=None,
                        publications="0,5%", students="<1%", sources=(), count=None),
                replace(plain, name="page, no overall", overall=None),
            ]  # fmt: skip
        made.append(replace(Sample("page of blocks", "classic", language), oddities=frozenset({"blocks"}), publications="<1%"))
    return made
