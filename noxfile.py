"""The one front door for developers: `nox` checks everything; `nox -s bench` measures; `nox -s docs` and `nox -s lock` renew
what the README shows, and the locks.

Sessions run in the environment that started nox, which the README's commands have made from the lock.
"""

from __future__ import annotations

import sys

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["style", "types", "architecture", "tests"]
nox.options.error_on_missing_interpreters = True


def python(session: nox.Session, *arguments: str) -> None:
    """Run a module of this environment."""
    session.run(sys.executable, "-m", *arguments, external=True)


@nox.session
def style(session: nox.Session) -> None:
    """Layout and lint."""
    python(session, "ruff", "format", "--check", "--quiet", ".")
    python(session, "ruff", "check", "--quiet", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    python(session, "mypy")


@nox.session
def architecture(session: nox.Session) -> None:
    """Rooms import only rooms below them."""
    command = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    session.run(sys.executable, "-c", command, external=True)


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that runs, on both databases, in three processes. Arguments go to pytest."""
    python(session, "pytest", "--numprocesses=3", "--dist=worksteal", *session.posargs)


@nox.session
def schemathesis(session: nox.Session) -> None:
    """Every route of the web API, 200 examples each, against a server of its own; the tests ask a few."""
    python(session, "tests.api.fuzz", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios against the peers, measured interleaved; never part of the tests. `-- --quick` shortens it."""
    for name in ("checkpointer", "jobs", "cli_startup", "ingestion", "server", "unread"):
        session.run(sys.executable, f"benchmarks/{name}.py", *session.posargs, external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """Renew what the README shows: its session and the picture of the live view."""
    python(session, "docs.session")
    python(session, "docs.make_live_view")


@nox.session
def lock(session: nox.Session) -> None:
    """Renew the locks, for every supported Python and platform, with hashes."""
    for target, extra in (("core", ()), ("dev", ("--extra", "dev"))):
        python(
            session,
            *("uv", "pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11", "--generate-hashes"),
            *("--quiet", "--no-header", "--upgrade", "--output-file", f"requirements/{target}.txt", *extra),
        )
