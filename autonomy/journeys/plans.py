"""The steps that journeys share, with their ids, order and words."""

from __future__ import annotations

from autonomy.agents.planning import handoff_step, search_step
from autonomy.agents.roles import Brief
from autonomy.core.types import PlanStep
from autonomy.journeys.policy import Policy


def reading(brief: Brief) -> tuple[PlanStep, ...]:
    """Look at the corpus, then put each question to it."""
    survey = PlanStep(id="survey", kind="research", action="survey", description="Look at what the corpus holds")
    questions = dict.fromkeys(brief.questions or (brief.subject,))
    return (survey, *(search_step(number, question) for number, question in enumerate(questions, 1)))


def handoff(policy: Policy, after: tuple[str, ...]) -> PlanStep:
    """The first hand-off for a similarity report, on the policy's terms."""
    terms = {"most": policy.most_cycles, "days": policy.report_days, "on_expiry": policy.on_expiry}
    return handoff_step(1, terms, after=after)


def finishing(after: tuple[str, ...], *, before: tuple[PlanStep, ...] = ()) -> tuple[PlanStep, ...]:
    """Measure every gate, then hand over; `before` are steps in between."""
    audit = PlanStep(
        id="audit", kind="evaluate", action="audit", description="Hold every claim against its source", depends_on=after
    )
    deliver = PlanStep(
        id="deliver",
        kind="write",
        action="deliver",
        description="Hand over the document and its manifest",
        depends_on=("audit", *(step.id for step in before)),
    )
    return audit, *before, deliver
