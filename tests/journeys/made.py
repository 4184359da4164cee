"""Hand-made material: three small sources in English, one in German, one in Japanese, with cards cut from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autonomy.agents.material import Annotation, Cell, Material, MatrixRow, Searched, SectionDraft, SourceMap
from autonomy.agents.roles import Brief, Sentence
from autonomy.core.types import Anchor, Card, Source, TaskSpec

MANUAL = """Python Manual

Task Cancellation

Tasks can easily and safely be cancelled. When a task is cancelled, asyncio.CancelledError will be raised in the task at
the next opportunity. It is recommended that coroutines use try/finally blocks to perform clean-up logic.

Timeouts

A timeout of 30 seconds is applied when no other value is given. The context manager asyncio.timeout limits the amount of
time spent waiting on something.
"""
HANDBOOK = (
    "Administration Handbook\nServices that do not stop within 90 seconds are killed by the service manager.\n\f"
    "Stopping services\nA timeout of 60 seconds is applied when no other value is given. "
    "The administrator must never edit the generated files by hand.\n"
)
NOTES = "Operations notes\n\nA cancelled task should release every lock that it holds before it returns.\n"
GERMAN = "Handbuch\n\nAufgaben\n\nEine Aufgabe kann jederzeit sicher abgebrochen werden. Der Abbruch löst eine Ausnahme aus.\n"
JAPANESE = "手引き\n\n取り消し\n\nタスクはいつでも安全に取り消すことができます。取り消されると例外が送出されます。\n"
TEXTS: Mapping[str, str] = {"manual": MANUAL, "handbook": HANDBOOK, "notes": NOTES, "german": GERMAN, "japanese": JAPANESE}


def source(name: str, **change: Any) -> Source:
    """A source of the corpus; keyword arguments replace fields."""
    known: dict[str, dict[str, Any]] = {
        "manual": {
            "title": "Python Manual",
            "location": "library/asyncio-task.html",
            "media_type": "text/html",
            "language": "en",
        },
        "handbook": {
            "title": "Administration Handbook",
            "location": "handbook.pdf",
            "media_type": "application/pdf",
            "authors": ("Jane Q. Doe", "Roland Mas"),
            "year": 2020,
            "language": "en",
        },
        "notes": {"title": "Operations notes", "location": "notes.md", "media_type": "text/markdown", "language": "en"},
        "german": {"title": "Handbuch", "location": "handbuch.md", "media_type": "text/markdown", "language": "de"},
        "japanese": {"title": "手引き", "location": "tebiki.md", "media_type": "text/markdown", "language": "ja"},
    }
    fields = {"id": name, "sha256": "0" * 64, "snapshot": "1" * 64, "retrieved_at": "2025-01-02T03:04:05Z", **known[name]}
    return Source(**{**fields, **change})


def layout(name: str, text: str | None = None) -> SourceMap:
    """Pages at form feeds of the handbook; headings are lines without a full stop."""
    body = TEXTS[name] if text is None else text
    pages = [(1, 0)] + [(number, at + 1) for number, at in enumerate((i for i, c in enumerate(body) if c == "\f"), 2)]
    headings, at = [], 0
    for line in body.replace("\f", "\n").split("\n"):
        if line and len(line) < 40 and line[-1] not in ".。":
            headings.append((at, 1 if at == 0 else 2, line))
        at += len(line) + 1
    return SourceMap(source=name, pages=tuple(pages) if name == "handbook" else (), headings=tuple(headings))


def card(name: str, of: str, begins: str, ends: str, question: str = "How are tasks cancelled?", gist: str = "") -> Card:
    """The stretch of a source from `begins` to `ends`, with its true anchor."""
    text = TEXTS[of]
    start = text.index(begins)
    end = text.index(ends, start) + len(ends)
    places = layout(of)
    page = max((number for number, at in places.pages if at <= start), default=None)
    section = next((title for at, _, title in reversed(places.headings) if at <= start), None)
    anchor = Anchor(page=page, section=section, start=start, end=end)
    return Card(id=name, source=of, quote=text[start:end], anchor=anchor, gist=gist, question=question)


def cards() -> tuple[Card, ...]:
    """Six cards of three English sources."""
    return (
        card("c1", "manual", "Tasks can easily", "be cancelled."),
        card("c2", "manual", "When a task", "next opportunity."),
        card("c3", "manual", "A timeout of 30", "is given.", "Which timeouts apply?"),
        card("c4", "handbook", "A timeout of 60", "is given.", "Which timeouts apply?"),
        card("c5", "handbook", "Services that do not", "service manager.", "Which timeouts apply?"),
        card("c6", "notes", "A cancelled task should", "it returns."),
    )


def said(text: str, *cites: str, **change: Any) -> Sentence:
    """A claim."""
    return Sentence(text=text, cites=cites, **change)


def section(heading: str, *paragraphs: Sequence[Sentence], part: Any = "section") -> SectionDraft:
    """A drafted part."""
    return SectionDraft(heading=heading, part=part, paragraphs=tuple(tuple(paragraph) for paragraph in paragraphs))


def task(**change: Any) -> TaskSpec:
    """A task over a corpus folder."""
    return TaskSpec(**{"goal": "How are asyncio tasks cancelled?", "corpus": ("/srv/corpora/manuals",), **change})


def brief(language: str = "en", title: str = "How tasks are cancelled") -> Brief:
    """What was understood."""
    questions = ("How are tasks cancelled?", "Which timeouts apply?")
    return Brief(title=title, language=language, subject="task cancellation", terms=("task", "cancel"), questions=questions)


def searched_brief() -> Brief:
    """What was understood, with every question that the documents made here were searched for."""
    held = brief()
    return held.model_copy(update={"questions": (*held.questions, "When is a service killed?", "What do zebras eat?")})


def written(**change: Any) -> Material:
    """A written document in which every claim is traced, quoted or reworded."""
    sections = (
        section("Introduction", [said("Three sources speak to this question.", kind="scaffold")], part="introduction"),
        section(
            "Cancelling a task",
            [
                said("The manual is plain: “Tasks can easily and safely be cancelled.”", "c1", quoted=True),
                said("When a task is cancelled, CancelledError will be raised at the next opportunity.", "c2"),
            ],
            [
                said(
                    "A cancelled task should release every lock that it holds before it returns.", "c6", quoted=True, block=True
                )
            ],
        ),
        section(
            "Timeouts",
            [
                said("“A timeout of 30 seconds is applied when no other value is given.”", "c3", quoted=True),
                said(
                    "The handbook disagrees: “A timeout of 60 seconds is applied when no other value is given.”",
                    "c4",
                    quoted=True,
                ),
                said("After 90 seconds the service manager kills services that do not stop.", "c5"),
            ],
        ),
        section("Conclusion", [said("What the sources leave open stands below.", kind="scaffold")], part="conclusion"),
    )
    fields: dict[str, Any] = {
        "task": task(length=90),
        "brief": searched_brief(),
        "run_id": "run1",
        "player": "extractive",
        "provider": "extractive",
        "seed": 7,
        "sections": sections,
        "cards": cards(),
        "sources": (source("manual"), source("handbook"), source("notes")),
        "maps": tuple(layout(name) for name in ("manual", "handbook", "notes")),
        "searched": (
            Searched(question="How are tasks cancelled?", found=8, kept=3, coverage=0.9),
            Searched(question="Which timeouts apply?", found=5, kept=3, coverage=0.75),
            Searched(question="What do zebras eat?", found=0, kept=0, coverage=0.0),
        ),
        "notes": ("Two files could not be read.",),
    }
    return Material(**{**fields, **change})


def packed(**change: Any) -> Material:
    """A research pack over the same sources."""
    rows = (
        MatrixRow(
            id="r1",
            claim="Tasks can easily and safely be cancelled.",
            question="How are tasks cancelled?",
            cells=(
                Cell(source="manual", stance="supports", card="c1"),
                Cell(source="handbook", stance="silent"),
                Cell(source="notes", stance="silent"),
            ),
            cards=("c1", "c2", "c6"),
        ),
        MatrixRow(
            id="r2",
            claim="A timeout of 30 seconds is applied when no other value is given.",
            question="Which timeouts apply?",
            cells=(
                Cell(source="manual", stance="supports", card="c3"),
                Cell(source="handbook", stance="differs", card="c4"),
                Cell(source="notes", stance="silent"),
            ),
            cards=("c3", "c4", "c5"),
        ),
    )
    filler = (
        "It was read as a whole for this pack, and the sentences below are the ones that speak to the questions asked of it. "
    )
    lead = said(filler * 2, kind="scaffold")
    annotations = (
        Annotation(
            source="manual", paragraphs=((lead, said("“Tasks can easily and safely be cancelled.”", "c1", quoted=True)),)
        ),
        Annotation(
            source="handbook",
            paragraphs=(
                (
                    lead,
                    said("“Services that do not stop within 90 seconds are killed by the service manager.”", "c5", quoted=True),
                ),
            ),
        ),
        Annotation(
            source="notes",
            paragraphs=(
                (
                    lead,
                    said("“A cancelled task should release every lock that it holds before it returns.”", "c6", quoted=True),
                ),
            ),
        ),
    )
    synthesis = section(
        "Synthesis",
        [
            said("“Tasks can easily and safely be cancelled.”", "c1", quoted=True),
            said("The manual says: “A timeout of 30 seconds is applied when no other value is given.”", "c3", quoted=True),
        ],
        part="synthesis",
    )
    fields: dict[str, Any] = {
        "task": task(journey="research"),
        "sections": (synthesis,),
        "annotations": annotations,
        "matrix": rows,
    }
    return written(**{**fields, **change})


def snapshot(changed: Mapping[str, str] | None = None) -> Callable[[str], str]:
    """The stored texts, some of them replaced."""
    texts = {**TEXTS, **(changed or {})}
    return lambda name: texts[name]
