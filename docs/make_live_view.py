"""Renews docs/live-view.svg: works a real run against the scripted model server and draws the view in its middle.

    python docs/make_live_view.py

Everything in the picture is what the run had written when a section was being streamed. The scripted server stands in for
a service, so the tokens and the price are real counts of made-up text.
"""

from __future__ import annotations

import io
import re
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from autonomy.bootstrap import config
from autonomy.bootstrap.app import App, open_app
from autonomy.bootstrap.foreground import work_run
from autonomy.core.types import Budget, TaskSpec
from autonomy.providers.scripted import ScriptedServer
from autonomy.services.runs import StartRun
from cli.output import Glyphs
from cli.screen import draw
from cli.watch import Watch

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "live-view.svg"
GOAL = "A guide to jobs that survive crashes: write-ahead logs, checkpoints, leases and idempotency keys"
WIDTH, HEIGHT = 100, 28
CELL = 12.2
"""Width of a column in rich's template."""
SECTIONS_BEFORE = 2
STREAMED = 120
SETTINGS = """
[[providers]]
name = "service"
kind = "compatible"
base_url = "{base_url}"
model = "scripted"
price_input = 0.4
price_output = 1.6
"""
THEME = TerminalTheme(
    (27, 30, 38),
    (214, 218, 226),
    [(69, 75, 88), (226, 104, 104), (126, 198, 122), (222, 184, 92), (108, 158, 232), (188, 132, 214), (92, 192, 200),
     (214, 218, 226)],
    [(120, 128, 142), (240, 128, 128), (150, 220, 146), (240, 206, 120), (134, 182, 250), (210, 160, 234), (122, 216, 224),
     (240, 242, 246)],
)  # fmt: skip


@dataclass
class Photographer:
    """Looks at each streamed piece, and keeps the view of the moment that shows a run at work."""

    app: App
    run_id: str
    began: float = field(default_factory=time.monotonic)
    tail: str = ""
    watch: Watch | None = None
    enough: threading.Event = field(default_factory=threading.Event)

    def token(self, text: str) -> None:
        """Called in the run's own thread, so the run stands still while the picture is taken."""
        self.tail += text
        if self.watch is None and len(self.tail) >= STREAMED:
            seen = self._look()
            if seen.calls and sum(step.action == "draft" and step.state == "done" for step in seen.steps) >= SECTIONS_BEFORE:
                self.watch = seen
                self.enough.set()

    def event(self, event: object) -> None:
        """A new answer begins with the next call."""
        if getattr(event, "type", "") == "call.started":
            self.tail = ""

    def _look(self) -> Watch:
        page = self.app.runs.inspect(self.run_id)
        watch = Watch(self.run_id, page["journey"], GOAL, started=self.began)
        for event in self.app.runs.wait_events(self.run_id, 0, 0.0):
            watch.take(event)
        watch.refresh(page)
        watch.token(self.tail)
        return watch


def observed() -> Watch:
    """The state of the view in the middle of a real run."""
    with tempfile.TemporaryDirectory() as folder, ScriptedServer(latency=0.2) as server:
        home = Path(folder)
        (home / "autonomy.toml").write_text(SETTINGS.format(base_url=server.base_url), "utf-8")
        with open_app(config.load({"AUTONOMY_HOME": folder})) as app:
            task = TaskSpec(
                goal=GOAL,
                journey="write",
                corpus=(str(ROOT / "fixtures" / "corpus"),),
                budget=Budget(tokens=200_000, seconds=1800, usd=0.10),
                provider=("service",),
            )
            run_id = app.runs.start(StartRun(task=task, user_id="local")).run_id
            camera = Photographer(app, run_id)
            work_run(
                app, run_id, on_event=camera.event, on_token=camera.token, on_progress=lambda *_: None,
                stop=camera.enough, wait=False,
            )  # fmt: skip
    if camera.watch is None:
        raise SystemExit("the run ended before the moment that the picture shows")
    return camera.watch


def picture(watch: Watch) -> str:
    """The view as SVG, in the reader's own monospace font: nothing is fetched from anywhere."""
    console = Console(
        record=True, width=WIDTH, height=HEIGHT, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(draw(watch, WIDTH, HEIGHT, Glyphs()), soft_wrap=True)
    svg = console.export_svg(title="autonomy run start", theme=THEME, unique_id="live-view")
    svg = re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "'DejaVu Sans Mono', Menlo, Consolas, monospace")
    return re.sub(r'x="([\d.]+)"( y="[\d.]+") textLength="([\d.]+)"([^>]*>)((?:&#160;)+)', _without_lead, svg)


def _without_lead(match: re.Match[str]) -> str:
    """Start a text where its first letter stands: some renderers drop leading spaces and show gaps as none."""
    x, y, length, rest, spaces = match.groups()
    lead = spaces.count(";") * CELL
    return f'x="{float(x) + lead:g}"{y} textLength="{max(float(length) - lead, CELL):g}"{rest}'


if __name__ == "__main__":
    PICTURE.write_text(picture(observed()), "utf-8")
