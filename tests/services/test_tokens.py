"""User tokens: made, listed without what is secret, taken back, on both databases."""

from __future__ import annotations

import json

import pytest

from autonomy.core.errors import InvalidInput, NotFound
from autonomy.services.tokens import SHOWN, digest, make_token, revoke, tokens
from autonomy.storage.database import Database


def test_a_list_names_every_token_and_holds_none(database: Database) -> None:
    assert tokens(database) == []
    made = [make_token(database, user) for user in ("bob", "alice", "bob")]
    listed = tokens(database)
    assert [(row["token_id"], row["user"]) for row in listed] == [
        (digest(token)[:SHOWN], user) for token, user in zip(made, ("bob", "alice", "bob"), strict=True)
    ]
    assert [row["created_at"] for row in listed] == sorted(row["created_at"] for row in listed)
    text = json.dumps(listed)
    assert not any(token in text or digest(token) in text for token in made)


def test_a_users_tokens_are_taken_back_together_or_one_by_its_id(database: Database) -> None:
    first, second, other = (digest(make_token(database, user))[:SHOWN] for user in ("bob", "bob", "alice"))
    assert revoke(database, "bob", second) == [second]
    assert {row["token_id"] for row in tokens(database)} == {first, other}
    third = digest(make_token(database, "bob"))[:SHOWN]
    assert sorted(revoke(database, "bob")) == sorted([first, third])
    assert [row["token_id"] for row in tokens(database)] == [other]


def test_what_names_no_token_of_the_user_takes_nothing_back(database: Database) -> None:
    ids = [digest(make_token(database, "bob"))[:SHOWN] for _ in range(17)]  # two of them begin alike
    other = digest(make_token(database, "alice"))[:SHOWN]
    twice = next(letter for letter in "0123456789abcdef" if sum(each.startswith(letter) for each in ids) > 1)
    with pytest.raises(NotFound, match="several tokens begin with") as caught:
        revoke(database, "bob", twice)
    assert set(caught.value.candidates) == {each for each in ids if each.startswith(twice)}
    for user, token_id in (("bob", other), ("carol", None), ("carol", ids[0])):
        with pytest.raises(NotFound, match="has no token"):
            revoke(database, user, token_id)
    for user, bad in (("bob", ""), ("bob", "%"), ("bob", f"{ids[0]}0"), ("bob", "\x00"), ("a b", None)):
        with pytest.raises(InvalidInput):
            revoke(database, user, bad)
    assert len(tokens(database)) == 18
