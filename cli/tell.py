"""`run explain`: the story of a run as a person would want to read it, chapter by chapter, then the sums."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cli.output import BOLD, DIM, GREEN, RED, YELLOW, Output, squeezed, wrapped
from cli.wording import count, figures, local_time, money, outcome_line, several, status_word

if TYPE_CHECKING:
    from autonomy.services.story import Changed, Line, Story

COLOURS = {"retry": YELLOW, "breaker.opened": YELLOW, "budget.exceeded": RED, "run.failed": RED, "run.done": GREEN}
MARGIN = " " * 12


def story_document(story: Story) -> dict[str, Any]:
    """The story for programs."""
    import dataclasses

    return dataclasses.asdict(story)


def story_text(story: Story, out: Output) -> str:
    """The story for people."""
    width = min(out.width, 110)
    lines = [out.paint(f"Run {story.run_id}", BOLD), *wrapped(_headline(squeezed(story.headline)), width)]
    for section in story.sections:
        told = [part for line in _worth_telling(section.lines) for part in _told(line, width, out)]
        if told:
            lines += ["", out.paint(squeezed(section.title), BOLD), *told]
    lines += [
        "",
        out.paint("In sum", BOLD),
        *wrapped(_sums(story.totals), width, indent="  "),
    ]
    return "\n".join(lines)


def _headline(text: str) -> str:
    """The headline with its outcome in the words of people."""
    lead, told, outcome = text.removesuffix(")").rpartition(", outcome ")
    return f"{lead}{told}{status_word(outcome)})" if told else text


def _worth_telling(lines: Sequence[Line]) -> Iterator[Line]:
    """Without what the next line says again, and without a line for each stored source."""
    for line, following in itertools.zip_longest(lines, lines[1:]):
        again = line.type == "plan.updated" and following is not None and following.type == "decision"
        if not again and "/sources/" not in line.text:
            yield line


def _told(line: Line, width: int, out: Output) -> list[str]:
    room = width - len(MARGIN)
    text = outcome_line(squeezed(line.text)) if line.type.startswith("run.") else squeezed(line.text)
    reason, arrow, route = text.rpartition(" -> ") if line.type == "decision" else (text, "", "")
    body = wrapped(f"{reason} {out.glyphs.arrow} {route}" if arrow else reason or text, room) or [""]
    short = line.type == "run.done" and not text.endswith(": delivered")
    colour = [YELLOW] if short else [COLOURS[line.type]] if line.type in COLOURS else []
    rows = [out.paint(each, *colour) for each in body]
    if line.subject:
        rows = [*(out.paint(each, BOLD) for each in wrapped(squeezed(line.subject), room)), *rows]
    for gate in line.missed:
        sign, shade = (out.glyphs.failed, RED) if gate.decides else (out.glyphs.advice, YELLOW)
        lines = wrapped(f"{sign} {squeezed(gate.text)}", room - 2)
        rows += [out.paint(f"{'  ' if number else ''}{each}", shade) for number, each in enumerate(lines)]
    rows += [row for change in line.changes for row in _change(change, room, out)]
    shown = figures(line.figures)
    rows += [out.paint(each, DIM) for each in (wrapped(shown, room) if shown else [])]
    return [f"  {out.paint(local_time(line.at), DIM)}  {rows[0]}", *(MARGIN + each for each in rows[1:])]


def _change(change: Changed, room: int, out: Output) -> list[str]:
    """A flagged sentence as it was, what stands for it, and why."""
    if change.how == "kept":
        told = [(out.glyphs.advice, change.before, YELLOW)]
    else:
        told = [("-", change.before, RED), *([("+", change.after, GREEN)] if change.after else [])]
    rows = []
    for sign, text, shade in told:
        lines = wrapped(f"{sign} {squeezed(text)}", room - 2)
        rows += [out.paint(f"{'  ' if number else ''}{each}", shade) for number, each in enumerate(lines)]
    where = f"under {squeezed(change.heading)}: {squeezed(change.why)}"
    return [*rows, *(out.paint(f"  {each}", DIM) for each in wrapped(where, room - 2))]


def _sums(totals: dict[str, Any]) -> str:
    parts = [
        several(totals["decisions"], "decision"),
        f"{several(totals['calls'], 'call')} ({totals['model_calls']} to a model)",
    ]
    parts += [several(totals["retries"], "retry")] if totals["retries"] else []
    parts += [f"resumed {several(totals['resumed'], 'time')}"] if totals["resumed"] else []
    parts.append(f"{count(totals['tokens_in'])} tokens in, {count(totals['tokens_out'])} out")
    unknown = totals["unpriced_calls"]
    price = money(totals["usd"]) + (f" and {several(unknown, 'call')} of unknown price" if unknown else "")
    return f"{', '.join(parts)}, {price}."
