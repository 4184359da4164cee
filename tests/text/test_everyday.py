"""Everyday words: general verbs, and what stands where an English verb stands; never part of a name."""

from __future__ import annotations

import pytest

from autonomy.text.everyday import is_everyday
from autonomy.text.relevance import ENOUGH, light, names, relevance, subject, things
from autonomy.text.words import terms


@pytest.mark.parametrize(
    ("question", "word", "everyday"),
    [
        ("How do queues stay fair?", "stay", True),
        ("when one user floods them", "floods", True),
        ("How do you compile extensions?", "compile", True),
        ("How does a frozen worker write?", "frozen", False),
        ("write-ahead logging", "write", False),
        ("fencing tokens", "tokens", False),
        ("Why do retries need jitter?", "need", True),
        ("Wie kann man Daten schreiben?", "schreiben", True),
        ("Wie installiere ich ein Paket?", "installiere", True),
        ("Cómo instalar un paquete", "instalar", True),
        ("El lugar de un paquete", "lugar", False),
        ("Comment mettre à jour sans réinstaller ?", "réinstaller", True),
        ("Le fichier de configuration", "fichier", False),
    ],
)
def test_a_word_is_everyday_by_itself_or_by_its_place(question: str, word: str, everyday: bool) -> None:
    start = question.index(word)
    language = {"Wie": "de", "Cómo": "es", "El": "es", "Comment": "fr", "Le": "fr"}.get(question.split()[0], "en")
    assert is_everyday(question, start, start + len(word), language) is everyday


def test_everyday_words_break_names_and_weigh_little() -> None:
    question = "How do leases and fencing tokens stop a frozen worker from writing?"
    assert things(question, "en") == (("leas",), ("fenc", "token"), ("frozen", "worker"))
    assert light(question, "en") == {"stop", "write"}
    assert light("reading and writing", "en") == frozenset()
    weights = {"": 4.6, "leas": 1.7, "fenc": 2.5, "token": 3.0, "stop": 2.5, "frozen": 1.7, "worker": 1.3, "write": 1.5}
    of = relevance((question,), terms(question, "en"), "en", weights).of
    assert of("A short lease is renewed often.", ("Choosing the length",), "Leases and Fencing Tokens") >= ENOUGH
    assert of("Stop and write.", ("Stopping",), "Writing") < ENOUGH


def test_the_verb_of_a_question_is_no_part_of_a_name() -> None:
    assert things("How does logging propagate between loggers?", "en") == (("log",), ("logger",))
    assert things("How can a file lock be released?", "en")[0] == ("file", "lock")
    assert subject("How do queues stay fair", "en") == ("queue", "stai", "fair")


def test_where_a_thing_is_meant_to_be_and_nothing_is_a_name_of_one_word_is_not_enough() -> None:
    weights = {"": 4.6, "queue": 1.9, "airport": 4.6, "circuit": 3.0, "breaker": 3.0, "micros": 4.6, "microservic": 4.6}
    queues, breakers = (
        relevance((each,), terms(each, "en"), "en", weights)
        for each in ("Queues at airports", "Circuit breakers in microservices")
    )
    assert queues.of("A queue hands out jobs.", ("Queues",), "Queues") < ENOUGH
    assert breakers.of("The circuit breaker opens.", ("Circuit breakers",), "Retries") >= ENOUGH


def test_a_heading_lends_its_words_to_a_sentence_that_takes_one_of_them_up() -> None:
    weights = {"task": 3.2, "cancel": 3.6, "asyncio": 4.0}
    of = relevance(("How are tasks cancelled in asyncio?",), ("task", "cancel", "asyncio"), "en", weights).of
    assert of("The loop keeps weak references to tasks.", ("Shielding From Cancellation",), "Coroutines") < ENOUGH
    assert of("A cancelled task is done.", ("Shielding From Cancellation",), "Coroutines") >= ENOUGH


def test_the_one_thing_of_a_question_is_named_as_it_is_written() -> None:
    known = {"idempot", "kei", "thread", "data"}
    assert names("How can banks use Idempotency keys?", "en", known) == ("Idempotency keys",)
    assert names("How do threads share data safely?", "en", known) == ("threads", "data")
    assert names("How do threads share data safely?", "en") == ("threads", "data")


def test_everyday_words_weigh_little_beside_a_thing() -> None:
    question = "How does a lease start and stop?"
    of = relevance((question,), terms(question, "en"), "en", {"": 4.6, "leas": 1.7, "start": 2.0, "stop": 2.0}).of
    assert of("A lease expires.") >= ENOUGH
