"""`run explain`: the story of a run as a person would want to read it, chapter by chapter, then the sums."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Output, squeezed
from cli.wording import count, figures, local_time, money

if TYPE_CHECKING:
    from autonomy.services.story import Line, Story

COLOURS = {"decision": CYAN, "retry": YELLOW, "budget.exceeded": RED, "run.failed": RED, "run.done": GREEN}


def story_document(story: Story) -> dict[str, Any]:
    """The story for programs."""
    import dataclasses

    return dataclasses.asdict(story)


def story_text(story: Story, out: Output) -> str:
    """The story for people."""
    width = min(out.width, 110)
    lines = [out.paint(f"Run {story.run_id}", BOLD), *textwrap.wrap(squeezed(story.headline), width)]
    for section in story.sections:
        lines += ["", out.paint(squeezed(section.title), BOLD)]
        for line in section.lines:
            lines += _told(line, width, out)
    lines += [
        "",
        out.paint("In sum", BOLD),
        *textwrap.wrap(_sums(story.totals), width, initial_indent="  ", subsequent_indent="  "),
    ]
    return "\n".join(lines)


def _told(line: Line, width: int, out: Output) -> list[str]:
    indent = " " * 12
    words = textwrap.wrap(squeezed(line.text).replace(" -> ", f" {out.glyphs.arrow} "), width - 12) or [""]
    shown = figures(line.figures)
    under = textwrap.wrap(shown, width - 12) if shown else []
    first = f"  {out.paint(local_time(line.at), DIM)}  {words[0]}"
    return [first, *(indent + each for each in words[1:]), *(indent + out.paint(each, DIM) for each in under)]


def _sums(totals: dict[str, Any]) -> str:
    parts = [f"{totals['decisions']} decisions", f"{totals['calls']} calls ({totals['model_calls']} to a model)"]
    parts += [f"{totals['retries']} retries"] if totals["retries"] else []
    parts += [f"resumed {totals['resumed']} times"] if totals["resumed"] else []
    parts.append(f"{count(totals['tokens_in'])} tokens in, {count(totals['tokens_out'])} out")
    price = money(totals["usd"])
    unknown = f" and {totals['unpriced_calls']} calls of unknown price" if totals["unpriced_calls"] else ""
    return ", ".join(parts) + f", {price}{unknown}."
