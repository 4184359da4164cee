"""Draft: one part, written from its cards alone, sentence by sentence with the ids that carry it.

The writer does not run on nothing: without a card there is no call. An answer that was cut off is continued once from
its last whole sentence.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field, ValidationError

from autonomy.agents.model.ask import Asker, Prompt, Reply
from autonomy.agents.model.prompting import IDS_ONLY, NOT_IN_EVIDENCE, cap, evidence, frame, joined, listed, system
from autonomy.agents.model.shape import Answer, salvage
from autonomy.agents.model.tidy import Evidence, tidy
from autonomy.agents.roles import DraftRequest, Paragraphs, Sentence
from autonomy.core.prompts import one_line

_HOW = {
    "section": "Write this section: sentences that each say one thing its cards carry; where sources differ, say so.",
    "annotation": "Write an annotation of this one source: what it treats, how it does so, and where it stops.",
    "synthesis": "Write a short synthesis: first what two or more sources carry together (cite them all), then what only one "
    "says, named as such.",
    "introduction": "Write the introduction: the question, what the document treats, in which order. No new claim.",
    "conclusion": "Write the conclusion: what the finished sections showed and what was not found. No new claim.",
}
_FRAMES = ("introduction", "conclusion")

_SYSTEM = system(
    "You write one part of a document from quoted evidence, plainly and exactly.",
    IDS_ONLY,
    NOT_IN_EVIDENCE + " Name it in `missing`.",
    "Each sentence is one entry with the ids of the cards that carry the whole of it. A number, a name, a date, a negation "
    "or a 'must' stands only as its card has it; claim no more than the card does.",
    "Use your own words. A verbatim quotation stands between double quotation marks, is short, and cites its card.",
    "Only a sentence that speaks of the document itself (its sections, what was searched) has no ids.",
    "No headings, no lists, no Markdown.",
)


class Written(Answer):
    """One sentence."""

    text: str
    cites: list[str] = Field(default_factory=list)


class Paragraph(Answer):
    """Sentences that belong together."""

    sentences: list[Written] = Field(default_factory=list)


class DraftAnswer(Answer):
    """What draft answers."""

    notes: str = ""
    paragraphs: list[Paragraph]
    missing: list[str] = Field(default_factory=list)


async def draft(asker: Asker, request: DraftRequest) -> tuple[Paragraphs, int]:
    """The part and how many unknown ids were removed. Raises BadAnswer when nothing usable comes."""
    if not request.cards and not (request.part in _FRAMES and request.before):
        return Paragraphs(paragraphs=(), notes=(f"No evidence was found for '{request.heading}'.",)), 0
    answer = await _written(asker, _prompt(request))
    return _assembled(answer, request)


def _prompt(request: DraftRequest) -> Prompt:
    outline = [f"{line} (done)" for line in request.before] if request.part != "annotation" else list(request.before)
    marked = [*outline, f"=> {request.heading}: {request.claim} (write this)"] if request.part == "section" else outline
    user = joined(
        frame(request.task, request.brief),
        listed("headings" if request.part == "annotation" else "outline", (one_line(line, 240) for line in marked)),
        listed("figures", (one_line(line, 240) for line in request.figures)),
        evidence(request.cards, request.sources) if request.cards else "",
        f"Part: {request.part}\nHeading: {one_line(request.heading, 160)}\nPoint: {one_line(request.claim, 300)}\n"
        f"Words: about {request.words}",
        f"{_HOW[request.part]} The goal it serves: {one_line(request.task.goal, 500)}",
    )
    return Prompt("draft", "draft", _SYSTEM, user, cap(request.words, request.brief.language))


async def _written(asker: Asker, prompt: Prompt) -> DraftAnswer:
    first = await asker.once(prompt, DraftAnswer)
    begun = _begun(first)
    if begun is None:
        return await asker.repaired(prompt, first, DraftAnswer)
    last = begun.paragraphs[-1].sentences[-1].text
    onward = replace(
        prompt,
        user=f"{prompt.user}\n\nThe beginning is written; its last sentence is: {one_line(last, 400)}\n"
        "Write only what follows it, in a third of the words, and come to an end.",
    )
    rest = await asker.once(onward, DraftAnswer)
    value = rest.value if rest.value is not None else _begun(rest)
    added = value.paragraphs if value is not None else []
    return DraftAnswer(paragraphs=[*begun.paragraphs, *added], missing=value.missing if value is not None else [])


def _begun(reply: Reply[DraftAnswer]) -> DraftAnswer | None:
    """The whole sentences of an answer that was cut off; None if it was not, or if there is none.

    The last sentence always goes: it cannot be known whether its ids are all there.
    """
    data = salvage(reply.text) if reply.finish == "length" else None
    rows = data.get("paragraphs") if isinstance(data, dict) else None
    found = [_sentences(row) for row in rows] if isinstance(rows, list) else []
    while found and not found[-1]:
        found.pop()
    if not found:
        return None
    found[-1].pop()
    paragraphs = [Paragraph(sentences=sentences) for sentences in found if sentences]
    return DraftAnswer(paragraphs=paragraphs) if paragraphs else None


def _sentences(row: object) -> list[Written]:
    """The sentences of a paragraph that may be unfinished."""
    entries = row.get("sentences") if isinstance(row, dict) else None
    found: list[Written] = []
    for entry in entries if isinstance(entries, list) else []:
        try:
            found.append(Written.model_validate(entry))
        except ValidationError:
            found.append(Written(text=""))
    return found


def _assembled(answer: DraftAnswer, request: DraftRequest) -> tuple[Paragraphs, int]:
    ground = grounds(request)
    unknown = 0
    paragraphs: list[tuple[Sentence, ...]] = []
    for paragraph in answer.paragraphs:
        sentences: list[Sentence] = []
        for written in paragraph.sentences:
            tidied = tidy(written.text, written.cites, ground, may_frame=True)
            if tidied is not None:
                sentences.append(tidied.sentence)
                unknown += tidied.unknown
        if sentences:
            paragraphs.append(tuple(sentences))
    notes = [f"Not in the evidence: {one_line(line, 200)}" for line in answer.missing if line.strip()]
    return Paragraphs(paragraphs=tuple(paragraphs), notes=tuple(dict.fromkeys(notes))), unknown


def grounds(request: DraftRequest) -> Evidence:
    """What the part's sentences may stand on."""
    free = (
        request.heading,
        request.brief.title,
        request.brief.subject,
        *request.before,
        *request.figures,
        *(source.title for source in request.sources),
        f"{len(request.sources)} {len(request.cards)} {len(request.before)}",
    )
    return Evidence({card.id: card for card in request.cards}, " \n ".join(free), request.brief.language)
