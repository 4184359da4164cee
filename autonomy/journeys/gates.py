"""The gates on evidence: quotes, citations, sources, references. Each is a pure function of one `Audit`.

A gate returns its figure against its threshold, n and the failing items in its evidence, and the sentences behind them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from autonomy.agents.contract import Failure
from autonomy.core.types import Card
from autonomy.journeys.audit import Audit, Measured, failure, gate, share
from autonomy.journeys.claims import Claim
from autonomy.journeys.phrases import REFERENCES
from autonomy.journeys.references import bibliography

GateRule = Callable[[Audit], Measured]


def quote_found(audit: Audit) -> Measured:
    """Citations whose quote stands at its offsets, page and heading, of all citations."""
    failing: list[str] = []
    failures: list[Failure] = []
    n = 0
    for claim in audit.claims:
        n += len(claim.cards)
        for card in claim.cards:
            why = audit.flaws.get(card.id)
            if why:
                failing.append(f"{audit.named(claim)}, {card.id}: {why}")
                failures += failure(claim, "quote_found", f"{card.id}: {why}")
    return Measured(share("quote_found", n - len(failing), n, audit.policy.quote_found, failing), tuple(failures))


def citation_coverage(audit: Audit) -> Measured:
    """Claims with at least one citation that leads somewhere, of all claims; an id nobody gave out counts as none."""
    failing: list[str] = []
    failures: list[Failure] = []
    bad = 0
    for claim in audit.measured:
        if claim.cards and not claim.unknown:
            continue
        why = f"no such evidence: {', '.join(claim.unknown)}" if claim.unknown else "no citation"
        bad += not claim.cards
        failing.append(f"{audit.named(claim)}: {why}: {claim.sentence.text[:60]}")
        failures += failure(claim, "citation_coverage", why)
    n = len(audit.measured)
    return Measured(share("citation_coverage", n - bad, n, audit.policy.coverage, failing), tuple(failures))


def citation_support(audit: Audit) -> Measured:
    """Cited claims that their quotes carry (content words, numbers, names, negation, modal), of all cited claims.

    A quotation is held to its source's words however short it is.
    """
    failing: list[str] = []
    failures: list[Failure] = []
    cited = [claim for claim in audit.claims if claim.cards and (claim.measured or claim.sentence.quoted)]
    for claim in cited:
        weighed = audit.weighed[claim.id]
        if not weighed.carried:
            failing.append(f"{audit.named(claim)}: {weighed.why}: {claim.sentence.text[:60]}")
            failures += failure(claim, "citation_support", weighed.why)
    n = len(cited)
    return Measured(share("citation_support", n - len(failing), n, audit.policy.support, failing), tuple(failures))


FEW = 3
"""Quotations; with fewer a document answers only what the corpus speaks to."""


def relevance(audit: Audit) -> Measured:
    """Quotations that speak to the goal, of all that are cited: with the headings above them they hold at least half of the
    weight of the words of one of its questions, or they name a thing it asks for under a heading or title that names it.

    0 where none of them speaks to what was asked in the goal's own words: then other words for it found something else. 0
    also where fewer than `FEW` are cited and no passage covers half of any question.
    """
    least = audit.policy.relevant
    shares = {card.id: audit.relevance(card) for claim in audit.claims for card in claim.cards}
    off = {name: figure for name, figure in shares.items() if figure < least}
    failing: list[str] = []
    failures: list[Failure] = []
    for claim in audit.claims:
        strangers = [card.id for card in claim.cards if card.id in off]
        failing += [f"{audit.named(claim)}, {name}: holds {off[name]:.2f} of what was asked" for name in strangers]
        if strangers and len(strangers) == len(claim.cards):
            failures += failure(claim, "relevance", f"{strangers[0]} holds {off[strangers[0]]:.2f} of what was asked")
    why = ""
    if shares and not any(audit.relevance(card, audit.own) >= least for claim in audit.claims for card in claim.cards):
        why = "nothing quoted answers what was asked"
    elif len(shares) < FEW and audit.is_thin:
        why = "no passage covers half of what was asked"
    if shares and why:
        failing.insert(0, f"{why}: {audit.material.brief.title}")
        off = shares
    n = len(shares)
    return Measured(share("relevance", n - len(off), n, audit.policy.relevance, failing), tuple(failures))


def citation_excess(audit: Audit) -> Measured:
    """Citations that carry nothing of their claim while the others carry it all, of all citations. Matrix rows are exempt."""
    failing: list[str] = []
    n = 0
    for claim in audit.measured:
        n += len(claim.cards)
        if claim.part == "matrix" or len(claim.cards) < 2:
            continue
        failing += [f"{audit.named(claim)}: {card.id} adds nothing" for card in claim.cards if _idle(audit, claim, card)]
    figure = round(len(failing) / n, 4) if n else 1.0
    return Measured(gate("citation_excess", figure, audit.policy.excess, figure <= audit.policy.excess, n, failing))


def _idle(audit: Audit, claim: Claim, card: Card) -> bool:
    """Whether the citation could go: the rest carries the claim, and it alone does not (else it corroborates)."""
    rest = tuple(other for other in claim.cards if other is not card)
    return audit.carries(claim, rest) and not audit.carries(claim, (card,))


def source_spread(audit: Audit) -> Measured:
    """Different sources cited; where the material has fewer than wanted, all of them."""
    cited = dict.fromkeys(card.source for claim in audit.claims for card in claim.cards)
    wanted = max(1, min(audit.policy.least_sources, len(audit.material.sources)))
    named = ", ".join(map(audit.title, cited))
    failing = [] if len(cited) >= wanted else [f"all that is cited comes from {named}" if named else "nothing is cited"]
    return Measured(gate("source_spread", len(cited), wanted, not failing, len(cited), failing))


def source_share(audit: Audit) -> Measured:
    """The largest share one source has in all citations; with one or two sources nothing smaller is to be had."""
    counts = Counter(card.source for claim in audit.claims if claim.part != "matrix" for card in claim.cards)
    n = sum(counts.values())
    most = {1: 1.0, 2: 0.75}.get(len(audit.material.sources), audit.policy.largest_share)
    figure = round(max(counts.values(), default=0) / n, 4) if n else 1.0
    failing = [f"{audit.title(s)}: {c} of {n}" for s, c in counts.items() if n and c / n > most]
    return Measured(gate("source_share", figure, most, n > 0 and figure <= most, n, failing))


def min_citations(audit: Audit) -> Measured:
    """Different quotations cited, against the number asked for."""
    cited = {card.id for claim in audit.claims for card in claim.cards}
    wanted = audit.material.task.min_citations or 0
    failing = [] if len(cited) >= wanted else list(_unquoted(audit, len(cited)))
    return Measured(gate("min_citations", len(cited), wanted, not failing, len(cited), failing))


def _unquoted(audit: Audit, cited: int) -> Iterator[str]:
    """Why there are no more quotations: those that were left out, and the questions that brought none."""
    found = len(audit.material.cards)
    yield f"{found} were found, {cited} of them stand in the document" if found > cited else "no more were found"
    for each in audit.material.searched:
        if not each.answered:
            yield f"nothing was found for: {each.question}"


def similarity(audit: Audit) -> tuple[Measured, ...]:
    """What the report of the delivered draft says, in percent, against the target; nothing where no draft was handed over.

    The delivered draft is the accepted one, else the nearest of all. One that nobody has measured fails.
    """
    reports = audit.material.reports
    if not reports:
        return ()
    accepted = [each for each in reports if each.decision == "accepted"]
    seen = accepted or [each for each in reports if each.observed is not None]
    if not seen:
        return (Measured(gate("similarity", None, reports[-1].target, False, 0, ["no report came"])),)
    best = min(reversed(seen), key=lambda each: each.observed or 0.0)
    failing = [] if accepted else [f"draft {each.n}: {each.observed:g} %" for each in seen]
    return (Measured(gate("similarity", best.observed, best.target, bool(accepted), len(seen), failing)),)


def references(audit: Audit) -> Measured:
    """Entries that are cited and complete, of all; every mark must lead to one, and the list must equal a fresh render."""
    rendered, material = audit.rendered, audit.material
    cited = dict.fromkeys(card.source for claim in audit.claims for card in claim.cards)
    failing = [f"{source}: cited but not a source of this document" for source in cited if source not in audit.sources]
    fresh = bibliography(
        material.task.style, material.brief.language, material.sources, [s for s in cited if s in audit.sources]
    )
    listed = reference_lines(rendered.text)
    wanted = fresh.listing()
    failing += [f"missing or changed: {line[:80]}" for line in wanted if line not in listed]
    failing += [f"not cited: {line[:80]}" for line in listed if line not in wanted]
    if not failing and listed != wanted:
        failing.append("the list is out of order")
    for placed in rendered.claims:
        if placed.claim.cards:
            mark = fresh.mark([(card.source, card.anchor) for card in placed.claim.cards])
            if f"{placed.text} {mark}" not in rendered.text:
                failing.append(f"{placed.claim.id}: its mark {mark[:60]} does not follow it")
    failing += [f"{source}: no location" for source in cited if source in audit.sources and not audit.sources[source].location]
    n = len(wanted)
    figure = round(max(0.0, 1 - len(failing) / n), 4) if n else 0.0
    return Measured(gate("references", figure, 1.0, n > 0 and not failing, n, failing))


def claim_in_text(audit: Audit) -> Measured:
    """Claims that stand in the rendered document word for word, below their own heading, of all claims."""
    rendered = audit.rendered
    failing = [f"{placed.claim.id}: {placed.text[:60]}" for placed in rendered.claims if placed.text not in rendered.text]
    lost = {claim.id for claim in audit.claims} - {placed.claim.id for placed in rendered.claims}
    failing += [f"{name}: not in the document" for name in sorted(lost)]
    n = len(audit.claims)
    return Measured(share("claim_in_text", n - len(failing), n, 1.0, failing))


def reference_lines(text: str) -> tuple[str, ...]:
    """The entries below the last heading References of a Markdown text."""
    _, found, tail = text.rpartition(f"\n## {REFERENCES}\n")
    return tuple(line for line in tail.splitlines() if line.strip()) if found else ()
