"""A run's files copied out of the workspace: proved first, complete or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from autonomy.core.errors import ConfigurationError, DiskFull, InvalidInput, NotFound
from autonomy.storage.artifacts import inside


def export_files(source: Path, files: Mapping[str, str], target: Path) -> list[Path]:
    """Copy `files` (name below `source` -> sha256) into `target`, an empty or new folder; returns where they stand now.

    Raises NotFound, InvalidInput (see `Runs.export`), ConfigurationError when a file may not be read or the target cannot be
    written, DiskFull.
    """
    for name, sha256 in files.items():
        _verify(inside(source, name), sha256)
    try:
        if os.path.lexists(target) and (not target.is_dir() or any(target.iterdir())):
            raise InvalidInput(f"{target} exists and is not an empty folder", "Name a new folder.")
        _copy(source, files, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no room left on the disk for {target}", "Free some space, then export again.") from error
        raise ConfigurationError(f"cannot write {target} ({error.strerror})", "Name another folder.") from error
    return [target / name for name in files]


def _copy(source: Path, files: Mapping[str, str], target: Path) -> None:
    """Gather everything in a folder on the same disk, then give it the target's name (or the target its content)."""
    target = target.absolute()
    place = target if target.is_dir() else target.parent
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".export.", ignore_cleanup_errors=True) as gathered:
        whole = Path(gathered) / "export"
        for name, sha256 in files.items():
            copy = whole / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy)
            _verify(copy, sha256)
        if place != target:
            whole.rename(target)
            return
        for entry in whole.iterdir():
            entry.rename(target / entry.name)


def _verify(path: Path, sha256: str) -> None:
    try:
        if not path.is_file():
            raise NotFound(f"{path.name} is missing from the workspace", "Restore the artifacts folder, or run again.")
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except PermissionError:
        hint = "Have its owner make it readable ('chmod -R a+rX' on that folder), or export as the owner."
        raise ConfigurationError(f"{path} may not be read", hint) from None
    if found != sha256:
        raise InvalidInput(f"{path.name} was changed after delivery", "Restore the artifacts folder, or run again.")
