"""Cards as sentences of a document: the quotation exact, its lead-in varied, long ones as blocks.

The invariant: a claim sentence holds the card's quote word for word (white space folded to single spaces), and nothing
else in it states anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autonomy.agents.extractive.headings import clean_heading, plain_title
from autonomy.agents.extractive.phrases import Wording
from autonomy.agents.extractive.turns import Turns
from autonomy.agents.roles import Sentence
from autonomy.core.types import Card, Source
from autonomy.text.language import is_cjk
from autonomy.text.words import terms

BLOCK_WORDS = 40
BLOCK_LETTERS = 120
_ENDED = re.compile(r"[.!?…。！？．｡][)\"'”’»\]）」』*]*$")
_QUOTE_MARKS = frozenset('"“”„«»「」『』')


@dataclass(frozen=True, slots=True)
class Desk:
    """What every part is written with: the words of the language, the forms in turn, and the sources by id."""

    language: str
    words: Wording
    turns: Turns
    sources: Mapping[str, Source]

    def title(self, source_id: str) -> str:
        """The source's title in italics."""
        source = self.sources.get(source_id)
        return f"*{plain_title(source.title)}*" if source else "*?*"

    def titles(self, source_ids: Sequence[str], most: int = 4) -> str:
        """The sources' titles as one phrase, at most `most` of them by name."""
        return self.words.several([self.title(source_id) for source_id in source_ids], most)

    def say(self, key: str, forms: Sequence[str], **values: object) -> Sentence:
        """A scaffold sentence; a count is given as a word and, as {digits}, in figures."""
        return Sentence(text=self.fill(key, forms, **values), kind="scaffold")

    def fill(self, key: str, forms: Sequence[str], **values: object) -> str:
        """The next form, filled in, its first letter a capital."""
        count = values.get("count")
        if isinstance(count, int):
            number = self.words.number(count)
            values |= {"count": number, "Count": number[:1].upper() + number[1:], "digits": str(count)}
        text = self.turns.next(key, forms).format(**values)
        return text[:1].upper() + text[1:]


def section_of(card: Card) -> str:
    """The heading a card stands under, cleaned; "" when it has none."""
    return clean_heading(card.anchor.section or "")


def in_italics(text: str) -> str:
    """A heading in italics, without marks that Markdown would read."""
    return f"*{plain_title(text)}*"


def topic(question: str, desk: Desk) -> str:
    """What a sentence is about: the question in italics, called one where it is asked as one."""
    if question.rstrip().endswith(("?", "？")):
        return desk.words.question_topic.format(question=in_italics(question))
    return in_italics(question)


def is_block(quote: str, language: str) -> bool:
    """Whether a quotation is set as a block: long, or with quotation marks of its own."""
    long = len(quote) > BLOCK_LETTERS if is_cjk(language) else len(quote.split()) > BLOCK_WORDS
    return long or any(mark in _QUOTE_MARKS for mark in quote)


def quotation(card: Card, lead: str, desk: Desk) -> list[Sentence]:
    """The card as one claim sentence; a block has its lead-in as a scaffold sentence before it."""
    quote = " ".join(card.quote.split())
    if is_block(quote, desk.language):
        before = [Sentence(text=lead, kind="scaffold")] if lead else []
        return [*before, Sentence(text=quote, cites=(card.id,), quoted=True, block=True)]
    opening, closing = desk.words.quotes
    gap = "" if is_cjk(desk.language) else " "
    # What introduced an example in its source has lost its colon, and the sentence needs an end.
    stop = "" if _ENDED.search(quote) else "."
    text = f"{lead}{gap if lead else ''}{opening}{quote}{closing}{stop}"
    return [Sentence(text=text, cites=(card.id,), quoted=True)]


def lead_in(card: Card, before: Card | None, desk: Desk) -> str:
    """The words before a quotation, by what was quoted just before: the same place, the same source, or another."""
    section = section_of(card)
    own = same(section, desk.title(card.source).strip("*"), desk.language)
    if before is None or before.source != card.source:
        if section and not own:
            return desk.fill("new", desk.words.new_source, title=desk.title(card.source), section=in_italics(section))
        return desk.fill("bare", desk.words.new_source_bare, title=desk.title(card.source))
    if section and not own and section != section_of(before):
        return desk.fill("other", desk.words.other_section, section=in_italics(section))
    if section and section == section_of(before):
        return desk.fill("same", desk.words.same_section)
    return desk.fill("within", desk.words.same_source)


def next_lead(card: Card, before: Card | None, desk: Desk, *, named: bool, heading: str = "") -> str:
    """The words before the next quotation of a paragraph; "" directly behind the one before in its source.

    `named` says that the paragraph has just named its only source, whose title is then not said again.
    """
    if follows(card, before):
        return ""
    if before is None and named:
        place = section_of(card)
        own = same(place, desk.title(card.source).strip("*"), desk.language)
        if place and not own and not same(place, heading, desk.language):
            # The later forms ("Elsewhere in it") lean on a quotation before them.
            return desk.fill("first", desk.words.other_section[:2], section=in_italics(place))
        return desk.fill("plain", desk.words.plain)
    return lead_in(card, before, desk)


def same(a: str, b: str, language: str) -> bool:
    """Whether two headings say the same."""
    return set(terms(a, language)) == set(terms(b, language))


def follows(card: Card, before: Card | None, gap: int = 2) -> bool:
    """Whether a quote stands directly behind the one before in its source, so that it needs no lead-in."""
    return before is not None and before.source == card.source and 0 <= card.anchor.start - before.anchor.end <= gap
