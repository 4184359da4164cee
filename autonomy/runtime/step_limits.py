"""A plan step's own limits, held against its outside calls before each of them, inside the run's budget.

What the step has taken is counted from the journal, over all its tries and whoever made them, so a limit outlives a crash.
A call that would pass it is not made; that ends the step, never the run.
"""

from __future__ import annotations

from dataclasses import dataclass

from autonomy.core.errors import BudgetExceeded, StepLimitReached
from autonomy.core.llm import Usage
from autonomy.core.types import StepLimits
from autonomy.runtime.budgets import MICRO, Left
from autonomy.runtime.journal import NOTHING, Intent, Offer
from autonomy.storage.database import Tx


@dataclass(frozen=True, slots=True)
class StepLeft:
    """What the step may still take; `usd` (micro-dollars) and `ms` have been taken."""

    limits: StepLimits
    usd: int
    ms: int

    def narrow(self, left: Left) -> Left:
        """What run and step both allow. Raises StepLimitReached when the step's time is spent."""
        ms, usd = left.ms, left.usd
        if self.limits.seconds is not None:
            rest = int(self.limits.seconds * 1000) - self.ms
            if rest <= 0:
                raise self._reached("seconds", self.limits.seconds, self.ms / 1000, 0.0)
            ms = rest if ms is None else min(ms, rest)
        if self.limits.usd is not None:
            rest = max(0, int(self.limits.usd * MICRO) - self.usd)
            usd = rest if usd is None else min(usd, rest)
        return Left(left.tokens, ms, usd)

    def cover(self, offer: Offer) -> None:
        """Raises StepLimitReached when the call's worst case does not fit, or when nobody knows what it costs."""
        worst = offer.worst.cost_micro_usd
        if self.limits.usd is None or (worst is not None and self.usd + worst <= int(self.limits.usd * MICRO)):
            return
        raise self._reached("usd", self.limits.usd, self.usd / MICRO, None if worst is None else worst / MICRO)

    def _reached(self, which: str, limit: float, used: float, asked: float | None) -> StepLimitReached:
        return StepLimitReached(self.limits.step, which, limit, used, asked)


def look(tx: Tx, intent: Intent, n: int | None = None, spent: Usage = NOTHING) -> StepLeft | None:
    """What the calls of the intent's step have taken, None where it has no limits. Call `n` counts as `spent` instead of as
    its row says: it is about to be put to somebody else."""
    if intent.limits is None:
        return None
    usd, us = tx.tuples(
        "SELECT coalesce(sum(coalesce(cost_usd, 0) + reserved_usd), 0), "
        "coalesce(sum(coalesce(finished_at, started_at) - started_at), 0) FROM call "
        "WHERE run_id = :run AND node = :node AND step >= :since AND n <> :n",
        run=intent.run_id,
        node=intent.node,
        since=intent.limits.since,
        n=-1 if n is None else n,
    )[0]
    return StepLeft(intent.limits, int(usd) + (spent.cost_micro_usd or 0), int(us) // 1000)


def late(intent: Intent, stop: BudgetExceeded) -> BudgetExceeded:
    """Whose time it was that ran out, when the run's own has not."""
    if stop.which != "seconds" or intent.limits is None or intent.limits.seconds is None:
        return stop
    return StepLimitReached(intent.limits.step, "seconds", intent.limits.seconds, intent.limits.seconds, 0.0)
