"""User tokens: made, listed without what is secret, taken back, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autonomy.audit.log import AuditLog
from autonomy.core.errors import InvalidInput, NotFound
from autonomy.services.tokens import SHOWN, digest, make_token, revoke, tokens
from autonomy.storage.database import Database


@pytest.fixture
def audit(tmp_path: Path, database: Database) -> AuditLog:
    """The log of a workspace."""
    return AuditLog(tmp_path / "audit", database)


def test_a_list_names_every_token_and_holds_none(database: Database, audit: AuditLog) -> None:
    assert tokens(database) == []
    made = [make_token(database, audit, user, by="local") for user in ("bob", "alice", "bob")]
    listed = tokens(database)
    assert [(row["token_id"], row["user"]) for row in listed] == [
        (digest(token)[:SHOWN], user) for token, user in zip(made, ("bob", "alice", "bob"), strict=True)
    ]
    assert [row["created_at"] for row in listed] == sorted(row["created_at"] for row in listed)
    text = json.dumps(listed)
    assert not any(token in text or digest(token) in text for token in made)


def test_a_users_tokens_are_taken_back_together_or_one_by_its_id(database: Database, audit: AuditLog) -> None:
    first, second, other = (digest(make_token(database, audit, user, by="local"))[:SHOWN] for user in ("bob", "bob", "alice"))
    assert revoke(database, audit, "bob", second, by="local") == [second]
    assert {row["token_id"] for row in tokens(database)} == {first, other}
    third = digest(make_token(database, audit, "bob", by="local"))[:SHOWN]
    assert sorted(revoke(database, audit, "bob", by="local")) == sorted([first, third])
    assert [row["token_id"] for row in tokens(database)] == [other]


def test_what_names_no_token_of_the_user_takes_nothing_back(database: Database, audit: AuditLog) -> None:
    ids = [digest(make_token(database, audit, "bob", by="local"))[:SHOWN] for _ in range(17)]  # two of them begin alike
    other = digest(make_token(database, audit, "alice", by="local"))[:SHOWN]
    twice = next(letter for letter in "0123456789abcdef" if sum(each.startswith(letter) for each in ids) > 1)
    with pytest.raises(NotFound, match="several tokens begin with") as caught:
        revoke(database, audit, "bob", twice, by="local")
    assert set(caught.value.candidates) == {each for each in ids if each.startswith(twice)}
    for user, token_id in (("bob", other), ("carol", None), ("carol", ids[0])):
        with pytest.raises(NotFound, match="has no token"):
            revoke(database, audit, user, token_id, by="local")
    for user, bad in (("bob", ""), ("bob", "%"), ("bob", f"{ids[0]}0"), ("bob", "\x00"), ("a b", None)):
        with pytest.raises(InvalidInput):
            revoke(database, audit, user, bad, by="local")
    assert len(tokens(database)) == 18


def test_both_ends_of_a_token_are_audited_and_the_token_is_not(database: Database, audit: AuditLog) -> None:
    made = [make_token(database, audit, user, by="local") for user in ("bob", "bob", "alice")]
    ids = [digest(token)[:SHOWN] for token in made]
    revoke(database, audit, "bob", by="operator")
    with pytest.raises(NotFound):
        revoke(database, audit, "bob", by="operator")
    text = (audit.folder / "events.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    told = [(line["action"], line["correlation_id"], line["user_id"], line["actor"]) for line in lines]
    assert told[:3] == [("token_made", each, user, "local") for each, user in zip(ids, ("bob", "bob", "alice"), strict=True)]
    assert sorted(told[3:]) == sorted(("token_revoked", each, "bob", "operator") for each in ids[:2])
    assert not any(token in text or digest(token) in text for token in made)
