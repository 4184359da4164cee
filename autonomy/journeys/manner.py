"""The gates on the manner of a text: what it overstates, how it colours, how it argues, in what tone; and links and ages.

They are told only where a policy asks for them, and the first four only in languages with a list of words
(`manner_words`): markers are no understanding, and a word can be right where it stands. Each names the words that it counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from autonomy.journeys.audit import Audit, Measured, gate, outside_quotations, share
from autonomy.journeys.claims import Claim
from autonomy.journeys.manner_words import BIAS, GROUNDS, OVERCLAIM, TONE
from autonomy.text.chars import count_words
from autonomy.text.claims import numbers
from autonomy.text.markers import marks

LEAST_WORDS = 100
"""Words outside quotations; in a shorter text one word more or less would decide about words per thousand."""
_LINK = re.compile(r"https?://[^\s<>()\[\]\"']+")


@dataclass(frozen=True, slots=True)
class _Said:
    """One sentence of the document without what it quotes: where it stands, and whether it cites."""

    where: str
    text: str
    cites: bool


def measure(audit: Audit) -> Iterator[Measured]:
    """The gates of this module, where they can be measured; `audit.held` keeps those that the policy asks for."""
    for rule in (source_age, overclaim, bias, argument, tone, links):
        if (measured := rule(audit)) is not None:
            yield measured


def overclaim(audit: Audit) -> Measured | None:
    """Words of certainty and praise in sentences without a citation, for each 1,000 words outside quotations; and no cited
    claim may drop the hedge of all its quotes."""
    language = audit.material.brief.language[:2]
    uncited = [said for said in _said(audit) if not said.cites]
    firm = [
        f"{audit.named(claim)}: firmer than its quotation, which says '{held[0]}'"
        for claim in audit.measured
        if (held := _hedge_lost(claim, language))
    ]
    return _rated(audit, "overclaim", OVERCLAIM, audit.policy.overclaim, uncited, firm)


def bias(audit: Audit) -> Measured | None:
    """Words that colour what they name (loaded, factive, doubting), for each 1,000 words outside quotations."""
    return _rated(audit, "bias", BIAS, audit.policy.bias, list(_said(audit)))


def tone(audit: Audit) -> Measured | None:
    """Words and marks of talk (contractions, fillers, address, exclamation), for each 1,000 words outside quotations."""
    return _rated(audit, "tone", TONE, audit.policy.tone, list(_said(audit)))


def argument(audit: Audit) -> Measured | None:
    """Sections in which a claim stands with a ground (a reason, a number, a quotation), of all sections."""
    language = audit.material.brief.language[:2]
    reason = GROUNDS.get(language)
    if reason is None:
        return None
    sections = [section for section in audit.material.sections if section.part in ("section", "synthesis")]
    failing = []
    for section in sections:
        claims = [sentence for sentence in section.sentences if sentence.kind == "claim"]
        grounded = any(
            sentence.quoted or sentence.block or numbers(sentence.text, language) or reason.search(sentence.text)
            for sentence in claims
        )
        if not grounded:
            failing.append(f"{section.heading}: {'no reason, number or quotation' if claims else 'no claim'}")
    return Measured(share("argument", len(sections) - len(failing), len(sections), audit.policy.argument, failing))


def source_age(audit: Audit) -> Measured | None:
    """Citations of sources older than the policy's years when they were read, of all whose source has a year."""
    years = audit.policy.source_years
    cited = [audit.sources[card.source] for claim in audit.claims if claim.part != "matrix" for card in claim.cards]
    dated = [(source, int(source.retrieved_at[:4]) - source.year) for source in cited if source.year is not None]
    if not dated:
        return None
    old = [(source, age) for source, age in dated if age > years]
    failing = list(dict.fromkeys(f"{audit.title(source.id)}: {source.year}, {age} years old" for source, age in old))
    figure = round(len(old) / len(dated), 4)
    passed = figure <= audit.policy.source_age
    return Measured(gate("source_age", figure, audit.policy.source_age, passed, len(dated), failing))


def links(audit: Audit) -> Measured | None:
    """The web addresses of the document. Nothing is asked over the network, so that each is unverified: never good or dead."""
    found = list(dict.fromkeys(match.group().rstrip(".,;:!?") for match in _LINK.finditer(audit.rendered.text)))
    if not found:
        return None
    return Measured(gate("links", "unverified", None, True, len(found), [f"unverified: {address}" for address in found]))


def _said(audit: Audit) -> Iterator[_Said]:
    for section in audit.material.sections:
        for index, sentence in enumerate(section.sentences):
            if not sentence.block:
                where = audit.place(section.part, section.heading, index)
                yield _Said(where, outside_quotations(sentence.text), bool(sentence.cites))
    for annotation in audit.material.annotations:
        for index, sentence in enumerate(annotation.sentences):
            if not sentence.block:
                where = audit.place("annotation", annotation.source, index)
                yield _Said(where, outside_quotations(sentence.text), bool(sentence.cites))


def _rated(
    audit: Audit,
    name: str,
    lists: dict[str, re.Pattern[str]],
    most: float,
    sentences: list[_Said],
    more: list[str] | None = None,
) -> Measured | None:
    """The listed words of these sentences for each 1,000 words of the whole text outside quotations; `more` are misses of
    another kind. None where the language has no list, or the text is too short to be rated."""
    listed = lists.get(audit.material.brief.language[:2])
    words = sum(count_words(said.text) for said in _said(audit))
    if listed is None or words < LEAST_WORDS:
        return None
    found = [(said.where, match.group().lower()) for said in sentences for match in listed.finditer(said.text)]
    figure = round(1000 * len(found) / words, 2)
    failing = [*(more or ()), *(f"{where}: '{word}'" for where, word in found)]
    return Measured(gate(name, figure, most, figure <= most and not more, words, failing))


def _hedge_lost(claim: Claim, language: str) -> list[str]:
    """The hedges of the first quote, where every quote of a reworded claim hedges and the claim does not."""
    if claim.sentence.quoted or not claim.cards or marks("hedge", claim.sentence.text, language):
        return []
    held = [marks("hedge", card.quote, language) for card in claim.cards]
    return held[0] if all(held) else []
