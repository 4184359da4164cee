"""Runs through all the real parts, on both databases: written by rule, over the small corpus."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy.agents.nodes import NODES
from autonomy.bootstrap.app import App
from autonomy.bootstrap.corpora import read_corpora
from autonomy.bootstrap.engine import engine
from autonomy.bootstrap.settings import Settings
from autonomy.bootstrap.working import executing
from autonomy.core.errors import BadAnswer, FlawedPolicy
from autonomy.core.graph import END, ROUTES
from autonomy.core.types import Budget, Journey, TaskSpec
from autonomy.journeys.manifest import verify
from autonomy.journeys.policies import FILE
from autonomy.journeys.policy import Policy
from autonomy.runtime.execution import Ended
from autonomy.runtime.worker import JobHandle, Worker
from autonomy.services.asked import EXTRACTIVE
from autonomy.services.runs import StartRun
from autonomy.storage.database import Database, Tx
from tests.journeys.installed import install

CORPUS = Path(__file__).parents[2] / "fixtures" / "corpus"
GOAL = "How do leases and fencing keep a job queue safe"


@pytest.fixture
def app(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = tmp_path / "home"
    home.mkdir()
    shutil.copytree(CORPUS, home / "docs")
    with App(Settings(home=home, database_url=database.url), database) as opened:
        yield opened


def start(app: App, journey: Journey = "write", **more: Any) -> str:
    task = TaskSpec(goal=GOAL, journey=journey, corpus=(str(app.home / "docs"),), provider=(EXTRACTIVE,), length=300, **more)
    return app.runs.start(StartRun(task)).run_id


async def work(app: App, run_id: str, enough: Callable[[], bool] = lambda: False) -> str:
    """Work the run like a worker; `enough` is asked between supersteps, and leaves it paused. Returns its status."""
    async with engine(app) as executor:
        execute = executing(executor)

        async def stoppable(job: Any, handle: JobHandle) -> Any:
            real = executor.work

            async def watched(run_id: str, epoch: int, stop: Callable[[], bool]) -> Ended:
                def either() -> bool:
                    if enough():
                        handle.tell(control="pause")
                    return stop()

                return await real(run_id, epoch, either)

            executor.work = watched  # type: ignore[method-assign]
            return await execute(job, handle)

        worker = Worker(app.database, stoppable, concurrency=1, wake=app.wake, signals=False)
        await worker.work_one(run_id)
    return str(app.runs.inspect(run_id)["status"])


def files(app: App, run_id: str) -> dict[str, Any]:
    """The deliverable without ids and times."""
    folder = app.home / "artifacts" / run_id
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest.pop("run_id")
    for source in manifest["sources"]:
        source.pop("retrieved_at")
    return {"document": (folder / "deliverable.md").read_text(), "manifest": manifest}


def decisions(app: App, run_id: str) -> list[tuple[str | None, dict[str, Any]]]:
    return [(e.node, e.content) for e in app.runs.events(run_id, limit=5000) if e.type == "decision"]


@pytest.mark.parametrize("journey", ["write", "research"])
async def test_a_run_ends_in_a_document_whose_every_quote_is_found(app: App, journey: Journey) -> None:
    run_id = start(app, journey)
    assert await work(app, run_id) == "done"
    checked = verify(app.home / "artifacts" / run_id)
    assert (checked.share, checked.problems) == (1.0, ())
    assert checked.claimed > 0
    page = app.runs.inspect(run_id)
    assert page["outcome"] in ("delivered", "target_not_reached")
    assert all(step["state"] == "done" and step["done"] for step in page["plan"])
    for node, content in decisions(app, run_id):
        assert content["why"].strip()
        assert isinstance(content["figures"], dict)
        assert content["route"] in (*NODES, END)
        if node is not None:
            assert content["route"] in ROUTES[node]


def steps_done(app: App, run_id: str) -> int:
    return sum(event.type == "node.finished" for event in app.runs.events(run_id, limit=5000))


async def test_a_corpus_that_changes_between_stop_and_resume_changes_nothing_that_was_gathered(app: App) -> None:
    """Every file is rewritten or gone, and the folder read anew, when the run goes on from its outline."""
    undisturbed = start(app)
    await work(app, undisturbed)
    run_id = start(app)

    def outlined() -> bool:
        return any(content.get("step") == "outline" for node, content in decisions(app, run_id) if node == "reflect")

    assert await work(app, run_id, outlined) == "paused"
    docs = app.home / "docs"
    for number, path in enumerate(sorted(docs.iterdir())):
        path.unlink()
        if number % 2:
            path.with_suffix(".md").write_text(f"# Other {number}\n\nNothing of what stood here stands here any more.\n")
    read_corpora(app, [str(docs)], lambda done, total, name: None)
    app.runs.resume(run_id)
    assert await work(app, run_id) == "done"
    assert files(app, run_id) == files(app, undisturbed)
    assert verify(app.home / "artifacts" / run_id).good


async def test_a_run_over_the_workspace_itself_does_not_quote_an_earlier_run(app: App) -> None:
    """Also where the database, and so the mark of a workspace, lies elsewhere."""
    earlier = app.home / "artifacts" / start(app)
    earlier.mkdir(parents=True)
    (earlier / "deliverable.md").write_text("# Leases\n\nA lease of an earlier run is what its document tells of here.\n")
    with_run = read_corpora(app, [str(app.home)], lambda done, total, name: None)
    assert with_run[0].found == len(list((app.home / "docs").iterdir()))


async def test_a_quote_that_is_not_found_again_fails_the_run_and_names_its_source(app: App) -> None:
    run_id = start(app)

    def audited() -> bool:
        return bool(app.runs.inspect(run_id)["current"] == "deliver")

    assert await work(app, run_id, audited) == "paused"
    app.database.write(lambda tx: tx.run("UPDATE document SET text = replace(text, 'e', 'x')"))
    app.runs.resume(run_id)
    assert await work(app, run_id) == "failed"
    page = app.runs.inspect(run_id)
    assert page["outcome"] == "failed"
    assert page["error"].startswith("corrupt-state: citation")
    locations = app.database.read(lambda tx: [row[0] for row in tx.tuples("SELECT location FROM document")])
    assert any(location in page["error"] for location in locations)
    assert app.runs.deliverables(run_id) == []


@pytest.mark.parametrize("seconds", [0.001, 1e-9])
async def test_a_run_without_time_delivers_an_honest_empty_document(app: App, seconds: float) -> None:
    run_id = start(app, budget=Budget(seconds=seconds))
    assert await work(app, run_id) == "done"
    assert app.runs.inspect(run_id)["outcome"] == "budget_exceeded"
    assert any("cut short" in note for note in files(app, run_id)["manifest"]["notes"])


async def test_a_run_cut_short_in_the_middle_delivers_what_it_has(app: App) -> None:
    run_id = start(app, budget=Budget(seconds=3600))

    def some_drafts() -> bool:
        return steps_done(app, run_id) >= 12

    await work(app, run_id, some_drafts)
    app.runs.budget(run_id, Budget(seconds=0.001))
    app.runs.resume(run_id)
    assert await work(app, run_id) == "done"
    assert app.runs.inspect(run_id)["outcome"] == "budget_exceeded"
    assert verify(app.home / "artifacts" / run_id).good
    exceeded = [e.content for e in app.runs.events(run_id, limit=5000) if e.type == "budget.exceeded"]
    assert [content["which"] for content in exceeded] == ["seconds"]


async def test_a_goal_of_a_hundred_thousand_characters_is_worked(app: App) -> None:
    task = TaskSpec(goal="leases and fencing " * 5000, corpus=(str(app.home / "docs"),), provider=(EXTRACTIVE,), length=100)
    run_id = app.runs.start(StartRun(task)).run_id
    assert await work(app, run_id) == "done", app.runs.inspect(run_id)["error"]


async def test_an_unknown_provider_fails_the_run_with_a_clear_error(app: App) -> None:
    task = TaskSpec(goal=GOAL, corpus=(str(app.home / "docs"),), provider=("nobody",))
    run_id = app.runs.start(StartRun(task)).run_id
    assert await work(app, run_id) == "failed"
    assert "provider nobody is not configured" in app.runs.inspect(run_id)["error"]


@pytest.mark.parametrize("reads", [True, False], ids=["reads the goal", "never answers"])
async def test_each_request_that_moved_to_the_other_player_leaves_its_own_note_and_a_silent_model_one(
    app: App, monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    """Introduction and conclusion are asked for in one step: both notes reach the reader."""
    from autonomy.agents.extractive.player import ExtractivePlayer
    from autonomy.agents.model import ModelPlayer
    from autonomy.bootstrap.settings import ProviderEntry

    async def broken(self: ModelPlayer, *_: Any, **__: Any) -> Any:
        raise BadAnswer("garbled")

    for role in ("interpret", "select", "outline", "draft", "judge", "revise", "widen"):
        monkeypatch.setattr(ModelPlayer, role, broken)

    async def read(self: ModelPlayer, *asked: Any) -> Any:
        return await ExtractivePlayer().interpret(*asked)

    if reads:
        monkeypatch.setattr(ModelPlayer, "interpret", read)
    entry = ProviderEntry(name="desk", base_url="http://127.0.0.1:9/v1", model="m", free=True)
    settings = Settings(home=app.home, database_url=app.database.url, providers=(entry,))
    other = App(settings, app.database)
    task = TaskSpec(goal=GOAL, corpus=(str(app.home / "docs"),), provider=("desk", EXTRACTIVE), length=200)
    run_id = other.runs.start(StartRun(task)).run_id
    assert await work(other, run_id) == "done"
    told = files(app, run_id)["manifest"]["notes"]
    notes = [note for note in told if "by quotation" in note]
    assert sum("introduction" in note for note in notes) == reads
    assert sum("conclusion" in note for note in notes) == reads
    assert sum(note.startswith("No request to desk brought an answer") for note in told) == (not reads)


async def test_the_tools_of_the_engine_stand_in_the_database(app: App) -> None:
    def rows(tx: Tx) -> int:
        return int(tx.value("SELECT count(*) FROM tool"))

    async with engine(app):
        assert app.database.read(rows) == 2


# --- the policy of a run --------------------------------------------------------------------------------------------


def policy_says(app: App, text: str) -> None:
    (app.home / FILE).write_text(text, "utf-8")


def gate_rows(app: App, run_id: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in files(app, run_id)["manifest"]["gates"]}


def on_policy(app: App, run_id: str) -> list[str]:
    return [content["why"] for _, content in decisions(app, run_id) if FILE in content["why"]]


def is_outlined(app: App, run_id: str) -> Callable[[], bool]:
    return lambda: any(content.get("step") == "outline" for node, content in decisions(app, run_id) if node == "reflect")


async def test_a_changed_policy_holds_for_the_next_run_of_the_same_process(app: App) -> None:
    async with engine(app) as executor:
        runs = []
        for text in ("", "gates:\n  readability: {low: 99, miss: decides}\n  overlap: {miss: off}\n"):
            policy_says(app, text)
            runs.append(start(app))
            worker = Worker(app.database, executing(executor), concurrency=1, wake=app.wake, signals=False)
            await worker.work_one(runs[-1])
    before, after = (gate_rows(app, run_id) for run_id in runs)
    assert (before["readability"]["threshold"], before["readability"]["pass"]) == ([0.0, 100.0], True)
    assert (after["readability"]["threshold"], after["readability"]["pass"]) == ([99.0, 100.0], False)
    assert set(before) - set(after) == {"overlap"}
    assert [app.runs.inspect(run_id)["outcome"] for run_id in runs] == ["delivered", "target_not_reached"]
    assert on_policy(app, runs[0]) == []
    changed = "gates.overlap.miss off (not tells), gates.readability.low 99 (not 0), gates.readability.miss decides (not tells)"
    assert on_policy(app, runs[1]) == [f"holds its gates as {FILE} says: {changed}"]
    told = [line.text for section in app.runs.explain(runs[1]).sections for line in section.lines if FILE in line.text]
    assert told == [f"holds its gates as {FILE} says: {changed} -> interpret"]


async def test_a_run_that_is_resumed_under_another_policy_ends_as_it_would_have(app: App) -> None:
    policy_says(app, "gates: {source_share: {threshold: 0.9}}\n")
    undisturbed = start(app)
    await work(app, undisturbed)
    run_id = start(app)
    assert await work(app, run_id, is_outlined(app, run_id)) == "paused"
    policy_says(app, "gates: {source_share: {threshold: 0.1, miss: decides}, overlap: {miss: off}}\n")
    app.runs.resume(run_id)
    assert await work(app, run_id) == "done"
    assert files(app, run_id) == files(app, undisturbed)
    assert app.runs.inspect(run_id)["outcome"] == app.runs.inspect(undisturbed)["outcome"] == "delivered"
    first, later = on_policy(app, run_id)
    assert first == f"holds its gates as {FILE} says: gates.source_share.threshold 0.9 (not 0.5)"
    assert later.startswith(
        f"keeps the policy that it began with, though {FILE} says now: gates.source_share.threshold 0.1 (not"
    )


async def test_what_a_run_does_not_follow_is_told_once(app: App) -> None:
    run_id = start(app)
    await work(app, run_id, lambda: steps_done(app, run_id) >= 1)
    policy_says(app, "gates: {overlap: {run: 7}}\n")
    for _ in range(2):
        app.runs.resume(run_id)
        before = steps_done(app, run_id)
        assert await work(app, run_id, lambda had=before: bool(steps_done(app, run_id) > had)) == "paused"  # type: ignore[misc]
    policy_says(app, "gates: {overlap: {rum: 7}}\n")
    app.runs.resume(run_id)
    assert await work(app, run_id) == "done"
    assert on_policy(app, run_id) == [
        f"keeps the policy that it began with, though {FILE} says now: gates.overlap.run 7 (not 8)",
        f"keeps the policy that it began with, though the file cannot be taken: {FILE}:1: 'gates.overlap' has no setting 'rum'",
    ]


async def test_a_queued_run_that_meets_a_flawed_policy_is_kept_with_the_reason_and_goes_on_when_it_is_put_right(
    app: App,
) -> None:
    run_id = start(app)
    policy_says(app, "gates:\n  overlap:\n    threshold: lots\n")
    assert await work(app, run_id) == "paused"
    event = app.runs.events(run_id)[-1]
    assert (event.type, event.content["by"]) == ("run.paused", "policy")
    assert event.content["reason"].startswith(f"{FILE}:3: gates.overlap.threshold must be a number from 0 to 1, not 'lots'")
    assert steps_done(app, run_id) == 0
    assert app.runs.deliverables(run_id) == []
    policy_says(app, "gates: {overlap: {threshold: 0.2}}\n")
    app.runs.resume(run_id)
    assert await work(app, run_id) == "done"
    assert gate_rows(app, run_id)["overlap"]["threshold"] == 0.2


async def test_a_run_of_a_release_without_policies_takes_the_one_it_finds(app: App) -> None:
    run_id = start(app)
    assert await work(app, run_id, is_outlined(app, run_id)) == "paused"
    app.database.write(lambda tx: tx.run("DELETE FROM record WHERE kind = 'policy'"))
    policy_says(app, "gates: {overlap: {threshold: 0.3}}\n")
    app.runs.resume(run_id)
    assert await work(app, run_id) == "done"
    assert gate_rows(app, run_id)["overlap"]["threshold"] == 0.3


def test_no_run_is_made_while_the_policy_is_flawed(app: App) -> None:
    policy_says(app, "gates:\n  overlp: {}\n")
    with pytest.raises(FlawedPolicy, match=f"{FILE}:2: 'gates' has no gate 'overlp'"):
        start(app)
    assert app.runs.page().items == []


async def test_the_policy_of_the_similarity_loop_is_that_of_the_hand_off(app: App) -> None:
    policy_says(app, "journeys: {write: {cycles: {most: 2, report_days: 7, on_expiry: deliver_as_is}}}\n")
    run_id = start(app, target_similarity=15)
    await work(app, run_id)
    (handed,) = [step for step in app.runs.inspect(run_id)["plan"] if step["action"] == "handoff"]
    assert handed["arguments"] == {"n": 1, "most": 2, "days": 7.0, "on_expiry": "deliver_as_is"}
    assert Policy().most_cycles != 2


async def test_a_gate_of_a_package_that_raises_is_missed_and_its_run_delivers(
    app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "def broken(document):\n    raise LookupError('no such table')\n"
    monkeypatch.syspath_prepend(str(install(tmp_path / "site", source, {"broken": "faulty_gates:broken"}, name="faulty_gates")))
    policy_says(app, "gates:\n  broken: {miss: decides}\n")
    run_id = start(app)
    assert await work(app, run_id) == "done"
    assert app.runs.inspect(run_id)["outcome"] == "target_not_reached"
    row = gate_rows(app, run_id)["broken"]
    assert (row["pass"], row["decides"], row["evidence"]) == (False, True, ["LookupError: no such table"])
    assert verify(app.home / "artifacts" / run_id).good
    missed = [miss for part in app.runs.explain(run_id).sections for line in part.lines for miss in line.missed]
    assert ("broken", "broken –: LookupError: no such table", True) in [(miss.name, miss.text, miss.decides) for miss in missed]
