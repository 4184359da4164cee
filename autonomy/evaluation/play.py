"""Plays one evaluation in a workspace of its own, as a process of its own: `python -m autonomy.evaluation.play JOB`.

JOB is a JSON file with the task, its corpus and where to write what was seen. Nothing here judges.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from autonomy.bootstrap import config
from autonomy.bootstrap.app import App, open_app
from autonomy.bootstrap.corpora import read_corpora
from autonomy.bootstrap.foreground import work_run
from autonomy.core.clock import DAY_US
from autonomy.core.errors import AutonomyError
from autonomy.core.events import Event
from autonomy.core.types import TaskSpec
from autonomy.evaluation import world
from autonomy.evaluation.task import Act, Brought, Task
from autonomy.providers.scripted import ScriptedServer
from autonomy.services import turnitin
from autonomy.services.runs import StartRun
from autonomy.services.views import remembered

WORLD = "world"
"""Who brings the reports."""
PROVIDER = "model"


def play(task: Task, corpus: Path, home: Path) -> dict[str, Any]:
    """What was seen: the run's state, its events, cycles, files and changes, what the world did, requests to the model.

    Raises what starting the run raises.
    """
    with ExitStack() as stack:
        model = None if task.script is None else stack.enter_context(ScriptedServer(task.script))
        if model is not None:
            entry = (
                f'[[providers]]\nname = "{PROVIDER}"\nkind = "local"\nmodel = "m"\nbase_url = "{model.base_url}"\nfree = true\n'
            )
            (home / config.PROJECT_FILE).write_text(entry, "utf-8")
        app = stack.enter_context(open_app(config.load(os.environ)))
        spec = TaskSpec(
            goal=task.goal,
            journey=task.journey,
            corpus=(str(corpus),),
            style=task.style,
            length=task.length,
            min_citations=task.min_citations,
            target_similarity=task.target_similarity,
            budget=task.budget,
            seed=task.seed,
            provider=("extractive",) if model is None else (PROVIDER,),
        )
        request = StartRun(task=spec)
        app.runs.admit(request)
        read_corpora(app, spec.corpus, lambda done, total, name: None)
        run_id = app.runs.start(request).run_id
        _work(app, run_id)
        acts = [_act(app, run_id, act) for act in task.world]
        return {**_seen(app, run_id), "acts": acts, "requests": None if model is None else len(model.requests)}


def _work(app: App, run_id: str) -> None:
    """Until the run ends or waits."""

    def silent(_: Event | str) -> None:
        pass

    work_run(app, run_id, on_event=silent, on_token=silent, on_progress=lambda *_: None, stop=threading.Event(), wait=False)


def _act(app: App, run_id: str, act: Act) -> dict[str, Any]:
    """Let the world do one thing, and the run go on where it can; what came of it, an error as its words."""
    before = app.runs.inspect(run_id)
    did: dict[str, Any] = {"stood": before["status"], "error": None, "flagged": []}
    try:
        if act.report is not None:
            did |= _bring(app, run_id, act.report)
        else:
            did["seen_to"] = _fall_silent(app, run_id, str(act.silence))
    except AutonomyError as error:
        did["error"] = str(error)
    if app.runs.inspect(run_id)["status"] == "queued":
        _work(app, run_id)
    return did


def _bring(app: App, run_id: str, brought: Brought) -> dict[str, Any]:
    cycle = app.turnitin.status(run_id)
    draft = (app.home / cycle["document"]).read_text("utf-8")
    data, passages = world.report(brought, draft)
    taken = [
        app.turnitin.report(run_id, turnitin.Brought(data, "report.json", uploader=WORLD), WORLD) for _ in range(brought.times)
    ]
    return {"n": cycle["n"], "flagged": passages, "taken": sum(not each["duplicate"] for each in taken)}


def _fall_silent(app: App, run_id: str, then: str) -> int:
    """Have the open cycle stand as if its time had just passed."""
    app.database.write(
        lambda tx: tx.run(
            "UPDATE cycle SET opened_at = opened_at - :time, deadline_at = opened_at, on_expiry = :then "
            "WHERE run_id = :run AND status = 'awaiting_report'",
            time=14 * DAY_US,
            then=then,
            run=run_id,
        )
    )
    return app.turnitin.tend()


def _seen(app: App, run_id: str) -> dict[str, Any]:
    page = app.runs.inspect(run_id)
    events: list[dict[str, Any]] = []
    while found := app.runs.events(run_id, after=len(events)):
        events += [{"seq": each.seq, "type": each.type, "content": each.content} for each in found]
    waited = page["turnitin"] is not None
    cycles = app.turnitin.status(run_id)["cycles"] if waited else []
    changes = remembered(app.database, run_id, "change", 200, None)["items"]
    return {
        "run_id": run_id,
        "status": page["status"],
        "outcome": page["outcome"],
        "error": page["error"],
        "created_at": page["created_at"],
        "finished_at": page["finished_at"],
        "events": events,
        "cycles": [{"status": each["status"], "observed": each["observed_similarity"]} for each in cycles],
        "drafts": [each["document"] for each in cycles],
        "changes": [each["body"] for each in changes],
        "files": [{key: row[key] for key in ("path", "role", "sha256")} for row in page["artifacts"]],
    }


def main(words: list[str]) -> int:
    """Play the job; its result is `{"seen": ...}` or `{"error": ...}`."""
    job = json.loads(Path(words[0]).read_text("utf-8"))
    home = config.load(os.environ).home
    try:
        answer: dict[str, Any] = {"seen": play(Task.model_validate(job["task"]), Path(job["corpus"]), home)}
    except AutonomyError as error:
        answer = {"error": str(error)}
    Path(job["answer"]).write_text(json.dumps(answer, ensure_ascii=False, default=str), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
