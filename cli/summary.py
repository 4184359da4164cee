"""The calm end of a run in the foreground: outcome, files, what the gates measured, cost, where to read on."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autonomy.core.counting import Tally
from autonomy.core.gates import decides
from autonomy.core.wording import in_order
from cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Output, columns, cut, plain, squeezed, wrapped
from cli.places import from_here
from cli.wording import count, duration, figure, gate, money, parse_time, status_word

OUTCOME_COLOURS = {"delivered": GREEN, "failed": RED, "aborted": RED, "waiting_human": YELLOW, "paused": YELLOW}
SHOWN_NOTES = 4
MARGIN = 11
IDLE_SECONDS = 15.0
"""Below this, what lies between the start and the work is the start of the program, not a pause."""
NEXT = {
    "paused": "autonomy run resume {run}",
    "waiting_human": "autonomy turnitin report {run} FILE",
}


def summary(page: Mapping[str, Any], home: Path, out: Output) -> str:
    """The lines, with the short form of the run's id wherever a command is named."""
    state = page["outcome"] or page["status"]
    sign = out.glyphs.done if state == "delivered" else out.glyphs.failed if state in ("failed", "aborted") else out.glyphs.now
    colour = OUTCOME_COLOURS.get(state, YELLOW)
    run = page["run_id"]
    title = f"{out.paint(f'{sign} {status_word(state)}', colour, BOLD)}{_took(page)}"
    goal = cut(squeezed((page.get("task") or {}).get("goal", "")), out.width - 2, out.glyphs.more)
    lines = [title, f"  {goal}", ""]
    lines += _files(page, home, out)
    manifest = _manifest(page, home)
    lines += _claims(manifest, out)
    lines += _notes(manifest, out)
    lines += _labelled("used", _rows(used(page), out), out)
    if page.get("turnitin"):
        lines += _labelled("report", _rows(awaited(page["turnitin"]), out), out)
    follow = NEXT.get(page["status"], "autonomy run explain {run}").format(run=run[:8])
    lines.append(f"  {out.paint('read on', DIM)}  {out.paint(follow, CYAN)}")
    return "\n".join(lines)


def awaited(cycle: Mapping[str, Any]) -> str:
    """A wait for a similarity report, in a line."""
    wanted = f"wanted at most {cycle['target_similarity']:g} %"
    if cycle["observed_similarity"] is None:
        waits = cycle["status"] == "awaiting_report"
        return f"draft {cycle['n']} {'waits for its report' if waits else 'got no report'}, {wanted}"
    words = {"report_ready": "goes on with it", "accepted": "accepted", "rejected": "not accepted"}
    return f"draft {cycle['n']} is {cycle['observed_similarity']:g} % similar, {wanted}: {words[cycle['status']]}"


def _took(page: Mapping[str, Any]) -> str:
    """How long it took; where it mostly waited or lay paused, both times."""
    began, ended = parse_time(page.get("created_at")), parse_time(page.get("updated_at"))
    if began is None or ended is None:
        return ""
    passed, worked = (ended - began).total_seconds(), float(page["budgets"]["seconds"]["used"])
    if passed > 2 * worked + IDLE_SECONDS:
        return f": worked {duration(worked)}, {duration(passed)} since the start"
    return f" after {duration(passed)}"


def _files(page: Mapping[str, Any], home: Path, out: Output) -> list[str]:
    rows = page.get("artifacts") or []
    named = sorted(
        (row for row in rows if not stored_source(row)),
        key=lambda row: (row.get("role") != "deliverable", in_order(row["path"])),
    )
    lines = []
    for number, row in enumerate(named):
        lead = out.paint("files", DIM) if number == 0 else ""
        path, bold = plain(from_here(home, str(row["path"]))), [BOLD] if number == 0 else []
        if MARGIN + columns(path) > out.width:  # alone on its line, so that a narrow terminal breaks it as late as it can
            lines += [*([f"  {lead}"] if lead else []), out.paint(path, *bold)]
        else:
            lines.append(f"  {lead}{' ' * (4 if lead else 9)}{out.paint(path, *bold)}")
    if len(rows) > len(named):
        rest = _rows(f"and {len(rows) - len(named)} files of the stored sources", out)
        lines += [f"{' ' * MARGIN}{out.paint(row, DIM)}" for row in rest]
    return lines


def stored_source(row: Mapping[str, Any]) -> bool:
    """Whether a file belongs to the stored sources rather than to what is handed over."""
    return "/sources/" in str(row["path"])


def _manifest(page: Mapping[str, Any], home: Path) -> dict[str, Any]:
    """The manifest as it was written; empty where there is none."""
    row = next((row for row in page.get("artifacts") or [] if row["path"].endswith("manifest.json")), None)
    if row is None:
        return {}
    try:
        found = json.loads((home / row["path"]).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _claims(manifest: Mapping[str, Any], out: Output) -> list[str]:
    if not manifest:
        return []
    claims = manifest.get("claims") or []
    lines = _labelled("claims", _rows(rests_on(manifest), out), out)
    gates = manifest.get("gates") or []
    if not gates or not claims:  # Where nothing is claimed there is nothing to measure; the notes say why.
        return lines
    passed = sum(bool(row.get("pass")) for row in gates)
    figures = ", ".join(
        f"{plain(row.get('name', '?')).replace('_', ' ')} {figure(row.get('figure'))}" for row in gates if row.get("pass")
    )
    lines += _labelled("gates", textwrap.wrap(f"{passed} of {len(gates)} passed: {figures}", _room(out)), out)
    failed = [row for row in gates if not row.get("pass")]
    return lines + [
        f"  {' ' * 9}{out.paint(cut(gate(row, out.glyphs), out.width - 12, out.glyphs.more), _missed(row))}" for row in failed
    ]


def _missed(row: Mapping[str, Any]) -> int:
    """The colour of a gate that was missed."""
    return RED if decides(row.get("name"), row.get("decides")) else YELLOW


def rests_on(manifest: Mapping[str, Any]) -> str:
    """32 claims on 32 quotations from 5 sources, in 40 places: each claim and each quotation is counted once."""
    tally = Tally.of(manifest)
    return tally.told if tally.places else "none"


def _notes(manifest: Mapping[str, Any], out: Output) -> list[str]:
    return _labelled("notes", [row for note in (manifest.get("notes") or [])[:SHOWN_NOTES] for row in _rows(note, out)], out)


def _room(out: Output) -> int:
    """Columns of a line beside its label."""
    return max(min(out.width, 110) - MARGIN - 1, 20)


def _rows(text: str, out: Output) -> list[str]:
    return wrapped(squeezed(text), _room(out))


def _labelled(label: str, rows: Sequence[str], out: Output) -> list[str]:
    """The rows beside their label, which stands at the first."""
    lead = f"  {out.paint(label, DIM)}{' ' * (MARGIN - 2 - len(label))}"
    return [f"{' ' * MARGIN if number else lead}{row}" for number, row in enumerate(rows)]


def used(page: Mapping[str, Any]) -> str:
    """What the run has used, in one line."""
    budgets = page.get("budgets") or {}
    parts = []
    for name, show, unit in (("tokens", count, " tokens"), ("seconds", duration, ""), ("usd", money, "")):
        row = budgets.get(name) or {}
        limit = row.get("limit")
        parts.append(f"{show(float(row.get('used') or 0))}{unit}" + (f" of {show(float(limit))}" if limit is not None else ""))
    return ", ".join(parts)
