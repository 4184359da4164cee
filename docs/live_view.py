"""Draws docs/live-view.svg: the live view of a real run at the moment it had told SHARE of its events.

AUTONOMY_HOME=... python docs/live_view.py RUN [SHARE] > docs/live-view.svg
"""

from __future__ import annotations

import io
import os
import re
import sys
import time

from rich.console import Console

from autonomy.bootstrap.app import open_app
from autonomy.bootstrap.config import load
from cli.output import Glyphs
from cli.screen import draw
from cli.watch import Watch

WIDTH, HEIGHT = 100, 26


def main() -> None:
    """Replay the run's events into the view and print the picture."""
    share = float(sys.argv[2]) if len(sys.argv) > 2 else 0.6
    with open_app(load(os.environ)) as app:
        run_id = app.runs.resolve(sys.argv[1])
        page, events = app.runs.inspect(run_id), app.runs.events(run_id, limit=1000)
    told = events[: round(len(events) * share)]
    elapsed = (told[-1].created_at - told[0].created_at) / 1e6
    watch = Watch(run_id, page["journey"], page["task"]["goal"], started=time.monotonic() - elapsed)
    for event in told:
        watch.take(event)
    seconds = {**page["budgets"]["seconds"], "used": elapsed}
    watch.refresh({"budgets": {**page["budgets"], "seconds": seconds}})
    console = Console(
        record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(draw(watch, WIDTH, HEIGHT, Glyphs()))
    picture = console.export_svg(title="autonomy run start", unique_id="live")
    # The reader's own monospace font will do: a picture should fetch nothing.
    sys.stdout.write(re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL))


if __name__ == "__main__":
    main()
