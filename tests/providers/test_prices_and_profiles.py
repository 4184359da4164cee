"""Prices with their origin, token estimates, profiles, and providers that the environment offers."""

from __future__ import annotations

import dataclasses
import logging
import os
import pickle
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.core.errors import ConfigurationError
from autonomy.providers.openai_errors import retry_after, scrub
from autonomy.providers.pricing import cost, reported_micro_usd
from autonomy.providers.profiles import found, provider_settings
from autonomy.providers.quiet import quieten
from autonomy.providers.settings import Prices, ProviderSettings, Secret
from autonomy.providers.tokens import estimate

PRICES = Prices(Decimal("0.15"), Decimal("0.60"))


def settings(kind: str = "openai", **options: object) -> ProviderSettings:
    return provider_settings("p", kind, **{"model": "gpt-4o-mini", **options})  # type: ignore[arg-type]


def test_a_reported_price_beats_a_configured_one_and_that_the_catalogue() -> None:
    configured = settings(prices=PRICES)
    assert cost(configured, 1000, 500, reported=0.0123) == cost(settings(), 1, 1, reported="0.0123")
    assert (cost(configured, 1000, 500, 0.0123).micro_usd, cost(configured, 1000, 500, 0.0123).source) == (12300, "provider")
    assert (cost(configured, 1000, 500).micro_usd, cost(configured, 1000, 500).source) == (450, "configured")
    assert (cost(settings(), 1000, 500).micro_usd, cost(settings(), 1000, 500).source) == (450, "catalogue")


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-4.1-mini"),
        ("openrouter", "moonshotai/kimi-k2"),
        ("gemini", "gemini-2.5-flash"),
        ("kimi", "kimi-k2-0905-preview"),
    ],
)
def test_every_default_model_has_a_price(kind: str, model: str) -> None:
    priced = provider_settings("p", kind)
    assert priced.model == model
    known = cost(priced, 1000, 1000)
    assert known.source == "catalogue"
    assert known.micro_usd is not None
    assert known.micro_usd > 0


def test_an_unknown_model_or_another_address_has_no_price_and_never_zero() -> None:
    for odd in (
        settings(model="no-such-model"),
        settings(base_url="http://127.0.0.1:9/v1"),
        settings("compatible", base_url="http://h/v1"),
    ):
        assert (cost(odd, 1000, 500).micro_usd, cost(odd, 1000, 500).source) == (None, "unknown")


def test_only_a_free_provider_costs_nothing() -> None:
    local = provider_settings("mine", "local", model="m")
    assert (cost(local, 10**6, 10**6).micro_usd, cost(local, 10**6, 10**6).source) == (0, "free")
    assert provider_settings("mine", "local", model="m", prices=PRICES).free is False
    assert provider_settings("mine", "local", model="m", free=False).free is False


def test_a_fraction_of_a_micro_dollar_is_rounded_up() -> None:
    assert cost(settings(prices=Prices(Decimal("0.01"), Decimal(0))), 1, 0).micro_usd == 1


@pytest.mark.parametrize("value", ["nan", "inf", -1, "much", True, None, [], {}, float("nan"), "1e999999999", 10**12])
def test_a_reported_price_that_is_no_sensible_amount_counts_as_none(value: object) -> None:
    assert reported_micro_usd(value) is None


@given(st.text(max_size=300))
def test_an_estimate_is_at_least_a_quarter_of_the_letters_and_at_most_the_bytes(text: str) -> None:
    octets = len(text.encode("utf-8", "replace"))
    assert min(octets, len(text) / 4) <= estimate(text) <= octets


def test_chinese_counts_a_token_and_a_half_a_letter() -> None:
    assert estimate("潮汐" * 100) >= 300
    assert 250 <= estimate("four" * 250) <= 320


def test_a_secret_does_not_show_itself() -> None:
    key = Secret("sk-very-secret")
    held = settings(api_key=key)
    shown = f"{key} {key!r} {held} {dataclasses.asdict(held)} {[key]}"
    assert "very" not in shown
    assert key.reveal() == "sk-very-secret"
    assert key == Secret("sk-very-secret")
    assert key != "sk-very-secret"
    with pytest.raises(TypeError):
        pickle.dumps(key)


def test_the_environment_offers_providers_named_after_their_kind() -> None:
    environ = {
        "OPENAI_API_KEY": "a",
        "OPENROUTER_API_KEY": "b",
        "GEMINI_API_KEY": "c",
        "MOONSHOT_API_KEY": "d",
        "UNRELATED": "e",
    }
    offered = found(environ)
    assert [provider.name for provider in offered] == ["openai", "openrouter", "gemini", "kimi"]
    assert [provider.api_key.reveal() for provider in offered if provider.api_key] == ["a", "b", "c", "d"]
    assert found({}) == ()
    assert found({"OPENAI_API_KEY": "  "}) == ()


def test_a_base_url_alone_offers_a_provider_without_a_key() -> None:
    (offered,) = found({"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"})
    assert offered.name == "openai"
    assert offered.base_url == "http://127.0.0.1:8000/v1"
    assert offered.api_key is None


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "nonsense"},
        {"kind": "compatible"},
        {"kind": "compatible", "model": "m"},
        {"kind": "local"},
        {"kind": "openai", "stall_seconds": 0.0},
        {"kind": "openai", "stall_seconds": float("nan")},
    ],
)
def test_settings_that_cannot_work_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        provider_settings("p", **options)  # type: ignore[arg-type]
    assert caught.value.hint


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 40.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, 0.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "1e300"}, 86_400.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "later"}, None),
        ({"retry-after": "Mon, 99 Foo 0000"}, None),
        ({}, None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_and_bounded(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers, now=60.0) == expected


@pytest.mark.parametrize(
    "said",
    ["key sk-abc123def", "Bearer abc.def", "AIzaSyA-12345678", "https://u:p@host/x?key=1", "bot123:AA-bb", "mine-own-key"],
)
def test_a_providers_words_are_scrubbed(said: str) -> None:
    shown = scrub(f"trouble with {said}\nand\x00more " + "x" * 500, settings(api_key=Secret("mine-own-key")))
    assert shown.startswith("trouble with")
    assert said.split()[-1] not in shown
    assert len(shown) <= 160
    assert shown.isprintable()


def test_http_loggers_and_inherited_tracing_are_silenced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    logger = logging.getLogger("httpx2")
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    quieten()
    assert os.environ["LANGSMITH_TRACING"] == "false"
    assert not logging.getLogger("httpx2").isEnabledFor(logging.INFO)
    assert not logging.getLogger("openai").isEnabledFor(logging.INFO)
