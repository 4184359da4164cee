"""The shape of the player's own words in one language: scaffolds of counts, titles and headings, and lead-ins to quotations.

Every lead-in ends where a quotation may begin. Placeholders: {title} and {section} of a source (set in italics by the
caller), {count}, {sources}, {titles}, {headings}, {heading}, {words}, {pages}, {kind}, {question}, {topic} (a question inside a
sentence), {claim} and {claims} (numbers of claims), {goal}.
"""

from __future__ import annotations

from dataclasses import dataclass

Forms = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """One language. Forms of one kind mean the same and are taken in turn.

    No form says more than the part it stands in shows: nothing of "only", "alone" or "every", which only the whole corpus
    could bear out, and nothing of an order that the quotations may not have.
    """

    quotes: tuple[str, str]
    joint: str
    thousands: str
    numerals: Forms
    kinds: dict[str, str]
    section_claim: str
    opens_one: Forms
    opens_many: Forms
    plain: Forms
    new_source: Forms
    new_source_bare: Forms
    other_section: Forms
    same_section: Forms
    same_source: Forms
    differ: Forms
    annotation: Forms
    annotation_bare: Forms
    annotation_nearest: Forms
    annotation_more: Forms
    annotation_only: str
    annotation_answers: Forms
    annotation_limit: Forms
    shared: Forms
    shared_differ: Forms
    question_topic: str
    synthesis_one: Forms
    synthesis_many: Forms
    introduction: Forms
    introduction_one: Forms
    introduction_points: Forms
    introduction_sections: Forms
    conclusion: Forms
    conclusion_one: Forms
    conclusion_gaps: Forms
    conclusion_little: Forms
    conclusion_little_one: Forms
    dropped: str
    and_more: str

    def number(self, count: int) -> str:
        """A count as prose writes it: words up to twelve, digits above."""
        return self.numerals[count] if 0 <= count < len(self.numerals) else str(count)

    def several(self, items: tuple[str, ...] | list[str], most: int = 4) -> str:
        """A list in prose; what is over the limit is counted."""
        comma = "、" if self.joint in ("、", "和") else ", "
        if len(items) > most + 1:
            return comma.join(items[:most]) + self.and_more.format(count=self.number(len(items) - most))
        return comma.join(items[:-1]) + (self.joint if len(items) > 1 else "") + "".join(items[-1:])
