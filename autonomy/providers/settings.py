"""What one provider is: where it stands, which model, what it costs, how its API differs. Read once, handed down."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

StructuredMode = Literal["json_schema", "json_object", "prompt"]
STRUCTURED_MODES: tuple[StructuredMode, ...] = ("json_schema", "json_object", "prompt")

Kind = Literal["openai", "openrouter", "gemini", "kimi", "compatible", "local"]


class Secret:
    """A credential that does not show itself: not in repr, str, format, nor in a dataclass that holds it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The credential itself; only for the header it belongs into."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __deepcopy__(self, memo: object) -> Secret:
        return self  # so that a dataclass holding it can be shown as a dict

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not stored or sent")


@dataclass(frozen=True, slots=True)
class Prices:
    """Configured prices in US dollars for a million tokens, which is micro-dollars for one."""

    input_per_million: Decimal
    output_per_million: Decimal


@dataclass(frozen=True, slots=True)
class Profile:
    """How one kind of provider differs from the others.

    `catalogue` is its name in the price catalogue, None where prices cannot be known from the model's name.
    `reports_cost` asks for the price in the usage block; others answer an unknown field with a 400.
    """

    kind: Kind
    base_url: str | None
    key_variable: str | None
    default_model: str | None
    catalogue: str | None
    structured: StructuredMode = "json_schema"
    cap_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reports_cost: bool = False
    sends_seed: bool = True


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One configured provider. `prices` override the catalogue; `free` means a known price of zero (own machine).

    `stall_seconds` is the longest silence allowed inside a streamed answer. `structured` None leaves it to the profile.
    """

    name: str
    profile: Profile
    model: str
    base_url: str
    api_key: Secret | None = None
    prices: Prices | None = None
    free: bool = False
    stall_seconds: float = 45.0
    structured: StructuredMode | None = None
