"""Widen: other questions where the evidence is thin, never the same ones in other words."""

from __future__ import annotations

from collections.abc import Sequence

from autonomy.agents.model.ask import Asker, Prompt
from autonomy.agents.model.interpret import apart
from autonomy.agents.model.prompting import frame, joined, listed, system
from autonomy.agents.model.shape import Answer
from autonomy.agents.roles import Brief
from autonomy.core.types import TaskSpec

_MOST = 6

_SYSTEM = system(
    "You find other questions to put to a collection of documents where the first ones brought too little.",
    "Ask broader, for a neighbouring subject, or with other words for the same thing. Do not repeat a question.",
    "Each question stands alone and asks one thing. Do not answer them.",
)


class QuestionsAnswer(Answer):
    """What widen answers."""

    notes: str = ""
    questions: list[str]


async def widen(asker: Asker, task: TaskSpec, brief: Brief, thin: Sequence[str]) -> tuple[str, ...]:
    """New questions, possibly none."""
    user = joined(
        frame(task, brief),
        listed("asked", brief.questions),
        listed("thin", thin),
        f"At most {_MOST} new questions that may bring evidence for what is thin.",
    )
    answer = await asker.ask(Prompt("widen", "questions", _SYSTEM, user, 500), QuestionsAnswer)
    return apart(answer.questions, brief.questions, brief.language)[:_MOST]
