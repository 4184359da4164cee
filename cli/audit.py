"""`autonomy audit`: whether the audit log is whole, and what stands in it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cli import errors, values
from cli.command import command, noun
from cli.output import BOLD, GREEN, RED, Output, cut, plain
from cli.session import Session
from cli.wording import several

app = noun("Check the audit log, and follow it.")
SHOWN_FIRST = ("seq", "time", "action", "actor", "correlation_id", "prev", "hash")


@command(
    app,
    "verify",
    examples=("autonomy audit verify", "autonomy audit verify --json | jq -r '\"\\(.seq):\\(.head)\"'"),
)
def verify(
    session: Session,
    known: Annotated[
        str | None,
        typer.Option(metavar="SEQ:HASH", help="A head that an earlier check printed; the log must still contain it."),
    ] = None,
) -> int:
    """Say whether the audit log is whole.

    Finds changed, removed, inserted and swapped lines, a cut or rewritten end, a missing file; exits 1 if there is any.
    """
    from autonomy.bootstrap.app import AUDIT
    from autonomy.services.audit import Audit

    with session.app(writes=False) as application:
        report = Audit(application.home / AUDIT, application.database).verify(known)
    code = errors.OK if report["ok"] else errors.FAILED
    if session.out.json:
        session.out.document(report)
        return code
    for finding in report["findings"]:
        place = finding["file"] + (f":{finding['line']}" if finding["line"] else "")
        session.out.data(f"{plain(place)}: {session.out.paint(finding['kind'], RED)}: {plain(finding['about'])}")
    amount = f"{several(report['lines'], 'line')} in {several(report['files'], 'file')}, head {report['seq']}:{report['head']}"
    if report["ok"]:
        session.out.data(session.out.folded(amount, lead=f"{session.out.paint('whole', GREEN)}: "))
    else:
        read = amount if report["lines"] else "an empty log"
        session.out.say(f"{several(len(report['findings']), 'finding')} in {read}. {_advice(report)}")
    return code


def _advice(report: Mapping[str, Any]) -> str:
    """What to do about a log that is not whole."""
    if any(finding["kind"] == "missing file" for finding in report["findings"]):
        return "Find out who took the file away, and put it back from a backup."
    return "Keep the folder as it is, and find out who did it."


@command(app, "tail", examples=("autonomy audit tail", "autonomy audit tail --lines 100 --no-follow --json"))
def tail(
    session: Session,
    lines: Annotated[float, typer.Option(metavar="N", parser=values.whole, help="Lines to begin with, 0 to 100000.")] = 20,
    no_follow: Annotated[bool, typer.Option("--no-follow", help="Print what there is, then stop.")] = False,
) -> int:
    """Follow the audit log until Ctrl-C."""
    from autonomy.bootstrap.app import AUDIT
    from autonomy.services.audit import Audit
    from cli.stream import PATIENCE, until_left

    most = values.between("--lines", lines, 0, 100_000)
    pause = threading.Event()
    with session.app(writes=False) as application, until_left() as leaving:
        audit = Audit(application.home / AUDIT, application.database)
        found = audit.newest(max(most, 1))
        last = found[-1]["seq"] if found else 0
        for body in found[-most:] if most else []:
            _print(body, session.out)
        while not (no_follow or leaving.code or session.out.gone):
            for body in audit.since(last):
                _print(body, session.out)
                last = body["seq"]
            pause.wait(PATIENCE)
    return leaving.code


def _print(body: Mapping[str, Any], out: Output) -> None:
    if out.json:
        out.line(body)
        return
    rest = {key: value for key, value in body.items() if key not in SHOWN_FIRST}
    told = "  ".join(f"{plain(key)}={_word(value, out)}" for key, value in rest.items())
    time = str(body["time"])[:19].replace("T", " ")
    action = plain(body["action"])
    head = f"{body['seq']:>6}  {plain(time)}  {out.paint(f'{action:<20}', BOLD)}  "
    who = f"{plain(body['actor'])} {out.glyphs.dot} {plain(body['correlation_id'])}"
    out.data(out.folded(f"{who}  {told}".rstrip(), lead=head, under=8))


def _word(value: Any, out: Output) -> str:
    text = value if isinstance(value, str) else out.dump(value)
    return cut(plain(text), 80, out.glyphs.more)
