"""The live view as lines of text: plan tree, where the run is, why, and what it has used. Drawn from a `Watch` alone.

It fits the height and width it is given (from 8 lines on): the step being worked on is always there, the rest is folded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from rich.text import Text

from cli.output import Glyphs, columns, cut, squeezed, wrapped
from cli.watch import ENDED, Step, Watch
from cli.wording import clock, count, duration, money, several

TITLES = {
    "survey": "Survey the corpus",
    "search": "Search for evidence",
    "outline": "Outline",
    "draft": "Draft",
    "annotate": "Annotate the sources",
    "matrix": "Claims matrix",
    "synthesise": "Synthesis",
    "frame": "Introduction and conclusion",
    "audit": "Audit",
    "revise": "Revise",
    "deliver": "Deliver",
}
STYLES = {"done": "green", "running": "bold cyan", "failed": "red", "skipped": "dim", "pending": "dim"}
BAR = 24
DECISIONS = 3
TROUBLE = 3
LOW = 18
"""Below this height the meters and all but the last decision make room for the plan."""
CHILDREN = 3
"""Steps of the group being worked on that are always shown; what comes later is folded into one line for them."""


def draw(watch: Watch, width: int, height: int, glyphs: Glyphs) -> Text:
    """The whole view, at most `height` lines of at most `width` columns."""
    width = min(width, 120)
    low = height < LOW
    gap = [] if low else [Text("")]
    head = _head(watch, width, glyphs)[: 1 if low else 3]
    why = _why(watch, width, glyphs, 1 if low or watch.trouble else DECISIONS)
    meters = [] if low else _meters(watch, width, glyphs)
    trouble = _trouble(watch, width, 1 if low else TROUBLE)
    foot = [*_now(watch, width, glyphs), *why, *gap, *meters, *trouble, *_tail(watch, width, glyphs)]
    tree = _tree(watch, width, max(height - len(head) - len(foot) - len(gap), 1), glyphs)
    lines = [*head, *tree, *gap, *foot]
    return Text("\n").join(_cut_to(line, width, glyphs) for line in lines)


def _row(left: Text, right: Text, width: int, glyphs: Glyphs) -> Text:
    """Left and right on one line; the left part gives way."""
    room = width - columns(right.plain) - (2 if right.plain else 0)
    if columns(left.plain) > room:
        left = _cut(left, room, glyphs)
    gap = " " * max(width - columns(left.plain) - columns(right.plain), 1)
    return Text.assemble(left, gap, right) if right.plain else left


def _cut(text: Text, room: int, glyphs: Glyphs) -> Text:
    short = cut(text.plain, room, glyphs.more)
    kept = len(short) - len(glyphs.more)
    return Text.assemble(text[:kept], (glyphs.more, "dim"))


def _head(watch: Watch, width: int, glyphs: Glyphs) -> list[Text]:
    left = Text.assemble(("autonomy", "bold"), ("  " + watch.journey, "cyan"), ("  run " + watch.run_id[:12], "dim"))
    right = Text(clock(time.monotonic() - watch.started), "bold")
    goal = Text(cut(squeezed(watch.goal), width, glyphs.more), "italic")
    return [_row(left, right, width, glyphs), goal, Text(glyphs.rule * width, "dim")]


# -- the plan -----------------------------------------------------------------------------------------


def _tree(watch: Watch, width: int, room: int, glyphs: Glyphs) -> list[Text]:
    if watch.reading is not None:
        return _reading(watch, width, glyphs)
    if not watch.steps:
        word = "Reads the goal and the documents" if watch.node == "interpret" else "Lays out the plan"
        return [Text.assemble((f"{glyphs.now} ", "bold cyan"), (word + glyphs.more, "bold"))]
    groups = [(action, list(steps)) for action, steps in groupby(watch.steps, key=lambda step: step.action)]
    folded = len(groups) + CHILDREN > room
    spare = max(room - (sum(_group_state(steps) != "pending" for _, steps in groups) + 1 if folded else len(groups)), 1)
    lines: list[Text] = []
    later: list[str] = []
    for action, steps in groups:
        state = _group_state(steps)
        if folded and state == "pending":
            later.append(_title(action))
            continue
        lines.append(_group(action, steps, width, glyphs))
        if len(steps) > 1 and state == "running":
            lines.extend(_children(steps, min(spare, 2 * CHILDREN), width, glyphs))
    if later:
        lines.append(_cut_to(Text(f"{glyphs.todo} then {', '.join(later)}", "dim"), width, glyphs))
    return _window(lines, room, glyphs)


def _title(action: str) -> str:
    return TITLES.get(action, action.replace("_", " ").capitalize())


def _cut_to(text: Text, width: int, glyphs: Glyphs) -> Text:
    return text if columns(text.plain) <= width else _cut(text, width, glyphs)


def _reading(watch: Watch, width: int, glyphs: Glyphs) -> list[Text]:
    assert watch.reading is not None
    share = watch.reading.done / max(watch.reading.total, 1)
    bar = _bar(share, 0.0, BAR, glyphs)
    figures = Text(f" {watch.reading.done:,} of {watch.reading.total:,}")
    name = Text("  " + cut(squeezed(watch.reading.name), max(width - BAR - columns(figures.plain) - 23, 8), glyphs.more), "dim")
    return [Text.assemble((f"{glyphs.now} ", "bold cyan"), ("Checks documents  ", "bold"), bar, figures, name)]


def _group_state(steps: list[Step]) -> str:
    states = {step.state for step in steps}
    if "running" in states or (states & {"done", "failed"} and "pending" in states):
        return "running"
    if states <= set(ENDED):
        return "failed" if "failed" in states else "done" if "done" in states else "skipped"
    return "pending"


def _sign(state: str, glyphs: Glyphs) -> tuple[str, str]:
    signs = {"done": glyphs.done, "running": glyphs.now, "failed": glyphs.failed, "skipped": glyphs.skipped}
    return signs.get(state, glyphs.todo), STYLES.get(state, "dim")


def _group(action: str, steps: list[Step], width: int, glyphs: Glyphs) -> Text:
    state = _group_state(steps)
    sign, style = _sign(state, glyphs)
    title = _title(action)
    words = "" if state == "done" else style
    if len(steps) == 1:
        shown = steps[0].description if action not in TITLES else title
        return _noted(Text.assemble((f"{sign} ", style), (squeezed(shown), words)), steps[0].note, width, glyphs)
    done = sum(step.state in ENDED for step in steps)
    left = Text.assemble((f"{sign} ", style), (title, words))
    return _row(left, Text(f"{done} of {len(steps)}", "dim"), width, glyphs)


def _noted(left: Text, note: str, width: int, glyphs: Glyphs) -> Text:
    room = max(width - columns(left.plain) - 2, 0)
    if not note or room < 16:
        return _row(left, Text(""), width, glyphs)
    return _row(left, Text(cut(squeezed(note), room, glyphs.more), "dim"), width, glyphs)


def _children(steps: list[Step], most: int, width: int, glyphs: Glyphs) -> Iterator[Text]:
    """A window over the steps of a group, around the one being worked on."""
    if most < 1:
        return
    at = next((number for number, step in enumerate(steps) if step.state not in ENDED), len(steps) - 1)
    first = max(min(at - most // 2, len(steps) - most), 0)
    window = steps[first : first + most]
    for number, step in enumerate(window):
        sign, style = _sign(step.state, glyphs)
        bend = glyphs.last if number == len(window) - 1 else glyphs.branch
        words = step.description.removeprefix("Search: ")
        left = Text.assemble(
            (f"  {bend} ", "dim"), (f"{sign} ", style), (squeezed(words), "" if step.state == "done" else style)
        )
        yield _noted(left, step.note if step.state in ENDED else "", width, glyphs)


def _window(lines: list[Text], room: int, glyphs: Glyphs) -> list[Text]:
    """As many lines as there is room for, around the first that is being worked on."""
    if len(lines) <= room:
        return lines
    at = next((number for number, line in enumerate(lines) if line.plain.startswith(glyphs.now)), 0)
    first = max(min(at - room // 3, len(lines) - room), 0)
    shown = lines[first : first + room]
    if first:
        shown[0] = Text(f"  {glyphs.more} {first + 1} above", "dim")
    if first + room < len(lines):
        shown[-1] = Text(f"  {glyphs.more} {len(lines) - first - room + 1} below", "dim")
    return shown


# -- where it is, and why -----------------------------------------------------------------------------


def _now(watch: Watch, width: int, glyphs: Glyphs) -> list[Text]:
    step = next((step for step in watch.steps if step.id == watch.current), None)
    parts = [watch.node] + ([step.description] if step is not None and watch.node in ("act", "reflect") else [])
    right = Text(watch.call, "dim")
    words = f" {glyphs.dot} ".join(squeezed(part) for part in parts)
    return [_row(Text.assemble(("now      ", "dim"), (words, "bold")), right, width, glyphs)]


def _why(watch: Watch, width: int, glyphs: Glyphs, most: int) -> list[Text]:
    lines = []
    for number, decision in enumerate(list(watch.decisions)[-most:]):
        lead = "why      " if number == 0 else " " * 9
        route = f"{decision.node} {glyphs.arrow} {decision.route}"
        lines.append(
            _row(Text.assemble((lead, "dim"), (f"{route}  ", "cyan"), squeezed(decision.why)), Text(""), width, glyphs)
        )
    return lines


# -- what it has used ---------------------------------------------------------------------------------


def _bar(used: float, reserved: float, cells: int, glyphs: Glyphs) -> Text:
    """A bar of `cells` cells: used, then reserved, then free. Shares of the limit, 0 to 1."""
    full = min(round(used * cells), cells)
    held = min(round((used + reserved) * cells), cells) - full
    style = "red" if used + reserved >= 0.95 else "yellow" if used + reserved >= 0.75 else "green"
    return Text.assemble(
        (glyphs.full * full, style), (glyphs.held * held, style), (glyphs.empty * (cells - full - held), "dim")
    )


def _meters(watch: Watch, width: int, glyphs: Glyphs) -> list[Text]:
    running = {"seconds": {"used": watch.seconds_used(time.monotonic())}}
    lines = [
        meter(name, {**row, **running.get(name, {})}, BAR if width >= 70 else 12, glyphs)
        for name, row in watch.budgets.items()
        if name in ("tokens", "seconds", "usd") and (row.get("limit") is not None or row.get("used"))
    ]
    retries = f", {several(watch.retries, 'retry')}" if watch.retries else ""
    return [*lines, Text.assemble(("calls    ", "dim"), f"{watch.calls}{retries}")]


def meter(name: str, row: Any, cells: int, glyphs: Glyphs) -> Text:
    """One budget: a bar where there is a limit, then the figures."""
    used, reserved, limit = float(row.get("used") or 0), float(row.get("reserved") or 0), row.get("limit")
    show = {"tokens": count, "seconds": duration, "usd": money}[name]
    held = f" + {show(reserved)} reserved" if reserved else ""
    if limit is None:
        return Text.assemble((f"{name:<9}", "dim"), f"{show(used)}{held}", (", no limit", "dim"))
    bar = _bar(used / limit if limit else 1.0, reserved / limit if limit else 0.0, cells, glyphs)
    return Text.assemble((f"{name:<9}", "dim"), bar, f"  {show(used)}{held}", (f" of {show(float(limit))}", "dim"))


def _trouble(watch: Watch, width: int, most: int) -> list[Text]:
    """What keeps the run from going on, how often it was met, and what to do about it."""
    if not watch.trouble:
        return []
    times = f" ({several(watch.tries, 'try')})" if watch.tries > 1 else ""
    told = squeezed(f"{watch.trouble.rstrip('.')}{times}. {watch.hint}")
    return [Text(row, "yellow") for row in wrapped(told, width)[:most]]


def _tail(watch: Watch, width: int, glyphs: Glyphs) -> list[Text]:
    lines = []
    if watch.tail:
        words = squeezed(watch.tail)
        lines.append(Text.assemble(("writes   ", "dim"), (words[-(width - 9) :], "italic")))
    if watch.notice:
        lines.append(Text(cut(watch.notice, width, glyphs.more), "yellow"))
    else:
        lines.append(Text("Ctrl-C stops at the next safe point; nothing is lost.", "dim"))
    return lines
