"""Mend only the sentences that failed a gate; what passed stays as it is. The last round drops what cannot be mended."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from autonomy.agents import gathered, planning
from autonomy.agents.context import Context
from autonomy.agents.contract import Failure
from autonomy.agents.material import Annotation, SectionDraft
from autonomy.agents.roles import Brief, Paragraphs, ReviseRequest, Sentence
from autonomy.core.errors import CorruptState
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec

LAST_ROUND = 2


async def revise(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: failing sentences, parts touched, dropped."""
    failures = [Failure(**row) for row in context.records.get("audit", "failures") or []]
    rounds = sum(s.action == "revise" and s.ended for s in planning.load(state)) + 1
    touched = dropped = 0
    for (part, heading), group in groupby(failures, key=lambda failure: (failure.part, failure.heading)):
        rows = list(group)
        kind, key, body = _find(context, part, heading)
        draft = Paragraphs(paragraphs=body.paragraphs)
        if rounds >= LAST_ROUND:
            mended = without(draft, {row.index for row in rows})
            dropped += len({row.index for row in rows})
        else:
            mended = await context.player.revise(_request(state, context, heading, draft, rows))
            gathered.keep_notes(context, f"{step.id}-{key}", mended.notes)
        changed = body.model_copy(update={"paragraphs": mended.paragraphs})
        context.records.put(kind, key, changed.model_dump(mode="json"), context.records.number(kind, key))
        touched += 1
    return Observation(
        step=step.id,
        output=f"{touched} parts mended, {dropped} sentences dropped",
        figures={"failing_sentences": len(failures), "parts": touched, "dropped": dropped},
        progress=touched,
    )


def without(draft: Paragraphs, indices: set[int]) -> Paragraphs:
    """The draft less these sentences (counted over the whole part); empty paragraphs go."""
    number = 0
    paragraphs: list[tuple[Sentence, ...]] = []
    for paragraph in draft.paragraphs:
        kept = tuple(sentence for offset, sentence in enumerate(paragraph) if number + offset not in indices)
        number += len(paragraph)
        if kept:
            paragraphs.append(kept)
    return Paragraphs(paragraphs=tuple(paragraphs), notes=draft.notes)


def _request(state: GraphState, context: Context, heading: str, draft: Paragraphs, rows: list[Failure]) -> ReviseRequest:
    return ReviseRequest(
        task=TaskSpec.model_validate(state["task"]),
        brief=Brief.model_validate(state["brief"]),
        heading=heading,
        draft=draft,
        failures=tuple((row.index, row.gate, row.why) for row in rows),
        cards=gathered.cards(context),
        sources=gathered.sources(context),
    )


def _find(context: Context, part: str, heading: str) -> tuple[str, str, SectionDraft | Annotation]:
    """The record a failure points at: kind, key and body."""
    if part == "annotation":
        body: Any = context.records.get("annotation", heading)
        if body is not None:
            return "annotation", heading, Annotation.model_validate(body)
    for key in context.records.keys("section"):
        made = SectionDraft.model_validate(context.records.get("section", key))
        if (made.part, made.heading) == (part, heading):
            return "section", key, made
    raise CorruptState(f"the audit points at the {part} '{heading}', which was never written", "Start the run anew.")
