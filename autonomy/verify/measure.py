"""Figures of a phase: times in milliseconds, and where they lie."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Sequence
from typing import TypeVar

T = TypeVar("T")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank); NaN for no values at all."""
    if not values:
        return math.nan
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)), 1) - 1]


async def timed(work: Awaitable[T], into: list[float]) -> T:
    """Await the work and keep how long it took, in milliseconds."""
    began = time.perf_counter()
    result = await work
    into.append((time.perf_counter() - began) * 1000)
    return result


def spread(name: str, values: Sequence[float], *shares: int) -> dict[str, float]:
    """`{name}_p50_ms` and so on; nothing for what was never measured, so that it counts as missing."""
    return {f"{name}_p{share}_ms": round(percentile(values, share / 100), 3) for share in shares} if values else {}
