"""User tokens for the web API: made here, shown once, kept as their SHA-256 only."""

from __future__ import annotations

import hashlib
import secrets

from autonomy.core.clock import is_id
from autonomy.core.errors import InvalidInput
from autonomy.storage.database import Database, Tx

BYTES = 32


def make_token(database: Database, user: str) -> str:
    """A new bearer token of the user: 43 URL-safe characters, 256 random bits. Raises InvalidInput for a malformed id."""
    if not is_id(user):
        raise InvalidInput("the user id must be 1 to 64 letters, digits, '-' or '_'", "Correct it.")
    token = secrets.token_urlsafe(BYTES)

    def keep(tx: Tx) -> None:
        sql = "INSERT INTO token (sha256, user_id, created_at) VALUES (:sha256, :user, now_us())"
        tx.run(sql, sha256=digest(token), user=user)

    database.write(keep)
    return token


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
