"""Writes docs/settings.md from the settings' own fields: `python docs/settings.py > docs/settings.md`."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from autonomy.bootstrap.settings import SECTIONS, ProviderEntry

HEAD = """# Settings

`autonomy.toml` in the workspace (project file) and `config.toml` in `~/.config/autonomy` (user file) take the keys below.
A flag beats a variable, a variable beats the project file, the project file beats the user file, and all beat the default.
Every key of a table has the variable `AUTONOMY_<TABLE>__<KEY>`, such as `AUTONOMY_QUEUE__PER_USER=4`; the lease has
`AUTONOMY_LEASE_SECONDS` besides. A misspelt key or variable is an error. `autonomy config show` prints every value and
where it came from. `[sandbox]`, `[tools]` and `fetch_hosts` of `[turnitin]` are read and checked already; what they steer is
not part of this release.
"""
MOST_SHOWN = 100_000
PROVIDERS = """
## `[[providers]]`

One table for each, in the order in which they are tried; the built-in extractive writer is always last. Services whose
key stands in the environment (`OPENAI_API_KEY`, `OPENROUTER_API_KEY`, `GEMINI_API_KEY`, `MOONSHOT_API_KEY`) need no entry.
"""
CORPORA = """
## `[corpora]`

`NAME = "FOLDER"` lets `--corpus NAME` stand for a folder; a relative one counts from the file that names it.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, schema in SECTIONS.items():
        about = (schema.__doc__ or "").partition(": ")[2].splitlines()[0].rstrip(".")
        parts.append(f"\n## `[{name}]`: {about}\n\n{table(schema)}")
    return "".join([*parts, PROVIDERS, "\n", table(ProviderEntry), CORPORA])


def table(schema: Any) -> str:
    """One row a key: default, bounds, explanation."""
    rows = ["| key | default | what it is |", "|---|---|---|"]
    for field in dataclasses.fields(schema):
        if "hidden" in field.metadata:
            continue
        least, most = field.metadata["least"], field.metadata["most"]
        most = None if most is not None and most > MOST_SHOWN else most
        bounds = (
            ""
            if least is None and most is None
            else f" ({'' if least is None else f'{least:g}'} to {'' if most is None else f'{most:g}'})"
        )
        rows.append(
            f"| `{field.name}` | {shown(field.default)} | {field.metadata['about']}{bounds.replace(' to )', ' or more)')} |"
        )
    return "\n".join(rows) + "\n"


def shown(value: Any) -> str:
    """A default as it would be written."""
    if value in (None, "", ()):
        return "unset"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    sys.stdout.write(page())
