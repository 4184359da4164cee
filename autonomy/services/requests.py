"""A request for a run from outside this machine: names instead of paths, and the settings' defaults.

`corpus` is a name of `[corpora]` (or a list of names), never a path; errors name what was asked, never where it lies here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from autonomy.core.errors import InvalidInput, NotYetBuilt
from autonomy.core.types import TaskSpec

LIMITS = ("tokens", "seconds", "usd")


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a request need not say. `limits` by tokens, seconds and usd; `providers` are the names that can be asked."""

    corpora: Mapping[str, Path]
    providers: Sequence[str]
    limits: Mapping[str, float | None]


def task_spec(journey: str, spec: Mapping[str, Any], defaults: Defaults) -> TaskSpec:
    """The run's task. `spec` is the `task_spec` of POST /api/v2/runs. Raises InvalidInput, NotYetBuilt."""
    fields = {name: value for name, value in spec.items() if not name.startswith("budget_")}
    asked = {name: spec.get(f"budget_{name}") for name in LIMITS}
    limits = {name: defaults.limits.get(name) if value is None else value for name, value in asked.items()}
    if fields.pop("source", None) is not None:
        raise NotYetBuilt("a source document over HTTP is not part of this release", "Leave source out.")
    names = _names(fields.pop("corpus", None))
    order = _names(fields.pop("provider", None))
    fields = {name: value for name, value in fields.items() if value is not None}
    asks = {"corpus": _folders(names, defaults.corpora), "provider": _known(order, defaults.providers), "budget": limits}
    try:
        return TaskSpec.model_validate({**fields, **asks, "journey": journey})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "task_spec"
        reason = str(first["msg"]).removeprefix("Value error, ").removeprefix("Input ")
        raise InvalidInput(f"{where} {reason[0].lower()}{reason[1:]}", "Correct the task_spec.") from None


def _names(given: Any) -> tuple[str, ...]:
    if given is None:
        return ()
    return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else tuple(given)


def _folders(names: Sequence[str], corpora: Mapping[str, Path]) -> tuple[str, ...]:
    """The folders of the names; without any, the only corpus there is."""
    if not names and len(corpora) == 1:
        names = tuple(corpora)
    known = f"Known: {', '.join(sorted(corpora))}." if corpora else "Name folders in [corpora] of autonomy.toml."
    if not names:
        raise InvalidInput("the request names no corpus", known)
    for name in names:
        if name not in corpora:
            raise InvalidInput(f"there is no corpus named {name[:64]!r}", known)
        if not _usable(corpora[name]):
            raise InvalidInput(f"the corpus {name} cannot be read", "Its folder is missing or closed; tell the operator.")
    return tuple(str(corpora[name]) for name in names)


def _usable(folder: Path) -> bool:
    try:
        return folder.is_dir() and next(folder.iterdir(), None) is not None
    except OSError:
        return False


def _known(order: Sequence[str], providers: Sequence[str]) -> tuple[str, ...]:
    for name in order:
        if name not in providers:
            raise InvalidInput(f"there is no provider named {name[:64]!r}", f"Choose from: {', '.join(providers)}.")
    return tuple(order)
