"""One hostile text at every door: nothing that people read, in the terminal or on a page, obeys it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import httpx
import pytest
from lxml import html  # type: ignore[import-untyped]

from autonomy.core.unseen import show
from autonomy.providers.script import Behaviour
from autonomy.providers.scripted import ScriptedServer
from tests.commands import Commands, Workspace, until

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\u202eevil\u2066\u200b\x9b5m\r\n# head\n"
    "<img src=x onerror=alert(1)> [a](javascript:alert(2)) **b** <script>alert(3)</script>"
)
SEEN = r"\x1b]0;owned\x07\x1b[2J\u202eevil\u2066\u200b\x9b5m # head <img src=x onerror=alert(1)>"
GOAL = f"How do leases keep a queue of jobs safe {HOSTILE}"
TEXT = (
    "A lease keeps the jobs of a queue safe, because a worker that is gone loses it after a while. Leases of jobs are renewed "
    "by the worker that holds them. A queue of jobs is safe when each lease names one worker, and a fence keeps others out.\n"
)
AS_MARKUP = "//img | //script[not(@src)] | //*[@onerror] | //a[starts-with(@href, 'javascript')]"


@pytest.fixture
def corpus(on_sqlite: Workspace) -> Path:
    """A document that is hostile in its name, its title, its headings and its words."""
    folder = on_sqlite.home / "docs"
    folder.mkdir()
    name = HOSTILE.replace("/", "_")
    one_line = " ".join(HOSTILE.split())
    (folder / f"{name}.md").write_text(
        f"# Leases {one_line}\n\n{TEXT}\n## Queues {one_line}\n\n{TEXT}{one_line} {TEXT}", "utf-8"
    )
    (folder / "untitled\u202eexe\n\x1b[31m.txt").write_text(TEXT.replace("lease", "lock").replace("Lease", "Lock"), "utf-8")
    (folder / f"broken{name}.pdf").write_bytes(b"%PDF-1.7\nnothing")
    return folder


def test_a_hostile_text_is_shown_and_never_obeyed(
    commands: Commands, on_sqlite: Workspace, server: ScriptedServer, corpus: Path
) -> None:
    server.script = lambda asked: Behaviour("status", status=500, message=HOSTILE)
    on_sqlite.configure(
        server.base_url, rest=f'[runtime]\nrequests_per_call = 2\n[queue]\nmax_attempts = 1\n[corpora]\ndocs = "{corpus}"'
    )

    def run(*words: str, code: int = 0) -> str:
        ended = commands.run(on_sqlite, *words, environ={"COLUMNS": "200"})
        assert ended.code == code, ended.err
        for text in (ended.out, ended.err):
            assert show(text, lambda _: "?", keep="\n") == text, words
        return ended.out

    def run_id(outcome: str) -> str:
        found = json.loads(run("run", "list", "--status", outcome, "--json"))["items"]
        return str(found[0]["run_id"])

    start = ("run", "start", GOAL, "--corpus", "docs")
    run(*start, "--length", "3000", "--provider", "extractive", code=1)
    run(*start, "--provider", "model", code=8)
    asked = ("tasks", "add", GOAL, "--corpus", "docs", "--criterion", HOSTILE, "--scope", HOSTILE, "--json")
    task, rejected = (str(json.loads(run(*asked))["task_id"]) for _ in range(2))
    run("tasks", "approve", task)
    run("worker", "--until-idle")
    run("tasks", "reject", rejected, "--reason", HOSTILE)

    short, failed = run_id("below-target"), run_id("failed")
    for words in (
        ("run", "explain", short), ("run", "explain", failed), ("run", "inspect", short), ("run", "inspect", failed),
        ("run", "tail", short), ("run", "tail", failed), ("tasks", "show", task), ("tasks", "show", rejected),
        ("run", "list"), ("tasks", "list"), ("memory", "search", "leases"), ("audit", "tail", "--no-follow"),
        ("events", "tail", "--since", "0", "--no-follow"),
    ):  # fmt: skip
        told = " ".join(run(*words).split())
        assert "owned" in told, words
        if words[1] in ("explain", "inspect", "show"):
            assert SEEN in told, words
        elif words[1] == "tail" and words[0] != "audit":
            assert "<img src=x onerror=alert(1)>" in told, words

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    served = commands.start(on_sqlite, "serve", "--port", str(port), "--workers-inline", "0")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as browser:

        def answers() -> bool:
            assert served.alive, served.shown()
            try:
                return browser.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        until(answers, "the server")
        places = [f"/runs/{short}", f"/runs/{short}?show=everything", f"/runs/{failed}", f"/runs/{failed}?show=everything"]
        for place in (*places, f"/tasks/{task}", f"/tasks/{rejected}", "/", "/runs", "/tasks", "/memory?q=leases"):
            page = browser.get(place, headers={"accept": "text/html"})
            assert page.status_code == 200, place
            assert show(page.text, lambda _: "?", keep="\t\n\r") == page.text, place
            read = html.fromstring(page.text)
            assert read.xpath(AS_MARKUP) == [], place
            assert "[U+202E]evil[U+2066][U+200B]" in read.text_content(), place
            assert "<img src=x onerror=alert(1)>" in " ".join(read.text_content().split()), place
