"""Revise: only the failing sentences are written anew or dropped; every other sentence stays as it is, letter by letter."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autonomy.agents.model.ask import Asker, Prompt
from autonomy.agents.model.prompting import IDS_ONLY, NOT_IN_EVIDENCE, cap, evidence, frame, joined, system
from autonomy.agents.model.shape import Answer
from autonomy.agents.model.tidy import Evidence, tidy
from autonomy.agents.roles import Paragraphs, ReviseRequest, Sentence
from autonomy.core.prompts import Exhibit, fence, one_line
from autonomy.core.types import Card
from autonomy.text.words import terms

_MOST_OTHERS = 6
_WORDS_EACH = 45

_SYSTEM = system(
    "You mend single sentences of a finished text so that their evidence carries them.",
    IDS_ONLY,
    NOT_IN_EVIDENCE + " A sentence that no card carries is dropped.",
    "Answer for each failing sentence, by its number: `rewrite` with the new text and the ids that carry the whole of it, or "
    "`drop`. Say less rather than more; take numbers, names and negations exactly as the card has them.",
    "The sentence must still fit between its neighbours. Touch no other sentence.",
)


_SIMILAR = (
    "A sentence that fails `similarity` stands like this in other texts. Say what its cards say in a sentence of your own "
    "build, with its citation, or drop it; swapping single words is no rewriting."
)


class Mended(Answer):
    """One failing sentence's fate."""

    number: int
    action: Literal["rewrite", "drop"] = "rewrite"
    text: str = ""
    cites: list[str] = Field(default_factory=list)


class RevisionAnswer(Answer):
    """What revise answers."""

    notes: str = ""
    sentences: list[Mended]


async def revise(asker: Asker, request: ReviseRequest) -> tuple[Paragraphs, int]:
    """The mended part and how many unknown ids were removed."""
    failing = dict.fromkeys(index for index, _, _ in request.failures)
    sentences = [sentence for paragraph in request.draft.paragraphs for sentence in paragraph]
    failing = dict.fromkeys(index for index in failing if 0 <= index < len(sentences))
    if not failing:
        return request.draft, 0
    cards = _at_hand(request, sentences, list(failing))
    answer = await asker.ask(_prompt(request, sentences, list(failing), cards), RevisionAnswer)
    ground = Evidence({card.id: card for card in cards}, "", request.brief.language)
    fates: dict[int, Sentence | None] = {}
    unknown = dropped = 0
    for mended in answer.sentences:
        if mended.number not in failing or mended.number in fates:
            continue
        tidied = tidy(mended.text, mended.cites, ground) if mended.action == "rewrite" else None
        fates[mended.number] = tidied.sentence if tidied is not None else None
        unknown += tidied.unknown if tidied is not None else 0
        dropped += tidied is None
    notes = (f"{dropped} sentences without support were left out of '{request.heading}'.",) if dropped else ()
    return Paragraphs(paragraphs=_with(request.draft, fates), notes=(*request.draft.notes, *notes)), unknown


def _with(draft: Paragraphs, fates: dict[int, Sentence | None]) -> tuple[tuple[Sentence, ...], ...]:
    number = 0
    paragraphs: list[tuple[Sentence, ...]] = []
    for paragraph in draft.paragraphs:
        numbered = enumerate(paragraph, number)
        kept = [fates.get(place, sentence) for place, sentence in numbered]
        number += len(paragraph)
        left = tuple(sentence for sentence in kept if sentence is not None)
        if left:
            paragraphs.append(left)
    return tuple(paragraphs)


def _at_hand(request: ReviseRequest, sentences: list[Sentence], failing: list[int]) -> list[Card]:
    """The cards that the part cites already, and the few others nearest to the failing sentences."""
    cited = {name for sentence in sentences for name in sentence.cites}
    language = request.brief.language
    wanted = frozenset(term for index in failing for term in terms(sentences[index].text, language))
    others = [card for card in request.cards if card.id not in cited]
    shared = {card.id: len(wanted & frozenset(terms(card.quote, language))) for card in others}
    nearest = sorted((card for card in others if shared[card.id] >= 2), key=lambda card: (-shared[card.id], card.id))
    chosen = cited | {card.id for card in nearest[:_MOST_OTHERS]}
    return [card for card in request.cards if card.id in chosen]


def _prompt(request: ReviseRequest, sentences: list[Sentence], failing: list[int], cards: list[Card]) -> Prompt:
    exhibits = [
        Exhibit(
            str(index),
            f"{'FAILS' if index in failing else 'stays'} cites {' '.join(sentence.cites) or 'nothing'}",
            sentence.text,
        )
        for index, sentence in enumerate(sentences)
    ]
    reasons = "\n".join(
        f"- sentence {index} fails {one_line(gate, 40)}: {one_line(why, 240)}" for index, gate, why in request.failures
    )
    user = joined(
        frame(request.task, request.brief),
        f"Heading: {one_line(request.heading, 160)}",
        fence("draft", exhibits),
        evidence(cards, request.sources) if cards else "There is no evidence at hand: drop the failing sentences.",
        f"What fails:\n{reasons}",
        *([_SIMILAR] if any(gate == "similarity" for _, gate, _ in request.failures) else []),
        f"Mend the failing sentences: {', '.join(str(index) for index in failing)}.",
    )
    return Prompt("revise", "revision", _SYSTEM, user, cap(_WORDS_EACH * len(failing), request.brief.language))
