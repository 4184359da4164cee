"""Every error the toolkit raises on purpose, as one drawn tree.

An error is built from a message (what happened) and a hint (what to do next); both are one line. Only the
command line and the web layer know exit codes and HTTP statuses: they look the class up, most specific first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autonomy.core.llm import Usage


class AutonomyError(Exception):
    """Base of all deliberate errors. `code` is the stable kebab-case name shown to programs."""

    code = "failed"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(AutonomyError):
    """The command's words are off: a value that cannot be parsed or is not one of the choices."""

    code = "usage"


class NotFound(AutonomyError):
    """No such run, task, artifact or document; `candidates` lists near or ambiguous ids."""

    code = "not-found"

    def __init__(self, message: str, hint: str = "", candidates: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.candidates = candidates


class ConfigurationError(AutonomyError):
    """Settings, credentials or the workspace itself cannot be used as they are."""

    code = "configuration"


class FlawedPolicy(ConfigurationError):
    """The operator's policy file cannot be taken as it is: no run begins under half a policy."""

    code = "policy"


class NewerSchema(ConfigurationError):
    """The database was written by a newer release than this one."""

    code = "newer-schema"


class InvalidInput(AutonomyError):
    """A value that parses but makes no sense: blank goal, negative budget, missing folder, malformed id."""

    code = "invalid-input"


class BudgetExceeded(AutonomyError):
    """The next call would go over a limit. `which` is tokens, seconds, usd or killed."""

    code = "budget-exceeded"

    def __init__(self, which: str, limit: float | None, used: float, asked: float) -> None:
        super().__init__(
            f"the {which} budget does not cover the next call (limit {limit}, used {used}, asked {asked})",
            "Start a new run with a higher limit.",
        )
        self.which = which
        self.limit = limit
        self.used = used
        self.asked = asked


class UnknownPrice(BudgetExceeded):
    """A dollar limit stands, and nobody knows what the call costs: it is refused, never taken for free."""

    def __init__(self, provider: str, limit: float, used: float) -> None:
        super().__init__("usd", limit, used, 0.0)
        self.message = f"the usd budget cannot cover a call to {provider}, whose price is unknown"
        self.hint = "Configure its prices (0 for a local model), or run without a usd limit."
        self.args = (self.message,)


class Killed(BudgetExceeded):
    """The operator stopped the run: no call is made any more."""

    def __init__(self) -> None:
        super().__init__("killed", None, 0.0, 0.0)
        self.message = "the run was stopped by its operator"
        self.hint = "Start a new run to go on."
        self.args = (self.message,)


class StepLimitReached(BudgetExceeded):
    """The next call would go over a limit of the plan step itself: the step is given up, the run goes on."""

    def __init__(self, step: str, which: str, limit: float, used: float, asked: float | None) -> None:
        super().__init__(which, limit, used, asked or 0.0)
        price = "of unknown price" if asked is None else f"asked {asked:g}"
        self.message = (
            f"the {which} limit of step {step} does not cover the next call (limit {limit:g}, used {used:g}, {price})"
        )
        self.hint = "The run goes on without the step."
        self.args = (self.message,)


class WaitingForPerson(AutonomyError):
    """The run stands still until a person acts."""

    code = "waiting-for-person"


class ProviderError(AutonomyError):
    """A model, search or embedding service did not give a usable answer."""

    code = "provider"


class ProviderUnavailable(ProviderError):
    """Network trouble, time-out, 429 or 5xx: another try, or another provider, may work.

    `usage` is what the service may bill all the same, None where it surely did no work. `reached` is False where nobody is
    there to be asked: the connection was refused, or no host has that name.
    """

    code = "provider-unavailable"

    def __init__(
        self,
        message: str,
        hint: str = "",
        retry_after: float | None = None,
        usage: Usage | None = None,
        *,
        reached: bool = True,
    ) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after
        self.usage = usage
        self.reached = reached


class ProviderRefused(ProviderError):
    """The service refused the request itself (401, 403, 404, 400): the same request will not do better."""

    code = "provider-refused"


class BadAnswer(ProviderError):
    """The service answered, but not with what was asked for (malformed, wrong schema, empty).

    `usage` is what the service charged for it all the same, where it said so.
    """

    code = "bad-answer"

    def __init__(self, message: str, hint: str = "", usage: Usage | None = None) -> None:
        super().__init__(message, hint)
        self.usage = usage


class PolicyRefused(AutonomyError):
    """A rule of the house says no (held by another, unsafe to repeat, sandbox)."""

    code = "refused"


class HeldByAnother(PolicyRefused):
    """The run's lease is held by a live worker."""

    code = "held"


class AlreadyDecided(PolicyRefused):
    """The task has its decision, and nothing of it waits for another."""

    code = "already-decided"


class AlreadyEnded(PolicyRefused):
    """The run is over: nothing can be asked of it any more."""

    code = "already-ended"


class ChangedMeanwhile(PolicyRefused):
    """The task is no longer at the revision that the caller has seen."""

    code = "changed"


class NotYetBuilt(PolicyRefused):
    """A named route whose capability comes with a later release."""

    code = "not-available"


class LeaseLost(AutonomyError):
    """Another worker holds this job now: stop at once, write nothing."""

    code = "lease-lost"


class StorageError(AutonomyError):
    """The database or the disk refused."""

    code = "storage"


class StorageUnavailable(StorageError):
    """The database cannot be reached, or stayed locked too long."""

    code = "storage-unavailable"


class StorageUnusable(StorageError):
    """Something else stands where a file of the workspace belongs, or this user may not use it: a person must put it right."""

    code = "storage-unusable"


class DiskFull(StorageError):
    """No room left; nothing of the transaction was kept."""

    code = "disk-full"


class CorruptState(StorageError):
    """A stored value cannot be read back; names where it stands."""

    code = "corrupt-state"


class Unserializable(AutonomyError):
    """A value outside the allowlist was about to be stored; names its path."""

    code = "unserializable"


class Unresumable(PolicyRefused):
    """The checkpoint was made by another graph or state version."""

    code = "unresumable"


class Interrupted(AutonomyError):
    """The operator stopped the command."""

    code = "interrupted"
