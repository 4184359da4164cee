"""Support by rule: what can be counted must agree."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autonomy.text import claims, ranking
from autonomy.text.support import support

QUOTE = "Tasks can easily and safely be cancelled within 5 seconds on Linux."


@pytest.mark.parametrize(
    "sentence",
    [
        "Tasks can be cancelled safely.",
        "On Linux, a task can be cancelled within 5 seconds.",
        f"The manual says: “{QUOTE}”",
    ],
)
def test_a_light_rewrite_is_carried(sentence: str) -> None:
    assert support(sentence, [QUOTE], "en").carried


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("Tasks cannot be cancelled safely.", "denies"),
        ("Tasks can be cancelled within 15 seconds.", "15"),
        ("Tasks must be cancelled safely.", "strongly"),
        ("Tasks can be cancelled safely on Windows NT.", "nt"),
        ("It is not true that tasks can be cancelled within 5 seconds.", "denies"),
        ("Threads share memory with their parent.", "0.00"),
    ],
)
def test_what_the_quote_does_not_say_is_refused_with_its_reason(sentence: str, reason: str) -> None:
    found = support(sentence, [QUOTE], "en")
    assert not found.carried
    assert reason in found.reason


def test_a_denial_around_a_whole_quote_is_not_the_quotes_word() -> None:
    assert not support(f"It is wrong and never so that {QUOTE}", [QUOTE], "en").carried


@pytest.mark.parametrize(
    ("text", "language", "figures"),
    [
        ("It takes 1,000 kB, 3.14 s and -5 °C.", "en", {"1000kB", "3.14s", "-5°C"}),
        ("Es sind 1.000,5 kg und 10 %.", "de", {"1000.5kg", "10%"}),
        ("From 3-4 items of version 3.11.2 at 10:30.", "en", {"3", "4", "3.11.2", "10:30"}),
        ("２０２０年に３回", "ja", {"2020年", "3"}),
    ],
)
def test_numbers_have_one_spelling(text: str, language: str, figures: set[str]) -> None:
    assert set(claims.numbers(text, language)) == figures


def test_names_are_capitalised_runs_inside_the_sentence() -> None:
    found = claims.names("Locks came from Edsger Dijkstra and the THE system. Later SQLite took them.", "en")
    assert {"edsger dijkstra", "sqlite"} <= found
    assert "locks" not in found


def test_bm25_prefers_the_text_with_the_rare_word() -> None:
    texts = [["task", "loop"], ["task", "shield", "loop"], ["task"]]
    scores = ranking.bm25(["task", "shield"], texts)
    assert scores.index(max(scores)) == 1
    assert ranking.bm25(["absent"], texts) == [0.0, 0.0, 0.0]


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), max_size=8), st.lists(st.sampled_from("abcdef"), max_size=4))
def test_scores_are_finite_and_a_ranking_holds_each_text_once(documents: list[list[str]], query: list[str]) -> None:
    scores = ranking.bm25(query, documents)
    assert all(score >= 0 for score in scores)
    vectors = [dict(Counter(document)) for document in documents]
    order = ranking.diverse(ranking.scaled(scores), vectors, len(documents))
    assert sorted(order) == list(range(len(documents)))


def test_a_repeat_is_seen_in_the_shorter_text() -> None:
    short, long = ranking.pairs(list("abc")), ranking.pairs(list("xabcy"))
    assert ranking.containment(short, long) == 1.0
    assert ranking.containment(short, ranking.pairs(list("cba"))) == 0.0


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("A lease is a lock with an expiry date.", True),
        ("Cyclic lock renewal (lease) is a well-known technique.", True),
        ("The file is a list of the leases that are held.", False),
        ("For each job the lease table of the database server is a file.", False),
        ("A lease expires on its own.", False),
    ],
)
def test_a_sentence_says_what_a_thing_is_where_it_begins_with_it(sentence: str, told: bool) -> None:
    assert claims.says_what(sentence, [("leas",)], "en") is told
