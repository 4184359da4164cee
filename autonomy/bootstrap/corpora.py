"""Reading the folders of a request: before a run exists (so that a bad folder leaves nothing behind) and again inside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from autonomy.bootstrap.app import App
from autonomy.memory.ingest import IngestReport, ingest
from autonomy.memory.ingest import Progress as Read

Progress = Callable[[int, int, str], None]
"""Done, total, and the document read last."""


def read_corpora(app: App, folders: Sequence[str], progress: Progress) -> list[IngestReport]:
    """Read what is new or changed in each folder. Raises InvalidInput where a folder holds nothing readable."""

    def told(read: Read) -> None:
        progress(read.done, read.total, read.location)

    return [
        ingest(app.database, Path(folder), embedder=app.embedder, limits=app.limits, progress=told, workspace=app.home)
        for folder in folders
    ]
