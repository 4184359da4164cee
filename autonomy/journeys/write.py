"""Write: an outline from the evidence, sections from the outline, an introduction and a conclusion, and references."""

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
from autonomy.journeys.phrases import phrases
from autonomy.journeys.policy import Policy
from autonomy.journeys.verdicts import doubtful, failures

WORDS = 800
PARTS: Final[tuple[Part, ...]] = ("introduction", "section", "conclusion")


@dataclass(frozen=True, slots=True)
class Write:
    """The write journey up to the similarity loop."""

    policy: Policy = field(default_factory=Policy)
    name: str = "write"

    def words(self, task: TaskSpec) -> int:
        """What was asked, else 800."""
        return task.length or WORDS

    def steps(self, task: TaskSpec, brief: Brief) -> tuple[PlanStep, ...]:
        """Survey, a search per question, outline, frame, audit, deliver; sections come with the outline. With a target
        similarity the draft is handed over for a report before it is delivered."""
        say = phrases(brief.language)
        reading = plans.reading(brief)
        outline = PlanStep(
            id="outline",
            kind="write",
            action="outline",
            description="Arrange the evidence into sections",
            depends_on=tuple(step.id for step in reading[1:]),
        )
        frame = PlanStep(
            id="frame",
            kind="write",
            action="frame",
            description="Write introduction and conclusion, without new claims",
            depends_on=("outline",),
            arguments={"introduction": say.introduction, "conclusion": say.conclusion},
        )
        asked = task.target_similarity is not None
        handing = (plans.handoff(self.policy, ("audit",)),) if asked else ()
        return (*reading, outline, frame, *plans.finishing(("frame",), before=handing))

    def after_search(self, task: TaskSpec, brief: Brief, sources: Sequence[str]) -> tuple[PlanStep, ...]:
        """Nothing: here the outline decides."""
        return ()

    def after_outline(self, task: TaskSpec, brief: Brief, outline: Outline) -> tuple[PlanStep, ...]:
        """One draft per section, each on its own evidence."""
        return tuple(
            PlanStep(
                id=f"draft-{number}",
                kind="write",
                action="draft",
                description=f"Write: {section.heading}",
                depends_on=("outline",),
                arguments={"heading": section.heading},
            )
            for number, section in enumerate(outline.sections, 1)
        )

    def matrix(self, brief: Brief, cards: Sequence[Card], sources: Sequence[Source]) -> tuple[MatrixRow, ...]:
        """None in this journey."""
        return ()

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
        """The document, its manifest and its sources."""
        return manifest.compose(material, snapshot, gates)

    def _measure(self, material: Material, snapshot: Snapshot, judgements: Mapping[str, str]) -> tuple[Measured, ...]:
        audit = Audit(material, snapshot, self.policy, judgements)
        measured = (
            gates.quote_found(audit),
            gates.citation_coverage(audit),
            gates.citation_support(audit),
            gates.relevance(audit),
            gates.citation_excess(audit),
            gates.source_spread(audit),
            gates.source_share(audit),
            gates.min_citations(audit),
            gates.references(audit),
            gates.claim_in_text(audit),
            prose.overlap(audit),
            prose.structure(audit, PARTS),
            *([prose.text_length(audit, asked, PARTS)] if (asked := material.task.length) is not None else []),
            prose.readability(audit),
            *gates.similarity(audit),
            *manner.measure(audit),
        )
        return held(self.policy, measured)
