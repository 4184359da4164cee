"""`autonomy turnitin`: what a run waits for, and the report that comes back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from autonomy.core.errors import InvalidInput
from cli import values
from cli.command import command, noun
from cli.output import CYAN, Output, plain, squeezed
from cli.session import Session

app = noun("Hand drafts over for similarity reports, and bring the reports back.")

OPERATOR = "local"
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id of a run; any unique beginning of it will do.")]


@command(app, "handoff", examples=("autonomy turnitin handoff 7k2q",))
def handoff(session: Session, run: RunArgument) -> None:
    """Show the draft that waits for its report."""
    with session.app(writes=False) as application:
        found = application.turnitin.handoff(application.runs.resolve(run))
    if session.out.json:
        session.out.document(found)
        return
    session.out.data(plain(found["document"]))
    session.out.say(f"Draft {found['n']}, wanted at most {found['target_similarity']:g} %. {plain(found['how'])}")


@command(
    app,
    "report",
    examples=("autonomy turnitin report 7k2q report.pdf", "autonomy turnitin report 7k2q --similarity 11"),
)
def report(
    session: Session,
    run: RunArgument,
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="The report: PDF, HTML or JSON.")] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where the report can be seen; it is kept, not read.")] = None,
    similarity: Annotated[
        float | None,
        typer.Option(metavar="N", parser=values.number, help="Overall similarity in percent, as a person read it."),
    ] = None,
    cycle: Annotated[str | None, typer.Option(metavar="ID", help="The cycle it is for, where a run has several.")] = None,
) -> None:
    """Bring a similarity report: its run goes on with it, once."""
    from autonomy.services.turnitin import MOST_BYTES, Brought

    path = None if file is None else Path(values.named(file, "FILE"))
    data = None if path is None else _bytes(path, MOST_BYTES)
    out = session.out
    with session.app() as application:
        run_id = application.runs.resolve(run)
        brought = Brought(data, path.name if path else "report", url, similarity, cycle, OPERATOR)
        taken = application.turnitin.report(run_id, brought, OPERATOR)
    if out.json:
        out.document(taken)
        return
    out.data(_taken(taken))
    for warning in taken["warnings"]:
        out.say(f"note: {squeezed(warning)}")
    if not taken["duplicate"] and taken["resume_job_id"] is not None:
        resume = out.paint_err(f"autonomy run resume {run_id[:8]}", CYAN)
        out.say(f"Its run is queued: a worker takes it, or {resume} works it here.")
    elif not taken["duplicate"]:
        out.say(f"Its run is paused; it goes on with {out.paint_err(f'autonomy run resume {run_id[:8]}', CYAN)}.")


@command(app, "status", examples=("autonomy turnitin status 7k2q", "autonomy turnitin status 7k2q --json | jq .report"))
def status(session: Session, run: RunArgument) -> None:
    """Show what a run waits for, and every report that came."""
    with session.app(writes=False) as application:
        found = application.turnitin.status(application.runs.resolve(run))
    if session.out.json:
        session.out.document(found)
    else:
        session.out.data("\n".join(line for cycle in found["cycles"] for line in _cycle(cycle, session.out)))


def _bytes(path: Path, most: int) -> bytes:
    try:
        if path.stat().st_size > most:
            raise InvalidInput(f"{path.name} is larger than {most >> 20} MiB", "Bring the report itself.")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(
            f"{path.name} cannot be read ({(error.strerror or 'error').lower()})", "Name a report file."
        ) from None


def _taken(taken: dict[str, Any]) -> str:
    figures = f"{taken['observed_similarity']:g} % similar, wanted at most {taken['target_similarity']:g} %"
    return f"{'taken already' if taken['duplicate'] else 'taken'}: {figures}"


def _cycle(cycle: dict[str, Any], out: Output) -> list[str]:
    observed = cycle["observed_similarity"]
    words = {
        "awaiting_report": "waits for its report",
        "report_ready": "report came",
        "accepted": "accepted",
        "rejected": "rejected",
    }
    figures = f"wanted at most {cycle['target_similarity']:g} %"
    if observed is not None:
        figures = f"{observed:g} % similar, {figures}"
    lines = [f"draft {cycle['n']}: {words[cycle['status']]}; {figures}", f"  {plain(cycle['document'])}"]
    if cycle["status"] == "awaiting_report" and cycle["deadline"]:
        lines.append(f"  since {cycle['waiting_since']}, until {cycle['deadline']}")
    report = cycle["report"] or {}
    for source in (report.get("top_sources") or [])[:5]:
        percent = f"{source['percent']:g} %" if source.get("percent") is not None else "?"
        lines.append(f"  {source.get('approx') + ' %' if source.get('approx') else percent} {squeezed(source['name'])}")
    if report.get("flagged"):
        lines.append(f"  {len(report['flagged'])} passages flagged")
    if cycle["why"]:
        lines.append(f"  {squeezed(cycle['why'])}")
    return lines
