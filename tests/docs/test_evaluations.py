"""The page about evaluations: its example is a task as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from autonomy.evaluation.task import Task, load

PAGE = (Path(__file__).parents[2] / "docs" / "evaluations.md").read_text("utf-8")


def test_the_example_is_a_task(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    (tmp_path / "fixtures" / "corpus").mkdir(parents=True)
    (tmp_path / "tasks").mkdir()
    path = tmp_path / "tasks" / "turnitin_cycle.yaml"
    path.write_text(found.group(1), "utf-8")
    task = load(path).task
    assert task.seconds == Task.model_fields["seconds"].default
    assert task.plays == Task.model_fields["plays"].default
    assert [act.report.flag for act in task.world if act.report] == [(2, 5), (), ()]
