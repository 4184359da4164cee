"""`autonomy eval run` as a command: what it plays, prints and writes, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.conftest import Place

DOCUMENT = """# Leases

## How a lease works

A lease is a claim on a job that ends by itself after a fixed time. The worker renews its lease with a heartbeat as long as
it is alive. A lease that is not renewed runs out, and another worker may take the job over.

## Fencing

A fencing token is a number that rises with every claim of a job. A store that refuses every write with an old number is
safe from a worker that woke up too late. A lease without a fencing token protects a job only as long as clocks agree.
"""
TASK = """name: lease
about: A draft about leases is accepted by its first report.
goal: How does a lease protect a job?
corpus: docs
target_similarity: 15
plays: 1
world:
  - report: {similarity: 11}
expect:
  status: done
  outcome: OUTCOME
  cycles:
    - {status: accepted, observed: 11}
  events:
    order: [run.started, turnitin.awaiting_report, run.waiting_human, turnitin.report_ready, run.resumed, turnitin.accepted]
  files:
    - path: deliverable.md
"""


@pytest.fixture
def task(place: Place) -> Path:
    (place.home / "docs").mkdir()
    (place.home / "docs" / "leases.md").write_text(DOCUMENT, "utf-8")
    path = place.home / "lease.yaml"
    path.write_text(TASK.replace("OUTCOME", "delivered"), "utf-8")
    return path


def test_a_task_that_passes_is_told_written_and_exits_0(place: Place, task: Path) -> None:
    done = place.run("eval", "run", str(task))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lease" in done.stdout
    assert "1 evaluation: 1 passed, 0 failed" in done.stdout
    assert done.stderr == "lease: play 1\n"
    assert json.loads((place.home / "reports" / "evaluations.json").read_text())["pass"] is True
    assert not (place.home / "autonomy.db").exists()  # played elsewhere


def test_a_task_that_fails_says_why_and_exits_1(place: Place, task: Path) -> None:
    task.write_text(TASK.replace("OUTCOME", "failed"), "utf-8")
    done = place.run("eval", "run", str(task), "--to", "results", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    (found,) = document["evaluations"]
    assert (document["failed"], found["reasons"]) == (1, ["outcome is delivered, wanted failed"])
    assert document["files"] == [str(place.home / "results" / name) for name in ("evaluations.json", "evaluations.xml")]
    suite = ElementTree.parse(document["files"][1]).getroot()[0]
    assert (suite.get("failures"), suite[0][0].text) == ("1", "outcome is delivered, wanted failed")


def test_a_bad_task_file_exits_5_with_its_line_before_anything_is_played(place: Place, task: Path) -> None:
    bad = place.home / "bad.yaml"
    bad.write_text(TASK.replace("plays: 1", "palys: 1"), "utf-8")
    done = place.run("eval", "run", str(task), str(bad))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (5, "", 1)
    assert "bad.yaml:6: 'palys' is not known" in done.stderr
    assert not (place.home / "reports").exists()
    assert place.run("eval", "run", "nothing.yaml").returncode == 5
