"""Hand over the document: compose, prove once more, write the files."""

from __future__ import annotations

from autonomy.agents import gathered
from autonomy.agents.context import Context
from autonomy.core.state import GraphState
from autonomy.core.types import Gate, Observation, Outcome, PlanStep


async def deliver(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: files, claims, found, share. Nothing leaves whose quotes are not re-found in their stored sources."""
    return hand_over(step.id, state, context, outcome=state["outcome"] or "delivered")


def hand_over(step_id: str, state: GraphState, context: Context, *, outcome: str, notes: tuple[str, ...] = ()) -> Observation:
    """Write every file of the deliverable; makes no outside call, so that a run out of budget can still do it."""
    settled: Outcome = _outcome(outcome)
    material = gathered.material(state, context, outcome=settled, notes=notes)
    gates = tuple(Gate.model_validate(row) for row in context.records.get("audit", "gates") or [])
    if not gates:
        gates = context.journey.gates(material, context.sources.snapshot, {})
    composition = context.journey.compose(material, context.sources.snapshot, gates)
    for file in composition.files:
        context.artifacts.put(file.name, file.data, role=file.role, media_type=file.media_type)
    claims = composition.manifest["claims"]
    citations = sum(len(claim["citations"]) for claim in claims)
    return Observation(
        step=step_id,
        output=f"{len(composition.files)} files; {len(claims)} claims with {citations} citations, each re-found in its source",
        sources=tuple(source["id"] for source in composition.manifest["sources"]),
        figures={"files": len(composition.files), "claims": len(claims), "citations": citations, "outcome": settled},
        progress=1,
    )


def _outcome(name: str) -> Outcome:
    outcomes: dict[str, Outcome] = {
        "delivered": "delivered",
        "budget_exceeded": "budget_exceeded",
        "target_not_reached": "target_not_reached",
    }
    return outcomes[name]
