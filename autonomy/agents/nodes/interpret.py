"""GoalInterpreter: reads the corpus and turns the goal into a brief (language, subject, questions, points to cover)."""

from __future__ import annotations

from autonomy.agents.context import Context
from autonomy.agents.notes import notes
from autonomy.core.counting import of_another_kind, several
from autonomy.core.graph import Update
from autonomy.core.state import GraphState
from autonomy.core.types import TaskSpec

MOST_NAMED = 200
"""Files that an event can name and still be read as one line of a story."""


async def interpret(state: GraphState, context: Context) -> Update:
    """Routes to plan. Raises InvalidInput when the corpus holds nothing readable."""
    task = TaskSpec.model_validate(state["task"])
    reading = await context.corpora.read(task.corpus)
    overview = context.corpora.overview(reading.ids)
    brief = await context.player.interpret(task, overview)
    context.records.put("corpus", "ids", list(reading.ids))
    context.records.put("corpus", "failed", [list(pair) for pair in reading.failed])
    of_another = [of_another_kind(reading.unread)] if reading.unread else []
    figures = {
        "documents": overview.documents,
        "words": overview.words,
        "unreadable": len(reading.failed),
        "duplicates": reading.duplicates,
        "left_out": [*_left_out([*reading.failed, *reading.unused]), *of_another],
        "questions": len(brief.questions),
        "must_cover": len(brief.must_cover),
    }
    why = (
        f"Read the goal as '{brief.title}' ({brief.language}): {several(len(brief.questions), 'question')} to put to "
        f"{several(overview.documents, 'document')} of {several(overview.words, 'word')}"
    )
    decision = {"route": "plan", "why": why, "figures": figures, "questions": list(brief.questions)}
    context.emit("decision", decision, node="interpret")
    told = list(state["notes"])
    if reading.failed:
        told.append(notes(brief.language).left_out([location for location, _ in reading.failed]))
    if reading.unread:
        told.append(notes(brief.language).of_another_kind(reading.unread))
    return {"brief": brief.model_dump(mode="json"), "notes": told, "route": "plan"}


def _left_out(files: list[tuple[str, str]]) -> list[str]:
    """The files of the corpus of which nothing is used, each with its reason."""
    named = [f"{location} ({why})" for location, why in sorted(files)[:MOST_NAMED]]
    rest = len(files) - len(named)
    return [*named, f"and {rest} more"] if rest else named
