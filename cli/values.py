"""Reading the words of the command line: what cannot be parsed is a usage error (2), what makes no sense is invalid (5)."""

from __future__ import annotations

import datetime
import errno
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autonomy.core import wording
from autonomy.core.errors import ConfigurationError, InvalidInput, UsageError
from cli.output import cut, squeezed

if TYPE_CHECKING:
    from autonomy.bootstrap.settings import Settings
    from autonomy.core.types import Budget, TaskSpec

LISTED, MOST = 20, 200
"""Rows of a list where nothing is asked for, and the most."""
OPTIONS = {
    "goal": "GOAL",
    "due_date": "--due",
    "tokens": "--budget-tokens",
    "seconds": "--budget-seconds",
    "usd": "--budget-usd",
}


def number(text: str) -> float:
    """A number; nan and inf are numbers here, and refused later with their reason. Raises ValueError."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"'{cut(squeezed(text), 40)}' is not a number") from None


def whole(text: str) -> float:
    """A whole number of any size; nan, inf and 1e400 pass and are refused later. Raises ValueError."""
    try:
        return int(text)
    except ValueError:
        value = number(text)
    if value == value and abs(value) != float("inf") and value != int(value):
        raise ValueError(f"'{cut(squeezed(text), 40)}' is not a whole number")
    return int(value) if abs(value) < 2**53 else value


def whole_or_none(text: str) -> float | None:
    """A whole number, or "none" for no limit."""
    return None if text == "none" else whole(text)


def number_or_none(text: str) -> float | None:
    """A number, or "none" for no limit."""
    return None if text == "none" else number(text)


def date(text: str | None, option: str = "--due") -> datetime.date | None:
    """YYYY-MM-DD. Raises UsageError for another form, InvalidInput for a day that does not exist."""
    if text is None:
        return None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        raise UsageError(f"{option} '{cut(squeezed(text), 40)}' is not a date", "Write it as YYYY-MM-DD.")
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} {text} does not exist in the calendar", "Check day and month.") from None


def named(text: str, what: str) -> str:
    """A path that says something. Raises InvalidInput for an empty one, which would be the current folder in silence."""
    if not text.strip():
        raise InvalidInput(f"{what} is empty", "Give a path; '.' is the current folder.")
    return os.path.expanduser(text)


def place(text: str, what: str) -> Path:
    """The absolute path of a name. Raises InvalidInput for an empty one."""
    return Path(os.path.abspath(named(text, what)))


def corpora(names: Sequence[str], known: Mapping[str, Path]) -> tuple[str, ...]:
    """Absolute folders of the given names or paths. Raises InvalidInput for what is missing, empty or unreadable."""
    return tuple(str(_folder(name, known)) for name in names)


def _folder(name: str, known: Mapping[str, Path]) -> Path:
    folder = known[name] if name in known else place(name, "the name of the corpus")
    shown = squeezed(name)
    try:
        if not folder.is_dir():
            raise InvalidInput(f"the corpus {shown} {_flaw(folder)}", "Name an existing folder, or a name from [corpora].")
        os.listdir(folder)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "not a usable name").lower()
        raise InvalidInput(f"the corpus {shown} cannot be read: {reason}", "Make the folder readable.") from error
    if not any(files for _, _, files in os.walk(folder)):
        raise InvalidInput(f"the corpus {shown} holds no files", "Put documents into it: PDF, DOCX, HTML, Markdown or text.")
    return folder


def _flaw(path: Path) -> str:
    """Why a path leads to no folder."""
    try:
        path.stat()
    except OSError as error:
        return "is a loop of links" if error.errno == errno.ELOOP else "does not exist"
    return "is not a folder"


def document(name: str | None) -> str | None:
    """The absolute path of a source document. Raises InvalidInput where there is none."""
    if name is None:
        return None
    path = place(name, "--source")
    if not path.is_file():
        raise InvalidInput(f"the source {squeezed(name)} is not a file", "Name the document to work from.")
    return str(path)


def providers(text: str | None, settings: Settings) -> tuple[str, ...]:
    """The asked order; empty leaves it to the configuration. Raises UsageError for a name that is not configured,
    ConfigurationError for one without its key."""
    if text is None:
        return ()
    names = tuple(part.strip() for part in text.split(","))
    known = settings.provider_names()
    for name in names:
        if name not in known:
            variable = settings.missing_key(name)
            if variable is not None:
                raise ConfigurationError(f"provider '{name}' has no key", f"Set {variable}.")
            raise UsageError(f"unknown provider '{cut(squeezed(name), 40)}'", f"Choose from: {', '.join(known)}.")
    for entry in settings.providers:
        if entry.name in names:
            entry.resolve()
    return names


def run_state(word: str) -> str:
    """The state of a run that a word of `run list`, or of its JSON, names. Raises ValueError with the words that are known."""
    state = wording.run_state(word)
    if state is None:
        known = ", ".join(wording.status_word(each) for each in wording.RUN_STATES)
        raise ValueError(f"'{cut(squeezed(word), 40)}' is not one of: {known}")
    return state


def user_id(text: str) -> str:
    """A well-formed user id. Raises InvalidInput."""
    from autonomy.core.clock import is_id

    if not is_id(text):
        raise InvalidInput("the user id must be 1 to 64 letters, digits, '-' or '_'", "Correct it.")
    return text


def priority(value: float) -> int:
    """1 (high) to 10 (low). Raises InvalidInput."""
    if value not in range(1, 11):
        raise InvalidInput(f"--priority must be 1 (high) to 10 (low), not {value:g}", "Leave it out for the default.")
    return int(value)


def task(**fields: Any) -> TaskSpec:
    """The checked task. Raises InvalidInput naming the option."""
    from pydantic import ValidationError

    from autonomy.core.types import TaskSpec

    try:
        return TaskSpec(**fields)
    except ValidationError as error:
        raise _invalid(error.errors()) from None


def budget(**limits: Any) -> Budget:
    """Checked limits; only those given are set. Raises InvalidInput naming the option."""
    from pydantic import ValidationError

    from autonomy.core.types import Budget

    try:
        return Budget(**limits)
    except ValidationError as error:
        raise _invalid(error.errors()) from None


def _invalid(problems: Iterable[Mapping[str, Any]]) -> InvalidInput:
    problem = next(iter(problems))
    name = str(problem["loc"][-1]) if problem["loc"] else "value"
    option = OPTIONS.get(name, f"--{name.replace('_', '-')}")
    reason = str(problem["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    return InvalidInput(f"{option} {reason[0].lower()}{reason[1:]}", "Correct it and try again.")


def between(option: str, value: float, least: int, most: int) -> int:
    """A whole number in an inclusive range. Raises InvalidInput."""
    if not (value == value and least <= value <= most):
        raise InvalidInput(f"{option} must be between {least} and {most}, not {value:g}", "Correct it and try again.")
    return int(value)


def limits(**texts: str | None) -> dict[str, float | None]:
    """The limits that were named; "none" lifts one. Raises UsageError for what is no number."""
    named: dict[str, float | None] = {}
    for name, text in texts.items():
        if text is None:
            continue
        try:
            named[name] = whole_or_none(text) if name == "tokens" else number_or_none(text)
        except ValueError as error:
            raise UsageError(f"--{name} {error}", "Give a number, or 'none' for no limit.") from None
    return named
