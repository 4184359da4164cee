"""Asks a server everything its OpenAPI document allows, and much that it does not; `nox -s schemathesis` does it at length."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from autonomy.storage import migrate
from autonomy.storage.database import Database
from tests.api.served import ADMIN, Served, settings

ENDLESS = "^/api/events$"
"""A stream without an end has no answer to wait for; its refusals are tested by hand."""


CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 400, 401, 403, 404, 409, 415, 422, 429]
"""
"""No schema says which corpora there are, or that a day exists in the calendar: 422 is a right answer to what fits it."""


def fuzz(url: str, examples: int, folder: Path) -> tuple[int, str]:
    """Run schemathesis with the admin's token; its exit code, and what it wrote."""
    (folder / "schemathesis.toml").write_text(CONFIG)
    argv = [
        sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()",
        "--config-file", "schemathesis.toml", "run", f"{url}/openapi.json",
        "--header", f"Authorization: Bearer {ADMIN}", "--max-examples", str(examples), "--exclude-path-regex", ENDLESS,
        "--checks", "all", "--mode", "all", "--seed", "7", "--no-color", "--continue-on-failure", "--request-timeout", "30",
    ]  # fmt: skip
    environ = {**os.environ, "PYTHONWARNINGS": "default"}
    done = subprocess.run(argv, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def main() -> int:
    """A server of its own on SQLite, and as many examples as the argument says."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        url = f"sqlite:///{home / 'autonomy.db'}"
        with Database(url) as database:
            migrate.upgrade(database)
        with Served(settings(home, url)) as up:
            code, told = fuzz(up.url, int(sys.argv[1]) if len(sys.argv) > 1 else 200, home)
    sys.stdout.write(told)
    return code


if __name__ == "__main__":
    sys.exit(main())
