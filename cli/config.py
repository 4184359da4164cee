"""`autonomy config`: the settings and the policy with their origin, and user tokens: made, listed, revoked."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import values
from cli.command import command, noun
from cli.output import BOLD, DIM, Output, plain
from cli.session import Session

if TYPE_CHECKING:
    from autonomy.bootstrap.settings import Settings

OPERATOR = "local"
app = noun("Show the settings, the policies and their origin; make, list and revoke user tokens.")


@command(app, "show", examples=("autonomy config show", "autonomy config show --json | jq '.[\"queue.lease_seconds\"]'"))
def show(session: Session) -> None:
    """Print every setting, its value and where it came from. Secrets stay masked."""
    rows = settings_rows(session.settings())
    if session.out.json:
        session.out.document({key: {"value": value, "origin": origin} for key, value, origin in rows})
    else:
        session.out.data(_table(rows, session.out))


def settings_rows(settings: Settings) -> list[tuple[str, Any, str]]:
    """(dotted key, plain value, origin) of everything that is set."""
    from autonomy.bootstrap.config import SECRET_VARIABLES, masked_url
    from autonomy.bootstrap.settings import SECTIONS

    origins = settings.origins
    rows: list[tuple[str, Any, str]] = [
        ("home", str(settings.home), origins["home"]),
        ("database_url", masked_url(settings.database_url), origins["database_url"]),
        *(
            (name, "set" if getattr(settings, name) else None, f"variable {variable}" if getattr(settings, name) else "default")
            for name, variable in SECRET_VARIABLES.items()
        ),
    ]
    for name, schema in SECTIONS.items():
        for field in dataclasses.fields(schema):
            if "hidden" not in field.metadata:
                value = getattr(getattr(settings, name), field.name)
                key = f"{name}.{field.name}"
                rows.append((key, list(value) if isinstance(value, tuple) else value, origins[key]))
    for entry in settings.providers:
        state = f"{entry.api_key} ({'set' if entry.key else 'empty'})" if entry.api_key else None
        body = {"kind": entry.kind, "model": entry.model, "base_url": masked_url(entry.base_url or ""), "api_key": state}
        rows.append((f"providers.{entry.name}", body, origins[f"providers.{entry.name}"]))
    rows += [(f"corpora.{name}", str(folder), origins[f"corpora.{name}"]) for name, folder in settings.corpora.items()]
    return rows


def _table(rows: list[tuple[str, Any, str]], out: Output) -> str:
    shown = [(key, _words(value), plain(origin)) for key, value, origin in rows]
    first = max(len(key) for key, _, _ in shown)
    second = min(max(len(value) for _, value, _ in shown), 44)
    lines = []
    for key, value, origin in shown:
        told = out.paint(origin, DIM) if origin.startswith("default") else out.paint(origin, BOLD)
        lines.append(f"{key:<{first}}  {value:<{second}}  {told}")
    return "\n".join(lines)


def _words(value: Any) -> str:
    if value is None or value == []:
        return "-"
    if isinstance(value, dict):
        return plain(", ".join(f"{part}" for part in value.values() if part))
    if isinstance(value, list):
        return plain(", ".join(value))
    return plain(value)


@command(
    app,
    "policies",
    examples=("autonomy config policies", "autonomy config policies --json | jq '.[\"gates.overlap.threshold\"]'"),
)
def show_policies(session: Session) -> None:
    """Print what the gates hold new runs to, and where it came from."""
    from autonomy.bootstrap.policy import stated

    rows = stated(session.settings().home)
    if session.out.json:
        session.out.document({key: {"value": value, "origin": origin} for key, value, origin in rows})
    else:
        session.out.data(_table(rows, session.out))


@command(app, "token", examples=("autonomy config token alice", "autonomy config token alice --json | jq -r .token"))
def token(
    session: Session,
    user: Annotated[str, typer.Argument(metavar="USER", help="User the token speaks for.")],
) -> None:
    """Make a bearer token for a user. It is shown once and stored as its hash."""
    values.user_id(user)
    with session.app() as application:
        from autonomy.services.tokens import make_token

        made = make_token(application.database, application.audit, user, by=OPERATOR)
    if session.out.json:
        session.out.document({"user": user, "token": made})
    else:
        session.out.data(made)
        session.out.say(f"Token of {plain(user)}, shown this once. From now on the server asks everyone for a token;")
        session.out.say("the operator's own is AUTONOMY_ADMIN_TOKEN, set before 'autonomy serve'.")


@command(app, "tokens", examples=("autonomy config tokens", "autonomy config tokens --json | jq -r '.items[].user'"))
def list_tokens(session: Session) -> None:
    """List the users' tokens by id. The tokens themselves are kept nowhere."""
    from autonomy.services.tokens import tokens

    out = session.out
    with session.app(writes=False) as application:
        found = tokens(application.database)
    if out.json:
        out.document({"items": found, "next_cursor": None})
    elif not found:
        out.say("No tokens yet. Make one with 'autonomy config token USER'.")
    else:
        width = max(len("TOKEN"), *(len(row["token_id"]) for row in found))
        user = max(len("USER"), *(len(row["user"]) for row in found))
        lines = [f"{row['token_id']:<{width}}  {row['user']:<{user}}  {row['created_at']}" for row in found]
        out.data("\n".join([out.paint(f"{'TOKEN':<{width}}  {'USER':<{user}}  MADE", DIM), *lines]))


@command(app, "revoke", examples=("autonomy config revoke alice", "autonomy config revoke alice --token 3f9a"))
def revoke(
    session: Session,
    user: Annotated[str, typer.Argument(metavar="USER", help="User whose tokens are taken back.")],
    token_id: Annotated[
        str | None, typer.Option("--token", metavar="ID", help="Only this one; any unique beginning of its id will do.")
    ] = None,
) -> None:
    """Take back tokens of a user. Servers refuse them from then on, and the user's browsers are signed out."""
    from autonomy.services import tokens

    values.user_id(user)
    with session.app() as application:
        revoked = tokens.revoke(application.database, application.audit, user, token_id, by=OPERATOR)
        left = tokens.tokens(application.database)
        closed = application.settings.admin_token is not None
    if session.out.json:
        session.out.document({"user": user, "revoked": revoked})
        return
    session.out.data(f"revoked {', '.join(revoked)}")
    if not left and not closed:
        session.out.say("No token is left: a server that starts now lets in whoever sits at this machine;")
        session.out.say("AUTONOMY_ADMIN_TOKEN, set before 'autonomy serve', closes it.")
