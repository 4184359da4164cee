"""Settings, read once: flag beats variable beats project file beats user file beats default.

A misspelt key or an impossible value is an error that names the file, the key and what was probably meant; nothing is
ignored in silence. Every value remembers its origin, so that `config show` can print it. Only this module reads the
environment. Standard library alone (tomllib, dataclasses): a start must not cost more than the command it serves.
"""

from __future__ import annotations

import dataclasses
import errno
import math
import os
import re
import sys
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote, urlsplit

from autonomy.bootstrap.settings import SECTIONS, ProviderEntry, Settings
from autonomy.core.errors import ConfigurationError
from autonomy.providers.profiles import PROFILES, found
from autonomy.providers.settings import Kind, Secret

PROJECT_FILE = "autonomy.toml"
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SECRET_IN_QUERY = re.compile(r"(?i)([?&][\w.-]*(?:password|secret|token|key)=)[^&#]*")
PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "SYSTEMROOT")
"""Of the environment, what a child process needs to start."""
NO_ADDRESS = "must begin with http:// or https://, and name a host"
SHORT_VARIABLES = {"AUTONOMY_LEASE_SECONDS": ("queue", "lease_seconds")}
"""Variables with a name of their own; every other key has AUTONOMY_<SECTION>__<KEY>."""
SECRET_VARIABLES = {
    "admin_token": "AUTONOMY_ADMIN_TOKEN",
    "webhook_secret": "WEBHOOK_SECRET",
    "bot_token": "BOT_TOKEN",
    "telegram_secret": "TELEGRAM_SECRET",
    "turnitin_secret": "TURNITIN_SECRET",
}
"""Credentials that stand in the environment alone; empty is as good as unset."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of values, already parsed; `origin` is how it is named to people."""

    origin: str
    values: Mapping[str, Any]
    folder: Path


def load(environ: Mapping[str, str], flags: Mapping[str, Any] | None = None, cwd: Path | None = None) -> Settings:
    """Read every source once. `flags` maps dotted keys ("budget.usd") to values given on the command line.

    Raises ConfigurationError.
    """
    here = cwd or _current_folder()
    home, home_origin = _home(environ, here)
    layers = [layer for layer in (_file(user_file(environ), "user file"), _file(home / PROJECT_FILE, "project file")) if layer]
    origins = {"home": home_origin}
    sections: dict[str, Any] = {}
    for name, schema in SECTIONS.items():
        sections[name] = _section(name, schema, layers, environ, flags or {}, origins)
    sections["memory"] = dataclasses.replace(
        sections["memory"], key=_secret(sections["memory"].embedding_key, environ, "[memory] embedding_key", home)
    )
    _refuse_unknown_variables(environ)
    if sections["tasks"].corpus == "":
        file = origins["tasks.corpus"].split(" ", 2)[2]
        raise ConfigurationError(f"{file}: [tasks] corpus is empty", "Name a folder or one of [corpora], or leave it out.")
    held: dict[str, Any] = {field: Secret(environ[name]) for field, name in SECRET_VARIABLES.items() if environ.get(name)}
    return Settings(
        home=home,
        database_url=_database_url(environ, home, origins),
        providers=_providers(layers, environ, origins),
        corpora=_corpora(layers, origins),
        origins=origins,
        **held,
        **sections,
    )


def little(environ: Mapping[str, str], home: Path, database_url: str | None = None) -> dict[str, str]:
    """The environment of a program of ours over a scratch workspace: what it takes to start, no key and nobody's settings.

    Without a URL the database is the SQLite file in the workspace.
    """
    kept = {name: environ[name] for name in PASSED_ON if name in environ}
    url = database_url or f"sqlite:///{home / 'autonomy.db'}"
    return {**kept, "HOME": str(home), "AUTONOMY_HOME": str(home), "AUTONOMY_DATABASE_URL": url}


def user_file(environ: Mapping[str, str]) -> Path | None:
    """`config.toml` of the user: in the platform's own configuration folder."""
    if sys.platform == "win32":
        base = environ.get("APPDATA")
        return Path(base) / "autonomy" / "config.toml" if base else None
    base = environ.get("XDG_CONFIG_HOME") or ""
    if os.path.isabs(base):
        return Path(base) / "autonomy" / "config.toml"
    owner = environ.get("HOME")
    return Path(owner) / ".config" / "autonomy" / "config.toml" if owner else None


def check_workspace(home: Path, *, writes: bool = True) -> None:
    """Make sure the workspace is a folder (that can be written, unless `writes` is off), creating it where it is missing.

    Raises ConfigurationError for a file, a loop of links, a read-only or unreachable place.
    """
    hint = "Set AUTONOMY_HOME to a folder of yours."
    try:
        if not home.exists():
            home.mkdir(parents=True, exist_ok=True)
        os.listdir(home)
    except OSError as error:
        why = _link_flaw(home) or _reason(error)
        raise ConfigurationError(f"the workspace {home} cannot be used: {why}", hint) from error
    if writes and not os.access(home, os.W_OK | os.X_OK):
        raise ConfigurationError(f"the workspace {home} cannot be written", hint)


def _link_flaw(path: Path) -> str:
    """What is wrong with a link that leads to no folder; making one there says only that a file exists."""
    try:
        path.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "it is a loop of links"
        return "it is a link to a folder that does not exist" if path.is_symlink() else ""
    return ""


def masked_url(url: str) -> str:
    """The URL without its password, wherever the URL may carry it."""
    password = urlsplit(url).password
    if password is not None:
        url = url.replace(f":{password}@", ":****@", 1)
    return _SECRET_IN_QUERY.sub(r"\1****", url)


# -- where things are ---------------------------------------------------------------------------------


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigurationError(
            "the current folder no longer exists", "Change to another one, or set AUTONOMY_HOME."
        ) from error


def _home(environ: Mapping[str, str], here: Path) -> tuple[Path, str]:
    given = environ.get("AUTONOMY_HOME") or ""
    if not given:
        return Path(os.path.abspath(here)), "default (current folder)"
    return Path(os.path.abspath(here / os.path.expanduser(given))), "variable AUTONOMY_HOME"


def _database_url(environ: Mapping[str, str], home: Path, origins: dict[str, str]) -> str:
    given = environ.get("AUTONOMY_DATABASE_URL") or ""
    origins["database_url"] = "variable AUTONOMY_DATABASE_URL" if given else "default (in the workspace)"
    if not given:
        return f"sqlite:///{quote(str(home / 'autonomy.db'))}"
    try:
        parts = urlsplit(given)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme in ("postgresql", "postgres"):
        return given
    if parts.scheme != "sqlite" or parts.netloc or len(parts.path) < 2:
        raise ConfigurationError(
            "AUTONOMY_DATABASE_URL is neither sqlite:///PATH nor postgresql://USER@HOST/NAME",
            "Correct it, or leave it unset for SQLite in the workspace.",
        )
    return f"sqlite:///{quote(str(home / unquote(parts.path[1:])))}"


# -- files --------------------------------------------------------------------------------------------


def _file(path: Path | None, label: str) -> Layer | None:
    if path is None:
        return None
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP and path.name == PROJECT_FILE and not path.is_symlink():
            return None  # the workspace itself is the loop: its own check says so better
        raise ConfigurationError(
            f"{path} cannot be read: {_reason(error)}", "Make it a readable file, or remove it."
        ) from error
    try:
        values = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text", "Save it as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {_first_line(error)}", "Correct that line.") from None
    known = (*SECTIONS, "providers", "corpora")
    for key in values:
        if key not in known:
            raise ConfigurationError(f"{path}: unknown key '{key}'", _meant(key, known))
    return Layer(f"{label} {path}", values, path.parent)


def _section(
    name: str,
    schema: type,
    layers: Sequence[Layer],
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
    origins: dict[str, str],
) -> Any:
    fields = _fields(schema)
    values: dict[str, Any] = {}
    for key in fields:
        origins[f"{name}.{key}"] = "default"
    for layer in layers:
        table = layer.values.get(name, {})
        where = f"{_path_of(layer)}: [{name}]"
        if not isinstance(table, dict):
            raise ConfigurationError(f"{where} must be a table", f"Write [{name}] on a line of its own.")
        for key, value in table.items():
            if key not in fields:
                raise ConfigurationError(f"{where}: unknown key '{key}'", _meant(key, fields))
            values[key] = _check(value, fields[key], f"{where} {key}")
            origins[f"{name}.{key}"] = layer.origin
    for key, kind in fields.items():
        variable = next((v for v, target in SHORT_VARIABLES.items() if target == (name, key) and environ.get(v)), None)
        variable = variable or f"AUTONOMY_{name}__{key}".upper()
        if environ.get(variable):
            values[key] = _check(_from_text(environ[variable], kind, variable), kind, variable)
            origins[f"{name}.{key}"] = f"variable {variable}"
        flag = flags.get(f"{name}.{key}")
        if flag is not None:
            values[key] = _check(flag, kind, f"{name}.{key}")
            origins[f"{name}.{key}"] = "flag"
    return schema(**values)


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = {f"AUTONOMY_{name}__{key}".upper() for name, schema in SECTIONS.items() for key in _fields(schema)}
    for variable in environ:
        if variable.startswith("AUTONOMY_") and "__" in variable and variable not in known:
            raise ConfigurationError(f"unknown variable {variable}", _meant(variable, known))


def _corpora(layers: Sequence[Layer], origins: dict[str, str]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for layer in layers:
        table = layer.values.get("corpora", {})
        where = f"{_path_of(layer)}: [corpora]"
        if not isinstance(table, dict):
            raise ConfigurationError(f"{where} must be a table", 'Write [corpora], then NAME = "FOLDER" lines.')
        for name, folder in table.items():
            if not isinstance(folder, str) or not folder or NAME.fullmatch(name) is None:
                raise ConfigurationError(f"{where}: '{name}' must map a plain name to a folder", 'Write NAME = "FOLDER".')
            folders[name] = Path(os.path.abspath(layer.folder / os.path.expanduser(folder)))
            origins[f"corpora.{name}"] = layer.origin
    return folders


# -- providers ----------------------------------------------------------------------------------------


def _providers(layers: Sequence[Layer], environ: Mapping[str, str], origins: dict[str, str]) -> tuple[ProviderEntry, ...]:
    """Project file first, then user file, then what the environment offers; the first of a name wins."""
    entries: dict[str, ProviderEntry] = {}
    for layer in reversed(layers):
        for entry in _listed(layer, environ):
            if entry.name not in entries:
                entries[entry.name] = entry
                origins[f"providers.{entry.name}"] = layer.origin
    for offer in found(environ):
        if offer.name in entries:
            continue
        if not _is_address(offer.base_url):  # only the environment can have brought another
            raise ConfigurationError(f"OPENAI_BASE_URL {NO_ADDRESS}", "Correct or unset it.")
        variable = offer.profile.key_variable if offer.api_key else None
        entries[offer.name] = ProviderEntry(
            name=offer.name, kind=offer.profile.kind, model=offer.model, base_url=offer.base_url,
            api_key=f"env:{variable}" if variable else None, key=offer.api_key,
        )  # fmt: skip
        origins[f"providers.{offer.name}"] = f"variable {variable or 'OPENAI_BASE_URL'}"
    return tuple(entries.values())


def _listed(layer: Layer, environ: Mapping[str, str]) -> list[ProviderEntry]:
    """The `[[providers]]` of one file, each name once."""
    tables = layer.values.get("providers", [])
    where = f"{_path_of(layer)}: [[providers]]"
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(f"{where} must be a list of tables", "Write [[providers]] above each entry.")
    entries: list[ProviderEntry] = []
    for number, table in enumerate(tables, 1):
        entry = _provider(table, f"{where} entry {number}", environ, layer.folder)
        if any(entry.name == other.name for other in entries):
            raise ConfigurationError(f"{where}: two entries are named '{entry.name}'", "Rename one of them.")
        entries.append(entry)
    return entries


def _provider(table: Mapping[str, Any], where: str, environ: Mapping[str, str], folder: Path) -> ProviderEntry:
    fields = _fields(ProviderEntry)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in fields:
            raise ConfigurationError(f"{where}: unknown key '{key}'", _meant(key, fields))
        values[key] = _check(value, fields[key], f"{where} {key}")
    name = values.get("name", "")
    if NAME.fullmatch(name) is None or name == "extractive":
        raise ConfigurationError(f"{where}: 'name' must be a plain name other than 'extractive'", 'Write name = "NAME".')
    kind: Kind = values.setdefault("kind", name if name in PROFILES else "compatible")
    profile = PROFILES[kind]
    if profile.key_variable:
        values.setdefault("api_key", f"env:{profile.key_variable}")
    if kind == "openai" and environ.get("OPENAI_BASE_URL"):
        values.setdefault("base_url", environ["OPENAI_BASE_URL"])
    for needed, default in (("base_url", profile.base_url), ("model", profile.default_model)):
        values[needed] = values.get(needed) or default
        if not values[needed]:
            raise ConfigurationError(f"{where} ('{name}') needs {needed}", f'Write {needed} = "...", or name its kind.')
    if not _is_address(values["base_url"]):
        raise ConfigurationError(f"{where}: base_url {NO_ADDRESS}", "Correct it.")
    if (values.get("price_input") is None) != (values.get("price_output") is None):
        raise ConfigurationError(f"{where}: price_input and price_output belong together", "Give both, or neither.")
    return ProviderEntry(**values, key=_secret(values.get("api_key"), environ, f"{where} api_key", folder))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _secret(reference: str | None, environ: Mapping[str, str], where: str, folder: Path) -> Secret | None:
    """The credential behind env:NAME or file:/path; None where it is not there (its user then says so)."""
    if reference is None:
        return None
    kind, _, rest = reference.partition(":")
    if kind not in ("env", "file") or not rest:
        raise ConfigurationError(f"{where} must be env:NAME or file:/path", "Keep the key itself out of the file.")
    if kind == "env":
        value = environ.get(rest, "")
    else:
        try:
            value = (folder / os.path.expanduser(rest)).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return None
    value = value.strip()
    return Secret(value) if value else None


# -- values -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shape:
    """What a field may hold."""

    type: Any
    optional: bool
    choices: tuple[str, ...]
    least: float | None
    most: float | None


def _fields(schema: type) -> dict[str, Shape]:
    """The public keys of a settings class, with what each may hold."""
    hints = typing.get_type_hints(schema)
    return {
        field.name: _shape(hints[field.name], field.metadata)
        for field in dataclasses.fields(schema)
        if "hidden" not in field.metadata
    }


def _shape(hint: Any, metadata: Mapping[str, Any]) -> Shape:
    optional = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        optional = True
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    choices: tuple[str, ...] = ()
    if typing.get_origin(hint) is Literal:
        choices, hint = typing.get_args(hint), str
    elif typing.get_origin(hint) is tuple:
        hint = tuple
    return Shape(hint, optional, choices, metadata.get("least"), metadata.get("most"))


def _from_text(text: str, kind: Shape, where: str) -> Any:
    """A variable's text as the field's type; what cannot be parsed stays text and is refused by `_check`."""
    if kind.type is bool:
        return {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(text.strip().lower(), text)
    if kind.type is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind.type in (int, float):
        try:
            return kind.type(text)
        except ValueError:
            return text
    return text


def _check(value: Any, kind: Shape, where: str) -> Any:
    """The value in the field's own type. Raises ConfigurationError naming the place."""
    if kind.type is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        value = float(value)
    if kind.type is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text", tuple: "a list of texts"}
    if type(value) is not kind.type:
        raise ConfigurationError(f"{where} must be {words[kind.type]}, not {_shown(value)}", "Correct it.")
    if kind.choices and value not in kind.choices:
        raise ConfigurationError(
            f"{where} must be one of {', '.join(kind.choices)}, not {_shown(value)}", _meant(value, kind.choices)
        )
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigurationError(f"{where} must be a finite number", "Correct it.")
    if isinstance(value, int | float) and not isinstance(value, bool):
        if kind.least is not None and value < kind.least:
            raise ConfigurationError(f"{where} must be at least {kind.least:g}, not {value:g}", "Correct it.")
        if kind.most is not None and value > kind.most:
            raise ConfigurationError(f"{where} must be at most {kind.most:g}, not {value:g}", "Correct it.")
    if isinstance(value, str) and "\x00" in value:
        raise ConfigurationError(f"{where} must not contain a NUL character", "Correct it.")
    return value


def _meant(word: str, known: typing.Iterable[str]) -> str:
    import difflib

    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(sorted(names))}."


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _path_of(layer: Layer) -> str:
    return layer.origin.split(" ", 2)[2]


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
