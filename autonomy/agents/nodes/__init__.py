"""The nodes of the graph, one a file: (state, context) -> update."""

from __future__ import annotations

from autonomy.agents.nodes.act import act
from autonomy.agents.nodes.expand import expand
from autonomy.agents.nodes.interpret import interpret
from autonomy.agents.nodes.plan import plan
from autonomy.agents.nodes.reflect import reflect
from autonomy.agents.nodes.repair import repair
from autonomy.agents.nodes.turnitin_pause import turnitin_pause

NODES = {
    "interpret": interpret,
    "plan": plan,
    "act": act,
    "reflect": reflect,
    "expand": expand,
    "repair": repair,
    "turnitin_pause": turnitin_pause,
}

__all__ = ["NODES"]
