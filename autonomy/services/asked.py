"""What a task or a web request asks for, made into a TaskSpec: flat plain data in, checked values out.

Over the web a corpus is a name of `[corpora]`, never a path; only the command line may name folders.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from autonomy.core.errors import InvalidInput
from autonomy.core.types import Budget, TaskSpec

BUDGETS: Final = {"budget_tokens": "tokens", "budget_seconds": "seconds", "budget_usd": "usd"}
FIELDS: Final = (
    "goal", "constraints", "deliverables", "corpus", "source", "length", "style", "min_citations", "target_similarity",
    "due_date", "language", "seed", "provider",
)  # fmt: skip
DEFAULT_JOURNEY: Final = "write"
NO_CORPUS: Final = "no corpus to work from"
BY_OPTION: Final = "Name a folder of documents with --corpus."
EXTRACTIVE: Final = "extractive"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What stands for everything that a request leaves open. `corpus` is a name of `corpora`, or a folder.

    `providers` are those that a request may name: configured, with their key.
    """

    corpora: Mapping[str, Path] = field(default_factory=dict)
    corpus: str | None = None
    budget: Budget = field(default_factory=Budget)
    priority: int = 5
    providers: tuple[str, ...] = (EXTRACTIVE,)

    def without_model(self, named: Sequence[str]) -> bool:
        """Whether no model is asked by a run of this order of providers; an empty one is that of the settings."""
        return set(named or self.providers) <= {EXTRACTIVE}


def check(spec: Mapping[str, Any] | None, *, journey: str | None, goal: str, defaults: Defaults, folders: bool) -> None:
    """Refuse what could not become a run, before anything is written; who names no corpus may be given one later.

    Raises InvalidInput as `resolve` does.
    """
    asked = spec or {}
    corpus = named_folders(asked.get("corpus"), defaults, folders=folders)
    _spec(asked, defaults, journey=journey, goal=goal, corpus=corpus, budget=Budget())


def resolve(
    spec: Mapping[str, Any] | None, *, journey: str | None, goal: str, defaults: Defaults, folders: bool, hint: str = ""
) -> TaskSpec:
    """The TaskSpec with its corpora as absolute folders; `folders` says whether it may name some itself.

    Raises InvalidInput for a malformed field, for a corpus that is not there, and for none: `hint` then says what to do.
    """
    asked = spec or {}
    corpus = named_folders(asked.get("corpus"), defaults, folders=folders)
    if not corpus and defaults.corpus is not None:
        corpus = (str(_folder(defaults.corpus, defaults, folders=True)),)
    if not corpus:
        raise InvalidInput(NO_CORPUS, hint or by_name(defaults))
    return _spec(asked, defaults, journey=journey, goal=goal, corpus=corpus, budget=defaults.budget)


def by_name(defaults: Defaults) -> str:
    """What to do over the web about a corpus that is missing."""
    known = ", ".join(sorted(defaults.corpora)) or "none yet"
    return f"Name one of [corpora] in task_spec.corpus ({known}), or set corpus in [tasks] of autonomy.toml."


def _spec(
    asked: Mapping[str, Any], defaults: Defaults, *, journey: str | None, goal: str, corpus: tuple[str, ...], budget: Budget
) -> TaskSpec:
    unknown = next((name for name in asked if name not in FIELDS and name not in BUDGETS), None)
    if unknown is not None:
        raise InvalidInput(f"task_spec has no field {unknown[:80]!r}", f"Known: {', '.join((*FIELDS, *BUDGETS))}.")
    values = {name: value for name, value in asked.items() if name in FIELDS and value is not None}
    if isinstance(values.get("provider"), str):
        values["provider"] = [part.strip() for part in values["provider"].split(",")]
    limits = budget.model_dump() | {BUDGETS[name]: value for name, value in asked.items() if name in BUDGETS}
    values |= {"goal": values.get("goal", goal), "journey": journey or DEFAULT_JOURNEY, "corpus": corpus, "budget": limits}
    try:
        made = TaskSpec.model_validate(values)
    except ValidationError as error:
        raise _invalid(error) from None
    unknown = next((name for name in made.provider if name not in defaults.providers), None)
    if unknown is not None:
        raise InvalidInput(f"there is no provider named {unknown[:64]!r}", f"Choose from: {', '.join(defaults.providers)}.")
    return made


def named_folders(corpus: Any, defaults: Defaults, *, folders: bool) -> tuple[str, ...]:
    """The folders that one name or several stand for; none where none is named. Raises InvalidInput."""
    if corpus is None:
        return ()
    names = [corpus] if isinstance(corpus, str) else corpus
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise InvalidInput("corpus must be a name or a list of names", "Use names of [corpora].")
    return tuple(str(_folder(name, defaults, folders=folders)) for name in names)


def _folder(name: str, defaults: Defaults, *, folders: bool) -> Path:
    if name in defaults.corpora:
        folder = defaults.corpora[name]
    elif folders and os.path.isabs(name):
        folder = Path(name)
    else:
        known = ", ".join(sorted(defaults.corpora)) or "none yet"
        raise InvalidInput(f"there is no corpus named {name[:80]!r}", f"Names in [corpora] of autonomy.toml: {known}.")
    if not os.path.isdir(folder):
        raise InvalidInput(f"the folder of corpus {name[:200]!r} does not exist", "Correct it in autonomy.toml.")
    return folder


def _invalid(error: ValidationError) -> InvalidInput:
    problem = error.errors(include_input=False, include_url=False)[0]
    backwards = {limit: name for name, limit in BUDGETS.items()}
    place = [str(part) for part in problem["loc"]]
    name = backwards.get(place[-1], place[0]) if place else "task_spec"
    reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return InvalidInput(f"{name}: {reason[0].lower()}{reason[1:]}", "Correct it and try again.")
