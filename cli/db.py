"""`autonomy db`: the database's schema and its backup."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli import errors, values
from cli.command import command, noun
from cli.output import GREEN, RED, YELLOW, plain
from cli.session import Session
from cli.wording import size

app = noun("Upgrade, inspect and back up the database.")


@command(app, "status", examples=("autonomy db status",))
def status(session: Session) -> int:
    """Say which database is used, and whether it is current and sound."""
    from autonomy.storage.sqlite import RESTORE

    row = describe(session)
    code = errors.CONFIGURATION if row["damage"] else errors.OK
    if session.out.json:
        session.out.document(row)
        return code
    colour = GREEN if row["state"] == "current" else YELLOW
    session.out.data(
        f"{plain(row['url'])}\nschema {row['revision'] or 'none'}, this release {row['head']}: "
        f"{session.out.paint(row['state'], colour)}"
    )
    if row["damage"]:
        session.out.data(f"{session.out.paint('damaged', RED)}: {plain(row['damage'])}")
    hints = {
        "missing": "It is made by the first command that needs it.",
        "empty": "Run 'autonomy db upgrade'.",
        "older": "Run 'autonomy db upgrade'.",
        "newer": "Use the newer release, or another AUTONOMY_HOME.",
    }
    if row["damage"]:
        session.out.say(RESTORE)
    elif row["state"] in hints:
        session.out.say(hints[row["state"]])
    return code


def describe(session: Session) -> dict[str, Any]:
    """Where the database is, its schema's revision and state ("missing" where no file is there yet), its damage or None."""
    from autonomy.bootstrap.config import masked_url
    from autonomy.storage import migrate
    from autonomy.storage.database import Database, parse_url
    from autonomy.storage.soundness import look

    url = session.settings().database_url
    _, path = parse_url(url)
    row = {"url": masked_url(url), "kind": "postgresql" if path is None else "sqlite", "head": migrate.HEAD}
    if path is not None and not path.exists():
        return {**row, "revision": None, "state": "missing", "damage": None}
    with Database(url, grow_wal=False) as database:
        found = {"revision": migrate.revision(database), "state": migrate.state(database)}
        return {**row, **found, "damage": look(database).flaw or None}


@command(app, "upgrade", examples=("autonomy db upgrade",))
def upgrade(session: Session) -> None:
    """Bring the schema up to this release; does nothing when it is."""
    from autonomy.bootstrap.config import check_workspace
    from autonomy.storage import migrate
    from autonomy.storage.database import Database

    settings = session.settings()
    check_workspace(settings.home)
    with Database(settings.database_url, grow_wal=False) as database:
        revision = migrate.upgrade(database)
    if session.out.json:
        session.out.document({"revision": revision, "state": "current"})
    else:
        session.out.data(f"schema {revision} is current")


@command(app, "backup", examples=("autonomy db backup autonomy-backup.db", "autonomy db backup nightly.db --force"))
def backup(
    session: Session,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Copy the database into a file, while runs go on.

    The copy is whole, as of one moment.
    """
    from autonomy.storage.backup import backup as copy

    target = values.place(file, "FILE")
    written = copy(session.settings().database_url, target, replace=force)
    if session.out.json:
        session.out.document({"file": str(target), "bytes": written})
    else:
        session.out.data(f"{plain(target)}  {size(written)}")
