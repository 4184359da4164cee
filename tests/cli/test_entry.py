"""The real command in a real process: start-up, help, pipes, locales, and the frame around errors."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autonomy import __version__
from cli.command import CONTEXT
from cli.main import COMMANDS, root
from tests.cli.conftest import ENTRY, Answer, Place

HEAVY = (
    "langgraph",
    "langchain_core",
    "sqlalchemy",
    "sqlmodel",
    "alembic",
    "pydantic",
    "openai",
    "httpx",
    "fastapi",
    "numpy",
    "rich",
)
PUBLIC = {
    "run": {"start", "list", "inspect", "tail", "resume", "pause", "abort", "budget", "explain", "export"},
    "tasks": {"list", "show", "approve", "reject", "add", "corpus"},
    "turnitin": {"handoff", "report", "status"},
    "events": {"tail"},
    "worker": set(),
    "serve": set(),
    "memory": {"search", "add"},
    "telegram": {"poll"},
    "audit": {"verify", "tail"},
    "db": {"upgrade", "status", "backup"},
    "config": {"show", "policies", "token", "tokens", "revoke"},
    "stats": set(),
    "eval": {"run"},
    "verify": {"phase-a", "phase-b", "phase-c", "phase-d", "phase-e", "phase-f", "all"},
    "doctor": set(),
}


def tree() -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, the root included."""
    top = root()
    yield (), top
    for name in top.list_commands(None):
        command = top.get_command(None, name)
        yield (name,), command
        for verb in getattr(command, "commands", {}):
            yield (name, verb), command.commands[verb]


WORDS = [words for words, _ in tree()]


def test_the_public_commands_are_there_and_no_others() -> None:
    found = {name: {words[1] for words in WORDS if len(words) == 2 and words[0] == name} for name in COMMANDS}
    assert found == PUBLIC


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_command_has_help(words: tuple[str, ...], flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    from cli.main import run

    assert run([*words, flag]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith(f"Usage: autonomy{''.join(f' {word}' for word in words)}")
    assert shown.err == ""
    assert max(len(line) for line in shown.out.splitlines()) <= 80


def test_the_lists_of_commands_hold_one_whole_sentence_on_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    from cli.main import run

    for words, group in tree():
        if not hasattr(group, "list_commands"):
            continue
        run([*words, "-h"])
        listed = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
        assert [line.split()[0] for line in listed] == list(group.list_commands(None))
        assert [line for line in listed if not line.endswith(".") or line.endswith("...")] == []


@pytest.mark.parametrize(
    ("words", "command"), [(w, c) for w, c in tree() if w], ids=lambda value: str(value) if isinstance(value, tuple) else ""
)
def test_every_verb_has_examples_the_shared_flags_and_a_line_per_option(words: tuple[str, ...], command: Any) -> None:
    if hasattr(command, "commands"):
        assert command.help
        return
    assert command.epilog.startswith(f"autonomy {' '.join(words)}")
    options = {name for param in command.params for name in param.opts}
    assert {"--json", "--debug", "--no-color"} <= options
    assert all(param.help for param in command.params)
    assert command.context_settings == CONTEXT


@pytest.mark.parametrize(
    "words", [("--help",), ("--version",), ("run", "--help"), ("run", "start", "--help"), ("doctor", "-h")], ids=" ".join
)
def test_help_and_version_import_nothing_heavy(words: tuple[str, ...], place: Place) -> None:
    probe = f"""
import atexit, sys
def tell():
    sys.stderr.write(" ".join(sorted({{name.partition(".")[0] for name in sys.modules}} & {set(HEAVY)!r})))
atexit.register(tell)
{ENTRY}
"""
    done = subprocess.run([sys.executable, "-c", probe, *words], env=place.environ, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout


def test_the_version_is_printed(place: Place) -> None:
    assert place.run("--version").stdout == f"autonomy {__version__}\n"
    assert json.loads(place.run("--version", "--json").stdout) == {"version": __version__}


@pytest.mark.parametrize("words", [("run", "list"), ("db", "status"), ("doctor",)], ids=" ".join)
def test_a_shared_flag_counts_wherever_it_stands(
    words: tuple[str, ...], migrated: Place, autonomy: Callable[..., Answer]
) -> None:
    places = [(*words[:at], "--json", *words[at:]) for at in range(len(words) + 1)]
    assert [isinstance(json.loads(autonomy(*placed).out), dict) for placed in places] == [True] * len(places)
    coloured = (*words[:1], "--no-color", *words[1:])
    assert "\x1b" in migrated.run(*words, FORCE_COLOR="1").stdout or words == ("run", "list")
    assert "\x1b" not in migrated.run(*coloured, FORCE_COLOR="1").stdout
    assert "\x1b" not in migrated.run("--no-color", *words, FORCE_COLOR="1").stdout


def test_a_word_that_only_looks_like_a_shared_flag_is_not_one(autonomy: Callable[..., Answer], migrated: Place) -> None:
    assert autonomy("run", "list", "--cursor", "--json").out == ""
    assert json.loads(autonomy("--json", "--version").out) == {"version": __version__}


def test_no_words_at_all_show_the_help_as_a_usage_error(place: Place) -> None:
    done = place.run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rn",), "Did you mean 'run'?"),
        (("run", "lst"), "Did you mean 'list'?"),
        (("run", "list", "--limt", "3"), "No such option"),
        (("run", "list", "--limit", "three"), "'three' is not a number"),
        (("run", "list", "--limit", "1.5"), "not a whole number"),
        (("run", "list", "--status", "asleep"), "asleep"),
        (("run", "start"), "Missing argument 'GOAL'"),
        (("run", "start", "g", "--journey", "poem"), "poem"),
        (("run", "start", "g", "--style", "baroque"), "baroque"),
        (("run", "start", "g", "--budget-usd", "ten"), "'ten' is not a number"),
        (("run", "start", "g", "--due", "tomorrow"), "YYYY-MM-DD"),
        (("run", "start", "g", "--provider", "nobody"), "Choose from: extractive"),
        (("run", "inspect", "a", "b"), "unexpected extra argument"),
        (("run", "budget", "a", "--usd", "lots"), "'lots' is not a number"),
        (("serve", "--port", "http"), "'http' is not a number"),
        (("serve", "--workers-inline", "many"), "'many' is not a number"),
        (("verify", "phase-z"), "Did you mean"),
        (("verify", "phase-e", "--soak-seconds", "long"), "'long' is not a number"),
    ],
)  # fmt: skip
def test_words_that_do_not_parse_exit_2_in_one_line(words: tuple[str, ...], said: str, place: Place) -> None:
    done = place.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Value error" not in done.stderr
    assert done.stderr.count("\n") == 1
    under_json = place.run(*words, "--json")
    assert under_json.returncode == 2
    assert json.loads(under_json.stdout)["error"]["code"] == "usage"
    assert under_json.stderr.count("\n") == 1


def test_a_closed_pipe_is_quiet_and_keeps_the_code(place: Place) -> None:
    for words in (("--help",), ("run", "start", "-h"), ("config", "show"), ("doctor",)):
        with place.start(*words) as writer:
            assert writer.stdout is not None
            assert writer.stderr is not None
            writer.stdout.close()
            err = writer.stderr.read()
            writer.stderr.close()
            assert writer.wait(60) == 0
            assert "Traceback" not in err
            assert "Broken" not in err


def test_closed_standard_streams_are_no_trouble(place: Place) -> None:
    command = " ".join(f"'{word}'" for word in place.argv("config", "show"))
    for redirect in (">&-", "2>&-", ">&- 2>&-", "<&-"):
        done = subprocess.run(
            ["sh", "-c", f"{command} {redirect}"], env=place.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_stdout_is_an_error_of_one_line(place: Place) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            place.argv("config", "show"), env=place.environ, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no space left" in done.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize(
    "locale", [{"LANG": "C"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}]
)
def test_no_locale_breaks_the_output(locale: dict[str, str], encoding: str, place: Place) -> None:
    (place.home / "autonomy.toml").write_text('[corpora]\n"m" = "Bücher/日本"\n', "utf-8")
    done = subprocess.run(
        place.argv("config", "show"),
        env={**place.environ, **locale, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    as_json = subprocess.run(
        place.argv("config", "show", "--json"),
        env={**place.environ, **locale, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    assert json.loads(as_json.stdout.decode(encoding))["corpora.m"]["value"].endswith("Bücher/日本")


def test_no_colour_where_there_is_no_terminal_and_where_it_is_forbidden(place: Place) -> None:
    assert "\x1b" not in place.run("doctor").stdout
    assert "\x1b" in place.run("doctor", FORCE_COLOR="1").stdout
    for forbidden in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in place.run("doctor", FORCE_COLOR="1", **forbidden).stdout
    assert "\x1b" not in place.run("doctor", "--no-color", FORCE_COLOR="1").stdout


@pytest.mark.parametrize("spot", ["file", "loop", "below/file"])
def test_a_workspace_that_is_none_exits_4(spot: str, place: Place) -> None:
    (place.home / "file").write_text("x", "utf-8")
    (place.home / "loop").symlink_to(place.home / "loop")
    target = str(place.home / ("file/x" if spot == "below/file" else spot))
    for words in (("run", "list"), ("run", "start", "goal", "--corpus", "."), ("worker", "--until-idle"), ("db", "upgrade")):
        done = place.run(*words, AUTONOMY_HOME=target)
        assert done.returncode == 4, done.stderr
        assert done.stderr.count("\n") == 1
        assert "cannot be used" in done.stderr


def test_a_wrong_settings_file_exits_4_and_names_it(place: Place) -> None:
    (place.home / "autonomy.toml").write_text("[queue]\nleas_seconds = 3\n", "utf-8")
    done = place.run("run", "list", "--json")
    assert done.returncode == 4
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "configuration"
    assert error["hint"] == "Did you mean 'lease_seconds'?"
    assert "autonomy.toml" in error["message"]


def test_debug_shows_the_traceback_that_is_otherwise_hidden(place: Place) -> None:
    (place.home / "autonomy.toml").write_text("[", "utf-8")
    assert "Traceback" not in place.run("run", "list").stderr
    assert "Traceback" in place.run("run", "list", "--debug").stderr
    assert "Traceback" in place.run("--debug", "run", "list").stderr


def test_every_error_class_has_one_exit_code() -> None:
    from autonomy.core import errors
    from cli.errors import exit_code

    def kinds(base: type[errors.AutonomyError]) -> Iterator[type[errors.AutonomyError]]:
        yield base
        yield from itertools.chain.from_iterable(kinds(each) for each in base.__subclasses__())

    codes = {kind.__name__: exit_code(kind.__new__(kind)) for kind in kinds(errors.AutonomyError)}
    expected = {
        "UsageError": 2, "NotFound": 3, "ConfigurationError": 4, "NewerSchema": 4, "InvalidInput": 5, "BudgetExceeded": 6,
        "WaitingForPerson": 7, "ProviderUnavailable": 8, "ProviderRefused": 4, "BadAnswer": 8, "StorageUnavailable": 8,
        "PolicyRefused": 9, "HeldByAnother": 9, "NotYetBuilt": 9, "Unresumable": 9, "Interrupted": 130, "AutonomyError": 1,
        "StorageError": 1, "DiskFull": 1, "LeaseLost": 1,
    }  # fmt: skip
    assert expected.items() <= codes.items()
