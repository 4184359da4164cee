"""Look at what the corpus holds before anything is asked of it."""

from __future__ import annotations

from autonomy.agents.context import Context
from autonomy.core.counting import several
from autonomy.core.state import GraphState
from autonomy.core.types import Observation, PlanStep


async def survey(step: PlanStep, state: GraphState, context: Context) -> Observation:
    """Figures: documents, words, languages, unreadable."""
    ids = context.records.get("corpus", "ids") or []
    failed = context.records.get("corpus", "failed") or []
    overview = context.corpora.overview(ids)
    return Observation(
        step=step.id,
        output=f"{several(overview.documents, 'document')} in {', '.join(overview.languages) or 'no known language'}",
        figures={
            "documents": overview.documents,
            "words": overview.words,
            "languages": list(overview.languages),
            "unreadable": len(failed),
        },
        progress=overview.documents,
    )
