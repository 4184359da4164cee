"""What works runs: graph, checkpointer, tools, players and providers, joined. Heavy to import; only workers come here."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from autonomy.agents.context import Calls, Context, Reading, RunInfo
from autonomy.agents.extractive.player import ExtractivePlayer
from autonomy.agents.model import ModelPlayer
from autonomy.agents.nodes import NODES
from autonomy.agents.players import Fallback, Players, Role
from autonomy.agents.roles import Asked, Overview, Player
from autonomy.agents.wrap_up import wrap_up
from autonomy.bootstrap.app import App
from autonomy.bootstrap.corpora import Progress, read_corpora
from autonomy.bootstrap.policy import held
from autonomy.core import graph
from autonomy.core.errors import ConfigurationError
from autonomy.core.state import STATE_VERSION
from autonomy.core.types import TaskSpec
from autonomy.journeys.catalogue import journey
from autonomy.memory.library import Library
from autonomy.memory.sources import SqlSources
from autonomy.providers.openai_compat import OpenAICompatPort
from autonomy.providers.profiles import make_port
from autonomy.providers.quiet import quieten
from autonomy.runtime.breaker import Breakers
from autonomy.runtime.budgets import Meter
from autonomy.runtime.calls import RunCalls
from autonomy.runtime.checkpointer_sql import SqlSaver
from autonomy.runtime.desk import CallDesk, CallOptions, Holder
from autonomy.runtime.execution import Companions, Executor
from autonomy.runtime.lease import lease_us
from autonomy.runtime.records import RunArtifacts, RunRecords
from autonomy.runtime.retry import RetryPolicy
from autonomy.runtime.runs import Run
from autonomy.runtime.steps import Doors, supervised
from autonomy.runtime.unit import Unit
from autonomy.services.asked import EXTRACTIVE
from autonomy.tools.corpus import corpus_tools
from autonomy.tools.registry import Registry
from autonomy.turnitin.gate import ReportGate, RunCycles


@dataclasses.dataclass(frozen=True, slots=True)
class Listeners:
    """Who watches in this process: streamed tokens, and how far the reading of documents has come."""

    token: Callable[[str], None] = lambda text: None
    progress: Progress = lambda done, total, name: None


class RunCorpora:
    """The run's document folders. Implements `agents.context.Corpora`; reading happens beside the event loop."""

    def __init__(self, app: App, library: Library, progress: Progress) -> None:
        self._app = app
        self._library = library
        self._progress = progress

    async def read(self, folders: Sequence[str]) -> Reading:
        """Read each folder, new and changed documents only."""
        reports = await asyncio.to_thread(read_corpora, self._app, folders, self._progress)
        return Reading(
            ids=tuple(report.corpus_id for report in reports),
            documents=sum(report.found for report in reports),
            failed=tuple(pair for report in reports for pair in report.failed),
            duplicates=sum(report.duplicates for report in reports),
            unused=tuple(pair for report in reports for pair in report.unused),
            unread=tuple(name for report in reports for name in report.unread),
        )

    def overview(self, ids: Sequence[int]) -> Overview:
        """Counts, languages, titles, headings."""
        return Overview(**dataclasses.asdict(self._library.overview(ids)))


class Opener:
    """Opens the agents' context for each execution. Breakers are shared by all runs of the process."""

    def __init__(self, app: App, listeners: Listeners) -> None:
        self._app = app
        self._listeners = listeners
        self._breakers = Breakers()
        self._library = Library(app.database, app.embedder)
        self._tools = Registry(corpus_tools(self._library))
        app.database.write(self._tools.store)
        self._ports: dict[str, tuple[OpenAICompatPort, ...]] = {}

    async def open(self, run: Run, unit: Unit, meter: Meter) -> Context:
        """The doors of one run. Raises ConfigurationError for a provider without a key, FlawedPolicy for a run that has no
        policy yet and cannot take the workspace's."""
        settings = self._app.settings
        task = TaskSpec.model_validate(run.task)
        order = task.provider or settings.provider_names()
        entries = {entry.name: entry for entry in settings.providers}
        unknown = [name for name in order if name != EXTRACTIVE and name not in entries]
        if unknown:
            raise ConfigurationError(f"provider {unknown[0]} is not configured", "See 'autonomy config show'.")
        records = RunRecords(self._app.database, unit)
        this_journey = journey(run.journey, held(self._app.home, run, unit, records))
        ports = tuple(make_port(entries[name].resolve()) for name in order if name != EXTRACTIVE)
        self._ports[run.id] = ports
        desk = CallDesk(
            self._app.database,
            Holder(run.id, unit.epoch, run.correlation_id),
            ports=ports,
            tools=self._tools,
            breakers=self._breakers,
            meter=meter,
            options=self._options(),
        )
        calls = RunCalls(desk)
        seat = self._seating(tuple(order), task.seed, unit, records)
        provider = ",".join(order)
        artifacts = RunArtifacts(self._app.home, unit, self._app.database)
        artifacts.sweep()
        return Context(
            run=RunInfo(run.id, run.user_id, run.journey, run.correlation_id, task.seed, provider, run.created_at),
            calls=calls,
            records=records,
            artifacts=artifacts,
            emit=unit.emit,
            sources=SqlSources(self._app.database),
            corpora=RunCorpora(self._app, self._library, self._listeners.progress),
            cycles=RunCycles(self._app.database, unit),
            player=seat(calls, 0),
            seat=seat,
            journey=this_journey,
        )

    def _options(self) -> CallOptions:
        runtime = self._app.settings.runtime
        return CallOptions(parallel_calls=runtime.parallel_calls, policy=RetryPolicy(attempts=runtime.requests_per_call))

    def _seating(self, order: tuple[str, ...], seed: int, unit: Unit, records: RunRecords) -> Callable[[Calls, int], Player]:
        """Puts the run's player at a door: the model first where one is named, the extractive one where it is in the order."""
        models = ",".join(name for name in order if name != EXTRACTIVE)

        def seat(calls: Calls, step: int) -> Player:
            notes = itertools.count(1)

            def heard(fallback: Fallback) -> None:
                why = f"{fallback.role}: {fallback.player} gave up ({fallback.reason}); {fallback.instead} does it instead"
                figures = {"role": fallback.role, "step": step}
                trouble = {"provider": fallback.player, "reason": fallback.reason}
                unit.emit("decision", {"route": "act", "why": why, "figures": figures, "fallback": trouble})
                records.put("fallback", f"{step:06d}-{fallback.role}-{next(notes)}", fallback.note, step)

            def answered(role: Role, player: Asked) -> None:
                if player.player == "model" and records.get("answered", role) is None:
                    records.put("answered", role, player.name, step)

            def removed(what: str, count: int) -> None:
                why = f"took {count} {what} out of the model's answer: they point at nothing"
                unit.emit("decision", {"route": "act", "why": why, "figures": {what: count, "step": step}})

            players: list[Player] = []
            if models:
                players.append(ModelPlayer(calls, name=models, seed=seed, show=self._listeners.token, removed=removed))
            if EXTRACTIVE in order:
                players.append(ExtractivePlayer())
            return Players(players, heard=heard, answered=answered)

        return seat

    async def close(self, context: Any) -> None:
        """Give back the HTTP clients, and what was staged in vain."""
        context.artifacts.close()
        for port in self._ports.pop(context.run.run_id, ()):
            await port.aclose()


@asynccontextmanager
async def engine(app: App, listeners: Listeners | None = None) -> AsyncIterator[Executor]:
    """An executor for this process, closed at the end."""
    quieten()
    companions = Companions()
    behind = 1 if app.settings.runtime.durability == "behind" else 0
    saver = SqlSaver(
        app.database,
        fingerprint=graph.fingerprint(),
        state_version=STATE_VERSION,
        companion=companions,
        fence=companions.fence,
        behind=behind,
    )
    nodes = {name: supervised(name, node, wrap_up) for name, node in NODES.items()}
    compiled = graph.build(nodes, checkpointer=saver, context_schema=Doors)
    opener = Opener(app, listeners or Listeners())
    lease = lease_us(app.settings.queue.lease_seconds)
    yield Executor(app.database, compiled, saver, companions, opener, lease, ReportGate())
