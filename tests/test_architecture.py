"""The shape of the code is a test: rooms, cycles, sizes, docstrings, reasons beside dependencies, nothing of this machine."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SOURCES = sorted(path for room in ("autonomy", "cli") for path in (ROOT / room).rglob("*.py"))
LONGEST_FUNCTION, LONGEST_MODULE, DEEPEST = 60, 600, 4
HOSTS = ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "debian" + ".org/debian", "conda" + ".anaconda.org")
PLACES = re.compile(r"(?<![\w.])/(?:root|home/\w+|work|Users/\w+|tmp/\w+)/")
ABSENT = re.compile(r"\b(?:SPEC|CONTRACT|DESIGN|CRAFT|CHECKPOINTER|RELIABILITY|PERFORMANCE|ECOSYSTEM)\b")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Definition(NamedTuple):
    """A function or class: where, the names of the bases of the class around it, and the node."""

    place: str
    owner: ast.ClassDef | None
    public: bool
    node: Function | ast.ClassDef


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def definitions(path: Path) -> Iterator[Definition]:
    """Every function and class of a module; what stands inside a function is not public."""

    def below(node: ast.AST, owner: ast.ClassDef | None, prefix: str, public: bool) -> Iterator[Definition]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function | ast.ClassDef):
                place, seen = f"{prefix}.{child.name}", public and not child.name.startswith("_")
                yield Definition(place, owner, seen, child)
                inner = child if isinstance(child, ast.ClassDef) else None
                yield from below(child, inner, place, seen and inner is not None)
            elif not isinstance(child, ast.expr):
                yield from below(child, owner, prefix, public)

    yield from below(tree(path), None, path.relative_to(ROOT).as_posix(), True)


@functools.cache
def everything() -> list[Definition]:
    """Every function and class; looked for by the test that runs, not by each process that collects it."""
    return [each for path in SOURCES for each in definitions(path)]


def is_protocol(owner: ast.ClassDef | None) -> bool:
    return owner is not None and any("Protocol" in ast.unparse(base) for base in owner.bases)


@functools.cache
def modules() -> grimp.ImportGraph:
    return grimp.build_graph("autonomy", "cli", cache_dir=None)


# -- rooms and imports --------------------------------------------------------------------------------


def test_every_room_stands_in_the_layers_and_the_layers_are_kept() -> None:
    layers, _ = PROJECT["tool"]["importlinter"]["contracts"]
    assert layers["exhaustive"] is True
    assert "ignore_imports" not in layers
    rooms = {path.name for path in (ROOT / "autonomy").iterdir() if (path / "__init__.py").is_file()}
    assert rooms == {room.strip() for line in layers["layers"] for room in line.split("|")}
    # In a process of its own: the linter configures logging anew, which switches off every logger that exists.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    linted = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "2 kept, 0 broken" in linted.stdout


def test_no_module_imports_itself_by_a_detour_not_even_for_its_types() -> None:
    graph = modules()
    left = {name: set(graph.find_modules_directly_imported_by(name)) for name in graph.modules}
    assert len(left) > 150
    while ends := [name for name, imports in left.items() if not imports]:
        for name in ends:
            del left[name]
        for imports in left.values():
            imports.difference_update(ends)
    assert left == {}, f"these import each other, or depend on such: {sorted(left)}"


def test_the_command_line_reaches_the_library_through_services_doors_bootstrap_and_core_alone() -> None:
    graph = modules()
    allowed = re.compile(r"autonomy$|autonomy\.(services|bootstrap|core|storage|ingress|evaluation|api|verify)(\.|$)")
    reached = {
        (name, imported)
        for name in graph.modules
        if name.startswith("cli")
        for imported in graph.find_modules_directly_imported_by(name)
        if imported.startswith("autonomy") and not allowed.match(imported)
    }
    assert reached == set()


# -- sizes --------------------------------------------------------------------------------------------


def test_functions_are_short() -> None:
    lengths = {
        each.place: (each.node.end_lineno or 0) - each.node.lineno + 1
        for each in everything()
        if isinstance(each.node, Function)
    }
    assert {place: length for place, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_modules_are_short() -> None:
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {place: length for place, length in lengths.items() if length > LONGEST_MODULE} == {}


def nesting(node: ast.AST) -> int:
    """How many blocks stand inside each other, `elif` counted as one with its `if`."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef | ast.Lambda):
            continue
        follows = isinstance(node, ast.If) and isinstance(child, ast.If) and [child] == node.orelse
        block = isinstance(child, ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.Match) and not follows
        deepest = max(deepest, nesting(child) + block)
    return deepest


def test_blocks_are_not_nested_deeply() -> None:
    depths = {each.place: nesting(each.node) for each in everything() if isinstance(each.node, Function)}
    assert {place: depth for place, depth in depths.items() if depth > DEEPEST} == {}


# -- words --------------------------------------------------------------------------------------------


def test_every_module_says_what_it_is_for() -> None:
    assert [path.relative_to(ROOT).as_posix() for path in SOURCES if not ast.get_docstring(tree(path))] == []


def test_every_public_function_and_class_of_the_library_says_what_it_does() -> None:
    """A method that a Protocol names is told there; the others tell it themselves."""
    named = {each.node.name for each in everything() if is_protocol(each.owner)}
    silent = [
        each.place
        for each in everything()
        if each.public and each.place.startswith("autonomy/") and not ast.get_docstring(each.node)
        if not is_protocol(each.owner) and not (each.owner is not None and each.node.name in named)
    ]
    assert silent == []


def test_no_stub_and_no_reminder_is_left() -> None:
    marks = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
    found = []
    for path in SOURCES:
        with path.open("rb") as stream:
            comments = [token for token in tokenize.tokenize(stream.readline) if token.type == tokenize.COMMENT]
        found += [f"{path.name}:{token.start[0]}" for token in comments if marks.search(token.string)]
    assert found == []


def test_every_dependency_has_its_reason_above_it() -> None:
    lines = (ROOT / "pyproject.toml").read_text("utf-8").splitlines()
    start = lines.index("[project.optional-dependencies]")
    first = lines.index("dependencies = [")
    end = lines.index("[project.scripts]")
    told = ""
    asked = 0
    for line in [*lines[first:start], *lines[start:end]]:
        text = line.strip()
        if re.match(r'"|\w+ = \["', text):
            asked += 1
            assert told.startswith("#"), f"no reason stands above {text}"
        else:
            told = text
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = len(PROJECT["project"]["dependencies"]) + sum(len(each) if len(each) > 1 else 1 for each in extras.values())
    assert asked == wanted


def tracked() -> list[Path]:
    """The files of the project: those git knows, or all of them where there is no git."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode == 0:
        return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]
    parts = ("autonomy", "cli", "migrations", "tests", "docs", "benchmarks", "requirements", ".ci")
    found = [*ROOT.glob("*.*"), *(path for part in parts for path in (ROOT / part).rglob("*"))]
    return [path for path in found if path.is_file()]


@pytest.mark.parametrize("what", ["registries", "places", "absent documents"])
def test_no_file_names_a_registry_a_place_on_a_machine_or_a_document_that_is_not_here(what: str) -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if what == "registries":
            hits: list[str] = [host for host in HOSTS if host in text]
        elif what == "places":
            hits = PLACES.findall(text)
        else:
            hits = ABSENT.findall(text) if path.suffix == ".py" and path != Path(__file__) else []
        found += [f"{path.relative_to(ROOT)}: {hit}" for hit in hits]
    assert found == []
