"""What a call costs, in whole micro-dollars, and where the figure comes from.

Precedence: what the provider reports, what the configuration says, the offline price catalogue, else unknown. An
unknown price stays unknown; only a provider configured as free costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation

from autonomy.core.llm import CostSource
from autonomy.providers.settings import ProviderSettings

_MICRO = Decimal(1_000_000)
_HIGHEST_USD = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Cost:
    """Micro-dollars and their origin; None where the origin is "unknown"."""

    micro_usd: int | None
    source: CostSource


def reported_micro_usd(value: object) -> int | None:
    """A cost as a provider reported it, in US dollars; None where it is missing or no sensible amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= _HIGHEST_USD:
        return None
    return _whole(amount * _MICRO)


def cost(settings: ProviderSettings, tokens_in: int, tokens_out: int, reported: object = None) -> Cost:
    """The cost of so many tokens at this provider. `reported` is the provider's own figure in US dollars, if any."""
    stated = reported_micro_usd(reported)
    if stated is not None:
        return Cost(stated, "provider")
    if settings.free:
        return Cost(0, "free")
    if settings.prices is not None:
        prices = settings.prices
        return Cost(_whole(tokens_in * prices.input_per_million + tokens_out * prices.output_per_million), "configured")
    listed = _catalogue(settings, tokens_in, tokens_out)
    return Cost(listed, "catalogue") if listed is not None else Cost(None, "unknown")


def _catalogue(settings: ProviderSettings, tokens_in: int, tokens_out: int) -> int | None:
    provider = settings.profile.catalogue
    if provider is None or settings.base_url.rstrip("/") != (settings.profile.base_url or "").rstrip("/"):
        return None  # a model's name says nothing about the price at another address
    from genai_prices import Usage, calc_price

    try:
        price = calc_price(Usage(input_tokens=tokens_in, output_tokens=tokens_out), settings.model, provider_id=provider)
    except LookupError:
        return None
    return _whole(Decimal(price.total_price) * _MICRO)


def _whole(micro_usd: Decimal) -> int:
    return int(micro_usd.to_integral_value(rounding=ROUND_CEILING))
