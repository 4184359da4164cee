"""`autonomy doctor`: is this machine ready, and if not, what to do."""

from __future__ import annotations

import dataclasses
import os

from cli import errors
from cli.command import command, verb
from cli.output import BOLD, DIM, GREEN, RED, YELLOW, plain
from cli.session import Session

app = verb()
MARGIN = 27
COLOURS = {"ok": GREEN, "warn": YELLOW, "fail": RED}


@command(app, "doctor", examples=("autonomy doctor", "autonomy doctor --json | jq '.checks[] | select(.state != \"ok\")'"))
def doctor(session: Session) -> int:
    """Check Python, SQLite, workspace, database, providers and disk; each line says how to fix it."""
    from autonomy.bootstrap.doctor import examine, usable

    out = session.out
    findings = []
    for finding in examine(os.environ):
        findings.append(finding)
        if not out.json:
            lead = f"{out.paint(f'{finding.state:<4}', COLOURS[finding.state], BOLD)}  {finding.name:<19}  "
            out.data(out.folded(plain(finding.text), lead=lead, under=MARGIN))
        if finding.fix and not out.json:
            rows = out.folded(plain(finding.fix), lead=" " * MARGIN, under=MARGIN).splitlines()
            out.data("\n".join(out.paint(row, DIM) for row in rows))
    ready = usable(findings)
    if out.json:
        out.document({"ready": ready, "checks": [dataclasses.asdict(finding) for finding in findings]})
    else:
        out.say("Ready." if ready else "Not ready: see the lines marked 'fail'.")
    return errors.OK if ready else errors.CONFIGURATION
