"""Which gates decide, and how one is spelt for people wherever it is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MUST_PASS = frozenset(
    {
        "quote_found", "citation_coverage", "citation_support", "relevance", "claim_in_text", "references", "min_citations",
        "length",
    }
)  # fmt: skip
"""A document that fails one of these is handed over, but not as delivered; the other gates are targets of style. A length
is only measured where somebody asked for one."""


def in_words(name: str, figure: Any, threshold: Any = None) -> str:
    """`source share 0.909 (wanted 0.5)`, `length 612 (wanted 450 to 550)`; without a threshold only name and figure."""
    wanted = f" (wanted {_figure(threshold)})" if threshold not in (None, "") else ""
    return f"{name.replace('_', ' ')} {_figure(figure)}{wanted}"


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return " to ".join(_figure(item) for item in value)
    return str(value)


def is_open(criterion: Mapping[str, Any]) -> bool:
    """Whether nothing measured a criterion of a result: whether it is met is for a person to say."""
    return criterion.get("met") is None
