"""Revise what a similarity report flags: each flagged sentence is quoted with its source, replaced, or left out.

Sentences that the report does not flag stay byte for byte as they are, and a part whose revision makes a gate fail that
had passed is put back. Every change is kept with its reason.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from autonomy.agents import critic, gathered
from autonomy.agents.context import Context
from autonomy.agents.material import SectionDraft
from autonomy.agents.roles import Brief, Paragraphs, ReviseRequest, Sentence
from autonomy.core.counting import several
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec
from autonomy.turnitin.revision import flagged_sentences

Change = dict[str, Any]


async def amend(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: passages, those found in the draft, sentences changed and put back."""
    n = int(step.arguments["n"])
    passages = _passages(context.cycles.of(n).report)
    texts = [str(passage["text"]) for passage in passages]
    passed = {gate.name for gate in critic.measured(context) if gate.passed}
    changes: list[Change] = []
    found: set[int] = set()
    for key in context.records.keys("section"):
        section = SectionDraft.model_validate(context.records.get("section", key))
        numbered = ((index, each.text) for index, each in enumerate(section.sentences) if each.kind == "claim")
        flagged = flagged_sentences(texts, numbered)
        if not flagged:
            continue
        found |= set(flagged.values())
        changes += await _revised(step, key, section, flagged, passages, passed, state, context)
    for number, change in enumerate(changes, 1):
        context.records.put("change", f"{n}-{number:04d}", {"cycle": n, **change}, n * 10_000 + number)
    changed = [change for change in changes if change["how"] != "kept"]
    context.emit(
        "decision", {"route": "reflect", "why": _told(n, texts, found, changed), "changes": changes[:MOST_TOLD]}, node="act"
    )
    return Observation(
        step=step.id,
        output=_told(n, texts, found, changed),
        figures={
            "n": n,
            "passages": len(texts),
            "located": len(found),
            "changed": len(changed),
            "kept": len(changes) - len(changed),
        },
        progress=len(changed),
    )


MOST_TOLD = 20
"""Changes that an event carries; all of them are records."""


async def _revised(
    step: PlanStep,
    key: str,
    section: SectionDraft,
    flagged: Mapping[int, int],
    passages: Sequence[Mapping[str, Any]],
    passed: set[str],
    state: GraphState,
    context: Context,
) -> list[Change]:
    """One part, revised and measured; put back as it was where that costs a gate."""
    draft = Paragraphs(paragraphs=section.paragraphs)
    failures = tuple((index, "similarity", _why(passages[passage])) for index, passage in flagged.items())
    mended = await context.player.revise(
        ReviseRequest(
            task=TaskSpec.model_validate(state["task"]),
            brief=Brief.model_validate(state["brief"]),
            heading=section.heading,
            draft=draft,
            failures=failures,
            cards=gathered.cards(context),
            sources=gathered.sources(context),
        )
    )
    place = context.records.number("section", key)
    revised = section.model_copy(update={"paragraphs": mended.paragraphs})
    context.records.put("section", key, revised.model_dump(mode="json"), place)
    lost = _lost(passed, state, context)
    touched = _unflagged(section.sentences, flagged) != _still_there(revised.sentences, section.sentences, flagged)
    if lost or touched:
        context.records.put("section", key, section.model_dump(mode="json"), place)
        reason = f"put back: {', '.join(lost)} would fail" if lost else "put back: a sentence that was not flagged was changed"
        return [_change(section, index, passages[passage], "kept", (), reason) for index, passage in flagged.items()]
    gathered.keep_notes(context, f"{step.id}-{key}", mended.notes)
    before = {sentence.text for sentence in section.sentences}
    new = [sentence for sentence in revised.sentences if sentence.text not in before]
    return _changes(section, flagged, passages, new)


def _lost(passed: set[str], state: GraphState, context: Context) -> list[str]:
    """The gates that had passed and would fail now."""
    material = gathered.material(state, context)
    judgements: dict[str, str] = context.records.get("judgements", "answers") or {}
    gates = context.journey.gates(material, context.sources.snapshot, judgements)
    return [gate.name for gate in gates if not gate.passed and gate.name in passed]


def _unflagged(sentences: Sequence[Sentence], flagged: Mapping[int, int]) -> list[Sentence]:
    return [each for index, each in enumerate(sentences) if index not in flagged and each.kind == "claim"]


def _still_there(revised: Sequence[Sentence], before: Sequence[Sentence], flagged: Mapping[int, int]) -> list[Sentence]:
    """The unflagged claims as the revised part has them, in its order."""
    wanted = _unflagged(before, flagged)
    return [each for each in revised if each in wanted]


def _changes(
    section: SectionDraft, flagged: Mapping[int, int], passages: Sequence[Mapping[str, Any]], new: Sequence[Sentence]
) -> list[Change]:
    """What became of each flagged sentence. New claims answer to flagged ones in their order; what is left over was dropped."""
    claims = [sentence for sentence in new if sentence.kind == "claim"]
    changes: list[Change] = []
    for index, passage in flagged.items():
        old = section.sentences[index]
        after = next((each for each in claims if set(each.cites) & set(old.cites)), None)
        how = "quoted" if after is not None else "dropped"
        if after is None and claims and len(claims) >= len(flagged) - len(changes):
            after, how = claims[0], "replaced"
        if after is not None:
            claims.remove(after)
        changes.append(_change(section, index, passages[passage], how, (after,) if after is not None else (), _REASONS[how]))
    return changes


_REASONS = {
    "quoted": "quoted with its source in place of words that stood there as the author's own",
    "replaced": "replaced by another quotation that carries the same",
    "dropped": "left out: no other evidence carries it",
}


def _change(
    section: SectionDraft, index: int, passage: Mapping[str, Any], how: str, after: tuple[Sentence, ...], why: str
) -> Change:
    return {
        "heading": section.heading,
        "how": how,
        "why": why,
        "passage": str(passage["text"])[:400],
        "source": passage.get("source"),
        "before": section.sentences[index].text,
        "after": " ".join(sentence.text for sentence in after) or None,
    }


def _passages(report: str | None) -> list[dict[str, Any]]:
    """The flagged passages of a stored report; none where only a figure came."""
    found: list[dict[str, Any]] = (json.loads(report) if report else {}).get("flagged", [])
    return [passage for passage in found if passage.get("text")]


def _why(passage: Mapping[str, Any]) -> str:
    source = passage.get("source")
    return "the similarity report flags it" + (f" as found in {source}" if source else "")


def _told(n: int, texts: Sequence[str], found: set[int], changed: Sequence[Change]) -> str:
    if not texts:
        return f"report {n} flags no passage: there is nothing to revise"
    return f"report {n}: {len(found)} of {several(len(texts), 'flagged passage')} found in the draft, {several(len(changed), 'sentence')} changed"
