"""A process for which a file's permission bits hold, whoever runs the tests: root's right to pass over them is given up."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PR_CAPBSET_DROP = 24
OVERRIDES = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by their numbers in capabilities(7)."""


def obey_permissions() -> None:
    """For `preexec_fn`: the program started next has no right to open what its bits close (Linux; elsewhere only root has)."""
    if os.geteuid() != 0:
        return
    library = ctypes.CDLL(None, use_errno=True)
    for capability in OVERRIDES:
        if library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "the right to pass over permissions cannot be given up")


def run(script: str, *arguments: str) -> str:
    """What the Python script printed, run with our sources and without that right."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=obey_permissions,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
