"""Which sentences of a draft the flagged passages of a report stand in."""

from __future__ import annotations

import pytest

from autonomy.turnitin.revision import flagged_sentences

DRAFT = (
    "A lease is a lock with an expiry date that the worker must renew.",
    "Fencing tokens keep a worker that was frozen from writing after its lease.",
    "Short one.",
    "租约是带有到期时间的锁，工作者必须续期。",
)


def found(*passages: str) -> dict[int, int]:
    return dict(flagged_sentences(passages, enumerate(DRAFT)))


@pytest.mark.parametrize(
    ("passage", "sentences"),
    [
        (DRAFT[0], {0: 0}),
        ("a LEASE is a lock\nwith an expiry date that the\nworker must", {0: 0}),
        ("A lease is a lock [3] with an expiry date that the worker must renew", {0: 0}),
        (f"Before it. {DRAFT[0]} {DRAFT[1]} After it.", {0: 0, 1: 0}),
        ("that the worker must renew", {}),
        ("is a lock with an expiry date that the", {0: 0}),
        ("Other words, a lock with an expiry date that the", {}),
        ("Other words before it, and a lock with an expiry date.", {}),
        ("A lease is a lock with an owner.", {}),
        ("short one", {2: 0}),
        ("A short day one.", {}),
        ("租约是带有到期时间的锁", {3: 0}),
        ("", {}),
        ("...", {}),
    ],
)
def test_a_sentence_is_flagged_when_a_passage_covers_most_of_it(passage: str, sentences: dict[int, int]) -> None:
    assert found(passage) == sentences


def test_of_several_passages_the_one_that_covers_most_is_named() -> None:
    assert found("lock with an expiry date that the worker must renew", DRAFT[0]) == {0: 1}


def test_among_a_thousand_passages_each_sentence_finds_its_own() -> None:
    words = [f"w{n}" for n in range(4000)]
    sentences = [" ".join(words[n : n + 20]) for n in range(0, 3000, 3)]
    flagged = flagged_sentences(sentences, enumerate(sentences))
    assert len(flagged) == 1000
    assert flagged[17] == 17
