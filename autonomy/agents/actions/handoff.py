"""Hand the draft to a person for its similarity report: files of its own, and a record of what was handed over.

The report is held against the first of the files, the Markdown; the others are the same draft for whoever checks it.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from autonomy.agents import critic, gathered
from autonomy.agents.context import Context
from autonomy.core.clock import DAY_US
from autonomy.core.errors import CorruptState
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep
from autonomy.turnitin.gate import RECORD


async def handoff(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: the number of the hand-off, its target, the draft's words. Makes no outside call; the wait comes after it."""
    material = gathered.material(state, context)
    if material.task.target_similarity is None:
        raise CorruptState(f"step {step.id} hands over a draft without a target similarity", "Start the run anew.")
    gates = critic.measured(context)
    composed = context.journey.compose(material, context.sources.snapshot, gates)
    n = int(step.arguments["n"])
    names: dict[str, str] = {}
    for file in composed.files:
        if file.role == "deliverable":
            name = f"drafts/draft-{n}{PurePosixPath(file.name).suffix}"
            names[name] = context.artifacts.put(name, file.data, role="draft", media_type=file.media_type)
    document, sha256 = next(iter(names.items()))
    body = {
        "n": n,
        "target": material.task.target_similarity,
        "document": f"artifacts/{context.run.run_id}/{document}",
        "document_sha256": sha256,
        "wait_us": int(float(step.arguments["days"]) * DAY_US),
        "on_expiry": step.arguments["on_expiry"],
    }
    context.records.put(RECORD, str(n), body, n)
    kept = {key: context.records.get("section", key) for key in context.records.keys("section")}
    context.records.put("handed", str(n), kept, n)
    return Observation(
        step=step.id,
        output=f"draft {n} waits for its similarity report, wanted at most {material.task.target_similarity:g} %",
        figures={"n": n, "target_similarity": material.task.target_similarity, "gates": {g.name: g.figure for g in gates}},
        progress=1,
    )
