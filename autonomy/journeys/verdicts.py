"""From measured gates to what the loop does next: which sentences to mend, which claims to have judged."""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.agents.contract import Failure
from autonomy.agents.material import Material
from autonomy.agents.roles import Pair
from autonomy.journeys.audit import Audit, Measured


def doubtful(audit: Audit) -> tuple[Pair, ...]:
    """One pair per claim that no rule settles; the same text on the same quotes is asked once."""
    pairs = {
        claim.pair: Pair(id=claim.pair, text=claim.sentence.text, quotes=tuple(card.quote for card in claim.cards))
        for claim in audit.measured
        if claim.cards and audit.weighed[claim.id].doubtful
    }
    return tuple(pairs.values())


def failures(material: Material, measured: Sequence[Measured]) -> tuple[Failure, ...]:
    """The sentences behind failed gates, in document order; a sentence that fails two gates comes twice."""
    order: dict[tuple[str, str], int] = {}
    for section in material.sections:
        order.setdefault((section.part, section.heading), len(order))
    for annotation in material.annotations:
        order.setdefault(("annotation", annotation.source), len(order))
    found = {failure: None for each in measured if not each.gate.passed for failure in each.failures}
    return tuple(sorted(found, key=lambda each: (order.get((each.part, each.heading), 0), each.index)))
