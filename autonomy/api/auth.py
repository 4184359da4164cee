"""Who asks: a bearer token, a signed-in browser, or, while no token exists at all, whoever sits at this machine.

Tokens and cookies are compared as SHA-256 digests of their raw bytes, in constant time, before anything is parsed; no
sequence of bytes can crash the comparison. Where a change counter tells that nobody has written since (SQLite), a token that
was found is remembered for `REMEMBERED` seconds, so that requests need no query; elsewhere it is looked up every time, so
that one that was taken back opens nothing from then on.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from autonomy.api.problems import Refusal
from autonomy.providers.settings import Secret
from autonomy.storage.database import Database, Tx

REMEMBERED = 2.0
MOST_REMEMBERED = 4096
SESSION_SECONDS = 12 * 3600
COOKIE = b"autonomy_session"
OPERATOR = "local"
"""The user whom an admin's runs belong to where no other is named."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. An admin may act for every user; `via` says how they are known, `credential` is the digest of what can be
    taken back: a user's token, a browser's cookie."""

    user_id: str
    admin: bool
    via: Literal["token", "cookie", "loopback", "signature"]
    credential: str | None = field(default=None, repr=False)

    def may_see(self, user_id: str) -> bool:
        """Whether what belongs to that user is theirs to see."""
        return self.admin or self.user_id == user_id

    @property
    def scope(self) -> str | None:
        """The only user whose things they see; None sees all."""
        return None if self.admin else self.user_id

    def acting_for(self, user_id: str | None) -> str:
        """The user that a request is made for. Raises Refusal (403) for somebody else's name."""
        if user_id is None:
            return self.user_id
        if not self.may_see(user_id):
            raise Refusal(403, "forbidden", "a user's token speaks for that user alone", "Leave user_id out.")
        return user_id


OPERATING = Principal(OPERATOR, True, "loopback")
SIGNED = Principal("turnitin", True, "signature")
"""Who has signed a report: known for that one request, on the one address that takes signed ones."""


class Authenticator:
    """Knows the admin's token, the users' tokens and the signed-in browsers. Used in one event loop.

    Once a token exists a server asks everyone for one until it ends: taking the last one back opens nothing.
    """

    def __init__(self, database: Database, admin_token: Secret | None) -> None:
        self._database = database
        self._admin = None if admin_token is None else _digest(admin_token.reveal().encode("utf-8", "surrogateescape"))
        self._known: dict[str, tuple[float, int, Principal]] = {}
        self._closed = admin_token is not None or has_tokens(database)
        self._open_until = 0.0

    async def principal(self, headers: dict[bytes, bytes], client: str | None) -> Principal | None:
        """Who asks; None where nobody is known. A wrong token is nobody, whatever else the request carries."""
        authorization = headers.get(b"authorization")
        if authorization is not None:
            kind, _, token = authorization.partition(b" ")
            return await self.of_token(token.strip()) if kind.lower() == b"bearer" else None
        cookie = _cookie(headers.get(b"cookie", b""))
        if cookie is not None:
            found = await self._of_cookie(cookie)
            if found is not None:
                return found
        if await self.is_open():
            return OPERATING if is_loopback(client) else None
        return None

    async def of_token(self, token: bytes) -> Principal | None:
        """Whose token that is."""
        digest = _digest(token)
        if self._admin is not None and hmac.compare_digest(digest.encode(), self._admin.encode()):
            return Principal(OPERATOR, True, "token")
        version = self._database.version()
        known = self._recall(digest, version)
        if known is not None:
            return known
        found = await self._database.aread(lambda tx: _owner(tx, digest))
        return None if found is None else self._remember(version, Principal(found, False, "token", digest))

    async def _of_cookie(self, cookie: bytes) -> Principal | None:
        digest = _digest(cookie)
        version = self._database.version()
        known = self._recall(digest, version)
        if known is not None:
            return known
        found = await self._database.aread(lambda tx: _session(tx, digest))
        return None if found is None else self._remember(version, Principal(found[0], bool(found[1]), "cookie", digest))

    async def is_open(self) -> bool:
        """Whether no token exists at all. Looked at once a second while it is so."""
        if self._closed:
            return False
        return time.monotonic() < self._open_until or await self._look()

    async def _look(self) -> bool:
        """Ask the database now whether no token exists."""
        now = time.monotonic()
        self._closed = self._closed or await asyncio.to_thread(has_tokens, self._database)
        if not self._closed:
            self._open_until = now + 1.0
        return not self._closed

    async def sign_in(self, principal: Principal) -> str:
        """Begin a browser session; the cookie's value is 256 random bits, and only its digest is kept."""
        cookie = secrets.token_urlsafe(32)
        values = {"sha256": _digest(cookie.encode()), "user": principal.user_id, "admin": int(principal.admin)}

        def keep(tx: Tx) -> None:
            tx.run("DELETE FROM browser_session WHERE expires_at <= now_us()")
            sql = (
                "INSERT INTO browser_session (sha256, user_id, admin, created_at, expires_at) "
                "VALUES (:sha256, :user, :admin, now_us(), now_us() + :lasts)"
            )
            tx.run(sql, lasts=SESSION_SECONDS * 1_000_000, **values)

        await self._database.awrite(keep)
        return cookie

    async def sign_out(self, headers: dict[bytes, bytes]) -> None:
        """End the browser session that the request carries, if it carries one."""
        cookie = _cookie(headers.get(b"cookie", b""))
        if cookie is not None:
            digest = _digest(cookie)
            await self._database.awrite(lambda tx: tx.run("DELETE FROM browser_session WHERE sha256 = :sha256", sha256=digest))
            self._known.pop(digest, None)

    async def shut_out(self, known: Iterable[Principal]) -> set[Principal]:
        """Those who were let in before and would not be now: their token was taken back, their browser signed out, or they
        came from this machine while no token existed, and one does now."""
        passing = [who for who in known if who.credential is not None or who.via == "loopback"]
        if not passing:
            return set()
        sql = f"{_TOKENS} UNION ALL {_SESSIONS}"
        valid = await self._database.aread(lambda tx: {str(row[0]) for row in tx.tuples(sql)})
        is_open = any(who.via == "loopback" for who in passing) and await self._look()
        return {who for who in passing if not (is_open if who.via == "loopback" else who.credential in valid)}

    def _recall(self, digest: str, version: int) -> Principal | None:
        known = self._known.get(digest)
        return known[2] if known is not None and known[1] == version and time.monotonic() < known[0] else None

    def _remember(self, version: int, principal: Principal) -> Principal:
        """`version` is that of the database before it was asked."""
        if self._database.path is not None and principal.credential is not None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            self._known[principal.credential] = (time.monotonic() + REMEMBERED, version, principal)
        return principal


def has_tokens(database: Database) -> bool:
    """Whether any user has a token."""
    return database.read(lambda tx: tx.value("SELECT 1 FROM token LIMIT 1")) is not None


def is_loopback(address: str | None) -> bool:
    """Whether the address is this machine's own."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)


def check_origin(principal: Principal, headers: dict[bytes, bytes]) -> None:
    """A page of another site may not act through a browser that is trusted by its cookie or its place.

    Raises Refusal (403). Requests with a token carry no such trust: another site cannot know it.
    """
    if principal.via == "token":
        return
    origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
    foreign = origin is not None and origin.partition(b"://")[2].lower() != headers.get(b"host", b"").lower()
    if foreign or site not in (None, b"same-origin", b"none"):
        raise Refusal(403, "foreign-origin", "a page of another site may not do this", "Use the dashboard itself, or a token.")


def unauthorized() -> Refusal:
    """401: nobody is known."""
    hint = "Send 'Authorization: Bearer TOKEN'; 'autonomy config token USER' makes one."
    return Refusal(401, "unauthorized", "a valid token is needed", hint, {"www-authenticate": "Bearer"})


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_TOKENS = "SELECT sha256 FROM token"
_SESSIONS = (
    "SELECT sha256 FROM browser_session WHERE expires_at > now_us() "
    "AND (admin = 1 OR EXISTS (SELECT 1 FROM token WHERE token.user_id = browser_session.user_id))"
)
"""A browser is signed in no longer than its user has a token: one that signs in while the last is taken back is not."""


def _owner(tx: Tx, digest: str) -> str | None:
    found = tx.tuples("SELECT sha256, user_id FROM token WHERE sha256 = :sha256", sha256=digest)
    if not found or not hmac.compare_digest(str(found[0][0]).encode(), digest.encode()):
        return None
    return str(found[0][1])


def _session(tx: Tx, digest: str) -> tuple[str, int] | None:
    sql = f"SELECT user_id, admin FROM browser_session WHERE sha256 = :sha256 AND sha256 IN ({_SESSIONS})"
    found = tx.tuples(sql, sha256=digest)
    return (str(found[0][0]), int(found[0][1])) if found else None


def _cookie(header: bytes) -> bytes | None:
    for part in header.split(b";"):
        name, _, value = part.strip().partition(b"=")
        if name == COOKIE and value:
            return value
    return None
