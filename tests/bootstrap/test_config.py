"""Settings: precedence, origins, and every way a file or a variable can be wrong."""

from __future__ import annotations

import dataclasses
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from autonomy.bootstrap import config
from autonomy.bootstrap.settings import SECTIONS, ProviderEntry, Settings
from autonomy.core.errors import ConfigurationError


class Place:
    """A workspace and a user's configuration folder, with the environment that points to them."""

    def __init__(self, root: Path) -> None:
        self.home = root / "workspace"
        self.home.mkdir()
        self.user = root / "settings" / "autonomy" / "config.toml"
        self.user.parent.mkdir(parents=True)
        self.environ = {"AUTONOMY_HOME": str(self.home), "XDG_CONFIG_HOME": str(root / "settings")}

    def project(self, text: str) -> None:
        (self.home / "autonomy.toml").write_text(text, "utf-8")

    def load(self, flags: dict[str, Any] | None = None, **environ: str) -> Settings:
        return config.load({**self.environ, **environ}, flags)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_flag_beats_variable_beats_project_file_beats_user_file_beats_default(place: Place) -> None:
    def read(**environ: str) -> tuple[int, str]:
        settings = place.load(flags, **environ)
        return settings.queue.per_user, settings.origins["queue.per_user"]

    flags: dict[str, Any] = {}
    assert read() == (2, "default")
    place.user.write_text("[queue]\nper_user = 3\n", "utf-8")
    assert read() == (3, f"user file {place.user}")
    place.project("[queue]\nper_user = 4\n")
    assert read() == (4, f"project file {place.home / 'autonomy.toml'}")
    assert read(AUTONOMY_QUEUE__PER_USER="5") == (5, "variable AUTONOMY_QUEUE__PER_USER")
    flags["queue.per_user"] = 6
    assert read(AUTONOMY_QUEUE__PER_USER="5") == (6, "flag")


def test_a_key_set_in_one_file_leaves_the_others_of_its_section_alone(place: Place) -> None:
    place.user.write_text("[budget]\ntokens = 1000\nusd = 1.5\n", "utf-8")
    place.project("[budget]\nusd = 2\n")
    budget = place.load().budget
    assert (budget.tokens, budget.usd, budget.seconds) == (1000, 2.0, 3600.0)


def test_the_lease_has_a_variable_of_its_own(place: Place) -> None:
    assert place.load(AUTONOMY_LEASE_SECONDS="2.5").queue.lease_seconds == 2.5


def test_every_value_has_an_origin(place: Place) -> None:
    settings = place.load(OPENAI_API_KEY="k")
    for name, schema in SECTIONS.items():
        for field in dataclasses.fields(schema):
            if "hidden" not in field.metadata:
                assert settings.origins[f"{name}.{field.name}"] == "default"
                assert field.metadata["about"]
    assert settings.origins["home"] == "variable AUTONOMY_HOME"
    assert settings.origins["providers.openai"] == "variable OPENAI_API_KEY"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[queu]\n", "unknown key 'queu'"),
        ("[queue]\nper_usr = 3\n", "[queue]: unknown key 'per_usr'"),
        ("[queue]\nper_user = 'two'\n", "[queue] per_user must be a whole number, not 'two'"),
        ("[queue]\nper_user = true\n", "must be a whole number"),
        ("[queue]\nper_user = 0\n", "at least 1"),
        ("[budget]\nusd = nan\n", "finite"),
        ("[budget]\nusd = inf\n", "finite"),
        ("[budget]\nusd = -1\n", "at least 0"),
        ("[budget]\nusd = 1e400\n", "finite"),
        ("[runtime]\ndurability = 'stict'\n", "must be one of strict, behind"),
        ("queue = 3\n", "[queue] must be a table"),
        ("[queue\n", "not valid TOML"),
        ("corpora = ['x']\n", "[corpora] must be a table"),
        ("[corpora]\nx = 3\n", "must map a plain name to a folder"),
        ("providers = 3\n", "must be a list of tables"),
        ("[[providers]]\nmodel = 'm'\n", "'name' must be a plain name"),
        ("[[providers]]\nname = 'extractive'\n", "other than 'extractive'"),
        ("[[providers]]\nname = 'a'\n", "needs base_url"),
        ("[[providers]]\nname = 'a'\nbase_url = 'http://h/v1'\n", "needs model"),
        ("[[providers]]\nname = 'a'\nbase_url = 'ftp://h'\nmodel = 'm'\n", "http:// or https://"),
        ("[[providers]]\nname = 'a'\nbase_url = 'http://'\nmodel = 'm'\n", "and name a host"),
        ("[[providers]]\nname = 'a'\nbase_url = 'http://[1'\nmodel = 'm'\n", "and name a host"),
        ("[tasks]\ncorpus = ''\n", "[tasks] corpus is empty"),
        ("[[providers]]\nname = 'openai'\napi_key = 'sk-123'\n", "must be env:NAME or file:/path"),
        ("[[providers]]\nname = 'openai'\nprice_input = 1\n", "belong together"),
        ("[[providers]]\nname = 'openai'\n[[providers]]\nname = 'openai'\n", "two entries are named 'openai'"),
        ("[[providers]]\nname = 'openai'\nmodle = 'm'\n", "unknown key 'modle'"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_by_file_key_and_reason(place: Place, text: str, said: str) -> None:
    place.project(text)
    with pytest.raises(ConfigurationError) as caught:
        place.load()
    assert said in caught.value.message
    assert str(place.home / "autonomy.toml") in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_a_typo_is_answered_with_what_was_probably_meant(place: Place) -> None:
    place.project("[queue]\nlease_second = 3\n")
    with pytest.raises(ConfigurationError, match="Did you mean 'lease_seconds'"):
        place.load()


def test_a_mistyped_variable_is_an_error_too(place: Place) -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'AUTONOMY_QUEUE__PER_USER'"):
        place.load(AUTONOMY_QUEUE__PER_USR="3")
    with pytest.raises(ConfigurationError, match="AUTONOMY_LEASE_SECONDS must be a number, not 'soon'"):
        place.load(AUTONOMY_LEASE_SECONDS="soon")


def test_a_file_that_is_not_utf8_is_refused(place: Place) -> None:
    (place.home / "autonomy.toml").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        place.load()


def test_a_folder_in_place_of_the_file_is_refused(place: Place) -> None:
    (place.home / "autonomy.toml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        place.load()


def test_providers_are_found_in_the_environment_by_their_keys(place: Place) -> None:
    settings = place.load(OPENAI_API_KEY="a", OPENROUTER_API_KEY="b", GEMINI_API_KEY="c", MOONSHOT_API_KEY="d")
    assert settings.provider_names() == ("openai", "openrouter", "gemini", "kimi", "extractive")
    assert [entry.resolve().api_key.reveal() for entry in settings.providers] == ["a", "b", "c", "d"]  # type: ignore[union-attr]


@pytest.mark.parametrize("url", ["notaurl", "ftp://h/v1", "http:///v1", "http://[1"])
@pytest.mark.parametrize("more", ["", "[[providers]]\nname = 'openai'\n"])
def test_an_address_of_the_environment_is_held_to_the_same_as_one_of_the_file(place: Place, url: str, more: str) -> None:
    place.project(more)
    with pytest.raises(ConfigurationError, match="must begin with http:// or https://"):
        place.load(OPENAI_API_KEY="k", OPENAI_BASE_URL=url)


def test_without_keys_there_is_the_extractive_writer(place: Place) -> None:
    assert place.load().provider_names() == ("extractive",)


def test_a_configured_provider_stands_before_those_of_the_environment_and_keeps_its_name(place: Place) -> None:
    place.project('[[providers]]\nname = "desk"\nkind = "local"\nmodel = "m"\n[[providers]]\nname = "openai"\nmodel = "big"\n')
    settings = place.load(OPENAI_API_KEY="a", GEMINI_API_KEY="c", OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert settings.provider_names() == ("desk", "openai", "gemini", "extractive")
    openai = settings.providers[1].resolve()
    assert (openai.model, openai.base_url) == ("big", "http://127.0.0.1:9/v1")
    assert settings.providers[0].resolve().free


def test_the_project_file_wins_over_the_user_file_by_provider_name(place: Place) -> None:
    place.user.write_text('[[providers]]\nname = "openai"\nmodel = "user"\n[[providers]]\nname = "gemini"\n', "utf-8")
    place.project('[[providers]]\nname = "openai"\nmodel = "project"\n')
    settings = place.load()
    assert [(entry.name, entry.model) for entry in settings.providers] == [
        ("openai", "project"),
        ("gemini", "gemini-2.5-flash"),
    ]


def test_a_key_comes_from_a_file_beside_the_settings_and_never_shows(place: Place) -> None:
    (place.home / "key").write_text("top-secret\n", "utf-8")
    place.project('[[providers]]\nname = "openai"\napi_key = "file:key"\n')
    settings = place.load(AUTONOMY_ADMIN_TOKEN="admin-secret")
    assert settings.providers[0].resolve().api_key.reveal() == "top-secret"  # type: ignore[union-attr]
    shown = repr(settings) + str(settings.providers[0].key) + f"{settings.admin_token}"
    assert "top-secret" not in shown
    assert "admin-secret" not in shown


def test_a_named_key_that_is_absent_is_an_error_only_when_the_provider_is_used(place: Place) -> None:
    place.project('[[providers]]\nname = "openai"\napi_key = "env:NOT_SET"\n')
    entry = place.load().providers[0]
    with pytest.raises(ConfigurationError, match="env:NOT_SET, which holds nothing"):
        entry.resolve()


def test_prices_become_exact_decimals(place: Place) -> None:
    place.project('[[providers]]\nname = "openai"\nprice_input = 0.15\nprice_output = 0.6\n')
    prices = place.load(OPENAI_API_KEY="k").providers[0].resolve().prices
    assert prices is not None
    assert (str(prices.input_per_million), str(prices.output_per_million)) == ("0.15", "0.6")


def test_corpora_are_folders_relative_to_the_file_that_names_them(place: Place) -> None:
    place.project('[corpora]\nmanuals = "docs/manuals"\n')
    assert place.load().corpora == {"manuals": place.home / "docs" / "manuals"}


def test_the_database_stands_in_the_workspace_unless_a_url_says_otherwise(place: Place) -> None:
    from autonomy.storage.database import parse_url

    assert parse_url(place.load().database_url)[1] == place.home / "autonomy.db"
    assert parse_url(place.load(AUTONOMY_DATABASE_URL="sqlite:///other.db").database_url)[1] == place.home / "other.db"
    assert parse_url(place.load(AUTONOMY_DATABASE_URL="sqlite:////srv/a.db").database_url)[1] == Path("/srv/a.db")
    assert place.load(AUTONOMY_DATABASE_URL="postgresql://u:p@h/d").database_url == "postgresql://u:p@h/d"
    for wrong in ("mysql://h/d", "sqlite://", "nonsense"):
        with pytest.raises(ConfigurationError, match="neither sqlite"):
            place.load(AUTONOMY_DATABASE_URL=wrong)


def test_a_database_url_that_is_none_is_refused_without_showing_it(place: Place) -> None:
    with pytest.raises(ConfigurationError, match="neither sqlite") as caught:
        place.load(AUTONOMY_DATABASE_URL="postgresql://u:hidden@[h/d")
    assert "hidden" not in str(caught.value)


def test_a_workspace_with_odd_characters_keeps_its_name_in_the_url(tmp_path: Path) -> None:
    from autonomy.storage.database import parse_url

    home = tmp_path / "a b%20?#ü"
    home.mkdir()
    assert parse_url(config.load({"AUTONOMY_HOME": str(home)}).database_url)[1] == home / "autonomy.db"


def test_the_workspace_defaults_to_the_current_folder(tmp_path: Path) -> None:
    settings = config.load({"AUTONOMY_HOME": ""}, cwd=tmp_path)
    assert settings.home == tmp_path
    assert settings.origins["home"] == "default (current folder)"


def test_passwords_in_urls_are_masked() -> None:
    assert config.masked_url("postgresql://u:p%40ss@h/d") == "postgresql://u:****@h/d"
    assert config.masked_url("sqlite:////a/b.db") == "sqlite:////a/b.db"
    assert (
        config.masked_url("postgresql://h/d?sslmode=require&password=p%40ss")
        == "postgresql://h/d?sslmode=require&password=****"
    )
    assert config.masked_url("postgresql://h/d?sslpassword=x&user=u") == "postgresql://h/d?sslpassword=****&user=u"
    assert config.masked_url("https://h/v1?api-key=abc#f") == "https://h/v1?api-key=****#f"


def test_a_missing_workspace_is_made(tmp_path: Path) -> None:
    config.check_workspace(tmp_path / "new" / "place")
    assert (tmp_path / "new" / "place").is_dir()


def test_a_file_or_a_loop_of_links_is_no_workspace(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", "utf-8")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere" / "deep")
    for name, why in (("file", "not a directory"), ("loop", "a loop of links"), ("loop/below", "a loop of links"),
                      ("dangling", "a link to a folder that does not exist"), ("file/below", "not a directory")):  # fmt: skip
        with pytest.raises(ConfigurationError, match=f"cannot be used: .*{why}"):
            config.check_workspace(tmp_path / name)


def test_a_loop_of_links_as_home_is_left_to_the_workspace_check(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    settings = config.load({"AUTONOMY_HOME": str(tmp_path / "loop")})
    with pytest.raises(ConfigurationError, match="cannot be used"):
        config.check_workspace(settings.home)


def test_a_workspace_without_write_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # the suite may run as root, whom no mode stops
    with pytest.raises(ConfigurationError, match="cannot be written"):
        config.check_workspace(tmp_path)


def test_the_kinds_of_providers_are_those_the_adapters_know() -> None:
    import typing

    from autonomy.providers.profiles import PROFILES

    hint = typing.get_type_hints(ProviderEntry)["kind"]
    assert set(typing.get_args(hint)) == set(PROFILES)


def test_every_setting_is_documented_as_it_is() -> None:
    docs = Path(__file__).parents[2] / "docs"
    spec = importlib.util.spec_from_file_location("settings_page", docs / "settings.py")
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert (docs / "settings.md").read_text("utf-8") == writer.page()


def test_the_page_of_settings_calls_unused_what_nothing_uses_and_nothing_else() -> None:
    root = Path(__file__).parents[2]
    code = "".join(path.read_text("utf-8") for room in ("autonomy", "cli") for path in (root / room).rglob("*.py"))
    used = {name for name in SECTIONS if re.search(rf"settings\.{name}\b", code)}
    (sentence,) = re.findall(r"[^.]*are read and checked already", (root / "docs" / "settings.md").read_text("utf-8"))
    assert set(re.findall(r"`\[(\w+)\]`", sentence)) == set(SECTIONS) - used
