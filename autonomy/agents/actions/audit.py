"""Measure every gate of the journey; a player is asked only where no rule can settle whether a quote carries a claim."""

from __future__ import annotations

import dataclasses

from autonomy.agents import gathered
from autonomy.agents.context import Context
from autonomy.agents.notes import notes
from autonomy.agents.roles import JudgeRequest
from autonomy.core.errors import ProviderError
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep


async def audit(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: each gate's figure, failed gates, failing sentences. Gates and failures become records."""
    material = gathered.material(state, context)
    snapshot = context.sources.snapshot
    judgements: dict[str, str] = dict(context.records.get("judgements", "answers") or {})
    doubtful = tuple(pair for pair in context.journey.doubtful(material, snapshot) if pair.id not in judgements)
    if doubtful:
        judgements |= await _judged(step, JudgeRequest(task=material.task, pairs=doubtful), context, material.brief.language)
        context.records.put("judgements", "answers", judgements)
    gates = context.journey.gates(material, snapshot, judgements)
    failures = context.journey.failures(material, snapshot, judgements)
    context.records.put("audit", "gates", [gate.model_dump(mode="json") for gate in gates])
    context.records.put("audit", "failures", [dataclasses.asdict(failure) for failure in failures])
    failed = [gate.name for gate in gates if not gate.passed]
    return Observation(
        step=step.id,
        output=f"{len(gates) - len(failed)} of {len(gates)} gates passed"
        + (f"; failed: {', '.join(failed)}" if failed else ""),
        figures={
            "gates": {gate.name: gate.figure for gate in gates},
            "failed": failed,
            "failing_sentences": len(failures),
            "judged": len(doubtful),
        },
        progress=sum(gate.passed for gate in gates),
    )


async def _judged(step: PlanStep, request: JudgeRequest, context: Context, language: str) -> dict[str, str]:
    """The player's answers by pair. On the last try no answer is an answer too: every gate is measured all the same, and
    what nobody could judge does not count as supported."""
    try:
        answer = await context.player.judge(request)
    except ProviderError as error:
        if step.attempts < step.max_retries:
            raise
        note = notes(language).undecided(len(request.pairs), error.message)
        gathered.keep_notes(context, step.id, (note,))
        return {}
    return {pair_id: verdict for pair_id, verdict, _ in answer.answers}
