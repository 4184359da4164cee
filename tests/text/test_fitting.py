"""The form of an answer: a ground for "why", a figure for "how much", a condition for "when"."""

from __future__ import annotations

import pytest

from autonomy.text.fitting import asks, fits


@pytest.mark.parametrize(
    ("question", "language", "kind"),
    [
        ("Why is the log synced?", "en", "reason"),
        ("How much memory does a worker need?", "en", "figure"),
        ("When should I use threads?", "en", "condition"),
        ("Where does a lease fail?", "en", "limit"),
        ("How do I rotate a key?", "en", "way"),
        ("how to rotate a key", "en", "way"),
        ("How does fencing work?", "en", "working"),
        ("What is a lease?", "en", ""),
        ("Leases", "en", ""),
        ("Warum wird das Protokoll geschrieben?", "de", "reason"),
        ("Wie installiere ich ein Paket?", "de", "way"),
        ("¿Cuántos hilos hay?", "es", "figure"),
        ("Pourquoi faut-il un verrou ?", "fr", "reason"),
        ("ロックとは何か", "ja", ""),
    ],
)
def test_a_question_asks_in_its_first_words(question: str, language: str, kind: str) -> None:
    assert asks(question, language) == kind


@pytest.mark.parametrize(
    ("question", "language", "answer", "other"),
    [
        ("Why is the log synced?", "en", "It is synced because power can fail.", "The log is a file."),
        ("How much memory is needed?", "en", "A worker takes 30 MB.", "A worker takes memory."),
        ("When should I use threads?", "en", "Threads are useful for waiting.", "Threads share memory."),
        ("Where does a lease fail?", "en", "A lease fails with the clock.", "A lease has a name."),
        ("How do I rotate a key?", "en", "You can rotate a key by hand.", "A key has a date."),
        ("Warum wartet der Faden?", "de", "Er wartet, weil die Sperre vergeben ist.", "Er hat eine Sperre."),
        ("¿Cuándo se libera el bloqueo?", "es", "Se libera cuando el hilo termina.", "El bloqueo tiene un nombre."),
        ("Pourquoi verrouiller ?", "fr", "On verrouille afin de protéger.", "Le verrou est un objet."),
    ],
)
def test_an_answer_has_its_form(question: str, language: str, answer: str, other: str) -> None:
    assert fits(answer, question, language)
    assert not fits(other, question, language)


def test_a_question_of_another_kind_is_fitted_by_nothing() -> None:
    assert not fits("A lease is a lock because it holds.", "What is a lease?", "en")
