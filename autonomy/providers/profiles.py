"""The known kinds of provider, those the environment offers, and the way from settings to a port."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from autonomy.core.errors import ConfigurationError
from autonomy.providers.settings import Kind, Prices, Profile, ProviderSettings, Secret, StructuredMode

if TYPE_CHECKING:
    from autonomy.providers.openai_compat import OpenAICompatPort

PROFILES: Mapping[Kind, Profile] = MappingProxyType(
    {
        "openai": Profile(
            kind="openai",
            base_url="https://api.openai.com/v1",
            key_variable="OPENAI_API_KEY",
            default_model="gpt-4.1-mini",
            catalogue="openai",
            cap_field="max_completion_tokens",
        ),
        "openrouter": Profile(
            kind="openrouter",
            base_url="https://openrouter.ai/api/v1",
            key_variable="OPENROUTER_API_KEY",
            default_model="moonshotai/kimi-k2",
            catalogue="openrouter",
            reports_cost=True,
        ),
        "gemini": Profile(
            kind="gemini",
            base_url="https://generativelanguage.googleapis.com/v1beta/openai",
            key_variable="GEMINI_API_KEY",
            default_model="gemini-2.5-flash",
            catalogue="google",
            sends_seed=False,
        ),
        "kimi": Profile(
            kind="kimi",
            base_url="https://api.moonshot.ai/v1",
            key_variable="MOONSHOT_API_KEY",
            default_model="kimi-k2-0905-preview",
            catalogue="moonshotai",
            structured="json_object",
            sends_seed=False,
        ),
        "compatible": Profile(kind="compatible", base_url=None, key_variable=None, default_model=None, catalogue=None),
        "local": Profile(
            kind="local", base_url="http://127.0.0.1:11434/v1", key_variable=None, default_model=None, catalogue=None
        ),
    }
)
"""OpenAI, OpenRouter, Gemini and Kimi by their public addresses; "compatible" is any other service with this API, and
"local" one on this machine (the address is Ollama's)."""


def provider_settings(
    name: str,
    kind: str,
    *,
    model: str | None = None,
    base_url: str | None = None,
    api_key: Secret | None = None,
    prices: Prices | None = None,
    free: bool | None = None,
    stall_seconds: float = 45.0,
    structured: StructuredMode | None = None,
) -> ProviderSettings:
    """Settings filled up from the kind's profile. A local provider is free unless said otherwise.

    Raises ConfigurationError for an unknown kind and where model or address are missing and have no default.
    """
    profile = next((profile for known, profile in PROFILES.items() if known == kind), None)
    if profile is None:
        raise ConfigurationError(f"provider {name!r} has the unknown kind {kind!r}", f"Use one of: {', '.join(PROFILES)}.")
    chosen_model, address = model or profile.default_model, base_url or profile.base_url
    if not chosen_model or not address:
        missing = "model" if not chosen_model else "base_url"
        raise ConfigurationError(f"provider {name!r} has no {missing}", f"Add {missing} to its [[providers]] entry.")
    if not 0 < stall_seconds <= 3600:
        raise ConfigurationError(f"stall_seconds of provider {name!r} is out of range", "Use a number between 0 and 3600.")
    costs_nothing = (profile.kind == "local" and prices is None) if free is None else free
    return ProviderSettings(name, profile, chosen_model, address, api_key, prices, costs_nothing, stall_seconds, structured)


def found(environ: Mapping[str, str]) -> tuple[ProviderSettings, ...]:
    """The providers that the environment's keys offer, named after their kind, in the order of the profiles."""
    offered: list[ProviderSettings] = []
    for kind, profile in PROFILES.items():
        key = environ.get(profile.key_variable, "").strip() if profile.key_variable else ""
        base_url = environ.get("OPENAI_BASE_URL", "").strip() or None if kind == "openai" else None
        if key or base_url:
            offered.append(provider_settings(kind, kind, base_url=base_url, api_key=Secret(key) if key else None))
    return tuple(offered)


def make_port(settings: ProviderSettings) -> OpenAICompatPort:
    """The chat port of a provider; nothing is sent or imported until its first call."""
    from autonomy.providers.openai_compat import OpenAICompatPort

    return OpenAICompatPort(settings)
