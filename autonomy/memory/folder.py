"""Which files of a folder are read: sorted, without hidden ones, without a way out of the folder.

Folders that programs fill (a manual's sources and images, packages, caches) are passed over by name. So is what Autonomy
wrote itself, or a run would quote an earlier one: in a workspace the runs' artifacts, the acceptance reports and the added
documents, and anywhere the files of an exported run. Whatever else lies beside them is read, and so is a folder that is
itself the corpus. A file whose name tells no kind is read where it begins as prose; files of other kinds are named.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autonomy.core.errors import InvalidInput
from autonomy.memory.readers.choose import PROSE_BYTES, is_bare, is_known, is_prose

_PASSED_OVER = frozenset(("_sources", "_static", "_images", "_downloads", "node_modules", "__pycache__", "__MACOSX"))
_DATABASE = "autonomy.db"
"""A folder that holds this file is a workspace."""
_WRITTEN = {
    "artifacts": re.compile(r"[a-z2-7]{26}"),
    "reports": re.compile(r"phase_[a-z](_acceptance\.(json|md))?"),
    "memory": re.compile(r".+\.[A-Za-z]+"),
}
"""Folders of a workspace, and the names in them that are Autonomy's own: runs, reports, added documents."""
_QUIET = frozenset((*_WRITTEN, "audit", "ssot"))
"""Folders of a workspace whose other files are Autonomy's own: no reader misses them."""
_MANIFEST, _DOCUMENT = "manifest.json", "deliverable.md"
_MANIFEST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A file to read, or (with `why`) one that cannot be. `location` is relative to the folder, with forward slashes."""

    location: str
    path: Path
    size: int = 0
    mtime_ns: int = 0
    why: str = ""


def resolve(root: Path) -> Path:
    """The folder's real path. Raises InvalidInput when it is missing, no folder, or cannot be opened."""
    try:
        real = root.expanduser().resolve(strict=True)
        if not real.is_dir():
            raise InvalidInput(f"the corpus {shown(str(root))} is not a folder", "Name a folder of documents.")
        with os.scandir(real):
            pass
        if not _is_unicode(str(real)):
            raise InvalidInput(f"the corpus folder's name is not valid Unicode: {shown(str(root))}", "Rename it.")
    except FileNotFoundError:
        raise InvalidInput(f"there is no corpus folder {shown(str(root))}", "Name an existing folder of documents.") from None
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its path cannot be followed"
        raise InvalidInput(
            f"the corpus folder {shown(str(root))} cannot be opened ({why})", "Check its path and permissions."
        ) from None
    return real


def shown(name: str) -> str:
    """A name fit for one line of text, whatever it holds."""
    return "".join(
        char
        if char.isprintable()
        else char.encode("unicode_escape").decode("ascii")
        if char < "\ud800" or char > "\udfff"
        else "?"
        for char in name
    )


def _is_unicode(name: str) -> bool:
    """Whether a name can be stored: any bytes but NUL and the slash are legal in one, and need be no UTF-8."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Listing:
    """The files below a folder, in order of name: those to read, and the names of those of a kind that is not read."""

    files: list[Found] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def listing(root: Path, workspace: Path | None = None) -> Listing:
    """What lies below the (resolved) root. `workspace` is known as one even without a database file inside."""
    listed = Listing()
    for item in sorted(_files(root, workspace.resolve() if workspace is not None else None), key=_order):
        if isinstance(item, Found):
            listed.files.append(item)
        else:
            listed.unread.append(shown(item))
    return listed


def _order(item: Found | str) -> tuple[str, str]:
    return by_name(item.location if isinstance(item, Found) else item)


def by_name(location: str) -> tuple[str, str]:
    """The order of files: by name without its ending, so that `notes.md` stands before `notes-copy.md`."""
    return location.rpartition(".")[0] or location, location


def _files(root: Path, workspace: Path | None) -> Iterator[Found | str]:
    """Files to read, and the locations of those of another kind."""
    waiting: list[tuple[Path, re.Pattern[str] | None, bool]] = [(root, None, False)]
    exported: set[Path] = set()
    while waiting:
        folder, written, quiet = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            yield Found(shown(_location(root, folder)) + "/", folder, why=f"cannot be opened ({error.strerror})")
            continue
        names = {entry.name for entry in entries}
        ours = folder == workspace or _DATABASE in names
        if folder != root and {_MANIFEST, _DOCUMENT} <= names:
            exported |= _exported(folder)
        for entry in entries:
            if entry.name.startswith(".") or (written is not None and written.fullmatch(entry.name)):
                continue
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _PASSED_OVER:
                    own = entry.name if ours else ""
                    waiting.append((path, _WRITTEN.get(own), quiet or own in _QUIET))
            elif path not in exported and (found := _file(root, path)) is not None:
                if is_known(entry.name) or (written is None and _is_text(found)):
                    yield found
                elif not quiet and not (ours and entry.name.startswith(_DATABASE)):
                    yield found.location


def _exported(folder: Path) -> set[Path]:
    """The files that the manifest of a run names in this folder; none where it is no such manifest."""
    path = folder / _MANIFEST
    try:
        if path.stat().st_size > _MANIFEST_BYTES:
            return set()
        manifest = json.loads(path.read_bytes())
        if not isinstance(manifest["run_id"], str) or not isinstance(manifest["claims"], list):
            return set()
        return {path, *(folder / str(file["path"]) for file in manifest["files"])}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()


def is_read(path: Path) -> bool:
    """Whether a file is of a kind that is read."""
    return is_known(path.name) or _is_text(Found(path.name, path))


def _is_text(found: Found) -> bool:
    """Whether an ordinary file whose name tells no kind begins as prose."""
    if found.why or not is_bare(found.path.name):
        return False
    try:
        with found.path.open("rb") as file:
            return is_prose(file.read(PROSE_BYTES))
    except OSError:
        return False


def _location(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _file(root: Path, path: Path) -> Found | None:
    """One file; None for a folder behind a link and for a link that leaves the root."""
    location = _location(root, path)
    if not _is_unicode(location):
        return Found(shown(location), path, why="its name is not valid Unicode")
    try:
        real = path.resolve(strict=True) if path.is_symlink() else path
        about = os.stat(real, follow_symlinks=False)
    except (OSError, RuntimeError) as error:
        return Found(location, path, why=f"cannot be opened ({getattr(error, 'strerror', None) or 'a loop of links'})")
    if stat.S_ISDIR(about.st_mode) or not real.is_relative_to(root):
        return None
    if not stat.S_ISREG(about.st_mode):
        return Found(location, path, why="is not an ordinary file")
    return Found(location, real, about.st_size, about.st_mtime_ns)
