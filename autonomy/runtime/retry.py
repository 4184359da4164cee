"""When a request is made again, and after how long: the one retry policy, as pure functions.

Nothing else in the toolkit retries a request (client libraries have theirs switched off), so that `attempts` is the
most that one call ever puts to one provider.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autonomy.core.errors import ProviderUnavailable


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """`attempts` counts the first request too; `base` and `cap` are seconds."""

    attempts: int = 4
    base: float = 1.0
    cap: float = 30.0

    def retries(self, error: BaseException) -> bool:
        """Whether the same request may do better later. A refusal or a bad answer will not."""
        return isinstance(error, ProviderUnavailable)

    def wait(self, attempt: int, error: BaseException | None, chance: float) -> float:
        """Seconds to wait after failed request number `attempt` (from 1); `chance` in [0, 1) spreads the herd.

        Doubles from `base`, between half and the whole of it, at most `cap`. A Retry-After is a lower bound; one
        beyond `cap` comes back as it is, and the caller goes elsewhere instead of waiting (`waits`).
        """
        full = min(self.cap, self.base * 2.0 ** min(attempt - 1, 30))
        spread = full * (0.5 + 0.5 * chance)
        asked = _asked(error)
        if asked is None:
            return spread
        # A tenth more than asked, so that many clients told the same do not come back in one instant.
        return max(spread, asked if asked > self.cap else min(self.cap, asked * (1 + 0.1 * chance)))

    def waits(self, attempt: int, seconds: float, time_left: float) -> bool:
        """Whether to wait that long and ask the same provider again."""
        return attempt < self.attempts and seconds <= self.cap and seconds < time_left


def _asked(error: BaseException | None) -> float | None:
    """The Retry-After of an error in seconds, if it is a sensible number: it comes from outside."""
    seconds = error.retry_after if isinstance(error, ProviderUnavailable) else None
    return seconds if seconds is not None and math.isfinite(seconds) and seconds >= 0 else None
