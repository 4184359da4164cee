"""Planner: lays out the journey's steps, adds those that a finding calls for, and names the next one.

A dead end (a step that cannot go on) is skipped or replaced here; the plan only ever grows or ends, so the loop does too.
"""

from __future__ import annotations

from typing import Any

from autonomy.agents import critic, gathered, planning
from autonomy.agents.context import Context
from autonomy.agents.planning import grow
from autonomy.agents.roles import Brief, Outline
from autonomy.core.counting import several
from autonomy.core.graph import END, Update
from autonomy.core.state import GraphState
from autonomy.core.types import PlanStep, TaskSpec


async def plan(state: GraphState, context: Context) -> Update:
    """Routes to act with the next ready step, or to END when nothing is left: as failed where nothing was handed over."""
    task = TaskSpec.model_validate(state["task"])
    brief = Brief.model_validate(state["brief"])
    steps = planning.load(state)
    grown, why = _grow(steps, task, brief, state, context)
    following = planning.ready(grown)
    changed = grown != steps
    if changed:
        context.emit("plan.updated", {"steps": planning.summary(grown), "why": why}, node="plan")
    figures = {"steps": len(grown), "done": sum(step.done for step in grown)}
    if following is None:
        return _end(grown, figures, state, context)
    reason = f"{why}; next: {following.description}" if changed else f"next: {following.description}"
    context.emit("decision", {"route": "act", "why": reason, "figures": figures, "step": following.id}, node="plan")
    return {"plan": planning.dump(grown), "current": following.id, "route": "act"}


def _end(steps: planning.Plan, figures: dict[str, Any], state: GraphState, context: Context) -> Update:
    """Nothing is left to do. A plan that ends without having handed anything over has failed, whatever else went well."""
    update: Update = {"plan": planning.dump(steps), "current": None, "route": END}
    why = "every step of the plan has ended"
    if not any(step.action == "deliver" and step.state == "done" for step in steps):
        stuck = [step.id for step in steps if not step.ended]
        last = (state["verdict"] or {}).get("notes", "")
        why = f"no document was handed over: {f'{stuck[0]} waits for a step that never ends' if stuck else last or why}"
        update |= {"outcome": "failed", "error": why}
    context.emit("decision", {"route": END, "why": why, "figures": figures}, node="plan")
    return update


def _grow(steps: planning.Plan, task: TaskSpec, brief: Brief, state: GraphState, context: Context) -> tuple[planning.Plan, str]:
    """The plan with what the findings so far add, and the reason in words. Asking twice adds nothing twice."""
    if not steps:
        laid = context.journey.steps(task, brief)
        asked = several(len(brief.questions), "question")
        return laid, f"laid out the {context.journey.name} journey in {several(len(laid), 'step')} for {asked}"
    verdict = state["verdict"] or {}
    if verdict.get("decision") == "patch":
        judged = planning.find(steps, verdict["step"])
        if judged.action == "handoff":
            return _amend(steps, judged), "what the report flags is revised"
        if judged.action == "amend":
            return _hand_over_again(steps, judged), "the revised draft is measured, and handed over once more"
        return _patch(steps), "sentences that failed a gate are mended, then measured again"
    searching = any(step.action == "search" and not step.ended for step in steps)
    if not searching:
        cards, sources = gathered.cards(context), gathered.sources(context)
        added = context.journey.after_search(task, brief, tuple(source.id for source in sources))
        grown = grow(steps, added, after=[step.id for step in steps if step.action == "search"])
        if grown != steps:
            return grown, f"{critic.found_in(len(cards), len(sources))}: {several(len(grown) - len(steps), 'step')} more"
    found = context.records.get("outline", "outline")
    if found is not None:
        outline = Outline.model_validate(found)
        added = context.journey.after_outline(task, brief, outline)
        grown = grow(steps, added, after=[step.id for step in steps if step.action == "outline"])
        if grown != steps:
            return grown, f"the outline has {several(len(outline.sections), 'section')}: one step for each"
    return steps, "goes on with the plan"


def _amend(steps: planning.Plan, handed: PlanStep) -> planning.Plan:
    """The revision that a report calls for, before whatever waits for the hand-off."""
    n = handed.arguments["n"]
    amend = PlanStep(
        id=f"amend-{n}",
        kind="write",
        action="amend",
        description=f"Revise what report {n} flags",
        depends_on=(handed.id,),
        arguments={"n": n},
    )
    return grow(steps, (amend,), after=(handed.id,))


def _hand_over_again(steps: planning.Plan, amend: PlanStep) -> planning.Plan:
    """Another audit and another hand-off, before whatever waits for the revision."""
    handed = planning.find(steps, f"handoff-{amend.arguments['n']}")
    audits = sum(step.action == "audit" for step in steps)
    audit = PlanStep(
        id=f"audit-{audits + 1}", kind="evaluate", action="audit", description="Audit again", depends_on=(amend.id,)
    )
    again = planning.handoff_step(int(handed.arguments["n"]) + 1, handed.arguments, after=(audit.id,))
    return grow(steps, (audit, again), after=(amend.id,))


def _patch(steps: planning.Plan) -> planning.Plan:
    """A round of revision and another audit, before whatever waits for the audit."""
    rounds = sum(step.action == "revise" for step in steps) + 1
    audits = [step.id for step in steps if step.action == "audit"]
    revise = PlanStep(
        id=f"revise-{rounds}",
        kind="write",
        action="revise",
        description=f"Mend what the audit found (round {rounds})",
        depends_on=(audits[-1],),
    )
    audit = PlanStep(
        id=f"audit-{rounds + 1}", kind="evaluate", action="audit", description="Audit again", depends_on=(revise.id,)
    )
    return grow(steps, (revise, audit), after=audits)
