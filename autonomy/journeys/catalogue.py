"""The journeys by name, with the thresholds they are to hold."""

from __future__ import annotations

from autonomy.agents.contract import Journey
from autonomy.core.errors import NotYetBuilt, UsageError
from autonomy.journeys.policy import Policy
from autonomy.journeys.research import Research
from autonomy.journeys.write import Write

LATER = ("rewrite", "slides", "assignment")


def journey(name: str, policy: Policy | None = None) -> Journey:
    """The journey of a name. NotYetBuilt for one of a later release, UsageError for one that is none."""
    held = policy or Policy()
    if name == "write":
        return Write(held)
    if name == "research":
        return Research(held)
    if name in LATER:
        raise NotYetBuilt(f"the journey '{name}' is not part of this release", "Use --journey write or --journey research.")
    raise UsageError(f"no such journey: {name}", f"Choose one of: write, research, {', '.join(LATER)}.")
