"""SelfDebugger's place in the loop. Repairing a drifted tool is not part of this release; the route refuses clearly."""

from __future__ import annotations

from autonomy.agents.context import Context
from autonomy.core.errors import NotYetBuilt
from autonomy.core.graph import Update
from autonomy.core.state import GraphState


async def repair(state: GraphState, context: Context) -> Update:
    """Raises NotYetBuilt, with the step that asked for it."""
    raise NotYetBuilt(
        f"step {state['current']} asks for a tool repair, which this release does not do",
        "Mend the tool by hand, then start the run anew.",
    )
