"""The README says what is true: its commands run, its output is what they print, its flags and settings exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from autonomy.bootstrap import config
from autonomy.providers.profiles import PROFILES
from cli.main import root
from docs.session import README, ROOT, RUN, Shown, Stage, blocks, commands, fits, shape

TEXT = README.read_text("utf-8")
CODE = re.compile(r"`([^`\n]+)`")
WORD = re.compile(r"^[a-z][a-z-]*$")
FLAG = re.compile(r"(?<![\w-])--?[a-z][a-z-]*")


def section(title: str) -> str:
    """The text under a heading, up to the next heading of its level; a document shown in a block has headings too."""
    lines: list[str] = []
    fenced, inside = False, False
    for line in TEXT.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("## ") and not fenced:
            inside = line == f"## {title}"
        elif inside:
            lines.append(line)
    assert lines, f"the README has no section {title!r}"
    return "\n".join(lines) + "\n"


def console(title: str) -> list[Shown]:
    """The commands of the `console` blocks of a section."""
    return [shown for block in blocks(section(title), "console") for shown in commands(block)]


def without_comments(code: str) -> str:
    return code.split("  #", 1)[0]


def named() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each mention of the command line: what stands in the README, and its words. In a cell of the table of commands a
    code span without `autonomy` goes on with the noun before it."""
    for line in TEXT.splitlines():
        noun = ""
        for code in CODE.findall(line.split("|")[1] if line.startswith("| `") else line):
            words = tuple(code.split())
            if words[0] == "autonomy":
                noun = words[1] if len(words) > 1 else ""
                yield code, words[1:]
            elif line.startswith("| `") and noun:
                again = words if words[0] == noun else (noun, *words)
                yield code, again
    for kind in ("console", "sh"):
        for block in blocks(TEXT, kind):
            for found in re.findall(r"(?:^\$ |bin/)autonomy ((?:[^\n]|\\\n)*)", block, re.MULTILINE):
                yield found, tuple(re.sub(r'"[^"]*"', "TEXT", found).split())


def resolved(words: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    """The command that the words name, and the words after it."""
    command: Any = root()
    for number, word in enumerate(words):
        if not hasattr(command, "list_commands"):
            return command, words[number:]
        if not WORD.match(word):
            return command, words[number:]
        following = command.get_command(None, word)
        assert following is not None, f"there is no command {' '.join(words[: number + 1])!r}"
        command = following
    return command, ()


def options(command: Any) -> set[str]:
    return {"-h", "--help", *(name for param in command.params for name in (*param.opts, *param.secondary_opts))}


MENTIONS = list(named())


def test_the_readme_names_many_commands() -> None:
    assert len(MENTIONS) > 20


@pytest.mark.parametrize(("code", "words"), MENTIONS, ids=[code[:50] for code, _ in MENTIONS])
def test_every_command_and_flag_that_is_named_exists(code: str, words: tuple[str, ...]) -> None:
    command, rest = resolved(words)
    known = options(command)
    assert {word for word in rest if FLAG.fullmatch(word)} <= known, f"{code}: {sorted(known)}"


def test_every_other_flag_that_is_named_belongs_to_some_command() -> None:
    top = root()
    known = options(top)
    for name in top.list_commands(None):
        command = top.get_command(None, name)
        known |= options(command).union(*(options(verb) for verb in getattr(command, "commands", {}).values()))
    flags = {flag for code in CODE.findall(TEXT) for flag in FLAG.findall(code) if not code.startswith(("nox", "kill"))}
    assert flags <= known


def test_two_commands_stand_first_and_the_second_is_for_developers() -> None:
    found = re.findall(r"^```(\w*)$", section("Start"), re.MULTILINE)
    assert [kind for kind in found if kind] == ["sh", "sh"]
    first, second = blocks(TEXT, "sh")
    assert (first.count("\n"), second.count("\n")) == (1, 1)
    assert "requirements/core.txt" in first
    assert "autonomy run start" in first
    assert "requirements/dev.txt" in second
    assert second.rstrip().endswith("nox")
    assert TEXT.index("## Start") < 1500


def test_the_settings_block_is_accepted_as_it_stands(tmp_path: Path) -> None:
    (block,) = blocks(TEXT, "toml")
    (tmp_path / "autonomy.toml").write_text(block, "utf-8")
    settings = config.load({"AUTONOMY_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "none")})
    assert [entry.name for entry in settings.providers] == ["local"]
    assert (settings.budget.usd, settings.budget.seconds) == (1.0, 1800.0)


def test_the_keys_that_are_named_are_the_keys_that_are_looked_for() -> None:
    named_keys = set(re.findall(r"\b[A-Z]+_API_KEY\b", TEXT))
    assert named_keys == {profile.key_variable for profile in PROFILES.values() if profile.key_variable}


def test_each_file_that_the_page_links_to_is_there() -> None:
    for page in ("README.md", "ARCHITECTURE.md"):
        for link in re.findall(r"\]\(([^)]+)\)", (ROOT / page).read_text("utf-8")):
            assert (ROOT / link).is_file(), f"{page} links to {link}"


def test_each_path_that_the_architecture_names_is_there() -> None:
    for path in CODE.findall((ROOT / "ARCHITECTURE.md").read_text("utf-8")):
        if re.fullmatch(r"[\w./]+(/|\.py)", path):
            assert (ROOT / path).exists() or (ROOT / "autonomy" / path).exists(), path


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage.make(tmp_path)


def check(done: subprocess.CompletedProcess[str], shown: Shown, runs: tuple[str, str]) -> None:
    """The output has the shape that the README shows; `runs` are the ids of the run in the README and here."""
    assert done.returncode == 0, done.stderr
    wanted, given = shape(shown.output, runs[0]), shape(done.stdout.splitlines(), runs[1])
    while wanted and not wanted[-1]:
        wanted.pop()
    while given and not given[-1]:
        given.pop()
    told = "\n".join(["'python -m docs.session' renews the page. Shown:", *wanted, "", "Printed:", *given])
    assert fits(wanted, given), told


def test_the_session_is_what_the_commands_print(stage: Stage) -> None:
    session = console("A session")
    shown_run = next(found[1] for shown in session for line in shown.output if (found := RUN.search(line)))
    run = ""
    for shown in session:
        done = stage.run(shown.command.replace(shown_run[:8], run[:8]))
        found = RUN.search(done.stdout)
        run = run or (found[1] if found else "")
        check(done, shown, (shown_run, run))
    assert len(session) >= 4
    assert max(len(line) for block in blocks(section("A session"), "console") for line in block.splitlines()) <= 80


def test_a_changed_figure_or_a_missing_line_does_not_fit() -> None:
    assert fits(["a", "...", "c"], ["a", "b", "b", "c"])
    assert fits(["a", "..."], ["a", "b"])
    assert fits(["..."], [])
    assert not fits(["a", "...", "c"], ["a", "b"])
    assert not fits(["a", "b"], ["a"])
    assert shape(["12 of 12 passed after 1.5 s"], "") != shape(["11 of 12 passed after 2 min 03 s"], "")
    assert shape(["12 of 12 passed after 1.5 s"], "") == shape(["12 of 12 passed after 2 min 03 s"], "")


def test_the_commands_for_a_model_are_understood(stage: Stage) -> None:
    """Without a network: the run is left in the queue, which checks all but the service itself."""
    export, start = console("With a model")
    done = stage.run(f"{export.command} && {start.command} --detach")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"[a-z2-7]{26}\n", done.stdout)


def test_the_commands_for_postgresql_bring_a_run_to_its_document(tmp_path: Path, postgres_server: Any) -> None:
    import psycopg

    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE readme")
    stage = Stage.make(tmp_path, AUTONOMY_DATABASE_URL=postgres_server.get_uri(database="readme"))
    shown = [each.command for each in console("On PostgreSQL, with many workers")]
    assert [command.split()[0] for command in shown] == ["pip", "export", "autonomy", "autonomy", "autonomy"]
    upgrade, worker, start = shown[2:]
    start = start.replace('"..."', '"How do leases keep a queue safe"').replace("/shared/docs", "fixtures/corpus")
    for command in (upgrade, start, f"{worker} --until-idle"):
        done = stage.run(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert " delivered " in stage.run("autonomy run list").stdout


def test_the_picture_of_the_live_view_is_whole_and_fetches_nothing() -> None:
    text = (ROOT / "docs" / "live-view.svg").read_text("utf-8")
    picture = ElementTree.fromstring(text)
    assert picture.tag.endswith("svg")
    assert set(re.findall(r"https?://[^\s\"']+", text)) == {"http://www.w3.org/2000/svg"}
    assert "@font-face" not in text
    assert "@import" not in text
    words = "".join(picture.itertext()).replace("\N{NO-BREAK SPACE}", " ")
    for shown in ("autonomy", "reflect → act", "tokens", "Ctrl-C stops"):
        assert shown in words
