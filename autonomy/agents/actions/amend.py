"""Revise what a similarity report flags: each flagged sentence is quoted or said anew, replaced, or left out.

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
from autonomy.agents.reported import reported
from autonomy.agents.roles import Brief, Paragraphs, ReviseRequest, Sentence
from autonomy.core.counting import several
from autonomy.core.gates import in_words
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep, TaskSpec
from autonomy.turnitin.revision import flagged_sentences

Change = dict[str, Any]


async def amend(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: passages, those found in the draft, sentences changed and put back."""
    n = int(step.arguments["n"])
    revision = _Revision(n, _passages(context.cycles.of(n).report), state, context)
    for key in context.records.keys("section"):
        await revision.part(key)
    for number, change in enumerate(revision.changes, 1):
        context.records.put("change", f"{n}-{number:04d}", {"cycle": n, **change}, n * 10_000 + number)
    changed = [change for change in revision.changes if change["how"] != "kept"]
    if changed:
        words = reported(critic.language_of(state))
        gathered.keep_notes(context, step.id, (words.revised.format(count=len(changed), n=n),))
    told = _told(revision, len(changed))
    shown = revision.changes[:MOST_TOLD]
    figures = {
        "n": n,
        "passages": len(revision.passages),
        "located": len(revision.located),
        "elsewhere": revision.elsewhere,
        "changed": len(changed),
        "kept": len(revision.changes) - len(changed),
    }
    context.emit(
        "decision", {"route": "reflect", "why": told, "figures": figures, "step": step.id, "changes": shown}, node="act"
    )
    return Observation(
        step=step.id,
        output=told,
        figures=figures,
        progress=len(changed),
    )


class _Revision:
    """The parts of one draft against one report."""

    def __init__(self, n: int, passages: Sequence[Mapping[str, Any]], state: GraphState, context: Context) -> None:
        self.n = n
        self.passages = passages
        self.changes: list[Change] = []
        self.located: set[int] = set()
        self._texts = [str(passage["text"]) for passage in passages]
        self._state = state
        self._context = context
        self._passed = {gate.name for gate in critic.measured(context) if gate.passed}

    async def part(self, key: str) -> None:
        """Revise one part: all its flagged sentences at once, and one by one where that costs a gate and nobody is paid."""
        section = SectionDraft.model_validate(self._context.records.get("section", key))
        flagged = self._flagged(section)
        self.located |= set(flagged.values())
        if not flagged:
            return
        revised, changes = await self._tried(key, section, flagged)
        if revised == section and len(flagged) > 1 and self._context.player.asked.player == "extractive":
            changes = []
            for passage in sorted(set(flagged.values())):
                mine = {index: each for index, each in self._flagged(revised).items() if each == passage}
                if mine:
                    revised, made = await self._tried(key, revised, mine)
                    changes += made
        self.changes += changes

    @property
    def elsewhere(self) -> int:
        """Passages that stand in the draft, and in no statement of it: there is nothing in them to revise."""
        found = {number for number, passage in enumerate(self.passages) if passage.get("start") is not None}
        return len(found - self.located)

    def _flagged(self, section: SectionDraft) -> Mapping[int, int]:
        numbered = ((index, each.text) for index, each in enumerate(section.sentences) if each.kind == "claim")
        return flagged_sentences(self._texts, numbered)

    async def _tried(self, key: str, section: SectionDraft, flagged: Mapping[int, int]) -> tuple[SectionDraft, list[Change]]:
        """The part with these sentences revised and measured; as it was where that costs a gate."""
        context = self._context
        failures = tuple((index, "similarity", _why(self.passages[passage])) for index, passage in flagged.items())
        mended = await context.player.revise(
            ReviseRequest(
                task=TaskSpec.model_validate(self._state["task"]),
                brief=Brief.model_validate(self._state["brief"]),
                heading=section.heading,
                draft=Paragraphs(paragraphs=section.paragraphs),
                failures=failures,
                cards=gathered.cards(context),
                sources=gathered.sources(context),
            )
        )
        place = context.records.number("section", key)
        revised = section.model_copy(update={"paragraphs": mended.paragraphs})
        context.records.put("section", key, revised.model_dump(mode="json"), place)
        reason = self._against(section, revised, flagged)
        if reason is None:
            return revised, _changes(section, revised, flagged, self.passages)
        context.records.put("section", key, section.model_dump(mode="json"), place)
        return section, [_change(section, at, self.passages[passage], "kept", None, reason) for at, passage in flagged.items()]

    def _against(self, section: SectionDraft, revised: SectionDraft, flagged: Mapping[int, int]) -> str | None:
        """Why a revision is put back; None where it may stand."""
        wanted = _unflagged(section.sentences, flagged)
        if [each for each in revised.sentences if each in wanted] != wanted:
            return "put back: a sentence that was not flagged was changed"
        lost = _lost(self._passed, self._state, self._context)
        return f"put back: {' and '.join(in_words(*each) for each in lost)}" if lost else None


MOST_TOLD = 20
"""Changes that an event carries; all of them are records."""


def _lost(passed: set[str], state: GraphState, context: Context) -> list[tuple[str, Any, Any]]:
    """The gates that had passed and would fail now: name, figure, threshold."""
    material = gathered.material(state, context)
    judgements: dict[str, str] = context.records.get("judgements", "answers") or {}
    gates = context.journey.gates(material, context.sources.snapshot, judgements)
    return [(gate.name, gate.figure, gate.threshold) for gate in gates if not gate.passed and gate.name in passed]


def _unflagged(sentences: Sequence[Sentence], flagged: Mapping[int, int]) -> list[Sentence]:
    return [each for index, each in enumerate(sentences) if index not in flagged and each.kind == "claim"]


def _changes(
    section: SectionDraft, revised: SectionDraft, flagged: Mapping[int, int], passages: Sequence[Mapping[str, Any]]
) -> list[Change]:
    """What became of each flagged sentence: one that cites the same stands for it, else a new one, else none does."""
    before = {sentence.text for sentence in section.sentences}
    new = [sentence for sentence in revised.sentences if sentence.kind == "claim" and sentence.text not in before]
    after: dict[int, Sentence] = {}
    for index in flagged:
        same = next((each for each in new if set(each.cites) & set(section.sentences[index].cites)), None)
        if same is not None:
            after[index] = same
            new.remove(same)
    changes = []
    for index, passage in flagged.items():
        made = after.get(index) or (new.pop(0) if new else None)
        how = "dropped" if made is None else "replaced" if index not in after else "quoted" if made.quoted else "rewritten"
        changes.append(_change(section, index, passages[passage], how, made, _REASONS[how]))
    return changes


_REASONS = {
    "quoted": "quoted with its source in place of words that stood there as the author's own",
    "rewritten": "said anew, with its source",
    "replaced": "replaced by another statement that carries the same",
    "dropped": "left out: no other evidence carries it",
}


def _change(
    section: SectionDraft, index: int, passage: Mapping[str, Any], how: str, after: Sentence | None, why: str
) -> Change:
    return {
        "heading": section.heading,
        "how": how,
        "why": why,
        "passage": str(passage["text"])[:400],
        "source": passage.get("source"),
        "before": section.sentences[index].text,
        "after": None if after is None else after.text,
    }


def _passages(report: str | None) -> list[dict[str, Any]]:
    """The flagged passages of a stored report; none where only a figure came."""
    found: list[dict[str, Any]] = (json.loads(report) if report else {}).get("flagged", [])
    return [passage for passage in found if passage.get("text")]


def _why(passage: Mapping[str, Any]) -> str:
    source = passage.get("source")
    return "the similarity report flags it" + (f" as found in {source}" if source else "")


def _told(revision: _Revision, changed: int) -> str:
    if not revision.passages:
        return f"report {revision.n} flags no passage: there is nothing to revise"
    found = f"{len(revision.located)} of {several(len(revision.passages), 'flagged passage')} found in statements of the draft"
    if revision.elsewhere:
        found += f", {revision.elsewhere} in words that state nothing"
    return f"report {revision.n}: {found}; {several(changed, 'sentence')} changed"
