"""Hand over the document: compose, prove and measure once more, write the files."""

from __future__ import annotations

from autonomy.agents import critic, gathered
from autonomy.agents.context import Context
from autonomy.core.counting import Tally, several
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, Outcome, PlanStep
from autonomy.core.wording import status_word


async def deliver(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: files, and those of `Tally` but the sources. Nothing leaves whose quotes are not re-found in their sources."""
    return hand_over(step.id, state, context, outcome=state["outcome"])


def hand_over(
    step_id: str, state: GraphState, context: Context, *, outcome: str | None, notes: tuple[str, ...] = ()
) -> Observation:
    """Write every file of the deliverable; makes no outside call, so that a run out of budget can still do it.

    The gates are measured on the document as it is now, and kept as its audit: a run may be cut short between a revision and
    its audit. Without an outcome they decide it. Raises CorruptState when a quote does not stand in its stored source.
    """
    material = gathered.material(state, context, notes=notes).model_copy(update={"reports": gathered.reports(context)})
    judgements: dict[str, str] = context.records.get("judgements", "answers") or {}
    gates = context.journey.gates(material, context.sources.snapshot, judgements)
    context.records.put("audit", "gates", [gate.model_dump(mode="json") for gate in gates])
    settled = critic.outcome_of(gates) if outcome is None else _outcome(outcome)
    material = material.model_copy(update={"outcome": settled})
    composition = context.journey.compose(material, context.sources.snapshot, gates)
    for file in composition.files:
        context.artifacts.put(file.name, file.data, role=file.role, media_type=file.media_type)
    tally = Tally.of(composition.manifest)
    short = "" if settled == "delivered" else f"; {status_word(settled)}"
    return Observation(
        step=step_id,
        output=f"{several(len(composition.files), 'file')}; {_rests_on(tally)}{short}",
        sources=tuple(source["id"] for source in composition.manifest["sources"]),
        figures={
            "files": len(composition.files),
            "claims": tally.claims,
            "places": tally.places,
            "citations": tally.citations,
            "quotations": tally.quotations,
            "outcome": settled,
        },
        progress=1,
    )


def _rests_on(tally: Tally) -> str:
    """What the document stands on, in words."""
    if not tally.quotations:
        return "no claim, since nothing is quoted"
    return f"{several(tally.claims, 'claim')} on {several(tally.quotations, 'quotation')}, each re-found in its source"


def _outcome(name: str) -> Outcome:
    outcomes: dict[str, Outcome] = {
        "delivered": "delivered",
        "budget_exceeded": "budget_exceeded",
        "target_not_reached": "target_not_reached",
    }
    return outcomes[name]
