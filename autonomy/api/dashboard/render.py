"""Templates to pages. Everything is escaped, and what no reader would see is shown.

A page may load its own style and script, and nothing else, from nowhere else.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autonomy.core import unseen
from autonomy.core.counting import several
from autonomy.core.wording import ago, parse_time

HERE = Path(__file__).parent
STATIC = HERE / "static"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": CSP, "cache-control": "no-store"}
"""Of every page; the server adds its own to every answer."""


@functools.cache
def environment() -> Environment:
    """The templates, each parsed once."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(ago=ago, clock=clock, day=day)
    made.globals.update(several=several, static=static)
    return made


def page(template: str, **context: Any) -> str:
    """The page in HTML."""
    return environment().get_template(template).render(**context)


def shown(value: Any) -> Any:
    """A text with its unseen characters as marks such as [U+202E]; markup of ours and other values as they are."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return unseen.show(value, unseen.named, keep="\t\n\r")
    return value


@functools.cache
def static(name: str) -> str:
    """The address of a file of ours; it changes with the file, so that a browser may keep it."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def clock(text: str | None) -> str:
    """hh:mm:ss in UTC; the page's script shows it on the reader's own clock."""
    moment = parse_time(text)
    return "" if moment is None else moment.astimezone(datetime.UTC).strftime("%H:%M:%S")


def day(text: str | None) -> str:
    """Date and time in UTC."""
    moment = parse_time(text)
    return "" if moment is None else moment.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
