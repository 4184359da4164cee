"""What all gates of one document measure: its claims, each held against its quotes, and the text as rendered.

Invariant: computed once from frozen material; the gates above only count. Code decides; a judgement of a player counts
only where no rule can settle a claim (few shared words, or another language), and never against a number or a "not".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from autonomy.agents.contract import Failure, Snapshot
from autonomy.agents.material import Material, SourceMap
from autonomy.core.types import Card, Gate, Source, called
from autonomy.journeys import inert
from autonomy.journeys.claims import Claim, claims
from autonomy.journeys.evidence import flaw, headings_at, maps_by_source
from autonomy.journeys.policy import Policy
from autonomy.journeys.references import title_of
from autonomy.journeys.render import Rendered, render
from autonomy.text import ranking
from autonomy.text.claims import names, numbers
from autonomy.text.normal import fold, locate
from autonomy.text.relevance import Relevance, relevance
from autonomy.text.support import DOUBTFUL, Support, support
from autonomy.text.words import fold_word, terms, tokens

PASSAGE = 2_500
"""Characters that a passage at most has before and behind a sentence of it."""
LISTED = 20
"""Failing items that a gate's evidence names; the rest is counted."""
_CUT = re.compile(r"\s*(?:\[…\]|\[\.\.\.\]|…)\s*")


@dataclass(frozen=True, slots=True)
class Weighed:
    """One claim against its quotes. `doubtful` waits for a judgement; `why` names the figure that decided."""

    carried: bool
    doubtful: bool
    why: str


@dataclass(frozen=True, slots=True)
class Measured:
    """A gate with the sentences behind it."""

    gate: Gate
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Audit:
    """One document under measurement; see the module's docstring."""

    material: Material
    snapshot: Snapshot
    policy: Policy = field(default_factory=Policy)
    judgements: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None
    """A document to be judged instead of the one that the material gives."""

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Every claim in document order."""
        return claims(self.material)

    @cached_property
    def measured(self) -> tuple[Claim, ...]:
        """The claims that gates count."""
        return tuple(claim for claim in self.claims if claim.measured)

    @cached_property
    def rendered(self) -> Rendered:
        """The document as it would be delivered now, or with the text that is to be judged."""
        fresh = render(self.material)
        return fresh if self.text is None else replace(fresh, text=self.text)

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The sources by id."""
        return {source.id: source for source in self.material.sources}

    @cached_property
    def maps(self) -> Mapping[str, SourceMap]:
        """Pages and headings by source id."""
        return maps_by_source(self.material.maps)

    @cached_property
    def flaws(self) -> Mapping[str, str]:
        """Card id -> why its quote is not proved; cards without a flaw are not in it."""
        found: dict[str, str] = {}
        for card in {card.id: card for claim in self.claims for card in claim.cards}.values():
            reason = flaw(card.quote, card.anchor, self.snapshot(card.source), self.maps.get(card.source))
            if reason:
                found[card.id] = reason
        return found

    @cached_property
    def weighed(self) -> Mapping[str, Weighed]:
        """Claim id -> how its quotes carry it; claims without a valid citation are not in it."""
        return {claim.id: self._weigh(claim, claim.cards) for claim in self.claims if claim.cards}

    @cached_property
    def aims(self) -> Relevance:
        """What the goal asks for, weighed as the corpus weighs its words."""
        brief, searched = self.material.brief, self.material.searched
        weights = {term: weight for row in searched for term, weight in row.weights.items()}
        return relevance(brief.questions, brief.terms, brief.language, weights, (row.question for row in searched))

    @cached_property
    def own(self) -> Relevance:
        """What the goal asks for in its own words."""
        brief = self.material.brief
        return relevance(self.own_questions, brief.terms, brief.language, self.aims.weights)

    @cached_property
    def own_questions(self) -> tuple[str, ...]:
        """The questions that hold all of the goal's subject, or all where none does."""
        brief = self.material.brief
        subject = set(terms(brief.subject, brief.language))
        whole = (question for question in brief.questions if subject <= set(terms(question, brief.language)))
        return tuple(whole) or brief.questions

    @property
    def is_thin(self) -> bool:
        """Whether no passage covers half of any question of the goal, as far as words tell: a model may find what is said in
        others."""
        own = [row for row in self.material.searched if row.question in self.own_questions]
        return self.material.player != "model" and bool(own) and all(row.thin for row in own)

    def relevance(self, card: Card, aims: Relevance | None = None) -> float:
        """How far the quote and the headings above it speak to the goal, or to the given aims of it, 0 to 1. Where a reader
        rated it, the higher of both: words alone do not see what is said in others."""
        source = self.sources[card.source]
        path = headings_at(self.maps.get(card.source, SourceMap(source=card.source)), card.anchor.start)
        headings = (card.anchor.section or "", *path)
        named, within = called(source.title, source.location), self._around(card)
        words = (aims or self.aims).of(card.quote, headings, named, source.language[:2], within=within)
        return max(words, card.relevance) if self.material.player == "model" else words

    def _around(self, card: Card) -> str:
        """The text that a quote stands in, from heading to heading and no further than a passage reaches."""
        places = self.maps.get(card.source, SourceMap(source=card.source)).headings
        above = max((start for start, _, _ in places if start <= card.anchor.start), default=0)
        below = min((start for start, _, _ in places if start >= card.anchor.end), default=card.anchor.end + PASSAGE)
        start, end = max(above, card.anchor.start - PASSAGE), min(below, card.anchor.end + PASSAGE)
        return self.snapshot(card.source)[start:end]

    def carries(self, claim: Claim, cards: tuple[Card, ...]) -> bool:
        """Whether these cards alone would carry the claim by rule."""
        return bool(cards) and self._weigh(claim, cards).carried

    def place(self, part: str, heading: str, index: int) -> str:
        """Where a sentence stands, in words: `Leases, sentence 3`. Annotations and rows are named by what they are about."""
        if part == "matrix":
            return f"row {heading} of the claims matrix"
        named = f"the annotation of {self.title(heading)}" if part == "annotation" else heading
        return f"{named}, sentence {index + 1}"

    def title(self, source: str) -> str:
        """A source by its title, one that this document does not have by its id."""
        return title_of(self.sources[source]) if source in self.sources else source

    def named(self, claim: Claim) -> str:
        """A claim by its id in the manifest and its place: `k3 (Leases, sentence 3)`."""
        return f"{claim.id} ({self.place(claim.part, claim.heading, claim.index)})"

    @cached_property
    def _weight(self) -> Callable[[str], float]:
        quotes = [terms(card.quote, self.material.brief.language) for card in self.material.cards]
        return ranking.idf(ranking.document_frequency(quotes), len(quotes))

    def _weigh(self, claim: Claim, cards: tuple[Card, ...]) -> Weighed:
        quotes = [card.quote for card in cards]
        text = claim.sentence.text
        if claim.sentence.quoted and (altered := altered_quotation(text, quotes, claim.sentence.block)):
            return Weighed(False, False, f"not the source's words: {altered}")
        about = self._about(cards)
        text = inert.ITALICS.sub(lambda named: " " if _known(named.group(1), about) else named.group(1), text)
        figures = support(text, quotes, claim.language, self._weight)
        if figures.verbatim:
            strange = _strange(_around(text, quotes), about, quotes, claim.language)
            return Weighed(not strange, False, f"said around the quote, not in it: {strange}" if strange else figures.reason)
        return self._judged(
            claim, figures, tuple(m for m in figures.missing if not _known(m, about)), self._foreign(claim, cards)
        )

    def _judged(self, claim: Claim, figures: Support, missing: tuple[str, ...], foreign: bool) -> Weighed:
        """Rules first; a player's judgement where words cannot be compared."""
        if missing and (not foreign or any(c.isdigit() for m in missing for c in m)):
            return Weighed(False, False, "not in the quote: " + ", ".join(missing[:4]))
        if not foreign and not figures.parity:
            return Weighed(False, False, "denies what the quote says, or the other way round")
        if not foreign and figures.stronger:
            return Weighed(False, False, "says it more strongly than the quote")
        if not foreign and figures.recall >= 0.5:
            return Weighed(True, False, f"recall {figures.recall:.2f}")
        if not foreign and figures.recall < DOUBTFUL:
            return Weighed(False, False, f"only {figures.recall:.2f} of its content words stand in the quote")
        answer = self.judgements.get(claim.pair)
        if answer is None:
            return Weighed(False, True, f"only {figures.recall:.2f} of its content words stand in the quote; not judged")
        return Weighed(answer == "yes", False, f"judged: {answer}")

    def _foreign(self, claim: Claim, cards: tuple[Card, ...]) -> bool:
        """Whether the quotes are in another language than the document."""
        spoken = {self.sources[card.source].language[:2] for card in cards if card.source in self.sources}
        return bool(spoken - {""}) and claim.language[:2] not in spoken

    def _about(self, cards: tuple[Card, ...]) -> str:
        """What a lead-in may name besides the quote: titles, headings, pages, authors, years of its sources."""
        parts: list[str] = []
        for card in cards:
            source = self.sources.get(card.source)
            parts += [card.anchor.section or "", str(card.anchor.page or "")]
            if source is not None:
                parts += [source.title, source.location, *source.authors, str(source.year or "")]
        return fold(" ".join(parts)).lower()


def gate(name: str, figure: object, threshold: object, passed: bool, n: int, failing: list[str] | tuple[str, ...] = ()) -> Gate:
    """A gate whose evidence begins with n and lists what failed, at most LISTED items."""
    rest = len(failing) - LISTED
    more = (f"and {rest} more",) if rest > 0 else ()
    return Gate(name=name, figure=figure, threshold=threshold, passed=passed, evidence=(f"n={n}", *failing[:LISTED], *more))


def held(policy: Policy, measured: Iterable[Measured]) -> tuple[Measured, ...]:
    """The gates that the policy has measured. Where it states what a miss does, the gate says whether it decides."""
    kept = []
    for each in measured:
        name = each.gate.name
        if name in policy.miss:
            each = replace(each, gate=each.gate.model_copy(update={"decides": policy.miss[name] == "decides"}))
        if policy.missing(name) != "off":
            kept.append(each)
    return tuple(kept)


def share(name: str, good: int, n: int, threshold: float, failing: list[str] | tuple[str, ...]) -> Gate:
    """A gate on a share, good of n; n = 0 fails."""
    figure = round(good / n, 4) if n else 0.0
    return gate(name, figure, threshold, n > 0 and figure >= threshold, n, failing)


def failure(claim: Claim, name: str, why: str) -> tuple[Failure, ...]:
    """The claim as a failure that can be revised; a matrix row is made by rule and is none."""
    if claim.part == "matrix":
        return ()
    return (Failure(claim.part, claim.heading, claim.index, name, why),)


def outside_quotations(text: str) -> str:
    """The text without what stands between quotation marks, and without titles and headings in italics."""
    return inert.ITALICS.sub(" ", inert.QUOTED.sub(" ", text))


def altered_quotation(text: str, quotes: list[str], block: bool) -> str:
    """The first quoted stretch that is not in the quotes word for word; cuts marked by an ellipsis are allowed."""
    stretches = [str(next(filter(None, match.groups()))) for match in inert.QUOTED.finditer(text)]
    if block or not stretches:
        stretches = [text.strip('"“”„«»「」 ')]
    for stretch in stretches:
        for piece in filter(None, (str(part).strip(" .。,") for part in _CUT.split(stretch))):
            if not any(locate(piece, quote) for quote in quotes):
                return piece[:80]
    return ""


def _around(text: str, quotes: list[str]) -> str:
    """The sentence without the quotes it holds."""
    rest = inert.QUOTED.sub(" ", text)
    for quote in quotes:
        place = locate(quote, rest)
        if place:
            rest = f"{rest[: place[0]]} {rest[place[1] :]}"
    return rest


def _strange(around: str, about: str, quotes: list[str], language: str) -> str:
    """Numbers and names beside the quote that neither the quote nor its source's title, heading or page holds."""
    held = fold(" ".join(quotes)).lower()
    said = [number for number in numbers(around, language) if any(c.isdigit() for c in number)]
    return ", ".join(sorted(each for each in (*said, *names(around, language)) if not _known(each, f"{about} {held}")))


def _known(name: str, about: str) -> bool:
    """Whether a name or number stands whole in the text; of a name of several words each may stand by itself."""
    if locate(name.lower(), about):
        return True
    have = {fold_word(about[a:b]) for a, b in tokens(about)}
    wanted = {fold_word(name[a:b]) for a, b in tokens(name)}
    return not any(c.isdigit() for c in name) and wanted <= have
