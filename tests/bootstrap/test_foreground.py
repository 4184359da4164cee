"""Working a run in this process while somebody watches: every event once, the error itself, a stop that leaves it resumable."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from autonomy.agents.extractive.player import ExtractivePlayer
from autonomy.agents.roles import SelectRequest
from autonomy.bootstrap.app import App
from autonomy.bootstrap.foreground import Ended, work_run
from autonomy.bootstrap.settings import ProviderEntry, Settings
from autonomy.core.errors import ConfigurationError, HeldByAnother, ProviderUnavailable
from autonomy.core.events import Event
from autonomy.core.types import Card, TaskSpec
from autonomy.providers.scripted import ScriptedServer
from autonomy.runtime import queue
from autonomy.runtime.lease import Presence
from autonomy.runtime.worker import Worker
from autonomy.services.asked import EXTRACTIVE
from autonomy.services.runs import StartRun
from autonomy.storage.database import Database

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"


@pytest.fixture
def app(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "home").mkdir()
    shutil.copytree(CORPUS, tmp_path / "home" / "docs")
    with App(Settings(home=tmp_path / "home", database_url=database.url), database) as opened:
        yield opened


def start(app: App, *providers: str) -> str:
    task = TaskSpec(
        goal="How do leases keep a queue safe",
        corpus=(str(app.home / "docs"),),
        provider=providers or (EXTRACTIVE,),
        length=200,
    )
    return app.runs.start(StartRun(task)).run_id


class Watcher:
    """Sees what a person would; `stop_at` asks for a stop at the first such event."""

    def __init__(self, stop_at: str = "") -> None:
        self.events: list[Event] = []
        self.progress: list[tuple[int, int, str]] = []
        self.stop = threading.Event()
        self._stop_at = stop_at

    def event(self, event: Event) -> None:
        self.events.append(event)
        if event.type == self._stop_at:
            self.stop.set()

    def watch(self, app: App, run_id: str, **more: Any) -> Ended:
        return work_run(
            app, run_id, on_event=self.event, on_token=lambda text: None,
            on_progress=lambda *row: self.progress.append(row), stop=self.stop, **{"wait": False, **more},
        )  # fmt: skip


def test_a_watched_run_shows_every_event_once_and_how_it_ended(app: App) -> None:
    run_id, watcher = start(app), Watcher()
    ended = watcher.watch(app, run_id)
    assert (ended.status, ended.error) == ("done", None)
    assert [event.seq for event in watcher.events] == list(range(1, len(watcher.events) + 1))
    assert watcher.events == app.runs.events(run_id, limit=5000)
    assert watcher.events[-1].type == "run.done"
    assert watcher.progress[-1][0] == watcher.progress[-1][1] == 8


def test_a_stop_leaves_the_run_paused_and_it_goes_on_with_nothing_done_twice(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, first, second = start(app), Watcher("plan.updated"), Watcher()
    drained, choose, drain = asyncio.Event(), ExtractivePlayer.select, Worker.drain

    async def held(self: ExtractivePlayer, request: SelectRequest) -> tuple[Card, ...]:
        await drained.wait()
        return await choose(self, request)

    def told(self: Worker) -> None:
        drain(self)
        drained.set()

    with monkeypatch.context() as patch:
        patch.setattr(ExtractivePlayer, "select", held)  # the run cannot be faster than the wish to stop it
        patch.setattr(Worker, "drain", told)
        assert first.watch(app, run_id).status == "paused"
    app.runs.resume(run_id)
    assert second.watch(app, run_id).status == "done"
    steps = [event.content["step"] for event in second.events if event.type == "node.finished"]
    assert steps == list(range(len(steps)))


def test_the_error_of_a_failed_run_is_the_error_itself(app: App) -> None:
    ended = Watcher().watch(app, start(app, "nobody"))
    assert (ended.status, ended.outcome) == ("failed", "failed")
    assert isinstance(ended.error, ConfigurationError)


@pytest.fixture
def alone(app: App) -> App:
    """The workspace with a provider that nobody serves, each call put to it once."""
    with ScriptedServer() as server:
        gone = ProviderEntry("gone", "local", model="m", base_url=server.base_url)
    settings = replace(app.settings, providers=(gone,), runtime=replace(app.settings.runtime, requests_per_call=1))
    app.settings = settings
    return app


def job_retries(watcher: Watcher) -> int:
    return sum(event.type == "retry" and event.content.get("scope") == "job" for event in watcher.events)


def test_a_run_whose_first_call_meets_nobody_ends_at_once_with_what_to_do(alone: App) -> None:
    watcher = Watcher()
    ended = watcher.watch(alone, start(alone, "gone"))
    assert (ended.status, job_retries(watcher)) == ("failed", 0)
    assert isinstance(ended.error, ProviderUnavailable)
    assert "connection refused" in ended.error.message
    assert "--provider extractive" in ended.error.hint


def test_a_run_that_was_resumed_outlasts_an_outage(alone: App) -> None:
    watcher, run_id = Watcher("retry"), start(alone, "gone")
    alone.runs.pause(run_id)
    alone.runs.resume(run_id)
    ended = watcher.watch(alone, run_id)
    assert (ended.status, job_retries(watcher)) != ("failed", 0)
    assert job_retries(watcher) == 1


def test_a_service_that_is_there_and_has_trouble_is_asked_again(alone: App) -> None:
    with ScriptedServer("500") as server:
        ill = replace(alone.settings.providers[0], name="ill", base_url=server.base_url)
        alone.settings = replace(alone.settings, providers=(ill,))
        watcher = Watcher("retry")
        watcher.watch(alone, start(alone, "ill"))
    assert job_retries(watcher) == 1


def test_a_run_that_somebody_holds_is_refused_by_name(app: App) -> None:
    run_id, watcher = start(app), Watcher()
    with Presence() as presence:
        app.database.write(lambda tx: queue.claim(tx, presence.identity, 30_000_000, run_id))
        with pytest.raises(HeldByAnother, match=presence.identity):
            watcher.watch(app, run_id)
    assert watcher.events == [], "a refusal is told alone"


def test_waiting_for_a_holder_ends_with_a_stop(app: App) -> None:
    run_id, watcher = start(app), Watcher()
    with Presence() as presence:
        app.database.write(lambda tx: queue.claim(tx, presence.identity, 30_000_000, run_id))
        watcher.stop.set()
        with pytest.raises(HeldByAnother):
            watcher.watch(app, run_id, wait=True)
