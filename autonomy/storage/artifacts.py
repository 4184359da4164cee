"""Files written whole or not at all: a temporary file in the same folder, fsync, rename, fsync of the folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tempfile
from pathlib import Path

from autonomy.core.errors import ConfigurationError, DiskFull, InvalidInput, StorageError


def write_atomic(path: Path, data: bytes) -> str:
    """Write the file so that a reader sees the old or the new bytes, never less; returns the sha256 in hex."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.chmod(temporary, 0o600)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
        sync_folder(path.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no room left on the disk for {path.name}", "Free some space, then resume the run.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP, errno.EEXIST):
            hint = "Make it writable or choose another AUTONOMY_HOME."
            raise ConfigurationError(f"cannot write below {path.parent}", hint) from error
        raise StorageError(f"cannot write {path.name}: {error.strerror}", "See 'autonomy doctor'.") from error
    return hashlib.sha256(data).hexdigest()


def sync_folder(folder: Path) -> None:
    """Make a rename durable (not needed, and not possible, on Windows)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def inside(root: Path, name: str) -> Path:
    """The path of a plain relative name below root; refuses anything that could leave it."""
    parts = Path(name).parts
    if not parts or "\x00" in name or Path(name).is_absolute() or ".." in parts:
        raise InvalidInput(f"not a plain file name: {name[:200]!r}", "Use a relative name without '..'.")
    candidate = root / name
    try:
        below = candidate.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError, UnicodeEncodeError):  # a loop of links, a name no file can have
        below = False
    if not below:
        raise InvalidInput(f"the name leaves its folder: {name[:200]!r}", "Use a relative name without links.")
    return candidate
