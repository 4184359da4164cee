"""The place where a run waits for a similarity report. Reports are not part of this release; the route refuses clearly."""

from __future__ import annotations

from autonomy.agents.context import Context
from autonomy.core.errors import NotYetBuilt
from autonomy.core.graph import Update
from autonomy.core.state import GraphState


async def turnitin_pause(state: GraphState, context: Context) -> Update:
    """Raises NotYetBuilt; the request is refused at the door, so a run only comes here by a forged state."""
    raise NotYetBuilt(
        "waiting for a similarity report is not part of this release", "Start the run without --target-similarity."
    )
