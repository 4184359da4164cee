"""A copy of the database that is whole at one moment, while others go on writing."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from autonomy.core.errors import ConfigurationError, InvalidInput, StorageError
from autonomy.storage import postgres, sqlite
from autonomy.storage.artifacts import sync_folder
from autonomy.storage.database import parse_url
from autonomy.storage.soundness import damaged, first_flaw

PAGES = 2048
"""Pages copied at a time: writers get their turn in between."""


def backup(url: str, target: Path, *, replace: bool = False) -> int:
    """Copy the database at the URL into the file; returns its size in bytes. The file appears whole or not at all.

    A SQLite copy is checked page by page before it takes the name: one that is not sound is removed, and what stood there
    stays. Raises InvalidInput where the target exists (unless `replace`) or its folder does not, ConfigurationError where
    there is no database, a damaged one or, for PostgreSQL, no pg_dump that is as new as the server.
    """
    if target.is_dir() or (target.exists() and not replace):
        raise InvalidInput(f"{target} exists already", "Name another file, or add --force.")
    if not target.parent.is_dir():
        raise InvalidInput(f"the folder {target.parent} does not exist", "Create it first.")
    _, path = parse_url(url)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        if path is None:
            _dump(url, part)
        else:
            _copy(path, part)
        with part.open("rb") as stream:
            os.fsync(stream.fileno())
        os.chmod(part, 0o600)
        os.replace(part, target)
        sync_folder(target.parent)
    except OSError as error:
        raise StorageError(f"cannot write {target}: {(error.strerror or '').lower()}", "Choose another place.") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return target.stat().st_size


def _copy(path: Path, part: Path) -> None:
    if not path.is_file():
        raise ConfigurationError(f"there is no database {path} yet", "It is made by the first run.")
    library = sqlite.library()
    source = sqlite.connect(path, readonly=True)
    try:
        copy = library.connect(str(part))
        try:
            source.backup(copy, pages=PAGES)
            # A copy carries the mark of its WAL; as a single file it must open without one.
            copy.execute("PRAGMA journal_mode=DELETE").fetchall()
            flaw = first_flaw(copy)
        finally:
            copy.close()
    except library.Error as error:
        raise sqlite.translate_error(error, path) from error
    finally:
        source.close()
    if flaw:
        raise damaged(path, flaw)


def _dump(url: str, part: Path) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        raise ConfigurationError("a backup of PostgreSQL needs pg_dump", "Install the PostgreSQL client programs.")
    conninfo = postgres.library().conninfo
    try:
        parts = conninfo.conninfo_to_dict(url)
    except postgres.library().Error:
        raise ConfigurationError(
            "AUTONOMY_DATABASE_URL is not a PostgreSQL address", "Write postgresql://USER@HOST/NAME."
        ) from None
    # The password goes through the environment, which other users cannot read, not through the arguments.
    password = parts.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    command = [program, "--format=custom", "--no-owner", f"--file={part}", f"--dbname={conninfo.make_conninfo(**parts)}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "server version mismatch" in done.stderr:
        details = [line.removeprefix("pg_dump: detail: ") for line in done.stderr.splitlines() if "server version:" in line]
        told = details[0] if details else "their versions differ"
        hint = "Install the client programs of the server's version, and put them first on PATH."
        raise ConfigurationError(f"this pg_dump is older than the server ({told})", hint)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[0].removeprefix("pg_dump: error: ")
        raise StorageError(f"pg_dump failed: {reason}", "Check AUTONOMY_DATABASE_URL and the version of pg_dump.")
