"""What can be set, as frozen values: each field carries its default, its bounds and one line of explanation.

These classes are the schema of `autonomy.toml`: `bootstrap.config` reads them to know which keys exist and what a value
may be. Nothing here touches the environment or a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from autonomy.core.errors import ConfigurationError
from autonomy.providers.profiles import PROFILES, provider_settings
from autonomy.providers.settings import Kind, Prices, ProviderSettings, Secret, StructuredMode


def setting(default: Any, about: str, *, least: float | None = None, most: float | None = None) -> Any:
    """A dataclass field with its one line of explanation and its inclusive bounds."""
    return field(default=default, metadata={"about": about, "least": least, "most": most})


@dataclass(frozen=True, slots=True)
class ProviderEntry:
    """One entry of `[[providers]]`, or a service found by its key in the environment."""

    name: str = setting("", "name used by --provider and in every report")
    kind: Kind = setting("compatible", "its dialect; 'compatible' needs base_url and model")  # noqa: RUF009 - it is a field()
    model: str | None = setting(None, "model name sent with each request; each known service has its own default")
    base_url: str | None = setting(None, "address of the API, up to and including /v1")
    api_key: str | None = setting(None, "where the key stands: env:NAME or file:/path, never the key itself")
    price_input: float | None = setting(None, "USD per million input tokens", least=0)
    price_output: float | None = setting(None, "USD per million output tokens", least=0)
    free: bool | None = setting(None, "true for a service that costs nothing, such as one on this machine")
    stall_seconds: float = setting(45.0, "longest silence allowed inside an answer", least=0.1, most=3600)
    structured: StructuredMode | None = setting(None, "how structured answers are asked for")  # noqa: RUF009 - it is a field()
    key: Secret | None = field(default=None, repr=False, metadata={"hidden": True})

    def resolve(self) -> ProviderSettings:
        """The entry filled up from its kind's profile. Raises ConfigurationError where its key is named but absent."""
        from decimal import Decimal

        if self.key is None and self.api_key is not None:
            raise ConfigurationError(
                f"provider '{self.name}' takes its key from {self.api_key}, which holds nothing",
                "Set it, or choose another with --provider (see 'autonomy config show').",
            )
        prices = None
        if self.price_input is not None and self.price_output is not None:
            prices = Prices(Decimal(str(self.price_input)), Decimal(str(self.price_output)))
        return provider_settings(
            self.name, self.kind, model=self.model, base_url=self.base_url, api_key=self.key, prices=prices, free=self.free,
            stall_seconds=self.stall_seconds, structured=self.structured,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """`[budget]`: limits of a run that names none itself; unset means unlimited."""

    tokens: int | None = setting(None, "tokens in and out, all calls together", least=1, most=10**15)
    seconds: float | None = setting(
        3600.0, "seconds of work; bounds a run even where prices are unknown", least=0.001, most=10**9
    )
    usd: float | None = setting(None, "US dollars", least=0, most=10**9)


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """`[queue]`: leases, fairness and attempts."""

    lease_seconds: float = setting(30.0, "job lease; the heartbeat beats at a quarter of it", least=1, most=86_400)
    per_user: int = setting(2, "running jobs per user", least=1, most=10_000)
    priority: int = setting(5, "priority of a new run, 1 high to 10 low", least=1, most=10)
    max_attempts: int = setting(5, "claims of a job before it ends as failed", least=1, most=1000)


@dataclass(frozen=True, slots=True)
class MemorySettings:
    """`[memory]`: how documents are read and embedded."""

    embedder: str = setting("hash", "'hash' (built in) or 'openai' for any OpenAI-compatible /embeddings")
    embedding_model: str = setting("", "model of the embedding service")
    embedding_url: str | None = setting(None, "address of the embedding service, up to and including /v1")
    embedding_key: str | None = setting(None, "where its key stands: env:NAME or file:/path")
    max_file_mb: int = setting(256, "a larger file is reported and skipped", least=1, most=1 << 20)
    parse_seconds: float = setting(120.0, "longest time for reading one file", least=0.1, most=86_400)
    parse_memory_mb: int = setting(512, "memory of the process that reads files", least=64, most=1 << 20)
    key: Secret | None = field(default=None, repr=False, metadata={"hidden": True})


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """`[runtime]`: how a run is worked."""

    durability: Literal["strict", "behind"] = setting("strict", "'behind' acknowledges at most one step early, for speed")
    parallel_calls: int = setting(1, "provider calls a run makes at once", least=1, most=64)
    requests_per_call: int = setting(4, "requests per call and provider, retries included", least=1, most=20)


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """`[sandbox]`: limits of generated code."""

    timeout_seconds: float = setting(30.0, "wall time of one execution", least=0.1, most=3600)
    memory_mb: int = setting(512, "memory of one execution", least=16, most=1 << 20)


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """`[serve]`: the web API."""

    host: str = setting("127.0.0.1", "address to listen on")
    port: int = setting(8000, "port to listen on", least=0, most=65_535)
    workers_inline: int = setting(1, "runs worked at once inside the server process; 0: none", least=0, most=64)
    allow_hosts: tuple[str, ...] = setting((), "names in the Host header beyond localhost and addresses in figures")
    streams: int = setting(2000, "event streams open at once", least=1, most=100_000)
    streams_per_user: int = setting(1000, "event streams of one user open at once", least=1, most=100_000)


@dataclass(frozen=True, slots=True)
class TasksSettings:
    """`[tasks]`: tasks that people decide."""

    corpus: str | None = setting(None, "corpus of a task that names none: a name of [corpora], or a folder")
    dispatches: int = setting(2, "times that a task is worked before a person must look at it", least=1, most=20)


@dataclass(frozen=True, slots=True)
class ToolsSettings:
    """`[tools]`: what ingested tools may reach."""

    allow_hosts: tuple[str, ...] = setting((), "hosts beyond public addresses")


@dataclass(frozen=True, slots=True)
class TurnitinSettings:
    """`[turnitin]`: similarity reports."""

    fetch_hosts: tuple[str, ...] = setting((), "hosts a report may be fetched from")


@dataclass(frozen=True, slots=True)
class GithubSettings:
    """`[github]`: what GitHub's webhooks may change; the endpoint exists when WEBHOOK_SECRET is set."""

    repos: tuple[str, ...] = setting((), "OWNER/NAME of the repositories that are heard; unset: every one that signs")
    issues: bool = setting(True, "whether an issue that is opened becomes a task")
    user: str = setting("local", "the user whose tasks they become")


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """`[telegram]`: whose messages become tasks; the endpoint exists when TELEGRAM_SECRET is set, polling needs BOT_TOKEN."""

    chats: tuple[str, ...] = setting((), "ids of the chats that are heard; unset: every one that writes to the bot")
    user: str = setting("local", "the user whose tasks they become")
    api_url: str = setting("https://api.telegram.org", "address of the Bot API")
    server: str | None = setting(None, "address of the server that 'telegram poll' hands messages to; unset: none")


SECTIONS: Mapping[str, type] = {
    "budget": BudgetSettings,
    "github": GithubSettings,
    "queue": QueueSettings,
    "memory": MemorySettings,
    "runtime": RuntimeSettings,
    "sandbox": SandboxSettings,
    "serve": ServeSettings,
    "tasks": TasksSettings,
    "telegram": TelegramSettings,
    "tools": ToolsSettings,
    "turnitin": TurnitinSettings,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set. `home` is absolute; `corpora` maps a name to an absolute folder.

    `origins` maps a dotted key ("queue.lease_seconds") to where its value came from.
    """

    home: Path
    database_url: str
    budget: BudgetSettings = BudgetSettings()
    github: GithubSettings = GithubSettings()
    queue: QueueSettings = QueueSettings()
    memory: MemorySettings = MemorySettings()
    runtime: RuntimeSettings = RuntimeSettings()
    sandbox: SandboxSettings = SandboxSettings()
    serve: ServeSettings = ServeSettings()
    tasks: TasksSettings = TasksSettings()
    telegram: TelegramSettings = TelegramSettings()
    tools: ToolsSettings = ToolsSettings()
    turnitin: TurnitinSettings = TurnitinSettings()
    providers: tuple[ProviderEntry, ...] = ()
    corpora: Mapping[str, Path] = field(default_factory=dict)
    admin_token: Secret | None = field(default=None, repr=False)
    webhook_secret: Secret | None = field(default=None, repr=False)
    turnitin_secret: Secret | None = field(default=None, repr=False)
    bot_token: Secret | None = field(default=None, repr=False)
    telegram_secret: Secret | None = field(default=None, repr=False)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False)

    def provider_names(self) -> tuple[str, ...]:
        """Names in the configured order; the built-in extractive writer is always last."""
        return (*(provider.name for provider in self.providers), "extractive")

    def secrets(self) -> tuple[str, ...]:
        """Every credential that is held here, the longest first: none of them may reach a log, an event or an answer."""
        from urllib.parse import unquote, urlsplit

        from autonomy.audit.redact import SHORTEST_SECRET

        held = [entry.key for entry in self.providers] + [
            self.admin_token, self.webhook_secret, self.bot_token, self.telegram_secret, self.turnitin_secret, self.memory.key,
        ]  # fmt: skip
        texts = {secret.reveal() for secret in held if secret is not None}
        if self.bot_token is not None:  # what stands behind the bot's public number is a secret alone
            texts.add(self.bot_token.reveal().partition(":")[2])
        password = urlsplit(self.database_url).password
        if password:
            texts |= {password, unquote(password)}
        return tuple(sorted((text for text in texts if len(text) >= SHORTEST_SECRET), key=len, reverse=True))

    def missing_key(self, name: str) -> str | None:
        """The variable whose key would offer the provider of that name; None where it is offered, or no key would do."""
        if name in self.provider_names():
            return None
        return next((profile.key_variable for kind, profile in PROFILES.items() if kind == name), None)
