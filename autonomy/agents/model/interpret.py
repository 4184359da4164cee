"""Interpret: a goal, perhaps a vague one, becomes a subject, must-cover points and questions to search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pydantic import Field

from autonomy.agents.model.ask import Asker, Prompt
from autonomy.agents.model.prompting import frame, joined, listed, system
from autonomy.agents.model.shape import Answer
from autonomy.agents.roles import Brief, Overview
from autonomy.core.prompts import one_line
from autonomy.core.types import TaskSpec
from autonomy.text.language import detect
from autonomy.text.words import terms

_MOST_QUESTIONS = 12
_MOST_POINTS = 8
_ALIKE = 0.6
_LANGUAGE = re.compile(r"^[a-z]{2,3}$")
_CAP = 1_500

_SYSTEM = system(
    "You plan a document that is written only from a given collection of documents.",
    "Ask questions that this collection can answer, judging by its titles and headings; do not answer them.",
    "Four views with about three questions each: the basics, how it works in use, limits and costs, objections and "
    "differing opinions. Each question stands alone, in the language of the collection, and asks one thing.",
    "Must-cover points are only what the goal itself demands, each in a few words.",
)


class Asked(Answer):
    """One question and the view it takes."""

    view: str = ""
    question: str


class BriefAnswer(Answer):
    """What interpret answers."""

    notes: str = ""
    title: str
    language: str
    subject: str
    must_cover: list[str] = Field(default_factory=list)
    questions: list[Asked]


async def interpret(asker: Asker, task: TaskSpec, overview: Overview) -> Brief:
    """Raises BadAnswer when no question comes of it."""
    languages = ", ".join(one_line(language, 12) for language in overview.languages[:6]) or "unknown"
    user = joined(
        frame(task),
        f"The collection: {overview.documents} documents, {overview.words} words, languages: {languages}",
        listed("titles", (one_line(title, 120) for title in overview.titles[:60])),
        listed("headings", (one_line(heading, 100) for heading in overview.headings[:120])),
        f"Language of the document: {task.language}" if task.language else "",
        f"At most {_MOST_QUESTIONS} questions.",
        f"What must be asked of the collection to reach this goal: {one_line(task.goal, 500)}",
    )
    prompt = Prompt("interpret", "brief", _SYSTEM, user, _CAP)
    answer = await asker.ask(prompt, BriefAnswer, _check)
    language = _language(task, answer)
    subject = one_line(answer.subject, 300) or one_line(task.goal, 300)
    return Brief(
        title=one_line(answer.title, 160) or subject[:160],
        language=language,
        subject=subject,
        terms=tuple(dict.fromkeys(terms(f"{task.goal[:2000]} {subject}", language))),
        questions=apart((asked.question for asked in answer.questions), (), language)[:_MOST_QUESTIONS],
        must_cover=tuple(dict.fromkeys(one_line(point, 160) for point in answer.must_cover if point.strip()))[:_MOST_POINTS],
    )


def _check(answer: BriefAnswer) -> tuple[str, ...]:
    return () if any(asked.question.strip() for asked in answer.questions) else ("questions: there is none",)


def _language(task: TaskSpec, answer: BriefAnswer) -> str:
    if task.language:
        return task.language
    said = answer.language.strip().lower().split("-")[0]
    return said if _LANGUAGE.match(said) else detect(task.goal)


def apart(questions: Iterable[str], known: Sequence[str], language: str) -> tuple[str, ...]:
    """The questions that are not nearly one another nor a known one (share of common terms above 0.6)."""
    seen = [frozenset(terms(question, language)) for question in known]
    kept: list[str] = []
    for question in questions:
        line = one_line(question, 300)
        words = frozenset(terms(line, language))
        if not words or any(_alike(words, other) for other in seen):
            continue
        seen.append(words)
        kept.append(line)
    return tuple(kept)


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    return len(a & b) / max(1, len(a | b)) > _ALIKE
