"""Research pack: questions, annotated sources, a claims matrix and a short synthesis; every claim traced to a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from autonomy.agents.contract import Composition, Failure, Snapshot
from autonomy.agents.material import Material, MatrixRow, Part
from autonomy.agents.roles import Brief, Outline, Pair
from autonomy.core.types import Card, Gate, PlanStep, Source, TaskSpec
from autonomy.journeys import extension, gates, manifest, manner, plans, prose
from autonomy.journeys.audit import Audit, Measured, held
from autonomy.journeys.matrix import matrix
from autonomy.journeys.phrases import phrases
from autonomy.journeys.policy import Policy
from autonomy.journeys.verdicts import doubtful, failures

WORDS = 300
PARTS: Final[tuple[Part, ...]] = ("synthesis",)


@dataclass(frozen=True, slots=True)
class Research:
    """The research journey; its length is that of the synthesis."""

    policy: Policy = field(default_factory=Policy)
    name: str = "research"

    def words(self, task: TaskSpec) -> int:
        """What was asked, else 300."""
        return task.length or WORDS

    def steps(self, task: TaskSpec, brief: Brief) -> tuple[PlanStep, ...]:
        """Survey, a search per question, matrix, synthesis, audit, deliver; annotations come with the sources."""
        reading = plans.reading(brief)
        rows = PlanStep(
            id="matrix",
            kind="research",
            action="matrix",
            description="Hold the sources against each other, claim by claim",
            depends_on=tuple(step.id for step in reading[1:]),
        )
        synthesis = PlanStep(
            id="synthesise",
            kind="write",
            action="synthesise",
            description="Say in short what the sources carry together",
            depends_on=("matrix",),
            arguments={"heading": phrases(brief.language).synthesis},
        )
        return (*reading, rows, synthesis, *plans.finishing(("synthesise",)))

    def after_search(self, task: TaskSpec, brief: Brief, sources: Sequence[str]) -> tuple[PlanStep, ...]:
        """One annotation per source, once every question was asked."""
        return tuple(
            PlanStep(
                id=f"annotate-{source}",
                kind="write",
                action="annotate",
                description=f"Annotate source {number} of {len(sources)}",
                depends_on=("survey",),
                arguments={"source": source},
            )
            for number, source in enumerate(sources, 1)
        )

    def after_outline(self, task: TaskSpec, brief: Brief, outline: Outline) -> tuple[PlanStep, ...]:
        """Nothing: a pack has no outline."""
        return ()

    def matrix(self, brief: Brief, cards: Sequence[Card], sources: Sequence[Source]) -> tuple[MatrixRow, ...]:
        """Distinct claims as rows, sources as columns."""
        return matrix(cards, sources, brief.language)

    def doubtful(self, material: Material, snapshot: Snapshot) -> tuple[Pair, ...]:
        """Claims that only a judgement can settle."""
        return doubtful(Audit(material, snapshot, self.policy))

    def gates(self, material: Material, snapshot: Snapshot, judgements: Mapping[str, str]) -> tuple[Gate, ...]:
        """Every gate, in the order in which they are read."""
        ours = (each.gate for each in self._measure(material, snapshot, judgements))
        return (*ours, *extension.measure(material, self.policy))

    def failures(self, material: Material, snapshot: Snapshot, judgements: Mapping[str, str]) -> tuple[Failure, ...]:
        """The sentences behind failed gates, in document order."""
        return failures(material, self._measure(material, snapshot, judgements))

    def compose(self, material: Material, snapshot: Snapshot, gates: Sequence[Gate]) -> Composition:
        """The pack, its manifest and its sources."""
        return manifest.compose(material, snapshot, gates)

    def _measure(self, material: Material, snapshot: Snapshot, judgements: Mapping[str, str]) -> tuple[Measured, ...]:
        audit = Audit(material, snapshot, self.policy, judgements)
        asked = material.task.length
        measured = (
            gates.quote_found(audit),
            gates.citation_coverage(audit),
            gates.citation_support(audit),
            gates.relevance(audit),
            gates.citation_excess(audit),
            gates.source_spread(audit),
            gates.min_citations(audit),
            gates.references(audit),
            gates.claim_in_text(audit),
            prose.pack_complete(audit),
            prose.overlap(audit),
            prose.structure(audit, PARTS),
            *([prose.text_length(audit, asked, PARTS)] if asked is not None else []),
            prose.readability(audit),
            *manner.measure(audit),
        )
        return held(self.policy, measured)
