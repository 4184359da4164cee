"""Files of the workspace as a person can open them from the folder that the command was called in."""

from __future__ import annotations

import os
from pathlib import Path


def from_here(home: Path, path: str) -> str:
    """A path below the workspace, as it opens from the current folder: relative to that, or whole where this is shorter."""
    whole = os.path.join(os.path.abspath(home), path)
    try:
        return min(os.path.relpath(whole), whole, key=len)
    except OSError:  # the current folder is gone
        return whole
