"""Which criteria of a task a gate judges, and which are for a person.

A gate judges a criterion that says nothing else: the bare name of a gate ("quote_found", "the relevance gate passes",
"references hold"), several of them joined by commas or "and", or such a name and a number that its figure is held against
("source_spread at least 3", "overlap <= 0.05"). Every other sentence, whatever names stand in it, is for a person.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from autonomy.core.gates import GATES, OF_ONE_JOURNEY, ON_REQUEST, SHARES, causes, in_words, is_empty, says_something
from autonomy.services.asked import DEFAULT_JOURNEY
from autonomy.ssot.task import Item, Task

DEFAULT_CRITERIA: Final = ({"id": "delivered", "text": "A document is delivered, and every gate that decides passes."},)
_OURS: Final = (
    *DEFAULT_CRITERIA,
    {"id": "delivered", "text": "A document that answers the request is delivered; its gates pass."},
)
"""The criterion of a task that states none, also as earlier files word it."""
_SIGNS: Final = {
    "at least": ">=", "no less than": ">=", "not less than": ">=", "no fewer than": ">=", ">=": ">=", "≥": ">=",
    "at most": "<=", "no more than": "<=", "not more than": "<=", "<=": "<=", "≤": "<=",
    "more than": ">", "above": ">", "over": ">", ">": ">",
    "less than": "<", "fewer than": "<", "below": "<", "under": "<", "<": "<",
    "exactly": "=", "equal to": "=", "==": "=", "=": "=",
}  # fmt: skip
_HOLDS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt, "=": operator.eq
}  # fmt: skip
_SPOKEN: Final = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than", "=": "exactly"}
_UNITS: Final = {
    "length": ("words",), "source_spread": ("sources",), "min_citations": ("quotations", "citations"),
    "similarity": ("%", "percent"),
}  # fmt: skip
"""What may stand behind a number of these gates; behind that of a share, `%`."""
_NAMES: Final = "|".join(re.escape(name).replace("_", "[_ ]") for name in sorted(GATES, key=len, reverse=True))
_WANTED: Final = "|".join(re.escape(words) for words in sorted(_SIGNS, key=len, reverse=True))
_PART: Final = re.compile(
    rf"(?:the )?(?:gate )?(?P<name>{_NAMES})(?: gates?)?"
    r"(?:(?: must)? (?:pass|passes|hold|holds|holds its threshold|hold their thresholds))?",
)
_COMPARED: Final = re.compile(
    rf"(?:the )?(?:gate )?(?P<name>{_NAMES})(?: gate)?:?(?: is| of| must be)? ?(?P<sign>{_WANTED}) ?"
    r"(?P<number>[0-9]+(?:\.[0-9]+)?) ?(?P<unit>%|[a-z]*)",
)
_JOINT: Final = re.compile(r" ?[,;] ?(?:and )?| and | & ")


@dataclass(frozen=True, slots=True)
class Condition:
    """One gate of a criterion: it passes, or, with a `sign`, its figure is held against the criterion's own `number`, in the
    unit of the figure (a share is 0 to 1)."""

    gate: str
    sign: str = ""
    number: float = 0.0

    def measured(self, row: Mapping[str, Any]) -> bool:
        """Whether a gate of the manifest says anything of this."""
        return isinstance(row.get("figure"), int | float) if self.sign else says_something(row)

    def met(self, row: Mapping[str, Any]) -> bool:
        """Whether it holds. Where there was nothing to measure it does not, whatever the number."""
        if not self.sign:
            return bool(row.get("pass"))
        return not is_empty(row) and _HOLDS[self.sign](float(row["figure"]), self.number)

    def missed(self, row: Mapping[str, Any]) -> str:
        """What was measured, what was wanted, and the causes that the gate names."""
        failing = [] if row.get("pass") else causes([str(each) for each in row.get("evidence") or []])
        found = in_words(self.gate, row.get("figure"), None if self.sign else row.get("threshold"))
        wanted = f" (wanted {_SPOKEN[self.sign]} {self.number:g})" if self.sign else ""
        return f"{found}{wanted}" + (f": {'; '.join(failing)}" if failing else "")


def is_ours(criterion: Item) -> bool:
    """Whether it is the criterion of a task that states none: it stands or falls with the outcome of the run."""
    return {"id": criterion.id, "text": criterion.text} in _OURS


def conditions(criterion: Item) -> tuple[Condition, ...]:
    """The gates that judge a criterion, in its order; none where it is for a person. Its text decides, not its id."""
    text = " ".join(criterion.text.replace("`", "").casefold().split()).rstrip(".! ")
    found = [_condition(part) for part in _JOINT.split(text)]
    return tuple(each for each in found if each) if all(found) else ()


def _condition(part: str) -> Condition | None:
    bare = _PART.fullmatch(part)
    if bare:
        return Condition(bare["name"].replace(" ", "_"))
    compared = _COMPARED.fullmatch(part)
    if compared is None:
        return None
    name, number, unit = compared["name"].replace(" ", "_"), float(compared["number"]), compared["unit"]
    if name in SHARES:
        number, unit = (round(number / 100, 6), "") if unit in ("%", "percent") else (number, unit)
        if number > 1:
            return None
    return None if unit and unit not in _UNITS.get(name, ()) else Condition(name, _SIGNS[compared["sign"]], number)


def notes(task: Task) -> tuple[str, ...]:
    """Which of the task's criteria a person will judge, and why no gate does, one sentence each, for whoever makes it."""
    journey, spec = task.journey or DEFAULT_JOURNEY, task.task_spec or {}
    found = []
    for criterion in task.acceptance_criteria:
        asked = conditions(criterion)
        if not asked and not is_ours(criterion):
            found.append(f"criterion {criterion.id} says more than a gate measures: a person judges it")
        lost = {each.gate: why for each in asked if (why := _unmeasured(each, journey, spec))}
        found += [
            f"criterion {criterion.id} names {name}, which is not measured: {why}; a person judges it"
            for name, why in sorted(lost.items())
        ]
    return tuple(found)


def _unmeasured(condition: Condition, journey: str, spec: Mapping[str, Any]) -> str:
    """Why the run of such a task does not measure this; empty where it does."""
    name = condition.gate
    if OF_ONE_JOURNEY.get(name, journey) != journey:
        return f"only the {OF_ONE_JOURNEY[name]} journey measures it"
    counted = name == "min_citations" and condition.sign  # quotations are counted, asked for or not
    if name in ON_REQUEST and not counted and not spec.get(ON_REQUEST[name]):
        return f"no number was asked for (--{ON_REQUEST[name].replace('_', '-')} N)"
    return ""
