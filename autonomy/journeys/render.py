"""The deliverable: one walk over the material gives its blocks, their Markdown, where each claim stands, and the list.

Invariants: what a claim says stands in the text in one piece, and `PlacedClaim.text` is that very piece (made inert,
final full stop aside where the mark goes before it); text from outside never becomes markup; References come last, so
that everything below their heading is the list; the same material gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from autonomy.agents.material import (
    FRAMED,
    Annotation,
    Cell,
    Material,
    MatrixRow,
    Paragraph,
    ReportSeen,
    Searched,
    SectionDraft,
)
from autonomy.agents.reported import Reported, reported
from autonomy.agents.roles import Sentence
from autonomy.core.types import Card, Source
from autonomy.journeys import inert
from autonomy.journeys.blocks import Align, Block, Heading, Items, Note, Prose, Quotation, References, Table, markdown
from autonomy.journeys.claims import Claim, cited_sources, claims, evidence, row_sentences
from autonomy.journeys.phrases import REFERENCES, Phrases, phrases
from autonomy.journeys.references import Bibliography, bibliography, title_of
from autonomy.text.language import is_cjk

SHORT_CLAIM = 60
"""Letters of a claim in the table, where a longer one is cut: in full it stands below."""
WIDEST_TABLE = 8
"""Sources that still fit as columns; with more the table names them in cells."""
MARKS = {"supports": "✓", "differs": "≠", "opposes": "✗", "silent": "–"}
_END = re.compile(r"(?P<body>.*?)(?P<stop>[.。]?)(?P<closers>[\"'”’»«“」』]*)", re.DOTALL)
_KEEPS_STOP = re.compile(r"(?:\.\.|…|(?:^|[\s(.])[^\W\d_]|\b(?:etc|al|inc|ltd|jr|sr|no|vol|bzw|usw))$", re.IGNORECASE)
_LED_IN = re.compile(r"[^“„«「\"]*[:：]\s*(?P<stated>[“„«「\"].*)", re.DOTALL)
_OTHER_END = re.compile(r"[!?！？…:：;][\"'”’»«“」』)]*$")


@dataclass(frozen=True, slots=True)
class PlacedClaim:
    """A claim as it stands in the text: `text` and `section` word for word, as in the Markdown."""

    claim: Claim
    text: str
    section: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """The document and what the manifest says of it. `text` is the Markdown of `blocks`; `free_sections` are headings below
    which nothing is claimed."""

    blocks: tuple[Block, ...]
    text: str
    claims: tuple[PlacedClaim, ...]
    headings: tuple[str, ...]
    free_sections: tuple[str, ...]
    references: tuple[str, ...]
    bibliography: Bibliography


@dataclass(slots=True)
class _Page:
    """The text while it is being written, block by block."""

    material: Material
    say: Phrases
    works: Bibliography
    by_place: dict[tuple[str, str, int], Claim]
    blocks: list[Block] = field(default_factory=list)
    placed: list[PlacedClaim] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)

    def head(self, text: str, level: int) -> None:
        """A heading; claims that follow belong to it."""
        shown = inert.heading(text)
        self.headings.append(shown)
        self.blocks.append(Heading(level, shown))

    def put(self, block: Block) -> None:
        """A block below the last heading."""
        self.blocks.append(block)

    def cited(self, claim: Claim | None, sentence: Sentence, *, first: bool = False) -> str:
        """A sentence with its mark, put down as a claim if it is one; `first` of a line it must open nothing."""
        text = inert.inline(sentence.text) if sentence.block else inert.prose(sentence.text)
        text = inert.opening(text) if first else text
        mark = self.works.mark([(card.source, card.anchor) for card in claim.cards]) if claim and claim.cards else ""
        bare, shown = with_mark(text, mark, before_stop=not sentence.block)
        if claim is not None:
            self.placed.append(PlacedClaim(claim, _stated(bare) if sentence.quoted else bare, self.headings[-1]))
        return shown


def render(material: Material) -> Rendered:
    """The whole document: a research pack if the task asks for one, else sections with their frame."""
    found = claims(material)
    language = material.brief.language
    listing = bibliography(material.task.style, language, material.sources, cited_sources(found))
    page = _Page(material, phrases(language), listing, {(claim.part, claim.heading, claim.index): claim for claim in found})
    page.head(material.brief.title, 1)
    _note(page)
    _sections(page, material.sections)
    if not found and material.outcome != "budget_exceeded":  # a run cut short has not looked everywhere; its note says so
        page.put(Prose(page.say.no_evidence if not material.cards else page.say.no_claims))
    if material.task.journey == "research":
        _questions(page)
        _matrix(page)
        _annotations(page)
    _not_found(page)
    _notes(page)
    _similarity(page)
    references = listing.listing()
    if references:
        page.head(REFERENCES, 2)
        page.put(References(listing.rows(), apart=material.task.style == "ieee"))
    claimed = {each.section for each in page.placed}
    free = tuple(heading for heading in page.headings if heading not in claimed)
    blocks = tuple(page.blocks)
    return Rendered(blocks, markdown(blocks), tuple(page.placed), tuple(page.headings), free, references, listing)


def with_mark(text: str, mark: str, *, before_stop: bool = True) -> tuple[str, str]:
    """A sentence and its mark: (what stands in one piece, the whole). The mark goes before a final full stop.

    >>> with_mark("Tasks can be cancelled.", "[1]")
    ('Tasks can be cancelled', 'Tasks can be cancelled [1].')
    """
    if not mark:
        return text, text
    if not before_stop:
        return text, f"{text} {mark}"
    found = _END.fullmatch(text)
    assert found is not None
    body, stop, closers = found["body"], found["stop"], found["closers"]
    if stop and not (stop == "." and _KEEPS_STOP.search(body)):
        bare = body + closers
        return bare, f"{bare} {mark}{stop}"
    if _OTHER_END.search(text) and not closers:
        return text, f"{text} {mark}"
    return text, f"{text} {mark}."


def _stated(text: str) -> str:
    """Of a quotation behind its lead-in and a colon, the quotation alone: the lead-in only says where it stands."""
    found = _LED_IN.fullmatch(text)
    return found.group("stated") if found else text


def _note(page: _Page) -> None:
    """The box on top: that no model wrote it, from what and when; and that it is cut short, where it is.

    The sources counted are those of the reference list.
    """
    material, say = page.material, page.say
    cited = [source for source in material.sources if source.id in page.works.numbers]
    lines = []
    if material.player == "extractive":
        lines.append(say.extractive)
    if material.unanswered:
        lines.append(say.unanswered.format(provider=inert.inline(material.provider)))
    if material.outcome != "delivered":
        why = dict(zip(("budget_exceeded", "target_not_reached"), say.outcomes, strict=True))
        lines.append(say.cut_short.format(why=why.get(material.outcome, material.outcome.replace("_", " "))))
    if not lines:
        return
    corpora = ", ".join(f"*{inert.inline(_folder(path))}*" for path in material.task.corpus)
    days = sorted({source.retrieved_at[:10] for source in cited if source.retrieved_at})
    if cited:
        read = say.documents.format(count=len(cited), corpus=corpora or "–")
        when = say.retrieved.format(date=" – ".join(dict.fromkeys((days[0], days[-1])))) if days else ""
        lines.append("; ".join(part for part in (read, when) if part) + ".")
    else:
        lines.append(f"{say.nothing_read}.")
    page.put(Note(tuple(lines)))


def _folder(path: str) -> str:
    """A corpus by its folder's name alone: where it stands on somebody's machine is nobody's business."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or path


def _sections(page: _Page, sections: Iterable[SectionDraft]) -> None:
    for section in sections:
        if not section.sentences:
            continue
        page.head(section.heading, section.level)
        _paragraphs(page, section.part, section.heading, section.paragraphs, section.level)


def _paragraphs(page: _Page, part: str, key: str, paragraphs: Sequence[Paragraph], level: int) -> None:
    """Sentences run on in a paragraph; a block quotation stands by itself."""
    index = 0
    space = "" if is_cjk(page.material.brief.language) else " "
    for paragraph in paragraphs:
        running: list[str] = []
        for sentence in paragraph:
            claim = page.by_place.get((part, key, index))
            index += 1
            if sentence.kind == "heading":
                _flush(page, running, space)
                page.head(sentence.text, min(6, level + 1))
            elif sentence.block:
                _flush(page, running, space)
                page.put(Quotation(page.cited(claim, sentence, first=True)))
            else:
                running.append(page.cited(claim, sentence, first=not running))
        _flush(page, running, space)


def _flush(page: _Page, running: list[str], space: str) -> None:
    if running:
        page.put(Prose(space.join(running)))
        running.clear()


def _questions(page: _Page) -> None:
    """The questions as they were asked; other words that were tried for them are none of the reader's."""
    asked = _asked(page.material)
    if not asked:
        return
    page.head(page.say.questions, 2)
    rows = tuple((inert.cell(row.question), str(row.found), str(row.kept), f"{row.coverage:.0%}") for row in asked)
    page.put(Table(("left", "right", "right", "right"), page.say.question_table, rows))


def _matrix(page: _Page) -> None:
    """The table for the eye, where there are rows enough for one, then every row in full with its quotations."""
    rows = page.material.matrix
    if not rows:
        return
    say = page.say
    spoken = {cell.source for row in rows for cell in row.cells if cell.stance != "silent"}
    columns = [(label, source) for label, source in _labels(page) if source.id in spoken]
    whole = sum(cell.stance != "silent" for row in rows for cell in row.cells) >= FRAMED
    if whole:
        page.head(say.matrix, 2)
        _table(page, rows, columns)
    page.head(say.evidence, 3 if whole else 2)
    cards = evidence(page.material)
    for number, row in enumerate(rows, 1):
        _row(page, number, row, cards, {source.id: label for label, source in columns})


def _table(page: _Page, rows: Sequence[MatrixRow], columns: Sequence[tuple[str, Source]]) -> None:
    say = page.say
    centred: list[Align] = ["center" for _ in columns]
    aligns: tuple[Align, ...]
    if len(columns) <= WIDEST_TABLE:
        head: tuple[str, ...] = (say.claim, *(label for label, _ in columns))
        aligns = ("left", *centred)
        body = tuple((_short(n, row), *(_stance(row, source.id) for _, source in columns)) for n, row in enumerate(rows, 1))
    else:
        head, aligns = (say.claim, *say.marks_by_source), ("left", "left", "left")
        body = tuple((_short(n, row), *_named(row, columns)) for n, row in enumerate(rows, 1))
    page.put(Table(aligns, head, body))
    page.put(Prose(f"*{say.legend}*", "key"))
    titles = (f"{label} *{inert.inline(title_of(source))}*" for label, source in columns)
    page.put(Prose(" · ".join(titles), "key"))


def _row(page: _Page, number: int, row: MatrixRow, cards: Mapping[str, Card], labels: dict[str, str]) -> None:
    """One row: its claim, then what each further source says in its own words."""
    words = dict(zip(("supports", "differs", "opposes"), page.say.stances, strict=True))
    lines = []
    for index, (cell, sentence) in enumerate(row_sentences(row, cards, page.say)):
        shown = page.cited(page.by_place[("matrix", row.id, index)], sentence)
        if cell is None:
            lines.append(f"**C{number}.** {shown}")
        else:
            lines.append(f"{labels[cell.source]} {words[cell.stance]}: {shown}")
    if lines:
        page.put(Prose(lines[0]))
    if lines[1:]:
        page.put(Items(tuple(lines[1:])))


def _short(number: int, row: MatrixRow) -> str:
    return f"**C{number}** {inert.cell(inert.shorten(row.claim, SHORT_CLAIM))}"


def _stance(row: MatrixRow, source: str) -> str:
    return next((MARKS[cell.stance] for cell in row.cells if cell.source == source), MARKS["silent"])


def _named(row: MatrixRow, columns: Sequence[tuple[str, Source]]) -> tuple[str, str]:
    """The labels of sources that support, and of those that differ or oppose."""

    def those(cells: Iterator[Cell]) -> str:
        ids = {cell.source for cell in cells}
        return ", ".join(label for label, source in columns if source.id in ids) or "–"

    return (
        those(cell for cell in row.cells if cell.stance == "supports"),
        those(cell for cell in row.cells if cell.stance in ("differs", "opposes")),
    )


def _labels(page: _Page) -> list[tuple[str, Source]]:
    """S1, S2 … for every source of the pack, cited ones first and in the order of the reference list."""
    by_id = {source.id: source for source in page.material.sources}
    order = dict.fromkeys((*(work.id for work in page.works.works), *by_id))
    return [(f"S{number}", by_id[name]) for number, name in enumerate(order, 1)]


def _annotations(page: _Page) -> None:
    made: dict[str, Annotation] = {annotation.source: annotation for annotation in page.material.annotations}
    listed = [(label, source) for label, source in _labels(page) if source.id in made]
    if not listed:
        return
    page.head(page.say.bibliography, 2)
    for label, source in listed:
        page.head(f"{label}. {inert.shorten(title_of(source), 120)}", 3)
        if source.id in page.works.numbers:
            page.put(Prose(inert.opening(page.works.entry(source.id)), "reference"))
        _paragraphs(page, "annotation", source.id, made[source.id].paragraphs, 3)


def _asked(material: Material) -> list[Searched]:
    first = set(material.brief.questions)
    return [row for row in material.searched if row.question in first or not first]


def _not_found(page: _Page) -> None:
    """What was asked of the corpus and brought little or nothing, and what stayed thin."""
    say, material = page.say, page.material
    lines = []
    for row in _asked(material):
        if not row.answered:
            lines.append(f"{inert.inline(row.question)} – {say.quoted_nothing if row.found else say.found_nothing}")
        elif row.thin:
            little = say.found_little.format(coverage=f"{row.coverage:.0%}", kept=row.kept)
            lines.append(f"{inert.inline(row.question)} – {little}")
    named = {row.question.casefold() for row in material.searched}
    lines += [f"{inert.inline(thin)} – {say.thin}" for thin in dict.fromkeys(material.thin) if thin.casefold() not in named]
    if lines:
        page.head(say.not_found, 2)
        page.put(Prose(say.looked_for))
        page.put(Items(tuple(lines)))


def _notes(page: _Page) -> None:
    if page.material.notes:
        page.head(page.say.notes, 2)
        page.put(Items(tuple(inert.opening(inert.inline(note)) for note in dict.fromkeys(page.material.notes))))


def _similarity(page: _Page) -> None:
    """What the similarity reports of the drafts said, oldest first."""
    reports, words = page.material.reports, reported(page.material.brief.language)
    if reports:
        page.head(words.heading, 2)
        page.put(Items(tuple(_of_report(each, words) for each in reports)))


def _of_report(report: ReportSeen, words: Reported) -> str:
    target = f"{report.target:g} %"
    if report.observed is None:
        return words.no_report.format(n=report.n, target=target)
    return words.line.format(n=report.n, observed=f"{report.observed:g} %", target=target)
