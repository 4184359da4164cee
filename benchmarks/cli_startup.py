"""Start-up of the command line against a bare Typer hello: interleaved runs, medians, ratios, targets.

Run it with `nox -s bench` or `python benchmarks/cli_startup.py [--quick]`. Start-up is import time and nothing else, so a
ratio above its target names a heavy import that slipped into the path of a light command.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HELLO = """
import typer

app = typer.Typer()


@app.command()
def hello(name: str = "world") -> None:
    print(f"hello {name}")


app()
"""
ENTRY = "from cli.main import entry; entry()"
TARGETS = {"--help": 1.2, "--version": 1.2, "run list": 2.5}


def measure(commands: Mapping[str, Sequence[str]], rounds: int, environ: Mapping[str, str]) -> dict[str, float]:
    """Median wall time in milliseconds of each command, all of them once per round."""
    times: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if number:  # the first round warms the caches
                times[name].append((time.perf_counter() - began) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    """Print the table; returns 1 when a target is missed."""
    rounds = 5 if "--quick" in sys.argv else 15
    with tempfile.TemporaryDirectory() as folder:
        hello = Path(folder) / "hello.py"
        hello.write_text(HELLO, "utf-8")
        environ = {**os.environ, "AUTONOMY_HOME": folder}
        python = [sys.executable]
        subprocess.run([*python, "-c", ENTRY, "db", "upgrade"], env=environ, check=True, capture_output=True)
        commands = {"hello": [*python, str(hello)], "hello --help": [*python, str(hello), "--help"]}
        commands |= {name: [*python, "-c", ENTRY, *name.split()] for name in TARGETS}
        medians = measure(commands, rounds, environ)
    missed = False
    print(f"{'command':<14}{'ms':>7}{'x hello':>9}{'target':>8}")
    for name, value in medians.items():
        # The help of the hello loads rich, its command loads pydantic; each of ours is held against its own kind.
        base = medians["hello --help" if name == "--help" else "hello"]
        target = TARGETS.get(name)
        missed |= target is not None and value / base > target
        print(f"{name:<14}{value:>7.0f}{value / base:>9.2f}{target or '':>8}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
