"""The steps that journeys share, with their ids, order and words."""

from __future__ import annotations

from autonomy.agents.planning import search_step
from autonomy.agents.roles import Brief
from autonomy.core.types import PlanStep


def reading(brief: Brief) -> tuple[PlanStep, ...]:
    """Look at the corpus, then put each question to it."""
    survey = PlanStep(id="survey", kind="research", action="survey", description="Look at what the corpus holds")
    questions = dict.fromkeys(brief.questions or (brief.subject,))
    return (survey, *(search_step(number, question) for number, question in enumerate(questions, 1)))


def finishing(after: tuple[str, ...]) -> tuple[PlanStep, ...]:
    """Measure every gate, then hand over."""
    audit = PlanStep(
        id="audit", kind="evaluate", action="audit", description="Hold every claim against its source", depends_on=after
    )
    deliver = PlanStep(
        id="deliver",
        kind="write",
        action="deliver",
        description="Hand over the document and its manifest",
        depends_on=("audit",),
    )
    return audit, deliver
