"""Which gates decide, and how one is spelt for people wherever it is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from autonomy.core.types import Gate

MUST_PASS = frozenset(
    {
        "quote_found", "citation_coverage", "citation_support", "relevance", "claim_in_text", "references", "min_citations",
        "length", "similarity",
    }
)  # fmt: skip
"""A document that fails one of these is handed over, but not as delivered; the other gates are targets of style. A length
and a similarity are only measured where somebody asked for one. A policy may say otherwise (see `decides`)."""

ON_REQUEST = {"min_citations": "min_citations", "length": "length", "similarity": "target_similarity"}
"""Gates that hold a figure against a number of the task, by its name there: without one they say nothing."""
OF_ONE_JOURNEY = {"source_share": "write", "similarity": "write", "pack_complete": "research"}
"""Gates that one journey alone measures."""
OFF = frozenset({"source_age", "overclaim", "bias", "argument", "tone", "links"})
"""Gates that are measured only where a policy asks for them."""
GATES = MUST_PASS | OFF | {
    "citation_excess", "source_spread", "source_share", "pack_complete", "overlap", "structure", "readability"
}  # fmt: skip
"""Every gate of a document, besides those that packages of an operator bring."""
OF_SEARCH = frozenset({"coverage", "cards", "sources"})
"""What a search is held to while it is judged."""
AT_MOST = frozenset(
    {"citation_excess", "source_share", "overlap", "structure", "similarity", "source_age", "overclaim", "bias", "tone"}
)
"""Gates whose figure is to stay small; that of every other one is to be large, or to lie between two bounds."""
SHARES = frozenset(
    {
        "quote_found", "citation_coverage", "citation_support", "relevance", "citation_excess", "source_share", "references",
        "claim_in_text", "pack_complete", "overlap", "source_age", "argument",
    }
)  # fmt: skip
"""Gates whose figure is a share, 0 to 1; that of the others counts things or rates the text."""
CAUSES = 3
"""Causes of one missed gate that a line names."""


def decides(name: Any, said: bool | None = None) -> bool:
    """Whether a miss of a gate decides about the document: as its measurement says, else by its name."""
    return name in MUST_PASS if said is None else said


def in_words(name: str, figure: Any, threshold: Any = None) -> str:
    """`source share 0.909 (wanted at most 0.5)`, `length 612 (wanted 450 to 550)`; without a threshold only name and
    figure."""
    target = wanted(name, threshold)
    return f"{name.replace('_', ' ')} {_figure(figure)}" + (f" (wanted {target})" if target else "")


def wanted(name: str, threshold: Any) -> str:
    """`at least 30`, `at most 0.5`, `450 to 550`; the threshold alone where nothing lies beyond it (all of a share, no
    fault), empty where there is none."""
    if threshold in (None, ""):
        return ""
    shown = _figure(threshold)
    if name not in GATES | OF_SEARCH:
        return shown  # an operator's own: whether it is a least or a most is not known here
    if not isinstance(threshold, int | float) or (name in AT_MOST and not threshold):
        return shown
    if name in AT_MOST:
        return f"at most {shown}"
    return shown if isinstance(threshold, float) and threshold == 1 else f"at least {shown}"


def told(gates: Iterable[Gate]) -> list[dict[str, Any]]:
    """The gates as an event carries them: name, figure, threshold, pass, and for a missed one what causes the miss."""
    rows: list[dict[str, Any]] = []
    for gate in gates:
        row: dict[str, Any] = {"name": gate.name, "figure": gate.figure, "threshold": gate.threshold, "pass": gate.passed}
        if gate.decides is not None:
            row["decides"] = gate.decides
        if not gate.passed and gate.evidence:
            row["evidence"] = causes(gate.evidence)
        rows.append(row)
    return rows


def causes(evidence: Iterable[str]) -> list[str]:
    """The first causes of a miss, from a gate's evidence (whose first item is its n, which is none); never empty."""
    found = [each for each in evidence if not each.startswith("n=")]
    more = ["and more in manifest.json"] if len(found) > CAUSES else []
    return [*found[:CAUSES], *more] or ["there is nothing to measure"]


def says_something(row: Mapping[str, Any]) -> bool:
    """Whether a measured gate was held against anything: `min_citations` passes by itself where no number was asked for, and
    `links` always."""
    return bool(row.get("threshold")) if row.get("name") in ON_REQUEST else row.get("name") != "links"


def is_empty(row: Mapping[str, Any]) -> bool:
    """Whether a gate was missed because there was nothing to measure: n is 0, and no item failed."""
    return not row.get("pass") and list(row.get("evidence") or ()) == ["n=0"]


def missed(row: Mapping[str, Any]) -> str:
    """A missed gate of an event that names its causes (see `told`) in one line: figure, what was wanted, the causes.
    `structure 1 (wanted 0): Fencing: 4% of the text, wanted 10% to 45%`; empty for any other gate."""
    if row.get("pass") or not row.get("evidence"):
        return ""
    return f"{in_words(str(row['name']), row.get('figure'), row.get('threshold'))}: {'; '.join(map(str, row['evidence']))}"


def _figure(value: Any) -> str:
    if value is None:
        return "–"
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
