"""User tokens for the web API: made here, shown once, kept as their SHA-256 only; listed and revoked.

Both ends of a token's life leave a line in the audit log, with the token's id as its correlation id and never the token.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any

from autonomy.core.clock import is_id, iso
from autonomy.core.errors import InvalidInput, NotFound
from autonomy.services.ledger import Audit
from autonomy.storage.database import Database, Tx

BYTES = 32
SHOWN = 12
"""Characters of a token's SHA-256 that name it: they lead back to no token."""
_ID = re.compile(rf"[0-9a-f]{{1,{SHOWN}}}")
HINT = "List them with 'autonomy config tokens'."


def make_token(database: Database, audit: Audit, user: str, *, by: str) -> str:
    """A new bearer token of the user: 43 URL-safe characters, 256 random bits. Raises InvalidInput for a malformed id.

    One whose making cannot be audited raises the log's error; nobody has seen it then.
    """
    _check(user)
    token = secrets.token_urlsafe(BYTES)

    def keep(tx: Tx) -> None:
        sql = "INSERT INTO token (sha256, user_id, created_at) VALUES (:sha256, :user, now_us())"
        tx.run(sql, sha256=digest(token), user=user)

    database.write(keep)
    audit.append("token_made", correlation_id=digest(token)[:SHOWN], actor=by, user_id=user)
    return token


def tokens(database: Database) -> list[dict[str, Any]]:
    """Every token as {token_id, user, created_at}, the oldest first; never the token itself, nobody has it."""
    sql = "SELECT sha256, user_id, created_at FROM token ORDER BY created_at, sha256"
    rows = database.read(lambda tx: tx.tuples(sql))
    return [{"token_id": sha256[:SHOWN], "user": user, "created_at": iso(created)} for sha256, user, created in rows]


def revoke(database: Database, audit: Audit, user: str, token_id: str | None = None, *, by: str) -> list[str]:
    """Take back the user's tokens, or the one that a unique beginning of its id names; returns their ids.

    The user's browsers are signed out: which token they came with is not known. Raises NotFound, InvalidInput.
    """
    _check(user)
    if token_id is not None and _ID.fullmatch(token_id) is None:
        raise InvalidInput(f"a token's id is 1 to {SHOWN} of the characters 0 to 9 and a to f", HINT)

    def take_back(tx: Tx) -> list[str]:
        held = [str(row[0]) for row in tx.tuples("SELECT sha256 FROM token WHERE user_id = :user ORDER BY sha256", user=user)]
        chosen = [sha256 for sha256 in held if token_id is None or sha256[:SHOWN].startswith(token_id)]
        ids = tuple(sha256[:SHOWN] for sha256 in (chosen or held))
        if not chosen:
            raise NotFound(f"{user} has no token{'' if token_id is None else f' {token_id}'}", HINT, candidates=ids)
        if token_id is not None and len(chosen) > 1:
            raise NotFound(f"several tokens begin with {token_id}: {', '.join(ids)}", "Give more of the id.", candidates=ids)
        tx.many("DELETE FROM token WHERE sha256 = :sha256", [{"sha256": sha256} for sha256 in chosen])
        tx.run("DELETE FROM browser_session WHERE user_id = :user AND admin = 0", user=user)
        return list(ids)

    revoked = database.write(take_back)
    audit.append_many([{"action": "token_revoked", "correlation_id": each, "actor": by, "user_id": user} for each in revoked])
    return revoked


def _check(user: str) -> None:
    if not is_id(user):
        raise InvalidInput("the user id must be 1 to 64 letters, digits, '-' or '_'", "Correct it.")


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
