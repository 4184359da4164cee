"""Printed paths open from the folder that the command was called in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.places import from_here
from tests.cli.conftest import Place
from tests.commands import CORPUS


@pytest.mark.parametrize("where", [".", "below/further", "../beside"])
def test_a_path_opens_from_wherever_the_command_was_called(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    file = home / "artifacts" / "r1" / "deliverable.md"
    file.parent.mkdir(parents=True)
    file.write_text("found")
    (home / where).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(home / where)
    shown = from_here(home, "artifacts/r1/deliverable.md")
    assert Path(shown).read_text() == "found"
    assert (shown == "artifacts/r1/deliverable.md") == (where == ".")


def test_a_run_and_its_page_name_files_that_open_and_json_keeps_the_paths_of_the_workspace(
    migrated: Place, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    away = Place(elsewhere, migrated.environ)
    words = ("How do leases work?", "--journey", "research", "--corpus", str(CORPUS))
    done = away.run("run", "start", *words)
    assert done.returncode in (0, 1), done.stderr
    (run,) = json.loads(away.run("run", "list", "--json").stdout)["items"]
    shown = away.run("run", "inspect", run["run_id"]).stdout
    for text in (done.stdout, shown):
        (path,) = [word for word in text.split() if word.endswith("deliverable.md")]
        assert (elsewhere / path).is_file()
    rows = json.loads(away.run("run", "inspect", run["run_id"], "--json").stdout)["artifacts"]
    assert f"artifacts/{run['run_id']}/deliverable.md" in [row["path"] for row in rows]
