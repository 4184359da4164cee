"""What a phase saw: its figures, its files with their hashes, and why it failed; as JSON for programs and Markdown for people.

Invariant: nothing is assumed. A phase names the metrics it owes; one that was not measured is a reason to fail, and so is
one that is no finite number and no truth value.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autonomy.core.clock import iso, now_us

Metric = bool | int | float


@dataclass(frozen=True, slots=True)
class Limit:
    """What a metric must keep to: `least` and `most` are inclusive, `equals` exact."""

    metric: str
    least: float | None = None
    most: float | None = None
    equals: Metric | None = None

    @property
    def timed(self) -> bool:
        """Whether it is a limit on how long something takes, which a busy machine may break."""
        return self.metric.endswith(("_ms", "_seconds"))

    def broken(self, value: Metric) -> str | None:
        """Why the value does not do, None where it does."""
        if self.equals is not None and value != self.equals:
            return f"{self.metric} is {value}, wanted {self.equals}"
        if self.least is not None and value < self.least:
            return f"{self.metric} is {value}, wanted at least {self.least:g}"
        if self.most is not None and value > self.most:
            return f"{self.metric} is {value}, wanted at most {self.most:g}"
        return None


@dataclass
class Report:
    """A phase under way; `finish` closes it, `write` puts `phase_X_acceptance.json` and `.md` into a folder."""

    phase: str
    how_to_run: str
    owed: Sequence[str]
    limits: Sequence[Limit] = ()
    metrics: dict[str, Metric] = field(default_factory=dict)
    artifacts: list[tuple[Path, str]] = field(default_factory=list)
    fail_reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    started_at: str | None = field(default_factory=lambda: iso(now_us()))
    finished_at: str | None = None

    def measured(self, **metrics: Metric) -> None:
        """Keep figures: milliseconds for `*_ms`, shares for `*_rate`, counts and truth values else."""
        self.metrics.update(metrics)

    def fail(self, reason: str) -> None:
        """A reason why the phase does not pass; each is kept once."""
        if reason not in self.fail_reasons:
            self.fail_reasons.append(reason)

    def keep(self, path: Path, note: str) -> None:
        """Name a file that shows what was seen."""
        self.artifacts.append((path, note))

    def finish(self) -> None:
        """Hold every owed metric and every limit against what was measured."""
        for name in self.owed:
            value = self.metrics.get(name)
            if value is None:
                self.fail(f"{name} was not measured")
            elif not isinstance(value, bool) and not math.isfinite(value):
                self.fail(f"{name} is no finite number")
        for limit in self.limits:
            value = self.metrics.get(limit.metric)
            why = None if value is None else limit.broken(value)
            if why is not None:
                self.fail(why)
        self.finished_at = iso(now_us())

    @property
    def passed(self) -> bool:
        """Whether it is finished and nothing speaks against it."""
        return self.finished_at is not None and not self.fail_reasons

    def document(self, base: Path) -> dict[str, Any]:
        """The report as plain data; paths of artifacts are relative to `base`."""
        return {
            "phase": self.phase,
            "pass": self.passed,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "how_to_run": self.how_to_run,
            "metrics": dict(sorted(self.metrics.items())),
            "artifacts": [
                {"path": os.path.relpath(path, base), "sha256": _sha256(path), "note": note}
                for path, note in self.artifacts
                if path.is_file()
            ],
            "fail_reasons": list(self.fail_reasons),
            "notes": list(self.notes),
        }

    def write(self, folder: Path, base: Path) -> tuple[Path, Path]:
        """Write both files, each whole or not at all; returns their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        document = self.document(base)
        name = f"phase_{self.phase}_acceptance"
        paths = folder / f"{name}.json", folder / f"{name}.md"
        _replace(paths[0], json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        _replace(paths[1], _markdown(document))
        return paths


def _markdown(document: dict[str, Any]) -> str:
    lines = [
        f"# Phase {document['phase'].upper()}: {'passed' if document['pass'] else 'FAILED'}",
        "",
        f"{document['started_at']} to {document['finished_at']}. Run it again with `{document['how_to_run']}`.",
        "",
    ]
    if document["fail_reasons"]:
        lines += ["## Why it failed", "", *(f"- {reason}" for reason in document["fail_reasons"]), ""]
    lines += ["## Figures", "", "| metric | value |", "|---|---|"]
    lines += [f"| {name} | {_shown(value)} |" for name, value in document["metrics"].items()]
    if document["notes"]:
        lines += ["", "## Notes", "", *(f"- {note}" for note in document["notes"])]
    lines += ["", "## Files", "", "| path | sha256 | what it is |", "|---|---|---|"]
    lines += [f"| {each['path']} | `{each['sha256']}` | {each['note']} |" for each in document["artifacts"]]
    return "\n".join(lines) + "\n"


def _shown(value: Metric) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text, "utf-8")
    os.replace(fresh, path)
