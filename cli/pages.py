"""Runs on paper: the table of `run list` and the page of `run inspect`, within the terminal's width."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Output, columns, cut, plain, squeezed
from cli.output import wrapped as text_lines
from cli.places import from_here
from cli.summary import awaited, stored_source
from cli.wording import ago, count, duration, figures, gate, local_time, money, several, size, status_word

COLOURS = {
    "done": GREEN,
    "delivered": GREEN,
    "running": CYAN,
    "failed": RED,
    "aborted": RED,
    "waiting_human": YELLOW,
    "paused": YELLOW,
    "target_not_reached": YELLOW,
    "budget_exceeded": YELLOW,
}
STEP_COLOURS = {"done": GREEN, "running": CYAN, "failed": RED}
ROUTES = {"END": "at its end"}
SHORT = 8
MARGIN = 11
"""Columns before the values of a page."""


def run_table(rows: Sequence[Mapping[str, Any]], out: Output, abandoned: Mapping[str, str]) -> str:
    """One line a run: short id, state, journey, age, goal; the goal takes what width is left."""
    several = len({row["user_id"] for row in rows}) > 1
    short = max(SHORT, distinct([row["run_id"] for row in rows]))
    cells = [
        [
            row["run_id"][:short],
            _state(row, abandoned),
            row["journey"],
            ago(row["created_at"]),
            *([cut(plain(row["user_id"]), 12, out.glyphs.more)] if several else []),
        ]
        for row in rows
    ]
    titles = ["RUN", "STATE", "JOURNEY", "STARTED", *(["USER"] if several else []), "GOAL"]
    widths = [max(columns(title), *(columns(line[at]) for line in cells)) for at, title in enumerate(titles[:-1])]
    room = max(min(out.width, 160) - sum(widths) - 2 * len(widths), 12)
    lines = [
        out.paint("  ".join([*(filled(title, width) for title, width in zip(titles, widths, strict=False)), titles[-1]]), DIM)
    ]
    for row, line in zip(rows, cells, strict=True):
        shown = [filled(cell, width) for cell, width in zip(line, widths, strict=True)]
        shown[0] = out.paint(shown[0], BOLD)
        shown[1] = out.paint(shown[1], COLOURS.get(row["outcome"] or row["status"], 0))
        lines.append("  ".join([*shown, cut(squeezed(row["goal"]), room, out.glyphs.more)]))
    return "\n".join(lines)


def _state(row: Mapping[str, Any], abandoned: Mapping[str, str]) -> str:
    """How the run stands; a run that only looks as if it were worked says so."""
    left = abandoned.get(row["run_id"]) if row["status"] == "running" else None
    return status_word(row["status"], row["outcome"]) + (f" (its worker is {left})" if left else "")


def more(command: str, **options: str | int | None) -> str:
    """How to go on behind the last row of a page: the same command, with all that was asked for. An option without a value
    is left out."""
    words = [f"--{name} {shlex.quote(str(value))}" for name, value in options.items() if value is not None]
    return f"More: autonomy {' '.join([command, *words])}"


def filled(text: str, width: int) -> str:
    """The text in at least so many columns."""
    return text + " " * max(width - columns(text), 0)


def distinct(ids: Sequence[str]) -> int:
    """How many characters tell these ids apart."""
    for length in range(SHORT, 65):
        if len({each[:length] for each in ids}) == len(set(ids)):
            return length
    return 64


def run_page(page: Mapping[str, Any], out: Output, abandoned: Mapping[str, str], home: Path) -> str:
    """Everything about one run, most wanted first."""
    state = page["outcome"] or page["status"]
    task = page.get("task") or {}
    lines = [
        f"{out.paint(page['run_id'], BOLD)}  {out.paint(_state(page, abandoned), COLOURS.get(state, 0))}",
        *wrapped(squeezed(task.get("goal", page.get("goal", ""))), out.width, 2),
        "",
        pair("journey", _journey(page, task), out),
        pair(
            "user", f"{plain(page['user_id'])}   started {ago(page['created_at'])}   last change {ago(page['updated_at'])}", out
        ),
        pair("corpus", ", ".join(plain(each) for each in task.get("corpus") or ["none"]), out),
        pair("route", ROUTES.get(page["route"], plain(page["route"])), out),
        *([pair("task", plain(page["task_id"]), out)] if page.get("task_id") else []),
        *([pair("report", awaited(page["turnitin"]), out)] if page.get("turnitin") else []),
    ]
    if page.get("error"):
        rows = text_lines(squeezed(_error(page["error"])), max(out.width - MARGIN, 30))
        lines += [pair("error" if number == 0 else "", out.paint(row, RED), out) for number, row in enumerate(rows)]
    for title, body in (
        ("Plan", _plan(page.get("plan") or [], page.get("current"), out)),
        ("Budgets", budget_lines(page.get("budgets") or {}, out)),
        ("Last observation", _observation(page.get("last_observation"), out)),
        ("Last verdict", _verdict(page.get("last_verdict"), out)),
        ("Notes", [row for note in page.get("notes") or [] for row in text_lines(squeezed(note), out.width - 2)]),
        ("Files", _files(page.get("artifacts") or [], home, out)),
    ):
        if body:
            lines += ["", out.paint(title, BOLD), *(f"  {line}" for line in body)]
    return "\n".join(lines)


def _error(error: Any) -> str:
    return str(error.get("message", error)) if isinstance(error, Mapping) else str(error)


def pair(name: str, value: str, out: Output) -> str:
    """One line of a page: a name and what it is."""
    return f"  {out.paint(f'{name:<9}', DIM)}{value}"


def wrapped(text: str, width: int, indent: int) -> list[str]:
    """The text in lines of a page, at most six."""
    import textwrap

    return textwrap.wrap(text, max(width - indent, 30), initial_indent=" " * indent, subsequent_indent=" " * indent)[:6]


def _journey(page: Mapping[str, Any], task: Mapping[str, Any]) -> str:
    parts = [page["journey"], f"style {task.get('style', '?')}"]
    parts += [f"{task['length']:,} words"] if task.get("length") else []
    parts += [f"seed {task['seed']}"] if task.get("seed") else []
    parts += [f"due {task['due_date']}"] if task.get("due_date") else []
    return plain(", ".join(parts))


def _plan(steps: Sequence[Mapping[str, Any]], current: str | None, out: Output) -> list[str]:
    signs = {"done": out.glyphs.done, "running": out.glyphs.now, "failed": out.glyphs.failed, "skipped": out.glyphs.skipped}
    lines = []
    for step in steps:
        state = "running" if step["id"] == current and step["state"] == "pending" else step["state"]
        words = cut(squeezed(step["description"]), out.width - 6, out.glyphs.more)
        sign = out.paint(signs.get(state, out.glyphs.todo), STEP_COLOURS.get(state, DIM))
        lines.append(f"{sign} {words if state != 'pending' else out.paint(words, DIM)}")
    return lines


def budget_lines(budgets: Mapping[str, Mapping[str, Any]], out: Output) -> list[str]:
    """One line a budget: used, reserved, limit."""
    lines = []
    for name, show in (("tokens", count), ("seconds", duration), ("usd", money)):
        row = budgets.get(name)
        if row is None:
            continue
        limit = row.get("limit")
        held = f" + {show(float(row['reserved']))} reserved" if row.get("reserved") else ""
        most = f" of {show(float(limit))}" if limit is not None else out.paint(", no limit", DIM)
        share = f"{_share(float(row.get('used') or 0) + float(row.get('reserved') or 0), float(limit))}" if limit else ""
        unknown = f", {several(row['unpriced_calls'], 'call')} of unknown price" if row.get("unpriced_calls") else ""
        lines.append(f"{out.paint(f'{name:<9}', DIM)}{show(float(row.get('used') or 0))}{held}{most}{share}{unknown}")
    return lines


def _share(used: float, limit: float) -> str:
    return f"  ({used / limit:.0%})" if used else ""


def _observation(row: Mapping[str, Any] | None, out: Output) -> list[str]:
    if not row:
        return []
    lines = [cut(squeezed(row.get("output") or row.get("error") or ""), out.width - 2, out.glyphs.more)]
    shown = figures(row.get("figures") or {})
    return [*lines, *([out.paint(cut(shown, out.width - 2, out.glyphs.more), DIM)] if shown else [])]


def _verdict(row: Mapping[str, Any] | None, out: Output) -> list[str]:
    if not row:
        return []
    lines = [cut(f"{plain(row.get('decision', '?'))}: {squeezed(row.get('notes', ''))}", out.width - 2, out.glyphs.more)]
    return lines + [cut(gate(each, out.glyphs), out.width - 2, out.glyphs.more) for each in row.get("gates") or []]


def _files(rows: Sequence[Mapping[str, Any]], home: Path, out: Output) -> list[str]:
    named = [row for row in rows if not stored_source(row)]
    lines = [f"{plain(from_here(home, row['path']))}  {out.paint(size(int(row.get('size') or 0)), DIM)}" for row in named]
    stored = len(rows) - len(named)
    return [*lines, *([out.paint(f"and {stored} files of the stored sources", DIM)] if stored else [])]


__all__ = ["budget_lines", "distinct", "filled", "local_time", "more", "pair", "run_page", "run_table", "wrapped"]
