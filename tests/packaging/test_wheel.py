"""The wheel is whole: built without a network, installed outside the checkout, it brings a goal to its document."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def build(source: Path, kind: str, target: Path) -> Path:
    """The built file."""
    target.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(target)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = target.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel"))


def files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def kept(folder: str) -> Iterator[str]:
    """The files of a folder of the checkout, without what Python leaves there."""
    for path in (ROOT / folder).rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT).as_posix()


def test_the_wheel_holds_the_code_the_migrations_the_licence_and_nothing_else(wheel: Path) -> None:
    info = f"autonomy-{__version__}.dist-info"
    inside = {name for name in files(wheel) if not name.startswith(f"{info}/")}
    assert inside == {
        *kept("autonomy"),
        *kept("cli"),
        *(name.replace("migrations/", "autonomy/_migrations/", 1) for name in kept("migrations")),
        *(f"autonomy/_shipped/{name}" for folder in ("evaluations", "fixtures/corpus") for name in kept(folder)),
    }
    about = {name.removeprefix(f"{info}/") for name in files(wheel)} - inside
    assert about - inside >= {"METADATA", "RECORD", "entry_points.txt", "licenses/LICENSE"}


def test_the_metadata_says_what_the_project_says(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = email.message_from_bytes(archive.read(f"autonomy-{__version__}.dist-info/METADATA"))
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra") or []) == set(PROJECT["optional-dependencies"])
    assert "# Autonomy" in metadata.get_payload()


def test_a_wheel_made_from_the_source_archive_is_the_same(wheel: Path, tmp_path: Path) -> None:
    archive = build(ROOT, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    assert files(build(source, "wheel", tmp_path / "again")) == files(wheel)
    assert {path.name for path in source.iterdir()} == {
        "autonomy", "cli", "evaluations", "fixtures", "migrations", "README.md", "LICENSE", "pyproject.toml", "PKG-INFO",
        ".gitignore",
    }  # fmt: skip


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that has the wheel, and sees the libraries of this one but not the checkout."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python), "install", "--quiet"]
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True, timeout=120, capture_output=True)
    site = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    # A path in a .pth file adds the folder alone: an editable install that is listed in it stays out.
    (Path(site) / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", "utf-8")
    return python.parent


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder outside the checkout."""
    return tmp_path_factory.mktemp("place")


def run(installed: Path, place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run an installed program in the place, with nothing of this process in its environment."""
    environ = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": str(place), "LANG": "C.UTF-8", "PYTHONWARNINGS": "error",
        "COLUMNS": "80",
    }  # fmt: skip
    program, *words = command
    done = subprocess.run(
        [str(installed / program), *words], cwd=place, env=environ, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done


def test_the_installed_command_runs_from_the_wheel_and_not_from_the_checkout(installed: Path, place: Path) -> None:
    assert run(installed, place, "autonomy", "--version").stdout == f"autonomy {__version__}\n"
    where = run(installed, place, "python", "-c", "import autonomy, cli; print(autonomy.__file__, cli.__file__)").stdout
    assert str(ROOT) not in where
    assert where.count(str(installed.parent)) == 2


def test_the_installed_command_finds_the_machine_ready(installed: Path, place: Path) -> None:
    report = json.loads(run(installed, place, "autonomy", "doctor", "--json").stdout)
    assert report["ready"] is True


def test_the_installed_command_brings_a_goal_to_its_document(installed: Path, place: Path) -> None:
    corpus = place / "notes"
    corpus.mkdir()
    for name in ("leases-and-fencing.html", "checkpoints.md", "idempotency.txt"):
        (corpus / name).write_bytes((ROOT / "fixtures" / "corpus" / name).read_bytes())
    words = ("run", "start", "How do leases and checkpoints work", "--journey", "research", "--corpus", "notes", "--json")
    answer: dict[str, Any] = json.loads(run(installed, place, "autonomy", *words).stdout)
    assert answer["outcome"] == "delivered"
    for row in answer["deliverables"]:
        assert (place / row["path"]).is_file()
    status = json.loads(run(installed, place, "autonomy", "db", "status", "--json").stdout)
    assert status["state"] == "current"


def test_the_installed_command_plays_an_evaluation_that_the_wheel_brought(installed: Path, place: Path) -> None:
    program = "from autonomy.evaluation.task import load, shipped; print(*(load(path).file for path in shipped()))"
    paths = [Path(word) for word in run(installed, place, "python", "-c", program).stdout.split()]
    assert {path.name for path in paths} == {path.name for path in (ROOT / "evaluations").glob("*.yaml")}
    assert not [path for path in paths if path.is_relative_to(ROOT)]
    (never,) = [path for path in paths if path.stem == "report_never_comes"]
    found = json.loads(run(installed, place, "autonomy", "eval", "run", str(never), "--json").stdout)
    assert (found["passed"], found["failed"]) == (1, 0)


# -- what it stands on --------------------------------------------------------------------------------


def plain_name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


@pytest.mark.parametrize("target", ["core", "dev"])
def test_the_lock_names_each_dependency_once_with_hashes_and_no_place_to_get_it_from(target: str) -> None:
    text = (ROOT / "requirements" / f"{target}.txt").read_text("utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[\w+\])?==([^ ;\n]+)", text, re.MULTILINE)
    names = [plain_name(name) for name, _ in pins]
    assert len(names) == len(set(names))
    asked = list(PROJECT["dependencies"])
    if target == "dev":
        asked += [line for extra in PROJECT["optional-dependencies"].values() for line in extra if "autonomy[" not in line]
    assert {plain_name(each) for each in asked} <= set(names)
    blocks = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "--index-url" not in text


def test_what_the_core_lock_pins_the_development_lock_pins_alike() -> None:
    pins = [
        dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\n]+)", (ROOT / "requirements" / name).read_text("utf-8"), re.MULTILINE))
        for name in ("core.txt", "dev.txt")
    ]
    assert pins[0].items() <= pins[1].items()
