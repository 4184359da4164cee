"""Files written whole or not at all: a temporary file on the same disk, fsync, rename, fsync of the folder.

The two halves may stand apart: `stage` brings the bytes to the disk, `Staged.publish` gives them their name. Whoever takes
the staged file away in between has made sure that it is never published: a rename finds its source or does nothing.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autonomy.core.errors import ConfigurationError, DiskFull, InvalidInput, StorageError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)


@dataclass(slots=True)
class Staged:
    """Bytes that are on the disk, but not yet under their name. `sha256` in hex."""

    path: Path
    temporary: Path
    sha256: str
    published: bool = False

    def publish(self) -> bool:
        """Put the bytes in the place of whatever has the name; once, however often it is called. False when somebody has
        taken the staged file away: then nothing was changed."""
        if self.published:
            return True
        with _naming(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.replace(self.temporary, self.path)
            except FileNotFoundError:
                return False
            self.published = True
            sync_folder(self.path.parent)
        return True

    def discard(self) -> None:
        """Take the staged file away, unless it was published."""
        if not self.published:
            with contextlib.suppress(OSError):
                self.temporary.unlink()


def stage(
    path: Path,
    data: bytes,
    *,
    folder: Path | None = None,
    prefix: str | None = None,
    suffix: str | None = None,
    private: bool = True,
) -> Staged:
    """Bring the bytes to the disk for `path`, under a name of their own in `folder` (its own folder, or one on its disk).

    A private file is its owner's alone; another has the mode that the umask gives.
    """
    folder = path.parent if folder is None else folder
    with _naming(path):
        folder.mkdir(parents=True, exist_ok=True)
        prefix = f".{path.name[:40]}." if prefix is None else prefix
        # A random name of 128 bits needs no second try; mkstemp would leave out what the umask allows.
        name = folder / f"{prefix}{secrets.token_hex(16)}{suffix or ''}"
        descriptor = os.open(name, _NEW, 0o600 if private else 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    return Staged(path, name, hashlib.sha256(data).hexdigest())


def write_atomic(path: Path, data: bytes) -> str:
    """Write the file so that a reader sees the old or the new bytes, never less; returns the sha256 in hex."""
    staged = stage(path, data)
    try:
        if not staged.publish():
            raise StorageError(f"cannot write {path.name}: its temporary file was taken away", "Try again.")
    finally:
        staged.discard()
    return staged.sha256


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """What the system refuses, as an error of ours that says what to do next."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no room left on the disk for {path.name}", "Free some space, then resume the run.") from error
        if error.errno == errno.EFBIG:
            hint = "Raise it ('ulimit -f'), then resume the run."
            raise DiskFull(f"{path.name} would grow over the file-size limit of this process", hint) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP, errno.EEXIST):
            hint = "Make it writable or choose another AUTONOMY_HOME."
            raise ConfigurationError(f"cannot write below {path.parent}", hint) from error
        raise StorageError(f"cannot write {path.name}: {error.strerror}", "See 'autonomy doctor'.") from error


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
