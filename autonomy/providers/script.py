"""What a scripted model server does with each request: behaviours, and the small language that lists them.

    good  malformed  wrong-schema  empty-choices  usage-only  cut  cut-late  unfinished  not-json  refusal  length  text:WORDS
    stall:SECONDS  status:CODE  429:RETRY_AFTER  500  401  gateway-error

Items are separated by commas; `item*` stands for every request from there on, `itemx3` for three, and a list that
begins with `cycle:` starts over at its end. After the end of any other list every answer is good.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from autonomy.core.errors import InvalidInput

Kind = Literal[
    "good",
    "malformed",
    "wrong-schema",
    "empty-choices",
    "usage-only",
    "cut",
    "cut-late",
    "unfinished",
    "not-json",
    "refusal",
    "length",
    "text",
    "stall",
    "status",
    "gateway-error",
]
_KINDS: frozenset[str] = frozenset(get_args(Kind))
_ITEM = re.compile(r"^(?P<name>[a-z0-9-]+?)(?::(?P<argument>[^*]*?))?(?P<times>\*|x\d+)?$")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One answer. `seconds` is a stall, `status` with `retry_after`, `message` and `code` an HTTP error, `text` fixed words
    in the place of a good answer's.

    A stall waits before the first byte, or, with `midway`, in the middle of a stream; then it goes on with a good answer.
    """

    kind: Kind = "good"
    seconds: float = 0.0
    midway: bool = False
    status: int = 500
    retry_after: str | None = None
    message: str = "scripted trouble"
    code: str | None = None
    text: str | None = None


GOOD = Behaviour()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the script sees it. `number` counts from 1; `schema` is the name of the answer asked for."""

    number: int
    path: str
    schema: str | None
    body: dict[str, Any]


Script = Callable[[Asked], Behaviour]


def in_order(behaviours: Sequence[Behaviour], *, then: Behaviour = GOOD, cycle: bool = False) -> Script:
    """The behaviours one after the other, then `then`, or from the start again."""
    listed = tuple(behaviours)

    def script(asked: Asked) -> Behaviour:
        place = asked.number - 1
        if cycle and listed:
            return listed[place % len(listed)]
        return listed[place] if place < len(listed) else then

    return script


def parse(text: str) -> Script:
    """A script from its words (see the module). Raises InvalidInput naming the item it does not know."""
    cycle = text.startswith("cycle:")
    behaviours: list[Behaviour] = []
    for item in text.removeprefix("cycle:").split(","):
        behaviour, times = _item(item.strip())
        if times == "*":
            return in_order(behaviours, then=behaviour)
        behaviours.extend([behaviour] * int(times.removeprefix("x") or 1))
    return in_order(behaviours, cycle=cycle)


def _item(item: str) -> tuple[Behaviour, str]:
    match = _ITEM.match(item)
    if match is None:
        raise _unknown(item)
    name, argument, times = match["name"], match["argument"], match["times"] or "x1"
    if name.isdigit():
        status = Behaviour("status", status=_status(name, item))
        return (replace(status, retry_after=argument) if argument else status), times
    if name not in _KINDS:
        raise _unknown(item)
    kind: Kind = name  # type: ignore[assignment]  # checked against the literal's own values
    if kind == "status":
        return Behaviour(kind, status=_status(argument or "", item)), times
    if kind == "stall":
        return Behaviour(kind, seconds=_seconds(argument, item)), times
    return Behaviour(kind, text=argument or "" if kind == "text" else None), times


def _status(digits: str, item: str) -> int:
    if not digits.isdigit() or not 300 <= int(digits) <= 599:
        raise _unknown(item)
    return int(digits)


def _seconds(argument: str | None, item: str) -> float:
    try:
        seconds = float(argument or "60")
    except ValueError:
        raise _unknown(item) from None
    if not 0 <= seconds <= 86_400:
        raise _unknown(item)
    return seconds


def _unknown(item: str) -> InvalidInput:
    return InvalidInput(
        f"the script has no behaviour {item!r}", f"Use one of: {', '.join(sorted(_KINDS))}, or a status such as 429."
    )
