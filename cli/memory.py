"""`autonomy memory`: search what was read, and add to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import values
from cli.command import command, noun
from cli.output import BOLD, DIM, Output, plain, squeezed
from cli.session import Session

app = noun("Search what was read, and add to it.")


@command(
    app,
    "search",
    examples=('autonomy memory search "cancel a task"', 'autonomy memory search "backup" --corpus ./manuals --limit 3'),
)
def search(
    session: Session,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to look for.")],
    corpus: Annotated[str | None, typer.Option(metavar="DIR", help="Only this folder, or name in [corpora].")] = None,
    limit: Annotated[float, typer.Option(metavar="N", parser=values.whole, help="Most passages to show, 1 to 100.")] = 8,
) -> None:
    """Find passages in the documents read so far, with page or section."""
    most = values.between("--limit", limit, 1, 100)
    folder = None if corpus is None else Path(values.corpora([corpus], session.settings().corpora)[0])
    with session.app(writes=False) as application:
        found = application.memory.search(text, corpora=None if folder is None else [folder], limit=most)
    if session.out.json:
        session.out.document({"items": found, "next_cursor": None})
    elif found:
        session.out.data("\n\n".join(_passage(number, row, session.out) for number, row in enumerate(found, 1)))
    else:
        session.out.say("Nothing found. Documents are read by runs, or with 'autonomy memory add FILE'.")


def _passage(number: int, row: Mapping[str, Any], out: Output) -> str:
    import textwrap

    place = [f"page {row['page']}"] if row.get("page") else []
    place += [squeezed(row["section"])] if row.get("section") else []
    head = f"{number}. {out.paint(squeezed(row['title'] or row['location']), BOLD)}"
    where = out.paint(f" {out.glyphs.dot} ".join([plain(row["location"]), *place]), DIM)
    body = textwrap.wrap(squeezed(row["text"]), min(out.width, 100) - 3, max_lines=5, placeholder=f" {out.glyphs.more}")
    return "\n".join([head, f"   {where}", *(f"   {line}" for line in body)])


@command(app, "add", examples=("autonomy memory add handbook.pdf",))
def add(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="PDF, DOCX, HTML, Markdown or text.")],
) -> None:
    """Copy a document into the workspace and read it."""
    path = Path(values.named(file, "FILE"))
    with session.app() as application:
        answer = application.memory.add(path)
    if session.out.json:
        session.out.document(answer)
    else:
        session.out.data(f"added {plain(answer['added'])}")
