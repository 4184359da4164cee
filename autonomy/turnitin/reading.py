"""A file as a similarity report: parsed by a child under limits, checked here."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pydantic import ValidationError

from autonomy.core.errors import InvalidInput
from autonomy.core.unseen import named, show
from autonomy.memory.confined import Confined
from autonomy.memory.readers.document import Limits
from autonomy.turnitin.report import Report

LIMITS = Limits(file_bytes=64 << 20, memory_bytes=512 << 20, seconds=60.0, characters=4_000_000, pages=1_000)
"""What a report may take: as much as a document, but for its pages. Turnitin takes papers of at most 800 pages."""


def read_report(path: Path, limits: Limits = LIMITS, *, draft: str | None = None, called: str | None = None) -> Report:
    """The report in a PDF, a saved web page or JSON; takes a process of its own and up to `limits.seconds`.

    With a `draft` its passages are located there, and what speaks against its being that draft's report is among its
    `doubts`. `called` is what people call the file, where it has another name.

    `overall` is None where the file is a similarity report whose figure was not found: a person must state it. Raises
    InvalidInput, naming the file and the reason, for anything else: broken, encrypted, too large, not ready, no report.
    """
    called = called or path.name
    name = show(called, named)
    with closing(Confined("autonomy.turnitin.report_child", limits)) as child:
        try:
            message = child.ask({"path": str(path.absolute()), "name": called, "draft": draft})
        except InvalidInput as error:
            raise InvalidInput(f"{name} {error.message}", "Give the report in another format.") from None
    if isinstance(message, dict) and message.get("status") == "failed":
        raise InvalidInput(f"{name} {_line(message.get('why'))}", _line(message.get("hint")))
    try:
        return Report.model_validate(message["report"])
    except (ValidationError, KeyError, TypeError):
        raise InvalidInput(f"{name} made its reader give an answer that makes no sense", "Give it in another format.") from None


def _line(text: object) -> str:
    return show(" ".join(str(text).split()), named)[:300]
