"""A real browser before a real server: Debian's chromium, driven by playwright, and `autonomy serve` in its own process."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.commands import CORPUS, Command, Commands, Ended, Workspace, until
from tests.stage import _read, commands, fresh, on_sqlite, server, workspace

__all__ = ["_read", "commands", "fresh", "on_sqlite", "server", "workspace"]

NAMES = ("chromium", "chromium-browser", "google-chrome")
INSTALL = "no chromium on the path: apt-get install -y --no-install-recommends chromium"
WATCH = """
window.refused = [];
document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.violatedDirective));
"""
OFFLINE = "net::ERR_"
"""What the console says of requests to a server that is down."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, once for the tests of a module. Only a person's machine may do without: under CI its lack is a failure."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("CI"):
        pytest.fail(INSTALL, pytrace=False)
    if found is None:
        pytest.skip(INSTALL)
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # its sandbox does not work for root
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()


@dataclass
class Site:
    """A server on a port that it keeps across restarts."""

    commands: Commands
    workspace: Workspace
    port: int
    environ: dict[str, str] = field(default_factory=dict)
    workers: int = 1
    process: Command | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ("serve", "--port", str(self.port), "--workers-inline", str(self.workers))
        self.process = self.commands.start(self.workspace, *words, environ=self.environ)
        until(self._answers, "the server answers")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.alive, self.process.shown()
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()

    def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        if self.process is not None and self.process.alive:
            self.process.signal(signal.SIGTERM)
            self.process.wait()

    def cli(self, *argv: str) -> Ended:
        """A command beside the server, that must work."""
        ended = self.commands.run(self.workspace, *argv, environ=self.environ)
        assert ended.code == 0, ended.err
        return ended

    def task(self, text: str, *more: str) -> str:
        """A new task's id."""
        return str(self.cli("tasks", "add", text, "--json", *more).document["task_id"])

    def run(self, goal: str, *more: str) -> str:
        """A queued run's id."""
        words = ("run", "start", goal, "--journey", "research", "--corpus", str(CORPUS), "--detach", "--json", *more)
        return str(self.cli(*words).document["run_id"])


def _free_port() -> int:
    """A port that stays free while its server is away: the system gives those from 32768 on to whoever connects."""
    first = 20_000 + os.getpid() % 1_000 * 10
    for port in itertools.chain(range(first, 32_000), range(20_000, first)):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("no port is free")


@contextmanager
def serving(commands: Commands, workspace: Workspace) -> Iterator[Site]:
    """A server that is not yet started, in a workspace whose tasks are worked from the sample corpus."""
    (workspace.home / "autonomy.toml").write_text(f'[tasks]\ncorpus = "docs"\n\n[corpora]\ndocs = "{CORPUS}"\n')
    made = Site(commands, workspace, _free_port())
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def site(commands: Commands, on_sqlite: Workspace) -> Iterator[Site]:
    """A server of the test's own, not yet started."""
    with serving(commands, on_sqlite) as made:
        yield made


class Watched:
    """A browser's window whose every complaint is remembered: the console, uncaught errors, what the policy refused."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.complaints: list[str] = []
        context.add_init_script(WATCH)
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        """Go there."""
        self.page.goto(f"{self.url}{path}")
        return self.page

    def check(self, *, was_down: bool = False) -> None:
        """Nothing was complained about, apart from a server that was down."""
        refused: list[Any] = self.page.evaluate("window.refused")
        assert refused == []
        assert [text for text in self.complaints if not (was_down and OFFLINE in text)] == []


@contextmanager
def window(browser: Browser, url: str, **options: Any) -> Iterator[Watched]:
    """A new window before the server, checked for complaints at its end."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(60_000)
    try:
        yield Watched(context, url)
    finally:
        context.close()
