"""Figures and times in words, shared by everything that people read: the terminal and the pages."""

from __future__ import annotations

import datetime
from typing import Final

STATUS_WORDS = {"waiting_human": "waiting", "budget_exceeded": "over budget", "target_not_reached": "below target"}
RUN_STATES: Final = (
    "queued", "running", "waiting_human", "paused", "done", "delivered", "target_not_reached", "budget_exceeded", "failed",
    "aborted",
)  # fmt: skip
"""Equal to `autonomy.core.types.RunState`, which would load pydantic before a help page can be shown."""


def in_order(path: str) -> str:
    """What to sort a run's files by: their paths, a Word document behind the text of the same name."""
    stem = path.removesuffix(".docx")
    return path if stem == path else f"{stem}.md.docx"


def duration(seconds: float) -> str:
    """0.4 s, 42 s, 3 min 05 s, 2 h 10 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = whole % 3600 // 60
    return f"{whole // 3600} h {minutes:02d} min" if minutes else f"{whole // 3600} h"


def clock(seconds: float) -> str:
    """00:42 or 1:02:03: a running time of fixed width."""
    whole = max(int(seconds), 0)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60:02d}:{rest % 60:02d}"


def count(number: float) -> str:
    """1,234 up to 99,999; then 123k, 4.5M."""
    if abs(number) < 100_000:
        return f"{number:,.0f}"
    for limit, unit in ((1e6, "k"), (1e9, "M"), (1e12, "G")):
        if abs(number) < limit:
            shown = number / (limit / 1000)
            return f"{shown:.0f}{unit}" if shown >= 100 else f"{shown:.1f}{unit}"
    return f"{number:.3g}"


def money(usd: float | None) -> str:
    """$0.00, $0.0042, $0.04, $12.30; "unknown" where no price is known."""
    if usd is None:
        return "unknown"
    return f"${usd:.4f}" if 0 < usd < 0.01 else f"${usd:,.2f}"


def size(number: int) -> str:
    """812 B, 12 kB, 3.4 MB."""
    if number < 1000:
        return f"{number} B"
    for limit, unit in ((1e6, "kB"), (1e9, "MB"), (1e12, "GB")):
        if number < limit:
            shown = number / (limit / 1000)
            return f"{shown:.0f} {unit}" if shown >= 10 else f"{shown:.1f} {unit}"
    return f"{number / 1e12:.1f} TB"


def parse_time(text: str | None) -> datetime.datetime | None:
    """An RFC 3339 text as a moment, None where there is none."""
    return None if not text else datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def ago(text: str | None, now: datetime.datetime | None = None) -> str:
    """just now, 5 min ago, 3 h ago, then the date."""
    moment = parse_time(text)
    if moment is None:
        return "-"
    passed = ((now or datetime.datetime.now(datetime.UTC)) - moment).total_seconds()
    if passed < 60:
        return "just now"
    if passed < 3600:
        return f"{int(passed // 60)} min ago"
    if passed < 86_400:
        return f"{int(passed // 3600)} h ago"
    return moment.astimezone().strftime("%Y-%m-%d")


def run_state(word: str) -> str | None:
    """The state of a run that a word names: its own name, or what people read for it; None for a word that names none.

    >>> run_state("below target"), run_state("target-not-reached"), run_state("asleep")
    ('target_not_reached', 'target_not_reached', None)
    """
    names = {shown: name for name, shown in STATUS_WORDS.items()} | {name.replace("_", " "): name for name in RUN_STATES}
    return names.get(" ".join(word.lower().replace("_", " ").replace("-", " ").split()))


def status_word(status: str, outcome: str | None = None) -> str:
    """One word or two for a table: the outcome once there is one."""
    word = outcome or status
    return STATUS_WORDS.get(word, word)
