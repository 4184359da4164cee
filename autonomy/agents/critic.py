"""How an observation is judged: by figures against tests, never by a model's opinion of itself.

Every judgement names its reason. Loops end because each count is bounded: a step is retried `max_retries` times, evidence
is widened twice, sentences are mended twice, and three steps in a row without progress go back to the planner, twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autonomy.agents import gathered, planning
from autonomy.agents.context import Context
from autonomy.agents.material import COVERED
from autonomy.agents.notes import notes
from autonomy.agents.reported import reported
from autonomy.core.counting import several
from autonomy.core.gates import decides, in_words
from autonomy.core.state import GraphState
from autonomy.core.types import Gate, Observation, Outcome, PlanStep, Route, StepState, TaskSpec, Verdict

FEW_CARDS = 6
FEW_SOURCES = 3
WORDS_PER_CARD = 45
WORDS_PER_QUOTATION = 28
"""Words that a passage fills in a text that is written from it, and in one that quotes it and has a length to meet."""
MOST_WIDENINGS = 2
MOST_REVISIONS = 2
STALE_STEPS = 3
MOST_REPLANS = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with what follows from it: the step's new state, the route, the reason, and notes for the reader."""

    verdict: Verdict
    state: StepState
    route: Route
    why: str
    notes: tuple[str, ...] = ()
    outcome: Outcome | None = None
    replan: bool = False


def judge(step: PlanStep, observation: Observation, state: GraphState, context: Context) -> Judged:
    """Decide about one step."""
    if observation.error is not None:
        return _failed(step, observation, state)
    if step.action == "search":
        return _searched(step, observation, state, context)
    if step.action == "outline":
        return _pass(step, observation, f"outline: {observation.output}", route="plan")
    if step.action == "audit":
        return _audited(step, observation, state, context)
    if step.action == "handoff":
        return _pass(step, observation, observation.output, route="turnitin_pause")
    if step.action == "amend":
        return _amended(step, observation, state)
    if step.action == "deliver":
        return _delivered(step, observation)
    if state["stale"] >= STALE_STEPS and state["replans"] < MOST_REPLANS:
        why = f"{state['stale']} steps in a row brought nothing new: plans again"
        return _pass(step, observation, why, route="plan", replan=True)
    return _pass(step, observation, f"{step.action}: {observation.output}")


def _pass(
    step: PlanStep,
    observation: Observation,
    why: str,
    *,
    route: Route = "act",
    gates: tuple[Gate, ...] = (),
    notes: tuple[str, ...] = (),
    outcome: Outcome | None = None,
    replan: bool = False,
) -> Judged:
    verdict = Verdict(step=step.id, decision="pass", notes=why, gates=gates)
    return Judged(verdict, "done", route, why, notes, outcome, replan)


def _failed(step: PlanStep, observation: Observation, state: GraphState) -> Judged:
    """An error of the outside: another try while the step has one, then the step is given up and the document says so."""
    if step.attempts <= step.max_retries and not observation.final:
        why = f"{step.action} failed ({observation.error}); try {step.attempts + 1} of {step.max_retries + 1}"
        return Judged(Verdict(step=step.id, decision="retry", notes=why), "pending", "act", why)
    tried = "once" if step.attempts == 1 else f"{step.attempts} times"
    why = f"{step.action} failed {tried} ({observation.error}); goes on without it"
    note = notes(language_of(state)).not_done(step, observation.error or "")
    return Judged(Verdict(step=step.id, decision="fail", notes=why), "failed", "plan", why, (note,))


def _searched(step: PlanStep, observation: Observation, state: GraphState, context: Context) -> Judged:
    """A question's own coverage is noted; after the last question all the evidence is weighed together."""
    coverage = float(observation.figures["coverage"])
    kept = int(observation.figures["cards"])
    held = int(observation.figures.get("held", 0))
    gate = Gate(name="coverage", figure=coverage, threshold=COVERED, passed=coverage >= COVERED and kept + held > 0)
    found = found_in(kept, int(observation.figures["sources"]))
    why = f"'{step.arguments['question']}': {found}; the best passage covers {coverage:.0%} of the question"
    if not kept and held:
        why += f"; nothing new: what answers it was taken already ({several(held, 'quotation')})"
    if coverage < COVERED:
        why += f" (wanted {COVERED:.0%}): noted as thin"
    elif not gate.passed:
        why += "; no sentence of what was found could be quoted for it: noted as thin"
    if any(s.action == "search" and not s.ended and s.id != step.id for s in planning.load(state)):
        return _pass(step, observation, why, gates=(gate,))
    return _weighed(step, observation, state, context, why, gate)


def found_in(cards: int, sources: int) -> str:
    """1 quotation from 1 source, 6 quotations from 3 sources."""
    return f"{several(cards, 'quotation')} from {several(sources, 'source')}"


def cards_wanted(task: TaskSpec, context: Context) -> int:
    """How much evidence the length asked for needs, never less than the quotations asked for, and never fewer than six."""
    quoting = task.length is not None and context.player.asked.player == "extractive"
    words = context.journey.words(task)
    return max(FEW_CARDS, task.min_citations or 0, words // (WORDS_PER_QUOTATION if quoting else WORDS_PER_CARD))


def sources_wanted(context: Context) -> int:
    """Three sources, or as many as the corpus has."""
    return min(FEW_SOURCES, context.corpora.overview(context.records.get("corpus", "ids") or []).documents)


def _weighed(step: PlanStep, observation: Observation, state: GraphState, context: Context, why: str, coverage: Gate) -> Judged:
    """Evidence before prose: with too little of it the search is widened, and if that brings nothing the reader is told."""
    cards, sources = len(gathered.cards(context)), len(gathered.sources(context))
    enough, wanted = cards_wanted(TaskSpec.model_validate(state["task"]), context), sources_wanted(context)
    gates = (
        coverage,
        Gate(name="cards", figure=cards, threshold=enough, passed=cards >= enough),
        Gate(name="sources", figure=sources, threshold=wanted, passed=sources >= wanted),
    )
    if all(gate.passed for gate in gates[1:]):
        return _pass(step, observation, f"{why}; in all {found_in(cards, sources)}", route="plan", gates=gates)
    why = f"{why}; in all {notes('en').weighed(cards, sources, enough, wanted)}"
    if state["widened"] < MOST_WIDENINGS:
        verdict = Verdict(step=step.id, decision="branch", notes=why, gates=gates)
        return Judged(verdict, "done", "expand", f"{why}: widens the search")
    note = thin_note(state, context)
    return _pass(step, observation, f"{why}; goes on and says so", route="plan", gates=gates, notes=(note,))


def thin_note(state: GraphState, context: Context) -> str:
    """What the reader is told when the corpus has no more to give."""
    cards, sources = len(gathered.cards(context)), len(gathered.sources(context))
    enough, wanted = cards_wanted(TaskSpec.model_validate(state["task"]), context), sources_wanted(context)
    held = context.corpora.overview(context.records.get("corpus", "ids") or []).languages
    return notes(language_of(state)).holds_little(cards, sources, enough, wanted, spoken(language_of(state), held))


def spoken(goal: str | None, documents: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """The goal's language and the documents', where no document is in the goal's."""
    known = [tag[:2] for tag in documents if tag]
    return (goal[:2], tuple(dict.fromkeys(known))) if goal and known and goal[:2] not in known else None


def language_of(state: GraphState) -> str | None:
    """The document's language, as far as it is known."""
    return (state["brief"] or {}).get("language") or (state["task"] or {}).get("language")


def _audited(step: PlanStep, observation: Observation, state: GraphState, context: Context) -> Judged:
    """All gates pass: deliver. Sentences fail: mend them, at most twice. Otherwise deliver with an honest note."""
    gates = measured(context)
    failed = [gate for gate in gates if not gate.passed]
    failing = int(observation.figures["failing_sentences"])
    if not failed:
        return _pass(step, observation, f"all {len(gates)} gates passed", gates=gates)
    names = ", ".join(in_words(gate.name, gate.figure, gate.threshold) for gate in failed)
    if not gathered.cards(context):
        names = "nothing was found to quote, so nothing is claimed and nothing can be measured"
    revisions = sum(s.action == "revise" for s in planning.load(state))
    if failing and revisions < MOST_REVISIONS:
        why = f"{names}: {several(failing, 'sentence')} to mend"
        return Judged(Verdict(step=step.id, decision="patch", notes=why, gates=gates), "done", "plan", why)
    reached = outcome_of(gates)
    # Without evidence that has been said already.
    told = (notes(language_of(state)).shortfall(failed),) if gathered.cards(context) else ()
    return _pass(step, observation, f"{names}; delivers with a note", gates=gates, notes=told, outcome=reached)


def _amended(step: PlanStep, observation: Observation, state: GraphState) -> Judged:
    """A draft that is the same as before is not handed over again: its report would say the same."""
    if observation.figures["changed"]:
        why = observation.output
        return Judged(Verdict(step=step.id, decision="patch", notes=why), "done", "plan", why)
    why = f"{observation.output}: no further report would say anything else, so it is delivered with a note"
    words = reported(language_of(state))
    note = words.unchanged if observation.figures["kept"] else words.unmarked
    verdict = Verdict(step=step.id, decision="fail", notes=why)
    return Judged(verdict, "done", "plan", why, (note,), "target_not_reached")


def measured(context: Context) -> tuple[Gate, ...]:
    """The gates of the document as they were last measured; none before."""
    return tuple(Gate.model_validate(row) for row in context.records.get("audit", "gates") or [])


def outcome_of(gates: Iterable[Gate]) -> Outcome:
    """What a document with these gates may be handed over as."""
    missed = any(not gate.passed and decides(gate.name, gate.decides) for gate in gates)
    return "target_not_reached" if missed else "delivered"


def _delivered(step: PlanStep, observation: Observation) -> Judged:
    outcome: Outcome = observation.figures["outcome"]
    return _pass(step, observation, observation.output, route="END", outcome=outcome)
