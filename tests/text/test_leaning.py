"""Sentences that need what stood before them, and their neighbours that do not."""

from __future__ import annotations

import pytest

from autonomy.text.leaning import leans
from autonomy.text.standalone import flaw

LEANING = {
    "en": [
        "Write-ahead logging is the oldest dependable answer to that problem.",
        "No choice of lease length rules this out, because the pause can always be longer.",
        "The rule behind it is short: a change is described in a log first.",
        "A system that runs long jobs therefore needs a way to stop in the middle.",
        "In SQLite, write-ahead logging also lets readers go on while a writer is active.",
        "The client cannot tell these cases apart.",
        "Three things may have happened: the request was lost, the server crashed, or both.",
        "If you want a new list, use the built-in sorted() function instead.",
        "The pickle and copy modules use those functions when copying objects.",
        "When one pattern completely matches, that branch is accepted.",
        "Unless you know exactly what you are doing, they are huge useless data.",
        "The two most common ones are the Internet socket and the Unix domain socket.",
        "The first error refers to the memory behind the buffer.",
        "The technique, attributed to Randal Schwartz, sorts a list by a metric.",
        "Which means that it is a good idea to run the check first.",
    ],
    "de": [
        "Unter systemd kann das Netzwerk stattdessen in einer Datei konfiguriert werden.",
        "Der Eintrag muss vorhanden sein, um diese Funktionalität zu aktivieren.",
        "Debian bietet auch ein Werkzeug zum Bauen von Paketen an.",
    ],
    "es": [
        "Es una opción de reserva en antiguos sistemas en los que falta la herramienta.",
        "Todos los paquetes enumerados en este campo deben ser eliminados antes.",
        "Revisemos la infraestructura de red básica de un sistema moderno.",
        "El sistema ofrece también una herramienta para compilar paquetes.",
    ],
}
ALONE = {
    "en": [
        "A lock is an object that lets one thread enter a section of code at a time.",
        "The database copies the changed pages from the log into the data file and starts again; this is called checkpointing.",
        "A short lease is taken over soon, but it also means more heartbeats.",
        "A fair queue serves those who wait for a lock in the order in which they came.",
        "An object is kept as long as something refers to that object.",
        "This module implements a common interface to many hash algorithms.",
        "Use a queue instead of a list when several threads share it.",
        "Only one writer can be active at a time, because there is only one end of the log.",
    ],
    "de": [
        "Die Datei ist eine statische Datei, falls das Paket nicht installiert ist.",
        "Das Paket enthält ein Programm, und dieses Programm startet den Dienst.",
    ],
    "es": ["El sistema de paquetes ofrece al usuario la instalación de paquetes binarios consistentes."],
}


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, found in LEANING.items() for text in found])
def test_a_sentence_that_leans_on_its_place_is_not_quoted_alone(language: str, text: str) -> None:
    assert leans(text, language)
    assert flaw(text, language)


@pytest.mark.parametrize(("language", "text"), [(code, text) for code, found in ALONE.items() for text in found])
def test_a_sentence_that_names_what_it_speaks_of_stands_alone(language: str, text: str) -> None:
    assert not leans(text, language)
    assert flaw(text, language) == ""


def test_the_parameter_of_an_entry_leans_only_where_the_text_is_technical() -> None:
    text = "If module is not supplied, the new members cannot be read back."
    assert leans(text, "en", technical=True)
    assert not leans(text, "en", technical=False)


@pytest.mark.parametrize(
    "text",
    [
        "Useful handlers included with the logging module.",
        "Apply, test or remove a lock on an open file descriptor.",
        "Do formatting for a record and give back the text.",
        "Unregister a task from the internal structures of the loop.",
        "A creation parameter to specify that a new process does not inherit the mode.",
        "A non-recursive lock object: a close analog of the lock of threads.",
        "Tip Keep your backup system simple and backup your system often.",
    ],
)
def test_labels_commands_and_run_in_marks_are_fragments(text: str) -> None:
    assert flaw(text, "en") == "fragment"


@pytest.mark.parametrize("first", ["The server takes a name and a password.", "The server takes a password."])
def test_the_second_of_two_sentences_may_point_at_the_first(first: str) -> None:
    assert not leans(f"{first} This is done by writing it into the address.", "en")
    assert leans("The server takes this as a name and a password.", "en")
