"""What a person may ask of the audit log: whether it is whole, and what stands in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from autonomy.audit.reading import newest, since
from autonomy.audit.verify import verify
from autonomy.core.errors import InvalidInput
from autonomy.storage.database import Database

_KNOWN = re.compile(r"(\d{1,15}):([0-9a-f]{64})")


class Audit:
    """The log of one workspace, read only."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._database = database

    def verify(self, known: str | None = None) -> dict[str, Any]:
        """{ok, lines, files, seq, head, findings: [{kind, file, line, about}]}. `known` is "SEQ:HASH" of an earlier answer.

        Raises InvalidInput for another `known`, StorageError where the log cannot be read.
        """
        noted = None if known is None else _KNOWN.fullmatch(known)
        if known is not None and noted is None:
            raise InvalidInput("the known head must be SEQ:HASH", "Copy it from an earlier 'autonomy audit verify'.")
        report = verify(self._folder, self._database, known=(int(noted[1]), noted[2]) if noted else None)
        findings = [{"kind": each.kind, "file": each.file, "line": each.line, "about": each.about} for each in report.findings]
        figures = {"lines": report.lines, "files": report.files, "seq": report.seq, "head": report.head}
        return {"ok": report.ok, **figures, "findings": findings}

    def newest(self, count: int) -> list[dict[str, Any]]:
        """The last lines, oldest first; what cannot be read is left out (`verify` names it)."""
        return newest(self._folder, count)

    def since(self, seq: int) -> list[dict[str, Any]]:
        """Lines with a higher number than `seq`."""
        return since(self._folder, seq)
