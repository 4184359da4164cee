"""The one place that knows exit codes: an error's class decides, the most specific first."""

from __future__ import annotations

import sys
from typing import Any

from autonomy.core import errors
from cli.output import RED, Output, plain

OK, FAILED, USAGE, MISSING, CONFIGURATION, INVALID, BUDGET, WAITING, UNAVAILABLE, REFUSED, INTERRUPTED = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 130,
)  # fmt: skip

EXIT_CODES: dict[type[errors.AutonomyError], int] = {
    errors.UsageError: USAGE,
    errors.NotFound: MISSING,
    errors.ConfigurationError: CONFIGURATION,
    errors.InvalidInput: INVALID,
    errors.BudgetExceeded: BUDGET,
    errors.WaitingForPerson: WAITING,
    errors.ProviderRefused: CONFIGURATION,
    errors.ProviderError: UNAVAILABLE,
    errors.StorageUnavailable: UNAVAILABLE,
    errors.StorageUnusable: CONFIGURATION,
    errors.PolicyRefused: REFUSED,
    errors.Interrupted: INTERRUPTED,
    errors.AutonomyError: FAILED,
}
OUTCOMES = {"delivered": OK, "budget_exceeded": BUDGET, "target_not_reached": FAILED, "failed": FAILED, "aborted": FAILED}


def exit_code(error: errors.AutonomyError) -> int:
    """The code of the nearest class up the tree that has one."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)


def ended_code(status: str, outcome: str | None, error: errors.AutonomyError | str | None = None) -> int:
    """The code of a run that was worked in the foreground and stopped there. `error` is what made it fail, as it was raised
    or as it is stored, with the name of its kind in front: of those, only a provider that never answered is told apart."""
    if status in ("waiting_human", "paused"):
        return WAITING
    kind = error.partition(":")[0] if isinstance(error, str) else None if error is None else error.code
    if status == "failed" and kind == errors.ProviderUnavailable.code:
        return UNAVAILABLE
    return OUTCOMES.get(outcome or status, FAILED)


def document(error: errors.AutonomyError) -> dict[str, Any]:
    """The error as programs see it."""
    body: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
    if isinstance(error, errors.NotFound) and error.candidates:
        body["candidates"] = list(error.candidates)
    return {"error": body}


def report(error: errors.AutonomyError, out: Output) -> int:
    """One line on stderr that says what to do next; under --json a document on stdout as well. Returns the exit code."""
    line = str(error)
    if isinstance(error, errors.NotFound) and error.candidates and not any(name in line for name in error.candidates):
        line = f"{line.rstrip('.')}. Candidates: {', '.join(error.candidates)}"
    if out.json:
        out.document(document(error))
    out.say(f"{out.paint_err('error:', RED, 1)} {plain(line)}")
    return exit_code(error)


def foreign(error: BaseException) -> errors.AutonomyError:
    """An error nobody foresaw, as one of ours: named, short, with the way to its details."""
    if isinstance(error, MemoryError):
        return errors.AutonomyError("the process ran out of memory", "Give it more, or a smaller corpus.")
    if isinstance(error, RecursionError):
        return errors.AutonomyError("the input is nested too deeply", "Simplify it, or run again with --debug for details.")
    text = str(error).splitlines()[0] if str(error) else ""
    kind = type(error).__name__
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        text, kind = f"{where}{(error.strerror or kind).lower()}", "the system refused"
    if isinstance(error, PermissionError):
        hint = "Get access to it from its owner, or set AUTONOMY_HOME to a folder of yours."
        return errors.ConfigurationError(f"{kind}: {text}", hint)
    return errors.AutonomyError(f"{kind}: {text}" if text else kind, "Run it again with --debug for details.")


def flush_streams(out: Output, code: int) -> int:
    """Write what is still buffered; the code is FAILED when an answer could not be written (such as on a full disk)."""
    try:
        sys.stdout.flush()
    except errors.StorageError as error:
        return report(error, out)
    return code
